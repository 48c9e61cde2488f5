//! From a document to a [`Manifest`]: the rules of each field, and those among them.

use crate::fields::{Fields, Taker};
use crate::json::Node;
use crate::manifest::{Artifact, FORMAT, MANIFEST, Manifest, SIGNATURE, Structure, Symbol, Symbols, Unit, VERSION};
use crate::name::{check_identifier, check_member, check_symbol, is_of_the_runtime};
use crate::problem::{Place, Problem};
use crate::target::Target;
use ironwall::{Kind, Uuid};
use std::collections::{BTreeMap, BTreeSet};

/// The manifest that a document is.
pub(crate) fn manifest(node: &Node) -> Result<Manifest, Vec<Problem>> {
    let mut taker = Taker::new(Place::Manifest);
    let manifest = taker.manifest(node);
    if let Some(manifest) = &manifest {
        taker.check_unique(manifest);
        for unit in &manifest.units {
            taker.check_targets(unit, &manifest.targets);
        }
    }
    taker.finish(manifest)
}

impl Taker {
    fn manifest(&mut self, node: &Node) -> Option<Manifest> {
        let keys = ["format", "licence", "producer", "targets", "units", "version"];
        let fields = self.object(node, &keys, &[])?;
        let (format_at, format) = self.text(fields.get("format"))?;
        let (version_at, version) = self.number(fields.get("version"))?;
        if format != FORMAT || version != VERSION {
            let at = if format == FORMAT { version_at } else { format_at };
            self.report(at, "manifest.format", format!("this has to be {FORMAT}, version {VERSION}"));
            return None;
        }
        let producer = self.short_text(fields.get("producer"));
        let licence = self.short_text(fields.get("licence"));
        let targets = self.each(fields.get("targets"), Self::target);
        if let Some(targets) = &targets {
            self.check_order(targets, |(at, target)| (*at, *target), "targets");
            if targets.is_empty() {
                self.report(fields.at, "manifest.target", "there is no target");
            }
        }
        let units = self.each(fields.get("units"), Self::unit);
        if let Some(units) = &units {
            self.check_order(units, |unit| (unit.at, (unit.package.clone(), unit.name.clone())), "units");
            if units.is_empty() {
                self.report(fields.at, "manifest.unit", "there is no unit");
            }
        }
        let targets = targets?.into_iter().map(|(_, target)| target).collect();
        Some(Manifest { producer: producer?, licence: licence?, targets, units: units? })
    }

    /// What every element of a list is, if all are.
    fn each<T>(&mut self, node: Option<&Node>, take: impl Fn(&mut Self, &Node) -> Option<T>) -> Option<Vec<T>> {
        let taken: Vec<Option<T>> = self.list(node)?.iter().map(|node| take(self, node)).collect();
        taken.into_iter().collect()
    }

    /// That elements ascend.
    fn check_order<T, K: Ord>(&mut self, list: &[T], key: impl Fn(&T) -> (usize, K), what: &str) {
        for pair in list.windows(2) {
            let ((_, one), (at, two)) = (key(&pair[0]), key(&pair[1]));
            if one >= two {
                self.report(at, "manifest.order", format!("{what} are not ascending, or one is there twice"));
            }
        }
    }

    fn target(&mut self, node: &Node) -> Option<(usize, Target)> {
        let (at, name) = self.text(Some(node))?;
        let target = Target::from_name(name);
        if target.is_none() {
            self.report(at, "manifest.target", "there is no such target");
        }
        Some((at, target?))
    }

