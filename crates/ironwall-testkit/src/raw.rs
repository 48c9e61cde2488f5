//! Words of memory that a runtime has: what an overflow in a program can reach, and the collector cannot prevent.

use ironwall::Region;

/// The words of a region that was given to a runtime.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw {
    base: *mut u64,
    len: usize,
}

impl Raw {
    /// The words of a region. They may be used as long as the region's memory is there, between calls of the runtime
    /// that has it, in one thread. The worlds of this crate keep to that: they hold both, and are not `Send`.
    pub(crate) fn of(region: &Region<'_>) -> Self {
        Self { base: region.pointer(0).cast(), len: region.byte_len() / 8 }
    }

    /// How many words there are.
    pub(crate) fn len(self) -> usize {
        self.len
    }

    /// A word; zero outside.
    pub(crate) fn read(self, at: usize) -> u64 {
        if at >= self.len {
            return 0;
        }
        // SAFETY: the word is in the region, which is readable and aligned to words; no call uses it now.
        unsafe { self.base.add(at).read() }
    }

    /// Overwrites a word; nothing outside.
    pub(crate) fn write(self, at: usize, word: u64) {
        if at < self.len {
            // SAFETY: as in `read`, and the region is writable.
            unsafe { self.base.add(at).write(word) }
        }
    }
}
