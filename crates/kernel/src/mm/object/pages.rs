//! [`Pages`]: which pages of an object hold memory, and what is known of each.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;

use machine::Frame;

/// A page that holds memory.
#[derive(Clone, Copy)]
pub(super) struct Page {
    pub(super) frame: Frame,
    /// The backing does not have these bytes yet.
    is_dirty: bool,
    /// The bytes are on their way to the backing; until they are there the
    /// page must not be read from it again.
    is_busy: bool,
}

impl Page {
    /// A page whose bytes the backing has.
    pub(super) const fn clean(frame: Frame) -> Self {
        Self { frame, is_dirty: false, is_busy: false }
    }

    /// True if the page can be read from the backing again.
    pub(super) const fn is_clean(&self) -> bool {
        !self.is_dirty && !self.is_busy
    }
}

/// The fewest pages read at once when one is missing.
const MIN_WINDOW: u64 = 16;
/// The most: 256 KiB.
const MAX_WINDOW: u64 = 64;

/// The pages of an object, under its lock.
#[derive(Default)]
pub(super) struct Pages {
    map: BTreeMap<u64, Page>,
    dirty: usize,
    /// What the count of all changed pages has for this object.
    pub(super) counted: usize,
    /// Where a reader goes on that reads one page after the other.
    next_read: u64,
    window: u64,
}

impl Pages {
    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    /// Pages that differ from the backing.
    pub(super) fn dirty(&self) -> usize {
        self.dirty
    }

    pub(super) fn get(&self, index: u64) -> Option<&Page> {
        self.map.get(&index)
    }

    pub(super) fn contains(&self, index: u64) -> bool {
        self.map.contains_key(&index)
    }

    pub(super) fn range(&self, range: Range<u64>) -> impl Iterator<Item = (u64, &Page)> {
        let start = range.start.min(range.end);
        self.map.range(start..range.end).map(|(index, page)| (*index, page))
    }

    /// Adds a page that is not there.
    pub(super) fn insert(&mut self, index: u64, page: Page) {
        debug_assert!(!page.is_dirty && !self.map.contains_key(&index), "page {index} is there already");
        self.map.insert(index, page);
    }

    /// The page differs from the backing from now on; true if it did not.
    pub(super) fn set_dirty(&mut self, index: u64) -> bool {
        match self.map.get_mut(&index) {
            Some(page) if !page.is_dirty => {
                page.is_dirty = true;
                self.dirty += 1;
                true
            }
            _ => false,
        }
    }

    /// The page's bytes are being taken to the backing.
    pub(super) fn start_writing(&mut self, index: u64) {
        if let Some(page) = self.map.get_mut(&index) {
            self.dirty -= usize::from(page.is_dirty);
            (page.is_dirty, page.is_busy) = (false, true);
        }
    }

    /// The page, if its bytes are still on their way.
    pub(super) fn in_writing(&self, index: u64) -> Option<&Page> {
        self.map.get(&index).filter(|page| page.is_busy)
    }

    /// The bytes are there, or with `has_failed` they are not.
    pub(super) fn end_writing(&mut self, index: u64, has_failed: bool) {
        if let Some(page) = self.map.get_mut(&index).filter(|page| page.is_busy) {
            page.is_busy = false;
            if has_failed {
                self.set_dirty(index);
            }
        }
    }

    /// Takes a range of pages out.
    pub(super) fn take(&mut self, range: Range<u64>) -> Vec<Frame> {
        let mut cut = self.map.split_off(&range.start);
        self.map.append(&mut cut.split_off(&range.end));
        self.dirty -= cut.values().filter(|page| page.is_dirty).count();
        cut.into_values().map(|page| page.frame).collect()
    }

    /// Takes the pages out for which `is_gone` holds.
    pub(super) fn take_if(&mut self, mut is_gone: impl FnMut(u64, &Page) -> bool) -> Vec<Frame> {
        let mut gone = Vec::new();
        let dirty = &mut self.dirty;
        self.map.retain(|index, page| {
            let go = is_gone(*index, page);
            if go {
                *dirty -= usize::from(page.is_dirty);
                gone.push(page.frame);
            }
            !go
        });
        gone
    }

    /// How many pages to read when page `index` is missing: more each time
    /// that a reader goes on where the last read ended.
    pub(super) fn widen_window(&mut self, index: u64) -> u64 {
        let goes_on = index == self.next_read && index != 0;
        self.window = if goes_on { (self.window * 2).clamp(MIN_WINDOW, MAX_WINDOW) } else { MIN_WINDOW };
        self.window
    }

    /// A read has ended before page `next`.
    pub(super) fn note_read(&mut self, next: u64) {
        self.next_read = next;
    }

    /// The first run of changed pages at or after page `from`, of `limit`
    /// pages at most.
    pub(super) fn dirty_run(&self, range: Range<u64>, limit: u64) -> Option<Range<u64>> {
        if self.dirty == 0 {
            return None;
        }
        let mut run: Option<Range<u64>> = None;
        for (index, page) in self.range(range) {
            match &mut run {
                None if page.is_dirty => run = Some(index..index + 1),
                None => {}
                Some(run) if page.is_dirty && run.end == index && index - run.start < limit => run.end += 1,
                Some(_) => break,
            }
        }
        run
    }
}
