//! The calls that would set or discipline a clock. The clocks belong to the
//! machine: nobody in the guest may set them, whatever their user. What may be
//! asked is answered.

use linux_abi::Errno;
use linux_abi::time::{CLOCK_REALTIME, Timespec, Timeval, Timex};
use machine::GuestAddr;

use super::Clock;
use crate::error::{Because, Error, Result};
use crate::syscall::Cx;

/// `STA_UNSYNC`: nothing synchronizes the clock, as far as the guest can see.
const STA_UNSYNC: i32 = 0x40;
/// `TIME_ERROR`: the clock is not synchronized.
const TIME_ERROR: u64 = 5;

fn not_permitted() -> Error {
    Errno::EPERM.because("the clocks belong to the machine")
}

pub(super) fn clock_settime(cx: &mut Cx<'_>, clock: i32, time: GuestAddr) -> Result<()> {
    let clock = Clock::of(clock, cx.task, cx.kernel)?;
    let time: Timespec = cx.task.mm().read_abi(time)?;
    if clock.is_cpu() {
        return Err(not_permitted());
    }
    if clock != Clock::Real || time.to_ns().is_none() {
        return Err(Errno::EINVAL.because("not a time, or not a clock that can be set"));
    }
    Err(not_permitted())
}

pub(super) fn settimeofday(cx: &mut Cx<'_>, time: GuestAddr, _zone: GuestAddr) -> Result<()> {
    if !time.is_null() {
        let time: Timeval = cx.task.mm().read_abi(time)?;
        time.to_ns().ok_or(Errno::EINVAL.because("not a valid time"))?;
    }
    Err(not_permitted())
}

pub(super) fn adjtimex(cx: &mut Cx<'_>, buffer: GuestAddr) -> Result<u64> {
    clock_adjtime(cx, CLOCK_REALTIME, buffer)
}

pub(super) fn clock_adjtime(cx: &mut Cx<'_>, clock: i32, buffer: GuestAddr) -> Result<u64> {
    let clock = Clock::of(clock, cx.task, cx.kernel)?;
    let mm = cx.task.mm();
    let wanted: Timex = mm.read_abi(buffer)?;
    if clock != Clock::Real {
        return Err(Errno::EOPNOTSUPP.because("only the real-time clock can be adjusted"));
    }
    if wanted.modes != 0 {
        return Err(not_permitted());
    }
    let now = i64::try_from(clock.now_ns(cx.kernel)).unwrap_or(i64::MAX);
    let state = Timex {
        status: STA_UNSYNC,
        maxerror: 16_000_000,
        esterror: 16_000_000,
        constant: 2,
        precision: 1,
        tolerance: 500 << 16,
        tick: 10_000,
        time: Timeval::from_ns(now),
        ..Timex::default()
    };
    mm.write_abi(buffer, &state)?;
    Ok(TIME_ERROR)
}
