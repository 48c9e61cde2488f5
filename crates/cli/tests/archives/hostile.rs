//! Archives that were made to do harm: each ends the command with its status, and with a rule and a byte, in little
//! time and memory, and no file is written whatever is in it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use ironwall_archive::{gzip, tar};
use tempfile::TempDir;

use crate::forge::{
    CHECKSUM, MAGIC, MODE, PREFIX, SIZE, TIME, TYPE, archive, edited, file, good, member, members, replaced, with,
};
use crate::support::{ends, object, snapshot};

/// Runs a subcommand on the archive in a directory that is empty, with twenty seconds, half a gibibyte of
/// addresses, and no right to make a file longer than it is.
fn confined(dir: &Path, args: &[&str]) -> Output {
    let script = "ulimit -f 0; ulimit -v 524288; exec timeout 20 \"$0\" unit \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_vambrace")]).args(args);
    command.current_dir(dir).output().unwrap()
}

/// Directories of which one has the archive, and the command runs in the other.
struct Cell {
    root: TempDir,
}

impl Cell {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("cell")).unwrap();
        Self { root }
    }

    /// That every subcommand refuses an archive by a rule, at a byte of a place if it is known.
    fn check(&self, bytes: &[u8], rule: &str, at: Option<(usize, &str)>) {
        fs::write(self.root.path().join("x.tgz"), bytes).unwrap();
        let before = snapshot(self.root.path());
        let cell = self.root.path().join("cell");
        let link = ["link", "../x.tgz", "--target", "x86_64-linux", "-o", "out"];
        let runs: [(&[&str], i32); 3] = [(&["verify", "../x.tgz"], 1), (&["inspect", "../x.tgz"], 65), (&link, 65)];
        for (args, status) in runs {
            let said = ends(&confined(&cell, args), status);
            let found = said.lines().find(|line| line.contains(&format!("x.tgz: {rule}: ")));
            let found = found.unwrap_or_else(|| panic!("{args:?}: {rule} is missing in\n{said}"));
            match at {
                Some((at, place)) => assert!(found.ends_with(&format!("(byte {at} of {place})")), "{found}"),
                None => assert!(found.contains("(byte "), "{found}"),
            }
            assert!(said.lines().all(|line| line.contains("(byte ")), "{said}");
        }
        assert_eq!(snapshot(self.root.path()), before, "{rule}: a file was written");
        assert_eq!(fs::read_dir(cell).unwrap().count(), 0, "{rule}: a directory was made");
    }

    fn file(&self, bytes: &[u8], rule: &str, at: usize) {
        self.check(bytes, rule, Some((at, "the file")));
    }

    fn tar(&self, bytes: &[u8], rule: &str, at: usize) {
        self.check(bytes, rule, Some((at, "the expanded archive")));
    }

    fn manifest(&self, bytes: &[u8], rule: &str, at: usize) {
        self.check(bytes, rule, Some((at, "the manifest")));
    }
}

#[test]
fn archives_that_are_cut_off_or_go_on() {
    let (cell, good) = (Cell::new(), good());
    // The library is asked at every byte in its own tests.
    for len in [0, 1, 5, 10, 11, 500, good.len() / 2, good.len() - 8, good.len() - 1] {
        let rule = if len < 2 { continue } else { "gzip.truncated" };
        cell.file(&good[..len], rule, len);
    }
    cell.file(&[&good[..], b"x"].concat(), "gzip.trailing", good.len());
    cell.file(&[&good[..], &[0; 512]].concat(), "gzip.trailing", good.len());
    cell.file(&[&good[..], &good].concat(), "gzip.second-member", good.len());
    let tar = tar::write(&members());
    cell.tar(&gzip::compress(&tar[..tar.len() - 512]), "tar.end", tar.len() - 512);
    cell.tar(&gzip::compress(&tar[..1000]), "tar.size", SIZE);
    cell.tar(&gzip::compress(&[&tar[..], &[0; 512]].concat()), "tar.trailing", tar.len());
}

