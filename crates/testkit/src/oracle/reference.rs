//! The reference: the oracle program under `qemu-aarch64-static`.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::case::{Case, Outcome, outcomes};

/// QEMU with the program to run.
#[derive(Debug)]
pub struct Reference {
    program: PathBuf,
    /// QEMU's name of the processor, such as `neoverse-n1`.
    cpu: String,
}

impl Reference {
    /// Builds the oracle program in `directory`. Needs `aarch64-linux-gnu-gcc`.
    ///
    /// # Errors
    /// If the compiler is missing or fails.
    pub fn build(directory: &Path, cpu: &str) -> Result<Self> {
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
        Ok(Self { program, cpu: cpu.to_owned() })
    }

    /// What becomes of the cases, in order.
    ///
    /// # Errors
    /// If QEMU is missing, fails, or gives anything but one outcome per case.
    pub fn run(&self, cases: &[Case]) -> Result<Vec<Outcome>> {
        let mut child = Command::new("qemu-aarch64-static")
            .args(["-cpu", &self.cpu])
            .arg(&self.program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("qemu-aarch64-static")?;
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
