//! Arrays out of the bookkeeping memory that the caller gave.
//!
//! They are handed out once, at the start, as ordinary slices; from then on the compiler checks their use.

use core::ops::{Deref, DerefMut};

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

    /// `count` values.
    pub(crate) fn filled<T>(&mut self, count: usize, value: impl Fn() -> T) -> Option<&'m mut [T]> {
        const { assert!(align_of::<T>() <= 8) };
        let words = self.words(words_of::<T>(count))?;
        let start = words.as_mut_ptr().cast::<T>();
        for i in 0..count {
            // SAFETY: (1) the words hold `count` values; (2) their alignment is at least that of `T`.
            unsafe { start.add(i).write(value()) };
        }
        // SAFETY: as above; all `count` values are written, and nobody else has the words for `'m`.
        Some(unsafe { core::slice::from_raw_parts_mut(start, count) })
    }
}

/// An array that fills from the front. It has the elements that are there; all places are in `places`.
#[derive(Debug)]
pub(crate) struct List<'m, T> {
    pub(crate) places: &'m mut [T],
    len: usize,
}

impl<'m, T> List<'m, T> {
    pub(crate) fn new(places: &'m mut [T]) -> Self {
        Self { places, len: 0 }
    }

    pub(crate) fn has_room(&self, count: usize) -> bool {
        count <= self.places.len() - self.len
    }

    /// Inserts a value; there is room for it.
    pub(crate) fn insert(&mut self, at: usize, value: T) {
        self.places[self.len] = value;
        self.len += 1;
        self.places[at..self.len].rotate_right(1);
    }

    /// Adds a value behind the last; there is room for it.
    pub(crate) fn push(&mut self, value: T) {
        self.insert(self.len, value);
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = len;
    }
}

impl<T> Deref for List<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.places[..self.len]
    }
}

impl<T> DerefMut for List<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.places[..self.len]
    }
}

/// How many words hold `count` values; more than there can be, if that is too much to count.
pub(crate) fn words_of<T>(count: usize) -> usize {
    count.saturating_mul(size_of::<T>()).div_ceil(8)
}
