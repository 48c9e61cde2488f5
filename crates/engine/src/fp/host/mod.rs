//! The host's own FPU, for FPCR = 0.
//!
//! Every function here either returns exactly what Arm returns, leaving in the
//! host's sticky flags exactly the exceptions Arm would raise, or returns
//! `None`: then the caller takes the software path, whose exceptions are a
//! superset of what the attempt left behind. [`enter`] before guest code and
//! [`leave`] after it, and [`take_flags`] when FPSR is read, turn the sticky
//! flags into FPSR bits.
//!
//! The arithmetic is inline assembly, not Rust's `+`, because Rust promises
//! nothing about the flags and may move or repeat an operation.
//!
//! Where x86 differs from Arm, and so gives `None`:
//! - a NaN result, whose payload and sign have other rules;
//! - the smallest normal number as a rounded result: Arm calls a result tiny
//!   before rounding, SSE after it, and that value is where the two part;
//! - conversions out of the integer's range.
//!
//! Half precision has no arithmetic on most hosts: `half` computes in single.
//!
//! Comparisons for these decisions are made on integers where LLVM could make
//! vector code of them: a vector comparison looks at all lanes, raises flags for
//! those not in use as well, and may be of the kind that signals quiet NaNs.

#[cfg(target_arch = "aarch64")]
mod aarch64;
pub(crate) mod half;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod none;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
use aarch64 as arch;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use none as arch;
#[cfg(target_arch = "x86_64")]
use x86_64 as arch;

pub use arch::{clear_flags, enter, has_fma, has_round, init, leave, take_flags};

use super::{Double, Float, Rounding, Single};
use crate::simd::V128;

/// Operations on two numbers that hosts have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op2 {
    /// Addition.
    Add,
    /// Subtraction.
    Sub,
    /// Multiplication.
    Mul,
    /// Division.
    Div,
    /// Maximum, for operands of which none is a NaN.
    Max,
    /// Minimum, likewise.
    Min,
}

/// Comparisons that hosts have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// Equal; a quiet NaN raises nothing.
    Eq,
    /// Greater or equal; any NaN is invalid.
    Ge,
    /// Greater; any NaN is invalid.
    Gt,
}

/// The formats that the host's FPU computes in.
pub trait HostFloat: Float {
    /// `a op b`.
    fn op2(op: Op2, a: u64, b: u64) -> Option<u64>;
    /// The square root.
    fn sqrt(a: u64) -> Option<u64>;
    /// `c + a * b`, rounded once. `None` on a host without it ([`has_fma`]).
    fn mul_add(c: u64, a: u64, b: u64) -> Option<u64>;
    /// Whether `a` and `b` compare so.
    fn compare(op: Compare, a: u64, b: u64) -> Option<bool>;
    /// `(a > b, a < b)`; `None` for a NaN.
    fn order(a: u64, b: u64) -> Option<(bool, bool)>;
    /// A signed integer, rounded.
    fn to_signed(a: u64, width: u32, rounding: Rounding) -> Option<u64>;
    /// An unsigned integer, rounded.
    fn to_unsigned(a: u64, width: u32, rounding: Rounding) -> Option<u64>;
    /// From a signed integer of 64 bits.
    fn from_signed(a: i64) -> Option<u64>;
    /// From an unsigned integer of 64 bits.
    fn from_unsigned(a: u64) -> Option<u64>;
    /// An integral value; `None` on a host without it ([`has_round`]).
    fn round_int(a: u64, rounding: Rounding, exact: bool) -> Option<u64>;
    /// An exact product, of which the second factor is a power of two.
    fn scale(a: u64, power: u64) -> Option<u64>;
    /// An exact product in each lane.
    fn v_scale(a: V128, power: V128) -> Option<V128>;
    /// An integral value in each lane.
    fn v_round_int(a: V128, rounding: Rounding, exact: bool) -> Option<V128>;
    /// `a op b` in each lane of a vector of 128 bits.
    fn v_op2(op: Op2, a: V128, b: V128) -> Option<V128>;
    /// The square root of each lane.
    fn v_sqrt(a: V128) -> Option<V128>;
    /// `c + a * b` in each lane.
    fn v_mul_add(c: V128, a: V128, b: V128) -> Option<V128>;
    /// Ones in each lane where `a` and `b` compare so.
    fn v_compare(op: Compare, a: V128, b: V128) -> Option<V128>;
}