#[test]
fn what_is_no_archive_at_all() {
    let cell = Cell::new();
    for bytes in [&b""[..], b"\x1f", b"#!/bin/sh\nrm -rf /\n", b"PK\x03\x04"] {
        fs::write(cell.root.path().join("x.tgz"), bytes).unwrap();
        let before = snapshot(cell.root.path());
        let dir = cell.root.path().join("cell");
        assert!(ends(&confined(&dir, &["verify", "../x.tgz"]), 1).contains("x.tgz: gzip."));
        assert!(ends(&confined(&dir, &["inspect", "../x.tgz"]), 65).contains("(byte 0 of the file)"));
        assert_eq!(snapshot(cell.root.path()), before);
    }
}

#[test]
fn compression_that_lies() {
    let (cell, good) = (Cell::new(), good());
    let changed = |at: usize, with: u8| {
        let mut bytes = good.clone();
        bytes[at] ^= with;
        bytes
    };
    cell.file(&changed(2, 1), "gzip.magic", 2);
    cell.file(&changed(3, 8), "gzip.header", 3);
    cell.file(&changed(4, 1), "gzip.header", 4);
    cell.file(&changed(good.len() - 8, 1), "gzip.crc", good.len() - 8);
    cell.file(&changed(good.len() - 4, 1), "gzip.length", good.len() - 4);
    cell.check(&[&gzip::HEADER[..], &[7, 0, 0]].concat(), "gzip.data", None);
    // A bomb, and one that looks like a member.
    cell.check(&gzip::compress(&vec![0; 128 << 20]), "gzip.ratio", None);
    let bomb = member(b"zz", &[], &vec![0; 100 << 20]);
    cell.check(&gzip::compress(&bomb), "gzip.ratio", None);
}

#[test]
fn names_that_lead_elsewhere() {
    let cell = Cell::new();
    let name = |name: &[u8], rule, offset| {
        let (bytes, at) = with(&member(name, &[], b"data"));
        cell.tar(&bytes, rule, at + offset);
    };
    name(b"../../etc/passwd", "tar.name.parent", 0);
    name(b"zz/../../x", "tar.name.parent", 0);
    name(b"/etc/passwd", "tar.name.absolute", 0);
    name(b"zz\0/hidden", "tar.name.nul", 3);
    name(b"zz\\..\\x", "tar.name.backslash", 0);
    name(b"", "tar.name.empty", 0);
    name(b"./zz", "tar.name.segment", 0);
    name(b"zz/", "tar.name.segment", 0);
    name(b"zz\x1b[2J", "tar.name.character", 0);
    name("z\u{e9}".as_bytes(), "tar.name.character", 0);
    name(b"C:zz", "tar.name.character", 0);
    name(b"x86_64/NAMES.o", "tar.name.case", 0);
    name(b"x86_64/names.o", "tar.name.duplicate", 0);
    name(b"manifest.json", "tar.name.duplicate", 0);
    let (bytes, at) = with(&member(b"zz", &[(PREFIX, b"a-long/directory")], b"data"));
    cell.tar(&bytes, "tar.name.long", at + PREFIX);
}

#[test]
fn members_that_are_no_plain_files() {
    let cell = Cell::new();
    let link: (usize, &[u8]) = (TYPE + 1, b"/etc/passwd");
    // Hard and symbolic links, devices, a directory, a pipe, a contiguous and a sparse file.
    for kind in *b"1234567S" {
        let (bytes, at) = with(&member(b"zz", &[(TYPE, &[kind]), link], b""));
        cell.tar(&bytes, "tar.type", at + TYPE);
    }
    // Names for the next member by PAX and GNU, and for all.
    for (kind, data) in
        [(b'x', &b"27 path=../../../etc/passwd\n"[..]), (b'g', b"11 uid=0\n"), (b'L', b"../../x\0"), (b'K', b"x\0")]
    {
        let (bytes, at) = with(&[member(b"zz", &[(TYPE, &[kind])], data), member(b"zzz", &[], b"")].concat());
        cell.tar(&bytes, "tar.type", at + TYPE);
    }
    let (bytes, at) = with(&member(b"zz", &[link], b"data"));
    cell.tar(&bytes, "tar.type", at + TYPE + 1);
}

