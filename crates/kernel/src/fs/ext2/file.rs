//! Regular files of ext2: their contents and what can be done with them.

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use core::sync::atomic::Ordering;

use ::ext2::Stat;
use linux_abi::Errno;
use linux_abi::fcntl::{FallocFlags, OpenFlags, SEEK_DATA, SEEK_HOLE};
use machine::sync::{Mutex, MutexGuard};

use super::Shared;
use super::node::Node;
use super::pages::FilePages;
use crate::Kernel;
use crate::error::{Because, Error, Result};
use crate::fs::{File, FileOps, IoBuf, read_object, seek, write_pieces};
use crate::mm::Object;

/// The contents of a regular file.
pub(super) struct Contents {
    object: Arc<Object>,
    pages: Arc<FilePages>,
    /// Held by whoever writes or changes the size, for the whole of it.
    order: Mutex<()>,
}

impl Contents {
    pub(super) fn new(kernel: &Kernel, shared: &Arc<Shared>, stat: &Stat, node: &Weak<Node>) -> Self {
        let pages = FilePages::new(shared, stat.ino, stat.size, node);
        let object = Object::file(kernel, Box::new(pages.clone()), stat.size);
        Self { object, pages, order: Mutex::new(()) }
    }

    /// The pages.
    pub(super) fn object(&self) -> &Arc<Object> {
        &self.object
    }

    /// True if no page differs from the disk.
    pub(super) fn is_stored(&self) -> bool {
        self.object.dirty_pages() == 0
    }

    /// Writes changed pages to the disk.
    pub(super) fn write_back(&self) -> Result<()> {
        self.pages.take_fresh();
        self.object.write_back(0..u64::MAX)
    }

    /// Writes changed pages that a commit would otherwise have to fill with
    /// zeros first.
    pub(super) fn write_back_fresh(&self) -> Result<()> {
        if self.pages.take_fresh() { self.object.write_back(0..u64::MAX) } else { Ok(()) }
    }

    /// Lets all pages go, and keeps the disk from being written until the guard
    /// is dropped. Nobody has the file open or mapped.
    pub(super) fn discard(&self) -> MutexGuard<'_, ()> {
        self.object.discard_all();
        self.object.stop_writing()
    }

    /// Cuts or extends the file.
    pub(super) fn resize(&self, size: u64) -> Result<()> {
        let _order = self.order.lock();
        self.resize_locked(size)
    }

    fn resize_locked(&self, size: u64) -> Result<()> {
        if size < self.object.size() {
            // The pages go first, then whatever is on its way to the disk
            // arrives, and only then are its blocks free for others.
            self.object.set_size(size);
            let _writing = self.object.stop_writing();
            self.pages.set_size(size)
        } else {
            self.pages.set_size(size)?;
            self.object.set_size(size);
            Ok(())
        }
    }

    fn write(&self, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
        write_pieces(buf, offset, |at, bytes| self.write_piece(at, bytes))
    }

    fn write_piece(&self, at: u64, bytes: &[u8]) -> Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let end = at.checked_add(bytes.len() as u64).ok_or(Errno::EFBIG.because("the write would end past 2^64"))?;
        let covered = usize::try_from(self.pages.reserve(at..end)?).unwrap_or(usize::MAX).min(bytes.len());
        if covered == 0 {
            return Err(Errno::ENOSPC.because("the disk is full"));
        }
        let written = self.object.write_at(at, &bytes[..covered]);
        if written.is_err() {
            self.pages.trim(self.object.size());
        }
        written
    }
}

/// An open regular file.
pub(super) struct Ext2File {
    node: Arc<Node>,
    writes: bool,
}

impl Ext2File {
    pub(super) fn new(node: Arc<Node>, writes: bool) -> Self {
        if writes {
            node.shared.writers.fetch_add(1, Ordering::SeqCst);
        }
        Self { node, writes }
    }

    /// What comes after a write: the file has changed, and who fills the
    /// memory with changed pages has to empty it.
    fn after_write(&self, file: &File, contents: &Contents) -> Result<()> {
        self.node.touch_modified();
        self.node.shared.hurry_if_crowded();
        let frames = contents.object.frames();
        if frames.dirty_pages() > frames.dirty_limit() || file.flags().contains(OpenFlags::O_DIRECT) {
            contents.write_back()?;
        }
        Ok(())
    }

