//! Marking: every object that roots lead to, without recursion and without allocating.
//!
//! An object is pushed when its mark bit is set, once, so a stack with a place for every object that the heap can
//! hold is never full. Between the stack and the scan stands a short queue of objects whose memory was asked for.
//! Nothing that a reference leads to is believed: range, exact start and allocation are checked before its bit is
//! set; confirmation, tags, kind and extent before its slots are read.

use crate::error::{FaultCode, FaultRecord, Phase};
use crate::handles::Handles;
use crate::heap::{BLOCK, BlockDesc, Heap, objects};
use crate::id::Kind;
use crate::image::Tail;
use crate::region::Region;
use crate::tables::{Shape, Tables};
use crate::tag::Tags;

/// How many objects are on their way from memory.
const QUEUE: usize = 32;
/// How many entries are remembered by their tags.
const CACHE: usize = 64;

/// What lives of one entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Objects.
    pub objects: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
}

/// One marking.
#[derive(Debug)]
pub(crate) struct Marker<'a, 'm> {
    reach: Reach<'a, 'm>,
    blocks: &'a [BlockDesc],
    tables: &'a Tables<'m>,
    census: &'a mut [Census],
    cache: [u32; CACHE],
    site: Site,
}

/// The bits and the objects that wait. It is apart because the loop keeps it in registers.
#[derive(Debug)]
struct Reach<'a, 'm> {
    region: Region<'m>,
    base: u64,
    /// The length of the blocks that are used.
    limit: u64,
    bits: &'a mut [[u64; 2]],
    stack: &'a mut [u32],
    depth: usize,
    queue: [u32; QUEUE],
    head: usize,
    queued: usize,
}

/// Where a fault is found, for its record.
#[derive(Clone, Copy, Debug)]
struct Site {
    phase: Phase,
    address: u64,
    referrer: u64,
    offset: u64,
    root: u64,
    shape: u32,
}

impl Site {
    const START: Self = Self { phase: Phase::Frames, address: 0, referrer: 0, offset: 0, root: 0, shape: 0 };
}

impl<'a, 'm> Marker<'a, 'm> {
    pub(crate) fn new(
        heap: &'a mut Heap<'m>,
        stack: &'a mut [u32],
        tables: &'a Tables<'m>,
        census: &'a mut [Census],
    ) -> Self {
        let (region, limit) = (heap.region.alias(), heap.limit());
        let bits = &mut heap.bits[..limit as usize / 1024];
        let (base, queue) = (region.address(0), [0; QUEUE]);
        let reach = Reach { region, base, limit, bits, stack, depth: 0, queue, head: 0, queued: 0 };
        Self { reach, blocks: heap.blocks, tables, census, cache: [0; CACHE], site: Site::START }
    }

