//! The machine's frames: RAM, by the numbers that the kernel knows.

use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use machine::sync::Mutex;
use machine::{Frame, FramePool, NoMemory, PAGE_SIZE};
use machine_virt::buddy::{Buddy, Info, MAX_ORDER};
use machine_virt::platform::{Platform, Region};
use spin::Once;

use crate::arch::{layout, regs};
use crate::mem::early::Early;

/// The one pool.
static POOL: Once<Pool> = Once::new();

const PAGE: usize = PAGE_SIZE as usize;

/// A frame's bytes may be in instruction caches: who changes them from the
/// kernel has to tell those caches.
const IS_CODE: u8 = 1;

/// Frames kept for the kernel's heap: 2 MiB to 32 MiB.
const MIN_RESERVE: usize = 512;
const MAX_RESERVE: usize = 8192;

/// RAM in frames. Frame 0 is where RAM starts.
pub(crate) struct Pool {
    base: u64,
    total: usize,
    /// Frames that only the kernel's heap gets: user memory can be refused,
    /// what the kernel needs to go on cannot.
    reserve: usize,
    buddy: Mutex<Buddy<'static>>,
    flags: &'static [AtomicU8],
}

/// Makes the pool from what the device tree gives, less what `early` has
/// taken for the kernel's tables.
pub(crate) fn init(platform: &Platform<'_>, mut early: Early) {
    let base = platform.memory.first().map_or(0, |region| region.start & !(PAGE_SIZE - 1));
    let end = platform.memory.last().map_or(0, |region| region.end).min(layout::PHYSICAL_LIMIT);
    let total = u32::try_from((end - base) / PAGE_SIZE).unwrap_or(u32::MAX) as usize;
    let info = layout::direct(early.take((total * size_of::<Info>()) as u64)).cast::<Info>();
    let flags = layout::direct(early.take(total as u64)).cast::<AtomicU8>();
    // SAFETY: memory for `total` records, aligned to a page, that nobody else
    // has and that is never given back. Zero is a valid flag; each `Info` is
    // written before the slice is made.
    let (info, flags) = unsafe {
        for at in 0..total {
            info.add(at).write(Info::TAKEN);
        }
        (core::slice::from_raw_parts_mut(info, total), core::slice::from_raw_parts(flags, total))
    };
    let mut buddy = Buddy::new(info);
    let number = |address: u64| ((address - base) / PAGE_SIZE) as usize;
    for region in early.into_free() {
        buddy.add(number(region.start), number(region.end));
    }
    let reserve = (total / 64).clamp(MIN_RESERVE, MAX_RESERVE);
    POOL.call_once(|| Pool { base, total, reserve, buddy: Mutex::new(buddy), flags });
}

/// The pool.
pub(crate) fn pool() -> &'static Pool {
    POOL.get().expect("memory is set up first")
}

impl Pool {
    /// The physical address of a frame.
    pub(crate) fn address(&self, frame: Frame) -> u64 {
        self.base + u64::from(frame.0) * PAGE_SIZE
    }

    /// The frame at a physical address.
    pub(crate) fn frame(&self, address: u64) -> Frame {
        Frame(u32::try_from(address.wrapping_sub(self.base) / PAGE_SIZE).unwrap_or(u32::MAX))
    }

    fn bytes(&self, frame: Frame) -> *mut u8 {
        assert!((frame.0 as usize) < self.total, "no such frame");
        layout::direct(self.address(frame))
    }

    /// Takes a frame whose contents are whatever they are.
    pub(crate) fn take(&self) -> Option<Frame> {
        let mut buddy = self.buddy.lock();
        if buddy.free_count() <= self.reserve {
            return None;
        }
        let frame = buddy.take(0)?;
        drop(buddy);
        self.flags[frame as usize].store(0, Ordering::Relaxed);
        Some(Frame(frame))
    }

    /// Takes at least `bytes` of memory in a row, for the kernel's heap: its
    /// start in the direct map, and its size.
    pub(crate) fn take_run(&self, bytes: usize) -> Option<(*mut u8, usize)> {
        let pages = bytes.div_ceil(PAGE).checked_next_power_of_two()?;
        let order = u8::try_from(pages.trailing_zeros()).ok().filter(|order| *order <= MAX_ORDER)?;
        let frame = self.buddy.lock().take(order)?;
        Some((self.bytes(Frame(frame)), pages * PAGE))
    }

