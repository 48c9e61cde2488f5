//! The machine as the kernel uses it: guest code, kicks, idling, deadlines.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use machine::{Exit, Frame, Machine, PageTable, Prot, UserContext};
use machine_hosted::{Config, Error, HostedMachine};

const SVC_0: u32 = 0xd400_0001;
const B_SELF: u32 = 0x1400_0000;
const MOVZ_X0_42: u32 = 0xd280_0540;
const CODE: u64 = 0x40_0000;

fn machine(cpus: usize) -> Arc<HostedMachine> {
    HostedMachine::new(Config::new(64 << 20, cpus)).unwrap()
}

/// An address space with these instructions at [`CODE`].
fn program(machine: &HostedMachine, words: &[u32]) -> (Arc<dyn PageTable>, Frame) {
    let frame = machine.frames().alloc().unwrap();
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    machine.frames().write(frame, 0, &bytes);
    let table = machine.new_page_table().unwrap();
    let token = table.map(CODE, frame, Prot::READ | Prot::EXEC).unwrap();
    table.flush(token);
    (table, frame)
}

#[test]
fn guest_code_runs_on_a_cpus_thread() {
    let machine = machine(1);
    let (table, _) = program(&machine, &[MOVZ_X0_42, SVC_0]);
    let (sender, receiver) = mpsc::channel();
    let cpus = machine.start(move |cpu| {
        let mut context = UserContext::new(CODE, 0);
        let exit = cpu.run(&mut context, &table);
        sender.send((exit, context.x[0], context.pc, std::thread::current().name().map(str::to_owned))).unwrap();
    });
    cpus.unwrap().join().unwrap();
    assert_eq!(receiver.recv().unwrap(), (Exit::Syscall, 42, CODE + 8, Some("cpu0".to_owned())));
}

#[test]
fn a_kick_interrupts_an_endless_loop_and_is_kept_until_taken() {
    let machine = machine(1);
    let (table, _) = program(&machine, &[B_SELF]);
    let (sender, receiver) = mpsc::channel();
    let cpus = machine
        .start(move |cpu| {
            let mut context = UserContext::new(CODE, 0);
            sender.send(Exit::Syscall).unwrap();
            for _ in 0..2 {
                sender.send(cpu.run(&mut context, &table)).unwrap();
            }
            cpu.take_kick();
        })
        .unwrap();
    receiver.recv().unwrap();
    std::thread::sleep(Duration::from_millis(20));
    machine.kick(0);
    for _ in 0..2 {
        assert_eq!(receiver.recv_timeout(Duration::from_secs(5)).unwrap(), Exit::Event);
    }
    cpus.join().unwrap();
}

#[test]
fn a_deadline_interrupts_an_endless_loop() {
    let machine = machine(1);
    let (table, _) = program(&machine, &[B_SELF]);
    let (sender, receiver) = mpsc::channel();
    let for_cpu = machine.clone();
    let cpus = machine
        .start(move |cpu| {
            let deadline = for_cpu.clock().monotonic_ns() + 30_000_000;
            cpu.set_deadline(Some(deadline));
            let exit = cpu.run(&mut UserContext::new(CODE, 0), &table);
            sender.send((exit, for_cpu.clock().monotonic_ns() >= deadline)).unwrap();
        })
        .unwrap();
    assert_eq!(receiver.recv_timeout(Duration::from_secs(5)).unwrap(), (Exit::Event, true));
    cpus.join().unwrap();
}

#[test]
fn no_kick_is_lost_between_looking_for_work_and_idling() {
    let machine = machine(2);
    let work = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicU64::new(0));
    let (for_cpus, pending, finished) = (machine.clone(), work.clone(), done.clone());
    const ROUNDS: u64 = 20_000;
    let cpus = machine
        .start(move |cpu| {
            if cpu.id() == 1 {
                // Hands over one piece of work at a time; it must always arrive.
                for round in 1..=ROUNDS {
                    pending.store(round, Ordering::SeqCst);
                    for_cpus.kick(0);
                    while finished.load(Ordering::SeqCst) < round {
                        std::hint::spin_loop();
                    }
                }
                return;
            }
            while finished.load(Ordering::SeqCst) < ROUNDS {
                cpu.take_kick();
                let have = pending.load(Ordering::SeqCst);
                if have > finished.load(Ordering::SeqCst) {
                    finished.store(have, Ordering::SeqCst);
                    continue;
                }
                cpu.idle(None);
            }
        })
        .unwrap();
    cpus.join().unwrap();
    assert_eq!(done.load(Ordering::SeqCst), ROUNDS);
}

#[test]
fn idling_ends_at_its_deadline_and_not_before() {
    let machine = machine(1);
    let (sender, receiver) = mpsc::channel();
    let for_cpu = machine.clone();
    let cpus = machine
        .start(move |cpu| {
            let start = for_cpu.clock().monotonic_ns();
            cpu.idle(Some(start + 40_000_000));
            sender.send(for_cpu.clock().monotonic_ns() - start).unwrap();
            cpu.idle(Some(0));
            for_cpu.kick(0);
            cpu.idle(None);
            sender.send(0).unwrap();
        })
        .unwrap();
    let slept = receiver.recv_timeout(Duration::from_secs(5)).unwrap();
    assert!((40_000_000..2_000_000_000).contains(&slept), "{slept}");
    receiver.recv_timeout(Duration::from_secs(5)).expect("a passed deadline and a pending kick end idling at once");
    cpus.join().unwrap();
}

