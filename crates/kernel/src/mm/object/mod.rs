//! Memory objects: the pages behind shared mappings and files.
//!
//! An [`Object`] is an array of pages that fills lazily, from zero bytes or
//! from a [`Backing`] (the page cache of a host file). Shared mappings show
//! its frames, private mappings show them until they write, and `read` and
//! `write` of a file go through [`Object::read_at`] and [`Object::write_at`],
//! so that all of them agree.
//!
//! Lock order: an object's right to write to its backing, an address space's
//! lock, then an object's pages, then what a [`Backing`] locks. The list of
//! address spaces that map an object is a leaf.

mod backing;
mod pages;
mod write_back;

pub use backing::Backing;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};

use linux_abi::Errno;
use machine::sync::{Mutex, MutexGuard};
use machine::{Frame, PAGE_SIZE};

use self::pages::{Page, Pages};

use crate::Kernel;
use crate::error::{Because, Result};
use crate::mm::{FrameRefs, Mm};

/// Bytes in a page, for buffers.
pub const PAGE_BYTES: usize = 4096;
/// Why pages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Discard {
    /// The object has become shorter: copies in private mappings go too.
    Truncation,
    /// The bytes are zero now: private copies stay.
    Hole,
}

/// Pages shared by mappings and files. See the module's documentation.
pub struct Object {
    id: u64,
    frames: Arc<FrameRefs>,
    backing: Option<Box<dyn Backing>>,
    size: AtomicU64,
    pages: Mutex<Pages>,
    /// Held by whoever writes pages to the backing.
    writing: Mutex<()>,
    /// Its changed pages count among those that are to be written soon.
    is_counted: bool,
    /// Who maps it, by the address space's number: for truncation.
    mappers: Mutex<BTreeMap<u64, Weak<Mm>>>,
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({}, {} bytes)", self.id, self.size())
    }
}

impl Object {
    /// Memory of `size` bytes, all zero, that costs nothing until touched:
    /// anonymous shared memory, or the data of a tmpfs file.
    #[must_use]
    pub fn anonymous(kernel: &Kernel, size: u64) -> Arc<Self> {
        Self::new(kernel.frames().clone(), None, size)
    }

    /// The page cache of a file that has `size` bytes now.
    #[must_use]
    pub fn file(kernel: &Kernel, backing: Box<dyn Backing>, size: u64) -> Arc<Self> {
        let object = Self::new(kernel.frames().clone(), Some(backing), size);
        object.frames.add_reclaimable(&object);
        object
    }

    pub(crate) fn new(frames: Arc<FrameRefs>, backing: Option<Box<dyn Backing>>, size: u64) -> Arc<Self> {
        let is_counted = backing.as_ref().is_some_and(|backing| backing.is_written_by_owner());
        Arc::new(Self {
            id: frames.next_id(),
            frames,
            backing,
            size: AtomicU64::new(size),
            pages: Mutex::default(),
            writing: Mutex::new(()),
            is_counted,
            mappers: Mutex::default(),
        })
    }

    /// A number that no other object or address space of this kernel has.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The frames that its pages are taken from.
    pub(crate) fn frames(&self) -> &Arc<FrameRefs> {
        &self.frames
    }

    /// Bytes in it.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// Pages that hold memory now.
    #[must_use]
    pub fn resident_pages(&self) -> usize {
        self.pages.lock().len()
    }

    /// Pages that differ from the backing.
    pub(crate) fn dirty_pages(&self) -> usize {
        self.pages.lock().dirty()
    }

    /// True if changed pages have to be written somewhere.
    #[must_use]
    pub fn has_backing(&self) -> bool {
        self.backing.is_some()
    }

    /// Cuts or extends it to `size` bytes. What is cut off is gone for every
    /// mapping too. Call it with neither an address space nor anything that a
    /// [`Backing`] locks held.
    pub fn set_size(&self, size: u64) {
        let old = self.size.swap(size, Ordering::AcqRel);
        if size > old {
            // A mapping may have written behind the end.
            self.zero_tail(old);
        }
        if size < old {
            let first_gone = size.div_ceil(PAGE_SIZE);
            self.zero_tail(size);
            self.discard_pages_for(first_gone..u64::MAX, Discard::Truncation);
        }
    }

    /// Lets all pages go, changed or not: the file itself is gone, and nothing
    /// maps it.
    pub(crate) fn discard_all(&self) {
        let gone = {
            let mut pages = self.pages.lock();
            let gone = pages.take(0..u64::MAX);
            self.count_dirty(&mut pages);
            gone
        };
        self.release(gone);
    }

