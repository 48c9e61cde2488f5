//! Arm floating point, exactly.
//!
//! Two ways lead to the same bits. [`soft`](self) is integer arithmetic that
//! follows the pseudocode of the Arm Architecture Reference Manual for every
//! value of FPCR: `arith` (add to fused multiply-add), `compare`, `convert`
//! and `estimate`, over `round` (unpacking, NaN propagation, rounding).
//! [`host`] uses the host's own FPU, for FPCR = 0 only, and refuses the few
//! operands where the host would differ from Arm; the caller then takes the
//! first way. Values are bit patterns in the low bits of a `u64`, of one of
//! the [`Float`] formats.

mod arith;
pub mod bfloat;
mod compare;
mod convert;
mod estimate;
mod format;
#[cfg(test)]
mod half_tests;
pub mod host;
mod round;
#[cfg(test)]
mod tests;

pub use arith::{abs, add, div, mul, mul_add, mul_add_long, mul_x, neg, recip_step, rsqrt_step, sqrt, sub};
pub use compare::{Nzcv, compare, compare_eq, compare_ge, compare_gt, max, max_num, min, min_num};
pub use convert::{convert, convert_odd, from_fixed, round_int, round_int_n, to_fixed, to_fixed_js};
pub use estimate::{recip_estimate, recip_exponent, rsqrt_estimate, unsigned_recip_estimate, unsigned_rsqrt_estimate};
pub use format::{Double, Float, Half, Single};

/// FPCR.AHP: the alternative half-precision format.
pub const FPCR_AHP: u32 = 1 << 26;
/// FPCR.DN: every NaN result is the default NaN.
pub const FPCR_DN: u32 = 1 << 25;
/// FPCR.FZ: flush denormal inputs and results to zero.
pub const FPCR_FZ: u32 = 1 << 24;
/// FPCR.FZ16: flush half-precision denormals, except in conversions between
/// formats. FPSR.IDC does not tell of those inputs.
pub const FPCR_FZ16: u32 = 1 << 19;
/// The bits of FPCR that this CPU has; the rest read as zero.
pub const FPCR_MASK: u32 = 0x07c8_0000;

/// FPSR.IOC: invalid operation.
pub const FPSR_IOC: u32 = 1 << 0;
/// FPSR.DZC: division by zero.
pub const FPSR_DZC: u32 = 1 << 1;
/// FPSR.OFC: overflow.
pub const FPSR_OFC: u32 = 1 << 2;
/// FPSR.UFC: underflow.
pub const FPSR_UFC: u32 = 1 << 3;
/// FPSR.IXC: inexact.
pub const FPSR_IXC: u32 = 1 << 4;
/// FPSR.IDC: a denormal input was flushed.
pub const FPSR_IDC: u32 = 1 << 7;
/// FPSR.QC: an integer operation saturated.
pub const FPSR_QC: u32 = 1 << 27;
/// The bits of FPSR that this CPU has in AArch64 state.
pub const FPSR_MASK: u32 = FPSR_QC | FPSR_IDC | 0x1f;

/// How a result that is not representable is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To nearest, ties to even: `FPRounding_TIEEVEN`.
    TieEven,
    /// Towards plus infinity.
    PosInf,
    /// Towards minus infinity.
    NegInf,
    /// Towards zero.
    Zero,
    /// To nearest, ties away from zero: only for conversions to integral values.
    TieAway,
    /// To odd: only for `FCVTXN`.
    Odd,
}

/// FPCR, and the exceptions that an operation raises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Env {
    /// FPCR.
    pub fpcr: u32,
    /// FPSR bits raised so far.
    pub fpsr: u32,
}

impl Env {
    /// An environment with nothing raised yet.
    #[must_use]
    pub const fn new(fpcr: u32) -> Self {
        Self { fpcr, fpsr: 0 }
    }

    /// The rounding mode of FPCR.RMode.
    #[must_use]
    pub const fn rounding(&self) -> Rounding {
        match (self.fpcr >> 22) & 3 {
            0 => Rounding::TieEven,
            1 => Rounding::PosInf,
            2 => Rounding::NegInf,
            _ => Rounding::Zero,
        }
    }

    pub(crate) const fn default_nan(&self) -> bool {
        self.fpcr & FPCR_DN != 0
    }

    /// Whether arithmetic flushes denormals of format `T` to zero.
    pub(crate) const fn flush_to_zero<T: Float>(&self) -> bool {
        self.fpcr & if T::IS_HALF { FPCR_FZ16 } else { FPCR_FZ } != 0
    }

    pub(crate) const fn alternative_half(&self) -> bool {
        self.fpcr & FPCR_AHP != 0
    }

    /// `FPProcessException`, with every trap disabled.
    pub(crate) const fn raise(&mut self, flags: u32) {
        self.fpsr |= flags;
    }
}
