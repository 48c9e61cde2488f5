//! What only works on the flags (FEAT_FlagM and FEAT_FlagM2).

use crate::domain::{Domain, Sem, Slot, Stop};

/// Where the flags are in NZCV.
mod bit {
    pub(super) const N: u64 = 31;
    pub(super) const Z: u64 = 30;
    pub(super) const C: u64 = 29;
    pub(super) const V: u64 = 28;
}

/// Bit `n` of `a`, as 0 or 1.
#[inline(always)]
fn bit<D: Domain>(d: &D, a: D::X, n: u64) -> D::X {
    d.and(d.lsr::<true>(a, d.constant(n)), d.constant(1))
}

/// `a`, which is 0 or 1, at bit `n`.
#[inline(always)]
fn at<D: Domain>(d: &D, a: D::X, n: u64) -> D::X {
    d.lsl::<true>(a, d.constant(n))
}

/// The complement of `a`, which is 0 or 1.
#[inline(always)]
fn inverse<D: Domain>(d: &D, a: D::X) -> D::X {
    d.xor(a, d.constant(1))
}

/// `CFINV`: the other carry.
pub(crate) struct InvertCarry;

impl Sem for InvertCarry {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let flags = d.xor(d.nzcv(), d.constant(1 << bit::C));
        d.set_nzcv(flags);
        Ok(())
    }
}

/// `AXFLAG`: from the flags of an Arm comparison of floating point to those of
/// the alternative that other architectures have.
pub(crate) struct ToAlternativeFlags;

impl Sem for ToAlternativeFlags {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let flags = d.nzcv();
        let [z, c, v] = [bit::Z, bit::C, bit::V].map(|n| bit(d, flags, n));
        let (z, c) = (d.or(z, v), d.and(c, inverse(d, v)));
        let flags = d.or(at(d, z, bit::Z), at(d, c, bit::C));
        d.set_nzcv(flags);
        Ok(())
    }
}

/// `XAFLAG`: the other way round.
pub(crate) struct FromAlternativeFlags;

impl Sem for FromAlternativeFlags {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let flags = d.nzcv();
        let [z, c] = [bit::Z, bit::C].map(|n| bit(d, flags, n));
        let (not_z, not_c) = (inverse(d, z), inverse(d, c));
        let parts = [
            at(d, d.and(not_c, not_z), bit::N),
            at(d, d.and(z, c), bit::Z),
            at(d, d.or(c, z), bit::C),
            at(d, d.and(not_c, z), bit::V),
        ];
        let flags = parts.into_iter().fold(d.constant(0), |all, part| d.or(all, part));
        d.set_nzcv(flags);
        Ok(())
    }
}

/// `RMIF`: the flags that the mask in slot A names become the low bits of N,
/// rotated right by the immediate.
pub(crate) struct RotateIntoFlags;

impl Sem for RotateIntoFlags {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let rotated = d.ror::<true>(d.x(Slot::N), d.imm());
        let mask = at(d, d.slot(Slot::A), bit::V);
        let new = d.and(at(d, rotated, bit::V), mask);
        let flags = d.or(new, d.and(d.nzcv(), d.not(mask)));
        d.set_nzcv(flags);
        Ok(())
    }
}

/// `SETF8` and `SETF16`: N and Z of the low `BITS` of N, V if the bit above
/// them differs from their sign; C stays.
pub(crate) struct SetFlagsOf<const BITS: u64>;

impl<const BITS: u64> Sem for SetFlagsOf<BITS> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let value = d.x(Slot::N);
        let sign = bit(d, value, BITS - 1);
        let low = d.and(value, d.constant((1 << BITS) - 1));
        let z = d.x_from(d.eq(low, d.constant(0)));
        let v = d.xor(sign, bit(d, value, BITS));
        let parts = [at(d, sign, bit::N), at(d, z, bit::Z), at(d, v, bit::V), d.and(d.nzcv(), d.constant(1 << bit::C))];
        let flags = parts.into_iter().fold(d.constant(0), |all, part| d.or(all, part));
        d.set_nzcv(flags);
        Ok(())
    }
}
