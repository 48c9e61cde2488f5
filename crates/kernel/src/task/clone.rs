//! `clone` and `clone3`: new threads and processes.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use linux_abi::sched::{CLONE_ARGS_SIZE_VER0, CSIGNAL, CloneArgs, CloneFlags};
use linux_abi::{Errno, Wire};
use machine::sync::Mutex;
use machine::{GuestAddr, UserContext};

use crate::Kernel;
use crate::error::{Because, Result};
use crate::signal::{Action, Number, Pending};
use crate::syscall::{Cx, Outcome};
use crate::task::task::{Parts, ThreadSignals};
use crate::task::tree::{Node, Nodes, Times};
use crate::task::{Process, Task};

/// What both calls come down to.
struct Request {
    flags: CloneFlags,
    exit_signal: u32,
    /// The child's stack pointer, or 0 for the parent's.
    stack: u64,
    parent_tid: GuestAddr,
    child_tid: GuestAddr,
    tls: u64,
    pidfd: GuestAddr,
}

/// `clone`, with arm64's order of arguments.
pub(super) fn clone(
    cx: &mut Cx<'_>,
    flags: u64,
    stack: u64,
    parent_tid: GuestAddr,
    tls: u64,
    child_tid: GuestAddr,
) -> Result<Outcome> {
    let request = Request {
        flags: CloneFlags::from_bits_retain(flags & 0xffff_ffff & !CSIGNAL),
        exit_signal: u32::try_from(flags & CSIGNAL).unwrap_or(0),
        stack,
        parent_tid,
        child_tid,
        tls,
        // The old call stores the pidfd where clone3 has a field of its own.
        pidfd: parent_tid,
    };
    if request.flags.contains(CloneFlags::CLONE_PIDFD | CloneFlags::CLONE_PARENT_SETTID) {
        return Err(Errno::EINVAL.because("the pidfd and the tid want the same place"));
    }
    start(cx, &request)
}

/// `clone3`.
pub(super) fn clone3(cx: &mut Cx<'_>, args: GuestAddr, size: usize) -> Result<Outcome> {
    if size < CLONE_ARGS_SIZE_VER0 {
        return Err(Errno::EINVAL.because("the structure is too short"));
    }
    if size > 4096 {
        return Err(Errno::E2BIG.because("the structure is longer than a page"));
    }
    let mut bytes = alloc::vec![0; size.max(CloneArgs::SIZE)];
    cx.task.mm().read(args, &mut bytes[..size])?;
    if bytes[CloneArgs::SIZE..].iter().any(|&byte| byte != 0) {
        return Err(Errno::E2BIG.because("unknown fields are set"));
    }
    let args = CloneArgs::load(&bytes[..CloneArgs::SIZE]);
    if args.set_tid_size != 0 || args.set_tid != 0 {
        return Err(Errno::EPERM.because("choosing the number needs a privilege that nobody has here"));
    }
    let flags = CloneFlags::from_bits_retain(args.flags);
    if args.flags & (CSIGNAL | CloneFlags::CLONE_DETACHED.bits()) != 0
        || (args.exit_signal != 0 && Number::new(args.exit_signal).is_none())
        || (args.stack == 0) != (args.stack_size == 0)
    {
        return Err(Errno::EINVAL.because("fields that contradict each other"));
    }
    let stack = if args.stack == 0 { 0 } else { args.stack.wrapping_add(args.stack_size) };
    let request = Request {
        flags,
        exit_signal: u32::try_from(args.exit_signal).unwrap_or(0),
        stack,
        parent_tid: GuestAddr(args.parent_tid),
        child_tid: GuestAddr(args.child_tid),
        tls: args.tls,
        pidfd: GuestAddr(args.pidfd),
    };
    start(cx, &request)
}

