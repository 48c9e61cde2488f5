//! The heap: 64 KiB blocks of equal slots, objects on pages of their own, and the bits beside them.
//!
//! State is never kept in objects. For every 64 granules of 16 bytes there is a pair of words: which granules start
//! an allocated object, and which of these are marked. A reference that is not exactly the start of an allocated
//! object finds no bit. Allocation takes slots from a *hole*, a run of free slots of one block, by adding to a
//! cursor; the bits of a hole are set when it is used up or when a collection begins.

use crate::class::{CLASSES, MAX_SLOT, class_of, slot_of};
use crate::error::Refusal;
use crate::region::Region;
use crate::runtime::Config;

/// The bytes of a block.
pub(crate) const BLOCK: usize = 64 << 10;
/// The pairs of words of bits of a block: one for each KiB.
pub(crate) const BITS: usize = BLOCK / 1024;
/// The bytes that a guard page takes.
const PAGE: usize = 4096;
/// The most of a hole that is taken at once, so that it is still in the cache when it is filled.
const HOLE: usize = 16 << 10;

/// What the caller can do with pages of the heap's region; see [`crate::Config::pages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageCall {
    /// Make every access fail.
    Protect,
    /// Allow accesses again.
    Unprotect,
}

/// Protects pages, or allows accesses again; the range consists of whole pages of 4 KiB of the heap's region.
pub type PageHook = fn(PageCall, *mut u8, usize);

/// Where the next object of a class goes: addresses, or zeros without a hole.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct Cursor {
    pub(crate) next: u64,
    pub(crate) end: u64,
}

/// What a block is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Free,
    Slots,
    LargeHead,
    LargeTail,
}

/// One block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockDesc {
    /// The bytes of a slot, or of the whole large object; zero if no object starts here.
    pub(crate) slot: u32,
    /// The next block of the class with free slots, plus one; for a large object, how many blocks it has.
    next: u32,
    usage: Use,
    /// Whether free slots may hold anything but zeros.
    is_dirty: bool,
}

impl BlockDesc {
    pub(crate) const FREE: Self = Self { slot: 0, next: 0, usage: Use::Free, is_dirty: false };
}

/// The hole that a class takes slots from.
#[derive(Clone, Copy, Debug, Default)]
struct Hole {
    /// Its block, plus one.
    block: u32,
    /// Where it starts in the region.
    start: usize,
    /// Where the block has not been looked at.
    rest: usize,
}

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    pub(crate) dead: u64,
    pub(crate) dead_bytes: u64,
}

/// The heap.
#[derive(Debug)]
pub(crate) struct Heap<'m> {
    pub(crate) region: Region<'m>,
    pub(crate) blocks: &'m mut [BlockDesc],
    /// For each KiB, the allocated granules and the marked granules.
    pub(crate) bits: &'m mut [[u64; 2]],
    /// How many blocks were ever used; the others' bits are not initialised.
    used: usize,
    /// No block below this one is free.
    lowest_free: usize,
    /// The first block of each class with free slots, plus one.
    available: [u32; CLASSES],
    holes: [Hole; CLASSES],
    wipes: bool,
    is_zeroed: bool,
    pages: Option<PageHook>,
}

impl<'m> Heap<'m> {
    pub(crate) fn new(
        region: Region<'m>,
        blocks: &'m mut [BlockDesc],
        bits: &'m mut [[u64; 2]],
        config: &Config<'_>,
    ) -> Self {
        let &Config { wipes, heap_is_zeroed: is_zeroed, pages, .. } = config;
        let (available, holes) = ([0; CLASSES], [Hole::default(); CLASSES]);
        Self { region, blocks, bits, used: 0, lowest_free: 0, available, holes, wipes, is_zeroed, pages }
    }

    /// Gives a class a new hole, or says that there is no room.
    pub(crate) fn refill(&mut self, class: usize, cursor: &mut Cursor) -> Result<(), Refusal> {
        let slot = slot_of(class);
        self.retire(class, cursor);
        loop {
            let Some(block) = (self.holes[class].block as usize).checked_sub(1) else {
                self.next_block(class, slot)?;
                continue;
            };
            if let Some((start, end)) = self.find_hole(block, self.holes[class].rest, slot) {
                self.holes[class] = Hole { start, rest: end, ..self.holes[class] };
                if self.blocks[block].is_dirty {
                    self.region.zero(start, end - start);
                }
                *cursor = Cursor { next: self.region.address(start), end: self.region.address(end) };
                return Ok(());
            }
            self.holes[class].block = 0;
        }
    }

