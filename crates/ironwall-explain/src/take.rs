//! Takes a snapshot of a runtime through its read-only calls.

use crate::names::Names;
use crate::snapshot::{HeldHandle, Object, ObjectId, Reference, RootBlock, Snapshot, Structure, Target, Unit};
use ironwall::{Block, Kind, Runtime, Stack};
use std::collections::{BTreeMap, HashMap};
use thiserror::Error;

/// Damage that a collection would have found too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TakeError {
    /// A block is none of an attached structure.
    #[error("the block at {0:#x} is damaged")]
    Block(u64),
    /// A frame is not above the frame that was pushed after it.
    #[error("the frame at {0:#x} is not above the frame before it")]
    FrameOrder(u64),
    /// A slot refers to nothing.
    #[error("the slot +{offset} of the block at {holder:#x} holds {word:#x}, which is no object and no global block")]
    Reference {
        /// The block with the slot.
        holder: u64,
        /// The offset of the slot.
        offset: u64,
        /// The word in it.
        word: u64,
    },
    /// More than 2³² objects.
    #[error("there are too many objects for a snapshot")]
    TooMany,
}

impl Snapshot {
    /// Everything that a runtime holds now. Objects that died since the last collection are in it, as those that no
    /// root leads to. Frames are those of the stack that calls use.
    ///
    /// # Errors
    /// When the heap is damaged where a collection would find it too.
    pub fn take(runtime: &Runtime<'_>, names: &Names) -> Result<Self, TakeError> {
        let frames = stack_frames(runtime, 0)?;
        Self::with_frames(runtime, names, frames)
    }

    /// The same with the frames of further stacks, as [`Runtime::collect_with`] has them. The runtime uses each of them
    /// for a moment, as only frames of the stack that is used can be read, and then its own again.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn take_with<'m>(
        runtime: &mut Runtime<'m>,
        stacks: &mut [Stack<'m>],
        names: &Names,
    ) -> Result<Self, TakeError> {
        let mut frames = stack_frames(runtime, 0)?;
        for (stack, number) in stacks.iter_mut().zip(1..) {
            runtime.swap_stack(stack);
            let found = stack_frames(runtime, number);
            runtime.swap_stack(stack);
            frames.extend(found?);
        }
        Self::with_frames(runtime, names, frames)
    }

    fn with_frames(runtime: &Runtime<'_>, names: &Names, frames: Vec<Frame>) -> Result<Self, TakeError> {
        let mut taker = Taker::new(runtime, names);
        let addresses: Vec<u64> = runtime.objects().map(Block::address).collect();
        if u32::try_from(addresses.len()).is_err() {
            return Err(TakeError::TooMany);
        }
        let globals = taker.globals()?;
        for (place, (_, global)) in globals.iter().enumerate() {
            taker.globals.insert(global.address(), place as u32);
        }
        taker.addresses = addresses;
        taker.frames(frames)?;
        taker.roots(&globals)?;
        taker.objects()?;
        Ok(taker.snapshot.canonical())
    }
}

/// A frame as it was read: its stack, its address, the number of its entry, and its slots with their words.
struct Frame {
    stack: u32,
    address: u64,
    entry: u32,
    slots: Vec<(u64, u64)>,
}

/// The frames of the stack that calls use, the newest first.
fn stack_frames(runtime: &Runtime<'_>, stack: u32) -> Result<Vec<Frame>, TakeError> {
    let (mut frames, mut below) = (Vec::new(), 0);
    for frame in runtime.frames() {
        let address = frame.address();
        let (entry, _) = runtime.describe(frame).map_err(|_| TakeError::Block(address))?;
        if address <= below {
            return Err(TakeError::FrameOrder(address));
        }
        below = address;
        let slots = runtime.references(frame).map_err(|_| TakeError::Block(address))?.collect();
        frames.push(Frame { stack, address, entry: entry.number(), slots });
    }
    Ok(frames)
}

struct Taker<'a, 'm> {
    runtime: &'a Runtime<'m>,
    snapshot: Snapshot,
    /// The place of each structure by the number of its entry.
    places: HashMap<u32, u32>,
    /// The places of structures whose slots may hold odd words.
    odd: Vec<bool>,
    /// The addresses of all objects, ascending.
    addresses: Vec<u64>,
    /// The places of global blocks by address.
    globals: BTreeMap<u64, u32>,
}

