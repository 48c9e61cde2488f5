//! Each instruction against QEMU.
//!
//! [`generate`] makes cases from the rows of `a64`'s table: an instruction (or
//! a few) and a register state. [`mod@reference`] runs them under QEMU user mode by
//! way of a small static program (`oracle/oracle.c`), [`ours`] on the engine;
//! [`coverage`] compares and writes `docs/isa-coverage.md`.

pub mod case;
pub mod coverage;
pub mod generate;
pub mod operands;
pub mod ours;
pub mod reference;
