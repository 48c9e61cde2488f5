//! A program with a graph: three pairs that live, two that do not.

use std::sync::atomic::{AtomicU32, Ordering};

use ironwall::{Block, Config, Kind, Region, Runtime, TableLimits};
use ironwall_format::{Structure, Table};

fn leak(words: usize) -> &'static mut [u64] {
    // Two spare words, so that the start can be aligned to 16 bytes.
    let words = Box::leak(vec![0u64; words + 2].into_boxed_slice());
    let skip = usize::from(!words.as_ptr().addr().is_multiple_of(16));
    let len = words.len() - 2;
    &mut words[skip..skip + len]
}

pub(crate) struct Program {
    pub(crate) runtime: Runtime<'static>,
    pub(crate) table: Table,
    pub(crate) frame: Block,
    pub(crate) root: Block,
    pub(crate) dead: Block,
}

impl Program {
    pub(crate) fn new() -> Self {
        let config = Config {
            tables: TableLimits { tables: 2, entries: 8, offsets: 32, globals: 2 },
            handles: 4,
            frames: Region::from_words(leak(128)),
            wipes: true,
            heap_is_zeroed: true,
            pages: None,
            on_fault: None,
        };
        const HEAP: usize = 256 << 10;
        let bookkeeping = leak(Runtime::bookkeeping_words(HEAP, &config).expect("a length"));
        let mut runtime = Runtime::new(Region::from_words(leak(HEAP / 8)), bookkeeping, config).expect("a runtime");
        let table = Table::new("test", "host")
            .with(Structure::of_slots(Kind::Heap, "Pair", 2).with_field(0, "car").with_field(8, "cdr"))
            .with(Structure::of_slots(Kind::Frame, "main", 1).with_field(0, "list"));
        runtime.attach(table.image().expect("an image").leak(), []).expect("attached");
        runtime.link().expect("linked");
        let unit = runtime.next_unit().expect("a unit");
        runtime.start_unit(unit).expect("started");

        let entry = |kind, name| runtime.entry(table.id(), table.structure_id(kind, name)).expect("an entry");
        let (pair, main) = (entry(Kind::Heap, "Pair"), entry(Kind::Frame, "main"));
        let frame = runtime.push_frame(main).expect("a frame");
        let mut pair = || runtime.allocate(pair).expect("a pair");
        let (root, left, right, dead, end) = (pair(), pair(), pair(), pair(), pair());
        runtime.store(frame, 0, root.address()).expect("a slot");
        runtime.store(root, 0, left.address()).expect("a slot");
        runtime.store(root, 8, right.address()).expect("a slot");
        runtime.store(dead, 0, end.address()).expect("a slot");
        Self { runtime, table, frame, root, dead }
    }

    /// A program with a graph of some hundred pairs more, which depends on a seed alone. Some of them are led to by the
    /// root, some by a handle, and some by nothing.
    pub(crate) fn with_graph(seed: u64) -> Self {
        let mut program = Self::new();
        let pair = program.table.structure_id(Kind::Heap, "Pair");
        let entry = program.runtime.entry(program.table.id(), pair).expect("an entry");
        // A linear congruential generator; its upper bits are good enough to choose with.
        let mut state = seed;
        let mut choose = move |count: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).expect("31 bits") % count
        };
        let pairs: Vec<Block> =
            (0..100 + choose(400)).map(|_| program.runtime.allocate(entry).expect("room")).collect();
        for &pair in &pairs {
            for slot in [0, 8] {
                if choose(3) != 0 {
                    let to = pairs[choose(pairs.len())];
                    program.runtime.store(pair, slot, to.address()).expect("a slot");
                }
            }
        }
        let right = Block::from_word(program.runtime.load(program.root, 8).expect("a word")).expect("a block");
        program.runtime.store(right, 8, pairs[choose(pairs.len())].address()).expect("a slot");
        program.runtime.handle(pairs[choose(pairs.len())]).expect("a handle");
        program
    }

    /// Makes the next collection find damage.
    pub(crate) fn damage(&mut self) {
        self.runtime.store(self.root, 0, 0x10).expect("a slot");
    }
}

/// A path for a socket in a directory of its own.
pub(crate) struct Place(pub(crate) std::path::PathBuf);

impl Place {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("ironwall-host-{}-{number}", std::process::id()));
        std::fs::create_dir(&dir).expect("a directory");
        Self(dir)
    }

    pub(crate) fn socket(&self) -> std::path::PathBuf {
        self.0.join("gc.sock")
    }

    /// The names in the directory.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).expect("a directory");
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Memory for another shadow stack.
pub(crate) fn stack_region() -> Region<'static> {
    Region::from_words(leak(128))
}
