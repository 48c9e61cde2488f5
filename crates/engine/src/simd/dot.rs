//! Dot products and small matrix products of integers (FEAT_DotProd,
//! FEAT_I8MM).

use core::marker::PhantomData;

use super::{Lane, V128, VectorOp};

/// To each lane of 32 bits of `c` is added the dot product of the four bytes
/// of `a` and of `b` that lie there. `A` and `B` are types of bytes.
#[derive(Debug)]
pub struct Dot<A, B>(PhantomData<(A, B)>);

impl<A: Lane, B: Lane> VectorOp for Dot<A, B> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        c.zip::<u32>(dot::<A, B>(a, b), u32::wrapping_add)
    }
}

/// The bytes of `a` that are the even or the odd ones, as 16 bits.
#[inline(always)]
fn every_other<T: Lane>(a: V128, odd: bool) -> V128 {
    let up = if odd { 0 } else { 8 };
    if T::SIGNED { a.map::<i16>(|x| x << up >> 8) } else { a.map::<u16>(|x| x << up >> 8) }
}

/// The sums of the products of neighbouring lanes, which are signed ones of 16
/// bits. SSE2, which every x86-64 has, can do it, but LLVM does not see that.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn mul_add_pairs(a: V128, b: V128) -> V128 {
    // SAFETY: every x86-64 has SSE2.
    V128(unsafe { core::arch::x86_64::_mm_madd_epi16(a.0, b.0) })
}

/// The sums of the products of neighbouring lanes, which are signed ones of 16
/// bits.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn mul_add_pairs(a: V128, b: V128) -> V128 {
    let (a, b) = (a.lanes::<i16>(), b.lanes::<i16>());
    let product = |i: usize| i32::from(a[i]) * i32::from(b[i]);
    V128::from_lanes::<i32>(core::array::from_fn(|i| product(2 * i).wrapping_add(product(2 * i + 1))))
}

/// The dot products of four bytes.
#[inline(always)]
fn dot<A: Lane, B: Lane>(a: V128, b: V128) -> V128 {
    let products = |odd| mul_add_pairs(every_other::<A>(a, odd), every_other::<B>(b, odd));
    products(false).zip::<u32>(products(true), u32::wrapping_add)
}

/// `SMMLA` and its like: to the matrix `c` of 2 by 2 words is added the product
/// of the matrix `a` of 2 by 8 bytes and the matrix of 8 by 2 bytes whose
/// columns are the halves of `b`.
#[derive(Debug)]
pub struct MatrixMul<A, B>(PhantomData<(A, B)>);

impl<A: Lane, B: Lane> VectorOp for MatrixMul<A, B> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        let row = |row: u64| dot::<A, B>(V128::splat(row), b);
        let (even, odd) = super::permute::unzip::<u32, true>(row(a.low()), row(a.high()));
        c.zip::<u32>(even.zip::<u32>(odd, u32::wrapping_add), u32::wrapping_add)
    }
}
