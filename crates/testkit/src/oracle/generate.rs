//! Makes cases from the table: random fields, and a state in which the
//! instruction can do its work.

use a64::{Encoding, Insn, decode};

use super::case::{Case, DATA_BASE, DATA_SIZE, MAX_INSNS, data_page, slot_address};
use super::operands::{Address, address, is_unpredictable, needs_alignment, should_be};
use crate::Random;

/// `add x28, x28, #1`, which shows whether a branch was taken.
const MARKER: u32 = 0x9100_079c;

/// Rows without cases, with the reason.
#[must_use]
pub fn excluded(encoding: Encoding) -> Option<&'static str> {
    Some(match encoding {
        Encoding::SVC_exception => "a system call: see the guest tests",
        Encoding::HLT_exception => "semihosting in the reference",
        Encoding::MSR_pstate => "privileged, or of extensions that are not here",
        Encoding::SB_barriers => "of an extension that the reference's processor has not",
        _ => return None,
    })
}

/// A case for `encoding` in the slot of `index`, or `None` if the random choice
/// came to something without a defined result.
pub fn case(encoding: Encoding, index: usize, random: &mut Random) -> Option<Case> {
    let word = word(encoding, random)?;
    let mut case = state(encoding, random);
    case.words = vec![word];
    let i = Insn(word);
    if computes_with_halves(encoding, i) {
        let random_or_halves = |_| if random.one_in(8) { random.vector() } else { random.halves() };
        case.v = std::array::from_fn(random_or_halves);
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
        "systemmove" => system_registers(&mut case, i, random),
        "systeminstrs" => cache_operation(&mut case, i, random)?,
        _ => memory(&mut case, encoding, index, random)?,
    }
    Some(case)
}

/// Whether the operands are numbers of half precision, which only some of the
/// random vectors have.
fn computes_with_halves(encoding: Encoding, i: Insn) -> bool {
    let name = encoding.name();
    match encoding.row().group {
        "fp" => i.ftype() == 3,
        _ => ["fp16", "_half_", "FMLAL", "FMLSL"].iter().any(|part| name.contains(part)),
    }
}

/// The base of a sequence's memory accesses, and the register for an index.
const BASE: u32 = 28;
const INDEX: u32 = 27;
/// How often a sequence may access memory, so that it stays in the page.
const ACCESSES: usize = 3;
/// Counts the rounds of a loop.
const COUNTER: u32 = 26;

/// Whether a sequence may have a row, for what it does and what it accesses.
fn is_sequential(encoding: Encoding) -> bool {
    let computes = matches!(encoding.row().group, "dpimm" | "dpreg" | "fp" | "simd" | "simd_scalar" | "crypto");
    computes && encoding.class() != "pcreladdr"
}

fn is_sequential_access(encoding: Encoding) -> bool {
    let class = encoding.class();
    class.starts_with("ldst_") || class.starts_with("ldstpair") || class.starts_with("asisdls")
}

/// A run of data processing and memory accesses, where flags, registers and
/// memory go from one instruction to the next, with a conditional branch over
/// one of them now and then. One in four is a loop, without memory accesses.
///
/// # Panics
/// If the table has no rows to choose from.
pub fn sequence(random: &mut Random) -> Case {
    let rows =
        |keep: fn(Encoding) -> bool| -> Vec<Encoding> { Encoding::ALL.iter().copied().filter(|&e| keep(e)).collect() };
    let integer = rows(|e| is_sequential(e) && e.row().group.starts_with("dp"));
    let (any, memory) = (rows(is_sequential), rows(is_sequential_access));
    let mut words: Vec<u32> = Vec::new();
    let mut accesses = 0;
    let is_loop = random.one_in(4);
    let len = 3 + random.below(MAX_INSNS as u64 - if is_loop { 4 } else { 2 }) as usize;
    while words.len() < len {
        let forward = words.len() + 1 < len;
        let (pick, fix): (Encoding, fn(Encoding, u32) -> u32) = match random.below(8) {
            0 | 1 if forward => (random.pick(&BRANCHES), over_the_next),
            2 | 3 if accesses < ACCESSES && !is_loop => (random.pick(&memory), near_the_base),
            4 | 5 => (random.pick(&any), few_registers),
            _ => (random.pick(&integer), few_registers),
        };
        let Some(word) = word(pick, random).map(|word| fix(pick, word)) else {
            continue;
        };
        if decode(word) == Some(pick) && !is_unpredictable(pick, Insn(word)) {
            accesses += usize::from(is_sequential_access(pick));
            words.push(word);
        }
    }
    let mut case = state(decode(words[0]).unwrap_or(integer[0]), random);
    if is_loop {
        let back = 0u32.wrapping_sub(words.len() as u32 + 1) & 0x7_ffff;
        // `subs x26, x26, #1; b.ne` or `sub x26, x26, #1; cbnz x26`.
        words.extend(if random.one_in(2) {
            [0xf100_0400 | COUNTER << 5 | COUNTER, 0x5400_0001 | back << 5]
        } else {
            [0xd100_0400 | COUNTER << 5 | COUNTER, 0xb500_0000 | back << 5 | COUNTER]
        });
    }
    case.words = words;
    case.x[COUNTER as usize] = 1 + random.below(20);
    case.uses_memory = accesses > 0;
    case.x[BASE as usize] = DATA_BASE + DATA_SIZE / 4 + random.below(64);
    case.x[INDEX as usize] = random.below(64);
    case
}

