//! The host's FPU against the software path, and both against known answers.

use super::host::{self, Compare, HostFloat, Op2};
use super::*;
use crate::simd::V128;

/// A small generator (SplitMix64): the same values in every run.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

pub(super) fn specials<T: Float>() -> Vec<u64> {
    let magnitudes = [
        0,
        1,
        2,
        T::FRAC_MASK >> 1,
        T::FRAC_MASK,
        1 << T::FRAC,
        (1 << T::FRAC) + 1,
        (1 << T::FRAC) | T::FRAC_MASK,
        2 << T::FRAC,
        (T::BIAS as u64 - 1) << T::FRAC,
        T::ONE - 1,
        T::ONE,
        T::ONE + 1,
        T::ONE | T::QUIET,
        T::ONE + (1 << T::FRAC),
        (T::ONE + (1 << T::FRAC)) | T::QUIET,
        (T::BIAS as u64 + 31) << T::FRAC,
        (T::BIAS as u64 + 63) << T::FRAC,
        (T::BIAS as u64 + 63) << T::FRAC | T::FRAC_MASK,
        ((T::BIAS as u64 + 31) << T::FRAC) - 1,
        T::MAX,
        T::MAX - 1,
        T::INFINITY,
        T::INFINITY + 1,
        T::INFINITY | T::QUIET >> 1,
        T::DEFAULT_NAN,
        T::DEFAULT_NAN + 5,
    ];
    magnitudes.iter().map(|m| m & T::MASK).flat_map(|m| [m, m | T::SIGN]).collect()
}

/// Operands: every pair of special values, then random ones, some of them with
/// exponents close to each other.
pub(super) fn pairs<T: Float>(count: usize) -> Vec<(u64, u64)> {
    let s = specials::<T>();
    let mut all: Vec<_> = s.iter().flat_map(|&a| s.iter().map(move |&b| (a, b))).collect();
    let mut random = Random(u64::from(T::BITS));
    for i in 0..count {
        let (mut a, mut b) = (random.next() & T::MASK, random.next() & T::MASK);
        match i % 4 {
            0 => {}
            1 => b = (b & !T::INFINITY) | (a & T::INFINITY),
            2 => a = s[random.next() as usize % s.len()],
            _ => {
                // A product close to the smallest normal number.
                let e = a >> T::FRAC & T::EXP_ONES;
                let other = (T::BIAS as u64 + 1).saturating_sub(e) & T::EXP_ONES;
                b = (b & !T::INFINITY) | other << T::FRAC;
            }
        }
        all.push((a, b));
    }
    all
}

/// Runs `fast` on the host; where it answers, the answer and the flags are
/// those of `exact`, and where it does not, the flags are among them.
pub(super) fn agree<R: PartialEq + core::fmt::Debug>(
    what: &str,
    operands: &[u64],
    fast: impl FnOnce() -> Option<R>,
    exact: impl FnOnce(&mut Env) -> R,
) -> bool {
    host::clear_flags();
    let answer = fast();
    let flags = host::take_flags();
    let mut env = Env::new(0);
    let expected = exact(&mut env);
    let all = FPSR_IOC | FPSR_DZC | FPSR_OFC | FPSR_UFC | FPSR_IXC;
    match answer {
        Some(value) => {
            assert_eq!(value, expected, "{what} {operands:x?}");
            assert_eq!(flags, env.fpsr & all, "flags of {what} {operands:x?}");
            true
        }
        None => {
            assert_eq!(flags & !env.fpsr, 0, "flags left by {what} {operands:x?}");
            false
        }
    }
}

/// An operation of the software path.
type Exact = fn(u64, u64, &mut Env) -> u64;

