//! Which frames have translations, and the retirement of old ones.
//!
//! A frame's page of ops is found without a lock. A page that is retired can
//! no longer be found, but CPUs may run in it until they next poll; so it waits
//! until each CPU has seen the arena's epoch move past its retirement. When
//! there are too many pages all are retired at once.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering};
use std::collections::{HashSet, VecDeque};
use std::sync::Weak;

use machine::Frame;
use machine::sync::{Mutex, MutexGuard};

use crate::code::page::CodePage;
use crate::mem::arena::Arena;

/// Pages of ops at most; each takes up to 24 KiB of host memory.
const PAGE_LIMIT: usize = 8192;

/// The translations of an arena.
pub(crate) struct CodeCache {
    pages: Box<[AtomicPtr<CodePage>]>,
    inner: Mutex<Inner>,
}

/// What the lock protects.
pub(crate) struct Inner {
    live: HashSet<NonNull<CodePage>>,
    /// Retired pages with the epoch of their retirement, oldest first.
    retired: VecDeque<(u64, NonNull<CodePage>)>,
}

// SAFETY: the pages are owned by the cache, and what is in them is only
// written under its lock.
unsafe impl Send for Inner {}

impl Inner {
    /// True if the page has not been retired.
    pub(crate) fn is_live(&self, page: NonNull<CodePage>) -> bool {
        self.live.contains(&page)
    }

    /// Takes a retired page that no CPU can be in.
    fn reuse(&mut self, arena: &Arena) -> Option<NonNull<CodePage>> {
        let (epoch, _) = *self.retired.front()?;
        let is_busy = arena
            .cpus
            .read()
            .iter()
            .filter_map(Weak::upgrade)
            .any(|cpu| cpu.inside.load(Ordering::SeqCst) != 0 && cpu.seen_epoch.load(Ordering::SeqCst) < epoch);
        if is_busy { None } else { self.retired.pop_front().map(|(_, page)| page) }
    }
}

impl CodeCache {
    /// An empty cache for `frames` frames.
    pub(crate) fn new(frames: usize) -> Self {
        Self { pages: null_pages(frames), inner: Mutex::new(Inner { live: HashSet::new(), retired: VecDeque::new() }) }
    }

    /// The lock under which pages change.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock()
    }

    /// The frame's page of ops, if it has one.
    pub(crate) fn find(&self, frame: Frame) -> Option<NonNull<CodePage>> {
        NonNull::new(self.pages[frame.0 as usize].load(Ordering::Acquire))
    }

    /// The frame's page of ops. `None` if the frame was written since
    /// [`Arena::begin_code`], which must then be called again.
    pub(crate) fn find_or_make(&self, arena: &Arena, frame: Frame) -> Option<NonNull<CodePage>> {
        let mut inner = self.lock();
        if let Some(page) = self.find(frame) {
            return Some(page);
        }
        if !arena.is_code(frame) {
            return None;
        }
        if inner.live.len() >= PAGE_LIMIT {
            self.retire_all(arena, &mut inner);
        }
        let page = match inner.reuse(arena) {
            Some(page) => {
                CodePage::reset(page, frame);
                page
            }
            None => CodePage::make(frame),
        };
        inner.live.insert(page);
        self.pages[frame.0 as usize].store(page.as_ptr(), Ordering::Release);
        Some(page)
    }

    /// Drops the translations of a frame. True if there were any.
    pub(crate) fn retire(&self, arena: &Arena, frame: Frame) -> bool {
        let mut inner = self.lock();
        let page = self.pages[frame.0 as usize].swap(ptr::null_mut(), Ordering::SeqCst);
        let Some(page) = NonNull::new(page) else { return false };
        inner.live.remove(&page);
        let epoch = arena.epoch.fetch_add(1, Ordering::SeqCst) + 1;
        inner.retired.push_back((epoch, page));
        true
    }

    /// Drops all translations, to make room.
    fn retire_all(&self, arena: &Arena, inner: &mut Inner) {
        let epoch = arena.epoch.fetch_add(1, Ordering::SeqCst) + 1;
        for page in inner.live.drain() {
            // SAFETY: a live page is initialised, and its frame never changes.
            let frame = unsafe { (*page.as_ptr()).frame };
            self.pages[frame.0 as usize].store(ptr::null_mut(), Ordering::SeqCst);
            inner.retired.push_back((epoch, page));
        }
        arena.interrupt_all();
    }
}

/// `n` null pointers, without touching the memory.
fn null_pages(n: usize) -> Box<[AtomicPtr<CodePage>]> {
    let zeros = vec![0_usize; n].into_boxed_slice();
    // SAFETY: a null `AtomicPtr` is a zero of the size and alignment of `usize`.
    unsafe { Box::from_raw(Box::into_raw(zeros) as *mut [AtomicPtr<CodePage>]) }
}

impl Drop for CodeCache {
    fn drop(&mut self) {
        let inner = self.inner.get_mut();
        for page in inner.live.drain().chain(inner.retired.drain(..).map(|(_, page)| page)) {
            // SAFETY: the arena goes, so no CPU is left.
            unsafe { CodePage::destroy(page) }
        }
    }
}
