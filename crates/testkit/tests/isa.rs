//! `docs/isa.md` is made from the table of features, the encoding table and
//! `docs/isa-coverage.md`; and what is advertised has been compared.
//!
//! `UPDATE_EXPECT=1 cargo test -p testkit --test isa` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use a64::Encoding;
use machine::features::{Cap, Condition, FEATURES, Feature, NOT_PROVIDED};
use testkit::oracle::compare::{BASE, Tally};
use testkit::oracle::coverage::{Line, read};

/// Features that cannot be compared with the reference, and what tests them.
const TESTED_ELSEWHERE: &[(&str, &str)] = &[
    ("FEAT_RNG", "random numbers: `crates/engine/tests/system.rs`"),
    ("FEAT_ECV", "the time: `tests/guest/c/cpu_features.c`"),
    ("FEAT_SSBS", "part of FEAT_SSBS2"),
    ("FEAT_PAuth2", "a property of FEAT_PAuth: `crates/engine/tests/pauth.rs`"),
    ("FEAT_FPACCOMBINE", "a property of FEAT_PAuth: `crates/engine/tests/pauth.rs`"),
    ("FEAT_FPAC", "a property of FEAT_PAuth: `crates/engine/tests/pauth.rs`"),
];

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

fn coverage() -> BTreeMap<String, Line> {
    read(&fs::read_to_string(docs("isa-coverage.md")).expect("the page is there"))
}

fn encodings(feature: &str) -> Vec<&'static str> {
    let rows = Encoding::ALL.iter().filter(|row| row.row().needs.iter().any(|need| need.feature == feature));
    rows.map(|row| row.name()).collect()
}

/// Joins what `text` makes of each.
fn list<T>(items: &[T], separator: &str, text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(separator)
}

fn condition(any: &&[Condition]) -> String {
    list(any, " or ", |c| format!("{}.{} ≥ {}", c.field.register.name(), c.name, c.least))
}

fn results(tally: Option<&Tally>) -> String {
    tally.map_or_else(|| "| |".to_owned(), |t| format!("{} | {} |", t.cases + t.in_runs, t.unexplained()))
}

fn row(feature: &Feature, coverage: &BTreeMap<String, Line>) -> String {
    let caps = list(feature.caps, ", ", |cap: &Cap| format!("`{}`", cap.name));
    let fields = list(feature.conditions, ", ", condition);
    let machines = match (feature.machines.engine, feature.machines.bare) {
        (true, true) => "hosted, bare",
        (true, false) => "hosted",
        (false, true) => "bare",
        (false, false) => "not yet",
    };
    let elsewhere = TESTED_ELSEWHERE.iter().find(|(name, _)| *name == feature.name).map_or("", |(_, why)| why);
    let tally = coverage.get(feature.name).map(|line| &line.tally);
    let rows = encodings(feature.name).len();
    format!("| {} | {machines} | {caps} | {fields} | {rows} | {} {elsewhere} |", feature.name, results(tally))
}

fn page() -> String {
    let coverage = coverage();
    let mut out = String::from(
        "# Instruction set\n\n\
         Made from the table of features (`crates/machine/src/features/table.rs`), the encoding table \
         (`crates/a64/src/table`) and `isa-coverage.md`; `UPDATE_EXPECT=1 cargo test -p testkit --test isa` writes it \
         anew.\n\n\
         Programs get A64 of Armv8.0-A with floating point and Advanced SIMD, and the features below.\n\
         Hosted, the engine has them all; on the bare machine programs get those that the processor has.\n\
         HWCAP, the ID registers that EL0 may read and `/proc/cpuinfo` tell of them on both.\n\
         Compared are the instructions that ran both on the engine and under QEMU, alone and in runs, and how many \
         cases differ without an explanation; a feature is offered only when there are none.\n\n\
         | feature | machines | HWCAP | ID register | encodings | compared | differ | note |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let base = Encoding::ALL.iter().filter(|row| row.row().needs.is_empty() && base_group(**row)).count();
    let tally = coverage.get(BASE).map(|line| &line.tally);
    let _ = writeln!(out, "| {BASE} | hosted, bare | `cpuid` | | {base} | {} |", results(tally));
    for feature in FEATURES {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(out, "{}", row(feature, &coverage));
    }
    out += "\n## Not provided\n\n\
            `decisions/0011-features-not-provided.md` has the reasons. Instructions of these are undefined, hints do \
            nothing:\n\n";
    for name in NOT_PROVIDED {
        let _ = writeln!(out, "- {name}");
    }
    out
}

fn base_group(row: Encoding) -> bool {
    let group = row.row().group;
    group != "fp" && group != "crypto" && !group.starts_with("simd")
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test may be told to update its expectation")]
fn the_page_of_features_is_fresh() {
    let page = page();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(docs("isa.md"), &page).expect("the page can be written");
    }
    let committed = fs::read_to_string(docs("isa.md")).unwrap_or_default();
    assert!(committed == page, "docs/isa.md is stale: run UPDATE_EXPECT=1 cargo test -p testkit --test isa");
}

#[test]
fn every_row_is_in_the_coverage_page() {
    let coverage = coverage();
    let missing: Vec<_> =
        Encoding::ALL.iter().map(|row| row.name()).filter(|row| !coverage.contains_key(*row)).collect();
    assert!(missing.is_empty(), "run `cargo xtask oracle --instructions 100000000 --write`: {missing:?}");
}

#[test]
fn a_feature_is_advertised_only_if_its_instructions_agreed() {
    let coverage = coverage();
    for feature in FEATURES.iter().filter(|feature| feature.machines.engine) {
        if TESTED_ELSEWHERE.iter().any(|(name, _)| *name == feature.name) {
            continue;
        }
        let line = coverage.get(feature.name).unwrap_or_else(|| panic!("{}: no cases", feature.name));
        assert!(line.tally.cases > 0 && line.tally.unexplained() == 0, "{}: {line:?}", feature.name);
        for row in encodings(feature.name) {
            let line = coverage.get(row).unwrap_or_else(|| panic!("{row} is not in the page"));
            assert!(line.tally.unexplained() == 0, "{row}, {}: {line:?}", feature.name);
            assert!(line.tally.cases > 0 || !line.note.is_empty(), "{row}, {}: {line:?}", feature.name);
        }
    }
}

#[test]
fn every_row_of_the_base_architecture_agreed() {
    let coverage = coverage();
    for row in Encoding::ALL.iter().filter(|row| row.row().needs.is_empty()) {
        let line = &coverage[row.name()];
        assert!(line.tally.unexplained() == 0, "{}: {line:?}", row.name());
        assert!(line.tally.cases > 0 || (!line.note.is_empty() && line.note != "no cases"), "{}: {line:?}", row.name());
    }
}