    fn write_locked(&self, file: &File, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
        if buf.is_at_end() {
            return Ok(0);
        }
        let room = self.node.shared.max_file_size.saturating_sub(offset);
        if room == 0 {
            return Err(Errno::EFBIG.because("the file system has no such large files"));
        }
        buf.limit(usize::try_from(room).unwrap_or(usize::MAX));
        let contents = self.node.contents()?;
        let count = contents.write(buf, offset)?;
        self.after_write(file, contents)?;
        Ok(count)
    }

    /// The next byte from `start` on that is data, or that is not.
    fn seek_data(&self, start: u64, wants_data: bool) -> Result<u64> {
        let contents = self.node.contents()?;
        let size = contents.object.size();
        if start >= size {
            return Err(Errno::ENXIO.because("nothing from there on"));
        }
        // What was never written to the disk looks like a hole there.
        contents.write_back()?;
        let block_size = self.node.shared.block_size;
        let (mut block, last) = (start / block_size, size.div_ceil(block_size));
        while block < last {
            let (place, count) = contents.pages.find(block, last - block)?;
            if place.is_some() == wants_data {
                return Ok((block * block_size).clamp(start, size));
            }
            block += count;
        }
        if wants_data { Err(Errno::ENXIO.because("no data from there on")) } else { Ok(size) }
    }

    fn make_room(&self, contents: &Contents, keeps_size: bool, offset: u64, len: u64) -> Result<()> {
        let end = offset.checked_add(len).filter(|end| *end <= self.node.shared.max_file_size);
        let end = end.ok_or(Errno::EFBIG.because("the file system has no such large files"))?;
        let size = contents.object.size();
        if keeps_size && end > size {
            return Err(Errno::EOPNOTSUPP.because("no room is kept behind the end of a file"));
        }
        let mut next = offset;
        while next < end {
            match contents.pages.reserve(next..end) {
                Ok(covered) if covered > 0 => next += covered,
                result => {
                    contents.pages.trim(size);
                    return result.and(Err(Errno::ENOSPC.because("the disk is full")));
                }
            }
        }
        if end > size {
            contents.object.set_size(end);
        }
        Ok(())
    }
}

impl FileOps for Ext2File {
    fn is_seekable(&self) -> bool {
        true
    }

    fn read_at(&self, file: &File, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
        let total = read_object(self.node.contents()?.object(), buf, offset)?;
        if total > 0 && !file.flags().contains(OpenFlags::O_NOATIME) {
            self.node.touch_read(file.path().mount.flags());
        }
        Ok(total)
    }

    fn write_at(&self, file: &File, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
        let _order = self.node.contents()?.order.lock();
        self.write_locked(file, buf, offset)
    }

    fn append(&self, file: &File, buf: &mut IoBuf<'_>) -> Result<(u64, usize)> {
        let contents = self.node.contents()?;
        let _order = contents.order.lock();
        let end = contents.object.size();
        self.write_locked(file, buf, end).map(|count| (end, count))
    }

    fn seek(&self, file: &File, position: u64, offset: i64, whence: u32) -> Result<u64> {
        if whence != SEEK_DATA && whence != SEEK_HOLE {
            return seek::default(true, file, position, offset, whence);
        }
        let start = u64::try_from(offset).map_err(|_| Error::from(Errno::ENXIO))?;
        self.seek_data(start, whence == SEEK_DATA)
    }

    fn mmap_object(&self, _file: &File) -> Result<Arc<Object>> {
        Ok(self.node.contents()?.object.clone())
    }

    fn sync(&self, _file: &File, _data_only: bool) -> Result<()> {
        self.node.shared.sync_node(&self.node)
    }

    fn allocate(&self, _file: &File, mode: FallocFlags, offset: u64, len: u64) -> Result<()> {
        let contents = self.node.contents()?;
        let _order = contents.order.lock();
        if mode == FallocFlags::FALLOC_FL_PUNCH_HOLE | FallocFlags::FALLOC_FL_KEEP_SIZE {
            let end = offset.saturating_add(len).min(contents.object.size());
            if offset < end {
                contents.object.punch(offset..end)?;
                let _writing = contents.object.stop_writing();
                contents.pages.punch(offset..end)?;
            }
        } else if mode.is_empty() || mode == FallocFlags::FALLOC_FL_KEEP_SIZE {
            self.make_room(contents, !mode.is_empty(), offset, len)?;
        } else {
            return Err(Errno::EOPNOTSUPP.because("ext2 knows no such mode"));
        }
        self.node.note_blocks();
        self.node.touch_modified();
        Ok(())
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}

impl Drop for Ext2File {
    fn drop(&mut self) {
        if self.writes {
            self.node.shared.writers.fetch_sub(1, Ordering::SeqCst);
        }
    }
}
