//! Differences that are not our mistakes, each as a rule: which cases, what is
//! accepted, and which pseudocode function of the Arm manual decides.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use a64::{Encoding, Insn, decode};
use machine::features::CpuFeatures;

use super::case::{Case, Kind, Outcome, data_pages};
use super::pauth::{differs_in_a_code, is_of_either_half};

/// A difference that is accepted.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// A few words for the report.
    pub name: &'static str,
    /// What decides, by the Arm manual.
    pub pseudocode: &'static str,
    /// Who is wrong, or what the architecture leaves open.
    pub why: &'static str,
    /// Whether it is the explanation: the case, the reference's outcome, ours.
    explains: fn(&Difference<'_>) -> bool,
}

/// A case whose outcomes differ.
#[derive(Clone, Copy, Debug)]
pub struct Difference<'a> {
    /// The seed of the case's batch.
    pub seed: u64,
    /// The case.
    pub case: &'a Case,
    /// The reference's outcome.
    pub expected: &'a Outcome,
    /// Ours.
    pub found: &'a Outcome,
}

/// All of them.
pub const RULES: &[Rule] = &[
    Rule {
        name: "the reference did part of a load or store that faults",
        pseudocode: "AArch64.Abort in the loop over elements",
        why: "Open: registers and memory that an instruction writes may have changed before it faults, if it can run \
              again. Ours has changed no register.",
        explains: partial,
    },
    Rule {
        name: "a store-exclusive that would fail faults",
        pseudocode: "AArch64.ExclusiveMonitorsPass",
        why: "Open: whether aborts are detected before the monitor is looked at is each implementation's choice.",
        explains: failing_exclusive,
    },
    Rule {
        name: "an instruction of a feature that we do not offer",
        pseudocode: "IsFeatureImplemented, EndOfDecode(Decode_UNDEF)",
        why: "The reference's `max` has SVE, SME, MTE, MOPS and HBC; decision 0011 has the reasons why we have not.",
        explains: foreign,
    },
    Rule {
        name: "the code of a pointer",
        pseudocode: "ComputePAC",
        why: "Open: the algorithm is each implementation's own (ID_AA64ISAR1_EL1.API), and the keys are random.",
        explains: |difference| differs_in_a_code(difference.case, difference.expected, difference.found),
    },
    Rule {
        name: "a pointer whose bit 55 is set and bit 63 clear",
        pseudocode: "AddPAC: selbit",
        why: "The reference is wrong: with TCR_EL1.TBI0 set, bit 55 tells the half of the address space and stays as it \
              is; it takes bit 63 where TBI1 is clear. `crates/engine/tests/pauth.rs` has the manual's result.",
        explains: |difference| is_of_either_half(difference.case),
    },
    Rule {
        name: "a register that tells what the processor is, or the time",
        pseudocode: "AArch64.SysRegRead",
        why: "Open: its value is each implementation's own.",
        explains: identification,
    },
    Rule {
        name: "a random number, or none at the time",
        pseudocode: "AArch64.SysRegRead of RNDR and RNDRRS",
        why: "Open: the number is random, and there may be none, which NZCV tells.",
        explains: random_number,
    },
    Rule {
        name: "an ID register that is reserved",
        pseudocode: "AArch64.SysRegRead, trapped by ID_AA64MMFR2_EL1.IDS; Linux's emulate_sys_reg",
        why: "The reference is wrong: Linux reads all of op0 3, op1 0, CRn 0, CRm 0 and 2 to 7 for EL0, as 0 where \
              nothing is defined; it refuses some.",
        explains: reserved_id,
    },
    Rule {
        name: "DC ZVA of a block of another size",
        pseudocode: "AArch64.MemZero, DCZID_EL0.BS",
        why: "Open: the size of a block is each implementation's choice; programs read it.",
        explains: zva,
    },
];

