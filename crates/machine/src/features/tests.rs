//! Tests of the table and of what follows from it.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use linux_abi::auxv::{Hwcap, Hwcap2};

use super::*;

/// Registers in the order of [`IdRegister`].
const fn registers(id: [u64; 8]) -> IdRegisters {
    IdRegisters { id, midr: 0x410f_d083, ctr: 0x8444_c004, dczid: 4 }
}

/// What the Cortex-A72 of QEMU has: no FEAT_LSE.
const A72: IdRegisters = registers([0x2222, 0, 0x1_1120, 0, 0, 0x1124, 0, 0]);

/// What the Neoverse-N1 of QEMU has.
const N1: IdRegisters =
    registers([0x1100_0000_1011_1112, 0x20, 0x0000_1000_1021_1120, 0x0010_0001, 0, 0x10_1125, 0x1021_2122, 0x1011]);

/// A processor with everything in the table, and as much beside it as QEMU's `max`.
const MAX: IdRegisters = registers([
    0x1201_1111_1212_1112,
    0x0000_0000_0101_1321,
    0x1221_1111_1021_2120,
    0x0011_1111_0121_1052,
    0x0000_0000_0111_0002,
    0x2100_0322_2211_1126,
    0x1011_1111_2121_2122,
    0x1221_0111_1112_1011,
]);

fn every_cap() -> Vec<Cap> {
    FEATURES.iter().flat_map(|f| f.caps).chain(table::LINUX_CAPS).copied().collect()
}

#[test]
fn names_and_bits_are_those_of_linux_and_unique() {
    for cap in every_cap() {
        let constant = match cap.word {
            0 => Hwcap::from_bits_retain(cap.bit).iter_names().next().map(|(name, _)| name.replace("HWCAP_", "")),
            _ => Hwcap2::from_bits_retain(cap.bit).iter_names().next().map(|(name, _)| name.replace("HWCAP2_", "")),
        };
        assert_eq!(constant.map(|c| c.to_lowercase()), Some(cap.name.to_string()), "{cap:?}");
        assert_eq!(every_cap().iter().filter(|c| (c.word, c.bit) == (cap.word, cap.bit)).count(), 1, "{cap:?}");
    }
    let names: BTreeSet<&str> = FEATURES.iter().map(|f| f.name).chain(NOT_PROVIDED.iter().copied()).collect();
    assert_eq!(names.len(), FEATURES.len() + NOT_PROVIDED.len(), "a name is there twice");
}

#[test]
fn rows_stand_in_the_order_of_their_bits() {
    let caps: Vec<(usize, u64)> = FEATURES.iter().filter_map(|f| f.caps.first()).map(|c| (c.word, c.bit)).collect();
    assert!(caps.is_sorted(), "{caps:x?}");
}

#[test]
fn every_feature_follows_from_its_own_fields_alone() {
    for feature in FEATURES {
        let mut id = CpuFeatures::nothing();
        for condition in feature.conditions.iter().filter_map(|any| any.last()) {
            id.set(condition.field, condition.least);
        }
        let features = CpuFeatures::of(id);
        assert!(features.has(feature.name), "{}", feature.name);
        for cap in feature.caps {
            assert_ne!([features.hwcap, features.hwcap2][cap.word] & cap.bit, 0, "{}", feature.name);
            assert!(features.cap_names().contains(&cap.name));
        }
    }
}

#[test]
fn a_processor_without_features_has_nothing_but_the_id_registers() {
    let nothing = CpuFeatures::of(CpuFeatures::nothing());
    assert_eq!(nothing.cap_names(), ["evtstrm", "cpuid"]);
    assert!(FEATURES.iter().all(|f| !nothing.has(f.name)));
    assert_eq!(nothing.id_register(0, 0, 4, 0), Some(0xff_0011));
}

#[test]
fn a_feature_whose_conditions_are_alternatives_needs_one_of_each() {
    let pauth = FEATURES.iter().find(|f| f.name == "FEAT_PAuth").expect("a row");
    let mut id = CpuFeatures::nothing();
    id.set(pauth.conditions[0][1].field, 1);
    assert!(!is_present(pauth, &id), "no generic authentication");
    id.set(pauth.conditions[1][1].field, 1);
    assert!(is_present(pauth, &id));
}

