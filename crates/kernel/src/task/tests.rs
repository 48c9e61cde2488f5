//! Tasks, signals and futexes, run by a CPU that plays scripts instead of
//! instructions: step `n` of the script is the "instruction" at address 4n.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::nr;
use linux_abi::sched::CloneFlags;
use machine::sync::Mutex;
use machine::{Cpu, Exit, PageTable, Prot, UserContext};

use crate::Kernel;
use crate::fs::{FileTable, FsContext};
use crate::mm::{MapRequest, Mm, Placement};
use crate::task::boot::first_task;
use crate::task::{Creds, ExitStatus};
use crate::testing::{FakeMachine, kernel_on};

/// What one step does: it may change registers, and says why it stopped.
type Step = fn(&mut UserContext) -> Exit;

/// Where the scripts may keep data.
const DATA: u64 = 0x10_0000;
/// Where handlers' frames go.
const STACK: u64 = 0x20_0000;
/// A script that jumps here calls `exit_group(X20)`.
const EXIT: usize = 900;

struct ScriptCpu {
    script: Vec<Step>,
    machine: Arc<FakeMachine>,
    /// Each result that a call left in X0, with the address after the call.
    results: Arc<Mutex<Vec<(u64, i64)>>>,
}

impl Cpu for ScriptCpu {
    fn id(&self) -> usize {
        0
    }

    fn run(&mut self, context: &mut UserContext, _: &Arc<dyn PageTable>) -> Exit {
        let index = usize::try_from(context.pc / 4).unwrap();
        self.results.lock().push((context.pc, context.x[0].cast_signed()));
        if index == EXIT {
            context.x[0] = context.x[20];
            return syscall(context, nr::EXIT_GROUP);
        }
        let step = self.script.get(index).unwrap_or_else(|| panic!("no step {index}"));
        step(context)
    }

    fn take_kick(&mut self) {}

    fn idle(&mut self, deadline_ns: Option<u64>) {
        let deadline = deadline_ns.expect("everybody waits and no timer is armed: a wake-up was lost");
        let now = machine::Machine::clock(&*self.machine).monotonic_ns();
        self.machine.advance(deadline.saturating_sub(now));
    }

    fn set_deadline(&mut self, _: Option<u64>) {}
}

fn syscall(context: &mut UserContext, number: u32) -> Exit {
    context.x[8] = u64::from(number);
    context.pc += 4;
    Exit::Syscall
}

fn call(context: &mut UserContext, number: u32, args: &[u64]) -> Exit {
    context.x[..args.len()].copy_from_slice(args);
    syscall(context, number)
}

fn goto(context: &mut UserContext, step: usize) -> Exit {
    context.pc = step as u64 * 4;
    Exit::Event
}

/// Jumps to the end with `code`.
fn finish(context: &mut UserContext, code: u64) -> Exit {
    context.x[20] = code;
    goto(context, EXIT)
}

struct Played {
    status: Option<ExitStatus>,
    results: Vec<(u64, i64)>,
    kernel: Arc<Kernel>,
}

impl Played {
    /// What the call of step `n` returned, each time.
    fn returned(&self, step: u64) -> Vec<i64> {
        self.results.iter().filter(|(pc, _)| *pc == (step + 1) * 4).map(|(_, x0)| *x0).collect()
    }
}

fn play(script: &[Step]) -> Played {
    play_with(&[], script)
}

/// As [`play`], with these words in memory.
fn play_with(words: &[(u64, u64)], script: &[Step]) -> Played {
    let machine = FakeMachine::new(4096);
    let kernel = kernel_on(&machine);
    let fs = FsContext::new(kernel.vfs().root());
    let task = first_task(&kernel, Creds::new(0, 0), fs, FileTable::new());
    let mm = Mm::new(&kernel).unwrap();
    let request = MapRequest {
        placement: Placement::Fixed(DATA),
        ..MapRequest::anonymous(STACK - DATA, Prot::READ | Prot::WRITE)
    };
    mm.map(&request).unwrap();
    for &(addr, value) in words {
        mm.write_u64(machine::GuestAddr(addr), value).unwrap();
    }
    task.set_mm(mm);
    **task.body.lock() = crate::task::task::Body::new(UserContext::new(0, STACK));
    task.wake_up();
    drop(task);
    let results = Arc::new(Mutex::new(Vec::new()));
    let mut cpu = ScriptCpu { script: script.to_vec(), machine, results: results.clone() };
    kernel.cpu_main(&mut cpu);
    let results = core::mem::take(&mut *results.lock());
    Played { status: kernel.init_status(), results, kernel }
}

const SIGCHLD: u64 = 17;

