//! The part of the domain for ordered, exclusive and atomic accesses.
//!
//! Each must be aligned to its size. With FEAT_LSE2 it is enough that it lies
//! within 16 bytes that are aligned (`AArch64.UnalignedAccessFaults`). Other
//! accesses fault.

use crate::domain::{Stop, Values};

/// What an atomic read-modify-write does with the old value and the operand.
pub mod rmw {
    /// Addition.
    pub const ADD: u8 = 0;
    /// Clears the operand's bits.
    pub const CLR: u8 = 1;
    /// Exclusive or.
    pub const EOR: u8 = 2;
    /// Sets the operand's bits.
    pub const SET: u8 = 3;
    /// Signed maximum.
    pub const SMAX: u8 = 4;
    /// Signed minimum.
    pub const SMIN: u8 = 5;
    /// Unsigned maximum.
    pub const UMAX: u8 = 6;
    /// Unsigned minimum.
    pub const UMIN: u8 = 7;
    /// Replacement.
    pub const SWP: u8 = 8;
}

/// Ordered, exclusive and atomic accesses.
pub trait AtomicDomain: Values {
    /// A load with acquire semantics.
    ///
    /// # Errors
    /// As all memory accesses: [`Stop`] if the instruction cannot go on.
    fn load_acquire<const SIZE: u8>(&mut self, addr: Self::X) -> Result<Self::X, Stop>;
    /// A store with release semantics, which a load with acquire semantics
    /// that comes behind does not pass.
    ///
    /// # Errors
    /// As all memory accesses: [`Stop`] if the instruction cannot go on.
    fn store_release<const SIZE: u8>(&mut self, addr: Self::X, value: Self::X) -> Result<(), Stop>;
    /// A load that opens the exclusive monitor.
    ///
    /// # Errors
    /// As all memory accesses: [`Stop`] if the instruction cannot go on.
    fn load_exclusive<const SIZE: u8>(&mut self, addr: Self::X) -> Result<Self::X, Stop>;
    /// A load of a pair that opens the exclusive monitor.
    ///
    /// # Errors
    /// As all memory accesses: [`Stop`] if the instruction cannot go on.
    fn load_exclusive_pair<const SIZE: u8>(&mut self, addr: Self::X) -> Result<(Self::X, Self::X), Stop>;
    /// A store if the monitor is open for it; 0 if it was done, else 1.
    ///
    /// # Errors
    /// As all memory accesses: [`Stop`] if the instruction cannot go on.
    fn store_exclusive<const SIZE: u8>(&mut self, addr: Self::X, value: Self::X) -> Result<Self::X, Stop>;
    /// A store of a pair if the monitor is open for it; 0 if it was done, else 1.
    ///
    /// # Errors
    /// As all memory accesses: [`Stop`] if the instruction cannot go on.
    fn store_exclusive_pair<const SIZE: u8>(&mut self, addr: Self::X, a: Self::X, b: Self::X) -> Result<Self::X, Stop>;
    /// Closes the exclusive monitor.
    fn clear_exclusive(&mut self);
    /// An atomic read-modify-write ([`rmw`]); gives the old value.
    ///
    /// # Errors
    /// As all memory accesses: [`Stop`] if the instruction cannot go on.
    fn atomic<const OP: u8, const SIZE: u8>(&mut self, addr: Self::X, value: Self::X) -> Result<Self::X, Stop>;
    /// Stores `new` if memory holds `expected`; gives what was there.
    ///
    /// # Errors
    /// As all memory accesses: [`Stop`] if the instruction cannot go on.
    fn compare_and_swap<const SIZE: u8>(
        &mut self,
        addr: Self::X,
        expected: Self::X,
        new: Self::X,
    ) -> Result<Self::X, Stop>;
    /// [`AtomicDomain::compare_and_swap`] of a pair.
    ///
    /// # Errors
    /// As all memory accesses: [`Stop`] if the instruction cannot go on.
    fn compare_and_swap_pair<const SIZE: u8>(
        &mut self,
        addr: Self::X,
        expected: (Self::X, Self::X),
        new: (Self::X, Self::X),
    ) -> Result<(Self::X, Self::X), Stop>;
}
