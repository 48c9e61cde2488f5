//! Lowering of data processing with an immediate.
#![expect(non_snake_case, reason = "the names are the table's rows")]

use a64::Insn;
use a64::pseudocode::decode_bit_masks;

use super::{Draft, Lower, dst, sp, src};
use crate::domain::size;
use crate::sem::dp_imm::{
    AddImm, AddsZero, Adr, Adrp, AndsImm, CmpImm, Extend, Extract, ExtractBits, InsertBits, LogicImm, MoveImm,
    MoveKeep, Nop, PlaceBits, ShiftImm, ShiftTwice, SubsImm, TstImm, logic, shift, source,
};
use crate::sem::dp_reg::MoveReg;

/// An op of a form whose first parameter is `SF`.
macro_rules! by_sf {
    ($i:ident, $c:ident, $form:ident $(, $rest:expr)* ; $r:expr, $imm:expr) => {
        if $i.sf() == 1 {
            $c.op::<$form<true $(, { $rest })*>>($r, $imm)
        } else {
            $c.op::<$form<false $(, { $rest })*>>($r, $imm)
        }
    };
}
pub(super) use by_sf;

/// The expression for the value among `[…]` that `$value` has, as a constant;
/// the last one stands for all others.
macro_rules! with_const {
    ($value:expr, $k:ident: $ty:ident in [$($v:literal)* ; $last:literal] => $body:expr) => {
        match $value {
            $($v => { const $k: $ty = $v; $body })*
            _ => { const $k: $ty = $last; $body }
        }
    };
}
pub(super) use with_const;

/// What only writes XZR.
pub(super) fn nop(c: &mut Lower<'_>) -> Draft {
    c.op::<Nop>([0; 4], 0)
}

/// 32 or 64.
fn width(i: Insn) -> u32 {
    32 << i.sf()
}

/// The low `n` bits, 1 to 64.
fn ones(n: u32) -> u64 {
    u64::MAX >> (64 - n)
}

/// Rd = `value`.
pub(super) fn move_value(d: u8, value: u64, c: &mut Lower<'_>) -> Draft {
    let r = [d, 0, 0, 0];
    if let Ok(imm) = i32::try_from(value.cast_signed()) {
        c.op::<MoveImm<{ source::SIGNED }>>(r, imm)
    } else if let Ok(imm) = u32::try_from(value) {
        c.op::<MoveImm<{ source::UNSIGNED }>>(r, imm.cast_signed())
    } else {
        let imm = c.literal(value);
        c.op::<MoveImm<{ source::LITERAL }>>(r, imm)
    }
}

/// Rd = Rm, of the width that `i` has.
pub(super) fn move_register(i: Insn, d: u8, m: u8, c: &mut Lower<'_>) -> Draft {
    by_sf!(i, c, MoveReg; [d, 0, m, 0], 0)
}

pub(crate) fn ADR_pcreladdr(i: Insn, c: &mut Lower<'_>) -> Draft {
    let imm = c.page_offset() + i.adr_imm();
    c.op::<Adr>([dst(i.rd()), 0, 0, 0], imm as i32)
}

pub(crate) fn ADRP_pcreladdr(i: Insn, c: &mut Lower<'_>) -> Draft {
    c.op::<Adrp>([dst(i.rd()), 0, 0, 0], i.adr_imm() as i32)
}

fn add_sub_immediate(i: Insn) -> i32 {
    (i.imm12() << (12 * i.sh())).cast_signed()
}

fn add_immediate(i: Insn, imm: i32, c: &mut Lower<'_>) -> Draft {
    let (d, n) = (sp(i.rd()), sp(i.rn()));
    if imm == 0 { move_register(i, d, n, c) } else { by_sf!(i, c, AddImm; [d, n, 0, 0], imm) }
}

pub(crate) fn ADD_addsub_imm(i: Insn, c: &mut Lower<'_>) -> Draft {
    add_immediate(i, add_sub_immediate(i), c)
}

pub(crate) fn SUB_addsub_imm(i: Insn, c: &mut Lower<'_>) -> Draft {
    add_immediate(i, -add_sub_immediate(i), c)
}

fn subs_immediate(i: Insn, imm: i32, c: &mut Lower<'_>) -> Draft {
    let n = sp(i.rn());
    if i.rd() == 31 {
        by_sf!(i, c, CmpImm; [0, n, 0, 0], imm)
    } else {
        by_sf!(i, c, SubsImm; [dst(i.rd()), n, 0, 0], imm)
    }
}

