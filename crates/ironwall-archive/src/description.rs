//! What an archive is packed from: a description that an author writes, in JSON with blanks.
//!
//! It names files, and says of them what cannot be found out: the three symbols, and what may collect. Sizes,
//! digests, identities, imports and layouts are taken from the files.

use crate::fields::Taker;
use crate::json::{Node, Style, Value, parse};
use crate::limits::MAX_MANIFEST;
use crate::manifest::Symbol;
use crate::name::check_member;
use crate::problem::{Place, Problem};
use crate::target::Target;

/// The name of a description in a directory.
pub const DESCRIPTION: &str = "unit.json";

/// A description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Who or what makes the archive.
    pub producer: String,
    /// The licence of what is in it.
    pub licence: String,
    /// The units.
    pub units: Vec<DescribedUnit>,
}

/// A file that a description names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it is in the description.
    pub at: usize,
    /// Its path, relative to the description, which is also its name in the archive.
    pub path: String,
}

/// A unit of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedUnit {
    /// Where it is in the description.
    pub at: usize,
    /// The table image.
    pub table: File,
    /// The names of the three symbols: table image, global blocks, body.
    pub symbols: [String; 3],
    /// Whether the body may collect.
    pub init_may_collect: bool,
    /// Further symbols for others; if none are named, those that objects define, all of which may collect.
    pub exports: Option<Vec<Symbol>>,
    /// Symbols of others; if none are named, those that objects need, all of which may collect.
    pub requires: Option<Vec<Symbol>>,
    /// The objects of each target.
    pub objects: Vec<(Target, File)>,
}

impl Description {
    /// Reads a description.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Problem>> {
        let place = Place::Description;
        if bytes.len() > MAX_MANIFEST {
            let what = format!("longer than {MAX_MANIFEST} bytes");
            return Err(vec![Problem::new(place, MAX_MANIFEST, "manifest.limit", what)]);
        }
        let node = parse(bytes, place, Style::Free).map_err(|problem| vec![problem])?;
        let mut taker = Taker::new(place);
        let description = taker.description(&node);
        taker.finish(description)
    }

    /// Every file that is named.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.units.iter().flat_map(|unit| [&unit.table].into_iter().chain(unit.objects.iter().map(|(_, file)| file)))
    }
}

impl Taker {
    fn description(&mut self, node: &Node) -> Option<Description> {
        let fields = self.object(node, &["licence", "producer", "units"], &[])?;
        let (producer, licence) = (self.short_text(fields.get("producer")), self.short_text(fields.get("licence")));
        let nodes = self.list(fields.get("units"))?;
        let units: Vec<_> = nodes.iter().map(|node| self.described_unit(node)).collect();
        let units: Option<Vec<_>> = units.into_iter().collect();
        Some(Description { producer: producer?, licence: licence?, units: units? })
    }

    fn described_unit(&mut self, node: &Node) -> Option<DescribedUnit> {
        let some = ["exports", "init_may_collect", "requires"];
        let fields = self.object(node, &["objects", "symbols", "table"], &some)?;
        let table = self.file(fields.get("table")?);
        let symbols = fields.get("symbols").and_then(|node| {
            let fields = self.object(node, &["globals", "init", "metadata"], &[])?;
            let mut name = |key| Some(self.text(fields.get(key))?.1.to_owned());
            let names = [name("metadata"), name("globals"), name("init")];
            let [metadata, globals, init] = names;
            Some([metadata?, globals?, init?])
        });
        let init_may_collect = match fields.get("init_may_collect") {
            Some(node) => self.boolean(Some(node)),
            None => Some(true),
        };
        let mut symbol_list = |key| match fields.get(key) {
            Some(node) => self.symbol_list(node).map(Some),
            None => Some(None),
        };
        let (exports, requires) = (symbol_list("exports"), symbol_list("requires"));
        let objects = fields.get("objects").and_then(|node| self.objects(node));
        Some(DescribedUnit {
            at: node.at,
            table: table?,
            symbols: symbols?,
            init_may_collect: init_may_collect?,
            exports: exports?,
            requires: requires?,
            objects: objects?,
        })
    }

    fn symbol_list(&mut self, node: &Node) -> Option<Vec<Symbol>> {
        let nodes = self.list(Some(node))?;
        let symbols: Vec<_> = nodes
            .iter()
            .map(|node| {
                let fields = self.object(node, &["symbol"], &["may_collect"])?;
                let may_collect = match fields.get("may_collect") {
                    Some(node) => self.boolean(Some(node)),
                    None => Some(true),
                };
                let (at, name) = self.text(fields.get("symbol"))?;
                Some(Symbol { at, name: name.to_owned(), may_collect: may_collect? })
            })
            .collect();
        symbols.into_iter().collect()
    }

    /// An object whose keys are targets, and whose values are lists of files.
    fn objects(&mut self, node: &Node) -> Option<Vec<(Target, File)>> {
        let names = Target::ALL.map(Target::name);
        let fields = self.object(node, &[], &names)?;
        let mut objects = Vec::new();
        for target in Target::ALL {
            let Some(node) = fields.get(target.name()) else { continue };
            for node in self.list(Some(node))? {
                objects.push((target, self.file(node)?));
            }
        }
        Some(objects)
    }

    fn file(&mut self, node: &Node) -> Option<File> {
        let Value::Text(path) = &node.value else {
            self.report(node.at, "document.type", "this has to be the name of a file");
            return None;
        };
        if let Err((_, what)) = check_member(path.as_bytes()) {
            self.report(node.at, "manifest.path", what);
            return None;
        }
        Some(File { at: node.at, path: path.clone() })
    }
}
