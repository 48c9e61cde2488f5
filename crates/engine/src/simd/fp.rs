//! Floating-point arithmetic on scalars and vectors.
//!
//! A [`LaneOp`] is an operation on one element; [`Each`] applies it to all the
//! lanes of a vector, or, with one lane, makes the scalar instruction of it.

use core::marker::PhantomData;

use super::{FpOp, V128};
use crate::fp::host::{self, Compare, HostFloat, Op2};
use crate::fp::{self, Env, Rounding};

/// An operation on one element, given as bits.
pub trait LaneOp<F: HostFloat>: 'static {
    /// With the host's FPU, for FPCR = 0.
    fn host(a: u64, b: u64, c: u64, n: u64) -> Option<u64>;
    /// For any FPCR.
    fn exact(a: u64, b: u64, c: u64, n: u64, env: &mut Env) -> u64;
    /// All of a vector at once; `None` if that cannot be told. The lanes that
    /// are not in use are zero.
    #[inline(always)]
    fn host_vector(a: V128, b: V128, c: V128, n: u64, count: usize) -> Option<V128> {
        host_lanes::<Self, F>(a, b, c, n, count)
    }
}

/// One lane after the other with the host's FPU.
#[inline(always)]
fn host_lanes<O: LaneOp<F> + ?Sized, F: HostFloat>(a: V128, b: V128, c: V128, n: u64, count: usize) -> Option<V128> {
    let mut result = V128::zero();
    for i in 0..count {
        let lane = O::host(get::<F>(a, i), get::<F>(b, i), get::<F>(c, i), n)?;
        result = set::<F>(result, i, lane);
    }
    Some(result)
}

/// Lane `i`.
#[inline(always)]
pub(super) fn get<F: HostFloat>(v: V128, i: usize) -> u64 {
    match F::BITS {
        16 => v.lane::<u16>(i).into(),
        32 => v.lane::<u32>(i).into(),
        _ => v.lane::<u64>(i),
    }
}

/// With lane `i` replaced.
#[inline(always)]
pub(super) fn set<F: HostFloat>(v: V128, i: usize, value: u64) -> V128 {
    match F::BITS {
        16 => v.with_lane::<u16>(i, value as u16),
        32 => v.with_lane::<u32>(i, value as u32),
        _ => v.with_lane::<u64>(i, value),
    }
}

/// `O` of the lowest `COUNT` lanes; zeros above.
#[derive(Debug)]
pub struct Each<O, F, const COUNT: usize>(PhantomData<(O, F)>);

impl<O: LaneOp<F>, F: HostFloat, const COUNT: usize> FpOp for Each<O, F, COUNT> {
    #[inline(always)]
    fn host(a: V128, b: V128, c: V128, n: u64) -> Option<V128> {
        if COUNT == 1 {
            return Some(V128::from_halves(O::host(get::<F>(a, 0), get::<F>(b, 0), get::<F>(c, 0), n)?, 0));
        }
        let used = |v: V128| if COUNT as u32 * F::BITS == 128 { v } else { v.low_half() };
        let result = O::host_vector(used(a), used(b), used(c), n, COUNT)?;
        Some(used(result))
    }

    #[inline(always)]
    fn exact(a: V128, b: V128, c: V128, n: u64, env: &mut Env) -> V128 {
        let mut result = V128::zero();
        for i in 0..COUNT {
            let lane = O::exact(get::<F>(a, i), get::<F>(b, i), get::<F>(c, i), n, env);
            result = set::<F>(result, i, lane);
        }
        result
    }
}

/// `O` of `a` and lane `n` of `b`, as often as there are lanes.
#[derive(Debug)]
pub struct ByElement<O, F>(PhantomData<(O, F)>);

#[inline(always)]
fn splat<F: HostFloat>(b: V128, n: u64) -> V128 {
    match F::BITS {
        16 => V128::splat(b.lane::<u16>(n as usize)),
        32 => V128::splat(b.lane::<u32>(n as usize)),
        _ => V128::splat(b.lane::<u64>(n as usize)),
    }
}

