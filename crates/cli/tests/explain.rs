//! `vambrace unit explain`: snapshots, what is told of them, and how it ends.
#![expect(clippy::unwrap_used, reason = "a helper of a test that fails is a test that fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use ironwall::{Block, Config, Kind, Region, Runtime, Stack, TableLimits};
use ironwall_explain::{Names, Snapshot};
use ironwall_format::{Structure, Table};
use serde_json::Value;

fn explain(args: &[&str], dir: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vambrace"));
    command.args(["unit", "explain"]).args(args).current_dir(dir).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn memory(words: usize) -> Region<'static> {
    let words = vec![0u64; words + 2].leak();
    let skip = usize::from(!words.as_ptr().addr().is_multiple_of(16));
    Region::from_words(&mut words[skip..])
}

/// A frame of another stack holds a pair, whose `cdr` is a second one; a third is dead. Gives their addresses.
fn write_snapshot(path: &Path) -> [u64; 3] {
    let table = Table::new("app", "one")
        .with(Structure::of_slots(Kind::Heap, "Pair", 2).with_field(8, "cdr"))
        .with(Structure::of_slots(Kind::Frame, "start", 1));
    let config = Config {
        tables: TableLimits { tables: 1, entries: 4, offsets: 16, globals: 0 },
        handles: 1,
        frames: memory(64),
        wipes: true,
        heap_is_zeroed: true,
        pages: None,
        on_fault: None,
    };
    let bookkeeping = vec![0; Runtime::bookkeeping_words(64 << 10, &config).unwrap()].leak();
    let mut runtime = Runtime::new(memory(8 << 10), bookkeeping, config).unwrap();
    let unit = runtime.attach(table.image().unwrap().leak(), []).unwrap();
    runtime.link().unwrap();
    runtime.start_unit(unit).unwrap();
    let entry = |kind, name| runtime.entry(table.id(), table.structure_id(kind, name)).unwrap();
    let (pair, start) = (entry(Kind::Heap, "Pair"), entry(Kind::Frame, "start"));
    let mut stacks = [Stack::new(memory(64))];
    runtime.swap_stack(&mut stacks[0]);
    let frame = runtime.push_frame(start).unwrap();
    let pairs = [0; 3].map(|_| runtime.allocate(pair).unwrap());
    runtime.store(frame, 0, pairs[0].address()).unwrap();
    runtime.store(pairs[0], 8, pairs[1].address()).unwrap();
    runtime.swap_stack(&mut stacks[0]);
    let snapshot = Snapshot::take_with(&mut runtime, &mut stacks, &Names::of([&table])).unwrap();
    fs::write(path, snapshot.to_json()).unwrap();
    pairs.map(Block::address)
}

