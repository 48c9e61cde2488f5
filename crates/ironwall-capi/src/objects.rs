//! Objects and handles: the calls behind the inline functions, and checked access.

use crate::collect::collect;
use crate::heap::{Runtime, enter};
use crate::memory::eprint_abort;
use crate::status::{IW_BAD_ARGUMENT, IW_OK, Status};
use crate::types::{EntryNumber, HandleNumber, IW_ORIGIN_PROGRAM, IW_REASON_ZEAL, Ref};
use ironwall::{Block, EntryId, Handle, Refusal};
use std::ffi::c_char;

/// What the last call that was refused has to say; empty before. It stays until the next refusal.
///
/// # Safety
/// `heap` is as for every call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_message(heap: *const Runtime) -> *const c_char {
    // SAFETY: as the caller promises.
    unsafe { heap.as_ref() }.map_or(c"no heap".as_ptr(), |heap| heap.message.as_ptr())
}

/// What `iw_new` does where the hole is used up or the entry takes a call. The answer is zero if it is refused; then
/// `iw_allocation_status` tells why.
///
/// # Safety
/// `heap` is as for every call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_new_slow(heap: *mut Runtime, entry: EntryNumber) -> Ref {
    // SAFETY: as the caller promises.
    unsafe { allocate(heap, |core| core.allocate(EntryId::from_number(entry))) }
}

/// What `iw_allocate` does where it takes a call.
///
/// # Safety
/// `heap` is as for every call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_allocate_slow(heap: *mut Runtime, entry: EntryNumber, extent: u64) -> Ref {
    // SAFETY: as the caller promises.
    unsafe { allocate(heap, |core| core.allocate_extent(EntryId::from_number(entry), extent)) }
}

type Allocate<'a> = &'a mut ironwall::Runtime<'static>;

/// # Safety
/// As for every call.
unsafe fn allocate(heap: *mut Runtime, make: impl FnOnce(Allocate<'_>) -> Result<Block, Refusal>) -> Ref {
    // SAFETY: as the caller promises.
    let collects = unsafe { heap.as_ref() }.and_then(|heap| heap.zeal.as_ref()).is_some_and(|zeal| zeal.at_allocations);
    if collects {
        // SAFETY: as the caller promises; a refusal is one of the allocation too.
        let _ = unsafe { collect(heap, IW_ORIGIN_PROGRAM, IW_REASON_ZEAL) };
    }
    let mut made = 0;
    let call = |heap: &mut Runtime| {
        let block = make(&mut heap.core).inspect_err(|&refusal| {
            heap.allocation_status = crate::status::status_of(refusal);
        })?;
        made = block.address();
        if let Some(zeal) = &mut heap.zeal {
            let extent = heap.core.prefix(block)?[3];
            zeal.note((heap.heap_base, heap.heap_len), block, extent);
        }
        Ok(())
    };
    // SAFETY: as the caller promises.
    let status = unsafe { enter(heap, call) };
    if status == IW_OK { made } else { 0 }
}

/// Why the last allocation that answered zero did.
///
/// # Safety
/// `heap` is as for every call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_allocation_status(heap: *const Runtime) -> Status {
    // SAFETY: as the caller promises.
    unsafe { heap.as_ref() }.map_or(IW_BAD_ARGUMENT, |heap| heap.allocation_status)
}

/// What `iw_pop` does with a frame that is not the newest: it says so and aborts, because frames that are popped in
/// another order than they were pushed lose roots.
#[unsafe(no_mangle)]
pub extern "C" fn iw_pop_misplaced(_heap: *mut Runtime) {
    eprint_abort("ironwall: a frame is popped that is not the newest");
}

/// Reads a word of a block's payload, after all checks.
///
/// # Safety
/// `heap` is as for every call; `word` is null, which is refused, or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_load(heap: *mut Runtime, block: Ref, offset: u64, word: *mut u64) -> Status {
    let load = |heap: &mut Runtime| {
        let found = heap.core.load(block_of(block)?, offset)?;
        if word.is_null() {
            return Err(IW_BAD_ARGUMENT.into());
        }
        // SAFETY: it is not null, so it can be written.
        unsafe { word.write(found) };
        Ok(())
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, load) }
}

/// Writes a word of a block's payload, after all checks.
///
/// # Safety
/// `heap` is as for every call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_store(heap: *mut Runtime, block: Ref, offset: u64, word: u64) -> Status {
    // SAFETY: as the caller promises.
    unsafe { enter(heap, |heap| Ok(heap.core.store(block_of(block)?, offset, word)?)) }
}

/// Makes a handle on a block, with count one: a root until it is released as often as it was made and retained.
///
/// # Safety
/// `heap` is as for every call; `handle` is null, which is refused, or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_handle_new(heap: *mut Runtime, block: Ref, handle: *mut HandleNumber) -> Status {
    let make = |heap: &mut Runtime| {
        if handle.is_null() {
            return Err(IW_BAD_ARGUMENT.into());
        }
        let made = heap.core.handle(block_of(block)?)?;
        // SAFETY: it is not null, so it can be written.
        unsafe { handle.write(number_of(made)) };
        Ok(())
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, make) }
}

/// Adds one to a handle's count.
///
/// # Safety
/// `heap` is as for every call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_handle_retain(heap: *mut Runtime, handle: HandleNumber) -> Status {
    // SAFETY: as the caller promises.
    unsafe { enter(heap, |heap| Ok(heap.core.retain(handle_of(handle)?)?)) }
}

/// Takes one off a handle's count; at zero it is no root any more, and stale.
///
/// # Safety
/// `heap` is as for every call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_handle_release(heap: *mut Runtime, handle: HandleNumber) -> Status {
    // SAFETY: as the caller promises.
    unsafe { enter(heap, |heap| Ok(heap.core.release(handle_of(handle)?)?)) }
}

/// The block of a handle; zero if the handle is stale.
///
/// # Safety
/// `heap` is as for every call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_handle_get(heap: *mut Runtime, handle: HandleNumber) -> Ref {
    let mut found = 0;
    let get = |heap: &mut Runtime| {
        found = heap.core.get(handle_of(handle)?)?.address();
        Ok(())
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, get) };
    found
}

/// The block that a reference names.
pub(crate) fn block_of(word: Ref) -> Result<Block, Refusal> {
    Block::from_word(word).ok_or(Refusal::NotABlock)
}

/// A handle as C has it: its index plus one below its generation, so that zero is none.
fn number_of(handle: Handle) -> HandleNumber {
    // SAFETY: a handle is two words of 32 bits, index and generation, in C's layout.
    let [index, generation] = unsafe { std::mem::transmute::<Handle, [u32; 2]>(handle) };
    (u64::from(index) + 1) | (u64::from(generation) << 32)
}

fn handle_of(number: HandleNumber) -> Result<Handle, Status> {
    let index = (number as u32).checked_sub(1).ok_or(crate::status::IW_STALE_HANDLE)?;
    // SAFETY: as above, and any bits are a handle: one that was not given out is refused.
    Ok(unsafe { std::mem::transmute::<[u32; 2], Handle>([index, (number >> 32) as u32]) })
}
