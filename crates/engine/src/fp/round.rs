//! Unpacking, NaN propagation and rounding: what every operation shares.

use super::{Env, FPSR_IDC, FPSR_IOC, FPSR_IXC, FPSR_OFC, FPSR_UFC, Float, Rounding};

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Zero,
    Finite,
    Infinity,
    Quiet,
    Signalling,
}

/// A value taken apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unpacked {
    pub(super) class: Class,
    pub(super) negative: bool,
    /// A finite value is `significand * 2^exponent`, its significand
    /// normalised to `FRAC + 1` bits, also for denormals.
    pub(super) exponent: i32,
    pub(super) significand: u64,
}

impl Unpacked {
    pub(super) fn is_nan(&self) -> bool {
        matches!(self.class, Class::Quiet | Class::Signalling)
    }

    pub(super) fn is_zero(&self) -> bool {
        self.class == Class::Zero
    }

    pub(super) fn is_infinity(&self) -> bool {
        self.class == Class::Infinity
    }
}

/// `FPUnpack`: a denormal is flushed if FPCR.FZ says so, or for half precision
/// FPCR.FZ16, which raises nothing. Half precision is always IEEE's.
pub(super) fn unpack<T: Float>(bits: u64, env: &mut Env) -> Unpacked {
    let flush = env.flush_to_zero::<T>();
    unpack_base::<T>(bits, flush, false, env)
}

/// `FPUnpackCV`, for conversions between formats: denormals of half precision
/// are kept, and FPCR.AHP tells what its largest exponent means.
pub(super) fn unpack_to_convert<T: Float>(bits: u64, env: &mut Env) -> Unpacked {
    let flush = !T::IS_HALF && env.flush_to_zero::<T>();
    let alternative = T::IS_HALF && env.alternative_half();
    unpack_base::<T>(bits, flush, alternative, env)
}

/// `FPUnpackBase`.
fn unpack_base<T: Float>(bits: u64, flush: bool, alternative: bool, env: &mut Env) -> Unpacked {
    let negative = bits & T::SIGN != 0;
    let field = (bits >> T::FRAC) & T::EXP_ONES;
    let fraction = bits & T::FRAC_MASK;
    let special = |class| Unpacked { class, negative, exponent: 0, significand: 0 };
    if field == 0 {
        if fraction == 0 {
            return special(Class::Zero);
        }
        if flush {
            if !T::IS_HALF {
                env.raise(FPSR_IDC);
            }
            return special(Class::Zero);
        }
        let shift = fraction.leading_zeros() + T::FRAC - 63;
        return Unpacked {
            class: Class::Finite,
            negative,
            exponent: T::MIN_EXP - T::FRAC as i32 - shift as i32,
            significand: fraction << shift,
        };
    }
    if field == T::EXP_ONES && !alternative {
        return special(if fraction == 0 {
            Class::Infinity
        } else if fraction & T::QUIET != 0 {
            Class::Quiet
        } else {
            Class::Signalling
        });
    }
    Unpacked {
        class: Class::Finite,
        negative,
        exponent: field as i32 - T::BIAS - T::FRAC as i32,
        significand: fraction | (1 << T::FRAC),
    }
}

/// `FPProcessNaN`: the quiet form of a NaN operand.
pub(super) fn process_nan<T: Float>(class: Class, bits: u64, env: &mut Env) -> u64 {
    if class == Class::Signalling {
        env.raise(FPSR_IOC);
    }
    if env.default_nan() { T::DEFAULT_NAN } else { (bits & T::MASK) | T::QUIET }
}

/// `FPProcessNaNs` and `FPProcessNaNs3`: the NaN that an operation on these
/// operands returns, if one of them is a NaN. Signalling ones go first.
pub(super) fn process_nans<T: Float>(operands: &[(Unpacked, u64)], env: &mut Env) -> Option<u64> {
    for class in [Class::Signalling, Class::Quiet] {
        if let Some(&(_, bits)) = operands.iter().find(|(u, _)| u.class == class) {
            return Some(process_nan::<T>(class, bits, env));
        }
    }
    None
}

/// `FPConvertNaN`: a quiet NaN in another format, its payload aligned at the top.
pub(super) fn convert_nan<From: Float, To: Float>(nan: u64) -> u64 {
    let fraction = ((nan & From::FRAC_MASK) << (63 - From::FRAC)) >> (63 - To::FRAC);
    To::sign(nan & From::SIGN != 0) | To::DEFAULT_NAN | (fraction & To::FRAC_MASK)
}

/// The default NaN, for an invalid operation.
pub(super) fn invalid<T: Float>(env: &mut Env) -> u64 {
    env.raise(FPSR_IOC);
    T::DEFAULT_NAN
}

/// Shifts right; the lowest bit of the result also tells whether any bit that
/// was shifted out was set.
pub(super) fn shift_right_jam(value: u128, shift: u32) -> u128 {
    if shift == 0 {
        value
    } else if shift >= 128 {
        u128::from(value != 0)
    } else {
        (value >> shift) | u128::from(value << (128 - shift) != 0)
    }
}

