//! An archive as a whole: from bytes to units that can be trusted to be what the manifest says.
//!
//! [`examine`] reports everything that is wrong, [`read`] the first of it. Neither does I/O, and nothing is ever
//! unpacked: members are ranges of the expanded archive in memory.

use crate::digest::sha256;
use crate::elf;
use crate::limits::{Limits, MAX_MANIFEST};
use crate::manifest::{Artifact, MANIFEST, Manifest, SIGNATURE, Unit};
use crate::problem::{Place, Problem, hex};
use crate::signature::{self, PublicKey};
use crate::tar::Member;
use crate::{gzip, table, tar};
use std::collections::BTreeSet;
use std::fmt;

/// An archive in which nothing is wrong.
#[derive(Clone)]
pub struct Archive {
    digest: [u8; 32],
    expanded: Vec<u8>,
    members: Vec<Member>,
    manifest: Manifest,
    signer: Option<PublicKey>,
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").field("digest", &hex(&self.digest)).field("members", &self.members.len()).finish()
    }
}

/// What an examination found.
#[derive(Clone, Debug)]
pub struct Examined {
    /// The SHA-256 of the file.
    pub digest: [u8; 32],
    /// The archive, if nothing is wrong.
    pub archive: Option<Archive>,
    /// What is wrong, in the order of layers and offsets.
    pub problems: Vec<Problem>,
    /// How many problems more there are than the limit allows to tell.
    pub omitted: usize,
    signature: Signature,
}

/// What is known of the signature of an archive, and the offset of its member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signature {
    /// What is before it is damaged, or it is wrong itself, which is a problem already.
    Unknown,
    Absent,
    By(PublicKey, usize),
}

impl Examined {
    /// The key that signed the manifest, if one did and as much is known.
    #[must_use]
    pub fn signer(&self) -> Option<PublicKey> {
        match self.signature {
            Signature::By(key, _) => Some(key),
            Signature::Unknown | Signature::Absent => None,
        }
    }

    /// Makes it a problem if none of these keys signed the manifest.
    pub fn require_signer(&mut self, keys: &[PublicKey]) {
        let (at, rule, what) = match self.signature {
            Signature::Absent => (0, "signature.missing", "the archive is not signed".to_owned()),
            Signature::By(key, at) if !keys.contains(&key) => {
                (at, "signature.signer", format!("the archive is signed by another key: {key}"))
            }
            Signature::By(..) | Signature::Unknown => return,
        };
        self.archive = None;
        self.problems.push(Problem::new(Place::Tar, at, rule, what));
        self.problems.sort();
    }
}

/// Reads an archive.
///
/// # Errors
/// The first thing that is wrong.
pub fn read(bytes: &[u8], limits: Limits) -> Result<Archive, Problem> {
    let mut examined = examine(bytes, limits);
    match examined.archive {
        Some(archive) => Ok(archive),
        None => Err(examined.problems.swap_remove(0)),
    }
}

/// Reads an archive and finds everything that is wrong with it.
#[must_use]
pub fn examine(bytes: &[u8], limits: Limits) -> Examined {
    let digest = sha256(bytes);
    let (problems, signature) = (Vec::new(), Signature::Unknown);
    let mut examined = Examined { digest, archive: None, problems, omitted: 0, signature };
    match gzip::expand(bytes, &limits) {
        Err(problem) => examined.problems.push(problem),
        Ok(expanded) => examine_expanded(&mut examined, expanded, &limits),
    }
    examined.problems.sort();
    let most = limits.problems.max(1);
    examined.omitted = examined.problems.len().saturating_sub(most);
    examined.problems.truncate(most);
    examined
}

