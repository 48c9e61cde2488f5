//! The reference for instructions: QEMU's user-mode emulator, version 10 or later.
//!
//! Earlier ones lack instructions that are in the table. Where the system has
//! no such package, Debian 13's is fetched from the mirror that apt is
//! configured with, and unpacked under the target directory without being
//! installed; decision 0013 has the reasons.

use crate::shell::{files_in, find_program, output, run as run_command, say, target_dir};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The first major version that is good enough.
const LEAST_VERSION: u32 = 10;
/// Debian's release that has it, and the package.
const SUITE: &str = "trixie";
const PACKAGE: &str = "qemu-user";
/// Where Debian's own package puts the keys of its archive.
const KEYRINGS: [&str; 2] =
    ["/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp"];

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

/// The mirrors of Debian in apt's configuration.
fn configured_mirror() -> Result<String> {
    let targets = ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"];
    let mirrors = output(Command::new("apt-get").args(targets))?;
    let first = mirrors.lines().find(|line| !line.trim().is_empty());
    first.map(|line| line.trim().to_owned()).context("apt's configuration names no mirror of Debian")
}

/// Fetches the package with lists and a cache of its own, and unpacks it.
fn fetch(mirror: Option<&str>) -> Result<()> {
    ensure!(cfg!(target_arch = "x86_64"), "Debian's package is fetched for x86-64 only");
    if find_program(&["apt-get"]).is_none() || find_program(&["dpkg-deb"]).is_none() {
        bail!("there is no apt-get or dpkg-deb to fetch {PACKAGE} with");
    }
    let mirror = mirror.map_or_else(configured_mirror, |uri| Ok(uri.to_owned()))?;
    let place = place();
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    for directory in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(place.join(directory))?;
    }
    let keyring = KEYRINGS.iter().find(|file| Path::new(file).is_file());
    let signed = keyring.map(|file| format!(" signed-by={file}")).unwrap_or_default();
    let list = place.join("sources.list");
    fs::write(&list, format!("deb [arch=amd64{signed}] {mirror} {SUITE} main\n"))?;
    let apt = || {
        let mut command = Command::new("apt-get");
        let option = |name: &str, value: &Path| format!("{name}={}", value.display());
        let options = [
            option("Dir::Etc::SourceList", &list),
            "Dir::Etc::SourceParts=/dev/null".to_owned(),
            option("Dir::State::Lists", &place.join("lists")),
            option("Dir::Cache", &place.join("cache")),
            "APT::Architecture=amd64".to_owned(),
            "APT::Architectures=amd64".to_owned(),
            "APT::Sandbox::User=root".to_owned(),
        ];
        options.iter().for_each(|option| {
            command.args(["-o", option]);
        });
        command.arg("-q").current_dir(&place);
        command
    };
    run_command(apt().arg("update"))?;
    run_command(apt().args(["download", PACKAGE]))?;
    let package = files_in(&place, "deb")?.pop().context("apt-get downloaded nothing")?;
    run_command(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&place))?;
    for leftover in ["lists", "cache"] {
        fs::remove_dir_all(place.join(leftover))?;
    }
    say(&format!("unpacked {}", package.display()));
    Ok(())
}
