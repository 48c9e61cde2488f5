//! The structures that C and the runtime share. Their layout is the interface; it only grows at the end.
//!
//! Structures that a caller passes begin with their size, which [`check_size`] compares, so that a program and a
//! library of different versions notice. What a slot holds is a [`Ref`].

use crate::heap::Runtime;
use crate::status::{IW_BAD_SIZE, Status};
use std::ffi::{c_char, c_void};

/// The version of this interface: major in the upper half, minor in the lower. Programs and library agree if the
/// major ones are equal and the library's minor one is not smaller.
pub const IW_ABI_VERSION: u32 = 1 << 16;

/// A reference: the address of a block's prefix, or zero. It is what slots hold.
pub type Ref = u64;
/// The number of an attached entry in a heap; zero is none.
pub type EntryNumber = u32;
/// A counted root that the host holds; zero is none.
pub type HandleNumber = u64;

/// The number of a shadow stack of a heap; zero is the heap's own.
pub type StackNumber = u32;

/// Collect at every host point and at every `iw_may_collect`.
pub const IW_ZEAL_POINTS: u32 = 1;
/// Collect at every allocation too, before the object is made.
pub const IW_ZEAL_ALLOCATIONS: u32 = 2;
/// Leave dead objects as they are, and fill memory with zeros when it is used again.
pub const IW_NO_WIPE: u32 = 4;
/// The caller's heap region holds zeros.
pub const IW_HEAP_IS_ZEROED: u32 = 8;
/// All flags of a configuration.
pub(crate) const FLAGS: u32 = IW_ZEAL_POINTS | IW_ZEAL_ALLOCATIONS | IW_NO_WIPE | IW_HEAP_IS_ZEROED;

/// The program itself asked for the collection.
pub const IW_ORIGIN_PROGRAM: u32 = 1;
/// The program's host asked for it.
pub const IW_ORIGIN_HOST: u32 = 2;

/// A heap object.
pub const IW_KIND_HEAP: u32 = 1;
/// A shadow frame.
pub const IW_KIND_FRAME: u32 = 2;
/// A global block.
pub const IW_KIND_GLOBAL: u32 = 3;

/// Explain with lines for people.
pub const IW_EXPLAIN_TEXT: u32 = 1;
/// Explain with JSON.
pub const IW_EXPLAIN_JSON: u32 = 2;

/// The reason of the collections that zeal makes: "zeal".
pub const IW_REASON_ZEAL: u64 = 0x6c61_657a;
/// What zeal fills dead objects with. It is no reference, no odd word, and no address of anything.
pub const IW_POISON: u64 = 0xdead_f1ee_dead_f1ea;

/// What stands before every payload: three tags, and the extent of the payload in bytes. In a frame the last word
/// is the address of the frame before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Prefix {
    /// A hash of the structure and its confirmation.
    pub tag1: u64,
    /// Another hash of the structure.
    pub tag2: u64,
    /// A hash of the table.
    pub tag3: u64,
    /// The extent of the payload; in a frame, the frame before.
    pub word: u64,
}

/// Where the next object of a size goes.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Cursor {
    /// The address of the next object.
    pub next: u64,
    /// The end of the hole.
    pub end: u64,
}

/// What allocation has to know of an entry.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Shape {
    /// The tags of the prefix.
    pub tag1: u64,
    /// The second.
    pub tag2: u64,
    /// The third.
    pub tag3: u64,
    /// The extent of an object without a tail.
    pub fixed: u64,
    /// The bytes of its slot; zero if it has to be allocated by a call.
    pub slot: u32,
    /// The number of its cursor.
    pub size_class: u32,
}

/// What every heap begins with; the inline functions use it, and nothing else should.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Fast {
    /// The newest shadow frame.
    pub newest_frame: u64,
    /// The shapes of all entries, by number.
    pub shapes: *const Shape,
    /// The distance from one shape to the next in bytes.
    pub shape_size: u64,
    /// The cursors by size.
    pub cursors: [Cursor; 64],
}

/// What a heap is made of. `iw_config_init` fills in what is usual.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Config {
    /// The size of this structure.
    pub size: u32,
    /// `IW_ZEAL_POINTS` and the other flags.
    pub flags: u32,
    /// The heap, aligned to 16; null to have it reserved between guard pages, with one behind each large object.
    pub heap: *mut c_void,
    /// Its length in bytes, of which whole blocks of 64 KiB are used; at most 64 GiB. Untouched pages take no memory.
    pub heap_len: u64,
    /// Memory beside the heap, aligned to 8; null to have it reserved.
    pub bookkeeping: *mut c_void,
    /// Its length in bytes, at least `iw_bookkeeping_len`.
    pub bookkeeping_len: u64,
    /// Where shadow frames are, aligned to 8; null for the stack of the calling thread.
    pub frames: *mut c_void,
    /// Its length in bytes.
    pub frames_len: u64,
    /// The most tables.
    pub max_tables: u32,
    /// The most entries of all tables.
    pub max_entries: u32,
    /// The most slot offsets of all entries.
    pub max_offsets: u32,
    /// The most global blocks.
    pub max_globals: u32,
    /// The most handles at a time.
    pub max_handles: u32,
    /// Zero.
    pub reserved: u32,
}

/// The global blocks of a unit: what `PREFIXGlobalTable` names.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct GlobalTable {
    /// The size of this structure.
    pub size: u32,
    /// How many blocks there are.
    pub count: u32,
    /// Their addresses; null if there are none. Each begins with its prefix and is aligned to 16.
    pub blocks: *const *mut Prefix,
}

