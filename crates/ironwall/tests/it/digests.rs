//! The digests of fixed graphs: the same on every machine, whatever its addresses, pages and word order are.
//!
//! `cargo xtask ironwall machines` runs this on several machines and compares the lines that it prints.

use crate::support::{KIB, World, config, image, leak, start_all};
use ironwall::{Block, Config, Kind, Origin, Region, Report};
use ironwall_format::{Structure, Table};

/// A graph that is built in a world, and the digest of what lives of it.
type Case = (&'static str, fn() -> Report, &'static str);

const CASES: &[Case] = &[
    ("nothing", nothing, "ff8c135bc83dd1237dd0a6b13868764c3c0813cb205b2b0f40dab9851c18834c"),
    ("list", list, "5506980f610deed6433029c12adabcd43a56966e1441e3851aff2605ff551a83"),
    ("tree", tree, "35003f910978321621e912e3b9ad5cefeeb740445ba395e6702fb3b1250a1743"),
    ("ring", ring, "d90724c8a55635598b1746ee3c6011240c5d33043abab8f0d7968f530f8d8ff7"),
    ("arrays", arrays, "fd1d83f82b8eb1aed7ff50dea6c3d36d486b8dc354dce4e1ba837ffcbb3fb143"),
    ("shuffled", shuffled, "2c66e11d4c38ca29590cbbcd5fe1a60d0c780b68fb1bd3e8739e10dc92293ce4"),
    ("handles", handles, "7dcddf8040ded0e6eadfe5103420b3ef4e9e85e8acb06ad6956af9385b695a71"),
    ("three units", three_units, "639bac2b16e20201ab6198612f480e64561eb9e3bd835f5d4b966e4c07c21d3f"),
    ("second collection without wiping", again, "b9d19c0772815e2dc608660bdecd38f89534f0e1f43aec0669f351cdc2063e18"),
];

