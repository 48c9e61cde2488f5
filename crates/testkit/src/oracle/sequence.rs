//! Makes runs of several instructions, where registers, flags, FPSR and memory
//! go from one to the next.

use std::sync::LazyLock;

use a64::{Encoding, Insn, decode};

use super::case::{Case, DATA_BASE, DATA_SIZE, Kind, MAX_INSNS};
use super::generate::{excluded, over_the_next, state};
use super::operands::{is_unpredictable, needs_alignment};
use super::pauth::is_pauth;
use super::words::{set, word};
use crate::Random;

/// Counts the rounds of a loop.
const COUNTER: u32 = 26;
/// The base of memory accesses, one for those that must be aligned, and the
/// register for an index.
const BASE: u32 = 28;
const ALIGNED: u32 = 25;
const INDEX: u32 = 27;
/// How often a run may access memory with its base, so that it stays in the pages.
const ACCESSES: usize = 6;
/// `mrs x0, fpsr` and `msr fpsr, xzr`: exceptions are looked at and forgotten,
/// as one hides the next.
const LOOK_AT_FPSR: [u32; 2] = [0xd53b_4420, 0xd51b_443f];

/// Branches that depend on something.
const BRANCHES: [Encoding; 5] = [
    Encoding::B_condbranch,
    Encoding::CBZ_compbranch,
    Encoding::CBNZ_compbranch,
    Encoding::TBZ_testbranch,
    Encoding::TBNZ_testbranch,
];

/// The rows that runs are made of.
struct Rows {
    /// Whatever computes.
    any: Vec<Encoding>,
    /// Of general registers.
    integer: Vec<Encoding>,
    /// Loads and stores.
    memory: Vec<Encoding>,
}

static ROWS: LazyLock<Rows> = LazyLock::new(|| {
    let rows =
        |keep: fn(Encoding) -> bool| -> Vec<Encoding> { Encoding::ALL.iter().copied().filter(|&e| keep(e)).collect() };
    Rows {
        any: rows(computes),
        integer: rows(|e| computes(e) && e.row().group.starts_with("dp")),
        memory: rows(|e| is_access(e) || is_atomic(e)),
    }
});

/// Whether a row computes something and nothing else. What has a key of the
/// process in it does not.
fn computes(encoding: Encoding) -> bool {
    let computes = matches!(encoding.row().group, "dpimm" | "dpreg" | "fp" | "simd" | "simd_scalar" | "crypto");
    computes && encoding.class() != "pcreladdr" && !is_pauth(encoding) && excluded(encoding).is_none()
}

fn is_access(encoding: Encoding) -> bool {
    let class = encoding.class();
    let kinds =
        ["ldst_pos", "ldst_unscaled", "ldst_unpriv", "ldst_imm", "ldst_regoff", "ldstpair", "ldstnapair", "asisdls"];
    kinds.iter().any(|kind| class.starts_with(kind)) && excluded(encoding).is_none()
}

/// Those that are aligned and can stand for themselves.
fn is_atomic(encoding: Encoding) -> bool {
    needs_alignment(encoding) && !encoding.class().starts_with("ldstexcl") && excluded(encoding).is_none()
}

