//! Table images in an archive: verified as the runtime will, and compared with what the manifest says of them.

use crate::manifest::{Structure, Unit};
use crate::problem::{Place, Problem};
use ironwall::image::Image;
use ironwall::{ImageRule, Uuid};

/// What is wrong with a unit's table image, whose first byte is at an offset of the expanded archive.
pub(crate) fn check(unit: &Unit, bytes: &[u8], start: usize) -> Vec<Problem> {
    let image = match Image::verify(bytes) {
        Ok(image) => image,
        Err((rule, at)) => {
            let what = format!("{}, byte {at}: {}", unit.table.path, rule_text(rule));
            return vec![Problem::new(Place::Tar, start + at as usize, rule_id(rule), what)];
        }
    };
    let mut problems = Vec::new();
    let mut differ = |at, what: String| problems.push(Problem::new(Place::Manifest, at, "manifest.table", what));
    let path = &unit.table.path;
    if image.package() != unit.package.as_bytes() || image.unit() != unit.name.as_bytes() {
        differ(unit.at, format!("{path} is not the table of {}", unit.title()));
    }
    if imports(&image) != unit.imports {
        differ(unit.at, format!("the imports are not those of {path}"));
    }
    let structures = structures(&image);
    for (i, structure) in unit.structures.iter().enumerate() {
        let told = Some(Structure { at: 0, ..structure.clone() });
        if told != structures.get(i).cloned() {
            differ(structure.at, format!("{} is not structure {i} of {path}", structure.name));
        }
    }
    if unit.structures.len() < structures.len() {
        differ(unit.at, format!("{path} has {} structures", structures.len()));
    }
    problems
}

/// The tables that an image imports, ascending.
pub(crate) fn imports(image: &Image<'_>) -> Vec<Uuid> {
    let mut imports: Vec<Uuid> = (0..image.use_count()).map(|i| image.using(i).table).collect();
    imports.dedup();
    imports
}

/// What a manifest says of an image's structures.
pub(crate) fn structures(image: &Image<'_>) -> Vec<Structure> {
    let structure = |i| {
        let entry = image.entry(i);
        // A verified name is ASCII.
        let name = String::from_utf8_lossy(entry.name).into_owned();
        Structure { at: 0, uuid: entry.id, kind: entry.kind, name, layout: entry.layout }
    };
    (0..image.entry_count()).map(structure).collect()
}

/// The name of an image's rule.
#[must_use]
pub fn rule_id(rule: ImageRule) -> &'static str {
    match rule {
        ImageRule::Length => "table.length",
        ImageRule::Magic => "table.magic",
        ImageRule::Version => "table.version",
        ImageRule::Size => "table.size",
        ImageRule::Reserved => "table.reserved",
        ImageRule::Digest => "table.digest",
        ImageRule::Name => "table.name",
        ImageRule::Identity => "table.identity",
        ImageRule::Order => "table.order",
        ImageRule::Kind => "table.kind",
        ImageRule::Layout => "table.layout",
        ImageRule::Tag => "table.tag",
        ImageRule::LayoutDigest => "table.layout-digest",
        _ => "table.other",
    }
}

/// What an image does that breaks a rule.
#[must_use]
pub fn rule_text(rule: ImageRule) -> &'static str {
    match rule {
        ImageRule::Length => "shorter than a table image can be, or longer",
        ImageRule::Magic => "no table image",
        ImageRule::Version => "another version of table images, or another order of bytes",
        ImageRule::Size => "the parts do not add up to the whole",
        ImageRule::Reserved => "a reserved byte is not zero",
        ImageRule::Digest => "the digest is not that of the table",
        ImageRule::Name => "a name is empty, too long, out of bounds, or not printable",
        ImageRule::Identity => "an identity is not that of its names",
        ImageRule::Order => "entries or uses are not ascending, or one is there twice",
        ImageRule::Kind => "an unknown kind, flag or tail",
        ImageRule::Layout => "an extent or an offset is unaligned, out of bounds, or out of order",
        ImageRule::Tag => "a tag is not the hash of its identity",
        ImageRule::LayoutDigest => "a layout digest is not that of the layout",
        _ => "a rule that this program has no text for is broken",
    }
}
