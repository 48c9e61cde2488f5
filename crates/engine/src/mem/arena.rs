//! The frames of a machine: host memory cut into 4 KiB pieces.
//!
//! [`Arena`] implements [`FramePool`] over memory that the machine reserved.
//! It also knows which frames have translations (`code::cache`), so that every
//! write into one of them drops those, and which CPUs exist, so that a
//! shoot-down can reach them. Lock order: the free list and the code cache are
//! leaves; neither is held while waiting for another CPU.

use core::fmt;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use machine::sync::RwLock;
use machine::{Frame, FramePool, NoMemory, PAGE_SIZE};

use crate::code::cache::CodeCache;
use crate::cpu::CpuState;
use crate::mem::free_list::FreeList;

const FRAME_BYTES: usize = PAGE_SIZE as usize;

/// The frame has, or is about to have, translations: no TLB may hold it for
/// writing.
const FLAG_CODE: u8 = 1;
/// A TLB may hold the frame for writing.
const FLAG_WRITTEN: u8 = 2;

/// Called with a run of frames whose contents nobody needs any more, as address
/// and bytes, so that the host can have the memory back. `true` promises that
/// they read as zero from then on.
pub type ReleaseHook = Box<dyn Fn(NonNull<u8>, usize) -> bool + Send + Sync>;

/// A pool of frames over host memory, and what is known about each frame.
pub struct Arena {
    base: NonNull<u8>,
    frames: u32,
    free: FreeList,
    free_count: AtomicUsize,
    flags: Box<[AtomicU8]>,
    release: Option<ReleaseHook>,
    /// Page-table nodes that may still be made.
    table_budget: AtomicUsize,
    pub(crate) code: CodeCache,
    pub(crate) cpus: RwLock<Vec<Weak<CpuState>>>,
    /// Counts the changes after which every CPU must drop its translations of
    /// code and its write TLB.
    pub(crate) epoch: AtomicU64,
    next_space: AtomicU64,
}

// SAFETY: the memory behind `base` is only read and written with racing
// accesses of a word, as guest memory is; everything else is `Sync` itself.
unsafe impl Send for Arena {}
// SAFETY: as above.
unsafe impl Sync for Arena {}

impl Arena {
    /// Makes a pool of the `bytes` bytes at `base` (rounded down to frames).
    ///
    /// # Safety
    /// The memory is readable and writable, page-aligned, zero-filled, used by
    /// nobody else, and stays so until the last reference to the arena, its
    /// address spaces and CPUs is gone.
    #[must_use]
    pub unsafe fn new(base: NonNull<u8>, bytes: usize) -> Arc<Self> {
        // SAFETY: the caller vouches for the memory.
        unsafe { Self::with_release(base, bytes, None) }
    }

    /// As [`Arena::new`], with a hook that returns freed memory to the host.
    /// The hook is told of freed frames once there are many.
    ///
    /// # Safety
    /// As [`Arena::new`]; and the hook does what it answers.
    #[must_use]
    pub unsafe fn with_release(base: NonNull<u8>, bytes: usize, release: Option<ReleaseHook>) -> Arc<Self> {
        let frames = u32::try_from(bytes / FRAME_BYTES).unwrap_or(u32::MAX);
        let count = frames as usize;
        Arc::new(Self {
            base,
            frames,
            free: FreeList::new(frames),
            free_count: AtomicUsize::new(count),
            flags: zeroed_flags(count),
            release,
            table_budget: AtomicUsize::new(count / 8 + 4096),
            code: CodeCache::new(count),
            cpus: RwLock::new(Vec::new()),
            epoch: AtomicU64::new(1),
            next_space: AtomicU64::new(1),
        })
    }

    /// A number for a new address space; never used twice.
    pub(crate) fn new_space_id(&self) -> u64 {
        self.next_space.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes `n` page-table nodes from the budget.
    pub(crate) fn take_tables(&self, n: usize) -> Result<(), NoMemory> {
        let take = |left: usize| left.checked_sub(n);
        self.table_budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).map(drop).map_err(|_| NoMemory)
    }

    /// Gives `n` page-table nodes back to the budget.
    pub(crate) fn give_tables(&self, n: usize) {
        self.table_budget.fetch_add(n, Ordering::Relaxed);
    }

    /// The host address of a frame.
    ///
    /// # Panics
    /// If there is no such frame.
    #[inline]
    pub(crate) fn host(&self, frame: Frame) -> *mut u8 {
        assert!(frame.0 < self.frames, "no frame {}", frame.0);
        // SAFETY: the frame lies within the memory that `new` was given.
        unsafe { self.base.as_ptr().add(frame.0 as usize * FRAME_BYTES) }
    }

