//! `epoll_create1`, `epoll_ctl`, `epoll_pwait` and `epoll_pwait2`.

use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::fcntl::OpenFlags;
use linux_abi::poll::{EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, EpollEvent};
use machine::GuestAddr;

use super::epoll::Epoll;
use super::wait;
use crate::error::{Because, Error, Result};
use crate::fs::File;
use crate::syscall::{Cx, Outcome};
use crate::time::read_timeout;

pub(super) fn epoll_create1(cx: &mut Cx<'_>, flags: u32) -> Result<i32> {
    if flags & !EPOLL_CLOEXEC != 0 {
        return Err(Errno::EINVAL.because("unknown flag bits"));
    }
    let file = File::anonymous(cx.kernel, "[eventpoll]", Epoll::new(), OpenFlags::O_RDWR);
    cx.task.files().insert(cx.task, file, flags & EPOLL_CLOEXEC != 0)
}

pub(super) fn epoll_ctl(cx: &mut Cx<'_>, epfd: i32, op: u32, fd: i32, event: GuestAddr) -> Result<()> {
    let event: EpollEvent = if op == EPOLL_CTL_DEL { EpollEvent::default() } else { cx.task.mm().read_abi(event)? };
    let files = cx.task.files();
    let (set, file) = (files.get(epfd)?, files.get(fd)?);
    if !file.ops().can_epoll() {
        return Err(Errno::EPERM.because("the file cannot be watched"));
    }
    if alloc::sync::Arc::ptr_eq(&set, &file) {
        return Err(Errno::EINVAL.because("an epoll descriptor cannot watch itself"));
    }
    let epoll = Epoll::of(&set)?;
    match op {
        EPOLL_CTL_ADD => epoll.add(fd, &file, event),
        EPOLL_CTL_DEL => epoll.remove(fd, &file),
        EPOLL_CTL_MOD => epoll.modify(fd, &file, event),
        _ => Err(Errno::EINVAL.because("no such operation")),
    }
}

pub(super) fn epoll_pwait(
    cx: &mut Cx<'_>,
    epfd: i32,
    events: GuestAddr,
    count: i32,
    timeout: i32,
    mask: GuestAddr,
    mask_size: usize,
) -> Outcome {
    let after = |ms: u32| cx.kernel.now_ns().saturating_add(u64::from(ms) * 1_000_000);
    let deadline = u32::try_from(timeout).ok().map(after);
    wait_for_events(cx, epfd, events, count, deadline, (mask, mask_size))
}

pub(super) fn epoll_pwait2(
    cx: &mut Cx<'_>,
    epfd: i32,
    events: GuestAddr,
    count: i32,
    timeout: GuestAddr,
    mask: GuestAddr,
    mask_size: usize,
) -> Outcome {
    match read_timeout(cx, timeout) {
        Ok(deadline) => wait_for_events(cx, epfd, events, count, deadline, (mask, mask_size)),
        Err(error) => Outcome::Done(Err(error)),
    }
}

/// The most events that one call gives: a bound on the memory it needs.
const MOST: usize = 4096;

fn wait_for_events(
    cx: &mut Cx<'_>,
    epfd: i32,
    events: GuestAddr,
    count: i32,
    deadline: Option<u64>,
    (mask, mask_size): (GuestAddr, usize),
) -> Outcome {
    let prepare = || -> Result<_> {
        let invalid = Errno::EINVAL.because("not a number of events");
        let count = usize::try_from(count).map_err(|_| invalid)?;
        if count == 0 || count > i32::MAX as usize / EpollEvent::SIZE {
            return Err(invalid);
        }
        let file = cx.task.files().get(epfd)?;
        let epoll = Epoll::of(&file)?;
        wait::set_mask(cx, mask, mask_size)?;
        Ok((file, epoll, count.min(MOST)))
    };
    let (file, epoll, count) = match prepare() {
        Ok(prepared) => prepared,
        Err(error) => return Outcome::Done(Err(error)),
    };
    let queue = epoll.waiters().clone();
    let ready = move || {
        // The file is held so that the set outlives a close by another thread.
        let _ = &file;
        let found = epoll.take(count);
        (!found.is_empty()).then_some(found)
    };
    wait::run(
        cx,
        || alloc::vec![queue],
        deadline,
        Error::INTERRUPTED_FINAL,
        ready,
        move |task, found| {
            let found: Vec<EpollEvent> = found?.unwrap_or_default();
            let mm = task.mm();
            for (index, event) in found.iter().enumerate() {
                mm.write_abi(events.add((index * EpollEvent::SIZE) as u64), event)?;
            }
            Ok(found.len() as u64)
        },
    )
}
