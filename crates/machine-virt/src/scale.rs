//! From counter ticks to nanoseconds and back.

/// A counter's frequency, prepared for conversion without division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    frequency: u64,
    /// Nanoseconds in a tick, as a fraction of 2^[`SHIFT`].
    ns_per_tick: u128,
}

/// With this, the error of a year's conversion is below a nanosecond, and the
/// product of 64 bits of ticks with `ns_per_tick` fits 128 bits down to 1 Hz.
const SHIFT: u32 = 32;
const NS_PER_S: u64 = 1_000_000_000;

impl Scale {
    /// For a counter of `frequency` hertz; 0 counts as 1.
    #[must_use]
    pub const fn new(frequency: u64) -> Self {
        let frequency = if frequency == 0 { 1 } else { frequency };
        Self { frequency, ns_per_tick: ((NS_PER_S as u128) << SHIFT) / frequency as u128 }
    }

    /// The counter's frequency in hertz.
    #[must_use]
    pub const fn frequency(self) -> u64 {
        self.frequency
    }

    /// Nanoseconds that `ticks` take, rounded down.
    #[must_use]
    pub const fn to_ns(self, ticks: u64) -> u64 {
        ((ticks as u128 * self.ns_per_tick) >> SHIFT) as u64
    }

    /// The fewest ticks that take at least `ns`.
    #[must_use]
    pub const fn to_ticks(self, ns: u64) -> u64 {
        // The inverse of `to_ns`, not of the exact ratio: a timer that is set
        // for these ticks finds its deadline passed when it fires.
        let ticks = ((ns as u128) << SHIFT).div_ceil(self.ns_per_tick);
        if ticks > u64::MAX as u128 { u64::MAX } else { ticks as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_frequencies_convert_exactly() {
        assert_eq!(Scale::new(62_500_000).to_ns(62_500_000 * 3600), 3600 * NS_PER_S);
        assert_eq!(Scale::new(1_000_000_000).to_ns(12345), 12345);
    }

    #[test]
    fn a_deadline_has_passed_when_its_ticks_have() {
        for frequency in [1, 32_768, 19_200_000, 24_000_000, 62_500_000, 999_999_937, 1_000_000_000] {
            let scale = Scale::new(frequency);
            for ns in [0, 1, 15, 16, 17, 999, 10_000_000, NS_PER_S * 86_400 * 365] {
                let ticks = scale.to_ticks(ns);
                assert!(scale.to_ns(ticks) >= ns, "{frequency} Hz, {ns} ns");
                assert!(ticks == 0 || scale.to_ns(ticks - 1) < ns, "{frequency} Hz, {ns} ns");
            }
        }
    }

    #[test]
    fn extremes_do_not_overflow() {
        let scale = Scale::new(1_000_000_000);
        assert_eq!(scale.to_ticks(u64::MAX), u64::MAX);
        assert_eq!(Scale::new(0).frequency(), 1);
    }
}
