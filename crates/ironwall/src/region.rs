//! All raw memory of the runtime: regions that the caller gave, read and written by checked offsets.
//!
//! This module and [`crate::carve`] hold all `unsafe` of the crate. A region's memory is only ever touched through
//! its raw pointer, one aligned word or one checked range at a time, so what a damaged reference can do is bounded
//! here and nowhere else.

use core::marker::PhantomData;

/// A range of memory that a runtime may use for `'m`: a heap, a shadow stack, or a global block.
///
/// It is neither `Send` nor `Sync`, like everything made from it: a runtime belongs to one thread at a time.
#[derive(Clone, Copy, Debug)]
pub struct Region<'m> {
    base: *mut u8,
    len: usize,
    memory: PhantomData<&'m mut [u64]>,
}

impl<'m> Region<'m> {
    /// A region of nothing.
    pub(crate) const EMPTY: Self = Self { base: core::ptr::without_provenance_mut(8), len: 0, memory: PhantomData };

    /// A region of words that the caller lends.
    #[must_use]
    pub fn from_words(words: &'m mut [u64]) -> Self {
        Self { len: words.len() * 8, base: words.as_mut_ptr().cast(), memory: PhantomData }
    }

    /// A region that also others use: a compiled program's heap, its native stack, its globals.
    ///
    /// # Safety
    /// `base` is a multiple of 8. The `len` bytes from it can be read and written for `'m`, except guard pages that
    /// [`crate::PageCall::Protect`] made. No Rust reference to them is used while a call of the runtime runs, and no
    /// other thread writes them during one.
    #[must_use]
    pub unsafe fn from_raw(base: *mut u8, len: usize) -> Self {
        Self { base, len, memory: PhantomData }
    }

    /// The length in bytes.
    #[inline]
    #[must_use]
    pub fn byte_len(self) -> usize {
        self.len
    }

    /// The address of the byte at `offset`.
    #[inline]
    #[must_use]
    pub fn address(self, offset: usize) -> u64 {
        (self.base.addr() as u64).wrapping_add(offset as u64)
    }

    /// The pointer to the byte at `offset`; to the end, if that is outside.
    #[must_use]
    pub fn pointer(self, offset: usize) -> *mut u8 {
        let offset = offset.min(self.len);
        // SAFETY: the offset is at most the length of the region, which is one object.
        unsafe { self.base.add(offset) }
    }

    /// The offset of an address, if it is inside.
    #[inline]
    #[must_use]
    pub fn offset(self, address: u64) -> Option<usize> {
        let offset = address.wrapping_sub(self.base.addr() as u64);
        (offset < self.len as u64).then_some(offset as usize)
    }

    /// The word at `offset`, rounded down to a multiple of eight; zero outside.
    #[inline]
    pub(crate) fn load(self, offset: usize) -> u64 {
        let [word] = self.load_words(offset);
        word
    }

    /// The words at `offset`, rounded down to a multiple of eight; zeros if not all are inside.
    #[inline]
    pub(crate) fn load_words<const N: usize>(self, offset: usize) -> [u64; N] {
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
    pub(crate) fn store_words<const N: usize>(self, offset: usize, words: [u64; N]) {
        let offset = offset & !7;
        if self.holds(offset, N * 8) {
            // SAFETY: as in `load_words`, and the region is writable.
            unsafe { self.base.add(offset).cast::<[u64; N]>().write(words) }
        }
    }

    /// Fills a range with zeros; nothing if it is not wholly inside.
    #[inline]
    pub(crate) fn zero(self, offset: usize, len: usize) {
        if self.holds(offset, len) {
            // SAFETY: the range is in the region, which is writable, and bytes have no alignment.
            unsafe { self.base.add(offset).write_bytes(0, len) }
        }
    }

    /// Asks the processor to bring the bytes at `offset` nearer. It never faults and never changes anything.
    #[inline]
    pub(crate) fn prefetch(self, offset: usize) {
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
    fn holds(self, offset: usize, len: usize) -> bool {
        len <= self.len && offset <= self.len - len
    }
}
