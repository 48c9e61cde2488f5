//! Operations that saturate and set FPSR.QC.
//!
//! Lanes are computed in 128 bits, which holds every intermediate result.

use core::marker::PhantomData;

use super::wide::{pack, widen};
use super::{Lane, SaturatingOp, V128};

/// `value` within the range of `T`.
#[inline(always)]
fn saturate<T: Lane>(value: i128, saturated: &mut bool) -> T {
    let clamped = value.clamp(T::MIN.extend(), T::MAX.extend());
    *saturated |= clamped != value;
    T::wrap(clamped)
}

/// `f` of each triple of lanes, saturated.
#[inline(always)]
fn each<T: Lane>(a: V128, b: V128, c: V128, f: impl Fn(T, T, T, &mut bool) -> T) -> (V128, bool) {
    let (a, b, c) = (a.lanes::<T>(), b.lanes::<T>(), c.lanes::<T>());
    let mut saturated = false;
    let result = T::array(|i| f(a.as_ref()[i], b.as_ref()[i], c.as_ref()[i], &mut saturated));
    (V128::from_lanes::<T>(result), saturated)
}

macro_rules! lanewise {
    ($($(#[$doc:meta])* $name:ident($a:ident, $b:ident, $c:ident) = $result:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<T>(PhantomData<T>);

        impl<T: Lane> SaturatingOp for $name<T> {
            #[inline(always)]
            fn eval(a: V128, b: V128, c: V128, _: u64) -> (V128, bool) {
                each::<T>(a, b, c, |$a, $b, $c, saturated| saturate(($result)(), saturated))
            }
        }
    )*};
}

lanewise! {
    /// `a + b`.
    Add(a, b, _c) = || a.extend() + b.extend();
    /// `a - b`.
    Sub(a, b, _c) = || a.extend() - b.extend();
    /// `|a|`.
    Abs(a, _b, _c) = || a.extend().abs();
    /// `-a`.
    Neg(a, _b, _c) = || -a.extend();
    /// `SUQADD` of signed lanes: `c` plus `a` as unsigned.
    AddUnsigned(a, _b, c) = || c.extend() + i128::from(a.bits());
    /// `USQADD` of unsigned lanes: `c` plus `a` as signed.
    AddSigned(a, _b, c) = || c.extend() + T::Signed::truncate(a.bits()).extend();
    /// `SQDMULH`: the high half of `2 * a * b`.
    DoubleMulHigh(a, b, _c) = || (2 * a.extend() * b.extend()) >> T::BITS;
    /// `SQRDMULH`: the same, rounded.
    RoundingDoubleMulHigh(a, b, _c) = || (2 * a.extend() * b.extend() + (1 << (T::BITS - 1))) >> T::BITS;
}

/// `SQRDMLAH` and, with `SUB`, `SQRDMLSH`: the high half of twice the product,
/// rounded, of lanes of 16 or 32 bits, added to or subtracted from `c` before it
/// is rounded and saturated, once.
#[derive(Debug)]
pub struct RoundingDoubleMulAccumulate<T, const SUB: bool>(PhantomData<T>);

impl<T: Lane, const SUB: bool> SaturatingOp for RoundingDoubleMulAccumulate<T, SUB> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> (V128, bool) {
        each::<T>(a, b, c, |a, b, c, saturated| {
            // Halved throughout, everything fits in 64 bits.
            let (a, b, c) = (a.extend() as i64, b.extend() as i64, c.extend() as i64);
            let product = a * if SUB { -b } else { b };
            let sum = (c << (T::BITS - 1)) + product + (1 << (T::BITS - 2));
            saturate((sum >> (T::BITS - 1)).into(), saturated)
        })
    }
}

/// `a * 2^n`, for any `n`, saturated.
#[inline(always)]
fn shift<T: Lane, const ROUND: bool>(a: T, n: i32, saturated: &mut bool) -> T {
    if n < 0 {
        return super::shift::shift_right::<T, ROUND>(a, n.unsigned_abs());
    }
    if a == T::ZERO {
        a
    } else if n.unsigned_abs() >= T::BITS {
        *saturated = true;
        if a < T::ZERO { T::MIN } else { T::MAX }
    } else {
        saturate(a.extend() << n, saturated)
    }
}

