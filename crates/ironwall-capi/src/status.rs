//! Status numbers: what calls answer.

use ironwall::Refusal;
use std::ffi::{CStr, c_char};

/// What a call answers: zero, or why nothing was done.
pub type Status = i32;

/// Done.
pub const IW_OK: i32 = 0;
/// No room in the heap for this object. No collection was made: only the program asks for one.
pub const IW_OUT_OF_MEMORY: i32 = 1;
/// A fault sealed the heap.
pub const IW_SEALED: i32 = 2;
/// A region is unaligned, too small or too large, or the bookkeeping memory is too small.
pub const IW_BAD_REGION: i32 = 3;
/// A table's image breaks a rule; the message tells which, and at which byte.
pub const IW_BAD_IMAGE: i32 = 4;
/// No room for another table, entry, slot offset or global block.
pub const IW_TOO_MANY_TABLES: i32 = 5;
/// A table with this identity is attached.
pub const IW_DUPLICATE_TABLE: i32 = 6;
/// An entry with the same three tags is attached.
pub const IW_TAGS_TAKEN: i32 = 7;
/// A global block does not carry the tags of a global of its own table, is too short, or is not aligned to 16.
pub const IW_BAD_GLOBAL: i32 = 8;
/// An attached unit imports a unit that is not there.
pub const IW_MISSING_IMPORT: i32 = 9;
/// An attached unit was compiled for another layout of an imported structure.
pub const IW_LAYOUT_MISMATCH: i32 = 10;
/// Units import each other in a circle.
pub const IW_IMPORT_CYCLE: i32 = 11;
/// The unit is not attached, or its initialisation has not begun.
pub const IW_UNIT_NOT_ATTACHED: i32 = 12;
/// A unit's body has run, or is running.
pub const IW_INIT_TWICE: i32 = 13;
/// A unit's body may not run before those of the units it imports.
pub const IW_INIT_OUT_OF_ORDER: i32 = 14;
/// There is no such entry, or it is of another kind.
pub const IW_NO_SUCH_ENTRY: i32 = 15;
/// The entry does not allow this extent.
pub const IW_BAD_EXTENT: i32 = 16;
/// The word does not name a block.
pub const IW_NOT_A_BLOCK: i32 = 17;
/// The offset is not in the block, or not a multiple of eight.
pub const IW_BAD_OFFSET: i32 = 18;
/// No room for another shadow frame.
pub const IW_FRAMES_FULL: i32 = 19;
/// The frame is not the newest.
pub const IW_NOT_NEWEST_FRAME: i32 = 20;
/// No room for another handle.
pub const IW_HANDLES_FULL: i32 = 21;
/// The handle was given up.
pub const IW_STALE_HANDLE: i32 = 22;
/// A pointer is null, or a number is not one of those that the header names.
pub const IW_BAD_ARGUMENT: i32 = 100;
/// The size in a structure is not the one that this library knows.
pub const IW_BAD_SIZE: i32 = 101;
/// The system gave no memory, or did not tell where the thread's stack is.
pub const IW_NO_MEMORY: i32 = 102;
/// There is no more to enumerate.
pub const IW_END: i32 = 103;
/// The unit is used by another heap whose entries have other numbers.
pub const IW_UNIT_IN_USE: i32 = 104;
/// A refusal that this version of the interface has no number for.
pub const IW_REFUSED: i32 = 105;
/// The heap is damaged, as a collection would find too.
pub const IW_DAMAGED: i32 = 110;
/// Reading or writing a file failed.
pub const IW_IO: i32 = 111;
/// The buffer is too small; the length that it needs has been told.
pub const IW_BUFFER_TOO_SMALL: i32 = 112;
/// The heap has a socket already.
pub const IW_LISTENING: i32 = 113;
/// The heap has no socket.
pub const IW_NOT_LISTENING: i32 = 114;
/// The text has no names of fields; the message tells what is wrong and where.
pub const IW_BAD_NAMES: i32 = 115;
/// There is no shadow stack with this number.
pub const IW_NO_SUCH_STACK: i32 = 116;
/// The shadow stack is in use, or is the heap's own.
pub const IW_STACK_IN_USE: i32 = 117;
/// A unit was compiled for a version of this interface that the library does not have.
pub const IW_OTHER_VERSION: i32 = 118;

