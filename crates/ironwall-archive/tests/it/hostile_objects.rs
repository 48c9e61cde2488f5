//! Objects that define what is not declared, need what is not there, or run by themselves: each is refused at a byte,
//! although length and digest in the manifest are those of the object.

use crate::support::{Maker, archive, list, members, packed, problems, replace, symbol};
use ironwall_archive::{Place, Target};
use object::SectionKind;
use object::write::{Relocation, StandardSection, SymbolSection};
use object::{RelocationFlags, SymbolKind};

const PATH: &str = "obj/list.x86_64.o";

/// The rules that the archive breaks with another object of the first unit.
fn with_object(bytes: Vec<u8>) -> Vec<(&'static str, Place)> {
    let mut members = members(&packed());
    replace(&mut members, PATH, bytes);
    problems(&archive(&members)).iter().map(|problem| (problem.rule, problem.place)).collect()
}

/// The rules that it breaks with a change to the object.
fn with(change: impl FnOnce(&mut Maker)) -> Vec<(&'static str, Place)> {
    let table = list().image().expect("a table");
    let mut maker = Maker::unit(Target::X86_64Linux, "list", &table, &["list_push", "list_len"], &[]);
    change(&mut maker);
    with_object(maker.bytes())
}

fn section(maker: &mut Maker, name: &str, kind: SectionKind) {
    let section = maker.object.add_section(Vec::new(), name.as_bytes().to_vec(), kind);
    match kind {
        SectionKind::UninitializedData => drop(maker.object.append_section_bss(section, 8, 8)),
        _ => drop(maker.object.append_section_data(section, &[0; 8], 8)),
    }
}

#[test]
fn an_object_without_fault_is_accepted() {
    assert_eq!(with(|_| ()), []);
}

#[test]
fn r8_1_c_a_symbol_that_is_missing_or_only_needed_is_told() {
    let table = list().image().expect("a table");
    for missing in ["MetadataTable", "GlobalTable", "RuntimeInit"] {
        let mut maker = Maker::new(Target::X86_64Linux);
        let parts = [
            ("MetadataTable", StandardSection::ReadOnlyData, &table[..]),
            ("GlobalTable", StandardSection::Data, &[0; 16]),
            ("RuntimeInit", StandardSection::Text, &[0xc3; 16]),
        ];
        for (part, section, bytes) in parts {
            let name = format!("list{part}");
            if part == missing {
                maker.need(&name);
            } else {
                maker.define(&name, section, bytes);
            }
        }
        for export in ["list_push", "list_len"] {
            maker.define(export, StandardSection::Text, &[0xc3]);
        }
        let rules = with_object(maker.bytes());
        assert_eq!(rules, [("elf.undefined", Place::Tar), ("elf.symbol-missing", Place::Manifest)], "{missing}");
    }
}

#[test]
fn r8_1_c_a_symbol_that_is_defined_twice_is_told() {
    let rules = with(|maker| {
        maker.define("listRuntimeInit", StandardSection::Text, &[0xc3]);
    });
    assert_eq!(rules, [("elf.symbol-twice", Place::Tar)]);
}

#[test]
fn r8_1_c_a_symbol_that_can_be_replaced_or_is_nowhere_is_told() {
    let table = list().image().expect("a table");
    let mut maker = Maker::unit(Target::X86_64Linux, "list", &table, &["list_push"], &[]);
    let text = maker.object.section_id(StandardSection::Text);
    let section = SymbolSection::Section(text);
    maker.object.add_symbol(symbol("list_len", SymbolKind::Text, section, true));
    assert_eq!(with_object(maker.bytes()), [("elf.symbol-kind", Place::Tar), ("elf.symbol-missing", Place::Manifest)]);
    let mut maker = Maker::unit(Target::X86_64Linux, "list", &table, &["list_push"], &[]);
    maker.object.add_symbol(symbol("list_len", SymbolKind::Text, SymbolSection::Absolute, false));
    assert_eq!(with_object(maker.bytes()), [("elf.symbol-kind", Place::Tar)]);
}

