//! `vambrace unit lock` and `link`: what is written, what is refused, and how it ends.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::support::{Files, ends, snapshot, succeeds, unit};

/// The units of the example, with an archive for each.
const UNITS: [&str; 3] = ["words", "index", "report"];
const COMPILERS: [(&str, &str); 2] = [("gcc", "x86_64-linux"), ("aarch64-linux-gnu-gcc", "aarch64-linux")];

/// A directory with the three archives of the example, compiled for both targets.
fn archives() -> TempDir {
    static MADE: OnceLock<Files> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let dir = tempfile::tempdir().unwrap();
        for (path, bytes) in snapshot(&here.join("../../examples/ironwall/linked")) {
            fs::write(dir.path().join(path), bytes).unwrap();
        }
        for unit in UNITS {
            let description = format!("{unit}.json");
            succeeds(&crate::support::unit(dir.path(), ["table", &description, "-o", "."]));
            for (compiler, target) in COMPILERS {
                fs::create_dir_all(dir.path().join(target)).unwrap();
                for file in [unit.to_owned(), format!("{unit}_library")] {
                    let mut gcc = Command::new(compiler);
                    gcc.args(["-std=c99", "-O1", "-c", "-I"]).arg(here.join("../ironwall-capi/include"));
                    gcc.args([&format!("{file}.c"), "-o", &format!("{target}/{file}.o")]);
                    succeeds(&gcc.current_dir(dir.path()).output().unwrap());
                }
            }
            let (description, archive) = (format!("{unit}-archive.json"), format!("{unit}.tgz"));
            succeeds(&crate::support::unit(dir.path(), ["pack", &description, "-o", &archive]));
        }
        let mut files = snapshot(dir.path());
        files.retain(|path, _| path.extension().is_some_and(|extension| extension == "tgz"));
        files
    });
    let dir = tempfile::tempdir().unwrap();
    for (path, bytes) in made {
        fs::write(dir.path().join(path), bytes).unwrap();
    }
    dir
}

fn link(dir: &Path, words: &str) -> std::process::Output {
    unit(dir, ["link"].into_iter().chain(words.split(' ')))
}

fn lock(dir: &Path, words: &str) -> std::process::Output {
    unit(dir, ["lock"].into_iter().chain(words.split(' ')))
}

#[test]
fn r8_1_e_the_order_of_archives_on_the_command_line_changes_no_byte() {
    let dir = archives();
    succeeds(&lock(dir.path(), "index.tgz words.tgz report.tgz -o one.lock"));
    succeeds(&lock(dir.path(), "./report.tgz words.tgz index.tgz -o two.lock"));
    assert_eq!(fs::read(dir.path().join("one.lock")).unwrap(), fs::read(dir.path().join("two.lock")).unwrap());
    for target in ["x86_64-linux", "aarch64-linux"] {
        let words = format!("index.tgz words.tgz report.tgz --target {target} --lock one.lock -o one");
        let said = succeeds(&link(dir.path(), &words));
        let order: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("unit ")?.split(' ').next()).collect();
        assert_eq!(order, ["ironwall.example/words", "ironwall.example/index", "ironwall.example/report"]);
        assert!(said.contains("no unit defines trace\n"), "{said}");
        let words = format!("report.tgz index.tgz words.tgz --target {target} --lock two.lock -o two --json");
        let plan = succeeds(&link(dir.path(), &words));
        let (one, two) = (snapshot(&dir.path().join("one")), snapshot(&dir.path().join("two")));
        assert_eq!(one, two);
        assert_eq!(one.len(), 9, "{:?}", one.keys());
        assert_eq!(one[Path::new("plan.json")], plan.as_bytes());
    }
}

#[test]
fn r8_1_a_r8_b_a_plan_has_the_identities_and_digests_that_the_archives_have() {
    let dir = archives();
    let plan = succeeds(&link(dir.path(), "words.tgz index.tgz report.tgz --target x86_64-linux --json"));
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    for (name, title) in UNITS.map(|unit| (format!("{unit}.tgz"), unit)) {
        let archive = succeeds(&unit(dir.path(), ["inspect", "--json", &name]));
        let archive: serde_json::Value = serde_json::from_str(&archive).unwrap();
        let linked = plan["units"].as_array().unwrap().iter().find(|unit| unit["name"] == title).unwrap();
        let inspected = &archive["units"][0];
        assert_eq!(linked["uuid"], inspected["table"]["uuid"]);
        assert_eq!(linked["table"], inspected["file"]["sha256"]);
        assert_eq!(linked["archives"], serde_json::json!([name]));
    }
    assert!(!dir.path().join("plan.json").exists(), "nothing is written without a directory");
}

#[test]
fn r8_1_b_a_unit_that_is_in_two_archives_is_linked_once() {
    let dir = archives();
    fs::copy(dir.path().join("words.tgz"), dir.path().join("copy.tgz")).unwrap();
    let said = succeeds(&link(dir.path(), "words.tgz copy.tgz index.tgz report.tgz --target x86_64-linux"));
    assert_eq!(said.matches("unit ironwall.example/words ").count(), 1);
    assert!(said.contains("note.same-unit: ironwall.example/words is the same in copy.tgz and in words.tgz"), "{said}");
}

