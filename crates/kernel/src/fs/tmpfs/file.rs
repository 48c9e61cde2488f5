//! Regular files of tmpfs: their contents and what can be done with them.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::Write;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use linux_abi::Errno;
pub(crate) use linux_abi::fcntl::Seals;
use linux_abi::fcntl::{FallocFlags, SEEK_DATA, SEEK_HOLE};
use machine::PAGE_SIZE;
use machine::sync::Mutex;

use super::Usage;
use super::node::Node;
use crate::error::{Because, Result};
use crate::fs::{File, FileOps, IoBuf, MountFlags, seek};
use crate::mm::{Object, PAGE_BYTES};

/// The data of a regular file.
pub(crate) struct Contents {
    object: Arc<Object>,
    /// Pages that the file system's count has for it.
    counted: AtomicU64,
    seals: AtomicU32,
    /// Held by whoever appends or changes the size.
    size_lock: Mutex<()>,
    /// The original bytes of a file that was built from an archive.
    archive: Option<Arc<super::build::Extent>>,
}

impl Contents {
    pub(super) fn new(object: Arc<Object>) -> Self {
        Self {
            object,
            counted: AtomicU64::new(0),
            // Only memfd_create makes files that can be sealed.
            seals: AtomicU32::new(Seals::F_SEAL_SEAL.bits()),
            size_lock: Mutex::new(()),
            archive: None,
        }
    }

    pub(super) fn from_archive(object: Arc<Object>, extent: Arc<super::build::Extent>) -> Self {
        Self { archive: Some(extent), ..Self::new(object) }
    }

    /// The pages.
    pub(crate) fn object(&self) -> &Arc<Object> {
        &self.object
    }

    /// What may no longer be done with it.
    pub(crate) fn seals(&self) -> Seals {
        Seals::from_bits_retain(self.seals.load(Ordering::Acquire))
    }

    pub(super) fn set_seals(&self, seals: Seals) {
        self.seals.store(seals.bits(), Ordering::Release);
    }

    /// Forbids more.
    ///
    /// # Errors
    /// `EPERM` once `F_SEAL_SEAL` is set.
    pub(crate) fn add_seals(&self, seals: Seals) -> Result<()> {
        let _size = self.size_lock.lock();
        if self.seals().contains(Seals::F_SEAL_SEAL) {
            return Err(Errno::EPERM.because("the file takes no more seals"));
        }
        self.set_seals(self.seals() | seals);
        Ok(())
    }

    /// Updates the file system's count of pages.
    fn recount(&self, usage: &Usage) {
        let after = self.object.resident_pages() as u64;
        let before = self.counted.swap(after, Ordering::Relaxed);
        usage.recount(before, after);
    }

    /// The node is gone.
    pub(super) fn uncount(&self, usage: &Usage) {
        usage.recount(self.counted.load(Ordering::Relaxed), 0);
    }

    /// Cuts or extends it.
    pub(super) fn resize(&self, usage: &Usage, size: u64) -> Result<()> {
        if i64::try_from(size).is_err() {
            return Err(Errno::EFBIG.because("the size is beyond 2^63"));
        }
        let _size = self.size_lock.lock();
        let (old, seals) = (self.object.size(), self.seals());
        if size < old && seals.contains(Seals::F_SEAL_SHRINK) || size > old && seals.contains(Seals::F_SEAL_GROW) {
            return Err(Errno::EPERM.because("the file's size is sealed"));
        }
        if let Some(archive) = &self.archive {
            archive.cut(size);
        }
        self.object.set_size(size);
        self.recount(usage);
        Ok(())
    }

    fn write(&self, usage: &Usage, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
        let seals = self.seals();
        if seals.intersects(Seals::F_SEAL_WRITE | Seals::F_SEAL_FUTURE_WRITE) {
            return Err(Errno::EPERM.because("the file is sealed against writing"));
        }
        let mut page = [0; PAGE_BYTES];
        let (mut at, mut total) = (offset, 0);
        while !buf.is_at_end() {
            let in_page = usize::try_from(PAGE_SIZE - at % PAGE_SIZE).unwrap_or(PAGE_BYTES);
            let mut room = in_page.min(buf.left());
            if at.saturating_add(room as u64) > self.object.size() && seals.contains(Seals::F_SEAL_GROW) {
                let left = self.object.size().saturating_sub(at);
                room = room.min(usize::try_from(left).unwrap_or(room));
                if room == 0 {
                    return short(total, Errno::EPERM.because("the file is sealed against growing"));
                }
            }
            if usage.pages_left() == 0 && !self.object.is_resident(at / PAGE_SIZE) {
                return short(total, Errno::ENOSPC.because("the file system is full"));
            }
            let count = match buf.take(&mut page[..room]) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => return short(total, error),
            };
            if let Err(error) = self.object.write_at(at, &page[..count]) {
                return short(total, error);
            }
            self.recount(usage);
            (at, total) = (at.saturating_add(count as u64), total + count);
            if count < room {
                break;
            }
        }
        Ok(total)
    }
}

