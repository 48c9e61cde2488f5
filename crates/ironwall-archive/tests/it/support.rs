//! Units to pack: tables, objects as a compiler would make them, descriptions, and archives that lie.

use ironwall::Kind;
use ironwall_archive::pack::{Packed, pack};
use ironwall_archive::{Description, Limits, Manifest, Place, Problem, Target, examine, gzip, sha256, tar};
use ironwall_format::{Structure, Table};
use object::write::{Object, SectionId, StandardSection, Symbol, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope};
use std::collections::BTreeMap;

/// Files by their paths.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The table of the first unit.
pub(crate) fn list() -> Table {
    let cell = Structure::of_slots(Kind::Heap, "Cell", 2);
    Table::new("ironwall.example", "list").with(cell).with(Structure::of_slots(Kind::Global, "Roots", 1))
}

/// The table of the second, which uses the first.
pub(crate) fn tree() -> Table {
    let table = Table::new("ironwall.example", "tree").with(Structure::of_slots(Kind::Heap, "Node", 3));
    table.importing(&list()).using(&list(), Kind::Heap, "Cell")
}

/// An object in the making.
pub(crate) struct Maker {
    pub(crate) object: Object<'static>,
}

impl Maker {
    /// An empty object for a target.
    pub(crate) fn new(target: Target) -> Self {
        let architecture = match target {
            Target::Aarch64Linux => Architecture::Aarch64,
            Target::X86_64Linux => Architecture::X86_64,
        };
        let mut object = Object::new(BinaryFormat::Elf, architecture, Endianness::Little);
        object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Other);
        Self { object }
    }

    /// An object with a unit's three symbols, and some that it exports and needs.
    pub(crate) fn unit(target: Target, prefix: &str, table: &[u8], exports: &[&str], requires: &[&str]) -> Self {
        let mut maker = Self::new(target);
        maker.define(&format!("{prefix}MetadataTable"), StandardSection::ReadOnlyData, table);
        maker.define(&format!("{prefix}GlobalTable"), StandardSection::Data, &[0; 16]);
        for name in [&format!("{prefix}RuntimeInit")[..]].iter().chain(exports) {
            maker.define(name, StandardSection::Text, &[0xc3; 16]);
        }
        for name in requires {
            maker.need(name);
        }
        maker
    }

    /// Defines a global symbol.
    pub(crate) fn define(&mut self, name: &str, section: StandardSection, bytes: &[u8]) -> (SectionId, u64) {
        let kind = if section == StandardSection::Text { SymbolKind::Text } else { SymbolKind::Data };
        let symbol = self.object.add_symbol(symbol(name, kind, SymbolSection::Undefined, false));
        let section = self.object.section_id(section);
        (section, self.object.add_symbol_data(symbol, section, bytes, 16))
    }

    /// Needs a symbol of another object.
    pub(crate) fn need(&mut self, name: &str) {
        self.object.add_symbol(symbol(name, SymbolKind::Unknown, SymbolSection::Undefined, false));
    }

    /// The file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.object.write().expect("an object that can be written")
    }
}

/// A symbol, global or weak.
pub(crate) fn symbol(name: &str, kind: SymbolKind, section: SymbolSection, weak: bool) -> Symbol {
    Symbol {
        name: name.as_bytes().to_vec(),
        value: 0,
        size: 0,
        kind,
        scope: SymbolScope::Dynamic,
        weak,
        section,
        flags: SymbolFlags::None,
    }
}

/// The description of the two units, in one archive.
pub(crate) const BOTH: &str = r#"{
    "producer": "tests 1", "licence": "MIT",
    "units": [
        {
            "table": "tree.table",
            "symbols": { "metadata": "treeMetadataTable", "globals": "treeGlobalTable", "init": "treeRuntimeInit" },
            "exports": [ { "symbol": "tree_make" } ],
            "requires": [ { "symbol": "memcpy", "may_collect": false }, { "symbol": "list_push" } ],
            "objects": { "x86_64-linux": ["obj/tree.x86_64.o"], "aarch64-linux": ["obj/tree.aarch64.o"] }
        },
        {
            "table": "list.table",
            "symbols": { "metadata": "listMetadataTable", "globals": "listGlobalTable", "init": "listRuntimeInit" },
            "init_may_collect": false,
            "exports": [ { "symbol": "list_push" }, { "symbol": "list_len", "may_collect": false } ],
            "requires": [],
            "objects": { "x86_64-linux": ["obj/list.x86_64.o"], "aarch64-linux": ["obj/list.aarch64.o"] }
        }
    ]
}"#;

