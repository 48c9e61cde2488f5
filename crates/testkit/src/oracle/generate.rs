//! Makes cases from the table: random fields, and a state in which the
//! instruction can do its work.

use a64::{Encoding, Insn, decode};
use machine::features::NOT_PROVIDED;

use super::case::{Case, DATA_BASE, DATA_SIZE, Kind, slot_address};
use super::operands::{Address, address, needs_alignment};
use super::pauth::{is_pauth, sign_before};
use super::words::word;
use crate::Random;

/// `add x28, x28, #1`, which shows whether a branch was taken.
pub const MARKER: u32 = 0x9100_079c;
/// A number that no system call has.
const NO_SUCH_CALL: u64 = 0x10_0000;
/// The bits of FPCR that a case may have: AHP, DN, FZ, RMode and FZ16. Left out
/// is what only the reference has: AH, FIZ, NEP and EBF.
const FPCR_MASK: u32 = 0x07c8_0000;

/// Rows without cases, with the reason.
#[must_use]
pub fn excluded(encoding: Encoding) -> Option<&'static str> {
    let needs = encoding.row().needs.iter();
    let is_missing = needs.filter(|need| need.condition.is_empty()).any(|need| NOT_PROVIDED.contains(&need.feature));
    is_missing.then_some("not provided: decision 0011")
}

/// A case for `encoding` in the slot of `index`, or `None` if the random choice
/// came to something without a defined result.
///
/// `pages` is what the data pages hold.
pub fn case(encoding: Encoding, index: usize, pages: &[u8], random: &mut Random) -> Option<Case> {
    let word = word(encoding, random)?;
    let mut case = state(encoding, random);
    case.words = vec![word];
    let i = Insn(word);
    if computes_with_halves(encoding, i) {
        let random_or_halves = |_| if random.one_in(8) { random.vector() } else { random.halves() };
        case.v = std::array::from_fn(random_or_halves);
    }
    if encoding.name().starts_with("BF") && encoding.row().group == "simd" && !random.one_in(4) {
        case.v = std::array::from_fn(|_| random.bfloats());
    }
    if is_pauth(encoding) {
        sign_before(&mut case, index, random);
        return Some(case);
    }
    match encoding.class() {
        "branch_imm" | "condbranch" | "compbranch" | "testbranch" => {
            // To the instruction after the next.
            case.words = vec![over_the_next(encoding, word), MARKER];
        }
        "branch_reg" if encoding.row().fields.is_empty() => {}
        "branch_reg" if i.rn() == 31 => return None,
        "branch_reg" => {
            case.words = vec![word, MARKER];
            set_register(&mut case, i.rn(), slot_address(index) + 12);
        }
        "hints" if matches!(i.crm() << 3 | i.op2(), 2 | 3) => return None,
        "exception" => exception(&mut case, encoding, random),
        "pstate" if i.op1() == 3 && matches!(i.op2(), 1 | 2) => {
            // Looked at, and cleared again: `mrs x0, ssbs`, `mrs x0, dit`.
            let look = if i.op2() == 1 { 0xd53b_42c0 } else { 0xd53b_42a0 };
            case.words = vec![word, look, word & !(15 << 8)];
        }
        "systemmove" => system_registers(&mut case, i, random),
        "systeminstrs" => cache_operation(&mut case, i, random)?,
        _ => memory(&mut case, encoding, index, pages, random)?,
    }
    Some(case)
}

/// Whether the operands are numbers of half precision, which only some of the
/// random vectors have.
fn computes_with_halves(encoding: Encoding, i: Insn) -> bool {
    let name = encoding.name();
    match encoding.row().group {
        "fp" => i.ftype() == 3,
        _ if name.starts_with("FCMLA") || name.starts_with("FCADD") => i.size_22() == 1,
        _ => ["fp16", "_half_", "FMLAL", "FMLSL"].iter().any(|part| name.contains(part)),
    }
}

/// A branch to the instruction after the next.
pub fn over_the_next(encoding: Encoding, word: u32) -> u32 {
    let (mask, lsb) = offset_field(encoding);
    word & !(mask << lsb) | 2 << lsb
}

/// Whether the word is undefined here: not in the table, or not provided.
fn is_undefined(word: u32) -> bool {
    decode(word).is_none_or(|row| row.features(word).any(|feature| NOT_PROVIDED.contains(&feature)))
}

/// A word that is undefined here, with registers that point at the data
/// pages, in case it accesses memory.
pub fn unknown_word(random: &mut Random) -> Case {
    let mut case = state(Encoding::UDF_perm_undef, random);
    let word = std::iter::repeat_with(|| random.u32()).find(|&word| is_undefined(word));
    case.words.extend(word);
    case.kind = Kind::Word;
    case.uses_memory = true;
    case.x = std::array::from_fn(|_| DATA_BASE + DATA_SIZE / 2 + random.below(512));
    case
}

