//! The page of requirements beside the tests in the tree: each row has a test, and each test that is named exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The statements of the runtime's specification.
const ROWS: &[&str] = &[
    "1.a", "1.b", "1.c", "2.a", "2.b", "2.c", "3.1", "3.2.a", "3.2.b", "3.2.c", "3.3.a", "3.3.b", "3.3.c", "4", "5.a",
    "5.b", "5.c", "6.a", "6.b", "6.c", "6.d", "6.e", "7.1.a", "7.1.b", "7.1.c", "7.1.d", "7.1.e", "7.2.a", "7.2.b",
    "7.2.c", "7.2.d", "7.2.e", "7.3.a", "7.3.b", "7.3.c", "8.a", "8.b", "8.c", "8.1.a", "8.1.b", "8.1.c", "8.1.d",
    "8.1.e",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The names of the tests in the crates whose names say what they check.
fn tests() -> BTreeSet<String> {
    let (mut folders, mut names) = (vec![root().join("crates")], BTreeSet::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("text");
                let (mut is_test, mut lines) = (false, text.lines().map(str::trim));
                for line in &mut lines {
                    is_test |= line == "#[test]";
                    if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
                        let name = rest.split('(').next().unwrap_or_default();
                        is_test = false;
                        if !ids(name).is_empty() {
                            names.insert(name.to_owned());
                        }
                    }
                }
            }
        }
    }
    names
}

/// The statements in the name of a test: `r3_3_b_c_r5_c_…` is of 3.3.b, 3.3.c and 5.c.
fn ids(name: &str) -> Vec<String> {
    let (mut ids, mut words) = (Vec::new(), name.split('_').peekable());
    while let Some(section) = words.peek().and_then(|word| word.strip_prefix('r')) {
        if section.is_empty() || !section.bytes().all(|byte| byte.is_ascii_digit()) {
            break;
        }
        words.next();
        let mut id = section.to_owned();
        while let Some(number) = words.next_if(|word| word.bytes().all(|byte| byte.is_ascii_digit())) {
            id = format!("{id}.{number}");
        }
        // Letters that make a statement; `a` may also be the first word of a sentence.
        let mut is_alone = true;
        while let Some(letter) =
            words.next_if(|word| ROWS.contains(&format!("{id}.{word}").as_str()) && (is_alone || *word != "a"))
        {
            ids.push(format!("{id}.{letter}"));
            is_alone = false;
        }
        if is_alone {
            ids.push(id);
        }
    }
    ids
}

/// The rows of the page: their statements, and the cell that names tests.
fn rows() -> Vec<(Vec<String>, String)> {
    let page = fs::read_to_string(root().join("docs/ironwall/requirements.md")).expect("the page");
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit());
    rows.map(|row| {
        let [_, id, _, tests, ..] = row.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("a row has three cells: {row}")
        };
        let mut ids: Vec<String> = Vec::new();
        for part in id.split(", ") {
            // `3.3.b, c` is 3.3.b and 3.3.c.
            let id = match ids.last().and_then(|last| last.rsplit_once('.')) {
                Some((section, _)) if part.len() == 1 => format!("{section}.{part}"),
                _ => part.to_owned(),
            };
            ids.push(id);
        }
        (ids, tests.to_owned())
    })
    .collect()
}

/// The names of tests in a cell, between backticks.
fn named(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2).filter(|name| !ids(name).is_empty())
}

#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn every_statement_has_a_row_and_a_test_of_its_own_name() {
    let rows = rows();
    let mut told: Vec<&str> = rows.iter().flat_map(|(ids, _)| ids).map(String::as_str).collect();
    let mut statements = ROWS.to_vec();
    told.sort_unstable();
    statements.sort_unstable();
    assert_eq!(told, statements, "the page has each statement once");
    let tested: BTreeSet<String> = tests().iter().flat_map(|name| ids(name)).collect();
    let untested: Vec<_> = ROWS.iter().filter(|row| !tested.contains(**row)).collect();
    assert!(untested.is_empty(), "no test has these in its name: {untested:?}");
    let unknown: Vec<_> = tested.iter().filter(|id| !ROWS.contains(&id.as_str())).collect();
    assert!(unknown.is_empty(), "these are no statements: {unknown:?}");
}

#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn every_test_that_the_page_names_is_there() {
    let tests = tests();
    for (ids, cell) in rows() {
        assert!(named(&cell).next().is_some(), "{ids:?} names no test");
        for name in named(&cell) {
            let is_there = match name.strip_suffix('…') {
                Some(start) => tests.iter().any(|test| test.starts_with(start)),
                None => tests.contains(name),
            };
            assert!(is_there, "{ids:?}: there is no test {name}");
        }
    }
}

#[test]
fn names_tell_statements() {
    assert_eq!(ids("r3_3_b_c_r5_c_both_are_the_same"), ["3.3.b", "3.3.c", "5.c"]);
    assert_eq!(ids("r2_a_a_list"), ["2.a"]);
    assert_eq!(ids("r3_1_r5_a_r7_1_b_two_libraries"), ["3.1", "5.a", "7.1.b"]);
    assert_eq!(ids("r4_r6_c_what"), ["4", "6.c"]);
    assert!(ids("reads_files").is_empty() && ids("rust").is_empty() && ids("r").is_empty());
}