#[test]
fn features_follow_from_id_registers_and_lead_back_to_them() {
    let features = CpuFeatures::from_registers(&A72);
    assert_eq!(features.cap_names(), ["fp", "asimd", "evtstrm", "aes", "pmull", "sha1", "sha2", "crc32", "cpuid"]);
    assert_eq!(features.id_register(0, 0, 6, 0), Some(0x1_1120));
    assert_eq!(features.id_register(0, 0, 0, 0), Some(0x410f_d083));
    assert!(features.has("FEAT_PMULL") && !features.has("FEAT_LSE") && !features.has("FEAT_LOR"));
}

#[test]
fn a_neoverse_n1_shows_what_the_table_has_of_it() {
    let features = CpuFeatures::from_registers(&N1);
    for name in ["FEAT_FP16", "FEAT_DotProd", "FEAT_LRCPC", "FEAT_DPB", "FEAT_RDM", "FEAT_LSE", "FEAT_LOR"] {
        assert!(features.has(name), "{name}");
    }
    for name in ["FEAT_LSE2", "FEAT_DPB2", "FEAT_FHM", "FEAT_SHA512", "FEAT_FlagM", "FEAT_RNG", "FEAT_ECV"] {
        assert!(!features.has(name), "{name}");
    }
    assert_eq!(features.id_register(0, 0, 4, 0), Some(0x11_0011), "of PFR0, FP and AdvSIMD");
    assert_eq!(features.id_register(0, 0, 6, 0), Some(N1.id[IdRegister::Isar0 as usize]));
    assert_eq!(features.id_register(0, 0, 6, 1), Some(0x10_0001));
    assert_eq!(features.id_register(0, 0, 7, 1), Some(0), "LO is not EL0's to see");
}

#[test]
fn fields_that_say_more_than_the_table_are_cut_to_it() {
    let features = CpuFeatures::from_registers(&MAX);
    for feature in FEATURES {
        assert_eq!(features.has(feature.name), feature.machines.bare, "{}", feature.name);
    }
    // TLB range maintenance is the kernel's; no TME, SVE, MTE, SME, MOPS, HBC, AFP.
    assert_eq!(features.id_register(0, 0, 6, 0), Some(0x1021_1111_1021_2120));
    assert_eq!(features.id_register(0, 0, 6, 2).map(|isar2| isar2 & 0xff_0000), Some(0));
    assert_eq!(features.id_register(0, 0, 4, 4), Some(0));
    assert_eq!(features.id_register(0, 0, 7, 0), Some(0x1000_0111_ff00_0000));
    assert_eq!(features.id_register(0, 0, 7, 1), Some(0));
    assert_eq!(features.id_register(0, 0, 7, 2), Some(1 << 32));
}

#[test]
fn what_the_engine_has_is_what_its_rows_say() {
    let features = CpuFeatures::all();
    for feature in FEATURES {
        assert_eq!(features.has(feature.name), feature.machines.engine, "{}", feature.name);
    }
}

#[test]
fn a_feature_that_the_host_lacks_is_left_out_everywhere() {
    let features = CpuFeatures::all_but(&["FEAT_LSE"]);
    assert!(!features.has("FEAT_LSE") && !features.cap_names().contains(&"atomics"));
    assert_eq!(features.id_register(0, 0, 6, 0).map(|isar0| isar0 >> 20 & 15), Some(0));
    assert_eq!(features.hwcap | Hwcap::HWCAP_ATOMICS.bits(), CpuFeatures::all().hwcap);
}

#[test]
fn missing_fp_is_not_advertised() {
    let mut a72 = A72;
    a72.id[0] |= 0xff_0000;
    let features = CpuFeatures::from_registers(&a72);
    assert!(!features.has("FEAT_FP") && !features.has("FEAT_AdvSIMD") && !features.has("FEAT_FP16"));
    assert_eq!(features.id_register(0, 0, 4, 0), Some(0xff_0011));
}

#[test]
fn registers_outside_the_emulated_space_cannot_be_read() {
    let features = CpuFeatures::all();
    let readable = |crm: u32| (0..8).filter(|op2| features.id_register(0, 0, crm, *op2).is_some()).count();
    assert_eq!((0..16).map(readable).collect::<Vec<_>>(), [3, 0, 8, 8, 8, 8, 8, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(features.id_register(1, 0, 4, 0), None);
    assert_eq!(features.id_register(0, 1, 4, 0), None);
}

#[test]
fn cpuinfo_has_linux_lines() {
    let text: String = CpuFeatures::from_registers(&A72).cpuinfo(62_500_000);
    assert!(text.starts_with("BogoMIPS\t: 125.00\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid\n"));
    assert!(text.ends_with("CPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n"));
}
