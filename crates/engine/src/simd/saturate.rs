//! Operations that saturate and set FPSR.QC.
//!
//! What is common is computed in integers of the lanes' size or of twice that,
//! without branches, so that LLVM makes vector code of it; whether anything
//! saturated is seen by comparing with the result that wraps. The rest is
//! computed in 128 bits, which holds every intermediate result.

use core::marker::PhantomData;

use super::shift::shift_right;
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
    /// `SUQADD` of signed lanes: `c` plus `a` as unsigned.
    AddUnsigned(a, _b, c) = || c.extend() + i128::from(a.bits());
    /// `USQADD` of unsigned lanes: `c` plus `a` as signed.
    AddSigned(a, _b, c) = || c.extend() + T::Signed::truncate(a.bits()).extend();
}

/// `result`, and whether it is not the one that wraps.
#[inline(always)]
fn beside_wrapped(result: V128, wrapped: V128) -> (V128, bool) {
    (result, result != wrapped)
}

macro_rules! beside_wrapping {
    ($($(#[$doc:meta])* $name:ident($a:ident, $b:ident) = $result:expr, wrapping $wrapped:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<T>(PhantomData<T>);

        impl<T: Lane> SaturatingOp for $name<T> {
            #[inline(always)]
            fn eval(a: V128, b: V128, _: V128, _: u64) -> (V128, bool) {
                beside_wrapped(a.zip::<T>(b, |$a, $b| $result), a.zip::<T>(b, |$a, $b| $wrapped))
            }
        }
    )*};
}

beside_wrapping! {
    /// `a + b`.
    Add(a, b) = a.saturating_add(b), wrapping a.add(b);
    /// `a - b`.
    Sub(a, b) = a.saturating_sub(b), wrapping a.sub(b);
    /// `|a|`.
    Abs(a, _b) = if a < T::ZERO { T::ZERO.saturating_sub(a) } else { a },
        wrapping if a < T::ZERO { T::ZERO.sub(a) } else { a };
    /// `-a`.
    Neg(a, _b) = T::ZERO.saturating_sub(a), wrapping T::ZERO.sub(a);
}

/// Sign or zero extended.
#[inline(always)]
fn wide<T: Lane>(a: T) -> T::Wide {
    T::Wide::wrap(a.extend())
}

/// `a / 2^(BITS - 1)`, rounded down and saturated: the high half of `2 * a`,
/// which itself might not fit.
#[inline(always)]
fn high_half<T: Lane>(a: T::Wide, saturated: &mut bool) -> T {
    let value = a.shr(T::BITS - 1);
    let clamped = value.min(wide(T::MAX)).max(wide(T::MIN));
    *saturated |= clamped != value;
    T::truncate(clamped.bits())
}

/// `SQDMULH` and, with `ROUND`, `SQRDMULH`: the high half of `2 * a * b`, of
/// signed lanes of 16 or 32 bits.
#[derive(Debug)]
pub struct DoubleMulHigh<T, const ROUND: bool>(PhantomData<T>);

/// Half of the unit that [`high_half`] rounds down to, for rounding to nearest.
#[inline(always)]
fn half<T: Lane>() -> T::Wide {
    T::Wide::truncate(1).shl(T::BITS - 2)
}

impl<T: Lane, const ROUND: bool> SaturatingOp for DoubleMulHigh<T, ROUND> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> (V128, bool) {
        each::<T>(a, b, c, |a, b, _, saturated| {
            let product = wide(a).mul(wide(b));
            high_half::<T>(if ROUND { product.add(half::<T>()) } else { product }, saturated)
        })
    }
}

/// `SQRDMLAH` and, with `SUB`, `SQRDMLSH`: the high half of twice the product,
/// rounded, of signed lanes of 16 or 32 bits, added to or subtracted from `c`
/// before it is rounded and saturated, once.
#[derive(Debug)]
pub struct RoundingDoubleMulAccumulate<T, const SUB: bool>(PhantomData<T>);

impl<T: Lane, const SUB: bool> SaturatingOp for RoundingDoubleMulAccumulate<T, SUB> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> (V128, bool) {
        each::<T>(a, b, c, |a, b, c, saturated| {
            // Halved throughout, the sum fits in twice the lane's size.
            let (product, addend) = (wide(a).mul(wide(b)), wide(c).shl(T::BITS - 1));
            let sum = if SUB { addend.sub(product) } else { addend.add(product) };
            high_half::<T>(sum.add(half::<T>()), saturated)
        })
    }
}

/// `a * 2^n`, for any `n`, saturated.
#[inline(always)]
fn shift<T: Lane, const ROUND: bool>(a: T, n: i32, saturated: &mut bool) -> T {
    if n < 0 {
        return shift_right::<T, ROUND>(a, n.unsigned_abs());
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
    #[inline(always)]
    fn eval(a: V128, _: V128, c: V128, n: u64) -> (V128, bool) {
        // The limits as lanes of the wide type; no value of an unsigned type is
        // below the lower one, which is zero for unsigned narrow lanes.
        let (least, most) = (W::wrap(N::MIN.extend()), W::wrap(N::MAX.extend()));
        let shifted = a.map::<W>(|a| shift_right::<W, ROUND>(a, n as u32 & 63));
        let clamped = shifted.map::<W>(|a| a.min(most).max(least));
        let lanes = clamped.lanes::<W>();
        (pack::<N, HIGH>(c, |i| N::truncate(lanes.as_ref()[i].bits())), clamped != shifted)
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
        let product = widen::<T, HIGH>(a).zip::<T::Wide>(widen::<T, HIGH>(b), T::Wide::mul);
        let (product, was_saturated) = Add::<T::Wide>::eval(product, product, c, 0);
        let (result, is_saturated) = match ACCUMULATE {
            accumulate::ADD => Add::<T::Wide>::eval(c, product, c, 0),
            accumulate::SUB => Sub::<T::Wide>::eval(c, product, c, 0),
            _ => (product, false),
        };
        (result, was_saturated | is_saturated)
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
