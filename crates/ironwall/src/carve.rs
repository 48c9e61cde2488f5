//! Arrays out of the bookkeeping memory that the caller gave.
//!
//! They are handed out once, at the start, as ordinary slices; from then on the compiler checks their use.

/// What is left of the bookkeeping memory.
#[derive(Debug)]
pub(crate) struct Carver<'m> {
    rest: &'m mut [u64],
}

impl<'m> Carver<'m> {
    pub(crate) fn new(rest: &'m mut [u64]) -> Self {
        Self { rest }
    }

    /// `count` words, whatever was in them.
    pub(crate) fn words(&mut self, count: usize) -> Option<&'m mut [u64]> {
        let (words, rest) = core::mem::take(&mut self.rest).split_at_mut_checked(count)?;
        self.rest = rest;
        Some(words)
    }

    /// `count` half words, whatever was in them. They are not touched, so those never used cost no memory.
    pub(crate) fn halves(&mut self, count: usize) -> Option<&'m mut [u32]> {
        let words = self.words(count.div_ceil(2))?;
        // SAFETY: (1) the words are borrowed for `'m` and given to nobody else; (2) twice as many half words fill
        // them exactly, and `count` is at most that; (3) any bits are a `u32`, whose alignment is smaller.
        Some(unsafe { core::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), count) })
    }

    /// `count` values, all equal to `value`.
    pub(crate) fn filled<T: Copy>(&mut self, count: usize, value: T) -> Option<&'m mut [T]> {
        const { assert!(align_of::<T>() <= 8) };
        let words = self.words(words_of::<T>(count))?;
        let start = words.as_mut_ptr().cast::<T>();
        for i in 0..count {
            // SAFETY: (1) the words hold `count` values; (2) their alignment is at least that of `T`.
            unsafe { start.add(i).write(value) };
        }
        // SAFETY: as above; all `count` values are written, and nobody else has the words for `'m`.
        Some(unsafe { core::slice::from_raw_parts_mut(start, count) })
    }
}

/// How many words hold `count` values; more than there can be, if that is too much to count.
pub(crate) fn words_of<T>(count: usize) -> usize {
    count.saturating_mul(size_of::<T>()).div_ceil(8)
}