/// A branch to the instruction after the next.
fn over_the_next(encoding: Encoding, word: u32) -> u32 {
    let (mask, lsb) = offset_field(encoding);
    word & !(mask << lsb) | 2 << lsb
}

/// Rd and Rn become registers below 8, so that results are used.
fn few_registers(_: Encoding, word: u32) -> u32 {
    word & !0b1_1000 & !(0b1_1000 << 5)
}

/// Rn becomes the base, Rm the index, and offsets small.
fn near_the_base(encoding: Encoding, word: u32) -> u32 {
    let mut word = word & !0b1_1000 & !(31 << 5) | BASE << 5;
    for field in encoding.row().fields {
        let keep = match field.name {
            "imm12" | "imm7" => 0x1f,
            "Rt2" => 7,
            "Rm" => 0,
            _ => continue,
        };
        let ones = u32::MAX >> (32 - field.width);
        let value = if field.name == "Rm" { INDEX } else { field.get(word) & keep };
        word = word & !(ones << field.lsb) | value << field.lsb;
    }
    word
}

/// Branches that depend on something.
const BRANCHES: [Encoding; 5] = [
    Encoding::B_condbranch,
    Encoding::CBZ_compbranch,
    Encoding::CBNZ_compbranch,
    Encoding::TBZ_testbranch,
    Encoding::TBNZ_testbranch,
];

/// The mask and the place of a branch's offset.
fn offset_field(encoding: Encoding) -> (u32, u32) {
    match encoding.class() {
        "branch_imm" => (0x03ff_ffff, 0),
        "testbranch" => (0x3fff, 5),
        _ => (0x7_ffff, 5),
    }
}

/// A word of the row: fields at random, or at their ends.
fn word(encoding: Encoding, random: &mut Random) -> Option<u32> {
    let row = encoding.row();
    let (should_mask, should_value) = should_be(row);
    for _ in 0..1000 {
        let mut word = random.u32() & !(row.mask | should_mask) | row.value | should_value;
        for field in row.fields {
            let ones = u32::MAX >> (32 - field.width);
            let value = match random.below(16) {
                0 | 1 => 0,
                2 | 3 => ones,
                4 => 1 << random.below(field.width.into()),
                _ => continue,
            };
            word = word & !(ones << field.lsb) | value << field.lsb;
        }
        if decode(word) == Some(encoding) && !is_unpredictable(encoding, Insn(word)) {
            return Some(word);
        }
    }
    None
}

