//! Jumps that leave a page or whose target is in a register.
//!
//! A per-CPU cache maps guest addresses to ops. It is cleared when the address
//! space changes, or translations are dropped (`cpu::shootdown`), so an entry
//! is always good to use.

use core::sync::atomic::Ordering;

use machine::{ADDRESS_LIMIT, Access, Exit, GuestAddr, PAGE_SIZE, Prot, UserContext};

use crate::code::page::{self, CodePage};
use crate::cpu::enter::leave;
use crate::cpu::{CpuState, POLL_KICK, POLL_MAINTENANCE, shootdown};
use crate::op::{Op, SCRATCH, Scratch, go};

const ENTRIES: usize = 1024;

#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
struct JumpEntry {
    /// The target; odd if the entry is empty.
    va: u64,
    op: *const Op,
}

/// Guest addresses that were jumped to, and their ops.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct JumpCache([JumpEntry; ENTRIES]);

const EMPTY: JumpEntry = JumpEntry { va: 1, op: core::ptr::null() };

fn slot(va: u64) -> usize {
    (va >> 2) as usize & (ENTRIES - 1)
}

impl JumpCache {
    pub(crate) const fn new() -> Self {
        Self([EMPTY; ENTRIES])
    }

    pub(crate) fn clear(&mut self) {
        self.0.fill(EMPTY);
    }
}

/// Goes on at the guest address `va`.
///
/// # Safety
/// As [`crate::op::Handler`].
#[inline(always)]
pub(crate) unsafe fn jump(va: u64, op: *const Op, ctx: *mut UserContext, cpu: *const CpuState, fa: u64, fb: u64) {
    // SAFETY: the caller vouches for the pointers, and an entry of the cache
    // leads to an op that is live until the next poll.
    unsafe {
        let local = (*cpu).local();
        let entry = &raw const (*local).jumps.0[slot(va)];
        if (*entry).va == va && (*cpu).poll.load(Ordering::Relaxed) == 0 {
            (*local).page = va & !(PAGE_SIZE - 1);
            go((*entry).op, ctx, cpu, fa, fb);
        } else {
            (*local).target = va;
            cold_jump(op, ctx, cpu, SCRATCH, fa, fb);
        }
    }
}

/// Goes on at `Local::target`, after whatever the CPU was polled for.
///
/// # Safety
/// As [`crate::op::Handler`], but that `op` is not used.
#[cold]
#[inline(never)]
pub(crate) unsafe extern "C" fn cold_jump(
    _op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    _: Scratch,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let op = resolve(ctx, cpu, fa, fb);
        if !op.is_null() {
            go(op, ctx, cpu, fa, fb);
        }
    }
}

/// Finds the op at `Local::target`; null if the CPU has left guest code.
#[inline(never)]
pub(crate) unsafe fn resolve(ctx: *mut UserContext, cpu: *const CpuState, fa: u64, fb: u64) -> *const Op {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let local = (*cpu).local();
        let state = &*cpu;
        let target = branch_address((*local).target);
        if let Err(exit) = poll(state) {
            leave(ctx, cpu, fa, fb, target, exit);
            return core::ptr::null();
        }
        match lookup(state, target) {
            Ok(op) => {
                (*local).page = target & !(PAGE_SIZE - 1);
                op
            }
            Err(exit) => {
                leave(ctx, cpu, fa, fb, target, exit);
                core::ptr::null()
            }
        }
    }
}

/// The address that a branch to `va` goes to (`AArch64.BranchAddr`, with the
/// top byte of user addresses ignored).
fn branch_address(va: u64) -> u64 {
    if va & 1 << 55 == 0 { GuestAddr(va).untagged() } else { va | 0xff << 56 }
}

/// Does what other threads asked for.
fn poll(state: &CpuState) -> Result<(), Exit> {
    let asked = state.poll.load(Ordering::SeqCst);
    if asked & POLL_MAINTENANCE != 0 {
        shootdown::catch_up(state);
    }
    if asked & POLL_KICK != 0 { Err(Exit::Event) } else { Ok(()) }
}

/// The op at `va`, translated or not, and remembers it.
fn lookup(state: &CpuState, va: u64) -> Result<*const Op, Exit> {
    if !va.is_multiple_of(4) {
        return Err(Exit::Misaligned { addr: va });
    }
    // SAFETY: this is the thread that runs the CPU, and no other reference to
    // `local` is in use.
    let local = unsafe { &mut *state.local() };
    // SAFETY: `run` borrows the space meanwhile.
    let space = unsafe { &*local.space };
    let fault = Exit::Fault { addr: GuestAddr(va).untagged(), access: Access::Execute };
    if va >= ADDRESS_LIMIT {
        return Err(fault);
    }
    let code = loop {
        let mapping = space.walk(va).ok_or(fault)?;
        if !mapping.prot.contains(Prot::EXEC) {
            return Err(fault);
        }
        if let Some(code) = local.arena.code.find(mapping.frame) {
            break code;
        }
        if local.arena.begin_code(mapping.frame) {
            shootdown::flush_writers(state);
            // This CPU was outside meanwhile; its maps may have changed.
            continue;
        }
        if let Some(code) = local.arena.code.find_or_make(&local.arena, mapping.frame) {
            break code;
        }
    };
    let op = CodePage::op(code, va);
    page::prepare(&local.arena, code, op);
    local.stats.jump_misses += 1;
    local.jumps.0[slot(va)] = JumpEntry { va, op };
    Ok(op)
}
