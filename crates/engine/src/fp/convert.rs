//! Conversions between formats, to and from integers, and to integral values.

use super::round::{
    Class, convert_nan, process_nan, round, round_to_convert, rounds_up, split, unpack, unpack_to_convert,
};
use super::{Double, Env, FPSR_IOC, FPSR_IXC, Float, Rounding};

/// `FPConvert`, with FPCR's rounding mode.
pub fn convert<From: Float, To: Float>(a: u64, env: &mut Env) -> u64 {
    let rounding = env.rounding();
    convert_with::<From, To>(a, rounding, env)
}

/// `FPConvert`, rounding to odd (`FCVTXN`).
pub fn convert_odd<From: Float, To: Float>(a: u64, env: &mut Env) -> u64 {
    convert_with::<From, To>(a, Rounding::Odd, env)
}

fn convert_with<From: Float, To: Float>(a: u64, rounding: Rounding, env: &mut Env) -> u64 {
    let u = unpack_to_convert::<From>(a, env);
    let sign = To::sign(u.negative);
    let alternative = To::IS_HALF && env.alternative_half();
    match u.class {
        Class::Quiet | Class::Signalling => {
            if u.class == Class::Signalling || alternative {
                env.raise(FPSR_IOC);
            }
            if alternative {
                sign
            } else if env.default_nan() {
                To::DEFAULT_NAN
            } else {
                convert_nan::<From, To>(a)
            }
        }
        Class::Infinity if alternative => {
            env.raise(FPSR_IOC);
            sign | (To::SIGN - 1)
        }
        Class::Infinity => sign | To::INFINITY,
        Class::Zero => sign,
        Class::Finite => round_to_convert::<To>(u.negative, u.exponent, u128::from(u.significand), rounding, env),
    }
}

/// `FPRoundInt`: an integral value in the same format. With `exact`, a value
/// that was not integral raises Inexact.
pub fn round_int<T: Float>(a: u64, rounding: Rounding, exact: bool, env: &mut Env) -> u64 {
    let u = unpack::<T>(a, env);
    let sign = T::sign(u.negative);
    match u.class {
        Class::Quiet | Class::Signalling => process_nan::<T>(u.class, a, env),
        Class::Infinity => sign | T::INFINITY,
        Class::Zero => sign,
        Class::Finite if u.exponent >= 0 => sign | (a & !T::SIGN & T::MASK),
        Class::Finite => {
            let (integer, inexact) = integral(u.significand, u.exponent, u.negative, rounding);
            if inexact && exact {
                env.raise(FPSR_IXC);
            }
            if integer == 0 { sign } else { round::<T>(u.negative, 0, integer, env) }
        }
    }
}

/// `FPRoundIntN`: an integral value that an integer of `width` (32 or 64) bits
/// can hold, in the same format. What it cannot hold, and NaNs, are invalid and
/// become its least value.
pub fn round_int_n<T: Float>(a: u64, width: u32, rounding: Rounding, env: &mut Env) -> u64 {
    let u = unpack::<T>(a, env);
    let sign = T::sign(u.negative);
    let magnitude = match u.class {
        Class::Zero => return sign,
        Class::Finite if u.exponent <= 64 => {
            let (integer, inexact) = integral(u.significand, u.exponent, u.negative, rounding);
            (integer < (1 << (width - 1)) + u128::from(u.negative)).then_some((integer, inexact))
        }
        _ => None,
    };
    match magnitude {
        None => {
            env.raise(FPSR_IOC);
            T::SIGN | ((T::BIAS + width as i32 - 1) as u64) << T::FRAC
        }
        Some((integer, inexact)) => {
            if inexact {
                env.raise(FPSR_IXC);
            }
            // It has no more significant bits than before.
            if integer == 0 { sign } else { round::<T>(u.negative, 0, integer, env) }
        }
    }
}

/// `FPToFixedJS`: a number of double precision, rounded towards zero, modulo
/// 2^32, and whether that is exactly the number, which -0 is not.
pub fn to_fixed_js(a: u64, env: &mut Env) -> (u32, bool) {
    let u = unpack::<Double>(a, env);
    match u.class {
        // A denormal that was flushed is not exact.
        Class::Zero => (0, a == 0),
        Class::Finite => {
            // Bits above the 32 lowest do not matter.
            let (magnitude, inexact) = match u.exponent {
                64.. => (0, false),
                exponent => integral(u.significand, exponent, u.negative, Rounding::Zero),
            };
            let in_range = u.exponent < 64 && magnitude < (1 << 31) + u128::from(u.negative);
            if !in_range {
                env.raise(FPSR_IOC);
            } else if inexact {
                env.raise(FPSR_IXC);
            }
            let low = magnitude as u32;
            (if u.negative { low.wrapping_neg() } else { low }, in_range && !inexact)
        }
        _ => {
            env.raise(FPSR_IOC);
            (0, false)
        }
    }
}

/// The magnitude of `significand * 2^exponent` as an integer, and whether it
/// was rounded. The exponent is at most 74.
fn integral(significand: u64, exponent: i32, negative: bool, rounding: Rounding) -> (u128, bool) {
    if exponent >= 0 {
        return (u128::from(significand) << exponent, false);
    }
    let (integer, inexact, rest) = split(u128::from(significand), exponent.unsigned_abs());
    let up = rounds_up(rounding, negative, integer & 1 != 0, inexact, rest);
    (integer + u128::from(up), inexact)
}

/// The low `width` bits (16, 32 or 64) of a value.
fn low_bits(value: u64, width: u32) -> u64 {
    value & u64::MAX >> (64 - width)
}

/// `FPToFixed`: an integer of `width` (16, 32 or 64) bits, saturated, with
/// `fraction_bits` of them behind the point.
pub fn to_fixed<T: Float>(
    a: u64,
    width: u32,
    fraction_bits: u32,
    signed: bool,
    rounding: Rounding,
    env: &mut Env,
) -> u64 {
    let u = unpack::<T>(a, env);
    let (magnitude, inexact) = match u.class {
        Class::Quiet | Class::Signalling => {
            env.raise(FPSR_IOC);
            return 0;
        }
        Class::Zero => (0, false),
        Class::Infinity => (u128::MAX, false),
        Class::Finite => {
            let exponent = u.exponent + fraction_bits as i32;
            if exponent > 64 { (u128::MAX, false) } else { integral(u.significand, exponent, u.negative, rounding) }
        }
    };
    let (most, least) = match (signed, width) {
        (true, _) => ((1u128 << (width - 1)) - 1, 1u128 << (width - 1)),
        (false, _) => ((1u128 << width) - 1, 0),
    };
    let limit = if u.negative { least } else { most };
    if magnitude > limit {
        env.raise(FPSR_IOC);
    } else if inexact {
        env.raise(FPSR_IXC);
    }
    let magnitude = magnitude.min(limit) as u64;
    low_bits(if u.negative { magnitude.wrapping_neg() } else { magnitude }, width)
}

/// `FixedToFP`: a floating-point number from an integer of `width` (16, 32 or
/// 64) bits with `fraction_bits` of them behind the point, in FPCR's rounding
/// mode.
pub fn from_fixed<T: Float>(a: u64, width: u32, fraction_bits: u32, signed: bool, env: &mut Env) -> u64 {
    let negative = signed && a >> (width - 1) & 1 != 0;
    let magnitude = low_bits(if negative { a.wrapping_neg() } else { a }, width);
    if magnitude == 0 {
        return 0;
    }
    round::<T>(negative, -(fraction_bits as i32), u128::from(magnitude), env)
}
