//! Loads and stores of general registers.
//!
//! N is the base, D and A are the registers moved, M is the index register.

use crate::domain::{Domain, Sem, Slot, Stop, size};

/// How a loaded value fills its register.
pub(crate) mod extend {
    /// With zeros.
    pub(crate) const ZERO: u8 = 0;
    /// With its sign, to 64 bits.
    pub(crate) const SIGN64: u8 = 1;
    /// With its sign to 32 bits, with zeros above.
    pub(crate) const SIGN32: u8 = 2;
}

/// How the address comes about.
pub(crate) mod mode {
    /// Base and immediate.
    pub(crate) const OFFSET: u8 = 0;
    /// Base and immediate, which also becomes the base.
    pub(crate) const PRE: u8 = 1;
    /// The base, to which the immediate is then added.
    pub(crate) const POST: u8 = 2;
    /// The start of this page of code and the immediate.
    pub(crate) const LITERAL: u8 = 3;
    /// The base alone.
    pub(crate) const BASE: u8 = 4;
}

/// What is done to an index register before it is added.
pub(crate) mod index {
    /// Nothing.
    pub(crate) const X: u8 = 0;
    /// Its low half is zero extended.
    pub(crate) const UXTW: u8 = 1;
    /// Its low half is sign extended.
    pub(crate) const SXTW: u8 = 2;
}

/// The address of an access.
#[inline(always)]
pub(crate) fn address<D: Domain, const MODE: u8>(d: &D) -> D::X {
    match MODE {
        mode::LITERAL => d.add(d.page(), d.imm()),
        mode::BASE | mode::POST => d.x(Slot::N),
        _ => d.add(d.x(Slot::N), d.imm()),
    }
}

/// Writes the base register where the mode does. Its new value is computed
/// here, not kept since [`address`]: a handler has few registers to keep
/// things in.
#[inline(always)]
pub(crate) fn write_back<D: Domain, const MODE: u8>(d: &mut D) {
    if MODE == mode::PRE || MODE == mode::POST {
        let base = d.add(d.x(Slot::N), d.imm());
        d.set_x(Slot::N, base);
    }
}

/// The address of an access with an index register, shifted by `SHIFT`.
#[inline(always)]
pub(crate) fn indexed<D: Domain, const INDEX: u8, const SHIFT: u8>(d: &D) -> D::X {
    let index = d.x(Slot::M);
    let index = match INDEX {
        index::UXTW => d.zext::<{ size::W }>(index),
        index::SXTW => d.sext::<{ size::W }>(index),
        _ => index,
    };
    d.add(d.x(Slot::N), d.lsl::<true>(index, d.constant(u64::from(SHIFT))))
}

/// A loaded value as it fills its register.
#[inline(always)]
pub(crate) fn extended<D: Domain, const SIZE: u8, const EXTEND: u8>(d: &D, value: D::X) -> D::X {
    match EXTEND {
        extend::SIGN64 => d.sext::<SIZE>(value),
        extend::SIGN32 => d.trunc::<false>(d.sext::<SIZE>(value)),
        _ => value,
    }
}

/// `LDR` and its like with an immediate.
pub(crate) struct Load<const SIZE: u8, const EXTEND: u8, const MODE: u8>;

impl<const SIZE: u8, const EXTEND: u8, const MODE: u8> Sem for Load<SIZE, EXTEND, MODE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let addr = address::<D, MODE>(d);
        let value = d.load::<SIZE>(addr)?;
        write_back::<D, MODE>(d);
        let value = extended::<D, SIZE, EXTEND>(d, value);
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `STR` and its like with an immediate.
pub(crate) struct Store<const SIZE: u8, const MODE: u8>;

impl<const SIZE: u8, const MODE: u8> Sem for Store<SIZE, MODE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let addr = address::<D, MODE>(d);
        let value = d.x(Slot::D);
        d.store::<SIZE>(addr, value)?;
        write_back::<D, MODE>(d);
        Ok(())
    }
}

/// `LDR` and its like with an index register.
pub(crate) struct LoadIndexed<const SIZE: u8, const EXTEND: u8, const INDEX: u8, const SHIFT: u8>;

impl<const SIZE: u8, const EXTEND: u8, const INDEX: u8, const SHIFT: u8> Sem
    for LoadIndexed<SIZE, EXTEND, INDEX, SHIFT>
{
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let addr = indexed::<D, INDEX, SHIFT>(d);
        let value = d.load::<SIZE>(addr)?;
        let value = extended::<D, SIZE, EXTEND>(d, value);
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `STR` and its like with an index register.
pub(crate) struct StoreIndexed<const SIZE: u8, const INDEX: u8, const SHIFT: u8>;

impl<const SIZE: u8, const INDEX: u8, const SHIFT: u8> Sem for StoreIndexed<SIZE, INDEX, SHIFT> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let addr = indexed::<D, INDEX, SHIFT>(d);
        let value = d.x(Slot::D);
        d.store::<SIZE>(addr, value)
    }
}

/// `LDP`, `LDPSW` (`EXTEND`).
pub(crate) struct LoadPair<const SIZE: u8, const EXTEND: u8, const MODE: u8>;

impl<const SIZE: u8, const EXTEND: u8, const MODE: u8> Sem for LoadPair<SIZE, EXTEND, MODE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let addr = address::<D, MODE>(d);
        let (a, b) = d.load_pair::<SIZE>(addr)?;
        write_back::<D, MODE>(d);
        let (a, b) = (extended::<D, SIZE, EXTEND>(d, a), extended::<D, SIZE, EXTEND>(d, b));
        d.set_x(Slot::D, a);
        d.set_x(Slot::A, b);
        Ok(())
    }
}

/// `STP`.
pub(crate) struct StorePair<const SIZE: u8, const MODE: u8>;

impl<const SIZE: u8, const MODE: u8> Sem for StorePair<SIZE, MODE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let addr = address::<D, MODE>(d);
        let (a, b) = (d.x(Slot::D), d.x(Slot::A));
        d.store_pair::<SIZE>(addr, a, b)?;
        write_back::<D, MODE>(d);
        Ok(())
    }
}
