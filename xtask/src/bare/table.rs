//! `docs/conformance.md`: what each test comes to in each column.

use super::Outcomes;
use crate::expectations::Column;
use crate::shell::{root, say};
use crate::tap::Outcome;
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const HEAD: &str = "\
# Conformance

<!-- `cargo xtask bare --write` writes this page, down to the section of `cargo xtask programs --write`. -->

The tests in `tests/guest` are programs for ARM64 Linux, built once.
They run **hosted** (`vambrace run`, in an ordinary process), **bare** (the same kernel in QEMU's `virt` machine) and on **Linux** (Debian's kernel in the same machine), with one set of expectations.
A cell shows how many of a program's checks passed; what is not equal to Linux is listed below.

";

/// Writes the page.
pub(super) fn write(results: &BTreeMap<Column, Outcomes>) -> Result<()> {
    let path = root().join("docs/conformance.md");
    fs::write(&path, page(results, &others(&path))).with_context(|| format!("cannot write {}", path.display()))?;
    say(&format!("wrote {}", path.display()));
    Ok(())
}

/// Compares the page with what it should be.
pub(super) fn check(results: &BTreeMap<Column, Outcomes>) -> Result<()> {
    let path = root().join("docs/conformance.md");
    if fs::read_to_string(&path).unwrap_or_default() != page(results, &others(&path)) {
        bail!("docs/conformance.md is not up to date; `cargo xtask bare --write` writes it");
    }
    Ok(())
}

/// The section of the page that another task writes.
fn others(path: &Path) -> String {
    crate::programs::section(&fs::read_to_string(path).unwrap_or_default()).to_owned()
}

fn page(results: &BTreeMap<Column, Outcomes>, others: &str) -> String {
    let mut text = String::from(HEAD);
    text.push_str("| test | hosted | bare | Linux |\n|---|---|---|---|\n");
    let names: BTreeSet<&String> = results.values().flat_map(BTreeMap::keys).collect();
    let mut totals = [0; 3];
    let mut differences = Vec::new();
    for name in names {
        let cells = Column::ALL.map(|column| results.get(&column).and_then(|outcomes| outcomes.get(name)));
        for (total, cell) in totals.iter_mut().zip(cells) {
            *total += cell.map_or(0, |outcome| outcome.passed.len());
        }
        let [hosted, bare, linux] = cells.map(show);
        let _ = writeln!(text, "| {name} | {hosted} | {bare} | {linux} |");
        for (column, cell) in Column::ALL.iter().zip(cells) {
            let failed = cell.iter().flat_map(|outcome| &outcome.failed);
            differences.extend(failed.map(|check| format!("- {}, `{name}`: {check}", column.name())));
        }
    }
    let [hosted, bare, linux] = totals;
    let _ = writeln!(text, "| all | {hosted} | {bare} | {linux} |");
    text.push_str("\n## Failing checks\n\n");
    text.push_str(&if differences.is_empty() { "None.".into() } else { differences.join("\n") });
    text.push('\n');
    if !others.is_empty() {
        text.push('\n');
        text.push_str(others);
    }
    text
}

fn show(outcome: Option<&Outcome>) -> String {
    let Some(outcome) = outcome else { return "–".into() };
    let (passed, all) = (outcome.passed.len(), outcome.passed.len() + outcome.failed.len());
    let skipped = match outcome.skipped.len() {
        0 => String::new(),
        count => format!(", {count} skipped"),
    };
    match &outcome.trouble {
        Some(_) => format!("{passed} of {all}, failed{skipped}"),
        None if passed == all => format!("{passed}{skipped}"),
        None => format!("{passed} of {all}{skipped}"),
    }
}
