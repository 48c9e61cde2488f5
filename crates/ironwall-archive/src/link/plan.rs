//! The plan of a program: what linking gives, and the files that it becomes.

use super::Input;
use super::units::LinkedUnit;
use crate::json::Value;
use crate::manifest::{Symbol, kind_name};
use crate::problem::hex;
use crate::target::Target;
use ironwall::Uuid;
use ironwall_format::uuid_text;

/// The name of the plan among the files.
pub const PLAN: &str = "plan.json";
/// The name of the C source.
pub const SOURCE: &str = "ironwall_units.c";
/// The name of the C header.
pub const HEADER: &str = "ironwall_units.h";
/// What the key `format` says.
const FORMAT: &str = "ironwall-plan";
/// What the key `version` says.
const VERSION: u64 = 1;

/// A program of several units.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// What it is for.
    pub target: Target,
    /// The archives, ascending by name.
    pub archives: Vec<&'a Input>,
    /// The units, ascending by the UUIDs of their tables, which is the order in which they are attached.
    pub units: Vec<LinkedUnit<'a>>,
    /// The places of the units in the order in which their bodies run.
    pub order: Vec<usize>,
    /// What is worth knowing, and no obstacle.
    pub notes: Vec<Note>,
    /// The symbols that no unit defines, ascending.
    pub externals: Vec<External>,
}

/// Something worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The rule, as `docs/ironwall/linking.md` lists it.
    pub rule: &'static str,
    /// What there is.
    pub what: String,
}

impl Note {
    pub(super) fn new(rule: &'static str, what: String) -> Self {
        Self { rule, what }
    }
}

/// A symbol that units need and none defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// Its name.
    pub symbol: String,
    /// Whether all who need it are prepared for a collection.
    pub may_collect: bool,
    /// The tables of the units that need it, ascending.
    pub units: Vec<Uuid>,
}

/// What the tables of a program take in a runtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Structures.
    pub entries: usize,
    /// Offsets of references in them.
    pub offsets: usize,
    /// Global blocks.
    pub globals: usize,
}

impl Plan<'_> {
    /// What all tables take together.
    #[must_use]
    pub fn room(&self) -> Room {
        self.units.iter().fold(Room::default(), |room, unit| {
            let globals = unit.manifest.structures.iter().filter(|one| kind_name(one.kind) == "global").count();
            Room {
                entries: room.entries + unit.image.entry_count(),
                offsets: room.offsets + unit.image.offset_count(),
                globals: room.globals + globals,
            }
        })
    }

    /// The plan as a document of JSON.
    #[must_use]
    pub fn to_text(&self) -> String {
        let archive = |input: &&Input| {
            let (name, digest) = (text(input.name()), text(&hex(&input.archive().digest())));
            match input.archive().signer() {
                Some(key) => Value::object([("name", name), ("sha256", digest), ("signer", text(&key.to_string()))]),
                None => Value::object([("name", name), ("sha256", digest)]),
            }
        };
        let note = |note: &Note| Value::object([("rule", text(note.rule)), ("what", text(&note.what))]);
        let uuids = |uuids: &[Uuid]| Value::list(uuids.iter().map(|&uuid| text(&uuid_text(uuid))));
        let external = |external: &External| {
            Value::object([
                ("may_collect", Value::Bool(external.may_collect)),
                ("symbol", text(&external.symbol)),
                ("units", uuids(&external.units)),
            ])
        };
        let order: Vec<Uuid> = self.order.iter().map(|&i| self.units[i].uuid()).collect();
        let units = self.units.iter().enumerate().map(|(i, unit)| self.unit_json(i, unit));
        let document = Value::object([
            ("archives", Value::list(self.archives.iter().map(archive))),
            ("externals", Value::list(self.externals.iter().map(external))),
            ("format", text(FORMAT)),
            ("notes", Value::list(self.notes.iter().map(note))),
            ("order", uuids(&order)),
            ("target", text(self.target.name())),
            ("units", Value::list(units)),
            ("version", Value::Number(VERSION)),
        ]);
        document.pretty()
    }

    fn unit_json(&self, i: usize, unit: &LinkedUnit<'_>) -> Value {
        let symbol = |symbol: &Symbol| {
            Value::object([("may_collect", Value::Bool(symbol.may_collect)), ("symbol", text(&symbol.name))])
        };
        let object = |(k, object): (usize, &super::LinkedObject<'_>)| {
            let (name, digest) = (self.object_name(i, k), hex(&object.sha256));
            Value::object([("file", text(&name)), ("sha256", text(&digest))])
        };
        let manifest = unit.manifest;
        let symbols = [
            ("globals", text(&manifest.symbols.globals.name)),
            ("init", text(&manifest.symbols.init.name)),
            ("init_may_collect", Value::Bool(manifest.symbols.init.may_collect)),
            ("metadata", text(&manifest.symbols.metadata.name)),
        ];
        Value::object([
            ("archives", Value::list(unit.archives.iter().map(|name| text(name)))),
            ("exports", Value::list(manifest.exports.iter().map(symbol))),
            ("imports", Value::list(manifest.imports.iter().map(|&uuid| text(&uuid_text(uuid))))),
            ("name", text(&manifest.name)),
            ("objects", Value::list(unit.objects.iter().enumerate().map(object))),
            ("package", text(&manifest.package)),
            ("symbols", Value::object(symbols)),
            ("table", text(&hex(&manifest.table.sha256))),
            ("uuid", text(&uuid_text(unit.uuid()))),
        ])
    }

    /// The file of an object: the unit's place, then its names as far as they are harmless in a name of a file.
    pub(super) fn object_name(&self, unit: usize, object: usize) -> String {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || ".+-".contains(letter);
        let title = self.units[unit].manifest.title();
        let title: String = title.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).take(80).collect();
        format!("{unit:03}-{title}-{object}.o")
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
