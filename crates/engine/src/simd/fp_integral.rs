//! Numbers rounded to what an integer of a given size can hold (FEAT_FRINTTS),
//! and JavaScript's conversion to an integer (FEAT_JSCVT).

use super::fp::{LaneOp, get, rounding};
use super::{FpOp, V128};
use crate::fp::host::HostFloat;
use crate::fp::{self, Double, Env, Rounding};

/// `FRINT32X` and its like: an integral value that a signed integer of `WIDTH`
/// bits can hold, rounded as `MODE` (of [`super::fp::mode`]) tells; raises
/// Inexact.
#[derive(Debug)]
pub struct RoundIntN<const WIDTH: u32, const MODE: u8>;

impl<const WIDTH: u32, const MODE: u8> RoundIntN<WIDTH, MODE> {
    /// Whether a number of magnitude `bits` is far from the limits.
    #[inline(always)]
    fn is_small<F: HostFloat>(bits: u64) -> bool {
        bits & !F::SIGN & F::MASK < ((F::BIAS as u64) + u64::from(WIDTH) - 2) << F::FRAC
    }
}

impl<F: HostFloat, const WIDTH: u32, const MODE: u8> LaneOp<F> for RoundIntN<WIDTH, MODE> {
    #[inline(always)]
    fn host(a: u64, _: u64, _: u64, _: u64) -> Option<u64> {
        if !Self::is_small::<F>(a) {
            return None;
        }
        F::round_int(a, rounding(MODE, Rounding::TieEven), true)
    }

    #[inline(always)]
    fn exact(a: u64, _: u64, _: u64, _: u64, env: &mut Env) -> u64 {
        fp::round_int_n::<F>(a, WIDTH, rounding(MODE, env.rounding()), env)
    }

    #[inline(always)]
    fn host_vector(a: V128, _: V128, _: V128, _: u64, _: usize) -> Option<V128> {
        let are_small = (0..128 / F::BITS as usize).fold(true, |all, i| all & Self::is_small::<F>(get::<F>(a, i)));
        if !are_small {
            return None;
        }
        F::v_round_int(a, rounding(MODE, Rounding::TieEven), true)
    }
}

/// `FJCVTZS`: the integer in the low half, the flags N, Z, C and V in bits 31 to
/// 28 of the high half.
#[derive(Debug)]
pub struct JavaScriptConvert;

/// The flag Z, alone.
const Z: u64 = 1 << 30;

impl FpOp for JavaScriptConvert {
    #[inline(always)]
    fn host(a: V128, _: V128, _: V128, _: u64) -> Option<V128> {
        let result = Double::to_signed(a.low(), 32, Rounding::Zero)?;
        let back = Double::from_signed(i64::from(result as i32))?;
        Some(V128::from_halves(result & 0xffff_ffff, if back == a.low() { Z } else { 0 }))
    }

    #[inline(always)]
    fn exact(a: V128, _: V128, _: V128, _: u64, env: &mut Env) -> V128 {
        let (result, is_exact) = fp::to_fixed_js(a.low(), env);
        V128::from_halves(result.into(), if is_exact { Z } else { 0 })
    }
}
