//! Advanced SIMD: scalar forms.

use a64::Insn;

use crate::fp::{Double, Half, Single};
use crate::lower::arrange::{by_lane, by_middle_lane, by_precision, by_small_lane, dn, dnm};
use crate::lower::simd_move::size_and_index;
use crate::lower::simd_shift::{element, left, right, size_of_shift};
use crate::lower::{Draft, Lower};
use crate::sem::fp::Fp;
use crate::sem::simd::{Saturating, Vector};
use crate::simd::Lane;
use crate::simd::convert::ConvertOdd;
use crate::simd::fp::{self, Each, FromSigned, FromUnsigned, Pairwise, ToInt, mode};
use crate::simd::int::{Abs, Across, Add, AddTo, CmpEq, CmpGe, CmpGt, CmpTest, Neg, Sub, WithZero, ZeroWith, across};
use crate::simd::permute::Dup;
use crate::simd::saturate::{self, DoubleMulHigh, DoubleMulLong, accumulate};
use crate::simd::shift::{ShiftBy, ShiftLeft, ShiftLeftInsert, ShiftRight, ShiftRightInsert};

const fn width<T: Lane>() -> u32 {
    T::BITS / 8
}

/// Doublewords.
macro_rules! doublewords {
    ($($name:ident $operands:ident $n:expr, $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let n: fn(Insn) -> i32 = $n;
            c.op::<Vector<$op, 8>>($operands(i), n(i))
        }
    )*};
}

doublewords! {
    SSHL_asisdsame dnm |_| 0, ShiftBy<i64, false>;
    USHL_asisdsame dnm |_| 0, ShiftBy<u64, false>;
    SRSHL_asisdsame dnm |_| 0, ShiftBy<i64, true>;
    URSHL_asisdsame dnm |_| 0, ShiftBy<u64, true>;
    CMGT_asisdsame dnm |_| 0, CmpGt<i64>;
    CMHI_asisdsame dnm |_| 0, CmpGt<u64>;
    CMGE_asisdsame dnm |_| 0, CmpGe<i64>;
    CMHS_asisdsame dnm |_| 0, CmpGe<u64>;
    ADD_asisdsame dnm |_| 0, Add<u64>;
    SUB_asisdsame dnm |_| 0, Sub<u64>;
    CMTST_asisdsame dnm |_| 0, CmpTest<u64>;
    CMEQ_asisdsame dnm |_| 0, CmpEq<u64>;
    CMGT_zero_asisdmisc dn |_| 0, WithZero<CmpGt<i64>>;
    CMGE_zero_asisdmisc dn |_| 0, WithZero<CmpGe<i64>>;
    CMEQ_zero_asisdmisc dn |_| 0, WithZero<CmpEq<i64>>;
    CMLE_zero_asisdmisc dn |_| 0, ZeroWith<CmpGe<i64>>;
    CMLT_zero_asisdmisc dn |_| 0, ZeroWith<CmpGt<i64>>;
    ABS_asisdmisc dn |_| 0, Abs<i64>;
    NEG_asisdmisc dn |_| 0, Neg<i64>;
    ADDP_asisdpair dn |_| 0, Across<{ across::ADD }, u64, true>;
    SSHR_asisdshf dn right, ShiftRight<i64, false>;
    USHR_asisdshf dn right, ShiftRight<u64, false>;
    SSRA_asisdshf dn right, AddTo<ShiftRight<i64, false>, i64>;
    USRA_asisdshf dn right, AddTo<ShiftRight<u64, false>, u64>;
    SRSHR_asisdshf dn right, ShiftRight<i64, true>;
    URSHR_asisdshf dn right, ShiftRight<u64, true>;
    SRSRA_asisdshf dn right, AddTo<ShiftRight<i64, true>, i64>;
    URSRA_asisdshf dn right, AddTo<ShiftRight<u64, true>, u64>;
    SRI_asisdshf dn right, ShiftRightInsert<u64>;
    SHL_asisdshf dn left, ShiftLeft<u64>;
    SLI_asisdshf dn left, ShiftLeftInsert<u64>;
}

macro_rules! saturating {
    ($($name:ident $operands:ident $by:ident $size:ident $sign:ident $n:expr, |$t:ident| $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let n: fn(Insn) -> i32 = $n;
            $by!($sign $size(i), $t => c.op::<Saturating<$op, { width::<$t>() }, { width::<$t>() }>>($operands(i), n(i)))
        }
    )*};
}

