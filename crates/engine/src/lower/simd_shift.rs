//! Advanced SIMD: shifts by an immediate, and operations by element.

use a64::Insn;

use crate::fp::{Double, Half, Single};
use crate::lower::arrange::{by_fp_vector, by_lane, by_middle_lane, by_precision, by_q, by_small_lane, bytes, dn};
use crate::lower::{Draft, Lower, vreg};
use crate::sem::fp::Fp;
use crate::sem::simd::{Saturating, Vector};
use crate::simd::Lane;
use crate::simd::fp::{self, ByElement as FpByElement, Each, FromSigned, FromUnsigned, ToInt, mode};
use crate::simd::int::{AddTo, ByElement, Mul, SubFrom};
use crate::simd::saturate::{self, DoubleMulHigh, DoubleMulLong, accumulate};
use crate::simd::shift::{ShiftLeft, ShiftLeftInsert, ShiftRight, ShiftRightInsert};
use crate::simd::wide::{LongByElement, ShiftLeftLong, ShiftRightNarrow};

/// The size of the elements, 0 to 3: the highest set bit of `immh`.
pub(super) fn size_of_shift(i: Insn) -> u32 {
    31 - i.immh().leading_zeros().clamp(28, 31)
}

/// The distance of a shift to the left.
pub(super) fn left(i: Insn) -> i32 {
    (i.immhb() as i32) - (8 << size_of_shift(i))
}

/// The distance of a shift to the right.
pub(super) fn right(i: Insn) -> i32 {
    (16 << size_of_shift(i)) - (i.immhb() as i32)
}

macro_rules! shifts {
    ($($name:ident $sign:ident $amount:ident |$t:ident| $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_lane!($sign size_of_shift(i), $t => by_q!(i, Q =>
                c.op::<Vector<$op, { bytes(Q) }>>(dn(i), $amount(i))))
        }
    )*};
}

shifts! {
    SSHR_asimdshf signed right |T| ShiftRight<T, false>;
    USHR_asimdshf unsigned right |T| ShiftRight<T, false>;
    SSRA_asimdshf signed right |T| AddTo<ShiftRight<T, false>, T>;
    USRA_asimdshf unsigned right |T| AddTo<ShiftRight<T, false>, T>;
    SRSHR_asimdshf signed right |T| ShiftRight<T, true>;
    URSHR_asimdshf unsigned right |T| ShiftRight<T, true>;
    SRSRA_asimdshf signed right |T| AddTo<ShiftRight<T, true>, T>;
    URSRA_asimdshf unsigned right |T| AddTo<ShiftRight<T, true>, T>;
    SRI_asimdshf unsigned right |T| ShiftRightInsert<T>;
    SHL_asimdshf unsigned left |T| ShiftLeft<T>;
    SLI_asimdshf unsigned left |T| ShiftLeftInsert<T>;
}

macro_rules! saturating {
    ($($name:ident $sign:ident |$t:ident| $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_lane!($sign size_of_shift(i), $t => by_q!(i, Q =>
                c.op::<Saturating<$op, { bytes(Q) }, { bytes(Q) }>>(dn(i), left(i))))
        }
    )*};
}

saturating! {
    SQSHLU_asimdshf signed |T| saturate::ShiftLeftUnsigned<T>;
    SQSHL_asimdshf signed |T| saturate::ShiftLeft<T>;
    UQSHL_asimdshf unsigned |T| saturate::ShiftLeft<T>;
}

macro_rules! narrow {
    ($($name:ident $round:literal;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_small_lane!(unsigned size_of_shift(i), T => by_q!(i, H =>
                c.op::<Vector<ShiftRightNarrow<<T as Lane>::Wide, $round, H>, 16>>(dn(i), right(i))))
        }
    )*};
}

narrow! {
    SHRN_asimdshf false;
    RSHRN_asimdshf true;
}

macro_rules! saturating_narrow {
    ($($name:ident $from:ident $to:ident $round:literal;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_small_lane!(unsigned size_of_shift(i), T => by_q!(i, H => {
                type W = <<T as Lane>::Wide as Lane>::$from;
                type N = <T as Lane>::$to;
                c.op::<Saturating<saturate::ShiftRightNarrow<W, N, $round, H>, 16, 16>>(dn(i), right(i))
            }))
        }
    )*};
}

saturating_narrow! {
    SQSHRN_asimdshf Signed Signed false;
    SQRSHRN_asimdshf Signed Signed true;
    SQSHRUN_asimdshf Signed Unsigned false;
    SQRSHRUN_asimdshf Signed Unsigned true;
    UQSHRN_asimdshf Unsigned Unsigned false;
    UQRSHRN_asimdshf Unsigned Unsigned true;
}

pub(super) fn SSHLL_asimdshf(i: Insn, c: &mut Lower<'_>) -> Draft {
    by_small_lane!(signed size_of_shift(i), T => by_q!(i, H =>
        c.op::<Vector<ShiftLeftLong<T, H>, 16>>(dn(i), left(i))))
}

pub(super) fn USHLL_asimdshf(i: Insn, c: &mut Lower<'_>) -> Draft {
    by_small_lane!(unsigned size_of_shift(i), T => by_q!(i, H =>
        c.op::<Vector<ShiftLeftLong<T, H>, 16>>(dn(i), left(i))))
}

