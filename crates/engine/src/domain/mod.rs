//! What instructions are made of: the operations that semantics may use.
//!
//! `sem` holds the meaning of every form of instruction, written once over
//! [`Domain`]. [`direct::Direct`] is the instance that works on plain numbers,
//! out of which `handler` makes threaded code; a gadget compiler or a JIT is
//! another. Therefore semantics
//!
//! * never branch on a guest value in Rust: they use [`Domain::select`];
//! * never look at an encoding: what differs between forms is a const
//!   parameter, what differs between instructions a slot or the immediate;
//! * write registers and flags only after all memory accesses, so that an
//!   instruction that faults has done nothing and can be started again.

pub(crate) mod atomic;
pub(crate) mod direct;
mod direct_atomic;
mod direct_vector;
pub(crate) mod flags;
pub(crate) mod handler;
pub(crate) mod memory;
mod pauth;
pub(crate) mod plain;
mod unaligned;
pub(crate) mod vector;

pub use crate::op::Slot;
pub use atomic::{AtomicDomain, rmw};
pub use pauth::PointerDomain;
pub use vector::VectorDomain;

/// What a domain computes with.
pub trait Values {
    /// A 64-bit value.
    type X: Copy;
    /// A truth value.
    type B: Copy;
    /// A 128-bit value.
    type V: Copy;
}

/// An instruction did not finish: it faulted, or must be tried another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop;

/// The meaning of a form of instruction that goes on to the next one.
pub trait Sem: 'static {
    /// The form is too much for a handler without calls and without a stack
    /// frame; it always takes the way of an instruction that has to be started
    /// again.
    const IS_LARGE: bool = false;

    /// Executes the instruction.
    ///
    /// # Errors
    /// When a memory access of the domain stopped.
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop>;
}

/// The meaning of a branch to an immediate target: whether it is taken.
pub trait BranchSem: 'static {
    /// The condition; registers (`BL`) are written on the way.
    fn is_taken<D: Domain>(d: &mut D) -> D::B;
}

/// The meaning of a branch to a register: where it goes.
pub trait JumpSem: 'static {
    /// What kind of branch it is to `bti`: a number of `bti::branch`.
    const BRANCH: u8;

    /// The target; registers (`BLR`) are written on the way.
    ///
    /// # Errors
    /// When the target is a pointer whose authentication failed, or must be
    /// authenticated another way.
    fn target<D: Domain>(d: &mut D) -> Result<D::X, Stop>;
}

/// Bytes of an integer access, as a const parameter.
pub mod size {
    /// One byte.
    pub const B: u8 = 0;
    /// Two bytes.
    pub const H: u8 = 1;
    /// Four bytes.
    pub const W: u8 = 2;
    /// Eight bytes.
    pub const X: u8 = 3;
    /// Sixteen bytes (SIMD&FP registers only).
    pub const Q: u8 = 4;
}

/// What a barrier orders, as a const parameter.
pub mod order {
    /// All accesses before with all behind (`DMB SY`).
    pub const ALL: u8 = 0;
    /// Loads before with all accesses behind (`DMB LD`).
    pub const LOADS: u8 = 1;
    /// Stores before with stores behind (`DMB ST`).
    pub const STORES: u8 = 2;
    /// The decision to come here with all loads behind (`ISB`).
    pub const DECISION: u8 = 3;
}

/// Integer values, truth values, flags, registers and memory.
///
/// `SF` as a const parameter is Arm's field: false for operations on the low
/// 32 bits, whose results have zeros above. Operands may have anything above.
pub trait Domain: VectorDomain + AtomicDomain + PointerDomain {
    // Operands.

