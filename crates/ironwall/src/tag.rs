//! The three tags in the prefix of every block.
//!
//! `tag1` is a 48-bit hash of the structure's UUID above a CRC-16 of those 48 bits; `tag2` is an independent 64-bit
//! hash of the same UUID; `tag3` is a 64-bit hash of the table's UUID.
//! The CRC finds damage, it does not authenticate: all three tags are public constants.

use crate::{id::Uuid, sha256::Sha256};

/// The tags of one structure, in the order of the prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(C)]
pub struct Tags {
    /// 48 bits of hash of the structure, 16 bits of confirmation.
    pub tag1: u64,
    /// A second hash of the structure.
    pub tag2: u64,
    /// A hash of the table.
    pub tag3: u64,
}

impl Tags {
    /// The tags of a structure in a table.
    pub fn new(table: Uuid, structure: Uuid) -> Self {
        Self { tag1: tag1(structure), tag2: tag2(structure), tag3: tag3(table) }
    }
}

/// `tag1` of a structure.
pub fn tag1(structure: Uuid) -> u64 {
    let hash = hash(b"ironwall.tag1.v1\0", structure) & !0xffff;
    hash | u64::from(confirmation(hash))
}

/// `tag2` of a structure.
pub fn tag2(structure: Uuid) -> u64 {
    hash(b"ironwall.tag2.v1\0", structure)
}

/// `tag3` of a table.
pub fn tag3(table: Uuid) -> u64 {
    hash(b"ironwall.tag3.v1\0", table)
}

/// Whether the low 16 bits of `tag1` confirm the upper 48. All zeros and all ones never do.
#[inline]
pub fn is_confirmed(tag1: u64) -> bool {
    u64::from(confirmation(tag1)) == tag1 & 0xffff && tag1 != 0 && tag1 != u64::MAX
}

/// The CRC-16/CCITT of the upper 48 bits, first bit first, with all ones before and after (CRC-16/GENIBUS).
fn confirmation(tag1: u64) -> u16 {
    !tag1.to_be_bytes()[..6]
        .iter()
        .fold(0xffff, |crc: u16, byte| crc << 8 ^ CRC[usize::from(crc >> 8 ^ u16::from(*byte))])
}

/// What each leading byte adds to the CRC, for the polynomial x¹⁶ + x¹² + x⁵ + 1.
const CRC: [u16; 256] = {
    let (mut table, mut bit) = ([0; 256], 0);
    while bit < 256 * 8 {
        let crc = if bit % 8 == 0 { (bit as u16 / 8) << 8 } else { table[bit / 8] };
        table[bit / 8] = if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 };
        bit += 1;
    }
    table
};

/// The first 64 bits of the SHA-256 of a domain and a UUID.
fn hash(domain: &[u8], uuid: Uuid) -> u64 {
    Sha256::of(&[domain, &uuid.0])[..8].iter().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_the_catalogued_one() {
        let crc =
            b"123456789".iter().fold(0xffff, |crc: u16, byte| crc << 8 ^ CRC[usize::from(crc >> 8 ^ u16::from(*byte))]);
        assert_eq!(!crc, 0xd64e, "CRC-16/GENIBUS check value");
    }

    #[test]
    fn empty_words_are_no_tags() {
        assert!(!is_confirmed(0));
        assert!(!is_confirmed(u64::MAX));
    }
}