#[test]
fn exit_group_ends_the_machine_with_its_code() {
    let played = play(&[|c| finish(c, 42)]);
    assert_eq!(played.status, Some(ExitStatus::Code(42)));
    assert!(played.kernel.tree().pids().is_empty(), "nobody is left");
}

#[test]
fn a_parent_waits_for_its_child_and_learns_its_code() {
    let played = play(&[
        |c| call(c, nr::CLONE, &[SIGCHLD, 0, 0, 0, 0]),
        |c| if c.x[0] == 0 { finish(c, 7) } else { call(c, nr::WAIT4, &[u64::MAX, DATA, 0, 0]) },
        // A second wait finds no child.
        |c| call(c, nr::WAIT4, &[u64::MAX, 0, 0, 0]),
        |c| finish(c, 0),
    ]);
    assert_eq!(played.status, Some(ExitStatus::Code(0)));
    let child = played.returned(0).into_iter().max().unwrap();
    assert_eq!(played.returned(1), [child]);
    assert_eq!(played.returned(2), [-10], "ECHILD");
}

#[test]
fn a_killed_child_is_reported_with_its_signal() {
    let played = play(&[
        |c| call(c, nr::CLONE, &[SIGCHLD, 0, 0, 0, 0]),
        |c| {
            if c.x[0] == 0 {
                // The child waits for ever.
                return call(c, nr::RT_SIGSUSPEND, &[DATA, 8]);
            }
            c.x[21] = c.x[0];
            call(c, nr::KILL, &[c.x[0], 9])
        },
        |c| call(c, nr::WAIT4, &[c.x[21], DATA + 8, 0, 0]),
        // The status word is read back through the kernel: a futex wait on a
        // word that differs fails at once.
        |c| call(c, nr::FUTEX, &[DATA + 8, 0, 9, DATA + 16, 0, 0]),
        |c| finish(c, 0),
    ]);
    assert_eq!(played.returned(3), [-110], "the status word is 9: the wait ran into its time limit of 0");
}

#[test]
fn an_undefined_instruction_kills_with_sigill() {
    let played = play(&[|_| Exit::Undefined { word: 0 }]);
    assert_eq!(played.status, Some(ExitStatus::Signal { signal: 4, core: true }));
}

#[test]
fn a_wild_address_kills_with_sigsegv() {
    let played = play(&[|_| Exit::Fault { addr: 0xdead_0000, access: machine::Access::Read }]);
    assert_eq!(played.status, Some(ExitStatus::Signal { signal: 11, core: true }));
}

#[test]
fn a_handler_runs_on_the_stack_and_returns_to_the_interrupted_place() {
    fn handler(c: &mut UserContext) -> Exit {
        assert_eq!(c.x[0], 10, "the signal's number");
        assert!(c.sp() < STACK && c.sp() >= DATA, "the frame is on the stack");
        c.x[8] = u64::from(nr::RT_SIGRETURN);
        c.pc += 4;
        Exit::Syscall
    }
    // The action: handler at step 3, no flags, no restorer, empty mask.
    let words = [(DATA + 64, 3 * 4)];
    let played = play_with(
        &words,
        &[
            |c| {
                c.x[19] = 0x1234;
                call(c, nr::RT_SIGACTION, &[10, DATA + 64, 0, 8])
            },
            |c| call(c, nr::KILL, &[1, 10]),
            |c| {
                assert_eq!((c.x[19], c.sp()), (0x1234, STACK), "registers survive the handler");
                finish(c, c.x[0])
            },
            handler,
        ],
    );
    assert_eq!(played.status, Some(ExitStatus::Code(0)), "kill gave 0, also after the handler");
}

#[test]
fn a_signal_interrupts_a_wait_and_sa_restart_runs_it_again() {
    const SA_RESTART: u64 = 0x1000_0000;
    for (flags, expected) in [(0, -4), (SA_RESTART, -110)] {
        let words = [(DATA + 64, 7 * 4), (DATA + 72, flags), (DATA + 104, 0)];
        let played = play_with(
            &words,
            &[
                |c| call(c, nr::RT_SIGACTION, &[10, DATA + 64, 0, 8]),
                |c| call(c, nr::CLONE, &[SIGCHLD, 0, 0, 0, 0]),
                |c| if c.x[0] == 0 { call(c, nr::KILL, &[1, 10]) } else { goto(c, 4) },
                // The child lets process 1 notice before it ends.
                |c| if c.x[21] == 3 { finish(c, 0) } else { goto(c, 8) },
                |c| call(c, nr::WAIT4, &[u64::MAX, 0, 0, 0]),
                |c| call(c, nr::WAIT4, &[u64::MAX, 0, 0, 0]),
                |c| finish(c, 0),
                |c| {
                    c.x[8] = u64::from(nr::RT_SIGRETURN);
                    c.pc += 4;
                    Exit::Syscall
                },
                |c| {
                    c.x[21] += 1;
                    call(c, nr::SCHED_YIELD, &[])
                },
                |c| goto(c, 3),
            ],
        );
        let first = played.returned(4);
        if flags == 0 {
            assert_eq!(first.last(), Some(&expected), "EINTR");
        } else {
            assert_eq!(first.last(), Some(&2), "restarted, it gave the child");
        }
    }
}