#[test]
fn the_body_is_code_and_the_tables_are_not() {
    let table = list().image().expect("a table");
    let mut maker = Maker::new(Target::X86_64Linux);
    maker.define("listMetadataTable", StandardSection::Text, &table);
    maker.define("listGlobalTable", StandardSection::Data, &[0; 16]);
    maker.define("listRuntimeInit", StandardSection::Data, &[0xc3; 16]);
    for export in ["list_push", "list_len"] {
        maker.define(export, StandardSection::Text, &[0xc3]);
    }
    assert_eq!(with_object(maker.bytes()), [("elf.symbol-kind", Place::Tar); 2]);
}

#[test]
fn constructors_and_what_linkers_act_on_are_refused() {
    let names = [".init", ".fini", ".init_array", ".init_array.00100", ".fini_array", ".preinit_array", ".ctors"];
    for name in names.into_iter().chain([".ctors.65535", ".dtors", ".gnu.lto_.decls", ".deplibs", ".interp"]) {
        assert_eq!(with(|maker| section(maker, name, SectionKind::Data)), [("elf.section", Place::Tar)], "{name}");
    }
    // The type alone makes a constructor.
    for kind in [14, 15, 16, 17, 0x6fff_4c04] {
        let rules = with(|maker| {
            let section = maker.object.add_section(Vec::new(), b".data.harmless".to_vec(), SectionKind::Data);
            maker.object.append_section_data(section, &[0; 8], 8);
            *maker.object.section_flags_mut(section) =
                object::SectionFlags::Elf { sh_type: object::elf::SectionType(kind), sh_flags: object::elf::SHF_ALLOC };
        });
        assert_eq!(rules, [("elf.section", Place::Tar)], "{kind}");
    }
    // Names are compared whole, and those that are not known are refused.
    for name in [".initial", "my_set", "__libc_atexit", ".rela.iplt", ".plt", ".got", ".text_"] {
        assert_eq!(with(|maker| section(maker, name, SectionKind::Data)), [("elf.section", Place::Tar)], "{name}");
    }
    for (name, kind) in [
        (".data.rel.ro.local", SectionKind::Data),
        (".data.my_set", SectionKind::ReadOnlyData),
        (".rodata.str1.1", SectionKind::ReadOnlyData),
    ] {
        assert_eq!(with(|maker| section(maker, name, kind)), [], "{name}");
    }
}

#[test]
fn definitions_that_are_not_declared_are_refused() {
    for name in ["system", "iw_collect", "tree_make", "x\u{1b}[2J"] {
        let rules = with(|maker| {
            maker.define(name, StandardSection::Data, &[0; 8]);
        });
        assert_eq!(rules, [("elf.undeclared", Place::Tar)], "{name}");
    }
}

#[test]
fn needs_that_are_not_declared_are_refused() {
    assert_eq!(with(|maker| maker.need("system")), [("elf.undefined", Place::Tar)]);
    assert_eq!(with(|maker| maker.need("iw_collect")), []);
    assert_eq!(with(|maker| maker.need("_GLOBAL_OFFSET_TABLE_")), []);
}

#[test]
fn another_machine_or_another_kind_of_file_is_refused() {
    let table = list().image().expect("a table");
    let other = Maker::unit(Target::Aarch64Linux, "list", &table, &["list_push", "list_len"], &[]);
    assert_eq!(with_object(other.bytes())[0], ("elf.machine", Place::Tar));
    let good = Maker::unit(Target::X86_64Linux, "list", &table, &["list_push", "list_len"], &[]).bytes();
    for (at, byte, rule) in [(0, b'M', "elf.format"), (4, 1, "elf.format"), (5, 2, "elf.format"), (16, 3, "elf.type")] {
        let mut changed = good.clone();
        changed[at] = byte;
        assert_eq!(with_object(changed)[0], (rule, Place::Tar), "byte {at}");
    }
    assert_eq!(with_object(b"#!/bin/sh\nrm -rf /\n".to_vec())[0], ("elf.format", Place::Tar));
    assert_eq!(with_object(Vec::new())[0], ("elf.format", Place::Tar));
}

