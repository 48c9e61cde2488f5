//! What units have to agree about, and what is worth knowing of them.

use super::plan::{External, Note};
use super::units::{LinkedUnit, find};
use super::{Finding, order};
use crate::elf;
use ironwall::Uuid;
use ironwall::tag::Tags;
use ironwall_format::uuid_text;
use std::collections::{BTreeMap, BTreeSet};

/// That every import is there, with the layouts that the importer was compiled for.
pub(super) fn imports(units: &[LinkedUnit<'_>], findings: &mut Vec<Finding>) {
    for unit in units {
        let (title, at) = (unit.manifest.title(), unit.manifest.at);
        for using in (0..unit.image.use_count()).map(|i| unit.image.using(i)) {
            let Some(other) = find(units, using.table).map(|i| &units[i]) else {
                let what = format!("{title} imports {}, which is in no archive", uuid_text(using.table));
                findings.push(unit.finding(at, "link.import-missing", what));
                continue;
            };
            if using.structure == Uuid::NIL {
                continue;
            }
            let of = other.manifest.title();
            let structures = &other.manifest.structures;
            let found = structures.binary_search_by_key(&using.structure, |structure| structure.uuid);
            match found.ok().map(|i| &structures[i]) {
                None => {
                    let what = format!("{title} uses {} of {of}, which has none", uuid_text(using.structure));
                    findings.push(unit.finding(at, "link.structure-missing", what));
                }
                Some(structure) if structure.layout != using.layout => {
                    let what = format!("{title} was compiled for another layout of {} of {of}", structure.name);
                    findings.push(unit.finding(at, "link.layout", what));
                }
                Some(_) => {}
            }
        }
    }
}

/// The runtime's functions that collect, or run what may.
const COLLECTING: [&str; 6] =
    ["iw_collect", "iw_host_point", "iw_host_serve", "iw_may_collect", "iw_run_init", "ironwall_units_init"];

/// That no symbol is defined twice, and that effects are consistent: nobody who is not prepared for a collection needs
/// what may collect, and a unit of which nothing may collect needs nothing that does.
pub(super) fn symbols(units: &[LinkedUnit<'_>], findings: &mut Vec<Finding>) {
    let mut defined: BTreeMap<&str, (&LinkedUnit<'_>, bool)> = BTreeMap::new();
    for unit in units {
        for symbol in unit.manifest.symbols.each().chain(&unit.manifest.exports) {
            if let Some((other, _)) = defined.insert(&symbol.name, (unit, symbol.may_collect)) {
                let (one, two) = (unit.manifest.title(), other.manifest.title());
                let what = format!("{} is defined by {one} and by {two}", symbol.name);
                findings.push(unit.finding(symbol.at, "link.symbol-twice", what));
            }
        }
    }
    for unit in units {
        for symbol in unit.manifest.requires.iter().filter(|symbol| !symbol.may_collect) {
            if let Some((other, true)) = defined.get(symbol.name.as_str()) {
                let (one, two) = (unit.manifest.title(), other.manifest.title());
                let what = format!("{one} is not prepared for a collection, which {} of {two} may make", symbol.name);
                findings.push(unit.finding(symbol.at, "link.effect", what));
            }
        }
        let claims_none = !unit.manifest.symbols.each().chain(&unit.manifest.exports).any(|symbol| symbol.may_collect);
        let collects =
            |name: &str| COLLECTING.contains(&name) || defined.get(name).is_some_and(|(_, collects)| *collects);
        if let Some(name) = needs(unit).into_iter().find(|name| claims_none && collects(name)) {
            let title = unit.manifest.title();
            let what = format!("{title} says that nothing of it may collect, and needs {name}, which may");
            findings.push(unit.finding(unit.manifest.at, "link.effect", what));
        }
    }
}

/// The symbols that a unit's objects need of others, the runtime included.
fn needs(unit: &LinkedUnit<'_>) -> BTreeSet<String> {
    unit.objects.iter().flat_map(|object| elf::names(object.bytes).1).collect()
}

/// That no two structures have the same three tags; those that share only the first are noted.
pub(super) fn tags(units: &[LinkedUnit<'_>], findings: &mut Vec<Finding>) -> Vec<Note> {
    let mut named: BTreeMap<u64, Vec<Tagged<'_>>> = BTreeMap::new();
    for unit in units {
        for structure in &unit.manifest.structures {
            let tags = Tags::new(unit.uuid(), structure.uuid);
            let title = format!("{} of {}", structure.name, unit.manifest.title());
            named.entry(tags.tag1).or_default().push(Tagged { unit, at: structure.at, tags, title });
        }
    }
    let shared = named.into_values().filter(|tagged| tagged.len() > 1);
    shared.map(|tagged| collision(tagged, findings)).collect()
}

/// A structure and its tags.
struct Tagged<'a> {
    unit: &'a LinkedUnit<'a>,
    at: usize,
    tags: Tags,
    title: String,
}

/// Structures with one `tag1`. They ascend by unit and structure, as do manifests.
fn collision(tagged: Vec<Tagged<'_>>, findings: &mut Vec<Finding>) -> Note {
    let mut seen: BTreeMap<Tags, &Tagged<'_>> = BTreeMap::new();
    for one in &tagged {
        if let Some(other) = seen.insert(one.tags, one) {
            let what = format!("{} and {} have the same three tags", other.title, one.title);
            findings.push(one.unit.finding(one.at, "link.tags", what));
        }
    }
    let tag1 = tagged.first().map_or(0, |one| one.tags.tag1);
    let titles: Vec<String> = tagged.into_iter().map(|one| one.title).collect();
    Note::new("note.tag1", format!("the tag1 {tag1:016x} is that of {}", titles.join(" and of ")))
}

/// Units that are in several archives.
pub(super) fn containers(units: &[LinkedUnit<'_>]) -> Vec<Note> {
    let several = units.iter().filter(|unit| unit.archives.len() > 1);
    several
        .map(|unit| {
            let what = format!("{} is the same in {}", unit.manifest.title(), unit.archives.join(" and in "));
            Note::new("note.same-unit", what)
        })
        .collect()
}

/// Symbols that a unit needs of another without importing it, so that its body may run before the other's.
pub(super) fn calls(units: &[LinkedUnit<'_>]) -> Vec<Note> {
    let mut defined: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, unit) in units.iter().enumerate() {
        defined.extend(unit.manifest.symbols.each().chain(&unit.manifest.exports).map(|symbol| (&symbol.name[..], i)));
    }
    let mut notes = Vec::new();
    for (i, unit) in units.iter().enumerate() {
        let mut imported = None;
        for symbol in &unit.manifest.requires {
            let Some(&other) = defined.get(symbol.name.as_str()) else { continue };
            if !imported.get_or_insert_with(|| order::imported(units, i)).contains(&other) {
                let (one, two) = (unit.manifest.title(), units[other].manifest.title());
                let what = format!("{one} needs {} of {two} without importing it", symbol.name);
                notes.push(Note::new("note.not-imported", what));
            }
        }
    }
    notes
}

/// Symbols that no unit defines: the program or the system has to.
pub(super) fn externals(units: &[LinkedUnit<'_>]) -> Vec<External> {
    let mut needed: BTreeMap<&str, External> = BTreeMap::new();
    for unit in units {
        for symbol in &unit.manifest.requires {
            let of = || External { symbol: symbol.name.clone(), may_collect: true, units: Vec::new() };
            let external = needed.entry(&symbol.name).or_insert_with(of);
            external.may_collect &= symbol.may_collect;
            external.units.push(unit.uuid());
        }
    }
    for symbol in units.iter().flat_map(|unit| unit.manifest.symbols.each().chain(&unit.manifest.exports)) {
        needed.remove(symbol.name.as_str());
    }
    needed.into_values().collect()
}
