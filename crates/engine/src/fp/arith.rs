//! Addition to fused multiply-add, in integer arithmetic, for any FPCR.

use super::round::{Class, Unpacked, convert_nan, invalid, process_nan, process_nans, round, shift_right_jam, unpack};
use super::{Env, FPSR_DZC, Float, Rounding};

/// `FPAbs`.
#[must_use]
pub fn abs<T: Float>(a: u64) -> u64 {
    a & !T::SIGN
}

/// `FPNeg`.
#[must_use]
pub fn neg<T: Float>(a: u64) -> u64 {
    a ^ T::SIGN
}

/// A finite number that is not zero, with any number of significant bits.
#[derive(Clone, Copy)]
struct Exact {
    negative: bool,
    exponent: i32,
    significand: u128,
}

impl From<Unpacked> for Exact {
    fn from(u: Unpacked) -> Self {
        Self { negative: u.negative, exponent: u.exponent, significand: u128::from(u.significand) }
    }
}

/// The sum of two numbers, exact but for a sticky lowest bit; `None` if zero.
fn sum(a: Exact, b: Exact) -> Option<Exact> {
    let (high, low) = if a.exponent >= b.exponent { (a, b) } else { (b, a) };
    let distance = high.exponent.abs_diff(low.exponent);
    // Two free bits are left at the top. Where the significands do not fit
    // side by side, the higher one is far greater, so nothing cancels and a
    // sticky bit is as good as the rest of the lower one.
    let room = high.significand.leading_zeros().saturating_sub(2).min(distance);
    let exponent = high.exponent - room as i32;
    let h = high.significand << room;
    let l = shift_right_jam(low.significand, distance - room);
    let (negative, significand) = if a.negative == b.negative {
        (a.negative, h + l)
    } else if h >= l {
        (high.negative, h - l)
    } else {
        (low.negative, l - h)
    };
    (significand != 0).then_some(Exact { negative, exponent, significand })
}

/// Zero with the sign that FPCR's rounding mode gives to an exact zero sum.
fn exact_zero<T: Float>(env: &Env) -> u64 {
    T::sign(env.rounding() == Rounding::NegInf)
}

/// `FPAdd`.
pub fn add<T: Float>(a: u64, b: u64, env: &mut Env) -> u64 {
    let (ua, ub) = (unpack::<T>(a, env), unpack::<T>(b, env));
    if let Some(nan) = process_nans::<T>(&[(ua, a), (ub, b)], env) {
        return nan;
    }
    add_unpacked::<T>(ua, ub, env)
}

/// `FPSub`.
pub fn sub<T: Float>(a: u64, b: u64, env: &mut Env) -> u64 {
    let (ua, mut ub) = (unpack::<T>(a, env), unpack::<T>(b, env));
    if let Some(nan) = process_nans::<T>(&[(ua, a), (ub, b)], env) {
        return nan;
    }
    ub.negative = !ub.negative;
    add_unpacked::<T>(ua, ub, env)
}

fn add_unpacked<T: Float>(a: Unpacked, b: Unpacked, env: &mut Env) -> u64 {
    match (a.class, b.class) {
        (Class::Infinity, Class::Infinity) if a.negative != b.negative => invalid::<T>(env),
        (Class::Infinity, _) => T::sign(a.negative) | T::INFINITY,
        (_, Class::Infinity) => T::sign(b.negative) | T::INFINITY,
        (Class::Zero, Class::Zero) if a.negative == b.negative => T::sign(a.negative),
        (Class::Zero, Class::Zero) => exact_zero::<T>(env),
        (Class::Zero, _) => round_exact::<T>(Some(b.into()), env),
        (_, Class::Zero) => round_exact::<T>(Some(a.into()), env),
        _ => round_exact::<T>(sum(a.into(), b.into()), env),
    }
}

fn round_exact<T: Float>(value: Option<Exact>, env: &mut Env) -> u64 {
    match value {
        Some(v) => round::<T>(v.negative, v.exponent, v.significand, env),
        None => exact_zero::<T>(env),
    }
}

/// `FPMul`.
pub fn mul<T: Float>(a: u64, b: u64, env: &mut Env) -> u64 {
    multiply::<T>(a, b, None, env)
}

/// `FPMulX`: as [`mul`], but infinity times zero is ±2.0.
pub fn mul_x<T: Float>(a: u64, b: u64, env: &mut Env) -> u64 {
    multiply::<T>(a, b, Some(T::ONE + (1 << T::FRAC)), env)
}

fn multiply<T: Float>(a: u64, b: u64, infinity_by_zero: Option<u64>, env: &mut Env) -> u64 {
    let (ua, ub) = (unpack::<T>(a, env), unpack::<T>(b, env));
    if let Some(nan) = process_nans::<T>(&[(ua, a), (ub, b)], env) {
        return nan;
    }
    let negative = ua.negative != ub.negative;
    let sign = T::sign(negative);
    match (ua.class, ub.class) {
        (Class::Infinity, Class::Zero) | (Class::Zero, Class::Infinity) => match infinity_by_zero {
            Some(magnitude) => sign | magnitude,
            None => invalid::<T>(env),
        },
        (Class::Infinity, _) | (_, Class::Infinity) => sign | T::INFINITY,
        (Class::Zero, _) | (_, Class::Zero) => sign,
        _ => round_exact::<T>(Some(product(ua, ub)), env),
    }
}

fn product(a: Unpacked, b: Unpacked) -> Exact {
    Exact {
        negative: a.negative != b.negative,
        exponent: a.exponent + b.exponent,
        significand: u128::from(a.significand) * u128::from(b.significand),
    }
}

