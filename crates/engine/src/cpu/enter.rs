//! Entering and leaving guest code.

use std::sync::Arc;

use machine::{Exit, UserContext};

use crate::cpu::{Cpu, CpuState, flag_kind, jump, shootdown};
use crate::domain::flags;
use crate::fp;
use crate::mem::space::AddressSpace;
use crate::op::{Op, SCRATCH};

impl Cpu {
    /// Runs guest code from `context` in `space` until something happens.
    ///
    /// The context is exact afterwards, as [`Exit`] says. Returns
    /// [`Exit::Event`] within a bounded number of instructions after a kick,
    /// also if the kick came before the call.
    ///
    /// # Panics
    /// If `space` belongs to another arena than this CPU.
    pub fn run(&mut self, context: &mut UserContext, space: &AddressSpace) -> Exit {
        let cpu: *const CpuState = &*self.state;
        let local = self.state.local();
        let ctx: *mut UserContext = context;
        // SAFETY: this thread owns the CPU, so `local` is its own; `ctx` and
        // `space` are borrowed until the end of the call.
        unsafe {
            assert!(Arc::ptr_eq(&(*local).arena, space.arena()), "an address space of another arena");
            (*local).space = space;
            (*local).stats.runs += 1;
            shootdown::enter(&self.state);
            (*local).exit = Exit::Event;
            (*local).flag_kind = flag_kind::NZCV;
            (*local).target = (*ctx).pc;
            (*local).branch = (*ctx).btype();
            (*ctx).set_btype(0);
            let nzcv = (*ctx).nzcv;
            (*ctx).pc = 0;
            // Every exception return closes the local monitor.
            (*ctx).monitor.size = 0;
            // A signal frame may have more bits than there are.
            (*ctx).fpcr &= fp::FPCR_MASK;
            (*ctx).fpsr &= fp::FPSR_MASK;
            // While guest code runs, the host's sticky flags are FPSR's.
            let host_modes = fp::host::enter();
            drive(ctx, cpu, nzcv);
            (*ctx).fpsr |= fp::host::leave(host_modes);
            shootdown::leave(&self.state);
            (*local).space = core::ptr::null();
            (*local).exit
        }
    }
}

/// Runs from `target` until something leaves.
#[cfg(tail_calls)]
unsafe fn drive(ctx: *mut UserContext, cpu: *const CpuState, nzcv: u64) {
    // SAFETY: `run` vouches for the pointers.
    unsafe { jump::cold_jump(core::ptr::null(), ctx, cpu, SCRATCH, nzcv, 0) }
}

/// Runs from `target` until something leaves.
#[cfg(not(tail_calls))]
unsafe fn drive(ctx: *mut UserContext, cpu: *const CpuState, nzcv: u64) {
    // SAFETY: `run` vouches for the pointers, and whatever sets `next` for the
    // op it sets.
    unsafe {
        let local = (*cpu).local();
        (*local).next = core::ptr::null();
        jump::cold_jump(core::ptr::null(), ctx, cpu, SCRATCH, nzcv, 0);
        loop {
            let op = core::mem::replace(&mut (*local).next, core::ptr::null());
            if op.is_null() {
                return;
            }
            ((*op).handler())(op, ctx, cpu, SCRATCH, (*local).fa, (*local).fb);
        }
    }
}

/// Leaves guest code with the PC at `pc`; the caller then returns.
///
/// # Safety
/// As [`crate::op::Handler`].
pub(crate) unsafe fn leave(ctx: *mut UserContext, cpu: *const CpuState, fa: u64, fb: u64, pc: u64, exit: Exit) {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let local = (*cpu).local();
        (*ctx).pc = pc;
        (*ctx).nzcv = flags::nzcv((*local).flag_kind, fa, fb);
        (*local).exit = exit;
    }
}

/// The guest address of `op`.
///
/// # Safety
/// `op` is one of the 1024 ops of the page that `cpu` runs.
pub(crate) unsafe fn pc_of(op: *const Op, cpu: *const CpuState) -> u64 {
    // SAFETY: the caller vouches for `cpu`.
    let page = unsafe { (*(*cpu).local()).page };
    page | crate::code::page::offset_of(op)
}
