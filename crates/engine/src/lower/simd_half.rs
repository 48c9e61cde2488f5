//! Advanced SIMD of half precision, vectors and scalars, and its products added
//! to single precision.

use a64::Insn;
use a64::pseudocode::vfp_expand_imm;

use crate::fp::Half;
use crate::lower::arrange::{by_q, bytes, dn, dnm};
use crate::lower::{Draft, Lower, vreg};
use crate::sem::fp::Fp;
use crate::sem::simd::{LiteralV, Vector};
use crate::simd::fp::{self, Across, ByElement, Each, FromSigned, FromUnsigned, Pairwise, RoundInt, ToInt, mode};
use crate::simd::fp_long::MulAddLong;
use crate::simd::int::{FpAbs, FpNeg};

/// The number of lanes, by Q.
const fn count(q: bool) -> usize {
    if q { 8 } else { 4 }
}

macro_rules! vectors {
    ($($name:ident $operands:ident $form:ident $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_q!(i, Q => c.op::<Fp<$form<$op, Half, { count(Q) }>>>($operands(i), 0))
        }
    )*};
}

vectors! {
    FMAXNM_asimdsamefp16 dnm Each fp::MaxNum;
    FMINNM_asimdsamefp16 dnm Each fp::MinNum;
    FMLA_asimdsamefp16 dnm Each fp::MulAdd;
    FMLS_asimdsamefp16 dnm Each fp::MulSub;
    FADD_asimdsamefp16 dnm Each fp::Add;
    FSUB_asimdsamefp16 dnm Each fp::Sub;
    FMULX_asimdsamefp16 dnm Each fp::MulX;
    FCMEQ_asimdsamefp16 dnm Each fp::CmpEq;
    FMAX_asimdsamefp16 dnm Each fp::Max;
    FMIN_asimdsamefp16 dnm Each fp::Min;
    FRECPS_asimdsamefp16 dnm Each fp::RecipStep;
    FRSQRTS_asimdsamefp16 dnm Each fp::RsqrtStep;
    FMAXNMP_asimdsamefp16 dnm Pairwise fp::MaxNum;
    FMINNMP_asimdsamefp16 dnm Pairwise fp::MinNum;
    FADDP_asimdsamefp16 dnm Pairwise fp::Add;
    FABD_asimdsamefp16 dnm Each fp::AbsDiff;
    FMUL_asimdsamefp16 dnm Each fp::Mul;
    FCMGE_asimdsamefp16 dnm Each fp::CmpGe;
    FCMGT_asimdsamefp16 dnm Each fp::CmpGt;
    FACGE_asimdsamefp16 dnm Each fp::AbsGe;
    FACGT_asimdsamefp16 dnm Each fp::AbsGt;
    FMAXP_asimdsamefp16 dnm Pairwise fp::Max;
    FMINP_asimdsamefp16 dnm Pairwise fp::Min;
    FDIV_asimdsamefp16 dnm Each fp::Div;
    FRINTN_asimdmiscfp16 dn Each RoundInt<{ mode::N }>;
    FRINTP_asimdmiscfp16 dn Each RoundInt<{ mode::P }>;
    FRINTM_asimdmiscfp16 dn Each RoundInt<{ mode::M }>;
    FRINTZ_asimdmiscfp16 dn Each RoundInt<{ mode::Z }>;
    FRINTA_asimdmiscfp16 dn Each RoundInt<{ mode::A }>;
    FRINTX_asimdmiscfp16 dn Each RoundInt<{ mode::X }>;
    FRINTI_asimdmiscfp16 dn Each RoundInt<{ mode::I }>;
    FCVTNS_asimdmiscfp16 dn Each ToInt<{ mode::N }, true>;
    FCVTPS_asimdmiscfp16 dn Each ToInt<{ mode::P }, true>;
    FCVTMS_asimdmiscfp16 dn Each ToInt<{ mode::M }, true>;
    FCVTZS_asimdmiscfp16 dn Each ToInt<{ mode::Z }, true>;
    FCVTAS_asimdmiscfp16 dn Each ToInt<{ mode::A }, true>;
    FCVTNU_asimdmiscfp16 dn Each ToInt<{ mode::N }, false>;
    FCVTPU_asimdmiscfp16 dn Each ToInt<{ mode::P }, false>;
    FCVTMU_asimdmiscfp16 dn Each ToInt<{ mode::M }, false>;
    FCVTZU_asimdmiscfp16 dn Each ToInt<{ mode::Z }, false>;
    FCVTAU_asimdmiscfp16 dn Each ToInt<{ mode::A }, false>;
    SCVTF_asimdmiscfp16 dn Each FromSigned;
    UCVTF_asimdmiscfp16 dn Each FromUnsigned;
    FRECPE_asimdmiscfp16 dn Each fp::RecipEstimate;
    FRSQRTE_asimdmiscfp16 dn Each fp::RsqrtEstimate;
    FSQRT_asimdmiscfp16 dn Each fp::Sqrt;
    FCMGT_zero_asimdmiscfp16 dn Each fp::CmpGtZero;
    FCMEQ_zero_asimdmiscfp16 dn Each fp::CmpEqZero;
    FCMLT_zero_asimdmiscfp16 dn Each fp::CmpLtZero;
    FCMGE_zero_asimdmiscfp16 dn Each fp::CmpGeZero;
    FCMLE_zero_asimdmiscfp16 dn Each fp::CmpLeZero;
    FMAXNMV_half_asimdall dn Across fp::MaxNum;
    FMINNMV_half_asimdall dn Across fp::MinNum;
    FMAXV_half_asimdall dn Across fp::Max;
    FMINV_half_asimdall dn Across fp::Min;
}