fn size(i: Insn) -> u32 {
    i.size_22()
}

saturating! {
    SQADD_asisdsame dnm by_lane size signed |_| 0, |T| saturate::Add<T>;
    UQADD_asisdsame dnm by_lane size unsigned |_| 0, |T| saturate::Add<T>;
    SQSUB_asisdsame dnm by_lane size signed |_| 0, |T| saturate::Sub<T>;
    UQSUB_asisdsame dnm by_lane size unsigned |_| 0, |T| saturate::Sub<T>;
    SQSHL_asisdsame dnm by_lane size signed |_| 0, |T| saturate::ShiftBy<T, false>;
    UQSHL_asisdsame dnm by_lane size unsigned |_| 0, |T| saturate::ShiftBy<T, false>;
    SQRSHL_asisdsame dnm by_lane size signed |_| 0, |T| saturate::ShiftBy<T, true>;
    UQRSHL_asisdsame dnm by_lane size unsigned |_| 0, |T| saturate::ShiftBy<T, true>;
    SQDMULH_asisdsame dnm by_middle_lane size signed |_| 0, |T| DoubleMulHigh<T, false>;
    SQRDMULH_asisdsame dnm by_middle_lane size signed |_| 0, |T| DoubleMulHigh<T, true>;
    SUQADD_asisdmisc dn by_lane size signed |_| 0, |T| saturate::AddUnsigned<T>;
    USQADD_asisdmisc dn by_lane size unsigned |_| 0, |T| saturate::AddSigned<T>;
    SQABS_asisdmisc dn by_lane size signed |_| 0, |T| saturate::Abs<T>;
    SQNEG_asisdmisc dn by_lane size signed |_| 0, |T| saturate::Neg<T>;
    SQSHLU_asisdshf dn by_lane size_of_shift signed left, |T| saturate::ShiftLeftUnsigned<T>;
    SQSHL_asisdshf dn by_lane size_of_shift signed left, |T| saturate::ShiftLeft<T>;
    UQSHL_asisdshf dn by_lane size_of_shift unsigned left, |T| saturate::ShiftLeft<T>;
}

macro_rules! doubling {
    ($($same:ident $element:ident $accumulate:ident;)*) => {$(
        pub(super) fn $same(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_middle_lane!(signed i.size_22(), T => c.op::<Saturating<
                DoubleMulLong<T, { accumulate::$accumulate }, false>, { width::<T>() }, { 2 * width::<T>() },
            >>(dnm(i), 0))
        }

        pub(super) fn $element(i: Insn, c: &mut Lower<'_>) -> Draft {
            let (r, index) = element(i);
            by_middle_lane!(signed i.size_22(), T => {
                type Op = DoubleMulLong<T, { accumulate::$accumulate }, false>;
                c.op::<Saturating<saturate::ByElement<Op, T, { width::<T>() }>, 16, { 2 * width::<T>() }>>(r, index)
            })
        }
    )*};
}

doubling! {
    SQDMLAL_asisddiff SQDMLAL_asisdelem ADD;
    SQDMLSL_asisddiff SQDMLSL_asisdelem SUB;
    SQDMULL_asisddiff SQDMULL_asisdelem NONE;
}

macro_rules! saturating_by_element {
    ($($name:ident |$t:ident| $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let (r, index) = element(i);
            by_middle_lane!(signed i.size_22(), $t => c.op::<Saturating<
                saturate::ByElement<$op, $t, { width::<$t>() }>, 16, { width::<$t>() },
            >>(r, index))
        }
    )*};
}

saturating_by_element! {
    SQDMULH_asisdelem |T| DoubleMulHigh<T, false>;
    SQRDMULH_asisdelem |T| DoubleMulHigh<T, true>;
}

macro_rules! saturating_narrow {
    ($($name:ident $size:ident $from:ident $to:ident $round:literal $n:expr;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let n: fn(Insn) -> i32 = $n;
            by_small_lane!(unsigned $size(i), T => {
                type W = <<T as Lane>::Wide as Lane>::$from;
                type N = <T as Lane>::$to;
                c.op::<Saturating<
                    saturate::ShiftRightNarrow<W, N, $round, false>, { width::<W>() }, { width::<N>() },
                >>(dn(i), n(i))
            })
        }
    )*};
}