fn check_flags(flags: CloneFlags, exit_signal: u32) -> Result<()> {
    type F = CloneFlags;
    const NAMESPACES: CloneFlags = F::CLONE_NEWNS
        .union(F::CLONE_NEWCGROUP)
        .union(F::CLONE_NEWUTS)
        .union(F::CLONE_NEWIPC)
        .union(F::CLONE_NEWUSER)
        .union(F::CLONE_NEWPID)
        .union(F::CLONE_NEWNET)
        .union(F::CLONE_NEWTIME);
    if flags.intersects(NAMESPACES | F::CLONE_INTO_CGROUP) || !F::all().contains(flags) {
        return Err(Errno::EINVAL.because("namespaces and cgroups are not supported"));
    }
    let needs = [(F::CLONE_THREAD, F::CLONE_SIGHAND), (F::CLONE_SIGHAND, F::CLONE_VM)];
    if needs.iter().any(|&(flag, needed)| flags.contains(flag) && !flags.contains(needed)) {
        return Err(Errno::EINVAL.because("a flag without the one it needs"));
    }
    if flags.contains(F::CLONE_SIGHAND | F::CLONE_CLEAR_SIGHAND) {
        return Err(Errno::EINVAL.because("shared handlers cannot be cleared"));
    }
    if exit_signal != 0 && (Number::new(u64::from(exit_signal)).is_none()) {
        return Err(Errno::EINVAL.because("no such exit signal"));
    }
    Ok(())
}

fn start(cx: &mut Cx<'_>, request: &Request) -> Result<Outcome> {
    type F = CloneFlags;
    let flags = request.flags;
    check_flags(flags, request.exit_signal)?;
    if cx.task.exiting.load(Ordering::SeqCst) {
        return Err(crate::error::Error::INTERRUPTED_FINAL);
    }
    cx.kernel.machine().complete(cx.regs);
    let parts = child_parts(cx, request)?;
    let child = add_to_tree(cx.kernel, cx.task, request, parts)?;
    let tid = child.tid();
    if flags.contains(F::CLONE_PIDFD) {
        match super::misc::new_pidfd(cx, &child.process, 0) {
            Ok(fd) => cx.task.mm().write_u32(request.pidfd, fd.cast_unsigned())?,
            Err(error) => {
                super::exit::begin_group_exit(
                    cx.kernel,
                    &child,
                    super::ExitStatus::Signal { signal: Number::SIGKILL.get(), core: false },
                );
                child.wake_up();
                return Err(error);
            }
        }
    }
    if flags.contains(F::CLONE_CHILD_CLEARTID) {
        child.clear_child_tid.store(request.child_tid.0, Ordering::SeqCst);
    }
    // As in Linux, a pointer that cannot be written is the program's loss.
    if flags.contains(F::CLONE_PARENT_SETTID) {
        let _ = cx.task.mm().write_u32(request.parent_tid, tid);
    }
    if flags.contains(F::CLONE_CHILD_SETTID) {
        let _ = child.mm().write_u32(request.child_tid, tid);
    }
    if !flags.contains(F::CLONE_VFORK) {
        child.wake_up();
        return Ok(Outcome::Done(Ok(u64::from(tid))));
    }
    child.process.vfork_held.store(true, Ordering::SeqCst);
    child.wake_up();
    let (parent, process) = (cx.task.clone(), child.process.clone());
    Ok(Outcome::wait(async move {
        // Signals wait too: the child runs on this thread's stack.
        process
            .vfork_done
            .wait_until(|| {
                let free = !process.vfork_held.load(Ordering::SeqCst) || parent.exiting.load(Ordering::SeqCst);
                free.then_some(())
            })
            .await;
        Ok(u64::from(tid))
    }))
}

/// What the child starts with, shared or copied as the flags say.
fn child_parts(cx: &Cx<'_>, request: &Request) -> Result<Parts> {
    type F = CloneFlags;
    let (task, flags) = (cx.task, request.flags);
    let mut context: UserContext = cx.regs.clone();
    context.x[0] = 0;
    context.monitor = machine::Monitor::default();
    if request.stack != 0 {
        context.set_sp(request.stack);
    }
    if flags.contains(F::CLONE_SETTLS) {
        context.tpidr = request.tls;
    }
    let mm = if flags.contains(F::CLONE_VM) { task.mm() } else { task.mm().fork()? };
    let files = if flags.contains(F::CLONE_FILES) { task.files() } else { task.files().fork() };
    let fs = if flags.contains(F::CLONE_FS) { task.fs() } else { task.fs().fork() };
    let mut signals = ThreadSignals { pending: Pending::default(), restore: None, ..task.signals.lock().clone() };
    if flags.contains(F::CLONE_VM) && !flags.contains(F::CLONE_VFORK) {
        signals.alt_stack = crate::signal::AltStack::default();
    }
    let comm = *task.comm.lock();
    Ok(Parts { mm, files, fs, creds: task.creds(), context, comm, signals })
}

