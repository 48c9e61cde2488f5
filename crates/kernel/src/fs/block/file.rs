//! The special file of a disk.

use alloc::boxed::Box;
use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::fcntl::{OpenFlags, SEEK_DATA, SEEK_END, SEEK_HOLE};
use linux_abi::ioctl::{BLKBSZGET, BLKFLSBUF, BLKGETSIZE, BLKGETSIZE64, BLKPBSZGET, BLKROGET, BLKSSZGET};
use machine::{GuestAddr, PAGE_SIZE, SECTOR_SIZE};

use super::Disk;
use crate::error::{Because, Result};
use crate::fs::{File, FileOps, IoBuf, Opening, read_object, seek, write_pieces};
use crate::mm::{Backing, Object, PAGE_BYTES};
use crate::syscall::{Cx, Outcome};

/// A disk as the backing of its special file's pages.
struct DiskPages(Arc<Disk>);

pub(super) fn backing(disk: Arc<Disk>) -> Box<dyn Backing> {
    Box::new(DiskPages(disk))
}

impl Backing for DiskPages {
    fn read_page(&self, index: u64, page: &mut [u8; PAGE_BYTES]) -> Result<()> {
        self.read_pages(index, page)
    }

    fn read_pages(&self, index: u64, buf: &mut [u8]) -> Result<()> {
        let offset = index.saturating_mul(PAGE_SIZE);
        let left = usize::try_from(self.0.size().saturating_sub(offset)).unwrap_or(usize::MAX);
        let (present, rest) = buf.split_at_mut(left.min(buf.len()));
        rest.fill(0);
        self.0.read(offset, present)
    }

    fn write_page(&self, index: u64, bytes: &[u8]) -> Result<()> {
        self.write_pages(index, bytes)
    }

    fn write_pages(&self, index: u64, bytes: &[u8]) -> Result<()> {
        self.0.write(index.saturating_mul(PAGE_SIZE), bytes)
    }

    fn is_written_by_owner(&self) -> bool {
        true
    }

    fn sync(&self) -> Result<()> {
        self.0.flush()
    }
}

/// An open special file.
struct DiskFile {
    disk: Arc<Disk>,
    pages: Arc<Object>,
    is_writer: bool,
}

/// Opens a disk's special file.
///
/// # Errors
/// For writing: `EACCES` if the disk is read-only, `EBUSY` while a file system
/// on it writes.
pub(super) fn open(disk: &Arc<Disk>, opening: &Opening<'_>) -> Result<Arc<dyn FileOps>> {
    let is_writer = opening.flags.access().writes();
    if is_writer {
        if disk.is_read_only() {
            return Err(Errno::EACCES.because("the disk is read-only"));
        }
        let mut users = disk.users.lock();
        if users.is_mounted_for_writing {
            return Err(Errno::EBUSY.because("a file system on the disk is in use"));
        }
        users.writers += 1;
    }
    let pages = disk.open_pages(&opening.caller.kernel);
    Ok(Arc::new(DiskFile { disk: disk.clone(), pages, is_writer }))
}

impl DiskFile {
    fn sync_all(&self) -> Result<()> {
        self.pages.sync(0..u64::MAX)
    }

    fn control(&self, cx: &mut Cx<'_>, command: u32, arg: GuestAddr) -> Result<u64> {
        let mm = cx.task.mm();
        let size = self.disk.size();
        match command {
            BLKGETSIZE64 => mm.write_u64(arg, size)?,
            BLKGETSIZE => mm.write_u64(arg, size / SECTOR_SIZE as u64)?,
            BLKSSZGET | BLKPBSZGET => mm.write_u32(arg, SECTOR_SIZE as u32)?,
            BLKBSZGET => mm.write_u32(arg, PAGE_BYTES as u32)?,
            BLKROGET => mm.write_u32(arg, u32::from(self.disk.is_read_only()))?,
            BLKFLSBUF => {
                if !cx.task.creds().is_privileged() {
                    return Err(Errno::EACCES.because("only the superuser drops a disk's pages"));
                }
                self.sync_all()?;
                self.pages.revalidate(size);
            }
            _ => return Err(Errno::ENOTTY.because("a disk takes no such command")),
        }
        Ok(0)
    }
}

impl FileOps for DiskFile {
    fn is_seekable(&self) -> bool {
        true
    }

    fn read_at(&self, _file: &File, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
        read_object(&self.pages, buf, offset)
    }

    fn write_at(&self, file: &File, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
        let room = self.pages.size().saturating_sub(offset);
        if room == 0 && !buf.is_at_end() {
            return Err(Errno::ENOSPC.because("the end of the disk"));
        }
        buf.limit(usize::try_from(room).unwrap_or(usize::MAX));
        let count = write_pieces(buf, offset, |at, bytes| self.pages.write_at(at, bytes))?;
        let frames = self.pages.frames();
        if file.flags().contains(OpenFlags::O_DIRECT) || frames.dirty_pages() > frames.dirty_limit() {
            self.pages.write_back(0..u64::MAX)?;
        }
        Ok(count)
    }

    fn append(&self, file: &File, buf: &mut IoBuf<'_>) -> Result<(u64, usize)> {
        let end = self.pages.size();
        self.write_at(file, buf, end).map(|count| (end, count))
    }

    fn seek(&self, file: &File, position: u64, offset: i64, whence: u32) -> Result<u64> {
        match whence {
            SEEK_END | SEEK_DATA | SEEK_HOLE => seek::sized(self.pages.size(), position, offset, whence),
            _ => seek::default(true, file, position, offset, whence),
        }
    }

    fn ioctl(&self, _file: &Arc<File>, cx: &mut Cx<'_>, command: u32, arg: GuestAddr) -> Outcome {
        Outcome::Done(self.control(cx, command, arg))
    }

    fn mmap_object(&self, _file: &File) -> Result<Arc<Object>> {
        Ok(self.pages.clone())
    }

    fn sync(&self, _file: &File, _data_only: bool) -> Result<()> {
        self.sync_all()
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}

impl Drop for DiskFile {
    fn drop(&mut self) {
        if self.is_writer {
            // As Linux at the last close; nobody is left to hear of an error.
            let _ = self.pages.write_back(0..u64::MAX);
            let mut users = self.disk.users.lock();
            users.writers = users.writers.saturating_sub(1);
        }
    }
}
