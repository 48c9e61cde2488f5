//! Making archives: the same input gives the same bytes, wherever and in whatever order.
//!
//! What is made is examined as if it came from elsewhere, so that nothing leaves that [`crate::read`] would refuse.

use crate::archive::{Archive, examine};
use crate::description::{DescribedUnit, Description, File};
use crate::digest::sha256;
use crate::elf;
use crate::json::{Style, Value, is_text, parse};
use crate::limits::Limits;
use crate::manifest::{Artifact, MANIFEST, Manifest, SIGNATURE, Symbol, Symbols, Unit};
use crate::name::{check_identifier, check_symbol, is_of_the_runtime};
use crate::problem::{Place, Problem};
use crate::signature::PrivateKey;
use crate::table::{imports, rule_id, rule_text, structures};
use crate::{gzip, tar};
use ironwall::image::Image;
use std::collections::{BTreeMap, BTreeSet};

/// An archive that was made.
#[derive(Clone, Debug)]
pub struct Packed {
    /// The bytes of the file.
    pub bytes: Vec<u8>,
    /// The archive, as it is read back.
    pub archive: Archive,
}

/// Packs what a description names; `files` has the bytes of every file by its path.
///
/// # Errors
/// Everything that is wrong, with the description or with what would be the archive.
pub fn pack(
    description: &Description,
    files: &BTreeMap<String, Vec<u8>>,
    key: Option<&PrivateKey>,
    limits: Limits,
) -> Result<Packed, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut units = Vec::new();
    for unit in &description.units {
        match describe(unit, files) {
            Ok(unit) => units.push(unit),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    units.sort_by(|one, two| (&one.package, &one.name).cmp(&(&two.package, &two.name)));
    let targets: BTreeSet<_> = units.iter().flat_map(|unit| unit.objects.iter().map(|(target, _)| *target)).collect();
    let manifest = Manifest {
        producer: description.producer.clone(),
        licence: description.licence.clone(),
        targets: targets.into_iter().collect(),
        units,
    };
    let mut members = BTreeMap::new();
    for artifact in manifest.artifacts() {
        members.insert(artifact.path.clone(), files.get(&artifact.path).cloned().unwrap_or_default());
    }
    seal(manifest.to_text().into_bytes(), members, key, limits)
}

/// Whether a document is a manifest rather than a description; which it is wrong as is told by either's reader.
#[must_use]
pub fn is_manifest(bytes: &[u8]) -> bool {
    let node = parse(bytes, Place::Manifest, Style::Free);
    node.is_ok_and(|node| matches!(node.value, Value::Object(keys) if keys.iter().any(|(key, ..)| key == "format")))
}

/// Packs a manifest as it is, with its files; for what was unpacked, and for compilers that write manifests.
///
/// # Errors
/// Everything that is wrong.
pub fn pack_manifest(
    manifest: Vec<u8>,
    files: &BTreeMap<String, Vec<u8>>,
    key: Option<&PrivateKey>,
    limits: Limits,
) -> Result<Packed, Vec<Problem>> {
    let parsed = Manifest::parse(&manifest)?;
    let mut members = BTreeMap::new();
    for artifact in parsed.artifacts() {
        if let Some(bytes) = files.get(&artifact.path) {
            members.insert(artifact.path.clone(), bytes.clone());
        }
    }
    seal(manifest, members, key, limits)
}

fn seal(
    manifest: Vec<u8>,
    mut members: BTreeMap<String, Vec<u8>>,
    key: Option<&PrivateKey>,
    limits: Limits,
) -> Result<Packed, Vec<Problem>> {
    if let Some(key) = key {
        members.insert(SIGNATURE.to_owned(), key.sign(&manifest));
    }
    members.insert(MANIFEST.to_owned(), manifest);
    let bytes = gzip::compress(&tar::write(&members));
    let examined = examine(&bytes, limits);
    match examined.archive {
        Some(archive) => Ok(Packed { bytes, archive }),
        None => Err(examined.problems),
    }
}

/// What a manifest says of a described unit.
fn describe(unit: &DescribedUnit, files: &BTreeMap<String, Vec<u8>>) -> Result<Unit, Problem> {
    let table = content(&unit.table, files)?;
    let image = Image::verify(table).map_err(|(rule, at)| {
        let what = format!("{}, byte {at}: {}", unit.table.path, rule_text(rule));
        Problem::new(Place::Description, unit.table.at, rule_id(rule), what)
    })?;
    let (package, name) = (text(unit, image.package())?, text(unit, image.unit())?);
    let mut objects = Vec::new();
    let (mut defined, mut undefined) = (BTreeMap::new(), BTreeSet::new());
    for (target, file) in &unit.objects {
        let bytes = content(file, files)?;
        let (defines, needs) = elf::names(bytes);
        defined.extend(defines);
        undefined.extend(needs);
        objects.push((*target, artifact(file, bytes)));
    }
    objects.sort_by(|one, two| (one.0, &one.1.path).cmp(&(two.0, &two.1.path)));

    let symbol = |name: &String, may_collect| Symbol { at: 0, name: name.clone(), may_collect };
    // Names that cannot be declared are left to the audit, which tells which object has them.
    undefined.retain(|name| !defined.contains_key(name) && !is_of_the_runtime(name) && check_identifier(name).is_ok());
    defined.retain(|name, _| !unit.symbols.contains(name) && check_symbol(name).is_ok());
    let [metadata, globals, init] = &unit.symbols;
    let structures = structures(&image);
    if let Some(structure) = structures.iter().find(|structure| !is_text(&structure.name)) {
        text(unit, structure.name.as_bytes())?;
    }
    Ok(Unit {
        at: 0,
        uuid: image.table(),
        table: artifact(&unit.table, table),
        symbols: Symbols {
            metadata: symbol(metadata, false),
            globals: symbol(globals, false),
            init: symbol(init, unit.init_may_collect),
        },
        imports: imports(&image),
        // Data cannot collect; whatever else may.
        exports: unit
            .exports
            .clone()
            .map_or_else(|| defined.iter().map(|(name, &may_be_code)| symbol(name, may_be_code)).collect(), sorted),
        requires: unit
            .requires
            .clone()
            .map_or_else(|| undefined.iter().map(|name| symbol(name, true)).collect(), sorted),
        structures,
        objects,
        package,
        name,
    })
}

fn sorted(mut symbols: Vec<Symbol>) -> Vec<Symbol> {
    symbols.sort_by(|one, two| one.name.cmp(&two.name));
    symbols
}

fn content<'f>(file: &File, files: &'f BTreeMap<String, Vec<u8>>) -> Result<&'f [u8], Problem> {
    let what = format!("{} is not there", file.path);
    files
        .get(&file.path)
        .map(Vec::as_slice)
        .ok_or_else(|| Problem::new(Place::Description, file.at, "archive.missing", what))
}

fn artifact(file: &File, bytes: &[u8]) -> Artifact {
    Artifact { at: 0, path: file.path.clone(), size: bytes.len() as u64, sha256: sha256(bytes) }
}

/// A name of an image, if a manifest has room for its characters.
fn text(unit: &DescribedUnit, name: &[u8]) -> Result<String, Problem> {
    let text = String::from_utf8_lossy(name).into_owned();
    if is_text(&text) {
        return Ok(text);
    }
    let what = format!("manifests have no names with quotes or backslashes: {}", crate::problem::escaped(name));
    Err(Problem::new(Place::Description, unit.table.at, "manifest.name", what))
}
