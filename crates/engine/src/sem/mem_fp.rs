//! Loads and stores of SIMD&FP registers, but for structures.

use crate::domain::{Domain, Sem, Slot, Stop};
use crate::sem::mem::{address, indexed, write_back};

/// `LDR` with an immediate.
pub(crate) struct LoadV<const SIZE: u8, const MODE: u8>;

impl<const SIZE: u8, const MODE: u8> Sem for LoadV<SIZE, MODE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let addr = address::<D, MODE>(d);
        let value = d.load_v::<SIZE>(addr)?;
        write_back::<D, MODE>(d);
        d.set_v(Slot::D, value);
        Ok(())
    }
}

/// `STR` with an immediate.
pub(crate) struct StoreV<const SIZE: u8, const MODE: u8>;

impl<const SIZE: u8, const MODE: u8> Sem for StoreV<SIZE, MODE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let addr = address::<D, MODE>(d);
        let value = d.v(Slot::D);
        d.store_v::<SIZE>(addr, value)?;
        write_back::<D, MODE>(d);
        Ok(())
    }
}

/// `LDR` with an index register.
pub(crate) struct LoadVIndexed<const SIZE: u8, const INDEX: u8, const SHIFT: u8>;

impl<const SIZE: u8, const INDEX: u8, const SHIFT: u8> Sem for LoadVIndexed<SIZE, INDEX, SHIFT> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let addr = indexed::<D, INDEX, SHIFT>(d);
        let value = d.load_v::<SIZE>(addr)?;
        d.set_v(Slot::D, value);
        Ok(())
    }
}

/// `STR` with an index register.
pub(crate) struct StoreVIndexed<const SIZE: u8, const INDEX: u8, const SHIFT: u8>;

impl<const SIZE: u8, const INDEX: u8, const SHIFT: u8> Sem for StoreVIndexed<SIZE, INDEX, SHIFT> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let addr = indexed::<D, INDEX, SHIFT>(d);
        let value = d.v(Slot::D);
        d.store_v::<SIZE>(addr, value)
    }
}

/// `LDP`.
pub(crate) struct LoadPairV<const SIZE: u8, const MODE: u8>;

impl<const SIZE: u8, const MODE: u8> Sem for LoadPairV<SIZE, MODE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let addr = address::<D, MODE>(d);
        let (a, b) = d.load_pair_v::<SIZE>(addr)?;
        write_back::<D, MODE>(d);
        d.set_v(Slot::D, a);
        d.set_v(Slot::A, b);
        Ok(())
    }
}

/// `STP`.
pub(crate) struct StorePairV<const SIZE: u8, const MODE: u8>;

impl<const SIZE: u8, const MODE: u8> Sem for StorePairV<SIZE, MODE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let addr = address::<D, MODE>(d);
        let (a, b) = (d.v(Slot::D), d.v(Slot::A));
        d.store_pair_v::<SIZE>(addr, a, b)?;
        write_back::<D, MODE>(d);
        Ok(())
    }
}
