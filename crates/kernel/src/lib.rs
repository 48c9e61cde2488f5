//! The Linux-compatible kernel, above the `machine` seam.
//!
//! [`Kernel`] is a value: any number of them live in one process. Each CPU of
//! the machine calls [`Kernel::cpu_main`]. Tasks ([`task`]) run guest code,
//! trap into [`syscall`], and wait as futures ([`sched`]). Memory is in
//! [`mm`], files in [`fs`], terminals in [`tty`], signals in [`signal`],
//! clocks and timers in [`time`].
//!
//! Lock order, outermost first: a task's body, the task tree, a process's
//! signals, a task's signals, address space, file table, inode, wait queue and
//! timer locks. No guard lives across an await point.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod error;
pub mod fs;
mod futex;
mod ipc;
mod kernel;
pub mod mm;
mod net;
pub mod poll;
pub mod sched;
pub mod signal;
pub mod syscall;
pub mod task;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
pub(crate) mod testing_disk;
#[cfg(test)]
pub(crate) mod testing_task;
pub mod time;
pub mod tty;

pub use kernel::{Config, End, Init, Kernel};
pub use net::{Listener, OutsideStream};
