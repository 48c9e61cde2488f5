//! A runtime: one heap, one collector, and the collections of tables that give both their meaning.

use crate::carve::{Carver, words_of};
use crate::class::{CLASSES, class_of, slot_of};
use crate::error::{Failure, FaultCode, FaultRecord, Refusal};
use crate::handles::{Handle, Handles, Place};
use crate::heap::{BITS, BLOCK, BlockDesc, Cursor, Heap, PageHook};
use crate::id::{Kind, Uuid};
use crate::image::Image;
use crate::mark::{Census, Marker, Slots};
use crate::region::Region;
use crate::report::{LiveEntry, Origin, Report};
use crate::tables::{EntryId, Shape, State, TableLimits, Tables, UnitId};
use crate::tag::Tags;
use core::num::NonZeroU64;
use core::ops::Range;

/// What a runtime is made of, besides its heap and its bookkeeping memory.
#[derive(Debug)]
pub struct Config<'m> {
    /// How much the collections hold.
    pub tables: TableLimits,
    /// How many handles there can be.
    pub handles: usize,
    /// Where shadow frames are; the native stack, for compiled code that keeps them there.
    pub frames: Region<'m>,
    /// Whether a sweep fills dead objects with zeros.
    pub wipes: bool,
    /// Whether the heap's region holds zeros, so that memory used for the first time need not be filled.
    pub heap_is_zeroed: bool,
    /// Protects the page behind each large object; without it the page is just left out.
    pub pages: Option<PageHook>,
    /// Called once with the first fault. A C adapter aborts when it returns; here the heap is sealed.
    pub on_fault: Option<fn(&FaultRecord)>,
}

/// A reference to an object, a global block or a frame: its address. It can only be used with a runtime, which
/// checks it, so one that has become stale is refused or finds another object, but never other memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Block(NonZeroU64);

impl Block {
    /// The address, as it is stored in slots.
    #[inline]
    pub fn address(self) -> u64 {
        self.0.get()
    }

    /// The block that a word from a slot names; `None` for zero.
    #[inline]
    pub fn from_word(word: u64) -> Option<Self> {
        NonZeroU64::new(word).map(Self)
    }
}

/// A shadow stack beside the runtime's own, for each further thread that uses the heap in turn.
#[derive(Debug)]
pub struct Stack<'m> {
    frames: Region<'m>,
    newest: u64,
}

impl<'m> Stack<'m> {
    /// A stack without frames.
    pub fn new(frames: Region<'m>) -> Self {
        Self { frames, newest: 0 }
    }
}

/// What compiled code reads and writes: its layout is that of `struct iw_fast` in `ironwall.h`.
#[derive(Debug)]
#[repr(C)]
struct Fast {
    newest_frame: u64,
    /// The address of the first shape.
    shapes: u64,
    shape_size: u64,
    cursors: [Cursor; CLASSES],
}

/// A runtime. It belongs to one thread at a time, and may go from one to another between calls.
#[derive(Debug)]
#[repr(C)]
pub struct Runtime<'m> {
    fast: Fast,
    heap: Heap<'m>,
    tables: Tables<'m>,
    handles: Handles<'m>,
    frames: Region<'m>,
    census: &'m mut [Census],
    stack: &'m mut [u32],
    collections: u64,
    sealed: Option<FaultRecord>,
    on_fault: Option<fn(&FaultRecord)>,
}

impl<'m> Runtime<'m> {
    /// The words of bookkeeping memory for a heap of `heap_len` bytes; `None` if that is no possible length.
    ///
    /// Most of them are the mark stack, with a place for every object there can be: 1/8 of the heap, which takes
    /// memory only as far as it is used.
    pub fn bookkeeping_words(heap_len: usize, config: &Config<'_>) -> Option<usize> {
        let blocks = heap_len / BLOCK;
        if blocks == 0 || heap_len as u64 > 1 << 36 {
            return None;
        }
        let fixed = words_of::<BlockDesc>(blocks) + blocks * BITS * 2 + mark_places(blocks).div_ceil(2);
        let chosen = config.tables.words().saturating_add(words_of::<Place>(config.handles));
        let census = words_of::<Census>(config.tables.entries.saturating_add(1));
        Some(fixed.saturating_add(chosen).saturating_add(census))
    }

