//! Half precision with the host's single precision.
//!
//! A single has more than twice the bits of a half and two more, so that a
//! sum, product, quotient or root that is rounded to a single and then to a
//! half is the half that one rounding gives. The product of two halves is a
//! single without rounding; the sum with a third is not always, so
//! [`mul_add`](HostFloat::mul_add) looks where that could matter.
//!
//! The last rounding is an addition too: a number whose last place is that of
//! the half makes the host's FPU round, and raise Inexact, where a half ends.
//!
//! Here `None` also stands for results that overflow, and for NaNs.
//! Comparisons are those of integers.

use super::{Compare, HostFloat, Op2, v_from_signed_32, v_to_signed_32};
use crate::fp::{Float, Half, Rounding, Single};
use crate::simd::{Lane, V128};

/// Where the fraction of a half lies in a single.
const SHIFT: u32 = Single::FRAC - Half::FRAC;
/// The sign of a half, moved up to a single's.
const SIGN_SHIFT: u32 = 16;
/// `2^112`, by which the exponents' biases differ.
const BIAS_SCALE: u32 = (127 + 112) << 23;
/// The exponent field of a single.
const EXPONENT: u32 = 0xff << 23;
/// `2^-14`, the smallest normal half, as a single.
const LEAST: u32 = (127 - 14) << 23;
/// `65520`: this and all above round to infinity.
const LIMIT: u32 = 0x477f_f000;
/// All but the sign of a half, and its infinity.
const MAGNITUDE: u16 = 0x7fff;
const INFINITY: u16 = 0x7c00;

/// The exponents' distance from a single to the number of which the last place
/// is the last place of the half.
const ROUND_AT: u32 = SHIFT << 23;

/// Whether a half is a NaN; with integers, which raise nothing.
#[inline(always)]
fn is_nan(a: u64) -> bool {
    a as u16 & MAGNITUDE > INFINITY
}

/// Where infinities and NaNs have to be, after scaling.
#[inline(always)]
fn top_exponent(magnitude: u32) -> u32 {
    if magnitude >= u32::from(INFINITY) << SHIFT { EXPONENT } else { 0 }
}

/// A half as a single: exact, and no exception. NaNs stay as they are, with
/// zeros below.
#[inline(always)]
fn widen(a: u64) -> Option<u64> {
    let magnitude = u32::from(a as u16 & MAGNITUDE) << SHIFT;
    let sign = (a as u32 & 0x8000) << SIGN_SHIFT;
    let scaled = Single::scale(magnitude.into(), BIAS_SCALE.into())? as u32;
    Some((scaled | top_exponent(magnitude) | sign).into())
}

/// Four halves, in the low 16 bits of the lanes, as singles.
#[inline(always)]
fn widen_lanes(a: V128) -> Option<V128> {
    let magnitude = a.map::<u32>(|a| (a & u32::from(MAGNITUDE)) << SHIFT);
    let scaled = Single::v_scale(magnitude, V128::splat(BIAS_SCALE))?;
    let scaled = scaled.zip::<u32>(magnitude, |s, m| s | top_exponent(m));
    Some(scaled.zip::<u32>(a, |s, a| s | (a & 0x8000) << SIGN_SHIFT))
}

/// Four of the eight lanes, with zeros above each.
#[inline(always)]
fn half_of<const HIGH: bool>(a: V128) -> V128 {
    let lanes = a.lanes::<u16>();
    V128::from_lanes::<u32>(u32::array(|i| lanes[if HIGH { i + 4 } else { i }].into()))
}

/// The lower or the upper four halves as singles.
#[inline(always)]
fn v_widen<const HIGH: bool>(a: V128) -> Option<V128> {
    widen_lanes(half_of::<HIGH>(a))
}

/// The low 16 bits of the lanes of `high:low`.
#[inline(always)]
fn join(low: V128, high: V128) -> V128 {
    let (low, high) = (low.lanes::<u32>(), high.lanes::<u32>());
    V128::from_lanes::<u16>(u16::array(|i| if i < 4 { low[i] as u16 } else { high[i - 4] as u16 }))
}