#[test]
fn an_idle_machine_causes_no_wake_ups() {
    // By name: other tests' machines run in this process too.
    let machine = machine(3);
    let stop = Arc::new(AtomicBool::new(false));
    let names = Arc::new(Mutex::new(Vec::new()));
    let (stopping, named, for_cpus) = (stop.clone(), names.clone(), machine.clone());
    let cpus = machine
        .start(move |cpu| {
            // A deadline that was set and cleared leaves the timer asleep too.
            cpu.set_deadline(Some(for_cpus.clock().monotonic_ns() + 1_000_000));
            cpu.set_deadline(None);
            named.lock().unwrap().push(std::fs::read_to_string("/proc/thread-self/stat").unwrap());
            while !stopping.load(Ordering::SeqCst) {
                cpu.take_kick();
                cpu.idle(None);
            }
        })
        .unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let tids: Vec<String> =
        names.lock().unwrap().iter().map(|stat| stat.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(tids.len(), 3);
    let count = || -> Vec<u64> {
        let read = |tid: &String| {
            let status = std::fs::read_to_string(format!("/proc/self/task/{tid}/status")).unwrap();
            let of = |name: &str| {
                status.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok()).unwrap()
            };
            of("voluntary_ctxt_switches:") + of("nonvoluntary_ctxt_switches:")
        };
        tids.iter().map(read).collect()
    };
    let before = count();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(count(), before, "no CPU woke up");
    stop.store(true, Ordering::SeqCst);
    (0..3).for_each(|cpu| machine.kick(cpu));
    cpus.join().unwrap();
}

#[test]
fn a_panic_on_one_cpu_is_told_although_others_sleep() {
    let machine = machine(2);
    let cpus = machine.start(|cpu| if cpu.id() == 1 { panic!("on purpose") } else { cpu.idle(None) }).unwrap();
    let payload = cpus.join().expect_err("the panic");
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"on purpose"));
    machine.kick(0);
}

#[test]
fn memory_is_a_hard_limit() {
    let machine = HostedMachine::new(Config::new((2 << 20) + 5, 1)).unwrap();
    let frames = machine.frames();
    assert_eq!(frames.total(), 512);
    let all: Vec<Frame> = (0..512).map(|_| frames.alloc().unwrap()).collect();
    assert!(frames.alloc().is_err());
    frames.write(all[7], 0, b"stale");
    frames.free(all[7]);
    let again = frames.alloc().unwrap();
    let mut buf = [1; 5];
    frames.read(again, 0, &mut buf);
    assert_eq!(buf, [0; 5], "a frame comes back zeroed");
}

#[test]
fn host_memory_goes_back_after_a_peak() {
    fn used_kib() -> u64 {
        let status = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
        let line = status.lines().find(|line| line.starts_with("Anonymous:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
    let machine = HostedMachine::new(Config::new(512 << 20, 1)).unwrap();
    let frames = machine.frames();
    let before = used_kib();
    let all: Vec<Frame> = (0..50_000).map(|_| frames.alloc().unwrap()).collect();
    all.iter().for_each(|frame| frames.write(*frame, 100, b"used"));
    let peak = used_kib();
    assert!(peak > before + 190_000, "{before} to {peak} KiB at the peak");
    all.iter().for_each(|frame| frames.free(*frame));
    let after = used_kib();
    assert!(after < before + 40_000, "{before} to {after} KiB afterwards");
    assert_eq!(frames.free_count(), frames.total());
}

#[test]
fn senseless_configurations_are_refused() {
    for (memory, cpus) in [(64 << 20, 0), (0, 1), (4095, 1)] {
        let refused = HostedMachine::new(Config::new(memory, cpus));
        assert!(matches!(refused, Err(Error::Config { .. })), "{memory} {cpus}");
    }
    let refused = HostedMachine::new(Config::new(1 << 62, 1));
    assert!(matches!(refused, Err(Error::Memory { .. })));
}

#[test]
fn address_spaces_may_outlive_the_machine() {
    let machine = machine(1);
    let (table, frame) = program(&machine, &[SVC_0]);
    drop(machine);
    assert_eq!(table.translate(CODE).map(|mapping| mapping.frame), Some(frame));
}

#[test]
fn nothing_is_ever_mapped_executable_for_the_guest() {
    let machine = machine(1);
    let (table, _) = program(&machine, &[MOVZ_X0_42, SVC_0]);
    let cpus =
        machine.start(move |cpu| assert_eq!(cpu.run(&mut UserContext::new(CODE, 0), &table), Exit::Syscall)).unwrap();
    cpus.join().unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let executable = maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|prot| prot.contains('x')));
    for line in executable {
        let path = line.split_whitespace().nth(5).unwrap_or("");
        assert!(path.starts_with('/') || path.starts_with("[v"), "anonymous and executable: {line}");
    }
}
