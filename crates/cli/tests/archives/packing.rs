//! `vambrace unit pack`: identity is kept, the same input gives the same bytes, and a refusal leaves no file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ironwall_archive::{Limits, read};

use crate::support::{DESCRIPTION, compile, ends, snapshot, sources, succeeds, unit};

#[test]
fn r8_1_a_what_is_packed_is_read_back_byte_for_byte() {
    let dir = sources();
    let said = succeeds(&unit(dir.path(), ["pack", "unit.json", "-o", "names.tgz"]));
    let archive = read(&fs::read(dir.path().join("names.tgz")).unwrap(), Limits::default()).unwrap();
    let digest = ironwall_archive::problem::hex(&archive.digest());
    assert_eq!(said, format!("{digest}  names.tgz\n"), "as sha256sum prints it");
    for name in ["names.tbl", "x86_64/names.o", "x86_64/code.o", "aarch64/names.o", "aarch64/code.o"] {
        assert_eq!(archive.member(name), Some(&fs::read(dir.path().join(name)).unwrap()[..]), "{name}");
    }
    assert_eq!(archive.members().len(), 6, "these and the manifest");
}

#[test]
fn r8_1_a_unpacked_members_pack_to_the_same_archive() {
    let dir = sources();
    succeeds(&unit(dir.path(), ["pack", "unit.json", "-o", "names.tgz"]));
    let bytes = fs::read(dir.path().join("names.tgz")).unwrap();
    let archive = read(&bytes, Limits::default()).unwrap();
    let other = tempfile::tempdir().unwrap();
    for member in archive.members() {
        let path = other.path().join(&member.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, archive.member(&member.name).unwrap()).unwrap();
    }
    succeeds(&unit(other.path(), ["pack", "manifest.json", "-o", "again.tgz"]));
    assert_eq!(fs::read(other.path().join("again.tgz")).unwrap(), bytes);
    // A manifest has one form, and others are refused.
    let manifest = fs::read_to_string(other.path().join("manifest.json")).unwrap();
    fs::write(other.path().join("manifest.json"), manifest.replacen(':', ": ", 1)).unwrap();
    let said = ends(&unit(other.path(), ["pack", "manifest.json", "-o", "other.tgz"]), 65);
    assert!(said.contains("json.blank") && said.contains("byte 10 of the manifest"), "{said}");
    assert!(!other.path().join("other.tgz").exists());
}

#[test]
fn r7_1_c_the_same_unit_is_the_same_archive_wherever_it_is_made() {
    let pack = |dir: &Path, flags: &[&str], environment: &[(&str, &str)], umask: &str| {
        fs::create_dir_all(dir).unwrap();
        compile(dir, flags);
        let script = format!("umask {umask}; exec \"$0\" unit pack unit.json -o names.tgz");
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_vambrace")]).current_dir(dir);
        succeeds(&command.envs(environment.iter().copied()).output().unwrap());
        fs::read(dir.join("names.tgz")).unwrap()
    };
    let root = tempfile::tempdir().unwrap();
    let (one, two) = (root.path().join("one"), root.path().join("another place/\u{fc}"));
    let here = [("LANG", "C"), ("TZ", "UTC")];
    let there =
        [("LANG", "tr_TR.UTF-8"), ("LC_ALL", "tr_TR.UTF-8"), ("TZ", "Asia/Kathmandu"), ("SOURCE_DATE_EPOCH", "1")];
    assert_eq!(pack(&one, &[], &here, "000"), pack(&two, &[], &there, "077"));
    // Debug information names the directory, unless the compiler is told not to.
    let map = |dir: &Path| format!("-ffile-prefix-map={}=.", dir.display());
    let (of_one, of_two) = (map(&one), map(&two));
    assert_eq!(pack(&one, &["-g", &of_one], &here, "022"), pack(&two, &["-g", &of_two], &there, "077"));
    assert_ne!(pack(&one, &["-g"], &here, "022"), pack(&two, &["-g"], &there, "077"), "why the flag is needed");
}

#[test]
fn what_is_not_declared_is_found_in_the_objects() {
    let dir = sources();
    succeeds(&unit(dir.path(), ["pack", "unit.json", "-o", "names.tgz"]));
    let shown = succeeds(&unit(dir.path(), ["inspect", "names.tgz"]));
    for line in
        ["exports names_add, may collect\n", "requires memcpy, must not collect\n", "init namesRuntimeInit, may"]
    {
        assert!(shown.contains(line), "{line} is missing in\n{shown}");
    }
}

