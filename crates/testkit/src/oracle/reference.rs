//! The reference: the oracle program under QEMU's user-mode emulator.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::case::{Batch, Case, Outcome};
use super::wire::{read_outcome, write_batch};

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

    /// Starts the oracle program.
    ///
    /// # Errors
    /// If QEMU cannot be started.
    pub fn start(&self) -> Result<Session> {
        let mut child = Command::new(&self.qemu)
            .args(["-cpu", &self.cpu])
            .arg(&self.program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| self.qemu.display().to_string())?;
        let input = child.stdin.take().context("a pipe")?;
        let output = BufReader::with_capacity(1 << 18, child.stdout.take().context("a pipe")?);
        Ok(Session { input: Feed(input), output: Drain { output, child } })
    }

    /// What becomes of one batch.
    ///
    /// # Errors
    /// As [`Reference::start`] and [`Drain::receive`].
    pub fn run(&self, batch: &Batch) -> Result<Vec<Outcome>> {
        let Session { mut input, mut output } = self.start()?;
        input.send(batch)?;
        batch.cases.iter().map(|case| output.receive(case)).collect()
    }
}

/// A running oracle program. Batches go in at one end, and the outcomes must be
/// taken out at the other while more of them go in.
#[derive(Debug)]
pub struct Session {
    /// Where batches go in.
    pub input: Feed,
    /// Where outcomes come out.
    pub output: Drain,
}

/// The way into the oracle program.
#[derive(Debug)]
pub struct Feed(ChildStdin);

impl Feed {
    /// Sends a batch; waits while the program is not done with the one before.
    ///
    /// # Errors
    /// If the program has ended.
    pub fn send(&mut self, batch: &Batch) -> Result<()> {
        write_batch(&mut self.0, batch).context("QEMU takes no more cases")
    }
}

/// The way out of the oracle program.
#[derive(Debug)]
pub struct Drain {
    output: BufReader<ChildStdout>,
    child: Child,
}

impl Drain {
    /// The outcome of the next case, which is `case`.
    ///
    /// # Errors
    /// If the program ends instead.
    pub fn receive(&mut self, case: &Case) -> Result<Outcome> {
        read_outcome(&mut self.output).with_context(|| {
            let status = self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
            format!("QEMU ended with {status} before the outcome of {}", case.text())
        })
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        // It has ended or waits for input that nobody is interested in.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
