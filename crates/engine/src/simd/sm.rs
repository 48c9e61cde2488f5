//! The Chinese standards' hash and cipher (FEAT_SM3, FEAT_SM4).

use super::{V128, VectorOp};

/// `SM3SS1`: the sum SS1 of the state's words A and E, the highest of `a` and
/// `c`, and the round's constant, the highest of `b`; zeros below it.
#[derive(Debug)]
pub struct Sm3Sum;

impl VectorOp for Sm3Sum {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        let (n, m, a) = (a.lane::<u32>(3), b.lane::<u32>(3), c.lane::<u32>(3));
        let sum = n.rotate_left(12).wrapping_add(m).wrapping_add(a).rotate_left(7);
        V128::from_lanes::<u32>([0, 0, 0, sum])
    }
}

/// `SM3TT1A`, and with `LATE` (rounds 16 to 63) `SM3TT1B`: a round of the words
/// D to A, which are `c`. `a` has SS1 as its highest word, `b` the schedule's
/// words, of which `n` tells the one.
#[derive(Debug)]
pub struct Sm3First<const LATE: bool>;

impl<const LATE: bool> VectorOp for Sm3First<LATE> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, n: u64) -> V128 {
        let x = c.lanes::<u32>();
        let w = b.lane::<u32>(n as usize);
        let ss2 = a.lane::<u32>(3) ^ x[3].rotate_left(12);
        let mixed = if LATE { (x[3] & x[1]) | (x[3] & x[2]) | (x[1] & x[2]) } else { x[1] ^ x[2] ^ x[3] };
        let tt1 = mixed.wrapping_add(x[0]).wrapping_add(ss2).wrapping_add(w);
        V128::from_lanes::<u32>([x[1], x[2].rotate_left(9), x[3], tt1])
    }
}

/// `SM3TT2A`, and with `LATE` `SM3TT2B`: as [`Sm3First`], of the words H to E.
#[derive(Debug)]
pub struct Sm3Second<const LATE: bool>;

impl<const LATE: bool> VectorOp for Sm3Second<LATE> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, n: u64) -> V128 {
        let x = c.lanes::<u32>();
        let w = b.lane::<u32>(n as usize);
        let mixed = if LATE { (x[3] & x[2]) | (!x[3] & x[1]) } else { x[1] ^ x[2] ^ x[3] };
        let tt2 = mixed.wrapping_add(x[0]).wrapping_add(a.lane::<u32>(3)).wrapping_add(w);
        let permuted = tt2 ^ tt2.rotate_left(9) ^ tt2.rotate_left(17);
        V128::from_lanes::<u32>([x[1], x[2].rotate_left(19), x[3], permuted])
    }
}

/// The permutation of SM3's message expansion.
#[inline(always)]
fn p1(x: u32) -> u32 {
    x ^ x.rotate_left(15) ^ x.rotate_left(23)
}

/// `SM3PARTW1`.
#[derive(Debug)]
pub struct Sm3Schedule1;

impl VectorOp for Sm3Schedule1 {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        let x = c.zip::<u32>(a, |c, a| c ^ a).lanes::<u32>();
        let m = b.lanes::<u32>();
        let mut r = [0; 4];
        for i in 0..3 {
            r[i] = p1(x[i] ^ m[i + 1].rotate_left(15));
        }
        r[3] = p1(x[3] ^ r[0].rotate_left(15));
        V128::from_lanes::<u32>(r)
    }
}

/// `SM3PARTW2`.
#[derive(Debug)]
pub struct Sm3Schedule2;

impl VectorOp for Sm3Schedule2 {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        let added = a.zip::<u32>(b, |a, b| a ^ b.rotate_left(7));
        let result = c.zip::<u32>(added, |c, added| c ^ added);
        let last = p1(added.lane::<u32>(0).rotate_left(15));
        result.with_lane::<u32>(3, result.lane::<u32>(3) ^ last)
    }
}

/// Multiplication in GF(2^8) modulo x^8 + x^7 + x^6 + x^5 + x^4 + x^2 + 1.
const fn gf_mul(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b != 0 {
        if b & 1 != 0 {
            product ^= a;
        }
        a = a << 1 ^ if a & 0x80 != 0 { 0xf5 } else { 0 };
        b >>= 1;
    }
    product
}

/// The affine map before and behind the inversion: the product with a matrix
/// whose rows are rotations of one, and a constant.
const fn affine(x: u8) -> u8 {
    let (mut result, mut bit) = (0xd3, 0);
    while bit < 8 {
        let row = 0xa7_u8.rotate_left(bit);
        result ^= ((row & x).count_ones() as u8 & 1) << bit;
        bit += 1;
    }
    result
}

/// The S-box of GB/T 32907: an affine map, the inverse in GF(2^8), and the
/// affine map again.
const SBOX: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        // x^254 is the inverse of x, and 0 for 0.
        let x = affine(i as u8);
        let mut inverse = 1;
        let mut n = 0;
        while n < 254 {
            inverse = gf_mul(inverse, x);
            n += 1;
        }
        table[i] = affine(inverse);
        i += 1;
    }
    table
};

/// Four rounds on the words of `state` with the words of `keys`, `mix` being
/// the linear map.
#[inline(always)]
fn sm4_rounds(state: V128, keys: V128, mix: impl Fn(u32) -> u32) -> V128 {
    let mut x = state.lanes::<u32>();
    for key in keys.lanes::<u32>() {
        let bytes = (x[1] ^ x[2] ^ x[3] ^ key).to_le_bytes();
        let substituted = u32::from_le_bytes(bytes.map(|b| SBOX[usize::from(b)]));
        x = [x[1], x[2], x[3], x[0] ^ mix(substituted)];
    }
    V128::from_lanes::<u32>(x)
}

/// `SM4E`: four rounds of the state `c` with the keys `a`.
#[derive(Debug)]
pub struct Sm4Encrypt;

impl VectorOp for Sm4Encrypt {
    #[inline(always)]
    fn eval(a: V128, _: V128, c: V128, _: u64) -> V128 {
        sm4_rounds(c, a, |x| x ^ x.rotate_left(2) ^ x.rotate_left(10) ^ x.rotate_left(18) ^ x.rotate_left(24))
    }
}

/// `SM4EKEY`: the four round keys that follow `a`, by the constants `b`.
#[derive(Debug)]
pub struct Sm4Key;

impl VectorOp for Sm4Key {
    #[inline(always)]
    fn eval(a: V128, b: V128, _: V128, _: u64) -> V128 {
        sm4_rounds(a, b, |x| x ^ x.rotate_left(13) ^ x.rotate_left(23))
    }
}
