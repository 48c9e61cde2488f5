//! Fills in a row's syntax.
//!
//! `<…>` is an operand, shown by [`int::operand`] (general registers,
//! immediates, shifts) or by a sibling for FP and SIMD. `{…}` is left out
//! if every operand in it has its default value (`lsl #0`, offset 0).
//! Anything else is copied.

use core::fmt::{self, Write};

use super::int;
use crate::{Encoding, Insn};

/// What the operand functions look at.
pub(super) struct Operands {
    pub(super) encoding: Encoding,
    pub(super) insn: Insn,
    pub(super) pc: u64,
    /// Show addresses, not offsets.
    pub(super) absolute: bool,
}

/// What an operand function found.
pub(super) enum Shown {
    /// It is written.
    Written,
    /// It is written, and is what the assembler assumes if it is left out.
    Default,
    /// No operand of this name.
    Unknown,
}

/// A short text on the stack, for the optional parts.
struct Buffer {
    bytes: [u8; 96],
    len: usize,
}

impl Write for Buffer {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let end = self.len + s.len();
        self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(s.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Writes `syntax` with its operands filled in.
pub(super) fn fill(out: &mut dyn Write, syntax: &str, operands: &Operands) -> fmt::Result {
    part(out, syntax, operands).map(|_| ())
}

/// As [`fill`]; tells whether every operand had its default value.
fn part(out: &mut dyn Write, syntax: &str, operands: &Operands) -> Result<bool, fmt::Error> {
    let mut rest = syntax;
    let mut all_default = true;
    while let Some(at) = rest.find(['<', '{']) {
        let (text, tail) = rest.split_at(at);
        out.write_str(text)?;
        let close = if tail.starts_with('<') { '>' } else { '}' };
        let (inner, after) = tail[1..].split_once(close).ok_or(fmt::Error)?;
        rest = after;
        if close == '>' {
            match int::operand(out, inner, operands)? {
                Shown::Written => all_default = false,
                Shown::Default => {}
                Shown::Unknown => write!(out, "<{inner}>")?,
            }
        } else {
            let mut buffer = Buffer { bytes: [0; 96], len: 0 };
            if !part(&mut buffer, inner, operands)? {
                all_default = false;
                out.write_str(core::str::from_utf8(&buffer.bytes[..buffer.len]).map_err(|_| fmt::Error)?)?;
            }
        }
    }
    out.write_str(rest)?;
    Ok(all_default)
}