/// The rule that explains why they differ, if there is one.
#[must_use]
pub fn explain(difference: &Difference<'_>) -> Option<&'static str> {
    RULES.iter().find(|rule| (rule.explains)(difference)).map(|rule| rule.name)
}

/// Both fault at the same place. Ours has changed no register, and memory
/// nowhere but where the reference has, and to the same.
fn partial(&Difference { seed, case, expected, found }: &Difference<'_>) -> bool {
    const SIGSEGV: u32 = 11;
    let same = (expected.signal, expected.fault_page, expected.pc) == (found.signal, found.fault_page, found.pc);
    if !same || found.signal != SIGSEGV || case.words.len() != 1 || !registers_are_as_before(case, found) {
        return false;
    }
    let pages = data_pages(seed);
    let before = |at: u32| pages[at as usize..].first_chunk().map_or(0, |bytes| u128::from_le_bytes(*bytes));
    let reference: BTreeMap<u32, u128> = expected.memory.iter().copied().collect();
    found.memory.iter().all(|&(at, ours)| {
        let (before, reference) = (before(at).to_le_bytes(), reference.get(&at).map(|bytes| bytes.to_le_bytes()));
        let ours = ours.to_le_bytes();
        (0..16).all(|n| ours[n] == before[n] || reference.is_some_and(|reference| ours[n] == reference[n]))
    })
}

/// Whether no register has changed.
fn registers_are_as_before(case: &Case, found: &Outcome) -> bool {
    let status = (found.nzcv, found.fpcr, found.fpsr) == (case.nzcv, case.fpcr, case.fpsr);
    status && found.x == case.x && found.sp == case.sp && found.v == case.v
}

/// Ours faults, and the reference writes 1 to Ws.
fn failing_exclusive(&Difference { case, expected, found, .. }: &Difference<'_>) -> bool {
    let [word] = case.words[..] else {
        return false;
    };
    let is_store = case.encoding.class().starts_with("ldstexcl") && case.encoding.name().starts_with("ST");
    let mut failed = found.x;
    if let Some(status) = failed.get_mut(Insn(word).rs() as usize) {
        *status = 1;
    }
    is_store
        && expected.signal == 0
        && found.signal != 0
        && registers_are_as_before(case, found)
        && expected.x == failed
}

/// Bits and their values of what is undefined here and not in the reference.
const FOREIGN: &[(u32, u32)] = &[
    // SVE, and SME.
    (0x1e00_0000, 0x0400_0000),
    (0x9e00_0000, 0x8000_0000),
    // MTE: ADDG and SUBG; STGP; LDG, STG and their like; SUBP, SUBPS, IRG, GMI; MSR TCO, #imm.
    (0xbfc0_0000, 0x9180_0000),
    (0xfe40_0000, 0x6800_0000),
    (0xff20_0000, 0xd920_0000),
    (0xdfe0_fc00, 0x9ac0_0000),
    (0xffe0_f800, 0x9ac0_1000),
    (0xffff_f0ff, 0xd503_409f),
    // MOPS: CPY and SET.
    (0x3b20_0c00, 0x1900_0400),
    // HBC: BC.cond.
    (0xff00_0010, 0x5400_0010),
    // SME: MSR SVCR, #imm; SVCR and TPIDR2_EL0.
    (0xffff_f0ff, 0xd503_407f),
    (0xffdf_ffe0, 0xd51b_4240),
    (0xffdf_ffe0, 0xd51b_d0a0),
    // MTE: TCO.
    (0xffdf_ffe0, 0xd51b_42e0),
    // Performance monitors: PMUSERENR_EL0.
    (0xffdf_ffe0, 0xd51b_9e00),
];

/// What the engine offers.
static OFFERED: LazyLock<CpuFeatures> = LazyLock::new(CpuFeatures::all);

/// Ours is undefined, or a hint that does nothing, and the instruction is of a
/// feature in the list, or of one that is in the table and not offered.
fn foreign(&Difference { case, found, .. }: &Difference<'_>) -> bool {
    const SIGILL: u32 = 4;
    let of_row = |word: &u32| case.kind == Kind::Word || decode(*word) == Some(case.encoding);
    let Some(&word) = case.words.iter().find(|word| of_row(word)) else {
        return false;
    };
    let in_list = FOREIGN.iter().any(|(mask, value)| word & mask == *value);
    let is_missing = decode(word).is_some_and(|row| row.features(word).any(|feature| !OFFERED.has(feature)));
    let does_nothing = case.encoding.class() == "hints" && found.signal == 0 && registers_are_as_before(case, found);
    (found.signal == SIGILL && in_list) || (is_missing && (found.signal == SIGILL || does_nothing))
}

/// Both have read the register, and nothing but the value differs.
fn identification(&Difference { case, expected, found, .. }: &Difference<'_>) -> bool {
    /// As op0:op1:CRn:CRm:op2, with their masks: those that Linux lets EL0
    /// read (op0 3, op1 0, CRn 0), `CTR_EL0`, `DCZID_EL0`, and the counter.
    const OWN: [(u32, u32); 4] = [(0xff80, 0xc000), (0xffff, 0xd801), (0xffff, 0xd807), (0xff80, 0xdf00)];
    let [word] = case.words[..] else {
        return false;
    };
    let i = Insn(word);
    let is_own = OWN.iter().any(|(mask, value)| i.sysreg() & mask == *value);
    let mut theirs = expected.clone();
    if let (Some(theirs), Some(ours)) = (theirs.x.get_mut(i.rt() as usize), found.x.get(i.rt() as usize)) {
        *theirs = *ours;
    }
    case.encoding == Encoding::MRS_systemmove && is_own && found.signal == 0 && theirs == *found
}

/// Both have read `RNDR` or `RNDRRS`; ours has a number with NZCV clear, or 0
/// with Z set, and nothing else differs.
fn random_number(&Difference { case, expected, found, .. }: &Difference<'_>) -> bool {
    const RNDR: u32 = 0xd920;
    const RNDRRS: u32 = 0xd921;
    const Z: u32 = 1 << 30;
    let [word] = case.words[..] else {
        return false;
    };
    let i = Insn(word);
    let mut theirs = Outcome { nzcv: found.nzcv, ..expected.clone() };
    let ours = found.x.get(i.rt() as usize).copied();
    if let (Some(theirs), Some(ours)) = (theirs.x.get_mut(i.rt() as usize), ours) {
        *theirs = ours;
    }
    let is_told = found.nzcv == 0 || (found.nzcv == Z && ours.unwrap_or(0) == 0);
    case.encoding == Encoding::MRS_systemmove && matches!(i.sysreg(), RNDR | RNDRRS) && is_told && theirs == *found
}

/// Ours has read 0, and nothing else has happened; the reference is undefined.
fn reserved_id(&Difference { case, expected, found, .. }: &Difference<'_>) -> bool {
    const SIGILL: u32 = 4;
    let [word] = case.words[..] else {
        return false;
    };
    let i = Insn(word);
    let mut read = expected.clone();
    (read.signal, read.pc) = (0, 0);
    if let Some(x) = read.x.get_mut(i.rt() as usize) {
        *x = 0;
    }
    case.encoding == Encoding::MRS_systemmove
        && i.sysreg() & 0xff80 == 0xc000
        && expected.signal == SIGILL
        && read == *found
}

/// Ours has zeroed exactly the aligned block of 64 bytes.
fn zva(&Difference { case, expected, found, .. }: &Difference<'_>) -> bool {
    const DC_ZVA: u32 = 0xd50b_7420;
    const BLOCK: u64 = 64;
    let [word] = case.words[..] else {
        return false;
    };
    let Some(&address) = case.x.get((word & 31) as usize) else {
        return false;
    };
    let first = ((address % super::case::DATA_SIZE) & !(BLOCK - 1)) as u32;
    let zeroed: Vec<(u32, u128)> = (0..4).map(|n| (first + n * 16, 0)).collect();
    word & !31 == DC_ZVA && found.memory == zeroed && Outcome { memory: zeroed, ..expected.clone() } == *found
}