/// Raises Underflow and Inexact in the host.
#[inline(always)]
fn raise_underflow() -> Option<u64> {
    /// The smallest normal single but one: half of it is a denormal and not exact.
    const TINY: u64 = 0x0080_0001;
    const ONE_HALF: u64 = 0x3f00_0000;
    Single::op2(Op2::Mul, TINY, ONE_HALF)
}

/// Whether a single of this magnitude, not zero, is below the normal halves.
#[inline(always)]
fn is_tiny(magnitude: u32) -> bool {
    magnitude.wrapping_sub(1) < LEAST - 1
}

/// A single rounded to a half, as `FPConvert` does it with FPCR = 0.
#[inline(always)]
fn narrow(x: u64) -> Option<u64> {
    let magnitude = x as u32 & !(1 << 31);
    if magnitude >= LIMIT {
        return None;
    }
    let exponent = (magnitude & EXPONENT).max(LEAST);
    let at = exponent + ROUND_AT;
    let sum = Single::op2(Op2::Add, magnitude.into(), at.into())? as u32;
    if is_tiny(magnitude) && Single::op2(Op2::Sub, sum.into(), at.into())? as u32 != magnitude {
        raise_underflow()?;
    }
    let half = ((exponent - LEAST) >> SHIFT) + (sum - at);
    Some(u64::from(half | (x as u32 >> SIGN_SHIFT & 0x8000)))
}

/// True if the condition holds for any of the lanes.
#[inline(always)]
fn any(mask: V128) -> bool {
    mask.to_u128() != 0
}

/// Ones where `condition` holds.
#[inline(always)]
fn lanes_where(a: V128, condition: impl Fn(u32) -> bool) -> V128 {
    a.map::<u32>(|a| if condition(a) { u32::MAX } else { 0 })
}

/// The magnitudes of singles, if a half of each is finite.
#[inline(always)]
fn finite_magnitudes(x: V128) -> Option<V128> {
    let magnitude = x.map::<u32>(|x| x & !(1 << 31));
    let too_large = lanes_where(magnitude, |m| m.cast_signed() >= LIMIT.cast_signed());
    if any(too_large) { None } else { Some(magnitude) }
}

/// [`narrow`] of each lane, into the low 16 bits.
#[inline(always)]
fn narrow_lanes(x: V128) -> Option<V128> {
    let magnitude = finite_magnitudes(x)?;
    let exponent = magnitude.map::<u32>(|m| (m & EXPONENT).cast_signed().max(LEAST.cast_signed()).cast_unsigned());
    let at = exponent.map::<u32>(|e| e + ROUND_AT);
    let sum = Single::v_op2(Op2::Add, magnitude, at)?;
    if any(lanes_where(magnitude, is_tiny)) {
        let back = Single::v_op2(Op2::Sub, sum, at)?;
        // What was not tiny is not smaller than the limit, and its own.
        let tiny = back.zip::<u32>(magnitude, |b, m| if m < LEAST { b ^ m } else { 0 });
        if any(tiny) {
            raise_underflow()?;
        }
    }
    let fraction = sum.zip::<u32>(at, u32::wrapping_sub);
    let half = exponent.zip::<u32>(fraction, |e, f| ((e - LEAST) >> SHIFT) + f);
    Some(half.zip::<u32>(x, |h, x| h | (x >> SIGN_SHIFT & 0x8000)))
}

/// Half of the halves as singles; `None` if one is a NaN.
#[inline(always)]
pub(crate) fn lengthen<const HIGH: bool>(a: V128) -> Option<V128> {
    let half = half_of::<HIGH>(a);
    let nans = lanes_where(half, |a| (a & u32::from(MAGNITUDE)) > INFINITY.into());
    if any(nans) { None } else { widen_lanes(half) }
}

