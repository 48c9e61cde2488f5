//! Products of halves added to singles (`FMLAL` and its like).

use super::fp::{get, set};
use super::{FpOp, V128};
use crate::fp::host::half;
use crate::fp::{self, Env, Half, Single};

/// `c + a * b`, with `SUB` `c - a * b`, in `COUNT` lanes of single precision. The
/// lanes of `a` and `b` are halves: the first `COUNT` or, with `SECOND`, those
/// behind them.
#[derive(Debug)]
pub struct MulAddLong<const SUB: bool, const SECOND: bool, const COUNT: usize>;

impl<const SUB: bool, const SECOND: bool, const COUNT: usize> FpOp for MulAddLong<SUB, SECOND, COUNT> {
    #[inline(always)]
    fn host(a: V128, b: V128, c: V128, _: u64) -> Option<V128> {
        let a = if SUB { a.map::<u16>(|a| a ^ 0x8000) } else { a };
        if COUNT == 4 {
            return half::v_mul_add_long::<SECOND>(c, a, b);
        }
        // Zeros in the lanes that are not in use raise nothing.
        let used = |v: V128| {
            let lanes = if SECOND { v.low() >> 32 } else { v.low() & 0xffff_ffff };
            V128::from_halves(lanes, 0)
        };
        half::v_mul_add_long::<false>(c.low_half(), used(a), used(b)).map(V128::low_half)
    }

    #[inline(always)]
    fn exact(a: V128, b: V128, c: V128, _: u64, env: &mut Env) -> V128 {
        let first = if SECOND { COUNT } else { 0 };
        let mut result = V128::zero();
        for i in 0..COUNT {
            let (x, y) = (get::<Half>(a, first + i), get::<Half>(b, first + i));
            let x = if SUB { fp::neg::<Half>(x) } else { x };
            let lane = fp::mul_add_long::<Half, Single>(get::<Single>(c, i), x, y, env);
            result = set::<Single>(result, i, lane);
        }
        result
    }
}