impl<O: FpOp, F: HostFloat> FpOp for ByElement<O, F> {
    #[inline(always)]
    fn host(a: V128, b: V128, c: V128, n: u64) -> Option<V128> {
        O::host(a, splat::<F>(b, n), c, 0)
    }

    #[inline(always)]
    fn exact(a: V128, b: V128, c: V128, n: u64, env: &mut Env) -> V128 {
        O::exact(a, splat::<F>(b, n), c, 0, env)
    }
}

/// `O` of the even and the odd lanes of `b:a`, of `COUNT` lanes each. With one
/// lane, of the two lanes of `a`.
#[derive(Debug)]
pub struct Pairwise<O, F, const COUNT: usize>(PhantomData<(O, F)>);

#[inline(always)]
fn pairs<F: HostFloat, const COUNT: usize>(a: V128, b: V128) -> (V128, V128) {
    use super::permute::unzip;
    match (F::BITS, COUNT) {
        (_, 1) => (a, set::<F>(V128::zero(), 0, get::<F>(a, 1))),
        (16, 4) => unzip::<u16, false>(a, b),
        (16, _) => unzip::<u16, true>(a, b),
        (32, 2) => unzip::<u32, false>(a, b),
        (32, _) => unzip::<u32, true>(a, b),
        _ => unzip::<u64, true>(a, b),
    }
}

impl<O: LaneOp<F>, F: HostFloat, const COUNT: usize> FpOp for Pairwise<O, F, COUNT> {
    #[inline(always)]
    fn host(a: V128, b: V128, c: V128, n: u64) -> Option<V128> {
        let (even, odd) = pairs::<F, COUNT>(a, b);
        Each::<O, F, COUNT>::host(even, odd, c, n)
    }

    #[inline(always)]
    fn exact(a: V128, b: V128, c: V128, n: u64, env: &mut Env) -> V128 {
        let (even, odd) = pairs::<F, COUNT>(a, b);
        Each::<O, F, COUNT>::exact(even, odd, c, n, env)
    }
}

/// `O` across `COUNT` lanes: of the results for each half.
#[derive(Debug)]
pub struct Across<O, F, const COUNT: usize>(PhantomData<(O, F)>);

/// Pairs of lanes, pairs of the results, and so on. (`Reduce` takes halves, and
/// their halves: the same tree.)
#[inline(always)]
fn reduce<F: HostFloat, const COUNT: usize>(a: V128, mut f: impl FnMut(u64, u64) -> Option<u64>) -> Option<u64> {
    let mut lanes: [u64; COUNT] = core::array::from_fn(|i| get::<F>(a, i));
    let mut count = COUNT;
    while count > 1 {
        count /= 2;
        for i in 0..count {
            lanes[i] = f(lanes[2 * i], lanes[2 * i + 1])?;
        }
    }
    Some(lanes[0])
}

impl<O: LaneOp<F>, F: HostFloat, const COUNT: usize> FpOp for Across<O, F, COUNT> {
    #[inline(always)]
    fn host(a: V128, _: V128, _: V128, n: u64) -> Option<V128> {
        Some(V128::from_halves(reduce::<F, COUNT>(a, |x, y| O::host(x, y, 0, n))?, 0))
    }

    #[inline(always)]
    fn exact(a: V128, _: V128, _: V128, n: u64, env: &mut Env) -> V128 {
        let result = reduce::<F, COUNT>(a, |x, y| Some(O::exact(x, y, 0, n, env)));
        V128::from_halves(result.unwrap_or_default(), 0)
    }
}

