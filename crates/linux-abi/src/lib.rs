//! The arm64 Linux user ABI: numbers, flags, structures and `Errno`.
#![no_std]
#![forbid(unsafe_code)]

mod errno;

pub use errno::Errno;
