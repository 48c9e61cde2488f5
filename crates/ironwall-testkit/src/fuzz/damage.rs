//! Overwrites words behind the collector's back, then collects: it has to find the damage, or be right in spite of it.

use super::graph::Graph;
use super::oracle::{self, Damaged};
use crate::source::Source;
use crate::world::{UNIT, slot_bytes, with_world};
use ironwall::{Block, Failure, Kind, Origin, Refusal};

/// Builds a graph, damages any of its memory, and collects.
///
/// # Panics
/// The collector missed damage that it meets, or saw some where none is in its way, or was wrong about what lives, or
/// did anything after a fault.
pub fn damage(input: &[u8]) {
    run(input, false);
}

/// Builds and damages chains of shadow frames, goes on to use them, and collects.
///
/// # Panics
/// As [`damage`].
pub fn frames(input: &[u8]) {
    run(input, true);
}

fn run(input: &[u8], only_frames: bool) {
    let mut source = Source::new(input);
    let options = source.byte();
    let (steps, hits) = (source.below(64), 1 + source.below(16));
    // Under Miri, a step takes a second.
    let steps = if cfg!(miri) { steps % 8 } else { steps };
    with_world(options, |world| {
        let mut graph = Graph::new(world);
        if only_frames {
            for _ in 0..2 + steps % 8 {
                graph.push(&mut source);
                graph.allocate(&mut source);
            }
        } else {
            (0..steps).for_each(|_| graph.step(&mut source));
        }
        let mut newest = graph.frames.last().map_or(0, |frame| frame.block.address());
        for _ in 0..hits {
            hit(&mut graph, &mut source, only_frames);
            if only_frames {
                newest = call(&mut graph, &mut source, newest);
            }
        }
        check(&mut graph, newest);
    });
}

/// Overwrites one word.
fn hit(graph: &mut Graph<'_, '_>, source: &mut Source<'_>, only_frames: bool) {
    let place = graph.places.values().nth(source.below(graph.places.len().max(1))).copied();
    let frame = graph.frames.get(source.below(graph.frames.len().max(1))).map(|frame| frame.block);
    let object = place.map_or(graph.world.heap_base, |place| place.block.address());
    let frame_address = frame.map_or(graph.world.frames_base, Block::address);
    let where_to = if only_frames { 2 + source.below(2) } else { source.below(5) };
    let (raw, at) = match where_to {
        // The prefix, mostly; else any word of the object, or of what follows it.
        0 | 1 => {
            let words = place.map_or(4, |place| place.extent as usize / 8 + 5);
            let limit = if where_to == 0 { 4 } else { words };
            let start = place.map_or(0, |place| graph.world.heap_word(place.block));
            (graph.world.heap, start + source.below(limit))
        }
        2 => (graph.world.frames, frame.map_or(0, |frame| graph.world.frame_word(frame)) + source.below(4)),
        3 => (graph.world.frames, source.below(graph.world.frames.len())),
        _ => (graph.world.globals, source.below(6)),
    };
    let tags = UNIT.layouts[source.below(UNIT.layouts.len())].tags;
    let small = source.below(256) as u64;
    let word = match source.below(10) {
        0 => 0,
        1 => raw.read(at) ^ 1 << (small % 64),
        2 => source.word(),
        3 => object,
        4 => object.wrapping_add(small * 8),
        5 => frame_address,
        6 => frame_address.wrapping_add(small * 8).wrapping_sub(64),
        7 => tags[(small % 3) as usize],
        8 => small,
        _ => graph.world.global.address(),
    };
    raw.write(at, word);
}

/// Uses the frames as a program would that does not know of the damage; says which is the newest now.
fn call(graph: &mut Graph<'_, '_>, source: &mut Source<'_>, newest: u64) -> u64 {
    let block = Block::from_word(newest);
    match (source.below(6), block) {
        (0, _) => {
            let entry = graph.world.entry(Kind::Frame, ["main", "none", "wide"][source.below(3)]);
            graph.world.runtime.push_frame(entry).map_or(newest, Block::address)
        }
        (1, Some(block)) => {
            let at = newest.wrapping_sub(graph.world.frames_base) / 8;
            let previous = graph.world.frames.read(usize::try_from(at).unwrap_or(usize::MAX).saturating_add(3));
            if graph.world.runtime.pop_frame(block).is_ok() { previous } else { newest }
        }
        (2, Some(block)) => {
            let outcome = graph.world.runtime.store(block, source.below(16) as u64 * 8, 0);
            assert!(matches!(outcome, Ok(()) | Err(Refusal::NotABlock | Refusal::BadOffset)), "{outcome:?}");
            newest
        }
        _ => newest,
    }
}

/// Collects, and compares with the oracle.
fn check(graph: &mut Graph<'_, '_>, newest: u64) {
    let expected = oracle::mark(graph, newest);
    let words = |graph: &Graph<'_, '_>| -> Vec<u64> {
        let objects = graph.places.values().map(|place| (graph.world.heap_word(place.block), place.extent));
        objects
            .flat_map(|(at, extent)| (at..at + 4 + extent as usize / 8).map(|at| graph.world.heap.read(at)))
            .collect()
    };
    let before = words(graph);
    let runtime = &mut graph.world.runtime;
    match (runtime.collect(Origin::Program, 0), expected) {
        (Ok(report), Ok(live)) => {
            let dead: Vec<_> =
                graph.places.values().filter(|place| !live.contains_key(&place.block.address())).collect();
            assert_eq!((report.live, report.dead), (live.len() as u64, dead.len() as u64));
            assert_eq!(report.live_bytes, live.values().sum::<u64>());
            assert_eq!(report.dead_bytes, dead.iter().map(|place| slot_bytes(place.extent)).sum::<u64>());
            for place in graph.places.values() {
                let is_live = live.contains_key(&place.block.address());
                assert_eq!(graph.world.runtime.prefix(place.block).is_ok(), is_live, "{place:?}");
            }
        }
        (Err(Failure::Fault(record)), Err(Damaged)) => {
            assert_eq!(runtime.fault(), Some(&record));
            assert_eq!(runtime.collect(Origin::Host, 0), Err(Failure::Refused(Refusal::Sealed)));
            let (pair, main) = (graph.world.entry(Kind::Heap, "Bytes"), graph.world.entry(Kind::Frame, "main"));
            assert_eq!(graph.world.runtime.allocate_extent(pair, 8), Err(Refusal::Sealed));
            assert_eq!(graph.world.runtime.push_frame(main), Err(Refusal::Sealed));
            assert_eq!(words(graph), before, "nothing is touched after a fault");
            let is_known = |address| graph.places.values().any(|place| place.block.address() == address);
            assert!(record.referrer == 0 || is_known(record.referrer), "{record:?} names an object");
        }
        (outcome, expected) => panic!("{outcome:?} instead of {expected:?}"),
    }
}
