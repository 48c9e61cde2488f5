//! Operands: general registers, immediates, shifts, extensions, conditions.

use core::fmt::{self, Write};

use super::template::{Operands, Shown};
use super::{simd, system};
use crate::pseudocode::{bits, decode_bit_masks, sign_extend};
use crate::{Encoding, Insn};

pub(super) use super::system::sys_alias;

/// 32 or 64, by `sf`.
pub(super) fn bit_width(i: Insn) -> u32 {
    32 << i.sf()
}

/// A logical immediate, zero above the width. (0 if reserved: such a word does
/// not decode.)
pub(super) fn bitmask(i: Insn) -> u64 {
    let mask = decode_bit_masks(i.n(), i.imms(), i.immr()).unwrap_or_default();
    mask & u64::MAX >> (64 - bit_width(i))
}

/// What `MOVN` makes, zero above the width.
pub(super) fn movn(i: Insn) -> u64 {
    !(u64::from(i.imm16()) << (i.hw() * 16)) & u64::MAX >> (64 - bit_width(i))
}

/// The names of the conditions.
const CONDITIONS: [&str; 16] =
    ["eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv"];
const EXTENSIONS: [&str; 8] = ["uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx"];
const SHIFTS: [&str; 4] = ["lsl", "lsr", "asr", "ror"];

/// A general register: `x0`, `wzr`, `sp`.
pub(super) fn register(out: &mut dyn Write, wide: bool, number: u32, stack: bool) -> fmt::Result {
    match (number, stack, wide) {
        (31, true, true) => out.write_str("sp"),
        (31, true, false) => out.write_str("wsp"),
        (31, false, _) => out.write_str(if wide { "xzr" } else { "wzr" }),
        _ => write!(out, "{}{number}", if wide { 'x' } else { 'w' }),
    }
}

/// The register number that a field letter of the syntax stands for.
pub(super) fn number(i: Insn, field: &str) -> Option<u32> {
    Some(match field {
        "d" => i.rd(),
        "n" => i.rn(),
        "m" => i.rm(),
        "m0" => i.rm_0(),
        "a" => i.ra(),
        "t" => i.rt(),
        "t2" => i.rt2(),
        "s" => i.rs(),
        _ => return None,
    })
}

/// Writes the operand called `name`.
pub(super) fn operand(out: &mut dyn Write, name: &str, o: &Operands) -> Result<Shown, fmt::Error> {
    for family in [general, immediate, modifier, memory, system::operand, simd::operand] {
        let shown = family(out, name, o)?;
        if !matches!(shown, Shown::Unknown) {
            return Ok(shown);
        }
    }
    Ok(Shown::Unknown)
}

/// `<Xd>`, `<Wn|SP>`, `<Rt>` (by `sf`), `<Rt.size>` and others by other fields.
fn general(out: &mut dyn Write, name: &str, o: &Operands) -> Result<Shown, fmt::Error> {
    let i = o.insn;
    let (base, stack) = name.strip_suffix("|SP").map_or((name, false), |base| (base, true));
    let (base, by) = base.split_once('.').unwrap_or((base, ""));
    let Some(n) = base.strip_prefix(['X', 'W', 'R']).and_then(|field| number(i, field)) else {
        return Ok(Shown::Unknown);
    };
    let wide = match (base.as_bytes().first(), by) {
        (Some(b'X'), "") => true,
        (Some(b'X'), "lr") => {
            register(out, true, n, false)?;
            return Ok(if n == 30 { Shown::Default } else { Shown::Written });
        }
        (Some(b'X'), "zr") => {
            register(out, true, n, false)?;
            return Ok(if n == 31 { Shown::Default } else { Shown::Written });
        }
        (Some(b'W'), "") => false,
        (_, "") => i.sf() == 1,
        (_, "size") => i.size() == 3,
        (_, "opc22") => i.opc_22() == 2,
        (_, "opc") => i.opc() == 2,
        (_, "opc30") => i.opc() == 1,
        (_, "ext") => i.sf() == 1 && i.option() & 3 == 3,
        (_, "mem") => i.option() & 1 == 1,
        (_, "pair") => {
            let wide = i.sz_30() == 1;
            register(out, wide, n, false)?;
            out.write_str(", ")?;
            register(out, wide, n + 1, false)?;
            return Ok(Shown::Written);
        }
        _ => return Ok(Shown::Unknown),
    };
    register(out, wide, n, stack)?;
    Ok(Shown::Written)
}

