//! Runs programs on a machine of their own: one file system in memory for all
//! kernels, the runner of `tests/runner` as process 1, and its frames read back.

use super::cpio::Archive;
use super::frames::{self, Run};
use super::image::Image;
use super::linux::Linux;
use super::qemu::{Fate, Setup, place};
use crate::guest::file_name;
use crate::shell::{cargo, find_program, root, run as run_command, say, target_dir};
use crate::tap::End;
use crate::toolchain::{MUSL, need_target};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long a machine may take to start and to stop.
const SLACK: Duration = Duration::from_secs(120);

/// A program to run: a name, seconds, and its words.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) limit_s: u64,
    pub(crate) words: Vec<String>,
}

/// A kernel to run programs on.
#[derive(Debug)]
pub(crate) enum Kernel {
    Bare(Image),
    Linux(Linux),
}

impl Kernel {
    /// A machine with this kernel and nothing else.
    pub(crate) fn setup(&self) -> Setup {
        match self {
            Self::Bare(image) => Setup { semihosting: true, ..Setup::new(&image.file) },
            // A panic resets at once, which is then told from a hang.
            Self::Linux(linux) => {
                Setup { append: "quiet panic=-1 console=ttyAMA0".into(), ..Setup::new(&linux.kernel) }
            }
        }
    }

    pub(crate) fn image(&self) -> Option<&Image> {
        match self {
            Self::Bare(image) => Some(image),
            Self::Linux(_) => None,
        }
    }
}

/// The runner, built for ARM64.
pub(crate) fn runner() -> Result<PathBuf> {
    let source = root().join("tests/runner");
    let target = target_dir().join("guest/runner");
    need_target(&source, MUSL)?;
    let mut command = cargo();
    command.current_dir(&source).args(["build", "--quiet", "--release", "--locked", "--target", MUSL]);
    command.env("CARGO_TARGET_DIR", &target).env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld");
    run_command(&mut command)?;
    Ok(target.join(MUSL).join("release/runner"))
}

/// A root file system with the runner and the modules that the kernel needs.
pub(crate) fn base(kernel: &Kernel) -> Result<Archive> {
    let mut archive = Archive::default();
    archive.copy("init", 0o755, &runner()?)?;
    archive.device("dev/console", 0o600, (5, 1))?;
    archive.device("dev/null", 0o666, (1, 3))?;
    for directory in ["proc", "tmp", "sys"] {
        archive.directory(directory)?;
    }
    archive.file("etc/passwd", 0o644, b"root:x:0:0:root:/root:/bin/sh\n")?;
    archive.file("etc/group", 0o644, b"root:x:0:\n")?;
    if let Kernel::Linux(linux) = kernel {
        let mut list = String::new();
        for module in &linux.modules {
            let name = format!("modules/{}", file_name(module));
            archive.copy(&name, 0o644, module)?;
            list.push_str(&format!("/{name}\n"));
        }
        archive.file("runner/modules", 0o644, list.as_bytes())?;
    }
    Ok(archive)
}

/// Runs the steps in order. A machine that stops before the end is started
/// again with the steps that are left; the one it stopped at is lost.
pub(crate) fn run(kernel: &Kernel, setup: &Setup, archive: Archive, steps: &[Step], log: &Path) -> Result<Vec<Run>> {
    let base = archive.finish()?;
    let (mut runs, mut left): (Vec<Run>, &[Step]) = (Vec::new(), steps);
    let mut text = String::new();
    while !left.is_empty() {
        let mut setup = setup.clone();
        setup.initrd = Some(write_initrd(&base, left, log)?);
        let limit = SLACK + Duration::from_secs(left.iter().map(|step| step.limit_s).sum::<u64>());
        let mut machine = setup.start()?;
        let fate = machine.finish(limit, kernel.image())?;
        let printed = machine.console.text();
        text.push_str(&printed);
        fs::write(log, &text).with_context(|| format!("cannot write {}", log.display()))?;
        let names: Vec<String> = left.iter().map(|step| step.name.clone()).collect();
        let mut more = frames::read(&printed, &names).with_context(|| format!("{fate}; see {}", log.display()))?;
        let is_good = matches!(fate, Fate::PoweredOff | Fate::Exited(0));
        match more.last_mut() {
            Some(last) if matches!(last.end, End::Lost(_)) => last.end = End::Lost(fate.to_string()),
            _ => ensure!(is_good && more.len() == left.len(), "{fate}; see {}", log.display()),
        }
        ensure!(!more.is_empty(), "the machine started no program: {fate}; see {}", log.display());
        if more.len() < left.len() {
            say(&format!("the machine stopped early ({fate}) and is started again"));
        }
        left = left.get(more.len()..).unwrap_or_default();
        runs.extend(more);
    }
    Ok(runs)
}

/// The file system with the plan for these steps, which follows as a second archive.
fn write_initrd(base: &[u8], steps: &[Step], log: &Path) -> Result<PathBuf> {
    let mut plan = String::new();
    for step in steps {
        plan.push_str(&format!("{} {} {}\n", step.limit_s, step.name, step.words.join(" ")));
    }
    let mut second = Archive::default();
    second.file("runner/plan", 0o644, plan.as_bytes())?;
    let mut bytes = base.to_vec();
    bytes.extend(second.finish()?);
    let name = format!("{}.cpio", log.file_stem().unwrap_or_default().to_string_lossy());
    let path = place()?.join(name);
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// An ext2 image with the files below `tree`, and room for as much again.
pub(crate) fn make_image(tree: &Path, image: &Path) -> Result<()> {
    let mut command = Command::new(tool("mke2fs")?);
    command.args(["-q", "-F", "-t", "ext2", "-b", "4096", "-O", "^resize_inode", "-E", "root_owner=0:0", "-d"]);
    run_command(command.arg(tree).arg(image).arg("128M"))
}

/// A program of e2fsprogs, which may lie where only root looks.
pub(crate) fn tool(name: &str) -> Result<PathBuf> {
    let found = find_program(&[name, &format!("/sbin/{name}"), &format!("/usr/sbin/{name}")]);
    found.with_context(|| format!("{name} is not installed; run `cargo xtask setup`"))
}
