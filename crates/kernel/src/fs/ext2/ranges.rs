//! [`Extents`]: where a file's blocks are, as far as that is known.

use alloc::collections::BTreeMap;
use core::ops::Range;

/// How many runs are remembered at most. Forgetting costs time only.
const MAX_RUNS: usize = 2048;

/// Runs of a file's blocks, each with where the first one is.
#[derive(Debug, Default)]
pub(super) struct Extents {
    /// By the first block: how many, and the first one's place.
    runs: BTreeMap<u64, (u64, u64)>,
    /// What the place goes up by from one block to the next; 0 for a set
    /// whose members have no place.
    step: u64,
}

impl Extents {
    /// Runs of blocks of `step` bytes, with their places on the disk.
    pub(super) fn with_places(step: u64) -> Self {
        Self { runs: BTreeMap::new(), step }
    }

    /// The place of a block, and for how many blocks from there on the places
    /// follow one another.
    pub(super) fn find(&self, block: u64) -> Option<(u64, u64)> {
        let (first, (count, place)) = self.runs.range(..=block).next_back()?;
        let within = block - first;
        (within < *count).then(|| (place + within * self.step, count - within))
    }

    /// True if all of a range is known.
    pub(super) fn covers(&self, range: Range<u64>) -> bool {
        let mut next = range.start;
        while next < range.end {
            match self.find(next) {
                Some((_, count)) => next += count,
                None => return false,
            }
        }
        true
    }

    /// Remembers a run, in place of what was known of its blocks.
    pub(super) fn insert(&mut self, first: u64, count: u64, place: u64) {
        if count == 0 {
            return;
        }
        if self.runs.len() >= MAX_RUNS {
            self.runs.clear();
        }
        self.remove(first..first.saturating_add(count));
        let (mut first, mut count, mut place) = (first, count, place);
        if let Some((before, (before_count, before_place))) = self.runs.range(..first).next_back()
            && before + before_count == first
            && before_place + before_count * self.step == place
        {
            (first, count, place) = (*before, count + before_count, *before_place);
        }
        if let Some((next_count, next_place)) = self.runs.get(&(first + count)).copied()
            && place + count * self.step == next_place
        {
            self.runs.remove(&(first + count));
            count += next_count;
        }
        self.runs.insert(first, (count, place));
    }

    /// Forgets a range of blocks.
    pub(super) fn remove(&mut self, range: Range<u64>) {
        while let Some((first, (count, place))) =
            self.runs.range(..range.end).next_back().map(|(first, run)| (*first, *run))
        {
            let end = first + count;
            if end <= range.start || range.is_empty() {
                break;
            }
            self.runs.remove(&first);
            if end > range.end {
                let cut = range.end - first;
                self.runs.insert(range.end, (count - cut, place + cut * self.step));
            }
            if first < range.start {
                self.runs.insert(first, (range.start - first, place));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_on_the_disk_become_one_run() {
        let mut extents = Extents::with_places(10);
        extents.insert(4, 2, 140);
        extents.insert(0, 4, 100);
        extents.insert(6, 1, 500);
        assert_eq!(extents.find(1), Some((110, 5)));
        assert_eq!(extents.find(6), Some((500, 1)));
        assert_eq!(extents.find(7), None);
        assert!(extents.covers(0..7) && !extents.covers(0..8));
    }

    #[test]
    fn what_is_removed_is_cut_out_of_its_run() {
        let mut extents = Extents::with_places(10);
        extents.insert(0, 10, 0);
        extents.remove(3..5);
        assert_eq!((extents.find(2), extents.find(3), extents.find(5)), (Some((20, 1)), None, Some((50, 5))));
        extents.remove(1..u64::MAX);
        assert_eq!((extents.find(0), extents.find(1)), (Some((0, 1)), None));
    }

    #[test]
    fn a_set_joins_whatever_is_next_to_it() {
        let mut set = Extents::default();
        set.insert(5, 5, 0);
        set.insert(0, 5, 0);
        assert!(set.covers(0..10));
        set.insert(3, 20, 0);
        assert!(set.covers(0..23) && !set.covers(22..24));
    }
}