/// Four singles rounded to halves, in the low 64 bits.
#[inline(always)]
pub(crate) fn shorten(x: V128) -> Option<V128> {
    Some(join(narrow_lanes(x)?, V128::zero()))
}

/// Whether a single that is not exact might round to another half than the
/// exact number: it is in the middle of two, or among the denormals or the
/// next number above them, where Underflow tells of any bit.
#[inline(always)]
fn is_delicate(x: u32) -> bool {
    /// The bits below the last place of a normal half, and the highest of them.
    const REST: u32 = (1 << SHIFT) - 1;
    const MIDDLE: u32 = 1 << (SHIFT - 1);
    x & REST == MIDDLE || (x & !(1 << 31)).wrapping_sub(1) < LEAST
}

/// What was lost in `sum`, which is `a + b` rounded.
#[inline(always)]
fn error(sum: u64, a: u64, b: u64) -> Option<u64> {
    let b_part = Single::op2(Op2::Sub, sum, a)?;
    let a_part = Single::op2(Op2::Sub, sum, b_part)?;
    Single::op2(Op2::Add, Single::op2(Op2::Sub, a, a_part)?, Single::op2(Op2::Sub, b, b_part)?)
}

/// [`error`] of each lane.
#[inline(always)]
fn error_lanes(sum: V128, a: V128, b: V128) -> Option<V128> {
    let b_part = Single::v_op2(Op2::Sub, sum, a)?;
    let a_part = Single::v_op2(Op2::Sub, sum, b_part)?;
    Single::v_op2(Op2::Add, Single::v_op2(Op2::Sub, a, a_part)?, Single::v_op2(Op2::Sub, b, b_part)?)
}

/// `c + a * b` of halves given as singles, rounded to halves once.
#[inline(always)]
fn mul_add_lanes(c: V128, a: V128, b: V128) -> Option<V128> {
    let product = Single::v_op2(Op2::Mul, a, b)?;
    let sum = Single::v_op2(Op2::Add, c, product)?;
    let delicate = lanes_where(sum, is_delicate);
    if any(delicate) {
        // The error of an infinite sum would be invalid.
        finite_magnitudes(sum)?;
        let error = error_lanes(sum, c, product)?;
        if any(error.zip::<u32>(delicate, |e, d| e << 1 & d)) {
            return None;
        }
    }
    narrow_lanes(sum)
}

/// `c + a * b` in four lanes of single precision, where `a` and `b` are halves.
#[inline(always)]
pub(crate) fn v_mul_add_long<const HIGH: bool>(c: V128, a: V128, b: V128) -> Option<V128> {
    let product = Single::v_op2(Op2::Mul, v_widen::<HIGH>(a)?, v_widen::<HIGH>(b)?)?;
    let sum = Single::v_op2(Op2::Add, c, product)?;
    // An Arm host gives NaNs, but two operations do not choose as one does.
    if cfg!(target_arch = "aarch64") && any(lanes_where(sum, |s| s << 1 > EXPONENT << 1)) { None } else { Some(sum) }
}

/// Integers of 16 bits, towards zero or to nearest.
#[inline(always)]
pub(crate) fn v_to_int(a: V128, rounding: Rounding, signed: bool) -> Option<V128> {
    // A negative number that does not fit must not raise Inexact.
    if !signed && any(a.map::<u16>(|a| a & 0x8000)) {
        return None;
    }
    let low = v_to_signed_32(v_widen::<false>(a)?, rounding)?;
    let high = v_to_signed_32(v_widen::<true>(a)?, rounding)?;
    let bias = if signed { 1 << 15 } else { 0 };
    // Any half but infinity fits into 17 bits and a sign.
    let out = |v: V128| v.map::<u32>(|x| x.wrapping_add(bias) & !0xffff);
    if any(out(low)) || any(out(high)) { None } else { Some(join(low, high)) }
}

