//! Scalar floating point.

use a64::Insn;
use a64::pseudocode::vfp_expand_imm;

use crate::fp::{Double, Half, Single};
use crate::lower::arrange::{by_format, dn, dnm};
use crate::lower::{Draft, Lower, dst, src, vreg};
use crate::sem::fp::{Fp, Fp3, FpCompare, FpCompareIf, FpFromGeneral, FpSelect, FpToGeneral};
use crate::sem::simd::{FromGeneral, LiteralV, MoveFromGeneral, MoveV, ToGeneral, Vector};
use crate::simd::convert::{CompareFlags, Convert, FromGeneral as IntToFp, ToGeneral as FpToInt};
use crate::simd::fp::{
    Add, Div, Each, Max, MaxNum, Min, MinNum, Mul, MulAdd, MulSub, NegMul, NegMulAdd, NegMulSub, RoundInt, Sqrt, Sub,
    mode,
};
use crate::simd::int::{FpAbs, FpNeg};
use crate::simd::permute::{Extract, Insert};

pub(super) fn FMOV_floatdp1(i: Insn, c: &mut Lower<'_>) -> Draft {
    match i.ftype() {
        0 => c.op::<MoveV<4>>(dn(i), 0),
        1 => c.op::<MoveV<8>>(dn(i), 0),
        _ => c.op::<MoveV<2>>(dn(i), 0),
    }
}

pub(super) fn FABS_floatdp1(i: Insn, c: &mut Lower<'_>) -> Draft {
    match i.ftype() {
        0 => c.op::<Vector<FpAbs<u32>, 4>>(dn(i), 0),
        1 => c.op::<Vector<FpAbs<u64>, 8>>(dn(i), 0),
        _ => c.op::<Vector<FpAbs<u16>, 2>>(dn(i), 0),
    }
}

pub(super) fn FNEG_floatdp1(i: Insn, c: &mut Lower<'_>) -> Draft {
    match i.ftype() {
        0 => c.op::<Vector<FpNeg<u32>, 4>>(dn(i), 0),
        1 => c.op::<Vector<FpNeg<u64>, 8>>(dn(i), 0),
        _ => c.op::<Vector<FpNeg<u16>, 2>>(dn(i), 0),
    }
}

pub(super) fn FCVT_floatdp1(i: Insn, c: &mut Lower<'_>) -> Draft {
    match (i.ftype(), i.opc_15()) {
        (0, 1) => c.op::<Fp<Convert<Single, Double>>>(dn(i), 0),
        (0, _) => c.op::<Fp<Convert<Single, Half>>>(dn(i), 0),
        (1, 0) => c.op::<Fp<Convert<Double, Single>>>(dn(i), 0),
        (1, _) => c.op::<Fp<Convert<Double, Half>>>(dn(i), 0),
        (_, 0) => c.op::<Fp<Convert<Half, Single>>>(dn(i), 0),
        _ => c.op::<Fp<Convert<Half, Double>>>(dn(i), 0),
    }
}

/// Rows with one or two operands.
macro_rules! scalars {
    ($($name:ident $operands:ident $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_format!(i.ftype(), F => c.op::<Fp<Each<$op, F, 1>>>($operands(i), 0))
        }
    )*};
}

scalars! {
    FSQRT_floatdp1 dn Sqrt;
    FRINTN_floatdp1 dn RoundInt<{ mode::N }>;
    FRINTP_floatdp1 dn RoundInt<{ mode::P }>;
    FRINTM_floatdp1 dn RoundInt<{ mode::M }>;
    FRINTZ_floatdp1 dn RoundInt<{ mode::Z }>;
    FRINTA_floatdp1 dn RoundInt<{ mode::A }>;
    FRINTX_floatdp1 dn RoundInt<{ mode::X }>;
    FRINTI_floatdp1 dn RoundInt<{ mode::I }>;
    FMUL_floatdp2 dnm Mul;
    FDIV_floatdp2 dnm Div;
    FADD_floatdp2 dnm Add;
    FSUB_floatdp2 dnm Sub;
    FMAX_floatdp2 dnm Max;
    FMIN_floatdp2 dnm Min;
    FMAXNM_floatdp2 dnm MaxNum;
    FMINNM_floatdp2 dnm MinNum;
    FNMUL_floatdp2 dnm NegMul;
}

macro_rules! fused {
    ($($name:ident $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let [d, n, m, _] = dnm(i);
            by_format!(i.ftype(), F => c.op::<Fp3<Each<$op, F, 1>>>([d, n, m, vreg(i.ra())], 0))
        }
    )*};
}

fused! {
    FMADD_floatdp3 MulAdd;
    FMSUB_floatdp3 MulSub;
    FNMADD_floatdp3 NegMulAdd;
    FNMSUB_floatdp3 NegMulSub;
}

macro_rules! comparisons {
    ($($name:ident $signal:literal $zero:literal;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let r = [0, vreg(i.rn()), vreg(i.rm()), 0];
            by_format!(i.ftype(), F => c.op::<FpCompare<CompareFlags<F, $signal>, $zero>>(r, 0))
        }
    )*};
}

comparisons! {
    FCMP_floatcmp false false;
    FCMP_zero_floatcmp false true;
    FCMPE_floatcmp true false;
    FCMPE_zero_floatcmp true true;
}

