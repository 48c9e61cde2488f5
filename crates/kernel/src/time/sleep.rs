//! `nanosleep` and `clock_nanosleep`.

use core::sync::atomic::Ordering;

use linux_abi::Errno;
use linux_abi::time::{TIMER_ABSTIME, Timespec};
use machine::GuestAddr;

use super::{Clock, cpu_time, read_timespec};
use crate::error::{Because, Error, Result};
use crate::syscall::{Cx, Outcome};

pub(super) fn nanosleep(cx: &mut Cx<'_>, request: GuestAddr, remaining: GuestAddr) -> Outcome {
    match read_timespec(cx, request) {
        Ok(time) => sleep(cx, Clock::Monotonic, false, time, remaining),
        Err(error) => Outcome::Done(Err(error)),
    }
}

pub(super) fn clock_nanosleep(
    cx: &mut Cx<'_>,
    clock: i32,
    flags: u32,
    request: GuestAddr,
    remaining: GuestAddr,
) -> Outcome {
    let prepare = |cx: &mut Cx<'_>| -> Result<(Clock, u64)> {
        let clock = Clock::of(clock, cx.task, cx.kernel)?;
        match clock {
            Clock::Thread(tid, _) if tid == cx.task.tid() => {
                return Err(Errno::EINVAL.because("a thread that sleeps uses no processor time"));
            }
            clock if !clock.has_timers() => return Err(Errno::EOPNOTSUPP.because("nobody can sleep on this clock")),
            _ => {}
        }
        Ok((clock, read_timespec(cx, request)?))
    };
    match prepare(cx) {
        Ok((clock, time)) => sleep(cx, clock, flags & TIMER_ABSTIME.cast_unsigned() != 0, time, remaining),
        Err(error) => Outcome::Done(Err(error)),
    }
}

/// Sleeps for `time_ns`, or until the clock shows it.
///
/// A relative sleep that is interrupted and runs again (because the process
/// was only stopped, say) keeps its deadline, which the task holds meanwhile.
fn sleep(cx: &mut Cx<'_>, clock: Clock, is_absolute: bool, time_ns: u64, remaining: GuestAddr) -> Outcome {
    let kept = cx.task.restart_deadline_ns.swap(0, Ordering::SeqCst);
    let deadline = if is_absolute {
        time_ns
    } else if kept != 0 {
        kept
    } else {
        clock_for_relative(clock).now_ns(cx.kernel).saturating_add(time_ns)
    };
    let clock = if is_absolute { clock } else { clock_for_relative(clock) };
    if clock.now_ns(cx.kernel) >= deadline {
        return Outcome::Done(Ok(0));
    }
    let (kernel, task) = (cx.kernel.clone(), cx.task.clone());
    Outcome::wait(async move {
        let ended = if clock.is_cpu() {
            task.interruptible(cpu_time::wait_until(&kernel, clock, deadline)).await
        } else {
            let sleep = crate::sched::Sleep::until(&kernel, clock.to_monotonic(deadline, &kernel));
            task.interruptible(sleep).await
        };
        if ended.is_ok() {
            return Ok(0);
        }
        if is_absolute {
            return Err(Error::INTERRUPTED_NO_HANDLER);
        }
        let left = deadline.saturating_sub(clock.now_ns(&kernel));
        if left == 0 {
            return Ok(0);
        }
        if !remaining.is_null() {
            task.mm().write_abi(remaining, &Timespec::from_ns_u64(left))?;
        }
        task.restart_deadline_ns.store(deadline, Ordering::SeqCst);
        Err(Error::INTERRUPTED_NO_HANDLER)
    })
}

/// A relative sleep does not follow changes of the real-time clock.
const fn clock_for_relative(clock: Clock) -> Clock {
    match clock {
        Clock::Real => Clock::Monotonic,
        other => other,
    }
}