/// Integers of 16 bits as halves.
#[inline(always)]
pub(crate) fn v_from_int(a: V128, signed: bool) -> Option<V128> {
    let extend = |v: V128| {
        if signed { v.map::<i32>(|x| i32::from(x as i16)) } else { v }
    };
    let low = narrow_lanes(v_from_signed_32(extend(half_of::<false>(a)))?)?;
    Some(join(low, narrow_lanes(v_from_signed_32(extend(half_of::<true>(a)))?)?))
}

/// A number that orders halves as `FPMax` does: minus zero below plus zero. It
/// is its own inverse.
#[inline(always)]
fn total_order(a: u16) -> i16 {
    let a = a.cast_signed();
    a ^ (a >> 15 & i16::MAX)
}

/// A number that orders halves as `FPCompare` does: both zeros the same.
#[inline(always)]
fn order_key(a: u16) -> i16 {
    let sign = a.cast_signed() >> 15;
    ((a & MAGNITUDE).cast_signed() ^ sign) - sign
}

/// The vectors, if no lane of them is a NaN.
#[inline(always)]
fn unless_nans(a: V128, b: V128) -> Option<(V128, V128)> {
    let nan = |x: u16| if (x & MAGNITUDE).cast_signed() > INFINITY.cast_signed() { u16::MAX } else { 0 };
    if any(a.zip::<u16>(b, |a, b| nan(a) | nan(b))) { None } else { Some((a, b)) }
}

impl HostFloat for Half {
    #[inline(always)]
    fn op2(op: Op2, a: u64, b: u64) -> Option<u64> {
        match op {
            Op2::Max | Op2::Min => {
                if is_nan(a) || is_nan(b) {
                    return None;
                }
                let (x, y) = (total_order(a as u16), total_order(b as u16));
                let picked = if op == Op2::Max { x.max(y) } else { x.min(y) };
                Some(u64::from(total_order(picked.cast_unsigned()).cast_unsigned()))
            }
            _ => narrow(Single::op2(op, widen(a)?, widen(b)?)?),
        }
    }

    #[inline(always)]
    fn sqrt(a: u64) -> Option<u64> {
        narrow(Single::sqrt(widen(a)?)?)
    }

    #[inline(always)]
    fn mul_add(c: u64, a: u64, b: u64) -> Option<u64> {
        let c = widen(c)?;
        let product = Single::op2(Op2::Mul, widen(a)?, widen(b)?)?;
        let sum = Single::op2(Op2::Add, c, product)?;
        if is_delicate(sum as u32) && error(sum, c, product)? << 33 != 0 {
            return None;
        }
        narrow(sum)
    }

    #[inline(always)]
    fn compare(op: Compare, a: u64, b: u64) -> Option<bool> {
        if is_nan(a) || is_nan(b) {
            return None;
        }
        let (x, y) = (order_key(a as u16), order_key(b as u16));
        Some(match op {
            Compare::Eq => x == y,
            Compare::Ge => x >= y,
            Compare::Gt => x > y,
        })
    }

    #[inline(always)]
    fn order(a: u64, b: u64) -> Option<(bool, bool)> {
        if is_nan(a) || is_nan(b) {
            return None;
        }
        let (x, y) = (order_key(a as u16), order_key(b as u16));
        Some((x > y, x < y))
    }

    #[inline(always)]
    fn to_signed(a: u64, width: u32, rounding: Rounding) -> Option<u64> {
        let x = Single::to_signed(widen(a)?, width.max(32), rounding)?;
        if width != 16 {
            return Some(x);
        }
        let fits = i16::try_from(x as i32).is_ok();
        if fits { Some(x & 0xffff) } else { None }
    }

    #[inline(always)]
    fn to_unsigned(a: u64, width: u32, rounding: Rounding) -> Option<u64> {
        let x = Single::to_unsigned(widen(a)?, width.max(32), rounding)?;
        // All but infinity, which an Arm host saturates to 32 bits, fit.
        if width == 16 && x >> 16 != 0 { None } else { Some(x) }
    }

