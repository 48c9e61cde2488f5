//! The reference for instructions: QEMU's user-mode emulator, version 10 or later.
//!
//! Earlier ones lack instructions that are in the table. Where the system has
//! no such package, Debian 13's is fetched from the mirror that apt is
//! configured with, and unpacked under the target directory without being
//! installed; decision 0013 has the reasons.

use crate::debian::Archive;
use crate::shell::{find_program, output, target_dir};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The first major version that is good enough.
const LEAST_VERSION: u32 = 10;
/// Debian's release that has it, and the package.
const SUITE: &str = "trixie";
const PACKAGE: &str = "qemu-user";

/// Where the fetched package is unpacked.
fn place() -> PathBuf {
    target_dir().join("reference")
}

/// The major version that `program --version` tells.
fn major_version(program: &Path) -> Option<u32> {
    let text = output(Command::new(program).arg("--version")).ok()?;
    text.split_once("version ")?.1.split_once('.')?.0.parse().ok()
}

/// The reference that is there: fetched, or installed and new enough.
pub(crate) fn find() -> Option<PathBuf> {
    let fetched = place().join("usr/bin/qemu-aarch64");
    let installed = ["qemu-aarch64-static", "qemu-aarch64"].map(|name| find_program(&[name]));
    let candidates = std::iter::once(Some(fetched)).chain(installed).flatten();
    candidates.into_iter().find(|path| path.is_file() && major_version(path) >= Some(LEAST_VERSION))
}

/// The reference; fetched, from `mirror` if one is named, if it is not there.
///
/// # Errors
/// It is not there and cannot be had; the message tells what to do.
pub(crate) fn need(mirror: Option<&str>) -> Result<PathBuf> {
    if let Some(path) = find() {
        return Ok(path);
    }
    let advice = "there is no qemu-aarch64 of version 10 or later: install one, or name a Debian mirror \
                  (`cargo xtask setup --mirror URI`) or the program (`cargo xtask oracle --qemu PATH`)";
    fetch(mirror).context(advice)?;
    find().with_context(|| format!("{PACKAGE} of {SUITE} does not run here; {advice}"))
}

/// Fetches the package, and unpacks it.
fn fetch(mirror: Option<&str>) -> Result<()> {
    ensure!(cfg!(target_arch = "x86_64"), "Debian's package is fetched for x86-64 only");
    let place = place();
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    let archive = Archive::open(place.join("apt"), SUITE, "amd64", mirror)?;
    archive.unpack_alone(&[PACKAGE], &place)?;
    archive.close()
}
