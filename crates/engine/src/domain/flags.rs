//! Lazy flags of plain numbers.
//!
//! Handlers pass two words along, `fa` and `fb`, and the CPU has a
//! [`flag_kind`] that tells how to read them. Most flags are those of a
//! subtraction, whose operands are kept (32-bit ones shifted up, so that one
//! comparison serves both widths); conditions then cost one comparison.

use crate::cpu::flag_kind::{ADD, LOGIC, NZCV, SUB};

/// Flags: the two words and their kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) fa: u64,
    pub(crate) fb: u64,
    pub(crate) kind: u8,
}

const fn bit(b: bool, n: u32) -> u64 {
    (b as u64) << n
}

const fn pack(n: bool, z: bool, c: bool, v: bool) -> u64 {
    bit(n, 31) | bit(z, 30) | bit(c, 29) | bit(v, 28)
}

/// An operand where the flags of its width are those of 64 bits.
#[inline(always)]
pub(crate) const fn shifted<const SF: bool>(a: u64) -> u64 {
    if SF { a } else { a << 32 }
}

/// The flags as N, Z, C, V in bits 31 to 28.
pub(crate) const fn nzcv(kind: u8, fa: u64, fb: u64) -> u64 {
    match kind {
        SUB | LOGIC => {
            let r = fa.wrapping_sub(fb);
            let v = ((fa ^ fb) & (fa ^ r)) >> 63 != 0;
            pack(r >> 63 != 0, r == 0, kind == SUB && fa >= fb, v)
        }
        ADD => add(fa, fb, 0).fa,
        _ => fa & 0xf000_0000,
    }
}

/// The flags of `a + b + carry` for operands as [`shifted`] gives them;
/// `carry` is in the lowest bit that they use.
#[inline(always)]
pub(crate) const fn add(a: u64, b: u64, carry: u64) -> Flags {
    let (partial, c1) = a.overflowing_add(b);
    let (r, c2) = partial.overflowing_add(carry);
    let v = (!(a ^ b) & (a ^ r)) >> 63 != 0;
    Flags { fa: pack(r >> 63 != 0, r == 0, c1 | c2, v), fb: 0, kind: NZCV }
}

/// Each value of NZCV, as a subtraction where there is one.
const IMMEDIATE: [Flags; 16] = {
    const MIN: u64 = 1 << 63;
    let mut table = [Flags { fa: 0, fb: 0, kind: NZCV }; 16];
    let mut n = 0;
    while n < 16 {
        table[n].fa = (n as u64) << 28;
        n += 1;
    }
    table[0b0000] = Flags { fa: 0, fb: u64::MAX, kind: SUB };
    table[0b0010] = Flags { fa: 1, fb: 0, kind: SUB };
    table[0b0011] = Flags { fa: MIN, fb: 1, kind: SUB };
    table[0b0100] = Flags { fa: 0, fb: 0, kind: LOGIC };
    table[0b0110] = Flags { fa: 0, fb: 0, kind: SUB };
    table[0b1000] = Flags { fa: 0, fb: 1, kind: SUB };
    table[0b1001] = Flags { fa: MIN - 1, fb: u64::MAX, kind: SUB };
    table[0b1010] = Flags { fa: u64::MAX, fb: 0, kind: SUB };
    table
};

/// The flags that the low four bits of `nzcv` name.
#[inline(always)]
pub(crate) fn immediate(nzcv: u64) -> Flags {
    IMMEDIATE[(nzcv & 15) as usize]
}

/// For each pair of conditions, which values of NZCV hold for the first, one
/// bit each.
const HOLDS: [u16; 8] = {
    let mut table = [0_u16; 8];
    let mut nzcv = 0_u32;
    while nzcv < 16 {
        let (n, z) = (nzcv & 8 != 0, nzcv & 4 != 0);
        let (c, v) = (nzcv & 2 != 0, nzcv & 1 != 0);
        let holds = [z, c, n, v, c && !z, n == v, n == v && !z, true];
        let mut cond = 0;
        while cond < 8 {
            table[cond] |= (holds[cond] as u16) << nzcv;
            cond += 1;
        }
        nzcv += 1;
    }
    table
};

