//! Files: mounts, path walk, open files and the file systems.
//!
//! [`Vfs`] is what a kernel has of it. A file system implements [`Inode`] and
//! [`FileSystem`]; an open [`File`] does what its [`FileOps`] do, with
//! [`IoBuf`]s; a process has a [`FileTable`] and an [`FsContext`].

mod anon;
mod attr;
mod block;
pub(crate) mod calls;
mod context;
mod dentry;
mod devfs;
mod device;
mod dir_file;
mod exec;
mod ext2;
mod file;
mod host_stream;
mod hostfs;
mod inode;
mod io_buf;
mod locks;
mod mount;
mod mounting;
mod mounts_text;
mod names;
mod open;
mod pipe;
pub mod procfs;
mod seek;
mod standard;
mod table;
#[cfg(test)]
mod tests;
pub mod tmpfs;
mod vfs;
mod walk;

pub use attr::{Attr, FileType, SetAttr, StatFs, split_ns};
pub(crate) use block::VIRTBLK_MAJOR;
pub use block::{BlockDevices, Disk, RootDevice};
pub use context::{Caller, FsContext};
pub use dentry::{Dentry, Path};
pub use device::{CharDevices, CharDriver};
pub use file::{File, FileOps, Owner, SETTABLE_FLAGS};
pub use host_stream::open_host_stream;
pub use hostfs::HostFs;
pub use inode::{
    DirEntry, DirSink, FileSystem, FileSystemType, Inode, Listing, NameCaching, NewKind, NewNode, Opening,
};
pub use io_buf::IoBuf;
pub use linux_abi::poll::PollEvents;
pub use mount::{Mount, MountFlags, MountTable};
pub use open::Opened;
pub use pipe::FifoWait;
pub use table::{FileTable, NR_OPEN};
pub use vfs::Vfs;
pub use walk::{Last, Parent, WalkFlags};

use alloc::vec::Vec;

use machine::Machine;

use crate::error::Result;
use crate::mm::{Object, PAGE_BYTES};

/// Nanoseconds since 1970.
fn wall_ns(machine: &dyn Machine) -> i64 {
    let clock = machine.clock();
    i64::try_from(clock.monotonic_ns()).unwrap_or(i64::MAX).saturating_add(clock.wall_offset_ns())
}

/// The most bytes of a write that are in the kernel's hands at once.
const WRITE_CHUNK: usize = 64 * 1024;

/// Gives `act` a buffer for up to `wanted` bytes; a small one is on the stack.
fn with_chunk<T>(wanted: usize, act: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut large = Vec::new();
    if wanted > PAGE_BYTES && large.try_reserve_exact(wanted.min(WRITE_CHUNK)).is_ok() {
        large.resize(wanted.min(WRITE_CHUNK), 0);
        return act(&mut large);
    }
    act(&mut [0; PAGE_BYTES])
}

/// Hands what is in `buf` to `write` in pieces, each with its position; `write`
/// tells how much of a piece it took. What has been written counts if it ends
/// early.
fn write_pieces(buf: &mut IoBuf<'_>, offset: u64, mut write: impl FnMut(u64, &[u8]) -> Result<usize>) -> Result<usize> {
    with_chunk(buf.left(), |chunk| {
        let mut total = 0;
        while !buf.is_at_end() {
            let at = offset.saturating_add(total as u64);
            // Pieces end at page boundaries, so that most are whole pages.
            let room = (chunk.len() - (at % PAGE_BYTES as u64) as usize).min(buf.left());
            match buf.take(&mut chunk[..room]).and_then(|count| write(at, &chunk[..count])) {
                Ok(count) => {
                    total += count;
                    if count < room {
                        break;
                    }
                }
                Err(error) if total == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(total)
    })
}

/// Reads from an object at a position, as far as it goes.
fn read_object(object: &Object, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
    let mut page = [0; PAGE_BYTES];
    let (mut at, mut total) = (offset, 0);
    while !buf.is_at_end() {
        // Pieces end at page boundaries, so that each is in one page.
        let in_page = PAGE_BYTES - (at % PAGE_BYTES as u64) as usize;
        let room = in_page.min(buf.left());
        let moved = object.read_at(at, &mut page[..room]).and_then(|count| buf.put(&page[..count]));
        match moved {
            Ok(count) => {
                (at, total) = (at.saturating_add(count as u64), total + count);
                if count < room {
                    break;
                }
            }
            Err(error) if total == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(total)
}