/// Each status with its name and its text.
const TEXTS: &[(Status, &CStr)] = &[
    (IW_OK, c"done"),
    (IW_OUT_OF_MEMORY, c"no room in the heap for this object"),
    (IW_SEALED, c"a fault sealed the heap"),
    (IW_BAD_REGION, c"a region is unaligned, too small or too large"),
    (IW_BAD_IMAGE, c"a table's image breaks a rule"),
    (IW_TOO_MANY_TABLES, c"no room for another table, entry, slot offset or global block"),
    (IW_DUPLICATE_TABLE, c"a table with this identity is attached"),
    (IW_TAGS_TAKEN, c"an entry with the same three tags is attached"),
    (IW_BAD_GLOBAL, c"a global block does not fit its table"),
    (IW_MISSING_IMPORT, c"a unit that is imported, or a structure of it, is not there"),
    (IW_LAYOUT_MISMATCH, c"a unit was compiled for another layout of an imported structure"),
    (IW_IMPORT_CYCLE, c"units import each other in a circle"),
    (IW_UNIT_NOT_ATTACHED, c"the unit is not attached, or its initialisation has not begun"),
    (IW_INIT_TWICE, c"the unit's body has run, or is running"),
    (IW_INIT_OUT_OF_ORDER, c"the unit's body may not run before those of the units it imports"),
    (IW_NO_SUCH_ENTRY, c"there is no such entry, or it is of another kind"),
    (IW_BAD_EXTENT, c"the entry does not allow this extent"),
    (IW_NOT_A_BLOCK, c"the word does not name a block"),
    (IW_BAD_OFFSET, c"the offset is not in the block, or not a multiple of eight"),
    (IW_FRAMES_FULL, c"no room for another shadow frame"),
    (IW_NOT_NEWEST_FRAME, c"the frame is not the newest"),
    (IW_HANDLES_FULL, c"no room for another handle"),
    (IW_STALE_HANDLE, c"the handle was given up"),
    (IW_BAD_ARGUMENT, c"a pointer is null, or a number is none that the header names"),
    (IW_BAD_SIZE, c"the size in a structure is not one that this library knows"),
    (IW_NO_MEMORY, c"the system gave no memory, or did not tell where the thread's stack is"),
    (IW_END, c"there is no more to enumerate"),
    (IW_UNIT_IN_USE, c"the unit is used by another heap whose entries have other numbers"),
    (IW_REFUSED, c"refused"),
    (IW_DAMAGED, c"the heap is damaged"),
    (IW_IO, c"reading or writing a file failed"),
    (IW_BUFFER_TOO_SMALL, c"the buffer is too small"),
    (IW_NO_SUCH_STACK, c"there is no shadow stack with this number"),
    (IW_STACK_IN_USE, c"the shadow stack is in use, or is the heap's own"),
    (IW_LISTENING, c"the heap has a socket already"),
    (IW_NOT_LISTENING, c"the heap has no socket"),
    (IW_BAD_NAMES, c"the text has no names of fields"),
    (IW_OTHER_VERSION, c"a unit was compiled for a version of the interface that the library does not have"),
];

/// The number of a refusal.
#[must_use]
pub fn status_of(refusal: Refusal) -> Status {
    match refusal {
        Refusal::OutOfMemory => IW_OUT_OF_MEMORY,
        Refusal::Sealed => IW_SEALED,
        Refusal::BadRegion => IW_BAD_REGION,
        Refusal::Image(..) => IW_BAD_IMAGE,
        Refusal::TooManyTables => IW_TOO_MANY_TABLES,
        Refusal::DuplicateTable => IW_DUPLICATE_TABLE,
        Refusal::TagsTaken => IW_TAGS_TAKEN,
        Refusal::BadGlobal => IW_BAD_GLOBAL,
        Refusal::MissingImport => IW_MISSING_IMPORT,
        Refusal::LayoutMismatch => IW_LAYOUT_MISMATCH,
        Refusal::ImportCycle => IW_IMPORT_CYCLE,
        Refusal::UnitNotAttached => IW_UNIT_NOT_ATTACHED,
        Refusal::InitTwice => IW_INIT_TWICE,
        Refusal::InitOutOfOrder => IW_INIT_OUT_OF_ORDER,
        Refusal::NoSuchEntry => IW_NO_SUCH_ENTRY,
        Refusal::BadExtent => IW_BAD_EXTENT,
        Refusal::NotABlock => IW_NOT_A_BLOCK,
        Refusal::BadOffset => IW_BAD_OFFSET,
        Refusal::FramesFull => IW_FRAMES_FULL,
        Refusal::NotNewestFrame => IW_NOT_NEWEST_FRAME,
        Refusal::HandlesFull => IW_HANDLES_FULL,
        Refusal::StaleHandle => IW_STALE_HANDLE,
        _ => IW_REFUSED,
    }
}

/// The text of a status.
pub(crate) fn text(status: Status) -> &'static CStr {
    TEXTS.iter().find(|(number, _)| *number == status).map_or(c"no status of this library", |(_, text)| text)
}

/// What a status means, in a constant string.
#[unsafe(no_mangle)]
pub extern "C" fn iw_status_text(status: i32) -> *const c_char {
    text(status).as_ptr()
}
