//! Memory before there is an allocator: taken from the start of one free
//! region, never given back.

use arrayvec::ArrayVec;
use machine::PAGE_SIZE;
use machine_virt::platform::{Platform, Region};

use crate::arch::layout;

/// The boot page tables map the GiB that holds the image; what is needed
/// early has to be there.
const WINDOW: u64 = 1 << 30;

/// The free RAM, and how much of it is used up.
#[derive(Debug)]
pub(crate) struct Early {
    free: ArrayVec<Region, 40>,
    /// Which of the regions memory is taken from.
    chosen: usize,
}

impl Early {
    /// Takes memory near the image at `image`, in what `platform` says is free.
    pub(crate) fn new(platform: &Platform<'_>, image: u64) -> Self {
        let window = image & !(WINDOW - 1)..(image & !(WINDOW - 1)) + WINDOW;
        let mut free: ArrayVec<Region, 40> = platform.free_memory();
        // A region that leaves the window is cut at its border.
        if let Some(at) = free.iter().position(|region| region.start < window.end && region.end > window.end) {
            let tail = window.end..free[at].end;
            free[at].end = window.end;
            free.push(tail);
        }
        let in_window = |region: &Region| region.start >= window.start && region.end <= window.end;
        let candidates = free.iter().enumerate().filter(|(_, region)| in_window(region));
        let chosen = candidates.max_by_key(|(_, region)| region.end - region.start).map(|(at, _)| at);
        Self { chosen: chosen.expect("no free memory near the image"), free }
    }

    /// Takes `bytes` of zeroed memory, whole pages, and gives its physical address.
    pub(crate) fn take(&mut self, bytes: u64) -> u64 {
        let bytes = bytes.next_multiple_of(PAGE_SIZE);
        let region = &mut self.free[self.chosen];
        assert!(region.end - region.start >= bytes, "memory is too small for the kernel's own tables");
        let start = region.start;
        region.start += bytes;
        // SAFETY: free RAM within the window that the boot page tables and
        // the kernel's own map as writable; now it is the caller's.
        unsafe { core::ptr::write_bytes(layout::direct(start), 0, bytes as usize) };
        start
    }

    /// What is left.
    pub(crate) fn into_free(self) -> ArrayVec<Region, 40> {
        self.free
    }
}
