//! What the processor says it is: the one table of its features.
//!
//! HWCAP, the ID registers that EL0 may read, and what `/proc/cpuinfo` prints
//! come from here. A feature is listed once it is implemented and tested.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Bits of `AT_HWCAP` (`asm/hwcap.h`).
pub mod hwcap {
    /// Floating point.
    pub const FP: u64 = 1 << 0;
    /// Advanced SIMD.
    pub const ASIMD: u64 = 1 << 1;
    /// `AESE` and its like.
    pub const AES: u64 = 1 << 3;
    /// `PMULL` of 64 bits.
    pub const PMULL: u64 = 1 << 4;
    /// `SHA1C` and its like.
    pub const SHA1: u64 = 1 << 5;
    /// `SHA256H` and its like.
    pub const SHA2: u64 = 1 << 6;
    /// `CRC32B` and the rest of FEAT_CRC32.
    pub const CRC32: u64 = 1 << 7;
    /// FEAT_LSE.
    pub const ATOMICS: u64 = 1 << 8;
    /// EL0 may read the ID registers.
    pub const CPUID: u64 = 1 << 11;
}

/// The names of [`hwcap`]'s bits as `/proc/cpuinfo` has them.
pub const HWCAP_NAMES: &[(u64, &str)] = &[
    (hwcap::FP, "fp"),
    (hwcap::ASIMD, "asimd"),
    (hwcap::AES, "aes"),
    (hwcap::PMULL, "pmull"),
    (hwcap::SHA1, "sha1"),
    (hwcap::SHA2, "sha2"),
    (hwcap::CRC32, "crc32"),
    (hwcap::ATOMICS, "atomics"),
    (hwcap::CPUID, "cpuid"),
];

/// Fields of `ID_AA64ISAR0_EL1` that stand for a feature: its bit, where the
/// field starts, and the least value of it.
const ISAR0: &[(u64, u32, u64)] = &[
    (hwcap::AES, 4, 1),
    (hwcap::PMULL, 4, 2),
    (hwcap::SHA1, 8, 1),
    (hwcap::SHA2, 12, 1),
    (hwcap::CRC32, 16, 1),
    (hwcap::ATOMICS, 20, 2),
];

/// A processor's own ID registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdRegisters {
    /// `ID_AA64PFR0_EL1`.
    pub pfr0: u64,
    /// `ID_AA64ISAR0_EL1`.
    pub isar0: u64,
    /// `MIDR_EL1`.
    pub midr: u64,
    /// `CTR_EL0`.
    pub ctr: u64,
    /// `DCZID_EL0`.
    pub dczid: u64,
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
}

