//! Advanced SIMD: three registers, of the same size or not.

use a64::Insn;

use crate::fp::{Double, Single};
use crate::lower::arrange::{by_fp_vector, by_lane, by_middle_lane, by_q, by_small_lane, bytes, dnm};
use crate::lower::{Draft, Lower};
use crate::sem::fp::Fp;
use crate::sem::simd::{Saturating, Vector};
use crate::simd::fp::{self, Each};
use crate::simd::int::{
    AbsDiff, Add, AddTo, And, AndNot, Bif, Bit, Bsl, CmpEq, CmpGe, CmpGt, CmpTest, HalvingAdd, HalvingSub, Max, Min,
    Mul, Or, OrNot, Pairwise, PolyMul, RoundingHalvingAdd, Sub, SubFrom, Xor,
};
use crate::simd::saturate::{self, DoubleMulHigh, DoubleMulLong, accumulate};
use crate::simd::shift::ShiftBy;
use crate::simd::wide::{HighNarrow, Long, PolyMulLong, PolyMulLong64, Wide};

/// Lane by lane; `all` for the sizes 0 to 3, `small` for 0 to 2.
macro_rules! same {
    ($($name:ident $by:ident $sign:ident |$t:ident, $q:ident| $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            #[allow(dead_code, reason = "not every operation depends on it")]
            let draft = $by!($sign i.size_22(), $t => by_q!(i, $q => c.op::<Vector<$op, { bytes($q) }>>(dnm(i), 0)));
            draft
        }
    )*};
}

same! {
    SHADD_asimdsame by_small_lane signed |T, Q| HalvingAdd<T>;
    UHADD_asimdsame by_small_lane unsigned |T, Q| HalvingAdd<T>;
    SRHADD_asimdsame by_small_lane signed |T, Q| RoundingHalvingAdd<T>;
    URHADD_asimdsame by_small_lane unsigned |T, Q| RoundingHalvingAdd<T>;
    SHSUB_asimdsame by_small_lane signed |T, Q| HalvingSub<T>;
    UHSUB_asimdsame by_small_lane unsigned |T, Q| HalvingSub<T>;
    SSHL_asimdsame by_lane signed |T, Q| ShiftBy<T, false>;
    USHL_asimdsame by_lane unsigned |T, Q| ShiftBy<T, false>;
    SRSHL_asimdsame by_lane signed |T, Q| ShiftBy<T, true>;
    URSHL_asimdsame by_lane unsigned |T, Q| ShiftBy<T, true>;
    SMAX_asimdsame by_small_lane signed |T, Q| Max<T>;
    UMAX_asimdsame by_small_lane unsigned |T, Q| Max<T>;
    SMIN_asimdsame by_small_lane signed |T, Q| Min<T>;
    UMIN_asimdsame by_small_lane unsigned |T, Q| Min<T>;
    SABD_asimdsame by_small_lane signed |T, Q| AbsDiff<T>;
    UABD_asimdsame by_small_lane unsigned |T, Q| AbsDiff<T>;
    SABA_asimdsame by_small_lane signed |T, Q| AddTo<AbsDiff<T>, T>;
    UABA_asimdsame by_small_lane unsigned |T, Q| AddTo<AbsDiff<T>, T>;
    SMAXP_asimdsame by_small_lane signed |T, Q| Pairwise<Max<T>, T, Q>;
    UMAXP_asimdsame by_small_lane unsigned |T, Q| Pairwise<Max<T>, T, Q>;
    SMINP_asimdsame by_small_lane signed |T, Q| Pairwise<Min<T>, T, Q>;
    UMINP_asimdsame by_small_lane unsigned |T, Q| Pairwise<Min<T>, T, Q>;
    CMGT_asimdsame by_lane signed |T, Q| CmpGt<T>;
    CMHI_asimdsame by_lane unsigned |T, Q| CmpGt<T>;
    CMGE_asimdsame by_lane signed |T, Q| CmpGe<T>;
    CMHS_asimdsame by_lane unsigned |T, Q| CmpGe<T>;
    ADD_asimdsame by_lane unsigned |T, Q| Add<T>;
    SUB_asimdsame by_lane unsigned |T, Q| Sub<T>;
    CMTST_asimdsame by_lane unsigned |T, Q| CmpTest<T>;
    CMEQ_asimdsame by_lane unsigned |T, Q| CmpEq<T>;
    MLA_asimdsame by_small_lane unsigned |T, Q| AddTo<Mul<T>, T>;
    MLS_asimdsame by_small_lane unsigned |T, Q| SubFrom<Mul<T>, T>;
    MUL_asimdsame by_small_lane unsigned |T, Q| Mul<T>;
    ADDP_asimdsame by_lane unsigned |T, Q| Pairwise<Add<T>, T, Q>;
}

