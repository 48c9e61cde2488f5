//! What the processor says it is: the one table of its features.
//!
//! HWCAP and HWCAP2, the ID registers that EL0 may read, and what
//! `/proc/cpuinfo` prints come from [`FEATURES`]. What a machine has is kept as
//! the ID registers' fields, as a processor keeps it and Linux reads it;
//! everything else follows from those.
//!
//! Hosted, the fields are made from the rows that the engine implements; on the
//! bare machine they are the processor's own, cut to the table: a value that
//! stands for more than the table knows becomes the greatest that it knows.

mod registers;
mod table;
#[cfg(test)]
mod tests;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use linux_abi::auxv::{Hwcap, Hwcap2};

pub use registers::{Field, IdRegister, IdRegisters};
pub use table::{FEATURES, NOT_PROVIDED};

/// A bit of `AT_HWCAP` or `AT_HWCAP2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// 0: `AT_HWCAP`; 1: `AT_HWCAP2`.
    pub word: usize,
    /// The bit's value.
    pub bit: u64,
    /// Its name in `/proc/cpuinfo`.
    pub name: &'static str,
}

impl Cap {
    const fn new((word, bit): (usize, u64), name: &'static str) -> Self {
        Self { word, bit, name }
    }
}

/// That a field of an ID register has at least a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The field's name.
    pub name: &'static str,
    /// The field.
    pub field: Field,
    /// The least value that counts.
    pub least: i8,
}

/// Which machines are ready for a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machines {
    /// The engine implements it.
    pub engine: bool,
    /// The bare machine lets programs use the processor's.
    pub bare: bool,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Feature {
    /// Arm's name, such as `FEAT_LSE`.
    pub name: &'static str,
    /// Where programs may get it.
    pub machines: Machines,
    /// The bits that stand for it.
    pub caps: &'static [Cap],
    /// All of these, of each any.
    pub conditions: &'static [&'static [Condition]],
}

/// The features of a CPU.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CpuFeatures {
    /// `AT_HWCAP`.
    pub hwcap: u64,
    /// `AT_HWCAP2`.
    pub hwcap2: u64,
    /// `MIDR_EL1`: implementer, variant, architecture, part, revision.
    pub midr: u64,
    /// `CTR_EL0`.
    pub ctr: u64,
    /// `DCZID_EL0`: log2 of the words that `DC ZVA` zeroes.
    pub dczid: u64,
    /// The ID registers, with nothing in them that is not in the table.
    id: IdRegisters,
}

impl CpuFeatures {
    /// Everything that the engine implements.
    #[must_use]
    pub fn all() -> Self {
        Self::all_but(&[])
    }

    /// Everything that the engine implements, but for features that depend on
    /// the host and are missing there, by Arm's names.
    #[must_use]
    pub fn all_but(missing: &[&str]) -> Self {
        let mut id = IdRegisters {
            // Implementer 0 is reserved for software.
            midr: 0x000f_0510,
            // 64-byte lines; DIC and IDC clear: code that changes must be
            // followed by cache maintenance. L1Ip: PIPT.
            ctr: 0x8444_c004,
            dczid: 4,
            ..Self::nothing()
        };
        for feature in FEATURES.iter().filter(|f| f.machines.engine && !missing.contains(&f.name)) {
            // The first of several ways to have it is the engine's.
            for Condition { field, least, .. } in feature.conditions.iter().filter_map(|any| any.first()) {
                id.set(*field, id.get(*field).max(*least));
            }
        }
        Self::of(id)
    }

    /// What a processor has of this table, by its ID registers.
    #[must_use]
    pub fn from_registers(registers: &IdRegisters) -> Self {
        let mut id =
            IdRegisters { midr: registers.midr, ctr: registers.ctr, dczid: registers.dczid, ..Self::nothing() };
        for feature in FEATURES.iter().filter(|f| f.machines.bare) {
            for Condition { field, least, .. } in feature.conditions.iter().copied().flatten() {
                if registers.get(*field) >= *least {
                    id.set(*field, id.get(*field).max(*least));
                }
            }
        }
        Self::of(id)
    }

