//! Handlers: semantics over plain numbers, as threaded code.
//!
//! A fast handler calls nothing but its successor or, as its last act, a cold
//! function of the same signature, so that LLVM compiles it without a stack
//! frame (`cargo xtask handlers` checks that).

use core::sync::atomic::Ordering;

use machine::UserContext;

use crate::bti::branch;
use crate::code::page::offset_of;
use crate::cpu::CpuState;
use crate::cpu::enter::{leave, pc_of};
use crate::cpu::jump::{cold_jump, jump, resolve, set_target};
use crate::domain::direct::Direct;
use crate::domain::memory::{self, Fast, Full, opaque};
use crate::domain::{BranchSem, JumpSem, Sem, Stop};
use crate::op::{Op, SCRATCH, Scratch, go};

/// Where an immediate branch goes.
pub(crate) mod place {
    /// Further on in the same page; `imm` is the distance of the ops in bytes.
    pub(crate) const FORWARD: u8 = 0;
    /// Back in the same page, so that it might be a loop: polls.
    pub(crate) const BACKWARD: u8 = 1;
    /// To another page; `imm` is the distance from the start of this page.
    pub(crate) const FAR: u8 = 2;
}

/// An instruction that goes on to the next.
///
/// # Safety
/// As [`crate::op::Handler`].
pub(crate) unsafe extern "C" fn step<S: Sem>(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    _: Scratch,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers; there is an op behind each,
    // the last one's being the sentinel.
    unsafe {
        let mut d = Direct::<Fast>::new(op, ctx, cpu, fa, fb);
        if S::exec(&mut d).is_ok() {
            go(op.add(1), ctx, cpu, d.fa, d.fb);
        } else {
            slow::<S>(op, ctx, cpu, SCRATCH, fa, fb);
        }
    }
}

/// Two instructions in one. Each is restartable by itself.
///
/// # Safety
/// As [`crate::op::Handler`], and the next op is one of form `B`.
#[cfg(tail_calls)]
pub(crate) unsafe extern "C" fn pair<A: Sem, B: Sem>(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    _: Scratch,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers and for what follows `op`.
    unsafe {
        let mut d = Direct::<Fast>::new(op, ctx, cpu, fa, fb);
        if A::exec(&mut d).is_err() {
            slow::<A>(op, ctx, cpu, SCRATCH, fa, fb);
            return;
        }
        let (fa, fb) = (d.fa, d.fb);
        d.op = op.add(1);
        if B::exec(&mut d).is_err() {
            slow::<B>(op.add(1), ctx, cpu, SCRATCH, fa, fb);
            return;
        }
        go(op.add(2), ctx, cpu, d.fa, d.fb);
    }
}

/// An instruction and the branch behind it in one.
///
/// # Safety
/// As [`crate::op::Handler`], and the next op is that branch.
#[cfg(tail_calls)]
pub(crate) unsafe extern "C" fn pair_branch<A: Sem, B: BranchSem, const PLACE: u8>(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    _: Scratch,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers and for what follows `op`.
    unsafe {
        let mut d = Direct::<Fast>::new(op, ctx, cpu, fa, fb);
        if A::exec(&mut d).is_err() {
            slow::<A>(op, ctx, cpu, SCRATCH, fa, fb);
            return;
        }
        d.op = op.add(1);
        if B::is_taken(&mut d) {
            take_branch::<PLACE>(op.add(1), ctx, cpu, d.fa, d.fb);
        } else {
            go(op.add(2), ctx, cpu, d.fa, d.fb);
        }
    }
}

/// An instruction and the jump behind it in one.
///
/// # Safety
/// As [`crate::op::Handler`], and the next op is that jump.
#[cfg(tail_calls)]
pub(crate) unsafe extern "C" fn pair_jump<A: Sem, B: JumpSem>(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    _: Scratch,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers and for what follows `op`.
    unsafe {
        let mut d = Direct::<Fast>::new(op, ctx, cpu, fa, fb);
        if A::exec(&mut d).is_err() {
            slow::<A>(op, ctx, cpu, SCRATCH, fa, fb);
            return;
        }
        d.op = op.add(1);
        match B::target(&mut d) {
            Ok(target) => jump_as::<B>(target, op, ctx, cpu, d.fa, d.fb),
            Err(Stop) => slow_jump::<B>(op.add(1), ctx, cpu, SCRATCH, d.fa, d.fb),
        }
    }
}

/// Starts an instruction again that the fast handler gave up.
///
/// # Safety
/// As [`crate::op::Handler`].
#[cold]
#[inline(never)]
pub(crate) unsafe extern "C" fn slow<S: Sem>(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    _: Scratch,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let next = execute_slowly::<S>(op, ctx, cpu, fa, fb);
        if !next.is_null() {
            let local = (*cpu).local();
            go(next, ctx, cpu, (*local).fa, (*local).fb);
        }
    }
}

