//! Several CPUs, and interruption from other threads.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::{CODE, DATA, Guest, Still};
use engine::{Cpu, CpuFeatures};
use machine::{Access, Exit, PageTable, Prot, UserContext};

const SVC: u32 = 0xd400_0001;

#[test]
fn kick_ends_an_endless_loop() {
    // b .; cbz xzr, .
    for word in [0x1400_0000, 0xb400_001f] {
        let mut guest = Guest::new();
        guest.code(CODE, &[word]);
        let kick = guest.cpu.kick_handle();
        let kicker = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            kick.kick();
        });
        assert_eq!(guest.run(), Exit::Event);
        assert_eq!(guest.context.pc, CODE);
        kicker.join().unwrap();
    }
}

#[test]
fn kick_before_the_run_counts_until_it_is_taken() {
    let mut guest = Guest::new();
    guest.code(CODE, &[SVC]);
    guest.cpu.kick_handle().kick();
    assert_eq!(guest.run(), Exit::Event);
    assert_eq!(guest.context.pc, CODE);
    assert_eq!(guest.run(), Exit::Event);
    guest.cpu.take_kick();
    assert_eq!(guest.run(), Exit::Syscall);
}

/// Runs `words` on two CPUs at once, each with `x1` at [`DATA`], `x2` at a
/// table of successors, and `x7` at a list of `n` ones and a zero.
fn race(words: &[u32], n: usize) -> Guest {
    let guest = Guest::new();
    guest.code(CODE, words);
    let (list, table) = (0x100_0000, 0x200_0000);
    for page in 0..(n as u64 * 8).div_ceil(4096) + 1 {
        guest.map(list + page * 4096, Prot::READ);
    }
    for i in 0..n as u64 {
        guest.words(list + i * 8, &[1]);
    }
    for page in 0..4 {
        guest.map(table + page * 4096, Prot::READ);
    }
    thread::scope(|scope| {
        for _ in 0..2 {
            let mut cpu = Cpu::new(&guest.arena, Arc::new(Still), CpuFeatures::all());
            let space = &guest.space;
            scope.spawn(move || {
                let mut context = UserContext::new(CODE, 0);
                context.x[1] = DATA;
                context.x[6] = 1;
                context.x[7] = list;
                assert_eq!(cpu.run(&mut context, space), Exit::Syscall);
            });
        }
    });
    guest
}

#[test]
fn atomic_additions_of_two_cpus_all_count() {
    // ldadd x6, xzr, [x1]; ldr x0, [x7], #8; cbnz x0, -8; svc
    let guest = race(&[0xf826_003f, 0xf840_84e0, 0xb5ff_ffc0, SVC], 20_000);
    assert_eq!(guest.word(DATA), 40_002);
}

#[test]
fn exclusive_increments_of_two_cpus_all_count() {
    // ldxr x0, [x1]; add x5, x0, x6; stxr w3, x5, [x1]; cbnz w3, -12;
    // ldr x0, [x7], #8; cbnz x0, -20; svc
    let words = [0xc85f_7c20, 0x8b06_0005, 0xc803_7c25, 0x35ff_ffa3, 0xf840_84e0, 0xb5ff_ff60, SVC];
    let guest = race(&words, 20_000);
    assert_eq!(guest.word(DATA), 40_002);
}

#[test]
fn unmap_is_seen_by_a_running_cpu_before_flush_returns() {
    let mut guest = Guest::new();
    guest.code(CODE, &[0xb900_0022, 0x17ff_ffff]); // str w2, [x1]; b -4
    guest.context.x[1] = DATA;
    guest.context.x[2] = 1;
    let space = Arc::clone(&guest.space);
    let arena = Arc::clone(&guest.arena);
    let stopped = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(20));
            let mut frame = None;
            let token = space.unmap(DATA..DATA + 4096, &mut |_, mapping| frame = Some(mapping.frame));
            space.flush(token);
            let frame = frame.unwrap();
            // From here on nobody writes there.
            machine::FramePool::write(&*arena, frame, 0, &[0; 4]);
            thread::sleep(Duration::from_millis(5));
            let mut bytes = [9; 4];
            machine::FramePool::read(&*arena, frame, 0, &mut bytes);
            assert_eq!(bytes, [0; 4]);
            stopped.store(true, Ordering::SeqCst);
        });
        assert_eq!(guest.cpu.run(&mut guest.context, &guest.space), Exit::Fault { addr: DATA, access: Access::Write });
    });
    assert!(stopped.load(Ordering::SeqCst));
}

#[test]
fn code_patched_by_another_thread_is_run_soon() {
    let mut guest = Guest::new();
    guest.code(CODE, &[0x1400_0000]); // b .
    let arena = Arc::clone(&guest.arena);
    let frame = guest.space.translate(CODE).unwrap().frame;
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(20));
            machine::FramePool::write(&*arena, frame, 0, &SVC.to_le_bytes());
        });
        assert_eq!(guest.cpu.run(&mut guest.context, &guest.space), Exit::Syscall);
    });
}