    /// A runtime over a heap and over bookkeeping memory of at least [`Self::bookkeeping_words`].
    ///
    /// # Errors
    /// [`Refusal::BadRegion`].
    pub fn new(heap: Region<'m>, bookkeeping: &'m mut [u64], config: Config<'m>) -> Result<Self, Refusal> {
        Self::bookkeeping_words(heap.byte_len(), &config).ok_or(Refusal::BadRegion)?;
        let is_aligned = heap.address(0).is_multiple_of(16) && config.frames.address(0).is_multiple_of(8);
        if !is_aligned || config.pages.is_some() && !heap.address(0).is_multiple_of(4096) {
            return Err(Refusal::BadRegion);
        }
        Self::build(heap, bookkeeping, config).ok_or(Refusal::BadRegion)
    }

    fn build(region: Region<'m>, bookkeeping: &'m mut [u64], config: Config<'m>) -> Option<Self> {
        let mut carver = Carver::new(bookkeeping);
        let blocks = carver.filled(region.byte_len() / BLOCK, || BlockDesc::FREE)?;
        let (bits, stack) =
            (carver.words(blocks.len() * BITS * 2)?.as_chunks_mut().0, carver.halves(mark_places(blocks.len()))?);
        let tables = Tables::new(&config.tables, &mut carver)?;
        let fast = Fast {
            newest_frame: 0,
            shapes: tables.shapes.places.as_ptr().expose_provenance() as u64,
            shape_size: size_of::<Shape>() as u64,
            cursors: [Cursor::default(); CLASSES],
        };
        Some(Self {
            fast,
            heap: Heap::new(region, blocks, bits, &config),
            handles: Handles::new(carver.filled(config.handles, || Place::EMPTY)?),
            frames: config.frames,
            census: carver.filled(tables.shapes.places.len(), Census::default)?,
            stack,
            tables,
            collections: 0,
            sealed: None,
            on_fault: config.on_fault,
        })
    }

    // Units: phase one attaches all, `link` puts them in order, phase two runs their bodies.

    /// Attaches a unit: its table's image and its global blocks.
    ///
    /// # Errors
    /// Says which rule is broken; nothing is attached then.
    pub fn attach(
        &mut self,
        image: &'m [u8],
        globals: impl IntoIterator<Item = Region<'m>>,
    ) -> Result<UnitId, Refusal> {
        self.check_sealed()?;
        self.tables.attach(image, globals.into_iter())
    }

    /// Ends phase one: checks what units use of each other and puts them in order, imports first, then by UUID.
    ///
    /// # Errors
    /// [`Refusal::MissingImport`], [`Refusal::LayoutMismatch`], [`Refusal::ImportCycle`].
    pub fn link(&mut self) -> Result<(), Refusal> {
        self.check_sealed()?;
        self.tables.link()
    }

    /// The unit whose body is the next to run; `None` when all have.
    pub fn next_unit(&self) -> Option<UnitId> {
        self.tables.next_unit()
    }

    /// Lets a unit allocate; to be called where its body begins.
    ///
    /// # Errors
    /// [`Refusal::UnitNotAttached`], [`Refusal::InitTwice`], [`Refusal::InitOutOfOrder`].
    pub fn start_unit(&mut self, unit: UnitId) -> Result<(), Refusal> {
        self.check_sealed()?;
        self.tables.start(unit)
    }

    /// The attached tables, by UUID, each with its image.
    pub fn units(&self) -> impl Iterator<Item = (UnitId, &Image<'m>)> {
        self.tables.units().map(|(unit, table)| (unit, &table.image))
    }

