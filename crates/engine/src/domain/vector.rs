//! The part of the domain for SIMD&FP registers.

use crate::domain::{Slot, Stop, Values};

/// SIMD&FP registers: values, access, and memory.
pub trait VectorDomain: Values {
    /// The whole register in a slot.
    fn v(&self, slot: Slot) -> Self::V;
    /// Writes the whole register in a slot.
    fn set_v(&mut self, slot: Slot, value: Self::V);
    /// The register `n` after that in a slot, modulo 32.
    fn v_after(&self, slot: Slot, n: u8) -> Self::V;
    /// Writes the register `n` after that in a slot, modulo 32.
    fn set_v_after(&mut self, slot: Slot, n: u8, value: Self::V);
    /// `high:low`.
    fn v_from_halves(&self, low: Self::X, high: Self::X) -> Self::V;
    /// The low half.
    fn v_low(&self, a: Self::V) -> Self::X;
    /// The high half.
    fn v_high(&self, a: Self::V) -> Self::X;

    /// A load of `1 << SIZE` bytes (`domain::size`), zero extended.
    ///
    /// # Errors
    /// [`Stop`] if the instruction cannot go on.
    fn load_v<const SIZE: u8>(&mut self, addr: Self::X) -> Result<Self::V, Stop>;
    /// A store of the low `1 << SIZE` bytes.
    ///
    /// # Errors
    /// [`Stop`] if the instruction cannot go on.
    fn store_v<const SIZE: u8>(&mut self, addr: Self::X, value: Self::V) -> Result<(), Stop>;
    /// Two loads side by side; both or neither.
    ///
    /// # Errors
    /// [`Stop`] if the instruction cannot go on.
    fn load_pair_v<const SIZE: u8>(&mut self, addr: Self::X) -> Result<(Self::V, Self::V), Stop>;
    /// Two stores side by side; both or neither.
    ///
    /// # Errors
    /// [`Stop`] if the instruction cannot go on.
    fn store_pair_v<const SIZE: u8>(&mut self, addr: Self::X, a: Self::V, b: Self::V) -> Result<(), Stop>;

    /// FPCR.
    fn fpcr(&self) -> Self::X;
    /// Sets FPCR; bits that are not implemented are ignored.
    fn set_fpcr(&mut self, value: Self::X);
    /// FPSR.
    fn fpsr(&self) -> Self::X;
    /// Sets FPSR; bits that are not implemented are ignored.
    fn set_fpsr(&mut self, value: Self::X);
}
