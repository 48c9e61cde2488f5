//! The clocks that a program can name, and the calls that read them.

use linux_abi::Errno;
use linux_abi::time as abi;
use linux_abi::time::{Timespec, Timeval, Timezone, Tms};
use machine::GuestAddr;

use super::{SECOND_NS, TICK_NS};
use crate::Kernel;
use crate::error::{Because, Result};
use crate::syscall::Cx;
use crate::task::{Task, Times};

/// Which part of processor time a clock counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuPart {
    /// User and system time.
    All,
    /// User time.
    User,
}

/// A clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// `CLOCK_REALTIME`, `CLOCK_REALTIME_ALARM` and `CLOCK_TAI` (whose offset
    /// is zero, as on a Linux that nobody told of leap seconds).
    Real,
    /// `CLOCK_REALTIME_COARSE`.
    RealCoarse,
    /// `CLOCK_MONOTONIC`.
    Monotonic,
    /// `CLOCK_MONOTONIC_RAW`.
    MonotonicRaw,
    /// `CLOCK_MONOTONIC_COARSE`.
    MonotonicCoarse,
    /// `CLOCK_BOOTTIME` and `CLOCK_BOOTTIME_ALARM`. The kernel cannot tell
    /// that its host was suspended: the clock is the monotonic one.
    Boot,
    /// Processor time of a process.
    Process(u32, CpuPart),
    /// Processor time of a thread.
    Thread(u32, CpuPart),
}

/// What the coarse clocks step by: a tick of 250 Hz, as Debian's kernels have.
const COARSE_NS: u64 = 4_000_000;

impl Clock {
    /// The clock with this number, as `task` names it.
    ///
    /// # Errors
    /// `EINVAL` if there is none.
    pub fn of(id: i32, task: &Task, kernel: &Kernel) -> Result<Self> {
        if id < 0 {
            return Self::of_cpu(id, task, kernel);
        }
        Ok(match id {
            abi::CLOCK_REALTIME | abi::CLOCK_REALTIME_ALARM | abi::CLOCK_TAI => Self::Real,
            abi::CLOCK_REALTIME_COARSE => Self::RealCoarse,
            abi::CLOCK_MONOTONIC => Self::Monotonic,
            abi::CLOCK_MONOTONIC_RAW => Self::MonotonicRaw,
            abi::CLOCK_MONOTONIC_COARSE => Self::MonotonicCoarse,
            abi::CLOCK_BOOTTIME | abi::CLOCK_BOOTTIME_ALARM => Self::Boot,
            abi::CLOCK_PROCESS_CPUTIME_ID => Self::Process(task.process.pid, CpuPart::All),
            abi::CLOCK_THREAD_CPUTIME_ID => Self::Thread(task.tid(), CpuPart::All),
            _ => return Err(Errno::EINVAL.because("no such clock")),
        })
    }

    /// A clock of some process or thread: its number is the complement of the
    /// identity, above three bits of kind (`clock_getcpuclockid`).
    fn of_cpu(id: i32, task: &Task, kernel: &Kernel) -> Result<Self> {
        let none = Errno::EINVAL.because("no such processor-time clock");
        let number = (!(id >> 3)).cast_unsigned();
        let part = match id & 3 {
            0 | 2 => CpuPart::All,
            1 => CpuPart::User,
            _ => return Err(Errno::EINVAL.because("clocks of devices do not exist")),
        };
        if id & 4 != 0 {
            let tid = if number == 0 { task.tid() } else { number };
            let same = kernel.tree().task(tid).is_some_and(|other| other.process.pid == task.process.pid);
            return if same { Ok(Self::Thread(tid, part)) } else { Err(none) };
        }
        let pid = if number == 0 { task.process.pid } else { number };
        if kernel.tree().process(pid).is_some() { Ok(Self::Process(pid, part)) } else { Err(none) }
    }

