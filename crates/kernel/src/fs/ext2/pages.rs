//! [`FilePages`]: a regular file's blocks as the backing of its page cache.

use alloc::sync::{Arc, Weak};
use alloc::vec;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, Ordering};

use ::ext2::SetAttr as Ext2SetAttr;
use linux_abi::Errno;
use machine::PAGE_SIZE;
use machine::sync::Mutex;

use super::Shared;
use super::node::Node;
use super::ranges::Extents;
use crate::error::{Because, Result};
use crate::mm::{Backing, PAGE_BYTES};

/// What is known of a file's blocks without asking the file system.
struct Known {
    /// Blocks that have been written at least once, and where they are.
    places: Extents,
    /// Blocks that the file system has found room for.
    reserved: Extents,
    /// The size that the file system has.
    size: u64,
}

/// The blocks of one file.
pub(super) struct FilePages {
    shared: Arc<Shared>,
    ino: u32,
    node: Weak<Node>,
    known: Mutex<Known>,
    /// Room was found for blocks that have not been written since.
    has_fresh: AtomicBool,
}

impl FilePages {
    pub(super) fn new(shared: &Arc<Shared>, ino: u32, size: u64, node: &Weak<Node>) -> Arc<Self> {
        let known = Known { places: Extents::with_places(shared.block_size), reserved: Extents::default(), size };
        Arc::new(Self {
            shared: shared.clone(),
            ino,
            node: node.clone(),
            known: Mutex::new(known),
            has_fresh: AtomicBool::new(false),
        })
    }

    /// Tells, once, that there are blocks that should be written before the
    /// next commit.
    pub(super) fn take_fresh(&self) -> bool {
        self.has_fresh.swap(false, Ordering::SeqCst)
    }

    /// The blocks that a range of bytes touches.
    fn blocks_of(&self, bytes: &Range<u64>) -> Range<u64> {
        bytes.start / self.shared.block_size..bytes.end.div_ceil(self.shared.block_size)
    }

    /// Finds room for bytes that are about to be written; gives how many of
    /// them there is room for.
    ///
    /// # Errors
    /// `ENOSPC` if there is none, `EFBIG`, `EROFS`, `EIO`.
    pub(super) fn reserve(&self, bytes: Range<u64>) -> Result<u64> {
        let len = bytes.end.saturating_sub(bytes.start);
        let blocks = self.blocks_of(&bytes);
        {
            let known = self.known.lock();
            if bytes.end <= known.size && known.reserved.covers(blocks) {
                return Ok(len);
            }
        }
        let covered = self.shared.change(|ext2| ext2.allocate(self.ino, bytes.start, len))?.min(len);
        if covered == 0 {
            return Ok(0);
        }
        let end = bytes.start.saturating_add(covered);
        let blocks = self.blocks_of(&(bytes.start..end));
        {
            let mut known = self.known.lock();
            known.size = known.size.max(end);
            known.reserved.insert(blocks.start, blocks.end - blocks.start, 0);
        }
        self.has_fresh.store(true, Ordering::SeqCst);
        if let Some(node) = self.node.upgrade() {
            node.note_blocks();
        }
        Ok(covered)
    }

    /// Makes the file as long as it is to be, for whoever has cut its pages.
    pub(super) fn set_size(&self, size: u64) -> Result<()> {
        self.shared
            .change(|ext2| ext2.set_attr(self.ino, &Ext2SetAttr { size: Some(size), ..Ext2SetAttr::default() }))?;
        let first = size / self.shared.block_size;
        let mut known = self.known.lock();
        if size < known.size {
            known.places.remove(first..u64::MAX);
            known.reserved.remove(first..u64::MAX);
        }
        known.size = size;
        Ok(())
    }

    /// The file is to be no longer than its pages are.
    pub(super) fn trim(&self, size: u64) {
        if self.known.lock().size > size {
            // The write that failed has told its error.
            let _ = self.set_size(size);
        }
    }

    /// Frees the blocks wholly inside a range; the rest of it becomes zero.
    pub(super) fn punch(&self, bytes: Range<u64>) -> Result<()> {
        let len = bytes.end.saturating_sub(bytes.start);
        self.shared.change(|ext2| ext2.punch_hole(self.ino, bytes.start, len))?;
        let blocks = self.blocks_of(&bytes);
        let mut known = self.known.lock();
        known.places.remove(blocks.clone());
        known.reserved.remove(blocks);
        Ok(())
    }