#[test]
fn the_table_in_the_object_is_the_one_in_the_archive() {
    let other = list().with(ironwall_format::Structure::of_slots(ironwall::Kind::Heap, "More", 1)).image();
    let other = other.expect("a table");
    let maker = Maker::unit(Target::X86_64Linux, "list", &other, &["list_push", "list_len"], &[]);
    assert_eq!(with_object(maker.bytes()), [("elf.table", Place::Tar)]);
    let short = Maker::unit(Target::X86_64Linux, "list", b"IRONTBL1", &["list_push", "list_len"], &[]);
    assert_eq!(with_object(short.bytes()), [("elf.table", Place::Tar)]);
}

#[test]
fn sections_that_would_give_their_flags_to_others_of_their_name_are_refused() {
    for (name, kind, rule) in [
        (".data", SectionKind::Text, "elf.executable"),
        (".rodata.x", SectionKind::Text, "elf.executable"),
        (".rodata.x", SectionKind::Data, "elf.section"),
        (".eh_frame", SectionKind::Data, "elf.section"),
        (".text.x", SectionKind::Data, "elf.section"),
        (".text.x", SectionKind::ReadOnlyData, "elf.section"),
        (".data.x", SectionKind::Tls, "elf.section"),
        (".tdata", SectionKind::Data, "elf.section"),
        (".text.x", SectionKind::UninitializedData, "elf.section"),
        (".debug_info", SectionKind::Text, "elf.section"),
    ] {
        assert_eq!(with(|maker| section(maker, name, kind)), [(rule, Place::Tar)], "{name} {kind:?}");
    }
}

#[test]
fn a_table_that_can_be_written_or_that_linkers_merge_is_refused() {
    let table = list().image().expect("a table");
    for flags in [3, 0x12, 0x32] {
        let mut maker = Maker::new(Target::X86_64Linux);
        let section = maker.object.add_section(Vec::new(), b".data.table".to_vec(), SectionKind::Data);
        let name = symbol("listMetadataTable", SymbolKind::Data, SymbolSection::Undefined, false);
        let name = maker.object.add_symbol(name);
        maker.object.add_symbol_data(name, section, &table, 16);
        *maker.object.section_flags_mut(section) = object::SectionFlags::Elf {
            sh_type: object::elf::SHT_PROGBITS,
            sh_flags: object::elf::SectionFlags(flags),
        };
        maker.define("listGlobalTable", StandardSection::Data, &[0; 16]);
        for name in ["listRuntimeInit", "list_push", "list_len"] {
            maker.define(name, StandardSection::Text, &[0xc3]);
        }
        assert_eq!(with_object(maker.bytes()), [("elf.table", Place::Tar)], "{flags:#x}");
    }
}

#[test]
fn tables_whose_entries_linkers_would_count_otherwise_are_refused() {
    let table = list().image().expect("a table");
    let mut bytes = Maker::unit(Target::X86_64Linux, "list", &table, &["list_push", "list_len"], &[]).bytes();
    let headers = u64::from_le_bytes(bytes[40..48].try_into().expect("a word")) as usize;
    let symbols = (headers..bytes.len()).step_by(64).find(|at| bytes[at + 4] == 2).expect("a table of symbols");
    bytes[symbols + 56] = 48;
    assert_eq!(with_object(bytes), [("elf.format", Place::Tar)]);
}

