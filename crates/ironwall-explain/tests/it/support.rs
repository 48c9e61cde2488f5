//! Runtimes over leaked memory with two units.

use ironwall::{Block, Config, EntryId, Kind, Region, Runtime, TableLimits};
use ironwall_explain::{Names, Snapshot};
use ironwall_format::{Structure, Table};

pub(crate) fn leak(words: usize) -> &'static mut [u64] {
    // Two spare words, so that the start can be aligned to 16 bytes.
    let words = Box::leak(vec![0u64; words + 2].into_boxed_slice());
    let skip = usize::from(!words.as_ptr().addr().is_multiple_of(16));
    let len = words.len() - 2;
    &mut words[skip..skip + len]
}

pub(crate) fn empty_runtime(heap_len: usize) -> Runtime<'static> {
    let config = Config {
        tables: TableLimits { tables: 8, entries: 64, offsets: 256, globals: 8 },
        handles: 8,
        frames: Region::from_words(leak(512)),
        wipes: true,
        heap_is_zeroed: true,
        pages: None,
        on_fault: None,
    };
    let bookkeeping = leak(Runtime::bookkeeping_words(heap_len, &config).expect("a length"));
    Runtime::new(Region::from_words(leak(heap_len / 8)), bookkeeping, config).expect("a runtime")
}

/// A unit with a pair, an array, a pair that may hold odd words, a frame of three slots and two globals.
pub(crate) fn table(unit: &str) -> Table {
    let pair = Structure::of_slots(Kind::Heap, "Pair", 2).with_field(0, "car").with_field(8, "cdr");
    Table::new("app", unit)
        .with(pair)
        .with(Structure::new(Kind::Heap, "Array", 8, &[]).with_references())
        .with(Structure::of_slots(Kind::Heap, "Value", 2).with_odd_words())
        .with(Structure::of_slots(Kind::Frame, "main", 3).with_field(8, "list"))
        .with(globals())
}

pub(crate) fn globals() -> Structure {
    Structure::of_slots(Kind::Global, "globals", 2).with_field(0, "cache")
}

pub(crate) struct World {
    pub(crate) runtime: Runtime<'static>,
    pub(crate) tables: Vec<Table>,
}

impl World {
    /// A runtime with units, attached in this order, each with a global block.
    pub(crate) fn new(heap_len: usize, units: &[&str]) -> Self {
        let mut runtime = empty_runtime(heap_len);
        let tables: Vec<Table> = units.iter().map(|unit| table(unit)).collect();
        for table in &tables {
            let block = leak(6);
            block[..4].copy_from_slice(&table.prefix(&globals()));
            let image = table.image().expect("an image").leak();
            runtime.attach(image, [Region::from_words(block)]).expect("attached");
        }
        runtime.link().expect("linked");
        while let Some(unit) = runtime.next_unit() {
            runtime.start_unit(unit).expect("started");
        }
        Self { runtime, tables }
    }

    pub(crate) fn entry(&self, unit: usize, kind: Kind, name: &str) -> EntryId {
        let table = &self.tables[unit];
        self.runtime.entry(table.id(), table.structure_id(kind, name)).expect("an entry")
    }

    pub(crate) fn pair(&mut self, unit: usize) -> Block {
        let entry = self.entry(unit, Kind::Heap, "Pair");
        self.runtime.allocate(entry).expect("a pair")
    }

    pub(crate) fn frame(&mut self, unit: usize) -> Block {
        let entry = self.entry(unit, Kind::Frame, "main");
        self.runtime.push_frame(entry).expect("a frame")
    }

    /// The global block of a unit.
    pub(crate) fn global(&self, unit: usize) -> Block {
        let id = self.tables[unit].id();
        self.runtime.globals().find(|&block| self.runtime.identity(block).expect("a block").0 == id).expect("a global")
    }

    pub(crate) fn set(&mut self, block: Block, offset: u64, to: Block) {
        self.runtime.store(block, offset, to.address()).expect("a slot");
    }

    pub(crate) fn names(&self) -> Names {
        Names::of(&self.tables)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot::take(&self.runtime, &self.names()).expect("a sound heap")
    }
}

/// Numbers that look random.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// A heap of two units with random references, frames, globals and handles.
pub(crate) fn random_world(seed: u64) -> World {
    let mut random = Random(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut world = World::new(256 << 10, &["one", "two"]);
    let mut blocks = Vec::new();
    for _ in 0..random.below(24) {
        let unit = random.below(2);
        blocks.push(match random.below(4) {
            0 => {
                let (array, extent) = (world.entry(unit, Kind::Heap, "Array"), 8 + 8 * random.below(5) as u64);
                world.runtime.allocate_extent(array, extent).expect("an array")
            }
            1 => {
                let value = world.entry(unit, Kind::Heap, "Value");
                world.runtime.allocate(value).expect("a value")
            }
            _ => world.pair(unit),
        });
    }
    let frames = (0..random.below(3)).map(|i| world.frame(i % 2)).collect::<Vec<_>>();
    let holders: Vec<Block> = blocks.iter().copied().chain(frames).chain([world.global(0), world.global(1)]).collect();
    for &holder in &holders {
        let slots: Vec<u64> = world.runtime.references(holder).expect("a block").map(|(offset, _)| offset).collect();
        let is_value = world.entry(0, Kind::Heap, "Value") == world.runtime.describe(holder).expect("a block").0;
        for offset in slots {
            match random.below(8) {
                0 => world.set(holder, offset, world.global(random.0 as usize % 2)),
                1 if is_value => world.runtime.store(holder, offset, 12345).expect("a slot"),
                2..6 if !blocks.is_empty() => world.set(holder, offset, blocks[random.below(blocks.len())]),
                _ => {}
            }
        }
    }
    for _ in 0..random.below(3) {
        if !blocks.is_empty() {
            world.runtime.handle(blocks[random.below(blocks.len())]).expect("a handle");
        }
    }
    if random.below(2) == 0 {
        // Half of them have been collected, so that they have holes.
        world.runtime.collect(ironwall::Origin::Program, 0).expect("a collection");
    }
    world
}
