//! Units: attaching all, linking them, running their bodies.

use crate::heap::{Refused, Runtime, enter};
use crate::status::{IW_BAD_ARGUMENT, IW_BAD_IMAGE, IW_END, IW_NO_SUCH_ENTRY, IW_OK, Status};
use crate::types::{GlobalTable, Prefix, Unit, check_size};
use ironwall::image::{HEADER_LEN, MAGIC, MAX_EXTENT, MAX_LEN};
use ironwall::{Region, UnitId};

/// Where an image tells its length, and where its table's UUID is.
const LEN_AT: usize = 12;
const TABLE_AT: usize = 36;

/// Attaches a unit: phase one. Its number, for `iw_start_unit`, is put into `*number` unless that is null.
///
/// # Safety
/// `heap` is as for every call. `unit` and what it points to are as the header says; image and global blocks stay
/// where they are until the heap is destroyed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_attach(heap: *mut Runtime, unit: *const Unit, number: *mut u32) -> Status {
    let attach = |heap: &mut Runtime| {
        // SAFETY: as the caller promises.
        let unit = unsafe { unit.as_ref() }.ok_or(IW_BAD_ARGUMENT)?;
        check_size::<Unit>(unit.size)?;
        // SAFETY: as the caller promises.
        let (image, globals) = unsafe { (image(unit.metadata)?, globals(unit.globals)?) };
        let id = heap.core.attach(image, globals)?;
        heap.inits.push((id, unit.init));
        if !number.is_null() {
            // SAFETY: it is not null, so it can be written.
            unsafe { number.write(heap.inits.len() as u32 - 1) };
        }
        Ok(())
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, attach) }
}

/// Ends phase one: compares what units use of each other, and puts them in order, imports first.
///
/// # Safety
/// `heap` is as for every call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_finish_attach(heap: *mut Runtime) -> Status {
    // SAFETY: as the caller promises.
    unsafe { enter(heap, |heap| Ok(heap.core.link()?)) }
}

/// Phase two: runs the bodies of all units that have not run, in their order, and stops at the first that does not
/// answer `IW_OK`; that is the answer then.
///
/// # Safety
/// `heap` is as for every call, and bodies are what the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_run_init(heap: *mut Runtime) -> Status {
    loop {
        let mut number = 0;
        // SAFETY: as the caller promises.
        match unsafe { iw_next_unit(heap, &raw mut number) } {
            IW_OK => {}
            IW_END => return IW_OK,
            status => return status,
        }
        // SAFETY: as the caller promises.
        let status = unsafe { iw_start_unit(heap, number) };
        if status != IW_OK {
            return status;
        }
        // SAFETY: a unit that could be started is there, and so is the heap.
        let init = unsafe { (&(*heap).inits)[number as usize].1 };
        if let Some(init) = init {
            // SAFETY: the body takes the handle; no reference to the heap is held meanwhile, so it may make calls.
            let status = unsafe { init(heap) };
            if status != IW_OK {
                return status;
            }
        }
    }
}

/// Puts the number of the unit whose body is the next to run into `*number`; `IW_END` when all have.
///
/// # Safety
/// `heap` is as for every call; `number` is null, which is refused, or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_next_unit(heap: *mut Runtime, number: *mut u32) -> Status {
    let next = |heap: &mut Runtime| {
        let unit = heap.core.next_unit().ok_or(IW_END)?;
        let found = heap.inits.iter().position(|&(id, _)| id == unit).ok_or(IW_END)?;
        if number.is_null() {
            return Err(IW_BAD_ARGUMENT.into());
        }
        // SAFETY: it is not null, so it can be written.
        unsafe { number.write(found as u32) };
        Ok(())
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, next) }
}

/// Lets a unit allocate, for programs that run bodies themselves: to be called just before the body.
///
/// # Safety
/// `heap` is as for every call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_start_unit(heap: *mut Runtime, number: u32) -> Status {
    // SAFETY: as the caller promises.
    unsafe { enter(heap, |heap| Ok(heap.core.start_unit(unit_id(heap, number)?)?)) }
}

