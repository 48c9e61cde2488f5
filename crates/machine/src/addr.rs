//! Guest virtual addresses and page arithmetic.

use core::fmt;

/// Bytes in a guest page, and in a frame.
pub const PAGE_SIZE: u64 = 4096;
/// log2 of [`PAGE_SIZE`].
pub const PAGE_SHIFT: u32 = 12;
/// The first address above the 48-bit user half.
pub const ADDRESS_LIMIT: u64 = 1 << 48;

/// An address in a guest's virtual address space, as the guest wrote it.
///
/// The top byte is ignored by EL0 loads and stores on Linux (`TBI0`); use
/// [`GuestAddr::untagged`] before looking a page up.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuestAddr(pub u64);

impl GuestAddr {
    /// The address without its top byte.
    #[must_use]
    pub const fn untagged(self) -> u64 {
        self.0 & 0x00ff_ffff_ffff_ffff
    }

    /// The address `n` bytes further on, wrapping at 2^64.
    #[must_use]
    pub const fn add(self, n: u64) -> Self {
        Self(self.0.wrapping_add(n))
    }

    /// True for the null pointer.
    #[must_use]
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for GuestAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Display for GuestAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// Rounds `addr` down to a page boundary.
#[must_use]
pub const fn page_floor(addr: u64) -> u64 {
    addr & !(PAGE_SIZE - 1)
}

/// Rounds `addr` up to a page boundary; `None` when that passes 2^64.
#[must_use]
pub const fn page_ceil(addr: u64) -> Option<u64> {
    match addr.checked_add(PAGE_SIZE - 1) {
        Some(end) => Some(page_floor(end)),
        None => None,
    }
}
