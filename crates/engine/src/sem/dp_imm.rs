//! Data processing with an immediate: moves, sums, logic, bit fields.
//!
//! Signed immediates are in the op where they fit, else in a literal.

use crate::domain::{Domain, Sem, Slot, Stop};

/// Where a form's immediate is, as a const parameter.
pub(crate) mod source {
    /// The op's 32 bits, sign extended.
    pub(crate) const SIGNED: u8 = 0;
    /// The op's 32 bits, zero extended.
    pub(crate) const UNSIGNED: u8 = 1;
    /// A 64-bit literal.
    pub(crate) const LITERAL: u8 = 2;
}

/// Bitwise operations, as a const parameter.
pub(crate) mod logic {
    pub(crate) const AND: u8 = 0;
    pub(crate) const ORR: u8 = 1;
    pub(crate) const EOR: u8 = 2;
    pub(crate) const BIC: u8 = 3;
    pub(crate) const ORN: u8 = 4;
    pub(crate) const EON: u8 = 5;
}

/// The immediate, from its [`source`].
#[inline(always)]
fn immediate<D: Domain, const FROM: u8>(d: &D) -> D::X {
    match FROM {
        source::SIGNED => d.imm(),
        source::UNSIGNED => d.imm_unsigned(),
        _ => d.literal(),
    }
}

/// The bitwise operation `OP` of 64 bits.
#[inline(always)]
pub(crate) fn bitwise<D: Domain, const OP: u8>(d: &D, a: D::X, b: D::X) -> D::X {
    match OP {
        logic::AND => d.and(a, b),
        logic::ORR => d.or(a, b),
        logic::EOR => d.xor(a, b),
        logic::BIC => d.and(a, d.not(b)),
        logic::ORN => d.or(a, d.not(b)),
        _ => d.xor(a, d.not(b)),
    }
}

/// Does nothing: hints, and what only writes XZR.
pub(crate) struct Nop;

impl Sem for Nop {
    #[inline(always)]
    fn exec<D: Domain>(_: &mut D) -> Result<(), Stop> {
        Ok(())
    }
}

/// `MOVZ`, `MOVN`, `ORR` of XZR: Rd = immediate.
pub(crate) struct MoveImm<const FROM: u8>;

impl<const FROM: u8> Sem for MoveImm<FROM> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = immediate::<D, FROM>(d);
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `MOVK`: the immediate replaces the 16 bits of Rd from bit `16 * HW`.
pub(crate) struct MoveKeep<const SF: bool, const HW: u32>;

impl<const SF: bool, const HW: u32> Sem for MoveKeep<SF, HW> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let mask = d.constant(!(0xffff << (16 * HW)));
        let field = d.lsl::<true>(d.imm_unsigned(), d.constant(u64::from(16 * HW)));
        let value = d.or(d.and(d.x(Slot::D), mask), field);
        d.set_x(Slot::D, d.trunc::<SF>(value));
        Ok(())
    }
}

/// `ADR`: Rd = page + immediate (which includes the offset in the page).
pub(crate) struct Adr;

impl Sem for Adr {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.add(d.page(), d.imm());
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `ADRP`: Rd = page + immediate × 4096.
pub(crate) struct Adrp;

impl Sem for Adrp {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.add(d.page(), d.lsl::<true>(d.imm(), d.constant(12)));
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `ADD`, `SUB` (negative): Rd = Rn + immediate.
pub(crate) struct AddImm<const SF: bool>;

impl<const SF: bool> Sem for AddImm<SF> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.add(d.x(Slot::N), d.imm());
        d.set_x(Slot::D, d.trunc::<SF>(value));
        Ok(())
    }
}

/// `SUBS`, and `ADDS` of the negative: Rd = Rn - immediate, with flags.
pub(crate) struct SubsImm<const SF: bool>;

impl<const SF: bool> Sem for SubsImm<SF> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let (a, b) = (d.x(Slot::N), d.imm());
        let value = d.sub(a, b);
        d.set_x(Slot::D, d.trunc::<SF>(value));
        d.set_flags_sub::<SF>(a, b);
        Ok(())
    }
}

/// `CMP`, and `CMN` of the negative: the flags of Rn - immediate.
pub(crate) struct CmpImm<const SF: bool>;

impl<const SF: bool> Sem for CmpImm<SF> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let (a, b) = (d.x(Slot::N), d.imm());
        d.set_flags_sub::<SF>(a, b);
        Ok(())
    }
}

/// `ADDS` of zero: Rd = Rn, with N and Z; no carry, no overflow.
pub(crate) struct AddsZero<const SF: bool>;

impl<const SF: bool> Sem for AddsZero<SF> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.trunc::<SF>(d.x(Slot::N));
        d.set_x(Slot::D, value);
        d.set_flags_logic::<SF>(value);
        Ok(())
    }
}

/// `AND`, `ORR`, `EOR`: Rd = Rn op immediate.
pub(crate) struct LogicImm<const SF: bool, const OP: u8, const FROM: u8>;

impl<const SF: bool, const OP: u8, const FROM: u8> Sem for LogicImm<SF, OP, FROM> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = bitwise::<D, OP>(d, d.x(Slot::N), immediate::<D, FROM>(d));
        d.set_x(Slot::D, d.trunc::<SF>(value));
        Ok(())
    }
}

/// `ANDS`: Rd = Rn & immediate, with flags.
pub(crate) struct AndsImm<const SF: bool, const FROM: u8>;