saturating_narrow! {
    SQXTN_asisdmisc size Signed Signed false |_| 0;
    SQXTUN_asisdmisc size Signed Unsigned false |_| 0;
    UQXTN_asisdmisc size Unsigned Unsigned false |_| 0;
    SQSHRN_asisdshf size_of_shift Signed Signed false right;
    SQRSHRN_asisdshf size_of_shift Signed Signed true right;
    SQSHRUN_asisdshf size_of_shift Signed Unsigned false right;
    SQRSHRUN_asisdshf size_of_shift Signed Unsigned true right;
    UQSHRN_asisdshf size_of_shift Unsigned Unsigned false right;
    UQRSHRN_asisdshf size_of_shift Unsigned Unsigned true right;
}

macro_rules! floating {
    ($($name:ident $operands:ident $form:ident $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_precision!(i.sz_22(), F => c.op::<Fp<$form<$op, F, 1>>>($operands(i), 0))
        }
    )*};
}

floating! {
    FMULX_asisdsame dnm Each fp::MulX;
    FCMEQ_asisdsame dnm Each fp::CmpEq;
    FRECPS_asisdsame dnm Each fp::RecipStep;
    FRSQRTS_asisdsame dnm Each fp::RsqrtStep;
    FCMGE_asisdsame dnm Each fp::CmpGe;
    FACGE_asisdsame dnm Each fp::AbsGe;
    FABD_asisdsame dnm Each fp::AbsDiff;
    FCMGT_asisdsame dnm Each fp::CmpGt;
    FACGT_asisdsame dnm Each fp::AbsGt;
    FCVTNS_asisdmisc dn Each ToInt<{ mode::N }, true>;
    FCVTMS_asisdmisc dn Each ToInt<{ mode::M }, true>;
    FCVTAS_asisdmisc dn Each ToInt<{ mode::A }, true>;
    FCVTPS_asisdmisc dn Each ToInt<{ mode::P }, true>;
    FCVTZS_asisdmisc dn Each ToInt<{ mode::Z }, true>;
    FCVTNU_asisdmisc dn Each ToInt<{ mode::N }, false>;
    FCVTMU_asisdmisc dn Each ToInt<{ mode::M }, false>;
    FCVTAU_asisdmisc dn Each ToInt<{ mode::A }, false>;
    FCVTPU_asisdmisc dn Each ToInt<{ mode::P }, false>;
    FCVTZU_asisdmisc dn Each ToInt<{ mode::Z }, false>;
    SCVTF_asisdmisc dn Each FromSigned;
    UCVTF_asisdmisc dn Each FromUnsigned;
    FRECPE_asisdmisc dn Each fp::RecipEstimate;
    FRECPX_asisdmisc dn Each fp::RecipExponent;
    FRSQRTE_asisdmisc dn Each fp::RsqrtEstimate;
    FCMGT_zero_asisdmisc dn Each fp::CmpGtZero;
    FCMEQ_zero_asisdmisc dn Each fp::CmpEqZero;
    FCMLT_zero_asisdmisc dn Each fp::CmpLtZero;
    FCMGE_zero_asisdmisc dn Each fp::CmpGeZero;
    FCMLE_zero_asisdmisc dn Each fp::CmpLeZero;
    FMAXNMP_asisdpair dn Pairwise fp::MaxNum;
    FMINNMP_asisdpair dn Pairwise fp::MinNum;
    FADDP_asisdpair dn Pairwise fp::Add;
    FMAXP_asisdpair dn Pairwise fp::Max;
    FMINP_asisdpair dn Pairwise fp::Min;
}

pub(super) fn FCVTXN_asisdmisc(i: Insn, c: &mut Lower<'_>) -> Draft {
    c.op::<Fp<ConvertOdd>>(dn(i), 0)
}

macro_rules! fixed_point {
    ($($name:ident $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let n = right(i);
            match size_of_shift(i) {
                1 => c.op::<Fp<Each<$op, Half, 1>>>(dn(i), n),
                2 => c.op::<Fp<Each<$op, Single, 1>>>(dn(i), n),
                _ => c.op::<Fp<Each<$op, Double, 1>>>(dn(i), n),
            }
        }
    )*};
}

fixed_point! {
    SCVTF_asisdshf FromSigned;
    UCVTF_asisdshf FromUnsigned;
    FCVTZS_asisdshf ToInt<{ mode::Z }, true>;
    FCVTZU_asisdshf ToInt<{ mode::Z }, false>;
}

pub(super) fn DUP_asisdone(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (size, index) = size_and_index(i);
    by_lane!(unsigned size, T => c.op::<Vector<Dup<T>, { width::<T>() }>>(dn(i), index))
}
