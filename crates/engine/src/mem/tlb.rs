//! The software TLB of one CPU.
//!
//! Reads and writes have separate direct-mapped tables. An entry holds the
//! page address exactly as the guest wrote it, its top byte included, so the
//! inline check need not strip a tag; an address with another tag takes the
//! slow path once and replaces the entry.

/// Entries per table.
pub(crate) const TLB_ENTRIES: usize = 256;

/// A page that may be accessed without further checks.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub(crate) struct TlbEntry {
    /// The page's address, or [`TlbEntry::EMPTY`]'s odd number.
    pub(crate) tag: u64,
    /// What to add to the guest's address for the host's.
    pub(crate) addend: u64,
}

impl TlbEntry {
    /// Matches no address: no page address is odd.
    pub(crate) const EMPTY: Self = Self { tag: 1, addend: 0 };
}

/// One direct-mapped table.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Tlb(pub(crate) [TlbEntry; TLB_ENTRIES]);

impl Tlb {
    /// An empty table.
    pub(crate) const fn new() -> Self {
        Self([TlbEntry::EMPTY; TLB_ENTRIES])
    }

    /// The entry that serves `addr`.
    #[inline(always)]
    pub(crate) fn index(addr: u64) -> usize {
        (addr >> machine::PAGE_SHIFT) as usize & (TLB_ENTRIES - 1)
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.0.fill(TlbEntry::EMPTY);
    }
}
