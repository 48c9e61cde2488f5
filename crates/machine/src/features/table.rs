//! The table: one row for each feature of Arm's.
//!
//! A row says on which machines programs get the feature, which HWCAP bits
//! stand for it and under which names `/proc/cpuinfo` lists them
//! (`asm/hwcap.h`), and which fields of the ID registers must have at least
//! which value: all of those between commas, any of those between bars.
//!
//! The order is that of the bits; features without one follow at the end.

use linux_abi::auxv::{Hwcap, Hwcap2};

use super::{Cap, Condition, Feature, Field, IdRegister, Machines};

/// The engine has it, and the bare machine's processor may have it.
const EVERYWHERE: Machines = Machines { engine: true, bare: true };

/// The fields of the ID registers that the table looks at, by Arm's names.
#[expect(non_upper_case_globals, reason = "Arm's names")]
mod field {
    use super::{Field, IdRegister};

    pub(super) const FP: Field = Field::signed(IdRegister::Pfr0, 16);
    pub(super) const AdvSIMD: Field = Field::signed(IdRegister::Pfr0, 20);
    pub(super) const DIT: Field = Field::shown(IdRegister::Pfr0, 48);

    pub(super) const BT: Field = Field::shown(IdRegister::Pfr1, 0);
    pub(super) const SSBS: Field = Field::shown(IdRegister::Pfr1, 4);

    pub(super) const AES: Field = Field::shown(IdRegister::Isar0, 4);
    pub(super) const SHA1: Field = Field::shown(IdRegister::Isar0, 8);
    pub(super) const SHA2: Field = Field::shown(IdRegister::Isar0, 12);
    pub(super) const CRC32: Field = Field::shown(IdRegister::Isar0, 16);
    pub(super) const Atomic: Field = Field::shown(IdRegister::Isar0, 20);
    pub(super) const RDM: Field = Field::shown(IdRegister::Isar0, 28);
    pub(super) const SHA3: Field = Field::shown(IdRegister::Isar0, 32);
    pub(super) const SM3: Field = Field::shown(IdRegister::Isar0, 36);
    pub(super) const SM4: Field = Field::shown(IdRegister::Isar0, 40);
    pub(super) const DP: Field = Field::shown(IdRegister::Isar0, 44);
    pub(super) const FHM: Field = Field::shown(IdRegister::Isar0, 48);
    pub(super) const TS: Field = Field::shown(IdRegister::Isar0, 52);
    pub(super) const RNDR: Field = Field::shown(IdRegister::Isar0, 60);

    pub(super) const DPB: Field = Field::shown(IdRegister::Isar1, 0);
    pub(super) const APA: Field = Field::shown(IdRegister::Isar1, 4);
    pub(super) const API: Field = Field::shown(IdRegister::Isar1, 8);
    pub(super) const JSCVT: Field = Field::shown(IdRegister::Isar1, 12);
    pub(super) const FCMA: Field = Field::shown(IdRegister::Isar1, 16);
    pub(super) const LRCPC: Field = Field::shown(IdRegister::Isar1, 20);
    pub(super) const GPA: Field = Field::shown(IdRegister::Isar1, 24);
    pub(super) const GPI: Field = Field::shown(IdRegister::Isar1, 28);
    pub(super) const FRINTTS: Field = Field::shown(IdRegister::Isar1, 32);
    pub(super) const SB: Field = Field::shown(IdRegister::Isar1, 36);
    pub(super) const BF16: Field = Field::shown(IdRegister::Isar1, 44);
    pub(super) const DGH: Field = Field::shown(IdRegister::Isar1, 48);
    pub(super) const I8MM: Field = Field::shown(IdRegister::Isar1, 52);

    pub(super) const WFxT: Field = Field::shown(IdRegister::Isar2, 0);
    pub(super) const GPA3: Field = Field::shown(IdRegister::Isar2, 8);
    pub(super) const APA3: Field = Field::shown(IdRegister::Isar2, 12);

    pub(super) const ECV: Field = Field::shown(IdRegister::Mmfr0, 60);
    pub(super) const LO: Field = Field::hidden(IdRegister::Mmfr1, 16);
    pub(super) const AT: Field = Field::shown(IdRegister::Mmfr2, 32);
}

