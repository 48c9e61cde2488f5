//! Floating-point operations that are not one lane to one lane: conversions
//! between formats and to and from general registers, and comparison.

use core::marker::PhantomData;

use super::fp::{get, rounding, scale};
use super::wide::pack;
use super::{FpOp, Lane, V128};
use crate::fp::host::{self, HostFloat, half};
use crate::fp::{self, Double, Env, Float, Rounding, Single};

/// A scalar in general register size: `a` to an integer of `WIDTH` bits with
/// `n` bits behind the point.
#[derive(Debug)]
pub struct ToGeneral<F, const WIDTH: u32, const MODE: u8, const SIGNED: bool>(PhantomData<F>);

impl<F: HostFloat, const WIDTH: u32, const MODE: u8, const SIGNED: bool> FpOp for ToGeneral<F, WIDTH, MODE, SIGNED> {
    #[inline(always)]
    fn host(a: V128, _: V128, _: V128, n: u64) -> Option<V128> {
        if n != 0 {
            return None;
        }
        let a = get::<F>(a, 0);
        let mode = rounding(MODE, Rounding::TieEven);
        let x = if SIGNED { F::to_signed(a, WIDTH, mode)? } else { F::to_unsigned(a, WIDTH, mode)? };
        Some(V128::from_halves(x, 0))
    }

    #[inline(always)]
    fn exact(a: V128, _: V128, _: V128, n: u64, env: &mut Env) -> V128 {
        let mode = rounding(MODE, env.rounding());
        let x = fp::to_fixed::<F>(get::<F>(a, 0), WIDTH, n as u32, SIGNED, mode, env);
        V128::from_halves(x, 0)
    }
}

/// The inverse of [`ToGeneral`].
#[derive(Debug)]
pub struct FromGeneral<F, const WIDTH: u32, const SIGNED: bool>(PhantomData<F>);

impl<F: HostFloat, const WIDTH: u32, const SIGNED: bool> FpOp for FromGeneral<F, WIDTH, SIGNED> {
    #[inline(always)]
    fn host(a: V128, _: V128, _: V128, n: u64) -> Option<V128> {
        let x = a.low();
        let value = scale::<F>(n, || match (WIDTH, SIGNED) {
            (32, true) => F::from_signed(i64::from(x as i32)),
            (32, false) => F::from_signed(i64::from(x as u32)),
            (_, true) => F::from_signed(x as i64),
            (_, false) => F::from_unsigned(x),
        });
        Some(V128::from_halves(value?, 0))
    }

    #[inline(always)]
    fn exact(a: V128, _: V128, _: V128, n: u64, env: &mut Env) -> V128 {
        V128::from_halves(fp::from_fixed::<F>(a.low(), WIDTH, n as u32, SIGNED, env), 0)
    }
}

/// Two numbers whose subtraction sets the flags that `FPCompare` of the
/// scalars `a` and `b` gives: the first in the low half, the second in the
/// high half. `n` of 0 leaves the comparison out (`FCCMP`).
#[derive(Debug)]
pub struct CompareFlags<F, const SIGNAL_QUIET: bool>(PhantomData<F>);

impl<F: HostFloat, const SIGNAL_QUIET: bool> FpOp for CompareFlags<F, SIGNAL_QUIET> {
    #[inline(always)]
    fn host(a: V128, b: V128, _: V128, n: u64) -> Option<V128> {
        if n == 0 {
            return Some(V128::zero());
        }
        let (greater, less) = F::order(get::<F>(a, 0), get::<F>(b, 0))?;
        Some(V128::from_halves(greater.into(), less.into()))
    }

    #[inline(always)]
    fn exact(a: V128, b: V128, _: V128, n: u64, env: &mut Env) -> V128 {
        if n == 0 {
            return V128::zero();
        }
        match fp::compare::<F>(get::<F>(a, 0), get::<F>(b, 0), SIGNAL_QUIET, env) {
            0b1000 => V128::from_halves(0, 1),
            0b0110 => V128::from_halves(0, 0),
            0b0010 => V128::from_halves(1, 0),
            // Unordered: C and V.
            _ => V128::from_halves(1 << 63, 1),
        }
    }
}

/// `FCVT` of a scalar.
#[derive(Debug)]
pub struct Convert<From, To>(PhantomData<(From, To)>);

#[inline(always)]
fn host_convert<From: Float, To: Float>(a: u64) -> Option<u64> {
    match (From::BITS, To::BITS) {
        (64, 32) => host::narrow(a),
        (32, 64) => host::widen(a & 0xffff_ffff),
        (16, 32) if From::IS_HALF => half::to_single(a),
        (16, 64) if From::IS_HALF => host::widen(half::to_single(a)?),
        (32, 16) if To::IS_HALF => half::from_single(a),
        _ => None,
    }
}

