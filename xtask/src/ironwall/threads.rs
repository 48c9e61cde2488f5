//! `cargo xtask ironwall loom` and `tsan`: what examines threads that share a heap.
//!
//! Both build everything with flags of their own, and so in directories of their own.

use super::fuzz::nightly;
use crate::shell::{cargo, run as run_command, target_dir};
use anyhow::{Result, ensure};

const PACKAGE: &str = "ironwall-threads";

/// Tries every order in which threads can meet, with loom.
///
/// # Errors
/// An order in which something is wrong; loom tells it.
pub(super) fn loom(args: &[String]) -> Result<()> {
    ensure!(args.is_empty(), "usage: cargo xtask ironwall loom");
    let mut command = cargo();
    command.args(["test", "--locked", "--quiet", "--release", "--package", PACKAGE, "--lib"]);
    run_command(command.env("RUSTFLAGS", "--cfg loom").env("CARGO_TARGET_DIR", target_dir().join("loom")))
}

/// Runs the tests, and a long storm of threads, under ThreadSanitizer. The standard library is built with it too, as
/// what it does between threads would not be seen otherwise.
///
/// # Errors
/// No nightly compiler with its sources, or what it finds.
pub(super) fn tsan(args: &[String]) -> Result<()> {
    ensure!(args.is_empty(), "usage: cargo xtask ironwall tsan");
    let mut command = nightly()?;
    command.args(["test", "--locked", "--package", PACKAGE, "--tests", "-Zbuild-std"]);
    command.args(["--target", "x86_64-unknown-linux-gnu", "--", "--include-ignored", "--test-threads", "1"]);
    command.env("RUSTFLAGS", "-Zsanitizer=thread").env("CARGO_TARGET_DIR", target_dir().join("tsan"));
    // The first report ends the test.
    run_command(command.env("TSAN_OPTIONS", "halt_on_error=1"))
}