/// What [`slow`] does, but for the jump: in a function of its own, since one
/// that hands out addresses of its variables cannot end in a jump. Gives the
/// next op, with its flags in `Local`; null if the CPU has left guest code.
#[inline(never)]
unsafe fn execute_slowly<S: Sem>(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    fa: u64,
    fb: u64,
) -> *const Op {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let mut d = Direct::<Full>::new(op, ctx, cpu, fa, fb);
        let is_done = S::exec(&mut d).is_ok();
        let local = (*cpu).local();
        (*local).fa = d.fa;
        (*local).fb = d.fb;
        finish(op, ctx, cpu, is_done)
    }
}

/// What comes after a slow instruction; null if the CPU has left guest code.
unsafe fn finish(op: *const Op, ctx: *mut UserContext, cpu: *const CpuState, is_done: bool) -> *const Op {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let local = (*cpu).local();
        (*local).stats.slow_ops += 1;
        memory::after_op(&mut *local);
        let pc = pc_of(op, cpu);
        let (fa, fb) = ((*local).fa, (*local).fb);
        if !is_done {
            leave(ctx, cpu, fa, fb, pc, (*local).exit);
            return core::ptr::null();
        }
        if (*cpu).poll.load(Ordering::Relaxed) == 0 {
            return op.add(1);
        }
        // The instruction may have written over the code that follows.
        set_target(cpu, pc.wrapping_add(4), branch::DIRECT);
        resolve(ctx, cpu, fa, fb)
    }
}

/// A branch to an immediate target.
///
/// # Safety
/// As [`crate::op::Handler`].
pub(crate) unsafe extern "C" fn branch<S: BranchSem, const PLACE: u8>(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    _: Scratch,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers; lowering made sure that the
    // target in this page is ready.
    unsafe {
        let mut d = Direct::<Fast>::new(op, ctx, cpu, fa, fb);
        if S::is_taken(&mut d) {
            take_branch::<PLACE>(op, ctx, cpu, d.fa, d.fb);
        } else {
            go(op.add(1), ctx, cpu, d.fa, d.fb);
        }
    }
}

/// Goes to the target of the branch `op`.
///
/// # Safety
/// As [`crate::op::Handler`], for a branch op.
#[inline(always)]
pub(crate) unsafe fn take_branch<const PLACE: u8>(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let distance = (*op).imm as isize;
        if PLACE == place::FAR {
            let target = (*(*cpu).local()).page.wrapping_add(distance as u64);
            jump::<{ branch::DIRECT }>(target, op, ctx, cpu, fa, fb);
            return;
        }
        // Opaque, or the compiler would fold both outcomes of a branch into
        // one jump, which the host predicts worse.
        let target = opaque(op.byte_offset(distance));
        if PLACE == place::BACKWARD && (*cpu).poll.load(Ordering::Relaxed) != 0 {
            set_target(cpu, (*(*cpu).local()).page | offset_of(target), branch::DIRECT);
            cold_jump(op, ctx, cpu, SCRATCH, fa, fb);
            return;
        }
        go(target, ctx, cpu, fa, fb);
    }
}

/// A branch to a register.
///
/// # Safety
/// As [`crate::op::Handler`].
pub(crate) unsafe extern "C" fn indirect<S: JumpSem>(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    _: Scratch,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let mut d = Direct::<Fast>::new(op, ctx, cpu, fa, fb);
        match S::target(&mut d) {
            Ok(target) => jump_as::<S>(target, op, ctx, cpu, d.fa, d.fb),
            Err(Stop) => slow_jump::<S>(op, ctx, cpu, SCRATCH, d.fa, d.fb),
        }
    }
}

/// Goes to where a branch of form `S` leads.
///
/// # Safety
/// As [`crate::op::Handler`].
#[inline(always)]
unsafe fn jump_as<S: JumpSem>(
    target: u64,
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        match S::BRANCH {
            branch::DIRECT => jump::<{ branch::DIRECT }>(target, op, ctx, cpu, fa, fb),
            branch::LINKAGE => jump::<{ branch::LINKAGE }>(target, op, ctx, cpu, fa, fb),
            branch::CALL => jump::<{ branch::CALL }>(target, op, ctx, cpu, fa, fb),
            _ => jump::<{ branch::ANY_JUMP }>(target, op, ctx, cpu, fa, fb),
        }
    }
}

/// Starts a branch to a register again that the fast handler gave up.
///
/// # Safety
/// As [`crate::op::Handler`].
#[cold]
#[inline(never)]
unsafe extern "C" fn slow_jump<S: JumpSem>(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    _: Scratch,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let next = jump_slowly::<S>(op, ctx, cpu, fa, fb);
        if !next.is_null() {
            go(next, ctx, cpu, fa, fb);
        }
    }
}

/// What [`slow_jump`] does, but for the jump, as [`execute_slowly`].
#[inline(never)]
unsafe fn jump_slowly<S: JumpSem>(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    fa: u64,
    fb: u64,
) -> *const Op {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let local = (*cpu).local();
        (*local).stats.slow_ops += 1;
        let mut d = Direct::<Full>::new(op, ctx, cpu, fa, fb);
        if let Ok(target) = S::target(&mut d) {
            set_target(cpu, target, S::BRANCH);
            return resolve(ctx, cpu, fa, fb);
        }
        leave(ctx, cpu, fa, fb, pc_of(op, cpu), (*local).exit);
        core::ptr::null()
    }
}
