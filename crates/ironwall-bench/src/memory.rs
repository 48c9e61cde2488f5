//! The memories that are compared: Ironwall, Boehm, malloc and free.

use anyhow::{Result, ensure};
use ironwall::{Config, EntryId, Kind, Origin, Region, Runtime, TableLimits};
use ironwall_format::{Structure, Table};
use std::ffi::{CStr, c_void};
use std::ptr::null_mut;

/// A node of two references, behind a prefix of [`Memory::PREFIX`] words.
pub(crate) type Node = *mut u64;

/// Where the programs get their nodes. Nodes are null or whole, and live as long as the contract of the memory says.
pub(crate) trait Memory {
    /// How many words stand before the references of a node.
    const PREFIX: usize;

    /// A node with empty references.
    fn node(&mut self) -> Node;

    /// Bytes without references.
    fn bytes(&mut self, len: usize) -> Node;

    /// Keeps a node in one of eight numbered roots, or empties the root.
    fn root(&mut self, number: usize, node: Node);

    /// Frees a whole tree, where that is done by hand.
    fn free_tree(&mut self, _tree: Node) {}

    /// Collects, where that can be done.
    fn collect(&mut self);

    /// A reference of a node.
    #[inline(always)]
    fn get(&self, node: Node, slot: usize) -> Node {
        // SAFETY: the programs use nodes that they hold, with slot 0 or 1.
        unsafe { node.add(Self::PREFIX + slot).read() as Node }
    }

    /// Writes a reference of a node.
    #[inline(always)]
    fn set(&mut self, node: Node, slot: usize, to: Node) {
        // SAFETY: the programs use nodes that they hold, with slot 0 or 1.
        unsafe { node.add(Self::PREFIX + slot).write(to as u64) }
    }
}

/// Ironwall over a mapping of 1 GiB.
pub(crate) struct Ironwall {
    runtime: Runtime<'static>,
    node: EntryId,
    bytes: EntryId,
    roots: Node,
}

impl Ironwall {
    pub(crate) fn new(wipes: bool) -> Result<Self> {
        let table = Table::new("bench", "nodes")
            .with(Structure::of_slots(Kind::Heap, "Node", 2))
            .with(Structure::new(Kind::Heap, "Bytes", 0, &[]).with_bytes(1))
            .with(Structure::of_slots(Kind::Frame, "main", 8));
        let heap_len = 1 << 30;
        let frames = map(4096)?;
        let config = Config {
            tables: TableLimits { tables: 4, entries: 16, offsets: 64, globals: 4 },
            handles: 4,
            // SAFETY: the mapping is only used through the runtime, and through the frame it returns.
            frames: unsafe { Region::from_raw(frames, 4096) },
            wipes,
            heap_is_zeroed: true,
            pages: None,
            on_fault: None,
        };
        let words = Runtime::bookkeeping_words(heap_len, &config).unwrap_or(0);
        // SAFETY: a fresh mapping of that many words, which nothing else uses.
        let bookkeeping = unsafe { std::slice::from_raw_parts_mut(map(words * 8)?.cast::<u64>(), words) };
        // SAFETY: a fresh mapping; the programs use nodes only between the calls of the runtime.
        let heap = unsafe { Region::from_raw(map(heap_len)?, heap_len) };
        let mut runtime = Runtime::new(heap, bookkeeping, config).map_err(refused)?;
        runtime.attach(table.image()?.leak(), []).map_err(refused)?;
        runtime.link().map_err(refused)?;
        while let Some(unit) = runtime.next_unit() {
            runtime.start_unit(unit).map_err(refused)?;
        }
        let entry = |kind, name| {
            let id = table.structure_id(kind, name);
            runtime.entry(table.id(), id).unwrap_or(EntryId::from_number(0))
        };
        let (node, bytes, main) = (entry(Kind::Heap, "Node"), entry(Kind::Heap, "Bytes"), entry(Kind::Frame, "main"));
        let roots = runtime.push_frame(main).map_err(refused)?.address() as Node;
        Ok(Self { runtime, node, bytes, roots })
    }
}

fn refused(refusal: ironwall::Refusal) -> anyhow::Error {
    anyhow::anyhow!("refused: {refusal:?}")
}

impl Memory for Ironwall {
    const PREFIX: usize = 4;

    #[inline(always)]
    fn node(&mut self) -> Node {
        match self.runtime.allocate(self.node) {
            Ok(block) => block.address() as Node,
            Err(refusal) => fail(refusal),
        }
    }

    fn bytes(&mut self, len: usize) -> Node {
        match self.runtime.allocate_extent(self.bytes, len as u64) {
            Ok(block) => block.address() as Node,
            Err(refusal) => fail(refusal),
        }
    }

    fn root(&mut self, number: usize, node: Node) {
        // SAFETY: the frame has eight slots behind its prefix.
        unsafe { self.roots.add(4 + number % 8).write(node as u64) }
    }

