//! Runtimes over leaked memory, and the tables that most tests use.

use ironwall::{Block, Config, EntryId, Kind, Origin, Region, Report, Runtime, TableLimits, UnitId};
use ironwall_format::{Structure, Table};

pub(crate) const KIB: usize = 1024;

pub(crate) fn leak(words: usize) -> &'static mut [u64] {
    // Two spare words, so that the start can be aligned to 16 bytes.
    let words = Box::leak(vec![0u64; words + 2].into_boxed_slice());
    let skip = usize::from(!words.as_ptr().addr().is_multiple_of(16));
    let len = words.len() - 2;
    &mut words[skip..skip + len]
}

/// The same memory once more, to damage it.
pub(crate) fn twin(region: &Region<'static>) -> Region<'static> {
    // SAFETY: tests use it between calls of the one runtime that has the region, on its thread.
    unsafe { Region::from_raw(region.pointer(0), region.byte_len()) }
}

pub(crate) fn config() -> Config<'static> {
    Config {
        tables: TableLimits { tables: 16, entries: 64, offsets: 512, globals: 16 },
        handles: 8,
        frames: Region::from_words(leak(512)),
        wipes: true,
        heap_is_zeroed: true,
        pages: None,
        on_fault: None,
    }
}

pub(crate) fn empty_runtime(heap_len: usize, config: Config<'static>) -> Runtime<'static> {
    let bookkeeping = leak(Runtime::bookkeeping_words(heap_len, &config).expect("a length"));
    Runtime::new(Region::from_words(leak(heap_len / 8)), bookkeeping, config).expect("a runtime")
}

pub(crate) fn image(table: &Table) -> &'static [u8] {
    table.image().expect("an image").leak()
}

/// Attaches, links and starts units that import nothing.
pub(crate) fn start(runtime: &mut Runtime<'static>, tables: &[&Table]) -> Vec<UnitId> {
    let units = tables.iter().map(|table| runtime.attach(image(table), []).expect("attached")).collect();
    start_all(runtime);
    units
}

pub(crate) fn start_all(runtime: &mut Runtime<'static>) {
    runtime.link().expect("linked");
    while let Some(unit) = runtime.next_unit() {
        runtime.start_unit(unit).expect("started");
    }
}

/// A unit with a pair of references, a frame of four, plain bytes, an array of references and a global of two.
pub(crate) fn common() -> Table {
    Table::new("test", "common")
        .with(Structure::of_slots(Kind::Heap, "Pair", 2))
        .with(Structure::of_slots(Kind::Frame, "main", 4))
        .with(Structure::new(Kind::Heap, "Bytes", 8, &[]).with_bytes(1))
        .with(Structure::new(Kind::Heap, "Array", 8, &[]).with_references())
        .with(globals())
}

/// The image of the common unit, made once: under Miri that takes seconds.
fn common_image() -> &'static [u8] {
    static IMAGE: std::sync::OnceLock<&'static [u8]> = std::sync::OnceLock::new();
    IMAGE.get_or_init(|| image(&common()))
}

pub(crate) fn globals() -> Structure {
    Structure::of_slots(Kind::Global, "globals", 2)
}

/// A runtime with the common unit.
pub(crate) struct World {
    pub(crate) runtime: Runtime<'static>,
    pub(crate) table: Table,
    pub(crate) heap: Region<'static>,
    pair: EntryId,
}

impl World {
    pub(crate) fn new(heap_len: usize) -> Self {
        Self::with(heap_len, config())
    }

    pub(crate) fn with(heap_len: usize, config: Config<'static>) -> Self {
        let table = common();
        let bookkeeping = leak(Runtime::bookkeeping_words(heap_len, &config).expect("a length"));
        let region = Region::from_words(leak(heap_len / 8));
        let heap = twin(&region);
        let mut runtime = Runtime::new(region, bookkeeping, config).expect("a runtime");
        runtime.attach(common_image(), []).expect("attached");
        start_all(&mut runtime);
        let pair = runtime.entry(table.id(), table.structure_id(Kind::Heap, "Pair")).expect("an entry");
        Self { runtime, table, heap, pair }
    }

    pub(crate) fn entry(&self, kind: Kind, name: &str) -> EntryId {
        self.runtime.entry(self.table.id(), self.table.structure_id(kind, name)).expect("an entry")
    }

    pub(crate) fn pair(&mut self) -> Block {
        self.runtime.allocate(self.pair).expect("a pair")
    }

    pub(crate) fn frame(&mut self) -> Block {
        self.runtime.push_frame(self.entry(Kind::Frame, "main")).expect("a frame")
    }

    pub(crate) fn set(&mut self, block: Block, slot: u64, to: Block) {
        self.runtime.store(block, slot * 8, to.address()).expect("a slot");
    }

    pub(crate) fn collect(&mut self) -> Report {
        self.runtime.collect(Origin::Program, 0).expect("a collection")
    }

    /// Overwrites a word of the heap, as an overflow would.
    pub(crate) fn smash(&self, block: Block, word: usize, change: impl FnOnce(u64) -> u64) {
        let offset = self.heap.offset(block.address()).expect("an object");
        let pointer = self.heap.pointer(offset + word * 8).cast::<u64>();
        // SAFETY: the word is in the heap's region, which nothing else uses at the moment.
        unsafe { pointer.write(change(pointer.read())) }
    }
}
