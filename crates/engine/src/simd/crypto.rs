//! AES, SHA1 and SHA256.

use super::{V128, VectorOp, crypto_host};

/// Multiplication in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1.
const fn gf_mul(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b != 0 {
        if b & 1 != 0 {
            product ^= a;
        }
        a = a << 1 ^ if a & 0x80 != 0 { 0x1b } else { 0 };
        b >>= 1;
    }
    product
}

/// The S-box of FIPS 197: the inverse in GF(2^8), then an affine map.
const SBOX: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        // x^254 is the inverse of x, and 0 for 0.
        let x = i as u8;
        let mut inverse = 1;
        let mut n = 0;
        while n < 254 {
            inverse = gf_mul(inverse, x);
            n += 1;
        }
        let b = inverse;
        table[i] = b ^ b.rotate_left(1) ^ b.rotate_left(2) ^ b.rotate_left(3) ^ b.rotate_left(4) ^ 0x63;
        i += 1;
    }
    table
};

const INVERSE_SBOX: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[SBOX[i] as usize] = i as u8;
        i += 1;
    }
    table
};

/// `AESE` of the state `c` and the key `a`.
#[derive(Debug)]
pub struct AesEncrypt;

impl VectorOp for AesEncrypt {
    #[inline(always)]
    fn eval(a: V128, _: V128, c: V128, _: u64) -> V128 {
        let state = c.zip::<u8>(a, |c, a| c ^ a);
        if let Some(result) = crypto_host::encrypt_last(state) {
            return result;
        }
        let state = state.lanes::<u8>();
        // Row r of the state moves r columns to the left.
        V128::from_lanes::<u8>(core::array::from_fn(|i| SBOX[usize::from(state[(i + 4 * (i % 4)) % 16])]))
    }
}

/// `AESD` of the state `c` and the key `a`.
#[derive(Debug)]
pub struct AesDecrypt;

impl VectorOp for AesDecrypt {
    #[inline(always)]
    fn eval(a: V128, _: V128, c: V128, _: u64) -> V128 {
        let state = c.zip::<u8>(a, |c, a| c ^ a);
        if let Some(result) = crypto_host::decrypt_last(state) {
            return result;
        }
        let state = state.lanes::<u8>();
        V128::from_lanes::<u8>(core::array::from_fn(|i| INVERSE_SBOX[usize::from(state[(i + 16 - 4 * (i % 4)) % 16])]))
    }
}

#[inline(always)]
fn mix(a: V128, row: [u8; 4]) -> V128 {
    let state = a.lanes::<u8>();
    V128::from_lanes::<u8>(core::array::from_fn(|i| {
        let column = i & !3;
        (0..4).fold(0, |sum, k| sum ^ gf_mul(state[column + (i + k) % 4], row[k]))
    }))
}

/// `AESMC`.
#[derive(Debug)]
pub struct AesMixColumns;

impl VectorOp for AesMixColumns {
    const IS_LARGE: bool = true;

    #[inline(always)]
    fn eval(a: V128, _: V128, _: V128, _: u64) -> V128 {
        crypto_host::mix_columns(a).unwrap_or_else(|| mix(a, [2, 3, 1, 1]))
    }
}

/// `AESIMC`.
#[derive(Debug)]
pub struct AesInverseMixColumns;

impl VectorOp for AesInverseMixColumns {
    const IS_LARGE: bool = true;

    #[inline(always)]
    fn eval(a: V128, _: V128, _: V128, _: u64) -> V128 {
        crypto_host::inverse_mix_columns(a).unwrap_or_else(|| mix(a, [14, 11, 13, 9]))
    }
}

/// The functions of SHA1's rounds.
pub mod sha1 {
    /// Rounds 0 to 19.
    pub const CHOOSE: u8 = 0;
    /// Rounds 20 to 39 and 60 to 79.
    pub const PARITY: u8 = 1;
    /// Rounds 40 to 59.
    pub const MAJORITY: u8 = 2;
}

/// `SHA1C`, `SHA1P`, `SHA1M`: `c` is the state's first four words, `a` its
/// fifth, `b` what the rounds mix in.
#[derive(Debug)]
pub struct Sha1<const FUNCTION: u8>;