macro_rules! fixed_point {
    ($($name:ident $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let n = right(i);
            match (size_of_shift(i), i.q()) {
                (1, 0) => c.op::<Fp<Each<$op, Half, 4>>>(dn(i), n),
                (1, _) => c.op::<Fp<Each<$op, Half, 8>>>(dn(i), n),
                (3, _) => c.op::<Fp<Each<$op, Double, 2>>>(dn(i), n),
                (_, 0) => c.op::<Fp<Each<$op, Single, 2>>>(dn(i), n),
                _ => c.op::<Fp<Each<$op, Single, 4>>>(dn(i), n),
            }
        }
    )*};
}

fixed_point! {
    SCVTF_asimdshf FromSigned;
    UCVTF_asimdshf FromUnsigned;
    FCVTZS_asimdshf ToInt<{ mode::Z }, true>;
    FCVTZU_asimdshf ToInt<{ mode::Z }, false>;
}

/// The operands and the index of an instruction by element of size 1 or 2.
pub(super) fn element(i: Insn) -> ([u8; 4], i32) {
    let (m, index) = if i.size_22() == 1 {
        (i.rm_4(), i.h_11() << 2 | i.l_21() << 1 | i.m_20())
    } else {
        (i.m_20() << 4 | i.rm_4(), i.h_11() << 1 | i.l_21())
    };
    ([vreg(i.rd()), vreg(i.rn()), vreg(m), 0], index as i32)
}

/// The operands and the index of a floating-point instruction by element.
pub(super) fn fp_element(i: Insn) -> ([u8; 4], i32) {
    let index = if i.sz_22() == 0 { i.h_11() << 1 | i.l_21() } else { i.h_11() };
    ([vreg(i.rd()), vreg(i.rn()), vreg(i.m_20() << 4 | i.rm_4()), 0], index as i32)
}

macro_rules! by_element {
    ($($name:ident |$t:ident| $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let (r, index) = element(i);
            by_middle_lane!(unsigned i.size_22(), $t => by_q!(i, Q =>
                c.op::<Vector<ByElement<$op, $t>, { bytes(Q) }>>(r, index)))
        }
    )*};
}

by_element! {
    MUL_asimdelem |T| Mul<T>;
    MLA_asimdelem |T| AddTo<Mul<T>, T>;
    MLS_asimdelem |T| SubFrom<Mul<T>, T>;
}

macro_rules! long_by_element {
    ($($name:ident $sign:ident |$w:ident| $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let (r, index) = element(i);
            by_middle_lane!($sign i.size_22(), T => by_q!(i, H => {
                type $w = <T as Lane>::Wide;
                c.op::<Vector<LongByElement<$op, T, H>, 16>>(r, index)
            }))
        }
    )*};
}

long_by_element! {
    SMULL_asimdelem signed |W| Mul<W>;
    UMULL_asimdelem unsigned |W| Mul<W>;
    SMLAL_asimdelem signed |W| AddTo<Mul<W>, W>;
    UMLAL_asimdelem unsigned |W| AddTo<Mul<W>, W>;
    SMLSL_asimdelem signed |W| SubFrom<Mul<W>, W>;
    UMLSL_asimdelem unsigned |W| SubFrom<Mul<W>, W>;
}

macro_rules! saturating_by_element {
    ($($name:ident |$t:ident| $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let (r, index) = element(i);
            by_middle_lane!(signed i.size_22(), $t => by_q!(i, Q =>
                c.op::<Saturating<saturate::ByElement<$op, $t, { bytes(Q) }>, 16, { bytes(Q) }>>(r, index)))
        }
    )*};
}

saturating_by_element! {
    SQDMULH_asimdelem |T| DoubleMulHigh<T, false>;
    SQRDMULH_asimdelem |T| DoubleMulHigh<T, true>;
}

macro_rules! doubling_by_element {
    ($($name:ident $accumulate:ident;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let (r, index) = element(i);
            by_middle_lane!(signed i.size_22(), T => by_q!(i, H => {
                type Op = DoubleMulLong<T, { accumulate::$accumulate }, H>;
                c.op::<Saturating<saturate::ByElement<Op, T, 16>, 16, 16>>(r, index)
            }))
        }
    )*};
}

doubling_by_element! {
    SQDMLAL_asimdelem ADD;
    SQDMLSL_asimdelem SUB;
    SQDMULL_asimdelem NONE;
}

macro_rules! floating_by_element {
    ($($vector:ident $scalar:ident $op:ident;)*) => {$(
        pub(super) fn $vector(i: Insn, c: &mut Lower<'_>) -> Draft {
            let (r, index) = fp_element(i);
            by_fp_vector!(i, F, COUNT => c.op::<Fp<FpByElement<Each<fp::$op, F, COUNT>, F>>>(r, index))
        }

        pub(super) fn $scalar(i: Insn, c: &mut Lower<'_>) -> Draft {
            let (r, index) = fp_element(i);
            by_precision!(i.sz_22(), F => c.op::<Fp<FpByElement<Each<fp::$op, F, 1>, F>>>(r, index))
        }
    )*};
}

floating_by_element! {
    FMLA_asimdelem FMLA_asisdelem MulAdd;
    FMLS_asimdelem FMLS_asisdelem MulSub;
    FMUL_asimdelem FMUL_asisdelem Mul;
    FMULX_asimdelem FMULX_asisdelem MulX;
}
