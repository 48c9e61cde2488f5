//! Advanced SIMD: two registers, and across lanes.

use a64::Insn;

use crate::fp::{Double, Half, Single};
use crate::lower::arrange::{by_fp_vector, by_lane, by_q, by_small_lane, bytes, dn};
use crate::lower::{Draft, Lower};
use crate::sem::fp::Fp;
use crate::sem::simd::{Saturating, Vector};
use crate::simd::Lane;
use crate::simd::convert::{Lengthen, Shorten, UnsignedEstimate};
use crate::simd::fp::{self, Across as FpAcross, Each, RoundInt, ToInt, mode};
use crate::simd::int::{
    Abs, Across, AddTo, CmpEq, CmpGe, CmpGt, CountOnes, CountSign, CountZeros, FpAbs, FpNeg, Neg, Not, ReverseBits,
    WithZero, ZeroWith, across,
};
use crate::simd::permute::Reverse;
use crate::simd::saturate::{self, ShiftRightNarrow as SatNarrow};
use crate::simd::wide::{AddLongPairs, ShiftLeftLong, ShiftRightNarrow};

macro_rules! lanes {
    ($($name:ident $by:ident $sign:ident |$t:ident| $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            $by!($sign i.size_22(), $t => by_q!(i, Q => c.op::<Vector<$op, { bytes(Q) }>>(dn(i), 0)))
        }
    )*};
}

lanes! {
    SADDLP_asimdmisc by_small_lane signed |T| AddLongPairs<T>;
    UADDLP_asimdmisc by_small_lane unsigned |T| AddLongPairs<T>;
    SADALP_asimdmisc by_small_lane signed |T| AddTo<AddLongPairs<T>, <T as Lane>::Wide>;
    UADALP_asimdmisc by_small_lane unsigned |T| AddTo<AddLongPairs<T>, <T as Lane>::Wide>;
    CLS_asimdmisc by_small_lane signed |T| CountSign<T>;
    CLZ_asimdmisc by_small_lane unsigned |T| CountZeros<T>;
    CMGT_zero_asimdmisc by_lane signed |T| WithZero<CmpGt<T>>;
    CMGE_zero_asimdmisc by_lane signed |T| WithZero<CmpGe<T>>;
    CMEQ_zero_asimdmisc by_lane signed |T| WithZero<CmpEq<T>>;
    CMLE_zero_asimdmisc by_lane signed |T| ZeroWith<CmpGe<T>>;
    CMLT_zero_asimdmisc by_lane signed |T| ZeroWith<CmpGt<T>>;
    ABS_asimdmisc by_lane signed |T| Abs<T>;
    NEG_asimdmisc by_lane signed |T| Neg<T>;
}

macro_rules! bytewise {
    ($($name:ident $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_q!(i, Q => c.op::<Vector<$op, { bytes(Q) }>>(dn(i), 0))
        }
    )*};
}

bytewise! {
    REV16_asimdmisc Reverse<u8, 2>;
    CNT_asimdmisc CountOnes<u8>;
    NOT_asimdmisc Not<u64>;
    RBIT_asimdmisc ReverseBits<u8>;
    URECPE_asimdmisc UnsignedEstimate<false>;
    URSQRTE_asimdmisc UnsignedEstimate<true>;
}

pub(super) fn REV32_asimdmisc(i: Insn, c: &mut Lower<'_>) -> Draft {
    by_q!(i, Q => if i.size_22() == 0 {
        c.op::<Vector<Reverse<u8, 4>, { bytes(Q) }>>(dn(i), 0)
    } else {
        c.op::<Vector<Reverse<u16, 2>, { bytes(Q) }>>(dn(i), 0)
    })
}

pub(super) fn REV64_asimdmisc(i: Insn, c: &mut Lower<'_>) -> Draft {
    by_q!(i, Q => match i.size_22() {
        0 => c.op::<Vector<Reverse<u8, 8>, { bytes(Q) }>>(dn(i), 0),
        1 => c.op::<Vector<Reverse<u16, 4>, { bytes(Q) }>>(dn(i), 0),
        _ => c.op::<Vector<Reverse<u32, 2>, { bytes(Q) }>>(dn(i), 0),
    })
}

macro_rules! saturating {
    ($($name:ident $sign:ident |$t:ident| $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_lane!($sign i.size_22(), $t => by_q!(i, Q =>
                c.op::<Saturating<$op, { bytes(Q) }, { bytes(Q) }>>(dn(i), 0)))
        }
    )*};
}

saturating! {
    SUQADD_asimdmisc signed |T| saturate::AddUnsigned<T>;
    USQADD_asimdmisc unsigned |T| saturate::AddSigned<T>;
    SQABS_asimdmisc signed |T| saturate::Abs<T>;
    SQNEG_asimdmisc signed |T| saturate::Neg<T>;
}

pub(super) fn XTN_asimdmisc(i: Insn, c: &mut Lower<'_>) -> Draft {
    by_small_lane!(unsigned i.size_22(), T => by_q!(i, H =>
        c.op::<Vector<ShiftRightNarrow<<T as Lane>::Wide, false, H>, 16>>(dn(i), 0)))
}

macro_rules! saturating_narrow {
    ($($name:ident $from:ident $to:ident;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_small_lane!(unsigned i.size_22(), T => by_q!(i, H => {
                type W = <<T as Lane>::Wide as Lane>::$from;
                c.op::<Saturating<SatNarrow<W, <T as Lane>::$to, false, H>, 16, 16>>(dn(i), 0)
            }))
        }
    )*};
}

