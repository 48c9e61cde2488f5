//! Everything that a stopped heap holds, as an owned graph in one order.
//!
//! Units come by the UUID of their table, structures by theirs, frames by stack and then from the newest to the oldest,
//! global blocks by structure, handles by number. Objects are numbered as a breadth-first walk from the roots in that order meets
//! them; behind them, by address, are those that no root leads to and the next collection would reclaim. So the
//! numbers do not depend on addresses or on the order in which units were attached.

use crate::names::{Fields, Names};
use ironwall::{Kind, Uuid};
use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;

/// The number of an object in a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub u32);

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// A unit whose table is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its table.
    pub table: Uuid,
    /// The package that it belongs to.
    pub package: String,
    /// Its name in the package.
    pub name: String,
}

/// A structure of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    /// The place of its unit.
    pub unit: u32,
    /// Its identity.
    pub id: Uuid,
    /// What it describes.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The names of its fields, as far as they are known.
    pub fields: Fields,
}

/// What a slot refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// An object.
    Object(ObjectId),
    /// The global block with this place.
    Global(u32),
}

/// A slot that is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its offset in the payload.
    pub offset: u32,
    /// What it refers to.
    pub to: Target,
}

/// A shadow frame or a global block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootBlock {
    /// The place of its structure.
    pub structure: u32,
    /// For a frame the number of its shadow stack: zero for the one that calls use, further ones in the order in which
    /// they were given. Zero for a global block.
    pub stack: u32,
    /// Where it was, if the snapshot tells.
    pub address: Option<u64>,
    /// Its slots that are not empty, by offset.
    pub references: Vec<Reference>,
}

/// A handle that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldHandle {
    /// Its number.
    pub number: u32,
    /// What it holds; a handle on a global block holds nothing that would not live anyway.
    pub to: Target,
}

/// An object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// The place of its structure.
    pub structure: u32,
    /// The bytes of its payload.
    pub bytes: u64,
    /// Where it was, if the snapshot tells.
    pub address: Option<u64>,
}

/// A root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RootId {
    /// The frame with this place in [`Snapshot::frames`].
    Frame(u32),
    /// The global block with this place.
    Global(u32),
    /// The handle with this place among those held.
    Handle(u32),
}

/// A stopped heap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub(crate) collections: u64,
    pub(crate) heap: Option<Range<u64>>,
    pub(crate) units: Vec<Unit>,
    pub(crate) structures: Vec<Structure>,
    pub(crate) frames: Vec<RootBlock>,
    pub(crate) globals: Vec<RootBlock>,
    pub(crate) handles: Vec<HeldHandle>,
    pub(crate) objects: Vec<Object>,
    pub(crate) references: Vec<Reference>,
    /// Where the references of each object end.
    pub(crate) ends: Vec<usize>,
}

impl Snapshot {
    /// How many collections there had been.
    #[must_use]
    pub fn collections(&self) -> u64 {
        self.collections
    }

    /// The addresses of the heap, if the snapshot tells.
    #[must_use]
    pub fn heap(&self) -> Option<Range<u64>> {
        self.heap.clone()
    }

    /// The units, by the UUIDs of their tables.
    #[must_use]
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// The structures, by unit and UUID.
    #[must_use]
    pub fn structures(&self) -> &[Structure] {
        &self.structures
    }

    /// The shadow frames, by stack, the newest of each first.
    #[must_use]
    pub fn frames(&self) -> &[RootBlock] {
        &self.frames
    }

    /// The global blocks, by structure; those of the same structure in the order in which they were attached.
    #[must_use]
    pub fn globals(&self) -> &[RootBlock] {
        &self.globals
    }

    /// The handles, by number.
    #[must_use]
    pub fn handles(&self) -> &[HeldHandle] {
        &self.handles
    }

    /// The objects, by their numbers.
    #[must_use]
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// The object with a number.
    #[must_use]
    pub fn object(&self, id: ObjectId) -> Option<&Object> {
        self.objects.get(id.0 as usize)
    }

    /// The object at an address.
    #[must_use]
    pub fn at(&self, address: u64) -> Option<ObjectId> {
        let found = self.objects.iter().position(|object| object.address == Some(address))?;
        Some(ObjectId(found as u32))
    }

