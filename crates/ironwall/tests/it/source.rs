//! The size of what has to be trusted, and what it must not contain.

use std::fs;
use std::path::Path;

/// Name and text of each file of the core.
fn sources() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = fs::read_dir(folder).expect("the sources").map(|file| file.expect("a file").path());
    files
        .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), fs::read_to_string(&path)))
        .map(|(name, text)| (name, text.expect("text")))
        .collect()
}

/// The lines of code: not empty, no comment, not in the tests at the end.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"))
}

#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn r1_a_the_core_is_small_and_its_unsafe_code_is_in_two_files() {
    let sources = sources();
    let lines: usize = sources.iter().map(|(_, text)| code(text).count()).sum();
    let blocks = |text: &str| code(text).filter(|line| line.contains("unsafe {")).count();
    let mut with_unsafe: Vec<&str> = Vec::new();
    let mut total = 0;
    for (name, text) in &sources {
        total += blocks(text);
        if code(text).any(|line| line.contains("unsafe")) {
            with_unsafe.push(name);
        }
    }
    with_unsafe.sort_unstable();
    println!("ironwall: {lines} lines of code, {total} unsafe blocks in {with_unsafe:?}");
    assert!(lines <= 2000, "{lines} lines");
    assert!(total <= 40, "{total} unsafe blocks");
    assert_eq!(with_unsafe, ["carve.rs", "region.rs"]);
}

#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn r1_a_the_core_depends_on_nothing() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).expect("a manifest");
    assert!(!manifest.contains("[dependencies]") && !manifest.contains("[build-dependencies]"));
    let (_, root) = sources().into_iter().find(|(name, _)| name == "lib.rs").expect("the root");
    assert!(root.contains("#![no_std]") && !root.contains("extern crate alloc"));
}

#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn r2_b_r3_2_c_r6_b_there_is_no_free_no_barrier_and_no_poll() {
    for (name, text) in sources() {
        for word in ["fn free", "barrier", "safepoint", "Atomic", "static mut", "thread"] {
            let lines = code(&text).filter(|line| line.contains(word)).count();
            assert_eq!(lines, 0, "{name} has {word:?}");
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn r6_d_validation_cannot_be_compiled_out() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).expect("a manifest");
    assert!(!manifest.contains("[features]"));
    for (name, text) in sources() {
        let conditions = code(&text).filter(|line| line.contains("cfg(") && !line.contains("cfg(test)"));
        let unexpected: Vec<&str> = conditions.filter(|line| !line.contains("target_arch")).collect();
        assert!(unexpected.is_empty(), "{name}: {unexpected:?}");
    }
}
