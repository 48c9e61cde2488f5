//! The end of threads and processes.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use linux_abi::signal::{CLD_DUMPED, CLD_EXITED, CLD_KILLED, SaFlags};
use machine::GuestAddr;

use crate::Kernel;
use crate::signal::{Action, Info, InfoFields, Number, kill_everyone, send_to_group, send_to_process};
use crate::syscall::{Cx, Outcome};
use crate::task::tree::{Nodes, Times};
use crate::task::{ExitStatus, Process, Task};

/// The clock ticks in which times are told to programs: 100 a second.
pub(crate) const NS_PER_TICK: u64 = 10_000_000;

/// `exit`: ends the calling thread.
pub(super) fn exit(cx: &mut Cx<'_>, code: i32) -> Outcome {
    let last = cx.kernel.tree().threads(cx.task.process.pid).len() <= 1;
    if last {
        set_group_exit(&cx.task.process, code_status(code));
    }
    Outcome::Exit
}

/// `exit_group`: ends all threads of the process.
pub(super) fn exit_group(cx: &mut Cx<'_>, code: i32) -> Outcome {
    begin_group_exit(cx.kernel, cx.task, code_status(code));
    Outcome::Exit
}

fn code_status(code: i32) -> ExitStatus {
    ExitStatus::Code(code.to_le_bytes()[0])
}

fn set_group_exit(process: &Process, status: ExitStatus) {
    process.group_exit.lock().get_or_insert(status);
}

/// Tells every thread of the process to end; the first status counts.
pub(crate) fn begin_group_exit(kernel: &Kernel, task: &Task, status: ExitStatus) {
    set_group_exit(&task.process, status);
    for thread in kernel.tree().threads(task.process.pid) {
        thread.exiting.store(true, Ordering::SeqCst);
        thread.process.resumed.wake_all();
        thread.notice();
    }
}

/// What a process that has ended owes to others, gathered under the tree's lock.
#[derive(Default)]
struct Duties {
    parent: Option<Arc<Process>>,
    /// Groups that nobody can continue any more; they get SIGHUP and SIGCONT.
    orphaned_stopped_groups: Vec<u32>,
    /// Children that asked for a signal at the death of their parent.
    parent_death_signals: Vec<(Arc<Process>, Number)>,
    /// The session whose terminal is to be hung up.
    session: Option<u32>,
    /// What the process used.
    times: Times,
    /// Its real user.
    uid: u32,
    /// Who got a zombie to wait for.
    adopters: Vec<Arc<Process>>,
}

/// Ends the calling thread, and its process if it was the last one.
pub(crate) fn end_thread(kernel: &Arc<Kernel>, task: &Arc<Task>) {
    task.exiting.store(true, Ordering::SeqCst);
    release_memory(kernel, task);
    let empty_files = crate::fs::FileTable::new();
    drop(task.set_files(empty_files));
    let process = task.process.clone();
    task.charge(kernel);
    let last = {
        let mut nodes = kernel.tree().nodes.lock();
        nodes.by_tid.remove(&task.tid());
        nodes.by_pid.get_mut(&process.pid).is_some_and(|node| {
            let before = node.threads.len();
            node.threads.remove(&task.tid());
            node.times.add(task.times());
            before == 1 && node.threads.is_empty()
        })
    };
    // Whoever waits for the other threads to be gone (execve) looks again.
    process.threads_changed.wake_all();
    if last {
        end_process(kernel, task, &process);
    } else {
        // Signals that only this thread could take go to another.
        if !process.signals.lock().pending.set().is_empty() {
            kernel.tree().threads(process.pid).iter().for_each(Task::notice);
        }
    }
}

/// Leaves the address space, as a thread that ends or runs a program does:
/// robust locks, the word that a joiner waits on, and a parent held by vfork.
pub(crate) fn release_memory(kernel: &Arc<Kernel>, task: &Arc<Task>) {
    crate::futex::release_robust_list(kernel, task);
    let word = task.clear_child_tid.swap(0, Ordering::SeqCst);
    let mm = task.mm();
    if word != 0 && mm.write_u32(GuestAddr(word), 0).is_ok() {
        crate::futex::wake_at(kernel, &mm, GuestAddr(word), 1);
    }
    drop(mm);
    drop(task.set_mm(kernel.no_memory().clone()));
    release_vfork(&task.process);
}

/// Lets a parent that waits in `vfork` go on.
pub(crate) fn release_vfork(process: &Process) {
    if process.vfork_held.swap(false, Ordering::SeqCst) {
        process.vfork_done.wake_all();
    }
}

fn end_process(kernel: &Arc<Kernel>, task: &Arc<Task>, process: &Arc<Process>) {
    let status = process.group_exit.lock().unwrap_or(ExitStatus::Code(0));
    process.timers.end(kernel);
    if process.pid == 1 {
        kernel.tree().nodes.lock().init_status = Some(status);
        kill_everyone(kernel, 1);
    }
    let uid = task.creds().uid;
    let duties = bury(&mut kernel.tree().nodes.lock(), process, status, uid);
    for adopter in &duties.adopters {
        adopter.child_events.wake_all();
    }
    if let Some(sid) = duties.session
        && let Some(tty) = kernel.tree().controlling_tty(sid)
    {
        tty.hang_up();
        kernel.tree().set_controlling_tty(sid, None);
    }
    for pgid in &duties.orphaned_stopped_groups {
        send_to_group(kernel, *pgid, Info::kernel(Number::SIGHUP));
        send_to_group(kernel, *pgid, Info::kernel(Number::SIGCONT));
    }
    for (child, signal) in &duties.parent_death_signals {
        send_to_process(kernel, child, Info::kernel(*signal));
    }
    tell_parent(kernel, process, status, &duties);
    process.ended.wake_all();
    finish_if_empty(kernel);
}

