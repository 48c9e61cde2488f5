//! Open directories.

use linux_abi::Errno;
use linux_abi::fcntl::{SEEK_CUR, SEEK_SET};

use crate::error::{Because, Result};
use crate::fs::{Caller, DirEntry, DirSink, File, FileOps, FileType, IoBuf, PollEvents, seek};

/// An open directory of any file system. Positions 0 and 1 are `.` and `..`;
/// the inode's own positions follow, moved up by 2.
#[derive(Debug)]
pub(super) struct DirFile;

/// How many positions come before the inode's own.
const DOTS: u64 = 2;

impl FileOps for DirFile {
    fn read(&self, _file: &File, _task: &alloc::sync::Arc<crate::task::Task>, _buf: &mut IoBuf<'_>) -> Result<usize> {
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
        if from == 0 {
            let ino = dentry.inode().attr()?.ino;
            if !sink(DirEntry { name: b".", ino, kind: FileType::Directory, next: 1 }) {
                return Ok(());
            }
        }
        if from <= 1 {
            let parent = dentry.parent();
            let ino = parent.as_ref().unwrap_or(dentry).inode().attr()?.ino;
            if !sink(DirEntry { name: b"..", ino, kind: FileType::Directory, next: DOTS }) {
                return Ok(());
            }
        }
        file.inode().read_dir(from.saturating_sub(DOTS), caller, &mut |entry| {
            sink(DirEntry { next: entry.next.saturating_add(DOTS), ..entry })
        })
    }

    fn sync(&self, _file: &File, _data_only: bool) -> Result<()> {
        Ok(())
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}
