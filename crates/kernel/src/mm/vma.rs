//! Mappings: which addresses mean what.
//!
//! A [`Vma`] is a run of pages with one meaning; [`VmaMap`] keeps those of an
//! address space in order, splits them at the edges of a change and merges
//! neighbours that mean the same.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use machine::{PAGE_SIZE, Prot};

use crate::error::Result;
use crate::fs::{File, Path};
use crate::mm::Object;

bitflags::bitflags! {
    /// Properties of a mapping beside its protection.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct VmaFlags: u16 {
        /// Writes go to the object, for all to see (`MAP_SHARED`).
        const SHARED = 1;
        /// It may be made writable: false for a shared mapping of a file that
        /// was opened for reading.
        const MAY_WRITE = 1 << 1;
        /// It grows towards lower addresses when they are touched.
        const GROWSDOWN = 1 << 2;
        /// `MAP_NORESERVE`.
        const NORESERVE = 1 << 3;
        /// `mlock`: its pages count against `RLIMIT_MEMLOCK`.
        const LOCKED = 1 << 4;
        /// `MADV_DONTFORK`: a child does not have it.
        const DONTFORK = 1 << 5;
        /// `MADV_WIPEONFORK`: a child finds it empty.
        const WIPEONFORK = 1 << 6;
        /// `MADV_DONTDUMP`.
        const DONTDUMP = 1 << 7;
        /// It is the kernel's own (vDSO): it may not be changed into something
        /// else or grow, only moved and removed.
        const SPECIAL = 1 << 8;
        /// It may be made executable: false on a `noexec` mount.
        const MAY_EXEC = 1 << 9;
    }
}

/// What `/proc/PID/maps` tells of a mapping.
#[derive(Clone, Debug)]
pub enum Label {
    /// A name in brackets, such as `[stack]`.
    Name(&'static str),
    /// A file.
    File {
        /// Where it is.
        path: Path,
        /// The device number of its file system.
        dev: u64,
        /// Its inode number.
        ino: u64,
    },
    /// A segment of System V shared memory.
    Segment {
        /// What `shmget` found it by.
        key: i32,
        /// What `shmat` took.
        id: i32,
    },
}

impl Label {
    /// A name such as `[stack]`.
    #[must_use]
    pub fn named(name: &'static str) -> Arc<Self> {
        Arc::new(Self::Name(name))
    }

    /// A file.
    ///
    /// # Errors
    /// The host's, if it cannot tell the file's number.
    pub fn of(file: &File) -> Result<Arc<Self>> {
        let attr = file.attr()?;
        Ok(Arc::new(Self::File { path: file.path().clone(), dev: attr.dev, ino: attr.ino }))
    }
}

impl PartialEq for Label {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => a == b,
            (Self::File { path: a, .. }, Self::File { path: b, .. }) => a.is_same(b),
            (Self::Segment { id: a, .. }, Self::Segment { id: b, .. }) => a == b,
            _ => false,
        }
    }
}

/// A run of pages with one meaning.
#[derive(Clone, Debug)]
pub(crate) struct Vma {
    /// Whole pages, not empty.
    pub(crate) range: Range<u64>,
    /// What `mmap` and `mprotect` asked for.
    pub(crate) prot: Prot,
    pub(crate) flags: VmaFlags,
    /// The pages behind it; private anonymous memory has none.
    pub(crate) object: Option<Arc<Object>>,
    /// Where in the object the first page lies, in bytes; 0 without an object.
    pub(crate) offset: u64,
    pub(crate) label: Option<Arc<Label>>,
}

impl Vma {
    pub(crate) fn len(&self) -> u64 {
        self.range.end - self.range.start
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.flags.contains(VmaFlags::SHARED)
    }

    /// The object's page for an address in the range.
    pub(crate) fn page_index(&self, addr: u64) -> u64 {
        (addr - self.range.start).saturating_add(self.offset) / PAGE_SIZE
    }

    /// The addresses that show a range of the object's pages.
    pub(crate) fn addresses_of(&self, pages: Range<u64>) -> Range<u64> {
        let first = self.offset / PAGE_SIZE;
        let address = |page: u64| {
            let distance = page.saturating_sub(first).saturating_mul(PAGE_SIZE);
            self.range.start.saturating_add(distance).min(self.range.end)
        };
        address(pages.start)..address(pages.end)
    }

    /// What the page table may allow: as on hardware, whoever may write or
    /// execute may read.
    pub(crate) fn table_prot(&self) -> Prot {
        if self.prot.is_none() { self.prot } else { self.prot | Prot::READ }
    }

