//! Operations whose lanes become wider or narrower.
//!
//! `HIGH` is for the instructions whose names end in 2: they read, or write,
//! the high half of the vector with the narrow lanes.

use core::marker::PhantomData;

use super::shift::shift_right;
use super::{Lane, V128, VectorOp};

/// Half of the lanes, as wide ones.
#[inline(always)]
pub(super) fn widen<T: Lane, const HIGH: bool>(a: V128) -> V128 {
    let lanes = a.lanes::<T>();
    let first = if HIGH { T::Wide::COUNT } else { 0 };
    V128::from_lanes::<T::Wide>(T::Wide::array(|i| T::Wide::wrap(lanes.as_ref()[i + first].extend())))
}

/// Narrow lanes made of `f`'s results: in the low half with zeros above, or
/// with `HIGH` in the high half above the low half of `c`.
#[inline(always)]
pub(super) fn pack<N: Lane, const HIGH: bool>(c: V128, mut f: impl FnMut(usize) -> N) -> V128 {
    let half = N::COUNT / 2;
    let low = c.lanes::<N>();
    V128::from_lanes::<N>(N::array(|i| match (HIGH, i < half) {
        (false, true) => f(i),
        (true, false) => f(i - half),
        (true, true) => low.as_ref()[i],
        (false, false) => N::ZERO,
    }))
}

/// `O` of half of the lanes of `a` and `b`, widened (`SADDL`).
#[derive(Debug)]
pub struct Long<O, T, const HIGH: bool>(PhantomData<(O, T)>);

impl<O: VectorOp, T: Lane, const HIGH: bool> VectorOp for Long<O, T, HIGH> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, n: u64) -> V128 {
        O::eval(widen::<T, HIGH>(a), widen::<T, HIGH>(b), c, n)
    }
}

/// As [`Long`], of `a` and lane `n` of `b`.
#[derive(Debug)]
pub struct LongByElement<O, T, const HIGH: bool>(PhantomData<(O, T)>);

impl<O: VectorOp, T: Lane, const HIGH: bool> VectorOp for LongByElement<O, T, HIGH> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, n: u64) -> V128 {
        let b = V128::splat(b.lane::<T>(n as usize));
        O::eval(widen::<T, HIGH>(a), widen::<T, HIGH>(b), c, 0)
    }
}

/// `O` of `a` and half of the lanes of `b`, widened (`SADDW`).
#[derive(Debug)]
pub struct Wide<O, T, const HIGH: bool>(PhantomData<(O, T)>);

impl<O: VectorOp, T: Lane, const HIGH: bool> VectorOp for Wide<O, T, HIGH> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, n: u64) -> V128 {
        O::eval(a, widen::<T, HIGH>(b), c, n)
    }
}

/// Half of the lanes of `a`, widened and shifted left by `n` (`SSHLL`, `SHLL`).
#[derive(Debug)]
pub struct ShiftLeftLong<T, const HIGH: bool>(PhantomData<T>);

impl<T: Lane, const HIGH: bool> VectorOp for ShiftLeftLong<T, HIGH> {
    #[inline(always)]
    fn eval(a: V128, _: V128, _: V128, n: u64) -> V128 {
        widen::<T, HIGH>(a).map::<T::Wide>(|a| a.shl(n as u32 & (T::Wide::BITS - 1)))
    }
}

/// The low halves of the lanes of type `W` of `a`, shifted right by `n`
/// (`XTN`, `SHRN`).
#[derive(Debug)]
pub struct ShiftRightNarrow<W, const ROUND: bool, const HIGH: bool>(PhantomData<W>);

impl<W: Lane, const ROUND: bool, const HIGH: bool> VectorOp for ShiftRightNarrow<W, ROUND, HIGH> {
    #[inline(always)]
    fn eval(a: V128, _: V128, c: V128, n: u64) -> V128 {
        let lanes = a.lanes::<W>();
        pack::<W::Narrow, HIGH>(c, |i| W::Narrow::truncate(shift_right::<W, ROUND>(lanes.as_ref()[i], n as u32).bits()))
    }
}

/// The high halves of the lanes of type `W` of `O`'s result (`ADDHN`).
#[derive(Debug)]
pub struct HighNarrow<O, W, const ROUND: bool, const HIGH: bool>(PhantomData<(O, W)>);

impl<O: VectorOp, W: Lane, const ROUND: bool, const HIGH: bool> VectorOp for HighNarrow<O, W, ROUND, HIGH> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, n: u64) -> V128 {
        let half = W::BITS / 2;
        let lanes = O::eval(a, b, c, n).lanes::<W>();
        let rounding = if ROUND { W::truncate(1).shl(half - 1) } else { W::ZERO };
        pack::<W::Narrow, HIGH>(c, |i| W::Narrow::truncate(lanes.as_ref()[i].add(rounding).bits() >> half))
    }
}

/// The sums of neighbouring lanes, twice as wide (`SADDLP`).
#[derive(Debug)]
pub struct AddLongPairs<T>(PhantomData<T>);

impl<T: Lane> VectorOp for AddLongPairs<T> {
    #[inline(always)]
    fn eval(a: V128, _: V128, _: V128, _: u64) -> V128 {
        let x = a.lanes::<T>();
        let x = x.as_ref();
        V128::from_lanes::<T::Wide>(T::Wide::array(|i| {
            T::Wide::wrap(x[2 * i].extend()).add(T::Wide::wrap(x[2 * i + 1].extend()))
        }))
    }
}

/// The full products of polynomials over {0, 1} of eight bits (`PMULL`).
#[derive(Debug)]
pub struct PolyMulLong<const HIGH: bool>;

impl<const HIGH: bool> VectorOp for PolyMulLong<HIGH> {
    #[inline(always)]
    fn eval(a: V128, b: V128, _: V128, _: u64) -> V128 {
        let product = |a: u16, b: u16| super::int::poly_mul8(a.into(), b.into()) as u16;
        widen::<u8, HIGH>(a).zip::<u16>(widen::<u8, HIGH>(b), product)
    }
}

/// The full product of polynomials over {0, 1} of 64 bits (`PMULL`, FEAT_PMULL).
#[derive(Debug)]
pub struct PolyMulLong64<const HIGH: bool>;

impl<const HIGH: bool> VectorOp for PolyMulLong64<HIGH> {
    #[inline(always)]
    fn eval(a: V128, b: V128, _: V128, _: u64) -> V128 {
        let (a, b) = if HIGH { (a.high(), b.high()) } else { (a.low(), b.low()) };
        if let Some(product) = super::crypto_host::poly_mul(a, b) {
            return product;
        }
        let (mut low, mut high) = (0, 0);
        for bit in 0..64 {
            let mask = 0_u64.wrapping_sub(b >> bit & 1);
            low ^= (a << bit) & mask;
            high ^= (a >> 1 >> (63 - bit)) & mask;
        }
        V128::from_halves(low, high)
    }
}