/// Puts the number of the first entry of an attached image into `*entry`: add the place of a structure in its table.
///
/// # Safety
/// `heap` is as for every call. `metadata` is null or an image; `entry` is null, which is refused, or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_first_entry(heap: *mut Runtime, metadata: *const u8, entry: *mut u32) -> Status {
    let find = |heap: &mut Runtime| {
        // SAFETY: as the caller promises.
        let image = unsafe { image(metadata)? };
        let table = &image[TABLE_AT..TABLE_AT + 16];
        let unit = heap.core.units().find(|(_, image)| image.table().0 == *table);
        let (unit, _) = unit.ok_or(ironwall::Refusal::UnitNotAttached)?;
        let first = heap.core.entry_at(unit, 0).ok_or(IW_NO_SUCH_ENTRY)?;
        if entry.is_null() {
            return Err(IW_BAD_ARGUMENT.into());
        }
        // SAFETY: it is not null, so it can be written.
        unsafe { entry.write(first.number()) };
        Ok(())
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, find) }
}

fn unit_id(heap: &Runtime, number: u32) -> Result<UnitId, Refused> {
    heap.inits.get(number as usize).map(|&(id, _)| id).ok_or_else(|| ironwall::Refusal::UnitNotAttached.into())
}

/// The bytes of an image, which tells its own length. All of them are checked when it is attached.
///
/// # Safety
/// `metadata` is null, or names at least a header of bytes that begin with the magic number, and then as many as it
/// says, for as long as the heap lives; or names eight other bytes.
unsafe fn image(metadata: *const u8) -> Result<&'static [u8], Refused> {
    if metadata.is_null() {
        return Err(IW_BAD_ARGUMENT.into());
    }
    let not_an_image = |at: usize| Refused { status: IW_BAD_IMAGE, detail: format!(": byte {at} belongs to no image") };
    // SAFETY: at least the magic number's bytes can be read.
    if unsafe { metadata.cast::<[u8; 8]>().read() } != MAGIC {
        return Err(not_an_image(0));
    }
    // SAFETY: it begins like an image, so the header can be read.
    let len = u32::from_le_bytes(unsafe { metadata.add(LEN_AT).cast::<[u8; 4]>().read() }) as usize;
    if !(HEADER_LEN + 32..=MAX_LEN).contains(&len) {
        return Err(not_an_image(LEN_AT));
    }
    // SAFETY: an image is as long as it says.
    Ok(unsafe { std::slice::from_raw_parts(metadata, len) })
}

/// The regions of global blocks. Their tags and extents are checked when they are attached.
///
/// # Safety
/// `table` is null or can be read, with as many blocks as it says; each can be read and written as far as the extent
/// in its prefix says, for as long as the heap lives.
unsafe fn globals(table: *const GlobalTable) -> Result<Vec<Region<'static>>, Refused> {
    // SAFETY: as the caller promises.
    let Some(table) = (unsafe { table.as_ref() }) else { return Ok(Vec::new()) };
    check_size::<GlobalTable>(table.size)?;
    if table.count == 0 {
        return Ok(Vec::new());
    }
    if table.blocks.is_null() {
        return Err(IW_BAD_ARGUMENT.into());
    }
    // SAFETY: the table has so many blocks.
    let blocks = unsafe { std::slice::from_raw_parts(table.blocks, table.count as usize) };
    let region = |&block: &*mut Prefix| {
        if block.is_null() || !block.addr().is_multiple_of(16) {
            return Err(ironwall::Refusal::BadGlobal.into());
        }
        // SAFETY: a block begins with its prefix.
        let extent = unsafe { (*block).word };
        if extent > MAX_EXTENT {
            return Err(ironwall::Refusal::BadGlobal.into());
        }
        // SAFETY: the block is aligned, and as long as its prefix says.
        Ok(unsafe { Region::from_raw(block.cast(), size_of::<Prefix>() + extent as usize) })
    };
    blocks.iter().map(region).collect()
}
