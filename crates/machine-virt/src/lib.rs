//! What the bare machine knows that has nothing to do with the processor it
//! runs on: the formats and the arithmetic.
//!
//! These modules are tested on the developer's machine. The kernel image, with
//! all that is assembly or touches a device, is the program beside this
//! library (`main.rs`), which exists only for bare ARM64.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod buddy;
pub mod cmdline;
pub mod cpio;
pub mod esr;
pub mod phase;
pub mod platform;
pub mod pte;
pub mod scale;
