//! Operations against known answers; `testkit` compares them with a reference
//! processor.

use super::int::{Across, across};
use super::permute::{Ext, Split3, Zip1};
use super::saturate::DoubleMulHigh;
use super::wide::PolyMulLong64;
use super::{SaturatingOp, V128, VectorOp};

fn v(bytes: [u8; 16]) -> V128 {
    V128::from_u128(u128::from_le_bytes(bytes))
}

fn counting() -> V128 {
    v(core::array::from_fn(|i| i as u8))
}

#[test]
fn zip_interleaves_the_low_halves() {
    let b = v(core::array::from_fn(|i| 100 + i as u8));
    let r = Zip1::<u8, true>::eval(counting(), b, V128::zero(), 0).lanes::<u8>();
    assert_eq!(r, [0, 100, 1, 101, 2, 102, 3, 103, 4, 104, 5, 105, 6, 106, 7, 107]);
}

#[test]
fn extraction_takes_the_second_operand_above() {
    let r = Ext::<true>::eval(counting(), V128::zero(), V128::zero(), 15);
    assert_eq!(r.to_u128(), 15);
    let r = Ext::<false>::eval(counting(), counting(), V128::zero(), 7);
    assert_eq!(r.to_u128(), 0x0605_0403_0201_0007);
}

#[test]
fn three_registers_are_split_by_element() {
    let (a, b, c) = (counting(), v([20; 16]), v([30; 16]));
    let r = Split3::<u8, 1, true>::eval(a, b, c, 0).lanes::<u8>();
    assert_eq!(r[..6], [1, 4, 7, 10, 13, 20]);
}

#[test]
fn sums_across_are_twice_as_wide() {
    let ones = V128::splat(-1_i8);
    let r = Across::<{ across::ADD_LONG }, i8, true>::eval(ones, ones, ones, 0);
    assert_eq!(r.to_u128(), 0xfff0);
    let r = Across::<{ across::ADD_LONG }, u8, false>::eval(ones, ones, ones, 0);
    assert_eq!(r.to_u128(), 8 * 255);
}

#[test]
fn the_most_negative_product_saturates() {
    let min = V128::splat(i16::MIN);
    let (r, saturated) = DoubleMulHigh::<i16, false>::eval(min, min, min, 0);
    assert!(saturated);
    assert_eq!(r, V128::splat(i16::MAX));
    let (_, saturated) = DoubleMulHigh::<i16, false>::eval(min, V128::splat(1_i16), min, 0);
    assert!(!saturated);
}

#[test]
fn polynomial_products_have_127_bits() {
    let ones = V128::splat(u64::MAX);
    let r = PolyMulLong64::<false>::eval(ones, ones, ones, 0);
    assert_eq!(r.to_u128(), 0x5555_5555_5555_5555_5555_5555_5555_5555);
}

#[test]
fn sha256_rounds_hash_the_empty_message() {
    use super::crypto::{Sha256, Sha256Schedule0, Sha256Schedule1};
    const H: [u32; 8] =
        [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
    // The first 32 bits of the fractional parts of the cube roots of the primes.
    let primes = (2_u64..).filter(|n| (2..*n).all(|d| n % d != 0)).take(64);
    let k: Vec<u32> = primes
        .map(|p| {
            // floor(cbrt(p) * 2^32) by bisection.
            let (mut low, mut high) = (0_u128, 8 << 32);
            while high - low > 1 {
                let middle = (low + high) / 2;
                let under = middle * middle * middle <= u128::from(p) << 96;
                if under { low = middle } else { high = middle }
            }
            low as u32
        })
        .collect();
    let mut w = [V128::zero(); 4];
    w[0] = V128::from_lanes::<u32>([0x8000_0000, 0, 0, 0]);
    let abcd = V128::from_lanes::<u32>([H[0], H[1], H[2], H[3]]);
    let efgh = V128::from_lanes::<u32>([H[4], H[5], H[6], H[7]]);
    let (mut x, mut y) = (abcd, efgh);
    for round in 0..16 {
        let constants = V128::from_lanes::<u32>(core::array::from_fn(|i| k[4 * round + i]));
        let mixed = w[0].zip::<u32>(constants, u32::wrapping_add);
        let z = V128::zero();
        (x, y) = (Sha256::<false>::eval(y, mixed, x, 0), Sha256::<true>::eval(x, mixed, y, 0));
        let next = Sha256Schedule1::eval(w[2], w[3], Sha256Schedule0::eval(w[1], z, w[0], 0), 0);
        w = [w[1], w[2], w[3], next];
    }
    let add = |a: V128, b: V128| a.zip::<u32>(b, u32::wrapping_add).lanes::<u32>();
    assert_eq!(add(x, abcd), [0xe3b0_c442, 0x98fc_1c14, 0x9afb_f4c8, 0x996f_b924]);
    assert_eq!(add(y, efgh), [0x27ae_41e4, 0x649b_934c, 0xa495_991b, 0x7852_b855]);
}