/// A number in decimal; 0 is what an optional one defaults to.
pub(super) fn decimal(out: &mut dyn Write, value: i64) -> Result<Shown, fmt::Error> {
    write!(out, "{value}")?;
    Ok(if value == 0 { Shown::Default } else { Shown::Written })
}

/// A target, as an offset or as an address from `base`.
fn target(out: &mut dyn Write, offset: i64, base: u64, o: &Operands) -> Result<Shown, fmt::Error> {
    if o.absolute {
        write!(out, "{:#x}", base.wrapping_add_signed(offset))?;
    } else {
        write!(out, "#{offset}")?;
    }
    Ok(Shown::Written)
}

/// Immediates and branch targets.
fn immediate(out: &mut dyn Write, name: &str, o: &Operands) -> Result<Shown, fmt::Error> {
    let i = o.insn;
    let width = bit_width(i);
    let value = match name {
        "imm12" => i.imm12().into(),
        "immr" => i.immr().into(),
        "imms" => i.imms().into(),
        "imm16" => i.imm16().into(),
        "imm5" => i.imm5().into(),
        "nzcv" => i.nzcv().into(),
        "imm6.15" => i.imm6_15().into(),
        "mask" => i.mask().into(),
        "uimm6.16" => (i.uimm6() * 16).into(),
        "uimm4" => i.uimm4().into(),
        "imm9.16" => i.simm9() * 16,
        "imm7.16" => i.simm7() * 16,
        "CRm" => i.crm().into(),
        "bit" => i.test_bit().into(),
        "imm16.0" => i.imm16_0().into(),
        "imm9" => i.simm9(),
        "imm10" => i.offset10(),
        "imm7" => i.simm7() << pair_scale(o),
        "imm12.mem" => i64::from(i.imm12()) << access_scale(o),
        "bf.lsb" => ((width - i.immr()) % width).into(),
        "bf.width" => (i.imms() + 1).into(),
        "bfx.width" => (i64::from(i.imms()) - i64::from(i.immr())) + 1,
        "mov.z" => sign_extend(u64::from(i.imm16()) << (i.hw() * 16), width),
        "mov.n" => sign_extend(movn(i), width),
        "mov.mask" => sign_extend(bitmask(i), width),
        "bitmask" => {
            write!(out, "{:#x}", bitmask(i))?;
            return Ok(Shown::Written);
        }
        "imm16.hex" => {
            match i.imm16() {
                0 => out.write_str("#0")?,
                imm => write!(out, "#{imm:#x}")?,
            }
            return Ok(if i.imm16() == 0 { Shown::Default } else { Shown::Written });
        }
        "offset14" => return target(out, i.offset14(), o.pc, o),
        "offset19" => return target(out, i.offset19(), o.pc, o),
        "offset26" => return target(out, i.offset26(), o.pc, o),
        "adr" => return target(out, i.adr_imm(), o.pc, o),
        "adrp" => return target(out, i.adr_imm() << 12, o.pc & !0xfff, o),
        _ => return Ok(Shown::Unknown),
    };
    decimal(out, value)
}

/// Shifts, extensions and conditions.
fn modifier(out: &mut dyn Write, name: &str, o: &Operands) -> Result<Shown, fmt::Error> {
    let i = o.insn;
    match name {
        "sh" => {
            out.write_str(if i.sh() == 1 { "lsl #12" } else { "lsl #0" })?;
            Ok(if i.sh() == 0 { Shown::Default } else { Shown::Written })
        }
        "hw" => {
            write!(out, "lsl #{}", i.hw() * 16)?;
            Ok(if i.hw() == 0 { Shown::Default } else { Shown::Written })
        }
        "shift" => {
            write!(out, "{} #{}", SHIFTS[i.shift() as usize], i.imm6())?;
            Ok(if i.shift() == 0 && i.imm6() == 0 { Shown::Default } else { Shown::Written })
        }
        "ext" => extend(out, o),
        "cond" => written(out, CONDITIONS[i.cond() as usize]),
        "cond.0" => written(out, CONDITIONS[i.cond_0() as usize]),
        "cond.inv" => written(out, CONDITIONS[(i.cond() ^ 1) as usize]),
        "crc" => written(out, ["b", "h", "w", "x"][i.sz() as usize]),
        _ => Ok(Shown::Unknown),
    }
}