macro_rules! sign_bits {
    ($($name:ident $op:ident;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_q!(i, Q => c.op::<Vector<$op<u16>, { bytes(Q) }>>(dn(i), 0))
        }
    )*};
}

sign_bits! {
    FABS_asimdmiscfp16 FpAbs;
    FNEG_asimdmiscfp16 FpNeg;
}

macro_rules! scalars {
    ($($name:ident $operands:ident $form:ident $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            c.op::<Fp<$form<$op, Half, 1>>>($operands(i), 0)
        }
    )*};
}

scalars! {
    FMULX_asisdsamefp16 dnm Each fp::MulX;
    FCMEQ_asisdsamefp16 dnm Each fp::CmpEq;
    FRECPS_asisdsamefp16 dnm Each fp::RecipStep;
    FRSQRTS_asisdsamefp16 dnm Each fp::RsqrtStep;
    FCMGE_asisdsamefp16 dnm Each fp::CmpGe;
    FACGE_asisdsamefp16 dnm Each fp::AbsGe;
    FABD_asisdsamefp16 dnm Each fp::AbsDiff;
    FCMGT_asisdsamefp16 dnm Each fp::CmpGt;
    FACGT_asisdsamefp16 dnm Each fp::AbsGt;
    FCVTNS_asisdmiscfp16 dn Each ToInt<{ mode::N }, true>;
    FCVTMS_asisdmiscfp16 dn Each ToInt<{ mode::M }, true>;
    FCVTAS_asisdmiscfp16 dn Each ToInt<{ mode::A }, true>;
    FCVTPS_asisdmiscfp16 dn Each ToInt<{ mode::P }, true>;
    FCVTZS_asisdmiscfp16 dn Each ToInt<{ mode::Z }, true>;
    FCVTNU_asisdmiscfp16 dn Each ToInt<{ mode::N }, false>;
    FCVTMU_asisdmiscfp16 dn Each ToInt<{ mode::M }, false>;
    FCVTAU_asisdmiscfp16 dn Each ToInt<{ mode::A }, false>;
    FCVTPU_asisdmiscfp16 dn Each ToInt<{ mode::P }, false>;
    FCVTZU_asisdmiscfp16 dn Each ToInt<{ mode::Z }, false>;
    SCVTF_asisdmiscfp16 dn Each FromSigned;
    UCVTF_asisdmiscfp16 dn Each FromUnsigned;
    FRECPE_asisdmiscfp16 dn Each fp::RecipEstimate;
    FRECPX_asisdmiscfp16 dn Each fp::RecipExponent;
    FRSQRTE_asisdmiscfp16 dn Each fp::RsqrtEstimate;
    FCMGT_zero_asisdmiscfp16 dn Each fp::CmpGtZero;
    FCMEQ_zero_asisdmiscfp16 dn Each fp::CmpEqZero;
    FCMLT_zero_asisdmiscfp16 dn Each fp::CmpLtZero;
    FCMGE_zero_asisdmiscfp16 dn Each fp::CmpGeZero;
    FCMLE_zero_asisdmiscfp16 dn Each fp::CmpLeZero;
    FMAXNMP_half_asisdpair dn Pairwise fp::MaxNum;
    FMINNMP_half_asisdpair dn Pairwise fp::MinNum;
    FADDP_half_asisdpair dn Pairwise fp::Add;
    FMAXP_half_asisdpair dn Pairwise fp::Max;
    FMINP_half_asisdpair dn Pairwise fp::Min;
}

