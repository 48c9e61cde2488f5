//! Which frames are free: a buddy allocator over frame numbers.
//!
//! It knows nothing of memory itself, only numbers, so that it can be tested
//! anywhere. The image's `mem::pool` puts it over the RAM of the device tree.

/// The largest block is 2^18 frames: 1 GiB.
pub const MAX_ORDER: u8 = 18;

const NONE: u32 = u32::MAX;
/// The state of a frame that is not the first of a free block.
const TAKEN: u8 = 0xff;

/// What the allocator keeps for each frame.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    next: u32,
    previous: u32,
    /// The order of the free block that starts here, or [`TAKEN`].
    state: u8,
}

impl Info {
    /// A frame that is not free.
    pub const TAKEN: Self = Self { next: NONE, previous: NONE, state: TAKEN };
}

/// The free frames.
#[derive(Debug)]
pub struct Buddy<'a> {
    frames: &'a mut [Info],
    /// The first free block of each order.
    heads: [u32; MAX_ORDER as usize + 1],
    free: usize,
}

impl<'a> Buddy<'a> {
    /// An allocator with nothing free yet. Frame numbers are indices of
    /// `frames`, which must hold [`Info::TAKEN`].
    #[must_use]
    pub const fn new(frames: &'a mut [Info]) -> Self {
        Self { frames, heads: [NONE; MAX_ORDER as usize + 1], free: 0 }
    }

    /// Frames in all, free or not.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.frames.len()
    }

    /// Frames that are free.
    #[must_use]
    pub const fn free_count(&self) -> usize {
        self.free
    }

    /// Makes the frames `start..end` free. Frames past the last are left out.
    pub fn add(&mut self, start: usize, end: usize) {
        let end = end.min(self.frames.len());
        let mut at = start;
        while at < end {
            let fits = (end - at).ilog2();
            let order = at.trailing_zeros().min(fits).min(u32::from(MAX_ORDER));
            self.release(at, order as u8);
            at += 1 << order;
        }
    }

    /// Takes 2^`order` frames in a row, aligned to their number.
    pub fn take(&mut self, order: u8) -> Option<u32> {
        let found = (order..=MAX_ORDER).find(|&order| self.heads[usize::from(order)] != NONE)?;
        let frame = self.heads[usize::from(found)];
        self.unlink(frame);
        for half in (order..found).rev() {
            self.link(frame + (1 << half), half);
        }
        self.free -= 1 << order;
        Some(frame)
    }

    /// Gives back 2^`order` frames.
    ///
    /// # Panics
    /// If they are free already or are no frames.
    pub fn release(&mut self, frame: usize, order: u8) {
        let (mut frame, mut order, count) = (frame, order, 1_usize << order);
        assert!(frame.is_multiple_of(count), "a block is aligned to its size");
        assert!(frame.checked_add(count).is_some_and(|end| end <= self.frames.len()), "no such frames");
        assert_eq!(self.frames[frame].state, TAKEN, "frame {frame} is free already");
        self.free += count;
        while order < MAX_ORDER {
            let buddy = frame ^ 1 << order;
            if self.frames.get(buddy).is_none_or(|info| info.state != order) {
                break;
            }
            self.unlink(buddy as u32);
            frame = frame.min(buddy);
            order += 1;
        }
        self.link(frame as u32, order);
    }

    fn link(&mut self, frame: u32, order: u8) {
        let head = &mut self.heads[usize::from(order)];
        let next = core::mem::replace(head, frame);
        if next != NONE {
            self.frames[next as usize].previous = frame;
        }
        self.frames[frame as usize] = Info { next, previous: NONE, state: order };
    }

    fn unlink(&mut self, frame: u32) {
        let Info { next, previous, state } = core::mem::replace(&mut self.frames[frame as usize], Info::TAKEN);
        if next != NONE {
            self.frames[next as usize].previous = previous;
        }
        if previous != NONE {
            self.frames[previous as usize].next = next;
        } else {
            self.heads[usize::from(state)] = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn every_frame_is_handed_out_once() {
        let mut info = vec![Info::TAKEN; 1000];
        let mut buddy = Buddy::new(&mut info);
        buddy.add(3, 500);
        buddy.add(600, 2000);
        assert_eq!(buddy.free_count(), 497 + 400);
        let mut taken: Vec<u32> = core::iter::from_fn(|| buddy.take(0)).collect();
        taken.sort_unstable();
        let expected: Vec<u32> = (3..500).chain(600..1000).collect();
        assert_eq!(taken, expected);
        assert_eq!((buddy.free_count(), buddy.take(0)), (0, None));
    }

    #[test]
    fn neighbours_merge_again() {
        let mut info = vec![Info::TAKEN; 1024];
        let mut buddy = Buddy::new(&mut info);
        buddy.add(0, 1024);
        let frames: Vec<u32> = core::iter::from_fn(|| buddy.take(0)).collect();
        assert_eq!(buddy.take(10), None);
        for frame in frames.iter().rev().step_by(2).chain(frames.iter().rev().skip(1).step_by(2)) {
            buddy.release(*frame as usize, 0);
        }
        assert_eq!(buddy.take(10), Some(0));
    }

    #[test]
    fn blocks_are_aligned_and_do_not_overlap() {
        let mut info = vec![Info::TAKEN; 4096];
        let mut buddy = Buddy::new(&mut info);
        buddy.add(1, 4000);
        let mut owner = vec![false; 4096];
        let mut blocks = Vec::new();
        for order in [0, 3, 5, 1, 9, 2, 0, 7, 4, 8] {
            let start = buddy.take(order).expect("enough is free") as usize;
            assert!(start.is_multiple_of(1 << order));
            let block = &mut owner[start..start + (1 << order)];
            assert!(block.iter().all(|owned| !owned), "a frame was handed out twice");
            block.fill(true);
            blocks.push((start, order));
        }
        for (start, order) in blocks {
            buddy.release(start, order);
        }
        assert_eq!(buddy.free_count(), 3999);
    }

    #[test]
    #[should_panic(expected = "free already")]
    fn a_frame_is_not_given_back_twice() {
        let mut info = vec![Info::TAKEN; 8];
        let mut buddy = Buddy::new(&mut info);
        buddy.add(4, 5);
        buddy.release(4, 0);
    }
}
