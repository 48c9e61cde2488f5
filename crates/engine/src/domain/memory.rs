//! Guest memory accesses of plain numbers.
//!
//! A [`Mode`] is how a handler gets at memory. [`Fast`] looks into the TLB
//! inline and gives up on anything else; the instruction is then started
//! again in [`Full`], which walks the page table, crosses pages, and tells why
//! the instruction faults.

use core::sync::atomic::Ordering;

use machine::{Access, Exit, GuestAddr, PAGE_SIZE, Prot};

use crate::cpu::{CpuState, Local};
use crate::domain::Stop;
use crate::domain::plain::{Place, Plain};
use crate::mem::arena::copy_racing;
use crate::mem::tlb::{Tlb, TlbEntry};

const PAGE_MASK: u64 = !(PAGE_SIZE - 1);

/// How to get at guest memory.
pub(crate) trait Mode: 'static {
    /// May not call functions, and may give up: the slow mode comes next.
    const IS_FAST: bool;
    /// Reads a value, which need not be aligned. Each number in it is read
    /// once; and whole where its size divides its address, or else as the host
    /// does it.
    ///
    /// # Safety
    /// The caller is the thread that runs `cpu`.
    unsafe fn load<T: Plain>(cpu: *const CpuState, addr: u64) -> Result<T, Stop>;
    /// Writes a value, which need not be aligned, as [`Mode::load`] reads it.
    ///
    /// # Safety
    /// As [`Mode::load`].
    unsafe fn store<T: Plain>(cpu: *const CpuState, addr: u64, value: T) -> Result<(), Stop>;
    /// The host address of a value to be read whole. It must be aligned.
    ///
    /// # Safety
    /// As [`Mode::load`].
    unsafe fn place_to_read<T>(cpu: *const CpuState, addr: u64) -> Result<*mut T, Stop>;
    /// The host address of a value to be changed atomically. It must be aligned.
    ///
    /// # Safety
    /// As [`Mode::load`].
    unsafe fn place_to_write<T>(cpu: *const CpuState, addr: u64) -> Result<*mut T, Stop>;
}

/// Through the TLB or not at all.
#[derive(Debug)]
pub(crate) struct Fast;

/// Keeps the compiler from seeing where `value` came from. It otherwise
/// computes related addresses anew where one more displacement would do.
#[inline(always)]
pub(crate) fn opaque<T: Copy>(value: T) -> T {
    #[cfg(tail_calls)]
    {
        let mut value = value;
        // SAFETY: the text is a comment.
        unsafe {
            core::arch::asm!(
                "/* {0} */",
                inout(reg) * (&raw mut value).cast::<usize>(),
                options(nomem, nostack, preserves_flags)
            );
        }
        return value;
    }
    #[cfg(not(tail_calls))]
    value
}

/// The host address of a value that lies within a page of the TLB.
///
/// One comparison rejects misses and values that cross into the next page: the
/// entry is that of the first byte's page, the tag that of the last byte's.
#[inline(always)]
unsafe fn hit<T, const TABLE: usize>(cpu: *const CpuState, addr: u64) -> Result<Place, Stop> {
    let addr = opaque(addr);
    // SAFETY: `TABLE` is where one of the TLB's tables lies in the state, and
    // the index is in bounds of it.
    unsafe {
        let displaced = opaque(cpu.byte_add(Tlb::index(addr) * size_of::<TlbEntry>()));
        let entry = displaced.byte_add(TABLE).cast::<TlbEntry>();
        let last = addr.wrapping_add(size_of::<T>() as u64 - 1);
        if (*entry).tag == last & PAGE_MASK { Ok(Place { base: (*entry).addend, offset: addr }) } else { Err(Stop) }
    }
}

/// Where the TLB's tables lie in the state of a CPU.
const READS: usize = CpuState::LOCAL + core::mem::offset_of!(Local, read_tlb);
const WRITES: usize = CpuState::LOCAL + core::mem::offset_of!(Local, write_tlb);

#[inline(always)]
pub(super) fn is_aligned<T>(addr: u64) -> bool {
    addr & (size_of::<T>() as u64 - 1) == 0
}

impl Mode for Fast {
    const IS_FAST: bool = true;

    #[inline(always)]
    unsafe fn load<T: Plain>(cpu: *const CpuState, addr: u64) -> Result<T, Stop> {
        // SAFETY: a TLB entry leads to a frame that is mapped for reading until
        // this CPU acknowledges a shoot-down. Other guest threads may write
        // there at the same time; the value is then one of either, as on
        // hardware, and is read once.
        unsafe { Ok(T::read(hit::<T, READS>(cpu, addr)?)) }
    }

    #[inline(always)]
    unsafe fn store<T: Plain>(cpu: *const CpuState, addr: u64, value: T) -> Result<(), Stop> {
        // SAFETY: as in `load`, for writing.
        unsafe { T::write(hit::<T, WRITES>(cpu, addr)?, value) }
        Ok(())
    }

    #[inline(always)]
    unsafe fn place_to_read<T>(cpu: *const CpuState, addr: u64) -> Result<*mut T, Stop> {
        if !is_aligned::<T>(addr) {
            return Err(Stop);
        }
        // SAFETY: the caller vouches for `cpu`.
        unsafe { hit::<T, READS>(cpu, addr).map(Place::pointer) }
    }