/// The mask and the place of a branch's offset.
fn offset_field(encoding: Encoding) -> (u32, u32) {
    match encoding.class() {
        "branch_imm" => (0x03ff_ffff, 0),
        "testbranch" => (0x3fff, 5),
        _ => (0x7_ffff, 5),
    }
}

/// A random state.
pub fn state(encoding: Encoding, random: &mut Random) -> Case {
    let fpcr = if random.one_in(2) { random.u32() & FPCR_MASK } else { 0 };
    Case {
        encoding,
        words: Vec::new(),
        kind: Kind::Row,
        uses_memory: false,
        x: std::array::from_fn(|_| random.integer()),
        sp: DATA_BASE + DATA_SIZE / 2,
        nzcv: (random.below(16) << 28) as u32,
        fpcr,
        fpsr: if random.one_in(8) { random.u32() & 0x0800_009f } else { 0 },
        v: std::array::from_fn(|_| random.vector()),
    }
}

/// Sets Xn, or SP for 31.
fn set_register(case: &mut Case, n: u32, value: u64) {
    match case.x.get_mut(n as usize) {
        Some(x) => *x = value,
        None => case.sp = value,
    }
}

/// A system call that there is not; `HLT` other than for semihosting.
fn exception(case: &mut Case, encoding: Encoding, random: &mut Random) {
    const SEMIHOSTING: u32 = 0xf000;
    match encoding {
        Encoding::SVC_exception => case.x[8] = NO_SUCH_CALL + random.below(1000),
        Encoding::HLT_exception if Insn(case.words[0]).imm16() == SEMIHOSTING => case.words[0] ^= 1 << 5,
        _ => {}
    }
}

/// `MRS` and `MSR` of the registers that programs use.
fn system_registers(case: &mut Case, i: Insn, random: &mut Random) {
    /// As the word's bits 20:5.
    const NZCV: u32 = 0xda10;
    const FPCR: u32 = 0xda20;
    const FPSR: u32 = 0xda21;
    const TPIDR: u32 = 0xde82;
    const DIT: u32 = 0xda15;
    const SSBS: u32 = 0xda16;
    const MRS: u32 = 0xd530_0000;
    const MSR: u32 = 0xd510_0000;
    const USED: [u32; 6] = [NZCV, FPCR, FPSR, TPIDR, DIT, SSBS];
    if random.one_in(8) && !USED.contains(&i.sysreg()) {
        // Any register, most of which there are not.
        return;
    }
    let register = random.pick(&USED);
    let field = register << 5 & 0x000f_ffe0;
    if matches!(register, TPIDR | DIT | SSBS) {
        // A value goes in and out, as the oracle program uses the first and
        // sets none; what it leaves behind must not be the next case's.
        case.words = vec![MSR | field | i.rt(), MRS | field | (i.rt() ^ 1), MSR | field | 31];
        return;
    }
    let is_read = case.encoding == Encoding::MRS_systemmove;
    case.words = vec![if is_read { MRS } else { MSR } | field | i.rt()];
    if i.rt() != 31 {
        let mask = match register {
            FPCR => FPCR_MASK.into(),
            FPSR => 0x0fff_ffff,
            _ => u64::MAX,
        };
        let value = case.x[i.rt() as usize] & mask;
        set_register(case, i.rt(), value);
    }
}

/// A cache operation on the data page, as programs use.
fn cache_operation(case: &mut Case, i: Insn, random: &mut Random) -> Option<()> {
    /// `dc zva`, `dc cvac`, `dc cvau`, `dc cvap`, `dc cvadp`, `dc civac`, `ic ivau`.
    const OPERATIONS: [u32; 7] =
        [0xd50b_7420, 0xd50b_7a20, 0xd50b_7b20, 0xd50b_7c20, 0xd50b_7d20, 0xd50b_7e20, 0xd50b_7520];
    if case.encoding != Encoding::SYS_systeminstrs || random.one_in(8) {
        // Any operation, most of which there are not.
        return Some(());
    }
    if i.rt() == 31 {
        return None;
    }
    case.words = vec![random.pick(&OPERATIONS) | i.rt()];
    case.uses_memory = true;
    set_register(case, i.rt(), DATA_BASE + random.below(DATA_SIZE));
    Some(())
}