/// `FPDiv`.
pub fn div<T: Float>(a: u64, b: u64, env: &mut Env) -> u64 {
    let (ua, ub) = (unpack::<T>(a, env), unpack::<T>(b, env));
    if let Some(nan) = process_nans::<T>(&[(ua, a), (ub, b)], env) {
        return nan;
    }
    let negative = ua.negative != ub.negative;
    let sign = T::sign(negative);
    match (ua.class, ub.class) {
        (Class::Infinity, Class::Infinity) | (Class::Zero, Class::Zero) => invalid::<T>(env),
        (Class::Infinity, _) => sign | T::INFINITY,
        (_, Class::Zero) => {
            env.raise(FPSR_DZC);
            sign | T::INFINITY
        }
        (Class::Zero, _) | (_, Class::Infinity) => sign,
        _ => {
            let dividend = u128::from(ua.significand) << 70;
            let divisor = u128::from(ub.significand);
            let sticky = u128::from(dividend % divisor != 0);
            round::<T>(negative, ua.exponent - ub.exponent - 70, (dividend / divisor) | sticky, env)
        }
    }
}

/// `FPSqrt`.
pub fn sqrt<T: Float>(a: u64, env: &mut Env) -> u64 {
    let ua = unpack::<T>(a, env);
    match ua.class {
        Class::Quiet | Class::Signalling => process_nan::<T>(ua.class, a, env),
        Class::Zero => T::sign(ua.negative),
        _ if ua.negative => invalid::<T>(env),
        Class::Infinity => T::INFINITY,
        Class::Finite => {
            // An even exponent, and enough bits for a root of FRAC + 3 bits.
            let shift = 72 + (ua.exponent & 1);
            let square = u128::from(ua.significand) << shift;
            let root = square.isqrt();
            let sticky = u128::from(root * root != square);
            round::<T>(false, (ua.exponent - shift) / 2, root | sticky, env)
        }
    }
}

/// `FPMulAdd`: `addend + a * b`, rounded once.
pub fn mul_add<T: Float>(addend: u64, a: u64, b: u64, env: &mut Env) -> u64 {
    mul_add_long::<T, T>(addend, a, b, env)
}

/// `FPMulAddH`: `addend + a * b`, rounded once, where `a` and `b` are of the
/// narrower format `N`.
pub fn mul_add_long<N: Float, T: Float>(addend: u64, a: u64, b: u64, env: &mut Env) -> u64 {
    let (uc, ua, ub) = (unpack::<T>(addend, env), unpack::<N>(a, env), unpack::<N>(b, env));
    let infinity_by_zero = (ua.is_infinity() && ub.is_zero()) || (ua.is_zero() && ub.is_infinity());
    if uc.class == Class::Quiet && infinity_by_zero {
        return invalid::<T>(env);
    }
    // `FPProcessNaNs3H`: signalling ones first, then in this order.
    let is_first = |u: &Unpacked| u.class == Class::Signalling;
    let takes_addend = is_first(&uc) || (!is_first(&ua) && !is_first(&ub) && uc.is_nan());
    if takes_addend {
        return process_nan::<T>(uc.class, addend, env);
    }
    if let Some(nan) = process_nans::<N>(&[(ua, a), (ub, b)], env) {
        return convert_nan::<N, T>(nan);
    }
    let negative = ua.negative != ub.negative;
    let infinite = ua.is_infinity() || ub.is_infinity();
    if infinity_by_zero || (uc.is_infinity() && infinite && uc.negative != negative) {
        return invalid::<T>(env);
    }
    if uc.is_infinity() || infinite {
        let sign = if uc.is_infinity() { uc.negative } else { negative };
        return T::sign(sign) | T::INFINITY;
    }
    let zero = ua.is_zero() || ub.is_zero();
    match (zero, uc.is_zero()) {
        (true, true) if uc.negative == negative => T::sign(negative),
        (true, true) => exact_zero::<T>(env),
        (true, false) => round_exact::<T>(Some(uc.into()), env),
        (false, true) => round_exact::<T>(Some(product(ua, ub)), env),
        (false, false) => round_exact::<T>(sum(product(ua, ub), uc.into()), env),
    }
}

/// `FPRecipStepFused`: `2 - a * b`.
pub fn recip_step<T: Float>(a: u64, b: u64, env: &mut Env) -> u64 {
    step::<T>(a, b, 2, 0, env)
}

/// `FPRSqrtStepFused`: `(3 - a * b) / 2`.
pub fn rsqrt_step<T: Float>(a: u64, b: u64, env: &mut Env) -> u64 {
    step::<T>(a, b, 3, 1, env)
}

/// `(constant - a * b) / 2^halvings`, rounded once.
fn step<T: Float>(a: u64, b: u64, constant: u64, halvings: i32, env: &mut Env) -> u64 {
    let a = neg::<T>(a);
    let (ua, ub) = (unpack::<T>(a, env), unpack::<T>(b, env));
    if let Some(nan) = process_nans::<T>(&[(ua, a), (ub, b)], env) {
        return nan;
    }
    let constant_value =
        Exact { negative: false, exponent: -(T::FRAC as i32), significand: u128::from(constant) << T::FRAC };
    let halved = |mut v: Exact| {
        v.exponent -= halvings;
        v
    };
    match (ua.class, ub.class) {
        (Class::Infinity, Class::Zero) | (Class::Zero, Class::Infinity) => {
            round_exact::<T>(Some(halved(constant_value)), env)
        }
        (Class::Infinity, _) | (_, Class::Infinity) => T::sign(ua.negative != ub.negative) | T::INFINITY,
        (Class::Zero, _) | (_, Class::Zero) => round_exact::<T>(Some(halved(constant_value)), env),
        _ => round_exact::<T>(sum(product(ua, ub), constant_value).map(halved), env),
    }
}