    #[inline(always)]
    fn from_signed(a: i64) -> Option<u64> {
        // What is larger is not a half, and might not be a single.
        if a.unsigned_abs() >> 16 == 0 { narrow(Single::from_signed(a)?) } else { None }
    }

    #[inline(always)]
    fn from_unsigned(a: u64) -> Option<u64> {
        if a >> 16 == 0 { narrow(Single::from_unsigned(a)?) } else { None }
    }

    #[inline(always)]
    fn round_int(a: u64, rounding: Rounding, exact: bool) -> Option<u64> {
        narrow(Single::round_int(widen(a)?, rounding, exact)?)
    }

    #[inline(always)]
    fn scale(a: u64, power: u64) -> Option<u64> {
        Self::op2(Op2::Mul, a, power)
    }

    #[inline(always)]
    fn v_scale(a: V128, power: V128) -> Option<V128> {
        Self::v_op2(Op2::Mul, a, power)
    }

    #[inline(always)]
    fn v_round_int(a: V128, rounding: Rounding, exact: bool) -> Option<V128> {
        let low = narrow_lanes(Single::v_round_int(v_widen::<false>(a)?, rounding, exact)?)?;
        Some(join(low, narrow_lanes(Single::v_round_int(v_widen::<true>(a)?, rounding, exact)?)?))
    }

    #[inline(always)]
    fn v_op2(op: Op2, a: V128, b: V128) -> Option<V128> {
        if matches!(op, Op2::Max | Op2::Min) {
            let (a, b) = unless_nans(a, b)?;
            let (x, y) =
                (a.map::<u16>(|a| total_order(a).cast_unsigned()), b.map::<u16>(|b| total_order(b).cast_unsigned()));
            let picked = if op == Op2::Max { x.zip::<i16>(y, Ord::max) } else { x.zip::<i16>(y, Ord::min) };
            return Some(picked.map::<u16>(|a| total_order(a).cast_unsigned()));
        }
        let low = narrow_lanes(Single::v_op2(op, v_widen::<false>(a)?, v_widen::<false>(b)?)?)?;
        Some(join(low, narrow_lanes(Single::v_op2(op, v_widen::<true>(a)?, v_widen::<true>(b)?)?)?))
    }

    #[inline(always)]
    fn v_sqrt(a: V128) -> Option<V128> {
        let low = narrow_lanes(Single::v_sqrt(v_widen::<false>(a)?)?)?;
        Some(join(low, narrow_lanes(Single::v_sqrt(v_widen::<true>(a)?)?)?))
    }

    #[inline(always)]
    fn v_mul_add(c: V128, a: V128, b: V128) -> Option<V128> {
        let low = mul_add_lanes(v_widen::<false>(c)?, v_widen::<false>(a)?, v_widen::<false>(b)?)?;
        Some(join(low, mul_add_lanes(v_widen::<true>(c)?, v_widen::<true>(a)?, v_widen::<true>(b)?)?))
    }

    #[inline(always)]
    fn v_compare(op: Compare, a: V128, b: V128) -> Option<V128> {
        let (a, b) = unless_nans(a, b)?;
        let mask = |holds: bool| if holds { u16::MAX } else { 0 };
        Some(match op {
            Compare::Eq => a.zip::<u16>(b, |a, b| mask(order_key(a) == order_key(b))),
            Compare::Ge => a.zip::<u16>(b, |a, b| mask(order_key(a) >= order_key(b))),
            Compare::Gt => a.zip::<u16>(b, |a, b| mask(order_key(a) > order_key(b))),
        })
    }
}

/// Half to single precision; `None` for a NaN.
#[inline(always)]
pub(crate) fn to_single(a: u64) -> Option<u64> {
    if is_nan(a) { None } else { widen(a) }
}

/// Single to half precision.
#[inline(always)]
pub(crate) fn from_single(a: u64) -> Option<u64> {
    narrow(a)
}
