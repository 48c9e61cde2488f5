//! Where `RNDR` gets its numbers.

use core::fmt;

/// Fills a buffer with unpredictable bytes.
pub type FillRandom = fn(&mut [u8]);

/// Numbers taken at a time: one call of the host serves that many reads.
const STOCK: usize = 32;

/// A CPU's stock of random numbers, each of which is given away once.
pub(crate) struct Entropy {
    source: Option<FillRandom>,
    stock: [u64; STOCK],
    /// How many of the stock are left; they are at its start.
    left: usize,
}

impl Entropy {
    /// Without a source there are no numbers.
    pub(crate) const fn new() -> Self {
        Self { source: None, stock: [0; STOCK], left: 0 }
    }

    /// Takes numbers from `source` from now on.
    pub(crate) fn set_source(&mut self, source: FillRandom) {
        self.source = Some(source);
        self.left = 0;
    }

    /// The next number, from the source itself with `fresh`; `None` without a source.
    pub(crate) fn next(&mut self, fresh: bool) -> Option<u64> {
        let source = self.source?;
        if self.left == 0 || fresh {
            let mut bytes = [0; STOCK * 8];
            source(&mut bytes);
            for (number, bytes) in self.stock.iter_mut().zip(bytes.as_chunks::<8>().0) {
                *number = u64::from_le_bytes(*bytes);
            }
            self.left = STOCK;
        }
        self.left -= 1;
        Some(core::mem::take(&mut self.stock[self.left]))
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entropy").field("left", &self.left).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Counts up, from a start of each test's own.
    fn count(counter: &AtomicU64, buf: &mut [u8]) {
        for chunk in buf.chunks_mut(8) {
            chunk.copy_from_slice(&counter.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        }
    }

    #[test]
    fn without_a_source_there_are_no_numbers() {
        assert_eq!((Entropy::new().next(false), Entropy::new().next(true)), (None, None));
    }

    #[test]
    fn no_number_is_given_twice() {
        static COUNTER: AtomicU64 = AtomicU64::new(1);
        let mut entropy = Entropy::new();
        entropy.set_source(|buf| count(&COUNTER, buf));
        let numbers: std::collections::BTreeSet<_> = (0..1000).filter_map(|n| entropy.next(n % 7 == 0)).collect();
        assert_eq!(numbers.len(), 1000);
    }

    #[test]
    fn a_fresh_number_was_not_in_stock() {
        static COUNTER: AtomicU64 = AtomicU64::new(1);
        let mut entropy = Entropy::new();
        entropy.set_source(|buf| count(&COUNTER, buf));
        assert!(entropy.next(false).is_some_and(|n| n <= STOCK as u64));
        assert!(entropy.next(true).is_some_and(|n| n > STOCK as u64));
    }
}
