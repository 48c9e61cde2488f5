//! Taking changed pages to the backing, and giving clean ones up.
//!
//! Pages are not locked while their bytes are written, so that readers and
//! writers of the same file go on. A page on its way is marked: it stays in
//! memory until its bytes have arrived.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::ops::Range;

use machine::sync::MutexGuard;
use machine::{Frame, PAGE_SIZE};

use super::pages::Pages;
use super::{Backing, Object, PAGE_BYTES, page_buffer};
use crate::error::Result;
use crate::mm::Mm;

/// The most pages that are written at once: 256 KiB.
const MAX_RUN: u64 = 64;

/// How much [`Object::write_back_run`] may do to see all changes of a page.
enum Reach<'a> {
    /// Mappings are made read-only, so that the next change is noticed. The
    /// address spaces that are held for that are let go of later: the end of
    /// one may write this very object.
    Mappings(&'a mut Vec<Arc<Mm>>),
    /// Memory has run out somewhere below an address space's lock: pages that
    /// some mapping shows are left alone.
    UnmappedOnly,
}

impl Object {
    /// Writes changed pages of a range of bytes to the backing. Call it with
    /// no address space locked.
    ///
    /// # Errors
    /// The backing's first error; the pages after it are tried all the same.
    /// What could not be written stays marked as changed.
    pub fn write_back(&self, range: Range<u64>) -> Result<()> {
        let Some(backing) = &self.backing else { return Ok(()) };
        let mut held = Vec::new();
        let _writing = self.writing.lock();
        let mut next = range.start / PAGE_SIZE;
        let last = range.end.div_ceil(PAGE_SIZE);
        let mut result = Ok(());
        while let Some((end, written)) = self.write_back_run(&**backing, next..last, Reach::Mappings(&mut held)) {
            result = result.and(written);
            next = end;
        }
        result
    }

    /// What a mapping that goes has to do about its changes: write them, unless
    /// the backing's owner does.
    pub(crate) fn write_back_mapping(&self, range: Range<u64>) {
        if self.backing.as_ref().is_some_and(|backing| !backing.is_written_by_owner()) {
            // `munmap` reports no error of the disk; `msync` does.
            let _ = self.write_back(range);
        }
    }

    /// Writes changed pages of a range of bytes so that they survive a loss of
    /// power (`msync`).
    ///
    /// # Errors
    /// As [`Object::write_back`].
    pub fn sync(&self, range: Range<u64>) -> Result<()> {
        self.write_back(range)?;
        self.backing.as_ref().map_or(Ok(()), |backing| backing.sync())
    }

    /// Keeps the backing from being written to until the guard is dropped, for
    /// whoever frees blocks of it. Pages may change meanwhile.
    pub(crate) fn stop_writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock()
    }

    /// Writes the first run of changed pages in a range, and tells where it
    /// ended; `None` if there was none.
    fn write_back_run(&self, backing: &dyn Backing, range: Range<u64>, reach: Reach<'_>) -> Option<(u64, Result<()>)> {
        let (run, is_mapped) = {
            let mut pages = self.pages.lock();
            let mut run = pages.dirty_run(range, MAX_RUN)?;
            let is_shown = |index: u64| pages.get(index).is_some_and(|page| !self.frames.is_sole(page.frame));
            if matches!(reach, Reach::UnmappedOnly)
                && let Some(shown) = run.clone().find(|index| is_shown(*index))
            {
                if shown == run.start {
                    return Some((shown + 1, Ok(())));
                }
                run.end = shown;
            }
            let is_mapped = run.clone().any(is_shown);
            run.clone().for_each(|index| pages.start_writing(index));
            self.count_dirty(&mut pages);
            (run, is_mapped)
        };
        if let (true, Reach::Mappings(held)) = (is_mapped, reach) {
            // Changes through a mapping are noticed again from here on; those
            // until now are in the bytes that are copied next.
            self.protect_everywhere(run.clone(), held);
        }
        let bytes = self.copy_run(run.clone());
        let copied = run.start + (bytes.len() as u64).div_ceil(PAGE_SIZE);
        let written = if bytes.is_empty() { Ok(()) } else { backing.write_pages(run.start, &bytes) };
        let mut pages = self.pages.lock();
        for index in run.clone() {
            pages.end_writing(index, written.is_err() || index >= copied);
        }
        self.count_dirty(&mut pages);
        drop(pages);
        // A page that has gone meanwhile ends the copy early; what follows it
        // is marked again and comes next.
        let end = if copied > run.start { copied } else { run.start + 1 };
        Some((if written.is_err() { run.end } else { end }, written))
    }

    /// The bytes of a run of pages, up to the first that is gone or past the
    /// end of the object.
    fn copy_run(&self, run: Range<u64>) -> Vec<u8> {
        let pages = self.pages.lock();
        let size = self.size();
        let mut bytes = page_buffer((run.end - run.start) as usize);
        bytes.clear();
        let room = bytes.capacity();
        for index in run {
            let Some(page) = pages.in_writing(index) else { break };
            let len = size.saturating_sub(index.saturating_mul(PAGE_SIZE)).min(PAGE_SIZE) as usize;
            let at = bytes.len();
            if at + len > room {
                break;
            }
            bytes.resize(at + len, 0);
            self.frames.pool().read(page.frame, 0, &mut bytes[at..]);
            if len < PAGE_BYTES {
                break;
            }
        }
        bytes
    }

    /// Makes shared mappings of a range of pages read-only.
    fn protect_everywhere(&self, pages: Range<u64>, held: &mut Vec<Arc<Mm>>) {
        let mappers: Vec<_> = self.mappers.lock().values().filter_map(Weak::upgrade).collect();
        for mm in mappers {
            mm.watch_object_pages(self, pages.clone());
            if !held.iter().any(|other| Arc::ptr_eq(other, &mm)) {
                held.push(mm);
            }
        }
    }

    /// Gives up clean pages that nothing else uses, and tells how many; called
    /// when memory has run out, and passes an object by that is in use at the
    /// moment.
    pub(crate) fn drop_clean_pages(&self) -> usize {
        if self.backing.is_none() {
            return 0;
        }
        match self.pages.try_lock() {
            Some(mut pages) => self.release(self.take_clean(&mut pages, u64::MAX)),
            None => 0,
        }
    }

    /// Writes changed pages that nothing maps, if nobody else writes this
    /// object; called when memory has run out.
    pub(crate) fn write_back_unmapped(&self) {
        let Some(backing) = self.backing.as_ref().filter(|backing| backing.is_written_by_owner()) else { return };
        let Some(_writing) = self.writing.try_lock() else { return };
        let mut next = 0;
        loop {
            // Whoever ran out of memory may hold this object's pages.
            if self.pages.try_lock().is_none() {
                return;
            }
            match self.write_back_run(&**backing, next..u64::MAX, Reach::UnmappedOnly) {
                Some((end, Ok(()))) => next = end,
                _ => return,
            }
        }
    }

    /// Takes out the clean pages that only the object uses, but not page
    /// `kept`.
    pub(super) fn take_clean(&self, pages: &mut Pages, kept: u64) -> Vec<Frame> {
        pages.take_if(|index, page| index != kept && page.is_clean() && self.frames.is_sole(page.frame))
    }

    /// Brings the count of all changed pages up to date.
    pub(super) fn count_dirty(&self, pages: &mut MutexGuard<'_, Pages>) {
        if self.is_counted {
            let now = pages.dirty();
            let before = core::mem::replace(&mut pages.counted, now);
            self.frames.count_dirty(before, now);
        }
    }
}
