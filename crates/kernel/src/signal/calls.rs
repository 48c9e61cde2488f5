//! The system calls about signals.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::signal::{
    MINSIGSTKSZ, SIG_BLOCK, SIG_SETMASK, SIG_UNBLOCK, SS_AUTODISARM, SS_DISABLE, SS_ONSTACK, SaFlags, SigAction,
    SigInfo, SigSet, StackT,
};
use linux_abi::{Errno, Wire};
use machine::GuestAddr;

use crate::error::{Because, Error, Result};
use crate::signal::{
    Action, AltStack, Info, InfoFields, Number, Set, frame, may_signal, send_to_process, send_to_task,
};
use crate::syscall::{Cx, Outcome, Row};
use crate::task::{Process, Task};

pub(crate) const ROWS: &[Row] = crate::syscalls! {
    129 kill(pid: i32, sig: u32) Full, kill;
    130 tkill(tid: i32, sig: u32) Full, tkill;
    131 tgkill(tgid: i32, tid: i32, sig: u32) Full, tgkill;
    132 sigaltstack(ss: GuestAddr, old_ss: GuestAddr) Full, sigaltstack;
    133 rt_sigsuspend(mask: GuestAddr, sigsetsize: usize) Full, rt_sigsuspend;
    134 rt_sigaction(sig: u32, act: GuestAddr, oldact: GuestAddr, sigsetsize: usize) Full, rt_sigaction;
    135 rt_sigprocmask(how: u32, set: GuestAddr, oldset: GuestAddr, sigsetsize: usize) Full, rt_sigprocmask;
    136 rt_sigpending(set: GuestAddr, sigsetsize: usize) Full, rt_sigpending;
    137 rt_sigtimedwait(set: GuestAddr, info: GuestAddr, timeout: GuestAddr, sigsetsize: usize) Full, rt_sigtimedwait;
    138 rt_sigqueueinfo(pid: i32, sig: u32, info: GuestAddr) Full, rt_sigqueueinfo;
    139 rt_sigreturn() Full, rt_sigreturn;
    240 rt_tgsigqueueinfo(tgid: i32, tid: i32, sig: u32, info: GuestAddr) Full, rt_tgsigqueueinfo;
};

fn check_set_size(size: usize) -> Result<()> {
    if size == SigSet::SIZE { Ok(()) } else { Err(Errno::EINVAL.because("a signal set has 8 bytes")) }
}

/// A signal's number; `None` for 0, which only asks whether one could be sent.
fn signal_arg(sig: u32) -> Result<Option<Number>> {
    match sig {
        0 => Ok(None),
        n => Number::new(u64::from(n)).map(Some).ok_or_else(|| Errno::EINVAL.because("no such signal")),
    }
}

fn own_kill_info(cx: &Cx<'_>, signal: Number, code: i32) -> Info {
    let fields = InfoFields::Kill { pid: cx.task.process.pid, uid: cx.task.creds().uid };
    Info { signal, errno: 0, code, fields }
}

/// Checks that the caller may signal a process.
fn check_permission(cx: &Cx<'_>, process: &Arc<Process>, signal: Option<Number>) -> Result<()> {
    let Some(target) = cx.kernel.tree().threads(process.pid).first().map(|task| task.creds()) else {
        return Ok(());
    };
    if process.pid == cx.task.process.pid || may_signal(&cx.task.creds(), &target) {
        return Ok(());
    }
    if signal == Some(Number::SIGCONT) {
        let sid = |pid| cx.kernel.tree().ids(pid).map(|ids| ids.sid);
        if sid(process.pid) == sid(cx.task.process.pid) {
            return Ok(());
        }
    }
    Err(Errno::EPERM.because("the process belongs to another user"))
}