#[test]
fn r6_e_a_path_names_stack_unit_frame_and_field_and_is_replayed() {
    let dir = tempfile::tempdir().unwrap();
    let [_, second, third] = write_snapshot(&dir.path().join("heap.json"));
    let told = explain(&["heap.json", "--block", &format!("{second:#x}"), "--check"], dir.path());
    let expected = "frame 0 of stack 1 start of app/one, slot +0\n  → #0 Pair of app/one, 16 bytes";
    let text = said(&told);
    assert!(text.starts_with(expected) && text.contains("  .cdr → #1 Pair of app/one, 16 bytes"), "{text}");
    assert!(text.ends_with("checked: 2 steps\n"), "{text}");
    assert_eq!(told.status.code(), Some(0));
    let dead =
        explain(&["heap.json", "--block", &format!("{third:#x}"), "--block", "0x10", "--block", "#9"], dir.path());
    let text = said(&dead);
    assert_eq!(dead.status.code(), Some(1));
    for part in ["#2 Pair", "no root leads to it", "no object begins at 0x10", "there is no object #9"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_path_from_a_file_is_checked_and_a_false_one_told() {
    let dir = tempfile::tempdir().unwrap();
    write_snapshot(&dir.path().join("heap.json"));
    let told = explain(&["heap.json", "--json", "--block", "#1", "--check"], dir.path());
    let answer: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!((answer["objects"].as_u64(), &answer["blocks"][0]["is_true"]), (Some(3), &Value::Bool(true)));
    let mut path = answer["blocks"][0]["path"].clone();
    fs::write(dir.path().join("path.json"), path.to_string()).unwrap();
    let good = explain(&["heap.json", "--check=path.json"], dir.path());
    assert_eq!((good.status.code(), said(&good).as_str()), (Some(0), "the path is true\n"));
    path["root"]["stack"] = 0.into();
    fs::write(dir.path().join("path.json"), path.to_string()).unwrap();
    let bad = explain(&["heap.json", "--check=path.json"], dir.path());
    assert_eq!(
        (bad.status.code(), said(&bad).as_str()),
        (Some(1), "the path is not true: root: there is no such block\n")
    );
}

#[test]
fn units_structures_roots_and_objects_have_retained_sizes() {
    let dir = tempfile::tempdir().unwrap();
    write_snapshot(&dir.path().join("heap.json"));
    let text = said(&explain(&["heap.json", "--retained"], dir.path()));
    let words: Vec<&str> = text.split_whitespace().collect();
    assert!(text.starts_with("2 objects live, 96 bytes; 1 dead, 48 bytes\n"), "{text}");
    for line in
        [&["2", "96", "96", "app/one"][..], &["2", "96", "96", "Pair"], &["96", "frame", "0", "of", "stack", "1"]]
    {
        assert!(words.windows(line.len()).any(|found| found == line), "{line:?}\n{text}");
    }
    let json = explain(&["heap.json", "--json", "--retained", "--top", "1"], dir.path());
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["retained"]["units"][0]["retained"], 96);
    assert_eq!(json["retained"]["objects"].as_array().map(Vec::len), Some(1));
    let summary = said(&explain(&["heap.json"], dir.path()));
    assert!(summary.contains("app/one") && !summary.contains("#0"), "{summary}");
}

#[test]
fn a_picture_is_drawn_and_names_come_from_a_description() {
    let dir = tempfile::tempdir().unwrap();
    write_snapshot(&dir.path().join("heap.json"));
    let drawn = explain(&["heap.json", "--svg", "heap.svg"], dir.path());
    assert_eq!((drawn.status.code(), said(&drawn).as_str()), (Some(0), ""));
    assert!(fs::read_to_string(dir.path().join("heap.svg")).unwrap().contains("96 bytes live, 48 bytes dead"));
    let description = r#"{"package": "app", "unit": "one", "structures": [
        {"kind": "heap", "name": "Pair", "fields": [{"name": "first", "type": "ref"}, {"name": "rest", "type": "ref"}]},
        {"kind": "frame", "name": "start", "fields": [{"name": "list", "type": "ref", "count": 1}]}]}"#;
    fs::write(dir.path().join("one.json"), description).unwrap();
    let told = explain(&["heap.json", "--names", "one.json", "--block", "#1"], dir.path());
    assert_eq!(String::from_utf8_lossy(&told.stderr), "");
    let told = said(&told);
    assert!(told.contains("slot list[0]") && told.contains(".rest → #1"), "{told}");
}

#[test]
fn each_way_to_fail_has_its_exit_status_and_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    write_snapshot(&dir.path().join("heap.json"));
    let text = fs::read_to_string(dir.path().join("heap.json")).unwrap();
    fs::write(dir.path().join("cut.json"), &text[..text.len() - 1]).unwrap();
    fs::write(dir.path().join("changed.json"), text.replacen("Pair", "Pear\\u001b", 1)).unwrap();
    let check = |args: &[&str], status, message: &str| {
        let output = explain(args, dir.path());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
        assert!(said.contains(message) && !said.contains('\u{1b}'), "{args:?}: {said}");
        assert!(output.stdout.is_empty());
    };
    check(&[], 2, "SNAPSHOT");
    check(&["heap.json", "--block", "12"], 2, "expected an address");
    check(&["heap.json", "--top", "3"], 2, "--retained");
    check(&["heap.json", "--check"], 2, "--check needs a --block");
    check(&["cut.json"], 65, "cut.json: EOF while parsing");
    check(&["changed.json", "--svg", "x.svg"], 65, "units[0].structures[");
    check(&["heap.json", "--names", "cut.json"], 65, "cut.json: ");
    check(&["heap.json", "--names", "heap.json"], 65, "the format is");
    check(&["heap.json", "--check=heap.json"], 65, "the format is");
    check(&["nothing.json"], 66, "nothing.json: No such file");
    check(&["heap.json", "--check=nothing.json"], 66, "nothing.json");
    check(&["."], 74, "directory");
    check(&["heap.json", "--svg", "none/x.svg"], 66, "none/x.svg");
    assert!(!dir.path().join("x.svg").exists());
}
