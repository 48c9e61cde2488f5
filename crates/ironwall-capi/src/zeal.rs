//! Zeal: collecting as often as could be, so that a missing root shows at once and not some day.
//!
//! A dead object is filled with [`IW_POISON`], which is no reference and no address: a program that still reads it
//! finds nothing that it could mistake for its own, and a slot that it copies there is damage at the next collection.
//! The inline allocation has no flag to test: zeal gives it an array of shapes that all say "by a call".

use crate::heap::Runtime;
use crate::types::{Fast, IW_POISON, IW_ZEAL_ALLOCATIONS, IW_ZEAL_POINTS, Shape};
use ironwall::Block;
use std::collections::BTreeMap;

/// How far around a new object memory may have been zeroed for it: the most of a hole that is taken at once.
const ZEROED: u64 = 16 << 10;

/// What every entry looks like to inline allocation: nothing but a call makes it.
static CLOSED: Shape = Shape { tag1: 0, tag2: 0, tag3: 0, fixed: 0, slot: 0, size_class: 0 };

/// The state of zeal.
#[derive(Debug)]
pub(crate) struct Zeal {
    /// Whether allocations collect.
    pub(crate) at_allocations: bool,
    /// The objects that were made: their bytes, and whether they live as far as is known.
    objects: BTreeMap<u64, (u64, bool)>,
}

impl Zeal {
    /// Zeal, if the flags of a configuration ask for it.
    pub(crate) fn new(flags: u32) -> Option<Self> {
        let is_asked = flags & (IW_ZEAL_POINTS | IW_ZEAL_ALLOCATIONS) != 0;
        is_asked.then(|| Self { at_allocations: flags & IW_ZEAL_ALLOCATIONS != 0, objects: BTreeMap::new() })
    }

    /// Notes a new object, and fills again what was zeroed to make it.
    pub(crate) fn note(&mut self, region: (*mut u8, usize), block: Block, extent: u64) {
        let (start, len) = (block.address(), (32 + extent).next_multiple_of(16));
        let overlaps = |at: u64, len: u64| at + len > start;
        let before = self.objects.range(..start).next_back().filter(|(at, (len, _))| overlaps(**at, *len));
        let mut gone: Vec<u64> = before.map(|(&at, _)| at).into_iter().collect();
        gone.extend(self.objects.range(start..start + len).map(|(&at, _)| at));
        for at in gone {
            self.objects.remove(&at);
        }
        self.objects.insert(start, (len, true));
        // Holes are only closed by collections, so what is in one must stay zero unless each allocation makes one.
        if self.at_allocations {
            let near = self.objects.range(start.saturating_sub(ZEROED)..start.saturating_add(ZEROED));
            near.filter(|(_, (_, lives))| !lives).for_each(|(&at, &(len, _))| poison(region, at, len));
        }
    }

    /// Fills what died in a collection.
    pub(crate) fn bury(&mut self, core: &ironwall::Runtime<'static>, region: (*mut u8, usize)) {
        for (&at, (len, lives)) in self.objects.iter_mut().filter(|(_, (_, lives))| *lives) {
            *lives = Block::from_word(at).is_some_and(|block| core.prefix(block).is_ok());
            if !*lives {
                poison(region, at, *len);
            }
        }
    }
}

/// Fills a dead object.
fn poison((base, region_len): (*mut u8, usize), at: u64, len: u64) {
    let Some(start) = (at as usize).checked_sub(base.addr()) else { return };
    let end = region_len.min(start.saturating_add(len as usize));
    for offset in (start..end.saturating_sub(7)).step_by(8) {
        // SAFETY: the word is in the heap's region, aligned to eight, and of an object that is dead.
        unsafe { base.add(offset).cast::<u64>().write(IW_POISON) };
    }
}

/// Makes every inline allocation take the call.
pub(crate) fn close_fast_path(heap: &mut Runtime) {
    let fast = (&raw mut heap.core).cast::<Fast>();
    // SAFETY: a heap of the core begins with these fields, whose layout it keeps for this use; the core itself reads
    // neither of the two.
    unsafe {
        (*fast).shapes = &raw const CLOSED;
        (*fast).shape_size = 0;
    }
}
