//! Jumps that leave a page or whose target is in a register.
//!
//! A per-CPU cache maps guest addresses to ops. It is cleared when the address
//! space changes, or translations are dropped (`cpu::shootdown`), so an entry
//! is always good to use.

use core::sync::atomic::Ordering;

use machine::{ADDRESS_LIMIT, Access, Exit, GuestAddr, PAGE_SIZE, Prot, UserContext};

use crate::bti::{self, branch};
use crate::code::page::{self, CodePage};
use crate::cpu::enter::leave;
use crate::cpu::{CpuState, Local, POLL_KICK, POLL_MAINTENANCE, shootdown};
use crate::op::{Op, SCRATCH, Scratch, go};

/// Entries for direct branches and returns.
const DIRECT_ENTRIES: usize = 1024;
/// Entries for each kind of branch whose targets are looked at (`bti`).
const CHECKED_ENTRIES: usize = 512;
const ENTRIES: usize = DIRECT_ENTRIES + 3 * CHECKED_ENTRIES;

#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
struct JumpEntry {
    /// The target; odd if the entry is empty.
    va: u64,
    op: *const Op,
}

/// Guest addresses that were jumped to, and their ops.
///
/// Each kind of branch that may not go everywhere in guarded pages has a table
/// of its own. What is in a table may be branched to in that way, so that a
/// branch that finds its target there has nothing to check.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct JumpCache {
    entries: [JumpEntry; ENTRIES],
    /// Which tables are not empty.
    used: [bool; 4],
}

const EMPTY: JumpEntry = JumpEntry { va: 1, op: core::ptr::null() };

/// The number of a branch's table; [`branch::ANY_JUMP`] has that of
/// [`branch::JUMP`], which may go to less than its other half.
const fn table(branch: u8) -> usize {
    if branch == branch::ANY_JUMP { branch::JUMP as usize } else { (branch & 3) as usize }
}

/// Where a table starts, and its entries.
const fn extent(table: usize) -> (usize, usize) {
    if table == 0 { (0, DIRECT_ENTRIES) } else { (DIRECT_ENTRIES + (table - 1) * CHECKED_ENTRIES, CHECKED_ENTRIES) }
}

#[inline(always)]
const fn slot(table: usize, va: u64) -> usize {
    let (start, len) = extent(table);
    start + ((va >> 2) as usize & (len - 1))
}

impl JumpCache {
    pub(crate) const fn new() -> Self {
        Self { entries: [EMPTY; ENTRIES], used: [false; 4] }
    }

    pub(crate) fn clear(&mut self) {
        for table in 0..self.used.len() {
            if core::mem::take(&mut self.used[table]) {
                let (start, len) = extent(table);
                self.entries[start..start + len].fill(EMPTY);
            }
        }
    }

    fn insert(&mut self, branch: u8, va: u64, op: *const Op) {
        let table = table(branch);
        self.used[table] = true;
        self.entries[slot(table, va)] = JumpEntry { va, op };
    }
}

/// Notes where a jump that takes the cold path leads.
///
/// # Safety
/// The caller is the thread that runs `cpu`.
#[inline(always)]
pub(crate) unsafe fn set_target(cpu: *const CpuState, va: u64, branch: u8) {
    // SAFETY: the caller vouches for `cpu`.
    unsafe {
        let local = (*cpu).local();
        (*local).target = va;
        (*local).branch = branch;
    }
}

/// Goes on at the guest address `va`, by a branch of the kind `BRANCH`.
///
/// # Safety
/// As [`crate::op::Handler`].
#[inline(always)]
pub(crate) unsafe fn jump<const BRANCH: u8>(
    va: u64,
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers, and an entry of the cache
    // leads to an op that is live until the next poll.
    unsafe {
        let local = (*cpu).local();
        let entry = (&raw const (*local).jumps.entries).cast::<JumpEntry>().add(slot(const { table(BRANCH) }, va));
        if (*entry).va == va && (*cpu).poll.load(Ordering::Relaxed) == 0 {
            (*local).page = va & !(PAGE_SIZE - 1);
            go((*entry).op, ctx, cpu, fa, fb);
        } else {
            set_target(cpu, va, BRANCH);
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
        match poll(state).and_then(|()| lookup(state, target)) {
            Ok(op) => {
                (*local).page = target & !(PAGE_SIZE - 1);
                op
            }
            Err(exit) => {
                // The check is still to be done if the target runs later.
                (*ctx).set_btype(btype(&*local));
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

/// PSTATE.BTYPE after the branch that leads to `Local::target`.
fn btype(local: &Local) -> u8 {
    if local.branch != branch::ANY_JUMP {
        return local.branch;
    }
    // SAFETY: `run` borrows the space meanwhile.
    let space = unsafe { &*local.space };
    let is_guarded = space.walk(local.page).is_some_and(|mapping| mapping.prot.contains(Prot::GUARDED));
    if is_guarded { branch::JUMP } else { branch::LINKAGE }
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
    let (code, mapping) = loop {
        let mapping = space.walk(va).ok_or(fault)?;
        if !mapping.prot.contains(Prot::EXEC) {
            return Err(fault);
        }
        if let Some(code) = local.arena.code.find(mapping.frame) {
            break (code, mapping);
        }
        if local.arena.begin_code(mapping.frame) {
            shootdown::flush_writers(state);
            // This CPU was outside meanwhile; its maps may have changed.
            continue;
        }
        if let Some(code) = local.arena.code.find_or_make(&local.arena, mapping.frame) {
            break (code, mapping);
        }
    };
    let word = local.arena.fetch(mapping.frame, (va & (PAGE_SIZE - 1)) as usize);
    let mut is_for_all = true;
    if mapping.prot.contains(Prot::GUARDED) && local.branch != branch::DIRECT {
        let btype = btype(local);
        if !bti::accepts(word, btype) {
            return Err(Exit::BranchTarget);
        }
        is_for_all = local.branch != branch::ANY_JUMP || bti::accepts(word, branch::JUMP);
    }
    let mut op = CodePage::op(code, va);
    let has_next = va & (PAGE_SIZE - 1) != PAGE_SIZE - 4;
    if bti::is_bti(word) && has_next {
        // Its work is done.
        op = op.wrapping_add(1);
    }
    page::prepare(&local.arena, code, op);
    local.stats.jump_misses += 1;
    if is_for_all {
        local.jumps.insert(local.branch, va, op);
    }
    Ok(op)
}
