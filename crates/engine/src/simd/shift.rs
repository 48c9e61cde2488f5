//! Shifts that do not saturate.

use core::marker::PhantomData;

use super::{Lane, V128, VectorOp};

/// `a / 2^n`, rounded down, or with `ROUND` to nearest, ties up. `n` may be
/// more than the width.
#[inline(always)]
pub(super) fn shift_right<T: Lane, const ROUND: bool>(a: T, n: u32) -> T {
    let shifted = a.shr(n);
    if ROUND && n > 0 { shifted.add(a.shr(n - 1).and(T::truncate(1))) } else { shifted }
}

/// Each lane of `a` shifted left by the signed low byte of that of `b`.
#[derive(Debug)]
pub struct ShiftBy<T, const ROUND: bool>(PhantomData<T>);

impl<T: Lane, const ROUND: bool> VectorOp for ShiftBy<T, ROUND> {
    #[inline(always)]
    fn eval(a: V128, b: V128, _: V128, _: u64) -> V128 {
        a.zip::<T>(b, |a, b| {
            let n = b.bits() as i8;
            if n >= 0 {
                a.shl(u32::from(n.unsigned_abs()))
            } else {
                shift_right::<T, ROUND>(a, n.unsigned_abs().into())
            }
        })
    }
}

/// Shifted left by `n`.
#[derive(Debug)]
pub struct ShiftLeft<T>(PhantomData<T>);

impl<T: Lane> VectorOp for ShiftLeft<T> {
    #[inline(always)]
    fn eval(a: V128, _: V128, _: V128, n: u64) -> V128 {
        a.map::<T>(|a| a.shl(n as u32 & (T::BITS - 1)))
    }
}

/// Shifted right by `n`.
#[derive(Debug)]
pub struct ShiftRight<T, const ROUND: bool>(PhantomData<T>);

impl<T: Lane, const ROUND: bool> VectorOp for ShiftRight<T, ROUND> {
    #[inline(always)]
    fn eval(a: V128, _: V128, _: V128, n: u64) -> V128 {
        a.map::<T>(|a| shift_right::<T, ROUND>(a, n as u32))
    }
}

/// `SLI`: `a` shifted left by `n`, the low `n` bits those of `c`.
#[derive(Debug)]
pub struct ShiftLeftInsert<T>(PhantomData<T>);

impl<T: Lane> VectorOp for ShiftLeftInsert<T> {
    #[inline(always)]
    fn eval(a: V128, _: V128, c: V128, n: u64) -> V128 {
        let kept = T::ZERO.not().shl(n as u32).not();
        a.zip::<T>(c, |a, c| a.shl(n as u32).or(c.and(kept)))
    }
}

/// `SRI`: `a` shifted right by `n`, the high `n` bits those of `c`. Of
/// unsigned lanes.
#[derive(Debug)]
pub struct ShiftRightInsert<T>(PhantomData<T>);

impl<T: Lane> VectorOp for ShiftRightInsert<T> {
    #[inline(always)]
    fn eval(a: V128, _: V128, c: V128, n: u64) -> V128 {
        let kept = T::ZERO.not().shr(n as u32).not();
        a.zip::<T>(c, |a, c| a.shr(n as u32).or(c.and(kept)))
    }
}
