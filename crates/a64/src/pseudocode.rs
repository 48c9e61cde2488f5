//! The manual's shared pseudocode functions that decoding needs.

/// Bits `lsb + width - 1 : lsb` of `word`. `width` is 1 to 32.
#[must_use]
#[inline(always)]
pub const fn bits(word: u32, lsb: u32, width: u32) -> u32 {
    (word >> lsb) & (u32::MAX >> (32 - width))
}

/// `SignExtend`: the low `width` bits of `value` (1 to 64) as a signed number.
#[must_use]
#[inline(always)]
pub const fn sign_extend(value: u64, width: u32) -> i64 {
    let shift = 64 - width;
    (value << shift).cast_signed() >> shift
}

/// `Replicate`: the low `width` bits of `value` over 64 bits; `width` is a
/// power of two up to 64.
const fn replicate(value: u64, width: u32) -> u64 {
    let mut value = if width == 64 { value } else { value & ((1 << width) - 1) };
    let mut width = width;
    while width < 64 {
        value |= value << width;
        width *= 2;
    }
    value
}

/// `DecodeBitMasks` for logical immediates: the mask of `N:imms` rotated by
/// `immr`, over 64 bits. `None` for a reserved value. A 32-bit instruction
/// takes the low half (and needs `n == 0`).
#[must_use]
pub const fn decode_bit_masks(n: u32, imms: u32, immr: u32) -> Option<u64> {
    let combined = (n & 1) << 6 | (!imms & 0x3f);
    if combined < 2 {
        return None;
    }
    let len = 31 - combined.leading_zeros();
    let size = 1 << len;
    let levels = size - 1;
    let s = imms & levels;
    let r = immr & levels;
    if s == levels {
        return None;
    }
    let ones = (1u64 << (s + 1)) - 1;
    let element = if r == 0 { ones } else { ones >> r | ones << (size - r) };
    Some(replicate(element, size))
}

/// `AdvSIMDExpandImm`: the 64-bit pattern of a modified immediate.
/// `op` 1 with `cmode` 1111 is the double-precision `FMOV`.
#[must_use]
pub const fn adv_simd_expand_imm(op: u32, cmode: u32, imm8: u32) -> u64 {
    let imm = (imm8 & 0xff) as u64;
    match cmode & 0xf {
        0b0000 | 0b0001 => replicate(imm, 32),
        0b0010 | 0b0011 => replicate(imm << 8, 32),
        0b0100 | 0b0101 => replicate(imm << 16, 32),
        0b0110 | 0b0111 => replicate(imm << 24, 32),
        0b1000 | 0b1001 => replicate(imm, 16),
        0b1010 | 0b1011 => replicate(imm << 8, 16),
        0b1100 => replicate(imm << 8 | 0xff, 32),
        0b1101 => replicate(imm << 16 | 0xffff, 32),
        0b1110 if op & 1 == 0 => replicate(imm, 8),
        0b1110 => {
            let mut out = 0;
            let mut bit = 0;
            while bit < 8 {
                if imm >> bit & 1 == 1 {
                    out |= 0xff << (bit * 8);
                }
                bit += 1;
            }
            out
        }
        _ if op & 1 == 0 => replicate(vfp_expand_imm(imm8, 32), 32),
        _ => vfp_expand_imm(imm8, 64),
    }
}

/// `VFPExpandImm`: the floating-point number of `bits` (16, 32 or 64) that an
/// 8-bit immediate stands for.
#[must_use]
pub const fn vfp_expand_imm(imm8: u32, bits: u32) -> u64 {
    let imm = (imm8 & 0xff) as u64;
    let e = match bits {
        16 => 5,
        32 => 8,
        _ => 11,
    };
    let f = bits - e - 1;
    let sign = imm >> 7;
    let b6 = imm >> 6 & 1;
    let repeated = if b6 == 1 { (1 << (e - 3)) - 1 } else { 0 };
    let exponent = (b6 ^ 1) << (e - 1) | repeated << 2 | imm >> 4 & 3;
    let fraction = (imm & 0xf) << (f - 4);
    sign << (bits - 1) | exponent << f | fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bit_masks_are_rotated_and_replicated() {
        assert_eq!(decode_bit_masks(1, 0, 0), Some(1));
        assert_eq!(decode_bit_masks(0, 0b111100, 0), Some(0x5555_5555_5555_5555));
        assert_eq!(decode_bit_masks(0, 0b111100, 1), Some(0xaaaa_aaaa_aaaa_aaaa));
        assert_eq!(decode_bit_masks(1, 62, 1), Some(0xbfff_ffff_ffff_ffff));
        assert_eq!(decode_bit_masks(0, 0b000111, 28), Some(0x0000_0ff0_0000_0ff0));
    }

    #[test]
    fn reserved_bit_masks_are_none() {
        for immr in 0..64 {
            assert_eq!(decode_bit_masks(1, 63, immr), None);
            assert_eq!(decode_bit_masks(0, 0b111111, immr), None);
            assert_eq!(decode_bit_masks(0, 0b111101, immr), None);
            assert_eq!(decode_bit_masks(0, 0b011111, immr), None);
        }
    }

    #[test]
    fn sign_extend_takes_the_top_bit_of_the_width() {
        assert_eq!(sign_extend(0x1ff, 9), -1);
        assert_eq!(sign_extend(0x0ff, 9), 255);
        assert_eq!(sign_extend(u64::MAX, 64), -1);
    }

    #[test]
    fn vfp_immediates_are_exact() {
        assert_eq!(f64::from_bits(vfp_expand_imm(0x70, 64)), 1.0);
        assert_eq!(f64::from_bits(vfp_expand_imm(0x00, 64)), 2.0);
        assert_eq!(f32::from_bits(vfp_expand_imm(0xf0, 32) as u32), -1.0);
        assert_eq!(f32::from_bits(vfp_expand_imm(0x3f, 32) as u32), 31.0);
        assert_eq!(vfp_expand_imm(0x70, 16), 0x3c00);
    }

    #[test]
    fn advanced_simd_immediates_expand() {
        assert_eq!(adv_simd_expand_imm(0, 0b0110, 0xab), 0xab00_0000_ab00_0000);
        assert_eq!(adv_simd_expand_imm(0, 0b1101, 0xab), 0x00ab_ffff_00ab_ffff);
        assert_eq!(adv_simd_expand_imm(0, 0b1110, 0xab), 0xabab_abab_abab_abab);
        assert_eq!(adv_simd_expand_imm(1, 0b1110, 0xa5), 0xff00_ff00_00ff_00ff);
        assert_eq!(adv_simd_expand_imm(1, 0b1111, 0x70), 0x3ff0_0000_0000_0000);
    }
}
