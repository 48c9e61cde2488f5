//! Debian's packages and sources, fetched with apt from the mirror that the
//! system is configured with, and unpacked under the target directory.
//!
//! An [`Archive`] has lists, a cache and a package database of its own: the
//! system's are neither read nor changed, nothing is installed, and no rights
//! are needed.

use crate::shell::{files_in, find_program, output, run as run_command};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian's own package puts the keys of its archive.
const KEYRINGS: [&str; 2] =
    ["/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp"];

/// One release of Debian for one architecture.
#[derive(Debug)]
pub(crate) struct Archive {
    place: PathBuf,
    arch: &'static str,
}

impl Archive {
    /// Reads the lists of `suite` into the directory `place`, which must not be
    /// needed for anything else. Without `mirror` it is the configured one.
    ///
    /// # Errors
    /// There is no apt, it knows no mirror, or the mirror is out of reach.
    pub(crate) fn open(place: PathBuf, suite: &str, arch: &'static str, mirror: Option<&str>) -> Result<Self> {
        for program in ["apt-get", "dpkg-deb"] {
            ensure!(find_program(&[program]).is_some(), "there is no {program} to fetch Debian's packages with");
        }
        for directory in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(place.join(directory))?;
        }
        let mirror = mirror.map_or_else(configured_mirror, |uri| Ok(uri.to_owned()))?;
        let keyring = KEYRINGS.iter().find(|file| Path::new(file).is_file());
        let signed = keyring.map(|file| format!(" signed-by={file}")).unwrap_or_default();
        let line = |kind: &str| format!("{kind} [arch={arch}{signed}] {mirror} {suite} main\n");
        fs::write(place.join("sources.list"), line("deb") + &line("deb-src"))?;
        fs::write(place.join("status"), "")?;
        let archive = Self { place, arch };
        run_command(archive.apt().arg("update"))?;
        Ok(archive)
    }

    fn apt(&self) -> Command {
        let mut command = Command::new("apt-get");
        for (name, file) in [
            ("Dir::Etc::SourceList", "sources.list"),
            ("Dir::State", ""),
            ("Dir::State::Lists", "lists"),
            ("Dir::State::Status", "status"),
            ("Dir::Cache", "cache"),
        ] {
            command.arg("-o").arg(format!("{name}={}", self.place.join(file).display()));
        }
        command.args(["-o", "Dir::Etc::SourceParts=/dev/null", "-o", "APT::Sandbox::User=root", "-q"]);
        for name in ["APT::Architecture", "APT::Architectures"] {
            command.arg("-o").arg(format!("{name}={}", self.arch));
        }
        command.current_dir(&self.place);
        command
    }

    /// Unpacks packages into `root`: just these, without what they depend on.
    ///
    /// # Errors
    /// A package is not in the archive or cannot be unpacked.
    pub(crate) fn unpack_alone(&self, names: &[&str], root: &Path) -> Result<()> {
        let place = self.place.join("alone");
        fresh(&place)?;
        run_command(self.apt().arg("download").args(names).current_dir(&place))?;
        unpack(&files_in(&place, "deb")?, root)
    }

    /// Unpacks packages and what they depend on into `root`, without running
    /// their maintainers' scripts.
    ///
    /// # Errors
    /// A package is not in the archive or cannot be unpacked.
    pub(crate) fn unpack(&self, names: &[&str], root: &Path) -> Result<()> {
        let cache = self.place.join("cache/archives");
        fresh(&cache)?;
        fs::create_dir_all(cache.join("partial"))?;
        let words = ["install", "--yes", "--download-only", "--no-install-recommends"];
        run_command(self.apt().args(words).args(names))?;
        unpack(&files_in(&cache, "deb")?, root)
    }

    /// Unpacks the source of a package, with Debian's patches, as `target`.
    ///
    /// # Errors
    /// The source is not in the archive, or there is no `dpkg-source`.
    pub(crate) fn source(&self, name: &str, target: &Path) -> Result<()> {
        if find_program(&["dpkg-source"]).is_none() {
            bail!("there is no dpkg-source; install dpkg-dev");
        }
        let place = self.place.join("source");
        fresh(&place)?;
        run_command(self.apt().args(["source", "--download-only", name]).current_dir(&place))?;
        let description = files_in(&place, "dsc")?.pop().with_context(|| format!("no source of {name}"))?;
        if target.exists() {
            fs::remove_dir_all(target)?;
        }
        // apt has checked the signature of the list that has the digests.
        let mut command = Command::new("dpkg-source");
        command.args(["--no-check", "--extract"]).arg(&description).arg(target);
        output(&mut command)?;
        Ok(())
    }

    /// Removes what was only needed for fetching.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(crate) fn close(self) -> Result<()> {
        fs::remove_dir_all(&self.place).with_context(|| format!("cannot remove {}", self.place.display()))
    }
}

/// The mirror of Debian in apt's configuration.
fn configured_mirror() -> Result<String> {
    let targets = ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"];
    let mirrors = output(Command::new("apt-get").args(targets))?;
    let first = mirrors.lines().find(|line| !line.trim().is_empty());
    first.map(|line| line.trim().to_owned()).context("apt's configuration names no mirror of Debian")
}

/// Makes an empty directory.
fn fresh(place: &Path) -> Result<()> {
    if place.exists() {
        fs::remove_dir_all(place)?;
    }
    fs::create_dir_all(place).with_context(|| format!("cannot make {}", place.display()))
}

fn unpack(packages: &[PathBuf], root: &Path) -> Result<()> {
    ensure!(!packages.is_empty(), "apt-get downloaded nothing");
    fs::create_dir_all(root)?;
    for package in packages {
        output(Command::new("dpkg-deb").arg("-x").arg(package).arg(root))?;
    }
    Ok(())
}
