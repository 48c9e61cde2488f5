//! Instruction words of a row: fields at random, at their ends, or alike.

use a64::{Encoding, Field, Insn, Row, decode};

use super::operands::is_unpredictable;
use crate::Random;

/// A word of the row, without what the architecture leaves open; `None` if
/// there is hardly any.
pub fn word(encoding: Encoding, random: &mut Random) -> Option<u32> {
    let row = encoding.row();
    let (should_mask, should_value) = should_be(row);
    for _ in 0..1000 {
        let mut word = random.u32() & !(row.mask | should_mask) | row.value | should_value;
        let mut register = None;
        for field in row.fields {
            let ones = u32::MAX >> (32 - field.width);
            let value = match (random.below(16), register) {
                (0 | 1, _) => 0,
                (2, _) => ones,
                (3, _) => 1 << random.below(field.width.into()),
                (4 | 5, Some(same)) if is_register(field) => same,
                _ => field.get(word),
            };
            word = set(word, *field, value);
            if is_register(field) {
                register = Some(value);
            }
        }
        if decode(word) == Some(encoding) && !is_unpredictable(encoding, Insn(word)) {
            return Some(word);
        }
    }
    None
}

/// Whether the field is the number of a register.
fn is_register(field: &Field) -> bool {
    field.width == 5 && field.name.starts_with('R')
}

/// `word` with another value in `field`.
pub fn set(word: u32, field: Field, value: u32) -> u32 {
    let ones = u32::MAX >> (32 - field.width);
    word & !(ones << field.lsb) | value << field.lsb
}

/// The should-be bits of a row, as a mask and their values. With others the
/// architecture leaves open whether the instruction is undefined.
#[must_use]
pub fn should_be(row: &Row) -> (u32, u32) {
    let (mut mask, mut value, mut lsb) = (0, 0, 32);
    for token in row.pattern.split_whitespace() {
        let bits = token.trim_matches(['(', ')']);
        if let Some((_, width)) = bits.split_once(':') {
            lsb -= width.parse().unwrap_or(0);
            continue;
        }
        for bit in bits.chars() {
            lsb -= 1;
            if token.starts_with('(') {
                mask |= 1 << lsb;
                value |= u32::from(bit == '1') << lsb;
            }
        }
    }
    (mask, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn should_be_bits_are_those_in_parentheses() {
        assert_eq!(should_be(Encoding::LDXR_ldstexclr.row()), (0x001f_7c00, 0x001f_7c00));
        assert_eq!(should_be(Encoding::UMULH_dp_3src.row()), (0x7c00, 0x7c00));
        assert_eq!(should_be(Encoding::ADD_addsub_imm.row()), (0, 0));
    }
}