    fn unit(&mut self, node: &Node) -> Option<Unit> {
        let keys =
            ["exports", "imports", "name", "objects", "package", "requires", "structures", "symbols", "table", "uuid"];
        let fields = self.object(node, &keys, &[])?;
        let (package, name) = (self.name(fields.get("package")), self.name(fields.get("name")));
        let uuid = self.uuid(fields.get("uuid"));
        let table = fields.get("table").and_then(|node| {
            let fields = self.object(node, &["path", "sha256", "size"], &[])?;
            self.artifact(&fields)
        });
        let symbols = fields.get("symbols").and_then(|node| self.symbols(node));
        let imports = self.each(fields.get("imports"), |taker, node| taker.uuid(Some(node)));
        let exports = self.each(fields.get("exports"), |taker, node| taker.symbol(node, check_symbol));
        let requires = self.each(fields.get("requires"), |taker, node| taker.symbol(node, check_required));
        let structures = self.each(fields.get("structures"), Self::structure);
        let objects = self.each(fields.get("objects"), Self::unit_object);
        let (uuid_at, uuid) = uuid?;
        let (imports, objects) = (imports?, objects?);
        self.check_order(&imports, |import| *import, "imports");
        self.check_order(&objects, |(_, target, file)| (file.at, (*target, file.path.clone())), "objects");
        let unit = Unit {
            at: node.at,
            package: package?,
            name: name?,
            uuid,
            table: table?,
            symbols: symbols?,
            imports: imports.into_iter().map(|(_, uuid)| uuid).collect(),
            exports: exports?,
            requires: requires?,
            structures: structures?,
            objects: objects.into_iter().map(|(_, target, file)| (target, file)).collect(),
        };
        if unit.uuid != Uuid::of_table(unit.package.as_bytes(), unit.name.as_bytes()) {
            self.report(uuid_at, "manifest.identity", format!("this is not the identity of {}", unit.title()));
        }
        self.check_order(&unit.exports, |symbol| (symbol.at, symbol.name.clone()), "exports");
        self.check_order(&unit.requires, |symbol| (symbol.at, symbol.name.clone()), "required symbols");
        self.check_order(&unit.structures, |structure| (structure.at, structure.uuid), "structures");
        for structure in &unit.structures {
            if structure.uuid != Uuid::of_struct(unit.uuid, structure.kind, structure.name.as_bytes()) {
                let what = format!("this is not the identity of {} of {}", structure.name, unit.title());
                self.report(structure.at, "manifest.identity", what);
            }
        }
        Some(unit)
    }

    /// A name of a package, unit or structure, as table images have them.
    fn name(&mut self, node: Option<&Node>) -> Option<String> {
        let (at, text) = self.text(node)?;
        if !(1..=200).contains(&text.len()) || text.contains(' ') {
            self.report(at, "manifest.name", "this has to be 1 to 200 characters without blanks");
            return None;
        }
        Some(text.to_owned())
    }

    fn symbols(&mut self, node: &Node) -> Option<Symbols> {
        let fields = self.object(node, &["globals", "init", "init_may_collect", "metadata"], &[])?;
        let may_collect = self.boolean(fields.get("init_may_collect"));
        let mut take = |key| {
            let (at, name) = self.text(fields.get(key))?;
            self.checked_symbol(at, name, check_symbol)
        };
        let (metadata, globals, init) = (take("metadata"), take("globals"), take("init"));
        let init = Symbol { may_collect: may_collect?, ..init? };
        Some(Symbols { metadata: metadata?, globals: globals?, init })
    }

    fn symbol(&mut self, node: &Node, check: fn(&str) -> Result<(), &'static str>) -> Option<Symbol> {
        let fields = self.object(node, &["may_collect", "symbol"], &[])?;
        let may_collect = self.boolean(fields.get("may_collect"));
        let (at, name) = self.text(fields.get("symbol"))?;
        let symbol = self.checked_symbol(at, name, check);
        Some(Symbol { may_collect: may_collect?, ..symbol? })
    }

    fn checked_symbol(&mut self, at: usize, name: &str, check: fn(&str) -> Result<(), &'static str>) -> Option<Symbol> {
        if let Err(what) = check(name) {
            // A string of a document is printable, but it may be long.
            let shown = name.get(..60).map_or(name.to_owned(), |start| format!("{start}..."));
            self.report(at, "manifest.symbol", format!("the symbol \"{shown}\" {what}"));
            return None;
        }
        Some(Symbol { at, name: name.to_owned(), may_collect: false })
    }