fn examine_expanded(examined: &mut Examined, expanded: Vec<u8>, limits: &Limits) {
    let (members, found) = tar::read(&expanded, limits);
    let members_are_whole = found.is_empty();
    let problems = &mut examined.problems;
    let is_too_much = found.iter().any(|problem| problem.rule == "tar.limit");
    problems.extend(found);
    if is_too_much {
        return;
    }
    let Some(member) = find(&members, MANIFEST) else {
        if members_are_whole {
            let what = format!("there is no {MANIFEST}");
            problems.push(Problem::new(Place::Tar, 0, "archive.manifest", what));
        }
        return;
    };
    if member.data.len() > MAX_MANIFEST {
        let what = format!("{MANIFEST} is longer than {MAX_MANIFEST} bytes");
        return problems.push(Problem::new(Place::Tar, member.header, "manifest.limit", what));
    }
    let manifest_bytes = &expanded[member.data.clone()];
    match find(&members, SIGNATURE) {
        Some(member) => match signature::check(&expanded[member.data.clone()], manifest_bytes) {
            Ok(key) => examined.signature = Signature::By(key, member.header),
            Err((at, rule, what)) => problems.push(Problem::new(Place::Tar, member.data.start + at, rule, what)),
        },
        None if members_are_whole => examined.signature = Signature::Absent,
        None => {}
    }
    let manifest = match Manifest::parse(manifest_bytes) {
        Ok(manifest) => manifest,
        Err(more) => return problems.extend(more),
    };
    problems.extend(undeclared(&members, &manifest));
    let contents = Contents { expanded: &expanded, members: &members };
    for unit in &manifest.units {
        contents.check_unit(unit, problems, members_are_whole, limits.problems);
    }
    if problems.is_empty() {
        let (digest, signer) = (examined.digest, examined.signer());
        examined.archive = Some(Archive { digest, expanded, members, manifest, signer });
    }
}

/// Members that the manifest does not name.
fn undeclared(members: &[Member], manifest: &Manifest) -> Vec<Problem> {
    let declared: BTreeSet<&str> =
        manifest.artifacts().map(|artifact| artifact.path.as_str()).chain([MANIFEST, SIGNATURE]).collect();
    let others = members.iter().filter(|member| !declared.contains(member.name.as_str()));
    let problem = |member: &Member| {
        let what = format!("the manifest does not name {}", member.name);
        Problem::new(Place::Tar, member.header, "archive.undeclared", what)
    };
    others.map(problem).collect()
}

struct Contents<'a> {
    expanded: &'a [u8],
    members: &'a [Member],
}

impl<'a> Contents<'a> {
    /// Checks the files of a unit. A file that is missing is reported if the list of members is known to be whole.
    fn check_unit(&self, unit: &Unit, problems: &mut Vec<Problem>, is_whole: bool, limit: usize) {
        let table = self.artifact(&unit.table, problems, is_whole);
        if let Some((bytes, start)) = table {
            problems.extend(table::check(unit, bytes, start));
        }
        let mut targets: Vec<_> = unit.objects.iter().map(|(target, _)| *target).collect();
        targets.dedup();
        for target in targets {
            let files = unit.objects.iter().filter(|(other, _)| *other == target);
            let objects: Vec<_> = files
                .filter_map(|(_, file)| {
                    let (bytes, start) = self.artifact(file, problems, is_whole)?;
                    Some(elf::Object { path: &file.path, bytes, start })
                })
                .collect();
            // An object that is missing is reported, and what it would define is not known.
            let all_are_there = unit.objects.iter().filter(|(other, _)| *other == target).count() == objects.len();
            if let (Some((table, _)), true) = (table, all_are_there) {
                problems.extend(elf::audit(unit, target, &objects, table, limit));
            }
        }
    }

    /// The bytes of a member that is what the manifest says, and their offset.
    fn artifact(&self, artifact: &Artifact, problems: &mut Vec<Problem>, is_whole: bool) -> Option<(&'a [u8], usize)> {
        let mut report = |rule, what| problems.push(Problem::new(Place::Manifest, artifact.at, rule, what));
        let Some(member) = find(self.members, &artifact.path) else {
            if is_whole {
                report("archive.missing", format!("{} is not in the archive", artifact.path));
            }
            return None;
        };
        let bytes = &self.expanded[member.data.clone()];
        if bytes.len() as u64 != artifact.size {
            let what = format!("{} has {} bytes, not {}", artifact.path, bytes.len(), artifact.size);
            report("archive.size", what);
            return None;
        }
        if sha256(bytes) != artifact.sha256 {
            report("archive.digest", format!("the SHA-256 is not that of {}", artifact.path));
            return None;
        }
        Some((bytes, member.data.start))
    }
}

fn find<'a>(members: &'a [Member], name: &str) -> Option<&'a Member> {
    members.iter().find(|member| member.name == name)
}

impl Archive {
    /// The SHA-256 of the file.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// What the manifest says, all of which was checked.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The key that signed the manifest, if one did. Whose key it is, and whether it is to be trusted, is not known.
    #[must_use]
    pub fn signer(&self) -> Option<&PublicKey> {
        self.signer.as_ref()
    }

    /// The members, in the order of their names.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The bytes of a member.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&[u8]> {
        find(&self.members, name).map(|member| &self.expanded[member.data.clone()])
    }
}