    /// The host address of `offset` in a frame, checked.
    fn host_range(&self, frame: Frame, offset: usize, len: usize) -> *mut u8 {
        assert!(offset <= FRAME_BYTES && len <= FRAME_BYTES - offset, "bytes outside the frame");
        // SAFETY: `offset` is within the frame.
        unsafe { self.host(frame).add(offset) }
    }

    fn flags(&self, frame: Frame) -> &AtomicU8 {
        &self.flags[frame.0 as usize]
    }

    /// True if the frame has translations or is about to.
    pub(crate) fn is_code(&self, frame: Frame) -> bool {
        self.flags(frame).load(Ordering::SeqCst) & FLAG_CODE != 0
    }

    /// Asks to hold the frame in a TLB for writing. False if it has
    /// translations; then each store must go through [`Arena::code_written`].
    pub(crate) fn may_cache_for_write(&self, frame: Frame) -> bool {
        let flags = self.flags(frame);
        if flags.load(Ordering::SeqCst) & FLAG_WRITTEN == 0 {
            flags.fetch_or(FLAG_WRITTEN, Ordering::SeqCst);
        }
        flags.load(Ordering::SeqCst) & FLAG_CODE == 0
    }

    /// Announces translations of the frame. True if a TLB may hold it for
    /// writing, so that a shoot-down must come before the first translation.
    pub(crate) fn begin_code(&self, frame: Frame) -> bool {
        let flags = self.flags(frame);
        flags.fetch_or(FLAG_CODE, Ordering::SeqCst);
        flags.fetch_and(!FLAG_WRITTEN, Ordering::SeqCst) & FLAG_WRITTEN != 0
    }

    /// Bytes of the frame were just written: if it has translations, drops
    /// them and tells every CPU.
    pub(crate) fn code_written(&self, frame: Frame) {
        core::sync::atomic::fence(Ordering::SeqCst);
        if !self.is_code(frame) {
            return;
        }
        // The flag goes first: a translator that comes after sees the new
        // bytes, and sets the flag again.
        self.flags(frame).fetch_and(!FLAG_CODE, Ordering::SeqCst);
        if self.code.retire(self, frame) {
            self.interrupt_all();
        }
    }

    /// Makes every CPU stop at its next branch and drop stale translations.
    pub(crate) fn interrupt_all(&self) {
        for cpu in self.cpus.read().iter().filter_map(Weak::upgrade) {
            cpu.request_maintenance();
        }
    }

    /// Adds a CPU to those that shoot-downs reach.
    pub(crate) fn register(&self, cpu: &Arc<CpuState>) {
        let mut cpus = self.cpus.write();
        cpus.retain(|cpu| cpu.strong_count() > 0);
        cpus.push(Arc::downgrade(cpu));
    }

    /// Reads the aligned word at `offset`, as instruction fetch does.
    pub(crate) fn fetch(&self, frame: Frame, offset: usize) -> u32 {
        u32::from_le(self.word(frame, offset).load(Ordering::Relaxed))
    }

    fn word(&self, frame: Frame, offset: usize) -> &AtomicU32 {
        assert!(offset.is_multiple_of(4), "the word is not aligned");
        let at = self.host_range(frame, offset, 4);
        // SAFETY: aligned, in the frame, and only ever accessed as memory that
        // races.
        unsafe { AtomicU32::from_ptr(at.cast()) }
    }

    fn zero(&self, frame: Frame) {
        let base = self.host(frame).cast::<u64>();
        for i in 0..FRAME_BYTES / 8 {
            // SAFETY: within the frame, aligned.
            unsafe { AtomicU64::from_ptr(base.add(i)).store(0, Ordering::Relaxed) };
        }
    }
}

/// `n` zero flags, without touching the memory.
fn zeroed_flags(n: usize) -> Box<[AtomicU8]> {
    let flags = vec![0_u8; n].into_boxed_slice();
    // SAFETY: `AtomicU8` has the size, alignment and validity of `u8`.
    unsafe { Box::from_raw(Box::into_raw(flags) as *mut [AtomicU8]) }
}