macro_rules! host_float {
    ($format:ident, $m:ident) => {
        impl HostFloat for $format {
            #[inline(always)]
            fn op2(op: Op2, a: u64, b: u64) -> Option<u64> {
                arch::$m::op2(op, a, b)
            }
            #[inline(always)]
            fn sqrt(a: u64) -> Option<u64> {
                arch::$m::sqrt(a)
            }
            #[inline(always)]
            fn mul_add(c: u64, a: u64, b: u64) -> Option<u64> {
                arch::$m::mul_add(c, a, b)
            }
            #[inline(always)]
            fn compare(op: Compare, a: u64, b: u64) -> Option<bool> {
                arch::$m::compare(op, a, b)
            }
            #[inline(always)]
            fn order(a: u64, b: u64) -> Option<(bool, bool)> {
                arch::$m::order(a, b)
            }
            #[inline(always)]
            fn to_signed(a: u64, width: u32, rounding: Rounding) -> Option<u64> {
                arch::$m::to_signed(a, width, rounding)
            }
            #[inline(always)]
            fn to_unsigned(a: u64, width: u32, rounding: Rounding) -> Option<u64> {
                arch::$m::to_unsigned(a, width, rounding)
            }
            #[inline(always)]
            fn from_signed(a: i64) -> Option<u64> {
                arch::$m::from_signed(a)
            }
            #[inline(always)]
            fn from_unsigned(a: u64) -> Option<u64> {
                arch::$m::from_unsigned(a)
            }
            #[inline(always)]
            fn round_int(a: u64, rounding: Rounding, exact: bool) -> Option<u64> {
                arch::$m::round_int(a, rounding, exact)
            }
            #[inline(always)]
            fn scale(a: u64, power: u64) -> Option<u64> {
                arch::$m::scale(a, power)
            }
            #[inline(always)]
            fn v_scale(a: V128, power: V128) -> Option<V128> {
                arch::$m::v_scale(a, power)
            }
            #[inline(always)]
            fn v_round_int(a: V128, rounding: Rounding, exact: bool) -> Option<V128> {
                arch::$m::v_round_int(a, rounding, exact)
            }
            #[inline(always)]
            fn v_op2(op: Op2, a: V128, b: V128) -> Option<V128> {
                arch::$m::v_op2(op, a, b)
            }
            #[inline(always)]
            fn v_sqrt(a: V128) -> Option<V128> {
                arch::$m::v_sqrt(a)
            }
            #[inline(always)]
            fn v_mul_add(c: V128, a: V128, b: V128) -> Option<V128> {
                arch::$m::v_mul_add(c, a, b)
            }
            #[inline(always)]
            fn v_compare(op: Compare, a: V128, b: V128) -> Option<V128> {
                arch::$m::v_compare(op, a, b)
            }
        }
    };
}

host_float!(Single, single);
host_float!(Double, double);

/// Double to single precision.
#[inline(always)]
#[must_use]
pub fn narrow(a: u64) -> Option<u64> {
    arch::narrow(a)
}

/// Single to double precision.
#[inline(always)]
#[must_use]
pub fn widen(a: u64) -> Option<u64> {
    arch::widen(a)
}

/// Four single-precision numbers to signed integers.
#[inline(always)]
#[must_use]
pub fn v_to_signed_32(a: V128, rounding: Rounding) -> Option<V128> {
    arch::v_to_signed_32(a, rounding)
}

/// Four signed integers to single precision.
#[inline(always)]
#[must_use]
pub fn v_from_signed_32(a: V128) -> Option<V128> {
    arch::v_from_signed_32(a)
}