    /// ID registers that say that there is nothing of the table.
    fn nothing() -> IdRegisters {
        let mut id = IdRegisters::default();
        for Condition { field, .. } in FEATURES.iter().flat_map(|f| f.conditions.iter().copied().flatten()) {
            id.set(*field, field.absent());
        }
        id
    }

    fn of(id: IdRegisters) -> Self {
        let mut hwcap = [0; 2];
        let present = FEATURES.iter().filter(|f| is_present(f, &id)).flat_map(|f| f.caps);
        for cap in present.chain(table::LINUX_CAPS) {
            hwcap[cap.word] |= cap.bit;
        }
        Self { hwcap: hwcap[0], hwcap2: hwcap[1], midr: id.midr, ctr: id.ctr, dczid: id.dczid, id }
    }

    /// Whether there is a feature, by Arm's name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        FEATURES.iter().any(|f| f.name == name && is_present(f, &self.id))
    }

    /// Whether pointers can be signed (FEAT_PAuth).
    #[must_use]
    pub const fn has_pauth(&self) -> bool {
        self.hwcap & Hwcap::HWCAP_PACA.bits() != 0
    }

    /// Whether pages can be guarded (FEAT_BTI).
    #[must_use]
    pub const fn has_bti(&self) -> bool {
        self.hwcap2 & Hwcap2::HWCAP2_BTI.bits() != 0
    }

    /// The names of the bits that are set, in the order of `/proc/cpuinfo`:
    /// those of HWCAP, then those of HWCAP2, from the lowest on.
    #[must_use]
    pub fn cap_names(&self) -> Vec<&'static str> {
        let words = [self.hwcap, self.hwcap2];
        let all = FEATURES.iter().flat_map(|f| f.caps).chain(table::LINUX_CAPS);
        let mut caps: Vec<&Cap> = all.filter(|cap| words[cap.word] & cap.bit != 0).collect();
        caps.sort_by_key(|cap| (cap.word, cap.bit));
        caps.iter().map(|cap| cap.name).collect()
    }

    /// What `/proc/cpuinfo` says of each CPU, as arm64 Linux words it. The
    /// BogoMIPS are those of a delay loop on a counter of `frequency` hertz.
    #[must_use]
    pub fn cpuinfo(&self, frequency: u64) -> String {
        let field = |shift: u32, bits: u32| self.midr >> shift & ((1 << bits) - 1);
        let hundredths = frequency / 5_000;
        format!(
            "BogoMIPS\t: {}.{:02}\nFeatures\t: {}\nCPU implementer\t: {:#04x}\nCPU architecture: 8\n\
             CPU variant\t: {:#x}\nCPU part\t: {:#05x}\nCPU revision\t: {}\n",
            hundredths / 100,
            hundredths % 100,
            self.cap_names().join(" "),
            field(24, 8),
            field(20, 4),
            field(4, 12),
            field(0, 4),
        )
    }

    /// An ID register by its `op1, CRn, CRm, op2` (op0 is 3), as Linux emulates
    /// it for EL0; `None` if EL0 may not read it.
    #[must_use]
    pub fn id_register(&self, op1: u32, crn: u32, crm: u32, op2: u32) -> Option<u64> {
        if op1 != 0 || crn != 0 {
            return None;
        }
        match (crm, op2) {
            (0, 0) => Some(self.midr),
            // MPIDR_EL1 and REVIDR_EL1 tell nothing.
            (0, 5) => Some(1 << 31),
            (0, 6) => Some(0),
            (2..=7, _) => Some(self.id.shown(crm, op2)),
            _ => None,
        }
    }
}

impl Default for CpuFeatures {
    fn default() -> Self {
        Self::all()
    }
}

/// Whether `id` meets all conditions of `feature`.
fn is_present(feature: &Feature, id: &IdRegisters) -> bool {
    feature.conditions.iter().all(|any| any.iter().any(|c| id.get(c.field) >= c.least))
}