macro_rules! features {
    ($(
        $name:ident $machines:ident
        [$($cap:ident $shown:literal),*]
        [$($($field:ident $least:literal)|+),*];
    )*) => {
        /// Every feature that this system may offer, whether a machine has it
        /// yet or not.
        pub const FEATURES: &[Feature] = &[$(Feature {
            name: stringify!($name),
            machines: $machines,
            caps: &[$(features!(@cap $cap $shown)),*],
            conditions: &[$(&[$(Condition { name: stringify!($field), field: field::$field, least: $least }),+]),*],
        },)*];
    };
    (@cap $cap:ident $shown:literal) => {
        Cap::new(cap::$cap, $shown)
    };
}

/// The bits by name: the register's number and the bit's value.
macro_rules! caps {
    ($($word:literal $flags:ident: $($name:ident)*;)*) => {
        mod cap {
            use super::{Hwcap, Hwcap2};
            $($(pub(super) const $name: (usize, u64) = ($word, $flags::$name.bits());)*)*
        }
    };
}

caps! {
    0 Hwcap: HWCAP_FP HWCAP_ASIMD HWCAP_EVTSTRM HWCAP_AES HWCAP_PMULL HWCAP_SHA1 HWCAP_SHA2 HWCAP_CRC32 HWCAP_ATOMICS
        HWCAP_FPHP HWCAP_ASIMDHP HWCAP_CPUID HWCAP_ASIMDRDM HWCAP_JSCVT HWCAP_FCMA HWCAP_LRCPC HWCAP_DCPOP
        HWCAP_SHA3 HWCAP_SM3 HWCAP_SM4 HWCAP_ASIMDDP HWCAP_SHA512 HWCAP_ASIMDFHM HWCAP_DIT HWCAP_USCAT
        HWCAP_ILRCPC HWCAP_FLAGM HWCAP_SSBS HWCAP_SB HWCAP_PACA HWCAP_PACG;
    1 Hwcap2: HWCAP2_DCPODP HWCAP2_FLAGM2 HWCAP2_FRINT HWCAP2_I8MM HWCAP2_BF16 HWCAP2_DGH HWCAP2_RNG
        HWCAP2_BTI HWCAP2_ECV HWCAP2_WFXT;
}

/// What arm64 Linux says of itself in HWCAP, whatever the processor: that
/// something ends every `WFE` soon, and that EL0 may read the ID registers.
pub(super) const LINUX_CAPS: &[Cap] = &[Cap::new(cap::HWCAP_EVTSTRM, "evtstrm"), Cap::new(cap::HWCAP_CPUID, "cpuid")];