pub(super) fn two_operands<T: HostFloat>() {
    host::init();
    let mut answered = 0usize;
    let mut asked = 0usize;
    for (a, b) in pairs::<T>(40_000) {
        let ops: [(Op2, Exact); 6] = [
            (Op2::Add, add::<T>),
            (Op2::Sub, sub::<T>),
            (Op2::Mul, mul::<T>),
            (Op2::Div, div::<T>),
            (Op2::Max, max::<T>),
            (Op2::Min, min::<T>),
        ];
        for (op, exact) in ops {
            asked += 1;
            answered += usize::from(agree(&format!("{op:?}"), &[a, b], || T::op2(op, a, b), |e| exact(a, b, e)));
        }
        agree("eq", &[a, b], || T::compare(Compare::Eq, a, b), |e| compare_eq::<T>(a, b, e));
        agree("ge", &[a, b], || T::compare(Compare::Ge, a, b), |e| compare_ge::<T>(a, b, e));
        agree("gt", &[a, b], || T::compare(Compare::Gt, a, b), |e| compare_gt::<T>(a, b, e));
        agree(
            "order",
            &[a, b],
            || {
                T::order(a, b).map(|(gt, lt)| {
                    if gt {
                        0b0010
                    } else if lt {
                        0b1000
                    } else {
                        0b0110
                    }
                })
            },
            |e| compare::<T>(a, b, false, e),
        );
    }
    if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        assert!(answered * 2 > asked, "the host answered {answered} of {asked}");
    }
}

#[test]
fn host_matches_software_on_two_singles() {
    two_operands::<Single>();
}

#[test]
fn host_matches_software_on_two_doubles() {
    two_operands::<Double>();
}

pub(super) fn one_operand<T: HostFloat>() {
    host::init();
    let modes = [Rounding::TieEven, Rounding::PosInf, Rounding::NegInf, Rounding::Zero, Rounding::TieAway];
    let mut random = Random(7);
    let mut values = specials::<T>();
    for _ in 0..40_000 {
        let a = random.next() & T::MASK;
        // Half of them in the range of integers, some with a tie.
        let e = (T::BIAS as u64 - 2) + random.next() % 70;
        let near = ((a & !T::INFINITY) | e << T::FRAC) & T::MASK;
        values.extend([a, near, near & !(T::FRAC_MASK >> (random.next() % u64::from(T::FRAC)))]);
    }
    for a in values {
        agree("sqrt", &[a], || T::sqrt(a), |e| sqrt::<T>(a, e));
        for mode in modes {
            let widths: &[u32] = if T::BITS == 16 { &[16, 32, 64] } else { &[32, 64] };
            for &width in widths {
                agree(
                    &format!("to i{width} {mode:?}"),
                    &[a],
                    || T::to_signed(a, width, mode),
                    |e| to_fixed::<T>(a, width, 0, true, mode, e),
                );
                agree(
                    &format!("to u{width} {mode:?}"),
                    &[a],
                    || T::to_unsigned(a, width, mode),
                    |e| to_fixed::<T>(a, width, 0, false, mode, e),
                );
            }
            agree(
                &format!("rint {mode:?}"),
                &[a],
                || T::round_int(a, mode, false),
                |e| round_int::<T>(a, mode, false, e),
            );
        }
        agree(
            "rintx",
            &[a],
            || T::round_int(a, Rounding::TieEven, true),
            |e| round_int::<T>(a, Rounding::TieEven, true, e),
        );
    }
}

#[test]
fn host_matches_software_on_one_single() {
    one_operand::<Single>();
}

#[test]
fn host_matches_software_on_one_double() {
    one_operand::<Double>();
}

pub(super) fn from_integers<T: HostFloat>() {
    host::init();
    let mut random = Random(3);
    let edges = (0..64).flat_map(|b| [1u64 << b, (1u64 << b) - 1, (1u64 << b) + 1, (1u64 << b).wrapping_neg()]);
    let values: Vec<u64> = edges.chain((0..10_000).map(|_| random.next() >> (random.next() & 63))).collect();
    for a in values {
        agree("from i64", &[a], || T::from_signed(a as i64), |e| from_fixed::<T>(a, 64, 0, true, e));
        agree("from u64", &[a], || T::from_unsigned(a), |e| from_fixed::<T>(a, 64, 0, false, e));
    }
}