    /// The number of an attached structure.
    pub fn entry(&self, table: Uuid, structure: Uuid) -> Option<EntryId> {
        self.tables.entry(table, structure)
    }

    /// The number of a unit's entry, by its place in the image.
    pub fn entry_at(&self, unit: UnitId, place: usize) -> Option<EntryId> {
        let table = self.tables.table(unit)?;
        (place < table.image.entry_count()).then(|| EntryId(table.first_shape + place as u32))
    }

    /// Takes a table out of the collections, for tests of what depends on them.
    #[doc(hidden)]
    pub fn detach_for_test(&mut self, unit: UnitId) {
        self.tables.detach(unit);
    }

    /// How often tags were looked up.
    pub fn lookups(&self) -> u64 {
        self.tables.lookups.get()
    }

    // Objects.

    /// A new object of an entry without a tail. Its payload is zero.
    ///
    /// # Errors
    /// [`Refusal::OutOfMemory`], [`Refusal::UnitNotAttached`], [`Refusal::NoSuchEntry`], [`Refusal::BadExtent`],
    /// [`Refusal::Sealed`].
    #[inline]
    pub fn allocate(&mut self, entry: EntryId) -> Result<Block, Refusal> {
        let Some(shape) = self.tables.shapes.places.get(entry.0 as usize) else { return Err(Refusal::NoSuchEntry) };
        let cursor = &mut self.fast.cursors[shape.class as usize % CLASSES];
        if let Some(block) = bump(&self.heap.region, cursor, shape, shape.slot as usize, shape.fixed) {
            return Ok(block);
        }
        let extent = shape.fixed;
        self.allocate_extent(entry, extent)
    }

    /// A new object with a payload of `extent` bytes, all zero.
    ///
    /// # Errors
    /// As [`Self::allocate`].
    #[inline(never)]
    pub fn allocate_extent(&mut self, entry: EntryId, extent: u64) -> Result<Block, Refusal> {
        self.check_sealed()?;
        let shape = *self.shape(entry, Kind::Heap)?;
        if self.tables.table(UnitId(shape.table)).is_none_or(|table| table.state != State::Started) {
            return Err(Refusal::UnitNotAttached);
        }
        if !shape.allows(extent) {
            return Err(Refusal::BadExtent);
        }
        let size = 32 + extent as usize;
        let class = class_of(size);
        if class == 0 {
            let offset = self.heap.allocate_large(size)?;
            let Tags { tag1, tag2, tag3 } = shape.tags;
            self.heap.region.store_words(offset, [tag1, tag2, tag3, extent]);
            return Block::from_word(self.heap.region.address(offset)).ok_or(Refusal::BadRegion);
        }
        let cursor = &mut self.fast.cursors[class];
        if let Some(block) = bump(&self.heap.region, cursor, &shape, slot_of(class), extent) {
            return Ok(block);
        }
        self.heap.refill(class, cursor)?;
        bump(&self.heap.region, cursor, &shape, slot_of(class), extent).ok_or(Refusal::OutOfMemory)
    }

    /// The prefix of a block: three tags and the extent, or for a frame the address of the one before.
    ///
    /// # Errors
    /// [`Refusal::NotABlock`].
    pub fn prefix(&self, block: Block) -> Result<[u64; 4], Refusal> {
        let (region, offset, ..) = self.locate(block)?;
        Ok(region.load_words(offset))
    }

    /// The word at an offset of a block's payload.
    ///
    /// # Errors
    /// [`Refusal::NotABlock`], [`Refusal::BadOffset`].
    pub fn load(&self, block: Block, offset: u64) -> Result<u64, Refusal> {
        let (region, at) = self.payload(block, offset)?;
        Ok(region.load(at))
    }

    /// Writes the word at an offset of a block's payload. It is a plain store; what a slot holds is checked when it
    /// is followed.
    ///
    /// # Errors
    /// [`Refusal::NotABlock`], [`Refusal::BadOffset`].
    pub fn store(&mut self, block: Block, offset: u64, word: u64) -> Result<(), Refusal> {
        let (region, at) = self.payload(block, offset)?;
        region.store_words(at, [word]);
        Ok(())
    }

