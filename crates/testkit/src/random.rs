//! Repeatable random numbers, and values that tend to find mistakes.

/// `splitmix64`.
#[derive(Clone, Debug)]
pub struct Random(u64);

/// Integers at the ends of ranges.
const INTEGERS: [u64; 24] = [
    0,
    1,
    2,
    3,
    7,
    8,
    31,
    32,
    63,
    64,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
    0xffff_ffff_8000_0000,
];

/// Doubles: zeros, ones, infinities, NaNs of both kinds, subnormals, limits of
/// the integers, halves.
const DOUBLES: [u64; 24] = [
    0,
    1 << 63,
    0x3ff0_0000_0000_0000,
    0xbff0_0000_0000_0000,
    0x7ff0_0000_0000_0000,
    0xfff0_0000_0000_0000,
    0x7ff8_0000_0000_0000,
    0xfff8_0000_0000_0001,
    0x7ff0_0000_0000_0001,
    0xfff4_0000_0000_0000,
    1,
    0x800f_ffff_ffff_ffff,
    0x0010_0000_0000_0000,
    0x7fef_ffff_ffff_ffff,
    0x3fe0_0000_0000_0000,
    0x4000_0000_0000_0000,
    0x41df_ffff_ffc0_0000,
    0x41e0_0000_0000_0000,
    0x43e0_0000_0000_0000,
    0xc3e0_0000_0000_0000,
    0x43df_ffff_ffff_ffff,
    0x3ff8_0000_0000_0000,
    0x4330_0000_0000_0001,
    0x3fdf_ffff_ffff_ffff,
];

/// The same of singles.
const SINGLES: [u32; 24] = [
    0,
    1 << 31,
    0x3f80_0000,
    0xbf80_0000,
    0x7f80_0000,
    0xff80_0000,
    0x7fc0_0000,
    0xffc0_0001,
    0x7f80_0001,
    0xffa0_0000,
    1,
    0x807f_ffff,
    0x0080_0000,
    0x7f7f_ffff,
    0x3f00_0000,
    0x4000_0000,
    0x4f00_0000,
    0x4eff_ffff,
    0xcf00_0000,
    0x5f00_0000,
    0x3fc0_0000,
    0x4b00_0001,
    0x3380_0000,
    0x4780_0000,
];

/// The same of halves.
const HALVES: [u16; 40] = [
    0, 0x8000, 0x3c00, 0xbc00, 0x7c00, 0xfc00, 0x7e00, 0xfe01, 0x7c01, 0xfd00, 1, 0x83ff, 0x0400, 0x7bff, 0x3800,
    0x4000, 0x7800, 0xf800, 0x3e00, 0x6401, 0x8001, 0x0200, 0x03ff, 0x8400, 0x0401, 0xfbff, 0x7bfe, 0x77ff, 0x3bff,
    0x3c01, 0x1000, 0x13ff, 0x0c00, 0x9401, 0x2400, 0x5bff, 0x5c00, 0xe400, 0x4200, 0x7e55,
];

impl Random {
    /// The sequence of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub fn u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 32 random bits.
    pub fn u32(&mut self) -> u32 {
        (self.u64() >> 32) as u32
    }

    /// A number below `n`, which is not zero.
    pub fn below(&mut self, n: u64) -> u64 {
        (self.u64() >> 11) % n
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of several.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// An integer: random, small, or at the end of a range.
    pub fn integer(&mut self) -> u64 {
        match self.below(4) {
            0 => self.pick(&INTEGERS),
            1 => {
                let shift = self.below(64);
                self.u64() >> shift
            }
            _ => self.u64(),
        }
    }

    /// A vector register: random bits, or floating-point numbers of one size.
    pub fn vector(&mut self) -> u128 {
        let (count, size) = match self.below(8) {
            0 | 1 => (2, 0),
            2 | 3 => (2, 64),
            4 | 5 => (4, 32),
            6 => (8, 16),
            _ => (2, 1),
        };
        (0..count).fold(0, |v, i| v | u128::from(self.lane(size)) << (i * (128 / count)))
    }

    /// A vector register of half-precision numbers: any, or none that are
    /// infinite or NaNs, with exponents close to each other and fractions
    /// that make ties.
    pub fn halves(&mut self) -> u128 {
        let (first, count) = self.pick(&[(0, 0), (0, 0), (0, 31), (9, 12), (9, 12), (12, 6), (0, 6), (24, 7)]);
        (0..8).fold(0, |v, i| {
            let half = if count == 0 {
                self.lane(16)
            } else {
                let sign_and_fraction = self.u64() & !(0x3ff >> self.below(16)) & 0x83ff;
                sign_and_fraction | (first + self.below(count)) << 10
            };
            v | u128::from(half) << (16 * i)
        })
    }

    /// A vector register of BFloat16 numbers: upper halves of singles.
    pub fn bfloats(&mut self) -> u128 {
        (0..8).fold(0, |v, i| v | u128::from(self.lane(32) >> 16) << (16 * i))
    }

    /// A single or a double that is neither huge nor tiny, so that sums of
    /// several have a share of each.
    fn middling(&mut self, size: u32) -> u64 {
        let (fraction_bits, bias) = if size == 64 { (52, 1023) } else { (23, 127) };
        let exponent = bias + self.below(100) - 34;
        let random = self.u64();
        let fraction = if self.one_in(4) { random & random >> 13 & random >> 29 } else { random };
        (random >> 63) << (size - 1) | exponent << fraction_bits | fraction & ((1 << fraction_bits) - 1)
    }

    fn lane(&mut self, size: u32) -> u64 {
        let random = self.one_in(3);
        match size {
            0 => self.u64(),
            1 => self.pick(&INTEGERS),
            64 if !random => self.pick(&DOUBLES),
            32 if !random => self.pick(&SINGLES).into(),
            16 if !random => self.pick(&HALVES).into(),
            32 | 64 if self.one_in(2) => self.middling(size),
            _ => self.u64() >> (64 - size),
        }
    }
}
