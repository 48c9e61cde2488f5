//! Hints, barriers, cache maintenance and system registers.

use a64::Insn;
use machine::pstate;

use crate::domain::order;
use crate::lower::special::{random, read_counter, read_frequency, wait};
use crate::lower::{Draft, Lower, dst, src};
use crate::op::TPIDR;
use crate::sem::atomic::ClearExclusive;
use crate::sem::system::{
    Barrier, CacheLine, Literal, Move, Nop, ReadFpcr, ReadFpsr, ReadNzcv, ReadPstate, WriteFpcr, WriteFpsr, WriteNzcv,
    WritePstate, WritePstateImm, ZeroBlock,
};

/// A system register or operation, as `op0:op1:CRn:CRm:op2`.
const fn sysreg(op0: u32, op1: u32, crn: u32, crm: u32, op2: u32) -> u32 {
    op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2
}

fn named(i: Insn) -> u32 {
    sysreg(2 + i.o0(), i.op1(), i.crn(), i.crm(), i.op2())
}

const NZCV: u32 = sysreg(3, 3, 4, 2, 0);
const DIT: u32 = sysreg(3, 3, 4, 2, 5);
const SSBS: u32 = sysreg(3, 3, 4, 2, 6);
const FPCR: u32 = sysreg(3, 3, 4, 4, 0);
const FPSR: u32 = sysreg(3, 3, 4, 4, 1);
const TPIDR_EL0: u32 = sysreg(3, 3, 13, 0, 2);
const TPIDRRO_EL0: u32 = sysreg(3, 3, 13, 0, 3);
const CTR_EL0: u32 = sysreg(3, 3, 0, 0, 1);
const DCZID_EL0: u32 = sysreg(3, 3, 0, 0, 7);
const CNTFRQ_EL0: u32 = sysreg(3, 3, 14, 0, 0);
const CNTVCT_EL0: u32 = sysreg(3, 3, 14, 0, 2);
const CNTVCTSS_EL0: u32 = sysreg(3, 3, 14, 0, 6);
const RNDR: u32 = sysreg(3, 3, 2, 4, 0);
const RNDRRS: u32 = sysreg(3, 3, 2, 4, 1);

/// The number of the bit of PSTATE that a register shows.
fn pstate_bit(register: u32) -> i32 {
    let mask = if register == DIT { pstate::DIT } else { pstate::SSBS };
    mask.trailing_zeros().cast_signed()
}

pub(super) fn HINT_hints(_i: Insn, c: &mut Lower<'_>) -> Draft {
    c.op::<Nop>([0; 4], 0)
}

pub(super) fn CLREX_barriers(_i: Insn, c: &mut Lower<'_>) -> Draft {
    c.op::<ClearExclusive>([0; 4], 0)
}

pub(super) fn DSB_barriers(i: Insn, c: &mut Lower<'_>) -> Draft {
    // Nothing behind a DSB starts before it ends, so that one for stores
    // orders them with loads as well.
    match i.crm() & 3 {
        1 => c.op::<Barrier<{ order::LOADS }>>([0; 4], 0),
        _ => c.op::<Barrier<{ order::ALL }>>([0; 4], 0),
    }
}

pub(super) fn DMB_barriers(i: Insn, c: &mut Lower<'_>) -> Draft {
    // The upper bits say for which CPUs; the guest's all share memory.
    match i.crm() & 3 {
        1 => c.op::<Barrier<{ order::LOADS }>>([0; 4], 0),
        2 => c.op::<Barrier<{ order::STORES }>>([0; 4], 0),
        _ => c.op::<Barrier<{ order::ALL }>>([0; 4], 0),
    }
}

pub(super) fn ISB_barriers(_i: Insn, c: &mut Lower<'_>) -> Draft {
    c.op::<Barrier<{ order::DECISION }>>([0; 4], 0)
}

pub(super) fn SB_barriers(_i: Insn, c: &mut Lower<'_>) -> Draft {
    c.op::<Barrier<{ order::ALL }>>([0; 4], 0)
}

pub(super) fn WFET_systeminstrswithreg(i: Insn, c: &mut Lower<'_>) -> Draft {
    c.special(wait, [src(i.rd()), 0, 0, 0], 0)
}

pub(super) fn WFIT_systeminstrswithreg(i: Insn, c: &mut Lower<'_>) -> Draft {
    c.special(wait, [src(i.rd()), 0, 0, 0], 0)
}

pub(super) fn MSR_pstate(i: Insn, c: &mut Lower<'_>) -> Draft {
    let register = match (i.op1(), i.op2()) {
        (3, 1) => SSBS,
        (3, 2) => DIT,
        // No other field is EL0's to set.
        _ => return c.undefined(i),
    };
    c.op::<WritePstateImm>([0, 0, 0, (i.crm() & 1) as u8], pstate_bit(register))
}

pub(super) fn SYS_systeminstrs(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [src(i.rt()), 0, 0, 0];
    match (i.op1(), i.crn(), i.crm(), i.op2()) {
        // DC ZVA.
        (3, 7, 4, 1) => c.op::<ZeroBlock>(r, 0),
        // IC IVAU, DC CVAC, DC CVAU, DC CVAP, DC CVADP, DC CIVAC.
        (3, 7, 5 | 10..=14, 1) => c.op::<CacheLine>(r, 0),
        _ => c.undefined(i),
    }
}

pub(super) fn SYSL_systeminstrs(i: Insn, c: &mut Lower<'_>) -> Draft {
    c.undefined(i)
}

pub(super) fn MSR_systemmove(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [src(i.rt()), 0, 0, 0];
    match named(i) {
        NZCV => c.op::<WriteNzcv>(r, 0),
        register @ (DIT | SSBS) => c.op::<WritePstate>([0, src(i.rt()), 0, 0], pstate_bit(register)),
        FPCR => c.op::<WriteFpcr>(r, 0),
        FPSR => c.op::<WriteFpsr>(r, 0),
        TPIDR_EL0 => c.op::<Move>([TPIDR, src(i.rt()), 0, 0], 0),
        _ => c.undefined(i),
    }
}

pub(super) fn MRS_systemmove(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [dst(i.rt()), 0, 0, 0];
    let constant = match named(i) {
        NZCV => return c.op::<ReadNzcv>(r, 0),
        register @ (DIT | SSBS) => return c.op::<ReadPstate>(r, pstate_bit(register)),
        FPCR => return c.op::<ReadFpcr>(r, 0),
        FPSR => return c.op::<ReadFpsr>(r, 0),
        TPIDR_EL0 => return c.op::<Move>([dst(i.rt()), TPIDR, 0, 0], 0),
        RNDR => return c.special(random::<false>, r, 0),
        RNDRRS => return c.special(random::<true>, r, 0),
        CNTVCT_EL0 | CNTVCTSS_EL0 => return c.special(read_counter, r, 0),
        CNTFRQ_EL0 => return c.special(read_frequency, r, 0),
        TPIDRRO_EL0 => Some(0),
        CTR_EL0 => Some(c.features.ctr),
        DCZID_EL0 => Some(c.features.dczid),
        _ if i.o0() == 1 => c.features.id_register(i.op1(), i.crn(), i.crm(), i.op2()),
        _ => None,
    };
    match constant {
        Some(value) => {
            let imm = c.literal(value);
            c.op::<Literal>(r, imm)
        }
        None => c.undefined(i),
    }
}
