//! Clocks and timers.
//!
//! [`Clock`] names a clock and reads it; `sleep.rs` has the sleeping calls.
//! [`ProcessTimers`] holds a process's interval timers (`interval.rs`), POSIX
//! timers (`posix.rs`) and whatever waits for its processor time
//! (`cpu_time.rs`). Timers on real clocks are wakers on [`crate::sched::Timers`];
//! those on processor time are looked at each time a thread leaves its CPU.
//!
//! Lock order: a process's timer lock comes before the lock of
//! [`crate::sched::Timers`]; signals are sent after both are released.

mod adjust;
mod clock;
mod cpu_time;
mod interval;
mod posix;
mod process_timers;
mod sleep;
#[cfg(test)]
mod tests;

pub use clock::Clock;
pub(crate) use process_timers::Countdown;
pub use process_timers::ProcessTimers;

use machine::GuestAddr;

use linux_abi::Errno;
use linux_abi::time::{Timespec, USER_HZ};

use crate::error::{Because, Result};
use crate::syscall::{Cx, Row};
use crate::syscalls;

/// Nanoseconds in a second.
pub const SECOND_NS: u64 = 1_000_000_000;
/// Nanoseconds in a tick of [`USER_HZ`].
const TICK_NS: u64 = SECOND_NS / USER_HZ.cast_unsigned();

/// The system calls of this subsystem.
pub(crate) const ROWS: &[Row] = syscalls! {
    101 nanosleep(request: GuestAddr, remaining: GuestAddr) Full, sleep::nanosleep;
    102 getitimer(which: i32, value: GuestAddr) Full, interval::getitimer;
    103 setitimer(which: i32, value: GuestAddr, old: GuestAddr) Full, interval::setitimer;
    107 timer_create(clock: i32, event: GuestAddr, id: GuestAddr) Full, posix::timer_create;
    108 timer_gettime(id: i32, value: GuestAddr) Full, posix::timer_gettime;
    109 timer_getoverrun(id: i32) Full, posix::timer_getoverrun;
    110 timer_settime(id: i32, flags: u32, value: GuestAddr, old: GuestAddr) Full, posix::timer_settime;
    111 timer_delete(id: i32) Full, posix::timer_delete;
    112 clock_settime(clock: i32, time: GuestAddr) Partial("the clocks are the host's"), adjust::clock_settime;
    113 clock_gettime(clock: i32, time: GuestAddr) Full, clock::clock_gettime;
    114 clock_getres(clock: i32, resolution: GuestAddr) Full, clock::clock_getres;
    115 clock_nanosleep(clock: i32, flags: u32, request: GuestAddr, remaining: GuestAddr) Full, sleep::clock_nanosleep;
    153 times(buffer: GuestAddr) Full, clock::times;
    169 gettimeofday(time: GuestAddr, zone: GuestAddr) Full, clock::gettimeofday;
    170 settimeofday(time: GuestAddr, zone: GuestAddr) Partial("the clocks are the host's"), adjust::settimeofday;
    171 adjtimex(buffer: GuestAddr) Partial("the clocks are the host's"), adjust::adjtimex;
    266 clock_adjtime(clock: i32, buffer: GuestAddr) Partial("the clocks are the host's"), adjust::clock_adjtime;
};

/// Reads a `struct timespec` and gives it in nanoseconds.
///
/// # Errors
/// `EFAULT`, and `EINVAL` if it is negative or not normal.
pub(crate) fn read_timespec(cx: &Cx<'_>, addr: GuestAddr) -> Result<u64> {
    let time: Timespec = cx.task.mm().read_abi(addr)?;
    time.to_ns().ok_or(Errno::EINVAL.because("not a valid time"))
}

/// As [`read_timespec`], for a timeout relative to now that may be absent;
/// gives the deadline on the monotonic clock.
///
/// # Errors
/// As [`read_timespec`].
pub(crate) fn read_timeout(cx: &Cx<'_>, addr: GuestAddr) -> Result<Option<u64>> {
    if addr.is_null() {
        return Ok(None);
    }
    Ok(Some(cx.kernel.now_ns().saturating_add(read_timespec(cx, addr)?)))
}
