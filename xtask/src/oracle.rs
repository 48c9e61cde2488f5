//! `oracle`: every row of the encoding table against QEMU.
//!
//! The comparison is a program of its own, so that this one does not have to
//! be built with the engine and the kernel whenever those change.

use anyhow::Result;

use crate::reference;
use crate::shell::{cargo, root, run as start, target_dir};

/// The page that the results go to.
const PAGE: &str = "docs/isa-coverage.md";

/// How cargo runs the program, up to its own arguments.
const BUILD: [&str; 8] = ["run", "--quiet", "--release", "--package", "testkit", "--bin", "oracle", "--"];

/// Builds and runs `testkit`'s program with `args`.
///
/// # Errors
/// Unknown arguments, missing tools, and differences with `--check`.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut command = cargo();
    command.args(BUILD).arg(target_dir().join("oracle")).arg(root().join(PAGE));
    if !args.iter().any(|arg| arg == "--qemu") {
        command.arg("--qemu").arg(reference::need(None)?);
    }
    start(command.args(args))
}
