//! Clocks, timers and the structures that hold times.

consts! {
    /// Clocks.
    CLOCKS: i32 {
        CLOCK_REALTIME = 0;
        CLOCK_MONOTONIC = 1;
        CLOCK_PROCESS_CPUTIME_ID = 2;
        CLOCK_THREAD_CPUTIME_ID = 3;
        CLOCK_MONOTONIC_RAW = 4;
        CLOCK_REALTIME_COARSE = 5;
        CLOCK_MONOTONIC_COARSE = 6;
        CLOCK_BOOTTIME = 7;
        CLOCK_REALTIME_ALARM = 8;
        CLOCK_BOOTTIME_ALARM = 9;
        CLOCK_TAI = 11;
    }
}

consts! {
    /// Timers of `setitimer`, flags, and how a POSIX timer tells.
    TIMER_VALUES: i32 {
        ITIMER_REAL = 0;
        ITIMER_VIRTUAL = 1;
        ITIMER_PROF = 2;
        TIMER_ABSTIME = 1;
        SIGEV_SIGNAL = 0;
        SIGEV_NONE = 1;
        SIGEV_THREAD = 2;
        SIGEV_THREAD_ID = 4;
    }
}

/// `UTIME_NOW` of `utimensat`: the time of the call.
pub const UTIME_NOW: i64 = 0x3fff_ffff;
/// `UTIME_OMIT` of `utimensat`: leave the time as it is.
pub const UTIME_OMIT: i64 = 0x3fff_fffe;
/// Clock ticks in a second (`AT_CLKTCK`, `times`).
pub const USER_HZ: i64 = 100;

wire_structs! {
    /// Seconds and nanoseconds.
    Timespec = "struct timespec", 16 {
        tv_sec: i64 = 0,
        tv_nsec: i64 = 8,
    }
    /// Seconds and microseconds.
    Timeval = "struct timeval", 16 {
        tv_sec: i64 = 0,
        tv_usec: i64 = 8,
    }
    /// An interval and the next expiry, in nanoseconds.
    Itimerspec = "struct itimerspec", 32 {
        it_interval: Timespec = 0,
        it_value: Timespec = 16,
    }
    /// An interval and the next expiry, in microseconds.
    Itimerval = "struct itimerval", 32 {
        it_interval: Timeval = 0,
        it_value: Timeval = 16,
    }
    /// The second argument of `gettimeofday`.
    Timezone = "struct timezone", 8 {
        tz_minuteswest: i32 = 0,
        tz_dsttime: i32 = 4,
    }
    /// What `times` fills in, in ticks of [`USER_HZ`].
    Tms = "struct tms", 32 {
        tms_utime: i64 = 0,
        tms_stime: i64 = 8,
        tms_cutime: i64 = 16,
        tms_cstime: i64 = 24,
    }
    /// How a POSIX timer tells that it expired.
    Sigevent = "struct sigevent", 64 {
        sigev_value: u64 = 0,
        sigev_signo: i32 = 8,
        sigev_notify: i32 = 12,
        sigev_notify_thread_id: i32 = 16 as "_sigev_un._tid",
    }
    /// The argument of `adjtimex`.
    Timex = "struct timex", 208 {
        modes: u32 = 0,
        offset: i64 = 8,
        freq: i64 = 16,
        maxerror: i64 = 24,
        esterror: i64 = 32,
        status: i32 = 40,
        constant: i64 = 48,
        precision: i64 = 56,
        tolerance: i64 = 64,
        time: Timeval = 72,
        tick: i64 = 88,
        ppsfreq: i64 = 96,
        jitter: i64 = 104,
        shift: i32 = 112,
        stabil: i64 = 120,
        jitcnt: i64 = 128,
        calcnt: i64 = 136,
        errcnt: i64 = 144,
        stbcnt: i64 = 152,
        tai: i32 = 160,
    }
}

const NS_PER_SEC: i64 = 1_000_000_000;

impl Timespec {
    /// From nanoseconds, which may be negative.
    #[must_use]
    pub const fn from_ns(ns: i64) -> Self {
        Self { tv_sec: ns.div_euclid(NS_PER_SEC), tv_nsec: ns.rem_euclid(NS_PER_SEC) }
    }

    /// From nanoseconds since a clock's start.
    #[must_use]
    pub const fn from_ns_u64(ns: u64) -> Self {
        let second = NS_PER_SEC.cast_unsigned();
        Self { tv_sec: (ns / second).cast_signed(), tv_nsec: (ns % second).cast_signed() }
    }

    /// True if the nanoseconds are below a second and the time is not negative.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.tv_sec >= 0 && self.tv_nsec >= 0 && self.tv_nsec < NS_PER_SEC
    }

    /// In nanoseconds, at most `u64::MAX`; `None` if [`Timespec::is_valid`] is not.
    #[must_use]
    pub const fn to_ns(&self) -> Option<u64> {
        if !self.is_valid() {
            return None;
        }
        let second = NS_PER_SEC.cast_unsigned();
        Some(self.tv_sec.cast_unsigned().saturating_mul(second).saturating_add(self.tv_nsec.cast_unsigned()))
    }
}

impl Timeval {
    /// From nanoseconds, which may be negative; the rest below a microsecond is dropped.
    #[must_use]
    pub const fn from_ns(ns: i64) -> Self {
        Self { tv_sec: ns.div_euclid(NS_PER_SEC), tv_usec: ns.rem_euclid(NS_PER_SEC) / 1000 }
    }

    /// In nanoseconds, at most `u64::MAX`; `None` if negative or a microsecond part of a second or more.
    #[must_use]
    pub const fn to_ns(&self) -> Option<u64> {
        if self.tv_sec < 0 || self.tv_usec < 0 || self.tv_usec >= 1_000_000 {
            return None;
        }
        let second = NS_PER_SEC.cast_unsigned();
        Some(self.tv_sec.cast_unsigned().saturating_mul(second).saturating_add(self.tv_usec.cast_unsigned() * 1000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_convert_both_ways_and_saturate() {
        assert_eq!(Timespec::from_ns(-1), Timespec { tv_sec: -1, tv_nsec: 999_999_999 });
        assert_eq!(Timespec::from_ns_u64(u64::MAX).to_ns(), Some(u64::MAX));
        assert_eq!(Timespec { tv_sec: i64::MAX, tv_nsec: 0 }.to_ns(), Some(u64::MAX));
        assert_eq!(Timespec { tv_sec: 0, tv_nsec: NS_PER_SEC }.to_ns(), None);
        assert_eq!(Timespec { tv_sec: -1, tv_nsec: 0 }.to_ns(), None);
        assert_eq!(Timeval { tv_sec: 2, tv_usec: 5 }.to_ns(), Some(2_000_005_000));
        assert_eq!(Timeval { tv_sec: 0, tv_usec: 1_000_000 }.to_ns(), None);
    }
}
