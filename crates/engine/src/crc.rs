//! The cyclic redundancy checks of `CRC32` and `CRC32C`.

use crate::domain::size;

/// The reflected polynomials' tables, one step of eight bits each.
static TABLES: [[u32; 256]; 2] = [table(0xedb8_8320), table(0x82f6_3b78)];

const fn table(polynomial: u32) -> [u32; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut step = 0;
        while step < 8 {
            crc = if crc & 1 != 0 { crc >> 1 ^ polynomial } else { crc >> 1 };
            step += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
}

/// Adds an element of size `SIZE` to a checksum; `C` chooses CRC-32C.
#[inline(always)]
pub(crate) fn crc32<const C: bool, const SIZE: u8>(mut crc: u32, value: u64) -> u32 {
    let table = &TABLES[usize::from(C)];
    // The checksum's bytes and the value's meet one by one; all at once costs less.
    let step = |crc: u32| crc >> 8 ^ table[(crc & 0xff) as usize];
    match SIZE {
        size::B => crc = step(crc ^ u32::from(value as u8)),
        size::H => crc = step(step(crc ^ u32::from(value as u16))),
        size::W => crc = step(step(step(step(crc ^ value as u32)))),
        _ => {
            crc = step(step(step(step(crc ^ value as u32))));
            crc = step(step(step(step(crc ^ (value >> 32) as u32))));
        }
    }
    crc
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits<const C: bool>() -> u32 {
        let low = crc32::<C, { size::X }>(!0, u64::from_le_bytes(*b"12345678"));
        !crc32::<C, { size::B }>(low, u64::from(b'9'))
    }

    #[test]
    fn check_values_of_both_polynomials() {
        assert_eq!(digits::<false>(), 0xcbf4_3926);
        assert_eq!(digits::<true>(), 0xe306_9283);
    }

    #[test]
    fn wide_elements_are_their_bytes() {
        let value = 0x0123_4567_89ab_cdef_u64;
        let bytewise = value.to_le_bytes().iter().fold(7, |crc, b| crc32::<true, 0>(crc, u64::from(*b)));
        assert_eq!(crc32::<true, 3>(7, value), bytewise);
        let halves = crc32::<true, 2>(crc32::<true, 1>(crc32::<true, 1>(7, value), value >> 16), value >> 32);
        assert_eq!(halves, bytewise);
    }
}
