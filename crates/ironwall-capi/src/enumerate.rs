//! Enumerating tables, entries, global blocks and objects.

use crate::heap::{Refused, Runtime, enter};
use crate::objects::block_of;
use crate::status::{IW_BAD_ARGUMENT, IW_END, IW_NO_SUCH_ENTRY, Status};
use crate::types::{BlockInfo, EntryInfo, Ref, UnitInfo, check_size};
use ironwall::{Block, Kind};

/// What lies between two addresses where an object can start.
const GRANULE: u64 = 16;

/// Tells of the attached table with an index, from zero, in the order of their UUIDs; `IW_END` behind the last.
///
/// # Safety
/// `heap` is as for every call; `info` is null, which is refused, or can be read and written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_unit_at(heap: *mut Runtime, index: u32, info: *mut UnitInfo) -> Status {
    let tell = |heap: &mut Runtime| {
        // SAFETY: as the caller promises.
        let info = unsafe { out(info, |info| info.size)? };
        let (unit, image) = heap.core.units().nth(index as usize).ok_or(IW_END)?;
        *info = UnitInfo {
            size: info.size,
            first_entry: heap.core.entry_at(unit, 0).map_or(0, |entry| entry.number()),
            entries: image.entry_count() as u32,
            reserved: 0,
            table: image.table().0,
            package: image.package().as_ptr().cast(),
            package_len: image.package().len() as u64,
            unit: image.unit().as_ptr().cast(),
            unit_len: image.unit().len() as u64,
        };
        Ok(())
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, tell) }
}

/// Tells of the entry with a number.
///
/// # Safety
/// `heap` is as for every call; `info` is null, which is refused, or can be read and written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_entry_at(heap: *mut Runtime, entry: u32, info: *mut EntryInfo) -> Status {
    let tell = |heap: &mut Runtime| {
        // SAFETY: as the caller promises.
        let info = unsafe { out(info, |info| info.size)? };
        let live = heap.core.census().find(|live| live.entry.number() == entry).ok_or(IW_NO_SUCH_ENTRY)?;
        let mut units = heap.core.units();
        let (unit, image) = units.find(|(_, image)| image.table() == live.table).ok_or(IW_NO_SUCH_ENTRY)?;
        let first = heap.core.entry_at(unit, 0).ok_or(IW_NO_SUCH_ENTRY)?.number();
        let found = image.entry((entry - first) as usize);
        *info = EntryInfo {
            size: info.size,
            kind: found.kind as u32,
            entry,
            fixed: found.fixed,
            table: live.table.0,
            structure: live.structure.0,
            tag1: found.tags.tag1,
            tag2: found.tags.tag2,
            tag3: found.tags.tag3,
            name: found.name.as_ptr().cast(),
            name_len: found.name.len() as u64,
            live: live.live.objects,
            live_bytes: live.live.bytes,
        };
        Ok(())
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, tell) }
}

/// Tells of the global block with an index, from zero; `IW_END` behind the last.
///
/// # Safety
/// `heap` is as for every call; `info` is null, which is refused, or can be read and written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_global_at(heap: *mut Runtime, index: u32, info: *mut BlockInfo) -> Status {
    let tell = |heap: &mut Runtime| {
        // SAFETY: as the caller promises.
        let info = unsafe { out(info, |info| info.size)? };
        let block = heap.core.globals().nth(index as usize).ok_or(IW_END)?;
        *info = describe(heap, block)?;
        Ok(())
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, tell) }
}

/// Tells of a block: an object, a global block, or a pushed frame.
///
/// # Safety
/// `heap` is as for every call; `info` is null, which is refused, or can be read and written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_block_at(heap: *mut Runtime, block: Ref, info: *mut BlockInfo) -> Status {
    let tell = |heap: &mut Runtime| {
        // SAFETY: as the caller promises.
        let info = unsafe { out(info, |info| info.size)? };
        *info = describe(heap, block_of(block)?)?;
        Ok(())
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, tell) }
}

/// Tells of the first object behind `after`, which is zero to begin; `IW_END` behind the last. Objects that died and
/// were not collected yet are told of too.
///
/// # Safety
/// `heap` is as for every call; `info` is null, which is refused, or can be read and written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_next_block(heap: *mut Runtime, after: Ref, info: *mut BlockInfo) -> Status {
    let tell = |heap: &mut Runtime| {
        // SAFETY: as the caller promises.
        let info = unsafe { out(info, |info| info.size)? };
        let range = heap.core.heap_range();
        let start = match after {
            0 => range.start,
            // A block takes two granules at least, and starts at one.
            word if range.contains(&word) => word / GRANULE * GRANULE + GRANULE,
            _ => return Err(IW_BAD_ARGUMENT.into()),
        };
        let mut blocks = (start..range.end).step_by(GRANULE as usize).filter_map(Block::from_word);
        let found = blocks.find(|&block| heap.core.prefix(block).is_ok()).ok_or(IW_END)?;
        *info = describe(heap, found)?;
        Ok(())
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, tell) }
}

/// A block, as C hears of it.
fn describe(heap: &Runtime, block: Block) -> Result<BlockInfo, Refused> {
    let (table, structure) = heap.core.identity(block)?;
    let entry = heap.core.entry(table, structure).ok_or(IW_NO_SUCH_ENTRY)?;
    let image = heap.core.units().find(|(_, image)| image.table() == table).map(|(_, image)| image);
    let found = image.and_then(|image| (0..image.entry_count()).map(|i| image.entry(i)).find(|e| e.id == structure));
    let found = found.ok_or(IW_NO_SUCH_ENTRY)?;
    // The last word of a frame's prefix is the frame before.
    let extent = if found.kind == Kind::Frame { u64::from(found.fixed) } else { heap.core.prefix(block)?[3] };
    Ok(BlockInfo {
        size: size_of::<BlockInfo>() as u32,
        entry: entry.number(),
        block: block.address(),
        extent,
        table: table.0,
        structure: structure.0,
    })
}

/// What a caller wants filled.
///
/// # Safety
/// It is null or can be read and written, and nothing else uses it.
unsafe fn out<'a, T>(info: *mut T, size: impl FnOnce(&T) -> u32) -> Result<&'a mut T, Refused> {
    // SAFETY: as the caller promises.
    let info = unsafe { info.as_mut() }.ok_or(IW_BAD_ARGUMENT)?;
    check_size::<T>(size(info))?;
    Ok(info)
}