pub(crate) fn SUBS_addsub_imm(i: Insn, c: &mut Lower<'_>) -> Draft {
    subs_immediate(i, add_sub_immediate(i), c)
}

/// Adding a number sets the same flags as subtracting its negative, except
/// that adding zero does not carry.
pub(crate) fn ADDS_addsub_imm(i: Insn, c: &mut Lower<'_>) -> Draft {
    match add_sub_immediate(i) {
        0 => by_sf!(i, c, AddsZero; [dst(i.rd()), sp(i.rn()), 0, 0], 0),
        imm => subs_immediate(i, -imm, c),
    }
}

/// The mask of a logical immediate, zero above the width.
fn bit_mask(i: Insn) -> u64 {
    decode_bit_masks(i.n(), i.imms(), i.immr()).unwrap_or_default() & ones(width(i))
}

/// Where a mask goes, and the op's immediate for it.
fn mask_source(mask: u64, c: &mut Lower<'_>) -> (u8, i32) {
    if let Ok(imm) = u32::try_from(mask) {
        (source::UNSIGNED, imm.cast_signed())
    } else if let Ok(imm) = i32::try_from(mask.cast_signed()) {
        (source::SIGNED, imm)
    } else {
        (source::LITERAL, c.literal(mask))
    }
}

fn logic_immediate<const OP: u8>(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [sp(i.rd()), src(i.rn()), 0, 0];
    let (from, imm) = mask_source(bit_mask(i), c);
    if i.sf() == 0 {
        return c.op::<LogicImm<false, OP, { source::UNSIGNED }>>(r, imm);
    }
    with_const!(from, FROM: u8 in [0 1; 2] => c.op::<LogicImm<true, OP, FROM>>(r, imm))
}

pub(crate) fn AND_log_imm(i: Insn, c: &mut Lower<'_>) -> Draft {
    logic_immediate::<{ logic::AND }>(i, c)
}

pub(crate) fn ORR_log_imm(i: Insn, c: &mut Lower<'_>) -> Draft {
    if i.rn() == 31 { move_value(sp(i.rd()), bit_mask(i), c) } else { logic_immediate::<{ logic::ORR }>(i, c) }
}

pub(crate) fn EOR_log_imm(i: Insn, c: &mut Lower<'_>) -> Draft {
    logic_immediate::<{ logic::EOR }>(i, c)
}

pub(crate) fn ANDS_log_imm(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [dst(i.rd()), src(i.rn()), 0, 0];
    let (from, imm) = mask_source(bit_mask(i), c);
    match (i.rd() == 31, i.sf() == 1) {
        (true, false) => c.op::<TstImm<false, { source::UNSIGNED }>>(r, imm),
        (false, false) => c.op::<AndsImm<false, { source::UNSIGNED }>>(r, imm),
        (true, true) => {
            with_const!(from, FROM: u8 in [0 1; 2] => c.op::<TstImm<true, FROM>>(r, imm))
        }
        (false, true) => {
            with_const!(from, FROM: u8 in [0 1; 2] => c.op::<AndsImm<true, FROM>>(r, imm))
        }
    }
}

pub(crate) fn MOVZ_movewide(i: Insn, c: &mut Lower<'_>) -> Draft {
    move_value(dst(i.rd()), u64::from(i.imm16()) << (16 * i.hw()), c)
}

pub(crate) fn MOVN_movewide(i: Insn, c: &mut Lower<'_>) -> Draft {
    move_value(dst(i.rd()), !(u64::from(i.imm16()) << (16 * i.hw())) & ones(width(i)), c)
}

pub(crate) fn MOVK_movewide(i: Insn, c: &mut Lower<'_>) -> Draft {
    if i.rd() == 31 {
        return nop(c);
    }
    let (r, imm) = ([dst(i.rd()), 0, 0, 0], i.imm16().cast_signed());
    if i.sf() == 0 {
        return with_const!(i.hw(), HW: u32 in [0; 1] => c.op::<MoveKeep<false, HW>>(r, imm));
    }
    with_const!(i.hw(), HW: u32 in [0 1 2; 3] => c.op::<MoveKeep<true, HW>>(r, imm))
}

