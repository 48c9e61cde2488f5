//! SIMD&FP registers of plain numbers.

use crate::domain::direct::Direct;
use crate::domain::memory::Mode;
use crate::domain::{Slot, Stop, VectorDomain, size};
use crate::fp::{self, Env, FPCR_MASK, FPSR_MASK, FPSR_QC};
use crate::simd::{FpOp, SaturatingOp, V128, VectorOp};

impl<M: Mode> VectorDomain for Direct<M> {
    #[inline(always)]
    fn v(&self, slot: Slot) -> V128 {
        // SAFETY: `vector_at` is in bounds.
        unsafe { *self.vector_at(self.number(slot)) }
    }

    #[inline(always)]
    fn set_v(&mut self, slot: Slot, value: V128) {
        // SAFETY: `vector_at` is in bounds.
        unsafe { *self.vector_at(self.number_to_write(slot)) = value };
    }

    #[inline(always)]
    fn v_after(&self, slot: Slot, n: u8) -> V128 {
        // SAFETY: `vector_at` is in bounds.
        unsafe { *self.vector_at((self.number(slot) + usize::from(n)) & 31) }
    }

    #[inline(always)]
    fn set_v_after(&mut self, slot: Slot, n: u8, value: V128) {
        // SAFETY: `vector_at` is in bounds.
        unsafe { *self.vector_at((self.number(slot) + usize::from(n)) & 31) = value };
    }

    #[inline(always)]
    fn v_from_halves(&self, low: u64, high: u64) -> V128 {
        V128::from_halves(low, high)
    }

    #[inline(always)]
    fn v_low(&self, a: V128) -> u64 {
        a.low()
    }

    #[inline(always)]
    fn v_high(&self, a: V128) -> u64 {
        a.high()
    }

    #[inline(always)]
    fn load_v<const SIZE: u8>(&mut self, addr: u64) -> Result<V128, Stop> {
        let low = |x: u64| V128::from_halves(x, 0);
        match SIZE {
            size::B => self.load_as::<u8>(addr).map(|x| low(x.into())),
            size::H => self.load_as::<u16>(addr).map(|x| low(x.into())),
            size::W => self.load_as::<u32>(addr).map(|x| low(x.into())),
            size::X => self.load_as::<u64>(addr).map(low),
            _ => self.load_as::<V128>(addr),
        }
    }

    #[inline(always)]
    fn store_v<const SIZE: u8>(&mut self, addr: u64, value: V128) -> Result<(), Stop> {
        match SIZE {
            size::B => self.store_as(addr, value.low() as u8),
            size::H => self.store_as(addr, value.low() as u16),
            size::W => self.store_as(addr, value.low() as u32),
            size::X => self.store_as(addr, value.low()),
            _ => self.store_as(addr, value),
        }
    }

    #[inline(always)]
    fn load_pair_v<const SIZE: u8>(&mut self, addr: u64) -> Result<(V128, V128), Stop> {
        let low = |x: u64| V128::from_halves(x, 0);
        match SIZE {
            size::W => self.load_as::<[u32; 2]>(addr).map(|[a, b]| (low(a.into()), low(b.into()))),
            size::X => self.load_as::<[u64; 2]>(addr).map(|[a, b]| (low(a), low(b))),
            _ => self.load_as::<[V128; 2]>(addr).map(|[a, b]| (a, b)),
        }
    }

    #[inline(always)]
    fn store_pair_v<const SIZE: u8>(&mut self, addr: u64, a: V128, b: V128) -> Result<(), Stop> {
        match SIZE {
            size::W => self.store_as(addr, [a.low() as u32, b.low() as u32]),
            size::X => self.store_as(addr, [a.low(), b.low()]),
            _ => self.store_as(addr, [a, b]),
        }
    }

    #[inline(always)]
    fn fpcr(&self) -> u64 {
        // SAFETY: `new` vouches for `ctx`.
        u64::from(unsafe { (*self.ctx).fpcr })
    }

    #[inline(always)]
    fn set_fpcr(&mut self, value: u64) {
        // SAFETY: `new` vouches for `ctx`.
        unsafe { (*self.ctx).fpcr = value as u32 & FPCR_MASK };
    }

    #[inline(always)]
    fn fpsr(&self) -> u64 {
        // What the host's FPU has raised since belongs to it.
        // SAFETY: `new` vouches for `ctx`.
        unsafe {
            (*self.ctx).fpsr |= fp::host::take_flags();
            u64::from((*self.ctx).fpsr)
        }
    }

    #[inline(always)]
    fn set_fpsr(&mut self, value: u64) {
        fp::host::clear_flags();
        // SAFETY: `new` vouches for `ctx`.
        unsafe { (*self.ctx).fpsr = value as u32 & FPSR_MASK };
    }

    #[inline(always)]
    fn v_keep<const BYTES: u32>(&self, a: V128) -> V128 {
        a.keep::<BYTES>()
    }

    #[inline(always)]
    fn vector<O: VectorOp>(&self, a: V128, b: V128, c: V128, n: u64) -> V128 {
        O::eval(a, b, c, n)
    }

    #[inline(always)]
    fn saturating<O: SaturatingOp>(&mut self, a: V128, b: V128, c: V128, n: u64) -> V128 {
        let (result, saturated) = O::eval(a, b, c, n);
        let flag = if saturated { FPSR_QC } else { 0 };
        // SAFETY: `new` vouches for `ctx`.
        unsafe { (*self.ctx).fpsr |= flag };
        result
    }

    #[inline(always)]
    fn fp<O: FpOp>(&mut self, a: V128, b: V128, c: V128, n: u64) -> Result<V128, Stop> {
        // SAFETY: `new` vouches for `ctx`.
        let fpcr = unsafe { (*self.ctx).fpcr };
        if M::IS_FAST {
            return if fpcr == 0 { O::host(a, b, c, n).ok_or(Stop) } else { Err(Stop) };
        }
        let mut env = Env::new(fpcr);
        let result = O::exact(a, b, c, n, &mut env);
        // SAFETY: `new` vouches for `ctx`.
        unsafe { (*self.ctx).fpsr |= env.fpsr };
        Ok(result)
    }
}