    /// The length of the blocks that were ever used.
    pub(crate) fn limit(&self) -> u64 {
        (self.used * BLOCK) as u64
    }

    /// An object with a guard page behind it: `size` bytes in blocks of their own.
    pub(crate) fn allocate_large(&mut self, size: usize) -> Result<usize, Refusal> {
        let size = size.next_multiple_of(16);
        let count = (size + PAGE).div_ceil(BLOCK);
        let first = self.find_free(count).ok_or(Refusal::OutOfMemory)?;
        for block in first..first + count {
            self.take(block, BlockDesc { usage: Use::LargeTail, ..BlockDesc::FREE });
        }
        let guard = (first + count) * BLOCK - PAGE;
        let start = guard - size;
        let desc = &mut self.blocks[first];
        let is_dirty = desc.is_dirty;
        *desc = BlockDesc { slot: size as u32, next: count as u32, usage: Use::LargeHead, is_dirty };
        if self.blocks[first..first + count].iter().any(|desc| desc.is_dirty) {
            self.region.zero(start, size);
        }
        self.bits[start / 1024][0] |= 1 << (start / 16 % 64);
        if let Some(pages) = self.pages {
            pages(PageCall::Protect, self.region.pointer(guard), PAGE);
        }
        Ok(start)
    }

    /// Sets the bits of the objects that were made since the last time, and closes all holes.
    pub(crate) fn retire_all(&mut self, cursors: &mut [Cursor; CLASSES]) {
        for (class, cursor) in cursors.iter_mut().enumerate() {
            self.retire(class, cursor);
            self.holes[class] = Hole::default();
        }
        self.available = [0; CLASSES];
    }

    /// Whether an object starts at `offset`: its bit is set, or it is in the part of a hole that is used.
    pub(crate) fn is_allocated(&self, offset: usize, cursors: &[Cursor; CLASSES]) -> bool {
        let block = offset / BLOCK;
        if block >= self.used || !offset.is_multiple_of(16) {
            return false;
        }
        if self.bits[offset / 1024][0] & 1 << (offset / 16 % 64) != 0 {
            return true;
        }
        let desc = self.blocks[block];
        let class = if desc.usage == Use::Slots { class_of(desc.slot as usize) } else { 0 };
        let (hole, next) = (self.holes[class], cursors[class].next);
        let is_used = hole.block as usize == block + 1 && offset >= hole.start && self.region.address(offset) < next;
        is_used && (offset - hole.start).is_multiple_of(desc.slot as usize)
    }

    /// Makes the marked objects the allocated ones, unmarked, and finds what is free. Holes are closed.
    pub(crate) fn sweep(&mut self) -> Swept {
        let mut swept = Swept::default();
        for block in (0..self.used).rev() {
            match self.blocks[block].usage {
                Use::Slots => self.sweep_slots(block, &mut swept),
                Use::LargeHead => self.sweep_large(block, &mut swept),
                Use::Free | Use::LargeTail => {}
            }
        }
        self.lowest_free = 0;
        swept
    }

    fn sweep_slots(&mut self, block: usize, swept: &mut Swept) {
        let slot = self.blocks[block].slot as usize;
        let (mut live, mut dead, mut run) = (0, 0, 0..0);
        let pairs = &mut self.bits[block * BITS..(block + 1) * BITS];
        for (i, pair) in pairs.iter_mut().enumerate() {
            let mut dying = pair[0] & !pair[1];
            (pair[0], pair[1]) = (pair[1], 0);
            live += pair[0].count_ones() as usize;
            dead += dying.count_ones() as usize;
            while self.wipes && dying != 0 {
                let at = block * BLOCK + i * 1024 + dying.trailing_zeros() as usize * 16;
                dying &= dying - 1;
                if at != run.end {
                    self.region.zero(run.start, run.len());
                    run.start = at;
                }
                run.end = at + slot;
            }
        }
        self.region.zero(run.start, run.len());
        swept.dead += dead as u64;
        swept.dead_bytes += (dead * slot) as u64;
        let desc = &mut self.blocks[block];
        desc.is_dirty |= dead != 0 && !self.wipes;
        if live == 0 {
            *desc = BlockDesc { is_dirty: desc.is_dirty, ..BlockDesc::FREE };
        } else if live < BLOCK / slot {
            desc.next = core::mem::replace(&mut self.available[class_of(slot)], block as u32 + 1);
        }
    }