pub(super) fn written(out: &mut dyn Write, text: &str) -> Result<Shown, fmt::Error> {
    out.write_str(text)?;
    Ok(Shown::Written)
}

/// The extension of add and subtract. With SP, the one of the full width is
/// `lsl`, and is assumed.
fn extend(out: &mut dyn Write, o: &Operands) -> Result<Shown, fmt::Error> {
    let i = o.insn;
    let sets_flags = matches!(o.encoding, Encoding::ADDS_addsub_ext | Encoding::SUBS_addsub_ext);
    let stack = i.rn() == 31 || i.rd() == 31 && !sets_flags;
    if stack && i.option() == 2 + i.sf() {
        write!(out, "lsl #{}", i.imm3())?;
        return Ok(if i.imm3() == 0 { Shown::Default } else { Shown::Written });
    }
    out.write_str(EXTENSIONS[i.option() as usize])?;
    if i.imm3() != 0 {
        write!(out, " #{}", i.imm3())?;
    }
    Ok(Shown::Written)
}

/// The log2 of the access size of a single load or store.
fn access_scale(o: &Operands) -> u32 {
    let i = o.insn;
    let fp = bits(i.0, 26, 1) == 1;
    if fp && i.opc_22() >= 2 { 4 } else { i.size() }
}

/// The log2 of the access size of one register of a pair.
fn pair_scale(o: &Operands) -> u32 {
    let i = o.insn;
    let fp = bits(i.0, 26, 1) == 1;
    if fp { 2 + i.opc() } else { 2 + (i.opc() >> 1) }
}

/// What the copies of FEAT_MOPS do without privileges or without caching, by `op2`.
const COPIES: [&str; 16] =
    ["", "wt", "rt", "t", "wn", "wtwn", "rtwn", "twn", "rn", "wtrn", "rtrn", "trn", "n", "wtn", "rtn", "tn"];

/// What only loads and stores have.
fn memory(out: &mut dyn Write, name: &str, o: &Operands) -> Result<Shown, fmt::Error> {
    let i = o.insn;
    let letter = |set: u32, letter: &'static str| if set == 1 { letter } else { "" };
    let text = match name {
        "bh" => ["b", "h", "", ""][i.size() as usize],
        "bhw" => ["b", "h", "w", ""][i.size() as usize],
        "A" => letter(i.a(), "a"),
        "R" => letter(i.r(), "l"),
        "L" => letter(i.l(), "a"),
        "o0" => letter(i.o0_15(), "l"),
        "pme" => ["p", "m", "e", ""][i.op1_22() as usize],
        "cpy" => COPIES[i.op2_12() as usize],
        "setpme" => ["p", "m", "e", ""][i.op2_12() as usize >> 2],
        "set" => ["", "t", "n", "tn"][i.op2_12() as usize & 3],
        "ext.mem" => return memory_extend(out, o),
        "prfop" => return prefetch(out, i.rt()),
        "Vt.size" => return vector(out, access_scale(o), i.rt()),
        "Vt.pair" => return vector(out, pair_scale(o), i.rt()),
        "Vt2.pair" => return vector(out, pair_scale(o), i.rt2()),
        _ => return Ok(Shown::Unknown),
    };
    written(out, text)
}

/// A SIMD&FP register of `1 << scale` bytes.
fn vector(out: &mut dyn Write, scale: u32, number: u32) -> Result<Shown, fmt::Error> {
    write!(out, "{}{number}", ["b", "h", "s", "d", "q"][scale as usize])?;
    Ok(Shown::Written)
}

fn memory_extend(out: &mut dyn Write, o: &Operands) -> Result<Shown, fmt::Error> {
    let i = o.insn;
    let name = if i.option() == 3 { "lsl" } else { EXTENSIONS[i.option() as usize] };
    out.write_str(name)?;
    if i.s() == 1 {
        write!(out, " #{}", access_scale(o))?;
    }
    Ok(if i.option() == 3 && i.s() == 0 { Shown::Default } else { Shown::Written })
}

fn prefetch(out: &mut dyn Write, operation: u32) -> Result<Shown, fmt::Error> {
    let (kind, target, policy) = (operation >> 3, operation >> 1 & 3, operation & 1);
    if kind == 3 || target == 3 {
        write!(out, "#{operation}")?;
    } else {
        write!(out, "{}l{}{}", ["pld", "pli", "pst"][kind as usize], target + 1, ["keep", "strm"][policy as usize])?;
    }
    Ok(Shown::Written)
}
