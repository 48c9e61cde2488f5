//! A sound unit in an archive, made once: its file, the expanded archive, its members.

use ironwall::Kind;
use ironwall_archive::pack::pack;
use ironwall_archive::{Description, Limits, Target, gzip};
use ironwall_format::{Structure, Table};
use object::write::{Object, StandardSection, Symbol, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A sound archive, at each of its layers.
#[derive(Debug)]
pub struct Sample {
    /// The file.
    pub file: Vec<u8>,
    /// The expanded archive.
    pub tar: Vec<u8>,
    /// The members by name.
    pub members: BTreeMap<String, Vec<u8>>,
}

/// The name of the object in the sample.
pub const OBJECT: &str = "list.o";
/// The name of the table image in the sample.
pub const TABLE: &str = "list.table";

const DESCRIPTION: &str = r#"{
    "producer": "fuzz 1", "licence": "MIT",
    "units": [{
        "table": "list.table",
        "symbols": { "metadata": "listTable", "globals": "listGlobals", "init": "listInit" },
        "exports": [ { "symbol": "list_push" } ],
        "requires": [ { "symbol": "memcpy", "may_collect": false } ],
        "objects": { "x86_64-linux": ["list.o"] }
    }]
}"#;

/// The sample.
///
/// # Panics
/// It is not sound.
pub fn sample() -> &'static Sample {
    static SAMPLE: OnceLock<Sample> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let other = Table::new("fuzz", "tree").with(Structure::of_slots(Kind::Heap, "Node", 1));
        let table = Table::new("fuzz", "list")
            .with(Structure::of_slots(Kind::Heap, "Cell", 2))
            .with(Structure::of_slots(Kind::Global, "Roots", 1))
            .using(&other, Kind::Heap, "Node");
        let table = table.image().expect("short names");
        let files = BTreeMap::from([(OBJECT.to_owned(), object(&table)), (TABLE.to_owned(), table)]);
        let description = Description::parse(DESCRIPTION.as_bytes()).expect("the description");
        let packed = pack(&description, &files, None, Limits::default()).unwrap_or_else(|wrong| panic!("{wrong:#?}"));
        let tar = gzip::expand(&packed.bytes, &Limits::default()).expect("what was packed");
        let archive = &packed.archive;
        let member = |name: &str| archive.member(name).unwrap_or_default().to_vec();
        let members = archive.members().iter().map(|one| (one.name.clone(), member(&one.name))).collect();
        Sample { file: packed.bytes, tar, members }
    })
}

/// An object as a compiler would make it.
fn object(table: &[u8]) -> Vec<u8> {
    assert_eq!(Target::X86_64Linux.name(), "x86_64-linux");
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Other);
    let symbol = |name: &str, kind| Symbol {
        name: name.as_bytes().to_vec(),
        value: 0,
        size: 0,
        kind,
        scope: SymbolScope::Dynamic,
        weak: false,
        section: SymbolSection::Undefined,
        flags: SymbolFlags::None,
    };
    let definitions: [(&str, StandardSection, &[u8]); 4] = [
        ("listTable", StandardSection::ReadOnlyData, table),
        ("listGlobals", StandardSection::Data, &[0; 16]),
        ("listInit", StandardSection::Text, &[0xc3; 16]),
        ("list_push", StandardSection::Text, &[0xc3; 16]),
    ];
    for (name, section, bytes) in definitions {
        let kind = if section == StandardSection::Text { SymbolKind::Text } else { SymbolKind::Data };
        let id = object.add_symbol(symbol(name, kind));
        let section = object.section_id(section);
        object.add_symbol_data(id, section, bytes, 16);
    }
    object.add_symbol(symbol("memcpy", SymbolKind::Unknown));
    object.write().expect("an object that can be written")
}
