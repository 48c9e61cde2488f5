//! `docs/syscalls.md` is made from the tables of system calls.
//!
//! `UPDATE_EXPECT=1 cargo test -p kernel --test docs` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use kernel::syscall::{GROUPS, Row, Support};
use linux_abi::nr;

fn page() -> String {
    let rows: BTreeMap<u32, &Row> =
        GROUPS.iter().flat_map(|group| group.iter()).map(|row| (u32::from(row.number), row)).collect();
    let full = rows.values().filter(|row| row.support == Support::Full).count();
    let missing: Vec<&(u32, &str)> = nr::CALLS.iter().filter(|(number, _)| !rows.contains_key(number)).collect();
    let mut out = format!(
        "# System calls\n\nMade from the tables in `crates/kernel/src`; `UPDATE_EXPECT=1 cargo test -p kernel --test docs` writes it \
         anew.\nOf the {} calls of arm64 Linux, {full} are complete, {} are there in part, and {} return `ENOSYS`.\n\n",
        nr::CALLS.len(),
        rows.len() - full,
        missing.len(),
    );
    out += "| number | call | support |\n|---|---|---|\n";
    for (number, row) in &rows {
        let support = match row.support {
            Support::Full => "full".to_owned(),
            Support::Partial(what) => format!("in part: {what}"),
        };
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(out, "| {number} | `{}({})` | {support} |", row.name, row.args.join(", "));
    }
    out += "\n## Not there: `ENOSYS`\n\n";
    for (number, name) in missing {
        let _ = writeln!(out, "- {number} `{name}`");
    }
    out
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test may be told to update its expectation")]
fn the_page_of_system_calls_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/syscalls.md");
    let page = page();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "docs/syscalls.md is stale: run UPDATE_EXPECT=1 cargo test -p kernel --test docs");
}

#[test]
fn every_row_has_the_name_that_its_number_has_in_the_headers() {
    for row in GROUPS.iter().flat_map(|group| group.iter()) {
        assert_eq!(nr::name(u64::from(row.number)), Some(row.name), "number {}", row.number);
    }
}