/// `ConditionHolds`.
#[inline(always)]
pub(crate) fn condition<const COND: u8>(kind: u8, fa: u64, fb: u64) -> bool {
    let uses_carry = matches!(COND >> 1, 1 | 4);
    let negate = COND & 1 != 0 && COND != 15;
    if if uses_carry { kind == SUB } else { kind <= LOGIC } {
        return sub_condition::<COND>(fa, fb);
    }
    let holds = match kind {
        NZCV => HOLDS[(COND >> 1) as usize] >> ((fa >> 28) & 15) & 1 != 0,
        ADD => return add_condition::<COND>(fa, fb),
        // A logical result: C is clear, so neither HS nor HI holds.
        _ => false,
    };
    holds != negate
}

/// A condition of the flags of `SUBS fa, fb`.
#[inline(always)]
pub(crate) fn sub_condition<const COND: u8>(fa: u64, fb: u64) -> bool {
    let (sa, sb) = (fa.cast_signed(), fb.cast_signed());
    let negate = COND & 1 != 0 && COND != 15;
    let holds = match COND >> 1 {
        0 => fa == fb,
        1 => fa >= fb,
        2 => sa.wrapping_sub(sb) < 0,
        3 => sa.overflowing_sub(sb).1,
        4 => fa > fb,
        5 => sa >= sb,
        6 => sa > sb,
        _ => true,
    };
    holds != negate
}

/// A condition of the flags of `ADDS fa, fb`.
#[inline(always)]
fn add_condition<const COND: u8>(fa: u64, fb: u64) -> bool {
    let (sum, carry) = fa.overflowing_add(fb);
    let (signed, overflow) = fa.cast_signed().overflowing_add(fb.cast_signed());
    let negate = COND & 1 != 0 && COND != 15;
    let holds = match COND >> 1 {
        0 => sum == 0,
        1 => carry,
        2 => signed < 0,
        3 => overflow,
        4 => carry && sum != 0,
        5 => (signed < 0) == overflow,
        6 => (signed < 0) == overflow && sum != 0,
        _ => true,
    };
    holds != negate
}

/// C as 0 or 1.
#[inline(always)]
pub(crate) fn carry(kind: u8, fa: u64, fb: u64) -> u64 {
    match kind {
        SUB => u64::from(fa >= fb),
        LOGIC => 0,
        ADD => u64::from(fa.overflowing_add(fb).1),
        _ => fa >> 29 & 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(kind: u8, fa: u64, fb: u64) -> [bool; 16] {
        macro_rules! all { ($($c:literal)*) => { [$(condition::<$c>(kind, fa, fb)),*] } }
        all!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    }

    #[test]
    fn immediates_read_back() {
        for value in 0..16 {
            let f = immediate(value);
            assert_eq!(nzcv(f.kind, f.fa, f.fb), value << 28, "{value:04b}");
        }
    }

    #[test]
    fn every_kind_gives_the_conditions_of_its_nzcv() {
        let numbers = [0, 1, 2, u64::MAX, 1 << 63, (1 << 63) - 1, 5 << 32, u64::MAX << 32];
        for kind in [SUB, LOGIC, ADD] {
            for fa in numbers {
                for fb in if kind == LOGIC { &[0][..] } else { &numbers[..] } {
                    let explicit = nzcv(kind, fa, *fb);
                    assert_eq!(
                        conditions(kind, fa, *fb),
                        conditions(NZCV, explicit, 0),
                        "{kind} {fa:x} {fb:x} {explicit:x}"
                    );
                    assert_eq!(carry(kind, fa, *fb), explicit >> 29 & 1);
                }
            }
        }
    }

    #[test]
    fn sums_set_carry_and_overflow() {
        assert_eq!(add(u64::MAX, 1, 0).fa, 0b0110 << 28);
        assert_eq!(add((1 << 63) - 1, 1, 0).fa, 0b1001 << 28);
        assert_eq!(add(u64::MAX, 0, 1).fa, 0b0110 << 28);
        assert_eq!(add(shifted::<false>(0xffff_ffff), 0, 1 << 32).fa, 0b0110 << 28);
        assert_eq!(add(1 << 63, 1 << 63, 0).fa, 0b0111 << 28);
    }
}