    /// Makes a range of bytes read as zero and frees the pages wholly inside
    /// (`FALLOC_FL_PUNCH_HOLE`, `MADV_REMOVE`).
    ///
    /// # Errors
    /// `EOPNOTSUPP` if the object has a backing whose owner does not see to it,
    /// `ENOMEM`.
    pub fn punch(&self, range: Range<u64>) -> Result<()> {
        if self.backing.as_ref().is_some_and(|backing| !backing.is_written_by_owner()) {
            return Err(Errno::EOPNOTSUPP.because("the host's file keeps its bytes"));
        }
        let size = self.size();
        let (start, end) = (range.start, range.end.min(size));
        if start >= end {
            return Ok(());
        }
        let first = start.div_ceil(PAGE_SIZE);
        // What follows the end of the object in its last page is zero anyway.
        let last = if end == size { end.div_ceil(PAGE_SIZE) } else { end / PAGE_SIZE };
        if first > last {
            return self.zero_within(start..end);
        }
        self.zero_within(start..first * PAGE_SIZE)?;
        self.zero_within(last * PAGE_SIZE..end)?;
        self.discard_pages_for(first..last, Discard::Hole);
        Ok(())
    }

    /// Reads from `offset` into `buf`; the count is short at the end of the
    /// object. Holes read as zero bytes and stay holes.
    ///
    /// # Errors
    /// `ENOMEM`, or the backing's error.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let available = self.size().saturating_sub(offset);
        let len = buf.len().min(usize::try_from(available).unwrap_or(usize::MAX));
        let buf = &mut buf[..len];
        let mut done = 0;
        while done < len {
            let at = offset + done as u64;
            let (index, within) = split(at);
            let n = (PAGE_BYTES - within).min(len - done);
            let part = &mut buf[done..done + n];
            let mut pages = self.pages.lock();
            match self.find_or_read(&mut pages, index)? {
                Some(frame) => self.frames.pool().read(frame, within, part),
                None => part.fill(0),
            }
            done += n;
        }
        Ok(len)
    }

    /// Writes `bytes` at `offset` and extends the object if they go past its
    /// end.
    ///
    /// # Errors
    /// `ENOMEM`, the backing's error, or `EFBIG` past 2^63. Bytes before the
    /// page that failed are written.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<usize> {
        let end = offset.checked_add(bytes.len() as u64).filter(|end| i64::try_from(*end).is_ok());
        let end = end.ok_or(Errno::EFBIG.because("the write would end past 2^63"))?;
        self.write_within(offset, bytes)?;
        self.size.fetch_max(end, Ordering::AcqRel);
        Ok(bytes.len())
    }

    /// The frame of page `index`, filled, with a reference for the caller.
    /// With `for_write` the page counts as changed from now on.
    ///
    /// # Errors
    /// `ENXIO` past the end, `ENOMEM`, or the backing's error.
    pub(crate) fn frame(&self, index: u64, for_write: bool) -> Result<Frame> {
        let mut pages = self.pages.lock();
        let size = self.size();
        if index >= size.div_ceil(PAGE_SIZE) {
            return Err(Errno::ENXIO.because("the page is past the end of the file"));
        }
        let frame = self.find_or_fill(&mut pages, index)?;
        self.frames.get(frame)?;
        if for_write && let Some(backing) = &self.backing {
            let bytes = index * PAGE_SIZE..(index + 1).saturating_mul(PAGE_SIZE).min(size);
            if let Err(error) = backing.prepare_write(bytes) {
                self.frames.put(frame);
                return Err(error);
            }
            self.mark_dirty(&mut pages, index);
        }
        Ok(frame)
    }

    /// Tells the resident pages of a range in ascending order, while they
    /// cannot change. For mapping neighbours of a page that faulted.
    pub(crate) fn for_resident(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(u64, Frame) -> Result<()>,
    ) -> Result<()> {
        let last = self.size().div_ceil(PAGE_SIZE);
        let pages = self.pages.lock();
        pages.range(range.start..range.end.min(last)).try_for_each(|(index, page)| visit(index, page.frame))
    }

    /// True if page `index` holds memory.
    #[must_use]
    pub fn is_resident(&self, index: u64) -> bool {
        self.pages.lock().contains(index)
    }

    /// The first page in a range that holds memory, or with `resident` false
    /// that does not (`SEEK_DATA`, `SEEK_HOLE`).
    #[must_use]
    pub fn next_page(&self, range: Range<u64>, resident: bool) -> Option<u64> {
        let pages = self.pages.lock();
        if resident {
            return pages.range(range).next().map(|(index, _)| index);
        }
        let mut next = range.start;
        for (index, _) in pages.range(range.clone()) {
            if index > next {
                break;
            }
            next += 1;
        }
        (next < range.end).then_some(next)
    }

    /// Forgets pages that the backing has too: it has changed beneath, and what
    /// it holds now has `size` bytes. Changed pages are kept.
    pub fn revalidate(&self, size: u64) {
        self.size.store(size, Ordering::Release);
        let gone = {
            let mut pages = self.pages.lock();
            let last = size.div_ceil(PAGE_SIZE);
            let gone = pages.take_if(|index, page| page.is_clean() || index >= last);
            self.count_dirty(&mut pages);
            gone
        };
        self.unmap_everywhere(0..u64::MAX, Some(gone.clone()));
        self.release(gone);
    }

    /// Makes pages that are held here agree with `bytes`, which the caller has
    /// written to the backing at `offset` already.
    pub fn refresh_at(&self, offset: u64, bytes: &[u8]) {
        self.size.fetch_max(offset.saturating_add(bytes.len() as u64), Ordering::AcqRel);
        let mut done = 0;
        let pages = self.pages.lock();
        while done < bytes.len() {
            let (index, within) = split(offset.saturating_add(done as u64));
            let n = (PAGE_BYTES - within).min(bytes.len() - done);
            if let Some(page) = pages.get(index) {
                self.frames.pool().write(page.frame, within, &bytes[done..done + n]);
            }
            done += n;
        }
    }

    pub(crate) fn add_mapper(&self, id: u64, mm: &Weak<Mm>) {
        self.mappers.lock().entry(id).or_insert_with(|| mm.clone());
    }

    pub(crate) fn remove_mapper(&self, id: u64) {
        self.mappers.lock().remove(&id);
    }

    /// How many mappings show it, in all address spaces.
    pub(crate) fn mapping_count(&self) -> u64 {
        let mappers: Vec<_> = self.mappers.lock().values().filter_map(Weak::upgrade).collect();
        mappers.iter().map(|mm| mm.count_mappings(self)).sum()
    }

    fn write_within(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut pages = self.pages.lock();
        if let Some(backing) = &self.backing {
            backing.prepare_write(offset..offset.saturating_add(bytes.len() as u64))?;
        }
        let old_end = self.size().div_ceil(PAGE_SIZE);
        let mut done = 0;
        while done < bytes.len() {
            let (index, within) = split(offset + done as u64);
            let n = (PAGE_BYTES - within).min(bytes.len() - done);
            let frame = if n == PAGE_BYTES || index >= old_end {
                // Nothing of the old page remains to be read.
                self.find_or_add(&mut pages, index)?
            } else {
                self.find_or_fill(&mut pages, index)?
            };
            self.mark_dirty(&mut pages, index);
            self.frames.pool().write(frame, within, &bytes[done..done + n]);
            done += n;
        }
        Ok(())
    }

    /// The page differs from what the backing has.
    fn mark_dirty(&self, pages: &mut MutexGuard<'_, Pages>, index: u64) {
        if let Some(backing) = &self.backing
            && pages.set_dirty(index)
        {
            self.count_dirty(pages);
            backing.note_dirty();
        }
    }

    /// The page, read from the backing if there is one; a hole stays one.
    fn find_or_read(&self, pages: &mut Pages, index: u64) -> Result<Option<Frame>> {
        if self.backing.is_none() {
            return Ok(pages.get(index).map(|page| page.frame));
        }
        self.find_or_fill(pages, index).map(Some)
    }

    /// The page, with its contents.
    fn find_or_fill(&self, pages: &mut Pages, index: u64) -> Result<Frame> {
        match (pages.get(index), &self.backing) {
            (Some(page), _) => return Ok(page.frame),
            (None, Some(backing)) => self.read_ahead(&**backing, pages, index)?,
            (None, None) => {}
        }
        self.find_or_add(pages, index)
    }

    /// The page; a new one has zero bytes.
    fn find_or_add(&self, pages: &mut Pages, index: u64) -> Result<Frame> {
        if let Some(page) = pages.get(index) {
            return Ok(page.frame);
        }
        let frame = self.alloc(pages, index)?;
        pages.insert(index, Page::clean(frame));
        Ok(frame)
    }

    /// A frame for a page of this object, whose own clean pages are given up
    /// if there is none.
    fn alloc(&self, pages: &mut Pages, index: u64) -> Result<Frame> {
        match self.frames.alloc() {
            Err(_) if self.backing.is_some() => {
                if self.release(self.take_clean(pages, index)) == 0 {
                    return Err(Errno::ENOMEM.because("no frame is left"));
                }
                self.frames.alloc()
            }
            result => result,
        }
    }

    /// Reads a missing page and the missing ones that follow it.
    fn read_ahead(&self, backing: &dyn Backing, pages: &mut Pages, index: u64) -> Result<()> {
        let last = self.size().div_ceil(PAGE_SIZE).max(index.saturating_add(1));
        let limit = index.saturating_add(pages.widen_window(index)).min(last);
        let end = pages.range(index..limit).next().map_or(limit, |(present, _)| present);
        let mut buf = page_buffer((end - index) as usize);
        backing.read_pages(index, &mut buf)?;
        let mut next = index;
        for bytes in buf.chunks_exact(PAGE_BYTES) {
            let frame = if next == index { self.alloc(pages, index) } else { self.frames.alloc() };
            match frame {
                Ok(frame) => {
                    self.frames.pool().write(frame, 0, bytes);
                    pages.insert(next, Page::clean(frame));
                }
                // Only the page that was asked for is worth failing for.
                Err(error) if next == index => return Err(error),
                Err(_) => break,
            }
            next += 1;
        }
        pages.note_read(next);
        Ok(())
    }

    /// Writes zero bytes to a range within one page, unless that is a hole.
    fn zero_within(&self, range: Range<u64>) -> Result<()> {
        let (index, within) = split(range.start);
        let zeros = [0; PAGE_BYTES];
        let len = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0).min(PAGE_BYTES - within);
        if len != 0 && self.is_resident(index) {
            self.write_within(range.start, &zeros[..len])?;
        }
        Ok(())
    }

    /// Zeroes what follows byte `size` in its page, if that page is there.
    fn zero_tail(&self, size: u64) {
        let (index, within) = split(size);
        if within != 0 {
            let pages = self.pages.lock();
            if let Some(page) = pages.get(index) {
                let zeros = [0; PAGE_BYTES];
                self.frames.pool().write(page.frame, within, &zeros[within..]);
            }
        }
    }

    fn discard_pages_for(&self, range: Range<u64>, why: Discard) {
        if range.is_empty() {
            return;
        }
        let gone = {
            let mut pages = self.pages.lock();
            let gone = pages.take(range.clone());
            self.count_dirty(&mut pages);
            gone
        };
        let only = match why {
            Discard::Truncation => None,
            Discard::Hole => Some(gone.clone()),
        };
        self.unmap_everywhere(range, only);
        self.release(gone);
    }

    /// Removes a range of pages from every page table: only these frames, or
    /// with `None` also the copies that private mappings have made, as
    /// truncation does.
    fn unmap_everywhere(&self, pages: Range<u64>, only: Option<Vec<Frame>>) {
        let only = only.map(|mut frames| {
            frames.sort_unstable();
            frames
        });
        let mappers: Vec<_> = self.mappers.lock().values().filter_map(Weak::upgrade).collect();
        for mm in mappers {
            mm.forget_object_pages(self, pages.clone(), only.as_deref());
        }
    }

    fn release(&self, frames: Vec<Frame>) -> usize {
        let count = frames.len();
        for frame in frames {
            self.frames.put(frame);
        }
        count
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // Nobody is left to hear of an error; `fsync` and `msync` report them.
        let _ = self.write_back(0..u64::MAX);
        self.discard_all();
    }
}

/// A byte offset as page index and offset within the page.
fn split(offset: u64) -> (u64, usize) {
    (offset / PAGE_SIZE, (offset % PAGE_SIZE) as usize)
}

/// A buffer of up to `count` pages of zero bytes: fewer, but at least one, if
/// the kernel's own memory is short.
fn page_buffer(count: usize) -> Vec<u8> {
    let mut pages = count.max(1);
    let mut buffer = Vec::new();
    while pages > 1 && buffer.try_reserve_exact(pages.saturating_mul(PAGE_BYTES)).is_err() {
        pages /= 2;
    }
    buffer.resize(pages * PAGE_BYTES, 0);
    buffer
}
