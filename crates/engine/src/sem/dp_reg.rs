//! Data processing of registers: sums and logic, with a shifted or extended
//! second operand.

use crate::domain::{Domain, Sem, Slot, Stop, size};
use crate::sem::dp_imm::{bitwise, shifted};

/// What is done with the second operand first: Arm's `shift` for `LSL` (0) to
/// `ROR` (3) by the immediate, or nothing, as a const parameter.
pub(crate) const PLAIN: u8 = 4;

/// Rm, shifted as `KIND` says.
#[inline(always)]
fn operand<D: Domain, const SF: bool, const KIND: u8>(d: &D) -> D::X {
    let m = d.x(Slot::M);
    if KIND == PLAIN { m } else { shifted::<D, SF, KIND>(d, m, d.imm()) }
}

/// `ADD`, `SUB`: Rd = Rn ± Rm shifted.
pub(crate) struct AddReg<const SF: bool, const SUB: bool, const KIND: u8>;

impl<const SF: bool, const SUB: bool, const KIND: u8> Sem for AddReg<SF, SUB, KIND> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let (a, b) = (d.x(Slot::N), operand::<D, SF, KIND>(d));
        let value = if SUB { d.sub(a, b) } else { d.add(a, b) };
        d.set_x(Slot::D, d.trunc::<SF>(value));
        Ok(())
    }
}

/// `ADD` with Rm shifted left by `N`, a few amounts that index arrays.
pub(crate) struct AddScaled<const N: u64>;

impl<const N: u64> Sem for AddScaled<N> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.add(d.x(Slot::N), d.lsl::<true>(d.x(Slot::M), d.constant(N)));
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `ADDS`, `SUBS`: Rd = Rn ± Rm shifted, with flags.
pub(crate) struct AddsReg<const SF: bool, const SUB: bool, const KIND: u8>;

impl<const SF: bool, const SUB: bool, const KIND: u8> Sem for AddsReg<SF, SUB, KIND> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let (a, b) = (d.x(Slot::N), operand::<D, SF, KIND>(d));
        let value = if SUB { d.sub(a, b) } else { d.add(a, b) };
        d.set_x(Slot::D, d.trunc::<SF>(value));
        set_flags::<D, SF, SUB>(d, a, b);
        Ok(())
    }
}

#[inline(always)]
fn set_flags<D: Domain, const SF: bool, const SUB: bool>(d: &mut D, a: D::X, b: D::X) {
    if SUB {
        d.set_flags_sub::<SF>(a, b);
    } else {
        d.set_flags_add::<SF>(a, b);
    }
}

/// `CMP`, `CMN`: the flags of Rn ± Rm shifted.
pub(crate) struct CmpReg<const SF: bool, const SUB: bool, const KIND: u8>;

impl<const SF: bool, const SUB: bool, const KIND: u8> Sem for CmpReg<SF, SUB, KIND> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let (a, b) = (d.x(Slot::N), operand::<D, SF, KIND>(d));
        set_flags::<D, SF, SUB>(d, a, b);
        Ok(())
    }
}

/// Rm extended as Arm's `option` says, shifted left by the immediate.
#[inline(always)]
fn extended<D: Domain, const OPTION: u8>(d: &D) -> D::X {
    let m = d.x(Slot::M);
    let wide = match OPTION {
        0 => d.zext::<{ size::B }>(m),
        1 => d.zext::<{ size::H }>(m),
        2 => d.zext::<{ size::W }>(m),
        4 => d.sext::<{ size::B }>(m),
        5 => d.sext::<{ size::H }>(m),
        6 => d.sext::<{ size::W }>(m),
        _ => m,
    };
    d.lsl::<true>(wide, d.imm())
}

/// `ADD`, `SUB` of an extended register.
pub(crate) struct AddExt<const SF: bool, const SUB: bool, const OPTION: u8>;

impl<const SF: bool, const SUB: bool, const OPTION: u8> Sem for AddExt<SF, SUB, OPTION> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let (a, b) = (d.x(Slot::N), extended::<D, OPTION>(d));
        let value = if SUB { d.sub(a, b) } else { d.add(a, b) };
        d.set_x(Slot::D, d.trunc::<SF>(value));
        Ok(())
    }
}

/// `ADDS`, `SUBS` of an extended register; Rd may be the sink.
pub(crate) struct AddsExt<const SF: bool, const SUB: bool, const OPTION: u8>;

impl<const SF: bool, const SUB: bool, const OPTION: u8> Sem for AddsExt<SF, SUB, OPTION> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let (a, b) = (d.x(Slot::N), extended::<D, OPTION>(d));
        let value = if SUB { d.sub(a, b) } else { d.add(a, b) };
        d.set_x(Slot::D, d.trunc::<SF>(value));
        set_flags::<D, SF, SUB>(d, a, b);
        Ok(())
    }
}

/// `ADC`, `SBC`, and with `FLAGS` `ADCS`, `SBCS`.
pub(crate) struct AddCarry<const SF: bool, const SUB: bool, const FLAGS: bool>;

impl<const SF: bool, const SUB: bool, const FLAGS: bool> Sem for AddCarry<SF, SUB, FLAGS> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let (a, m, c) = (d.x(Slot::N), d.x(Slot::M), d.carry());
        let b = if SUB { d.not(m) } else { m };
        let value = d.add(d.add(a, b), c);
        d.set_x(Slot::D, d.trunc::<SF>(value));
        if FLAGS {
            d.set_flags_adc::<SF>(a, b, c);
        }
        Ok(())
    }
}

/// `MOV` of a register.
pub(crate) struct MoveReg<const SF: bool>;

impl<const SF: bool> Sem for MoveReg<SF> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.trunc::<SF>(d.x(Slot::M));
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `AND`, `ORR`, `EOR`, `BIC`, `ORN`, `EON`: Rd = Rn op Rm shifted.
pub(crate) struct LogicReg<const SF: bool, const OP: u8, const KIND: u8>;

impl<const SF: bool, const OP: u8, const KIND: u8> Sem for LogicReg<SF, OP, KIND> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = bitwise::<D, OP>(d, d.x(Slot::N), operand::<D, SF, KIND>(d));
        d.set_x(Slot::D, d.trunc::<SF>(value));
        Ok(())
    }
}

/// `ANDS`, `BICS`: Rd = Rn op Rm shifted, with flags.
pub(crate) struct LogicFlags<const SF: bool, const OP: u8, const KIND: u8>;

impl<const SF: bool, const OP: u8, const KIND: u8> Sem for LogicFlags<SF, OP, KIND> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.trunc::<SF>(bitwise::<D, OP>(d, d.x(Slot::N), operand::<D, SF, KIND>(d)));
        d.set_x(Slot::D, value);
        d.set_flags_logic::<SF>(value);
        Ok(())
    }
}

/// `TST` of a plain register: the flags of Rn & Rm.
pub(crate) struct TstReg<const SF: bool>;

impl<const SF: bool> Sem for TstReg<SF> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.and(d.x(Slot::N), d.x(Slot::M));
        d.set_flags_logic::<SF>(value);
        Ok(())
    }
}