#[test]
#[cfg_attr(miri, ignore = "takes minutes, and smaller graphs are in other tests")]
fn r5_c_r7_3_c_live_set_digests_are_known() {
    let mut wrong = Vec::new();
    for &(name, build, expected) in CASES {
        let report = build();
        let digest: String = report.digest.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("digest {digest} {name}: {} live, {} dead", report.live, report.dead);
        if digest != expected {
            wrong.push((name, digest));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A sequence that is the same everywhere.
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        ((self.0 >> 33) % bound as u64) as usize
    }
}

fn nothing() -> Report {
    World::new(128 * KIB).collect()
}

fn list() -> Report {
    let mut world = World::new(1024 * KIB);
    let frame = world.frame();
    for _ in 0..1000 {
        let (cell, _dead) = (world.pair(), world.pair());
        let head = world.runtime.load(frame, 0).expect("a slot");
        world.runtime.store(cell, 8, head).expect("a slot");
        world.set(frame, 0, cell);
    }
    world.collect()
}

fn tree() -> Report {
    fn grow(world: &mut World, depth: usize) -> Block {
        let node = world.pair();
        for slot in 0..2 {
            if depth > 0 {
                let child = grow(world, depth - 1);
                world.set(node, slot, child);
            }
        }
        node
    }
    let mut world = World::new(1024 * KIB);
    let frame = world.frame();
    let (kept, _dead) = (grow(&mut world, 8), grow(&mut world, 6));
    world.set(frame, 1, kept);
    world.collect()
}

fn ring() -> Report {
    let mut world = World::new(256 * KIB);
    let frame = world.frame();
    for is_kept in [true, false] {
        let nodes: Vec<Block> = (0..100).map(|_| world.pair()).collect();
        for i in 0..nodes.len() {
            world.set(nodes[i], 0, nodes[(i + 1) % nodes.len()]);
            world.set(nodes[i], 1, nodes[i]);
        }
        if is_kept {
            world.set(frame, 3, nodes[50]);
        }
    }
    world.collect()
}

fn arrays() -> Report {
    let mut world = World::new(4096 * KIB);
    let (frame, array) = (world.frame(), world.entry(Kind::Heap, "Array"));
    for slots in [0, 1, 7, 100, 1500, 9000, 20_000] {
        for is_kept in [true, false] {
            let block = world.runtime.allocate_extent(array, 8 + 8 * slots).expect("an array");
            for i in (0..slots).step_by(37) {
                let pair = world.pair();
                world.set(block, 1 + i, pair);
            }
            let head = world.runtime.load(frame, 0).expect("a slot");
            if is_kept {
                let cell = world.pair();
                world.runtime.store(cell, 0, head).expect("a slot");
                world.set(cell, 1, block);
                world.set(frame, 0, cell);
            }
        }
    }
    world.collect()
}

fn shuffled() -> Report {
    let mut world = World::new(8192 * KIB);
    let (frame, bytes) = (world.frame(), world.entry(Kind::Heap, "Bytes"));
    let mut random = Sequence(1);
    let mut blocks: Vec<Block> = (0..2000).map(|_| world.pair()).collect();
    for _ in 0..500 {
        blocks.push(world.runtime.allocate_extent(bytes, 8 + random.below(600) as u64).expect("bytes"));
    }
    for _ in 0..6000 {
        let (from, slot, to) = (random.below(2000), random.below(2) as u64, random.below(blocks.len()));
        world.set(blocks[from], slot, blocks[to]);
    }
    for slot in 0..4 {
        world.set(frame, slot, blocks[random.below(2000)]);
    }
    world.collect()
}

fn handles() -> Report {
    let mut world = World::new(256 * KIB);
    let held: Vec<_> = (0..6)
        .map(|_| {
            let (outer, inner) = (world.pair(), world.pair());
            world.set(outer, 1, inner);
            world.runtime.handle(outer).expect("a handle")
        })
        .collect();
    for &handle in &held[..2] {
        world.runtime.release(handle).expect("held");
    }
    world.collect()
}

/// Units whose globals refer to each other's objects.
fn three_units() -> Report {
    let tables: Vec<Table> = (0..3u32)
        .map(|i| {
            Table::new("digests", &format!("unit{i}"))
                .with(Structure::of_slots(Kind::Heap, "X", i + 1))
                .with(Structure::of_slots(Kind::Global, "globals", 2))
        })
        .collect();
    let mut runtime = crate::support::empty_runtime(256 * KIB, config());
    for table in &tables {
        let words = leak(6);
        words[..4].copy_from_slice(&table.prefix(&Structure::of_slots(Kind::Global, "globals", 2)));
        runtime.attach(image(table), [Region::from_words(words)]).expect("attached");
    }
    start_all(&mut runtime);
    let globals: Vec<Block> = runtime.globals().collect();
    for (i, table) in tables.iter().enumerate() {
        let entry = runtime.entry(table.id(), table.structure_id(Kind::Heap, "X")).expect("an entry");
        for _ in 0..10 * (i + 1) {
            let object = runtime.allocate(entry).expect("an object");
            let global = globals[(i + 1) % 3];
            let head = runtime.load(global, 0).expect("a slot");
            runtime.store(object, 0, head).expect("a slot");
            runtime.store(global, 0, object.address()).expect("a slot");
            runtime.allocate(entry).expect("garbage");
        }
    }
    runtime.collect(Origin::Program, 0).expect("a collection")
}

fn again() -> Report {
    let config = Config { wipes: false, heap_is_zeroed: false, ..config() };
    let mut world = World::with(512 * KIB, config);
    let frame = world.frame();
    for round in 0..2 {
        for i in 0..3000 {
            let pair = world.pair();
            if i % (3 + round) == 0 {
                let head = world.runtime.load(frame, round * 8).expect("a slot");
                world.runtime.store(pair, 0, head).expect("a slot");
                world.set(frame, round, pair);
            }
        }
        if round == 0 {
            world.collect();
            world.runtime.store(frame, 0, 0).expect("a slot");
        }
    }
    world.collect()
}