    /// True if its pages, once written, are this address space's own memory
    /// (what `RLIMIT_DATA` counts).
    pub(crate) fn is_data(&self) -> bool {
        self.prot.contains(Prot::WRITE) && !self.flags.intersects(VmaFlags::SHARED | VmaFlags::GROWSDOWN)
    }

    /// The part within `range`, which must overlap.
    fn cut(&self, range: &Range<u64>) -> Self {
        let start = self.range.start.max(range.start);
        let end = self.range.end.min(range.end);
        let offset = if self.object.is_some() { self.offset + (start - self.range.start) } else { 0 };
        Self { range: start..end, offset, ..self.clone() }
    }

    /// True if `next` may be joined to the end of this one.
    fn joins(&self, next: &Self) -> bool {
        let same_object = match (&self.object, &next.object) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b) && self.offset + self.len() == next.offset,
            _ => false,
        };
        same_object
            && self.range.end == next.range.start
            && self.prot == next.prot
            && self.flags == next.flags
            && self.label == next.label
    }
}

/// The mappings of an address space, by their start.
#[derive(Debug, Default)]
pub(crate) struct VmaMap {
    by_start: BTreeMap<u64, Vma>,
    /// Pages in all of them.
    pages: u64,
    search: Search,
}

/// Where the search for a gap goes on, so that many mappings in a row do not
/// each pass all that are there. Only a hint: what it misses, a search of
/// everything finds.
#[derive(Debug, Default)]
struct Search {
    /// Free runs from here up to the window's end are shorter than `longest`,
    /// or as long.
    from: Option<u64>,
    longest: u64,
}

impl VmaMap {
    pub(crate) fn len(&self) -> usize {
        self.by_start.len()
    }

