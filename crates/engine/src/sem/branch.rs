//! Branches.

use crate::bti::branch;
use crate::domain::{BranchSem, Domain, JumpSem, Slot, Stop};

/// `B`.
pub(crate) struct Always;

impl BranchSem for Always {
    #[inline(always)]
    fn is_taken<D: Domain>(d: &mut D) -> D::B {
        d.truth()
    }
}

/// `BL`; D is X30.
pub(crate) struct Link;

impl BranchSem for Link {
    #[inline(always)]
    fn is_taken<D: Domain>(d: &mut D) -> D::B {
        let back = d.next_pc();
        d.set_x(Slot::D, back);
        d.truth()
    }
}

/// `B.cond`.
pub(crate) struct Cond<const COND: u8>;

impl<const COND: u8> BranchSem for Cond<COND> {
    #[inline(always)]
    fn is_taken<D: Domain>(d: &mut D) -> D::B {
        d.condition::<COND>()
    }
}

/// `CBZ`, `CBNZ` (`NZ`) of D.
pub(crate) struct CompareZero<const SF: bool, const NZ: bool>;

impl<const SF: bool, const NZ: bool> BranchSem for CompareZero<SF, NZ> {
    #[inline(always)]
    fn is_taken<D: Domain>(d: &mut D) -> D::B {
        let value = d.trunc::<SF>(d.x(Slot::D));
        let is_zero = d.eq(value, d.constant(0));
        if NZ { d.not_b(is_zero) } else { is_zero }
    }
}

/// `TBZ`, `TBNZ` (`NZ`) of D; the number in slot M is the bit's, from 32 with
/// `HIGH`.
pub(crate) struct TestBit<const HIGH: bool, const NZ: bool>;

impl<const HIGH: bool, const NZ: bool> BranchSem for TestBit<HIGH, NZ> {
    #[inline(always)]
    fn is_taken<D: Domain>(d: &mut D) -> D::B {
        let lowest = d.constant(if HIGH { 1 << 32 } else { 1 });
        let tested = d.and(d.x(Slot::D), d.lsl::<true>(lowest, d.slot(Slot::M)));
        let is_zero = d.eq(tested, d.constant(0));
        if NZ { d.not_b(is_zero) } else { is_zero }
    }
}

/// `BR` and `RET`, which `BRANCH` tells apart, to N.
pub(crate) struct Register<const BRANCH: u8>;

impl<const BRANCH: u8> JumpSem for Register<BRANCH> {
    const BRANCH: u8 = BRANCH;

    #[inline(always)]
    fn target<D: Domain>(d: &mut D) -> Result<D::X, Stop> {
        Ok(d.x(Slot::N))
    }
}

/// `BLR` to N; D is X30.
pub(crate) struct RegisterLink;

impl JumpSem for RegisterLink {
    const BRANCH: u8 = branch::CALL;

    #[inline(always)]
    fn target<D: Domain>(d: &mut D) -> Result<D::X, Stop> {
        let target = d.x(Slot::N);
        let back = d.next_pc();
        d.set_x(Slot::D, back);
        Ok(target)
    }
}
