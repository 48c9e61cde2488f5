//! Complex numbers (FEAT_FCMA): an even element is a real part, the odd one
//! behind it the imaginary part.
//!
//! `ROT` is by how many right angles a number is turned in the complex plane.

use core::marker::PhantomData;

use super::fp::{Add, Each, MulAdd, get, set};
use super::{FpOp, V128};
use crate::fp::host::HostFloat;
use crate::fp::{self, Env};

/// Each element is that of `a` next to it or the same one, as `odd` tells for
/// real and imaginary parts, with its sign changed if `negate` tells so.
#[inline(always)]
fn pick<F: HostFloat>(a: V128, odd: [bool; 2], negate: [bool; 2]) -> V128 {
    let mut result = V128::zero();
    for i in 0..128 / F::BITS as usize {
        let part = i & 1;
        let element = get::<F>(a, i & !1 | usize::from(odd[part]));
        result = set::<F>(result, i, if negate[part] { fp::neg::<F>(element) } else { element });
    }
    result
}

/// `FCADD`: `a` plus `b` turned by `ROT`, which is 1 or 3, right angles.
#[derive(Debug)]
pub struct ComplexAdd<F, const COUNT: usize, const ROT: u8>(PhantomData<F>);

impl<F: HostFloat, const COUNT: usize, const ROT: u8> ComplexAdd<F, COUNT, ROT> {
    #[inline(always)]
    fn turned(b: V128) -> V128 {
        pick::<F>(b, [true, false], [ROT == 1, ROT == 3])
    }
}

impl<F: HostFloat, const COUNT: usize, const ROT: u8> FpOp for ComplexAdd<F, COUNT, ROT> {
    #[inline(always)]
    fn host(a: V128, b: V128, c: V128, n: u64) -> Option<V128> {
        Each::<Add, F, COUNT>::host(a, Self::turned(b), c, n)
    }

    #[inline(always)]
    fn exact(a: V128, b: V128, c: V128, n: u64, env: &mut Env) -> V128 {
        Each::<Add, F, COUNT>::exact(a, Self::turned(b), c, n, env)
    }
}

/// `FCMLA`: `c` plus the part of the product of `a` and `b` that one of the
/// parts of `a` has a share in; two of them with `ROT` 0 and 1 make a
/// multiplication, with 0 and 3 one with the conjugate.
#[derive(Debug)]
pub struct ComplexMulAdd<F, const COUNT: usize, const ROT: u8>(PhantomData<F>);

impl<F: HostFloat, const COUNT: usize, const ROT: u8> ComplexMulAdd<F, COUNT, ROT> {
    /// The factors that are multiplied element by element.
    #[inline(always)]
    fn factors(a: V128, b: V128) -> (V128, V128) {
        let odd = ROT & 1 == 1;
        let b = pick::<F>(b, [odd, !odd], [matches!(ROT, 1 | 2), matches!(ROT, 2 | 3)]);
        (pick::<F>(a, [odd; 2], [false; 2]), b)
    }
}

impl<F: HostFloat, const COUNT: usize, const ROT: u8> FpOp for ComplexMulAdd<F, COUNT, ROT> {
    #[inline(always)]
    fn host(a: V128, b: V128, c: V128, n: u64) -> Option<V128> {
        let (a, b) = Self::factors(a, b);
        Each::<MulAdd, F, COUNT>::host(a, b, c, n)
    }

    #[inline(always)]
    fn exact(a: V128, b: V128, c: V128, n: u64, env: &mut Env) -> V128 {
        let (a, b) = Self::factors(a, b);
        Each::<MulAdd, F, COUNT>::exact(a, b, c, n, env)
    }
}

/// `O` of `a` and the complex number `n` of `b`, as often as there are any.
#[derive(Debug)]
pub struct ByComplex<O, F>(PhantomData<(O, F)>);

#[inline(always)]
fn splat<F: HostFloat>(b: V128, n: u64) -> V128 {
    match F::BITS {
        16 => V128::splat(b.lane::<u32>(n as usize)),
        32 => V128::splat(b.lane::<u64>(n as usize)),
        _ => b,
    }
}

impl<O: FpOp, F: HostFloat> FpOp for ByComplex<O, F> {
    #[inline(always)]
    fn host(a: V128, b: V128, c: V128, n: u64) -> Option<V128> {
        O::host(a, splat::<F>(b, n), c, 0)
    }

    #[inline(always)]
    fn exact(a: V128, b: V128, c: V128, n: u64, env: &mut Env) -> V128 {
        O::exact(a, splat::<F>(b, n), c, 0, env)
    }
}