#[test]
fn a_relocation_of_the_table_is_refused() {
    let rules = with(|maker| {
        let section = maker.object.section_id(StandardSection::ReadOnlyData);
        let symbol = maker.object.symbol_id(b"listGlobalTable").expect("a symbol");
        let flags = RelocationFlags::Elf { r_type: object::elf::R_X86_64_64 };
        let relocation = Relocation { offset: 40, symbol, addend: 0, flags };
        maker.object.add_relocation(section, relocation).expect("a relocation");
    });
    assert_eq!(rules, [("elf.table", Place::Tar)]);
}

#[test]
fn damaged_objects_are_refused_or_harmless_but_never_a_panic() {
    let table = list().image().expect("a table");
    let good = Maker::unit(Target::X86_64Linux, "list", &table, &["list_push", "list_len"], &["iw_collect"]).bytes();
    // Every byte once, and those of the headers, which are last, in each way.
    let masks = [0xff, 0x80, 0x01];
    let headers = (good.len() - 800..good.len()).flat_map(|at| masks.map(|mask| (at, mask)));
    for (at, mask) in (0..good.len()).map(|at| (at, masks[at % 3])).chain(headers) {
        let mut changed = good.clone();
        changed[at] ^= mask;
        // What it says does not matter here; that it ends does.
        let _ = with_object(changed);
    }
    for len in (0..good.len()).step_by(13) {
        assert!(!with_object(good[..len].to_vec()).is_empty(), "cut off at {len}");
    }
}

/// An object of so many sections after the usual ones, each with a header that is made of its number.
fn with_sections(count: usize, header: impl Fn(usize) -> [u64; 8]) -> Vec<u8> {
    let table = list().image().expect("a table");
    let mut bytes = Maker::unit(Target::X86_64Linux, "list", &table, &["list_push", "list_len"], &[]).bytes();
    let word = |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("a word"));
    let headers = word(&bytes, 40) as usize;
    let old = bytes[headers..].to_vec();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let start = bytes.len() as u64;
    bytes[40..48].copy_from_slice(&start.to_le_bytes());
    bytes.extend_from_slice(&old);
    for i in 0..count {
        bytes.extend(header(i).into_iter().flat_map(u64::to_le_bytes));
    }
    // So many that their number is in the first header.
    bytes[60..62].copy_from_slice(&[0, 0]);
    let total = (old.len() / 64 + count) as u64;
    bytes[start as usize + 32..start as usize + 40].copy_from_slice(&total.to_le_bytes());
    bytes
}

#[test]
fn objects_that_would_keep_the_reader_busy_are_refused_soon() {
    // A header: name and type, flags, address, offset, length, link and info, alignment, length of an entry.
    let relocations = with_sections(100_000, |_| [4 << 32, 0, 0, 64, 24_000, 0, 8, 24]);
    let groups = with_sections(100_000, |_| [17 << 32, 0, 0, 64, 24_000, 0, 4, 4]);
    let many = with_sections(100_000, |i| [(i as u64 % 2) | 1 << 32, 0, 0, 64, 0, 0, 1, 0]);
    for (bytes, count) in [(relocations, 1), (groups, 1), (many, 1000)] {
        let found = with_object(bytes);
        assert!(found.len() <= count && found[0].1 == Place::Tar, "{} problems, {:?}", found.len(), found[0]);
        assert!(found.iter().all(|(rule, _)| ["elf.format", "elf.section"].contains(rule)), "{:?}", &found[..1]);
    }
}

#[test]
fn global_symbols_before_local_ones_are_refused() {
    let table = list().image().expect("a table");
    let mut bytes = Maker::unit(Target::X86_64Linux, "list", &table, &["list_push", "list_len"], &[]).bytes();
    let word = |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("a word")) as usize;
    let headers = word(&bytes, 40);
    let symbols = (headers..bytes.len()).step_by(64).find(|at| bytes[at + 4] == 2).expect("a table of symbols");
    bytes[symbols + 44] += 1;
    let found = with_object(bytes);
    assert!(found.contains(&("elf.format", Place::Tar)), "{found:?}");
}