    /// A constant.
    fn constant(&self, value: u64) -> Self::X;
    /// The op's immediate, sign extended.
    fn imm(&self) -> Self::X;
    /// The op's immediate, zero extended.
    fn imm_unsigned(&self) -> Self::X;
    /// The 64-bit literal that the op's immediate names (`Lower::literal`).
    fn literal(&self) -> Self::X;
    /// The general register in a slot.
    fn x(&self, slot: Slot) -> Self::X;
    /// Writes a general register, all 64 bits.
    fn set_x(&mut self, slot: Slot, value: Self::X);
    /// The number in a slot itself, for small constants such as a shift.
    fn slot(&self, slot: Slot) -> Self::X;
    /// The general register whose number is byte `index` (0 to 3) of the
    /// immediate, for instructions with more registers than slots.
    fn x_of_imm(&self, index: u32) -> Self::X;
    /// Writes the general register whose number is byte `index` of the immediate.
    fn set_x_of_imm(&mut self, index: u32, value: Self::X);
    /// The guest address of the page of code that runs.
    fn page(&self) -> Self::X;
    /// The guest address of the next instruction.
    fn next_pc(&self) -> Self::X;

    // Arithmetic.

    /// Zeros above bit 31 unless `SF`.
    fn trunc<const SF: bool>(&self, a: Self::X) -> Self::X;
    /// Zeros above an access of size `SIZE`.
    fn zext<const SIZE: u8>(&self, a: Self::X) -> Self::X;
    /// The low part, of an access of size `SIZE`, sign extended to 64 bits.
    fn sext<const SIZE: u8>(&self, a: Self::X) -> Self::X;
    /// 64-bit sum.
    fn add(&self, a: Self::X, b: Self::X) -> Self::X;
    /// 64-bit difference.
    fn sub(&self, a: Self::X, b: Self::X) -> Self::X;
    /// 64-bit product, low half.
    fn mul(&self, a: Self::X, b: Self::X) -> Self::X;
    /// High half of the unsigned product.
    fn umulh(&self, a: Self::X, b: Self::X) -> Self::X;
    /// High half of the signed product.
    fn smulh(&self, a: Self::X, b: Self::X) -> Self::X;
    /// `UDIV`.
    fn udiv<const SF: bool>(&self, a: Self::X, b: Self::X) -> Self::X;
    /// `SDIV`.
    fn sdiv<const SF: bool>(&self, a: Self::X, b: Self::X) -> Self::X;
    /// 64-bit and.
    fn and(&self, a: Self::X, b: Self::X) -> Self::X;
    /// 64-bit or.
    fn or(&self, a: Self::X, b: Self::X) -> Self::X;
    /// 64-bit exclusive or.
    fn xor(&self, a: Self::X, b: Self::X) -> Self::X;
    /// 64-bit complement.
    fn not(&self, a: Self::X) -> Self::X;
    /// Shift left by `n` modulo the width.
    fn lsl<const SF: bool>(&self, a: Self::X, n: Self::X) -> Self::X;
    /// Logical shift right by `n` modulo the width.
    fn lsr<const SF: bool>(&self, a: Self::X, n: Self::X) -> Self::X;
    /// Arithmetic shift right by `n` modulo the width.
    fn asr<const SF: bool>(&self, a: Self::X, n: Self::X) -> Self::X;
    /// Rotation right by `n` modulo the width.
    fn ror<const SF: bool>(&self, a: Self::X, n: Self::X) -> Self::X;
    /// The `width` bits from bit `n + width - 1` down to `n` of the pair
    /// `a:b`, where `width` is 64 with `SF`, else 32 (`EXTR`).
    fn extr<const SF: bool>(&self, a: Self::X, b: Self::X, n: Self::X) -> Self::X;
    /// Leading zeros.
    fn clz<const SF: bool>(&self, a: Self::X) -> Self::X;
    /// The bits in the other order.
    fn rbit<const SF: bool>(&self, a: Self::X) -> Self::X;
    /// The bytes of each unit of `1 << SIZE` bytes in the other order.
    fn rev<const SF: bool, const SIZE: u8>(&self, a: Self::X) -> Self::X;
    /// `CRC32` (`C` false) or `CRC32C` of an element of size `SIZE`.
    fn crc32<const C: bool, const SIZE: u8>(&self, acc: Self::X, value: Self::X) -> Self::X;

    // Truth values.