    fn collect(&mut self) {
        if let Err(failure) = self.runtime.collect(Origin::Program, 0) {
            fail(failure);
        }
    }
}

#[cold]
fn fail(why: impl std::fmt::Debug) -> ! {
    panic!("the runtime gave up: {why:?}")
}

/// Boehm, with a prefix of `PREFIX` words that is written like Ironwall's.
pub(crate) struct Boehm<const PREFIX: usize> {
    malloc: extern "C" fn(usize) -> *mut c_void,
    malloc_atomic: extern "C" fn(usize) -> *mut c_void,
    enable: extern "C" fn(),
    gcollect: extern "C" fn(),
    disable: extern "C" fn(),
    /// Uncollectable memory, scanned as a root.
    roots: Node,
}

impl<const PREFIX: usize> Boehm<PREFIX> {
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: loading libgc runs only its constructors.
        let library = unsafe { libc::dlopen(c"libgc.so.1".as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
        ensure!(!library.is_null(), "libgc.so.1 is not installed");
        let symbol = |name: &CStr| -> Result<*mut c_void> {
            // SAFETY: the library is loaded, and the name ends with a zero.
            let symbol = unsafe { libc::dlsym(library, name.as_ptr()) };
            ensure!(!symbol.is_null(), "{name:?} is not in libgc.so.1");
            Ok(symbol)
        };
        type Allocate = extern "C" fn(usize) -> *mut c_void;
        // SAFETY: `gc.h` declares these functions so.
        let (init, enable, disable, gcollect, malloc, malloc_atomic, uncollectable) = unsafe {
            (
                std::mem::transmute::<*mut c_void, extern "C" fn()>(symbol(c"GC_init")?),
                std::mem::transmute::<*mut c_void, extern "C" fn()>(symbol(c"GC_enable")?),
                std::mem::transmute::<*mut c_void, extern "C" fn()>(symbol(c"GC_disable")?),
                std::mem::transmute::<*mut c_void, extern "C" fn()>(symbol(c"GC_gcollect")?),
                std::mem::transmute::<*mut c_void, Allocate>(symbol(c"GC_malloc")?),
                std::mem::transmute::<*mut c_void, Allocate>(symbol(c"GC_malloc_atomic")?),
                std::mem::transmute::<*mut c_void, Allocate>(symbol(c"GC_malloc_uncollectable")?),
            )
        };
        init();
        disable();
        Ok(Self { malloc, malloc_atomic, enable, gcollect, disable, roots: uncollectable(64).cast() })
    }
}

impl<const PREFIX: usize> Memory for Boehm<PREFIX> {
    const PREFIX: usize = PREFIX;

    #[inline(always)]
    fn node(&mut self) -> Node {
        let node: Node = (self.malloc)((PREFIX + 2) * 8).cast();
        for word in 0..PREFIX {
            // SAFETY: the prefix is at the start of the node. The words are no addresses of anything.
            unsafe { node.add(word).write(0xf1f2_0000_0000_0010 + word as u64) };
        }
        node
    }

    fn bytes(&mut self, len: usize) -> Node {
        (self.malloc_atomic)(len + PREFIX * 8).cast()
    }

    fn root(&mut self, number: usize, node: Node) {
        // SAFETY: there are eight roots.
        unsafe { self.roots.add(number % 8).write(node as u64) }
    }

    fn collect(&mut self) {
        // While it is disabled, an explicit collection does nothing either.
        (self.enable)();
        (self.gcollect)();
        (self.disable)();
    }
}

/// `malloc` and `free`, with the same prefix, written too.
pub(crate) struct Malloc;

impl Memory for Malloc {
    const PREFIX: usize = 4;

    #[inline(always)]
    fn node(&mut self) -> Node {
        // SAFETY: malloc of 48 bytes; whoever gets null dies by it at the next line.
        let node: Node = unsafe { libc::malloc(48) }.cast();
        for word in 0..6 {
            // SAFETY: the node has six words.
            unsafe { node.add(word).write(if word < 4 { 0xf1f2_0000_0000_0010 + word as u64 } else { 0 }) };
        }
        node
    }

    fn bytes(&mut self, len: usize) -> Node {
        // SAFETY: malloc of any length.
        unsafe { libc::calloc(1, len + 32) }.cast()
    }

    fn root(&mut self, _number: usize, _node: Node) {}

    fn free_tree(&mut self, tree: Node) {
        if !tree.is_null() {
            self.free_tree(self.get(tree, 0));
            self.free_tree(self.get(tree, 1));
            // SAFETY: the node is from malloc, and the program holds it no more.
            unsafe { libc::free(tree.cast()) };
        }
    }

    fn collect(&mut self) {}
}

/// Fresh memory, with large pages where the system gives them.
fn map(len: usize) -> Result<*mut u8> {
    // SAFETY: a new private mapping changes nothing that exists.
    let start = unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        libc::mmap(null_mut(), len, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
    };
    ensure!(start != libc::MAP_FAILED, "no mapping of {len} bytes");
    Ok(start.cast())
}