#[test]
fn headers_that_lie() {
    let cell = Cell::new();
    let field = |field: usize, bytes: &[u8], rule, offset| {
        let (bytes, at) = with(&member(b"zz", &[(field, bytes)], b"data"));
        cell.tar(&bytes, rule, at + offset);
    };
    field(SIZE, b"00000077777\0", "tar.size", SIZE);
    field(SIZE, b"77777777777\0", "tar.limit", SIZE);
    field(SIZE, b"0000000000x\0", "tar.size", SIZE);
    field(SIZE, &[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4], "tar.size", SIZE);
    field(SIZE, &[0xff; 12], "tar.size", SIZE);
    field(MODE, b"0004755\0", "tar.metadata", MODE + 3);
    field(TIME, b"14000000000\0", "tar.metadata", TIME);
    field(MAGIC, b"ustar  \0", "tar.magic", MAGIC);
    let mut bytes = member(b"zz", &[], b"data");
    bytes[CHECKSUM] ^= 1;
    let (bytes, at) = with(&bytes);
    cell.tar(&bytes, "tar.checksum", at + CHECKSUM);
    let mut bytes = member(b"zz", &[], b"data");
    bytes[tar::BLOCK + 100] = 1;
    let (bytes, at) = with(&bytes);
    cell.tar(&bytes, "tar.padding", at + tar::BLOCK + 100);
    let many: Vec<u8> = (0..5000).flat_map(|i| member(format!("z{i:05}").as_bytes(), &[], b"")).collect();
    cell.check(&with(&many).0, "tar.limit", None);
}

#[test]
fn r8_1_e_members_in_another_order() {
    let cell = Cell::new();
    let members = members();
    for shift in 1..members.len() {
        let (mut bytes, mut moved) = (Vec::new(), 0);
        for (i, (name, data)) in members.iter().cycle().skip(shift).take(members.len()).enumerate() {
            // The one that is first in the right order comes after the last.
            if i == members.len() - shift {
                moved = bytes.len();
            }
            bytes.extend(member(name.as_bytes(), &[], data));
        }
        bytes.extend([0; 2 * tar::BLOCK]);
        cell.tar(&gzip::compress(&bytes), "tar.order", moved);
    }
}

#[test]
fn manifests_that_lie() {
    let cell = Cell::new();
    let edit = |from: &str, to: &str, rule, offset: usize| {
        let (bytes, at) = edited(from, to);
        cell.manifest(&bytes, rule, at + offset);
    };
    edit("\"format\":", "\"format\": ", "json.blank", 9);
    edit("\"licence\":\"MIT\",", "\"licence\":\"MIT\",\"licence\":\"MIT\",", "json.duplicate-key", 16);
    edit("\"licence\":\"MIT\",", "\"licence\":\"MIT\",\"note\":\"\",", "document.unknown-key", 16);
    edit("\"imports\":[]", &format!("\"imports\":{}", "[".repeat(50_000)), "json.depth", 24);
    edit("\"imports\":[]", &format!("\"imports\":{}", "{\"a\":".repeat(50_000)), "json.depth", 80);
    edit("\"ironwall-archive\"", "\"ironwall-library\"", "manifest.format", 0);
    edit("\"version\":1", "\"version\":9007199254740992", "json.number", 10);
    edit("\"x86_64-linux\"]", "\"vax-linux\"]", "manifest.target", 0);
    for code in ["x;system(0)", "x(){}int y", "main", "iw_collect", "", "9x", "x\u{1b}[2J"] {
        let rule = if code.is_ascii() && !code.contains('\u{1b}') { "manifest.symbol" } else { "json.string" };
        let offset = if rule == "json.string" { 9 } else { 7 };
        edit("\"init\":\"namesRuntimeInit\"", &format!("\"init\":\"{code}\""), rule, offset);
    }
    edit("\"globals\":\"namesGlobalTable\"", "\"globals\":\"namesRuntimeInit\"", "manifest.symbol-twice", 36);
    for path in ["/etc/passwd", "../names.tbl", "a/../../x", "manifest.json", ""] {
        edit("\"path\":\"names.tbl\"", &format!("\"path\":\"{path}\""), "manifest.path", 7);
    }
    edit("\"path\":\"names.tbl\"", "\"path\":\"other.tbl\"", "archive.missing", 7);
    let digest = "\"sha256\":\"";
    let manifest = String::from_utf8(members()["manifest.json"].clone()).unwrap();
    let at = manifest.find(digest).unwrap() + digest.len();
    let other = if &manifest[at..=at] == "0" { "1" } else { "0" };
    let (bytes, _) = edited(&manifest[at..at + 64], &format!("{other}{}", &manifest[at + 1..at + 64]));
    cell.check(&bytes, "archive.digest", None);
}

