//! What Advanced SIMD computes, on vectors of 128 bits.
//!
//! An operation is a type without a value: a [`VectorOp`] for most, a
//! [`SaturatingOp`] if it may set FPSR.QC, an [`FpOp`] if it is subject to
//! FPCR and raises exceptions. Each takes up to three vectors and a number
//! (an index, a shift, a general register); what it does not need it ignores.
//! Element types are Rust's integers ([`Lane`]); the loops over them are
//! written so that LLVM turns them into vector code.

pub mod bfloat;
pub mod complex;
pub mod convert;
pub mod crypto;
pub(crate) mod crypto_host;
pub mod dot;
pub mod fp;
pub mod fp_integral;
pub mod fp_long;
pub mod int;
pub mod permute;
pub mod saturate;
pub mod sha3;
pub mod shift;
pub mod sm;
pub mod wide;

#[cfg(test)]
mod crypto_tests;
mod lane;
#[cfg(test)]
mod tests;

pub use lane::Lane;

use crate::fp::Env;

#[cfg(target_arch = "x86_64")]
type Raw = core::arch::x86_64::__m128i;
#[cfg(target_arch = "aarch64")]
type Raw = core::arch::aarch64::uint64x2_t;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
type Raw = [u64; 2];

/// A vector of 128 bits, in a vector register of the host where it has them.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct V128(Raw);

impl PartialEq for V128 {
    fn eq(&self, other: &Self) -> bool {
        self.to_u128() == other.to_u128()
    }
}

impl V128 {
    /// All zeros.
    #[inline(always)]
    #[must_use]
    pub fn zero() -> Self {
        Self::from_halves(0, 0)
    }

    /// The vector whose byte 0 is the lowest byte of `bits`.
    #[inline(always)]
    #[must_use]
    pub fn from_u128(bits: u128) -> Self {
        // SAFETY: plain data of the same size, in the host's byte order, which
        // is little endian on every host with a vector type.
        Self(unsafe { core::mem::transmute::<u128, Raw>(bits) })
    }

    /// The inverse of [`V128::from_u128`].
    #[inline(always)]
    #[must_use]
    pub fn to_u128(self) -> u128 {
        // SAFETY: as in `from_u128`.
        unsafe { core::mem::transmute::<Raw, u128>(self.0) }
    }

    /// The host's register.
    #[inline(always)]
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    pub(crate) fn raw(self) -> Raw {
        self.0
    }

    /// `high:low`.
    #[inline(always)]
    #[must_use]
    pub fn from_halves(low: u64, high: u64) -> Self {
        Self::from_array([low, high])
    }

    /// Bits 63 to 0.
    #[inline(always)]
    #[must_use]
    pub fn low(self) -> u64 {
        self.lanes::<u64>()[0]
    }

    /// Bits 127 to 64.
    #[inline(always)]
    #[must_use]
    pub fn high(self) -> u64 {
        self.lanes::<u64>()[1]
    }

    /// The low half, with zeros above.
    #[inline(always)]
    #[must_use]
    pub fn low_half(self) -> Self {
        Self::from_halves(self.low(), 0)
    }

    /// The low `BYTES` bytes, with zeros above.
    #[inline(always)]
    #[must_use]
    pub fn keep<const BYTES: u32>(self) -> Self {
        match BYTES {
            16 => self,
            8 => self.low_half(),
            _ => Self::from_halves(self.low() & u64::MAX >> (64 - 8 * BYTES), 0),
        }
    }

    /// The lanes, lowest first.
    #[inline(always)]
    #[must_use]
    pub fn lanes<T: Lane>(self) -> T::Array {
        // SAFETY: an array of integers that is as large as the vector.
        unsafe { core::mem::transmute_copy::<Raw, T::Array>(&self.0) }
    }

    /// The inverse of [`V128::lanes`].
    #[inline(always)]
    #[must_use]
    pub fn from_lanes<T: Lane>(lanes: T::Array) -> Self {
        const { assert!(size_of::<T::Array>() == 16) };
        // SAFETY: an array of integers that is as large as the vector.
        Self(unsafe { core::mem::transmute_copy::<T::Array, Raw>(&lanes) })
    }

    #[inline(always)]
    fn from_array(halves: [u64; 2]) -> Self {
        Self::from_lanes::<u64>(halves)
    }

    /// Every lane the same.
    #[inline(always)]
    #[must_use]
    pub fn splat<T: Lane>(value: T) -> Self {
        Self::from_lanes::<T>(T::array(|_| value))
    }

    /// `f` of each lane.
    #[inline(always)]
    #[must_use]
    pub fn map<T: Lane>(self, f: impl Fn(T) -> T) -> Self {
        let a = self.lanes::<T>();
        Self::from_lanes::<T>(T::array(|i| f(a.as_ref()[i])))
    }

    /// `f` of each pair of lanes.
    #[inline(always)]
    #[must_use]
    pub fn zip<T: Lane>(self, other: Self, f: impl Fn(T, T) -> T) -> Self {
        let (a, b) = (self.lanes::<T>(), other.lanes::<T>());
        Self::from_lanes::<T>(T::array(|i| f(a.as_ref()[i], b.as_ref()[i])))
    }

    /// Lane `i`, modulo the number of lanes.
    #[inline(always)]
    #[must_use]
    pub fn lane<T: Lane>(self, i: usize) -> T {
        self.lanes::<T>().as_ref()[i & (T::COUNT - 1)]
    }

    /// With lane `i` (modulo the number of lanes) replaced.
    #[inline(always)]
    #[must_use]
    pub fn with_lane<T: Lane>(self, i: usize, value: T) -> Self {
        let mut lanes = self.lanes::<T>();
        lanes.as_mut()[i & (T::COUNT - 1)] = value;
        Self::from_lanes::<T>(lanes)
    }
}

/// An operation without exceptions.
pub trait VectorOp: 'static {
    /// See `Sem::IS_LARGE`.
    const IS_LARGE: bool = false;

    /// The result for vectors `a`, `b` and `c` and the number `n`.
    fn eval(a: V128, b: V128, c: V128, n: u64) -> V128;
}

/// An operation that may saturate.
pub trait SaturatingOp: 'static {
    /// See `Sem::IS_LARGE`.
    const IS_LARGE: bool = false;

    /// The result, and whether any lane saturated.
    fn eval(a: V128, b: V128, c: V128, n: u64) -> (V128, bool);
}

/// An operation that depends on FPCR and raises floating-point exceptions.
pub trait FpOp: 'static {
    /// With the host's FPU, for FPCR = 0; `None` if it cannot tell. See
    /// [`crate::fp::host`].
    fn host(a: V128, b: V128, c: V128, n: u64) -> Option<V128>;
    /// For any FPCR.
    fn exact(a: V128, b: V128, c: V128, n: u64, env: &mut Env) -> V128;
}
