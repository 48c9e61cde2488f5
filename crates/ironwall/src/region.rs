//! All raw memory of the runtime: regions that the caller gave, read and written by checked offsets.
//!
//! This module and [`crate::carve`] hold all `unsafe` of the crate. A region's memory is only ever touched through
//! its raw pointer, one aligned word or one checked range at a time, so what a damaged reference can do is bounded
//! here and nowhere else.

use core::marker::PhantomData;

/// A range of memory that a runtime may use for `'m`: a heap, a shadow stack, or a global block.
///
/// It cannot be copied, so that safe code cannot give the same memory to two runtimes:
/// ```compile_fail
/// let mut words = [0; 8];
/// let region = ironwall::Region::from_words(&mut words);
/// let _ = (region, region);
/// ```
/// It may go to another thread, and so may the runtime that has it. It is not `Sync`: a runtime belongs to one thread
/// at a time.
#[derive(Debug)]
pub struct Region<'m> {
    base: *mut u8,
    len: usize,
    memory: PhantomData<&'m mut [u64]>,
}

// SAFETY: (1) a region made from words has them alone for `'m`, as if it were that `&mut [u64]`, which is `Send`;
// (2) who makes one from a pointer promises that no other thread uses the memory during a call of the runtime that has
// the region; (3) copies exist only inside one runtime ([`Region::alias`]), and move with it.
unsafe impl Send for Region<'_> {}

impl<'m> Region<'m> {
    /// A region of nothing.
    pub(crate) const EMPTY: Self = Self { base: core::ptr::without_provenance_mut(8), len: 0, memory: PhantomData };

    /// A region of words that the caller lends.
    pub fn from_words(words: &'m mut [u64]) -> Self {
        Self { len: words.len() * 8, base: words.as_mut_ptr().cast(), memory: PhantomData }
    }

    /// A region that also others use: a compiled program's heap, its native stack, its globals.
    ///
    /// # Safety
    /// `base` is a multiple of 8. The `len` bytes from it can be read and written for `'m`, except guard pages that
    /// [`crate::PageCall::Protect`] made. While a call of the runtime that has the region runs, no Rust reference to
    /// them is used, no other thread uses them, and no call of another runtime with a region that overlaps runs.
    pub unsafe fn from_raw(base: *mut u8, len: usize) -> Self {
        Self { base, len, memory: PhantomData }
    }

    /// The same memory once more, for another part of the runtime that has it.
    #[inline]
    pub(crate) fn alias(&self) -> Self {
        Self { ..*self }
    }

    /// The length in bytes.
    #[inline]
    pub fn byte_len(&self) -> usize {
        self.len
    }

    /// The address of the byte at `offset`.
    #[inline]
    pub fn address(&self, offset: usize) -> u64 {
        (self.base.addr() as u64).wrapping_add(offset as u64)
    }

    /// The pointer to the byte at `offset`; to the end, if that is outside.
    pub fn pointer(&self, offset: usize) -> *mut u8 {
        let offset = offset.min(self.len);
        // SAFETY: the offset is at most the length of the region, which is one object.
        unsafe { self.base.add(offset) }
    }

    /// The offset of an address, if it is inside.
    #[inline]
    pub fn offset(&self, address: u64) -> Option<usize> {
        let offset = address.wrapping_sub(self.base.addr() as u64);
        (offset < self.len as u64).then_some(offset as usize)
    }

    /// The word at `offset`, rounded down to a multiple of eight; zero outside.
    #[inline]
    pub(crate) fn load(&self, offset: usize) -> u64 {
        let [word] = self.load_words(offset);
        word
    }

    /// The words at `offset`, rounded down to a multiple of eight; zeros if not all are inside.
    #[inline]
    pub(crate) fn load_words<const N: usize>(&self, offset: usize) -> [u64; N] {
        let offset = offset & !7;
        if !self.holds(offset, N * 8) {
            return [0; N];
        }
        // SAFETY: (1) the bytes are in the region, which is readable; (2) base and offset are multiples of 8, the
        // alignment of words; (3) any bits are words.
        unsafe { self.base.add(offset).cast::<[u64; N]>().read() }
    }

    /// Writes words at `offset`, rounded down to a multiple of eight; nothing if not all are inside.
    #[inline]
    pub(crate) fn store_words<const N: usize>(&self, offset: usize, words: [u64; N]) {
        let offset = offset & !7;
        if self.holds(offset, N * 8) {
            // SAFETY: as in `load_words`, and the region is writable.
            unsafe { self.base.add(offset).cast::<[u64; N]>().write(words) }
        }
    }

    /// Fills a range with zeros; nothing if it is not wholly inside.
    #[inline]
    pub(crate) fn zero(&self, offset: usize, len: usize) {
        if self.holds(offset, len) {
            // SAFETY: the range is in the region, which is writable, and bytes have no alignment.
            unsafe { self.base.add(offset).write_bytes(0, len) }
        }
    }

    /// Asks the processor to bring the bytes at `offset` nearer. It never faults and never changes anything.
    #[inline]
    pub(crate) fn prefetch(&self, offset: usize) {
        let _pointer = self.base.wrapping_add(offset);
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        // SAFETY: every x86_64 has SSE, and a prefetch of any address does not fault.
        unsafe {
            core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(_pointer.cast());
        }
        #[cfg(all(target_arch = "aarch64", not(miri)))]
        // SAFETY: PRFM does not fault, and changes neither memory nor flags.
        unsafe {
            core::arch::asm!("prfm pldl1keep, [{0}]", in(reg) _pointer, options(nostack, readonly, preserves_flags));
        }
    }

    /// Whether `len` bytes at `offset` are inside.
    #[inline]
    fn holds(&self, offset: usize, len: usize) -> bool {
        len <= self.len && offset <= self.len - len
    }
}