/// Whether to round a magnitude up. `rest` compares what is cut off with one
/// half of the last place; `inexact` tells whether it is not zero.
pub(super) fn rounds_up(
    rounding: Rounding,
    negative: bool,
    odd: bool,
    inexact: bool,
    rest: core::cmp::Ordering,
) -> bool {
    use core::cmp::Ordering::{Equal, Greater, Less};
    match rounding {
        Rounding::TieEven => match rest {
            Greater => true,
            Equal => odd,
            Less => false,
        },
        Rounding::TieAway => rest != Less,
        Rounding::PosInf => inexact && !negative,
        Rounding::NegInf => inexact && negative,
        Rounding::Zero | Rounding::Odd => false,
    }
}

/// Splits `value / 2^shift` into its integer part and what `rounds_up` wants
/// to know of the rest.
pub(super) fn split(value: u128, shift: u32) -> (u128, bool, core::cmp::Ordering) {
    use core::cmp::Ordering;
    match shift {
        0 => (value, false, Ordering::Less),
        1..=127 => {
            let rest = value & ((1 << shift) - 1);
            (value >> shift, rest != 0, rest.cmp(&(1 << (shift - 1))))
        }
        128 => (0, value != 0, value.cmp(&(1 << 127))),
        _ => (0, value != 0, Ordering::Less),
    }
}

/// `FPRound` with FPCR's rounding mode: the value `significand * 2^exponent`,
/// which is not zero, in format `T`. The lowest bit of a significand of at
/// least `FRAC + 3` bits may stand for any number of further bits.
pub(super) fn round<T: Float>(negative: bool, exponent: i32, significand: u128, env: &mut Env) -> u64 {
    let how = How { rounding: env.rounding(), flush: env.flush_to_zero::<T>(), alternative: false };
    round_base::<T>(negative, exponent, significand, how, env)
}

/// `FPRoundCV`, for conversions between formats: as [`round`], but denormals of
/// half precision are kept, and FPCR.AHP tells of its format.
pub(super) fn round_to_convert<T: Float>(
    negative: bool,
    exponent: i32,
    significand: u128,
    rounding: Rounding,
    env: &mut Env,
) -> u64 {
    let is_half = T::IS_HALF;
    let how =
        How { rounding, flush: !is_half && env.flush_to_zero::<T>(), alternative: is_half && env.alternative_half() };
    round_base::<T>(negative, exponent, significand, how, env)
}

/// What FPCR has to say about rounding.
#[derive(Clone, Copy)]
struct How {
    rounding: Rounding,
    /// Tiny results become zero.
    flush: bool,
    /// The alternative half-precision format, without infinities and NaNs.
    alternative: bool,
}

/// `FPRoundBase`.
fn round_base<T: Float>(negative: bool, exponent: i32, significand: u128, how: How, env: &mut Env) -> u64 {
    let sign = T::sign(negative);
    let top = exponent + 127 - significand.leading_zeros() as i32;
    let tiny = top < T::MIN_EXP;
    if tiny && how.flush {
        env.raise(FPSR_UFC);
        return sign;
    }
    if top > T::BIAS + 1 {
        return overflow::<T>(negative, how, env);
    }
    let last_place = top.max(T::MIN_EXP) - T::FRAC as i32;
    let shift = last_place - exponent;
    let (mut integer, inexact, rest) = if shift <= 0 {
        (significand << shift.unsigned_abs(), false, core::cmp::Ordering::Less)
    } else {
        split(significand, shift.unsigned_abs())
    };
    if tiny && inexact {
        env.raise(FPSR_UFC);
    }
    if rounds_up(how.rounding, negative, integer & 1 != 0, inexact, rest) {
        integer += 1;
    }
    if inexact && how.rounding == Rounding::Odd {
        integer |= 1;
    }
    // The hidden bit, and a carry out of the fraction, count the exponent up.
    let exponent_below = if tiny { 0 } else { (top - T::MIN_EXP) as u64 };
    let packed = (exponent_below << T::FRAC) + integer as u64;
    let limit = if how.alternative { T::SIGN } else { T::INFINITY };
    if packed >= limit {
        return overflow::<T>(negative, how, env);
    }
    if inexact {
        env.raise(FPSR_IXC);
    }
    sign | packed
}

fn overflow<T: Float>(negative: bool, how: How, env: &mut Env) -> u64 {
    let sign = T::sign(negative);
    if how.alternative {
        env.raise(FPSR_IOC);
        return sign | (T::SIGN - 1);
    }
    env.raise(FPSR_OFC | FPSR_IXC);
    sign | overflow_magnitude::<T>(negative, how.rounding)
}

/// Infinity or the largest number, as the rounding mode has it.
pub(super) fn overflow_magnitude<T: Float>(negative: bool, rounding: Rounding) -> u64 {
    let to_infinity = match rounding {
        Rounding::TieEven | Rounding::TieAway => true,
        Rounding::PosInf => !negative,
        Rounding::NegInf => negative,
        Rounding::Zero | Rounding::Odd => false,
    };
    if to_infinity { T::INFINITY } else { T::MAX }
}