impl CpuFeatures {
    /// Everything that the engine implements.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            hwcap: hwcap::FP
                | hwcap::ASIMD
                | hwcap::AES
                | hwcap::PMULL
                | hwcap::SHA1
                | hwcap::SHA2
                | hwcap::CRC32
                | hwcap::ATOMICS
                | hwcap::CPUID,
            hwcap2: 0,
            // Implementer 0 is reserved for software.
            midr: 0x000f_0510,
            // 64-byte lines; DIC and IDC clear: code that changes must be
            // followed by cache maintenance. L1Ip: PIPT.
            ctr: 0x8444_c004,
            dczid: 4,
        }
    }

    /// What a processor has of this table, by its ID registers.
    #[must_use]
    pub const fn from_registers(registers: &IdRegisters) -> Self {
        let isar0 = registers.isar0;
        let mut hwcap = hwcap::CPUID;
        // FP and AdvSIMD: 15 means that they are missing.
        if registers.pfr0 >> 16 & 15 != 15 {
            hwcap |= hwcap::FP;
        }
        if registers.pfr0 >> 20 & 15 != 15 {
            hwcap |= hwcap::ASIMD;
        }
        let mut row = 0;
        while row < ISAR0.len() {
            let (bit, shift, least) = ISAR0[row];
            if isar0 >> shift & 15 >= least {
                hwcap |= bit;
            }
            row += 1;
        }
        Self { hwcap, hwcap2: 0, midr: registers.midr, ctr: registers.ctr, dczid: registers.dczid }
    }

    /// What `/proc/cpuinfo` says of each CPU, as arm64 Linux words it. The
    /// BogoMIPS are those of a delay loop on a counter of `frequency` hertz.
    #[must_use]
    pub fn cpuinfo(&self, frequency: u64) -> String {
        let names = HWCAP_NAMES.iter().filter(|(bit, _)| self.hwcap & bit != 0);
        let names: Vec<&str> = names.map(|(_, name)| *name).collect();
        let field = |shift: u32, bits: u32| self.midr >> shift & ((1 << bits) - 1);
        let hundredths = frequency / 5_000;
        format!(
            "BogoMIPS\t: {}.{:02}\nFeatures\t: {}\nCPU implementer\t: {:#04x}\nCPU architecture: 8\n\
             CPU variant\t: {:#x}\nCPU part\t: {:#05x}\nCPU revision\t: {}\n",
            hundredths / 100,
            hundredths % 100,
            names.join(" "),
            field(24, 8),
            field(20, 4),
            field(4, 12),
            field(0, 4),
        )
    }

    /// An ID register by its `op0, op1, CRn, CRm, op2`, as Linux emulates it
    /// for EL0; `None` if EL0 may not read it.
    #[must_use]
    pub const fn id_register(&self, op1: u32, crn: u32, crm: u32, op2: u32) -> Option<u64> {
        if op1 != 0 || crn != 0 || crm > 7 {
            return None;
        }
        Some(match (crm, op2) {
            (0, 0) => self.midr,
            (0, 5) => 1 << 31,
            (0, 6) => 0,
            (0, _) => return None,
            // ID_AA64PFR0_EL1: FP and AdvSIMD are 0 if there, 15 if not.
            (4, 0) => {
                let missing = if self.hwcap & hwcap::FP == 0 { 0xff << 16 } else { 0 };
                missing | 0x11
            }
            // ID_AA64ISAR0_EL1.
            (6, 0) => {
                let (mut value, mut row) = (0, 0);
                while row < ISAR0.len() {
                    let (bit, shift, least) = ISAR0[row];
                    // A later row for the same field says more.
                    if self.hwcap & bit != 0 {
                        value = value & !(15 << shift) | least << shift;
                    }
                    row += 1;
                }
                value
            }
            // ID_AA64MMFR0_EL1: what Linux shows hides everything.
            _ => 0,
        })
    }
}

impl Default for CpuFeatures {
    fn default() -> Self {
        Self::all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the Cortex-A72 of QEMU has: no FEAT_LSE.
    const A72: IdRegisters =
        IdRegisters { pfr0: 0x2222, isar0: 0x1_1120, midr: 0x410f_d083, ctr: 0x8444_c004, dczid: 4 };

    #[test]
    fn features_follow_from_id_registers_and_lead_back_to_them() {
        let features = CpuFeatures::from_registers(&A72);
        assert_eq!(features.hwcap, CpuFeatures::all().hwcap & !hwcap::ATOMICS);
        assert_eq!(features.id_register(0, 0, 6, 0), Some(A72.isar0));
        assert_eq!(features.id_register(0, 0, 0, 0), Some(A72.midr));
    }

    #[test]
    fn a_field_that_says_more_than_the_table_is_cut_to_it() {
        // FEAT_FlagM2, FEAT_DotProd, FEAT_SHA512, FEAT_RNG and others.
        let registers = IdRegisters { isar0: 0x1021_1111_1021_2120, ..A72 };
        let features = CpuFeatures::from_registers(&registers);
        assert_eq!(features.hwcap, CpuFeatures::all().hwcap);
        assert_eq!(features.id_register(0, 0, 6, 0), Some(0x21_1120));
    }

    #[test]
    fn missing_fp_is_not_advertised() {
        let features = CpuFeatures::from_registers(&IdRegisters { pfr0: 0xff_2222, ..A72 });
        assert_eq!(features.hwcap & (hwcap::FP | hwcap::ASIMD), 0);
        assert_eq!(features.id_register(0, 0, 4, 0), Some(0xff_0011));
    }

    #[test]
    fn cpuinfo_has_linux_lines() {
        let text = CpuFeatures::from_registers(&A72).cpuinfo(62_500_000);
        assert!(text.starts_with("BogoMIPS\t: 125.00\nFeatures\t: fp asimd aes pmull sha1 sha2 crc32 cpuid\n"));
        assert!(text.ends_with("CPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n"));
    }
}
