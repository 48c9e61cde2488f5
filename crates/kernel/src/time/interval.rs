//! `getitimer` and `setitimer`.

use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::time::{Itimerval, Timeval};
use machine::GuestAddr;

use super::clock::CpuPart;
use super::process_timers::{Fire, Which};
use super::{Clock, Countdown};
use crate::Kernel;
use crate::error::{Because, Result};
use crate::signal::{Info, Number, send_to_process};
use crate::syscall::Cx;
use crate::task::Process;

/// The signals of `ITIMER_REAL`, `ITIMER_VIRTUAL` and `ITIMER_PROF`.
const SIGNALS: [Number; 3] = [Number::SIGALRM, Number::SIGVTALRM, Number::SIGPROF];

fn clock_of(which: usize, process: &Process) -> Clock {
    match which {
        0 => Clock::Monotonic,
        1 => Clock::Process(process.pid, CpuPart::User),
        _ => Clock::Process(process.pid, CpuPart::All),
    }
}

fn index_of(which: i32) -> Result<usize> {
    let index = usize::try_from(which).ok().filter(|index| *index < SIGNALS.len());
    index.ok_or(Errno::EINVAL.because("no such interval timer"))
}

fn current(kernel: &Kernel, countdown: &Countdown) -> Itimerval {
    let (left, interval) = countdown.remaining(kernel);
    // A timer that runs never shows zero.
    let value = if left == 0 { 0 } else { left.max(1000) };
    let timeval = |ns: u64| Timeval::from_ns(i64::try_from(ns).unwrap_or(i64::MAX));
    Itimerval { it_interval: timeval(interval), it_value: timeval(value) }
}

pub(super) fn getitimer(cx: &mut Cx<'_>, which: i32, value: GuestAddr) -> Result<()> {
    let index = index_of(which)?;
    let now = cx.task.process.timers.intervals.lock().get(index).map(|countdown| current(cx.kernel, countdown));
    cx.task.mm().write_abi(value, &now.unwrap_or_default())
}

pub(super) fn setitimer(cx: &mut Cx<'_>, which: i32, value: GuestAddr, old: GuestAddr) -> Result<()> {
    let index = index_of(which)?;
    let mm = cx.task.mm();
    // No new value means zero, an old habit that Linux keeps.
    let new = if value.is_null() { Itimerval::default() } else { mm.read_abi(value)? };
    let invalid = Errno::EINVAL.because("not a valid time");
    let (first, interval) = (new.it_value.to_ns().ok_or(invalid)?, new.it_interval.to_ns().ok_or(invalid)?);
    let process = &cx.task.process;
    let before = set(cx.kernel, process, index, first, interval);
    if old.is_null() { Ok(()) } else { mm.write_abi(old, &before) }
}

/// Sets an interval timer and gives what it was set to.
fn set(kernel: &Arc<Kernel>, process: &Arc<Process>, index: usize, first_ns: u64, interval_ns: u64) -> Itimerval {
    let clock = clock_of(index, process);
    let mut intervals = process.timers.intervals.lock();
    let Some(countdown) = intervals.get_mut(index) else { return Itimerval::default() };
    let before = current(kernel, countdown);
    let next = (first_ns != 0).then(|| clock.now_ns(kernel).saturating_add(first_ns));
    countdown.set(kernel, clock, next, if first_ns == 0 { 0 } else { interval_ns });
    countdown.arm(kernel, 0, Fire::waker(kernel, process, Which::Interval(index)));
    before
}

/// The timer's deadline has come.
pub(super) fn fired(kernel: &Arc<Kernel>, process: &Arc<Process>, index: usize, generation: u64) {
    let count = {
        let mut intervals = process.timers.intervals.lock();
        let Some(countdown) = intervals.get_mut(index) else { return };
        countdown.fired(kernel, generation, Fire::waker(kernel, process, Which::Interval(index)))
    };
    if let (1.., Some(signal)) = (count, SIGNALS.get(index)) {
        send_to_process(kernel, process, Info::kernel(*signal));
    }
}
