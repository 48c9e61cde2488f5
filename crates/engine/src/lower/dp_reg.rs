//! Lowering of data processing of registers.
#![expect(non_snake_case, reason = "the names are the table's rows")]

use a64::Insn;

use super::dp_imm::{by_sf, move_register, nop, with_const};
use super::{Draft, Lower, dst, sp, src};
use crate::domain::size;
use crate::sem::dp_cond::{CompareIf, Select, SetIf, otherwise};
use crate::sem::dp_imm::{logic, shift};
use crate::sem::dp_reg::{
    AddCarry, AddExt, AddReg, AddScaled, AddsExt, AddsReg, CmpReg, LogicFlags, LogicReg, PLAIN, TstReg,
};
use crate::sem::dp_src::{
    Cls, Clz, Crc, Madd, Msub, Mul, MulAddLong, Rbit, Rev16, Rev32, Rev64, Sdiv, ShiftReg, Smulh, Udiv, Umulh,
};

/// Defines the rows as instances of a function.
macro_rules! rows {
    ($($name:ident = $function:expr;)*) => {
        $(pub(crate) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            $function(i, c)
        })*
    };
}

/// The operands of an instruction where every 31 is ZR.
fn operands(i: Insn) -> [u8; 4] {
    [dst(i.rd()), src(i.rn()), src(i.rm()), src(i.ra())]
}

/// The kind of shift of the second operand: a shift by zero is none.
fn kind(i: Insn) -> u8 {
    if i.imm6() == 0 { PLAIN } else { i.shift() as u8 }
}

fn add_sub<const SUB: bool>(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (r, imm) = (operands(i), i.imm6().cast_signed());
    match (kind(i), i.imm6()) {
        _ if i.rd() == 31 => nop(c),
        (shift::LSL, 1) if i.sf() == 1 && !SUB => c.op::<AddScaled<1>>(r, 0),
        (shift::LSL, 2) if i.sf() == 1 && !SUB => c.op::<AddScaled<2>>(r, 0),
        (shift::LSL, 3) if i.sf() == 1 && !SUB => c.op::<AddScaled<3>>(r, 0),
        (kind, _) => {
            with_const!(kind, KIND: u8 in [0 1 2; 4] => by_sf!(i, c, AddReg, SUB, KIND; r, imm))
        }
    }
}

fn add_sub_flags<const SUB: bool>(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (r, imm) = (operands(i), i.imm6().cast_signed());
    if i.rd() == 31 {
        with_const!(kind(i), KIND: u8 in [0 1 2; 4] => by_sf!(i, c, CmpReg, SUB, KIND; r, imm))
    } else {
        with_const!(kind(i), KIND: u8 in [0 1 2; 4] => by_sf!(i, c, AddsReg, SUB, KIND; r, imm))
    }
}

fn add_sub_extended<const SUB: bool>(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (r, imm) = ([sp(i.rd()), sp(i.rn()), src(i.rm()), 0], i.imm3().cast_signed());
    with_const!(i.option(), OPTION: u8 in [0 1 2 4 5 6; 3] => by_sf!(i, c, AddExt, SUB, OPTION; r, imm))
}

fn add_sub_extended_flags<const SUB: bool>(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (r, imm) = ([dst(i.rd()), sp(i.rn()), src(i.rm()), 0], i.imm3().cast_signed());
    with_const!(i.option(), OPTION: u8 in [0 1 2 4 5 6; 3] => by_sf!(i, c, AddsExt, SUB, OPTION; r, imm))
}

fn add_sub_carry<const SUB: bool>(i: Insn, c: &mut Lower<'_>) -> Draft {
    if i.rd() == 31 { nop(c) } else { by_sf!(i, c, AddCarry, SUB, false; operands(i), 0) }
}

fn add_sub_carry_flags<const SUB: bool>(i: Insn, c: &mut Lower<'_>) -> Draft {
    by_sf!(i, c, AddCarry, SUB, true; operands(i), 0)
}

fn bitwise<const OP: u8>(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (r, imm) = (operands(i), i.imm6().cast_signed());
    match kind(i) {
        _ if i.rd() == 31 => nop(c),
        PLAIN if OP == logic::ORR && i.rn() == 31 => move_register(i, r[0], r[2], c),
        kind => {
            with_const!(kind, KIND: u8 in [0 1 2 3; 4] => by_sf!(i, c, LogicReg, OP, KIND; r, imm))
        }
    }
}

fn bitwise_flags<const OP: u8>(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (r, imm) = (operands(i), i.imm6().cast_signed());
    match kind(i) {
        PLAIN if OP == logic::AND && i.rd() == 31 => by_sf!(i, c, TstReg; r, 0),
        kind => {
            with_const!(kind, KIND: u8 in [0 1 2 3; 4] => by_sf!(i, c, LogicFlags, OP, KIND; r, imm))
        }
    }
}

rows! {
    ADD_addsub_shift = add_sub::<false>;
    ADDS_addsub_shift = add_sub_flags::<false>;
    SUB_addsub_shift = add_sub::<true>;
    SUBS_addsub_shift = add_sub_flags::<true>;
    ADD_addsub_ext = add_sub_extended::<false>;
    ADDS_addsub_ext = add_sub_extended_flags::<false>;
    SUB_addsub_ext = add_sub_extended::<true>;
    SUBS_addsub_ext = add_sub_extended_flags::<true>;
    ADC_addsub_carry = add_sub_carry::<false>;
    ADCS_addsub_carry = add_sub_carry_flags::<false>;
    SBC_addsub_carry = add_sub_carry::<true>;
    SBCS_addsub_carry = add_sub_carry_flags::<true>;
    AND_log_shift = bitwise::<{ logic::AND }>;
    BIC_log_shift = bitwise::<{ logic::BIC }>;
    ORR_log_shift = bitwise::<{ logic::ORR }>;
    ORN_log_shift = bitwise::<{ logic::ORN }>;
    EOR_log_shift = bitwise::<{ logic::EOR }>;
    EON_log_shift = bitwise::<{ logic::EON }>;
    ANDS_log_shift = bitwise_flags::<{ logic::AND }>;
    BICS_log_shift = bitwise_flags::<{ logic::BIC }>;
}

