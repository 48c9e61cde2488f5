//! Integer arithmetic, logic and comparison, lane by lane, pairwise and across.

use core::marker::PhantomData;

use super::{Lane, V128, VectorOp};

macro_rules! lanewise2 {
    ($($(#[$doc:meta])* $name:ident($a:ident, $b:ident) = $result:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<T>(PhantomData<T>);

        impl<T: Lane> VectorOp for $name<T> {
            #[inline(always)]
            fn eval(a: V128, b: V128, _: V128, _: u64) -> V128 {
                a.zip::<T>(b, |$a, $b| $result)
            }
        }
    )*};
}

lanewise2! {
    /// `a + b`.
    Add(a, b) = a.add(b);
    /// `a - b`.
    Sub(a, b) = a.sub(b);
    /// `a * b`.
    Mul(a, b) = a.mul(b);
    /// Ones where `a == b`.
    CmpEq(a, b) = T::mask(a == b);
    /// Ones where `a > b`.
    CmpGt(a, b) = T::mask(a > b);
    /// Ones where `a >= b`.
    CmpGe(a, b) = T::mask(a >= b);
    /// Ones where `a & b` is not zero.
    CmpTest(a, b) = T::mask(a.and(b) != T::ZERO);
    /// The greater.
    Max(a, b) = if a > b { a } else { b };
    /// The smaller.
    Min(a, b) = if a < b { a } else { b };
    /// `|a - b|`.
    AbsDiff(a, b) = if a > b { a.sub(b) } else { b.sub(a) };
    /// `(a + b) / 2`, rounded down.
    HalvingAdd(a, b) = a.and(b).add(a.xor(b).shr(1));
    /// `(a + b + 1) / 2`, rounded down.
    RoundingHalvingAdd(a, b) = a.or(b).sub(a.xor(b).shr(1));
    /// `(a - b) / 2`, rounded down.
    HalvingSub(a, b) = T::wrap((a.extend() - b.extend()) >> 1);
    /// `a & !b`.
    AndNot(a, b) = a.and(b.not());
    /// `a | !b`.
    OrNot(a, b) = a.or(b.not());
    /// `a & b`.
    And(a, b) = a.and(b);
    /// `a | b`.
    Or(a, b) = a.or(b);
    /// `a ^ b`.
    Xor(a, b) = a.xor(b);
    /// The product of polynomials over {0, 1}, low half.
    PolyMul(a, b) = T::truncate(poly_mul8(a.bits(), b.bits()));
}

/// The carry-less product of two bytes.
#[inline(always)]
pub(super) fn poly_mul8(a: u64, b: u64) -> u64 {
    let mut product = 0;
    for bit in 0..8 {
        product ^= (a << bit) & 0_u64.wrapping_sub(b >> bit & 1);
    }
    product
}

macro_rules! lanewise1 {
    ($($(#[$doc:meta])* $name:ident($a:ident) = $result:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<T>(PhantomData<T>);

        impl<T: Lane> VectorOp for $name<T> {
            #[inline(always)]
            fn eval(a: V128, _: V128, _: V128, _: u64) -> V128 {
                a.map::<T>(|$a| $result)
            }
        }
    )*};
}

lanewise1! {
    /// The magnitude, wrapping.
    Abs(a) = if a < T::ZERO { T::ZERO.sub(a) } else { a };
    /// The negative.
    Neg(a) = T::ZERO.sub(a);
    /// The complement.
    Not(a) = a.not();
    /// How many bits after the first are equal to it; of signed lanes.
    CountSign(a) = T::truncate(u64::from(a.xor(a.shr(1)).clz() - 1));
    /// Leading zeros.
    CountZeros(a) = T::truncate(u64::from(a.clz()));
    /// Ones.
    CountOnes(a) = T::truncate(u64::from(a.popcnt()));
    /// The bits of each lane in the other order.
    ReverseBits(a) = a.reverse();
    /// The sign of a floating-point number cleared.
    FpAbs(a) = a.and(T::ZERO.not().xor(T::truncate(1).shl(T::BITS - 1)));
    /// The sign of a floating-point number changed.
    FpNeg(a) = a.xor(T::truncate(1).shl(T::BITS - 1));
}

/// `O` of `a` and zero.
#[derive(Debug)]
pub struct WithZero<O>(PhantomData<O>);

impl<O: VectorOp> VectorOp for WithZero<O> {
    #[inline(always)]
    fn eval(a: V128, _: V128, c: V128, n: u64) -> V128 {
        O::eval(a, V128::zero(), c, n)
    }
}

/// `O` of zero and `a`.
#[derive(Debug)]
pub struct ZeroWith<O>(PhantomData<O>);

impl<O: VectorOp> VectorOp for ZeroWith<O> {
    #[inline(always)]
    fn eval(a: V128, _: V128, c: V128, n: u64) -> V128 {
        O::eval(V128::zero(), a, c, n)
    }
}

/// `c + O(a, b)`.
#[derive(Debug)]
pub struct AddTo<O, T>(PhantomData<(O, T)>);

impl<O: VectorOp, T: Lane> VectorOp for AddTo<O, T> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, n: u64) -> V128 {
        c.zip::<T>(O::eval(a, b, c, n), T::add)
    }
}