#[test]
fn manifests_that_are_missing_or_too_long() {
    let cell = Cell::new();
    let mut without = members();
    without.remove("manifest.json");
    cell.tar(&archive(&without), "archive.manifest", 0);
    cell.tar(&gzip::compress(&[0; 1024]), "archive.manifest", 0);
    let mut long = members();
    let mut manifest = long["manifest.json"].clone();
    manifest.resize((1 << 20) + 1, b' ');
    long.insert("manifest.json".to_owned(), manifest);
    let (_, at) = file("manifest.json");
    cell.tar(&archive(&long), "manifest.limit", at - tar::BLOCK);
    let mut cut = members();
    let len = cut["manifest.json"].len() - 1;
    cut.get_mut("manifest.json").unwrap().truncate(len);
    cell.manifest(&archive(&cut), "json.truncated", len);
    let mut more = members();
    more.insert("zz".to_owned(), b"rm -rf /".to_vec());
    let end = tar::write(&members()).len() - 2 * tar::BLOCK;
    cell.tar(&archive(&more), "archive.undeclared", end);
}

#[test]
fn objects_that_lie() {
    let cell = Cell::new();
    let replace = |bytes: Vec<u8>, rule, at| cell.check(&replaced("x86_64/code.o", bytes), rule, at);
    replace(object("__attribute__((constructor)) static void f(void) { names_start(0); }"), "elf.section", None);
    replace(object("__attribute__((section(\"my_set\"), used)) static int x;"), "elf.section", None);
    replace(object("int system(const char *line) { return line != 0; }"), "elf.undeclared", None);
    replace(
        object("int more(int); static __attribute__((used)) int f(void) { return more(1); }"),
        "elf.undefined",
        None,
    );
    replace(object("static int one(void) { return 1; } static int (*pick(void))(void) { return one; }
        static int f(void) __attribute__((ifunc(\"pick\"))); static __attribute__((used)) int (*use(void))(void) { return f; }"), "elf.symbol-kind", None);
    replace(b"#!/bin/sh\nrm -rf /\n".to_vec(), "elf.format", None);
    let (arm, _) = file("aarch64/code.o");
    let (x86_64, start) = file("x86_64/code.o");
    // The manifest does not change its length, as all digests are as long, but the lengths in it may.
    let moved = |bytes: &[u8]| {
        let forged = replaced("x86_64/code.o", bytes.to_vec());
        let archive = ironwall_archive::examine(&forged, ironwall_archive::Limits::default());
        (forged, archive.problems[0].offset as usize)
    };
    let (forged, at) = moved(&arm);
    assert_eq!(at.abs_diff(start) % tar::BLOCK, 18, "the byte of the machine");
    cell.tar(&forged, "elf.machine", at);
    for len in [0, 1, 63, 64, x86_64.len() / 2, x86_64.len() - 1] {
        cell.check(&replaced("x86_64/code.o", x86_64[..len].to_vec()), "elf.format", None);
    }
}

#[test]
fn tables_that_lie() {
    let cell = Cell::new();
    let (table, start) = file("names.tbl");
    for (at, rule) in [(0, "table.magic"), (8, "table.version"), (12, "table.size"), (100, "table.digest")] {
        let mut bytes = table.clone();
        bytes[at] ^= 1;
        // No length changes, so it is where it was.
        let offset = if rule == "table.digest" { table.len() - 32 } else { at };
        cell.tar(&replaced("names.tbl", bytes), rule, start + offset);
    }
    cell.check(&replaced("names.tbl", table[..table.len() - 8].to_vec()), "table.size", None);
    cell.check(&replaced("names.tbl", Vec::new()), "table.length", None);
}

#[test]
fn signatures_that_lie() {
    let cell = Cell::new();
    let mut forged = members();
    for (bytes, rule) in [
        (vec![1; 96], "signature.wrong"),
        (vec![2; 96], "signature.key"),
        (vec![0; 95], "signature.length"),
        (Vec::new(), "signature.length"),
    ] {
        forged.insert("manifest.sig".to_owned(), bytes);
        cell.check(&archive(&forged), rule, None);
    }
}
