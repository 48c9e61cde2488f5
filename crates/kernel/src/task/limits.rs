//! Resource limits, resource use, priorities.

use core::sync::atomic::Ordering;

use linux_abi::Errno;
use linux_abi::resource::{
    RLIM_NLIMITS, RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK, RLIMIT_NOFILE, RLIMIT_STACK, RUSAGE_CHILDREN, RUSAGE_SELF,
    RUSAGE_THREAD, Rlimit, Rusage,
};
use linux_abi::time::Timeval;
use machine::GuestAddr;

use crate::error::{Because, Result};
use crate::mm::Limits;
use crate::syscall::Cx;
use crate::task::Limit;
use crate::task::tree::Times;

/// The ceiling of `RLIMIT_NOFILE`, as `/proc/sys/fs/nr_open` has it.
pub(super) const NR_OPEN: u64 = 1 << 20;

fn resource_arg(resource: u32) -> Result<usize> {
    usize::try_from(resource)
        .ok()
        .filter(|resource| *resource < RLIM_NLIMITS)
        .ok_or_else(|| Errno::EINVAL.because("no such resource"))
}

pub(super) fn getrlimit(cx: &mut Cx<'_>, resource: u32, rlim: GuestAddr) -> Result<()> {
    let limit = cx.task.process.limit(resource_arg(resource)?);
    cx.task.mm().write_abi(rlim, &Rlimit { rlim_cur: limit.soft, rlim_max: limit.hard })
}

pub(super) fn setrlimit(cx: &mut Cx<'_>, resource: u32, rlim: GuestAddr) -> Result<()> {
    prlimit64(cx, 0, resource, rlim, GuestAddr(0))
}

pub(super) fn prlimit64(cx: &mut Cx<'_>, pid: i32, resource: u32, new: GuestAddr, old: GuestAddr) -> Result<()> {
    let index = resource_arg(resource)?;
    let mm = cx.task.mm();
    let new: Option<Rlimit> = if new.is_null() { None } else { Some(mm.read_abi(new)?) };
    let process = match pid {
        0 => cx.task.process.clone(),
        pid => {
            let process = u32::try_from(pid).ok().and_then(|pid| cx.kernel.tree().process(pid));
            process.ok_or_else(|| Errno::ESRCH.because("no such process"))?
        }
    };
    let before = {
        let mut limits = process.limits.lock();
        let before = limits[index];
        if let Some(new) = new {
            if new.rlim_cur > new.rlim_max {
                return Err(Errno::EINVAL.because("the soft limit is above the hard one"));
            }
            let too_high = resource == RLIMIT_NOFILE && new.rlim_max > NR_OPEN;
            if too_high || (new.rlim_max > before.hard && !cx.task.creds().is_privileged()) {
                return Err(Errno::EPERM.because("the hard limit cannot be raised"));
            }
            limits[index] = Limit { soft: new.rlim_cur, hard: new.rlim_max };
            tell_memory(cx, process.pid, resource, new.rlim_cur);
        }
        before
    };
    if new.is_some()
        && let Some(task) = cx.kernel.tree().threads(process.pid).first()
    {
        // The stack grows by what the address space knows.
        task.mm().limits().set(&Limits::of(&process, &task.creds()));
    }
    if old.is_null() {
        return Ok(());
    }
    mm.write_abi(old, &Rlimit { rlim_cur: before.soft, rlim_max: before.hard })
}

/// Limits on memory are kept where they are checked.
fn tell_memory(cx: &Cx<'_>, pid: u32, resource: u32, soft: u64) {
    let Some(task) = cx.kernel.tree().threads(pid).first().cloned() else { return };
    let mm = task.mm();
    let limits = mm.limits();
    let place = match resource {
        RLIMIT_AS => &limits.address_space,
        RLIMIT_DATA => &limits.data,
        RLIMIT_STACK => &limits.stack,
        RLIMIT_MEMLOCK if !task.creds().is_privileged() => &limits.locked,
        _ => return,
    };
    place.store(soft, Ordering::Relaxed);
}

/// Nanoseconds as a `timeval`.
pub(crate) fn timeval(ns: u64) -> Timeval {
    let microseconds = (ns / 1000).cast_signed();
    Timeval { tv_sec: microseconds / 1_000_000, tv_usec: microseconds % 1_000_000 }
}

/// Processor times as `rusage` tells them; what is not counted is 0.
pub(crate) fn rusage_of(times: Times) -> Rusage {
    Rusage { ru_utime: timeval(times.user_ns), ru_stime: timeval(times.system_ns), ..Rusage::default() }
}

pub(super) fn getrusage(cx: &mut Cx<'_>, who: i32, usage: GuestAddr) -> Result<()> {
    let pid = cx.task.process.pid;
    cx.task.charge(cx.kernel);
    let mut rusage = match who {
        RUSAGE_SELF => rusage_of(cx.kernel.tree().times(pid)),
        RUSAGE_CHILDREN => rusage_of(cx.kernel.tree().child_times(pid)),
        RUSAGE_THREAD => rusage_of(cx.task.times()),
        _ => return Err(Errno::EINVAL.because("no such kind of use")),
    };
    if who != RUSAGE_CHILDREN {
        rusage.ru_maxrss = (cx.task.mm().usage().resident * 4).cast_signed();
    }
    cx.task.mm().write_abi(usage, &rusage)
}

pub(super) fn getpriority(cx: &mut Cx<'_>, which: u32, who: i32) -> Result<i32> {
    // The call gives 20 - nice, so that no result looks like an errno.
    let processes = targets(cx, which, who)?;
    let best = processes.iter().map(|process| process.nice.load(Ordering::Relaxed)).min();
    best.map(|nice| 20 - nice).ok_or_else(|| Errno::ESRCH.because("no such process"))
}

pub(super) fn setpriority(cx: &mut Cx<'_>, which: u32, who: i32, nice: i32) -> Result<()> {
    let nice = nice.clamp(-20, 19);
    let processes = targets(cx, which, who)?;
    if processes.is_empty() {
        return Err(Errno::ESRCH.because("no such process"));
    }
    for process in processes {
        if nice < process.nice.load(Ordering::Relaxed) && !cx.task.creds().is_privileged() {
            return Err(Errno::EACCES.because("only the superuser raises a priority"));
        }
        process.nice.store(nice, Ordering::Relaxed);
    }
    Ok(())
}

fn targets(cx: &Cx<'_>, which: u32, who: i32) -> Result<alloc::vec::Vec<alloc::sync::Arc<super::Process>>> {
    let tree = cx.kernel.tree();
    let who = u32::try_from(who).map_err(|_| Errno::ESRCH.because("a negative number"))?;
    Ok(match which {
        0 if who == 0 => alloc::vec![cx.task.process.clone()],
        0 => tree.task(who).map(|task| task.process.clone()).into_iter().collect(),
        1 => {
            let pgid = if who == 0 { tree.ids(cx.task.process.pid).map_or(0, |ids| ids.pgid) } else { who };
            tree.group(pgid)
        }
        2 => {
            let uid = if who == 0 { cx.task.creds().uid } else { who };
            let all = tree
                .pids()
                .into_iter()
                .filter(|&pid| tree.threads(pid).first().is_some_and(|task| task.creds().uid == uid));
            all.filter_map(|pid| tree.process(pid)).collect()
        }
        _ => return Err(Errno::EINVAL.because("no such kind of target")),
    })
}
