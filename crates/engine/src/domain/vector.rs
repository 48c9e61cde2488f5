//! The part of the domain for SIMD&FP registers.

use crate::domain::{Slot, Stop, Values};
use crate::simd::{FpOp, SaturatingOp, VectorOp};

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

    /// The low `BYTES` bytes (4, 8 or 16, or fewer), with zeros above.
    fn v_keep<const BYTES: u32>(&self, a: Self::V) -> Self::V;
    /// An operation on vectors and a number.
    fn vector<O: VectorOp>(&self, a: Self::V, b: Self::V, c: Self::V, n: Self::X) -> Self::V;
    /// An operation that may set FPSR.QC.
    fn saturating<O: SaturatingOp>(&mut self, a: Self::V, b: Self::V, c: Self::V, n: Self::X) -> Self::V;
    /// An operation subject to FPCR, which may raise exceptions in FPSR.
    ///
    /// # Errors
    /// [`Stop`] if the operation must be tried another way; nothing has
    /// changed then.
    fn fp<O: FpOp>(&mut self, a: Self::V, b: Self::V, c: Self::V, n: Self::X) -> Result<Self::V, Stop>;
}
