//! Handlers of system instructions that ask the CPU, not the operands.

use std::time::Duration;

use machine::UserContext;

use crate::cpu::{CpuState, flag_kind};
use crate::op::{Op, Scratch, go};
use core::sync::atomic::Ordering;

/// How long `WFET` and `WFIT` sleep at the most. They may end at any time; this
/// is how often arm64 Linux' event stream ends a `WFE`. A CPU that sleeps
/// notices neither kicks nor shoot-downs.
const NAP: Duration = Duration::from_micros(100);

/// Writes the register in slot D and goes on.
///
/// # Safety
/// As [`crate::op::Handler`].
unsafe fn finish(op: *const Op, ctx: *mut UserContext, cpu: *const CpuState, fa: u64, fb: u64, value: u64) {
    // SAFETY: operand numbers are in bounds of the context.
    unsafe {
        *ctx.cast::<u64>().add(usize::from((*op).r[0])) = value;
        go(op.add(1), ctx, cpu, fa, fb);
    }
}

/// `MRS` of `CNTVCT_EL0`.
///
/// # Safety
/// As [`crate::op::Handler`].
pub(super) unsafe extern "C" fn read_counter(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    _: Scratch,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let value = (*(*cpu).local()).clock.counter();
        finish(op, ctx, cpu, fa, fb, value);
    }
}

/// `MRS` of `CNTFRQ_EL0`.
///
/// # Safety
/// As [`crate::op::Handler`].
pub(super) unsafe extern "C" fn read_frequency(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    _: Scratch,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let value = (*(*cpu).local()).clock.counter_frequency();
        finish(op, ctx, cpu, fa, fb, value);
    }
}

/// `MRS` of `RNDR` and, with `RESEED`, of `RNDRRS`: a random number and NZCV
/// clear; or, where there is none, 0 and Z set.
///
/// # Safety
/// As [`crate::op::Handler`].
pub(super) unsafe extern "C" fn random<const RESEED: bool>(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    _: Scratch,
    _: u64,
    _: u64,
) {
    // SAFETY: the caller vouches for the pointers; this is the CPU's thread.
    unsafe {
        let local = &mut *(*cpu).local();
        let number = local.entropy.next(RESEED);
        local.flag_kind = flag_kind::NZCV;
        let nzcv = if number.is_some() { 0 } else { 1 << 30 };
        finish(op, ctx, cpu, nzcv, 0, number.unwrap_or(0));
    }
}

/// `WFET` and `WFIT`: sleeps until the counter reaches the register in slot D,
/// or for a while.
///
/// # Safety
/// As [`crate::op::Handler`].
#[cold]
pub(super) unsafe extern "C" fn wait(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    _: Scratch,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers, and for the operand's number.
    unsafe {
        let deadline = *ctx.cast::<u64>().add(usize::from((*op).r[0]));
        let clock = &*(*(*cpu).local()).clock;
        let ticks = u128::from(deadline.saturating_sub(clock.counter()));
        let left_ns = ticks * 1_000_000_000 / u128::from(clock.counter_frequency().max(1));
        let nap = u64::try_from(left_ns).map_or(NAP, Duration::from_nanos).min(NAP);
        if !nap.is_zero() && (*cpu).poll.load(Ordering::Relaxed) == 0 {
            std::thread::sleep(nap);
        }
        go(op.add(1), ctx, cpu, fa, fb);
    }
}
