//! What the processor says it is: the one table of its features.
//!
//! HWCAP, the ID registers that EL0 may read, and what `/proc/cpuinfo` prints
//! come from here. A feature is listed once it is implemented and tested.

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
                self.field(hwcap::AES, 1 << 4)
                    + self.field(hwcap::PMULL, 1 << 4)
                    + self.field(hwcap::SHA1, 1 << 8)
                    + self.field(hwcap::SHA2, 1 << 12)
                    + self.field(hwcap::CRC32, 1 << 16)
                    + self.field(hwcap::ATOMICS, 2 << 20)
            }
            // ID_AA64MMFR0_EL1: what Linux shows hides everything.
            _ => 0,
        })
    }
}

impl CpuFeatures {
    /// `value` if the HWCAP bit is set.
    const fn field(&self, bit: u64, value: u64) -> u64 {
        if self.hwcap & bit != 0 { value } else { 0 }
    }
}

impl Default for CpuFeatures {
    fn default() -> Self {
        Self::all()
    }
}
