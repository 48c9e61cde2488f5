//! Operands of floating point and Advanced SIMD.
//!
//! Vector registers are `<Vd.…>`, where the suffix tells which fields the
//! arrangement comes from; scalars are `<E…>` (`size`), `<Eh…>` (`immh`),
//! `<G…>` (`sz`), `<F…>` (`ftype`) and those of a fixed size.

use core::fmt::{self, Write};

use super::int::{decimal, number, register, written};
use super::template::{Operands, Shown};
use crate::pseudocode::{adv_simd_expand_imm, bits, vfp_expand_imm};
use crate::{Encoding, Insn};

/// The letters of scalars, by the log2 of their bytes.
const LETTERS: [&str; 5] = ["b", "h", "s", "d", "q"];
/// Arrangements by the log2 of the element's bytes and `Q`.
const ARRANGEMENTS: [[&str; 2]; 5] = [["8b", "16b"], ["4h", "8h"], ["2s", "4s"], ["1d", "2d"], ["1q", "1q"]];

/// Writes the operand called `name`.
pub(super) fn operand(out: &mut dyn Write, name: &str, o: &Operands) -> Result<Shown, fmt::Error> {
    for family in [vector, scalar, general, immediate, structure] {
        let shown = family(out, name, o)?;
        if !matches!(shown, Shown::Unknown) {
            return Ok(shown);
        }
    }
    Ok(Shown::Unknown)
}

/// The log2 of the element's bytes that the highest bit of `immh` tells.
fn shift_element(i: Insn) -> u32 {
    31 - i.immh().max(1).leading_zeros()
}

/// The log2 of the element's bytes that the lowest bit of `imm5` tells.
fn lane_element(i: Insn) -> u32 {
    i.imm5().trailing_zeros().min(3)
}

fn arrangement(element: u32, q: u32) -> &'static str {
    ARRANGEMENTS[element.min(4) as usize][(q & 1) as usize]
}

fn vector(out: &mut dyn Write, name: &str, o: &Operands) -> Result<Shown, fmt::Error> {
    let i = o.insn;
    let (base, by) = name.split_once('.').unwrap_or((name, ""));
    let Some(n) = base.strip_prefix('V').and_then(|field| number(i, field)) else {
        return Ok(Shown::Unknown);
    };
    let (size, sz, q) = (i.size_22(), i.sz_22(), i.q());
    let text = match by {
        "" => {
            write!(out, "v{n}")?;
            return Ok(Shown::Written);
        }
        "Ts5" => LETTERS[lane_element(i) as usize],
        "elem" => return element(out, i, size),
        "felem" => return element(out, i, 2 + sz),
        "helem" => return element(out, i, 1),
        "4b" | "2h" => {
            write!(out, "v{}.{by}[{}]", i.m_20() << 4 | i.rm_4(), i.h_11() << 1 | i.l_21())?;
            return Ok(Shown::Written);
        }
        // A complex number is two elements.
        "celem" => {
            let (letter, index) = if size == 1 { ("h", i.h_11() << 1 | i.l_21()) } else { ("s", i.h_11()) };
            write!(out, "v{}.{letter}[{index}]", i.m_20() << 4 | i.rm_4())?;
            return Ok(Shown::Written);
        }
        "D" if q == 0 => {
            write!(out, "d{n}")?;
            return Ok(Shown::Written);
        }
        "T" => arrangement(size, q),
        "Ta" => arrangement(size + 1, 1),
        "Tp" => arrangement(size + 1, q),
        "Th" => arrangement(shift_element(i), q),
        "Tha" => arrangement(shift_element(i) + 1, 1),
        "T5" => arrangement(lane_element(i), q),
        "B" => arrangement(0, q),
        "H" => arrangement(1, q),
        "S" | "Xn" => arrangement(2, q),
        "D" | "2d" => "2d",
        "F" => arrangement(2 + sz, q),
        "Hp" => "2h",
        "Xh" => ["2h", "4h"][q as usize],
        "Fp" => ["2s", "2d"][sz as usize],
        "Fw" => arrangement(2 + sz, 1),
        "Fn" => arrangement(1 + sz, q),
        _ => return Ok(Shown::Unknown),
    };
    write!(out, "v{n}.{text}")?;
    Ok(Shown::Written)
}