fn kill(cx: &mut Cx<'_>, pid: i32, sig: u32) -> Result<()> {
    let signal = signal_arg(sig)?;
    let own_pid = cx.task.process.pid;
    let targets: Vec<Arc<Process>> = match pid {
        1.. => {
            let process = cx.kernel.tree().process(pid.unsigned_abs());
            alloc::vec![process.ok_or_else(|| Errno::ESRCH.because("no such process"))?]
        }
        0 => {
            let pgid = cx.kernel.tree().ids(own_pid).map_or(0, |ids| ids.pgid);
            cx.kernel.tree().group(pgid)
        }
        -1 => {
            let others = cx.kernel.tree().pids().into_iter().filter(|&pid| pid != 1 && pid != own_pid);
            others.filter_map(|pid| cx.kernel.tree().process(pid)).collect()
        }
        group => cx.kernel.tree().group(group.unsigned_abs()),
    };
    if targets.is_empty() {
        return Err(Errno::ESRCH.because("no such process group"));
    }
    let mut result = Err(Errno::ESRCH.because("no such process"));
    for process in targets {
        match check_permission(cx, &process, signal) {
            Ok(()) => {
                result = Ok(());
                if let Some(signal) = signal {
                    send_to_process(cx.kernel, &process, own_kill_info(cx, signal, Info::SI_USER));
                }
            }
            Err(error) if result.is_err() => result = Err(error),
            Err(_) => {}
        }
    }
    result
}

/// The thread `tid`, of process `tgid` if that is given.
fn find_thread(cx: &Cx<'_>, tgid: Option<i32>, tid: i32) -> Result<Arc<Task>> {
    if tid <= 0 || tgid.is_some_and(|tgid| tgid <= 0) {
        return Err(Errno::EINVAL.because("thread numbers are positive"));
    }
    let task = cx.kernel.tree().task(tid.unsigned_abs());
    task.filter(|task| tgid.is_none_or(|tgid| task.process.pid == tgid.unsigned_abs()))
        .ok_or_else(|| Errno::ESRCH.because("no such thread"))
}

fn kill_thread(cx: &Cx<'_>, tgid: Option<i32>, tid: i32, sig: u32) -> Result<()> {
    let signal = signal_arg(sig)?;
    let task = find_thread(cx, tgid, tid)?;
    check_permission(cx, &task.process, signal)?;
    if let Some(signal) = signal {
        send_checked(cx, &task, own_kill_info(cx, signal, Info::SI_TKILL))?;
    }
    Ok(())
}

fn send_checked(cx: &Cx<'_>, task: &Arc<Task>, info: Info) -> Result<()> {
    if send_to_task(cx.kernel, task, info) { Ok(()) } else { Err(Errno::EAGAIN.because("too many signals are queued")) }
}

fn tkill(cx: &mut Cx<'_>, tid: i32, sig: u32) -> Result<()> {
    kill_thread(cx, None, tid, sig)
}

fn tgkill(cx: &mut Cx<'_>, tgid: i32, tid: i32, sig: u32) -> Result<()> {
    kill_thread(cx, Some(tgid), tid, sig)
}

/// The information a program wants to send; it may not pretend to be the
/// kernel or `kill`, except towards itself.
fn queue_info(cx: &Cx<'_>, target_pid: u32, sig: u32, addr: GuestAddr) -> Result<Option<Info>> {
    let info: SigInfo = cx.task.mm().read_abi(addr)?;
    let Some(signal) = signal_arg(sig)? else { return Ok(None) };
    if (info.si_code >= 0 || info.si_code == Info::SI_TKILL) && target_pid != cx.task.process.pid {
        return Err(Errno::EPERM.because("only the kernel sends this si_code"));
    }
    let linux_abi::signal::SigFields::Raw(raw) = info.fields else {
        return Err(Errno::EINVAL.because("a siginfo without its union"));
    };
    Ok(Some(Info { signal, errno: info.si_errno, code: info.si_code, fields: InfoFields::Raw(raw) }))
}

fn rt_sigqueueinfo(cx: &mut Cx<'_>, pid: i32, sig: u32, info: GuestAddr) -> Result<()> {
    let pid = u32::try_from(pid).map_err(|_| Errno::ESRCH.because("no such process"))?;
    let info = queue_info(cx, pid, sig, info)?;
    let process = cx.kernel.tree().process(pid).ok_or_else(|| Errno::ESRCH.because("no such process"))?;
    check_permission(cx, &process, info.map(|info| info.signal))?;
    match info {
        Some(info) if !send_to_process(cx.kernel, &process, info) => {
            Err(Errno::EAGAIN.because("too many signals are queued"))
        }
        _ => Ok(()),
    }
}

