//! Linking: from archives to a plan of one program, without I/O.
//!
//! [`link()`] takes archives that were read and a target. It reports everything that keeps them from being one program,
//! or gives the [`Plan`]: which tables are attached, in which order bodies run, the objects, and the C source that
//! does it. Nothing depends on the order of the archives, nor on which archive a unit comes in: archives are only
//! containers, so a unit that is in two of them, the same in each, is one unit.
//!
//! Reading order: `units` brings the archives' units together, `check` compares them, `order` sorts them, [`plan`] and
//! `stub` write down the result. `docs/ironwall/linking.md` lists the rules.

pub mod plan;

mod check;
mod order;
mod stub;
mod units;

pub use plan::{External, Note, Plan};
pub use units::{LinkedObject, LinkedUnit};

use crate::archive::Archive;
use crate::name::check_member;
use crate::problem::{Place, Problem};
use crate::target::Target;
use std::fmt;

/// An archive to link, and what it is called.
#[derive(Clone, Debug)]
pub struct Input {
    name: String,
    archive: Archive,
}

impl Input {
    /// An archive with a name, which is that of its file without directories.
    ///
    /// # Errors
    /// The name is not one that a lock file and a plan can have.
    pub fn new(name: &str, archive: Archive) -> Result<Self, &'static str> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), archive })
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The archive.
    #[must_use]
    pub fn archive(&self) -> &Archive {
        &self.archive
    }
}

/// Whether a text can be the name of an archive in lock files and plans: 1 to 100 letters, digits and `. _ + -`.
///
/// # Errors
/// What is wrong.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    match check_member(name.as_bytes()) {
        Ok(()) if !name.contains('/') => Ok(()),
        _ => Err("an archive's name has 1 to 100 letters, digits and . _ + -"),
    }
}

/// What keeps archives from being linked: a problem, and the archive that it is reported in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The name of the archive.
    pub archive: String,
    /// The rule, the byte of the manifest, and what is wrong.
    pub problem: Problem,
}

impl Finding {
    fn new(archive: &str, at: usize, rule: &'static str, what: String) -> Self {
        Self { archive: archive.to_owned(), problem: Problem::new(Place::Manifest, at, rule, what) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.archive, self.problem)
    }
}

/// Plans a program of these archives for a target.
///
/// # Errors
/// Everything that keeps them from being one program, in an order that does not depend on theirs.
pub fn link(inputs: &[Input], target: Target) -> Result<Plan<'_>, Vec<Finding>> {
    let mut archives: Vec<&Input> = inputs.iter().collect();
    archives.sort_by(|one, two| (&one.name, one.archive.digest()).cmp(&(&two.name, two.archive.digest())));
    let mut findings = Vec::new();
    let units = units::collect(&archives, target, &mut findings);
    check::imports(&units, &mut findings);
    check::symbols(&units, &mut findings);
    let mut notes = check::tags(&units, &mut findings);
    let order = order::order(&units, &mut findings);
    if !findings.is_empty() {
        findings.sort();
        findings.dedup();
        return Err(findings);
    }
    notes.extend(check::containers(&units));
    notes.extend(check::calls(&units));
    notes.sort();
    let externals = check::externals(&units);
    Ok(Plan { target, archives, units, order, notes, externals })
}
