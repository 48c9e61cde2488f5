//! The arm64 Linux user ABI: numbers, flags, structures and [`Errno`].
//!
//! Names are those of the Linux headers. A set of flags that a system call
//! takes is a `bitflags` type; other numbers are plain constants, with a table
//! of their names beside them; structures are plain Rust structures that
//! [`Wire`] moves to and from guest bytes. `tests/headers.rs` compares every
//! value, size and offset with what a C compiler says for arm64.
#![no_std]
#![forbid(unsafe_code)]

#[macro_use]
mod macros;
mod errno;
mod wire;

pub mod auxv;
pub mod capability;
pub mod dirent;
pub mod elf;
pub mod fcntl;
pub mod futex;
pub mod ioctl;
pub mod ipc;
pub mod mman;
pub mod nr;
pub mod poll;
pub mod prctl;
pub mod resource;
pub mod rseq;
pub mod sched;
pub mod seccomp;
pub mod sigframe;
pub mod signal;
pub mod socket;
pub mod stat;
pub mod system;
pub mod termios;
pub mod time;
pub mod uio;
pub mod wait;

pub use errno::Errno;
pub use wire::{Layout, Wire};
