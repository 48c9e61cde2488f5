//! Lowering of what only works on the flags.

use a64::Insn;

use crate::lower::{Draft, Lower, src};
use crate::sem::flags::{FromAlternativeFlags, InvertCarry, RotateIntoFlags, SetFlagsOf, ToAlternativeFlags};

pub(super) fn CFINV_pstate(_i: Insn, c: &mut Lower<'_>) -> Draft {
    c.op::<InvertCarry>([0; 4], 0)
}

pub(super) fn AXFLAG_pstate(_i: Insn, c: &mut Lower<'_>) -> Draft {
    c.op::<ToAlternativeFlags>([0; 4], 0)
}

pub(super) fn XAFLAG_pstate(_i: Insn, c: &mut Lower<'_>) -> Draft {
    c.op::<FromAlternativeFlags>([0; 4], 0)
}

pub(super) fn RMIF_rmif(i: Insn, c: &mut Lower<'_>) -> Draft {
    c.op::<RotateIntoFlags>([0, src(i.rn()), 0, i.mask() as u8], i.imm6_15().cast_signed())
}

pub(super) fn SETF8_setf(i: Insn, c: &mut Lower<'_>) -> Draft {
    c.op::<SetFlagsOf<8>>([0, src(i.rn()), 0, 0], 0)
}

pub(super) fn SETF16_setf(i: Insn, c: &mut Lower<'_>) -> Draft {
    c.op::<SetFlagsOf<16>>([0, src(i.rn()), 0, 0], 0)
}