    /// The slots of an object that are not empty, by offset.
    #[must_use]
    pub fn references(&self, id: ObjectId) -> &[Reference] {
        let at = id.0 as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends.get(before).copied().unwrap_or(0));
        self.ends.get(at).and_then(|&end| self.references.get(start..end)).unwrap_or(&[])
    }

    /// The slots of roots that refer to objects, with the slot's offset unless it is a handle, in the order of roots.
    pub fn roots(&self) -> impl Iterator<Item = (RootId, Option<u32>, ObjectId)> {
        let frames = self.frames.iter().zip(0..).map(|(frame, i)| (RootId::Frame(i), frame));
        let globals = self.globals.iter().zip(0..).map(|(global, i)| (RootId::Global(i), global));
        let slots = frames
            .chain(globals)
            .flat_map(|(id, block)| block.references.iter().map(move |slot| (id, Some(slot.offset), slot.to)));
        let handles = self.handles.iter().zip(0..).map(|(handle, i)| (RootId::Handle(i), None, handle.to));
        slots.chain(handles).filter_map(|(id, offset, to)| match to {
            Target::Object(object) => Some((id, offset, object)),
            Target::Global(_) => None,
        })
    }

    /// The objects that an object refers to, with the slots' offsets.
    pub fn children(&self, id: ObjectId) -> impl Iterator<Item = (u32, ObjectId)> {
        self.references(id).iter().filter_map(|slot| match slot.to {
            Target::Object(object) => Some((slot.offset, object)),
            Target::Global(_) => None,
        })
    }

    /// The objects that roots lead to, in the order in which a breadth-first walk meets them.
    #[must_use]
    pub fn reachable(&self) -> Vec<ObjectId> {
        let mut seen = vec![false; self.objects.len()];
        let mut order = Vec::new();
        let mut queue = VecDeque::new();
        let mut meet = |object: ObjectId, queue: &mut VecDeque<ObjectId>| {
            if let Some(seen @ false) = seen.get_mut(object.0 as usize) {
                *seen = true;
                order.push(object);
                queue.push_back(object);
            }
        };
        self.roots().for_each(|(_, _, object)| meet(object, &mut queue));
        while let Some(object) = queue.pop_front() {
            self.children(object).for_each(|(_, child)| meet(child, &mut queue));
        }
        order
    }

    /// A frame of a stack by its number from the newest, with its place among all frames.
    pub(crate) fn frame(&self, stack: u32, depth: u32) -> Option<(u32, &RootBlock)> {
        let first = self.frames.partition_point(|frame| frame.stack < stack);
        let place = first.checked_add(depth as usize)?;
        let frame = self.frames.get(place).filter(|frame| frame.stack == stack)?;
        Some((place as u32, frame))
    }

    /// A structure and its unit.
    pub(crate) fn place(&self, structure: u32) -> (&Unit, &Structure) {
        let structure = &self.structures[structure as usize];
        (&self.units[structure.unit as usize], structure)
    }

    /// Numbers the objects in the one order. They come by address.
    pub(crate) fn canonical(mut self) -> Self {
        let mut order = self.reachable();
        let mut number = vec![u32::MAX; self.objects.len()];
        for (new, old) in order.iter().enumerate() {
            number[old.0 as usize] = new as u32;
        }
        for (old, number) in number.iter_mut().enumerate().filter(|(_, number)| **number == u32::MAX) {
            *number = order.len() as u32;
            order.push(ObjectId(old as u32));
        }
        let renumber = |slot: &mut Target| {
            if let Target::Object(object) = slot {
                object.0 = number[object.0 as usize];
            }
        };
        let mut references = Vec::with_capacity(self.references.len());
        let mut ends = Vec::with_capacity(self.ends.len());
        for &old in &order {
            references.extend_from_slice(self.references(old));
            ends.push(references.len());
        }
        references.iter_mut().for_each(|slot| renumber(&mut slot.to));
        let blocks = self.frames.iter_mut().chain(&mut self.globals);
        blocks.flat_map(|block| &mut block.references).for_each(|slot| renumber(&mut slot.to));
        self.handles.iter_mut().for_each(|handle| renumber(&mut handle.to));
        self.objects = order.iter().map(|old| self.objects[old.0 as usize]).collect();
        Self { references, ends, ..self }
    }

    /// The same with the names of fields, where others are known than it was taken with.
    #[must_use]
    pub fn with_names(mut self, names: &Names) -> Self {
        for structure in &mut self.structures {
            let table = self.units[structure.unit as usize].table;
            if let Some(fields) = names.fields(table, structure.id) {
                structure.fields.extend(fields.clone());
            }
        }
        self
    }

    /// The same without addresses: what does not depend on the machine or on the order of attaching.
    #[must_use]
    pub fn without_addresses(mut self) -> Self {
        self.heap = None;
        self.frames.iter_mut().chain(&mut self.globals).for_each(|block| block.address = None);
        self.objects.iter_mut().for_each(|object| object.address = None);
        self
    }
}
