//! Exclusive, ordered and atomic accesses.
//!
//! N is the base; D is Rt, A is Rt2, M is Rs, unless the form says otherwise.
//! Each access here has the strongest order that the architecture knows, which
//! serves for acquire, release and neither.

use crate::domain::{Domain, Sem, Slot, Stop};
use crate::sem::mem::{address, extended};

/// `LDAR`, `LDAPR`, `LDLAR`, and `LDAPUR` and its like with an immediate.
pub(crate) struct LoadAcquire<const SIZE: u8, const EXTEND: u8, const MODE: u8>;

impl<const SIZE: u8, const EXTEND: u8, const MODE: u8> Sem for LoadAcquire<SIZE, EXTEND, MODE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let addr = address::<D, MODE>(d);
        let value = d.load_acquire::<SIZE>(addr)?;
        let value = extended::<D, SIZE, EXTEND>(d, value);
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `STLR`, `STLLR`, and `STLUR` with an immediate.
pub(crate) struct StoreRelease<const SIZE: u8, const MODE: u8>;

impl<const SIZE: u8, const MODE: u8> Sem for StoreRelease<SIZE, MODE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let addr = address::<D, MODE>(d);
        d.store_release::<SIZE>(addr, d.x(Slot::D))
    }
}

/// `LDXR`, `LDAXR`.
pub(crate) struct LoadExclusive<const SIZE: u8>;

impl<const SIZE: u8> Sem for LoadExclusive<SIZE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.load_exclusive::<SIZE>(d.x(Slot::N))?;
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `STXR`, `STLXR`.
pub(crate) struct StoreExclusive<const SIZE: u8>;

impl<const SIZE: u8> Sem for StoreExclusive<SIZE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let status = d.store_exclusive::<SIZE>(d.x(Slot::N), d.x(Slot::D))?;
        d.set_x(Slot::M, status);
        Ok(())
    }
}

/// `LDXP`, `LDAXP`.
pub(crate) struct LoadExclusivePair<const SIZE: u8>;

impl<const SIZE: u8> Sem for LoadExclusivePair<SIZE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let (a, b) = d.load_exclusive_pair::<SIZE>(d.x(Slot::N))?;
        d.set_x(Slot::D, a);
        d.set_x(Slot::A, b);
        Ok(())
    }
}

/// `STXP`, `STLXP`.
pub(crate) struct StoreExclusivePair<const SIZE: u8>;

impl<const SIZE: u8> Sem for StoreExclusivePair<SIZE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let (a, b) = (d.x(Slot::D), d.x(Slot::A));
        let status = d.store_exclusive_pair::<SIZE>(d.x(Slot::N), a, b)?;
        d.set_x(Slot::M, status);
        Ok(())
    }
}

/// `CLREX`.
pub(crate) struct ClearExclusive;

impl Sem for ClearExclusive {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        d.clear_exclusive();
        Ok(())
    }
}

/// `LDADD` and its like, `SWP`.
pub(crate) struct Atomic<const OP: u8, const SIZE: u8>;

impl<const OP: u8, const SIZE: u8> Sem for Atomic<OP, SIZE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let old = d.atomic::<OP, SIZE>(d.x(Slot::N), d.x(Slot::M))?;
        d.set_x(Slot::D, old);
        Ok(())
    }
}

/// `CAS`; the old value goes to A, which is Rs again.
pub(crate) struct CompareAndSwap<const SIZE: u8>;

impl<const SIZE: u8> Sem for CompareAndSwap<SIZE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let old = d.compare_and_swap::<SIZE>(d.x(Slot::N), d.x(Slot::M), d.x(Slot::D))?;
        d.set_x(Slot::A, old);
        Ok(())
    }
}

/// `CASP`. Bytes of the immediate: the register after Rt; the one after Rs, to
/// be read; the same, to be written. A is Rs again.
pub(crate) struct CompareAndSwapPair<const SIZE: u8>;

impl<const SIZE: u8> Sem for CompareAndSwapPair<SIZE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let expected = (d.x(Slot::M), d.x_of_imm(1));
        let new = (d.x(Slot::D), d.x_of_imm(0));
        let (low, high) = d.compare_and_swap_pair::<SIZE>(d.x(Slot::N), expected, new)?;
        d.set_x(Slot::A, low);
        d.set_x_of_imm(2, high);
        Ok(())
    }
}
