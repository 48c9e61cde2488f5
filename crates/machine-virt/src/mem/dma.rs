//! Memory that devices reach: whole frames in a row, and addresses as devices
//! see them.

use machine::PAGE_SIZE;
use machine_virt::platform::Region;

use crate::arch::layout;
use crate::mem::pool::pool;

/// Takes `pages` pages in a row, zeroed, and gives their physical address.
pub(crate) fn alloc_contiguous(pages: usize) -> Option<u64> {
    let (start, len) = pool().take_run(pages.checked_mul(PAGE_SIZE as usize)?)?;
    // SAFETY: `len` bytes that are the caller's from now on.
    unsafe { core::ptr::write_bytes(start, 0, len) };
    Some(layout::physical(start))
}

/// Gives back what [`alloc_contiguous`] gave.
///
/// # Safety
/// No device uses the memory any more, nor does the kernel.
pub(crate) unsafe fn free_contiguous(physical: u64, pages: usize) {
    pool().give_run(physical, pages);
}

/// The physical address of `len` bytes, if they lie in the direct map, where
/// what is in a row for the kernel is so for a device.
pub(crate) fn physical(start: *const u8, len: usize) -> Option<u64> {
    let offset = (start as u64).checked_sub(layout::DIRECT)?;
    offset.checked_add(len as u64).is_some_and(|end| end <= layout::PHYSICAL_LIMIT).then_some(offset)
}

/// Where physical memory is in the direct map.
pub(crate) fn direct(physical: u64) -> *mut u8 {
    layout::direct(physical)
}

/// Where the registers of a device that the device tree names are.
pub(crate) fn device(registers: &Region) -> *mut u8 {
    (layout::DEVICES + registers.start) as *mut u8
}
