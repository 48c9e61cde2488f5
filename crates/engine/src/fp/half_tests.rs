//! Half precision with the host's single precision against the software path.

use super::host::{self, HostFloat, half};
use super::tests::{Random, agree, from_integers, fused, one_operand, specials, two_operands};
use super::*;
use crate::simd::convert::{Lengthen, Shorten};
use crate::simd::fp::{self as lanes, Across, Each, FromSigned, FromUnsigned, Pairwise, RoundInt, ToInt, mode};
use crate::simd::fp_long::MulAddLong;
use crate::simd::{FpOp, V128};

#[test]
fn host_matches_software_on_two_halves() {
    two_operands::<Half>();
}

#[test]
fn host_matches_software_on_one_half() {
    one_operand::<Half>();
}

#[test]
fn host_matches_software_from_integers_to_halves() {
    from_integers::<Half>();
}

#[test]
fn host_matches_software_on_fused_multiply_add_of_halves() {
    fused::<Half>();
}

#[test]
fn what_a_single_loses_below_the_least_normal_half_still_underflows() {
    host::init();
    // -2^-14 + 2^-24 * 2^-24
    let (c, a) = (0x8400, 1);
    agree("fma", &[c, a, a], || Half::mul_add(c, a, a), |e| mul_add::<Half>(c, a, a, e));
    let [vc, va] = [c, a].map(|x| V128::splat(x as u16));
    let operands = [c, a, a];
    type Op = Each<lanes::MulAdd, Half, 8>;
    agree("fmla", &operands, || Op::host(va, va, vc, 0), |e| Op::exact(va, va, vc, 0, e));
    let mut env = Env::new(0);
    assert_eq!(mul_add::<Half>(c, a, a, &mut env), c);
    assert_eq!(env.fpsr, FPSR_UFC | FPSR_IXC);
}

#[test]
fn every_half_has_its_root_and_its_single() {
    host::init();
    for a in 0..1 << 16 {
        agree("sqrt", &[a], || Half::sqrt(a), |e| sqrt::<Half>(a, e));
        agree("to single", &[a], || half::to_single(a), |e| convert::<Half, Single>(a, e));
    }
}

#[test]
fn singles_between_halves_round_as_in_software() {
    host::init();
    for a in 0..0x7bff {
        let single = |a| f32::from_bits(convert::<Half, Single>(a, &mut Env::new(0)) as u32);
        // Exact, as there are more bits in a single.
        let middle = u64::from(f32::midpoint(single(a), single(a + 1)).to_bits());
        for x in middle - 2..=middle + 2 {
            for x in [x, x ^ 1 << 31, x + (1 << 11)] {
                agree("from single", &[x], || half::from_single(x), |e| convert::<Single, Half>(x, e));
            }
        }
    }
    let mut random = Random(5);
    for x in specials::<Single>().into_iter().chain((0..100_000).map(|_| random.next() >> 32)) {
        agree("from single", &[x], || half::from_single(x), |e| convert::<Single, Half>(x, e));
    }
}

/// Eight halves: of any kind, near to one with many ties, or near to the
/// denormals.
fn vector(random: &mut Random) -> V128 {
    let kind = random.next() % 8;
    let mut bits = 0;
    for _ in 0..8 {
        let r = random.next();
        let fraction = r >> 48 & !(0x3ff >> (r >> 16 & 15)) & 0x3ff;
        let half = match kind {
            0 => r & 0xffff,
            1..=4 => (r & 0x8000) | (9 + r % 12) << 10 | fraction,
            5 => (r & 0x8000) | (r % 5) << 10 | fraction,
            6 => (r & 0x8000) | (r % 31) << 10 | fraction,
            _ => (r & 0x8000) | (25 + r % 6) << 10 | fraction,
        };
        bits = bits << 16 | u128::from(half);
    }
    V128::from_u128(bits)
}

