//! Operands: general registers, immediates, shifts and extensions.

use core::fmt::{self, Write};

use super::template::{Operands, Shown};
use crate::Insn;

/// A general register: `x0`, `wzr`, `sp`.
fn register(out: &mut dyn Write, wide: bool, number: u32, stack: bool) -> fmt::Result {
    match (number, stack, wide) {
        (31, true, true) => out.write_str("sp"),
        (31, true, false) => out.write_str("wsp"),
        (31, false, _) => out.write_str(if wide { "xzr" } else { "wzr" }),
        _ => write!(out, "{}{number}", if wide { 'x' } else { 'w' }),
    }
}

/// The register number that a field letter of the syntax stands for.
fn number(i: Insn, field: &str) -> Option<u32> {
    Some(match field {
        "d" => i.rd(),
        "n" => i.rn(),
        "m" => i.rm(),
        "a" => i.ra(),
        "t" => i.rt(),
        "t2" => i.rt2(),
        "s" => i.rs(),
        _ => return None,
    })
}

/// Writes the operand called `name`.
pub(super) fn operand(out: &mut dyn Write, name: &str, o: &Operands) -> Result<Shown, fmt::Error> {
    let i = o.insn;
    let (base, stack) = match name.strip_suffix("|SP") {
        Some(base) => (base, true),
        None => (name, false),
    };
    if let Some(field) = base.strip_prefix(['X', 'W', 'R'])
        && let Some(number) = number(i, field)
    {
        let wide = base.starts_with('X') || base.starts_with('R') && i.sf() == 1;
        register(out, wide, number, stack)?;
        return Ok(Shown::Written);
    }
    Ok(Shown::Unknown)
}
