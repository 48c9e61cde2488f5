//! Turns the rows of `src/table/*.rs` into the enum, the decoder's tables and
//! the `for_each_encoding!` macro. See `src/table/README.md` for the format.
//!
//! Any mistake in a row stops the build with the file and the line.
#![expect(clippy::disallowed_methods, reason = "Cargo talks to build scripts through the environment")]

use std::path::PathBuf;
use std::{env, fs};

#[path = "build/emit.rs"]
mod emit;
#[path = "build/parse.rs"]
mod parse;
#[path = "build/trie.rs"]
mod trie;

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("Cargo sets it"));
    let dir = root.join("src/table");
    println!("cargo:rerun-if-changed=src/table");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build");
    let mut files: Vec<PathBuf> = fs::read_dir(&dir)
        .expect("src/table is there")
        .map(|e| e.expect("readable directory").path())
        .filter(|p| p.extension().is_some_and(|e| e == "rs"))
        .collect();
    files.sort();
    let mut rows = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).expect("readable table");
        let group = file.file_stem().expect("a file name").to_string_lossy().into_owned();
        rows.extend(parse::table(&group, &text));
    }
    parse::check_names(&rows);
    let out = PathBuf::from(env::var("OUT_DIR").expect("Cargo sets it"));
    fs::write(out.join("encodings.rs"), emit::source(&rows)).expect("OUT_DIR is writable");
}
