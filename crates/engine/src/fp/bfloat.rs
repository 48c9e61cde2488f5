//! BFloat16: the format, and dot products, which have an arithmetic of their
//! own: no exceptions, whatever FPCR says; denormals are zero, operands and results;
//! NaNs are the default one; inexact results are rounded to odd.
//!
//! (That is without FEAT_EBF16, which adds another arithmetic by FPCR.EBF.)

use super::{Float, Single};

/// The format: single precision with its lower half cut off.
#[derive(Clone, Copy, Debug)]
pub struct Bfloat;

impl Float for Bfloat {
    const BITS: u32 = 16;
    const EXP: u32 = 8;
    const FRAC: u32 = 7;
}

/// A finite number that is not zero: the significand has [`POINT`] bits behind
/// its point and at least as many in all, the lowest of which may stand for any
/// number of further bits.
#[derive(Clone, Copy)]
struct Finite {
    negative: bool,
    exponent: i32,
    significand: u64,
}

/// Room for two numbers of 24 bits, so that only a sum of numbers far apart
/// loses bits.
const POINT: u32 = 60;

/// What a value of single precision is, denormals being zero.
enum Value {
    Nan,
    Infinity(bool),
    Zero(bool),
    Finite(Finite),
}

fn unpack(bits: u32) -> Value {
    let negative = bits >> 31 != 0;
    let field = bits >> 23 & 0xff;
    let fraction = bits & 0x7f_ffff;
    match (field, fraction) {
        (0, _) => Value::Zero(negative),
        (0xff, 0) => Value::Infinity(negative),
        (0xff, _) => Value::Nan,
        _ => Value::Finite(Finite {
            negative,
            exponent: field as i32 - Single::BIAS,
            significand: u64::from(fraction | 1 << 23) << (POINT - 23),
        }),
    }
}

const DEFAULT_NAN: u32 = Single::DEFAULT_NAN as u32;

fn sign(negative: bool) -> u32 {
    u32::from(negative) << 31
}

fn infinity(negative: bool) -> u32 {
    sign(negative) | Single::INFINITY as u32
}

/// `BFRound`, to odd. The significand is not zero.
fn round(value: Finite) -> u32 {
    let shift = value.significand.leading_zeros();
    let significand = value.significand << shift;
    let exponent = value.exponent + 63 - POINT as i32 - shift as i32;
    if exponent < Single::MIN_EXP {
        return sign(value.negative);
    }
    if exponent > Single::BIAS {
        return infinity(value.negative);
    }
    let is_inexact = significand << 24 != 0;
    let fraction = (significand >> 40) as u32 & 0x7f_ffff | u32::from(is_inexact);
    sign(value.negative) | ((exponent + Single::BIAS) as u32) << 23 | fraction
}

/// `BFMulH`: the product of the BFloat16 numbers that are the upper halves of
/// `a` and `b`.
fn mul(a: u32, b: u32) -> u32 {
    let (a, b) = (unpack(a & 0xffff_0000), unpack(b & 0xffff_0000));
    match (a, b) {
        (Value::Nan, _) | (_, Value::Nan) => DEFAULT_NAN,
        (Value::Infinity(_), Value::Zero(_)) | (Value::Zero(_), Value::Infinity(_)) => DEFAULT_NAN,
        (Value::Infinity(a), Value::Infinity(b)) => infinity(a != b),
        (Value::Infinity(a), Value::Finite(b)) => infinity(a != b.negative),
        (Value::Finite(a), Value::Infinity(b)) => infinity(a.negative != b),
        (Value::Zero(a), Value::Zero(b)) => sign(a != b),
        (Value::Zero(a), Value::Finite(b)) => sign(a != b.negative),
        (Value::Finite(a), Value::Zero(b)) => sign(a.negative != b),
        (Value::Finite(a), Value::Finite(b)) => round(Finite {
            negative: a.negative != b.negative,
            exponent: a.exponent + b.exponent,
            // Significands of eight bits.
            significand: (a.significand >> (POINT / 2)) * (b.significand >> (POINT / 2)),
        }),
    }
}

