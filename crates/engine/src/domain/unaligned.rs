//! Ordered, exclusive and atomic accesses that are not aligned.
//!
//! With FEAT_LSE2 these are single-copy atomic within 16 bytes that are aligned
//! (`AArch64.UnalignedAccessFaults`). They are rare, so all of them are done
//! on the whole 16 bytes.

use core::sync::atomic::{Ordering, fence};

use machine::{Access, Exit, GuestAddr};

use crate::cpu::CpuState;
use crate::domain::Stop;
use crate::domain::memory::translate;
use crate::wide;

/// The bytes that are accessed as one.
const BLOCK: u64 = 16;

/// Where an access lies.
#[derive(Clone, Copy)]
struct Part {
    block: *mut u128,
    shift: u32,
    mask: u128,
}

impl Part {
    fn of(self, block: u128) -> u64 {
        (block >> self.shift & self.mask) as u64
    }

    fn put(self, block: u128, value: u64) -> u128 {
        block & !(self.mask << self.shift) | (u128::from(value) & self.mask) << self.shift
    }
}

/// Finds the place of an access of `bytes` (2, 4 or 8).
///
/// # Errors
/// The access crosses out of the 16 bytes, or FEAT_LSE2 is missing: an
/// alignment fault. As all accesses otherwise.
///
/// # Safety
/// The caller is the CPU's thread.
unsafe fn find(cpu: *const CpuState, addr: u64, bytes: usize, access: Access) -> Result<Part, Stop> {
    // SAFETY: the caller is the CPU's thread, and uses no other reference.
    let local = unsafe { &mut *(*cpu).local() };
    let offset = addr % BLOCK;
    if !local.has_lse2 || offset + bytes as u64 > BLOCK {
        local.exit = Exit::Misaligned { addr: GuestAddr(addr).untagged() };
        return Err(Stop);
    }
    let first = translate(local, addr, access)?;
    let block = first.wrapping_sub(offset as usize).cast();
    Ok(Part { block, shift: offset as u32 * 8, mask: (1 << (bytes * 8)) - 1 })
}

/// Reads a number of `bytes` bytes, in order with everything.
///
/// # Errors
/// See [`find`].
///
/// # Safety
/// The caller is the CPU's thread.
pub(super) unsafe fn load(cpu: *const CpuState, addr: u64, bytes: usize) -> Result<u64, Stop> {
    // SAFETY: as the caller says; the block is aligned and in a mapped frame.
    unsafe {
        let part = find(cpu, addr, bytes, Access::Read)?;
        fence(Ordering::SeqCst);
        let block = wide::load(part.block);
        fence(Ordering::SeqCst);
        Ok(part.of(block))
    }
}

/// Replaces a number of `bytes` bytes by what `change` makes of it, unless that
/// is `None`, in order with everything; gives the old one.
///
/// # Errors
/// See [`find`].
///
/// # Safety
/// The caller is the CPU's thread.
pub(super) unsafe fn update(
    cpu: *const CpuState,
    addr: u64,
    bytes: usize,
    change: &mut dyn FnMut(u64) -> Option<u64>,
) -> Result<u64, Stop> {
    // SAFETY: as the caller says; the block is aligned and in a mapped frame.
    unsafe {
        let part = find(cpu, addr, bytes, Access::Write)?;
        let mut block = wide::load(part.block);
        loop {
            let old = part.of(block);
            let new = change(old).map_or(block, |new| part.put(block, new));
            let now = wide::compare_exchange(part.block, block, new);
            if now == block {
                return Ok(old);
            }
            block = now;
        }
    }
}