/// An element of Vm by `H`, `L` and `M`.
fn element(out: &mut dyn Write, i: Insn, size: u32) -> Result<Shown, fmt::Error> {
    let (h, l, m) = (i.h_11(), i.l_21(), i.m_20());
    let (n, letter, index) = match size {
        1 => (i.rm_4(), "h", h << 2 | l << 1 | m),
        2 => (m << 4 | i.rm_4(), "s", h << 1 | l),
        _ => (m << 4 | i.rm_4(), "d", h),
    };
    write!(out, "v{n}.{letter}[{index}]")?;
    Ok(Shown::Written)
}

fn scalar(out: &mut dyn Write, name: &str, o: &Operands) -> Result<Shown, fmt::Error> {
    let i = o.insn;
    let (base, wide) = name.strip_suffix(".wide").map_or((name, 0), |base| (base, 1));
    let by_type = |t: u32| match t {
        0 => 2,
        1 => 3,
        _ => 1,
    };
    let (field, element) = if base == "Ed5" {
        ("d", lane_element(i))
    } else if base == "Fd.opc" {
        ("d", by_type(i.opc_15()))
    } else if let Some(field) = base.strip_prefix("Eh") {
        (field, shift_element(i))
    } else if let Some(field) = base.strip_prefix('E') {
        (field, i.size_22())
    } else if let Some(field) = base.strip_prefix('G') {
        (field, 2 + i.sz_22())
    } else if let Some(field) = base.strip_prefix('F') {
        (field, by_type(i.ftype()))
    } else if let Some(field) = base.strip_prefix('S') {
        (field, 2)
    } else if let Some(field) = base.strip_prefix('H') {
        (field, 1)
    } else if let Some(field) = base.strip_prefix('D') {
        (field, 3)
    } else if let Some(field) = base.strip_prefix('Q') {
        (field, 4)
    } else {
        return Ok(Shown::Unknown);
    };
    let Some(n) = number(i, field) else {
        return Ok(Shown::Unknown);
    };
    write!(out, "{}{n}", LETTERS[(element + wide).min(4) as usize])?;
    Ok(Shown::Written)
}

/// General registers whose width depends on a field of Advanced SIMD.
fn general(out: &mut dyn Write, name: &str, o: &Operands) -> Result<Shown, fmt::Error> {
    let i = o.insn;
    match name {
        "Rd.Q" => register(out, i.q() == 1, i.rd(), false)?,
        "Rn5" => register(out, lane_element(i) == 3, i.rn(), false)?,
        _ => return Ok(Shown::Unknown),
    }
    Ok(Shown::Written)
}

