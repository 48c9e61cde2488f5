//! `vambrace unit verify` and `inspect`: what they print of archives, whole and damaged.

use std::fs;

use ironwall_archive::{Limits, gzip, read, tar};
use serde_json::Value;

use crate::support::{ends, packed, succeeds, text, unit};

/// The members of the archive in a directory, changed, as another archive in it.
fn changed(dir: &std::path::Path, change: impl FnOnce(&mut std::collections::BTreeMap<String, Vec<u8>>)) {
    let archive = read(&fs::read(dir.join("names.tgz")).unwrap(), Limits::default()).unwrap();
    let member = |name: &str| archive.member(name).unwrap().to_vec();
    let mut members = archive.members().iter().map(|one| (one.name.clone(), member(&one.name))).collect();
    change(&mut members);
    fs::write(dir.join("changed.tgz"), gzip::compress(&tar::write(&members))).unwrap();
}

#[test]
fn a_good_archive_is_verified_in_a_line() {
    let dir = packed();
    let said = succeeds(&unit(dir.path(), ["verify", "names.tgz"]));
    assert!(said.starts_with("names.tgz: nothing is wrong; 1 unit, not signed, sha256 "), "{said}");
    let json: Value = serde_json::from_str(&succeeds(&unit(dir.path(), ["verify", "--json", "names.tgz"]))).unwrap();
    let archive = &json["archives"][0];
    assert_eq!(archive["file"], "names.tgz");
    assert_eq!(archive["problems"].as_array().unwrap().len(), 0);
    assert!(archive["signer"].is_null() && said.contains(archive["sha256"].as_str().unwrap()));
}

#[test]
fn everything_that_is_wrong_with_every_archive_is_told() {
    let dir = packed();
    changed(dir.path(), |members| {
        members.insert("a-stranger".to_owned(), b"rm -rf /".to_vec());
        members.remove("aarch64/code.o");
        members.get_mut("names.tbl").unwrap()[100] ^= 1;
        members.get_mut("x86_64/names.o").unwrap().push(0);
    });
    fs::write(dir.path().join("none\u{1b}[2J.tgz"), "none").unwrap();
    let args = ["verify", "names.tgz", "changed.tgz", "none\u{1b}[2J.tgz"];
    let output = unit(dir.path(), args);
    let said = ends(&output, 1);
    assert!(output.stderr.is_empty(), "findings are what was asked for");
    let rules: Vec<&str> = said.lines().filter_map(|line| line.split(": ").nth(1)).collect();
    let all = ["archive.undeclared", "archive.missing", "archive.size", "archive.digest", "gzip.magic"];
    assert_eq!(rules[1..].len(), all.len(), "{said}");
    assert!(all.iter().all(|rule| rules.contains(rule)), "{said}");
    assert!(said.contains("none\\x1b[2J.tgz: gzip.magic") && said.contains("(byte 0 of the file)"), "{said}");

    let output = unit(dir.path(), ["verify", "--json", "changed.tgz"]);
    assert_eq!(output.status.code(), Some(1));
    let json: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    let problems = json["archives"][0]["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 4);
    for problem in problems {
        assert!(problem["offset"].is_u64() && problem["rule"].is_string() && problem["place"].is_string(), "{problem}");
    }
    // One that is not there does not hide what is wrong with the others.
    let said = ends(&unit(dir.path(), ["verify", "lost.tgz", "changed.tgz"]), 66);
    assert!(said.contains("changed.tgz: archive.missing") && said.contains("lost.tgz: No such file"), "{said}");
    ends(&unit(dir.path(), ["verify", "."]), 74);
    ends(&unit(dir.path(), ["verify"]), 2);
}

#[test]
fn inspect_shows_an_archive_only_if_nothing_is_wrong_with_it() {
    let dir = packed();
    let shown = succeeds(&unit(dir.path(), ["inspect", "names.tgz"]));
    for line in [
        "producer tests 1\n",
        "targets aarch64-linux x86_64-linux\n",
        "unit names of package ironwall.example\n",
        "heap Entry\n",
        "metadata namesMetadataTable\n",
        "exports names_add, may collect\n",
        "object for x86_64-linux in x86_64/code.o, ",
    ] {
        assert!(shown.contains(line), "{line} is missing in\n{shown}");
    }
    let json: Value = serde_json::from_str(&succeeds(&unit(dir.path(), ["inspect", "--json", "names.tgz"]))).unwrap();
    let unit_json = &json["units"][0];
    assert_eq!(unit_json["table"]["unit"], "names");
    assert_eq!(unit_json["table"]["structures"].as_array().unwrap().len(), 4);
    assert_eq!(unit_json["symbols"]["init"], "namesRuntimeInit");
    assert_eq!(unit_json["objects"].as_array().unwrap().len(), 4);
    assert_eq!(json["collisions"].as_object().unwrap().len(), 0);

    changed(dir.path(), |members| drop(members.remove("manifest.json")));
    let output = unit(dir.path(), ["inspect", "changed.tgz"]);
    let said = ends(&output, 65);
    assert!(output.stdout.is_empty() && said.contains("archive.manifest"), "{said}");
    fs::write(dir.path().join("text"), "neither").unwrap();
    assert!(ends(&unit(dir.path(), ["inspect", "text"]), 65).contains("(byte 0 of the file)"));
}
