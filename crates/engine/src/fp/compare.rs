//! Comparison, minimum and maximum.

use super::round::{Class, Unpacked, process_nans, round, unpack};
use super::{Env, FPSR_IOC, Float};
use core::cmp::Ordering;

/// N, Z, C and V in bits 3 to 0, as `FPCompare` returns them.
pub type Nzcv = u8;

/// The order of two values that are not NaNs.
fn order(a: &Unpacked, b: &Unpacked) -> Ordering {
    let key = |u: &Unpacked| -> (i32, i32, u64) {
        // Class first, then the exponent, then the significand; all of finite
        // numbers are normalised, so that this is the order of magnitudes.
        match u.class {
            Class::Zero => (0, 0, 0),
            Class::Finite => (1, u.exponent, u.significand),
            _ => (2, 0, 0),
        }
    };
    let (ka, kb) = (key(a), key(b));
    if ka.0 == 0 && kb.0 == 0 {
        return Ordering::Equal;
    }
    match (a.negative && ka.0 != 0, b.negative && kb.0 != 0) {
        (false, false) => ka.cmp(&kb),
        (true, true) => kb.cmp(&ka),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

/// The order of two operands; `None` if one is a NaN. A signalling NaN, or any
/// NaN if `signal_quiet`, is an invalid operation.
fn compare_operands<T: Float>(a: u64, b: u64, signal_quiet: bool, env: &mut Env) -> Option<Ordering> {
    let (ua, ub) = (unpack::<T>(a, env), unpack::<T>(b, env));
    if ua.is_nan() || ub.is_nan() {
        if signal_quiet || ua.class == Class::Signalling || ub.class == Class::Signalling {
            env.raise(FPSR_IOC);
        }
        return None;
    }
    Some(order(&ua, &ub))
}

/// `FPCompare`.
pub fn compare<T: Float>(a: u64, b: u64, signal_quiet: bool, env: &mut Env) -> Nzcv {
    match compare_operands::<T>(a, b, signal_quiet, env) {
        None => 0b0011,
        Some(Ordering::Equal) => 0b0110,
        Some(Ordering::Less) => 0b1000,
        Some(Ordering::Greater) => 0b0010,
    }
}

/// `FPCompareEQ`.
pub fn compare_eq<T: Float>(a: u64, b: u64, env: &mut Env) -> bool {
    compare_operands::<T>(a, b, false, env) == Some(Ordering::Equal)
}

/// `FPCompareGE`.
pub fn compare_ge<T: Float>(a: u64, b: u64, env: &mut Env) -> bool {
    matches!(compare_operands::<T>(a, b, true, env), Some(Ordering::Equal | Ordering::Greater))
}

/// `FPCompareGT`.
pub fn compare_gt<T: Float>(a: u64, b: u64, env: &mut Env) -> bool {
    compare_operands::<T>(a, b, true, env) == Some(Ordering::Greater)
}

/// `FPMax`.
pub fn max<T: Float>(a: u64, b: u64, env: &mut Env) -> u64 {
    pick::<T>(a, b, Ordering::Greater, env)
}

/// `FPMin`.
pub fn min<T: Float>(a: u64, b: u64, env: &mut Env) -> u64 {
    pick::<T>(a, b, Ordering::Less, env)
}

/// `FPMaxNum`: a quiet NaN loses against a number.
pub fn max_num<T: Float>(a: u64, b: u64, env: &mut Env) -> u64 {
    let (a, b) = replace_quiet::<T>(a, b, T::SIGN | T::INFINITY);
    max::<T>(a, b, env)
}

/// `FPMinNum`: a quiet NaN loses against a number.
pub fn min_num<T: Float>(a: u64, b: u64, env: &mut Env) -> u64 {
    let (a, b) = replace_quiet::<T>(a, b, T::INFINITY);
    min::<T>(a, b, env)
}

fn replace_quiet<T: Float>(a: u64, b: u64, other: u64) -> (u64, u64) {
    let quiet = |bits| T::is_nan(bits) && bits & T::QUIET != 0;
    match (quiet(a), quiet(b)) {
        (true, false) => (other, b),
        (false, true) => (a, other),
        _ => (a, b),
    }
}

fn pick<T: Float>(a: u64, b: u64, wanted: Ordering, env: &mut Env) -> u64 {
    let (ua, ub) = (unpack::<T>(a, env), unpack::<T>(b, env));
    if let Some(nan) = process_nans::<T>(&[(ua, a), (ub, b)], env) {
        return nan;
    }
    let chosen = if order(&ua, &ub) == wanted { ua } else { ub };
    match chosen.class {
        Class::Infinity => T::sign(chosen.negative) | T::INFINITY,
        Class::Finite => round::<T>(chosen.negative, chosen.exponent, u128::from(chosen.significand), env),
        // Only a zero beside a zero leaves the sign open: the maximum is
        // positive if either is, the minimum negative if either is.
        _ => T::sign(match (ua.is_zero() && ub.is_zero(), wanted) {
            (true, Ordering::Greater) => ua.negative && ub.negative,
            (true, _) => ua.negative || ub.negative,
            (false, _) => chosen.negative,
        }),
    }
}