fn immediate(out: &mut dyn Write, name: &str, o: &Operands) -> Result<Shown, fmt::Error> {
    let i = o.insn;
    let imm8 = i.abc() << 5 | i.defgh();
    let shift = i.immh() << 3 | i.immb();
    let element = 8 << shift_element(i);
    let value = match name {
        "2" => return written(out, if i.q() == 1 { "2" } else { "" }),
        "bt" => return written(out, if i.q() == 1 { "t" } else { "b" }),
        "imm2" => i.imm2_12(),
        "imm6" => i.imm6(),
        "rot" => rotation(o),
        "rshift" => 2 * element - shift,
        "lshift" => shift - element,
        "shll" => 8 << i.size_22(),
        "imm4" => i.imm4(),
        "index5" => i.imm5() >> (lane_element(i) + 1),
        "index4" => i.imm4() >> lane_element(i),
        "imm8" => imm8,
        "fbits" => 64 - i.scale(),
        "lsl8" => {
            let is_half = o.encoding.row().fields.iter().any(|f| f.name == "cm" && f.width == 1);
            let amount = if is_half { i.cm_13() } else { i.cm_13_2() } * 8;
            write!(out, "lsl #{amount}")?;
            return Ok(if amount == 0 { Shown::Default } else { Shown::Written });
        }
        "msl" => {
            write!(out, "msl #{}", 8 << i.cm_12())?;
            return Ok(Shown::Written);
        }
        "imm64" => {
            match adv_simd_expand_imm(1, 0b1110, imm8) {
                0 => out.write_str("0000000000000000")?,
                value => write!(out, "{value:#016x}")?,
            }
            return Ok(Shown::Written);
        }
        "vfimm" => return float(out, imm8),
        "fimm8" => return float(out, i.imm8_13()),
        _ => return Ok(Shown::Unknown),
    };
    decimal(out, value.into())?;
    Ok(Shown::Written)
}

/// By how many degrees a factor or summand is turned in the complex plane.
fn rotation(o: &Operands) -> u32 {
    let i = o.insn;
    match o.encoding {
        Encoding::FCADD_asimdsame2 => 90 + 180 * i.rot_12(),
        Encoding::FCMLA_asimdsame2 => 90 * i.rot_11(),
        _ => 90 * i.rot_13(),
    }
}

fn float(out: &mut dyn Write, imm8: u32) -> Result<Shown, fmt::Error> {
    write!(out, "{:.8}", f64::from_bits(vfp_expand_imm(imm8, 64)))?;
    Ok(Shown::Written)
}

/// Register lists, lanes and post-index amounts.
fn structure(out: &mut dyn Write, name: &str, o: &Operands) -> Result<Shown, fmt::Error> {
    let i = o.insn;
    match name {
        "table" => list(out, i.rn(), i.len() + 1, "16b")?,
        "list" => list(out, i.rt(), registers(o), arrangement(i.size_10(), i.q()))?,
        "lane" => {
            let (element, index) = lane(i);
            list(out, i.rt(), registers(o), LETTERS[element as usize])?;
            write!(out, "[{index}]")?;
        }
        "post" if i.rm() != 31 => write!(out, "x{}", i.rm())?,
        "post" => {
            let bytes = if is_multiple(o) {
                8 << i.q()
            } else if i.opcode_14() == 3 {
                1 << i.size_10()
            } else {
                1 << lane(i).0
            };
            write!(out, "#{}", registers(o) * bytes)?;
        }
        _ => return Ok(Shown::Unknown),
    }
    Ok(Shown::Written)
}

/// Whether whole registers are loaded or stored, not a lane of each.
fn is_multiple(o: &Operands) -> bool {
    matches!(o.encoding.class(), "asisdlse" | "asisdlsep")
}

/// How many registers a structure load or store has.
fn registers(o: &Operands) -> u32 {
    let i = o.insn;
    if !is_multiple(o) {
        return (bits(i.0, 13, 1) << 1 | bits(i.0, 21, 1)) + 1;
    }
    match i.opcode_12() {
        0 | 2 => 4,
        4 | 6 => 3,
        7 => 1,
        _ => 2,
    }
}

/// The log2 of the element's bytes and the index of a lane.
fn lane(i: Insn) -> (u32, u32) {
    let index = i.q() << 3 | i.s() << 2 | i.size_10();
    match (i.opcode_14(), i.size_10() & 1) {
        (0, _) => (0, index),
        (1, _) => (1, index >> 1),
        (_, 0) => (2, index >> 2),
        _ => (3, index >> 3),
    }
}

fn list(out: &mut dyn Write, first: u32, count: u32, suffix: &str) -> fmt::Result {
    for n in 0..count {
        write!(out, "{}v{}.{suffix}", if n == 0 { "{ " } else { ", " }, (first + n) % 32)?;
    }
    out.write_str(" }")
}
