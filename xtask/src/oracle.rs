//! `oracle`: every row of the encoding table against QEMU.
//!
//! The comparison is a program of its own, so that this one does not have to
//! be built with the engine and the kernel whenever those change.

use anyhow::Result;

use crate::shell::{cargo, root, run as start, target_dir};

/// The page that the results go to.
const PAGE: &str = "docs/isa-coverage.md";

/// Builds and runs `testkit`'s program with `args`.
///
/// # Errors
/// Unknown arguments, missing tools, and differences with `--check`.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let build = ["run", "--quiet", "--release", "--package", "testkit", "--bin", "oracle", "--"];
    start(cargo().args(build).arg(target_dir().join("oracle")).arg(root().join(PAGE)).args(args))
}
