//! Time as the host tells it.

use std::sync::atomic::{AtomicI64, Ordering};

use machine::Clock;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// By how much the wall clock must have moved against the monotonic one to
/// count as set anew. Below it, the difference of two readings is noise: the
/// two clocks cannot be read in one instant.
const STEP_NS: i64 = 100_000;

/// The host's clocks. The guest's counter runs at 1 GHz: it is the monotonic
/// clock itself.
#[derive(Debug)]
pub(crate) struct HostClock {
    wall_offset_ns: AtomicI64,
}

impl HostClock {
    pub(crate) fn new() -> Self {
        Self { wall_offset_ns: AtomicI64::new(measure_wall_offset()) }
    }
}

impl Clock for HostClock {
    fn monotonic_ns(&self) -> u64 {
        read(ClockId::Monotonic).cast_unsigned()
    }

    fn wall_offset_ns(&self) -> i64 {
        // A steady answer, so that the wall clock advances evenly with the
        // monotonic one; a new one when the host's wall clock was set.
        let known = self.wall_offset_ns.load(Ordering::Relaxed);
        let now = read(ClockId::Realtime).saturating_sub(read(ClockId::Monotonic));
        if now.saturating_sub(known).saturating_abs() < STEP_NS {
            return known;
        }
        let fresh = measure_wall_offset();
        if fresh.saturating_sub(known).saturating_abs() < STEP_NS {
            // This thread was only interrupted between its two readings.
            return known;
        }
        self.wall_offset_ns.store(fresh, Ordering::Relaxed);
        fresh
    }

    fn counter_frequency(&self) -> u64 {
        1_000_000_000
    }

    fn counter(&self) -> u64 {
        self.monotonic_ns()
    }

    fn cpu_ns(&self) -> u64 {
        read(ClockId::ThreadCPUTime).cast_unsigned()
    }
}

fn read(clock: ClockId) -> i64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
    tv_sec.saturating_mul(1_000_000_000).saturating_add(tv_nsec)
}

/// Wall clock less monotonic clock, from the closest pair of several readings.
fn measure_wall_offset() -> i64 {
    let sample = |_| {
        let before = read(ClockId::Monotonic);
        let wall = read(ClockId::Realtime);
        let spread = read(ClockId::Monotonic).saturating_sub(before);
        (spread, wall.saturating_sub(before).saturating_sub(spread / 2))
    };
    (0..5).map(sample).min().map_or(0, |(_, offset)| offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_is_the_hosts_and_steady() {
        let clock = HostClock::new();
        let offset = clock.wall_offset_ns();
        let ours = i128::from(clock.monotonic_ns()) + i128::from(offset);
        let host = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        assert!((ours - host.cast_signed()).abs() < 50_000_000, "{ours} against {host}");
        assert!((0..1000).all(|_| clock.wall_offset_ns() == offset));
    }

    #[test]
    fn counter_and_monotonic_clock_differ_by_a_constant() {
        let clock = HostClock::new();
        let (a, b, c) = (clock.monotonic_ns(), clock.counter(), clock.monotonic_ns());
        assert!(a <= b && b <= c);
        assert_eq!(clock.counter_frequency(), 1_000_000_000);
    }

    #[test]
    fn processor_time_does_not_pass_while_asleep() {
        let clock = HostClock::new();
        let before = clock.cpu_ns();
        std::thread::sleep(std::time::Duration::from_millis(30));
        assert!(clock.cpu_ns() - before < 20_000_000);
    }
}