    /// Pages in all mappings together.
    pub(crate) fn pages(&self) -> u64 {
        self.pages
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Vma> {
        self.by_start.values()
    }

    /// The mapping that holds `addr`.
    pub(crate) fn find(&self, addr: u64) -> Option<&Vma> {
        self.by_start.range(..=addr).next_back().map(|(_, vma)| vma).filter(|vma| addr < vma.range.end)
    }

    /// The first mapping that starts above `addr`.
    pub(crate) fn next_above(&self, addr: u64) -> Option<&Vma> {
        self.by_start.range(addr.saturating_add(1)..).next().map(|(_, vma)| vma)
    }

    /// The last mapping that ends at or below `addr`.
    pub(crate) fn last_below(&self, addr: u64) -> Option<&Vma> {
        self.by_start.range(..addr).next_back().map(|(_, vma)| vma).filter(|vma| vma.range.end <= addr)
    }

    /// Those that overlap `range`, in order.
    pub(crate) fn overlapping(&self, range: Range<u64>) -> impl DoubleEndedIterator<Item = &Vma> {
        let first = self.find(range.start).map_or(range.start, |vma| vma.range.start);
        let end = range.end.max(first);
        self.by_start.range(first..end).map(|(_, vma)| vma).filter(move |vma| vma.range.end > range.start)
    }

    /// True if no mapping overlaps `range`.
    pub(crate) fn is_free(&self, range: Range<u64>) -> bool {
        self.overlapping(range).next().is_none()
    }

    /// True if every page of `range` is mapped.
    pub(crate) fn covers(&self, range: Range<u64>) -> bool {
        let mut at = range.start;
        for vma in self.overlapping(range.clone()) {
            if vma.range.start > at {
                return false;
            }
            at = vma.range.end;
        }
        at >= range.end
    }

    /// Adds a mapping where none is, joining neighbours that mean the same.
    pub(crate) fn insert(&mut self, vma: Vma) {
        debug_assert!(self.is_free(vma.range.clone()), "mappings overlap");
        self.pages += vma.len() / PAGE_SIZE;
        let mut vma = vma;
        if let Some(next) = self.by_start.get(&vma.range.end).filter(|next| vma.joins(next)) {
            vma.range.end = next.range.end;
            let gone = next.range.start;
            self.by_start.remove(&gone);
        }
        let below = self.by_start.range_mut(..vma.range.start).next_back();
        match below {
            Some((_, below)) if below.joins(&vma) => below.range.end = vma.range.end,
            _ => {
                self.by_start.insert(vma.range.start, vma);
            }
        }
    }

    /// Takes out what lies in `range`, splitting mappings at its edges.
    pub(crate) fn remove(&mut self, range: Range<u64>) -> Vec<Vma> {
        let touched: Vec<u64> = self.overlapping(range.clone()).map(|vma| vma.range.start).collect();
        let mut removed = Vec::with_capacity(touched.len());
        for start in touched {
            let Some(vma) = self.by_start.remove(&start) else { continue };
            let part = vma.cut(&range);
            self.pages -= part.len() / PAGE_SIZE;
            if vma.range.start < part.range.start {
                self.by_start.insert(vma.range.start, vma.cut(&(vma.range.start..part.range.start)));
            }
            if part.range.end < vma.range.end {
                self.by_start.insert(part.range.end, vma.cut(&(part.range.end..vma.range.end)));
            }
            removed.push(part);
        }
        removed
    }

    /// Changes the mappings within `range`, splitting at its edges and joining
    /// what means the same afterwards.
    pub(crate) fn change(&mut self, range: Range<u64>, mut change: impl FnMut(&mut Vma)) {
        for mut vma in self.remove(range) {
            change(&mut vma);
            self.insert(vma);
        }
    }

    /// Moves the start of the mapping at `start` down to `new_start`.
    pub(crate) fn grow_down(&mut self, start: u64, new_start: u64) {
        if let Some(mut vma) = self.by_start.remove(&start) {
            self.pages += (start - new_start) / PAGE_SIZE;
            vma.range.start = new_start;
            self.by_start.insert(new_start, vma);
        }
    }

    /// How many more mappings there may be once `range` is cut out.
    pub(crate) fn splits(&self, range: &Range<u64>) -> usize {
        let inside = |addr: u64| self.find(addr).is_some_and(|vma| vma.range.start < addr);
        usize::from(inside(range.start)) + usize::from(inside(range.end))
    }

    /// As [`VmaMap::find_gap`] for whole pages, from where the last search
    /// ended. `within` is always the same.
    pub(crate) fn find_next_gap(&mut self, within: Range<u64>, len: u64, gap: u64) -> Option<u64> {
        let hinted = self.search.from.filter(|from| len > self.search.longest && *from <= within.end);
        let mut top = hinted.unwrap_or(within.end);
        if hinted.is_none() {
            self.search.longest = 0;
        }
        let mut longest = self.search.longest;
        let found = self.search_gap(within.start..top, len, PAGE_SIZE, gap, &mut longest);
        self.search.longest = longest;
        if found.is_none() && hinted.is_some() {
            top = within.end;
            self.search.from = None;
            return self.find_gap(within.start..top, len, PAGE_SIZE, gap);
        }
        self.search.from = found;
        found
    }

    /// Lets the next search look at addresses that have become free.
    pub(crate) fn note_free(&mut self, range: &Range<u64>) {
        if let Some(from) = self.search.from.filter(|from| *from < range.end) {
            let gap_end = self.by_start.range(range.end..).next().map(|(start, _)| *start);
            self.search.from = gap_end.map(|end| end.max(from));
        }
    }

    /// The highest free run of `len` bytes within `within`, aligned to
    /// `align`, leaving `gap` bytes below a mapping that grows down.
    pub(crate) fn find_gap(&self, within: Range<u64>, len: u64, align: u64, gap: u64) -> Option<u64> {
        self.search_gap(within, len, align, gap, &mut 0)
    }

    /// As [`VmaMap::find_gap`]; raises `longest` to the length of the longest
    /// free run that it passes.
    fn search_gap(&self, within: Range<u64>, len: u64, align: u64, gap: u64, longest: &mut u64) -> Option<u64> {
        let mut top = within.end;
        let below = self.by_start.range(..within.end).rev().map(|(_, vma)| vma);
        // What starts at or above the window's end may grow down into it.
        if let Some(above) = self.by_start.range(within.end..).next().map(|(_, vma)| vma) {
            top = top.min(growth_floor(above, gap));
        }
        for vma in below {
            if let Some(start) = fit(vma.range.end.max(within.start), top, len, align) {
                return Some(start);
            }
            *longest = (*longest).max(top.saturating_sub(vma.range.end));
            top = top.min(growth_floor(vma, gap));
            if top <= within.start {
                return None;
            }
        }
        fit(within.start, top, len, align)
    }
}

/// The lowest address that is to stay free for a mapping.
fn growth_floor(vma: &Vma, gap: u64) -> u64 {
    if vma.flags.contains(VmaFlags::GROWSDOWN) { vma.range.start.saturating_sub(gap) } else { vma.range.start }
}

/// The highest aligned start of `len` bytes within `bottom..top`.
fn fit(bottom: u64, top: u64, len: u64, align: u64) -> Option<u64> {
    let start = top.checked_sub(len)?;
    let start = start - start % align;
    (start >= bottom).then_some(start)
}
