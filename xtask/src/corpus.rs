//! `corpus`: the disassembler's corpora, written anew by LLVM.

use anyhow::{Result, bail};

use crate::shell::{cargo, root, run as start};

/// Where the corpora are.
const PLACE: &str = "crates/a64/tests/corpus";

/// Builds and runs `a64`'s example for all corpora or one.
///
/// # Errors
/// LLVM is not installed.
pub(crate) fn run(args: &[String]) -> Result<()> {
    if args.len() > 1 {
        bail!("usage: cargo xtask corpus [NAME]");
    }
    let build = ["run", "--quiet", "--package", "a64", "--example", "corpus", "--"];
    start(cargo().args(build).arg(root().join(PLACE)).args(args))
}