    /// The identities of a block's table and structure.
    ///
    /// # Errors
    /// [`Refusal::NotABlock`].
    pub fn identity(&self, block: Block) -> Result<(Uuid, Uuid), Refusal> {
        let (_, _, shape, _) = self.locate(block)?;
        Ok(self.tables.identity(shape))
    }

    // What there is, for explanations.

    /// The addresses of the heap.
    pub fn heap_range(&self) -> Range<u64> {
        let (region, len) = (&self.heap.region, self.heap.region.byte_len());
        region.address(0)..region.address(len)
    }

    /// All objects, by address: those that live, and those that died since the last collection.
    pub fn objects(&self) -> impl Iterator<Item = Block> {
        let offsets = (0..self.heap.limit() as usize).step_by(16);
        let allocated = offsets.filter(|&offset| self.heap.is_allocated(offset, &self.fast.cursors));
        allocated.filter_map(|offset| Block::from_word(self.heap.region.address(offset)))
    }

    /// The shadow frames, the newest first. It ends at the first that is damaged, which it gives too; links that lead
    /// to where it has been it follows at most as often as there is room for frames.
    pub fn frames(&self) -> impl Iterator<Item = Block> {
        let previous = |frame: &Block| Block::from_word(self.prefix(*frame).ok()?[3]);
        core::iter::successors(Block::from_word(self.fast.newest_frame), previous).take(self.frames.byte_len() / 32)
    }

    /// The attached global blocks.
    pub fn globals(&self) -> impl Iterator<Item = Block> {
        self.tables.globals().filter_map(|global| Block::from_word(global.region.address(0)))
    }

    /// The held handles: their numbers and objects.
    pub fn handles(&self) -> impl Iterator<Item = (u32, Block)> {
        self.handles.held().filter_map(|(number, word)| Some((number, Block::from_word(word)?)))
    }

    /// The entry of a block and the bytes of its payload.
    ///
    /// # Errors
    /// [`Refusal::NotABlock`].
    pub fn describe(&self, block: Block) -> Result<(EntryId, u64), Refusal> {
        self.locate(block).map(|(_, _, shape, extent)| (EntryId(shape), extent))
    }

    /// The slots of a block that a collection follows: their offsets in its payload, ascending, and their words.
    ///
    /// # Errors
    /// [`Refusal::NotABlock`].
    pub fn references(&self, block: Block) -> Result<impl Iterator<Item = (u64, u64)>, Refusal> {
        let (region, at, shape, extent) = self.locate(block)?;
        let slots = Slots::new(&self.tables, &self.tables.shapes[shape as usize], extent);
        Ok(slots.map(move |slot| (slot as u64, region.load(at + 32 + slot))))
    }

    // Roots.

    /// Pushes a shadow frame with empty slots.
    ///
    /// # Errors
    /// [`Refusal::NoSuchEntry`], [`Refusal::FramesFull`], [`Refusal::Sealed`].
    pub fn push_frame(&mut self, entry: EntryId) -> Result<Block, Refusal> {
        self.check_sealed()?;
        let shape = self.shape(entry, Kind::Frame)?;
        let (Tags { tag1, tag2, tag3 }, size) = (shape.tags, 32 + shape.fixed as usize);
        let previous = self.fast.newest_frame;
        let top = self.frames.offset(previous).unwrap_or(self.frames.byte_len() & !15);
        let offset = top.checked_sub(size).ok_or(Refusal::FramesFull)? & !15;
        self.frames.store_words(offset, [tag1, tag2, tag3, previous]);
        self.frames.zero(offset + 32, size - 32);
        self.fast.newest_frame = self.frames.address(offset);
        Block::from_word(self.fast.newest_frame).ok_or(Refusal::BadRegion)
    }