/// Points a load or store at the data page.
fn memory(case: &mut Case, encoding: Encoding, index: usize, pages: &[u8], random: &mut Random) -> Option<()> {
    let i = Insn(case.words[0]);
    let target = target(encoding, random);
    let base = match address(encoding, i) {
        Address::None => return Some(()),
        Address::Literal => {
            let distance = (target & !3).wrapping_sub(slot_address(index) + 4) as i64;
            if distance.unsigned_abs() >= 1 << 20 {
                return None;
            }
            case.words[0] = i.0 & 0xff00_001f | ((distance >> 2 & 0x7_ffff) as u32) << 5;
            case.uses_memory = true;
            return Some(());
        }
        Address::Base(offset) => target.wrapping_add_signed(-offset),
        Address::Index(scale) => {
            if i.rm() == i.rn() {
                return None;
            }
            target.wrapping_sub(index_register(case, i, random) << scale)
        }
    };
    if needs_alignment(encoding) && i.rn() == 31 && base & 15 != 0 {
        return None;
    }
    case.uses_memory = true;
    let base = if i.rn() == 31 { base & !15 } else { base };
    let tag = if i.rn() != 31 && random.one_in(20) { random.u64() << 56 } else { 0 };
    set_register(case, i.rn(), base | tag);
    expectations(case, encoding, target, pages, random);
    Some(())
}

/// An address in the data pages: in the middle of one, around the boundary
/// between them, and now and then across the edge to what is not mapped or
/// altogether there.
fn target(encoding: Encoding, random: &mut Random) -> u64 {
    const BOUNDARY: u64 = DATA_BASE + DATA_SIZE / 2;
    const END: u64 = DATA_BASE + DATA_SIZE;
    let middle = DATA_BASE + 512 + random.below(100) * 64;
    let grain = if needs_alignment(encoding) && !random.one_in(4) { 16 } else { 1 };
    let around = |at: u64, random: &mut Random| (at - random.below(64)) & 0u64.wrapping_sub(grain);
    match random.below(32) {
        0 => around(END, random),
        1 => around(DATA_BASE, random),
        2 => around(if random.one_in(2) { END + 2048 } else { 2048 }, random),
        3..12 => around(BOUNDARY, random),
        12..20 => around(middle + 64, random),
        _ => middle,
    }
}

/// Gives Rm a small index; returns what is added, before the shift.
fn index_register(case: &mut Case, i: Insn, random: &mut Random) -> u64 {
    if i.rm() == 31 {
        return 0;
    }
    let signed = i.option() & 4 != 0;
    let value = if signed { random.below(64).wrapping_sub(32) } else { random.below(64) };
    let wide = i.option() & 1 == 1;
    let above = if wide { 0 } else { random.u64() << 32 };
    set_register(case, i.rm(), if wide { value } else { value & 0xffff_ffff | above });
    value
}

/// Lets compare-and-swap find what it expects half of the time, and puts a
/// load before an exclusive store.
fn expectations(case: &mut Case, encoding: Encoding, target: u64, pages: &[u8], random: &mut Random) {
    let word = case.words[0];
    let i = Insn(word);
    let in_memory = |n: u64| {
        let at = target.wrapping_sub(DATA_BASE).wrapping_add(n * 8) as usize;
        pages.get(at..at.wrapping_add(8)).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
    };
    let is_free = |n: u32| n != i.rn();
    match encoding.class() {
        "comswap" if random.one_in(2) && is_free(i.rs()) && i.rs() != 31 => {
            set_register(case, i.rs(), in_memory(0));
        }
        "comswappr" if random.one_in(2) && is_free(i.rs()) && is_free(i.rs() + 1) && i.rs() != 30 => {
            let (low, high) =
                if i.sz_30() == 1 { (in_memory(0), in_memory(1)) } else { (in_memory(0), in_memory(0) >> 32) };
            set_register(case, i.rs(), low);
            set_register(case, i.rs() + 1, high);
        }
        class if class.starts_with("ldstexcl") && encoding.name().starts_with("ST") && !random.one_in(4) => {
            // The same instruction as a load (bit 22), into registers that the
            // store does not read.
            let is_spare = |n: &u32| ![i.rt(), i.rt2(), i.rs(), i.rn()].contains(n);
            let spare: Vec<u32> = (0..31).filter(is_spare).take(2).collect();
            let load = word & !0x001f_7c1f | 1 << 22 | 31 << 16;
            let second = if class == "ldstexclp" { spare[1] } else { 31 };
            case.words = vec![load | second << 10 | spare[0], word];
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::{MAX_INSNS, data_pages};
    use super::*;

    #[test]
    fn every_row_that_is_not_excluded_has_cases() {
        let mut random = Random::new(1);
        let pages = data_pages(1);
        for &encoding in Encoding::ALL {
            if excluded(encoding).is_none() {
                let found = (0..50).any(|index| case(encoding, index, &pages, &mut random).is_some());
                assert!(found, "{}", encoding.name());
            }
        }
    }

    #[test]
    fn cases_decode_to_their_row() {
        let mut random = Random::new(2);
        let pages = data_pages(2);
        for &encoding in Encoding::ALL {
            for index in 0..20 {
                if let Some(case) = case(encoding, index, &pages, &mut random) {
                    let decoded = case.words.iter().any(|&w| decode(w).map(Encoding::class) == Some(encoding.class()));
                    assert!(decoded, "{}: {}", encoding.name(), case.text());
                    assert!(case.words.len() <= MAX_INSNS);
                }
            }
        }
    }
}
