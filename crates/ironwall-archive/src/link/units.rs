//! The units of all archives, each once, in the order of their tables' UUIDs.

use super::{Finding, Input};
use crate::manifest::{Symbol, Unit};
use crate::target::Target;
use ironwall::Uuid;
use ironwall::image::Image;
use std::collections::BTreeMap;

/// A unit of the program.
#[derive(Clone, Debug)]
pub struct LinkedUnit<'a> {
    /// What the manifest says of it, in the first of the archives.
    pub manifest: &'a Unit,
    /// Its table.
    pub image: Image<'a>,
    /// The names of the archives that it is in, ascending.
    pub archives: Vec<&'a str>,
    /// Its objects for the target, ascending by their digests.
    pub objects: Vec<LinkedObject<'a>>,
}

/// An object of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkedObject<'a> {
    /// The SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// The bytes.
    pub bytes: &'a [u8],
}

impl LinkedUnit<'_> {
    /// The identity of its table.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        self.manifest.uuid
    }

    /// Something wrong with the unit, at a byte of the manifest in the first of its archives.
    pub(super) fn finding(&self, at: usize, rule: &'static str, what: String) -> Finding {
        Finding::new(self.archives.first().copied().unwrap_or_default(), at, rule, what)
    }
}

/// The place of the unit with an identity among units in the order of their UUIDs.
pub(super) fn find(units: &[LinkedUnit<'_>], uuid: Uuid) -> Option<usize> {
    units.binary_search_by_key(&uuid, LinkedUnit::uuid).ok()
}

/// The units of archives, which ascend by name.
pub(super) fn collect<'a>(archives: &[&'a Input], target: Target, findings: &mut Vec<Finding>) -> Vec<LinkedUnit<'a>> {
    for pair in archives.windows(2).filter(|pair| pair[0].name == pair[1].name) {
        let what = "two archives have this name, and a plan could not tell them apart".to_owned();
        findings.push(Finding::new(&pair[1].name, 0, "link.archive-twice", what));
    }
    let mut units: BTreeMap<Uuid, LinkedUnit<'a>> = BTreeMap::new();
    for input in archives {
        let manifest = input.archive.manifest();
        if !manifest.targets.contains(&target) {
            let what = format!("the archive has no objects for {}", target.name());
            findings.push(Finding::new(&input.name, 0, "link.target", what));
        }
        for unit in &manifest.units {
            let Some(linked) = of_archive(input, unit, target) else {
                // An archive that was read has all its members, and they were verified.
                let what = format!("the files of {} are not in the archive", unit.title());
                findings.push(Finding::new(&input.name, unit.at, "link.damaged", what));
                continue;
            };
            let Some(first) = units.get_mut(&unit.uuid) else {
                units.insert(unit.uuid, linked);
                continue;
            };
            match difference(first, &linked) {
                None => first.archives.extend(linked.archives),
                Some(part) => {
                    let (title, other) = (unit.title(), first.archives.first().copied().unwrap_or_default());
                    let what = format!("{title} is in {other} too, with {part}");
                    findings.push(Finding::new(&input.name, unit.at, "link.unit-twice", what));
                }
            }
        }
    }
    units.into_values().collect()
}

/// A unit of an archive.
fn of_archive<'a>(input: &'a Input, unit: &'a Unit, target: Target) -> Option<LinkedUnit<'a>> {
    let image = Image::verify(input.archive.member(&unit.table.path)?).ok()?;
    let files = unit.objects.iter().filter(|(other, _)| *other == target);
    let object = |(_, file): &'a (Target, crate::manifest::Artifact)| {
        Some(LinkedObject { sha256: file.sha256, bytes: input.archive.member(&file.path)? })
    };
    let mut objects: Vec<_> = files.map(object).collect::<Option<_>>()?;
    objects.sort_unstable();
    Some(LinkedUnit { manifest: unit, image, archives: vec![&input.name], objects })
}

/// What differs in two units of one identity. Paths in their archives do not matter.
fn difference(one: &LinkedUnit<'_>, two: &LinkedUnit<'_>) -> Option<&'static str> {
    let effects = |symbols: &[Symbol]| -> Vec<(String, bool)> {
        symbols.iter().map(|symbol| (symbol.name.clone(), symbol.may_collect)).collect()
    };
    let symbols = |unit: &Unit| effects(&unit.symbols.each().cloned().collect::<Vec<_>>());
    let (a, b) = (one.manifest, two.manifest);
    let digests = |unit: &LinkedUnit<'_>| unit.objects.iter().map(|object| object.sha256).collect::<Vec<_>>();
    let differs = [
        (a.table.sha256 != b.table.sha256, "another table"),
        (symbols(a) != symbols(b), "other symbols"),
        (effects(&a.exports) != effects(&b.exports), "other exports"),
        (effects(&a.requires) != effects(&b.requires), "other requirements"),
        (digests(one) != digests(two), "other objects"),
    ];
    differs.into_iter().find(|(differs, _)| *differs).map(|(_, part)| part)
}
