//! SHA512 and what SHA3 is made of (FEAT_SHA512, FEAT_SHA3).

use super::{V128, VectorOp};

/// `EOR3`: `a ^ b ^ c`.
#[derive(Debug)]
pub struct Xor3;

impl VectorOp for Xor3 {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        a.zip::<u64>(b, |a, b| a ^ b).zip::<u64>(c, |a, c| a ^ c)
    }
}

/// `BCAX`: `a ^ (b & !c)`.
#[derive(Debug)]
pub struct XorAndNot;

impl VectorOp for XorAndNot {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        a.zip::<u64>(b.zip::<u64>(c, |b, c| b & !c), |a, bc| a ^ bc)
    }
}

/// `RAX1`: `a ^ b`, with `b` rotated left by one.
#[derive(Debug)]
pub struct RotateXor;

impl VectorOp for RotateXor {
    #[inline(always)]
    fn eval(a: V128, b: V128, _: V128, _: u64) -> V128 {
        a.zip::<u64>(b, |a, b| a ^ b.rotate_left(1))
    }
}

/// `XAR`: `a ^ b`, rotated right by `n`.
#[derive(Debug)]
pub struct XorRotate;

impl VectorOp for XorRotate {
    #[inline(always)]
    fn eval(a: V128, b: V128, _: V128, n: u64) -> V128 {
        // Modulo 64, as a shift counts.
        let n = n as u32;
        a.zip::<u64>(b, |a, b| (a ^ b).rotate_right(n))
    }
}

#[inline(always)]
fn big_sigma0(x: u64) -> u64 {
    x.rotate_right(28) ^ x.rotate_right(34) ^ x.rotate_right(39)
}

#[inline(always)]
fn big_sigma1(x: u64) -> u64 {
    x.rotate_right(14) ^ x.rotate_right(18) ^ x.rotate_right(41)
}

#[inline(always)]
fn choose(x: u64, y: u64, z: u64) -> u64 {
    (x & y) ^ (!x & z)
}

#[inline(always)]
fn majority(x: u64, y: u64, z: u64) -> u64 {
    (x & y) ^ (x & z) ^ (y & z)
}

/// `SHA512H`: what two rounds add to the state's words, but for Sigma0 and the
/// majority. `a` and `b` are the state's words g:f and e:d, `c` the words h of
/// both rounds with the schedule and the constants added.
#[derive(Debug)]
pub struct Sha512First;

impl VectorOp for Sha512First {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        let (x, y, w) = (a.lanes::<u64>(), b.lanes::<u64>(), c.lanes::<u64>());
        let high = choose(y[1], x[0], x[1]).wrapping_add(big_sigma1(y[1])).wrapping_add(w[1]);
        let e = high.wrapping_add(y[0]);
        let low = choose(e, y[1], x[0]).wrapping_add(big_sigma1(e)).wrapping_add(w[0]);
        V128::from_halves(low, high)
    }
}

/// `SHA512H2`: Sigma0 and the majority of two rounds added to `c`. `a` has the
/// state's word c in its low half, `b` the words b and a.
#[derive(Debug)]
pub struct Sha512Second;

impl VectorOp for Sha512Second {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        let (x, y, w) = (a.low(), b.lanes::<u64>(), c.lanes::<u64>());
        let high = majority(x, y[1], y[0]).wrapping_add(big_sigma0(y[0])).wrapping_add(w[1]);
        let low = majority(high, y[0], y[1]).wrapping_add(big_sigma0(high)).wrapping_add(w[0]);
        V128::from_halves(low, high)
    }
}

/// `SHA512SU0`: sigma0 of the words behind those of `c` added to them; `a` has
/// the next two.
#[derive(Debug)]
pub struct Sha512Schedule0;

impl VectorOp for Sha512Schedule0 {
    #[inline(always)]
    fn eval(a: V128, _: V128, c: V128, _: u64) -> V128 {
        let sigma = |x: u64| x.rotate_right(1) ^ x.rotate_right(8) ^ (x >> 7);
        c.zip::<u64>(V128::from_halves(c.high(), a.low()), |w, next| w.wrapping_add(sigma(next)))
    }
}

/// `SHA512SU1`: sigma1 of the words of `a`, and those of `b`, added to `c`.
#[derive(Debug)]
pub struct Sha512Schedule1;

impl VectorOp for Sha512Schedule1 {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        let sigma = |x: u64| x.rotate_right(19) ^ x.rotate_right(61) ^ (x >> 6);
        c.zip::<u64>(a, |w, x| w.wrapping_add(sigma(x))).zip::<u64>(b, u64::wrapping_add)
    }
}
