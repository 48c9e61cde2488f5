//! The compilers that the tests use; `cargo xtask setup` installs them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A compiler, and what takes its objects apart.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) gcc: &'static str,
    pub(crate) objdump: &'static str,
}

pub(crate) const X86_64: Target = Target { name: "x86_64", gcc: "x86_64-linux-gnu-gcc", objdump: "objdump" };
pub(crate) const AARCH64: Target =
    Target { name: "aarch64", gcc: "aarch64-linux-gnu-gcc", objdump: "aarch64-linux-gnu-objdump" };

/// The crate's own directory.
pub(crate) fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A directory of a test's own.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&dir).expect("a directory");
    dir
}

/// Runs a program, which must succeed without a word on standard error, and returns its standard output.
pub(crate) fn run(command: &mut Command) -> String {
    let output =
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; `cargo xtask setup` installs it"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{command:?}: {}\n{errors}", output.status);
    String::from_utf8(output.stdout).expect("text")
}
