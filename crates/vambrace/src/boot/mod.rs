//! The same kernel on a machine of its own: QEMU's `virt`, with the kernel
//! image that `cargo xtask kernel` makes.
//!
//! [`BootBuilder`] holds what is chosen; [`arguments`] turns it into QEMU's
//! words, [`monitor`] learns from QEMU why the machine stopped, [`terminal`]
//! gives the user's terminal back as it was.

mod arguments;
mod forward;
mod monitor;
mod terminal;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use forward::Forward;

use crate::image::ImageOptions;
use arguments::Places;
use monitor::Monitor;
use terminal::Terminal;

/// The program that is the machine.
const QEMU: &str = "qemu-system-aarch64";

/// The size of a disk that is gone at the end.
const DISK_BYTES: u64 = 1 << 30;

/// The name of the kernel image.
const KERNEL: &str = "vambrace-virt";

/// Why a machine could not be started.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// There is no kernel image in the usual places.
    #[error("there is no kernel image at {}; `cargo xtask kernel` builds it, --kernel names another", list(.0))]
    NoKernel(Vec<PathBuf>),
    /// A file that was named is not there.
    #[error("cannot use {}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the host said.
        error: io::Error,
    },
    /// QEMU is not installed.
    #[error("there is no {QEMU} in PATH; Debian's package qemu-system-arm has it")]
    NoQemu,
    /// QEMU ended before the machine started. It has said why on standard error.
    #[error("{QEMU} did not start the machine ({0})")]
    NotStarted(std::process::ExitStatus),
    /// The built-in userland could not be put on a disk.
    #[error("cannot make a disk of the built-in userland: {0}")]
    Disk(String),
    /// The host refused something that a machine needs.
    #[error("cannot start a machine: {0}")]
    Host(#[from] io::Error),
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" or ")
}

/// How a machine came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BootEnd {
    /// The guest turned the machine off.
    PoweredOff,
    /// The guest reset the machine, as the kernel does when it panics.
    Reset,
    /// The user left with ^A x, or through QEMU's monitor.
    Left,
    /// A signal to this process or to QEMU ended it.
    Signalled,
    /// QEMU ended by itself.
    Failed(String),
}

impl fmt::Display for BootEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PoweredOff => f.write_str("the machine turned itself off"),
            Self::Reset => f.write_str("the machine reset itself instead of turning itself off"),
            Self::Left => f.write_str("the machine was stopped from outside; what it had not written is lost"),
            Self::Signalled => f.write_str("a signal ended the machine; what it had not written is lost"),
            Self::Failed(why) => write!(f, "{QEMU} failed: {why}"),
        }
    }
}

/// A machine that is being configured.
#[derive(Clone, Debug)]
pub struct BootBuilder {
    kernel: PathBuf,
    disk: Option<PathBuf>,
    cpus: u16,
    memory: u64,
    forwards: Vec<Forward>,
    append: String,
    qemu_args: Vec<OsString>,
}

impl BootBuilder {
    /// A machine that runs the kernel image `kernel`, with one CPU, 512 MiB of
    /// memory and the built-in userland on a disk of its own that is gone at
    /// the end.
    #[must_use]
    pub fn new(kernel: impl Into<PathBuf>) -> Self {
        Self {
            kernel: kernel.into(),
            disk: None,
            cpus: 1,
            memory: 512 << 20,
            forwards: Vec::new(),
            append: String::new(),
            qemu_args: Vec::new(),
        }
    }

    /// Uses an ext2 image as the root file system, and changes it.
    #[must_use]
    pub fn disk(mut self, image: impl Into<PathBuf>) -> Self {
        self.disk = Some(image.into());
        self
    }

    /// Sets the number of CPUs.
    #[must_use]
    pub fn cpus(mut self, cpus: u16) -> Self {
        self.cpus = cpus;
        self
    }

    /// Sets the size of the memory, in bytes; QEMU rounds it up to 1 MiB.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// Leads a TCP port of the host to one of the guest.
    #[must_use]
    pub fn forward(mut self, forward: Forward) -> Self {
        self.forwards.push(forward);
        self
    }

    /// Adds words to the kernel's command line.
    #[must_use]
    pub fn append(mut self, words: &str) -> Self {
        self.append = format!("{} {words}", self.append).trim().to_owned();
        self
    }

    /// Adds an argument for QEMU, after all others, so that it prevails.
    #[must_use]
    pub fn qemu_arg(mut self, arg: impl Into<OsString>) -> Self {
        self.qemu_args.push(arg.into());
        self
    }

    /// Runs the machine with its console on the process's standard streams. A
    /// terminal there is in raw mode meanwhile: ^C goes to the guest, ^A x ends
    /// the machine. SIGINT, SIGTERM and SIGHUP to this process end it too.
    ///
    /// # Errors
    /// When the machine cannot be started. How it ended is no error.
    pub fn run(&self) -> Result<BootEnd, BootError> {
        readable(&self.kernel)?;
        // Everything in it is gone when this is dropped.
        let place = tempfile::Builder::new().prefix("vambrace-").tempdir()?;
        // From here a signal ends the machine, not this process.
        let (monitor, socket) = Monitor::listen(place.path())?;
        let disk = match &self.disk {
            Some(disk) => {
                readable(disk)?;
                disk.clone()
            }
            None => builtin_disk(place.path())?,
        };
        let terminal = Terminal::save();
        let places = Places { disk: &disk, keeps_disk: self.disk.is_some(), monitor: &socket };
        let mut command = Command::new(QEMU);
        command.args(self.arguments(&places, terminal.is_some()));
        let child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BootError::NoQemu,
            _ => BootError::Host(error),
        })?;
        monitor.watch(child)
    }
}

/// The kernel image beside the running program, or where `cargo xtask kernel`
/// puts it for a program that Cargo has built.
///
/// # Errors
/// There is none.
pub fn find_kernel() -> Result<PathBuf, BootError> {
    let program = std::env::current_exe()?;
    let dir = program.parent().unwrap_or(Path::new("/"));
    let built = dir.parent().unwrap_or(dir).join("kernel").join(KERNEL);
    let candidates = vec![dir.join(KERNEL), built];
    candidates.iter().find(|path| path.is_file()).cloned().ok_or(BootError::NoKernel(candidates))
}

fn readable(path: &Path) -> Result<(), BootError> {
    let opened = std::fs::File::open(path);
    opened.map(drop).map_err(|error| BootError::File { path: path.to_owned(), error })
}

/// A fresh image of the built-in userland, with room for what the guest adds.
fn builtin_disk(place: &Path) -> Result<PathBuf, BootError> {
    let image = place.join("root.img");
    // What is not written takes no room on the host.
    let options = ImageOptions { size: Some(DISK_BYTES), ..ImageOptions::default() };
    crate::image::create_builtin(&image, &options).map_err(|error| BootError::Disk(error.to_string()))?;
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_that_is_not_there_is_named() {
        let error = BootBuilder::new("/nonexistent/kernel").run().unwrap_err();
        assert!(error.to_string().contains("/nonexistent/kernel"), "{error}");
    }

    #[test]
    fn without_an_image_the_message_says_how_to_build_one() {
        // The tests' own program lies in `deps`, where no kernel is put.
        let error = find_kernel().unwrap_err().to_string();
        assert!(error.contains("cargo xtask kernel") && error.contains("--kernel"), "{error}");
    }
}
