//! The embedding API: build a guest, run a program in it; or boot the same
//! kernel on a machine of its own ([`BootBuilder`]).
//!
//! ```no_run
//! use vambrace::{GuestBuilder, Root};
//!
//! let code = GuestBuilder::new(Root::Builtin)
//!     .memory(512 << 20)
//!     .program("/bin/sh", ["-c", "echo $((6*7))"])
//!     .run()?;
//! assert_eq!(code, 0);
//! # Ok::<(), vambrace::Error>(())
//! ```
//!
//! A guest is a value with a configuration; several can run in one process,
//! but only one of them can have the process's terminal.
#![forbid(unsafe_code)]

mod boot;
mod builder;
mod door;
mod error;
mod guest;
pub mod image;
mod mounts;
mod streams;
mod userland;

pub use boot::{BootBuilder, BootEnd, BootError, Forward, find_kernel};
pub use builder::{GuestBuilder, Root};
pub use error::Error;
