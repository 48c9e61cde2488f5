//! Data processing with one, two and three sources.

use crate::domain::{Domain, Sem, Slot, Stop, size};
use crate::sem::dp_imm::shifted;

/// Defines forms of `SF` that set Rd to an expression of Rn, Rm and Ra.
macro_rules! forms {
    ($($(#[$doc:meta])* $name:ident |$d:ident $(, $r:ident = $slot:ident)*| $value:expr;)*) => {
        $(
            $(#[$doc])*
            pub(crate) struct $name<const SF: bool>;

            impl<const SF: bool> Sem for $name<SF> {
                #[inline(always)]
                fn exec<D: Domain>($d: &mut D) -> Result<(), Stop> {
                    $(let $r = $d.x(Slot::$slot);)*
                    let value = $value;
                    $d.set_x(Slot::D, $d.trunc::<SF>(value));
                    Ok(())
                }
            }
        )*
    };
}

forms! {
    /// `RBIT`.
    Rbit |d, n = N| d.rbit::<SF>(n);
    /// `REV16`.
    Rev16 |d, n = N| d.rev::<SF, { size::H }>(n);
    /// `REV` of 32 bits and `REV32`.
    Rev32 |d, n = N| d.rev::<SF, { size::W }>(n);
    /// `REV` of 64 bits.
    Rev64 |d, n = N| d.rev::<SF, { size::X }>(n);
    /// `CLZ`.
    Clz |d, n = N| d.clz::<SF>(n);
    /// `CLS`: the leading bits that equal the sign, without it.
    Cls |d, n = N| {
        let low = if SF { n } else { d.sext::<{ size::W }>(n) };
        let changes = d.xor(low, d.asr::<true>(low, d.constant(1)));
        d.sub(d.clz::<SF>(changes), d.constant(1))
    };
    /// `UDIV`; zero if divided by zero.
    Udiv |d, n = N, m = M| d.udiv::<SF>(n, m);
    /// `SDIV`; zero if divided by zero, and the most negative number over -1 is itself.
    Sdiv |d, n = N, m = M| d.sdiv::<SF>(n, m);
    /// `MUL`.
    Mul |d, n = N, m = M| d.mul(n, m);
    /// `MADD`.
    Madd |d, n = N, m = M, a = A| d.add(a, d.mul(n, m));
    /// `MSUB`.
    Msub |d, n = N, m = M, a = A| d.sub(a, d.mul(n, m));
    /// `SMULH`.
    Smulh |d, n = N, m = M| d.smulh(n, m);
    /// `UMULH`.
    Umulh |d, n = N, m = M| d.umulh(n, m);
}

/// `LSLV`, `LSRV`, `ASRV`, `RORV`: Rd = Rn shifted by Rm modulo the width.
pub(crate) struct ShiftReg<const SF: bool, const KIND: u8>;

impl<const SF: bool, const KIND: u8> Sem for ShiftReg<SF, KIND> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = shifted::<D, SF, KIND>(d, d.x(Slot::N), d.x(Slot::M));
        d.set_x(Slot::D, d.trunc::<SF>(value));
        Ok(())
    }
}

/// `SMADDL`, `SMSUBL`, `UMADDL`, `UMSUBL`: Rd = Ra ± Wn × Wm, 64 bits.
pub(crate) struct MulAddLong<const SIGNED: bool, const SUB: bool>;

impl<const SIGNED: bool, const SUB: bool> Sem for MulAddLong<SIGNED, SUB> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let (n, m) = (d.x(Slot::N), d.x(Slot::M));
        let product = if SIGNED {
            d.mul(d.sext::<{ size::W }>(n), d.sext::<{ size::W }>(m))
        } else {
            d.mul(d.zext::<{ size::W }>(n), d.zext::<{ size::W }>(m))
        };
        let a = d.x(Slot::A);
        let value = if SUB { d.sub(a, product) } else { d.add(a, product) };
        d.set_x(Slot::D, value);
        Ok(())
    }
}

/// `CRC32` and, with `C`, `CRC32C`: Rd = the checksum Rn continued by Rm.
pub(crate) struct Crc<const C: bool, const SIZE: u8>;

impl<const C: bool, const SIZE: u8> Sem for Crc<C, SIZE> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.crc32::<C, SIZE>(d.x(Slot::N), d.x(Slot::M));
        d.set_x(Slot::D, d.trunc::<false>(value));
        Ok(())
    }
}