#[test]
fn host_matches_software_from_integers() {
    from_integers::<Single>();
    from_integers::<Double>();
}

pub(super) fn fused<T: HostFloat>() {
    host::init();
    let s = specials::<T>();
    let mut random = Random(11);
    for (a, b) in pairs::<T>(10_000) {
        let c = s[random.next() as usize % s.len()];
        agree("fma", &[c, a, b], || T::mul_add(c, a, b), |e| mul_add::<T>(c, a, b, e));
        // An addend that nearly cancels the product.
        let mut env = Env::new(0);
        let c = neg::<T>(mul::<T>(a, b, &mut env));
        agree("fma", &[c, a, b], || T::mul_add(c, a, b), |e| mul_add::<T>(c, a, b, e));
        let c = random.next() & T::MASK;
        agree("fma", &[c, a, b], || T::mul_add(c, a, b), |e| mul_add::<T>(c, a, b, e));
    }
}

#[test]
fn host_matches_software_on_fused_multiply_add() {
    fused::<Single>();
    fused::<Double>();
}

#[test]
fn host_matches_software_between_formats() {
    for (a, b) in pairs::<Double>(20_000) {
        for v in [a, b] {
            agree("narrow", &[v], || host::narrow(v), |e| convert::<Double, Single>(v, e));
            let v = v >> 32;
            agree("widen", &[v], || host::widen(v), |e| convert::<Single, Double>(v, e));
            // Values that become small singles.
            let v = (a & !(0x7ff << 52)) | (870 + (b & 63)) << 52;
            agree("narrow", &[v], || host::narrow(v), |e| convert::<Double, Single>(v, e));
        }
    }
}

#[test]
fn host_vectors_match_host_scalars() {
    host::init();
    for (i, (a, b)) in pairs::<Double>(4_000).into_iter().enumerate() {
        let other = (Double::ONE + i as u64, Double::ONE | i as u64);
        let (va, vb) = (V128::from_halves(other.0, a), V128::from_halves(other.1, b));
        for op in [Op2::Add, Op2::Sub, Op2::Mul, Op2::Div, Op2::Max, Op2::Min] {
            let scalar = Double::op2(op, a, b).zip(Double::op2(op, other.0, other.1));
            let expected = scalar.map(|(h, l)| V128::from_halves(l, h));
            assert_eq!(Double::v_op2(op, va, vb), expected, "{op:?} {va:?} {vb:?}");
        }
    }
}

#[test]
fn nan_operands_propagate_signalling_first() {
    let (snan, qnan, other) = (0x7ff0_0000_0000_0001, 0x7ff8_0000_0000_0002, 0xfff8_0000_0000_0003);
    let mut env = Env::new(0);
    assert_eq!(add::<Double>(qnan, snan, &mut env), 0x7ff8_0000_0000_0001);
    assert_eq!(env.fpsr, FPSR_IOC);
    let mut env = Env::new(0);
    assert_eq!(add::<Double>(other, qnan, &mut env), other);
    assert_eq!(mul_add::<Double>(Double::ONE, qnan, other, &mut env), qnan);
    assert_eq!(env.fpsr, 0);
    let mut env = Env::new(FPCR_DN);
    assert_eq!(add::<Double>(other, qnan, &mut env), Double::DEFAULT_NAN);
}

#[test]
fn invalid_operations_give_the_positive_default_nan() {
    let mut env = Env::new(0);
    assert_eq!(sub::<Single>(Single::INFINITY, Single::INFINITY, &mut env), 0x7fc0_0000);
    assert_eq!(env.fpsr, FPSR_IOC);
    let mut env = Env::new(0);
    assert_eq!(mul_add::<Single>(0x7fc0_0001, Single::INFINITY, 0, &mut env), 0x7fc0_0000);
    assert_eq!(env.fpsr, FPSR_IOC);
}

