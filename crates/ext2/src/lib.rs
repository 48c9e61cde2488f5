//! The ext2 file system, with ext3's journal, over a block device.
//!
//! [`Ext2::mount`] reads and changes a file system; what is on the device is
//! not trusted, and a contradiction becomes [`Error::Corrupt`].
//!
//! [`format()`] makes one, [`check()`] looks for contradictions.
//!
//! Layers, from the device up: [`Device`]; `cache`, the metadata blocks in
//! memory; `journal` and `transaction`, which make changes permanent;
//! `superblock` and `inode`; `balloc` and `ialloc`, which allocate; `map`,
//! `grow` and `shrink`, from files' blocks to the device's; `file`, `dir`,
//! `names`, `rename` and `attr`, the operations.
//!
//! Nothing here locks. With a journal, everything that was changed or written
//! before [`Ext2::commit`] returned survives a loss of power.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod attr;
mod balloc;
mod bytes;
mod cache;
mod check;
mod device;
mod dir;
mod error;
mod file;
mod format;
mod fs;
mod grow;
mod ialloc;
mod inode;
mod journal;
mod map;
mod names;
mod orphan;
mod rename;
mod runs;
mod shrink;
mod superblock;
mod transaction;
mod types;

pub use check::check;
pub use device::{Device, DeviceError, MemoryDevice};
pub use error::{Error, Result};
pub use format::{FormatOptions, format, usual_journal_blocks};
pub use fs::Ext2;
pub use inode::{Kind, Stat};
pub use types::{Entry, MountOptions, NewInode, Removed, RenameFlags, Run, SetAttr, Statfs};
