//! The host memory behind the guest's frames.
//!
//! [`Region`] reserves it once, readable and writable and never executable.
//! Pages cost the host nothing until the guest touches them, and nothing again
//! once [`Region::release`] has given them back.

use std::fmt;
use std::io;
use std::ptr::{self, NonNull};

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// Zero-filled host memory, unmapped when dropped.
pub(crate) struct Region {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the region is only an address range; this type never reads or writes
// through `base`, and mapping calls may come from any thread.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    /// Reserves `bytes` bytes, which must be a multiple of the page size.
    pub(crate) fn new(bytes: usize) -> io::Result<Self> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a new mapping at an address of the host's choice replaces
        // nothing.
        let base = unsafe { mmap_anonymous(ptr::null_mut(), bytes, ProtFlags::READ | ProtFlags::WRITE, flags)? };
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, bytes })
    }

    /// The first byte.
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Gives the memory of whole pages back to the host. True if it was taken
    /// and the pages read as zero from now on.
    ///
    /// The caller owns the contents: nobody needs them, and nobody accesses
    /// the range during the call.
    pub(crate) fn release(&self, at: NonNull<u8>, len: usize) -> bool {
        let Some(offset) = at.addr().get().checked_sub(self.base.addr().get()) else { return false };
        if offset > self.bytes || len > self.bytes - offset || !is_page_aligned(offset) || !is_page_aligned(len) {
            return false;
        }
        discard(at, len)
    }
}

fn is_page_aligned(n: usize) -> bool {
    n.is_multiple_of(4096)
}

#[cfg(target_os = "linux")]
fn discard(at: NonNull<u8>, len: usize) -> bool {
    use rustix::mm::{Advice, madvise};
    // A host with larger pages could not do it exactly.
    if rustix::param::page_size() != 4096 {
        return false;
    }
    // SAFETY: the range lies in our own private anonymous mapping, whose
    // contents the caller gave up; such pages read as zero afterwards.
    unsafe { madvise(at.as_ptr().cast(), len, Advice::LinuxDontNeed).is_ok() }
}

#[cfg(not(target_os = "linux"))]
fn discard(_at: NonNull<u8>, _len: usize) -> bool {
    // Elsewhere no advice promises zero pages afterwards.
    false
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and whoever used it is gone: the arena
        // owns this region.
        let unmapped = unsafe { munmap(self.base.as_ptr().cast(), self.bytes) };
        debug_assert!(unmapped.is_ok(), "unmapping our own memory: {unmapped:?}");
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Region").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resident_kib() -> u64 {
        let status = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
        let line = status.lines().find(|line| line.starts_with("Anonymous:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    #[test]
    fn a_large_reservation_costs_nothing_and_released_pages_are_zero_and_gone() {
        let region = Region::new(1 << 36).unwrap();
        let before = resident_kib();
        let len = 64 << 20;
        // SAFETY: within the region, which nobody else uses.
        unsafe { ptr::write_bytes(region.base().as_ptr(), 0xa5, len) };
        assert!(resident_kib() > before + 60_000, "64 MiB are in use");
        assert!(region.release(region.base(), len));
        assert!(resident_kib() < before + 30_000, "and given back");
        // SAFETY: as above.
        assert_eq!(unsafe { *region.base().as_ptr().add(len - 1) }, 0);
    }

    #[test]
    fn ranges_outside_of_the_region_are_refused() {
        let region = Region::new(1 << 20).unwrap();
        let at = |offset: usize| NonNull::new(region.base().as_ptr().wrapping_add(offset)).unwrap();
        assert!(!region.release(at(1 << 20), 4096));
        assert!(!region.release(at(0), (1 << 20) + 4096));
        assert!(!region.release(at(0_usize.wrapping_sub(4096)), 4096));
        assert!(!region.release(at(1), 4096));
        assert!(!region.release(at(0), 100));
    }
}