/// The immediate of [`ShiftTwice`] that does what `SBFM` and `UBFM` do: the
/// field goes up to bit 63, and down to its place.
fn up_and_down(i: Insn) -> i32 {
    let (r, s) = (i.immr(), i.imms());
    let up = 63 - s;
    let down = if s >= r { up + r } else { up + r - width(i) };
    (up | down << 8).cast_signed()
}

pub(crate) fn SBFM_bitfield(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (r, s) = (i.immr(), i.imms());
    let operands = [dst(i.rd()), src(i.rn()), 0, 0];
    match (r, s) {
        _ if i.rd() == 31 => nop(c),
        _ if s == width(i) - 1 => by_sf!(i, c, ShiftImm, shift::ASR; operands, r.cast_signed()),
        (0, 7) => by_sf!(i, c, Extend, true, size::B; operands, 0),
        (0, 15) => by_sf!(i, c, Extend, true, size::H; operands, 0),
        (0, 31) => by_sf!(i, c, Extend, true, size::W; operands, 0),
        _ => by_sf!(i, c, ShiftTwice, true; operands, up_and_down(i)),
    }
}

pub(crate) fn UBFM_bitfield(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (r, s) = (i.immr(), i.imms());
    let (d, n) = (dst(i.rd()), src(i.rn()));
    let field = if s >= r { s - r + 1 } else { s + 1 };
    let mask = (ones(field) as u32).cast_signed();
    match (r, s) {
        _ if i.rd() == 31 => nop(c),
        _ if s == width(i) - 1 => by_sf!(i, c, ShiftImm, shift::LSR; [d, n, 0, 0], r.cast_signed()),
        _ if s + 1 == r => {
            by_sf!(i, c, ShiftImm, shift::LSL; [d, n, 0, 0], (width(i) - r).cast_signed())
        }
        (0, 7) => c.op::<Extend<true, false, { size::B }>>([d, n, 0, 0], 0),
        (0, 15) => c.op::<Extend<true, false, { size::H }>>([d, n, 0, 0], 0),
        (0, 31) => c.op::<Extend<true, false, { size::W }>>([d, n, 0, 0], 0),
        _ if field > 32 => c.op::<ShiftTwice<true, false>>([d, n, 0, 0], up_and_down(i)),
        _ if s >= r => {
            let operands = [d, n, r as u8 & 31, 0];
            if r < 32 { c.op::<ExtractBits<false>>(operands, mask) } else { c.op::<ExtractBits<true>>(operands, mask) }
        }
        _ => {
            let lsb = width(i) - r;
            let operands = [d, n, lsb as u8 & 31, 0];
            if lsb < 32 { c.op::<PlaceBits<false>>(operands, mask) } else { c.op::<PlaceBits<true>>(operands, mask) }
        }
    }
}

pub(crate) fn BFM_bitfield(i: Insn, c: &mut Lower<'_>) -> Draft {
    if i.rd() == 31 {
        return nop(c);
    }
    let (r, s) = (i.immr(), i.imms());
    let mask = if s >= r { ones(s - r + 1) } else { ones(s + 1) << (width(i) - r) };
    let operands = [dst(i.rd()), src(i.rn()), r as u8 & 31, 0];
    let Ok(imm) = u32::try_from(mask) else {
        let imm = c.literal(mask);
        return if r < 32 {
            c.op::<InsertBits<true, false, { source::LITERAL }>>(operands, imm)
        } else {
            c.op::<InsertBits<true, true, { source::LITERAL }>>(operands, imm)
        };
    };
    match (i.sf(), r) {
        (0, _) => c.op::<InsertBits<false, false, { source::UNSIGNED }>>(operands, imm.cast_signed()),
        (_, ..32) => c.op::<InsertBits<true, false, { source::UNSIGNED }>>(operands, imm.cast_signed()),
        _ => c.op::<InsertBits<true, true, { source::UNSIGNED }>>(operands, imm.cast_signed()),
    }
}

pub(crate) fn EXTR_extract(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (d, n, m, lsb) = (dst(i.rd()), src(i.rn()), src(i.rm()), i.imms().cast_signed());
    match lsb {
        _ if i.rd() == 31 => nop(c),
        0 => move_register(i, d, m, c),
        _ if n == m => by_sf!(i, c, ShiftImm, shift::ROR; [d, n, 0, 0], lsb),
        _ => by_sf!(i, c, Extract; [d, n, m, 0], lsb),
    }
}
