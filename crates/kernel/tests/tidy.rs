//! What must never enter the kernel: knowledge of the machine it runs on.

use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file of the crates that both machines share.
fn shared_sources() -> Vec<PathBuf> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    let mut dirs: Vec<PathBuf> =
        ["kernel/src", "machine/src", "linux-abi/src", "ext2/src"].map(|dir| crates.join(dir)).into();
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
            let path = entry.expect("a directory entry").path();
            if path.is_dir() {
                // Unit tests may keep what they like; they are in no image.
                if !path.ends_with("tests") {
                    dirs.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    assert!(files.len() > 100, "only {} files were found", files.len());
    files
}

fn lines_with(is_bad: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in shared_sources() {
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for (number, line) in (1..).zip(text.lines()) {
            let code = line.split("//").next().unwrap_or(line);
            if is_bad(code) {
                found.push(format!("{}:{number}: {}", file.display(), line.trim()));
            }
        }
    }
    found
}

#[test]
fn no_source_depends_on_the_target() {
    let found = lines_with(|code| code.contains("target_") && (code.contains("cfg") || code.contains("any(")));
    assert!(found.is_empty(), "the shared crates know a target:\n{}", found.join("\n"));
}

#[test]
fn no_source_has_assembly_or_unsafe_code() {
    let found = lines_with(|code| code.contains("asm!") || code.contains("unsafe {") || code.contains("unsafe fn"));
    assert!(found.is_empty(), "the shared crates have unsafe code:\n{}", found.join("\n"));
}

#[test]
fn no_source_has_a_mutable_static() {
    let is_static = |code: &str| {
        let code = code.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        code.starts_with("static ") && ["Mutex", "Atomic", "Cell", "RwLock", "Once"].iter().any(|t| code.contains(t))
    };
    let found = lines_with(is_static);
    assert!(found.is_empty(), "a kernel is a value, not a static:\n{}", found.join("\n"));
}