macro_rules! host_op2 {
    ($($(#[$doc:meta])* $name:ident $op:ident $exact:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl<F: HostFloat> LaneOp<F> for $name {
            #[inline(always)]
            fn host(a: u64, b: u64, _: u64, _: u64) -> Option<u64> {
                F::op2(Op2::$op, a, b)
            }
            #[inline(always)]
            fn exact(a: u64, b: u64, _: u64, _: u64, env: &mut Env) -> u64 {
                fp::$exact::<F>(a, b, env)
            }
            #[inline(always)]
            fn host_vector(a: V128, b: V128, _: V128, _: u64, count: usize) -> Option<V128> {
                // Zero by zero would raise a flag in the lanes not in use.
                let b = if matches!(Op2::$op, Op2::Div) && count as u32 * F::BITS == 64 {
                    V128::from_halves(b.low(), splat::<F>(V128::from_halves(F::ONE, 0), 0).low())
                } else {
                    b
                };
                F::v_op2(Op2::$op, a, b)
            }
        }
    )*};
}

host_op2! {
    /// `a + b`.
    Add Add add;
    /// `a - b`.
    Sub Sub sub;
    /// `a * b`.
    Mul Mul mul;
    /// `a / b`.
    Div Div div;
    /// The greater.
    Max Max max;
    /// The smaller.
    Min Min min;
    /// The greater; numbers go before quiet NaNs.
    MaxNum Max max_num;
    /// The smaller; numbers go before quiet NaNs.
    MinNum Min min_num;
}

