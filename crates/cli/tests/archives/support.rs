//! A unit that is compiled for both targets, and the command.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

/// The table's description.
const TABLE: &str = r#"{"package": "ironwall.example", "unit": "names", "init": "names_start", "structures": [
    {"kind": "heap", "name": "Entry", "fields": [{"name": "text", "type": "ref"}, {"name": "next", "type": "ref"}]},
    {"kind": "heap", "name": "Text", "fields": [{"name": "length", "type": "u64"}], "tail": {"name": "bytes", "type": "u8"}},
    {"kind": "frame", "name": "locals", "fields": [{"name": "list", "type": "ref"}]},
    {"kind": "global", "name": "state", "fields": [{"name": "kept", "type": "ref"}]}
]}"#;

/// The unit's own code.
const CODE: &str = r#"#include "names.h"

static const char *const words[] = {"one", "two", "three"};

iw_status names_start(iw_runtime *heap)
{
    names_state_block.kept = names_Entry_new(heap);
    return names_state_block.kept == 0 ? IW_OUT_OF_MEMORY : IW_OK;
}

IW_FRAMED uint64_t names_add(iw_runtime *heap, uint32_t which)
{
    const char *word = words[which % 3];
    size_t length = strlen(word);
    names_locals frame;
    names_locals_push(heap, &frame);
    frame.list = names_Entry_new(heap);
    if (frame.list != 0) {
        iw_ref text = names_Text_new(heap, length);
        if (text != 0) {
            memcpy(names_Text_bytes(text), word, length);
            names_Entry_at(frame.list)->text = text;
        }
    }
    names_locals_pop(heap, &frame);
    return length;
}
"#;

/// What the archive is packed from.
pub(crate) const DESCRIPTION: &str = r#"{
    "producer": "tests 1", "licence": "MIT",
    "units": [{
        "table": "names.tbl",
        "symbols": { "metadata": "namesMetadataTable", "globals": "namesGlobalTable", "init": "namesRuntimeInit" },
        "requires": [ { "symbol": "memcpy", "may_collect": false }, { "symbol": "strlen", "may_collect": false } ],
        "objects": { "x86_64-linux": ["x86_64/names.o", "x86_64/code.o"], "aarch64-linux": ["aarch64/names.o", "aarch64/code.o"] }
    }]
}"#;

/// Compilers and where their objects go.
const COMPILERS: [(&str, &str); 2] = [("x86_64-linux-gnu-gcc", "x86_64"), ("aarch64-linux-gnu-gcc", "aarch64")];

/// Files of a directory and of those in it, by path.
pub(crate) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A directory with everything that the description names, and the description as `unit.json`.
pub(crate) fn sources() -> TempDir {
    static MADE: OnceLock<Files> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        compile(dir.path(), &[]);
        snapshot(dir.path())
    });
    let dir = tempfile::tempdir().unwrap();
    for (path, bytes) in made {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    dir
}

/// Makes the table of the unit in a directory, and compiles it for both targets with these flags.
pub(crate) fn compile(dir: &Path, flags: &[&str]) {
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ironwall-capi/include");
    fs::write(dir.join("names.json"), TABLE).unwrap();
    fs::write(dir.join("code.c"), CODE).unwrap();
    fs::write(dir.join("unit.json"), DESCRIPTION).unwrap();
    succeeds(&unit(dir, ["table", "names.json", "-o", "."]));
    for (compiler, target) in COMPILERS {
        fs::create_dir_all(dir.join(target)).unwrap();
        for file in ["names", "code"] {
            let output = format!("{target}/{file}.o");
            let mut command = Command::new(compiler);
            command.args(["-std=c99", "-O2", "-c", "-I"]).arg(&include).args(flags).args(["-o", &output]);
            succeeds(&command.arg(format!("{file}.c")).current_dir(dir).output().unwrap());
        }
    }
}

/// The object of the unit's own code for x86_64, with more code in it.
pub(crate) fn object(more: &str) -> Vec<u8> {
    let dir = sources();
    fs::write(dir.path().join("code.c"), [CODE, more].concat()).unwrap();
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ironwall-capi/include");
    let mut command = Command::new("x86_64-linux-gnu-gcc");
    command.args(["-std=gnu11", "-O1", "-c", "code.c", "-o", "more.o", "-I"]).arg(include).current_dir(dir.path());
    succeeds(&command.output().unwrap());
    fs::read(dir.path().join("more.o")).unwrap()
}

/// A directory with `names.tgz`, and nothing else.
pub(crate) fn packed() -> TempDir {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = MADE.get_or_init(|| {
        let dir = sources();
        succeeds(&unit(dir.path(), ["pack", "unit.json", "-o", "names.tgz"]));
        fs::read(dir.path().join("names.tgz")).unwrap()
    });
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("names.tgz"), bytes).unwrap();
    dir
}

/// Runs `vambrace unit` in a directory.
pub(crate) fn unit<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(dir: &Path, args: I) -> Output {
    command(dir).args(args).output().unwrap()
}

/// The command, which is still to be given arguments.
pub(crate) fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vambrace"));
    command.arg("unit").current_dir(dir);
    command
}

/// That a command ended well; what it printed.
pub(crate) fn succeeds(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    text(&output.stdout)
}

/// That a command ended with a status; what it printed, which is nothing that a terminal would act on.
pub(crate) fn ends(output: &Output, status: i32) -> String {
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert!(said.bytes().all(|byte| byte == b'\n' || (b' '..0x7f).contains(&byte)), "{said:?}");
    said
}

/// Output as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Every file in a directory and in those that are in it.
pub(crate) fn snapshot(dir: &Path) -> Files {
    fn walk(root: &Path, dir: &Path, files: &mut Files) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, files);
            } else {
                files.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    let mut files = Files::new();
    walk(dir, dir, &mut files);
    files
}
