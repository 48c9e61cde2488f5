//! Hints, barriers, cache maintenance and system registers.

use crate::domain::{Domain, Sem, Slot, Stop, size};

/// What does nothing here.
pub(crate) struct Nop;

impl Sem for Nop {
    #[inline(always)]
    fn exec<D: Domain>(_d: &mut D) -> Result<(), Stop> {
        Ok(())
    }
}

/// `DMB`, `DSB`, `ISB`, `SB`; `KIND` is one of [`crate::domain::order`].
pub(crate) struct Barrier<const KIND: u8>;

impl<const KIND: u8> Sem for Barrier<KIND> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        d.barrier::<KIND>();
        Ok(())
    }
}

/// `DC ZVA` at D.
pub(crate) struct ZeroBlock;

impl Sem for ZeroBlock {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        d.zero_block(d.x(Slot::D))
    }
}

/// Cache maintenance at D. Code that is written over is dropped by the store,
/// so nothing is left to do but to fault where there is no memory.
pub(crate) struct CacheLine;

impl Sem for CacheLine {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        d.load::<{ size::B }>(d.x(Slot::D))?;
        Ok(())
    }
}

/// D becomes N, for system registers that are operands.
pub(crate) struct Move;

impl Sem for Move {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.x(Slot::N);
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// D becomes the literal, for system registers that never change.
pub(crate) struct Literal;

impl Sem for Literal {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.literal();
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `MRS D, NZCV`.
pub(crate) struct ReadNzcv;

impl Sem for ReadNzcv {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.nzcv();
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `MSR NZCV, D`.
pub(crate) struct WriteNzcv;

impl Sem for WriteNzcv {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.x(Slot::D);
        d.set_nzcv(value);
        Ok(())
    }
}

/// `MRS D, FPCR`.
pub(crate) struct ReadFpcr;

impl Sem for ReadFpcr {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.fpcr();
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `MSR FPCR, D`.
pub(crate) struct WriteFpcr;

impl Sem for WriteFpcr {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.x(Slot::D);
        d.set_fpcr(value);
        Ok(())
    }
}

/// `MRS D, FPSR`.
pub(crate) struct ReadFpsr;

impl Sem for ReadFpsr {
    const IS_LARGE: bool = true;

    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.fpsr();
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `MSR FPSR, D`.
pub(crate) struct WriteFpsr;

impl Sem for WriteFpsr {
    const IS_LARGE: bool = true;

    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.x(Slot::D);
        d.set_fpsr(value);
        Ok(())
    }
}

/// `MRS D` of the register that shows one bit of PSTATE, whose number is the
/// immediate.
pub(crate) struct ReadPstate;

impl Sem for ReadPstate {
    const IS_LARGE: bool = true;

    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let mask = d.lsl::<true>(d.constant(1), d.imm());
        let value = d.and(d.pstate(), mask);
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `MSR` of such a register: the bit becomes that of N.
pub(crate) struct WritePstate;

impl Sem for WritePstate {
    const IS_LARGE: bool = true;

    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let mask = d.lsl::<true>(d.constant(1), d.imm());
        let new = d.and(d.x(Slot::N), mask);
        let pstate = d.or(d.and(d.pstate(), d.not(mask)), new);
        d.set_pstate(pstate);
        Ok(())
    }
}

/// `MSR` of an immediate to a bit of PSTATE: its number is the immediate, its
/// value is in slot A as a number.
pub(crate) struct WritePstateImm;

impl Sem for WritePstateImm {
    const IS_LARGE: bool = true;

    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let mask = d.lsl::<true>(d.constant(1), d.imm());
        let new = d.lsl::<true>(d.slot(Slot::A), d.imm());
        let pstate = d.or(d.and(d.pstate(), d.not(mask)), new);
        d.set_pstate(pstate);
        Ok(())
    }
}