/// `BFAdd`: the sum of two numbers of single precision.
fn add(a: u32, b: u32) -> u32 {
    match (unpack(a), unpack(b)) {
        (Value::Nan, _) | (_, Value::Nan) => DEFAULT_NAN,
        (Value::Infinity(a), Value::Infinity(b)) if a != b => DEFAULT_NAN,
        (Value::Infinity(negative), _) | (_, Value::Infinity(negative)) => infinity(negative),
        (Value::Zero(a), Value::Zero(b)) => sign(a && b),
        (Value::Zero(_), Value::Finite(finite)) | (Value::Finite(finite), Value::Zero(_)) => round(finite),
        (Value::Finite(a), Value::Finite(b)) => add_finite(a, b),
    }
}

fn add_finite(a: Finite, b: Finite) -> u32 {
    let (large, small) = if (a.exponent, a.significand) >= (b.exponent, b.significand) { (a, b) } else { (b, a) };
    let distance = large.exponent.abs_diff(small.exponent);
    let aligned = if distance < 64 {
        let lost = small.significand & !(u64::MAX << distance) != 0;
        small.significand >> distance | u64::from(lost)
    } else {
        1
    };
    let significand =
        if large.negative == small.negative { large.significand + aligned } else { large.significand - aligned };
    // An exact zero is positive, as it is in all modes but that to minus infinity.
    if significand == 0 { 0 } else { round(Finite { significand, ..large }) }
}

/// `BFDotAdd`: `addend + (a.low * b.low + a.high * b.high)`, each operation
/// rounded.
#[must_use]
pub fn dot_add(addend: u32, a: u32, b: u32) -> u32 {
    add(addend, add(mul(a << 16, b << 16), mul(a, b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two numbers of BFloat16, the first in the lower half.
    fn pair(low: f32, high: f32) -> u32 {
        high.to_bits() & 0xffff_0000 | low.to_bits() >> 16
    }

    #[test]
    fn exact_sums_are_exact() {
        assert_eq!(dot_add(1.5_f32.to_bits(), pair(2.0, 3.0), pair(4.0, -0.5)), 8.0_f32.to_bits());
    }

    #[test]
    fn inexact_results_have_their_last_bit_set() {
        let tiny = f32::from_bits(0x2000_0000);
        // Just above one, and just below it: both become the odd neighbour.
        assert_eq!(dot_add(1.0_f32.to_bits(), pair(tiny, 0.0), pair(1.0, 0.0)), 0x3f80_0001);
        assert_eq!(dot_add(1.0_f32.to_bits(), pair(-tiny, 0.0), pair(1.0, 0.0)), 0x3f7f_ffff);
    }

    #[test]
    fn overflow_is_infinite_though_rounding_is_to_odd() {
        let huge = f32::from_bits(0x7f00_0000);
        assert_eq!(dot_add(0, pair(huge, huge), pair(1.0, 1.0)), Single::INFINITY as u32);
        assert_eq!(dot_add(0, pair(huge, 0.0), pair(-huge, 0.0)), 0xff80_0000);
    }

    #[test]
    fn denormals_are_zero() {
        assert_eq!(dot_add(0x007f_ffff, pair(0.0, 0.0), pair(1.0, 1.0)), 0);
        let small = f32::from_bits(0x0080_0000);
        assert_eq!(dot_add(0x8000_0000, pair(-small, -0.0), pair(0.5, 1.0)), 0x8000_0000);
    }

    #[test]
    fn nans_are_the_default_one() {
        assert_eq!(dot_add(0xffc1_2345, 0, 0), DEFAULT_NAN);
        assert_eq!(dot_add(0, pair(f32::INFINITY, 0.0), pair(0.0, 0.0)), DEFAULT_NAN);
        assert_eq!(dot_add(0, pair(f32::INFINITY, f32::INFINITY), pair(1.0, -1.0)), DEFAULT_NAN);
    }
}