/// Each lane of `a` shifted left by the signed low byte of that of `b`.
#[derive(Debug)]
pub struct ShiftBy<T, const ROUND: bool>(PhantomData<T>);

impl<T: Lane, const ROUND: bool> SaturatingOp for ShiftBy<T, ROUND> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> (V128, bool) {
        each::<T>(a, b, c, |a, b, _, saturated| shift::<T, ROUND>(a, (b.bits() as i8).into(), saturated))
    }
}

/// Shifted left by `n`.
#[derive(Debug)]
pub struct ShiftLeft<T>(PhantomData<T>);

impl<T: Lane> SaturatingOp for ShiftLeft<T> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, n: u64) -> (V128, bool) {
        each::<T>(a, b, c, |a, _, _, saturated| shift::<T, false>(a, n as i32 & 63, saturated))
    }
}

/// `SQSHLU` of signed lanes: shifted left by `n`, saturated as unsigned.
#[derive(Debug)]
pub struct ShiftLeftUnsigned<T>(PhantomData<T>);

impl<T: Lane> SaturatingOp for ShiftLeftUnsigned<T> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, n: u64) -> (V128, bool) {
        each::<T>(a, b, c, |a, _, _, saturated| {
            T::truncate(saturate::<T::Unsigned>(a.extend() << (n & 63), saturated).bits())
        })
    }
}

/// Lanes of type `W` shifted right by `n`, saturated to lanes of type `N`, half
/// as wide; as [`super::wide::ShiftRightNarrow`].
#[derive(Debug)]
pub struct ShiftRightNarrow<W, N, const ROUND: bool, const HIGH: bool>(PhantomData<(W, N)>);

impl<W: Lane, N: Lane, const ROUND: bool, const HIGH: bool> SaturatingOp for ShiftRightNarrow<W, N, ROUND, HIGH> {
    const IS_LARGE: bool = HIGH && N::BITS == 8;

    #[inline(always)]
    fn eval(a: V128, _: V128, c: V128, n: u64) -> (V128, bool) {
        let lanes = a.lanes::<W>();
        let mut saturated = false;
        let n = n as u32 & 63;
        let result = pack::<N, HIGH>(c, |i| {
            let value = lanes.as_ref()[i].extend();
            let half = if ROUND && n > 0 { 1 << (n - 1) } else { 0 };
            saturate((value + half) >> n, &mut saturated)
        });
        (result, saturated)
    }
}

/// What `SQDMULL` and its like do with the product.
pub mod accumulate {
    /// Nothing.
    pub const NONE: u8 = 0;
    /// It is added to the destination.
    pub const ADD: u8 = 1;
    /// It is subtracted from the destination.
    pub const SUB: u8 = 2;
}

/// `2 * a * b` of half of the lanes, twice as wide, accumulated as
/// [`accumulate`] tells. The lanes are signed.
#[derive(Debug)]
pub struct DoubleMulLong<T, const ACCUMULATE: u8, const HIGH: bool>(PhantomData<T>);

impl<T: Lane, const ACCUMULATE: u8, const HIGH: bool> SaturatingOp for DoubleMulLong<T, ACCUMULATE, HIGH> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> (V128, bool) {
        each::<T::Wide>(widen::<T, HIGH>(a), widen::<T, HIGH>(b), c, |a, b, c, saturated| {
            let product: T::Wide = saturate(2 * a.extend() * b.extend(), saturated);
            match ACCUMULATE {
                accumulate::ADD => saturate(c.extend() + product.extend(), saturated),
                accumulate::SUB => saturate(c.extend() - product.extend(), saturated),
                _ => product,
            }
        })
    }
}

/// `O` of the low `BYTES` bytes of `a` and lane `n` of `b`, as often as there
/// are lanes.
#[derive(Debug)]
pub struct ByElement<O, T, const BYTES: u32>(PhantomData<(O, T)>);

impl<O: SaturatingOp, T: Lane, const BYTES: u32> SaturatingOp for ByElement<O, T, BYTES> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, n: u64) -> (V128, bool) {
        // A product with zero does not saturate.
        O::eval(a.keep::<BYTES>(), V128::splat(b.lane::<T>(n as usize)), c, 0)
    }
}