    /// Marks everything that roots lead to; says how many frames and handles there are.
    pub(crate) fn mark<'s>(
        mut self,
        mut stacks: impl Iterator<Item = (&'s Region<'m>, u64)>,
        handles: &Handles<'_>,
    ) -> Result<(u32, u32), FaultRecord>
    where
        'm: 's,
    {
        let frames = stacks.try_fold(0, |count, (stack, newest)| self.frames(stack, newest, count));
        let roots = frames.and_then(|frames| self.globals().map(|()| frames));
        let roots = roots.and_then(|frames| Ok((frames, self.handles(handles)?)));
        roots.map_err(|code| self.record(code)).and_then(|roots| self.drain().map(|()| roots))
    }

    /// Marks from the shadow frames of a stack, newest first; adds to `count` how many there are.
    fn frames(&mut self, stack: &Region<'m>, newest: u64, mut count: u32) -> Result<u32, FaultCode> {
        self.site.phase = Phase::Frames;
        let (mut frame, mut below) = (newest, 0);
        while frame != 0 {
            (self.site.address, self.site.root) = (frame, u64::from(count));
            let offset = stack.offset(frame).filter(|offset| offset.is_multiple_of(8)).ok_or(FaultCode::FrameBounds)?;
            if frame <= below {
                return Err(FaultCode::FrameOrder);
            }
            let [tag1, tag2, tag3, previous] = stack.load_words(offset);
            let shape = self.root_shape(Tags { tag1, tag2, tag3 }, Kind::Frame)?;
            if shape.fixed + 32 > (stack.byte_len() - offset) as u64 {
                return Err(FaultCode::FrameBounds);
            }
            self.root_slots(stack, offset, shape)?;
            count += 1;
            (below, frame) = (frame, previous);
        }
        Ok(count)
    }

    /// Marks from all global blocks.
    fn globals(&mut self) -> Result<(), FaultCode> {
        self.site.phase = Phase::Globals;
        for (i, global) in self.tables.globals().enumerate() {
            let [tag1, tag2, tag3, extent] = global.region.load_words(0);
            (self.site.root, self.site.address) = (i as u64, global.region.address(0));
            let shape = self.root_shape(Tags { tag1, tag2, tag3 }, Kind::Global)?;
            if extent != shape.fixed || self.site.shape != global.shape {
                return Err(FaultCode::ExtentWrong);
            }
            self.root_slots(&global.region, 0, shape)?;
        }
        Ok(())
    }

    /// Marks from all handles; says how many there are.
    fn handles(&mut self, handles: &Handles<'_>) -> Result<u32, FaultCode> {
        let mut count = 0;
        for (root, address) in handles.held() {
            self.site = Site { phase: Phase::Handles, address, root: u64::from(root), ..Site::START };
            self.reach.follow(address, false, self.tables)?;
            count += 1;
        }
        Ok(count)
    }

    fn root_shape(&mut self, tags: Tags, kind: Kind) -> Result<&'a Shape, FaultCode> {
        self.site.shape = self.tables.lookup(tags, kind)?;
        Ok(&self.tables.shapes[self.site.shape as usize])
    }

    fn root_slots(&mut self, region: &Region<'m>, block: usize, shape: &'a Shape) -> Result<(), FaultCode> {
        for slot in Slots::new(self.tables, shape, shape.fixed) {
            let word = region.load(block + 32 + slot);
            self.reach.follow(word, shape.has_odd_words, self.tables).inspect_err(|_| {
                (self.site.address, self.site.offset) = (word, slot as u64);
            })?;
        }
        Ok(())
    }

    /// Marks everything that what is marked leads to.
    fn drain(mut self) -> Result<(), FaultRecord> {
        let mut reach = self.reach;
        let stop = loop {
            let Some(granule) = reach.next() else { return Ok(()) };
            let offset = granule as usize * 16;
            let found = scan(&mut reach, offset, self.blocks, self.tables, self.census, &mut self.cache);
            if let Err(stop) = found {
                break stop;
            }
        };
        (self.site, self.reach) = (stop.1, reach);
        Err(self.record(stop.0))
    }

    /// The record of a fault at the current site, and of an object that leads there.
    fn record(&self, code: FaultCode) -> FaultRecord {
        let Site { phase, address, mut referrer, mut offset, root, mut shape } = self.site;
        if phase == Phase::Mark && referrer == 0 {
            (referrer, offset, shape) = self.find_referrer(address).unwrap_or_default();
        }
        let (table, structure) = self.tables.identity(shape);
        FaultRecord { code, phase, address, referrer, offset, root, table, structure }
    }

    /// The first sound object with a slot that holds `address`: the object, the slot, its shape.
    fn find_referrer(&self, address: u64) -> Option<(u64, u64, u32)> {
        let region = &self.reach.region;
        objects(self.reach.bits).find_map(|offset| {
            let [tag1, tag2, tag3, extent] = region.load_words(offset);
            let number = self.tables.lookup(Tags { tag1, tag2, tag3 }, Kind::Heap).ok()?;
            let shape = &self.tables.shapes[number as usize];
            let is_sound = shape.allows(extent) && extent + 32 <= u64::from(self.blocks[offset / BLOCK].slot);
            let mut slots = Slots::new(self.tables, shape, if is_sound { extent } else { 0 });
            let slot = slots.find(|slot| is_sound && region.load(offset + 32 + slot) == address)?;
            Some((region.address(offset), slot as u64, number))
        })
    }
}

impl Reach<'_, '_> {
    /// The next object, when its memory had time to arrive.
    #[inline(always)]
    fn next(&mut self) -> Option<u32> {
        while self.depth > 0 {
            self.depth -= 1;
            let granule = self.stack[self.depth];
            // An object of two words lies on two lines as often as not.
            self.region.prefetch(granule as usize * 16);
            self.region.prefetch(granule as usize * 16 + 47);
            let tail = (self.head + self.queued) % QUEUE;
            let oldest = core::mem::replace(&mut self.queue[tail], granule);
            if self.queued == QUEUE {
                self.head = (self.head + 1) % QUEUE;
                return Some(oldest);
            }
            self.queued += 1;
        }
        self.queued = self.queued.checked_sub(1)?;
        let oldest = self.queue[self.head % QUEUE];
        self.head = (self.head + 1) % QUEUE;
        Some(oldest)
    }

