//! Reference counts of frames.
//!
//! The machine's [`machine::FramePool`] knows a frame as allocated or free.
//! [`FrameRefs`] counts who uses it: each present page-table entry and each
//! page of an [`Object`] is one reference. A frame with one reference that a
//! private mapping holds may be written in place; with more it is copied.
//!
//! When the pool is empty, clean pages of files that nothing maps are given
//! up. The list of those objects is a leaf lock; an object that is locked is
//! passed over, so that an allocation may happen under an object's lock.

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use linux_abi::Errno;
use machine::sync::Mutex;
use machine::{Frame, FramePool, Machine};

use crate::error::{Because, Result};
use crate::mm::Object;

/// No frame is shared more often than this; the next sharer gets `ENOMEM`.
const MAX_COUNT: u32 = u32::MAX / 2;

/// Frames with reference counts; the last reference frees the frame.
pub struct FrameRefs {
    machine: Arc<dyn Machine>,
    counts: Box<[AtomicU32]>,
    /// A frame of zero bytes that every untouched anonymous page shows to
    /// readers. It is not counted and never freed while the kernel lives.
    zero: Option<Frame>,
    next_id: AtomicU64,
    /// Objects whose clean pages may be given up.
    reclaimable: Mutex<Vec<Weak<Object>>>,
    /// Pages of files that are to be written to a disk.
    dirty: AtomicUsize,
}

impl fmt::Debug for FrameRefs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameRefs({} free)", self.pool().free_count())
    }
}

impl FrameRefs {
    pub(crate) fn new(machine: Arc<dyn Machine>) -> Arc<Self> {
        let total = machine.frames().total();
        let counts = (0..total).map(|_| AtomicU32::new(0)).collect();
        let zero = machine.frames().alloc().ok();
        Arc::new(Self {
            machine,
            counts,
            zero,
            next_id: AtomicU64::new(1),
            reclaimable: Mutex::default(),
            dirty: AtomicUsize::new(0),
        })
    }

    /// The machine's frames.
    #[must_use]
    pub fn pool(&self) -> &dyn FramePool {
        self.machine.frames()
    }

    pub(crate) fn machine(&self) -> &Arc<dyn Machine> {
        &self.machine
    }

    /// A number that no other address space or object of this kernel has.
    pub(crate) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// The frame that shows zero bytes, if there was memory for one.
    pub(crate) fn zero(&self) -> Option<Frame> {
        self.zero
    }

    /// Takes a frame of zero bytes, with one reference.
    ///
    /// # Errors
    /// `ENOMEM` if none is free and no clean file page can be given up.
    pub fn alloc(&self) -> Result<Frame> {
        let frame = match self.pool().alloc() {
            Ok(frame) => frame,
            Err(_) => {
                self.reclaim();
                self.pool().alloc()?
            }
        };
        self.count_of(frame).store(1, Ordering::Release);
        Ok(frame)
    }

    /// Adds a reference to a frame that has one.
    ///
    /// # Errors
    /// `ENOMEM` if it has too many already.
    pub fn get(&self, frame: Frame) -> Result<()> {
        if Some(frame) == self.zero {
            return Ok(());
        }
        if self.count_of(frame).fetch_add(1, Ordering::Relaxed) >= MAX_COUNT {
            self.put(frame);
            return Err(Errno::ENOMEM.because("a frame is shared too often"));
        }
        Ok(())
    }

    /// Drops a reference; the last one frees the frame.
    pub fn put(&self, frame: Frame) {
        if Some(frame) == self.zero {
            return;
        }
        let before = self.count_of(frame).fetch_sub(1, Ordering::AcqRel);
        debug_assert!(before != 0, "frame {frame:?} is put more often than it was taken");
        if before == 1 {
            self.pool().free(frame);
        }
    }

    /// True if the caller's reference is the only one, so that nobody else can
    /// see the frame change.
    #[must_use]
    pub fn is_sole(&self, frame: Frame) -> bool {
        Some(frame) != self.zero && self.count_of(frame).load(Ordering::Acquire) == 1
    }

    /// References to a frame now; 0 for one that is not counted.
    #[must_use]
    pub fn count(&self, frame: Frame) -> u32 {
        self.count_of(frame).load(Ordering::Acquire)
    }

    /// Lets the object's clean pages be given up when memory runs out.
    pub(crate) fn add_reclaimable(&self, object: &Arc<Object>) {
        let mut list = self.reclaimable.lock();
        if list.len() == list.capacity() {
            list.retain(|entry| entry.strong_count() != 0);
        }
        list.push(Arc::downgrade(object));
    }

    /// An object that had `before` pages to write has `after` now.
    pub(crate) fn count_dirty(&self, before: usize, after: usize) {
        if after > before {
            self.dirty.fetch_add(after - before, Ordering::Relaxed);
        } else if after < before {
            self.dirty.fetch_sub(before - after, Ordering::Relaxed);
        }
    }

    /// Pages of files that are to be written to a disk.
    #[must_use]
    pub fn dirty_pages(&self) -> usize {
        self.dirty.load(Ordering::Relaxed)
    }

    /// How many such pages there may be before whoever makes more has to write
    /// some: an eighth of the memory.
    #[must_use]
    pub fn dirty_limit(&self) -> usize {
        self.pool().total() / 8
    }

    /// Gives up clean file pages that nothing maps; if there are none, changed
    /// ones are written first.
    fn reclaim(&self) {
        let objects: Vec<_> = self.reclaimable.lock().iter().filter_map(Weak::upgrade).collect();
        let drop_clean = || objects.iter().map(|object| object.drop_clean_pages()).sum::<usize>();
        if drop_clean() == 0 && self.dirty_pages() > 0 {
            objects.iter().for_each(|object| object.write_back_unmapped());
            drop_clean();
        }
    }

    fn count_of(&self, frame: Frame) -> &AtomicU32 {
        // The machine's frame numbers are below `total`, by its contract.
        &self.counts[frame.0 as usize]
    }
}

impl Drop for FrameRefs {
    fn drop(&mut self) {
        if let Some(frame) = self.zero {
            self.pool().free(frame);
        }
    }
}
