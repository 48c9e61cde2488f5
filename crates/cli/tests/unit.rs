//! `vambrace unit` as its users see it: exit statuses and what is printed.
#![expect(clippy::unwrap_used, reason = "a helper of a test that fails is a test that fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use ironwall::Kind;
use ironwall_format::{Structure, Table};

fn unit(args: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vambrace")).arg("unit").args(args).current_dir(dir).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn image() -> Vec<u8> {
    let table = Table::new("ironwall.example", "list").with(Structure::of_slots(Kind::Heap, "Cell", 2));
    table.with(Structure::new(Kind::Heap, "Text", 8, &[]).with_bytes(1)).image().unwrap()
}

#[test]
fn a_table_image_is_shown_as_text_and_as_json() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("list.tbl"), image()).unwrap();
    let shown = unit(&["inspect", "list.tbl"], dir.path());
    assert_eq!(shown.status.code(), Some(0), "{}", text(&shown.stderr));
    let lines = text(&shown.stdout);
    for part in ["unit list of package ironwall.example", "03b4a6b9-6254-84f9-b46e-9c8166c6717c", "f91573ae88bc84ee"] {
        assert!(lines.contains(part), "{part} is missing in\n{lines}");
    }
    let json = unit(&["inspect", "--json", "list.tbl"], dir.path());
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["tag3"], "cfc25fdbbb436dfe");
    assert_eq!(json["structures"].as_array().unwrap().len(), 2);
}

#[test]
fn each_way_to_fail_has_its_exit_status() {
    let dir = tempfile::tempdir().unwrap();
    let mut damaged = image();
    damaged[80] ^= 1;
    fs::write(dir.path().join("damaged"), damaged).unwrap();
    fs::write(dir.path().join("text\u{1b}[2J"), "no table\n").unwrap();
    let check = |args: &[&str], status, message: &str| {
        let output = unit(args, dir.path());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
        assert!(said.contains(message) && !said.contains('\u{1b}'), "{args:?}: {said}");
        assert!(output.stdout.is_empty());
    };
    check(&["inspect"], 2, "FILE");
    check(&["inspect", "damaged"], 65, "table.digest");
    check(&["inspect", "text\u{1b}[2J"], 65, "text\\x1b[2J: neither");
    check(&["inspect", "nothing"], 66, "nothing: No such file");
    check(&["inspect", "."], 74, "directory");
}

#[test]
fn a_description_becomes_an_image_a_header_and_a_source() {
    let dir = tempfile::tempdir().unwrap();
    let description = r#"{"package": "ironwall.example", "unit": "list", "structures": [
        {"kind": "heap", "name": "Cell", "fields": [{"name": "next", "type": "ref"}, {"name": "value", "type": "ref"}]},
        {"kind": "heap", "name": "Text", "fields": [{"name": "size", "type": "u64"}],
         "tail": {"name": "bytes", "type": "u8"}}]}"#;
    fs::write(dir.path().join("list.json"), description).unwrap();
    let made = unit(&["table", "list.json", "-o", "."], dir.path());
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    assert_eq!(fs::read(dir.path().join("list.tbl")).unwrap(), image(), "the same as by hand");
    let header = fs::read_to_string(dir.path().join("list.h")).unwrap();
    assert!(header.contains("extern const uint8_t listMetadataTable["), "{header}");
    let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["list.c", "list.h", "list.json", "list.tbl"]);
    fs::write(dir.path().join("list.json"), "{\n  \"package\": \u{1b}").unwrap();
    let refused = unit(&["table", "list.json", "-o", "."], dir.path());
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(65), "{said}");
    assert!(said.contains("line 2 column") && !said.contains('\u{1b}'), "{said}");
    fs::write(dir.path().join("list.json"), description).unwrap();
    assert_eq!(unit(&["table", "list.json", "-o", "missing"], dir.path()).status.code(), Some(66));
}