    /// Marks and pushes the object that a word refers to, if it is one and not marked.
    #[inline(always)]
    fn follow(&mut self, word: u64, has_odd_words: bool, tables: &Tables<'_>) -> Result<(), FaultCode> {
        if word == 0 {
            return Ok(());
        }
        let offset = word.wrapping_sub(self.base);
        if offset >= self.limit || !offset.is_multiple_of(16) {
            return follow_elsewhere(word, has_odd_words, tables);
        }
        let bit = 1 << (offset / 16 % 64);
        let Some([allocated, marked]) = self.bits.get_mut(offset as usize / 1024) else {
            return Err(FaultCode::NotAllocated);
        };
        if *allocated & bit == 0 {
            return Err(FaultCode::NotAllocated);
        }
        if *marked & bit == 0 {
            *marked |= bit;
            self.stack[self.depth] = (offset / 16) as u32;
            self.depth += 1;
        }
        Ok(())
    }
}

/// A word that is no place in the heap: a global block, a plain word, or damage.
#[cold]
fn follow_elsewhere(word: u64, has_odd_words: bool, tables: &Tables<'_>) -> Result<(), FaultCode> {
    if !word.is_multiple_of(16) {
        return if has_odd_words && word % 2 == 1 { Ok(()) } else { Err(FaultCode::Misaligned) };
    }
    let mut globals = tables.globals();
    if globals.any(|global| global.region.address(0) == word) { Ok(()) } else { Err(FaultCode::OutsideHeap) }
}

/// Checks the object at `offset` and marks what its slots refer to.
#[inline(always)]
fn scan<'m>(
    reach: &mut Reach<'_, 'm>,
    offset: usize,
    blocks: &[BlockDesc],
    tables: &Tables<'m>,
    census: &mut [Census],
    cache: &mut [u32; CACHE],
) -> Result<(), (FaultCode, Site)> {
    let region = reach.region.alias();
    let here = Site { phase: Phase::Mark, address: region.address(offset), ..Site::START };
    let [tag1, tag2, tag3, extent] = region.load_words(offset);
    let tags = Tags { tag1, tag2, tag3 };
    let remembered = &mut cache[(tag1 >> 16) as usize % CACHE];
    let mut shape = &tables.shapes.places[*remembered as usize];
    // An entry that is remembered was found by a lookup of the same three words, their confirmation first.
    if shape.tags != tags || shape.kind != Kind::Heap {
        match tables.lookup(tags, Kind::Heap) {
            Ok(found) => *remembered = found,
            Err(code) => return Err((code, here)),
        }
        shape = &tables.shapes.places[*remembered as usize];
    }
    if !shape.allows(extent) || extent + 32 > u64::from(blocks[offset / BLOCK].slot) {
        return Err((FaultCode::ExtentWrong, here));
    }
    let number = *remembered;
    let live = &mut census[number as usize];
    live.objects += 1;
    live.bytes += extent;
    for slot in Slots::new(tables, shape, extent) {
        let word = region.load(offset + 32 + slot);
        if let Err(code) = reach.follow(word, shape.has_odd_words, tables) {
            let (referrer, offset) = (here.address, slot as u64);
            return Err((code, Site { address: word, referrer, offset, shape: number, ..here }));
        }
    }
    Ok(())
}

/// The offsets of the references in a payload, ascending.
pub(crate) struct Slots<'a> {
    mask: u64,
    list: core::slice::Iter<'a, u32>,
    next: usize,
    end: usize,
}

impl<'a> Slots<'a> {
    #[inline(always)]
    pub(crate) fn new(tables: &'a Tables<'_>, shape: &Shape, extent: u64) -> Self {
        let first = shape.first_offset as usize;
        let list = tables.offsets.places[first..first + shape.offset_count as usize].iter();
        let end = if shape.tail == Tail::References { extent } else { shape.fixed };
        Self { mask: shape.mask, list, next: shape.fixed as usize, end: end as usize }
    }
}

impl Iterator for Slots<'_> {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.mask != 0 {
            let slot = self.mask.trailing_zeros() as usize * 8;
            self.mask &= self.mask - 1;
            return Some(slot);
        }
        if let Some(&slot) = self.list.next() {
            return Some(slot as usize);
        }
        let slot = self.next;
        self.next += 8;
        (slot < self.end).then_some(slot)
    }
}