    /// Gives back a run of `pages` pages that [`Pool::take_run`] gave.
    pub(crate) fn give_run(&self, address: u64, pages: usize) {
        let pages = pages.next_power_of_two();
        self.buddy.lock().release(self.frame(address).0 as usize, pages.trailing_zeros() as u8);
    }

    /// Makes the whole pages of a region of RAM free that was reserved.
    pub(crate) fn add(&self, region: &Region) {
        let number = |address: u64| ((address - self.base) / PAGE_SIZE) as usize;
        self.buddy.lock().add(number(region.start.next_multiple_of(PAGE_SIZE)), number(region.end));
    }

    /// Makes sure that instruction fetch sees the frame's bytes as they are.
    pub(crate) fn sync_code(&self, frame: Frame) {
        let flags = &self.flags[frame.0 as usize];
        if flags.load(Ordering::Acquire) & IS_CODE == 0 {
            regs::sync_instructions(self.bytes(frame), PAGE);
            flags.fetch_or(IS_CODE, Ordering::Release);
        }
    }

    fn range(&self, frame: Frame, offset: usize, len: usize) -> *mut u8 {
        assert!(offset.checked_add(len).is_some_and(|end| end <= PAGE), "the range leaves the frame");
        self.bytes(frame).wrapping_add(offset)
    }

    fn word(&self, frame: Frame, offset: usize) -> &AtomicU32 {
        let at = self.range(frame, offset, 4).cast::<AtomicU32>();
        assert!(at.is_aligned(), "the word is not aligned");
        // SAFETY: RAM in the direct map, aligned; atomic, so others may race.
        unsafe { &*at }
    }
}

unsafe extern "C" {
    // The same symbol as the compiler's own, under a name the compiler knows
    // nothing about: user code may change these bytes meanwhile.
    #[link_name = "copy_shared"]
    fn copy_shared(to: *mut u8, from: *const u8, len: usize);
    #[link_name = "zero_page"]
    fn zero_page(page: *mut u8);
}

impl FramePool for Pool {
    fn total(&self) -> usize {
        self.total
    }

    fn free_count(&self) -> usize {
        self.buddy.lock().free_count()
    }

    fn alloc(&self) -> Result<Frame, NoMemory> {
        let frame = self.take().ok_or(NoMemory)?;
        // SAFETY: the frame is nobody else's.
        unsafe { zero_page(self.bytes(frame)) };
        Ok(frame)
    }

    fn free(&self, frame: Frame) {
        self.buddy.lock().release(frame.0 as usize, 0);
    }

    fn read(&self, frame: Frame, offset: usize, buf: &mut [u8]) {
        let from = self.range(frame, offset, buf.len());
        // SAFETY: the range is in the frame. The copy is assembly that reads
        // aligned words whole, so racing stores of user code do no harm.
        unsafe { copy_shared(buf.as_mut_ptr(), from, buf.len()) };
    }

    fn write(&self, frame: Frame, offset: usize, bytes: &[u8]) {
        let to = self.range(frame, offset, bytes.len());
        // SAFETY: as for `read`.
        unsafe { copy_shared(to, bytes.as_ptr(), bytes.len()) };
        if self.flags[frame.0 as usize].load(Ordering::Acquire) & IS_CODE != 0 {
            regs::sync_instructions(to, bytes.len());
        }
    }

    fn copy(&self, from: Frame, to: Frame) {
        // SAFETY: as for `read`.
        unsafe { copy_shared(self.bytes(to), self.bytes(from), PAGE) };
        self.flags[to.0 as usize].store(0, Ordering::Release);
    }

    fn load_u32(&self, frame: Frame, offset: usize) -> u32 {
        self.word(frame, offset).load(Ordering::SeqCst)
    }

    fn compare_exchange_u32(&self, frame: Frame, offset: usize, expected: u32, new: u32) -> Result<u32, u32> {
        self.word(frame, offset).compare_exchange(expected, new, Ordering::SeqCst, Ordering::SeqCst)
    }
}

impl core::fmt::Debug for Pool {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Pool").field("base", &self.base).field("total", &self.total).finish_non_exhaustive()
    }
}
