//! Pointer authentication and branch target identification.

use a64::Insn;
use machine::pauth_key::{DA, DB, IA, IB};

use crate::bti::branch;
use crate::lower::branch::{LR, jump_type};
use crate::lower::{Draft, Lower, dst, sp, src};
use crate::op::ZERO;
use crate::sem::pauth::{
    Authenticate, AuthenticatedLink, AuthenticatedRegister, GenericCode, LoadAuthenticated, Sign, Strip,
};
use crate::sem::system::Nop;

const SP: u32 = 31;

/// True if the CPU has the instructions.
fn is_here(c: &Lower<'_>) -> bool {
    c.features.has_pauth()
}

/// Instructions of the hint space: those that work on one register with the
/// modifier in another. Without the extension they do nothing.
macro_rules! hints {
    ($($name:ident = $form:ident<$key:ident>($pointer:expr, $modifier:expr);)*) => {$(
        pub(super) fn $name(_i: Insn, c: &mut Lower<'_>) -> Draft {
            if is_here(c) { c.op::<$form<$key>>([dst($pointer), $modifier, src($pointer), 0], 0) } else { c.op::<Nop>([0; 4], 0) }
        }
    )*};
}

hints! {
    PACIA1716_hints = Sign<IA>(17, src(16));
    PACIB1716_hints = Sign<IB>(17, src(16));
    AUTIA1716_hints = Authenticate<IA>(17, src(16));
    AUTIB1716_hints = Authenticate<IB>(17, src(16));
    PACIAZ_hints = Sign<IA>(LR, ZERO);
    PACIBZ_hints = Sign<IB>(LR, ZERO);
    PACIASP_hints = Sign<IA>(LR, sp(SP));
    PACIBSP_hints = Sign<IB>(LR, sp(SP));
    AUTIAZ_hints = Authenticate<IA>(LR, ZERO);
    AUTIBZ_hints = Authenticate<IB>(LR, ZERO);
    AUTIASP_hints = Authenticate<IA>(LR, sp(SP));
    AUTIBSP_hints = Authenticate<IB>(LR, sp(SP));
}

pub(super) fn XPACLRI_hints(_i: Insn, c: &mut Lower<'_>) -> Draft {
    if is_here(c) { c.op::<Strip>([dst(LR), 0, src(LR), 0], 0) } else { c.op::<Nop>([0; 4], 0) }
}

pub(super) fn BTI_hints(_i: Insn, c: &mut Lower<'_>) -> Draft {
    // Whether it may be branched to was checked on the way here (`cpu::jump`).
    c.op::<Nop>([0; 4], 0)
}

/// A function for each row: undefined without the extension.
macro_rules! rows {
    ($($name:ident($i:ident, $c:ident) = $draft:expr;)*) => {$(
        pub(super) fn $name($i: Insn, $c: &mut Lower<'_>) -> Draft {
            if is_here($c) { $draft } else { $c.undefined($i) }
        }
    )*};
}

/// Rd as it is written and as it is read, with the modifier in Rn.
fn of_modifier(i: Insn) -> [u8; 4] {
    [dst(i.rd()), sp(i.rn()), src(i.rd()), 0]
}

/// Rd as it is written and as it is read, without a modifier.
fn of_zero(i: Insn) -> [u8; 4] {
    [dst(i.rd()), ZERO, src(i.rd()), 0]
}

