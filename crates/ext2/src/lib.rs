//! The ext2 file system, with ext3's journal, over a block device.
//!
//! [`Ext2::mount`] reads and changes a file system; what is on the device is
//! not trusted, and a contradiction becomes [`Error::Corrupt`].
//!
//! Layers, from the device up: [`Device`]; `cache`, the metadata blocks in
//! memory; `superblock`, `inode`; `map`, from files' blocks to the device's;
//! `file` and `dir`.
#![no_std]
#![forbid(unsafe_code)]
#![expect(dead_code, reason = "writing uses what reading does not")]

extern crate alloc;

mod bytes;
mod cache;
mod change;
mod device;
mod dir;
mod error;
mod file;
mod fs;
mod inode;
mod map;
mod runs;
mod superblock;
mod types;

pub use device::{Device, DeviceError, MemoryDevice};
pub use error::{Error, Result};
pub use fs::Ext2;
pub use inode::{Kind, Stat};
pub use types::{Entry, MountOptions, NewInode, Removed, RenameFlags, Run, SetAttr, Statfs};
