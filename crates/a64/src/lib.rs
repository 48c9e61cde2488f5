//! The A64 instruction set of the Arm Architecture Reference Manual.
//!
//! One table (`src/table/`, read by the build script) has a row for each
//! encoding; [`Encoding`], [`decode`], [`disassemble`] and
//! [`for_each_encoding!`] come from it. [`Insn`] reads fields out of a word,
//! and [`pseudocode`] has the manual's shared functions.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod disasm;
mod encoding;
mod insn;
pub mod pseudocode;

pub use disasm::disassemble;
pub use encoding::{Encoding, Field, Need, Row, decode};
pub use insn::Insn;

#[cfg(test)]
mod table_tests;