#[test]
fn fz16_drops_denormals_of_half_precision_without_idc() {
    let mut env = Env::new(FPCR_FZ16);
    assert_eq!(add::<Half>(0x8001, 0x3c00, &mut env), 0x3c00);
    assert_eq!(env.fpsr, 0);
    // 2^-14 * 0.5 is a denormal.
    assert_eq!(mul::<Half>(0x8400, 0x3800, &mut env), 0x8000);
    assert_eq!(env.fpsr, FPSR_UFC);
    // FZ is for the other formats, FZ16 for this one.
    let mut env = Env::new(FPCR_FZ);
    assert_eq!(add::<Half>(1, 1, &mut env), 2);
    let mut env = Env::new(FPCR_FZ16);
    assert_eq!(add::<Single>(1, 1, &mut env), 2);
    assert_eq!(env.fpsr, 0);
}

#[test]
fn conversions_between_formats_ignore_fz16() {
    let mut env = Env::new(FPCR_FZ16);
    assert_eq!(convert::<Half, Single>(1, &mut env), 0x3380_0000);
    assert_eq!(convert::<Single, Half>(0x3380_0000, &mut env), 1);
    assert_eq!(env.fpsr, 0);
}

#[test]
fn arithmetic_ignores_the_alternative_format() {
    let mut env = Env::new(FPCR_AHP);
    assert_eq!(add::<Half>(0x7c00, 0x3c00, &mut env), 0x7c00);
    assert_eq!(add::<Half>(0x7bff, 0x7bff, &mut env), 0x7c00);
    assert_eq!(env.fpsr, FPSR_OFC | FPSR_IXC);
}

#[test]
fn flush_to_zero_drops_denormals_both_ways() {
    let mut env = Env::new(FPCR_FZ);
    assert_eq!(add::<Double>(1, 0, &mut env), 0);
    assert_eq!(env.fpsr, FPSR_IDC);
    let mut env = Env::new(FPCR_FZ);
    assert_eq!(mul::<Double>(1 << 52, 0xbfe0_0000_0000_0000, &mut env), 1 << 63);
    assert_eq!(env.fpsr, FPSR_UFC);
}

#[test]
fn tininess_is_found_before_rounding() {
    // The largest denormal and a half of its last place: rounds to the smallest normal.
    let (a, b) = (0x000f_ffff_ffff_ffff, 0x3ff0_0000_0000_0001);
    let mut env = Env::new(0);
    assert_eq!(mul::<Double>(a, b, &mut env), 0x0010_0000_0000_0000);
    assert_eq!(env.fpsr, FPSR_UFC | FPSR_IXC);
}

#[test]
fn half_precision_has_both_formats() {
    let mut env = Env::new(0);
    assert_eq!(convert::<Single, Half>(0x4780_0000, &mut env), 0x7c00);
    assert_eq!(env.fpsr, FPSR_OFC | FPSR_IXC);
    let mut env = Env::new(FPCR_AHP);
    assert_eq!(convert::<Single, Half>(0x4780_0000, &mut env), 0x7c00);
    assert_eq!(convert::<Half, Single>(0x7c00, &mut env), 0x4780_0000);
    assert_eq!(env.fpsr, 0);
    assert_eq!(convert::<Single, Half>(Single::INFINITY, &mut env), 0x7fff);
    assert_eq!(env.fpsr, FPSR_IOC);
    for h in 0..=0xffffu64 {
        let mut env = Env::new(0);
        let wide = convert::<Half, Double>(h, &mut env);
        let expected = if Half::is_nan(h) { h | Half::QUIET } else { h };
        assert_eq!(convert::<Double, Half>(wide, &mut env), expected, "{h:x}");
    }
}

