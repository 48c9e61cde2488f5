//! The disassembler: what LLVM's prints, from the table's syntax column.
//!
//! [`alias`] picks the syntax (the row's own, or that of a preferred alias such
//! as `mov` or `cmp`), [`template`] fills it in.

mod alias;
mod int;
mod simd;
mod system;
mod template;

use core::fmt;

use crate::{Insn, decode};

/// Shows an instruction word as assembler text, with numbers in decimal and
/// branch targets as `#offset`, as `llvm-mc --disassemble` prints it.
/// A word that does not decode is shown as `.inst 0x…`.
///
/// `pc` is the address of the instruction; it is used by the alternate form
/// (`{:#}`), which shows branch targets and `ADR` results as addresses.
#[must_use]
pub fn disassemble(word: u32, pc: u64) -> impl fmt::Display {
    Text { word, pc }
}

struct Text {
    word: u32,
    pc: u64,
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(encoding) = decode(self.word) else {
            return write!(f, ".inst {:#010x}", self.word);
        };
        let syntax = alias::syntax(encoding, Insn(self.word));
        let operands = template::Operands { encoding, insn: Insn(self.word), pc: self.pc, absolute: f.alternate() };
        template::fill(f, syntax, &operands)
    }
}