#[test]
fn a_thread_that_ends_clears_its_word_and_wakes_its_joiner() {
    let flags = CloneFlags::CLONE_VM
        | CloneFlags::CLONE_FS
        | CloneFlags::CLONE_FILES
        | CloneFlags::CLONE_SIGHAND
        | CloneFlags::CLONE_THREAD
        | CloneFlags::CLONE_CHILD_SETTID
        | CloneFlags::CLONE_CHILD_CLEARTID;
    assert_eq!(flags.bits(), 0x0121_0f00);
    let played = play(&[
        |c| call(c, nr::CLONE, &[0x0121_0f00, DATA + 4096, 0, 0, DATA]),
        |c| {
            if c.x[0] == 0 {
                return call(c, nr::EXIT, &[0]);
            }
            // The word holds the thread's number until it ends.
            call(c, nr::FUTEX, &[DATA, 0, c.x[0], 0, 0, 0])
        },
        // Now it is 0: waiting for another value fails at once.
        |c| call(c, nr::FUTEX, &[DATA, 0, 5, 0, 0, 0]),
        |c| finish(c, 3),
    ]);
    assert_eq!(played.returned(1), [0], "woken");
    assert_eq!(played.returned(2), [-11], "EAGAIN");
    assert_eq!(played.status, Some(ExitStatus::Code(3)));
}

#[test]
fn a_futex_wait_ends_at_its_deadline() {
    let played = play(&[
        // A timeout of zero seconds: the memory is zero.
        |c| call(c, nr::FUTEX, &[DATA, 0, 0, DATA + 16, 0, 0]),
        |c| finish(c, 0),
    ]);
    assert_eq!(played.returned(0), [-110], "ETIMEDOUT");
}

#[test]
fn an_orphan_gets_process_one_as_its_parent() {
    let played = play(&[
        |c| call(c, nr::CLONE, &[SIGCHLD, 0, 0, 0, 0]),
        |c| {
            if c.x[0] != 0 {
                return goto(c, 5);
            }
            call(c, nr::CLONE, &[SIGCHLD, 0, 0, 0, 0])
        },
        |c| if c.x[0] != 0 { finish(c, 0) } else { call(c, nr::SCHED_YIELD, &[]) },
        |c| call(c, nr::GETPPID, &[]),
        |c| finish(c, c.x[0]),
        // Process 1 waits for both.
        |c| call(c, nr::WAIT4, &[u64::MAX, DATA, 0, 0]),
        |c| call(c, nr::WAIT4, &[u64::MAX, DATA, 0, 0]),
        |c| finish(c, 0),
    ]);
    assert_eq!(played.returned(3), [1]);
    assert_eq!(played.returned(5).len() + played.returned(6).len(), 2);
}

#[test]
fn a_stopped_member_of_a_group_that_was_orphaned_before_hangs_nobody_up() {
    let played = play(&[
        |c| call(c, nr::CLONE, &[SIGCHLD, 0, 0, 0, 0]),
        // The first child stops; WUNTRACED tells when.
        |c| if c.x[0] == 0 { goto(c, 5) } else { call(c, nr::WAIT4, &[u64::MAX, DATA, 2, 0]) },
        |c| call(c, nr::CLONE, &[SIGCHLD, 0, 0, 0, 0]),
        // The second one ends, which is no news for the group of process 1.
        |c| if c.x[0] == 0 { finish(c, 0) } else { call(c, nr::WAIT4, &[u64::MAX, DATA, 0, 0]) },
        |c| finish(c, 0),
        |c| call(c, nr::GETPID, &[]),
        |c| call(c, nr::KILL, &[c.x[0], 19]),
        |c| finish(c, 0),
    ]);
    assert_eq!(played.returned(3).len(), 1);
}

