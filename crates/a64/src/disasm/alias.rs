//! The preferred syntax of a word: its row's, or an alias's.

use super::int::{self, bit_width};
use crate::{Encoding, Insn};

const ZR: u32 = 31;

/// The syntax to show `insn` with.
pub(super) fn syntax(encoding: Encoding, insn: Insn) -> &'static str {
    let alias = match encoding.class() {
        "addsub_imm" => addsub_imm(encoding, insn),
        "log_imm" => log_imm(encoding, insn),
        "movewide" => movewide(encoding, insn),
        "bitfield" => Some(bitfield(encoding, insn)),
        "extract" if insn.rn() == insn.rm() => Some("ror <Rd>, <Rn>, #<imms>"),
        "log_shift" => log_shift(encoding, insn),
        "addsub_shift" => addsub_shift(encoding, insn),
        "addsub_ext" => addsub_ext(encoding, insn),
        "addsub_carry" => addsub_carry(encoding, insn),
        "condsel" => condsel(encoding, insn),
        "dp_3src" => dp_3src(encoding, insn),
        "memop" => memop(encoding, insn),
        "barriers" => barriers(encoding, insn),
        "asimdsame" | "asimdmisc" | "asimdins" => vectors(encoding, insn),
        "systeminstrs" => int::sys_alias(encoding, insn),
        _ => None,
    };
    alias.unwrap_or(encoding.row().syntax)
}

fn addsub_imm(e: Encoding, i: Insn) -> Option<&'static str> {
    Some(match e {
        Encoding::ADD_addsub_imm if (i.rd() == ZR || i.rn() == ZR) && i.imm12() == 0 && i.sh() == 0 => {
            "mov <Rd|SP>, <Rn|SP>"
        }
        Encoding::ADDS_addsub_imm if i.rd() == ZR => "cmn <Rn|SP>, #<imm12>{, <sh>}",
        Encoding::SUBS_addsub_imm if i.rd() == ZR => "cmp <Rn|SP>, #<imm12>{, <sh>}",
        _ => return None,
    })
}

fn log_imm(e: Encoding, i: Insn) -> Option<&'static str> {
    match e {
        Encoding::ANDS_log_imm if i.rd() == ZR => Some("tst <Rn>, #<bitmask>"),
        Encoding::ORR_log_imm if i.rn() == ZR => {
            (!is_wide_move(int::bitmask(i), bit_width(i))).then_some("mov <Rd|SP>, #<mov.mask>")
        }
        _ => None,
    }
}

/// Whether `MOVZ` can make `value`.
fn is_movz(value: u64, width: u32) -> bool {
    (0..width / 16).any(|hw| value & !(0xffff << (hw * 16)) == 0)
}

/// Whether `MOVZ` or `MOVN` can make `value`, which is zero above `width`.
fn is_wide_move(value: u64, width: u32) -> bool {
    is_movz(value, width) || is_movz(!value & u64::MAX >> (64 - width), width)
}

fn movewide(e: Encoding, i: Insn) -> Option<&'static str> {
    let canonical = i.imm16() != 0 || i.hw() == 0;
    match e {
        Encoding::MOVZ_movewide if canonical => Some("mov <Rd>, #<mov.z>"),
        Encoding::MOVN_movewide if canonical && !is_movz(int::movn(i), bit_width(i)) => Some("mov <Rd>, #<mov.n>"),
        _ => None,
    }
}

fn bitfield(e: Encoding, i: Insn) -> &'static str {
    let last = bit_width(i) - 1;
    let (r, s) = (i.immr(), i.imms());
    match e {
        Encoding::BFM_bitfield if i.rn() == ZR && (r == 0 || s < r) => "bfc <Rd>, #<bf.lsb>, #<bf.width>",
        Encoding::BFM_bitfield if s < r => "bfi <Rd>, <Rn>, #<bf.lsb>, #<bf.width>",
        Encoding::BFM_bitfield => "bfxil <Rd>, <Rn>, #<immr>, #<bfx.width>",
        Encoding::SBFM_bitfield => match (r, s) {
            (0, 7) => "sxtb <Rd>, <Wn>",
            (0, 15) => "sxth <Rd>, <Wn>",
            (0, 31) if last == 63 => "sxtw <Rd>, <Wn>",
            _ if s == last => "asr <Rd>, <Rn>, #<immr>",
            _ if s < r => "sbfiz <Rd>, <Rn>, #<bf.lsb>, #<bf.width>",
            _ => "sbfx <Rd>, <Rn>, #<immr>, #<bfx.width>",
        },
        _ => match (r, s) {
            (0, 7) if last == 31 => "uxtb <Rd>, <Wn>",
            (0, 15) if last == 31 => "uxth <Rd>, <Wn>",
            _ if s != last && s + 1 == r => "lsl <Rd>, <Rn>, #<bf.lsb>",
            _ if s == last => "lsr <Rd>, <Rn>, #<immr>",
            _ if s < r => "ubfiz <Rd>, <Rn>, #<bf.lsb>, #<bf.width>",
            _ => "ubfx <Rd>, <Rn>, #<immr>, #<bfx.width>",
        },
    }
}

