//! Compilers for ARM64 Linux: what is there, and how to get what is not.

use crate::shell::{find_program, output, say};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The target of the userland and of guest tests in Rust.
pub(crate) const MUSL: &str = "aarch64-unknown-linux-musl";

/// Whether the compiler that `dir` selects has the standard library for `target`.
fn has_target(dir: &Path, target: &str) -> bool {
    let libdir = output(Command::new("rustc").args(["--print", "target-libdir", "--target", target]).current_dir(dir));
    libdir.is_ok_and(|path| Path::new(path.trim()).is_dir())
}

/// Makes sure that Rust programs can be built for `target` in `dir`, adding it with rustup.
pub(crate) fn need_target(dir: &Path, target: &str) -> Result<()> {
    if has_target(dir, target) {
        return Ok(());
    }
    if find_program(&["rustup"]).is_some() {
        say(&format!("$ rustup target add {target}"));
        let added = Command::new("rustup").args(["target", "add", target]).current_dir(dir).status();
        if added.is_ok_and(|status| status.success()) && has_target(dir, target) {
            return Ok(());
        }
    }
    bail!(
        "rustc in {} has no standard library for {target} and `rustup target add {target}` did not help; \
         userland/README.md says under \"Without rustup\" how to build one",
        dir.display()
    )
}

/// The C cross compiler.
pub(crate) fn cross_gcc() -> Result<PathBuf> {
    match find_program(&["aarch64-linux-gnu-gcc"]) {
        Some(path) => Ok(path),
        None => bail!("aarch64-linux-gnu-gcc is not installed; run `cargo xtask setup`"),
    }
}

/// QEMU's user-mode emulator, the reference to compare with.
pub(crate) fn qemu() -> Result<PathBuf> {
    match find_program(&["qemu-aarch64-static", "qemu-aarch64"]) {
        Some(path) => Ok(path),
        None => bail!("qemu-aarch64-static is not installed; run `cargo xtask setup`"),
    }
}
