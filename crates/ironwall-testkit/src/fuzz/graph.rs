//! A world and the model of it, changed together.

use crate::model::Model;
use crate::source::Source;
use crate::world::{EXTENTS, HANDLES, Layout, UNIT, World};
use ironwall::{Block, Failure, Handle, Kind, Origin, Refusal, Report};
use std::collections::BTreeMap;

/// Where an object of the model is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) block: Block,
    pub(crate) layout: &'static Layout,
    pub(crate) extent: u64,
}

/// A shadow frame and what its slots hold.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) block: Block,
    layout: &'static Layout,
    slots: Vec<Option<usize>>,
}

/// Both sides.
#[derive(Debug)]
pub(crate) struct Graph<'w, 'm> {
    pub(crate) world: &'w mut World<'m>,
    model: Model,
    pub(crate) places: BTreeMap<usize, Place>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) handles: Vec<(Handle, usize)>,
    globals: [Option<usize>; 2],
}

impl<'w, 'm> Graph<'w, 'm> {
    pub(crate) fn new(world: &'w mut World<'m>) -> Self {
        let (model, places) = (Model::default(), BTreeMap::new());
        Self { world, model, places, frames: Vec::new(), handles: Vec::new(), globals: [None; 2] }
    }

    /// Does one of the things that a program can do, as the input says.
    pub(crate) fn step(&mut self, source: &mut Source<'_>) {
        match source.byte() % 32 {
            0..=11 => self.allocate(source),
            12..=19 => self.store(source),
            20..=23 => self.root(source),
            24 | 25 => self.push(source),
            26 => self.pop(),
            27 => self.hold(source),
            28 => self.let_go(source),
            29 => self.misuse(source),
            _ => {
                self.collect();
            }
        }
    }

    /// Allocates, and mostly roots the new object so that it is not lost at once.
    pub(crate) fn allocate(&mut self, source: &mut Source<'_>) {
        let name = ["Pair", "Pair", "Array", "Bytes", "Mixed", "Wide"][source.below(6)];
        let layout = UNIT.named(name);
        let is_sized = layout.has_references || layout.has_bytes;
        // Under Miri, comparing a large object takes seconds.
        let chosen = EXTENTS[source.below(if cfg!(miri) { 11 } else { EXTENTS.len() })];
        let extent = if is_sized { chosen } else { layout.fixed };
        let entry = self.world.entry(Kind::Heap, name);
        let made = if extent == layout.fixed {
            self.world.runtime.allocate(entry)
        } else {
            self.world.runtime.allocate_extent(entry, extent)
        };
        let block = match made {
            Ok(block) => block,
            Err(Refusal::BadExtent) => {
                assert!(!layout.allows(extent), "{name} may have {extent} bytes");
                return;
            }
            Err(refusal) => {
                assert_eq!(refusal, Refusal::OutOfMemory);
                return;
            }
        };
        assert!(layout.allows(extent), "{name} may not have {extent} bytes");
        for word in 0..extent as usize / 8 {
            assert_eq!(self.world.heap.read(self.world.heap_word(block) + 4 + word), 0, "a new object is zero");
        }
        let slots = layout.references(extent).count();
        let object = self.model.allocate(slots);
        let end = block.address() + 32 + extent;
        for other in self.places.values() {
            let other = other.block.address()..other.block.address() + 32 + other.extent;
            assert!(block.address() >= other.end || end <= other.start, "places of objects do not overlap");
        }
        self.places.insert(object, Place { block, layout, extent });
        let at = source.below(8);
        self.root_at(at, Some(object));
    }

    fn pick(&self, source: &mut Source<'_>) -> Option<usize> {
        let at = source.below(self.places.len() + 2);
        self.places.keys().nth(at).copied()
    }

    fn word(&self, to: Option<usize>) -> u64 {
        to.map_or(0, |to| self.places[&to].block.address())
    }

    fn store(&mut self, source: &mut Source<'_>) {
        let (Some(object), to) = (self.pick(source), self.pick(source)) else { return };
        let Place { block, layout, extent } = self.places[&object];
        let count = layout.references(extent).count();
        if count == 0 {
            // A word that is none of the collector's business.
            let word = source.word();
            self.world.runtime.store(block, 0, word).expect("inside");
            return;
        }
        let slot = source.below(count);
        let offset = layout.references(extent).nth(slot).expect("below the count") as u64 * 8;
        let plain = source.byte();
        let is_plain = layout.has_odd_words && plain > 128;
        let (to, word) = if is_plain { (None, u64::from(plain) << 3 | 1) } else { (to, self.word(to)) };
        self.world.runtime.store(block, offset, word).expect("a slot");
        self.model.objects.get_mut(&object).expect("it has a place")[slot] = to;
    }

    fn root(&mut self, source: &mut Source<'_>) {
        let (at, to) = (source.below(8), self.pick(source));
        self.root_at(at, to);
    }

