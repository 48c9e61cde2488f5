//! Units of every kind, from their description to what is shown of them.

use std::fs;
use std::path::Path;
use std::process::Command;

use ironwall::Uuid;
use ironwall_format::uuid_text;
use serde_json::Value;

use crate::support::{DESCRIPTION, ends, sources, succeeds, unit};

/// Units and their structures: with nothing, with layouts only, with global blocks only.
const PARTS: [(&str, &str); 3] = [
    ("empty", ""),
    ("layouts", r#"{"kind": "heap", "name": "Cell", "fields": [{"name": "next", "type": "ref"}]}"#),
    ("roots", r#"{"kind": "global", "name": "state", "fields": [{"name": "kept", "type": "ref"}]}"#),
];

/// Makes and compiles a unit for x86_64; the part of a description that names it.
fn make(dir: &Path, package: &str, name: &str, structures: &str) -> String {
    let table = format!(r#"{{"package": "{package}", "unit": "{name}", "structures": [{structures}]}}"#);
    fs::write(dir.join(format!("{name}.json")), table).unwrap();
    succeeds(&unit(dir, ["table", &format!("{name}.json"), "-o", "."]));
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ironwall-capi/include");
    let mut command = Command::new("x86_64-linux-gnu-gcc");
    command.args(["-std=c99", "-O2", "-c", &format!("{name}.c"), "-I"]).arg(include).current_dir(dir);
    succeeds(&command.output().unwrap());
    format!(
        r#"{{"table": "{name}.tbl", "objects": {{"x86_64-linux": ["{name}.o"]}}, "symbols":
            {{"metadata": "{name}MetadataTable", "globals": "{name}GlobalTable", "init": "{name}RuntimeInit"}}}}"#
    )
}

/// Packs units; what is shown of the archive as JSON.
fn pack(dir: &Path, units: &[String]) -> Value {
    let description = format!(r#"{{"producer": "tests 1", "licence": "MIT", "units": [{}]}}"#, units.join(", "));
    fs::write(dir.join("archive.json"), description).unwrap();
    succeeds(&unit(dir, ["pack", "archive.json", "-o", "archive.tgz"]));
    succeeds(&unit(dir, ["verify", "archive.tgz"]));
    serde_json::from_str(&succeeds(&unit(dir, ["inspect", "--json", "archive.tgz"]))).unwrap()
}

#[test]
fn r8_a_r8_c_units_of_layouts_of_globals_and_of_nothing_keep_their_identity() {
    let dir = tempfile::tempdir().unwrap();
    let units = PARTS.map(|(name, structures)| make(dir.path(), "ironwall.example", name, structures));
    let together = pack(dir.path(), &units);
    assert_eq!(together["units"].as_array().unwrap().len(), PARTS.len());
    for (i, (name, _)) in PARTS.into_iter().enumerate() {
        let alone = pack(dir.path(), &units[i..=i]);
        for (archive, place) in [(&together, i), (&alone, 0)] {
            let table = &archive["units"][place]["table"];
            let id = Uuid::of_table(b"ironwall.example", name.as_bytes());
            assert_eq!(table["uuid"], uuid_text(id), "{name}");
            let kinds: Vec<&Value> = table["structures"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
            assert_eq!(kinds, [&[][..], &["heap"], &["global"]][i], "{name}");
        }
        // The container has no part in what the unit is.
        assert_eq!(alone["units"][0], together["units"][i], "{name}");
    }
}

#[test]
fn r8_1_c_a_symbol_that_is_missing_twice_there_or_no_identifier_is_refused() {
    let dir = sources();
    let check = |description: &str, rule: &str, symbol: &str| {
        fs::write(dir.path().join("unit.json"), description).unwrap();
        let said = ends(&unit(dir.path(), ["pack", "unit.json", "-o", "names.tgz"]), 65);
        assert!(said.lines().any(|line| line.contains(rule) && line.contains(symbol)), "{rule} {symbol}\n{said}");
        assert!(said.lines().all(|line| line.contains("(byte ")), "{said}");
        assert!(!dir.path().join("names.tgz").exists());
    };
    fs::copy(dir.path().join("x86_64/names.o"), dir.path().join("x86_64/other.o")).unwrap();
    for symbol in ["namesMetadataTable", "namesGlobalTable", "namesRuntimeInit"] {
        let named = |other: &str| DESCRIPTION.replacen(symbol, other, 1);
        check(&named("namesNowhere"), "elf.symbol-missing", "namesNowhere");
        for other in ["names table", "9names", "names-table", "main", "iw_table", ""] {
            check(&named(other), "manifest.symbol", &format!("\"{other}\""));
        }
        // Data instead of code, and code instead of data.
        let other = if symbol.ends_with("Init") { "names_entries" } else { "names_start" };
        check(&named(other), "elf.symbol-kind", other);
        let twice = DESCRIPTION.replacen("\"x86_64/names.o\"", "\"x86_64/names.o\", \"x86_64/other.o\"", 1);
        check(&twice, "elf.symbol-twice", symbol);
        let without = DESCRIPTION.replacen("\"x86_64/names.o\", ", "", 1);
        check(&without, "elf.symbol-missing", symbol);
    }
    check(
        &DESCRIPTION.replacen("\"init\": \"namesRuntimeInit\"", "\"init_\": 1", 1),
        "document.missing-key",
        "\"init\"",
    );
    check(
        &DESCRIPTION.replacen("namesGlobalTable", "namesRuntimeInit", 1),
        "manifest.symbol-twice",
        "namesRuntimeInit",
    );
}

#[test]
fn r7_2_e_structures_with_the_same_tag1_are_told_within_a_table_and_across_tables() {
    // Real collisions; `cargo run --release -p ironwall-format --example collisions 25` finds them.
    let heap =
        |name: &str| format!(r#"{{"kind": "heap", "name": "{name}", "fields": [{{"name": "a", "type": "u64"}}]}}"#);
    let one = ["S1be1b58", "Sa9e125", "S13c656d"].map(heap).join(", ");
    let dir = tempfile::tempdir().unwrap();
    let units = [make(dir.path(), "collision", "one", &one), make(dir.path(), "collision", "two", &heap("Sc010f9"))];
    let shown = pack(dir.path(), &units);
    let mut collisions: Vec<Vec<String>> = shown["collisions"]
        .as_object()
        .unwrap()
        .values()
        .map(|names| names.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect())
        .collect();
    collisions.iter_mut().for_each(|names| names.sort());
    collisions.sort();
    let across = ["collision/one heap S1be1b58", "collision/two heap Sc010f9"];
    let within = ["collision/one heap S13c656d", "collision/one heap Sa9e125"];
    assert_eq!(collisions, [within, across]);
    assert_eq!(shown["units"][0]["table"]["collisions"].as_array().unwrap().len(), 1, "within the first table");
    let text = succeeds(&unit(dir.path(), ["inspect", "archive.tgz"]));
    let lines: Vec<&str> = text.lines().filter(|line| line.contains(" is that of ")).collect();
    assert!(lines.len() == 2 && lines.iter().any(|line| line.ends_with(&across.join(", "))), "{text}");
}
