//! BFloat16 (FEAT_BF16): numbers that are the upper halves of those of single
//! precision.

use core::marker::PhantomData;

use super::fp::{Each, MulAdd};
use super::{FpOp, V128, VectorOp};
use crate::fp::bfloat::dot_add;
use crate::fp::{Env, Single};

/// `BFDOT`: to each number of single precision in `c` is added the dot product
/// of the two numbers of `a` and of `b` that lie there.
#[derive(Debug)]
pub struct BfDot;

impl VectorOp for BfDot {
    const IS_LARGE: bool = true;

    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        let (a, b, c) = (a.lanes::<u32>(), b.lanes::<u32>(), c.lanes::<u32>());
        V128::from_lanes::<u32>(core::array::from_fn(|i| dot_add(c[i], a[i], b[i])))
    }
}

/// `BFMMLA`: to the matrix `c` of 2 by 2 numbers of single precision is added
/// the product of the matrix `a` of 2 by 4 numbers and the matrix of 4 by 2 whose
/// columns are the halves of `b`.
#[derive(Debug)]
pub struct BfMatrixMul;

impl VectorOp for BfMatrixMul {
    const IS_LARGE: bool = true;

    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        let (a, b, c) = (a.lanes::<u32>(), b.lanes::<u32>(), c.lanes::<u32>());
        V128::from_lanes::<u32>(core::array::from_fn(|i| {
            let (row, column) = (i & 2, 2 * (i & 1));
            dot_add(dot_add(c[i], a[row], b[column]), a[row + 1], b[column + 1])
        }))
    }
}

/// `BFMLALB` and, with `TOP`, `BFMLALT`: `c + a * b` in single precision, of the
/// even or the odd numbers of `a` and `b`.
#[derive(Debug)]
pub struct BfMulAddLong<const TOP: bool>;

/// The even or the odd numbers, in single precision.
#[inline(always)]
fn widen<const TOP: bool>(a: V128) -> V128 {
    a.map::<u32>(|a| if TOP { a & 0xffff_0000 } else { a << 16 })
}

impl<const TOP: bool> FpOp for BfMulAddLong<TOP> {
    #[inline(always)]
    fn host(a: V128, b: V128, c: V128, n: u64) -> Option<V128> {
        Each::<MulAdd, Single, 4>::host(widen::<TOP>(a), widen::<TOP>(b), c, n)
    }

    #[inline(always)]
    fn exact(a: V128, b: V128, c: V128, n: u64, env: &mut Env) -> V128 {
        Each::<MulAdd, Single, 4>::exact(widen::<TOP>(a), widen::<TOP>(b), c, n, env)
    }
}

/// `O` of `a` and number `n` of `b`, as often as there are any.
#[derive(Debug)]
pub struct ByBfloat<O>(PhantomData<O>);

impl<O: FpOp> FpOp for ByBfloat<O> {
    #[inline(always)]
    fn host(a: V128, b: V128, c: V128, n: u64) -> Option<V128> {
        O::host(a, V128::splat(b.lane::<u16>(n as usize)), c, 0)
    }

    #[inline(always)]
    fn exact(a: V128, b: V128, c: V128, n: u64, env: &mut Env) -> V128 {
        O::exact(a, V128::splat(b.lane::<u16>(n as usize)), c, 0, env)
    }
}
