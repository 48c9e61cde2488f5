//! From encodings to ops: for each row of the table, a function that chooses
//! the form, the operands and the immediate.
//!
//! The functions have the rows' names and live in one file per group. The
//! match below comes from [`a64::for_each_encoding!`], so a row without a
//! function stops the build; the rows of features that are not
//! provided are listed in `not_provided`.

#![expect(non_snake_case, reason = "functions have the names of the table's rows")]

mod arrange;
mod branch;
mod crypto;
mod dp_imm;
mod dp_reg;
mod flags;
mod fp;
mod mem;
mod not_provided;
mod pauth;
mod simd_half;
mod simd_later;
mod simd_mem;
mod simd_misc;
mod simd_move;
mod simd_same;
mod simd_scalar;
mod simd_shift;
mod special;
mod system;

use core::ptr::NonNull;

use a64::{Encoding, Insn};
use machine::UserContext;

use crate::code::page::{self, CodePage};
use crate::cpu::CpuState;
use crate::cpu::enter::{leave, pc_of};
use crate::domain::handler::{self, place};
use crate::domain::{BranchSem, JumpSem, Sem};
use crate::features::CpuFeatures;
use crate::op::{Handler, Op, SINK, Scratch, ZERO};

/// An op to be.
pub(crate) struct Draft {
    pub(crate) handler: Handler,
    pub(crate) r: [u8; 4],
    pub(crate) imm: i32,
    /// Control never goes on to the next instruction.
    pub(crate) ends: bool,
}

impl core::fmt::Debug for Draft {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Draft").field("r", &self.r).field("imm", &self.imm).finish_non_exhaustive()
    }
}

/// The operand number of a source register where 31 is ZR.
#[must_use]
pub(crate) const fn src(r: u32) -> u8 {
    if r & 31 == 31 { ZERO } else { r as u8 & 31 }
}

/// The operand number of a destination register where 31 is ZR.
#[must_use]
pub(crate) const fn dst(r: u32) -> u8 {
    if r & 31 == 31 { SINK } else { r as u8 & 31 }
}

/// The operand number of a register where 31 is SP.
#[must_use]
pub(crate) const fn sp(r: u32) -> u8 {
    r as u8 & 31
}

/// The operand number of a SIMD&FP register.
#[must_use]
pub(crate) const fn vreg(r: u32) -> u8 {
    r as u8 & 31
}

/// What lowering of one instruction has at hand.
#[derive(Debug)]
pub(crate) struct Lower<'a> {
    /// The features of the CPU.
    pub(crate) features: &'a CpuFeatures,
    page: NonNull<CodePage>,
    /// The instruction's number in its page.
    index: usize,
}

impl<'a> Lower<'a> {
    /// For instruction `index` of a page whose lock the caller holds.
    pub(crate) fn new(features: &'a CpuFeatures, page: NonNull<CodePage>, index: usize) -> Self {
        Self { features, page, index }
    }

    /// An instruction of form `S`, its operands by slot (D, N, M, A).
    pub(crate) fn op<S: Sem>(&mut self, r: [u8; 4], imm: i32) -> Draft {
        let handler: Handler = if S::IS_LARGE { handler::slow::<S> } else { handler::step::<S> };
        Draft { handler, r, imm, ends: false }
    }

    /// Keeps a 64-bit constant; gives the immediate of a form that reads it
    /// with `Domain::literal`.
    pub(crate) fn literal(&mut self, value: u64) -> i32 {
        page::add_literal(self.page, value)
    }

    /// The instruction's offset in its page, to be added to PC-relative
    /// immediates whose form adds `Domain::page`.
    #[must_use]
    pub(crate) fn page_offset(&self) -> i64 {
        self.index as i64 * 4
    }

    /// A branch to the instruction at `offset` from this one.
    pub(crate) fn branch<S: BranchSem>(&mut self, r: [u8; 4], offset: i64) -> Draft {
        let target = self.page_offset() + offset;
        if !(0..machine::PAGE_SIZE as i64).contains(&target) {
            let handler: Handler = handler::branch::<S, { place::FAR }>;
            return Draft { handler, r, imm: target as i32, ends: false };
        }
        let target = target as usize / 4;
        page::make_ready(self.page, target, target);
        let handler: Handler = if target > self.index {
            handler::branch::<S, { place::FORWARD }>
        } else {
            handler::branch::<S, { place::BACKWARD }>
        };
        Draft { handler, r, imm: (target as i32 - self.index as i32) * size_of::<Op>() as i32, ends: false }
    }

    /// A branch to a register.
    pub(crate) fn jump<S: JumpSem>(&mut self, r: [u8; 4]) -> Draft {
        Draft { handler: handler::indirect::<S>, r, imm: 0, ends: true }
    }

    /// An instruction with a handler of its own.
    pub(crate) fn special(&mut self, handler: Handler, r: [u8; 4], imm: i32) -> Draft {
        Draft { handler, r, imm, ends: false }
    }

    /// An instruction that EL0 does not have.
    #[must_use]
    pub(crate) fn undefined(&self, i: Insn) -> Draft {
        Draft { handler: undefined, r: [0; 4], imm: i.0.cast_signed(), ends: true }
    }
}

/// The handler of what is no instruction.
#[cold]
unsafe extern "C" fn undefined(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    _: Scratch,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let word = (*op).imm.cast_unsigned();
        leave(ctx, cpu, fa, fb, pc_of(op, cpu), machine::Exit::Undefined { word });
    }
}

/// The rows of the table that are there to be shown only: an instruction of
/// theirs is undefined to the guest.
#[must_use]
pub fn encodings_not_provided() -> &'static [&'static str] {
    not_provided::NOT_PROVIDED
}

/// The functions that the dispatch finds, by name.
mod rows {
    pub(super) use super::branch::*;
    pub(super) use super::crypto::*;
    pub(super) use super::dp_imm::*;
    pub(super) use super::dp_reg::*;
    pub(super) use super::flags::*;
    pub(super) use super::fp::*;
    pub(super) use super::mem::*;
    pub(super) use super::not_provided::*;
    pub(super) use super::pauth::*;
    pub(super) use super::simd_half::*;
    pub(super) use super::simd_later::*;
    pub(super) use super::simd_mem::*;
    pub(super) use super::simd_misc::*;
    pub(super) use super::simd_move::*;
    pub(super) use super::simd_same::*;
    pub(super) use super::simd_scalar::*;
    pub(super) use super::simd_shift::*;
    pub(super) use super::system::*;
}

macro_rules! dispatch {
    ($($name:ident $class:ident;)*) => {
        fn lower_encoding(encoding: Encoding, i: Insn, c: &mut Lower<'_>) -> Draft {
            match encoding { $(Encoding::$name => rows::$name(i, c)),* }
        }
    };
}
a64::for_each_encoding!(dispatch);

/// The op for an instruction word.
pub(crate) fn lower(word: u32, c: &mut Lower<'_>) -> Draft {
    match a64::decode(word) {
        Some(encoding) => lower_encoding(encoding, Insn(word), c),
        None => c.undefined(Insn(word)),
    }
}