    fn structure(&mut self, node: &Node) -> Option<Structure> {
        let fields = self.object(node, &["kind", "layout", "name", "uuid"], &[])?;
        let (kind_at, kind) = self.text(fields.get("kind"))?;
        let kind = match kind {
            "heap" => Some(Kind::Heap),
            "frame" => Some(Kind::Frame),
            "global" => Some(Kind::Global),
            _ => None,
        };
        if kind.is_none() {
            self.report(kind_at, "manifest.kind", "this has to be heap, frame or global");
        }
        let (layout, name) = (self.digits(fields.get("layout")), self.name(fields.get("name")));
        let (_, uuid) = self.uuid(fields.get("uuid"))?;
        Some(Structure { at: node.at, uuid, kind: kind?, name: name?, layout: layout? })
    }

    fn unit_object(&mut self, node: &Node) -> Option<(usize, Target, Artifact)> {
        let fields = self.object(node, &["path", "sha256", "size", "target"], &[])?;
        let target = fields.get("target").and_then(|node| self.target(node));
        let artifact = self.artifact(&fields);
        let (at, target) = target?;
        Some((at, target, artifact?))
    }

    fn artifact(&mut self, fields: &Fields<'_>) -> Option<Artifact> {
        let path = self.text(fields.get("path"));
        let (sha256, size) = (self.digits(fields.get("sha256")), self.number(fields.get("size")));
        let (at, path) = path?;
        if let Err((_, what)) = check_member(path.as_bytes()) {
            self.report(at, "manifest.path", what);
            return None;
        }
        if path == MANIFEST || path == SIGNATURE {
            self.report(at, "manifest.path", "this is the manifest's or the signature's own name");
            return None;
        }
        Some(Artifact { at, path: path.to_owned(), size: size?.1, sha256: sha256? })
    }

    /// That no symbol is defined twice, and no path used twice.
    fn check_unique(&mut self, manifest: &Manifest) {
        let mut symbols = BTreeMap::new();
        for unit in &manifest.units {
            for symbol in unit.symbols.each().chain(&unit.exports) {
                if let Some(other) = symbols.insert(&symbol.name, unit) {
                    let what = format!("{} is defined by {} already", symbol.name, other.title());
                    self.report(symbol.at, "manifest.symbol-twice", what);
                }
            }
            let defined: BTreeSet<&str> =
                unit.symbols.each().chain(&unit.exports).map(|symbol| symbol.name.as_str()).collect();
            for symbol in &unit.requires {
                if defined.contains(symbol.name.as_str()) {
                    let what = format!("{} is both defined and required", symbol.name);
                    self.report(symbol.at, "manifest.symbol-twice", what);
                }
            }
        }
        let mut paths = BTreeSet::new();
        for artifact in manifest.artifacts() {
            if !paths.insert(&artifact.path) {
                self.report(artifact.at, "manifest.path-twice", format!("{} is named twice", artifact.path));
            }
        }
    }

    /// That a unit has objects for all targets and for no others.
    fn check_targets(&mut self, unit: &Unit, targets: &[Target]) {
        for target in targets {
            if !unit.objects.iter().any(|(other, _)| other == target) {
                let what = format!("{} has no object for {}", unit.title(), target.name());
                self.report(unit.at, "manifest.target", what);
            }
        }
        for (target, artifact) in &unit.objects {
            if !targets.contains(target) {
                let what = format!("{} is no target of the archive", target.name());
                self.report(artifact.at, "manifest.target", what);
            }
        }
    }
}

/// What a unit may require: any identifier, but not the runtime's, which are there in any case.
fn check_required(name: &str) -> Result<(), &'static str> {
    check_identifier(name)?;
    if is_of_the_runtime(name) { Err("belongs to the runtime, and need not be required") } else { Ok(()) }
}