fn child_process(kernel: &Kernel, parent: &Task, pid: u32, request: &Request) -> Arc<Process> {
    type F = CloneFlags;
    let actions = if request.flags.contains(F::CLONE_SIGHAND) {
        parent.process.actions.lock().clone()
    } else {
        let mut actions = *parent.process.actions.lock().lock();
        if request.flags.contains(F::CLONE_CLEAR_SIGHAND) {
            for action in &mut actions {
                if action.handler != Action::IGNORE {
                    *action = Action::default();
                }
            }
        }
        Arc::new(Mutex::new(actions))
    };
    let process = Process::new(pid, actions, *parent.process.limits.lock(), request.exit_signal, kernel.now_ns());
    *process.exe.lock() = parent.process.exe.lock().clone();
    process.nice.store(parent.process.nice.load(Ordering::Relaxed), Ordering::Relaxed);
    process.dumpable.store(parent.process.dumpable.load(Ordering::Relaxed), Ordering::Relaxed);
    process.no_new_privs.store(parent.process.no_new_privs.load(Ordering::Relaxed), Ordering::Relaxed);
    process
}

fn add_to_tree(kernel: &Arc<Kernel>, parent: &Arc<Task>, request: &Request, parts: Parts) -> Result<Arc<Task>> {
    type F = CloneFlags;
    let mut nodes = kernel.tree().nodes.lock();
    let no_number = || Errno::EAGAIN.because("there are too many threads");
    if nodes.by_tid.len() >= kernel.max_threads() {
        return Err(no_number());
    }
    let tid = nodes.allocate_pid().ok_or_else(no_number)?;
    let parent_pid = parent.process.pid;
    if request.flags.contains(F::CLONE_THREAD) {
        let task = Task::new(kernel, tid, parent.process.clone(), parts);
        let node = nodes.by_pid.get_mut(&parent_pid).ok_or_else(no_number)?;
        // A thread that comes while the process is being ended would be
        // overlooked by the one that ends it.
        if parent.exiting.load(Ordering::SeqCst) {
            return Err(crate::error::Error::INTERRUPTED_FINAL);
        }
        node.threads.insert(tid, task.clone());
        nodes.by_tid.insert(tid, task.clone());
        return Ok(task);
    }
    let process = child_process(kernel, parent, tid, request);
    let task = Task::new(kernel, tid, process, parts);
    let Some(own) = nodes.by_pid.get(&parent_pid) else { return Err(no_number()) };
    let (pgid, sid) = (own.pgid, own.sid);
    let of = if request.flags.contains(F::CLONE_PARENT) { own.parent } else { parent_pid };
    insert_process(&mut nodes, &task, of, pgid, sid);
    Ok(task)
}

/// Enters a process with its first thread.
pub(crate) fn insert_process(nodes: &mut Nodes, task: &Arc<Task>, parent: u32, pgid: u32, sid: u32) {
    let pid = task.process.pid;
    let node = Node {
        process: task.process.clone(),
        threads: [(task.tid(), task.clone())].into(),
        parent,
        children: alloc::collections::BTreeSet::new(),
        pgid,
        sid,
        status: None,
        report: None,
        times: Times::default(),
        child_times: Times::default(),
        is_subreaper: false,
        uid: 0,
    };
    nodes.by_pid.insert(pid, node);
    nodes.by_tid.insert(task.tid(), task.clone());
    if let Some(parent) = nodes.by_pid.get_mut(&parent) {
        parent.children.insert(pid);
    }
}