#[test]
fn a_refusal_tells_where_and_leaves_everything_as_it_was() {
    let dir = sources();
    fs::write(dir.path().join("old.tgz"), "what was there").unwrap();
    let check = |description: &str, status, parts: &[&str]| {
        fs::write(dir.path().join("unit.json"), description).unwrap();
        let before = snapshot(dir.path());
        for output in ["old.tgz", "new.tgz"] {
            let said = ends(&unit(dir.path(), ["pack", "unit.json", "-o", output]), status);
            for part in parts {
                assert!(said.contains(part), "{part} is missing in\n{said}");
            }
        }
        assert_eq!(snapshot(dir.path()), before);
    };
    let change = |from: &str, to: &str| {
        assert!(DESCRIPTION.contains(from), "{from}");
        DESCRIPTION.replacen(from, to, 1)
    };
    check(&change("names.tbl", "../names.tbl"), 65, &["unit.json: manifest.path", "byte 80 of the description"]);
    check(&change("names.tbl", "lost.tbl"), 66, &["lost.tbl: No such file", "named at byte 80 of unit.json"]);
    check(&change("names.tbl", "x86_64"), 74, &["x86_64: Is a directory"]);
    check(&change("names.tbl", "code.c"), 65, &["table.magic", "code.c, byte 0", "byte 80 of the description"]);
    check(&change("namesRuntimeInit", "names init"), 65, &["manifest.symbol"]);
    check(&change("namesRuntimeInit", "namesLost"), 65, &["elf.symbol-missing"]);
    check(&change("\"symbol\": \"strlen\"", "\"symbol\": \"strnlen\""), 65, &["elf.undefined", "strlen", "byte"]);
    check(&change("\"x86_64/names.o\"", "\"aarch64/names.o\""), 65, &["manifest.path-twice"]);
    let swapped = DESCRIPTION.replace("x86_64/", "@").replace("aarch64/", "x86_64/").replace('@', "aarch64/");
    check(&swapped, 65, &["elf.machine: aarch64/code.o, byte 18"]);
    check("", 65, &["json.truncated", "byte 0 of the description"]);
    check("{\"format\": 1}", 65, &["json.blank", "byte 10 of the manifest"]);
    check("\u{1b}[2J", 65, &["json.syntax", "\\x1b"]);
}

#[test]
fn an_output_that_cannot_be_written_leaves_nothing_behind() {
    let dir = sources();
    fs::create_dir(dir.path().join("taken.tgz")).unwrap();
    let before = snapshot(dir.path());
    ends(&unit(dir.path(), ["pack", "unit.json", "-o", "taken.tgz"]), 74);
    // Whoever may write a device must not replace it; a named pipe stands for it here.
    let pipe = tempfile::tempdir().unwrap();
    let path = pipe.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let said = ends(&unit(dir.path(), ["pack".as_ref(), "unit.json".as_ref(), "-o".as_ref(), path.as_os_str()]), 74);
    assert!(said.contains("pipe: there is something else than a regular file"), "{said}");
    assert!(!path.is_file(), "the pipe was replaced");
    ends(&unit(dir.path(), ["pack", "unit.json", "-o", "nowhere/names.tgz"]), 66);
    ends(&unit(dir.path(), ["pack", "unit.json"]), 2);
    ends(&unit(dir.path(), ["pack", "lost.json", "-o", "names.tgz"]), 66);
    assert_eq!(snapshot(dir.path()), before);
    succeeds(&unit(dir.path(), ["pack", "unit.json", "-o", "names.tgz"]));
    std::os::unix::fs::symlink("names.tgz", dir.path().join("link.tgz")).unwrap();
    fs::write(dir.path().join("names.tgz"), "old").unwrap();
    let said = succeeds(&unit(dir.path(), ["pack", "unit.json", "-o", "link.tgz"]));
    assert!(said.ends_with("  link.tgz\n") && dir.path().join("link.tgz").is_symlink(), "{said}");
    assert_ne!(fs::read(dir.path().join("names.tgz")).unwrap(), b"old");
    let mode = fs::metadata(dir.path().join("names.tgz")).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0, "an archive is no program");
}

#[test]
fn what_an_archive_is_made_from_is_not_replaced_by_it() {
    let dir = sources();
    succeeds(&unit(dir.path(), ["keygen", "key"]));
    fs::hard_link(dir.path().join("names.tbl"), dir.path().join("linked.tgz")).unwrap();
    let before = snapshot(dir.path());
    for output in ["unit.json", "./x86_64/../unit.json", "names.tbl", "aarch64/code.o", "linked.tgz", "key"] {
        let said = ends(&unit(dir.path(), ["pack", "unit.json", "-o", output, "--key", "key"]), 2);
        assert!(said.contains("which it is made from"), "{said}");
    }
    assert_eq!(snapshot(dir.path()), before);
}

#[test]
fn a_named_pipe_is_no_file_of_a_unit() {
    let dir = sources();
    fs::remove_file(dir.path().join("names.tbl")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(dir.path().join("names.tbl")).status().unwrap();
    assert!(made.success());
    let said = ends(&unit(dir.path(), ["pack", "unit.json", "-o", "names.tgz"]), 74);
    assert!(said.contains("names.tbl: not a regular file (named at byte 80 of unit.json)"), "{said}");
}
