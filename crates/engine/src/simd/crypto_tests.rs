//! The cryptographic operations against the examples that the standards
//! publish, strung together as programs do it.

use super::permute::Ext;
use super::sha3::{RotateXor, Sha512First, Sha512Schedule0, Sha512Schedule1, Sha512Second, Xor3, XorAndNot, XorRotate};
use super::sm::{Sm3First, Sm3Schedule1, Sm3Schedule2, Sm3Second, Sm3Sum, Sm4Encrypt, Sm4Key};
use super::{V128, VectorOp};

/// `EXT` by eight bytes: the high half of `a` below the low half of `b`.
fn middle(a: V128, b: V128) -> V128 {
    V128::from_halves(a.high(), b.low())
}

fn add64(a: V128, b: V128) -> V128 {
    a.zip::<u64>(b, u64::wrapping_add)
}

/// `x * y`, of limbs of 32 bits, the lowest first.
fn product(x: &[u32], y: &[u32]) -> Vec<u32> {
    let mut limbs = vec![0; x.len() + y.len()];
    for (i, &a) in x.iter().enumerate() {
        let mut carry = 0;
        for (j, &b) in y.iter().enumerate() {
            let sum = u64::from(a) * u64::from(b) + u64::from(limbs[i + j]) + carry;
            limbs[i + j] = sum as u32;
            carry = sum >> 32;
        }
        limbs[i + y.len()] = carry as u32;
    }
    limbs
}

/// The first 64 bits of the fractional part of the cube root of `n`, which is
/// below 512.
fn cube_root_fraction(n: u32) -> u64 {
    let mut root = 0_u128;
    for bit in (0..67).rev() {
        let candidate = root | 1 << bit;
        let limbs = [candidate as u32, (candidate >> 32) as u32, (candidate >> 64) as u32];
        let cube = product(&product(&limbs, &limbs), &limbs);
        // The cube has 192 bits behind its point.
        let is_under = cube[7..].iter().all(|&limb| limb == 0) && cube[6] < n;
        root = if is_under { candidate } else { root };
    }
    root as u64
}

/// FIPS 180-4: "abc".
#[test]
fn sha512_hashes_the_published_example() {
    const H: [u64; 8] = [
        0x6a09_e667_f3bc_c908,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1,
        0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b,
        0x5be0_cd19_137e_2179,
    ];
    let primes = (2_u32..).filter(|n| (2..*n).all(|d| n % d != 0)).take(80);
    let k: Vec<u64> = primes.map(cube_root_fraction).collect();
    let zero = V128::zero();
    let mut w = [zero; 8];
    w[0] = V128::from_halves(0x6162_6380_0000_0000, 0);
    w[7] = V128::from_halves(0, 24);
    let start: [V128; 4] = core::array::from_fn(|i| V128::from_halves(H[2 * i], H[2 * i + 1]));
    let [mut ab, mut cd, mut ef, mut gh] = start;
    for round in 0..40 {
        let mixed = add64(w[0], V128::from_halves(k[2 * round], k[2 * round + 1]));
        let sum = add64(gh, middle(mixed, mixed));
        let sum = Sha512First::eval(middle(ef, gh), middle(cd, ef), sum, 0);
        let new = Sha512Second::eval(cd, ab, sum, 0);
        (ab, cd, ef, gh) = (new, ab, add64(cd, sum), ef);
        let next = Sha512Schedule0::eval(w[1], zero, w[0], 0);
        let next = Sha512Schedule1::eval(w[7], middle(w[4], w[5]), next, 0);
        w.rotate_left(1);
        w[7] = next;
    }
    let digest = [ab, cd, ef, gh].into_iter().zip(start).flat_map(|(a, b)| add64(a, b).lanes::<u64>());
    assert!(digest.eq([
        0xddaf_35a1_9361_7aba,
        0xcc41_7349_ae20_4131,
        0x12e6_fa4e_89a9_7ea2,
        0x0a9e_eee6_4b55_d39a,
        0x2192_992a_274f_c1a8,
        0x36ba_3c23_a3fe_ebbd,
        0x454d_4423_643c_e80e,
        0x2a9a_c94f_a54c_a49f,
    ]));
}

/// The round constants of FIPS 202, by its shift register.
fn keccak_constants() -> [u64; 24] {
    let mut register = 1_u8;
    core::array::from_fn(|_| {
        (0..7).fold(0, |constant, j| {
            let bit = u64::from(register & 1);
            register = register << 1 ^ if register & 0x80 != 0 { 0x71 } else { 0 };
            constant | bit << ((1 << j) - 1)
        })
    })
}