/// The operands and the index of an instruction by element of half precision.
fn half_element(i: Insn) -> ([u8; 4], i32) {
    let index = i.h_11() << 2 | i.l_21() << 1 | i.m_20();
    ([vreg(i.rd()), vreg(i.rn()), vreg(i.rm_4()), 0], index as i32)
}

macro_rules! by_element {
    ($($vector:ident $scalar:ident $op:ident;)*) => {$(
        pub(super) fn $vector(i: Insn, c: &mut Lower<'_>) -> Draft {
            let (r, index) = half_element(i);
            by_q!(i, Q => c.op::<Fp<ByElement<Each<fp::$op, Half, { count(Q) }>, Half>>>(r, index))
        }

        pub(super) fn $scalar(i: Insn, c: &mut Lower<'_>) -> Draft {
            let (r, index) = half_element(i);
            c.op::<Fp<ByElement<Each<fp::$op, Half, 1>, Half>>>(r, index)
        }
    )*};
}

by_element! {
    FMLA_half_asimdelem FMLA_half_asisdelem MulAdd;
    FMLS_half_asimdelem FMLS_half_asisdelem MulSub;
    FMUL_half_asimdelem FMUL_half_asisdelem Mul;
    FMULX_half_asimdelem FMULX_half_asisdelem MulX;
}

macro_rules! long {
    ($($vector:ident $element:ident $sub:literal $second:literal;)*) => {$(
        pub(super) fn $vector(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_q!(i, Q => c.op::<Fp<MulAddLong<$sub, $second, { count(Q) / 2 }>>>(dnm(i), 0))
        }

        pub(super) fn $element(i: Insn, c: &mut Lower<'_>) -> Draft {
            let (r, index) = half_element(i);
            by_q!(i, Q => c.op::<Fp<ByElement<MulAddLong<$sub, $second, { count(Q) / 2 }>, Half>>>(r, index))
        }
    )*};
}

long! {
    FMLAL_asimdsame FMLAL_asimdelem false false;
    FMLAL2_asimdsame FMLAL2_asimdelem false true;
    FMLSL_asimdsame FMLSL_asimdelem true false;
    FMLSL2_asimdsame FMLSL2_asimdelem true true;
}

pub(super) fn FMOV_half_asimdimm(i: Insn, c: &mut Lower<'_>) -> Draft {
    let literal = c.literal(vfp_expand_imm(i.abcdefgh(), 16) * 0x0001_0001_0001_0001);
    by_q!(i, Q => c.op::<LiteralV<Q>>([vreg(i.rd()), 0, 0, 0], literal))
}