impl<const SF: bool, const FROM: u8> Sem for AndsImm<SF, FROM> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.trunc::<SF>(d.and(d.x(Slot::N), immediate::<D, FROM>(d)));
        d.set_x(Slot::D, value);
        d.set_flags_logic::<SF>(value);
        Ok(())
    }
}

/// `TST`: the flags of Rn & immediate.
pub(crate) struct TstImm<const SF: bool, const FROM: u8>;

impl<const SF: bool, const FROM: u8> Sem for TstImm<SF, FROM> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.and(d.x(Slot::N), immediate::<D, FROM>(d));
        d.set_flags_logic::<SF>(value);
        Ok(())
    }
}

/// Shifts, as a const parameter: Arm's `shift` field.
pub(crate) mod shift {
    pub(crate) const LSL: u8 = 0;
    pub(crate) const LSR: u8 = 1;
    pub(crate) const ASR: u8 = 2;
    pub(crate) const ROR: u8 = 3;
}

/// `a` shifted by `n` modulo the width.
#[inline(always)]
pub(crate) fn shifted<D: Domain, const SF: bool, const KIND: u8>(d: &D, a: D::X, n: D::X) -> D::X {
    match KIND {
        shift::LSL => d.lsl::<SF>(a, n),
        shift::LSR => d.lsr::<SF>(a, n),
        shift::ASR => d.asr::<SF>(a, n),
        _ => d.ror::<SF>(a, n),
    }
}

/// `LSL`, `LSR`, `ASR`, `ROR`: Rd = Rn shifted by the immediate.
pub(crate) struct ShiftImm<const SF: bool, const KIND: u8>;

impl<const SF: bool, const KIND: u8> Sem for ShiftImm<SF, KIND> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = shifted::<D, SF, KIND>(d, d.x(Slot::N), d.imm());
        d.set_x(Slot::D, d.trunc::<SF>(value));
        Ok(())
    }
}

/// `UXTB`, `UXTH`, `SXTB`, `SXTH`, `SXTW`: Rd = the low `1 << SIZE` bytes of Rn extended.
pub(crate) struct Extend<const SF: bool, const SIGNED: bool, const SIZE: u8>;

impl<const SF: bool, const SIGNED: bool, const SIZE: u8> Sem for Extend<SF, SIGNED, SIZE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let a = d.x(Slot::N);
        let value = if SIGNED { d.sext::<SIZE>(a) } else { d.zext::<SIZE>(a) };
        d.set_x(Slot::D, d.trunc::<SF>(value));
        Ok(())
    }
}

/// `UBFX` of up to 32 bits: Rd = (Rn >> slot M, and 32 more if `HIGH`) & immediate.
pub(crate) struct ExtractBits<const HIGH: bool>;

impl<const HIGH: bool> Sem for ExtractBits<HIGH> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let n = d.x(Slot::N);
        let n = if HIGH { d.lsr::<true>(n, d.constant(32)) } else { n };
        let value = d.and(d.lsr::<true>(n, d.slot(Slot::M)), d.imm_unsigned());
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `UBFIZ` of up to 32 bits: Rd = (Rn & immediate) << slot M, and 32 more if `HIGH`.
pub(crate) struct PlaceBits<const HIGH: bool>;

impl<const HIGH: bool> Sem for PlaceBits<HIGH> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let field = d.lsl::<true>(d.and(d.x(Slot::N), d.imm_unsigned()), d.slot(Slot::M));
        let value = if HIGH { d.lsl::<true>(field, d.constant(32)) } else { field };
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `SBFX`, `SBFIZ`, and the wide `UBFX` and `UBFIZ`: Rd = Rn shifted left by the
/// immediate's low byte, then right by its second byte, both over 64 bits.
pub(crate) struct ShiftTwice<const SF: bool, const SIGNED: bool>;

impl<const SF: bool, const SIGNED: bool> Sem for ShiftTwice<SF, SIGNED> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let amounts = d.imm_unsigned();
        let left = d.lsl::<true>(d.x(Slot::N), amounts);
        let n = d.lsr::<true>(amounts, d.constant(8));
        let value = if SIGNED { d.asr::<true>(left, n) } else { d.lsr::<true>(left, n) };
        d.set_x(Slot::D, d.trunc::<SF>(value));
        Ok(())
    }
}

/// `BFI`, `BFXIL`, `BFC`: the bits of Rd in the immediate's mask become those of
/// Rn rotated right by slot M, and 32 more if `HIGH`.
pub(crate) struct InsertBits<const SF: bool, const HIGH: bool, const FROM: u8>;

impl<const SF: bool, const HIGH: bool, const FROM: u8> Sem for InsertBits<SF, HIGH, FROM> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let n = d.x(Slot::N);
        let n = if HIGH { d.ror::<true>(n, d.constant(32)) } else { n };
        // Taking what differs needs the mask once, and one register less.
        let old = d.x(Slot::D);
        let differs = d.and(d.xor(old, d.ror::<SF>(n, d.slot(Slot::M))), immediate::<D, FROM>(d));
        let value = d.xor(old, differs);
        d.set_x(Slot::D, d.trunc::<SF>(value));
        Ok(())
    }
}

/// `EXTR`: Rd = the low half of Rn:Rm from bit `immediate` on.
pub(crate) struct Extract<const SF: bool>;

impl<const SF: bool> Sem for Extract<SF> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.extr::<SF>(d.x(Slot::N), d.x(Slot::M), d.imm());
        d.set_x(Slot::D, d.trunc::<SF>(value));
        Ok(())
    }
}