/// What `PREFIXRuntimeInit` names: the body of a unit. It answers `IW_OK`, or why the program cannot run.
pub type InitFn = Option<unsafe extern "C" fn(heap: *mut Runtime) -> Status>;

/// A unit: its three symbols.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Unit {
    /// The size of this structure.
    pub size: u32,
    /// Zero.
    pub reserved: u32,
    /// `PREFIXMetadataTable`: the table's image, which tells its own length.
    pub metadata: *const u8,
    /// `PREFIXGlobalTable`; null stands for an empty one.
    pub globals: *const GlobalTable,
    /// `PREFIXRuntimeInit`; null if the unit has no body.
    pub init: InitFn,
}

/// One collection.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct CollectionReport {
    /// The size of this structure, set by the caller.
    pub size: u32,
    /// Who asked: `IW_ORIGIN_PROGRAM` or `IW_ORIGIN_HOST`.
    pub origin: u32,
    /// How many collections there have been, this one included.
    pub sequence: u64,
    /// The caller's reason, uninterpreted.
    pub reason: u64,
    /// How many shadow frames were walked.
    pub frames: u32,
    /// How many global blocks were walked.
    pub globals: u32,
    /// How many handles are held.
    pub handles: u32,
    /// Zero.
    pub reserved: u32,
    /// Objects that live.
    pub live: u64,
    /// Bytes of their payloads.
    pub live_bytes: u64,
    /// Objects that were reclaimed.
    pub dead: u64,
    /// Bytes of their slots.
    pub dead_bytes: u64,
    /// The SHA-256 of what lives, by table and structure, and of the counts; equal on all machines.
    pub digest: [u8; 32],
}

/// Damage that was found.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct FaultReport {
    /// The size of this structure.
    pub size: u32,
    /// What is wrong: 1 outside the heap, 2 misaligned, 3 not allocated, 4 `tag1` not confirmed, 5 unknown, 6 `tag3`
    /// wrong, 7 `tag2` wrong, 8 another kind, 9 extent wrong, 10 frame out of bounds, 11 frames out of order.
    pub code: u32,
    /// When it was found: 1 in frames, 2 in global blocks, 3 in handles, 4 while marking.
    pub phase: u32,
    /// Zero.
    pub reserved: u32,
    /// The address of the block, or the word that was to be one.
    pub address: u64,
    /// The object that refers to it; zero for a root, and where none was found.
    pub referrer: u64,
    /// The offset of the referring slot in the referrer's payload.
    pub offset: u64,
    /// The number of the frame from the newest, of the global block, or of the handle.
    pub root: u64,
    /// The table of the referrer or the root; zeros if unknown.
    pub table: [u8; 16],
    /// The structure of the referrer or the root; zeros if unknown.
    pub structure: [u8; 16],
}

/// Hears of the first fault, just before the program aborts. It must not unwind.
pub type FaultFn = Option<unsafe extern "C" fn(user: *mut c_void, fault: *const FaultReport)>;
/// Serves the host at a host point. It may use the heap, collect too, and must not unwind.
pub type HostFn = Option<unsafe extern "C" fn(user: *mut c_void, heap: *mut Runtime)>;

/// An attached table. Names are not terminated by a zero.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct UnitInfo {
    /// The size of this structure, set by the caller.
    pub size: u32,
    /// The number of its first entry; zero if it has none.
    pub first_entry: u32,
    /// How many entries it has.
    pub entries: u32,
    /// Zero.
    pub reserved: u32,
    /// Its UUID.
    pub table: [u8; 16],
    /// The package's name.
    pub package: *const c_char,
    /// Its length in bytes.
    pub package_len: u64,
    /// The unit's name.
    pub unit: *const c_char,
    /// Its length in bytes.
    pub unit_len: u64,
}

/// An attached entry. The name is not terminated by a zero.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct EntryInfo {
    /// The size of this structure, set by the caller.
    pub size: u32,
    /// `IW_KIND_HEAP`, `IW_KIND_FRAME` or `IW_KIND_GLOBAL`.
    pub kind: u32,
    /// The number of the entry.
    pub entry: u32,
    /// The bytes of the fixed part of the payload.
    pub fixed: u32,
    /// The UUID of the table.
    pub table: [u8; 16],
    /// The UUID of the structure.
    pub structure: [u8; 16],
    /// The tags.
    pub tag1: u64,
    /// The second.
    pub tag2: u64,
    /// The third.
    pub tag3: u64,
    /// The name of the structure.
    pub name: *const c_char,
    /// Its length in bytes.
    pub name_len: u64,
    /// Objects that lived at the last collection.
    pub live: u64,
    /// Bytes of their payloads.
    pub live_bytes: u64,
}

/// A block.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct BlockInfo {
    /// The size of this structure, set by the caller.
    pub size: u32,
    /// The number of its entry.
    pub entry: u32,
    /// The block.
    pub block: Ref,
    /// The bytes of its payload.
    pub extent: u64,
    /// The UUID of its table.
    pub table: [u8; 16],
    /// The UUID of its structure.
    pub structure: [u8; 16],
}

/// Whether a structure that a caller passed has the size that this library knows.
pub(crate) fn check_size<T>(size: u32) -> Result<(), Status> {
    if size as usize == size_of::<T>() { Ok(()) } else { Err(IW_BAD_SIZE) }
}
