//! Advanced SIMD of Armv8.1 to Armv8.6: products that round, dot products,
//! matrices, complex numbers and BFloat16.

use a64::Insn;

use crate::fp::Half;
use crate::fp::bfloat::Bfloat;
use crate::fp::{Double, Single};
use crate::lower::arrange::{by_fp_vector, by_middle_lane, by_precision, by_q, bytes, dn, dnm};
use crate::lower::simd_shift::element;
use crate::lower::{Draft, Lower, dst, vreg};
use crate::sem::fp::{Fp, FpToGeneralFlags};
use crate::sem::simd::{Saturating, Vector};
use crate::simd::Lane;
use crate::simd::bfloat::{BfDot, BfMatrixMul, BfMulAddLong, ByBfloat};
use crate::simd::complex::{ByComplex, ComplexAdd, ComplexMulAdd};
use crate::simd::convert::{Convert, Shorten};
use crate::simd::dot::{Dot, MatrixMul};
use crate::simd::fp::{Each, mode};
use crate::simd::fp_integral::{JavaScriptConvert, RoundIntN};
use crate::simd::int::ByElement;
use crate::simd::saturate::{self, RoundingDoubleMulAccumulate};

const fn width<T: Lane>() -> u32 {
    T::BITS / 8
}

/// Vector, by element, scalar, and scalar by element.
macro_rules! rounding_products {
    ($($vector:ident $element:ident $scalar:ident $scalar_element:ident $subtract:literal;)*) => {$(
        pub(super) fn $vector(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_middle_lane!(signed i.size_22(), T => by_q!(i, Q =>
                c.op::<Saturating<RoundingDoubleMulAccumulate<T, $subtract>, { bytes(Q) }, { bytes(Q) }>>(dnm(i), 0)))
        }

        pub(super) fn $element(i: Insn, c: &mut Lower<'_>) -> Draft {
            let (r, index) = element(i);
            by_middle_lane!(signed i.size_22(), T => by_q!(i, Q => c.op::<Saturating<
                saturate::ByElement<RoundingDoubleMulAccumulate<T, $subtract>, T, { bytes(Q) }>, 16, { bytes(Q) },
            >>(r, index)))
        }

        pub(super) fn $scalar(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_middle_lane!(signed i.size_22(), T => c.op::<Saturating<
                RoundingDoubleMulAccumulate<T, $subtract>, { width::<T>() }, { width::<T>() },
            >>(dnm(i), 0))
        }

        pub(super) fn $scalar_element(i: Insn, c: &mut Lower<'_>) -> Draft {
            let (r, index) = element(i);
            by_middle_lane!(signed i.size_22(), T => c.op::<Saturating<
                saturate::ByElement<RoundingDoubleMulAccumulate<T, $subtract>, T, { width::<T>() }>,
                16, { width::<T>() },
            >>(r, index))
        }
    )*};
}

rounding_products! {
    SQRDMLAH_asimdsame2 SQRDMLAH_asimdelem SQRDMLAH_asisdsame2 SQRDMLAH_asisdelem false;
    SQRDMLSH_asimdsame2 SQRDMLSH_asimdelem SQRDMLSH_asisdsame2 SQRDMLSH_asisdelem true;
}

macro_rules! dot_products {
    ($($name:ident $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_q!(i, Q => c.op::<Vector<$op, { bytes(Q) }>>(dnm(i), 0))
        }
    )*};
}

dot_products! {
    SDOT_asimdsame2 Dot<i8, i8>;
    UDOT_asimdsame2 Dot<u8, u8>;
    USDOT_asimdsame2 Dot<u8, i8>;
    BFDOT_asimdsame2 BfDot;
}

/// The operands and the index of an instruction whose element is 32 bits of Vm.
fn word_element(i: Insn) -> ([u8; 4], i32) {
    let index = i.h_11() << 1 | i.l_21();
    ([vreg(i.rd()), vreg(i.rn()), vreg(i.m_20() << 4 | i.rm_4()), 0], index as i32)
}

macro_rules! dot_products_by_element {
    ($($name:ident $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let (r, index) = word_element(i);
            by_q!(i, Q => c.op::<Vector<ByElement<$op, u32>, { bytes(Q) }>>(r, index))
        }
    )*};
}

dot_products_by_element! {
    SDOT_asimdelem Dot<i8, i8>;
    UDOT_asimdelem Dot<u8, u8>;
    SUDOT_asimdelem Dot<i8, u8>;
    USDOT_asimdelem Dot<u8, i8>;
    BFDOT_asimdelem BfDot;
}

macro_rules! matrix_products {
    ($($name:ident $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            c.op::<Vector<$op, 16>>(dnm(i), 0)
        }
    )*};
}

matrix_products! {
    SMMLA_asimdsame2 MatrixMul<i8, i8>;
    UMMLA_asimdsame2 MatrixMul<u8, u8>;
    USMMLA_asimdsame2 MatrixMul<u8, i8>;
    BFMMLA_asimdsame2 BfMatrixMul;
}