/// What has been written so far, or the error if that is nothing.
fn short(total: usize, error: crate::error::Error) -> Result<usize> {
    if total > 0 { Ok(total) } else { Err(error) }
}

/// An open regular file.
pub(super) struct RegularFile {
    node: Arc<Node>,
}

impl RegularFile {
    pub(super) fn new(node: Arc<Node>) -> Self {
        Self { node }
    }

    fn contents(&self) -> Result<&Contents> {
        self.node.contents().ok_or(Errno::EINVAL.because("not a regular file"))
    }
}

impl FileOps for RegularFile {
    fn is_seekable(&self) -> bool {
        true
    }

    fn read_at(&self, file: &File, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
        let object = self.contents()?.object();
        let total = super::super::read_object(object, buf, offset)?;
        let keeps_atime = file.flags().contains(linux_abi::fcntl::OpenFlags::O_NOATIME)
            || file.path().mount.flags().intersects(MountFlags::NO_ATIME | MountFlags::READ_ONLY);
        if !keeps_atime {
            self.node.touch_read();
        }
        Ok(total)
    }

    fn write_at(&self, _file: &File, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
        let written = self.contents()?.write(&self.node.usage, buf, offset)?;
        self.node.touch_modified();
        Ok(written)
    }

    fn append(&self, _file: &File, buf: &mut IoBuf<'_>) -> Result<(u64, usize)> {
        let contents = self.contents()?;
        let _size = contents.size_lock.lock();
        let end = contents.object.size();
        let written = contents.write(&self.node.usage, buf, end)?;
        self.node.touch_modified();
        Ok((end, written))
    }

    fn seek(&self, file: &File, position: u64, offset: i64, whence: u32) -> Result<u64> {
        if whence != SEEK_DATA && whence != SEEK_HOLE {
            return seek::default(true, file, position, offset, whence);
        }
        let object = self.contents()?.object();
        let size = object.size();
        let start = u64::try_from(offset).ok().filter(|start| *start < size);
        let start = start.ok_or(Errno::ENXIO.because("nothing from there on"))?;
        if object.has_backing() {
            return Ok(if whence == SEEK_DATA { start } else { size });
        }
        let wanted = whence == SEEK_DATA;
        let last = size.div_ceil(PAGE_SIZE);
        let found = object.next_page(start / PAGE_SIZE..last, wanted);
        match found {
            Some(index) => Ok(index.saturating_mul(PAGE_SIZE).clamp(start, size)),
            None if wanted => Err(Errno::ENXIO.because("no data from there on")),
            None => Ok(size),
        }
    }

    fn mmap_object(&self, _file: &File) -> Result<Arc<Object>> {
        Ok(self.contents()?.object().clone())
    }

    fn sync(&self, _file: &File, _data_only: bool) -> Result<()> {
        Ok(())
    }

    fn allocate(&self, _file: &File, mode: FallocFlags, offset: u64, len: u64) -> Result<()> {
        let contents = self.contents()?;
        let end = offset.checked_add(len).filter(|end| i64::try_from(*end).is_ok());
        let end = end.ok_or(Errno::EFBIG.because("the range ends beyond 2^63"))?;
        if mode == FallocFlags::FALLOC_FL_PUNCH_HOLE | FallocFlags::FALLOC_FL_KEEP_SIZE {
            if contents.seals().intersects(Seals::F_SEAL_WRITE | Seals::F_SEAL_FUTURE_WRITE) {
                return Err(Errno::EPERM.because("the file is sealed against writing"));
            }
            contents.object.punch(offset..end)?;
        } else if mode.is_empty() || mode == FallocFlags::FALLOC_FL_KEEP_SIZE {
            let _size = contents.size_lock.lock();
            let grows = mode.is_empty() && end > contents.object.size();
            if grows && contents.seals().contains(Seals::F_SEAL_GROW) {
                return Err(Errno::EPERM.because("the file is sealed against growing"));
            }
            // The pages themselves are made when they are written; what is
            // promised here is that there would be room.
            let wanted = end.div_ceil(PAGE_SIZE).saturating_sub(offset / PAGE_SIZE);
            let present = contents.object.resident_pages() as u64;
            if wanted.saturating_sub(present) > self.node.usage.pages_left() {
                return Err(Errno::ENOSPC.because("the file system is full"));
            }
            if grows {
                contents.object.set_size(end);
            }
        } else {
            return Err(Errno::EOPNOTSUPP.because("tmpfs knows no such mode"));
        }
        contents.recount(&self.node.usage);
        self.node.touch_modified();
        Ok(())
    }

    fn describe(&self, _file: &File, out: &mut String) {
        if let Ok(attr) = crate::fs::Inode::attr(&*self.node) {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "size:\t{}", attr.size);
        }
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}
