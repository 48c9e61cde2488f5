//! Each instruction against QEMU.
//!
//! [`plan`] says what is run, [`generate`] makes cases from the rows of `a64`'s
//! table: an instruction and a register state; [`sequence`] makes runs of
//! several. [`mod@reference`] runs them under QEMU user mode by way of a small
//! static program (`oracle/oracle.c`), [`ours`] on the engine. [`compare`]
//! tells where they differ, [`known`] which differences are explained, and
//! [`coverage`] writes `docs/isa-coverage.md`.

pub mod case;
pub mod compare;
pub mod coverage;
pub mod generate;
pub mod known;
pub mod narrow;
pub mod operands;
pub mod ours;
pub mod pauth;
pub mod plan;
pub mod reference;
pub mod sequence;
pub mod wire;
pub mod words;