impl<const FUNCTION: u8> VectorOp for Sha1<FUNCTION> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        let mut x = c.lanes::<u32>();
        let mut y = a.lane::<u32>(0);
        for w in b.lanes::<u32>() {
            let t = match FUNCTION {
                sha1::CHOOSE => (x[1] & x[2]) | (!x[1] & x[3]),
                sha1::PARITY => x[1] ^ x[2] ^ x[3],
                _ => (x[1] & x[2]) | (x[1] & x[3]) | (x[2] & x[3]),
            };
            y = y.wrapping_add(x[0].rotate_left(5)).wrapping_add(t).wrapping_add(w);
            x[1] = x[1].rotate_left(30);
            // Rotate the five words y:x.
            let last = x[3];
            x = [y, x[0], x[1], x[2]];
            y = last;
        }
        V128::from_lanes::<u32>(x)
    }
}

/// `SHA1H`.
#[derive(Debug)]
pub struct Sha1Rotate;

impl VectorOp for Sha1Rotate {
    #[inline(always)]
    fn eval(a: V128, _: V128, _: V128, _: u64) -> V128 {
        V128::from_halves(a.lane::<u32>(0).rotate_left(30).into(), 0)
    }
}

/// `SHA1SU0`.
#[derive(Debug)]
pub struct Sha1Schedule0;

impl VectorOp for Sha1Schedule0 {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        V128::from_halves(c.low() ^ c.high() ^ b.low(), c.high() ^ a.low() ^ b.high())
    }
}

/// `SHA1SU1`.
#[derive(Debug)]
pub struct Sha1Schedule1;

impl VectorOp for Sha1Schedule1 {
    #[inline(always)]
    fn eval(a: V128, _: V128, c: V128, _: u64) -> V128 {
        let (n, d) = (a.lanes::<u32>(), c.lanes::<u32>());
        let t = [d[0] ^ n[1], d[1] ^ n[2], d[2] ^ n[3], d[3]];
        let r = t.map(|t| t.rotate_left(1));
        V128::from_lanes::<u32>([r[0], r[1], r[2], r[3] ^ t[0].rotate_left(2)])
    }
}

/// `SHA256H`, and with `SECOND` `SHA256H2`.
#[derive(Debug)]
pub struct Sha256<const SECOND: bool>;

impl<const SECOND: bool> VectorOp for Sha256<SECOND> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        let (mut x, mut y) =
            if SECOND { (a.lanes::<u32>(), c.lanes::<u32>()) } else { (c.lanes::<u32>(), a.lanes::<u32>()) };
        for w in b.lanes::<u32>() {
            let choose = (y[0] & y[1]) | (!y[0] & y[2]);
            let majority = (x[0] & x[1]) | (x[0] & x[2]) | (x[1] & x[2]);
            let sigma1 = y[0].rotate_right(6) ^ y[0].rotate_right(11) ^ y[0].rotate_right(25);
            let sigma0 = x[0].rotate_right(2) ^ x[0].rotate_right(13) ^ x[0].rotate_right(22);
            let t = y[3].wrapping_add(sigma1).wrapping_add(choose).wrapping_add(w);
            let new_y = t.wrapping_add(x[3]);
            let new_x = t.wrapping_add(sigma0).wrapping_add(majority);
            y = [new_y, y[0], y[1], y[2]];
            x = [new_x, x[0], x[1], x[2]];
        }
        V128::from_lanes::<u32>(if SECOND { y } else { x })
    }
}

/// `SHA256SU0`.
#[derive(Debug)]
pub struct Sha256Schedule0;

impl VectorOp for Sha256Schedule0 {
    #[inline(always)]
    fn eval(a: V128, _: V128, c: V128, _: u64) -> V128 {
        let (n, d) = (a.lanes::<u32>(), c.lanes::<u32>());
        let t = [d[1], d[2], d[3], n[0]];
        V128::from_lanes::<u32>(core::array::from_fn(|i| {
            let sigma = t[i].rotate_right(7) ^ t[i].rotate_right(18) ^ (t[i] >> 3);
            d[i].wrapping_add(sigma)
        }))
    }
}

/// `SHA256SU1`.
#[derive(Debug)]
pub struct Sha256Schedule1;

impl VectorOp for Sha256Schedule1 {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        let (n, m, d) = (a.lanes::<u32>(), b.lanes::<u32>(), c.lanes::<u32>());
        let sigma = |t: u32| t.rotate_right(17) ^ t.rotate_right(19) ^ (t >> 10);
        let rest = [n[1], n[2], n[3], m[0]];
        let mut r = [0; 4];
        for i in 0..4 {
            let t = if i < 2 { m[i + 2] } else { r[i - 2] };
            r[i] = sigma(t).wrapping_add(d[i]).wrapping_add(rest[i]);
        }
        V128::from_lanes::<u32>(r)
    }
}