/// Copies guest memory. Aligned numbers of 2, 4 and 8 bytes are copied whole
/// where the two sides are aligned alike; long copies between sides that are
/// not are only fast.
///
/// # Safety
/// Both ranges are valid; `from` may be written by others meanwhile.
pub(crate) unsafe fn copy_racing(from: *const u8, to: *mut u8, len: usize) {
    /// What a copy of unlike sides must have to be long.
    const LONG: usize = 64;
    let mut at = 0;
    /// Copies a number if it fits and both sides are aligned, and goes on.
    macro_rules! whole {
        ($($atomic:ident $int:ident;)*) => {$(
            if len - at >= size_of::<$int>()
                && from.wrapping_add(at).cast::<$int>().is_aligned()
                && to.wrapping_add(at).cast::<$int>().is_aligned()
            {
                // SAFETY: within both ranges, and aligned.
                unsafe {
                    let value = $atomic::from_ptr(from.add(at).cast_mut().cast()).load(Ordering::Relaxed);
                    $atomic::from_ptr(to.add(at).cast()).store(value, Ordering::Relaxed);
                }
                at += size_of::<$int>();
                continue;
            }
        )*};
    }
    while at < len {
        if to.wrapping_add(at).cast::<u64>().is_aligned() {
            if from.wrapping_add(at).cast::<u64>().is_aligned() {
                while len - at >= 8 {
                    // SAFETY: within both ranges, and aligned.
                    unsafe {
                        let value = AtomicU64::from_ptr(from.add(at).cast_mut().cast()).load(Ordering::Relaxed);
                        AtomicU64::from_ptr(to.add(at).cast()).store(value, Ordering::Relaxed);
                    }
                    at += 8;
                }
            } else if len - at >= LONG {
                while len - at >= 8 {
                    // SAFETY: within both ranges, and `to` aligned.
                    unsafe {
                        let value = from.add(at).cast::<u64>().read_unaligned();
                        AtomicU64::from_ptr(to.add(at).cast()).store(value, Ordering::Relaxed);
                    }
                    at += 8;
                }
            }
            if at == len {
                return;
            }
        }
        whole! {
            AtomicU32 u32;
            AtomicU16 u16;
            AtomicU8 u8;
        }
    }
}

impl FramePool for Arena {
    fn total(&self) -> usize {
        self.frames as usize
    }

    fn free_count(&self) -> usize {
        self.free_count.load(Ordering::Relaxed)
    }

    fn alloc(&self) -> Result<Frame, NoMemory> {
        let (frame, is_zero) = self.free.take().ok_or(NoMemory)?;
        self.free_count.fetch_sub(1, Ordering::Relaxed);
        if !is_zero {
            self.zero(frame);
        }
        Ok(frame)
    }

    fn free(&self, frame: Frame) {
        self.code_written(frame);
        self.flags(frame).store(0, Ordering::SeqCst);
        // Counted first, so that the count never falls below none.
        self.free_count.fetch_add(1, Ordering::Relaxed);
        self.free.give(frame, |first, count| match (&self.release, NonNull::new(self.host(first))) {
            (Some(release), Some(at)) => release(at, count * FRAME_BYTES),
            _ => false,
        });
    }

    fn read(&self, frame: Frame, offset: usize, buf: &mut [u8]) {
        let from = self.host_range(frame, offset, buf.len());
        // SAFETY: `host_range` checked the frame's side; the other is a slice.
        unsafe { copy_racing(from, buf.as_mut_ptr(), buf.len()) }
    }

    fn write(&self, frame: Frame, offset: usize, bytes: &[u8]) {
        let to = self.host_range(frame, offset, bytes.len());
        // SAFETY: `host_range` checked the frame's side; the other is a slice.
        unsafe { copy_racing(bytes.as_ptr(), to, bytes.len()) }
        self.code_written(frame);
    }

    fn copy(&self, from: Frame, to: Frame) {
        // SAFETY: two whole frames.
        unsafe { copy_racing(self.host(from), self.host(to), FRAME_BYTES) }
        self.code_written(to);
    }

    fn load_u32(&self, frame: Frame, offset: usize) -> u32 {
        u32::from_le(self.word(frame, offset).load(Ordering::SeqCst))
    }

    fn compare_exchange_u32(&self, frame: Frame, offset: usize, expected: u32, new: u32) -> Result<u32, u32> {
        let word = self.word(frame, offset);
        let outcome = word.compare_exchange(expected.to_le(), new.to_le(), Ordering::SeqCst, Ordering::SeqCst);
        if outcome.is_ok() {
            self.code_written(frame);
        }
        outcome.map(u32::from_le).map_err(u32::from_le)
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arena").field("frames", &self.frames).field("free", &self.free_count()).finish_non_exhaustive()
    }
}