fn rt_tgsigqueueinfo(cx: &mut Cx<'_>, tgid: i32, tid: i32, sig: u32, info: GuestAddr) -> Result<()> {
    let task = find_thread(cx, Some(tgid), tid)?;
    let info = queue_info(cx, task.process.pid, sig, info)?;
    check_permission(cx, &task.process, info.map(|info| info.signal))?;
    info.map_or(Ok(()), |info| send_checked(cx, &task, info))
}

fn rt_sigaction(cx: &mut Cx<'_>, sig: u32, act: GuestAddr, oldact: GuestAddr, sigsetsize: usize) -> Result<()> {
    check_set_size(sigsetsize)?;
    let signal = Number::new(u64::from(sig)).ok_or_else(|| Errno::EINVAL.because("no such signal"))?;
    let mm = cx.task.mm();
    let new: Option<SigAction> = if act.is_null() { None } else { Some(mm.read_abi(act)?) };
    if new.is_some() && Set::UNBLOCKABLE.contains(signal) {
        return Err(Errno::EINVAL.because("SIGKILL and SIGSTOP cannot be handled"));
    }
    let actions = cx.task.process.actions.lock().clone();
    let old = {
        let mut actions = actions.lock();
        let slot = &mut actions[usize::from(signal.get() - 1)];
        let old = *slot;
        if let Some(new) = new {
            const KNOWN: u64 = 0xdc00_0c07;
            *slot = Action {
                handler: new.sa_handler,
                flags: new.sa_flags & KNOWN & !SaFlags::SA_UNSUPPORTED.bits(),
                restorer: new.sa_restorer,
                mask: Set(new.sa_mask.0).without(Set::UNBLOCKABLE),
            };
        }
        old
    };
    if new.is_some() && cx.task.process.action(signal).ignores(signal) {
        // POSIX: a pending signal that becomes ignored is dropped.
        cx.task.process.signals.lock().pending.discard(Set::of(signal));
        for thread in cx.kernel.tree().threads(cx.task.process.pid) {
            thread.signals.lock().pending.discard(Set::of(signal));
        }
    }
    if !oldact.is_null() {
        mm.write_abi(
            oldact,
            &SigAction {
                sa_handler: old.handler,
                sa_flags: old.flags,
                sa_restorer: old.restorer,
                sa_mask: SigSet(old.mask.0),
            },
        )?;
    }
    Ok(())
}

fn rt_sigprocmask(cx: &mut Cx<'_>, how: u32, set: GuestAddr, oldset: GuestAddr, sigsetsize: usize) -> Result<()> {
    check_set_size(sigsetsize)?;
    let mm = cx.task.mm();
    let old = cx.task.signals.lock().blocked;
    if !set.is_null() {
        let set = Set(mm.read_u64(set)?);
        let new = match how {
            SIG_BLOCK => old.union(set),
            SIG_UNBLOCK => old.without(set),
            SIG_SETMASK => set,
            _ => return Err(Errno::EINVAL.because("no such way to change the mask")),
        };
        cx.task.set_blocked(new);
        hand_over(cx, new.without(old));
    }
    if !oldset.is_null() {
        mm.write_u64(oldset, old.0)?;
    }
    Ok(())
}

/// Signals of the process that this thread blocks from now on are for another
/// thread to take.
fn hand_over(cx: &Cx<'_>, newly_blocked: Set) {
    let pending = cx.task.process.signals.lock().pending.set();
    if pending.0 & newly_blocked.0 != 0 {
        cx.kernel.tree().threads(cx.task.process.pid).iter().for_each(Task::notice);
    }
}

fn rt_sigpending(cx: &mut Cx<'_>, set: GuestAddr, sigsetsize: usize) -> Result<()> {
    if sigsetsize > SigSet::SIZE {
        return Err(Errno::EINVAL.because("a signal set has 8 bytes"));
    }
    let (own, blocked) = {
        let signals = cx.task.signals.lock();
        (signals.pending.set(), signals.blocked)
    };
    let pending = own.union(cx.task.process.signals.lock().pending.set());
    let bytes = (pending.0 & blocked.0).to_le_bytes();
    cx.task.mm().write(set, &bytes[..sigsetsize])
}

