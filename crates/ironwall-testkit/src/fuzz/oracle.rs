//! What a collection of damaged memory has to come to: marking once more, slowly, over raw words.

use super::graph::Graph;
use crate::world::{Layout, UNIT, World, slot_bytes};
use ironwall::{Block, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// Damage was met on the way from the roots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged;

/// What lives, by address, with the extent that memory says it has.
pub(crate) type Live = BTreeMap<u64, u64>;

/// Marks from the frames, of which `newest` is the newest, from the global block and from the handles.
pub(crate) fn mark(graph: &Graph<'_, '_>, newest: u64) -> Result<Live, Damaged> {
    let world = &*graph.world;
    let slots: BTreeMap<u64, u64> =
        graph.places.values().map(|place| (place.block.address(), slot_bytes(place.extent))).collect();
    let mut waiting = Vec::new();
    let follow = |word: u64, has_odd_words: bool, waiting: &mut Vec<u64>| match word {
        0 => Ok(()),
        word if slots.contains_key(&word) => {
            waiting.push(word);
            Ok(())
        }
        word if word == world.global.address() || has_odd_words && word % 2 == 1 => Ok(()),
        _ => Err(Damaged),
    };
    frames(world, newest, &mut |word| follow(word, false, &mut waiting))?;
    let global = UNIT.named("globals");
    let prefix: Vec<u64> = (0..4).map(|at| world.globals.read(at)).collect();
    if prefix[..3] != global.tags || prefix[3] != global.fixed {
        return Err(Damaged);
    }
    for slot in &global.slots {
        follow(world.globals.read(4 + slot), false, &mut waiting)?;
    }
    for word in graph.held() {
        follow(word, false, &mut waiting)?;
    }
    let mut live = Live::new();
    while let Some(address) = waiting.pop() {
        if live.contains_key(&address) {
            continue;
        }
        let at = Block::from_word(address).map_or(0, |block| world.heap_word(block));
        let extent = world.heap.read(at + 3);
        let layout = layout(Kind::Heap, std::array::from_fn(|i| world.heap.read(at + i)))?;
        if !layout.allows(extent) || extent + 32 > slots[&address] {
            return Err(Damaged);
        }
        live.insert(address, extent);
        for offset in layout.references(extent) {
            follow(world.heap.read(at + 4 + offset), layout.has_odd_words, &mut waiting)?;
        }
    }
    Ok(live)
}

/// Gives every word of every frame that is a root.
fn frames(world: &World<'_>, newest: u64, root: &mut dyn FnMut(u64) -> Result<(), Damaged>) -> Result<(), Damaged> {
    let (mut frame, mut seen) = (newest, BTreeSet::new());
    while frame != 0 {
        let offset = frame.wrapping_sub(world.frames_base);
        if !offset.is_multiple_of(8) || offset / 8 + 4 > world.frames.len() as u64 {
            return Err(Damaged);
        }
        if seen.last().is_some_and(|&last| frame <= last) {
            return Err(Damaged);
        }
        seen.insert(frame);
        let at = (offset / 8) as usize;
        let layout = layout(Kind::Frame, std::array::from_fn(|i| world.frames.read(at + i)))?;
        if at + 4 + layout.fixed as usize / 8 > world.frames.len() {
            return Err(Damaged);
        }
        for offset in layout.references(layout.fixed) {
            root(world.frames.read(at + 4 + offset))?;
        }
        frame = world.frames.read(at + 3);
    }
    Ok(())
}

fn layout(kind: Kind, tags: [u64; 3]) -> Result<&'static Layout, Damaged> {
    UNIT.layout(tags).filter(|layout| layout.kind == kind).ok_or(Damaged)
}