/// The files of [`BOTH`].
pub(crate) fn files() -> Files {
    let (list, tree) = (list().image().expect("list"), tree().image().expect("tree"));
    let mut files = Files::new();
    for target in Target::ALL {
        let name = target.name().strip_suffix("-linux").expect("a name");
        let one = Maker::unit(target, "list", &list, &["list_push", "list_len"], &["iw_allocate_slow"]);
        let two = Maker::unit(target, "tree", &tree, &["tree_make"], &["list_push", "memcpy", "iw_new_slow"]);
        files.insert(format!("obj/list.{name}.o"), one.bytes());
        files.insert(format!("obj/tree.{name}.o"), two.bytes());
    }
    files.insert("list.table".to_owned(), list);
    files.insert("tree.table".to_owned(), tree);
    files
}

/// The description of one unit of [`BOTH`].
pub(crate) fn only(unit: &str) -> Description {
    let mut description = both();
    description.units.retain(|described| described.table.path == format!("{unit}.table"));
    description
}

/// The description.
pub(crate) fn both() -> Description {
    Description::parse(BOTH.as_bytes()).expect("the description")
}

/// Both units in an archive.
pub(crate) fn packed() -> Packed {
    pack(&both(), &files(), None, Limits::default()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// The members of an archive.
pub(crate) fn members(packed: &Packed) -> Files {
    let archive = &packed.archive;
    let member = |name: &str| archive.member(name).expect("a member").to_vec();
    archive.members().iter().map(|one| (one.name.clone(), member(&one.name))).collect()
}

/// An archive of these members, whatever they are.
pub(crate) fn archive(members: &Files) -> Vec<u8> {
    stored(&tar::write(members))
}

/// A gzip member that stores its bytes: what a compressor that does nothing would make, and the reader takes. Tests
/// that make thousands of archives would spend their time compressing otherwise.
pub(crate) fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::from(gzip::HEADER);
    let mut blocks = bytes.chunks(0xffff).peekable();
    if bytes.is_empty() {
        out.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let len = u16::try_from(block.len()).expect("a block of 64 KiB");
        out.push(u8::from(blocks.peek().is_none()));
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(&(!len).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    out.extend_from_slice(&u32::try_from(bytes.len()).expect("short").to_le_bytes());
    out
}

/// Changes the text of the manifest among members, once.
pub(crate) fn edit(members: &mut Files, from: &str, to: &str) {
    let text = String::from_utf8(members["manifest.json"].clone()).expect("text");
    assert!(text.contains(from), "{from} is not in {text}");
    members.insert("manifest.json".to_owned(), text.replacen(from, to, 1).into_bytes());
}

/// Puts another file into the members, and its length and digest into the manifest: a liar that is careful.
pub(crate) fn replace(members: &mut Files, path: &str, bytes: Vec<u8>) {
    let text = String::from_utf8(members["manifest.json"].clone()).expect("text");
    let mut manifest = Manifest::parse(text.as_bytes()).expect("a manifest");
    for unit in &mut manifest.units {
        for artifact in [&mut unit.table].into_iter().chain(unit.objects.iter_mut().map(|(_, artifact)| artifact)) {
            if artifact.path == path {
                (artifact.size, artifact.sha256) = (bytes.len() as u64, sha256(&bytes));
            }
        }
    }
    members.insert("manifest.json".to_owned(), manifest.to_text().into_bytes());
    members.insert(path.to_owned(), bytes);
}

/// What is wrong with an archive.
pub(crate) fn problems(bytes: &[u8]) -> Vec<Problem> {
    let examined = examine(bytes, Limits::default());
    assert_eq!(examined.archive.is_none(), !examined.problems.is_empty());
    examined.problems
}

/// The rules that an archive of these members breaks.
pub(crate) fn rules(members: &Files) -> Vec<(&'static str, Place)> {
    problems(&archive(members)).iter().map(|problem| (problem.rule, problem.place)).collect()
}