#[test]
fn conversions_to_integers_saturate() {
    let mut env = Env::new(0);
    assert_eq!(to_fixed::<Double>(0x41e0_0000_0000_0000, 32, 0, true, Rounding::Zero, &mut env), 0x7fff_ffff);
    assert_eq!(to_fixed::<Double>(0xbff0_0000_0000_0000, 64, 0, false, Rounding::Zero, &mut env), 0);
    assert_eq!(to_fixed::<Double>(0xc3e0_0000_0000_0000, 64, 0, true, Rounding::Zero, &mut env), 1 << 63);
    assert_eq!(env.fpsr, FPSR_IOC);
}

#[test]
fn estimates_have_eight_bits() {
    let mut env = Env::new(0);
    assert_eq!(recip_estimate::<Single>(0x3f80_0000, &mut env), 0x3f7f_8000);
    assert_eq!(recip_estimate::<Double>(Double::ONE, &mut env), 0x3fef_f000_0000_0000);
    assert_eq!(rsqrt_estimate::<Single>(0x3f80_0000, &mut env), 0x3f7f_8000);
    assert_eq!(rsqrt_estimate::<Double>(0x4010_0000_0000_0000, &mut env), 0x3fdf_f000_0000_0000);
    assert_eq!(unsigned_recip_estimate(0x8000_0000), 0xff80_0000);
    assert_eq!(unsigned_rsqrt_estimate(0x4000_0000), 0xff80_0000);
}

#[test]
fn javascript_conversion_is_modulo_2_32() {
    let js = |value: f64, fpcr| {
        let mut env = Env::new(fpcr);
        let (result, is_exact) = to_fixed_js(value.to_bits(), &mut env);
        (result as i32, is_exact, env.fpsr)
    };
    assert_eq!(js(-7.0, 0), (-7, true, 0));
    assert_eq!(js(-7.5, 0), (-7, false, FPSR_IXC));
    assert_eq!(js(0.0, 0), (0, true, 0));
    assert_eq!(js(-0.0, 0), (0, false, 0));
    assert_eq!(js(4_294_967_301.0, 0), (5, false, FPSR_IOC));
    assert_eq!(js(-4_294_967_301.5, 0), (-5, false, FPSR_IOC));
    assert_eq!(js(2_147_483_648.0, 0), (i32::MIN, false, FPSR_IOC));
    assert_eq!(js(-2_147_483_648.5, 0), (i32::MIN, false, FPSR_IXC));
    assert_eq!(js(1e300, 0), (0, false, FPSR_IOC));
    assert_eq!(js(f64::NEG_INFINITY, 0), (0, false, FPSR_IOC));
    assert_eq!(js(f64::NAN, 0), (0, false, FPSR_IOC));
    assert_eq!(js(f64::from_bits(1), FPCR_FZ), (0, false, FPSR_IDC));
}

#[test]
fn integral_values_beyond_an_integer_are_its_least() {
    let round = |value: f64, width| {
        let mut env = Env::new(0);
        (f64::from_bits(round_int_n::<Double>(value.to_bits(), width, Rounding::TieEven, &mut env)), env.fpsr)
    };
    const LEAST: f64 = -2_147_483_648.0;
    assert_eq!(round(2_147_483_646.5, 32), (2_147_483_646.0, FPSR_IXC));
    assert_eq!(round(2_147_483_647.5, 32), (LEAST, FPSR_IOC));
    assert_eq!(round(-2_147_483_648.5, 32), (LEAST, FPSR_IXC));
    assert_eq!(round(-2_147_483_649.0, 32), (LEAST, FPSR_IOC));
    assert_eq!(round(f64::NAN, 32), (LEAST, FPSR_IOC));
    assert_eq!(round(1e18, 64), (1e18, 0));
    assert_eq!(round(f64::INFINITY, 64), (-9_223_372_036_854_775_808.0, FPSR_IOC));
    assert!(round(-0.25, 64).0.is_sign_negative());
}