/// Compares many vectors; at least a fifth has to be answered by the host.
fn vectors<O: FpOp>(what: &str, n: u64, operand: fn(&mut Random) -> V128) {
    host::init();
    let mut random = Random(13);
    let mut answered = 0;
    for i in 0..20_000 {
        let (a, b, mut c) = (operand(&mut random), operand(&mut random), operand(&mut random));
        if i % 8 == 0 {
            // The result is zero, or only what was rounded off before.
            let minus = Each::<lanes::Mul, Half, 8>::exact(a, b, c, 0, &mut Env::new(0));
            c = minus.map::<u16>(|x| x ^ 0x8000);
        }
        let operands = [a, b, c].map(|v| [v.high(), v.low()]).concat();
        let same = agree(what, &operands, || O::host(a, b, c, n), |e| O::exact(a, b, c, n, e));
        answered += usize::from(same);
    }
    if cfg!(target_arch = "x86_64") && host::has_fma() && host::has_round() {
        assert!(answered > 4_000, "{what}: the host answered {answered}");
    }
}

macro_rules! vectors {
    ($($name:ident: $($op:ty),*;)*) => {$(
        #[test]
        fn $name() {
            $(vectors::<$op>(stringify!($op), 0, vector);)*
        }
    )*};
}

vectors! {
    sums_of_vectors_agree: Each<lanes::Add, Half, 8>, Each<lanes::Sub, Half, 4>, Pairwise<lanes::Add, Half, 8>,
        Pairwise<lanes::Add, Half, 1>, Each<lanes::AbsDiff, Half, 8>;
    products_of_vectors_agree: Each<lanes::Mul, Half, 8>, Each<lanes::MulAdd, Half, 8>, Each<lanes::MulSub, Half, 4>,
        Each<lanes::Div, Half, 8>, Each<lanes::Div, Half, 4>, MulAddLong<false, false, 4>, MulAddLong<true, true, 4>,
        MulAddLong<false, false, 2>, MulAddLong<true, true, 2>;
    orders_of_vectors_agree: Each<lanes::Max, Half, 8>, Each<lanes::MinNum, Half, 8>, Across<lanes::Max, Half, 8>,
        Each<lanes::CmpEq, Half, 8>, Each<lanes::CmpGe, Half, 8>, Each<lanes::CmpGt, Half, 4>,
        Each<lanes::AbsGe, Half, 8>, Each<lanes::CmpLtZero, Half, 8>;
    conversions_of_vectors_agree: Each<ToInt<{ mode::Z }, true>, Half, 8>, Each<ToInt<{ mode::N }, true>, Half, 8>,
        Each<RoundInt<{ mode::X }>, Half, 8>, Each<RoundInt<{ mode::P }>, Half, 4>, Each<FromSigned, Half, 8>,
        Each<FromUnsigned, Half, 8>, Lengthen<Half, Single, u16, true>, Lengthen<Half, Single, u16, false>;
}

/// Magnitudes only, for what negative numbers keep from the host.
fn magnitudes(random: &mut Random) -> V128 {
    vector(random).map::<u16>(|x| x & 0x7fff)
}

#[test]
fn roots_and_unsigned_conversions_of_vectors_agree() {
    vectors::<Each<lanes::Sqrt, Half, 8>>("sqrt", 0, magnitudes);
    vectors::<Each<ToInt<{ mode::Z }, false>, Half, 8>>("to unsigned", 0, magnitudes);
}

/// Singles within the range of halves and around it.
fn singles(random: &mut Random) -> V128 {
    let mut bits = 0;
    for _ in 0..4 {
        let r = random.next();
        let single = (r & 0x807f_ffff & !(0x7f_ffff >> (r >> 40 & 31))) | (100 + (r >> 50) % 42) << 23;
        bits = bits << 32 | u128::from(single);
    }
    V128::from_u128(bits)
}

#[test]
fn vectors_of_singles_become_halves_as_in_software() {
    vectors::<Shorten<Single, Half, u16, false, false>>("fcvtn", 0, singles);
    vectors::<Shorten<Single, Half, u16, false, true>>("fcvtn2", 0, singles);
}