/// Once the first process has ended, the kernel stops when the last thread has.
fn finish_if_empty(kernel: &Arc<Kernel>) {
    if kernel.tree().init_status().is_some() && kernel.tree().thread_count() == 0 {
        kernel.shut_down();
    }
}

/// Makes a zombie of a process and hands its children over.
fn bury(nodes: &mut Nodes, process: &Arc<Process>, status: ExitStatus, uid: u32) -> Duties {
    let pid = process.pid;
    let mut duties = Duties { uid, times: nodes.times_of(pid), ..Duties::default() };
    let reaper = nodes.reaper_of(pid);
    let Some(node) = nodes.by_pid.get_mut(&pid) else { return duties };
    node.status = Some(status);
    node.uid = uid;
    let (parent, own_pgid, sid) = (node.parent, node.pgid, node.sid);
    let children = core::mem::take(&mut node.children);
    if sid == pid {
        duties.session = Some(sid);
    }
    duties.parent = nodes.by_pid.get(&parent).map(|node| node.process.clone());
    // Groups that had a connection to the rest of the session through this
    // process; one that was orphaned before is left alone.
    let mut groups: Vec<u32> = Vec::new();
    if nodes.by_pid.get(&parent).is_some_and(|parent| parent.pgid != own_pgid && parent.sid == sid) {
        groups.push(own_pgid);
    }
    for child in children {
        let Some(node) = nodes.by_pid.get_mut(&child) else { continue };
        node.parent = reaper;
        // What the parent asked for is nothing to whoever adopts the child.
        node.process.exit_signal.store(u32::from(Number::SIGCHLD.get()), Ordering::SeqCst);
        if node.pgid != own_pgid && node.sid == sid {
            groups.push(node.pgid);
        }
        for thread in node.threads.values() {
            let signal = thread.parent_death_signal.load(Ordering::SeqCst);
            if let Some(signal) = Number::new(u64::from(signal)) {
                duties.parent_death_signals.push((node.process.clone(), signal));
            }
        }
        let zombie = node.status.is_some();
        if let Some(adopter) = nodes.by_pid.get_mut(&reaper).filter(|adopter| adopter.status.is_none()) {
            adopter.children.insert(child);
            if zombie {
                duties.adopters.push(adopter.process.clone());
            }
        } else if zombie {
            nodes.by_pid.remove(&child);
        }
    }
    groups.sort_unstable();
    groups.dedup();
    for pgid in groups {
        let has_stopped = nodes
            .by_pid
            .values()
            .any(|node| node.pgid == pgid && node.status.is_none() && node.process.signals.lock().stopped);
        if has_stopped && nodes.is_orphaned(pgid) {
            duties.orphaned_stopped_groups.push(pgid);
        }
    }
    duties
}

/// Tells the parent, or forgets the process at once if the parent does not
/// want to wait for it.
fn tell_parent(kernel: &Arc<Kernel>, process: &Arc<Process>, status: ExitStatus, duties: &Duties) {
    let Some(parent) = &duties.parent else {
        forget(kernel, process.pid);
        return;
    };
    let signal = Number::new(u64::from(process.exit_signal.load(Ordering::SeqCst)));
    let action = parent.action(Number::SIGCHLD);
    let no_wait = SaFlags::from_bits_retain(action.flags).contains(SaFlags::SA_NOCLDWAIT);
    if signal == Some(Number::SIGCHLD) && (action.handler == Action::IGNORE || no_wait) {
        forget(kernel, process.pid);
    }
    if let Some(signal) = signal {
        let (code, value) = child_code(status);
        let fields = InfoFields::Child {
            pid: process.pid,
            uid: duties.uid,
            status: value,
            utime: duties.times.user_ns / NS_PER_TICK,
            stime: duties.times.system_ns / NS_PER_TICK,
        };
        send_to_process(kernel, parent, Info { signal, errno: 0, code, fields });
    }
    parent.child_events.wake_all();
}

/// `si_code` and `si_status` of a child that has ended.
pub(super) fn child_code(status: ExitStatus) -> (i32, i32) {
    match status {
        ExitStatus::Code(code) => (CLD_EXITED, i32::from(code)),
        ExitStatus::Signal { signal, core: true } => (CLD_DUMPED, i32::from(signal)),
        ExitStatus::Signal { signal, core: false } => (CLD_KILLED, i32::from(signal)),
    }
}

/// Removes a zombie from the tree.
fn forget(kernel: &Kernel, pid: u32) {
    let removed = {
        let mut nodes = kernel.tree().nodes.lock();
        let removed = nodes.by_pid.remove(&pid);
        if let Some(node) = &removed
            && let Some(parent) = nodes.by_pid.get_mut(&node.parent)
        {
            parent.children.remove(&pid);
        }
        removed
    };
    drop(removed);
}