/// A run of 3 to [`MAX_INSNS`] instructions: data processing and memory
/// accesses, with a conditional branch over one of them now and then. One in
/// eight is a loop, without memory accesses.
pub fn sequence(random: &mut Random) -> Case {
    let is_loop = random.one_in(8);
    // Half of them use few registers, so that results are used soon.
    let is_dense = random.one_in(2);
    let most = if is_loop { 8 } else { MAX_INSNS - 2 };
    let len = 3 + random.below(most as u64 - 2) as usize;
    let mut words: Vec<u32> = Vec::new();
    let mut accesses = 0;
    let mut first = None;
    while words.len() < len {
        let forward = words.len() + 1 < len;
        let pick = match random.below(16) {
            0 | 1 if forward => random.pick(&BRANCHES),
            2..=4 if accesses < ACCESSES && !is_loop => random.pick(&ROWS.memory),
            5 if forward && !is_loop => {
                words.extend([LOOK_AT_FPSR[0] | random.below(24) as u32, LOOK_AT_FPSR[1]]);
                continue;
            }
            6 | 7 => random.pick(&ROWS.integer),
            _ => random.pick(&ROWS.any),
        };
        let Some(found) = word(pick, random) else {
            continue;
        };
        let is_memory = is_access(pick) || is_atomic(pick);
        let found = match pick {
            _ if BRANCHES.contains(&pick) => over_the_next(pick, found),
            _ if is_memory => near_the_base(pick, found),
            _ if is_dense => few_registers(found),
            _ => found,
        };
        if decode(found) == Some(pick) && !is_unpredictable(pick, Insn(found)) && keeps_reserved(pick, found) {
            accesses += usize::from(is_access(pick));
            first = first.or(Some(pick));
            words.push(found);
        }
    }
    let mut case = state(first.unwrap_or(ROWS.integer[0]), random);
    if is_loop {
        let back = 0u32.wrapping_sub(words.len() as u32 + 1) & 0x7_ffff;
        // `subs x26, x26, #1; b.ne` or `sub x26, x26, #1; cbnz x26`.
        words.extend(if random.one_in(2) {
            [0xf100_0400 | COUNTER << 5 | COUNTER, 0x5400_0001 | back << 5]
        } else {
            [0xd100_0400 | COUNTER << 5 | COUNTER, 0xb500_0000 | back << 5 | COUNTER]
        });
    }
    case.kind = Kind::Run;
    case.uses_memory = words.iter().any(|&word| decode(word).is_some_and(|e| is_access(e) || is_atomic(e)));
    case.words = words;
    case.x[COUNTER as usize] = 1 + random.below(20);
    case.x[BASE as usize] = DATA_BASE + DATA_SIZE / 2 - 32 + random.below(64);
    case.x[ALIGNED as usize] = DATA_BASE + DATA_SIZE / 2 - 64 + random.below(8) * 16;
    case.x[INDEX as usize] = random.below(64);
    case
}

/// Whether the word leaves the registers alone that runs need, and SP, and can
/// be anywhere in the code. What only reads them is left out too, mostly.
fn keeps_reserved(encoding: Encoding, word: u32) -> bool {
    let is_reserved = |n: u32| (ALIGNED..=BASE).contains(&n);
    let i = Insn(word);
    let group = encoding.row().group;
    if is_access(encoding) || is_atomic(encoding) {
        let fields = encoding.row().fields.iter();
        let mut registers = fields.filter(|field| matches!(field.name, "Rt" | "Rt2" | "Rs"));
        let pair_ends = encoding.class() == "comswappr" && (is_reserved(i.rt() + 1) || is_reserved(i.rs() + 1));
        return !pair_ends && !registers.any(|field| is_reserved(field.get(word)));
    }
    // SP is the destination of few; it only has to be a number that is not used.
    !(is_reserved(i.rd()) && (group.starts_with("dp") || group == "fp" || group.starts_with("simd")))
}

/// Rd and Rn become registers below 8.
fn few_registers(word: u32) -> u32 {
    word & !0b1_1000 & !(0b1_1000 << 5)
}

/// Rn becomes the base, Rm the index, and offsets small.
fn near_the_base(encoding: Encoding, word: u32) -> u32 {
    let mut word = word;
    for field in encoding.row().fields {
        let value = match field.name {
            "Rn" if needs_alignment(encoding) => ALIGNED,
            "Rn" => BASE,
            "Rm" => INDEX,
            "Rt" | "Rt2" | "Rs" => field.get(word) & 23,
            "imm12" | "imm7" => field.get(word) & 0x1f,
            "imm9" if needs_alignment(encoding) => field.get(word) & !15,
            _ => continue,
        };
        word = set(word, *field, value);
    }
    word
}
