//! The collector against a model: the same operations on both, and every small graph there is.

use crate::support::{KIB, World, config};
use ironwall::{Block, Config, Kind, Refusal};
use ironwall_testkit::Model;
use std::collections::{BTreeMap, BTreeSet};

/// The runtime and the model side by side.
struct Both {
    world: World,
    model: Model,
    blocks: BTreeMap<usize, Block>,
    frame: Block,
}

impl Both {
    fn new(config: Config<'static>) -> Self {
        let mut world = World::with(1024 * KIB, config);
        let frame = world.frame();
        let model = Model { roots: vec![None; 4], ..Model::default() };
        Self { world, model, blocks: BTreeMap::new(), frame }
    }

    /// A pair, or an array that is large now and then.
    fn allocate(&mut self, slots: usize) -> Option<usize> {
        let made = if slots == 2 {
            self.world.runtime.allocate(self.world.entry(Kind::Heap, "Pair"))
        } else {
            let array = self.world.entry(Kind::Heap, "Array");
            self.world.runtime.allocate_extent(array, 8 + 8 * slots as u64)
        };
        let block = match made {
            Ok(block) => block,
            Err(refusal) => {
                assert_eq!(refusal, Refusal::OutOfMemory);
                return None;
            }
        };
        let object = self.model.allocate(slots);
        for i in 0..slots as u64 {
            assert_eq!(self.world.runtime.load(block, self.offset(object, i)), Ok(0));
        }
        assert!(!self.blocks.values().any(|&other| other == block), "a live object's place is not given away");
        self.blocks.insert(object, block);
        Some(object)
    }

    /// Arrays have one word before their slots.
    fn offset(&self, object: usize, slot: u64) -> u64 {
        if self.model.objects[&object].len() == 2 { slot * 8 } else { slot * 8 + 8 }
    }

    fn set(&mut self, object: usize, slot: usize, to: Option<usize>) {
        let word = to.map_or(0, |to| self.blocks[&to].address());
        let offset = self.offset(object, slot as u64);
        self.world.runtime.store(self.blocks[&object], offset, word).expect("a slot");
        self.model.objects.get_mut(&object).expect("live")[slot] = to;
    }

    fn root(&mut self, slot: usize, to: Option<usize>) {
        let word = to.map_or(0, |to| self.blocks[&to].address());
        self.world.runtime.store(self.frame, slot as u64 * 8, word).expect("a slot");
        self.model.roots[slot] = to;
    }

    /// Collects both and compares everything that can be seen.
    fn collect(&mut self) {
        let report = self.world.collect();
        let dead = self.model.collect();
        assert_eq!((report.live, report.dead), (self.model.objects.len() as u64, dead.len() as u64));
        for object in dead {
            let block = self.blocks.remove(&object).expect("was live");
            assert_eq!(self.world.runtime.load(block, 0), Err(Refusal::NotABlock));
        }
        for (object, slots) in &self.model.objects {
            for (i, slot) in slots.iter().enumerate() {
                let word = self.world.runtime.load(self.blocks[object], self.offset(*object, i as u64));
                assert_eq!(word, Ok(slot.map_or(0, |to| self.blocks[&to].address())));
            }
        }
    }
}

#[test]
fn r3_1_every_graph_of_three_objects_with_two_slots() {
    // Each slot holds nothing or one of the objects, and each set of objects is rooted in turn.
    for count in 1..=if cfg!(miri) { 2 } else { 3 } {
        let sets: Vec<usize> = if cfg!(miri) { vec![1] } else { (0..1usize << count).collect() };
        every_graph(count, &sets);
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes hours; that of three objects is run")]
fn r3_1_every_graph_of_four_objects_with_two_slots() {
    // Only the first none, one or two are rooted, as every renaming of a graph is there too.
    every_graph(4, &[0, 1, 3]);
}

fn every_graph(count: usize, sets: &[usize]) {
    let choices = count + 1;
    let mut both = Both::new(config());
    let objects: Vec<usize> = (0..count).filter_map(|_| both.allocate(2)).collect();
    // Under Miri, a graph takes a second.
    for graph in (0..choices.pow(2 * count as u32)).step_by(if cfg!(miri) { 7 } else { 1 }) {
        let mut rest = graph;
        for (object, slot) in objects.iter().flat_map(|&object| [(object, 0), (object, 1)]) {
            both.set(object, slot, objects.get(rest % choices).copied());
            rest /= choices;
        }
        for &roots in sets {
            check_marking(&mut both, &objects, roots);
        }
    }
}

/// Collects a copy of what is there, and compares. Objects that die are made again in the same places, as the
/// addresses of a block that is filled in order are foreseeable.
fn check_marking(both: &mut Both, objects: &[usize], roots: usize) {
    for (i, &object) in objects.iter().enumerate() {
        both.root(i, (roots >> i & 1 == 1).then_some(object));
    }
    let reached = both.model.reachable();
    let report = both.world.collect();
    assert_eq!((report.live, report.dead), (reached.len() as u64, (objects.len() - reached.len()) as u64));
    for object in objects.iter().filter(|object| !reached.contains(object)) {
        assert_eq!(both.world.runtime.load(both.blocks[object], 0), Err(Refusal::NotABlock));
    }
    let mut places: BTreeSet<Block> = objects.iter().map(|object| both.blocks[object]).collect();
    places.retain(|place| !objects.iter().any(|object| reached.contains(object) && both.blocks[object] == *place));
    for _ in 0..places.len() {
        let block = both.world.pair();
        assert!(places.remove(&block), "free places are used lowest first");
    }
    for (object, slots) in both.model.objects.clone() {
        for (slot, to) in slots.into_iter().enumerate() {
            both.set(object, slot, to);
        }
    }
}

#[test]
fn r3_1_random_operations_agree_with_the_model() {
    let (seeds, steps) = if cfg!(miri) { (2, 80) } else { (24, 2500) };
    for seed in 0..seeds {
        let config = Config { wipes: seed % 2 == 0, heap_is_zeroed: seed % 3 != 0, ..config() };
        operate(config, seed + 1, steps);
    }
}

fn operate(config: Config<'static>, seed: u64, steps: usize) {
    let mut both = Both::new(config);
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    };
    for _ in 0..steps {
        let live: Vec<usize> = both.model.objects.keys().copied().collect();
        let pick = |random: &mut dyn FnMut(usize) -> usize| live.get(random(live.len() + 2)).copied();
        match random(40) {
            0 => both.collect(),
            1..=14 => {
                // Under Miri, comparing a large object with the model takes seconds.
                let slots = [2, 2, 2, 2, 5, 13, 60, 300, 2500, 9000][random(if cfg!(miri) { 7 } else { 10 })];
                if let Some(object) = both.allocate(slots) {
                    both.root(random(4), Some(object));
                }
            }
            15..=18 => both.root(random(4), pick(&mut random)),
            _ => {
                let (object, to) = (pick(&mut random), pick(&mut random));
                if let Some(object) = object {
                    let slots = both.model.objects[&object].len();
                    both.set(object, random(slots), to);
                }
            }
        }
    }
    both.collect();
}