fn rt_sigsuspend(cx: &mut Cx<'_>, mask: GuestAddr, sigsetsize: usize) -> Result<Outcome> {
    check_set_size(sigsetsize)?;
    let mask = Set(cx.task.mm().read_u64(mask)?);
    cx.task.set_blocked_for_call(mask);
    let task = cx.task.clone();
    Ok(Outcome::wait(async move {
        let never = core::future::pending::<()>();
        let _ = task.interruptible(never).await;
        Err(Error::INTERRUPTED_NO_HANDLER)
    }))
}

fn rt_sigtimedwait(
    cx: &mut Cx<'_>,
    set: GuestAddr,
    info: GuestAddr,
    timeout: GuestAddr,
    sigsetsize: usize,
) -> Result<Outcome> {
    check_set_size(sigsetsize)?;
    let mm = cx.task.mm();
    let wanted = Set(mm.read_u64(set)?).without(Set::UNBLOCKABLE);
    let deadline = crate::time::read_timeout(cx, timeout)?;
    let (task, kernel) = (cx.task.clone(), cx.kernel.clone());
    let take = {
        let task = task.clone();
        move || {
            let own = task.signals.lock().pending.take(wanted);
            own.or_else(|| task.process.signals.lock().pending.take(wanted))
        }
    };
    Ok(Outcome::wait(async move {
        // A signal of the set that is not blocked would interrupt the wait and
        // be delivered; the call takes it instead, so it looks first.
        let events = task.process.signal_events.clone();
        let taken = task.interruptible_until(&kernel, deadline, events.wait_until(&take)).await;
        let taken = match taken {
            Ok(Some(taken)) => taken,
            Ok(None) => return Err(Errno::EAGAIN.because("the time is over")),
            Err(_) => match take() {
                Some(taken) => taken,
                None => return Err(Error::INTERRUPTED_FINAL),
            },
        };
        if !info.is_null() {
            task.mm().write_abi(info, &taken.to_abi())?;
        }
        Ok(u64::from(taken.signal.get()))
    }))
}

fn rt_sigreturn(cx: &mut Cx<'_>) -> Outcome {
    cx.kernel.machine().complete(cx.regs);
    if frame::pop(cx.task, cx.regs, cx.kernel.has_bti()).is_err() {
        super::force(cx.kernel, cx.task, Info::kernel(Number::SIGSEGV));
    }
    Outcome::KeepRegisters
}

/// Sets the alternate stack of a thread whose stack pointer is `sp`.
pub(super) fn set_alt_stack(task: &Arc<Task>, stack: StackT, sp: u64) -> Result<()> {
    let flags = stack.ss_flags.cast_unsigned();
    let mode = flags & !SS_AUTODISARM;
    if mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE {
        return Err(Errno::EINVAL.because("unknown alternate stack flags"));
    }
    let mut signals = task.signals.lock();
    let current = signals.alt_stack;
    if current.contains(sp) && current.flags & SS_AUTODISARM == 0 {
        return Err(Errno::EPERM.because("the alternate stack is in use"));
    }
    signals.alt_stack = if mode == SS_DISABLE {
        AltStack { base: 0, flags: flags & SS_AUTODISARM, size: 0 }
    } else if stack.ss_size < u64::from(MINSIGSTKSZ) {
        return Err(Errno::ENOMEM.because("the alternate stack is too small"));
    } else {
        AltStack { base: stack.ss_sp, flags: flags & SS_AUTODISARM, size: stack.ss_size }
    };
    Ok(())
}

fn sigaltstack(cx: &mut Cx<'_>, ss: GuestAddr, old_ss: GuestAddr) -> Result<()> {
    let mm = cx.task.mm();
    let sp = cx.regs.sp();
    let old = cx.task.signals.lock().alt_stack.to_abi(sp);
    if !ss.is_null() {
        set_alt_stack(cx.task, mm.read_abi(ss)?, sp)?;
    }
    if old_ss.is_null() { Ok(()) } else { mm.write_abi(old_ss, &old) }
}