macro_rules! lane_ops {
    ($($(#[$doc:meta])* $name:ident[$f:ident]($a:ident, $b:ident, $c:ident, $n:ident, $env:ident)
        host $host:expr, exact $exact:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl<$f: HostFloat> LaneOp<$f> for $name {
            #[inline(always)]
            #[expect(unused_variables, reason = "not every operation has all of them")]
            fn host($a: u64, $b: u64, $c: u64, $n: u64) -> Option<u64> {
                $host
            }
            #[inline(always)]
            #[expect(unused_variables, reason = "not every operation has all of them")]
            fn exact($a: u64, $b: u64, $c: u64, $n: u64, $env: &mut Env) -> u64 {
                $exact
            }
        }
    )*};
}

lane_ops! {
    /// `-(a * b)`.
    NegMul[F](a, b, c, n, env) host F::op2(Op2::Mul, a, b).map(fp::neg::<F>), exact fp::neg::<F>(fp::mul::<F>(a, b, env));
    /// `FMULX`.
    MulX[F](a, b, c, n, env) host None, exact fp::mul_x::<F>(a, b, env);
    /// `FRECPS`.
    RecipStep[F](a, b, c, n, env) host None, exact fp::recip_step::<F>(a, b, env);
    /// `FRSQRTS`.
    RsqrtStep[F](a, b, c, n, env) host None, exact fp::rsqrt_step::<F>(a, b, env);
    /// `FRECPE`.
    RecipEstimate[F](a, b, c, n, env) host None, exact fp::recip_estimate::<F>(a, env);
    /// `FRSQRTE`.
    RsqrtEstimate[F](a, b, c, n, env) host None, exact fp::rsqrt_estimate::<F>(a, env);
    /// `FRECPX`.
    RecipExponent[F](a, b, c, n, env) host None, exact fp::recip_exponent::<F>(a, env);
    /// `FNMADD`: `-c - a * b`.
    NegMulAdd[F](a, b, c, n, env)
        host F::mul_add(fp::neg::<F>(c), fp::neg::<F>(a), b),
        exact fp::mul_add::<F>(fp::neg::<F>(c), fp::neg::<F>(a), b, env);
    /// `FNMSUB`: `-c + a * b`.
    NegMulSub[F](a, b, c, n, env)
        host F::mul_add(fp::neg::<F>(c), a, b),
        exact fp::mul_add::<F>(fp::neg::<F>(c), a, b, env);
}

/// `value / 2^n`, which is exact, but not in half precision.
#[inline(always)]
pub(super) fn scale<F: HostFloat>(n: u64, value: impl FnOnce() -> Option<u64>) -> Option<u64> {
    if n == 0 {
        return value();
    }
    if F::BITS == 16 {
        return None;
    }
    let power = (F::BIAS as u64).wrapping_sub(n & 127) << F::FRAC;
    F::scale(value()?, power)
}

#[inline(always)]
fn mask<F: HostFloat>(holds: bool) -> u64 {
    if holds { F::MASK } else { 0 }
}

/// `c + a * b`.
#[derive(Debug)]
pub struct MulAdd;

impl<F: HostFloat> LaneOp<F> for MulAdd {
    #[inline(always)]
    fn host(a: u64, b: u64, c: u64, _: u64) -> Option<u64> {
        F::mul_add(c, a, b)
    }
    #[inline(always)]
    fn exact(a: u64, b: u64, c: u64, _: u64, env: &mut Env) -> u64 {
        fp::mul_add::<F>(c, a, b, env)
    }
    #[inline(always)]
    fn host_vector(a: V128, b: V128, c: V128, _: u64, _: usize) -> Option<V128> {
        F::v_mul_add(c, a, b)
    }
}

/// `c - a * b`.
#[derive(Debug)]
pub struct MulSub;

impl<F: HostFloat> LaneOp<F> for MulSub {
    #[inline(always)]
    fn host(a: u64, b: u64, c: u64, _: u64) -> Option<u64> {
        F::mul_add(c, fp::neg::<F>(a), b)
    }
    #[inline(always)]
    fn exact(a: u64, b: u64, c: u64, _: u64, env: &mut Env) -> u64 {
        fp::mul_add::<F>(c, fp::neg::<F>(a), b, env)
    }
    #[inline(always)]
    fn host_vector(a: V128, b: V128, c: V128, _: u64, _: usize) -> Option<V128> {
        let sign = splat::<F>(V128::from_halves(F::SIGN, 0), 0);
        F::v_mul_add(c, a.zip::<u64>(sign, |a, s| a ^ s), b)
    }
}

/// The magnitudes of all lanes.
#[inline(always)]
fn abs_lanes<F: HostFloat>(a: V128) -> V128 {
    a.zip::<u64>(splat::<F>(V128::from_halves(!F::SIGN, 0), 0), |a, m| a & m)
}

/// `|a - b|`.
#[derive(Debug)]
pub struct AbsDiff;

impl<F: HostFloat> LaneOp<F> for AbsDiff {
    #[inline(always)]
    fn host(a: u64, b: u64, _: u64, _: u64) -> Option<u64> {
        F::op2(Op2::Sub, a, b).map(fp::abs::<F>)
    }
    #[inline(always)]
    fn exact(a: u64, b: u64, _: u64, _: u64, env: &mut Env) -> u64 {
        fp::abs::<F>(fp::sub::<F>(a, b, env))
    }
    #[inline(always)]
    fn host_vector(a: V128, b: V128, _: V128, _: u64, _: usize) -> Option<V128> {
        F::v_op2(Op2::Sub, a, b).map(abs_lanes::<F>)
    }
}

macro_rules! magnitude_comparisons {
    ($($(#[$doc:meta])* $name:ident $op:ident $exact:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl<F: HostFloat> LaneOp<F> for $name {
            #[inline(always)]
            fn host(a: u64, b: u64, _: u64, _: u64) -> Option<u64> {
                F::compare(Compare::$op, fp::abs::<F>(a), fp::abs::<F>(b)).map(mask::<F>)
            }
            #[inline(always)]
            fn exact(a: u64, b: u64, _: u64, _: u64, env: &mut Env) -> u64 {
                mask::<F>(fp::$exact::<F>(fp::abs::<F>(a), fp::abs::<F>(b), env))
            }
            #[inline(always)]
            fn host_vector(a: V128, b: V128, _: V128, _: u64, _: usize) -> Option<V128> {
                F::v_compare(Compare::$op, abs_lanes::<F>(a), abs_lanes::<F>(b))
            }
        }
    )*};
}

magnitude_comparisons! {
    /// `a >= b` in magnitude, as a mask.
    AbsGe Ge compare_ge;
    /// `a > b` in magnitude, as a mask.
    AbsGt Gt compare_gt;
}

/// A signed integer with `n` bits behind the point as a number.
#[derive(Debug)]
pub struct FromSigned;

impl<F: HostFloat> LaneOp<F> for FromSigned {
    #[inline(always)]
    fn host(a: u64, _: u64, _: u64, n: u64) -> Option<u64> {
        let a = match F::BITS {
            16 => i64::from(a as i16),
            32 => i64::from(a as i32),
            _ => a as i64,
        };
        scale::<F>(n, || F::from_signed(a))
    }
    #[inline(always)]
    fn exact(a: u64, _: u64, _: u64, n: u64, env: &mut Env) -> u64 {
        fp::from_fixed::<F>(a, F::BITS, n as u32, true, env)
    }
    #[inline(always)]
    fn host_vector(a: V128, b: V128, c: V128, n: u64, count: usize) -> Option<V128> {
        match F::BITS {
            16 if n == 0 => host::half::v_from_int(a, true),
            32 if n == 0 => host::v_from_signed_32(a),
            _ => host_lanes::<Self, F>(a, b, c, n, count),
        }
    }
}

/// An unsigned integer with `n` bits behind the point as a number.
#[derive(Debug)]
pub struct FromUnsigned;

impl<F: HostFloat> LaneOp<F> for FromUnsigned {
    #[inline(always)]
    fn host(a: u64, _: u64, _: u64, n: u64) -> Option<u64> {
        scale::<F>(n, || if F::BITS == 64 { F::from_unsigned(a) } else { F::from_signed(i64::from(a as u32)) })
    }
    #[inline(always)]
    fn exact(a: u64, _: u64, _: u64, n: u64, env: &mut Env) -> u64 {
        fp::from_fixed::<F>(a, F::BITS, n as u32, false, env)
    }
    #[inline(always)]
    fn host_vector(a: V128, b: V128, c: V128, n: u64, count: usize) -> Option<V128> {
        match F::BITS {
            16 if n == 0 => host::half::v_from_int(a, false),
            _ => host_lanes::<Self, F>(a, b, c, n, count),
        }
    }
}

/// The square root.
#[derive(Debug)]
pub struct Sqrt;

impl<F: HostFloat> LaneOp<F> for Sqrt {
    #[inline(always)]
    fn host(a: u64, _: u64, _: u64, _: u64) -> Option<u64> {
        F::sqrt(a)
    }
    #[inline(always)]
    fn exact(a: u64, _: u64, _: u64, _: u64, env: &mut Env) -> u64 {
        fp::sqrt::<F>(a, env)
    }
    #[inline(always)]
    fn host_vector(a: V128, _: V128, _: V128, _: u64, _: usize) -> Option<V128> {
        F::v_sqrt(a)
    }
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident $op:ident $exact:ident($a:ident, $b:ident) $first:expr, $second:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl<F: HostFloat> LaneOp<F> for $name {
            #[inline(always)]
            fn host($a: u64, $b: u64, _: u64, _: u64) -> Option<u64> {
                let _ = $b;
                F::compare(Compare::$op, $first, $second).map(mask::<F>)
            }
            #[inline(always)]
            fn exact($a: u64, $b: u64, _: u64, _: u64, env: &mut Env) -> u64 {
                let _ = $b;
                mask::<F>(fp::$exact::<F>($first, $second, env))
            }
            #[inline(always)]
            fn host_vector($a: V128, $b: V128, _: V128, _: u64, _: usize) -> Option<V128> {
                let _ = $b;
                F::v_compare(Compare::$op, $first, $second)
            }
        }
    )*};
}

