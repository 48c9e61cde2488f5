//! The seam between the kernel and the machine beneath it.
//!
//! The kernel knows a CPU only as "run this register context in this address
//! space until something happens" ([`Cpu::run`]). Everything that a Linux
//! kernel owns lies above these traits; what lies below them is only what
//! hardware is. Every machine implements all of them: there is no "does this
//! machine support X?".
//!
//! The seam is object safe: the kernel is compiled once, whatever machine it
//! is later linked with (`docs/decisions/0001-trait-objects-at-the-seam.md`).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod addr;
mod context;
mod cpu;
mod device;
pub mod features;
mod host;
mod memory;
mod stream;
pub mod sync;

pub use addr::{ADDRESS_LIMIT, GuestAddr, PAGE_SHIFT, PAGE_SIZE, page_ceil, page_floor};
pub use context::{Monitor, PointerAuth, UserContext, pauth_key, pstate};
pub use cpu::{Access, CharDev, Clock, Cpu, Exit, Machine};
pub use device::{BlockDev, NetDev, SECTOR_SIZE};
pub use host::{HostAttr, HostDirEntry, HostFile, HostKind, HostNode, HostStat, HostStatFs, OpenMode};
pub use memory::{FlushToken, Frame, FramePool, Mapping, NoMemory, PageTable, Prot};
pub use stream::{HostStream, StreamReady};
