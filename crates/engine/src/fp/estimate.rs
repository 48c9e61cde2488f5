//! Reciprocal and reciprocal square root estimates.

use super::round::{Class, invalid, overflow_magnitude, process_nan, unpack};
use super::{Env, FPSR_DZC, FPSR_IXC, FPSR_OFC, FPSR_UFC, Float};

/// `RecipEstimate`: for `a` in 256..512, `2^19 / (2a + 1)`, rounded; 256..512.
fn recip_table(a: u64) -> u64 {
    ((1 << 19) / (a * 2 + 1)).div_ceil(2)
}

/// `RecipSqrtEstimate`: for `a` in 128..512; the result is in 256..512.
fn rsqrt_table(a: u64) -> u64 {
    let a = if a < 256 { a * 2 + 1 } else { (a | 1) * 2 };
    // The greatest b with a * b * b < 2^28, where the pseudocode counts up to it.
    let mut b = ((1u64 << 28) / a).isqrt();
    if a * b * b == 1 << 28 {
        b -= 1;
    }
    b.max(512).div_ceil(2)
}

/// `FPRecipEstimate`.
pub fn recip_estimate<T: Float>(a: u64, env: &mut Env) -> u64 {
    let u = unpack::<T>(a, env);
    let sign = T::sign(u.negative);
    match u.class {
        Class::Quiet | Class::Signalling => process_nan::<T>(u.class, a, env),
        Class::Infinity => sign,
        Class::Zero => {
            env.raise(FPSR_DZC);
            sign | T::INFINITY
        }
        Class::Finite => {
            let top = u.exponent + T::FRAC as i32;
            if top < T::MIN_EXP - 2 {
                env.raise(FPSR_OFC | FPSR_IXC);
                return sign | overflow_magnitude::<T>(u.negative, env.rounding());
            }
            if env.flush_to_zero::<T>() && top >= T::BIAS - 1 {
                env.raise(FPSR_UFC);
                return sign;
            }
            let estimate = recip_table(u.significand >> (T::FRAC - 8));
            let exponent = T::BIAS - 1 - top;
            let fraction = (estimate & 0xff) << (T::FRAC - 8);
            match exponent {
                1.. => sign | ((exponent as u64) << T::FRAC) | fraction,
                0 => sign | (fraction | (1 << T::FRAC)) >> 1,
                _ => sign | (fraction | (1 << T::FRAC)) >> 2,
            }
        }
    }
}

/// `FPRSqrtEstimate`.
pub fn rsqrt_estimate<T: Float>(a: u64, env: &mut Env) -> u64 {
    let u = unpack::<T>(a, env);
    match u.class {
        Class::Quiet | Class::Signalling => process_nan::<T>(u.class, a, env),
        Class::Zero => {
            env.raise(FPSR_DZC);
            T::sign(u.negative) | T::INFINITY
        }
        _ if u.negative => invalid::<T>(env),
        Class::Infinity => 0,
        Class::Finite => {
            let biased = u.exponent + T::FRAC as i32 + T::BIAS;
            let nine_bits = u.significand >> (T::FRAC - 8);
            let scaled = if biased & 1 == 0 { nine_bits } else { nine_bits >> 1 };
            // 44 for half, 380 for single, 3068 for double precision.
            let exponent = (3 * T::BIAS - 1 - biased) >> 1;
            (exponent as u64) << T::FRAC | (rsqrt_table(scaled) & 0xff) << (T::FRAC - 8)
        }
    }
}

/// `FPRecpX`: the exponent inverted, the fraction zero.
pub fn recip_exponent<T: Float>(a: u64, env: &mut Env) -> u64 {
    let u = unpack::<T>(a, env);
    if u.is_nan() {
        return process_nan::<T>(u.class, a, env);
    }
    let field = (a >> T::FRAC) & T::EXP_ONES;
    let inverted = if field == 0 { T::EXP_ONES - 1 } else { !field & T::EXP_ONES };
    (a & T::SIGN) | inverted << T::FRAC
}

/// `UnsignedRecipEstimate`.
#[must_use]
pub fn unsigned_recip_estimate(a: u32) -> u32 {
    if a >> 31 == 0 {
        return u32::MAX;
    }
    (recip_table(u64::from(a >> 23)) << 23) as u32
}

/// `UnsignedRSqrtEstimate`.
#[must_use]
pub fn unsigned_rsqrt_estimate(a: u32) -> u32 {
    if a >> 30 == 0 {
        return u32::MAX;
    }
    (rsqrt_table(u64::from(a >> 23)) << 23) as u32
}
