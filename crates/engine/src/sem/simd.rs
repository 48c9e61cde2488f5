//! Advanced SIMD instructions without floating-point exceptions. The operation
//! is a type of [`crate::simd`]; `BYTES` is how much of the register the
//! result fills.

use core::marker::PhantomData;

use crate::domain::{Domain, Sem, Slot, Stop};
use crate::simd::permute::Lookup;
use crate::simd::{SaturatingOp, VectorOp};

/// D becomes `O` of N, M, D and the immediate.
pub(crate) struct Vector<O, const BYTES: u32>(PhantomData<O>);

impl<O: VectorOp, const BYTES: u32> Sem for Vector<O, BYTES> {
    const IS_LARGE: bool = O::IS_LARGE;

    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let result = d.vector::<O>(d.v(Slot::N), d.v(Slot::M), d.v(Slot::D), d.imm_unsigned());
        let result = d.v_keep::<BYTES>(result);
        d.set_v(Slot::D, result);
        Ok(())
    }
}

/// D becomes `O` of N, M and A.
pub(crate) struct Vector3<O>(PhantomData<O>);

impl<O: VectorOp> Sem for Vector3<O> {
    const IS_LARGE: bool = O::IS_LARGE;

    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let result = d.vector::<O>(d.v(Slot::N), d.v(Slot::M), d.v(Slot::A), d.constant(0));
        d.set_v(Slot::D, result);
        Ok(())
    }
}

/// D becomes `O` of the low `IN` bytes of N and of M, of D and the immediate.
pub(crate) struct Saturating<O, const IN: u32, const BYTES: u32>(PhantomData<O>);

impl<O: SaturatingOp, const IN: u32, const BYTES: u32> Sem for Saturating<O, IN, BYTES> {
    const IS_LARGE: bool = O::IS_LARGE;

    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let (a, b) = (d.v_keep::<IN>(d.v(Slot::N)), d.v_keep::<IN>(d.v(Slot::M)));
        let result = d.saturating::<O>(a, b, d.v(Slot::D), d.imm_unsigned());
        let result = d.v_keep::<BYTES>(result);
        d.set_v(Slot::D, result);
        Ok(())
    }
}

/// General register D becomes `O` of N, with 32 bits unless `SF`.
pub(crate) struct ToGeneral<O, const SF: bool>(PhantomData<O>);

impl<O: VectorOp, const SF: bool> Sem for ToGeneral<O, SF> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let a = d.v(Slot::N);
        let result = d.vector::<O>(a, a, a, d.imm_unsigned());
        let result = d.trunc::<SF>(d.v_low(result));
        d.set_x(Slot::D, result);
        Ok(())
    }
}

/// D becomes `O` of general register N, D and the immediate.
pub(crate) struct FromGeneral<O, const BYTES: u32>(PhantomData<O>);

impl<O: VectorOp, const BYTES: u32> Sem for FromGeneral<O, BYTES> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let a = d.v_from_halves(d.x(Slot::N), d.constant(0));
        let result = d.vector::<O>(a, a, d.v(Slot::D), d.imm_unsigned());
        let result = d.v_keep::<BYTES>(result);
        d.set_v(Slot::D, result);
        Ok(())
    }
}

/// D becomes general register N, `BYTES` of it.
pub(crate) struct MoveFromGeneral<const BYTES: u32>;

impl<const BYTES: u32> Sem for MoveFromGeneral<BYTES> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let a = d.v_from_halves(d.x(Slot::N), d.constant(0));
        let a = d.v_keep::<BYTES>(a);
        d.set_v(Slot::D, a);
        Ok(())
    }
}

/// D becomes N, `BYTES` of it.
pub(crate) struct MoveV<const BYTES: u32>;

impl<const BYTES: u32> Sem for MoveV<BYTES> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let a = d.v_keep::<BYTES>(d.v(Slot::N));
        d.set_v(Slot::D, a);
        Ok(())
    }
}

/// D becomes the literal, twice if `Q`.
pub(crate) struct LiteralV<const Q: bool>;

impl<const Q: bool> Sem for LiteralV<Q> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let low = d.literal();
        let high = if Q { low } else { d.constant(0) };
        let value = d.v_from_halves(low, high);
        d.set_v(Slot::D, value);
        Ok(())
    }
}

/// D becomes `O` of D and the literal in both halves.
pub(crate) struct WithLiteral<O, const BYTES: u32>(PhantomData<O>);

impl<O: VectorOp, const BYTES: u32> Sem for WithLiteral<O, BYTES> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let literal = d.v_from_halves(d.literal(), d.literal());
        let old = d.v(Slot::D);
        let result = d.vector::<O>(old, literal, old, d.constant(0));
        let result = d.v_keep::<BYTES>(result);
        d.set_v(Slot::D, result);
        Ok(())
    }
}

/// `TBL`, and with `EXTEND` `TBX`: a table of `COUNT` registers from N on.
pub(crate) struct Table<const COUNT: u8, const EXTEND: bool, const BYTES: u32>;

impl<const COUNT: u8, const EXTEND: bool, const BYTES: u32> Sem for Table<COUNT, EXTEND, BYTES> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let index = d.v(Slot::M);
        let zero = d.v_from_halves(d.constant(0), d.constant(0));
        let mut result = if EXTEND { d.v(Slot::D) } else { zero };
        for part in 0..COUNT {
            let table = d.v_after(Slot::N, part);
            result = d.vector::<Lookup>(table, index, result, d.constant(16 * u64::from(part)));
        }
        let result = d.v_keep::<BYTES>(result);
        d.set_v(Slot::D, result);
        Ok(())
    }
}
