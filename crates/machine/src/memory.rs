//! Frames and page tables.

use core::ops::{BitOr, Range};

/// There is no frame left within the machine's memory limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

/// A 4 KiB frame of guest memory, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Frame(pub u32);

/// The frames of a machine, within a hard limit.
///
/// Bytes are copied in and out; no reference to a frame's contents exists.
/// Reference counts are the kernel's business: to the pool a frame is
/// allocated or free. Copies race with guest stores as on hardware: each
/// aligned 8-byte word is read or written whole.
pub trait FramePool: Send + Sync {
    /// Frames in all; frame numbers are below this.
    fn total(&self) -> usize;

    /// Frames that are free now.
    fn free_count(&self) -> usize;

    /// Takes a frame, filled with zero bytes.
    ///
    /// # Errors
    /// When none is left.
    fn alloc(&self) -> Result<Frame, NoMemory>;

    /// Gives a frame back. No page table maps it any more.
    fn free(&self, frame: Frame);

    /// Copies from `offset` of the frame into `buf`.
    ///
    /// # Panics
    /// If the range leaves the frame.
    fn read(&self, frame: Frame, offset: usize, buf: &mut [u8]);

    /// Copies `bytes` into the frame at `offset`. Instruction fetch sees them.
    ///
    /// # Panics
    /// If the range leaves the frame.
    fn write(&self, frame: Frame, offset: usize, bytes: &[u8]);

    /// Copies a whole frame; the bytes of `to` before it are of no interest.
    fn copy(&self, from: Frame, to: Frame);

    /// Atomically reads the aligned 32-bit word at `offset`.
    fn load_u32(&self, frame: Frame, offset: usize) -> u32;

    /// Atomically replaces the aligned 32-bit word at `offset` if it is
    /// `expected`; gives what was there, `Ok` if it was replaced.
    ///
    /// # Errors
    /// The word that was there instead.
    fn compare_exchange_u32(&self, frame: Frame, offset: usize, expected: u32, new: u32) -> Result<u32, u32>;
}

/// What EL0 may do with a page. A page without [`Prot::READ`] is not readable.
///
/// [`Prot::GUARDED`] allows nothing: it restricts where branches may lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prot(u8);

impl Prot {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Loads.
    pub const READ: Self = Self(1);
    /// Stores.
    pub const WRITE: Self = Self(2);
    /// Instruction fetch.
    pub const EXEC: Self = Self(4);
    /// Branches to registers must lead to landing pads (FEAT_BTI).
    pub const GUARDED: Self = Self(8);

    /// The bits: 1 read, 2 write, 4 execute (as `PROT_READ` and its fellows),
    /// 8 guarded.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From bits; others than the four are dropped.
    #[must_use]
    pub const fn from_bits_truncate(bits: u8) -> Self {
        Self(bits & 15)
    }

    /// True if no access is allowed.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 & 7 == 0
    }

    /// True if something that `old` permits is no longer permitted, so that
    /// translations from before must not stay in use.
    #[must_use]
    pub const fn restricts(self, old: Self) -> bool {
        old.0 & 7 & !self.0 != 0 || self.0 & !old.0 & Self::GUARDED.0 != 0
    }

    /// True if all of `other` is allowed.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// This without `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Prot {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// One present page-table entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The frame.
    pub frame: Frame,
    /// What is allowed.
    pub prot: Prot,
    /// The page was written through this entry since it was mapped. A machine
    /// may report it late, but not after the flush that ends the mapping.
    pub dirty: bool,
}

/// Pages whose old translations may still be in use somewhere. Must be handed
/// to [`PageTable::flush`] before the frames are reused or the change is
/// reported to the guest as done.
#[must_use = "stale translations stay in use until the token is flushed"]
#[derive(Debug, Default)]
pub struct FlushToken {
    range: Option<(u64, u64)>,
}

impl FlushToken {
    /// A token for nothing.
    pub const fn none() -> Self {
        Self { range: None }
    }

    /// A token for the bytes `start..end`.
    pub const fn pages(start: u64, end: u64) -> Self {
        Self { range: Some((start, end)) }
    }

    /// One token for both.
    pub fn merge(self, other: Self) -> Self {
        let range = match (self.range, other.range) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (range, None) | (None, range) => range,
        };
        Self { range }
    }

    /// The address range that covers everything stale.
    #[must_use]
    pub fn range(&self) -> Option<Range<u64>> {
        self.range.map(|(start, end)| start..end)
    }
}

/// The page table of one address space. Addresses are untagged, below
/// [`crate::ADDRESS_LIMIT`], and multiples of [`crate::PAGE_SIZE`].
///
/// The kernel changes a table under its own lock for that address space;
/// CPUs walk it at any time without one.
pub trait PageTable: Send + Sync {
    /// Maps one page, in place of what was there.
    ///
    /// # Errors
    /// When there is no memory for the table itself; nothing has changed then.
    fn map(&self, addr: u64, frame: Frame, prot: Prot) -> Result<FlushToken, NoMemory>;

    /// Removes the entries in a range and tells each one that was there.
    fn unmap(&self, range: Range<u64>, removed: &mut dyn FnMut(u64, Mapping)) -> FlushToken;

    /// Replaces what is allowed for each page present in a range by
    /// `change(addr, mapping)`.
    fn protect(&self, range: Range<u64>, change: &mut dyn FnMut(u64, Mapping) -> Prot) -> FlushToken;

    /// Tells each page present in a range, in ascending order. `visit` may not
    /// call the table.
    fn for_each(&self, range: Range<u64>, visit: &mut dyn FnMut(u64, Mapping));

    /// The entry for the page that holds `addr`.
    fn translate(&self, addr: u64) -> Option<Mapping>;

    /// Returns once no CPU uses a translation older than the token.
    fn flush(&self, token: FlushToken);

    /// For the machine that made it to find its own type again.
    fn as_any(&self) -> &dyn core::any::Any;
}