impl<From: Float, To: Float> FpOp for Convert<From, To> {
    #[inline(always)]
    fn host(a: V128, _: V128, _: V128, _: u64) -> Option<V128> {
        Some(V128::from_halves(host_convert::<From, To>(a.low())?, 0))
    }

    #[inline(always)]
    fn exact(a: V128, _: V128, _: V128, _: u64, env: &mut Env) -> V128 {
        V128::from_halves(fp::convert::<From, To>(a.low() & From::MASK, env), 0)
    }
}

/// `FCVTL`: half of the lanes, in the wider format. `From` is the format of
/// the narrow lanes, of type `T`.
#[derive(Debug)]
pub struct Lengthen<From, To, T, const HIGH: bool>(PhantomData<(From, To, T)>);

impl<From: Float, To: Float, T: Lane, const HIGH: bool> FpOp for Lengthen<From, To, T, HIGH> {
    #[inline(always)]
    fn host(a: V128, _: V128, _: V128, _: u64) -> Option<V128> {
        if From::IS_HALF {
            return half::lengthen::<HIGH>(a);
        }
        let mut good = true;
        let result = lengthen::<T, HIGH>(a, |bits| {
            host_convert::<From, To>(bits).unwrap_or_else(|| {
                good = false;
                0
            })
        });
        good.then_some(result)
    }

    #[inline(always)]
    fn exact(a: V128, _: V128, _: V128, _: u64, env: &mut Env) -> V128 {
        lengthen::<T, HIGH>(a, |bits| fp::convert::<From, To>(bits, env))
    }
}

#[inline(always)]
fn lengthen<T: Lane, const HIGH: bool>(a: V128, mut f: impl FnMut(u64) -> u64) -> V128 {
    let lanes = a.lanes::<T>();
    let first = if HIGH { T::Wide::COUNT } else { 0 };
    V128::from_lanes::<T::Wide>(T::Wide::array(|i| T::Wide::truncate(f(lanes.as_ref()[i + first].bits()))))
}

/// `FCVTN`, or with `ODD` `FCVTXN`: the lanes in the narrower format, in the
/// low or the high half. `T` is the type of the narrow lanes.
#[derive(Debug)]
pub struct Shorten<From, To, T, const ODD: bool, const HIGH: bool>(PhantomData<(From, To, T)>);

impl<From: Float, To: Float, T: Lane, const ODD: bool, const HIGH: bool> FpOp for Shorten<From, To, T, ODD, HIGH> {
    #[inline(always)]
    fn host(a: V128, _: V128, c: V128, _: u64) -> Option<V128> {
        if ODD {
            return None;
        }
        if To::IS_HALF {
            let narrow = half::shorten(a)?.lanes::<T>();
            return Some(pack::<T, HIGH>(c, |i| narrow.as_ref()[i]));
        }
        let lanes = a.lanes::<T::Wide>();
        let mut good = true;
        let result = pack::<T, HIGH>(c, |i| {
            T::truncate(host_convert::<From, To>(lanes.as_ref()[i].bits()).unwrap_or_else(|| {
                good = false;
                0
            }))
        });
        good.then_some(result)
    }

    #[inline(always)]
    fn exact(a: V128, _: V128, c: V128, _: u64, env: &mut Env) -> V128 {
        let lanes = a.lanes::<T::Wide>();
        pack::<T, HIGH>(c, |i| {
            let bits = lanes.as_ref()[i].bits();
            T::truncate(if ODD { fp::convert_odd::<From, To>(bits, env) } else { fp::convert::<From, To>(bits, env) })
        })
    }
}

/// `FCVTXN` of a scalar.
#[derive(Debug)]
pub struct ConvertOdd;

impl FpOp for ConvertOdd {
    #[inline(always)]
    fn host(_: V128, _: V128, _: V128, _: u64) -> Option<V128> {
        None
    }

    #[inline(always)]
    fn exact(a: V128, _: V128, _: V128, _: u64, env: &mut Env) -> V128 {
        V128::from_halves(fp::convert_odd::<Double, Single>(a.low(), env), 0)
    }
}

/// `URECPE` and, with `ROOT`, `URSQRTE`; they raise nothing.
#[derive(Debug)]
pub struct UnsignedEstimate<const ROOT: bool>;

impl<const ROOT: bool> super::VectorOp for UnsignedEstimate<ROOT> {
    const IS_LARGE: bool = ROOT;

    #[inline(always)]
    fn eval(a: V128, _: V128, _: V128, _: u64) -> V128 {
        a.map::<u32>(if ROOT { fp::unsigned_rsqrt_estimate } else { fp::unsigned_recip_estimate })
    }
}
