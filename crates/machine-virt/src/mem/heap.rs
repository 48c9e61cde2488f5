//! The kernel's heap: `talc` over runs of frames, which it takes as it needs
//! them and keeps.

use core::alloc::Layout;

use machine::sync::RawLock;
use talc::DefaultBinning;
use talc::base::Talc;
use talc::base::binning::Binning;
use talc::source::Source;
use talc::sync::TalcLock;

use crate::mem::pool::pool;

/// What the heap grows by at least: large enough that growing is rare, small
/// enough that a run is found in fragmented memory.
const STEP: usize = 512 << 10;
/// More than the bookkeeping of the heap needs beside an allocation.
const OVERHEAD: usize = 4096;

/// Grows the heap from the frame pool.
#[derive(Debug)]
struct Frames;

// SAFETY: `acquire` claims memory that the pool hands out once and for good,
// and the pool allocates nothing from the heap.
unsafe impl Source for Frames {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        let needed = layout.size().checked_add(layout.align()).and_then(|size| size.checked_add(OVERHEAD)).ok_or(())?;
        // If there is no run of the preferred size, one that just suffices.
        let run = pool().take_run(needed.max(STEP)).or_else(|| pool().take_run(needed));
        let (start, len) = run.ok_or(())?;
        // SAFETY: `len` bytes of RAM from `start` that are now the heap's.
        unsafe { talc.claim(start, len) }.map(drop).ok_or(())
    }
}

#[global_allocator]
static HEAP: TalcLock<RawLock, Frames, DefaultBinning> = TalcLock::new(Frames);
