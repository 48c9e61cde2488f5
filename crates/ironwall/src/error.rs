//! How calls fail: refusals leave everything as it was, faults seal the heap.
//!
//! A [`Refusal`] says that the caller asked for what cannot be done. A [`FaultRecord`] says that memory was found
//! damaged; nothing is reclaimed after the first, and every later call is refused with [`Refusal::Sealed`].

use crate::id::Uuid;

/// Why a call did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No room in the heap's region for this object. No collection was made: only the program asks for one.
    OutOfMemory,
    /// A fault sealed the heap.
    Sealed,
    /// A region is unaligned, too small or too large, or the bookkeeping memory is too small.
    BadRegion,
    /// A table's image breaks a rule at a byte offset.
    Image(ImageRule, u32),
    /// No room for another table, entry, slot offset, or global block.
    TooManyTables,
    /// A table with this identity is attached.
    DuplicateTable,
    /// An entry with the same three tags is attached.
    TagsTaken,
    /// A global block does not carry the tags of a global of its own table, or is too short.
    BadGlobal,
    /// An attached unit imports a unit that is not there.
    MissingImport,
    /// An attached unit was compiled for another layout of an imported structure.
    LayoutMismatch,
    /// Units import each other in a circle.
    ImportCycle,
    /// The unit is not attached, or its initialisation has not begun.
    UnitNotAttached,
    /// A unit's body has run, or is running.
    InitTwice,
    /// A unit's body may not run before those of the units it imports.
    InitOutOfOrder,
    /// There is no such entry, or it is of another kind.
    NoSuchEntry,
    /// The entry does not allow this extent.
    BadExtent,
    /// The word does not name a block.
    NotABlock,
    /// The offset is not in the block, or not a multiple of eight.
    BadOffset,
    /// No room for another shadow frame.
    FramesFull,
    /// The frame is not the newest.
    NotNewestFrame,
    /// No room for another handle.
    HandlesFull,
    /// The handle was given up.
    StaleHandle,
}

/// The rule that a table's image breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageRule {
    /// Shorter than a header and a digest, or longer than 16 MiB.
    Length,
    /// Does not begin with the magic number.
    Magic,
    /// Another version of the format, or another order of bytes.
    Version,
    /// The parts do not add up to the whole.
    Size,
    /// A reserved byte is not zero.
    Reserved,
    /// The digest at the end is not that of the bytes before it.
    Digest,
    /// A name is empty, too long, out of bounds, or not printable ASCII.
    Name,
    /// An identity is not that of its names.
    Identity,
    /// Entries or imports are not in ascending order, or one is there twice.
    Order,
    /// An unknown kind, flag or tail.
    Kind,
    /// An extent or a slot's offset is unaligned, out of bounds, or out of order.
    Layout,
    /// A tag is not the hash of its identity.
    Tag,
    /// A layout digest is not that of the layout.
    LayoutDigest,
}

/// What was found damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[non_exhaustive]
pub enum FaultCode {
    /// A reference is outside the heap and no global block.
    OutsideHeap = 1,
    /// A reference is not a multiple of 16, and its holder may not hold plain words.
    Misaligned = 2,
    /// A reference does not name the start of an allocated block.
    NotAllocated = 3,
    /// The confirmation of `tag1` is wrong.
    Tag1Confirm = 4,
    /// No table has an entry with this `tag1`.
    Tag1Unknown = 5,
    /// No table with such an entry has this `tag3`.
    Tag3Wrong = 6,
    /// The table has no entry with this `tag1` and `tag2`.
    Tag2Wrong = 7,
    /// The tags name an entry of another kind.
    KindWrong = 8,
    /// The extent is not one of the entry, or exceeds the slot.
    ExtentWrong = 9,
    /// A frame is outside the shadow stack, or unaligned.
    FrameBounds = 10,
    /// A frame is not above the frame it was pushed after.
    FrameOrder = 11,
}

/// What the collector was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Phase {
    /// Walking shadow frames.
    Frames = 1,
    /// Walking global blocks.
    Globals = 2,
    /// Walking handles.
    Handles = 3,
    /// Marking objects.
    Mark = 4,
}

/// A fault, in a fixed size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct FaultRecord {
    /// What is wrong.
    pub code: FaultCode,
    /// When it was found.
    pub phase: Phase,
    /// The address of the block, or the word that was to be one.
    pub address: u64,
    /// The object that refers to it; zero for a root, and where the search for it found none.
    pub referrer: u64,
    /// The offset of the referring slot in the referrer's payload.
    pub offset: u64,
    /// The number of the frame from the newest, of the global block, or of the handle.
    pub root: u64,
    /// The table of the referrer or the root; nil if unknown.
    pub table: Uuid,
    /// The structure of the referrer or the root; nil if unknown.
    pub structure: Uuid,
}

/// Why there was no collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The call was refused.
    Refused(Refusal),
    /// Damage was found, and the heap is sealed.
    Fault(FaultRecord),
}
