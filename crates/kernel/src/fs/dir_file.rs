//! Open directories.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::fcntl::{SEEK_CUR, SEEK_SET};
use machine::sync::Mutex;

use crate::error::{Because, Result};
use crate::fs::{Caller, DirEntry, DirSink, File, FileOps, FileType, IoBuf, Listing, PollEvents, seek};
use crate::task::Task;

/// An open directory of any file system. Positions 0 and 1 are `.` and `..`;
/// the inode's own positions follow, moved up by 2.
#[derive(Debug, Default)]
pub(super) struct DirFile {
    /// The whole directory as it was at position 0, for a file system whose
    /// entries have no positions of their own.
    listing: Mutex<Option<Vec<Listing>>>,
}

/// How many positions come before the inode's own.
const DOTS: u64 = 2;

impl DirFile {
    /// Lists from the snapshot; false if the file system lists by itself.
    fn list(&self, file: &File, from: u64, sink: &mut DirSink<'_>) -> Result<bool> {
        let mut listing = self.listing.lock();
        if from == 0 || listing.is_none() {
            match file.inode().list_all() {
                Some(entries) => {
                    let mut entries = entries?;
                    // Mount points that the file system does not know.
                    for (name, inode) in file.path().dentry.synthetic_children() {
                        if entries.iter().all(|entry| *entry.name != *name) {
                            let ino = inode.attr().map_or(1, |attr| attr.ino);
                            entries.push(Listing { name: name.to_vec(), ino, kind: inode.kind() });
                        }
                    }
                    *listing = Some(entries);
                }
                None => return Ok(false),
            }
        }
        let start = usize::try_from(from).unwrap_or(usize::MAX);
        for (at, entry) in listing.iter().flatten().enumerate().skip(start) {
            let next = (at as u64 + 1).saturating_add(DOTS);
            if !sink(DirEntry { name: &entry.name, ino: entry.ino, kind: entry.kind, next }) {
                break;
            }
        }
        Ok(true)
    }
}

impl FileOps for DirFile {
    fn read(&self, _file: &File, _task: &Arc<Task>, _buf: &mut IoBuf<'_>) -> Result<usize> {
        Err(Errno::EISDIR.because("a directory is read with getdents64"))
    }

    fn read_at(&self, _file: &File, _buf: &mut IoBuf<'_>, _offset: u64) -> Result<usize> {
        Err(Errno::EISDIR.because("a directory is read with getdents64"))
    }

    fn seek(&self, _file: &File, position: u64, offset: i64, whence: u32) -> Result<u64> {
        match whence {
            SEEK_SET | SEEK_CUR => seek::target(position, 0, offset, whence),
            _ => Err(Errno::EINVAL.because("a directory has no end to seek from")),
        }
    }

    fn poll(&self, _file: &File) -> PollEvents {
        PollEvents::POLLIN | PollEvents::POLLOUT | PollEvents::POLLRDNORM | PollEvents::POLLWRNORM
    }

    fn read_dir(&self, file: &File, from: u64, caller: &Caller, sink: &mut DirSink<'_>) -> Result<()> {
        let dentry = &file.path().dentry;
        if dentry.is_deleted() {
            return Err(Errno::ENOENT.because("the directory has been removed"));
        }
        let mut is_full = false;
        if from == 0 {
            let ino = dentry.inode().attr()?.ino;
            is_full = !sink(DirEntry { name: b".", ino, kind: FileType::Directory, next: 1 });
        }
        if from <= 1 && !is_full {
            let parent = dentry.parent();
            let ino = parent.as_ref().unwrap_or(dentry).inode().attr()?.ino;
            is_full = !sink(DirEntry { name: b"..", ino, kind: FileType::Directory, next: DOTS });
        }
        let from = from.saturating_sub(DOTS);
        if is_full || self.list(file, from, sink)? {
            return Ok(());
        }
        file.inode()
            .read_dir(from, caller, &mut |entry| sink(DirEntry { next: entry.next.saturating_add(DOTS), ..entry }))
    }

    fn sync(&self, file: &File, _data_only: bool) -> Result<()> {
        file.inode().sync()
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}
