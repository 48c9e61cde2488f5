//! Floating-point instructions, scalar and vector, that FPCR governs. The
//! operation is a type of [`crate::simd::fp`] or [`crate::simd::convert`].

use core::marker::PhantomData;

use crate::domain::{Domain, Sem, Slot, Stop};
use crate::simd::FpOp;

/// D becomes `O` of N, M, D and the immediate.
pub(crate) struct Fp<O>(PhantomData<O>);

impl<O: FpOp> Sem for Fp<O> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let result = d.fp::<O>(d.v(Slot::N), d.v(Slot::M), d.v(Slot::D), d.imm_unsigned())?;
        d.set_v(Slot::D, result);
        Ok(())
    }
}

/// D becomes `O` of N, M and A.
pub(crate) struct Fp3<O>(PhantomData<O>);

impl<O: FpOp> Sem for Fp3<O> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let result = d.fp::<O>(d.v(Slot::N), d.v(Slot::M), d.v(Slot::A), d.constant(0))?;
        d.set_v(Slot::D, result);
        Ok(())
    }
}

/// General register D becomes `O` of N and the immediate.
pub(crate) struct FpToGeneral<O>(PhantomData<O>);

impl<O: FpOp> Sem for FpToGeneral<O> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let a = d.v(Slot::N);
        let result = d.fp::<O>(a, a, a, d.imm_unsigned())?;
        let result = d.v_low(result);
        d.set_x(Slot::D, result);
        Ok(())
    }
}

/// General register D becomes the low half of `O` of N, the flags become its
/// high half (`FJCVTZS`).
pub(crate) struct FpToGeneralFlags<O>(PhantomData<O>);

impl<O: FpOp> Sem for FpToGeneralFlags<O> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let a = d.v(Slot::N);
        let result = d.fp::<O>(a, a, a, d.constant(0))?;
        let (value, nzcv) = (d.v_low(result), d.v_high(result));
        d.set_nzcv(nzcv);
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// D becomes `O` of general register N and the immediate.
pub(crate) struct FpFromGeneral<O>(PhantomData<O>);

impl<O: FpOp> Sem for FpFromGeneral<O> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let a = d.v_from_halves(d.x(Slot::N), d.constant(0));
        let result = d.fp::<O>(a, a, a, d.imm_unsigned())?;
        d.set_v(Slot::D, result);
        Ok(())
    }
}

/// Sets the flags of comparing N with M, or with `ZERO` with zero.
pub(crate) struct FpCompare<O, const ZERO: bool>(PhantomData<O>);

impl<O: FpOp, const ZERO: bool> Sem for FpCompare<O, ZERO> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let zero = d.v_from_halves(d.constant(0), d.constant(0));
        let b = if ZERO { zero } else { d.v(Slot::M) };
        let pair = d.fp::<O>(d.v(Slot::N), b, zero, d.constant(1))?;
        let (a, b) = (d.v_low(pair), d.v_high(pair));
        d.set_flags_sub::<true>(a, b);
        Ok(())
    }
}

/// `FCCMP`: as [`FpCompare`] if the condition holds, else the flags become
/// the immediate.
pub(crate) struct FpCompareIf<O, const COND: u8>(PhantomData<O>);

impl<O: FpOp, const COND: u8> Sem for FpCompareIf<O, COND> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let holds = d.condition::<COND>();
        let (a, b) = (d.v(Slot::N), d.v(Slot::M));
        let pair = d.fp::<O>(a, b, b, d.x_from(holds))?;
        let (a, b) = (d.v_low(pair), d.v_high(pair));
        let nzcv = d.imm_unsigned();
        d.set_flags_sub_if::<true>(holds, a, b, nzcv);
        Ok(())
    }
}

/// `FCSEL`: D becomes N if the condition holds, else M; `BYTES` of it.
pub(crate) struct FpSelect<const COND: u8, const BYTES: u32>;

impl<const COND: u8, const BYTES: u32> Sem for FpSelect<COND, BYTES> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let holds = d.condition::<COND>();
        let picked = d.select(holds, d.v_low(d.v(Slot::N)), d.v_low(d.v(Slot::M)));
        let picked = d.v_from_halves(picked, d.constant(0));
        let picked = d.v_keep::<BYTES>(picked);
        d.set_v(Slot::D, picked);
        Ok(())
    }
}
