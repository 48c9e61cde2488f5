//! Branches and exceptions.

use a64::Insn;
use machine::{Exit, UserContext};

use crate::bti::branch;
use crate::cpu::CpuState;
use crate::cpu::enter::{leave, pc_of};
use crate::lower::{Draft, Lower, dst, src};
use crate::op::{Op, Scratch};
use crate::sem::branch::{Always, CompareZero, Cond, Link, Register, RegisterLink, TestBit};

/// X30, the link register.
pub(super) const LR: u32 = 30;

pub(super) fn B_branch_imm(i: Insn, c: &mut Lower<'_>) -> Draft {
    Draft { ends: true, ..c.branch::<Always>([0; 4], i.offset26()) }
}

pub(super) fn BL_branch_imm(i: Insn, c: &mut Lower<'_>) -> Draft {
    // What follows a call is run soon, so the translation goes on there.
    c.branch::<Link>([dst(LR), 0, 0, 0], i.offset26())
}

pub(super) fn B_condbranch(i: Insn, c: &mut Lower<'_>) -> Draft {
    macro_rules! by_condition {
        ($($cond:literal)*) => {
            match i.cond_0() {
                $($cond => c.branch::<Cond<$cond>>([0; 4], i.offset19()),)*
                _ => c.branch::<Always>([0; 4], i.offset19()),
            }
        };
    }
    by_condition!(0 1 2 3 4 5 6 7 8 9 10 11 12 13)
}

fn compare_zero<const NZ: bool>(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [src(i.rt()), 0, 0, 0];
    if i.sf() == 1 {
        c.branch::<CompareZero<true, NZ>>(r, i.offset19())
    } else {
        c.branch::<CompareZero<false, NZ>>(r, i.offset19())
    }
}

pub(super) fn CBZ_compbranch(i: Insn, c: &mut Lower<'_>) -> Draft {
    compare_zero::<false>(i, c)
}

pub(super) fn CBNZ_compbranch(i: Insn, c: &mut Lower<'_>) -> Draft {
    compare_zero::<true>(i, c)
}

fn test_bit<const NZ: bool>(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [src(i.rt()), 0, i.b40() as u8, 0];
    if i.b5() == 1 {
        c.branch::<TestBit<true, NZ>>(r, i.offset14())
    } else {
        c.branch::<TestBit<false, NZ>>(r, i.offset14())
    }
}

pub(super) fn TBZ_testbranch(i: Insn, c: &mut Lower<'_>) -> Draft {
    test_bit::<false>(i, c)
}

pub(super) fn TBNZ_testbranch(i: Insn, c: &mut Lower<'_>) -> Draft {
    test_bit::<true>(i, c)
}

pub(super) fn BR_branch_reg(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [0, src(i.rn()), 0, 0];
    if jump_type(i.rn()) == branch::LINKAGE {
        c.jump::<Register<{ branch::LINKAGE }>>(r)
    } else {
        c.jump::<Register<{ branch::ANY_JUMP }>>(r)
    }
}

/// What kind of branch `BR` by a register is.
pub(super) fn jump_type(register: u32) -> u8 {
    if matches!(register, 16 | 17) { branch::LINKAGE } else { branch::ANY_JUMP }
}

pub(super) fn BLR_branch_reg(i: Insn, c: &mut Lower<'_>) -> Draft {
    Draft { ends: false, ..c.jump::<RegisterLink>([dst(LR), src(i.rn()), 0, 0]) }
}

pub(super) fn RET_branch_reg(i: Insn, c: &mut Lower<'_>) -> Draft {
    c.jump::<Register<{ branch::DIRECT }>>([0, src(i.rn()), 0, 0])
}

pub(super) fn SVC_exception(_i: Insn, c: &mut Lower<'_>) -> Draft {
    c.special(svc, [0; 4], 0)
}

pub(super) fn BRK_exception(i: Insn, c: &mut Lower<'_>) -> Draft {
    c.special(brk, [0; 4], i.imm16().cast_signed())
}

/// # Safety
/// As [`crate::op::Handler`].
unsafe extern "C" fn svc(op: *const Op, ctx: *mut UserContext, cpu: *const CpuState, _: Scratch, fa: u64, fb: u64) {
    // SAFETY: the caller vouches for the pointers.
    unsafe { leave(ctx, cpu, fa, fb, pc_of(op, cpu).wrapping_add(4), Exit::Syscall) }
}

/// # Safety
/// As [`crate::op::Handler`].
unsafe extern "C" fn brk(op: *const Op, ctx: *mut UserContext, cpu: *const CpuState, _: Scratch, fa: u64, fb: u64) {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let imm = (*op).imm as u16;
        leave(ctx, cpu, fa, fb, pc_of(op, cpu), Exit::Breakpoint { imm });
    }
}

macro_rules! not_for_el0 {
    ($($name:ident)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            c.undefined(i)
        }
    )*};
}
not_for_el0! {
    UDF_perm_undef HVC_exception SMC_exception HLT_exception DCPS1_exception DCPS2_exception
    DCPS3_exception ERET_branch_reg DRPS_branch_reg
}