/// A random state.
fn state(encoding: Encoding, random: &mut Random) -> Case {
    let mut fpcr = 0;
    if random.one_in(4) {
        // RMode, FZ, DN, AHP; FZ16.
        fpcr = (random.below(32) << 22 | random.below(2) << 19) as u32;
    }
    Case {
        encoding,
        words: Vec::new(),
        uses_memory: false,
        seed: random.u64(),
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

/// `MRS` and `MSR` of the registers that programs use.
fn system_registers(case: &mut Case, i: Insn, random: &mut Random) {
    /// As the word's bits 20:5.
    const NZCV: u32 = 0xda10;
    const FPCR: u32 = 0xda20;
    const FPSR: u32 = 0xda21;
    const TPIDR: u32 = 0xde82;
    const MRS: u32 = 0xd530_0000;
    const MSR: u32 = 0xd510_0000;
    let register = random.pick(&[NZCV, FPCR, FPSR, TPIDR]);
    let field = register << 5 & 0x000f_ffe0;
    if register == TPIDR {
        // The oracle program uses this one, so a value goes in and out.
        case.words = vec![MSR | field | i.rt(), MRS | field | (i.rt() ^ 1)];
        return;
    }
    let is_read = case.encoding == Encoding::MRS_systemmove;
    case.words = vec![if is_read { MRS } else { MSR } | field | i.rt()];
    if i.rt() != 31 {
        // Not what only AArch32 has.
        let mask = match register {
            FPCR => 0x07c8_0000,
            FPSR => 0x0fff_ffff,
            _ => u64::MAX,
        };
        let value = case.x[i.rt() as usize] & mask;
        set_register(case, i.rt(), value);
    }
}

/// A cache operation on the data page, as programs use.
fn cache_operation(case: &mut Case, i: Insn, random: &mut Random) -> Option<()> {
    /// `dc zva`, `dc cvac`, `dc cvau`, `dc civac`, `ic ivau`.
    const OPERATIONS: [u32; 5] = [0xd50b_7420, 0xd50b_7a20, 0xd50b_7b20, 0xd50b_7e20, 0xd50b_7520];
    if case.encoding != Encoding::SYS_systeminstrs || i.rt() == 31 {
        return None;
    }
    case.words = vec![random.pick(&OPERATIONS) | i.rt()];
    case.uses_memory = true;
    set_register(case, i.rt(), DATA_BASE + random.below(DATA_SIZE));
    Some(())
}

/// Points a load or store at the data page.
fn memory(case: &mut Case, encoding: Encoding, index: usize, random: &mut Random) -> Option<()> {
    let i = Insn(case.words[0]);
    let target = target(encoding, random);
    let base = match address(encoding, i) {
        Address::None => return Some(()),
        Address::Literal => {
            let distance = (DATA_BASE + 512 + random.below(600) * 4).wrapping_sub(slot_address(index) + 4);
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
    case.uses_memory = true;
    let base = if i.rn() == 31 { base & !15 } else { base };
    let tag = if i.rn() != 31 && random.one_in(20) { random.u64() << 56 } else { 0 };
    set_register(case, i.rn(), base | tag);
    expectations(case, encoding, target, random);
    Some(())
}

/// An address in the data page: mostly in the middle, now and then across its edge.
fn target(encoding: Encoding, random: &mut Random) -> u64 {
    let middle = DATA_BASE + 512 + random.below(40) * 64;
    if needs_alignment(encoding) {
        return middle;
    }
    // Of several registers the reference may load some before it faults.
    let is_single = encoding.name().starts_with("LD") && encoding.class().starts_with("ldst_");
    match random.below(32) {
        0 if is_single => DATA_BASE + DATA_SIZE - 1 - random.below(31),
        1 if is_single => DATA_BASE - 1 - random.below(31),
        2..10 => middle + random.below(64),
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
fn expectations(case: &mut Case, encoding: Encoding, target: u64, random: &mut Random) {
    let word = case.words[0];
    let i = Insn(word);
    let page = data_page(case.seed);
    let in_memory = |n: u64| {
        let at = target.wrapping_sub(DATA_BASE).wrapping_add(n * 8) as usize;
        page.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
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
    use super::*;

    #[test]
    fn every_row_that_is_not_excluded_has_cases() {
        let mut random = Random::new(1);
        for &encoding in Encoding::ALL {
            if excluded(encoding).is_none() && !encoding.name().starts_with("SYSL") {
                let found = (0..50).any(|index| case(encoding, index, &mut random).is_some());
                assert!(found, "{}", encoding.name());
            }
        }
    }

    #[test]
    fn cases_decode_to_their_row() {
        let mut random = Random::new(2);
        for &encoding in Encoding::ALL {
            for index in 0..20 {
                if let Some(case) = case(encoding, index, &mut random) {
                    let decoded = case.words.iter().any(|&w| decode(w).map(Encoding::class) == Some(encoding.class()));
                    assert!(decoded, "{}: {}", encoding.name(), case.text());
                    assert!(case.words.len() <= MAX_INSNS);
                    assert_eq!(case.record(0).len(), 840);
                }
            }
        }
    }
}
