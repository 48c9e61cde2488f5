//! The binary interchange formats.

/// A format: half, single or double precision. Values are bit patterns in the
/// low [`Float::BITS`] bits of a `u64`.
pub trait Float: Copy + core::fmt::Debug + 'static {
    /// Width of a value.
    const BITS: u32;
    /// Width of the exponent field.
    const EXP: u32;
    /// Width of the fraction field.
    const FRAC: u32;

    /// Whether it is half precision, of which FPCR has bits of its own.
    const IS_HALF: bool = Self::BITS == 16 && Self::EXP == 5;
    /// The exponent bias.
    const BIAS: i32 = (1 << (Self::EXP - 1)) - 1;
    /// The smallest exponent of a normal number.
    const MIN_EXP: i32 = 1 - Self::BIAS;
    /// The exponent field of infinities and NaNs.
    const EXP_ONES: u64 = (1 << Self::EXP) - 1;
    /// The fraction field.
    const FRAC_MASK: u64 = (1 << Self::FRAC) - 1;
    /// The sign bit.
    const SIGN: u64 = 1 << (Self::BITS - 1);
    /// All the bits of a value.
    const MASK: u64 = Self::SIGN | (Self::SIGN - 1);
    /// The top bit of the fraction, set in quiet NaNs.
    const QUIET: u64 = 1 << (Self::FRAC - 1);
    /// Plus infinity.
    const INFINITY: u64 = Self::EXP_ONES << Self::FRAC;
    /// The default NaN.
    const DEFAULT_NAN: u64 = Self::INFINITY | Self::QUIET;
    /// The largest finite number.
    const MAX: u64 = Self::INFINITY - 1;
    /// The exponent field of 1.0, in place.
    const ONE: u64 = ((1 << (Self::EXP - 1)) - 1) << Self::FRAC;

    /// The sign bit, if `negative`.
    #[must_use]
    fn sign(negative: bool) -> u64 {
        if negative { Self::SIGN } else { 0 }
    }

    /// True for quiet and signalling NaNs.
    #[must_use]
    fn is_nan(bits: u64) -> bool {
        bits & !Self::SIGN & Self::MASK > Self::INFINITY
    }
}

/// IEEE half precision.
#[derive(Clone, Copy, Debug)]
pub struct Half;
/// IEEE single precision.
#[derive(Clone, Copy, Debug)]
pub struct Single;
/// IEEE double precision.
#[derive(Clone, Copy, Debug)]
pub struct Double;

impl Float for Half {
    const BITS: u32 = 16;
    const EXP: u32 = 5;
    const FRAC: u32 = 10;
}

impl Float for Single {
    const BITS: u32 = 32;
    const EXP: u32 = 8;
    const FRAC: u32 = 23;
}

impl Float for Double {
    const BITS: u32 = 64;
    const EXP: u32 = 11;
    const FRAC: u32 = 52;
}
