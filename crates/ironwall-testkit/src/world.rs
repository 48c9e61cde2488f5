//! A runtime over memory that is used again for the next input.

use crate::raw::Raw;
use ironwall::tag::Tags;
use ironwall::{Block, Config, EntryId, Kind, Origin, Region, Runtime, TableLimits};
use ironwall_format::{Structure, Table};
use std::cell::RefCell;
use std::sync::LazyLock;

/// The bytes of the heap: eight blocks.
pub(crate) const HEAP: usize = 512 << 10;
/// The bytes of the shadow stack.
pub(crate) const FRAMES: usize = 8 << 10;
/// How many handles there can be.
pub(crate) const HANDLES: usize = 8;

/// The unit that the targets use.
pub(crate) static UNIT: LazyLock<Unit> = LazyLock::new(Unit::new);

/// A table and what it says.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) table: Table,
    image: Vec<u8>,
    /// The layouts, as the oracle of the targets knows them, by tags.
    pub(crate) layouts: Vec<Layout>,
    global_prefix: [u64; 4],
}

/// What the oracle knows of a structure.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) tags: [u64; 3],
    pub(crate) fixed: u64,
    /// The words of the fixed part that are references.
    pub(crate) slots: Vec<usize>,
    /// Whether a tail of references follows, or one of plain bytes.
    pub(crate) has_references: bool,
    pub(crate) has_bytes: bool,
    pub(crate) has_odd_words: bool,
}

impl Layout {
    /// Whether the extent is one of this layout, as far as the layout goes.
    pub(crate) fn allows(&self, extent: u64) -> bool {
        let tail = extent.wrapping_sub(self.fixed);
        extent >= self.fixed
            && extent <= 1 << 31
            && (tail == 0 || self.has_bytes || self.has_references && tail.is_multiple_of(8))
    }

    /// The words of a payload of `extent` bytes that are references.
    pub(crate) fn references(&self, extent: u64) -> impl Iterator<Item = usize> {
        let fixed = self.fixed as usize / 8;
        let end = if self.has_references { extent as usize / 8 } else { fixed };
        self.slots.iter().copied().chain(fixed..end)
    }
}

impl Unit {
    fn new() -> Self {
        let wide: Vec<u32> = (0..80).step_by(3).map(|word| word * 8).collect();
        let structures = [
            ("Pair", Structure::of_slots(Kind::Heap, "Pair", 2)),
            ("Bytes", Structure::new(Kind::Heap, "Bytes", 8, &[]).with_bytes(1)),
            ("Array", Structure::new(Kind::Heap, "Array", 8, &[]).with_references()),
            ("Mixed", Structure::new(Kind::Heap, "Mixed", 32, &[8, 24]).with_odd_words()),
            ("Wide", Structure::new(Kind::Heap, "Wide", 640, &wide)),
            ("none", Structure::of_slots(Kind::Frame, "none", 0)),
            ("main", Structure::of_slots(Kind::Frame, "main", 4)),
            ("wide", Structure::new(Kind::Frame, "wide", 640, &wide)),
            ("globals", Structure::of_slots(Kind::Global, "globals", 2)),
        ];
        let table = structures.iter().fold(Table::new("fuzz", "unit"), |table, (_, new)| table.with(new.clone()));
        let layout = |name, kind, fixed, slots: Vec<usize>| {
            let Tags { tag1, tag2, tag3 } = Tags::new(table.id(), table.structure_id(kind, name));
            let tags = [tag1, tag2, tag3];
            Layout { name, kind, tags, fixed, slots, has_references: false, has_bytes: false, has_odd_words: false }
        };
        let wide: Vec<usize> = (0..80).step_by(3).collect();
        let layouts = vec![
            layout("Pair", Kind::Heap, 16, vec![0, 1]),
            Layout { has_bytes: true, ..layout("Bytes", Kind::Heap, 8, vec![]) },
            Layout { has_references: true, ..layout("Array", Kind::Heap, 8, vec![]) },
            Layout { has_odd_words: true, ..layout("Mixed", Kind::Heap, 32, vec![1, 3]) },
            layout("Wide", Kind::Heap, 640, wide.clone()),
            layout("none", Kind::Frame, 0, vec![]),
            layout("main", Kind::Frame, 32, vec![0, 1, 2, 3]),
            layout("wide", Kind::Frame, 640, wide),
            layout("globals", Kind::Global, 16, vec![0, 1]),
        ];
        let image = table.image().expect("short names");
        let global_prefix = table.prefix(&structures[8].1);
        Self { table, image, layouts, global_prefix }
    }

    /// The layout that tags name.
    pub(crate) fn layout(&self, tags: [u64; 3]) -> Option<&Layout> {
        self.layouts.iter().find(|layout| layout.tags == tags)
    }

    /// The layout with a name.
    pub(crate) fn named(&self, name: &str) -> &Layout {
        self.layouts.iter().find(|layout| layout.name == name).expect("one of the names above")
    }
}