#[test]
fn each_way_not_to_be_linked_has_its_status_and_leaves_nothing() {
    let dir = archives();
    fs::write(dir.path().join("bad.tgz"), "no archive").unwrap();
    fs::write(dir.path().join("taken"), "a file").unwrap();
    let before = snapshot(dir.path());
    let check = |words: &str, status: i32, parts: &[&str]| {
        let said = ends(&link(dir.path(), &format!("{words} -o linked")), status);
        for part in parts {
            assert!(said.contains(part), "{part} is not in {said}");
        }
        assert_eq!(snapshot(dir.path()), before, "{words}");
    };
    check("index.tgz --target x86_64-linux", 1, &["index.tgz: link.import-missing: ironwall.example/index imports"]);
    check("index.tgz report.tgz report.tgz --target x86_64-linux", 1, &["link.import-missing", "link.archive-twice"]);
    check("words.tgz", 2, &["--target"]);
    check("--target x86_64-linux", 2, &["ARCHIVE"]);
    check("words.tgz --target vax-linux", 2, &["aarch64-linux"]);
    check("bad.tgz ./a\u{1b}b --target x86_64-linux", 2, &["a\\x1bb: an archive's name"]);
    check("bad.tgz words.tgz --target x86_64-linux", 65, &["bad.tgz: gzip.magic"]);
    check("gone.tgz bad.tgz --target x86_64-linux", 66, &["gone.tgz: No such file"]);
    check("words.tgz --target x86_64-linux --lock gone.lock", 66, &["gone.lock"]);
    check("words.tgz --target x86_64-linux --lock taken", 65, &["taken: json.syntax"]);
    let said = ends(&link(dir.path(), "words.tgz --target x86_64-linux -o taken"), 74);
    assert!(said.contains("taken: this is there, and no directory"), "{said}");
    let said = ends(&link(dir.path(), "words.tgz --target x86_64-linux -o gone/linked"), 66);
    assert!(said.contains("gone"), "{said}");
    assert_eq!(snapshot(dir.path()), before);
    let json = ends(&link(dir.path(), "index.tgz --target x86_64-linux --json -o linked"), 1);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["findings"][0]["rule"], "link.import-missing");
}

#[test]
fn a_lock_file_admits_its_archives_and_no_others() {
    let dir = archives();
    let names = "words.tgz index.tgz report.tgz";
    succeeds(&lock(dir.path(), &format!("{names} -o units.lock")));
    let words = |names: &str| format!("{names} --target x86_64-linux --lock units.lock -o linked");
    let check = |names: &str, rule: &str| {
        let said = ends(&link(dir.path(), &words(names)), 65);
        assert!(said.contains(&format!("units.lock: {rule}: ")), "{said}");
        assert!(!dir.path().join("linked").exists());
    };
    check("words.tgz index.tgz", "lock.missing");
    fs::copy(dir.path().join("words.tgz"), dir.path().join("more.tgz")).unwrap();
    check(&format!("{names} more.tgz"), "lock.extra");
    // The digest is compared before anything in the archive is looked at.
    fs::write(dir.path().join("words.tgz"), "no archive").unwrap();
    check(names, "lock.digest");
    fs::copy(dir.path().join("more.tgz"), dir.path().join("words.tgz")).unwrap();
    succeeds(&link(dir.path(), &words(names)));
}

#[test]
fn a_locked_key_has_to_sign_the_next_version_too() {
    let dir = archives();
    let sign = |key: &str, archive: &str| {
        let (private, output) = (format!("{key}.key"), format!("{archive}.new"));
        if !dir.path().join(&private).exists() {
            succeeds(&unit(dir.path(), ["keygen", &private]));
        }
        let made = fs::read(dir.path().join(archive)).unwrap();
        let unpacked = ironwall_archive::read(&made, ironwall_archive::Limits::default()).unwrap();
        let file = |name: &str| (name.to_owned(), unpacked.member(name).unwrap().to_vec());
        let files = unpacked.members().iter().map(|member| file(&member.name)).collect();
        let key = fs::read(dir.path().join(private)).unwrap();
        let key = ironwall_archive::signature::PrivateKey::from_file(&key).unwrap();
        let manifest = unpacked.manifest().to_text().into_bytes();
        let limits = ironwall_archive::Limits::default();
        let signed = ironwall_archive::pack::pack_manifest(manifest, &files, Some(&key), limits).unwrap();
        fs::write(dir.path().join(&output), signed.bytes).unwrap();
        fs::rename(dir.path().join(output), dir.path().join(archive)).unwrap();
    };
    let plain = fs::read(dir.path().join("words.tgz")).unwrap();
    sign("one", "words.tgz");
    let said = succeeds(&lock(dir.path(), "words.tgz -o units.lock"));
    assert!(said.contains(" words.tgz signed by "), "{said}");
    let locked = fs::read(dir.path().join("units.lock")).unwrap();
    for other in ["two", ""] {
        fs::write(dir.path().join("words.tgz"), &plain).unwrap();
        if !other.is_empty() {
            sign(other, "words.tgz");
        }
        let said = ends(&lock(dir.path(), "words.tgz -o units.lock"), 65);
        assert!(said.contains("units.lock: lock.key: words.tgz is "), "{said}");
        assert_eq!(fs::read(dir.path().join("units.lock")).unwrap(), locked);
    }
    succeeds(&lock(dir.path(), "words.tgz --new-keys -o units.lock"));
    assert_ne!(fs::read(dir.path().join("units.lock")).unwrap(), locked);
}
