//! Starts programs of an unpacked Debian: in a guest, in QEMU, or natively.

use crate::reference;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A directory with unpacked packages of one architecture.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) dir: PathBuf,
    /// GNU's name of the architecture, in the paths of libraries.
    pub(super) triple: &'static str,
}

pub(super) const ARM64: &str = "aarch64-linux-gnu";
pub(super) const AMD64: &str = "x86_64-linux-gnu";

impl Tree {
    /// The packages and what they depend on, fetched unless they are there.
    ///
    /// # Errors
    /// They cannot be fetched or unpacked.
    pub(super) fn fetch(name: &str, arch: &'static str, packages: &[&str]) -> Result<Self> {
        let triple = if arch == "arm64" { ARM64 } else { AMD64 };
        let dir = super::place(&format!("{name}-{arch}"));
        // Named only when it is whole.
        if !dir.is_dir() {
            let partial = dir.with_extension("partial");
            let archive = super::archive(super::SUITE, arch)?;
            archive.unpack(packages, &partial)?;
            archive.close()?;
            for place in ["tmp", "root", "proc", "dev", "work"] {
                fs::create_dir_all(partial.join(place))?;
            }
            fs::rename(&partial, &dir)?;
        }
        Ok(Self { dir, triple })
    }

    /// Where the dynamic linker finds libraries; maintainers' scripts, which
    /// would have made links to some of them, have not run.
    fn library_path(&self, prefix: &str) -> String {
        let triple = self.triple;
        let places = [format!("lib/{triple}"), format!("usr/lib/{triple}")];
        let more = ["pulseaudio", "blas", "lapack"].map(|name| format!("usr/lib/{triple}/{name}"));
        places.iter().chain(&more).map(|place| format!("{prefix}/{place}")).collect::<Vec<_>>().join(":")
    }

    /// The path of a file here.
    pub(super) fn file(&self, path: &str) -> PathBuf {
        self.dir.join(path)
    }
}

/// What runs a program.
#[derive(Clone, Debug)]
pub(super) enum Runner {
    /// The command `vambrace`, built with optimization.
    Vambrace(PathBuf),
    Qemu(PathBuf),
    Native,
}

impl Runner {
    pub(super) fn qemu() -> Result<Self> {
        Ok(Self::Qemu(reference::need(None)?))
    }

    /// A command that runs `program`, a path in `tree` or, with `work`, a path
    /// below `/mnt`, which is that directory.
    pub(super) fn command(
        &self,
        tree: &Tree,
        work: Option<&Path>,
        variables: &[(&str, &str)],
        program: &str,
    ) -> Command {
        // Outside of a guest, paths are the host's.
        let outside = match (work, program.strip_prefix("/mnt/")) {
            (Some(work), Some(name)) => work.join(name),
            _ => tree.dir.join(program.trim_start_matches('/')),
        };
        let mut command = match self {
            Self::Vambrace(vambrace) => {
                let mut command = Command::new(vambrace);
                command.args(["run", "--cpus", "2", "--root"]).arg(&tree.dir);
                if let Some(work) = work {
                    command.args(["--bind", &format!("{}:/mnt", work.display()), "--cwd", "/mnt"]);
                }
                let libraries = tree.library_path("");
                let always = [("LD_LIBRARY_PATH", libraries.as_str()), ("PATH", "/usr/bin:/bin"), ("HOME", "/root")];
                for (name, value) in always.iter().chain(variables) {
                    command.args(["--env", &format!("{name}={value}")]);
                }
                command.arg("--").arg(program);
                command
            }
            Self::Qemu(qemu) => {
                let mut command = Command::new(qemu);
                command.args(["-cpu", "max", "-L"]).arg(&tree.dir);
                command.args(["-E", &format!("LD_LIBRARY_PATH={}", tree.library_path(""))]).arg(outside);
                command.env_clear().envs(variables.iter().copied());
                command
            }
            Self::Native => {
                let libraries = tree.library_path(&tree.dir.to_string_lossy());
                let mut command = Command::new(tree.file("lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"));
                command.args(["--library-path", &libraries]).arg(outside);
                command.env_clear().envs(variables.iter().copied());
                command
            }
        };
        if let (Some(work), false) = (work, matches!(self, Self::Vambrace(_))) {
            command.current_dir(work);
        }
        command.stdin(Stdio::null());
        command
    }
}

/// Runs a command and returns its output, whatever its status.
pub(super) fn finish(command: &mut Command) -> Result<Output> {
    command.output().with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))
}

/// Runs a command, which must succeed, and returns what it printed.
pub(super) fn printed(command: &mut Command) -> Result<String> {
    let output = finish(command)?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = errors.lines().rev().take(5).collect();
    ensure!(output.status.success(), "{}: {}", output.status, last.into_iter().rev().collect::<Vec<_>>().join("; "));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
