//! Operands of system instructions: registers, hints, barriers, operations.

use core::fmt::{self, Write};

use super::int::written;
use super::template::{Operands, Shown};
use crate::{Encoding, Insn};

/// Hints with a name, by `CRm:op2`.
const HINTS: &[(u32, &str)] = &[
    (0, "nop"),
    (1, "yield"),
    (2, "wfe"),
    (3, "wfi"),
    (4, "sev"),
    (5, "sevl"),
    (6, "dgh"),
    (16, "esb"),
    (17, "psb csync"),
    (18, "tsb csync"),
    (20, "csdb"),
    (32, "bti"),
    (34, "bti c"),
    (36, "bti j"),
    (38, "bti jc"),
];

/// Barrier options, by `CRm`.
const BARRIERS: [&str; 16] = [
    "#0", "oshld", "oshst", "osh", "#4", "nshld", "nshst", "nsh", "#8", "ishld", "ishst", "ish", "#12", "ld", "st",
    "sy",
];

/// `SYS` operations with a name, by `op1:CRn:CRm:op2`, and whether they take
/// a register. Those of EL0 and the cache operations of EL1.
const OPERATIONS: &[(u32, &str, bool)] = &[
    (0x388, "ic ialluis", false),
    (0x3a8, "ic iallu", false),
    (0x3b1, "dc ivac", true),
    (0x3b2, "dc isw", true),
    (0x3d2, "dc csw", true),
    (0x3f2, "dc cisw", true),
    (0x1ba1, "dc zva", true),
    (0x1ba9, "ic ivau", true),
    (0x1bd1, "dc cvac", true),
    (0x1bd9, "dc cvau", true),
    (0x1be1, "dc cvap", true),
    (0x1be9, "dc cvadp", true),
    (0x1bf1, "dc civac", true),
];

/// System registers with a name, by `o0:op1:CRn:CRm:op2` with the top bit set,
/// in order: those of EL0, and the identification registers.
const REGISTERS: &[(u32, &str)] = &[
    (0xc000, "MIDR_EL1"),
    (0xc005, "MPIDR_EL1"),
    (0xc006, "REVIDR_EL1"),
    (0xc020, "ID_AA64PFR0_EL1"),
    (0xc021, "ID_AA64PFR1_EL1"),
    (0xc024, "ID_AA64ZFR0_EL1"),
    (0xc025, "ID_AA64SMFR0_EL1"),
    (0xc028, "ID_AA64DFR0_EL1"),
    (0xc029, "ID_AA64DFR1_EL1"),
    (0xc02c, "ID_AA64AFR0_EL1"),
    (0xc02d, "ID_AA64AFR1_EL1"),
    (0xc030, "ID_AA64ISAR0_EL1"),
    (0xc031, "ID_AA64ISAR1_EL1"),
    (0xc032, "ID_AA64ISAR2_EL1"),
    (0xc038, "ID_AA64MMFR0_EL1"),
    (0xc039, "ID_AA64MMFR1_EL1"),
    (0xc03a, "ID_AA64MMFR2_EL1"),
    (0xd801, "CTR_EL0"),
    (0xd807, "DCZID_EL0"),
    (0xd920, "RNDR"),
    (0xd921, "RNDRRS"),
    (0xda10, "NZCV"),
    (0xda11, "DAIF"),
    (0xda15, "DIT"),
    (0xda16, "SSBS"),
    (0xda17, "TCO"),
    (0xda20, "FPCR"),
    (0xda21, "FPSR"),
    (0xdce0, "PMCR_EL0"),
    (0xdce8, "PMCCNTR_EL0"),
    (0xdcf0, "PMUSERENR_EL0"),
    (0xde82, "TPIDR_EL0"),
    (0xde83, "TPIDRRO_EL0"),
    (0xde85, "TPIDR2_EL0"),
    (0xde87, "SCXTNUM_EL0"),
    (0xdf00, "CNTFRQ_EL0"),
    (0xdf01, "CNTPCT_EL0"),
    (0xdf02, "CNTVCT_EL0"),
    (0xdf05, "CNTPCTSS_EL0"),
    (0xdf06, "CNTVCTSS_EL0"),
    (0xdf10, "CNTP_TVAL_EL0"),
    (0xdf11, "CNTP_CTL_EL0"),
    (0xdf12, "CNTP_CVAL_EL0"),
    (0xdf18, "CNTV_TVAL_EL0"),
    (0xdf19, "CNTV_CTL_EL0"),
    (0xdf1a, "CNTV_CVAL_EL0"),
];