saturating_narrow! {
    SQXTN_asimdmisc Signed Signed;
    SQXTUN_asimdmisc Signed Unsigned;
    UQXTN_asimdmisc Unsigned Unsigned;
}

pub(super) fn SHLL_asimdmisc(i: Insn, c: &mut Lower<'_>) -> Draft {
    let shift = 8 << i.size_22();
    by_small_lane!(unsigned i.size_22(), T => by_q!(i, H => c.op::<Vector<ShiftLeftLong<T, H>, 16>>(dn(i), shift)))
}

pub(super) fn FCVTN_asimdmisc(i: Insn, c: &mut Lower<'_>) -> Draft {
    by_q!(i, H => if i.sz_22() == 0 {
        c.op::<Fp<Shorten<Single, Half, u16, false, H>>>(dn(i), 0)
    } else {
        c.op::<Fp<Shorten<Double, Single, u32, false, H>>>(dn(i), 0)
    })
}

pub(super) fn FCVTXN_asimdmisc(i: Insn, c: &mut Lower<'_>) -> Draft {
    by_q!(i, H => c.op::<Fp<Shorten<Double, Single, u32, true, H>>>(dn(i), 0))
}

pub(super) fn FCVTL_asimdmisc(i: Insn, c: &mut Lower<'_>) -> Draft {
    by_q!(i, H => if i.sz_22() == 0 {
        c.op::<Fp<Lengthen<Half, Single, u16, H>>>(dn(i), 0)
    } else {
        c.op::<Fp<Lengthen<Single, Double, u32, H>>>(dn(i), 0)
    })
}

macro_rules! sign_bits {
    ($($name:ident $op:ident;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_q!(i, Q => if i.sz_22() == 0 {
                c.op::<Vector<$op<u32>, { bytes(Q) }>>(dn(i), 0)
            } else {
                c.op::<Vector<$op<u64>, { bytes(Q) }>>(dn(i), 0)
            })
        }
    )*};
}

sign_bits! {
    FABS_asimdmisc FpAbs;
    FNEG_asimdmisc FpNeg;
}

macro_rules! floating {
    ($($name:ident $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_fp_vector!(i, F, COUNT => c.op::<Fp<Each<$op, F, COUNT>>>(dn(i), 0))
        }
    )*};
}

floating! {
    FRINTN_asimdmisc RoundInt<{ mode::N }>;
    FRINTP_asimdmisc RoundInt<{ mode::P }>;
    FRINTM_asimdmisc RoundInt<{ mode::M }>;
    FRINTZ_asimdmisc RoundInt<{ mode::Z }>;
    FRINTA_asimdmisc RoundInt<{ mode::A }>;
    FRINTX_asimdmisc RoundInt<{ mode::X }>;
    FRINTI_asimdmisc RoundInt<{ mode::I }>;
    FCVTNS_asimdmisc ToInt<{ mode::N }, true>;
    FCVTPS_asimdmisc ToInt<{ mode::P }, true>;
    FCVTMS_asimdmisc ToInt<{ mode::M }, true>;
    FCVTZS_asimdmisc ToInt<{ mode::Z }, true>;
    FCVTAS_asimdmisc ToInt<{ mode::A }, true>;
    FCVTNU_asimdmisc ToInt<{ mode::N }, false>;
    FCVTPU_asimdmisc ToInt<{ mode::P }, false>;
    FCVTMU_asimdmisc ToInt<{ mode::M }, false>;
    FCVTZU_asimdmisc ToInt<{ mode::Z }, false>;
    FCVTAU_asimdmisc ToInt<{ mode::A }, false>;
    SCVTF_asimdmisc fp::FromSigned;
    UCVTF_asimdmisc fp::FromUnsigned;
    FRECPE_asimdmisc fp::RecipEstimate;
    FRSQRTE_asimdmisc fp::RsqrtEstimate;
    FSQRT_asimdmisc fp::Sqrt;
    FCMGT_zero_asimdmisc fp::CmpGtZero;
    FCMEQ_zero_asimdmisc fp::CmpEqZero;
    FCMLT_zero_asimdmisc fp::CmpLtZero;
    FCMGE_zero_asimdmisc fp::CmpGeZero;
    FCMLE_zero_asimdmisc fp::CmpLeZero;
}

macro_rules! across_lanes {
    ($($name:ident $sign:ident $op:ident;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_small_lane!($sign i.size_22(), T => by_q!(i, Q =>
                c.op::<Vector<Across<{ across::$op }, T, Q>, 8>>(dn(i), 0)))
        }
    )*};
}

across_lanes! {
    SADDLV_asimdall signed ADD_LONG;
    UADDLV_asimdall unsigned ADD_LONG;
    SMAXV_asimdall signed MAX;
    UMAXV_asimdall unsigned MAX;
    SMINV_asimdall signed MIN;
    UMINV_asimdall unsigned MIN;
    ADDV_asimdall unsigned ADD;
}

macro_rules! floating_across {
    ($($name:ident $op:ident;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            c.op::<Fp<FpAcross<fp::$op, Single, 4>>>(dn(i), 0)
        }
    )*};
}

floating_across! {
    FMAXNMV_asimdall MaxNum;
    FMINNMV_asimdall MinNum;
    FMAXV_asimdall Max;
    FMINV_asimdall Min;
}