macro_rules! saturating {
    ($($name:ident $by:ident $sign:ident |$t:ident| $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            $by!($sign i.size_22(), $t => by_q!(i, Q =>
                c.op::<Saturating<$op, { bytes(Q) }, { bytes(Q) }>>(dnm(i), 0)))
        }
    )*};
}

saturating! {
    SQADD_asimdsame by_lane signed |T| saturate::Add<T>;
    UQADD_asimdsame by_lane unsigned |T| saturate::Add<T>;
    SQSUB_asimdsame by_lane signed |T| saturate::Sub<T>;
    UQSUB_asimdsame by_lane unsigned |T| saturate::Sub<T>;
    SQSHL_asimdsame by_lane signed |T| saturate::ShiftBy<T, false>;
    UQSHL_asimdsame by_lane unsigned |T| saturate::ShiftBy<T, false>;
    SQRSHL_asimdsame by_lane signed |T| saturate::ShiftBy<T, true>;
    UQRSHL_asimdsame by_lane unsigned |T| saturate::ShiftBy<T, true>;
    SQDMULH_asimdsame by_middle_lane signed |T| DoubleMulHigh<T, false>;
    SQRDMULH_asimdsame by_middle_lane signed |T| DoubleMulHigh<T, true>;
}

/// Without lanes.
macro_rules! logic {
    ($($name:ident $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_q!(i, Q => c.op::<Vector<$op, { bytes(Q) }>>(dnm(i), 0))
        }
    )*};
}

logic! {
    PMUL_asimdsame PolyMul<u8>;
    AND_asimdsame And<u64>;
    BIC_asimdsame AndNot<u64>;
    ORR_asimdsame Or<u64>;
    ORN_asimdsame OrNot<u64>;
    EOR_asimdsame Xor<u64>;
    BSL_asimdsame Bsl;
    BIT_asimdsame Bit;
    BIF_asimdsame Bif;
}

macro_rules! floating {
    ($($name:ident $form:ident $op:ident;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_fp_vector!(i, F, COUNT => c.op::<Fp<$form<fp::$op, F, COUNT>>>(dnm(i), 0))
        }
    )*};
}

use crate::simd::fp::Pairwise as Pairs;

floating! {
    FMAXNM_asimdsame Each MaxNum;
    FMINNM_asimdsame Each MinNum;
    FMLA_asimdsame Each MulAdd;
    FMLS_asimdsame Each MulSub;
    FADD_asimdsame Each Add;
    FSUB_asimdsame Each Sub;
    FMULX_asimdsame Each MulX;
    FCMEQ_asimdsame Each CmpEq;
    FMAX_asimdsame Each Max;
    FMIN_asimdsame Each Min;
    FRECPS_asimdsame Each RecipStep;
    FRSQRTS_asimdsame Each RsqrtStep;
    FMAXNMP_asimdsame Pairs MaxNum;
    FMINNMP_asimdsame Pairs MinNum;
    FADDP_asimdsame Pairs Add;
    FABD_asimdsame Each AbsDiff;
    FMUL_asimdsame Each Mul;
    FCMGE_asimdsame Each CmpGe;
    FCMGT_asimdsame Each CmpGt;
    FACGE_asimdsame Each AbsGe;
    FACGT_asimdsame Each AbsGt;
    FMAXP_asimdsame Pairs Max;
    FMINP_asimdsame Pairs Min;
    FDIV_asimdsame Each Div;
}