    /// Writes a root: of the global block, or of the newest frame if there is one.
    fn root_at(&mut self, at: usize, to: Option<usize>) {
        let word = self.word(to);
        if at < 2 {
            self.world.runtime.store(self.world.global, at as u64 * 8, word).expect("a slot");
            self.globals[at] = to;
        } else if let Some(frame) = self.frames.last_mut().filter(|frame| !frame.slots.is_empty()) {
            let slot = (at - 2) % frame.slots.len();
            let offset = frame.layout.slots[slot] as u64 * 8;
            self.world.runtime.store(frame.block, offset, word).expect("a slot");
            frame.slots[slot] = to;
        }
    }

    pub(crate) fn push(&mut self, source: &mut Source<'_>) {
        let name = ["main", "none", "wide", "main"][source.below(4)];
        let (layout, entry) = (UNIT.named(name), self.world.entry(Kind::Frame, name));
        match self.world.runtime.push_frame(entry) {
            Ok(block) => self.frames.push(Frame { block, layout, slots: vec![None; layout.slots.len()] }),
            Err(refusal) => assert_eq!(refusal, Refusal::FramesFull),
        }
    }

    fn pop(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.world.runtime.pop_frame(frame.block).expect("the newest");
        }
    }

    fn hold(&mut self, source: &mut Source<'_>) {
        let Some(object) = self.pick(source) else { return };
        match self.world.runtime.handle(self.places[&object].block) {
            Ok(handle) => self.handles.push((handle, object)),
            Err(refusal) => assert_eq!((refusal, self.handles.len()), (Refusal::HandlesFull, HANDLES)),
        }
    }

    fn let_go(&mut self, source: &mut Source<'_>) {
        if self.handles.is_empty() {
            return;
        }
        let (handle, object) = self.handles.swap_remove(source.below(self.handles.len()));
        assert_eq!(self.world.runtime.get(handle), Ok(self.places[&object].block));
        self.world.runtime.release(handle).expect("held");
        assert_eq!(self.world.runtime.release(handle), Err(Refusal::StaleHandle));
    }

    /// Things that have to be refused.
    fn misuse(&mut self, source: &mut Source<'_>) {
        let word = match source.below(4) {
            0 => source.word(),
            1 => self.world.heap_base + source.below(65_536) as u64 * 8,
            2 => self.world.frames_base + source.below(1024) as u64 * 8,
            _ => self.world.global.address() + source.below(64) as u64,
        };
        let Some(block) = Block::from_word(word) else { return };
        let is_object = self.places.values().any(|place| place.block == block);
        let is_frame = self.frames.iter().any(|frame| frame.block == block);
        let is_block = is_object || is_frame || block == self.world.global;
        assert_eq!(self.world.runtime.prefix(block).is_ok(), is_block, "{word:#x}");
        if !is_object {
            assert!(self.world.runtime.handle(block).is_err(), "only objects have handles");
        }
        if let [frame, _, ..] = &self.frames[..] {
            assert_eq!(self.world.runtime.pop_frame(frame.block), Err(Refusal::NotNewestFrame));
        }
    }

    /// The words that handles hold.
    pub(crate) fn held(&self) -> impl Iterator<Item = u64> {
        self.handles.iter().map(|(_, object)| self.places[object].block.address())
    }

    /// Collects both and compares everything that can be seen.
    pub(crate) fn collect(&mut self) -> Report {
        self.model.roots = self.frames.iter().flat_map(|frame| &frame.slots).chain(&self.globals).copied().collect();
        self.model.roots.extend(self.handles.iter().map(|&(_, object)| Some(object)));
        let dead = self.model.collect();
        let report = match self.world.runtime.collect(Origin::Program, 0) {
            Ok(report) => report,
            Err(Failure::Refused(refusal)) => panic!("refused: {refusal:?}"),
            Err(Failure::Fault(record)) => panic!("nothing is damaged, and yet {record:?}"),
        };
        assert_eq!((report.live, report.dead), (self.model.objects.len() as u64, dead.len() as u64));
        assert_eq!((report.frames, report.globals), (self.frames.len() as u32, 1));
        for object in dead {
            let place = self.places.remove(&object).expect("it was allocated");
            assert_eq!(self.world.runtime.prefix(place.block), Err(Refusal::NotABlock));
        }
        let live_bytes: u64 = self.places.values().map(|place| place.extent).sum();
        assert_eq!(report.live_bytes, live_bytes);
        for (object, slots) in &self.model.objects {
            let Place { block, layout, extent } = self.places[object];
            for (offset, to) in layout.references(extent).zip(slots) {
                let word = self.world.heap.read(self.world.heap_word(block) + 4 + offset);
                let is_plain = layout.has_odd_words && word % 2 == 1;
                assert_eq!(if is_plain { 0 } else { word }, self.word(*to), "what lives is not changed");
            }
        }
        report
    }
}
