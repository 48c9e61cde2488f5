//! Process groups and sessions.

use core::sync::atomic::Ordering;

use linux_abi::Errno;

use crate::error::{Because, Result};
use crate::syscall::Cx;

fn no_process() -> crate::error::Error {
    Errno::ESRCH.because("no such process")
}

fn pid_arg(cx: &Cx<'_>, pid: i32) -> Result<u32> {
    match pid {
        0 => Ok(cx.task.process.pid),
        pid => u32::try_from(pid).map_err(|_| no_process()),
    }
}

pub(super) fn getpid(cx: &mut Cx<'_>) -> Result<u32> {
    Ok(cx.task.process.pid)
}

pub(super) fn gettid(cx: &mut Cx<'_>) -> Result<u32> {
    Ok(cx.task.tid())
}

pub(super) fn getppid(cx: &mut Cx<'_>) -> Result<u32> {
    Ok(cx.kernel.tree().ids(cx.task.process.pid).map_or(0, |ids| ids.ppid))
}

pub(super) fn getpgid(cx: &mut Cx<'_>, pid: i32) -> Result<u32> {
    let pid = pid_arg(cx, pid)?;
    cx.kernel.tree().ids(pid).map(|ids| ids.pgid).ok_or_else(no_process)
}

pub(super) fn getsid(cx: &mut Cx<'_>, pid: i32) -> Result<u32> {
    let pid = pid_arg(cx, pid)?;
    cx.kernel.tree().ids(pid).map(|ids| ids.sid).ok_or_else(no_process)
}

pub(super) fn setpgid(cx: &mut Cx<'_>, pid: i32, pgid: i32) -> Result<()> {
    let own = cx.task.process.pid;
    let pid = pid_arg(cx, pid)?;
    let pgid = match pgid {
        0 => pid,
        pgid => u32::try_from(pgid).map_err(|_| Errno::EINVAL.because("a negative group"))?,
    };
    let mut nodes = cx.kernel.tree().nodes.lock();
    let own_sid = nodes.by_pid.get(&own).ok_or_else(no_process)?.sid;
    let target = nodes.by_pid.get(&pid).ok_or_else(no_process)?;
    if pid != own {
        if target.parent != own {
            return Err(no_process());
        }
        if target.sid != own_sid {
            return Err(Errno::EPERM.because("the child is in another session"));
        }
        if target.process.has_execed.load(Ordering::SeqCst) {
            return Err(Errno::EACCES.because("the child has run a program"));
        }
    }
    if target.sid == pid {
        return Err(Errno::EPERM.because("a session leader stays in its group"));
    }
    if pgid != pid && !nodes.by_pid.values().any(|node| node.pgid == pgid && node.sid == own_sid) {
        return Err(Errno::EPERM.because("no such group in the session"));
    }
    if let Some(node) = nodes.by_pid.get_mut(&pid) {
        node.pgid = pgid;
    }
    Ok(())
}

pub(super) fn setsid(cx: &mut Cx<'_>) -> Result<u32> {
    let own = cx.task.process.pid;
    let mut nodes = cx.kernel.tree().nodes.lock();
    if nodes.by_pid.values().any(|node| node.pgid == own) {
        return Err(Errno::EPERM.because("the caller leads a process group"));
    }
    let node = nodes.by_pid.get_mut(&own).ok_or_else(no_process)?;
    node.pgid = own;
    node.sid = own;
    Ok(own)
}