/// `$rot` for a number of right angles from 0 to 3.
macro_rules! by_rotation {
    ($rotation:expr, $rot:ident => $body:expr) => {
        match $rotation {
            0 => {
                const $rot: u8 = 0;
                $body
            }
            1 => {
                const $rot: u8 = 1;
                $body
            }
            2 => {
                const $rot: u8 = 2;
                $body
            }
            _ => {
                const $rot: u8 = 3;
                $body
            }
        }
    };
}

/// The format and the number of lanes for `size` and Q.
macro_rules! by_complex_vector {
    ($i:expr, $f:ident, $count:ident => $body:expr) => {
        if $i.size_22() == 1 {
            type $f = Half;
            by_q!($i, Q => {
                const $count: usize = if Q { 8 } else { 4 };
                $body
            })
        } else {
            by_fp_vector!($i, $f, $count => $body)
        }
    };
}

pub(super) fn FCADD_asimdsame2(i: Insn, c: &mut Lower<'_>) -> Draft {
    by_complex_vector!(i, F, COUNT => if i.rot_12() == 0 {
        c.op::<Fp<ComplexAdd<F, COUNT, 1>>>(dnm(i), 0)
    } else {
        c.op::<Fp<ComplexAdd<F, COUNT, 3>>>(dnm(i), 0)
    })
}

pub(super) fn FCMLA_asimdsame2(i: Insn, c: &mut Lower<'_>) -> Draft {
    by_complex_vector!(i, F, COUNT =>
        by_rotation!(i.rot_11(), ROT => c.op::<Fp<ComplexMulAdd<F, COUNT, ROT>>>(dnm(i), 0)))
}

pub(super) fn FCMLA_asimdelem(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [vreg(i.rd()), vreg(i.rn()), vreg(i.m_20() << 4 | i.rm_4()), 0];
    if i.size_22() == 2 {
        let index = i.h_11() as i32;
        return by_rotation!(i.rot_13(), ROT => c.op::<Fp<ByComplex<ComplexMulAdd<Single, 4, ROT>, Single>>>(r, index));
    }
    let index = (i.h_11() << 1 | i.l_21()) as i32;
    by_rotation!(i.rot_13(), ROT => by_q!(i, Q => {
        const COUNT: usize = if Q { 8 } else { 4 };
        c.op::<Fp<ByComplex<ComplexMulAdd<Half, COUNT, ROT>, Half>>>(r, index)
    }))
}

pub(super) fn BFMLAL_asimdsame2(i: Insn, c: &mut Lower<'_>) -> Draft {
    by_q!(i, TOP => c.op::<Fp<BfMulAddLong<TOP>>>(dnm(i), 0))
}

pub(super) fn BFMLAL_asimdelem(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [vreg(i.rd()), vreg(i.rn()), vreg(i.rm_4()), 0];
    let index = i.h_11() << 2 | i.l_21() << 1 | i.m_20();
    by_q!(i, TOP => c.op::<Fp<ByBfloat<BfMulAddLong<TOP>>>>(r, index as i32))
}

pub(super) fn BFCVT_floatdp1(i: Insn, c: &mut Lower<'_>) -> Draft {
    c.op::<Fp<Convert<Single, Bfloat>>>(dn(i), 0)
}

pub(super) fn BFCVTN_asimdmisc(i: Insn, c: &mut Lower<'_>) -> Draft {
    by_q!(i, H => c.op::<Fp<Shorten<Single, Bfloat, u16, false, H>>>(dn(i), 0))
}

/// Scalar and vector.
macro_rules! integral_numbers {
    ($($scalar:ident $vector:ident $op:ty;)*) => {$(
        pub(super) fn $scalar(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_precision!(i.ftype(), F => c.op::<Fp<Each<$op, F, 1>>>(dn(i), 0))
        }

        pub(super) fn $vector(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_fp_vector!(i, F, COUNT => c.op::<Fp<Each<$op, F, COUNT>>>(dn(i), 0))
        }
    )*};
}

integral_numbers! {
    FRINT32Z_floatdp1 FRINT32Z_asimdmisc RoundIntN<32, { mode::Z }>;
    FRINT32X_floatdp1 FRINT32X_asimdmisc RoundIntN<32, { mode::X }>;
    FRINT64Z_floatdp1 FRINT64Z_asimdmisc RoundIntN<64, { mode::Z }>;
    FRINT64X_floatdp1 FRINT64X_asimdmisc RoundIntN<64, { mode::X }>;
}

pub(super) fn FJCVTZS_float2int(i: Insn, c: &mut Lower<'_>) -> Draft {
    c.op::<FpToGeneralFlags<JavaScriptConvert>>([dst(i.rd()), vreg(i.rn()), 0, 0], 0)
}