    /// The time on the clock, in nanoseconds. Time before 1970 reads as 1970.
    #[must_use]
    pub fn now_ns(self, kernel: &Kernel) -> u64 {
        match self {
            Self::Real => wall_ns(kernel),
            Self::RealCoarse => wall_ns(kernel) / COARSE_NS * COARSE_NS,
            Self::Monotonic | Self::MonotonicRaw | Self::Boot => kernel.now_ns(),
            Self::MonotonicCoarse => kernel.now_ns() / COARSE_NS * COARSE_NS,
            Self::Process(pid, part) => part.of(kernel.tree().times(pid)),
            Self::Thread(tid, part) => kernel.tree().task(tid).map_or(0, |task| part.of(task.times())),
        }
    }

    /// What `clock_getres` gives, in nanoseconds.
    #[must_use]
    pub const fn resolution_ns(self) -> u64 {
        match self {
            Self::RealCoarse | Self::MonotonicCoarse => COARSE_NS,
            _ => 1,
        }
    }

    /// True if the clock counts processor time.
    #[must_use]
    pub const fn is_cpu(self) -> bool {
        matches!(self, Self::Process(..) | Self::Thread(..))
    }

    /// True if a sleep or a timer may use the clock.
    #[must_use]
    pub const fn has_timers(self) -> bool {
        !matches!(self, Self::RealCoarse | Self::MonotonicRaw | Self::MonotonicCoarse)
    }

    /// When the monotonic clock will show what this clock, which counts no
    /// processor time, shows at `time_ns`.
    #[must_use]
    pub fn to_monotonic(self, time_ns: u64, kernel: &Kernel) -> u64 {
        match self {
            Self::Real | Self::RealCoarse => {
                time_ns.saturating_add_signed(kernel.clock().wall_offset_ns().saturating_neg())
            }
            _ => time_ns,
        }
    }
}

impl CpuPart {
    pub(super) const fn of(self, times: Times) -> u64 {
        match self {
            Self::All => times.user_ns.saturating_add(times.system_ns),
            Self::User => times.user_ns,
        }
    }
}

/// Nanoseconds since 1970, not below zero.
fn wall_ns(kernel: &Kernel) -> u64 {
    kernel.now_ns().saturating_add_signed(kernel.clock().wall_offset_ns())
}

pub(super) fn clock_gettime(cx: &mut Cx<'_>, clock: i32, time: GuestAddr) -> Result<()> {
    let clock = Clock::of(clock, cx.task, cx.kernel)?;
    if clock.is_cpu() {
        cx.task.charge(cx.kernel);
    }
    let now = clock.now_ns(cx.kernel);
    cx.task.mm().write_abi(time, &Timespec::from_ns_u64(now))
}

pub(super) fn clock_getres(cx: &mut Cx<'_>, clock: i32, resolution: GuestAddr) -> Result<()> {
    let clock = Clock::of(clock, cx.task, cx.kernel)?;
    if resolution.is_null() {
        return Ok(());
    }
    cx.task.mm().write_abi(resolution, &Timespec::from_ns_u64(clock.resolution_ns()))
}

pub(super) fn gettimeofday(cx: &mut Cx<'_>, time: GuestAddr, zone: GuestAddr) -> Result<()> {
    let mm = cx.task.mm();
    if !time.is_null() {
        let now = i64::try_from(wall_ns(cx.kernel)).unwrap_or(i64::MAX);
        mm.write_abi(time, &Timeval::from_ns(now))?;
    }
    if !zone.is_null() {
        mm.write_abi(zone, &Timezone::default())?;
    }
    Ok(())
}

pub(super) fn times(cx: &mut Cx<'_>, buffer: GuestAddr) -> Result<u64> {
    if !buffer.is_null() {
        let pid = cx.task.process.pid;
        cx.task.charge(cx.kernel);
        let (own, children) = (cx.kernel.tree().times(pid), cx.kernel.tree().child_times(pid));
        let ticks = |ns: u64| i64::try_from(ns / TICK_NS).unwrap_or(i64::MAX);
        let tms = Tms {
            tms_utime: ticks(own.user_ns),
            tms_stime: ticks(own.system_ns),
            tms_cutime: ticks(children.user_ns),
            tms_cstime: ticks(children.system_ns),
        };
        cx.task.mm().write_abi(buffer, &tms)?;
    }
    Ok(cx.kernel.now_ns() / TICK_NS)
}

const _: () = assert!(SECOND_NS.is_multiple_of(TICK_NS));
