//! Conditional select and conditional compare.

use crate::domain::{Domain, Sem, Slot, Stop};

/// What becomes of Rm if the condition does not hold, as a const parameter.
pub(crate) mod otherwise {
    /// `CSEL`: nothing.
    pub(crate) const SAME: u8 = 0;
    /// `CSINC`: one is added.
    pub(crate) const INC: u8 = 1;
    /// `CSINV`: its complement.
    pub(crate) const INV: u8 = 2;
    /// `CSNEG`: its negative.
    pub(crate) const NEG: u8 = 3;
}

/// `CSEL`, `CSINC`, `CSINV`, `CSNEG`: Rd = Rn if `COND` holds, else Rm changed.
pub(crate) struct Select<const SF: bool, const OTHERWISE: u8, const COND: u8>;

impl<const SF: bool, const OTHERWISE: u8, const COND: u8> Sem for Select<SF, OTHERWISE, COND> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let m = d.x(Slot::M);
        let other = match OTHERWISE {
            otherwise::SAME => m,
            otherwise::INC => d.add(m, d.constant(1)),
            otherwise::INV => d.not(m),
            _ => d.sub(d.constant(0), m),
        };
        let value = d.select(d.condition::<COND>(), d.x(Slot::N), other);
        d.set_x(Slot::D, d.trunc::<SF>(value));
        Ok(())
    }
}

/// `CSET` and, with `MASK`, `CSETM`: Rd = 1 (or all ones) if `COND` holds, else 0.
pub(crate) struct SetIf<const SF: bool, const MASK: bool, const COND: u8>;

impl<const SF: bool, const MASK: bool, const COND: u8> Sem for SetIf<SF, MASK, COND> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let bit = d.x_from(d.condition::<COND>());
        let value = if MASK { d.trunc::<SF>(d.sub(d.constant(0), bit)) } else { bit };
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `CCMP` and `CCMN`: the flags of Rn ± operand if `COND` holds, else those in
/// slot A as a number. The operand is Rm or the immediate.
pub(crate) struct CompareIf<const SF: bool, const SUB: bool, const IMM: bool, const COND: u8>;

impl<const SF: bool, const SUB: bool, const IMM: bool, const COND: u8> Sem for CompareIf<SF, SUB, IMM, COND> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let a = d.x(Slot::N);
        let b = if IMM { d.imm() } else { d.x(Slot::M) };
        let (c, nzcv) = (d.condition::<COND>(), d.slot(Slot::A));
        if SUB {
            d.set_flags_sub_if::<SF>(c, a, b, nzcv);
        } else {
            d.set_flags_add_if::<SF>(c, a, b, nzcv);
        }
        Ok(())
    }
}