    #[inline(always)]
    unsafe fn place_to_write<T>(cpu: *const CpuState, addr: u64) -> Result<*mut T, Stop> {
        if !is_aligned::<T>(addr) {
            return Err(Stop);
        }
        // SAFETY: the caller vouches for `cpu`.
        unsafe { hit::<T, WRITES>(cpu, addr).map(Place::pointer) }
    }
}

/// Through the page table; faults become the CPU's exit.
#[derive(Debug)]
pub(crate) struct Full;

/// The host address of a guest byte, after all checks. Fills the TLB.
pub(super) fn translate(local: &mut Local, addr: u64, access: Access) -> Result<*mut u8, Stop> {
    let untagged = GuestAddr(addr).untagged();
    // SAFETY: `run` borrows the space while the CPU is inside.
    let space = unsafe { &*local.space };
    let (found, needed) = match access {
        Access::Write => (space.walk_for_write(untagged), Prot::WRITE),
        Access::Read | Access::Execute => (space.walk(untagged), Prot::READ),
    };
    let Some(mapping) = found.filter(|mapping| mapping.prot.contains(needed)) else {
        local.exit = Exit::Fault { addr: untagged, access };
        return Err(Stop);
    };
    let frame = local.arena.host(mapping.frame);
    let host = frame.wrapping_add((addr & !PAGE_MASK) as usize);
    let tag = addr & PAGE_MASK;
    let entry = TlbEntry { tag, addend: (frame.expose_provenance() as u64).wrapping_sub(tag) };
    if access != Access::Write {
        local.read_tlb.0[Tlb::index(addr)] = entry;
    } else if local.arena.may_cache_for_write(mapping.frame) {
        local.write_tlb.0[Tlb::index(addr)] = entry;
    } else {
        let place = if local.written_code[0].is_none() { 0 } else { 1 };
        local.written_code[place] = Some(mapping.frame);
    }
    Ok(host)
}

/// The host addresses of the parts of `len` (at most 64) bytes, and how many
/// of them the first part has.
fn parts(local: &mut Local, addr: u64, len: usize, access: Access) -> Result<(*mut u8, *mut u8, usize), Stop> {
    let first = translate(local, addr, access)?;
    let room = (PAGE_SIZE - (addr & !PAGE_MASK)) as usize;
    if room >= len {
        return Ok((first, first, len));
    }
    let second = translate(local, addr.wrapping_add(room as u64), access)?;
    Ok((first, second, room))
}

/// Checks alignment, then translates.
unsafe fn aligned<T>(cpu: *const CpuState, addr: u64, access: Access) -> Result<*mut T, Stop> {
    // SAFETY: the caller is the CPU's thread, and uses no other reference.
    let local = unsafe { &mut *(*cpu).local() };
    if !is_aligned::<T>(addr) {
        local.exit = Exit::Misaligned { addr: GuestAddr(addr).untagged() };
        return Err(Stop);
    }
    Ok(translate(local, addr, access)?.cast())
}

impl Mode for Full {
    const IS_FAST: bool = false;

    unsafe fn load<T: Plain>(cpu: *const CpuState, addr: u64) -> Result<T, Stop> {
        // SAFETY: the caller is the CPU's thread, and uses no other reference.
        let local = unsafe { &mut *(*cpu).local() };
        let len = size_of::<T>();
        let (first, second, split) = parts(local, addr, len, Access::Read)?;
        let mut value = core::mem::MaybeUninit::<T>::uninit();
        let to = value.as_mut_ptr().cast::<u8>();
        // SAFETY: the parts are in mapped frames and make up a whole `T`.
        unsafe {
            if split == len {
                return Ok(T::read(Place::at(first)));
            }
            copy_racing(first, to, split);
            copy_racing(second, to.add(split), len - split);
            Ok(value.assume_init())
        }
    }

    unsafe fn store<T: Plain>(cpu: *const CpuState, addr: u64, value: T) -> Result<(), Stop> {
        // SAFETY: the caller is the CPU's thread, and uses no other reference.
        let local = unsafe { &mut *(*cpu).local() };
        let len = size_of::<T>();
        let (first, second, split) = parts(local, addr, len, Access::Write)?;
        let from = (&raw const value).cast::<u8>();
        // SAFETY: the parts are in mapped frames and make up a whole `T`.
        unsafe {
            if split == len {
                T::write(Place::at(first), value);
            } else {
                copy_racing(from, first, split);
                copy_racing(from.add(split), second, len - split);
            }
        }
        Ok(())
    }

    unsafe fn place_to_read<T>(cpu: *const CpuState, addr: u64) -> Result<*mut T, Stop> {
        // SAFETY: as the caller says.
        unsafe { aligned(cpu, addr, Access::Read) }
    }

    unsafe fn place_to_write<T>(cpu: *const CpuState, addr: u64) -> Result<*mut T, Stop> {
        // SAFETY: as the caller says.
        unsafe { aligned(cpu, addr, Access::Write) }
    }
}

/// After an op in [`Full`]: drops translations that it has written over.
pub(crate) fn after_op(local: &mut Local) {
    for frame in core::mem::take(&mut local.written_code).into_iter().flatten() {
        core::sync::atomic::fence(Ordering::SeqCst);
        local.arena.code_written(frame);
    }
}