    /// The blocks from `block` on, at most `max`: where they are, or `None` for
    /// a hole, and how many.
    pub(super) fn find(&self, block: u64, max: u64) -> Result<(Option<u64>, u64)> {
        if let Some((place, count)) = self.known.lock().places.find(block) {
            return Ok((Some(place), count.min(max)));
        }
        // More than is needed now, so that the next page need not ask.
        let wanted = u32::try_from(max.max(256)).unwrap_or(u32::MAX);
        let run = self.shared.with(|ext2| ext2.map_run(self.ino, block, wanted))?;
        let count = u64::from(run.blocks).max(1);
        if let Some(place) = run.device_offset {
            let mut known = self.known.lock();
            known.places.insert(block, count, place);
            known.reserved.insert(block, count, 0);
        }
        Ok((run.device_offset, count.min(max)))
    }

    /// Writes whole blocks from `block` on, those of them that are there; gives
    /// how many were passed.
    fn write_some(&self, block: u64, bytes: &[u8]) -> Result<u64> {
        let block_size = self.shared.block_size;
        let wanted = bytes.len() as u64 / block_size;
        let part = |count: u64| bytes.get(..usize::try_from(count * block_size).unwrap_or(0)).unwrap_or_default();
        let known = self.known.lock().places.find(block);
        if let Some((place, count)) = known {
            let count = count.min(wanted);
            self.shared.disk.write(place, part(count))?;
            return Ok(count);
        }
        let max = u32::try_from(wanted).unwrap_or(u32::MAX);
        let run = self.shared.change(|ext2| {
            let run = ext2.map_write(self.ino, block, max)?;
            let count = u64::from(run.blocks).min(wanted);
            if let Some(place) = run.device_offset {
                // No commit may come between: it would make known a block
                // whose bytes are somebody else's still.
                ext2.device().write(place, part(count))?;
            }
            Ok(run)
        })?;
        let count = u64::from(run.blocks).clamp(1, wanted.max(1));
        if let Some(place) = run.device_offset {
            let mut known = self.known.lock();
            known.places.insert(block, count, place);
            known.reserved.insert(block, count, 0);
        }
        Ok(count)
    }
}

impl Backing for Arc<FilePages> {
    fn read_page(&self, index: u64, page: &mut [u8; PAGE_BYTES]) -> Result<()> {
        self.read_pages(index, page)
    }

    fn read_pages(&self, index: u64, buf: &mut [u8]) -> Result<()> {
        let block_size = self.shared.block_size;
        let start = index.saturating_mul(PAGE_SIZE);
        let size = self.known.lock().size;
        let present = usize::try_from(size.saturating_sub(start)).unwrap_or(usize::MAX).min(buf.len());
        let blocks = (present as u64).div_ceil(block_size);
        let mut done = 0;
        while done < blocks {
            let (place, count) = self.find(start / block_size + done, blocks - done)?;
            let from = usize::try_from(done * block_size).unwrap_or(usize::MAX);
            let to = usize::try_from((done + count) * block_size).unwrap_or(usize::MAX).min(buf.len());
            let part = buf.get_mut(from..to).unwrap_or_default();
            match place {
                Some(place) => self.shared.disk.read(place, part)?,
                None => part.fill(0),
            }
            done += count;
        }
        // What a file's last block has behind its end is nobody's business.
        buf.get_mut(present..).unwrap_or_default().fill(0);
        Ok(())
    }

    fn write_page(&self, index: u64, bytes: &[u8]) -> Result<()> {
        self.write_pages(index, bytes)
    }

    fn write_pages(&self, index: u64, bytes: &[u8]) -> Result<()> {
        let block_size = self.shared.block_size;
        let size = usize::try_from(block_size).unwrap_or(PAGE_BYTES);
        let first = index.saturating_mul(PAGE_SIZE) / block_size;
        let (whole, rest) = bytes.split_at(bytes.len() - bytes.len() % size);
        let mut done = 0;
        let blocks = whole.len() as u64 / block_size;
        while done < blocks {
            let from = usize::try_from(done * block_size).unwrap_or(usize::MAX);
            done += self.write_some(first + done, whole.get(from..).unwrap_or_default())?;
        }
        if !rest.is_empty() {
            let mut last = vec![0; size];
            last.get_mut(..rest.len()).unwrap_or_default().copy_from_slice(rest);
            self.write_some(first + blocks, &last)?;
        }
        Ok(())
    }

    fn prepare_write(&self, bytes: Range<u64>) -> Result<()> {
        let len = bytes.end.saturating_sub(bytes.start);
        if self.reserve(bytes)? < len {
            return Err(Errno::ENOSPC.because("the disk is full"));
        }
        Ok(())
    }

    fn note_dirty(&self) {
        if let Some(node) = self.node.upgrade() {
            self.shared.note_changed(node);
        }
    }

    fn is_written_by_owner(&self) -> bool {
        true
    }

    fn sync(&self) -> Result<()> {
        match self.node.upgrade() {
            Some(node) => self.shared.sync_node(&node),
            None => self.shared.commit(),
        }
    }
}
