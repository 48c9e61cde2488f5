//! Readiness: `ppoll`, `pselect6`, epoll, and the descriptors that carry
//! events: eventfd, timerfd, signalfd.
//!
//! All of it rests on [`crate::fs::FileOps::poll`] and
//! [`crate::fs::FileOps::wait_queue`]: a waiter registers its waker on the
//! queues of its files, then looks again ([`wait`]). An epoll instance
//! registers a waker of its own for each file, which puts the file on its list
//! of those that may be ready.

mod epoll;
mod epoll_calls;
mod eventfd;
mod fds;
mod select;
mod signalfd;
#[cfg(test)]
mod tests;
mod timerfd;
pub mod wait;

use machine::GuestAddr;

use linux_abi::poll::{EventfdFlags, PollEvents, SignalfdFlags, TimerfdFlags, TimerfdSetFlags};

use crate::flag_args;
use crate::syscall::Row;
use crate::syscalls;

flag_args! {
    EventfdFlags: u32;
    SignalfdFlags: u32;
    TimerfdFlags: u32;
    TimerfdSetFlags: u32;
}

/// Events that are reported whether they were asked for or not.
const ALWAYS: PollEvents = PollEvents::POLLERR.union(PollEvents::POLLHUP);

/// The system calls of this subsystem.
pub(crate) const ROWS: &[Row] = syscalls! {
    19 eventfd2(initial: u32, flags: EventfdFlags) Full, eventfd::eventfd2;
    20 epoll_create1(flags: u32) Full, epoll_calls::epoll_create1;
    21 epoll_ctl(epfd: i32, op: u32, fd: i32, event: GuestAddr) Full, epoll_calls::epoll_ctl;
    22 epoll_pwait(epfd: i32, events: GuestAddr, count: i32, timeout: i32, mask: GuestAddr, mask_size: usize) Full,
        epoll_calls::epoll_pwait;
    72 pselect6(count: i32, read: GuestAddr, write: GuestAddr, except: GuestAddr, timeout: GuestAddr, mask: GuestAddr)
        Full, select::pselect6;
    73 ppoll(fds: GuestAddr, count: u32, timeout: GuestAddr, mask: GuestAddr, mask_size: usize) Full, fds::ppoll;
    74 signalfd4(fd: i32, mask: GuestAddr, mask_size: usize, flags: SignalfdFlags) Full, signalfd::signalfd4;
    85 timerfd_create(clock: i32, flags: TimerfdFlags) Full, timerfd::timerfd_create;
    86 timerfd_settime(fd: i32, flags: TimerfdSetFlags, new: GuestAddr, old: GuestAddr)
        Partial("TFD_TIMER_CANCEL_ON_SET: the clock is never set"), timerfd::timerfd_settime;
    87 timerfd_gettime(fd: i32, current: GuestAddr) Full, timerfd::timerfd_gettime;
    441 epoll_pwait2(epfd: i32, events: GuestAddr, count: i32, timeout: GuestAddr, mask: GuestAddr, mask_size: usize)
        Full, epoll_calls::epoll_pwait2;
};
