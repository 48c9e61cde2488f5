//! [`RunSet`]: a set of block numbers that are mostly consecutive.

use alloc::collections::BTreeMap;

/// A set of numbers, kept as runs from a start to before an end.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunSet {
    runs: BTreeMap<u32, u32>,
    len: u64,
}

impl RunSet {
    pub(crate) const fn new() -> Self {
        Self { runs: BTreeMap::new(), len: 0 }
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.runs.clear();
        self.len = 0;
    }

    /// The runs as start and length, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.runs.iter().map(|(&start, &end)| (start, end - start))
    }

    /// Adds the `len` numbers from `start` on.
    pub(crate) fn insert(&mut self, start: u32, len: u32) {
        if len == 0 {
            return;
        }
        self.remove(start, len);
        let mut start = start;
        let mut end = start.saturating_add(len);
        self.len += u64::from(end - start);
        if let Some((&before, &before_end)) = self.runs.range(..start).next_back()
            && before_end == start
        {
            self.runs.remove(&before);
            start = before;
        }
        if let Some(after_end) = self.runs.remove(&end) {
            end = after_end;
        }
        self.runs.insert(start, end);
    }

    /// Takes the `len` numbers from `start` on out, as far as they are in.
    pub(crate) fn remove(&mut self, start: u32, len: u32) {
        if len == 0 {
            return;
        }
        let end = start.saturating_add(len);
        while let Some((&run, &run_end)) = self.runs.range(..end).next_back() {
            if run_end <= start {
                break;
            }
            self.runs.remove(&run);
            self.len -= u64::from(run_end - run);
            if run_end > end {
                self.runs.insert(end, run_end);
                self.len += u64::from(run_end - end);
            }
            if run < start {
                self.runs.insert(run, start);
                self.len += u64::from(start - run);
            }
        }
    }

    /// True if `number` is in the set; and for how many numbers from there on,
    /// at most `max`, the answer is the same.
    pub(crate) fn stretch(&self, number: u32, max: u32) -> (bool, u32) {
        if let Some((_, &end)) = self.runs.range(..=number).next_back()
            && end > number
        {
            return (true, (end - number).min(max));
        }
        let next = self.runs.range(number..).next().map_or(u32::MAX, |(&start, _)| start);
        (false, (next - number).min(max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn agrees_with_a_set_of_numbers() {
        let mut runs = RunSet::new();
        let mut model = BTreeSet::new();
        let mut seed = 1_u64;
        for _ in 0..5000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (start, len) = ((seed >> 33) as u32 % 200, (seed >> 50) as u32 % 12);
            if seed >> 63 == 0 {
                runs.insert(start, len);
                model.extend(start..start + len);
            } else {
                runs.remove(start, len);
                model.retain(|n| !(start..start + len).contains(n));
            }
            assert_eq!(runs.len(), model.len() as u64);
            for n in 0..220 {
                assert_eq!(runs.stretch(n, 1).0, model.contains(&n));
            }
            let merged: alloc::vec::Vec<_> = runs.iter().collect();
            assert!(merged.windows(2).all(|w| w[0].0 + w[0].1 < w[1].0), "{merged:?}");
        }
    }
}
