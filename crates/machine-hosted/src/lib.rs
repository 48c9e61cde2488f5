//! The machine inside an ordinary unprivileged process.
//!
//! [`HostedMachine`] implements [`machine::Machine`]: guest memory is a
//! reservation of the host's, CPUs are host threads, time and randomness come
//! from the host. [`host_fs`] offers host directories, [`FileDisk`] a file as a
//! disk, [`StandardStreams`] the process's own input and output, [`Console`] its
//! terminal.
//!
//! Threads: one for each CPU; one for deadlines, from the first one set; one
//! for console input, while there may be any; one for streams, from the first
//! time that the guest waits for one. All of them sleep unless there is work.

mod clock;
mod console;
mod cpu;
mod disk;
mod errno;
#[cfg(target_os = "linux")]
pub mod host_fs;
mod host_stat;
mod hosted;
mod memory;
mod random;
mod stdio;
mod stream;
mod terminal;
mod timer;
mod watch;

pub use console::Console;
pub use disk::FileDisk;
pub use hosted::{Config, Error, HostedMachine, LogSink, MIN_MEMORY, RunningCpus};
pub use stdio::{StandardStreams, Stdio};
pub use stream::FdStream;