/// The body for each condition, as a constant.
macro_rules! by_condition {
    ($cond:expr, $c:ident => $body:expr) => {
        by_condition!(@ $cond, $c => $body; 0 1 2 3 4 5 6 7 8 9 10 11 12 13)
    };
    (@ $cond:expr, $c:ident => $body:expr; $($n:literal)*) => {
        match $cond {
            $($n => { const $c: u8 = $n; $body })*
            _ => { const $c: u8 = 14; $body }
        }
    };
}

macro_rules! conditional_comparisons {
    ($($name:ident $signal:literal;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let r = [0, vreg(i.rn()), vreg(i.rm()), 0];
            by_format!(i.ftype(), F => by_condition!(i.cond(), COND =>
                c.op::<FpCompareIf<CompareFlags<F, $signal>, COND>>(r, i.nzcv() as i32)))
        }
    )*};
}

conditional_comparisons! {
    FCCMP_floatccmp false;
    FCCMPE_floatccmp true;
}

pub(super) fn FCSEL_floatsel(i: Insn, c: &mut Lower<'_>) -> Draft {
    match i.ftype() {
        0 => by_condition!(i.cond(), COND => c.op::<FpSelect<COND, 4>>(dnm(i), 0)),
        1 => by_condition!(i.cond(), COND => c.op::<FpSelect<COND, 8>>(dnm(i), 0)),
        _ => by_condition!(i.cond(), COND => c.op::<FpSelect<COND, 2>>(dnm(i), 0)),
    }
}

pub(super) fn FMOV_floatimm(i: Insn, c: &mut Lower<'_>) -> Draft {
    let value = c.literal(vfp_expand_imm(i.imm8_13(), [32, 64, 16, 16][i.ftype() as usize]));
    c.op::<LiteralV<false>>([vreg(i.rd()), 0, 0, 0], value)
}

/// To integers: from the format by `ftype` to the width by `sf`.
macro_rules! to_int {
    ($($name:ident $mode:ident $signed:literal $fraction_bits:expr;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let r = [dst(i.rd()), vreg(i.rn()), 0, 0];
            let fraction_bits: fn(Insn) -> i32 = $fraction_bits;
            let n = fraction_bits(i);
            by_format!(i.ftype(), F => if i.sf() == 1 {
                c.op::<FpToGeneral<FpToInt<F, 64, { mode::$mode }, $signed>>>(r, n)
            } else {
                c.op::<FpToGeneral<FpToInt<F, 32, { mode::$mode }, $signed>>>(r, n)
            })
        }
    )*};
}

to_int! {
    FCVTNS_float2int N true |_| 0;
    FCVTNU_float2int N false |_| 0;
    FCVTPS_float2int P true |_| 0;
    FCVTPU_float2int P false |_| 0;
    FCVTMS_float2int M true |_| 0;
    FCVTMU_float2int M false |_| 0;
    FCVTZS_float2int Z true |_| 0;
    FCVTZU_float2int Z false |_| 0;
    FCVTAS_float2int A true |_| 0;
    FCVTAU_float2int A false |_| 0;
    FCVTZS_float2fix Z true |i| 64 - i.scale() as i32;
    FCVTZU_float2fix Z false |i| 64 - i.scale() as i32;
}

macro_rules! from_int {
    ($($name:ident $signed:literal $fraction_bits:expr;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let r = [vreg(i.rd()), src(i.rn()), 0, 0];
            let fraction_bits: fn(Insn) -> i32 = $fraction_bits;
            let n = fraction_bits(i);
            by_format!(i.ftype(), F => if i.sf() == 1 {
                c.op::<FpFromGeneral<IntToFp<F, 64, $signed>>>(r, n)
            } else {
                c.op::<FpFromGeneral<IntToFp<F, 32, $signed>>>(r, n)
            })
        }
    )*};
}

from_int! {
    SCVTF_float2int true |_| 0;
    UCVTF_float2int false |_| 0;
    SCVTF_float2fix true |i| 64 - i.scale() as i32;
    UCVTF_float2fix false |i| 64 - i.scale() as i32;
}

pub(super) fn FMOV_to_float2int(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [dst(i.rd()), vreg(i.rn()), 0, 0];
    match i.ftype() {
        0 => c.op::<ToGeneral<Extract<u32>, true>>(r, 0),
        1 => c.op::<ToGeneral<Extract<u64>, true>>(r, 0),
        _ => c.op::<ToGeneral<Extract<u16>, true>>(r, 0),
    }
}

pub(super) fn FMOV_from_float2int(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [vreg(i.rd()), src(i.rn()), 0, 0];
    match i.ftype() {
        0 => c.op::<MoveFromGeneral<4>>(r, 0),
        1 => c.op::<MoveFromGeneral<8>>(r, 0),
        _ => c.op::<MoveFromGeneral<2>>(r, 0),
    }
}

pub(super) fn FMOV_to_high_float2int(i: Insn, c: &mut Lower<'_>) -> Draft {
    c.op::<ToGeneral<Extract<u64>, true>>([dst(i.rd()), vreg(i.rn()), 0, 0], 1)
}

pub(super) fn FMOV_from_high_float2int(i: Insn, c: &mut Lower<'_>) -> Draft {
    c.op::<FromGeneral<Insert<u64>, 16>>([vreg(i.rd()), src(i.rn()), 0, 0], 1)
}
