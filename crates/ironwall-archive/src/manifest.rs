//! The manifest: what is in an archive, in one canonical form.
//!
//! [`Manifest::parse`] does no I/O and reports everything that is wrong. Each named thing remembers its offset, so
//! that what is found later, in the files that the manifest names, can be reported there.

use crate::json::{Style, Value, parse};
use crate::limits::MAX_MANIFEST;
use crate::manifest_read;
use crate::problem::{Place, Problem, hex};
use crate::target::Target;
use ironwall::{Kind, Uuid};
use ironwall_format::uuid_text;

/// The name of the manifest in an archive.
pub const MANIFEST: &str = "manifest.json";
/// The name of the signature in an archive.
pub const SIGNATURE: &str = "manifest.sig";
/// What the key `format` says.
pub const FORMAT: &str = "ironwall-archive";
/// What the key `version` says.
pub const VERSION: u64 = 1;

/// A manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Who or what made the archive.
    pub producer: String,
    /// The licence of what is in it, as an SPDX expression or in words.
    pub licence: String,
    /// The targets that there are objects for, ascending by name.
    pub targets: Vec<Target>,
    /// The units, ascending by package and name.
    pub units: Vec<Unit>,
}

/// A unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Where it is in the manifest.
    pub at: usize,
    /// The package.
    pub package: String,
    /// The name in the package.
    pub name: String,
    /// The identity of its table, which follows from both.
    pub uuid: Uuid,
    /// The table image.
    pub table: Artifact,
    /// The three exported symbols.
    pub symbols: Symbols,
    /// The tables that it imports, ascending.
    pub imports: Vec<Uuid>,
    /// Further symbols that it defines for others, ascending.
    pub exports: Vec<Symbol>,
    /// Symbols that it needs and that are not the runtime's, ascending.
    pub requires: Vec<Symbol>,
    /// The structures of its table, ascending by identity.
    pub structures: Vec<Structure>,
    /// The objects, ascending by target and path.
    pub objects: Vec<(Target, Artifact)>,
}

/// The symbols that every unit exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbols {
    /// The table image.
    pub metadata: Symbol,
    /// The list of global blocks.
    pub globals: Symbol,
    /// The unit's body.
    pub init: Symbol,
}

impl Symbols {
    /// All three.
    pub fn each(&self) -> impl Iterator<Item = &Symbol> {
        [&self.metadata, &self.globals, &self.init].into_iter()
    }
}

/// A symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Where it is in the manifest.
    pub at: usize,
    /// The name.
    pub name: String,
    /// Whether what it names may reach a collection; of a required symbol, whether its user is prepared for one.
    pub may_collect: bool,
}

/// A structure as the manifest tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    /// Where it is in the manifest.
    pub at: usize,
    /// Its identity.
    pub uuid: Uuid,
    /// What it describes.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The digest of its layout.
    pub layout: [u8; 32],
}

/// A member of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Where it is in the manifest.
    pub at: usize,
    /// Its name in the archive.
    pub path: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// Everything that is wrong, by offset; at least one problem.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Problem>> {
        if bytes.len() > MAX_MANIFEST {
            let what = format!("longer than {MAX_MANIFEST} bytes");
            return Err(vec![Problem::new(Place::Manifest, MAX_MANIFEST, "manifest.limit", what)]);
        }
        let node = parse(bytes, Place::Manifest, Style::Canonical).map_err(|problem| vec![problem])?;
        manifest_read::manifest(&node)
    }

    /// The canonical form, if the manifest is one that [`Self::parse`] takes.
    #[must_use]
    pub fn to_text(&self) -> String {
        Value::object([
            ("format", text(FORMAT)),
            ("licence", text(&self.licence)),
            ("producer", text(&self.producer)),
            ("targets", Value::list(self.targets.iter().map(|target| text(target.name())))),
            ("units", Value::list(self.units.iter().map(Unit::to_json))),
            ("version", Value::Number(VERSION)),
        ])
        .canonical()
    }

    /// Every member that the manifest names.
    pub fn artifacts(&self) -> impl Iterator<Item = &Artifact> {
        self.units.iter().flat_map(Unit::artifacts)
    }
}

impl Unit {
    /// Every member that the unit names: the table, then the objects.
    pub fn artifacts(&self) -> impl Iterator<Item = &Artifact> {
        [&self.table].into_iter().chain(self.objects.iter().map(|(_, artifact)| artifact))
    }

    /// The canonical form; the same for the same unit in any archive.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.to_json().canonical()
    }

    /// What it is called in messages.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{}/{}", self.package, self.name)
    }

    fn to_json(&self) -> Value {
        let object = |(target, artifact): &(Target, Artifact)| {
            let Artifact { path, size, sha256, .. } = artifact;
            let [path, sha256] = [text(path), text(&hex(sha256))];
            let size = Value::Number(*size);
            Value::object([("path", path), ("sha256", sha256), ("size", size), ("target", text(target.name()))])
        };
        let table = Value::object([
            ("path", text(&self.table.path)),
            ("sha256", text(&hex(&self.table.sha256))),
            ("size", Value::Number(self.table.size)),
        ]);
        let symbols = Value::object([
            ("globals", text(&self.symbols.globals.name)),
            ("init", text(&self.symbols.init.name)),
            ("init_may_collect", Value::Bool(self.symbols.init.may_collect)),
            ("metadata", text(&self.symbols.metadata.name)),
        ]);
        Value::object([
            ("exports", Value::list(self.exports.iter().map(Symbol::to_json))),
            ("imports", Value::list(self.imports.iter().map(|&uuid| text(&uuid_text(uuid))))),
            ("name", text(&self.name)),
            ("objects", Value::list(self.objects.iter().map(object))),
            ("package", text(&self.package)),
            ("requires", Value::list(self.requires.iter().map(Symbol::to_json))),
            ("structures", Value::list(self.structures.iter().map(Structure::to_json))),
            ("symbols", symbols),
            ("table", table),
            ("uuid", text(&uuid_text(self.uuid))),
        ])
    }
}

impl Symbol {
    fn to_json(&self) -> Value {
        Value::object([("may_collect", Value::Bool(self.may_collect)), ("symbol", text(&self.name))])
    }
}

impl Structure {
    fn to_json(&self) -> Value {
        Value::object([
            ("kind", text(kind_name(self.kind))),
            ("layout", text(&hex(&self.layout))),
            ("name", text(&self.name)),
            ("uuid", text(&uuid_text(self.uuid))),
        ])
    }
}

/// How a kind is written.
#[must_use]
pub fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Heap => "heap",
        Kind::Frame => "frame",
        Kind::Global => "global",
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