    /// Pops the newest frame.
    ///
    /// # Errors
    /// [`Refusal::NotNewestFrame`].
    pub fn pop_frame(&mut self, frame: Block) -> Result<(), Refusal> {
        let offset = self.frames.offset(frame.address()).filter(|_| frame.address() == self.fast.newest_frame);
        self.fast.newest_frame = self.frames.load(offset.ok_or(Refusal::NotNewestFrame)? + 24);
        Ok(())
    }

    /// Exchanges the shadow stack that calls use for another one.
    pub fn swap_stack(&mut self, stack: &mut Stack<'m>) {
        core::mem::swap(&mut self.frames, &mut stack.frames);
        core::mem::swap(&mut self.fast.newest_frame, &mut stack.newest);
    }

    /// A handle on a heap object, with count one.
    ///
    /// # Errors
    /// [`Refusal::NotABlock`], [`Refusal::HandlesFull`].
    pub fn handle(&mut self, block: Block) -> Result<Handle, Refusal> {
        self.heap.region.offset(block.address()).ok_or(Refusal::NotABlock)?;
        self.locate(block)?;
        self.handles.insert(block.address())
    }

    /// The object of a handle.
    ///
    /// # Errors
    /// [`Refusal::StaleHandle`].
    pub fn get(&self, handle: Handle) -> Result<Block, Refusal> {
        Block::from_word(self.handles.get(handle)?).ok_or(Refusal::StaleHandle)
    }

    /// Adds one to a handle's count.
    ///
    /// # Errors
    /// [`Refusal::StaleHandle`], [`Refusal::HandlesFull`].
    pub fn retain(&mut self, handle: Handle) -> Result<(), Refusal> {
        self.handles.count(handle, true)
    }

    /// Takes one off a handle's count; at zero it is no root any more.
    ///
    /// # Errors
    /// [`Refusal::StaleHandle`].
    pub fn release(&mut self, handle: Handle) -> Result<(), Refusal> {
        self.handles.count(handle, false)
    }

    // Collection.

    /// Collects, now and completely: marks what frames, globals and handles lead to, and reclaims the rest.
    ///
    /// # Errors
    /// [`Failure::Fault`] if damage was found: nothing is reclaimed, and the heap is sealed from then on.
    pub fn collect(&mut self, origin: Origin, reason: u64) -> Result<Report, Failure> {
        self.collect_with(&[], origin, reason)
    }

