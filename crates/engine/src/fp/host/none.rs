//! Hosts whose FPU is not used: everything goes to the software path.

use crate::fp::Rounding;
use crate::simd::V128;

/// Nothing to prepare.
pub fn init() {}

/// Nothing to set up.
#[must_use]
pub fn enter() -> u32 {
    0
}

/// Nothing was raised.
#[must_use]
pub fn leave(_: u32) -> u32 {
    0
}

/// Nothing to clear.
pub fn clear_flags() {}

/// No flags are ever left in the host.
#[must_use]
pub fn take_flags() -> u32 {
    0
}

/// No fused multiply-add.
#[must_use]
pub fn has_fma() -> bool {
    false
}

/// No rounding to integral values.
#[must_use]
pub fn has_round() -> bool {
    false
}

pub(super) fn narrow(_: u64) -> Option<u64> {
    None
}

pub(super) fn widen(_: u64) -> Option<u64> {
    None
}

pub(super) fn v_to_signed_32(_: V128, _: Rounding) -> Option<V128> {
    None
}

pub(super) fn v_from_signed_32(_: V128) -> Option<V128> {
    None
}

macro_rules! nothing {
    ($m:ident) => {
        pub(super) mod $m {
            use super::super::{Compare, Op2};
            use crate::fp::Rounding;
            use crate::simd::V128;
            pub(in super::super) fn op2(_: Op2, _: u64, _: u64) -> Option<u64> {
                None
            }
            pub(in super::super) fn sqrt(_: u64) -> Option<u64> {
                None
            }
            pub(in super::super) fn mul_add(_: u64, _: u64, _: u64) -> Option<u64> {
                None
            }
            pub(in super::super) fn compare(_: Compare, _: u64, _: u64) -> Option<bool> {
                None
            }
            pub(in super::super) fn order(_: u64, _: u64) -> Option<(bool, bool)> {
                None
            }
            pub(in super::super) fn to_signed(_: u64, _: u32, _: Rounding) -> Option<u64> {
                None
            }
            pub(in super::super) fn to_unsigned(_: u64, _: u32, _: Rounding) -> Option<u64> {
                None
            }
            pub(in super::super) fn from_signed(_: i64) -> Option<u64> {
                None
            }
            pub(in super::super) fn from_unsigned(_: u64) -> Option<u64> {
                None
            }
            pub(in super::super) fn round_int(_: u64, _: Rounding, _: bool) -> Option<u64> {
                None
            }
            pub(in super::super) fn scale(_: u64, _: u64) -> Option<u64> {
                None
            }
            pub(in super::super) fn v_scale(_: V128, _: V128) -> Option<V128> {
                None
            }
            pub(in super::super) fn v_round_int(_: V128, _: Rounding, _: bool) -> Option<V128> {
                None
            }
            pub(in super::super) fn v_op2(_: Op2, _: V128, _: V128) -> Option<V128> {
                None
            }
            pub(in super::super) fn v_sqrt(_: V128) -> Option<V128> {
                None
            }
            pub(in super::super) fn v_mul_add(_: V128, _: V128, _: V128) -> Option<V128> {
                None
            }
            pub(in super::super) fn v_compare(_: Compare, _: V128, _: V128) -> Option<V128> {
                None
            }
        }
    };
}

nothing!(single);
nothing!(double);
