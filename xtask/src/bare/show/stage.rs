//! What the show-cases share: a disk with the built-in userland, a machine
//! that boots it, and the look at the disk afterwards.

use super::shell::Shell;
use crate::bare::qemu::{Disk, Fate, Running, Setup, place};
use crate::bare::suite::{self, Kernel};
use crate::shell::root;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a machine may take to its first prompt, and from `poweroff` to its end.
pub(super) const BOOT: Duration = Duration::from_secs(60);

/// A kernel and a disk to boot it with.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub(super) kernel: &'a Kernel,
    /// Is only read: each machine gets a copy.
    disk: PathBuf,
    place: PathBuf,
}

impl<'a> Stage<'a> {
    /// Makes the disk: the built-in userland and `/show` with `files`.
    pub(super) fn set(kernel: &'a Kernel, files: &[(&str, PathBuf)]) -> Result<Self> {
        let place = place()?.join("show");
        let tree = place.join("tree");
        if tree.exists() {
            fs::remove_dir_all(&tree)?;
        }
        fs::create_dir_all(tree.join("show"))?;
        let archive = fs::File::open(root().join("crates/vambrace/assets/userland.tar.zst"))?;
        tar::Archive::new(zstd::Decoder::new(archive)?).unpack(&tree).context("cannot unpack the userland")?;
        for name in ["proc", "sys", "dev", "tmp", "run"] {
            fs::create_dir_all(tree.join(name))?;
        }
        for (name, file) in files {
            let to = tree.join("show").join(name);
            fs::copy(file, &to).with_context(|| format!("cannot copy {}", file.display()))?;
        }
        let disk = place.join("disk.img");
        suite::make_image(&tree, &disk)?;
        Ok(Self { kernel, disk, place })
    }

    /// Where a case may put files.
    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    /// What every machine starts from: a disk of its own, named after `name`.
    pub(super) fn setup(&self, name: &str) -> Result<Setup> {
        let image = self.place.join(format!("{name}.img"));
        fs::copy(&self.disk, &image).with_context(|| format!("cannot make {}", image.display()))?;
        let mut setup = self.kernel.setup();
        setup.disks.push(Disk { image, keep: true });
        match self.kernel {
            Kernel::Bare(_) => setup.append = "root=/dev/vda rw ip=dhcp".into(),
            // The drivers are modules, so a small first file system loads them.
            Kernel::Linux(_) => {
                let mut archive = suite::base(self.kernel)?;
                archive.file("runner/root", 0o644, b"/dev/vda ext2 /sbin/init\n")?;
                let path = self.place.join(format!("{name}.cpio"));
                fs::write(&path, archive.finish()?)?;
                setup.initrd = Some(path);
            }
        }
        Ok(setup)
    }

    /// Starts a machine.
    pub(super) fn start(&self, setup: &Setup) -> Result<Machine<'a>> {
        let image = setup.disks.first().context("a machine without a disk")?.image.clone();
        let log = image.with_extension("log");
        Ok(Machine { running: setup.start()?, kernel: self.kernel, image, log })
    }

    /// Boots a machine that needs nothing special, does `act` at its prompt and
    /// turns it off.
    pub(super) fn with<T>(
        &self,
        name: &str,
        adjust: impl FnOnce(&mut Setup),
        act: impl FnOnce(&mut Shell<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut setup = self.setup(name)?;
        adjust(&mut setup);
        let mut machine = self.start(&setup)?;
        let result = machine.login().and_then(|mut shell| act(&mut shell));
        match result {
            Ok(value) => machine.power_off().map(|()| value),
            Err(error) => Err(machine.explain(error)),
        }
    }
}

/// A machine that runs.
#[derive(Debug)]
pub(super) struct Machine<'a> {
    pub(super) running: Running,
    kernel: &'a Kernel,
    pub(super) image: PathBuf,
    log: PathBuf,
}

impl Machine<'_> {
    /// Waits for the prompt.
    pub(super) fn login(&mut self) -> Result<Shell<'_>> {
        Shell::wait_for(&mut self.running.console, BOOT)
    }

    /// Types `poweroff`, demands that the machine goes off and that its disk is clean.
    pub(super) fn power_off(mut self) -> Result<()> {
        self.running.console.send("poweroff\n")?;
        let ended = self.finish();
        self.keep_log();
        ended.with_context(|| format!("see {}", self.log.display()))
    }

    fn finish(&mut self) -> Result<()> {
        match self.running.finish(BOOT, self.kernel.image())? {
            Fate::PoweredOff | Fate::Exited(0) => check_disk(&self.image),
            fate => bail!("after `poweroff`: {fate}"),
        }
    }

    /// Adds to an error what the machine does, and keeps what it printed.
    pub(super) fn explain(mut self, error: anyhow::Error) -> anyhow::Error {
        // One that has ended by itself says why at once; one that hangs says where.
        let fate = self.running.finish(Duration::from_millis(200), self.kernel.image());
        self.keep_log();
        let fate = fate.map_or_else(|error| format!("{error:#}"), |fate| fate.to_string());
        error.context(format!("the machine: {fate}; see {}", self.log.display()))
    }

    fn keep_log(&self) {
        // The log helps a person; its absence changes no result.
        let _ = fs::write(&self.log, self.running.console.text());
    }
}

/// `e2fsck` must find nothing to repair.
pub(super) fn check_disk(image: &Path) -> Result<()> {
    let mut command = Command::new(suite::tool("e2fsck")?);
    let output = command.arg("-fn").arg(image).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "e2fsck -fn: {}:\n{text}", output.status);
    Ok(())
}

/// The contents of a file on a disk that no machine uses.
pub(super) fn read_from(image: &Path, path: &str) -> Result<Vec<u8>> {
    let mut command = Command::new(suite::tool("debugfs")?);
    let output = command.args(["-R", &format!("cat {path}")]).arg(image).output()?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    // Its first line of errors is its version; it ends with zero in any case.
    ensure!(!errors.lines().skip(1).any(|line| !line.trim().is_empty()), "debugfs: {path}: {errors}");
    Ok(output.stdout)
}

/// Repeats a look until it finds what it wants.
pub(super) fn until(limit: Duration, mut look: impl FnMut() -> Result<Option<String>>) -> Result<()> {
    let deadline = Instant::now() + limit;
    while let Some(complaint) = look()? {
        ensure!(Instant::now() < deadline, "{complaint}");
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}
