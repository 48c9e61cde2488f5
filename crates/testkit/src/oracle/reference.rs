//! The reference: the oracle program under QEMU's user-mode emulator.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::case::{Case, Outcome, outcomes};

/// The first version of QEMU that has every instruction of the table.
const LEAST_VERSION: u32 = 10;

/// The major version that `program --version` tells.
fn major_version(program: &Path) -> Option<u32> {
    let output = Command::new(program).arg("--version").stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_once("version ")?.1.split_once('.')?.0.parse().ok()
}

/// QEMU of a version that will do: what `cargo xtask setup` fetched into
/// `target`, or an installed one.
#[must_use]
pub fn find_qemu(target: &Path) -> Option<PathBuf> {
    let fetched = target.join("reference/usr/bin/qemu-aarch64");
    let candidates = [fetched, "qemu-aarch64-static".into(), "qemu-aarch64".into()];
    candidates.into_iter().find(|program| major_version(program) >= Some(LEAST_VERSION))
}

/// QEMU with the program to run.
#[derive(Debug)]
pub struct Reference {
    qemu: PathBuf,
    program: PathBuf,
    /// QEMU's name of the processor, such as `max`.
    cpu: String,
}

impl Reference {
    /// Builds the oracle program in `directory`. Needs `aarch64-linux-gnu-gcc`.
    ///
    /// # Errors
    /// If the compiler is missing or fails.
    pub fn build(directory: &Path, qemu: &Path, cpu: &str) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle");
        let program = directory.join("oracle-arm64");
        let status = Command::new("aarch64-linux-gnu-gcc")
            .args(["-O2", "-ffreestanding", "-fno-stack-protector", "-fno-pie", "-mgeneral-regs-only"])
            .args(["-fno-tree-loop-distribute-patterns", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none"])
            .args(["-Wl,--section-start=.tramp=0x20000000", "-Wl,--defsym=STATE=0x20040000"])
            .args([sources.join("oracle.c"), sources.join("stubs.S")])
            .arg("-o")
            .arg(&program)
            .status()
            .context("aarch64-linux-gnu-gcc")?;
        ensure!(status.success(), "the oracle program does not compile");
        Ok(Self { qemu: qemu.to_owned(), program, cpu: cpu.to_owned() })
    }

    /// What becomes of the cases, in order.
    ///
    /// # Errors
    /// If QEMU is missing, fails, or gives anything but one outcome per case.
    pub fn run(&self, cases: &[Case]) -> Result<Vec<Outcome>> {
        let mut child = Command::new(&self.qemu)
            .args(["-cpu", &self.cpu])
            .arg(&self.program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| self.qemu.display().to_string())?;
        let mut input = child.stdin.take().context("a pipe")?;
        let mut output = child.stdout.take().context("a pipe")?;
        let mut bytes = Vec::new();
        std::thread::scope(|scope| -> Result<()> {
            let writer = scope.spawn(move || -> std::io::Result<()> {
                for (id, case) in cases.iter().enumerate() {
                    input.write_all(&case.record(id as u32))?;
                }
                Ok(())
            });
            output.read_to_end(&mut bytes)?;
            writer.join().ok().context("the writer panicked")??;
            Ok(())
        })?;
        let status = child.wait()?;
        ensure!(status.success(), "QEMU ended with {status}");
        let outcomes = outcomes(&bytes).context("QEMU's output is cut short")?;
        ensure!(outcomes.len() == cases.len(), "{} outcomes for {} cases", outcomes.len(), cases.len());
        Ok(outcomes)
    }
}
