//! Keeping CPUs up to date with changes of page tables and of code.
//!
//! A CPU is *inside* while it runs guest code. A change first becomes visible
//! (a generation or the arena's epoch moves on), then the CPUs that are inside
//! are polled. A CPU that enters announces itself before it looks at the
//! generations, so either it sees the change or the changer sees it inside.
//! Nobody waits while holding a lock that a CPU inside could want.

use core::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Weak};

use crate::cpu::{CpuState, Local, POLL_MAINTENANCE};
use crate::mem::space::AddressSpace;

/// Announces that guest code is about to run and catches up with all changes.
pub(crate) fn enter(state: &CpuState) {
    // SAFETY: this thread runs the CPU; `run` set a space that it borrows.
    let id = unsafe { (*(*state.local()).space).id() };
    state.inside.store(id, Ordering::SeqCst);
    fence(Ordering::SeqCst);
    catch_up(state);
}

/// Announces that no guest code runs here any more.
pub(crate) fn leave(state: &CpuState) {
    state.inside.store(0, Ordering::SeqCst);
}

/// Drops every translation that is no longer good.
pub(crate) fn catch_up(state: &CpuState) {
    state.poll.fetch_and(!POLL_MAINTENANCE, Ordering::SeqCst);
    // SAFETY: this thread runs the CPU, and no other reference is in use.
    let local = unsafe { &mut *state.local() };
    // SAFETY: `run` borrows the space meanwhile.
    let space = unsafe { &*local.space };
    let epoch = local.arena.epoch.load(Ordering::SeqCst);
    let tlb = space.tlb_generation.load(Ordering::SeqCst);
    let code = space.code_generation.load(Ordering::SeqCst);
    let same_space = local.seen_space == space.id();
    let same_epoch = state.seen_epoch.load(Ordering::Relaxed) == epoch;
    if !same_space || state.seen_tlb.load(Ordering::Relaxed) != tlb {
        local.read_tlb.clear();
        local.write_tlb.clear();
    } else if !same_epoch {
        local.write_tlb.clear();
    }
    if !same_space || !same_epoch || local.seen_code != code {
        local.jumps.clear();
    }
    local.seen_space = space.id();
    local.seen_code = code;
    state.seen_tlb.store(tlb, Ordering::SeqCst);
    state.seen_epoch.store(epoch, Ordering::SeqCst);
}

/// Returns once no CPU uses translations of `space` from before the call.
pub(crate) fn flush_space(space: &AddressSpace) {
    let generation = space.tlb_generation.fetch_add(1, Ordering::SeqCst) + 1;
    let id = space.id();
    wait_for_all(space.arena(), |cpu| {
        cpu.inside.load(Ordering::SeqCst) != id || cpu.seen_tlb.load(Ordering::SeqCst) >= generation
    });
}

/// Returns once no CPU has a write TLB entry from before the call. The calling
/// CPU counts as outside meanwhile, and has caught up afterwards.
pub(crate) fn flush_writers(state: &CpuState) {
    let local: *mut Local = state.local();
    // SAFETY: this thread runs the CPU.
    let arena = unsafe { Arc::clone(&(*local).arena) };
    let epoch = arena.epoch.fetch_add(1, Ordering::SeqCst) + 1;
    leave(state);
    wait_for_all(&arena, |cpu| {
        cpu.inside.load(Ordering::SeqCst) == 0 || cpu.seen_epoch.load(Ordering::SeqCst) >= epoch
    });
    enter(state);
}

/// Polls every CPU that is not `done`, and waits until all are.
fn wait_for_all(arena: &crate::mem::arena::Arena, done: impl Fn(&CpuState) -> bool) {
    fence(Ordering::SeqCst);
    let behind: Vec<Arc<CpuState>> =
        arena.cpus.read().iter().filter_map(Weak::upgrade).filter(|cpu| !done(cpu)).collect();
    for cpu in &behind {
        cpu.request_maintenance();
    }
    for cpu in &behind {
        let mut spins = 0_u32;
        while !done(cpu) {
            spins = spins.saturating_add(1);
            if spins < 64 {
                core::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    }
}