/// FIPS 202: SHA3-256 of "abc", two states side by side.
#[test]
fn sha3_hashes_the_published_example() {
    let zero = V128::zero();
    let mut a = [zero; 25];
    a[0] = V128::splat(0x0663_6261_u64);
    a[16] = V128::splat(1_u64 << 63);
    for constant in keccak_constants() {
        let xor3 = |x: V128, y, z| Xor3::eval(x, y, z, 0);
        let columns: [V128; 5] = core::array::from_fn(|x| xor3(xor3(a[x], a[x + 5], a[x + 10]), a[x + 15], a[x + 20]));
        let mixed: [V128; 5] =
            core::array::from_fn(|x| RotateXor::eval(columns[(x + 4) % 5], columns[(x + 1) % 5], zero, 0));
        let mut b = [zero; 25];
        b[0] = XorRotate::eval(a[0], mixed[0], zero, 0);
        let (mut x, mut y) = (1, 0);
        for t in 1..25 {
            let left = t * (t + 1) / 2 % 64;
            b[y + 5 * ((2 * x + 3 * y) % 5)] = XorRotate::eval(a[x + 5 * y], mixed[x], zero, (64 - left) % 64);
            (x, y) = (y, (2 * x + 3 * y) % 5);
        }
        for i in 0..25 {
            let row = i / 5 * 5;
            a[i] = XorAndNot::eval(b[i], b[row + (i + 2) % 5], b[row + (i + 1) % 5], 0);
        }
        a[0] = a[0].map::<u64>(|lane| lane ^ constant);
    }
    let digest = [a[0], a[1], a[2], a[3]].map(|lane| lane.low().swap_bytes());
    assert_eq!(digest, [0x3a98_5da7_4fe2_25b2, 0x045c_172d_6bd3_90bd, 0x855f_086e_3e9d_525b, 0x46bf_e245_1143_1532]);
    assert!(a[..4].iter().all(|lane| lane.low() == lane.high()));
}

/// One of four rounds of SM3: `n` tells which word of the schedule.
fn sm3_round(late: bool, state: &mut [V128; 2], words: [V128; 2], constant: u32, n: u64) {
    let [abcd, efgh] = *state;
    let constant = V128::from_lanes::<u32>([0, 0, 0, constant]);
    let sum = Sm3Sum::eval(abcd, constant, efgh, 0);
    let mixed = words[0].zip::<u32>(words[1], |a, b| a ^ b);
    *state = if late {
        [Sm3First::<true>::eval(sum, mixed, abcd, n), Sm3Second::<true>::eval(sum, words[0], efgh, n)]
    } else {
        [Sm3First::<false>::eval(sum, mixed, abcd, n), Sm3Second::<false>::eval(sum, words[0], efgh, n)]
    };
}

/// GB/T 32905, annex A.1: "abc".
#[test]
fn sm3_hashes_the_published_example() {
    // The words from the last to the first, as the instructions have them.
    let start = [
        V128::from_lanes::<u32>([0xda8a_0600, 0x1724_42d7, 0x4914_b2b9, 0x7380_166f]),
        V128::from_lanes::<u32>([0xb0fb_0e4e, 0xe38d_ee4d, 0x1631_38aa, 0xa96f_30bc]),
    ];
    let mut state = start;
    let zero = V128::zero();
    let mut w = [zero; 4];
    w[0] = V128::from_lanes::<u32>([0x6162_6380, 0, 0, 0]);
    w[3] = V128::from_lanes::<u32>([0, 0, 0, 24]);
    let join = |a, b, bytes| Ext::<true>::eval(a, b, zero, bytes);
    for round in 0..64 {
        let late = round >= 16;
        let constant: u32 = if late { 0x7a87_9d8a } else { 0x79cc_4519 };
        sm3_round(late, &mut state, [w[0], w[1]], constant.rotate_left(round), u64::from(round % 4));
        if round % 4 == 3 {
            let next = Sm3Schedule1::eval(w[0], w[3], join(w[1], w[2], 12), 0);
            let next = Sm3Schedule2::eval(join(w[2], w[3], 8), join(w[0], w[1], 12), next, 0);
            w = [w[1], w[2], w[3], next];
        }
    }
    let digest = [0, 1].map(|i| state[i].zip::<u32>(start[i], |a, b| a ^ b).lanes::<u32>());
    assert_eq!(digest[0], [0xdc10_e4e2, 0xd1f2_d46b, 0x62ee_edd9, 0x66c7_f0f4]);
    assert_eq!(digest[1], [0x8f4b_a8e0, 0x297d_a02b, 0x5cf2_f7a2, 0x4167_c487]);
}

/// GB/T 32907, annex A.1.
#[test]
fn sm4_encrypts_the_published_example() {
    let text = [0x0123_4567, 0x89ab_cdef, 0xfedc_ba98, 0x7654_3210];
    let parameter = V128::from_lanes::<u32>([0xa3b1_bac6, 0x56aa_3350, 0x677d_9197, 0xb270_22dc]);
    let text = V128::from_lanes::<u32>(text);
    let mut key = text.zip::<u32>(parameter, |a, b| a ^ b);
    let mut state = text;
    for round in 0..8 {
        // Byte j of constant i is 7 * (4 i + j), the highest first.
        let constant = |i: usize| u32::from_be_bytes(core::array::from_fn(|j| (7 * (4 * (4 * round + i) + j)) as u8));
        let constants = V128::from_lanes::<u32>(core::array::from_fn(constant));
        key = Sm4Key::eval(key, constants, V128::zero(), 0);
        if round == 0 {
            assert_eq!(key.lane::<u32>(0), 0xf121_86f9);
        }
        state = Sm4Encrypt::eval(key, V128::zero(), state, 0);
    }
    let [a, b, c, d] = state.lanes::<u32>();
    assert_eq!([d, c, b, a], [0x681e_df34, 0xd206_965e, 0x86b3_e94f, 0x536e_4246]);
}