rows! {
    PACIA_dp_1src(i, c) = c.op::<Sign<IA>>(of_modifier(i), 0);
    PACIB_dp_1src(i, c) = c.op::<Sign<IB>>(of_modifier(i), 0);
    PACDA_dp_1src(i, c) = c.op::<Sign<DA>>(of_modifier(i), 0);
    PACDB_dp_1src(i, c) = c.op::<Sign<DB>>(of_modifier(i), 0);
    AUTIA_dp_1src(i, c) = c.op::<Authenticate<IA>>(of_modifier(i), 0);
    AUTIB_dp_1src(i, c) = c.op::<Authenticate<IB>>(of_modifier(i), 0);
    AUTDA_dp_1src(i, c) = c.op::<Authenticate<DA>>(of_modifier(i), 0);
    AUTDB_dp_1src(i, c) = c.op::<Authenticate<DB>>(of_modifier(i), 0);
    PACIZA_dp_1src(i, c) = c.op::<Sign<IA>>(of_zero(i), 0);
    PACIZB_dp_1src(i, c) = c.op::<Sign<IB>>(of_zero(i), 0);
    PACDZA_dp_1src(i, c) = c.op::<Sign<DA>>(of_zero(i), 0);
    PACDZB_dp_1src(i, c) = c.op::<Sign<DB>>(of_zero(i), 0);
    AUTIZA_dp_1src(i, c) = c.op::<Authenticate<IA>>(of_zero(i), 0);
    AUTIZB_dp_1src(i, c) = c.op::<Authenticate<IB>>(of_zero(i), 0);
    AUTDZA_dp_1src(i, c) = c.op::<Authenticate<DA>>(of_zero(i), 0);
    AUTDZB_dp_1src(i, c) = c.op::<Authenticate<DB>>(of_zero(i), 0);
    XPACI_dp_1src(i, c) = c.op::<Strip>(of_zero(i), 0);
    XPACD_dp_1src(i, c) = c.op::<Strip>(of_zero(i), 0);
    PACGA_dp_2src(i, c) = c.op::<GenericCode>([dst(i.rd()), src(i.rn()), sp(i.rm()), 0], 0);
    LDRAA_ldst_pac(i, c) = c.op::<LoadAuthenticated<DA, false>>(of_load(i), offset(i));
    LDRAB_ldst_pac(i, c) = c.op::<LoadAuthenticated<DB, false>>(of_load(i), offset(i));
    LDRAAW_ldst_pac(i, c) = c.op::<LoadAuthenticated<DA, true>>(of_load(i), offset(i));
    LDRABW_ldst_pac(i, c) = c.op::<LoadAuthenticated<DB, true>>(of_load(i), offset(i));
    BRAA_branch_reg(i, c) = jump::<IA>(i, sp(i.rm_0()), c);
    BRAB_branch_reg(i, c) = jump::<IB>(i, sp(i.rm_0()), c);
    BRAAZ_branch_reg(i, c) = jump::<IA>(i, ZERO, c);
    BRABZ_branch_reg(i, c) = jump::<IB>(i, ZERO, c);
    BLRAA_branch_reg(i, c) = call::<IA>(i, sp(i.rm_0()), c);
    BLRAB_branch_reg(i, c) = call::<IB>(i, sp(i.rm_0()), c);
    BLRAAZ_branch_reg(i, c) = call::<IA>(i, ZERO, c);
    BLRABZ_branch_reg(i, c) = call::<IB>(i, ZERO, c);
    RETAA_branch_reg(_i, c) =
        c.jump::<AuthenticatedRegister<IA, { branch::DIRECT }>>([0, src(LR), sp(SP), 0]);
    RETAB_branch_reg(_i, c) =
        c.jump::<AuthenticatedRegister<IB, { branch::DIRECT }>>([0, src(LR), sp(SP), 0]);
}

fn of_load(i: Insn) -> [u8; 4] {
    [dst(i.rt()), sp(i.rn()), 0, 0]
}

fn offset(i: Insn) -> i32 {
    i.offset10() as i32
}

fn jump<const KEY: u8>(i: Insn, modifier: u8, c: &mut Lower<'_>) -> Draft {
    let r = [0, src(i.rn()), modifier, 0];
    if jump_type(i.rn()) == branch::LINKAGE {
        c.jump::<AuthenticatedRegister<KEY, { branch::LINKAGE }>>(r)
    } else {
        c.jump::<AuthenticatedRegister<KEY, { branch::ANY_JUMP }>>(r)
    }
}

fn call<const KEY: u8>(i: Insn, modifier: u8, c: &mut Lower<'_>) -> Draft {
    Draft { ends: false, ..c.jump::<AuthenticatedLink<KEY>>([dst(LR), src(i.rn()), modifier, 0]) }
}

pub(super) fn ERETAA_branch_reg(i: Insn, c: &mut Lower<'_>) -> Draft {
    c.undefined(i)
}

pub(super) fn ERETAB_branch_reg(i: Insn, c: &mut Lower<'_>) -> Draft {
    c.undefined(i)
}