/// Zero, of either type that comparisons work on.
trait Zero {
    fn zero_like(self) -> Self;
}

impl Zero for u64 {
    #[inline(always)]
    fn zero_like(self) -> Self {
        0
    }
}

impl Zero for V128 {
    #[inline(always)]
    fn zero_like(self) -> Self {
        Self::zero()
    }
}

comparisons! {
    /// Ones where `a == b`.
    CmpEq Eq compare_eq(a, b) a, b;
    /// Ones where `a >= b`.
    CmpGe Ge compare_ge(a, b) a, b;
    /// Ones where `a > b`.
    CmpGt Gt compare_gt(a, b) a, b;
    /// Ones where `a == 0`.
    CmpEqZero Eq compare_eq(a, b) a, a.zero_like();
    /// Ones where `a >= 0`.
    CmpGeZero Ge compare_ge(a, b) a, a.zero_like();
    /// Ones where `a > 0`.
    CmpGtZero Gt compare_gt(a, b) a, a.zero_like();
    /// Ones where `a <= 0`.
    CmpLeZero Ge compare_ge(a, b) a.zero_like(), a;
    /// Ones where `a < 0`.
    CmpLtZero Gt compare_gt(a, b) a.zero_like(), a;
}

/// Rounding modes as const parameters.
pub mod mode {
    /// To nearest, ties to even.
    pub const N: u8 = 0;
    /// Towards plus infinity.
    pub const P: u8 = 1;
    /// Towards minus infinity.
    pub const M: u8 = 2;
    /// Towards zero.
    pub const Z: u8 = 3;
    /// To nearest, ties away from zero.
    pub const A: u8 = 4;
    /// As FPCR says.
    pub const I: u8 = 5;
    /// As FPCR says, and raising Inexact.
    pub const X: u8 = 6;
}

