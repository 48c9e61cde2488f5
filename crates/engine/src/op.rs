//! The unit of threaded code: a handler and its operands.
//!
//! Every guest instruction is one [`Op`]; the ops of a page of code lie side
//! by side (see `code::page`), so the next instruction's op is the next in
//! memory and a local branch is a distance between ops.

use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicPtr, Ordering};

use machine::UserContext;

use crate::cpu::CpuState;

/// An argument without a value. It takes up the host register that x86-64
/// shifts by, so that handlers may use it and need not save anything.
pub(crate) type Scratch = MaybeUninit<u64>;
/// What to pass for a [`Scratch`].
pub(crate) const SCRATCH: Scratch = MaybeUninit::uninit();

/// A handler: executes `op` and goes on to the next one.
///
/// `fa` and `fb` are the flags (see `domain::flags`).
///
/// # Safety
/// `op` is an op of a live code page whose handler this is; `ctx` and `cpu`
/// are those of the running [`crate::Cpu`], used by nothing else meanwhile.
pub(crate) type Handler =
    unsafe extern "C" fn(op: *const Op, ctx: *mut UserContext, cpu: *const CpuState, _: Scratch, fa: u64, fb: u64);

/// Where an op names its operands: slots of [`Op::r`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Slot {
    /// The destination, Rd or Rt.
    D = 0,
    /// The first source or the base, Rn.
    N = 1,
    /// The second source, Rm or Rs.
    M = 2,
    /// The third source, Ra or Rt2.
    A = 3,
}

/// The operand number that reads as zero: while guest code runs, the `pc`
/// field of the context, which lies behind X0–X30 and SP, holds zero.
pub(crate) const ZERO: u8 = 32;
/// The operand number that swallows what is written to it: the `nzcv` field,
/// which is not in use while guest code runs.
pub(crate) const SINK: u8 = 33;
/// The operand number of TPIDR_EL0, which lies behind those two.
pub(crate) const TPIDR: u8 = 34;
/// One more than the largest operand number.
pub(crate) const OPERAND_LIMIT: u8 = 35;

/// One instruction of threaded code.
#[repr(C, align(16))]
pub(crate) struct Op {
    handler: AtomicPtr<()>,
    /// Operand numbers by [`Slot`], each below [`OPERAND_LIMIT`].
    pub(crate) r: [u8; 4],
    /// The immediate, as the form takes it.
    pub(crate) imm: i32,
}

impl Op {
    /// Makes the op visible to other CPUs, its handler last.
    ///
    /// # Safety
    /// `at` is writable, and no CPU reads the operands of the old handler.
    pub(crate) unsafe fn publish(at: *mut Op, handler: Handler, r: [u8; 4], imm: i32) {
        // SAFETY: the caller vouches for `at`.
        unsafe {
            (*at).r = r;
            (*at).imm = imm;
            (*at).handler.store(handler as *mut (), Ordering::Release);
        }
    }

    /// The handler. Operands read after this are those that belong to it.
    #[inline(always)]
    pub(crate) fn handler(&self) -> Handler {
        // x86 orders loads; a dependent load needs no more on other hosts than
        // acquire gives.
        const ORDER: Ordering = if cfg!(target_arch = "x86_64") { Ordering::Relaxed } else { Ordering::Acquire };
        let raw = self.handler.load(ORDER);
        // SAFETY: only `publish` stores here, and it stores a `Handler`.
        unsafe { core::mem::transmute::<*mut (), Handler>(raw) }
    }
}

impl core::fmt::Debug for Op {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Op({:?}, {:#x})", self.r, self.imm)
    }
}

/// Goes on with `op`.
///
/// # Safety
/// As [`Handler`], for `op` and its own handler.
#[inline(always)]
pub(crate) unsafe fn go(op: *const Op, ctx: *mut UserContext, cpu: *const CpuState, fa: u64, fb: u64) {
    #[cfg(tail_calls)]
    // SAFETY: the caller vouches for the arguments.
    unsafe {
        ((*op).handler())(op, ctx, cpu, SCRATCH, fa, fb);
    }
    #[cfg(not(tail_calls))]
    // SAFETY: the caller vouches for `cpu`.
    unsafe {
        let _ = ctx;
        let local = (*cpu).local();
        (*local).next = op;
        (*local).fa = fa;
        (*local).fb = fb;
    }
}
