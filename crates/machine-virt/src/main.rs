//! The kernel image for bare ARM64: from the first instruction to
//! [`kernel::Kernel::cpu_main`].
//!
//! `start` is where Rust begins. `arch` holds all assembly, `mem` memory,
//! `gic`, `irq` and `devices` the board, [`cpu`] runs user code, [`machine`]
//! is what the kernel sees of all that, and [`boot`] starts the first process.
//!
//! The kernel always runs with interrupts masked. They are taken from user
//! code, or noticed by whoever sleeps, and handled there and then: no lock is
//! ever needed in interrupt context.
#![no_std]
#![no_main]

extern crate alloc;

mod arch;
mod boot;
mod clock;
mod cpu;
mod devices;
mod entropy;
mod gic;
mod idreg;
mod irq;
mod log;
mod machine;
mod mem;
mod panic;
mod smp;
mod start;
mod virtio;