/// `c - O(a, b)`.
#[derive(Debug)]
pub struct SubFrom<O, T>(PhantomData<(O, T)>);

impl<O: VectorOp, T: Lane> VectorOp for SubFrom<O, T> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, n: u64) -> V128 {
        c.zip::<T>(O::eval(a, b, c, n), T::sub)
    }
}

/// `O` of `a` and lane `n` of `b`, as often as there are lanes.
#[derive(Debug)]
pub struct ByElement<O, T>(PhantomData<(O, T)>);

impl<O: VectorOp, T: Lane> VectorOp for ByElement<O, T> {
    const IS_LARGE: bool = O::IS_LARGE;

    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, n: u64) -> V128 {
        O::eval(a, V128::splat(b.lane::<T>(n as usize)), c, 0)
    }
}

/// `O` of the even and the odd lanes of `b:a`; of their low halves unless `Q`.
#[derive(Debug)]
pub struct Pairwise<O, T, const Q: bool>(PhantomData<(O, T)>);

impl<O: VectorOp, T: Lane, const Q: bool> VectorOp for Pairwise<O, T, Q> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, n: u64) -> V128 {
        let (even, odd) = super::permute::unzip::<T, Q>(a, b);
        O::eval(even, odd, c, n)
    }
}

macro_rules! bitwise_select {
    ($($(#[$doc:meta])* $name:ident($n:ident, $m:ident, $d:ident) = $result:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl VectorOp for $name {
            #[inline(always)]
            fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
                let (a, b, c) = (a.lanes::<u64>(), b.lanes::<u64>(), c.lanes::<u64>());
                let f = |$n: u64, $m: u64, $d: u64| $result;
                V128::from_halves(f(a[0], b[0], c[0]), f(a[1], b[1], c[1]))
            }
        }
    )*};
}

bitwise_select! {
    /// `BSL`: bits of `a` where `c` is set, of `b` elsewhere.
    Bsl(n, m, d) = (n & d) | (m & !d);
    /// `BIT`: bits of `a` where `b` is set, of `c` elsewhere.
    Bit(n, m, d) = (n & m) | (d & !m);
    /// `BIF`: bits of `a` where `b` is clear, of `c` elsewhere.
    Bif(n, m, d) = (n & !m) | (d & m);
}

/// How to combine all the lanes of a vector.
pub mod across {
    /// Sum.
    pub const ADD: u8 = 0;
    /// Sum, twice as wide.
    pub const ADD_LONG: u8 = 1;
    /// Maximum.
    pub const MAX: u8 = 2;
    /// Minimum.
    pub const MIN: u8 = 3;
}

/// All the lanes (of the low half unless `Q`) combined as [`across`] tells.
#[derive(Debug)]
pub struct Across<const OP: u8, T, const Q: bool>(PhantomData<T>);

impl<const OP: u8, T: Lane, const Q: bool> VectorOp for Across<OP, T, Q> {
    #[inline(always)]
    fn eval(a: V128, _: V128, _: V128, _: u64) -> V128 {
        let lanes = a.lanes::<T>();
        let lanes = &lanes.as_ref()[..if Q { T::COUNT } else { T::COUNT / 2 }];
        let bits = match OP {
            across::ADD => lanes.iter().fold(T::ZERO, |s, &x| s.add(x)).bits(),
            across::ADD_LONG => {
                // At most 16 lanes of at most 32 bits: it fits in 64.
                let sum = lanes.iter().fold(0_u64, |s, &x| s.wrapping_add(x.extend() as u64));
                sum & u64::MAX >> (64 - 2 * T::BITS.min(32))
            }
            across::MAX => lanes.iter().fold(T::MIN, |s, &x| s.max(x)).bits(),
            _ => lanes.iter().fold(T::MAX, |s, &x| s.min(x)).bits(),
        };
        V128::from_halves(bits, 0)
    }
}