    /// Equality of all 64 bits.
    fn eq(&self, a: Self::X, b: Self::X) -> Self::B;
    /// Unsigned comparison of all 64 bits.
    fn ult(&self, a: Self::X, b: Self::X) -> Self::B;
    /// Signed comparison of all 64 bits.
    fn slt(&self, a: Self::X, b: Self::X) -> Self::B;
    /// Negation.
    fn not_b(&self, a: Self::B) -> Self::B;
    /// True.
    fn truth(&self) -> Self::B;
    /// 1 for true, 0 for false.
    fn x_from(&self, a: Self::B) -> Self::X;
    /// `a` if `c`, else `b`.
    fn select(&self, c: Self::B, a: Self::X, b: Self::X) -> Self::X;

    // Flags.

    /// Sets the flags of `SUBS a, b`.
    fn set_flags_sub<const SF: bool>(&mut self, a: Self::X, b: Self::X);
    /// Sets the flags of `ADDS a, b`.
    fn set_flags_add<const SF: bool>(&mut self, a: Self::X, b: Self::X);
    /// Sets the flags of `ADCS a, b` with the carry `c` (0 or 1); `SBCS` is
    /// that of the complement of `b`.
    fn set_flags_adc<const SF: bool>(&mut self, a: Self::X, b: Self::X, c: Self::X);
    /// Sets N and Z of a logical result, clears C and V (`ANDS`, `BICS`).
    fn set_flags_logic<const SF: bool>(&mut self, result: Self::X);
    /// Sets the flags of `SUBS a, b` if `c`, else to the low four bits of `nzcv`.
    fn set_flags_sub_if<const SF: bool>(&mut self, c: Self::B, a: Self::X, b: Self::X, nzcv: Self::X);
    /// Sets the flags of `ADDS a, b` if `c`, else to the low four bits of `nzcv`.
    fn set_flags_add_if<const SF: bool>(&mut self, c: Self::B, a: Self::X, b: Self::X, nzcv: Self::X);
    /// The flags as N, Z, C, V in bits 31 to 28.
    fn nzcv(&self) -> Self::X;
    /// Sets the flags from bits 31 to 28; the other bits are ignored.
    fn set_nzcv(&mut self, nzcv: Self::X);
    /// What PSTATE holds beside the flags, where SPSR has it (`machine::pstate`).
    fn pstate(&self) -> Self::X;
    /// Sets what PSTATE holds beside the flags.
    fn set_pstate(&mut self, pstate: Self::X);
    /// C as 0 or 1.
    fn carry(&self) -> Self::X;
    /// `ConditionHolds` for the condition `COND` (0 to 15).
    fn condition<const COND: u8>(&self) -> Self::B;

    // Memory. Addresses are the guest's, top byte and all. Loads are zero
    // extended. None of these changes a register.

    /// A load.
    ///
    /// # Errors
    /// As all memory accesses: [`Stop`] if the instruction cannot go on.
    fn load<const SIZE: u8>(&mut self, addr: Self::X) -> Result<Self::X, Stop>;
    /// A store of the low part.
    ///
    /// # Errors
    /// See [`Domain::load`].
    fn store<const SIZE: u8>(&mut self, addr: Self::X, value: Self::X) -> Result<(), Stop>;
    /// Two loads side by side; both or neither.
    ///
    /// # Errors
    /// See [`Domain::load`].
    fn load_pair<const SIZE: u8>(&mut self, addr: Self::X) -> Result<(Self::X, Self::X), Stop>;
    /// Two stores side by side; both or neither.
    ///
    /// # Errors
    /// See [`Domain::load`].
    fn store_pair<const SIZE: u8>(&mut self, addr: Self::X, a: Self::X, b: Self::X) -> Result<(), Stop>;
    /// Zeroes the 64-byte block that holds `addr`.
    ///
    /// # Errors
    /// See [`Domain::load`].
    fn zero_block(&mut self, addr: Self::X) -> Result<(), Stop>;
    /// Orders memory accesses before with those behind.
    fn barrier<const KIND: u8>(&mut self);
}
