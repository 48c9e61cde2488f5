//! `wait4` and `waitid`.

use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::resource::Rusage;
use linux_abi::signal::{CLD_CONTINUED, CLD_STOPPED};
use linux_abi::wait::{P_ALL, P_PGID, P_PID, P_PIDFD, STATUS_CONTINUED, WaitFlags, status_stopped};
use machine::GuestAddr;

use crate::Kernel;
use crate::error::{Because, Error, Result};
use crate::signal::{Info, InfoFields, Number};
use crate::syscall::{Cx, Outcome};
use crate::task::exit::child_code;
use crate::task::limits::rusage_of;
use crate::task::tree::{Nodes, Report, Times};
use crate::task::{ExitStatus, Task};

/// Which children a call is about.
#[derive(Clone, Copy, Debug)]
enum Which {
    Any,
    Pid(u32),
    Group(u32),
}

/// What happened to a child.
#[derive(Clone, Copy, Debug)]
enum Change {
    Ended(ExitStatus),
    Reported(Report),
}

#[derive(Clone, Copy, Debug)]
struct Found {
    pid: u32,
    uid: u32,
    change: Change,
    times: Times,
}

impl Found {
    fn wait_word(&self) -> i32 {
        match self.change {
            Change::Ended(status) => status.wait_word().cast_signed(),
            Change::Reported(Report::Stopped(signal)) => status_stopped(u32::from(signal)),
            Change::Reported(Report::Continued) => STATUS_CONTINUED,
        }
    }

    fn info(&self) -> Info {
        let (code, status) = match self.change {
            Change::Ended(status) => child_code(status),
            Change::Reported(Report::Stopped(signal)) => (CLD_STOPPED, i32::from(signal)),
            Change::Reported(Report::Continued) => (CLD_CONTINUED, i32::from(Number::SIGCONT.get())),
        };
        let fields = InfoFields::Child { pid: self.pid, uid: self.uid, status, utime: 0, stime: 0 };
        Info { signal: Number::SIGCHLD, errno: 0, code, fields }
    }
}

/// Looks at the children once. `Ok(None)`: there are some, but no news.
fn look(kernel: &Kernel, task: &Task, which: Which, flags: WaitFlags) -> Result<Option<Found>> {
    let (found, buried) = {
        let mut nodes = kernel.tree().nodes.lock();
        let found = search(&mut nodes, task, which, flags)?;
        let mut buried = None;
        if let Some(found) = found {
            // Under the same lock, so that two threads never get one child.
            if matches!(found.change, Change::Ended(_)) && !flags.contains(WaitFlags::WNOWAIT) {
                buried = nodes.by_pid.remove(&found.pid);
                if let Some(own) = nodes.by_pid.get_mut(&task.process.pid) {
                    own.children.remove(&found.pid);
                    own.child_times.add(found.times);
                    own.child_times.add(buried.as_ref().map_or_else(Times::default, |node| node.child_times));
                }
            }
        }
        (found, buried)
    };
    drop(buried);
    Ok(found)
}

fn search(nodes: &mut Nodes, task: &Task, which: Which, flags: WaitFlags) -> Result<Option<Found>> {
    let own = nodes.by_pid.get(&task.process.pid);
    let children = own.map(|node| node.children.clone()).unwrap_or_default();
    let mut any = false;
    for pid in children {
        let times = nodes.times_of(pid);
        let Some(node) = nodes.by_pid.get_mut(&pid) else { continue };
        let is_meant = match which {
            Which::Any => true,
            Which::Pid(wanted) => pid == wanted,
            Which::Group(pgid) => node.pgid == pgid,
        };
        // A child that tells its end by another signal than SIGCHLD is a
        // "clone child", which only __WCLONE and __WALL wait for.
        let signal = node.process.exit_signal.load(core::sync::atomic::Ordering::SeqCst);
        let is_clone = signal != u32::from(Number::SIGCHLD.get());
        let kind = flags.contains(WaitFlags::__WALL) || is_clone == flags.contains(WaitFlags::__WCLONE);
        if !is_meant || !kind {
            continue;
        }
        any = true;
        if let Some(status) = node.status {
            if flags.contains(WaitFlags::WEXITED) {
                return Ok(Some(Found { pid, uid: node.uid, change: Change::Ended(status), times }));
            }
            continue;
        }
        let Some(report) = node.report else { continue };
        let wanted = match report {
            Report::Stopped(_) => WaitFlags::WUNTRACED,
            Report::Continued => WaitFlags::WCONTINUED,
        };
        if flags.contains(wanted) {
            if !flags.contains(WaitFlags::WNOWAIT) {
                node.report = None;
            }
            return Ok(Some(Found { pid, uid: node.uid, change: Change::Reported(report), times }));
        }
    }
    if any { Ok(None) } else { Err(Errno::ECHILD.because("no such child")) }
}