/// The rounding mode for a const parameter; FPCR's own is `current`.
#[inline(always)]
pub(super) const fn rounding(mode: u8, current: Rounding) -> Rounding {
    match mode {
        mode::N => Rounding::TieEven,
        mode::P => Rounding::PosInf,
        mode::M => Rounding::NegInf,
        mode::Z => Rounding::Zero,
        mode::A => Rounding::TieAway,
        _ => current,
    }
}

/// To an integral value (`FRINTN` and others).
#[derive(Debug)]
pub struct RoundInt<const MODE: u8>;

impl<F: HostFloat, const MODE: u8> LaneOp<F> for RoundInt<MODE> {
    #[inline(always)]
    fn host(a: u64, _: u64, _: u64, _: u64) -> Option<u64> {
        F::round_int(a, rounding(MODE, Rounding::TieEven), MODE == mode::X)
    }
    #[inline(always)]
    fn exact(a: u64, _: u64, _: u64, _: u64, env: &mut Env) -> u64 {
        fp::round_int::<F>(a, rounding(MODE, env.rounding()), MODE == mode::X, env)
    }
    #[inline(always)]
    fn host_vector(a: V128, _: V128, _: V128, _: u64, _: usize) -> Option<V128> {
        F::v_round_int(a, rounding(MODE, Rounding::TieEven), MODE == mode::X)
    }
}

/// To an integer of the same size with `n` bits behind the point.
#[derive(Debug)]
pub struct ToInt<const MODE: u8, const SIGNED: bool>;

impl<F: HostFloat, const MODE: u8, const SIGNED: bool> LaneOp<F> for ToInt<MODE, SIGNED> {
    #[inline(always)]
    fn host(a: u64, _: u64, _: u64, n: u64) -> Option<u64> {
        if n != 0 {
            None
        } else if SIGNED {
            F::to_signed(a, F::BITS, rounding(MODE, Rounding::TieEven))
        } else {
            F::to_unsigned(a, F::BITS, rounding(MODE, Rounding::TieEven))
        }
    }
    #[inline(always)]
    fn exact(a: u64, _: u64, _: u64, n: u64, env: &mut Env) -> u64 {
        fp::to_fixed::<F>(a, F::BITS, n as u32, SIGNED, rounding(MODE, env.rounding()), env)
    }
    #[inline(always)]
    fn host_vector(a: V128, b: V128, c: V128, n: u64, count: usize) -> Option<V128> {
        let is_plain = n == 0 && matches!(MODE, mode::Z | mode::N);
        match F::BITS {
            16 if is_plain => host::half::v_to_int(a, rounding(MODE, Rounding::TieEven), SIGNED),
            32 if is_plain && SIGNED => host::v_to_signed_32(a, rounding(MODE, Rounding::TieEven)),
            _ => host_lanes::<Self, F>(a, b, c, n, count),
        }
    }
}