/// A runtime with [`UNIT`], and the raw words of its memory.
#[derive(Debug)]
pub(crate) struct World<'m> {
    pub(crate) runtime: Runtime<'m>,
    pub(crate) heap: Raw,
    pub(crate) frames: Raw,
    pub(crate) globals: Raw,
    pub(crate) heap_base: u64,
    pub(crate) frames_base: u64,
    pub(crate) global: Block,
}

impl World<'_> {
    /// The number of an entry.
    pub(crate) fn entry(&self, kind: Kind, name: &str) -> EntryId {
        self.runtime.entry(UNIT.table.id(), UNIT.table.structure_id(kind, name)).expect("one of the unit")
    }

    /// The index of a heap object's first word.
    pub(crate) fn heap_word(&self, block: Block) -> usize {
        (block.address() - self.heap_base) as usize / 8
    }

    /// The index of a frame's first word.
    pub(crate) fn frame_word(&self, block: Block) -> usize {
        (block.address() - self.frames_base) as usize / 8
    }
}

thread_local! {
    static MEMORY: RefCell<Vec<Vec<u64>>> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` with a new world. `options` chooses: bit 0 wiping, bit 1 a heap that was zeroed.
///
/// # Panics
/// If it is used in itself, as the memory is that of the thread.
pub(crate) fn with_world<T>(options: u8, work: impl FnOnce(&mut World<'_>) -> T) -> T {
    MEMORY.with_borrow_mut(|memory| {
        memory.resize_with(4, Vec::new);
        let [heap, frames, global, bookkeeping] = &mut memory[..] else { unreachable!("four of them") };
        let (wipes, heap_is_zeroed) = (options & 1 != 0, options & 2 != 0);
        let heap = words(heap, HEAP / 8);
        if heap_is_zeroed {
            heap.fill(0);
        }
        let global = words(global, 6);
        global[..4].copy_from_slice(&UNIT.global_prefix);
        global[4..].fill(0);
        let (heap, global) = (Region::from_words(heap), Region::from_words(global));
        let frames = Region::from_words(words(frames, FRAMES / 8));
        let (raw_heap, raw_frames, globals) = (Raw::of(&heap), Raw::of(&frames), Raw::of(&global));
        let (heap_base, frames_base) = (heap.address(0), frames.address(0));
        let config = Config {
            tables: TableLimits { tables: 1, entries: 16, offsets: 128, globals: 1 },
            handles: HANDLES,
            frames,
            wipes,
            heap_is_zeroed,
            pages: None,
            on_fault: None,
        };
        let count = Runtime::bookkeeping_words(HEAP, &config).expect("a length");
        let bookkeeping = words(bookkeeping, count);
        let mut runtime = Runtime::new(heap, bookkeeping, config).expect("a runtime");
        let unit = runtime.attach(&UNIT.image, [global]).expect("attached");
        runtime.link().expect("linked");
        runtime.start_unit(unit).expect("started");
        let global = runtime.globals().next().expect("one");
        let mut world = World { runtime, heap: raw_heap, frames: raw_frames, globals, heap_base, frames_base, global };
        work(&mut world)
    })
}

/// The first `count` words from a multiple of 16.
fn words(memory: &mut Vec<u64>, count: usize) -> &mut [u64] {
    memory.resize(count + 1, 0xdead_dead_dead_dead);
    let skip = usize::from(!memory.as_ptr().addr().is_multiple_of(16));
    &mut memory[skip..skip + count]
}

/// The extents that targets allocate with.
pub(crate) const EXTENTS: [u64; 16] =
    [8, 16, 17, 24, 32, 48, 104, 480, 488, 640, 1000, 5000, 16_352, 16_360, 60_000, 100_000];

/// The bytes of the slots of [`EXTENTS`], as the collector counts them when it reclaims an object. It is taken from
/// there once, so that nothing here repeats how sizes become classes.
static SLOTS: LazyLock<[u64; EXTENTS.len()]> = LazyLock::new(|| {
    // In a thread of its own, as this one is in a world already.
    let sizes = || with_world(1, |world| EXTENTS.map(|extent| dead_bytes(world, extent)));
    std::thread::spawn(sizes).join().expect("no damage")
});

fn dead_bytes(world: &mut World<'_>, extent: u64) -> u64 {
    let entry = world.entry(Kind::Heap, "Bytes");
    world.runtime.allocate_extent(entry, extent).expect("room for one");
    world.runtime.collect(Origin::Program, 0).expect("nothing is damaged").dead_bytes
}

/// The bytes of the slot that an object with one of [`EXTENTS`] gets.
pub(crate) fn slot_bytes(extent: u64) -> u64 {
    let place = EXTENTS.iter().position(|&known| known == extent).expect("one of the extents");
    SLOTS[place]
}