    fn sweep_large(&mut self, block: usize, swept: &mut Swept) {
        let BlockDesc { slot, next: count, .. } = self.blocks[block];
        let (size, end) = (slot as usize, (block + count as usize) * BLOCK - PAGE);
        let start = end - size;
        let pair = &mut self.bits[start / 1024];
        *pair = [pair[1], 0];
        if pair[0] != 0 {
            return;
        }
        if let Some(pages) = self.pages {
            pages(PageCall::Unprotect, self.region.pointer(end), PAGE);
        }
        if self.wipes {
            self.region.zero(start, size);
        }
        swept.dead += 1;
        swept.dead_bytes += size as u64;
        for desc in &mut self.blocks[block..block + count as usize] {
            *desc = BlockDesc { is_dirty: desc.is_dirty || !self.wipes, ..BlockDesc::FREE };
        }
    }

    /// Sets the bits of what a class's hole was used for.
    fn retire(&mut self, class: usize, cursor: &mut Cursor) {
        let (start, slot) = (self.holes[class].start, slot_of(class));
        let end = self.region.offset(cursor.next.wrapping_sub(1)).map_or(start, |last| last + 1);
        let (mut pair, mut bits) = (start / 1024, 0);
        let mut at = start;
        while at < end && slot != 0 {
            if at / 1024 != pair {
                self.bits[pair][0] |= bits;
                (pair, bits) = (at / 1024, 0);
            }
            bits |= 1 << (at / 16 % 64);
            at += slot;
        }
        if bits != 0 {
            self.bits[pair][0] |= bits;
        }
        self.holes[class].start = 0;
        *cursor = Cursor::default();
    }

    /// The next block with free slots: one that the sweep found, or a free one.
    fn next_block(&mut self, class: usize, slot: usize) -> Result<(), Refusal> {
        let block = match (self.available[class] as usize).checked_sub(1) {
            Some(block) => {
                self.available[class] = self.blocks[block].next;
                block
            }
            None => {
                let block = self.find_free(1).ok_or(Refusal::OutOfMemory)?;
                self.take(block, BlockDesc { slot: slot as u32, usage: Use::Slots, ..BlockDesc::FREE });
                block
            }
        };
        self.holes[class] = Hole { block: block as u32 + 1, start: 0, rest: block * BLOCK };
        Ok(())
    }

    /// The first run of free slots from `from` on, cut to a limit.
    fn find_hole(&self, block: usize, from: usize, slot: usize) -> Option<(usize, usize)> {
        let limit = block * BLOCK + BLOCK / slot * slot;
        let is_taken = |at: usize| self.bits[at / 1024][0] & 1 << (at / 16 % 64) != 0;
        let mut start = from;
        while start < limit && is_taken(start) {
            start += slot;
        }
        let cut = limit.min(start + HOLE.max(slot) / slot * slot);
        let mut end = start;
        while end < cut {
            // A word without bits after `end` means that all slots starting under it are free.
            let later = self.bits[end / 1024][0] >> (end / 16 % 64);
            if later == 0 {
                let skip = (1024 - end % 1024).div_ceil(slot) * slot;
                end += skip;
            } else {
                let free = later.trailing_zeros() as usize * 16;
                end += free.min(cut - end);
                break;
            }
        }
        let end = end.min(cut);
        (start < end).then_some((start, end))
    }

    /// The lowest run of `count` free blocks.
    fn find_free(&mut self, count: usize) -> Option<usize> {
        let (mut run, mut first_free) = (0, None);
        for block in self.lowest_free..self.blocks.len() {
            let is_free = self.blocks[block].usage == Use::Free;
            run = if is_free { run + 1 } else { 0 };
            first_free = first_free.or(is_free.then_some(block));
            if run == count {
                self.lowest_free = first_free.unwrap_or(block);
                return Some(block + 1 - count);
            }
        }
        None
    }

    /// Turns a free block into something else.
    fn take(&mut self, block: usize, desc: BlockDesc) {
        let mut is_dirty = self.blocks[block].is_dirty;
        while self.used <= block {
            self.bits[self.used * BITS..(self.used + 1) * BITS].fill([0; 2]);
            self.blocks[self.used].is_dirty = !self.is_zeroed;
            is_dirty |= !self.is_zeroed;
            self.used += 1;
        }
        self.blocks[block] = BlockDesc { is_dirty, ..desc };
    }
}

/// The offsets of all objects with a bit, ascending.
pub(crate) fn objects(bits: &[[u64; 2]]) -> impl Iterator<Item = usize> {
    bits.iter().enumerate().flat_map(|(i, &[mut bits, _])| {
        core::iter::from_fn(move || {
            let bit = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
            bits &= bits - 1;
            Some(i * 1024 + bit * 16)
        })
    })
}

const _: () = assert!(MAX_SLOT <= BLOCK / 4 && slot_of(CLASSES - 1) >= MAX_SLOT);