fn select<const OTHERWISE: u8>(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = operands(i);
    let sets = i.rn() == 31 && i.rm() == 31;
    match i.cond() {
        _ if i.rd() == 31 => nop(c),
        14 | 15 => move_register(i, r[0], r[1], c),
        cond if sets && OTHERWISE == otherwise::INC => {
            with_const!(cond ^ 1, COND: u8 in [0 1 2 3 4 5 6 7 8 9 10 11 12; 13] => c.op::<SetIf<true, false, COND>>(r, 0))
        }
        cond if sets && OTHERWISE == otherwise::INV => {
            with_const!(cond ^ 1, COND: u8 in [0 1 2 3 4 5 6 7 8 9 10 11 12; 13] => by_sf!(i, c, SetIf, true, COND; r, 0))
        }
        cond => {
            with_const!(cond, COND: u8 in [0 1 2 3 4 5 6 7 8 9 10 11 12; 13] => by_sf!(i, c, Select, OTHERWISE, COND; r, 0))
        }
    }
}

fn compare_if<const SUB: bool, const IMM: bool>(i: Insn, c: &mut Lower<'_>) -> Draft {
    compare_if_with::<SUB, IMM>(i, i.imm5().cast_signed(), c)
}

/// As with `ADDS`, the negative is subtracted, but for zero.
pub(crate) fn CCMN_condcmp_imm(i: Insn, c: &mut Lower<'_>) -> Draft {
    match i.imm5().cast_signed() {
        0 => compare_if_with::<false, true>(i, 0, c),
        imm => compare_if_with::<true, true>(i, -imm, c),
    }
}

fn compare_if_with<const SUB: bool, const IMM: bool>(i: Insn, imm: i32, c: &mut Lower<'_>) -> Draft {
    let m = if IMM { 0 } else { src(i.rm()) };
    let r = [0, src(i.rn()), m, i.nzcv() as u8];
    with_const!(
        i.cond(),
        COND: u8 in [0 1 2 3 4 5 6 7 8 9 10 11 12 13; 14] => by_sf!(i, c, CompareIf, SUB, IMM, COND; r, imm)
    )
}

rows! {
    CSEL_condsel = select::<{ otherwise::SAME }>;
    CSINC_condsel = select::<{ otherwise::INC }>;
    CSINV_condsel = select::<{ otherwise::INV }>;
    CSNEG_condsel = select::<{ otherwise::NEG }>;
    CCMN_condcmp_reg = compare_if::<false, false>;
    CCMP_condcmp_reg = compare_if::<true, false>;
    CCMP_condcmp_imm = compare_if::<true, true>;
}

/// Defines rows that only choose `SF`, and do nothing if Rd is XZR.
macro_rules! plain_rows {
    ($($name:ident = $form:ident $(, $rest:expr)*;)*) => {
        $(pub(crate) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            if i.rd() == 31 { nop(c) } else { by_sf!(i, c, $form $(, $rest)*; operands(i), 0) }
        })*
    };
}

plain_rows! {
    UDIV_dp_2src = Udiv;
    SDIV_dp_2src = Sdiv;
    LSLV_dp_2src = ShiftReg, shift::LSL;
    LSRV_dp_2src = ShiftReg, shift::LSR;
    ASRV_dp_2src = ShiftReg, shift::ASR;
    RORV_dp_2src = ShiftReg, shift::ROR;
    RBIT_dp_1src = Rbit;
    REV16_dp_1src = Rev16;
    REV_32_dp_1src = Rev32;
    REV32_dp_1src = Rev32;
    REV_64_dp_1src = Rev64;
    CLZ_dp_1src = Clz;
    CLS_dp_1src = Cls;
    MSUB_dp_3src = Msub;
    SMULH_dp_3src = Smulh;
    UMULH_dp_3src = Umulh;
}

pub(crate) fn MADD_dp_3src(i: Insn, c: &mut Lower<'_>) -> Draft {
    match i.ra() {
        _ if i.rd() == 31 => nop(c),
        31 => by_sf!(i, c, Mul; operands(i), 0),
        _ => by_sf!(i, c, Madd; operands(i), 0),
    }
}

fn mul_add_long<const SIGNED: bool, const SUB: bool>(i: Insn, c: &mut Lower<'_>) -> Draft {
    if i.rd() == 31 { nop(c) } else { c.op::<MulAddLong<SIGNED, SUB>>(operands(i), 0) }
}

fn checksum<const C: bool>(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = operands(i);
    match i.sz() {
        _ if i.rd() == 31 => nop(c),
        0 => c.op::<Crc<C, { size::B }>>(r, 0),
        1 => c.op::<Crc<C, { size::H }>>(r, 0),
        2 => c.op::<Crc<C, { size::W }>>(r, 0),
        _ => c.op::<Crc<C, { size::X }>>(r, 0),
    }
}

rows! {
    SMADDL_dp_3src = mul_add_long::<true, false>;
    SMSUBL_dp_3src = mul_add_long::<true, true>;
    UMADDL_dp_3src = mul_add_long::<false, false>;
    UMSUBL_dp_3src = mul_add_long::<false, true>;
    CRC32_dp_2src = checksum::<false>;
    CRC32C_dp_2src = checksum::<true>;
}