/// Registers that cannot be written: `MSR` shows the generic name.
fn is_read_only(register: u32) -> bool {
    matches!(register, 0xc000..=0xc03f | 0xd801 | 0xd807 | 0xd920 | 0xd921 | 0xdf01 | 0xdf02)
}

/// The syntax of a `SYS` word whose operation has a name.
pub(super) fn sys_alias(e: Encoding, i: Insn) -> Option<&'static str> {
    if e != Encoding::SYS_systeminstrs {
        return None;
    }
    let (_, _, takes_register) = OPERATIONS.iter().find(|(code, ..)| *code == sys_code(i))?;
    Some(if *takes_register { "<sysname>, <Xt>" } else { "<sysname>" })
}

fn sys_code(i: Insn) -> u32 {
    i.sysreg() & 0x3fff
}

/// Writes the operand called `name`.
pub(super) fn operand(out: &mut dyn Write, name: &str, o: &Operands) -> Result<Shown, fmt::Error> {
    let i = o.insn;
    match name {
        "hint" => {
            let code = i.crm() << 3 | i.op2();
            match HINTS.iter().find(|(c, _)| *c == code) {
                Some((_, name)) => out.write_str(name)?,
                None => write!(out, "hint #{code}")?,
            }
        }
        "barrier.nxs" => return written(out, ["osh", "nsh", "ish", "sy"][i.imm2() as usize]),
        "barrier" => return written(out, BARRIERS[i.crm() as usize]),
        "isb" | "clrex" => {
            write!(out, "#{}", i.crm())?;
            return Ok(if i.crm() == 15 { Shown::Default } else { Shown::Written });
        }
        "pstate" => pstate(out, i)?,
        "sysop" => write!(out, "#{}, c{}, c{}, #{}", i.op1(), i.crn(), i.crm(), i.op2())?,
        "sysname" => {
            let found = OPERATIONS.iter().find(|(code, ..)| *code == sys_code(i));
            out.write_str(found.map_or("sys", |(_, name, _)| name))?;
        }
        "Xt.opt" => {
            super::int::register(out, true, i.rt(), false)?;
            return Ok(if i.rt() == 31 { Shown::Default } else { Shown::Written });
        }
        "sysreg.r" | "sysreg.w" => register(out, i, name == "sysreg.w")?,
        _ => return Ok(Shown::Unknown),
    }
    Ok(Shown::Written)
}

fn register(out: &mut dyn Write, i: Insn, write: bool) -> fmt::Result {
    let code = i.sysreg();
    match REGISTERS.binary_search_by_key(&code, |r| r.0) {
        Ok(at) if !(write && is_read_only(code)) => out.write_str(REGISTERS[at].1),
        _ => write!(out, "S{}_{}_C{}_C{}_{}", 2 + i.o0(), i.op1(), i.crn(), i.crm(), i.op2()),
    }
}

/// `MSR` of an immediate, by the field's name where it has one.
fn pstate(out: &mut dyn Write, i: Insn) -> fmt::Result {
    let bit = i.crm() < 2;
    let field = match (i.op1(), i.op2()) {
        (0, 3) if bit => "UAO",
        (0, 4) if bit => "PAN",
        (0, 5) => "SPSel",
        (3, 1) if bit => "SSBS",
        (3, 2) => "DIT",
        (3, 4) => "TCO",
        (3, 6) => "DAIFSet",
        (3, 7) => "DAIFClr",
        (op1, op2) => return write!(out, "msr S0_{op1}_C4_C{}_{op2}, xzr", i.crm()),
    };
    write!(out, "msr {field}, #{}", i.crm())
}
