//! Signals that have come and are not yet taken.

use alloc::collections::VecDeque;

use crate::signal::{Info, InfoFields, Number, Set};

/// Pending signals of a thread or of a process.
///
/// An ordinary signal is pending at most once; real-time signals queue.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    queue: VecDeque<Info>,
    set: Set,
}

/// How many signals may be queued at one place (`RLIMIT_SIGPENDING`'s part in
/// Linux); further real-time signals are refused.
const LIMIT: usize = 4096;

impl Pending {
    /// The signals that are pending.
    #[must_use]
    pub fn set(&self) -> Set {
        self.set
    }

    /// Adds a signal; false if a real-time signal found the queue full.
    pub fn push(&mut self, info: Info) -> bool {
        if info.signal.get() < Number::RT_MIN && self.set.contains(info.signal) {
            return true;
        }
        if info.signal.get() >= Number::RT_MIN && self.queue.len() >= LIMIT {
            return false;
        }
        self.set.insert(info.signal);
        self.queue.push_back(info);
        true
    }

    /// Takes the first signal out of `wanted`, lowest number first and, for
    /// one number, in the order of arrival. Synchronous faults come first.
    pub fn take(&mut self, wanted: Set) -> Option<Info> {
        const FAULTS: Set = Set(1 << 10 | 1 << 6 | 1 << 3 | 1 << 4 | 1 << 7 | 1 << 30);
        let ready = Set(self.set.0 & wanted.0);
        let signal = Set(ready.0 & FAULTS.0).first().or_else(|| ready.first())?;
        let index = self.queue.iter().position(|info| info.signal == signal)?;
        let info = self.queue.remove(index)?;
        if !self.queue.iter().any(|other| other.signal == signal) {
            self.set.remove(signal);
        }
        Some(info)
    }

    /// Adds to the overrun of a POSIX timer's signal that is pending, and gives
    /// the sum; `None` if none is.
    pub fn add_overrun(&mut self, signal: Number, timer: i32, further: i32) -> Option<i32> {
        self.queue.iter_mut().filter(|info| info.signal == signal).find_map(|info| match &mut info.fields {
            InfoFields::Timer { id, overrun, .. } if *id == timer => {
                *overrun = overrun.saturating_add(further);
                Some(*overrun)
            }
            _ => None,
        })
    }

    /// Drops every signal of a set.
    pub fn discard(&mut self, unwanted: Set) {
        self.queue.retain(|info| !unwanted.contains(info.signal));
        self.set = self.set.without(unwanted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(number: u64) -> Info {
        Info::kernel(Number::new(number).unwrap())
    }

    #[test]
    fn ordinary_signals_merge_and_real_time_signals_queue() {
        let mut pending = Pending::default();
        for number in [10, 10, 40, 40] {
            assert!(pending.push(signal(number)));
        }
        let all = Set(u64::MAX);
        let taken: alloc::vec::Vec<u8> =
            core::iter::from_fn(|| pending.take(all)).map(|info| info.signal.get()).collect();
        assert_eq!(taken, [10, 40, 40]);
        assert!(pending.set().is_empty());
    }

    #[test]
    fn a_fault_comes_before_a_lower_number() {
        let mut pending = Pending::default();
        pending.push(signal(1));
        pending.push(signal(11));
        assert_eq!(pending.take(Set(u64::MAX)).unwrap().signal, Number::SIGSEGV);
    }

    #[test]
    fn blocked_signals_stay() {
        let mut pending = Pending::default();
        pending.push(signal(1));
        assert!(pending.take(Set::of(Number::SIGINT)).is_none());
        assert!(pending.set().contains(Number::SIGHUP));
    }
}
