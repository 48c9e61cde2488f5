//! Random heaps against brute force.

use crate::support::{World, random_world};
use ironwall::Block;
use ironwall_explain::snapshot::RootId;
use ironwall_explain::{ObjectId, Snapshot, check, check_snapshot};
use std::collections::{BTreeMap, BTreeSet};

const SEEDS: u64 = 300;

/// The addresses in slots of a block, by the runtime alone.
fn targets(world: &World, block: Block) -> Vec<u64> {
    let words = world.runtime.references(block).expect("a block").map(|(_, word)| word);
    words.filter(|word| world.runtime.heap_range().contains(word)).collect()
}

/// How far each object is from the roots, if some blocks are left out.
fn distances(world: &World, without: &dyn Fn(Block) -> bool) -> BTreeMap<u64, usize> {
    let blocks = world.runtime.frames().chain(world.runtime.globals()).filter(|&block| !without(block));
    let mut now: Vec<u64> = blocks.flat_map(|block| targets(world, block)).collect();
    now.extend(world.runtime.handles().map(|(_, block)| block.address()));
    let (mut found, mut distance) = (BTreeMap::new(), 1);
    while !now.is_empty() {
        let mut next = Vec::new();
        for address in now {
            let block = Block::from_word(address).expect("an address");
            if !without(block) && !found.contains_key(&address) {
                found.insert(address, distance);
                next.extend(targets(world, block));
            }
        }
        (now, distance) = (next, distance + 1);
    }
    found
}

fn size(world: &World, found: impl Iterator<Item = u64>) -> u64 {
    found.map(|word| 32 + world.runtime.describe(Block::from_word(word).expect("an address")).expect("a block").1).sum()
}

#[test]
fn r6_e_each_live_object_has_a_shortest_path_that_the_checkers_replay() {
    let mut paths = 0;
    for seed in 0..SEEDS {
        let world = random_world(seed);
        let snapshot = world.snapshot();
        let distances = distances(&world, &|_| false);
        for id in (0..snapshot.objects().len() as u32).map(ObjectId) {
            let address = snapshot.object(id).and_then(|object| object.address).expect("an address");
            let path = snapshot.why(id);
            assert_eq!(path.as_ref().map(|path| path.steps.len()), distances.get(&address).copied(), "seed {seed}");
            let Some(path) = path else { continue };
            assert_eq!(path.steps.last().map(|step| step.object), Some(id));
            assert_eq!(check(&world.runtime, &path), Ok(()), "seed {seed} {path}");
            assert_eq!(check_snapshot(&snapshot, &path), Ok(()), "seed {seed} {path}");
            let again = ironwall_explain::RootPath::from_json(path.to_json().as_bytes());
            assert_eq!(again.as_ref(), Ok(&path));
            paths += 1;
        }
    }
    assert!(paths > 1000, "{paths}");
}

#[test]
fn a_snapshot_has_what_the_runtime_has_and_survives_json() {
    for seed in 0..SEEDS {
        let world = random_world(seed);
        let snapshot = world.snapshot();
        let addresses: BTreeSet<u64> = snapshot.objects().iter().filter_map(|object| object.address).collect();
        assert_eq!(addresses, world.runtime.objects().map(Block::address).collect());
        assert_eq!(snapshot.reachable().len(), distances(&world, &|_| false).len());
        for (i, object) in snapshot.objects().iter().enumerate() {
            let block = Block::from_word(object.address.expect("an address")).expect("an address");
            let of_objects = snapshot
                .children(ObjectId(i as u32))
                .map(|(_, child)| snapshot.object(child).and_then(|child| child.address).expect("an address"));
            assert_eq!(of_objects.collect::<Vec<_>>(), targets(&world, block));
        }
        let again = Snapshot::from_json(snapshot.to_json().as_bytes()).expect("what was written");
        assert_eq!(again, snapshot);
        let bare = snapshot.without_addresses();
        assert_eq!(Snapshot::from_json(bare.to_json().as_bytes()), Ok(bare));
    }
}

#[test]
fn retained_sizes_are_what_removal_shows() {
    for seed in 0..SEEDS {
        let world = random_world(seed);
        let (snapshot, all) = (world.snapshot(), distances(&world, &|_| false));
        let retained = snapshot.retained();
        let total = size(&world, all.keys().copied());
        assert_eq!((retained.live.objects, retained.live.bytes), (all.len() as u64, total));
        assert_eq!(retained.dead.objects + retained.live.objects, snapshot.objects().len() as u64);
        let lost = |without: &dyn Fn(Block) -> bool| total - size(&world, distances(&world, without).into_keys());
        for (object, &bytes) in snapshot.objects().iter().zip(&retained.objects) {
            assert_eq!(bytes, lost(&|block| Some(block.address()) == object.address), "seed {seed}");
        }
        for (root, bytes) in &retained.roots {
            let block = match root {
                RootId::Frame(i) => &snapshot.frames()[*i as usize],
                RootId::Global(i) => &snapshot.globals()[*i as usize],
                RootId::Handle(_) => continue,
            };
            assert_eq!(*bytes, lost(&|other| Some(other.address()) == block.address), "seed {seed}");
        }
        for (unit, share) in snapshot.units().iter().zip(&retained.units) {
            let of_unit = |block| world.runtime.identity(block).expect("a block").0 == unit.table;
            assert_eq!((share.retained, share.is_exact), (lost(&of_unit), true), "seed {seed} {}", unit.name);
        }
        for (structure, share) in snapshot.structures().iter().zip(&retained.structures) {
            let of_structure = |block| world.runtime.identity(block).expect("a block").1 == structure.id;
            assert_eq!((share.retained, share.is_exact), (lost(&of_structure), true), "seed {seed} {}", structure.name);
        }
    }
}
