//! The memory of a heap, and the units that run in it.

use crate::error::Error;
use crate::heap::{Heap, Shared};
use crate::unit::Unit;
use ironwall::{Config, Kind, Refusal, Region, Runtime, TableLimits};
use std::cell::RefCell;

/// How large everything is.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The bytes of the heap, of which whole blocks of 64 KiB are used. Untouched pages take no memory.
    pub heap_len: usize,
    /// The bytes of the shadow stack.
    pub frames_len: usize,
    /// The most objects that have roots at a time.
    pub roots: usize,
    /// How much the tables hold.
    pub tables: TableLimits,
    /// Whether dead objects are filled with zeros.
    pub wipes: bool,
    /// Whether every [`Heap::may_collect`] collects.
    pub zeal: bool,
}

impl Limits {
    /// A heap of this length, with a shadow stack of 256 KiB, 1024 roots, room for 16 tables with 1024 structures,
    /// 4096 slots and 64 global blocks; dead objects are wiped.
    #[must_use]
    pub const fn of(heap_len: usize) -> Self {
        let tables = TableLimits { tables: 16, entries: 1024, offsets: 4096, globals: 64 };
        Self { heap_len, frames_len: 256 << 10, roots: 1024, tables, wipes: true, zeal: false }
    }
}

/// The memory of a heap. What is in it is gone between two runs.
#[derive(Debug)]
pub struct Memory {
    limits: Limits,
    heap: Vec<u64>,
    frames: Vec<u64>,
    bookkeeping: Vec<u64>,
    is_fresh: bool,
}

/// The body of a unit.
pub type Body = for<'id> fn(&mut Heap<'id>) -> Result<(), Error>;

/// A unit to attach: its image and its global blocks.
#[derive(Debug)]
pub struct UnitImage {
    image: Vec<u8>,
    globals: Vec<Vec<u64>>,
    body: Option<Body>,
}

impl UnitImage {
    /// The image of a unit.
    ///
    /// # Errors
    /// [`Error::TooLong`].
    pub fn of<U: Unit>() -> Result<Self, Error> {
        let table = U::table();
        let globals = U::structures().into_iter().filter(|described| described.kind == Kind::Global);
        let block = |described: crate::Described| {
            // One word more, because a block begins at a multiple of 16.
            let mut words = vec![0; 5 + described.fixed as usize / 8];
            aligned(&mut words)[..4].copy_from_slice(&table.prefix(&described.shape));
            words
        };
        Ok(Self { image: table.image()?, globals: globals.map(block).collect(), body: None })
    }

    /// Adds a body: it runs once the units that this one imports have run theirs, and may use the heap.
    #[must_use]
    pub fn with_body(self, body: Body) -> Self {
        Self { body: Some(body), ..self }
    }
}

impl Memory {
    /// Reserves the memory of a heap.
    ///
    /// # Errors
    /// [`Refusal::BadRegion`] for lengths that no heap has, [`Error::NoMemory`].
    pub fn new(limits: Limits) -> Result<Self, Error> {
        let config = config(&limits, Region::from_words(&mut []), true);
        let needed = Runtime::bookkeeping_words(limits.heap_len, &config).ok_or(Refusal::BadRegion)?;
        let words = |words: usize| {
            // Asking first gives an error where making it would end the program.
            let asked = Vec::<u64>::new().try_reserve_exact(words);
            asked.map(|()| vec![0; words]).map_err(|_| Error::NoMemory(limits.heap_len))
        };
        let (heap, frames) = (words(limits.heap_len / 8 + 1)?, words(limits.frames_len / 8 + 1)?);
        Ok(Self { limits, heap, frames, bookkeeping: words(needed)?, is_fresh: true })
    }

    /// Makes a heap, attaches the units, runs their bodies, imports first, and then `program`. Nothing of the heap can
    /// leave `program`, since `'id` stands for any heap.
    ///
    /// # Errors
    /// Why a unit was refused, and what a body or the program gives.
    pub fn run<R>(
        &mut self,
        units: &mut [UnitImage],
        program: impl for<'id> FnOnce(&mut Heap<'id>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let is_zeroed = std::mem::replace(&mut self.is_fresh, false);
        let config = config(&self.limits, Region::from_words(aligned(&mut self.frames)), is_zeroed);
        let heap = &mut aligned(&mut self.heap)[..self.limits.heap_len / 8];
        let mut runtime = Runtime::new(Region::from_words(heap), &mut self.bookkeeping, config)?;
        let mut bodies = Vec::new();
        for unit in units {
            let globals = unit.globals.iter_mut().map(|words| {
                let block = aligned(words);
                // What a run before left there is in no heap any more.
                block[4..].fill(0);
                Region::from_words(block)
            });
            bodies.push((runtime.attach(&unit.image, globals)?, unit.body));
        }
        runtime.link()?;
        let shared = Shared { runtime: RefCell::new(runtime), dropped: RefCell::default(), zeal: self.limits.zeal };
        run_in(&shared, &bodies, program)
    }
}

/// Lends the one heap of a runtime.
fn run_in<'id, R>(
    shared: &'id Shared<'id>,
    bodies: &[(ironwall::UnitId, Option<Body>)],
    program: impl FnOnce(&mut Heap<'id>) -> Result<R, Error>,
) -> Result<R, Error> {
    let mut heap = Heap { shared };
    loop {
        let mut runtime = shared.runtime.borrow_mut();
        let Some(unit) = runtime.next_unit() else { break };
        runtime.start_unit(unit)?;
        drop(runtime);
        if let Some(body) = bodies.iter().find(|(id, _)| *id == unit).and_then(|(_, body)| *body) {
            body(&mut heap)?;
        }
    }
    program(&mut heap)
}

fn config<'m>(limits: &Limits, frames: Region<'m>, heap_is_zeroed: bool) -> Config<'m> {
    let Limits { tables, roots, wipes, .. } = *limits;
    Config { tables, handles: roots, frames, wipes, heap_is_zeroed, pages: None, on_fault: None }
}

/// The words from the first at a multiple of 16; one more is there than is needed.
fn aligned(words: &mut [u64]) -> &mut [u64] {
    let skip = usize::from(!words.as_ptr().addr().is_multiple_of(16));
    let len = words.len() - 1;
    &mut words[skip..skip + len]
}