impl<'a, 'm> Taker<'a, 'm> {
    fn new(runtime: &'a Runtime<'m>, names: &Names) -> Self {
        let mut snapshot =
            Snapshot { collections: runtime.collections(), heap: Some(runtime.heap_range()), ..Snapshot::default() };
        let (mut places, mut odd) = (HashMap::new(), Vec::new());
        for (unit, image) in runtime.units() {
            let (table, number) = (image.table(), snapshot.units.len() as u32);
            let [package, name] =
                [image.package(), image.unit()].map(|name| String::from_utf8_lossy(name).into_owned());
            snapshot.units.push(Unit { table, package, name });
            for i in 0..image.entry_count() {
                let entry = image.entry(i);
                if let Some(entry) = runtime.entry_at(unit, i) {
                    places.insert(entry.number(), snapshot.structures.len() as u32);
                }
                odd.push(entry.has_odd_words);
                snapshot.structures.push(Structure {
                    unit: number,
                    id: entry.id,
                    kind: entry.kind,
                    name: String::from_utf8_lossy(entry.name).into_owned(),
                    fields: names.fields(table, entry.id).cloned().unwrap_or_default(),
                });
            }
        }
        Self { runtime, snapshot, places, odd, addresses: Vec::new(), globals: BTreeMap::new() }
    }

    /// The place of a block's structure, and its extent.
    fn describe(&self, block: Block, kind: Kind) -> Result<(u32, u64), TakeError> {
        let damaged = TakeError::Block(block.address());
        let (entry, extent) = self.runtime.describe(block).map_err(|_| damaged)?;
        Ok((self.place(entry.number(), kind).ok_or(damaged)?, extent))
    }

    /// The place of a structure of a kind, by the number of its entry.
    fn place(&self, entry: u32, kind: Kind) -> Option<u32> {
        let place = *self.places.get(&entry)?;
        (self.snapshot.structures[place as usize].kind == kind).then_some(place)
    }

    /// The global blocks with their structures, by structure.
    fn globals(&self) -> Result<Vec<(u32, Block)>, TakeError> {
        let globals = self.runtime.globals().map(|block| Ok((self.describe(block, Kind::Global)?.0, block)));
        let mut globals = globals.collect::<Result<Vec<_>, _>>()?;
        globals.sort_by_key(|(structure, _)| *structure);
        Ok(globals)
    }

    fn frames(&mut self, frames: Vec<Frame>) -> Result<(), TakeError> {
        for Frame { stack, address, entry, slots } in frames {
            let structure = self.place(entry, Kind::Frame).ok_or(TakeError::Block(address))?;
            let mut references = Vec::new();
            self.targets(address, slots.into_iter(), structure, &mut references)?;
            self.snapshot.frames.push(RootBlock { structure, stack, address: Some(address), references });
        }
        Ok(())
    }

    fn roots(&mut self, globals: &[(u32, Block)]) -> Result<(), TakeError> {
        for &(structure, block) in globals {
            let mut references = Vec::new();
            self.references(block, structure, &mut references)?;
            self.snapshot.globals.push(RootBlock { structure, stack: 0, address: Some(block.address()), references });
        }
        for (number, block) in self.runtime.handles() {
            let to = self.target(block.address()).ok_or(TakeError::Block(block.address()))?;
            self.snapshot.handles.push(HeldHandle { number, to });
        }
        Ok(())
    }

    fn objects(&mut self) -> Result<(), TakeError> {
        let mut references = Vec::new();
        for &address in &self.addresses {
            let block = Block::from_word(address).ok_or(TakeError::Block(address))?;
            let (structure, bytes) = self.describe(block, Kind::Heap)?;
            self.references(block, structure, &mut references)?;
            self.snapshot.objects.push(Object { structure, bytes, address: Some(address) });
            self.snapshot.ends.push(references.len());
        }
        self.snapshot.references = references;
        Ok(())
    }

    /// Adds the slots of a block that are not empty.
    fn references(&self, block: Block, structure: u32, list: &mut Vec<Reference>) -> Result<(), TakeError> {
        let holder = block.address();
        let slots = self.runtime.references(block).map_err(|_| TakeError::Block(holder))?;
        self.targets(holder, slots, structure, list)
    }

    fn targets(
        &self,
        holder: u64,
        slots: impl Iterator<Item = (u64, u64)>,
        structure: u32,
        list: &mut Vec<Reference>,
    ) -> Result<(), TakeError> {
        for (offset, word) in slots {
            let is_plain = word % 2 == 1 && self.odd[structure as usize];
            if word != 0 && !is_plain {
                let to = self.target(word).ok_or(TakeError::Reference { holder, offset, word })?;
                list.push(Reference { offset: offset as u32, to });
            }
        }
        Ok(())
    }

    fn target(&self, word: u64) -> Option<Target> {
        let object = self.addresses.binary_search(&word).ok().map(|i| Target::Object(ObjectId(i as u32)));
        object.or_else(|| self.globals.get(&word).copied().map(Target::Global))
    }
}