/// Three registers of different sizes: `W` is the wide lane type.
macro_rules! different {
    ($($name:ident $sign:ident |$t:ident, $w:ident, $high:ident| $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_small_lane!($sign i.size_22(), $t => by_q!(i, $high => {
                #[allow(dead_code, reason = "not every operation depends on it")]
                type $w = <$t as crate::simd::Lane>::Wide;
                c.op::<Vector<$op, 16>>(dnm(i), 0)
            }))
        }
    )*};
}

different! {
    SADDL_asimddiff signed |T, W, H| Long<Add<W>, T, H>;
    UADDL_asimddiff unsigned |T, W, H| Long<Add<W>, T, H>;
    SADDW_asimddiff signed |T, W, H| Wide<Add<W>, T, H>;
    UADDW_asimddiff unsigned |T, W, H| Wide<Add<W>, T, H>;
    SSUBL_asimddiff signed |T, W, H| Long<Sub<W>, T, H>;
    USUBL_asimddiff unsigned |T, W, H| Long<Sub<W>, T, H>;
    SSUBW_asimddiff signed |T, W, H| Wide<Sub<W>, T, H>;
    USUBW_asimddiff unsigned |T, W, H| Wide<Sub<W>, T, H>;
    SABAL_asimddiff signed |T, W, H| Long<AddTo<AbsDiff<W>, W>, T, H>;
    UABAL_asimddiff unsigned |T, W, H| Long<AddTo<AbsDiff<W>, W>, T, H>;
    SABDL_asimddiff signed |T, W, H| Long<AbsDiff<W>, T, H>;
    UABDL_asimddiff unsigned |T, W, H| Long<AbsDiff<W>, T, H>;
    SMLAL_asimddiff signed |T, W, H| Long<AddTo<Mul<W>, W>, T, H>;
    UMLAL_asimddiff unsigned |T, W, H| Long<AddTo<Mul<W>, W>, T, H>;
    SMLSL_asimddiff signed |T, W, H| Long<SubFrom<Mul<W>, W>, T, H>;
    UMLSL_asimddiff unsigned |T, W, H| Long<SubFrom<Mul<W>, W>, T, H>;
    SMULL_asimddiff signed |T, W, H| Long<Mul<W>, T, H>;
    UMULL_asimddiff unsigned |T, W, H| Long<Mul<W>, T, H>;
}

/// Narrowing: the result fills half of the register or, with `H`, keeps the
/// other half.
macro_rules! narrowing {
    ($($name:ident |$w:ident, $high:ident| $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_small_lane!(unsigned i.size_22(), T => by_q!(i, $high => {
                type $w = <T as crate::simd::Lane>::Wide;
                c.op::<Vector<$op, 16>>(dnm(i), 0)
            }))
        }
    )*};
}

narrowing! {
    ADDHN_asimddiff |W, H| HighNarrow<Add<W>, W, false, H>;
    RADDHN_asimddiff |W, H| HighNarrow<Add<W>, W, true, H>;
    SUBHN_asimddiff |W, H| HighNarrow<Sub<W>, W, false, H>;
    RSUBHN_asimddiff |W, H| HighNarrow<Sub<W>, W, true, H>;
}

macro_rules! doubling {
    ($($name:ident $accumulate:ident;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_middle_lane!(signed i.size_22(), T => by_q!(i, H =>
                c.op::<Saturating<DoubleMulLong<T, { accumulate::$accumulate }, H>, 16, 16>>(dnm(i), 0)))
        }
    )*};
}

doubling! {
    SQDMLAL_asimddiff ADD;
    SQDMLSL_asimddiff SUB;
    SQDMULL_asimddiff NONE;
}

pub(super) fn PMULL_asimddiff(i: Insn, c: &mut Lower<'_>) -> Draft {
    by_q!(i, H => if i.size_22() == 0 {
        c.op::<Vector<PolyMulLong<H>, 16>>(dnm(i), 0)
    } else {
        c.op::<Vector<PolyMulLong64<H>, 16>>(dnm(i), 0)
    })
}
