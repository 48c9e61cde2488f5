//! `cargo xtask ironwall miri`: the tests under Miri, which finds undefined behaviour that tests cannot see.
//!
//! Slots hold addresses as plain words, but the collector never turns such a word back into a pointer: it makes
//! offsets of them and goes through its regions. So strict provenance can be demanded.

use super::fuzz::nightly;
use crate::shell::run as run_command;
use anyhow::{Result, ensure};

/// The crates whose tests run under Miri.
const PACKAGES: &[&str] = &["ironwall", "ironwall-format", "ironwall-testkit"];

/// Runs the tests, reduced where they ask for Miri.
///
/// # Errors
/// No nightly compiler with Miri, or what Miri finds.
pub(super) fn run(args: &[String]) -> Result<()> {
    ensure!(args.is_empty(), "usage: cargo xtask ironwall miri");
    for package in PACKAGES {
        let mut command = nightly()?;
        command.args(["miri", "test", "--package", package, "--lib", "--tests"]);
        // The tests leak the memory of their runtimes, so that it lives for good.
        command.env("MIRIFLAGS", "-Zmiri-strict-provenance -Zmiri-ignore-leaks");
        run_command(&mut command)?;
    }
    Ok(())
}
