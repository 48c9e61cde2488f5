//! Cases of pointer authentication.
//!
//! The codes are each implementation's own, and so are the keys, so what is
//! compared is what becomes of a pointer that was signed before: that it
//! authenticates, or loses its code, or is branched to or loaded from.

use a64::{Encoding, Insn, decode};

use super::case::{Case, DATA_BASE, DATA_SIZE, Outcome, slot_address};
use super::generate::MARKER;
use crate::Random;

const FEATURE: &str = "FEAT_PAuth";

/// `pacia x0, x0`, to which the key is added in bits 11:10, and its like with
/// a modifier of 0.
const PAC: u32 = 0xdac1_0000;
const PACZ: u32 = 0xdac1_23e0;
/// `xpaci x0`, and with bit 10 `xpacd x0`.
const XPAC: u32 = 0xdac1_43e0;
const XPACLRI: u32 = 0xd503_20ff;
const PACIASP: u32 = 0xd503_233f;
/// What makes `AUT` of `PAC`, in data processing and in hints.
const AUT: u32 = 1 << 12;
const HINT_AUT: u32 = 1 << 7;

/// Whether the row is of the feature.
#[must_use]
pub fn is_pauth(encoding: Encoding) -> bool {
    encoding.row().needs.iter().any(|need| need.feature == FEATURE)
}

/// Puts what signs the pointer before the case's instruction, mostly.
pub fn sign_before(case: &mut Case, index: usize, random: &mut Random) {
    let word = case.words[0];
    let i = Insn(word);
    let target = slot_address(index) + 16;
    match case.encoding.class() {
        "dp_1src" if word & XPAC != XPAC => {
            pointer(case, i.rd(), random);
            let is_aut = word & AUT != 0;
            let changes_modifier = i.rn() == i.rd();
            if i.rd() == 31 || changes_modifier || random.one_in(4) {
                return;
            }
            case.words = if is_aut { vec![word & !AUT, word] } else { vec![word, XPAC | i.rd()] };
        }
        "hints" if word != XPACLRI => {
            let register = if i.crm() == 1 { 17 } else { 30 };
            pointer(case, register, random);
            if random.one_in(4) {
                return;
            }
            let is_aut = word & HINT_AUT != 0;
            case.words = match is_aut {
                true => vec![word & !HINT_AUT, word],
                false => vec![word, XPAC | register],
            };
        }
        "branch_reg" if case.encoding.name().starts_with("RET") => {
            case.x[30] = target;
            // The key in bit 10 is in bit 6 of the hint.
            case.words = vec![PACIASP | (word >> 10 & 1) << 6, word, MARKER, XPAC | 30];
        }
        "branch_reg" if i.rn() != 31 => {
            case.x[i.rn() as usize] = target;
            let has_modifier = word >> 24 & 1 == 1;
            let modifier = word & 31;
            let key = word & 1 << 10;
            let sign = if has_modifier { PAC | key | modifier << 5 | i.rn() } else { PACZ | key | i.rn() };
            if !has_modifier || modifier != i.rn() {
                case.words = vec![sign, word, MARKER, XPAC | i.rn()];
            }
        }
        "ldst_pac" if i.rn() != 31 => {
            let offset = ((word >> 12 & 0x1ff) as i64 - (i64::from(word >> 22 & 1) << 9)) * 8;
            let at = DATA_BASE + 512 + random.below(DATA_SIZE - 1024);
            case.x[i.rn() as usize] = at.wrapping_add_signed(-offset);
            case.uses_memory = true;
            case.words = vec![PACZ | 2 << 10 | (word >> 23 & 1) << 10 | i.rn(), word, XPAC | 1 << 10 | i.rn()];
        }
        _ => {}
    }
}

/// Makes the register an address of a program, as it mostly is.
fn pointer(case: &mut Case, register: u32, random: &mut Random) {
    if let Some(x) = case.x.get_mut(register as usize) {
        match random.below(4) {
            0 => {}
            1 => *x &= 0xff00_ffff_ffff_ffff,
            _ => *x &= 0x0000_ffff_ffff_ffff,
        }
    }
}

/// The register with the pointer.
fn pointer_register(encoding: Encoding, word: u32) -> usize {
    match (encoding.class(), Insn(word).crm()) {
        ("hints", 0 | 3) => 30,
        ("hints", _) => 17,
        _ => (word & 31) as usize,
    }
}

/// The register of the pointer that the case is about, and the pointer.
fn pointer_of(case: &Case) -> Option<(usize, u64)> {
    let word = *case.words.iter().find(|word| decode(**word) == Some(case.encoding))?;
    let register = pointer_register(case.encoding, word);
    Some((register, *case.x.get(register)?))
}

/// Whether nothing differs but a code: its bits in a register that was signed,
/// or that a code which nobody made happens to be right on one side.
#[must_use]
pub fn differs_in_a_code(case: &Case, expected: &Outcome, found: &Outcome) -> bool {
    const SIGILL: u32 = 4;
    const ADDRESS: u64 = 0xff7f << 48;
    const GENERIC: u64 = 0xffff_ffff << 32;
    if !is_pauth(case.encoding) {
        return false;
    }
    let is_pac = case.encoding.name().starts_with("PAC");
    let signals = [expected.signal, found.signal];
    if case.words.len() == 1 && !is_pac && (signals[0] == SIGILL) != (signals[1] == SIGILL) {
        return true;
    }
    let Some((register, _)) = pointer_of(case) else {
        return false;
    };
    // After a failure the pointer still has its code.
    let has_code = case.words.len() == 1 && is_pac || signals == [SIGILL, SIGILL];
    let code = if case.encoding == Encoding::PACGA_dp_2src { GENERIC } else { ADDRESS };
    let mut theirs = expected.clone();
    theirs.x[register] = theirs.x[register] & !code | found.x[register] & code;
    has_code && theirs == *found
}

/// Whether the pointer is one that the reference takes for the wrong half of
/// the address space: bit 55, which tells the half where tags are ignored in
/// either, is set, and bit 63 is not.
#[must_use]
pub fn is_of_either_half(case: &Case) -> bool {
    let kinds = matches!(case.encoding.class(), "dp_1src" | "hints");
    let pointer = pointer_of(case).map_or(0, |(_, pointer)| pointer);
    is_pauth(case.encoding) && kinds && pointer >> 55 & 1 == 1 && pointer >> 63 == 0
}