/// Looks, and waits for news unless `WNOHANG` is given; `tell` stores what
/// was found, or that nothing was.
fn wait_for(
    cx: &mut Cx<'_>,
    which: Which,
    flags: WaitFlags,
    tell: impl FnOnce(&Task, Option<Found>) -> Result<u64> + Send + 'static,
) -> Outcome {
    match look(cx.kernel, cx.task, which, flags) {
        Ok(None) if !flags.contains(WaitFlags::WNOHANG) => {}
        Ok(found) => return Outcome::Done(tell(cx.task, found)),
        Err(error) => return Outcome::Done(Err(error)),
    }
    let (kernel, task): (Arc<Kernel>, Arc<Task>) = (cx.kernel.clone(), cx.task.clone());
    Outcome::wait(async move {
        let events = task.process.child_events.clone();
        let news = events.wait_until(|| look(&kernel, &task, which, flags).transpose());
        match task.interruptible(news).await {
            Ok(found) => tell(&task, Some(found?)),
            Err(_) => Err(Error::INTERRUPTED),
        }
    })
}

pub(super) fn wait4(cx: &mut Cx<'_>, pid: i32, wstatus: GuestAddr, options: u32, rusage: GuestAddr) -> Result<Outcome> {
    type F = WaitFlags;
    let allowed = F::WNOHANG | F::WUNTRACED | F::WCONTINUED | F::__WNOTHREAD | F::__WCLONE | F::__WALL;
    let flags = F::from_bits(options).filter(|flags| allowed.contains(*flags));
    let flags = flags.ok_or_else(|| Errno::EINVAL.because("unknown options"))? | F::WEXITED;
    let which = match pid {
        i32::MIN => return Err(Errno::ESRCH.because("no such process group")),
        -1 => Which::Any,
        0 => Which::Group(own_group(cx)),
        1.. => Which::Pid(pid.unsigned_abs()),
        group => Which::Group(group.unsigned_abs()),
    };
    Ok(wait_for(cx, which, flags, move |task, found| {
        let Some(found) = found else { return Ok(0) };
        let mm = task.mm();
        if !wstatus.is_null() {
            mm.write_u32(wstatus, found.wait_word().cast_unsigned())?;
        }
        if !rusage.is_null() {
            mm.write_abi(rusage, &rusage_of(found.times))?;
        }
        Ok(u64::from(found.pid))
    }))
}

fn own_group(cx: &Cx<'_>) -> u32 {
    cx.kernel.tree().ids(cx.task.process.pid).map_or(0, |ids| ids.pgid)
}

pub(super) fn waitid(
    cx: &mut Cx<'_>,
    which: u32,
    id: i32,
    info: GuestAddr,
    options: u32,
    rusage: GuestAddr,
) -> Result<Outcome> {
    type F = WaitFlags;
    let flags = F::from_bits(options).ok_or_else(|| Errno::EINVAL.because("unknown options"))?;
    if !flags.intersects(F::WEXITED | F::WUNTRACED | F::WCONTINUED) {
        return Err(Errno::EINVAL.because("nothing to wait for"));
    }
    let positive = || u32::try_from(id).map_err(|_| Errno::EINVAL.because("a negative number"));
    let which = match which {
        P_ALL => Which::Any,
        P_PID if id > 0 => Which::Pid(positive()?),
        P_PGID if id == 0 => Which::Group(own_group(cx)),
        P_PGID => Which::Group(positive()?),
        P_PIDFD => Which::Pid(super::misc::pid_of_fd(cx, id)?),
        _ => return Err(Errno::EINVAL.because("no such kind of number")),
    };
    Ok(wait_for(cx, which, flags, move |task, found| {
        let mm = task.mm();
        if !info.is_null() {
            match found {
                Some(found) => mm.write_abi(info, &found.info().to_abi())?,
                // Nothing found is told by zeros in si_signo and si_pid.
                None => mm.write(info, &[0; 24])?,
            }
        }
        if let Some(found) = found.filter(|_| !rusage.is_null()) {
            let usage: Rusage = rusage_of(found.times);
            mm.write_abi(rusage, &usage)?;
        }
        Ok(0)
    }))
}