    /// Collects with the frames of other stacks as roots too. Every stack with frames has to be among them.
    ///
    /// # Errors
    /// As [`Self::collect`].
    pub fn collect_with(&mut self, stacks: &[Stack<'m>], origin: Origin, reason: u64) -> Result<Report, Failure> {
        self.check_sealed().map_err(Failure::Refused)?;
        self.heap.retire_all(&mut self.fast.cursors);
        self.census.fill(Census::default());
        let marker = Marker::new(&mut self.heap, self.stack, &self.tables, self.census);
        let others = stacks.iter().map(|stack| (&stack.frames, stack.newest));
        let own = core::iter::once((&self.frames, self.fast.newest_frame));
        let marked = marker.mark(own.chain(others), &self.handles);
        let (frames, handles) = marked.map_err(|record| self.seal(record))?;
        let (live, live_bytes) = self.census.iter().fold((0, 0), |(n, b), live| (n + live.objects, b + live.bytes));
        let swept = self.heap.sweep();
        self.collections += 1;
        let report = Report {
            sequence: self.collections,
            reason,
            origin,
            frames,
            globals: self.tables.globals().count() as u32,
            handles,
            live,
            live_bytes,
            dead: swept.dead,
            dead_bytes: swept.dead_bytes,
            digest: [0; 32],
        };
        Ok(report.sealed_with_digest(self))
    }

    /// How many collections there have been.
    pub fn collections(&self) -> u64 {
        self.collections
    }

    /// What lived at the last collection, by the UUIDs of tables and structures.
    pub fn census(&self) -> impl Iterator<Item = LiveEntry> {
        self.units().flat_map(|(unit, image)| (0..image.entry_count()).map(move |i| (unit, i, image))).filter_map(
            |(unit, i, image)| {
                let entry = self.entry_at(unit, i)?;
                let live = self.census.get(entry.0 as usize).copied().unwrap_or_default();
                Some(LiveEntry { table: image.table(), structure: image.entry(i).id, entry, live })
            },
        )
    }

    /// The fault that sealed the heap.
    pub fn fault(&self) -> Option<&FaultRecord> {
        self.sealed.as_ref()
    }

    fn seal(&mut self, record: FaultRecord) -> Failure {
        self.sealed = Some(record);
        if let Some(on_fault) = self.on_fault {
            on_fault(&record);
        }
        Failure::Fault(record)
    }

    fn check_sealed(&self) -> Result<(), Refusal> {
        if self.sealed.is_some() { Err(Refusal::Sealed) } else { Ok(()) }
    }

    fn shape(&self, entry: EntryId, kind: Kind) -> Result<&Shape, Refusal> {
        if entry.0 == 0 {
            return Err(Refusal::UnitNotAttached);
        }
        let shape = self.tables.shapes.get(entry.0 as usize);
        shape.filter(|shape| shape.kind == kind).ok_or(Refusal::NoSuchEntry)
    }

    /// The region, offset, shape and extent of a block, from what is beside it before what is in it.
    fn locate(&self, block: Block) -> Result<(&Region<'m>, usize, u32, u64), Refusal> {
        let address = block.address();
        let (region, offset, kind) = if let Some(offset) = self.heap.region.offset(address) {
            let is_object = self.heap.is_allocated(offset, &self.fast.cursors);
            (&self.heap.region, is_object.then_some(offset), Kind::Heap)
        } else if let Some(global) = self.tables.globals().find(|global| global.region.address(0) == address) {
            (&global.region, Some(0), Kind::Global)
        } else {
            let is_pushed = self.fast.newest_frame != 0 && address >= self.fast.newest_frame;
            (&self.frames, self.frames.offset(address).filter(|_| is_pushed), Kind::Frame)
        };
        let offset = offset.ok_or(Refusal::NotABlock)?;
        let [tag1, tag2, tag3, extent] = region.load_words(offset);
        let shape = self.tables.lookup(Tags { tag1, tag2, tag3 }, kind).map_err(|_: FaultCode| Refusal::NotABlock)?;
        let fits = kind != Kind::Heap || extent + 32 <= u64::from(self.heap.blocks[offset / BLOCK].slot);
        let layout = &self.tables.shapes[shape as usize];
        let extent = if kind == Kind::Frame { layout.fixed } else { extent };
        if layout.allows(extent) && fits { Ok((region, offset, shape, extent)) } else { Err(Refusal::NotABlock) }
    }

    /// Where a word of a payload is.
    fn payload(&self, block: Block, offset: u64) -> Result<(&Region<'m>, usize), Refusal> {
        let (region, at, _, extent) = self.locate(block)?;
        let is_inside = offset.is_multiple_of(8) && offset < extent;
        if is_inside { Ok((region, at + 32 + offset as usize)) } else { Err(Refusal::BadOffset) }
    }
}

/// The places of the mark stack: one for each object there can be, and one above the top.
fn mark_places(blocks: usize) -> usize {
    blocks * (BLOCK / 32) + 1
}

/// Takes a slot from a hole and writes its prefix; `None` if the hole is used up. Class 0 has a slot of no bytes at
/// address zero, which is no block.
#[inline(always)]
fn bump(region: &Region<'_>, cursor: &mut Cursor, shape: &Shape, slot: usize, extent: u64) -> Option<Block> {
    let at = cursor.next;
    if cursor.end - at < slot as u64 {
        return None;
    }
    cursor.next = at + slot as u64;
    let Tags { tag1, tag2, tag3 } = shape.tags;
    region.store_words(at.wrapping_sub(region.address(0)) as usize, [tag1, tag2, tag3, extent]);
    Block::from_word(at)
}
