//! Pointer authentication. `KEY` is a number of `machine::pauth_key`.

use crate::bti::branch;
use crate::domain::{Domain, JumpSem, Sem, Slot, Stop, size};

/// `PACIA` and its like: D becomes M signed with the modifier N. (D and M are
/// the same register, unless that is XZR.)
pub(crate) struct Sign<const KEY: u8>;

impl<const KEY: u8> Sem for Sign<KEY> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let signed = d.sign::<KEY>(d.x(Slot::M), d.x(Slot::N))?;
        d.set_x(Slot::D, signed);
        Ok(())
    }
}

/// `AUTIA` and its like: D becomes M authenticated with the modifier N.
pub(crate) struct Authenticate<const KEY: u8>;

impl<const KEY: u8> Sem for Authenticate<KEY> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let plain = d.authenticate::<KEY>(d.x(Slot::M), d.x(Slot::N))?;
        d.set_x(Slot::D, plain);
        Ok(())
    }
}

/// `XPACI`, `XPACD`, `XPACLRI`: D becomes M without its code.
pub(crate) struct Strip;

impl Sem for Strip {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let plain = d.strip(d.x(Slot::M));
        d.set_x(Slot::D, plain);
        Ok(())
    }
}

/// `PACGA`: D becomes the code of N with the modifier M.
pub(crate) struct GenericCode;

impl Sem for GenericCode {
    const IS_LARGE: bool = true;

    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let code = d.generic_code(d.x(Slot::N), d.x(Slot::M));
        d.set_x(Slot::D, code);
        Ok(())
    }
}

/// `LDRAA`, `LDRAB`: D from the base N, authenticated, and the immediate,
/// which with `PRE` also becomes the base.
pub(crate) struct LoadAuthenticated<const KEY: u8, const PRE: bool>;

impl<const KEY: u8, const PRE: bool> Sem for LoadAuthenticated<KEY, PRE> {
    const IS_LARGE: bool = true;

    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let base = d.authenticate::<KEY>(d.x(Slot::N), d.constant(0))?;
        let addr = d.add(base, d.imm());
        let value = d.load::<{ size::X }>(addr)?;
        if PRE {
            d.set_x(Slot::N, addr);
        }
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `BRAA` and its like and `RETAA` (which `BRANCH` tells apart): to N,
/// authenticated with the modifier M.
pub(crate) struct AuthenticatedRegister<const KEY: u8, const BRANCH: u8>;

impl<const KEY: u8, const BRANCH: u8> JumpSem for AuthenticatedRegister<KEY, BRANCH> {
    const BRANCH: u8 = BRANCH;

    #[inline(always)]
    fn target<D: Domain>(d: &mut D) -> Result<D::X, Stop> {
        d.authenticate::<KEY>(d.x(Slot::N), d.x(Slot::M))
    }
}

/// `BLRAA` and its like: to N, authenticated with the modifier M; D is X30.
pub(crate) struct AuthenticatedLink<const KEY: u8>;

impl<const KEY: u8> JumpSem for AuthenticatedLink<KEY> {
    const BRANCH: u8 = branch::CALL;

    #[inline(always)]
    fn target<D: Domain>(d: &mut D) -> Result<D::X, Stop> {
        let target = d.authenticate::<KEY>(d.x(Slot::N), d.x(Slot::M))?;
        let back = d.next_pc();
        d.set_x(Slot::D, back);
        Ok(target)
    }
}
