//! Advanced SIMD: copies, immediates, permutations and tables.

use a64::Insn;
use a64::pseudocode::adv_simd_expand_imm;

use crate::lower::arrange::{by_lane, by_q, bytes, dn, dnm};
use crate::lower::{Draft, Lower, dst, src, vreg};
use crate::sem::simd::{FromGeneral, LiteralV, Table, ToGeneral, Vector, WithLiteral};
use crate::simd::int::{AndNot, Or};
use crate::simd::permute::{Dup, Ext, Extract, Insert, Trn1, Trn2, Uzp1, Uzp2, Zip1, Zip2};

/// The size and the index that `imm5` stands for.
pub(super) fn size_and_index(i: Insn) -> (u32, i32) {
    let size = i.imm5().trailing_zeros().min(3);
    (size, (i.imm5() >> (size + 1)) as i32)
}

pub(super) fn DUP_asimdins(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (size, index) = size_and_index(i);
    by_lane!(unsigned size, T => by_q!(i, Q => c.op::<Vector<Dup<T>, { bytes(Q) }>>(dn(i), index)))
}

pub(super) fn DUP_gen_asimdins(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [vreg(i.rd()), src(i.rn()), 0, 0];
    by_lane!(unsigned size_and_index(i).0, T => by_q!(i, Q => c.op::<FromGeneral<Dup<T>, { bytes(Q) }>>(r, 0)))
}

pub(super) fn SMOV_asimdins(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (size, index) = size_and_index(i);
    let r = [dst(i.rd()), vreg(i.rn()), 0, 0];
    by_lane!(signed size, T => by_q!(i, SF => c.op::<ToGeneral<Extract<T>, SF>>(r, index)))
}

pub(super) fn UMOV_asimdins(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (size, index) = size_and_index(i);
    let r = [dst(i.rd()), vreg(i.rn()), 0, 0];
    by_lane!(unsigned size, T => c.op::<ToGeneral<Extract<T>, true>>(r, index))
}

pub(super) fn INS_gen_asimdins(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (size, index) = size_and_index(i);
    let r = [vreg(i.rd()), src(i.rn()), 0, 0];
    by_lane!(unsigned size, T => c.op::<FromGeneral<Insert<T>, 16>>(r, index))
}

pub(super) fn INS_asimdins(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (size, index) = size_and_index(i);
    let from = (i.imm4() >> size) as i32;
    by_lane!(unsigned size, T => c.op::<Vector<Insert<T>, 16>>(dn(i), from << 4 | index))
}

/// The cmode field of modified immediates, whose rows tell it apart.
fn cmode(i: Insn) -> u32 {
    a64::pseudocode::bits(i.0, 12, 4)
}

/// The immediate, complemented for the rows that say so.
fn immediate(i: Insn, c: &mut Lower<'_>, op: u32, complement: bool) -> i32 {
    let value = adv_simd_expand_imm(op, cmode(i), i.abcdefgh());
    c.literal(if complement { !value } else { value })
}

macro_rules! immediates {
    ($($name:ident $op:literal $complement:literal;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let literal = immediate(i, c, $op, $complement);
            by_q!(i, Q => c.op::<LiteralV<Q>>([vreg(i.rd()), 0, 0, 0], literal))
        }
    )*};
}

immediates! {
    MOVI_32_asimdimm 0 false;
    MOVI_16_asimdimm 0 false;
    MOVI_msl_asimdimm 0 false;
    MOVI_8_asimdimm 0 false;
    MOVI_64_asimdimm 1 false;
    MVNI_32_asimdimm 0 true;
    MVNI_16_asimdimm 0 true;
    MVNI_msl_asimdimm 0 true;
    FMOV_single_asimdimm 0 false;
    FMOV_double_asimdimm 1 false;
}

macro_rules! with_immediate {
    ($($name:ident $op:ident;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let literal = immediate(i, c, 0, false);
            by_q!(i, Q => c.op::<WithLiteral<$op<u64>, { bytes(Q) }>>([vreg(i.rd()), 0, 0, 0], literal))
        }
    )*};
}

with_immediate! {
    ORR_32_asimdimm Or;
    ORR_16_asimdimm Or;
    BIC_32_asimdimm AndNot;
    BIC_16_asimdimm AndNot;
}

macro_rules! permutations {
    ($($name:ident $op:ident;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_lane!(unsigned i.size_22(), T => by_q!(i, Q => c.op::<Vector<$op<T, Q>, { bytes(Q) }>>(dnm(i), 0)))
        }
    )*};
}

permutations! {
    UZP1_asimdperm Uzp1;
    UZP2_asimdperm Uzp2;
    TRN1_asimdperm Trn1;
    TRN2_asimdperm Trn2;
    ZIP1_asimdperm Zip1;
    ZIP2_asimdperm Zip2;
}

pub(super) fn EXT_asimdext(i: Insn, c: &mut Lower<'_>) -> Draft {
    by_q!(i, Q => c.op::<Vector<Ext<Q>, { bytes(Q) }>>(dnm(i), i.imm4() as i32))
}

macro_rules! tables {
    ($($name:ident $extend:literal;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_q!(i, Q => match i.len() {
                0 => c.op::<Table<1, $extend, { bytes(Q) }>>(dnm(i), 0),
                1 => c.op::<Table<2, $extend, { bytes(Q) }>>(dnm(i), 0),
                2 => c.op::<Table<3, $extend, { bytes(Q) }>>(dnm(i), 0),
                _ => c.op::<Table<4, $extend, { bytes(Q) }>>(dnm(i), 0),
            })
        }
    )*};
}

tables! {
    TBL_asimdtbl false;
    TBX_asimdtbl true;
}