features! {
    // Arm's name     machines    HWCAP bits                                      ID register fields
    FEAT_FP           EVERYWHERE  [HWCAP_FP "fp"]                                 [FP 0];
    FEAT_AdvSIMD      EVERYWHERE  [HWCAP_ASIMD "asimd"]                           [AdvSIMD 0];
    FEAT_AES          EVERYWHERE  [HWCAP_AES "aes"]                               [AES 1];
    FEAT_PMULL        EVERYWHERE  [HWCAP_PMULL "pmull"]                           [AES 2];
    FEAT_SHA1         EVERYWHERE  [HWCAP_SHA1 "sha1"]                             [SHA1 1];
    FEAT_SHA256       EVERYWHERE  [HWCAP_SHA2 "sha2"]                             [SHA2 1];
    FEAT_CRC32        EVERYWHERE  [HWCAP_CRC32 "crc32"]                           [CRC32 1];
    FEAT_LSE          EVERYWHERE  [HWCAP_ATOMICS "atomics"]                       [Atomic 2];
    FEAT_FP16         EVERYWHERE  [HWCAP_FPHP "fphp", HWCAP_ASIMDHP "asimdhp"]    [FP 1, AdvSIMD 1];
    FEAT_RDM          EVERYWHERE  [HWCAP_ASIMDRDM "asimdrdm"]                     [RDM 1];
    FEAT_JSCVT        EVERYWHERE  [HWCAP_JSCVT "jscvt"]                           [JSCVT 1];
    FEAT_FCMA         EVERYWHERE  [HWCAP_FCMA "fcma"]                             [FCMA 1];
    FEAT_LRCPC        EVERYWHERE  [HWCAP_LRCPC "lrcpc"]                           [LRCPC 1];
    FEAT_DPB          EVERYWHERE  [HWCAP_DCPOP "dcpop"]                           [DPB 1];
    FEAT_SHA3         EVERYWHERE  [HWCAP_SHA3 "sha3"]                             [SHA3 1];
    FEAT_SM3          EVERYWHERE  [HWCAP_SM3 "sm3"]                               [SM3 1];
    FEAT_SM4          EVERYWHERE  [HWCAP_SM4 "sm4"]                               [SM4 1];
    FEAT_DotProd      EVERYWHERE  [HWCAP_ASIMDDP "asimddp"]                       [DP 1];
    FEAT_SHA512       EVERYWHERE  [HWCAP_SHA512 "sha512"]                         [SHA2 2];
    FEAT_FHM          EVERYWHERE  [HWCAP_ASIMDFHM "asimdfhm"]                     [FHM 1];
    FEAT_DIT          EVERYWHERE  [HWCAP_DIT "dit"]                               [DIT 1];
    FEAT_LSE2         EVERYWHERE  [HWCAP_USCAT "uscat"]                           [AT 1];
    FEAT_LRCPC2       EVERYWHERE  [HWCAP_ILRCPC "ilrcpc"]                         [LRCPC 2];
    FEAT_FlagM        EVERYWHERE  [HWCAP_FLAGM "flagm"]                           [TS 1];
    FEAT_SSBS2        EVERYWHERE  [HWCAP_SSBS "ssbs"]                             [SSBS 2];
    FEAT_SB           EVERYWHERE  [HWCAP_SB "sb"]                                 [SB 1];
    FEAT_PAuth        EVERYWHERE  [HWCAP_PACA "paca", HWCAP_PACG "pacg"]
                                                                     [API 1 | APA 1 | APA3 1, GPI 1 | GPA 1 | GPA3 1];
    FEAT_DPB2         EVERYWHERE  [HWCAP2_DCPODP "dcpodp"]                        [DPB 2];
    FEAT_FlagM2       EVERYWHERE  [HWCAP2_FLAGM2 "flagm2"]                        [TS 2];
    FEAT_FRINTTS      EVERYWHERE  [HWCAP2_FRINT "frint"]                          [FRINTTS 1];
    FEAT_I8MM         EVERYWHERE  [HWCAP2_I8MM "i8mm"]                            [I8MM 1];
    FEAT_BF16         EVERYWHERE  [HWCAP2_BF16 "bf16"]                            [BF16 1];
    FEAT_DGH          EVERYWHERE  [HWCAP2_DGH "dgh"]                              [DGH 1];
    FEAT_RNG          EVERYWHERE  [HWCAP2_RNG "rng"]                              [RNDR 1];
    FEAT_BTI          EVERYWHERE  [HWCAP2_BTI "bti"]                              [BT 1];
    FEAT_ECV          EVERYWHERE  [HWCAP2_ECV "ecv"]                              [ECV 1];
    FEAT_WFxT         EVERYWHERE  [HWCAP2_WFXT "wfxt"]                            [WFxT 2];
    // Without a bit.
    FEAT_PAuth2       EVERYWHERE  []                                              [API 3 | APA 3 | APA3 3];
    FEAT_FPAC         EVERYWHERE  []                                              [API 4 | APA 4 | APA3 4];
    FEAT_FPACCOMBINE  EVERYWHERE  []                                              [API 5 | APA 5 | APA3 5];
    FEAT_LOR          EVERYWHERE  []                                              [LO 1];
    FEAT_SSBS         EVERYWHERE  []                                              [SSBS 1];
}

/// Features whose instructions the encoding table knows, so that they can be
/// shown, and which no machine offers: the decision record
/// `docs/decisions/0011-features-not-provided.md` has the reasons.
pub const NOT_PROVIDED: &[&str] =
    &["FEAT_HBC", "FEAT_LS64", "FEAT_LS64_ACCDATA", "FEAT_LS64_V", "FEAT_MOPS", "FEAT_MTE", "FEAT_TME", "FEAT_XS"];