#[test]
fn vfork_holds_the_parent_until_the_child_ends() {
    let played = play(&[
        |c| call(c, nr::CLONE, &[0x4000 | 0x100 | SIGCHLD, 0, 0, 0, 0]),
        |c| if c.x[0] == 0 { call(c, nr::SCHED_YIELD, &[]) } else { goto(c, 4) },
        |c| call(c, nr::GETPID, &[]),
        |c| finish(c, 0),
        |c| call(c, nr::GETPPID, &[]),
        |c| finish(c, 0),
    ]);
    let child_ran = played.results.iter().position(|(pc, _)| *pc == 3 * 4).unwrap();
    let parent_ran = played.results.iter().position(|(pc, _)| *pc == 5 * 4).unwrap();
    assert!(child_ran < parent_ran, "the parent ran while the child held it");
}

#[test]
fn setpgid_and_setsid_follow_the_rules() {
    let played = play(&[
        |c| call(c, nr::SETSID, &[]),
        |c| call(c, nr::CLONE, &[SIGCHLD, 0, 0, 0, 0]),
        |c| if c.x[0] == 0 { call(c, nr::SETSID, &[]) } else { goto(c, 5) },
        |c| call(c, nr::SETPGID, &[0, 0]),
        |c| finish(c, 0),
        |c| call(c, nr::WAIT4, &[u64::MAX, 0, 0, 0]),
        |c| finish(c, 0),
    ]);
    assert_eq!(played.returned(0), [-1], "process 1 leads its group already");
    let child = played.returned(1).into_iter().max().unwrap();
    assert_eq!(played.returned(2), [child]);
    assert_eq!(played.returned(3), [-1], "a session leader stays in its group");
}

#[test]
fn a_stopped_child_is_reported_and_goes_on() {
    let played = play(&[
        |c| call(c, nr::CLONE, &[SIGCHLD, 0, 0, 0, 0]),
        |c| {
            if c.x[0] == 0 {
                return goto(c, 6);
            }
            c.x[21] = c.x[0];
            call(c, nr::WAIT4, &[c.x[21], DATA, 2, 0])
        },
        |c| call(c, nr::KILL, &[c.x[21], 18]),
        |c| call(c, nr::WAIT4, &[c.x[21], DATA, 0, 0]),
        |c| finish(c, 0),
        |c| finish(c, 99),
        |c| call(c, nr::KILL, &[c.x[22] + 2, 19]),
        |c| finish(c, 5),
    ]);
    let child = played.returned(0).into_iter().max().unwrap();
    assert_eq!(child, 2, "the script names the child by its number");
    assert_eq!(played.returned(1), [child], "told of the stop");
    assert_eq!(played.returned(3), [child], "told of the end");
}

#[test]
fn unknown_calls_are_enosys() {
    let played = play(&[|c| call(c, 511, &[]), |c| call(c, u32::MAX, &[]), |c| finish(c, 0)]);
    assert_eq!((played.returned(0), played.returned(1)), (alloc::vec![-38], alloc::vec![-38]));
}

#[test]
fn bad_pointers_are_efault_in_every_call_that_takes_one() {
    // Arguments that point nowhere, for every call of this subsystem: what
    // matters is that an errno comes back and nothing panics.
    for row in crate::syscall::GROUPS.iter().flat_map(|group| group.iter()) {
        let ends = [nr::EXIT, nr::EXIT_GROUP, nr::RT_SIGRETURN, nr::RT_SIGSUSPEND, nr::REBOOT];
        if ends.contains(&u32::from(row.number)) {
            continue;
        }
        for bad in [0x7000_0000_0001_u64, u64::MAX - 7, 1] {
            let played = play_one(u32::from(row.number), bad);
            assert!(played.status.is_some(), "{} with {bad:#x} did not come back", row.name);
        }
    }
}

fn play_one(number: u32, argument: u64) -> Played {
    let machine = FakeMachine::new(512);
    let kernel = kernel_on(&machine);
    let task = first_task(&kernel, Creds::new(0, 0), FsContext::new(kernel.vfs().root()), FileTable::new());
    task.set_mm(Mm::new(&kernel).unwrap());
    let mut context = UserContext::new(0, STACK);
    context.x[9] = u64::from(number);
    context.x[10] = argument;
    **task.body.lock() = crate::task::task::Body::new(context);
    task.wake_up();
    drop(task);
    let results = Arc::new(Mutex::new(Vec::new()));
    let script: Vec<Step> =
        alloc::vec![|c| call(c, u32::try_from(c.x[9]).unwrap(), &[c.x[10]; 6]), |c| finish(c, 0), |c| finish(c, 0),];
    kernel.cpu_main(&mut ScriptCpu { script, machine, results: results.clone() });
    let results = core::mem::take(&mut *results.lock());
    Played { status: kernel.init_status(), results, kernel }
}
