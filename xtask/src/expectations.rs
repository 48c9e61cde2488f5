//! What the guest tests may do where: one set of expectations for all kernels.
//!
//! Every check is expected to pass everywhere. `tests/guest/known-failures.txt`
//! lists what fails, `tests/guest/skips.txt` what may be left out and why; an
//! entry that is not needed any more is an error.

use crate::shell::root;
use crate::tap::Outcome;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::fs;

/// Where the tests run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    /// `vambrace run`, in an ordinary process.
    Hosted,
    /// Our kernel on a machine of its own.
    Bare,
    /// A real Linux kernel.
    Linux,
}

impl Column {
    pub(crate) const ALL: [Self; 3] = [Self::Hosted, Self::Bare, Self::Linux];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hosted => "hosted",
            Self::Bare => "bare",
            Self::Linux => "linux",
        }
    }
}

/// What one column may fail and skip.
#[derive(Debug)]
pub(crate) struct Expectations {
    column: Column,
    known: BTreeSet<String>,
    skips: BTreeSet<String>,
}

/// How an outcome compares with what was expected.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Known failures that failed.
    pub(crate) expected: usize,
    /// What is to be said; the test is good if there is nothing.
    pub(crate) complaints: Vec<String>,
}

impl Expectations {
    /// Reads both lists.
    pub(crate) fn load(column: Column) -> Result<Self> {
        Ok(Self { column, known: list("known-failures.txt", column)?, skips: list("skips.txt", column)? })
    }

    /// Compares a test's outcome.
    pub(crate) fn check(&self, program: &str, outcome: &Outcome) -> Verdict {
        let (mut verdict, column) = (Verdict::default(), self.column.name());
        if self.known.contains(&format!("{program}: *")) {
            if outcome.trouble.is_none() && outcome.failed.is_empty() {
                verdict.complaints.push(format!("PASSES, so take it off known-failures.txt: {column} {program}: *"));
            }
            verdict.expected += 1;
            return verdict;
        }
        for check in &outcome.failed {
            if self.known.contains(&format!("{program}: {check}")) {
                verdict.expected += 1;
            } else {
                verdict.complaints.push(format!("FAILED {column} {program}: {check}"));
            }
        }
        for check in &outcome.passed {
            let entry = format!("{program}: {check}");
            if self.known.contains(&entry) {
                verdict.complaints.push(format!("PASSES, so take it off known-failures.txt: {column} {entry}"));
            }
        }
        for reason in outcome.skipped.iter().collect::<BTreeSet<_>>() {
            if !self.skips.contains(&format!("{program}: {reason}")) {
                verdict
                    .complaints
                    .push(format!("SKIPPED, which skips.txt does not allow: {column} {program}: {reason}"));
            }
        }
        if let Some(trouble) = &outcome.trouble {
            verdict.complaints.push(format!("FAILED {column} {program}: {trouble}"));
        }
        verdict
    }
}

/// The entries of a list for a column, as `program: check`. A line starts with
/// the column, or with `all`.
fn list(file: &str, column: Column) -> Result<BTreeSet<String>> {
    let path = root().join("tests/guest").join(file);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut entries = BTreeSet::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (place, entry) = line.split_once(' ').unwrap_or((line, ""));
        let is_column = Column::ALL.iter().any(|column| column.name() == place);
        ensure!(entry.contains(": ") && (is_column || place == "all"), "{file}: bad line: {line}");
        if place == "all" || place == column.name() {
            entries.insert(entry.to_owned());
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expectations() -> Expectations {
        let set = |entry: &str| BTreeSet::from([entry.to_owned()]);
        Expectations { column: Column::Bare, known: set("a: x"), skips: set("a: no sockets") }
    }

    fn outcome(failed: &[&str], passed: &[&str], skipped: &[&str]) -> Outcome {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let skipped = skipped.iter().map(|name| (*name).to_owned()).collect();
        Outcome { failed: owned(failed), passed: owned(passed), skipped, trouble: None }
    }

    #[test]
    fn only_listed_failures_and_skips_are_silent() {
        let expectations = expectations();
        assert!(expectations.check("a", &outcome(&["x"], &["y"], &["no sockets"])).complaints.is_empty());
        assert_eq!(expectations.check("a", &outcome(&["y"], &[], &[])).complaints.len(), 1);
        assert_eq!(expectations.check("a", &outcome(&["x"], &[], &["tired"])).complaints.len(), 1);
    }

    #[test]
    fn a_listed_failure_that_passes_is_told() {
        assert_eq!(expectations().check("a", &outcome(&[], &["x"], &[])).complaints.len(), 1);
    }
}