fn log_shift(e: Encoding, i: Insn) -> Option<&'static str> {
    Some(match e {
        Encoding::ORR_log_shift if i.rn() == ZR && i.shift() == 0 && i.imm6() == 0 => "mov <Rd>, <Rm>",
        Encoding::ORN_log_shift if i.rn() == ZR => "mvn <Rd>, <Rm>{, <shift>}",
        Encoding::ANDS_log_shift if i.rd() == ZR => "tst <Rn>, <Rm>{, <shift>}",
        _ => return None,
    })
}

fn addsub_shift(e: Encoding, i: Insn) -> Option<&'static str> {
    Some(match e {
        Encoding::ADDS_addsub_shift if i.rd() == ZR => "cmn <Rn>, <Rm>{, <shift>}",
        Encoding::SUBS_addsub_shift if i.rd() == ZR => "cmp <Rn>, <Rm>{, <shift>}",
        Encoding::SUB_addsub_shift if i.rn() == ZR => "neg <Rd>, <Rm>{, <shift>}",
        Encoding::SUBS_addsub_shift if i.rn() == ZR => "negs <Rd>, <Rm>{, <shift>}",
        _ => return None,
    })
}

fn addsub_ext(e: Encoding, i: Insn) -> Option<&'static str> {
    Some(match e {
        Encoding::ADDS_addsub_ext if i.rd() == ZR => "cmn <Rn|SP>, <Rm.ext>{, <ext>}",
        Encoding::SUBS_addsub_ext if i.rd() == ZR => "cmp <Rn|SP>, <Rm.ext>{, <ext>}",
        _ => return None,
    })
}

fn addsub_carry(e: Encoding, i: Insn) -> Option<&'static str> {
    Some(match e {
        Encoding::SBC_addsub_carry if i.rn() == ZR => "ngc <Rd>, <Rm>",
        Encoding::SBCS_addsub_carry if i.rn() == ZR => "ngcs <Rd>, <Rm>",
        _ => return None,
    })
}

fn condsel(e: Encoding, i: Insn) -> Option<&'static str> {
    let never = i.cond() >= 14;
    let same = i.rn() == i.rm();
    Some(match e {
        _ if never || !same => return None,
        Encoding::CSINC_condsel if i.rn() == ZR => "cset <Rd>, <cond.inv>",
        Encoding::CSINC_condsel => "cinc <Rd>, <Rn>, <cond.inv>",
        Encoding::CSINV_condsel if i.rn() == ZR => "csetm <Rd>, <cond.inv>",
        Encoding::CSINV_condsel => "cinv <Rd>, <Rn>, <cond.inv>",
        Encoding::CSNEG_condsel => "cneg <Rd>, <Rn>, <cond.inv>",
        _ => return None,
    })
}

fn dp_3src(e: Encoding, i: Insn) -> Option<&'static str> {
    Some(match e {
        _ if i.ra() != ZR => return None,
        Encoding::MADD_dp_3src => "mul <Rd>, <Rn>, <Rm>",
        Encoding::MSUB_dp_3src => "mneg <Rd>, <Rn>, <Rm>",
        Encoding::SMADDL_dp_3src => "smull <Xd>, <Wn>, <Wm>",
        Encoding::SMSUBL_dp_3src => "smnegl <Xd>, <Wn>, <Wm>",
        Encoding::UMADDL_dp_3src => "umull <Xd>, <Wn>, <Wm>",
        Encoding::UMSUBL_dp_3src => "umnegl <Xd>, <Wn>, <Wm>",
        _ => return None,
    })
}

fn memop(e: Encoding, i: Insn) -> Option<&'static str> {
    if i.rt() != ZR || i.a() != 0 {
        return None;
    }
    Some(match e {
        Encoding::LDADD_memop => "stadd<R><bh> <Rs.size>, [<Xn|SP>]",
        Encoding::LDCLR_memop => "stclr<R><bh> <Rs.size>, [<Xn|SP>]",
        Encoding::LDEOR_memop => "steor<R><bh> <Rs.size>, [<Xn|SP>]",
        Encoding::LDSET_memop => "stset<R><bh> <Rs.size>, [<Xn|SP>]",
        Encoding::LDSMAX_memop => "stsmax<R><bh> <Rs.size>, [<Xn|SP>]",
        Encoding::LDSMIN_memop => "stsmin<R><bh> <Rs.size>, [<Xn|SP>]",
        Encoding::LDUMAX_memop => "stumax<R><bh> <Rs.size>, [<Xn|SP>]",
        Encoding::LDUMIN_memop => "stumin<R><bh> <Rs.size>, [<Xn|SP>]",
        _ => return None,
    })
}

fn barriers(e: Encoding, i: Insn) -> Option<&'static str> {
    Some(match (e, i.crm()) {
        (Encoding::DSB_barriers, 0) => "ssbb",
        (Encoding::DSB_barriers, 4) => "pssbb",
        _ => return None,
    })
}

fn vectors(e: Encoding, i: Insn) -> Option<&'static str> {
    Some(match e {
        Encoding::ORR_asimdsame if i.rn() == i.rm() => "mov <Vd.B>, <Vn.B>",
        Encoding::NOT_asimdmisc => "mvn <Vd.B>, <Vn.B>",
        Encoding::UMOV_asimdins if i.imm5().trailing_zeros() >= 2 => "mov <Rd.Q>, <Vn.Ts5>[<index5>]",
        _ => return None,
    })
}
