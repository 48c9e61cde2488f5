//! Replays a path, without any help of what found it.
//!
//! [`check`] asks the runtime: it walks the frames to the depth that the path tells, compares the three tags of each
//! block with those computed from the path's names, and loads each slot. [`check_snapshot`] does the same with the data
//! of a snapshot. Neither uses the walks that [`crate::path`] uses.

use crate::path::{Place, Root, RootPath, Slot};
use crate::snapshot::{RootBlock, Snapshot, Target};
use ironwall::tag::Tags;
use ironwall::{Block, Kind, Runtime, Stack, Uuid};
use thiserror::Error;

/// Where a path is not true.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{at}: {why}")]
pub struct Mismatch {
    /// The number of the step, or the root.
    pub at: At,
    /// What is wrong there.
    pub why: Wrong,
}

/// A part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Its root.
    Root,
    /// The step with this number.
    Step(usize),
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root => f.write_str("root"),
            Self::Step(step) => write!(f, "step {step}"),
        }
    }
}

/// What is wrong with a part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Wrong {
    /// There are no steps.
    #[error("the path leads nowhere")]
    Empty,
    /// The place is none of the path's.
    #[error("there is no such place")]
    NoPlace,
    /// The identities are not those of the names, or the structure is of another kind.
    #[error("the identities are not those of the names, or of the wrong kind")]
    Identity,
    /// There is no such frame, global block, handle or object.
    #[error("there is no such block")]
    NoBlock,
    /// The address is missing or another.
    #[error("the address is missing, or another")]
    Address,
    /// The block has other tags.
    #[error("the block is of another structure")]
    Tags,
    /// The object has another size.
    #[error("the object has another size")]
    Bytes,
    /// The first step must have no slot, and the others one.
    #[error("a slot is missing, or one too many")]
    Via,
    /// The block has no reference at this offset.
    #[error("there is no reference at this offset")]
    Slot,
    /// The reference leads elsewhere.
    #[error("the reference leads elsewhere")]
    Edge,
    /// The field has another name.
    #[error("the field has another name")]
    Field,
}

/// Replays a path against a runtime that has not run since the snapshot. The numbers of objects and the names of
/// fields are no part of the heap; they are compared by [`check_snapshot`].
///
/// # Errors
/// The first part of the path that is not true.
pub fn check(runtime: &Runtime<'_>, path: &RootPath) -> Result<(), Mismatch> {
    check_on(runtime, 0, path)
}

/// The same for a path that may begin in a frame of another stack. They are those that [`Snapshot::take_with`] had, in
/// the same order.
///
/// # Errors
/// As [`check`].
pub fn check_with<'m>(runtime: &mut Runtime<'m>, stacks: &mut [Stack<'m>], path: &RootPath) -> Result<(), Mismatch> {
    let number = match path.root {
        Root::Frame { stack, .. } => stack,
        Root::Global { .. } | Root::Handle { .. } => 0,
    };
    let Some(before) = number.checked_sub(1) else { return check(runtime, path) };
    let stack = stacks.get_mut(before as usize).ok_or(Mismatch { at: At::Root, why: Wrong::NoBlock })?;
    runtime.swap_stack(stack);
    let result = check_on(runtime, number, path);
    runtime.swap_stack(stack);
    result
}

/// Replays a path while the runtime uses the stack with a number.
fn check_on(runtime: &Runtime<'_>, stack: u32, path: &RootPath) -> Result<(), Mismatch> {
    let root = |why| Mismatch { at: At::Root, why };
    let first = path.steps.first().ok_or_else(|| root(Wrong::Empty))?;
    let first = first.address.ok_or(Mismatch { at: At::Step(0), why: Wrong::Address })?;
    check_root(runtime, stack, path, first).map_err(root)?;
    let mut before: Option<Block> = None;
    for (i, step) in path.steps.iter().enumerate() {
        let wrong = |why| Mismatch { at: At::Step(i), why };
        let address = step.address.ok_or_else(|| wrong(Wrong::Address))?;
        let block = Block::from_word(address).ok_or_else(|| wrong(Wrong::Address))?;
        match (before, &step.via) {
            (None, None) => Ok(()),
            (Some(holder), Some(slot)) => check_edge(runtime, holder, slot, address),
            _ => Err(Wrong::Via),
        }
        .map_err(wrong)?;
        let place = place(path, step.place, Kind::Heap).map_err(wrong)?;
        if !runtime.heap_range().contains(&address) {
            return Err(wrong(Wrong::NoBlock));
        }
        check_tags(runtime, block, place).map_err(wrong)?;
        let [.., extent] = runtime.prefix(block).map_err(|_| wrong(Wrong::NoBlock))?;
        if extent != step.bytes {
            return Err(wrong(Wrong::Bytes));
        }
        before = Some(block);
    }
    Ok(())
}

fn check_root(runtime: &Runtime<'_>, current: u32, path: &RootPath, first: u64) -> Result<(), Wrong> {
    match &path.root {
        Root::Frame { stack, depth, place: at, slot } => {
            if *stack != current {
                return Err(Wrong::NoBlock);
            }
            let place = place(path, *at, Kind::Frame)?;
            let (mut frame, mut below) = (None, 0);
            for (found, _) in runtime.frames().zip(0..=*depth) {
                if found.address() <= below {
                    return Err(Wrong::NoBlock);
                }
                below = found.address();
                frame = Some(found);
            }
            let is_there = runtime.frames().nth(*depth as usize).is_some();
            let frame = frame.filter(|_| is_there).ok_or(Wrong::NoBlock)?;
            check_tags(runtime, frame, place)?;
            check_edge(runtime, frame, slot, first)
        }
        Root::Global { number, place: at, slot } => {
            let place = place(path, *at, Kind::Global)?;
            let mut same = runtime.globals().filter(|&global| check_tags(runtime, global, place).is_ok());
            let global = same.nth(*number as usize).ok_or(Wrong::NoBlock)?;
            check_edge(runtime, global, slot, first)
        }
        Root::Handle { number } => {
            let (_, held) = runtime.handles().find(|(found, _)| found == number).ok_or(Wrong::NoBlock)?;
            if held.address() == first { Ok(()) } else { Err(Wrong::Edge) }
        }
    }
}

/// A place of the path, if its identities are those of its names.
fn place(path: &RootPath, place: u32, kind: Kind) -> Result<&Place, Wrong> {
    let place = path.places.get(place as usize).ok_or(Wrong::NoPlace)?;
    let is_right = place.kind == kind
        && place.table == Uuid::of_table(place.package.as_bytes(), place.unit.as_bytes())
        && place.structure == Uuid::of_struct(place.table, kind, place.name.as_bytes());
    if is_right { Ok(place) } else { Err(Wrong::Identity) }
}

/// That a block carries the tags of a place.
fn check_tags(runtime: &Runtime<'_>, block: Block, place: &Place) -> Result<(), Wrong> {
    let [tag1, tag2, tag3, _] = runtime.prefix(block).map_err(|_| Wrong::NoBlock)?;
    let found = Tags { tag1, tag2, tag3 };
    if found == Tags::new(place.table, place.structure) { Ok(()) } else { Err(Wrong::Tags) }
}

/// That a slot is one that a collection follows, and holds an address.
fn check_edge(runtime: &Runtime<'_>, holder: Block, slot: &Slot, address: u64) -> Result<(), Wrong> {
    let offset = u64::from(slot.offset);
    let mut slots = runtime.references(holder).map_err(|_| Wrong::NoBlock)?;
    if !slots.any(|(found, _)| found == offset) {
        return Err(Wrong::Slot);
    }
    if runtime.load(holder, offset) == Ok(address) { Ok(()) } else { Err(Wrong::Edge) }
}

/// Replays a path against a snapshot, with numbers and names.
///
/// # Errors
/// The first part of the path that is not true.
pub fn check_snapshot(snapshot: &Snapshot, path: &RootPath) -> Result<(), Mismatch> {
    let root = |why| Mismatch { at: At::Root, why };
    let first = path.steps.first().ok_or_else(|| root(Wrong::Empty))?;
    let first = Target::Object(first.object);
    match &path.root {
        Root::Frame { stack, depth, place: at, slot } => {
            let (_, frame) = snapshot.frame(*stack, *depth).ok_or_else(|| root(Wrong::NoBlock))?;
            check_root_block(snapshot, path, frame, (*at, Kind::Frame), slot, first).map_err(root)?;
        }
        Root::Global { number, place: at, slot } => {
            let named = place(path, *at, Kind::Global).map_err(root)?;
            let is_same = |global: &&RootBlock| is_structure(snapshot, global.structure, named);
            let global = snapshot.globals().iter().filter(is_same).nth(*number as usize);
            let global = global.ok_or_else(|| root(Wrong::NoBlock))?;
            check_root_block(snapshot, path, global, (*at, Kind::Global), slot, first).map_err(root)?;
        }
        Root::Handle { number } => {
            let handle = snapshot.handles().iter().find(|handle| handle.number == *number);
            let handle = handle.ok_or_else(|| root(Wrong::NoBlock))?;
            if handle.to != first {
                return Err(root(Wrong::Edge));
            }
        }
    }
    for (i, step) in path.steps.iter().enumerate() {
        let wrong = |why| Mismatch { at: At::Step(i), why };
        let object = snapshot.object(step.object).ok_or_else(|| wrong(Wrong::NoBlock))?;
        let named = place(path, step.place, Kind::Heap).map_err(wrong)?;
        if !is_structure(snapshot, object.structure, named) {
            return Err(wrong(Wrong::Tags));
        }
        if object.bytes != step.bytes {
            return Err(wrong(Wrong::Bytes));
        }
        if object.address != step.address {
            return Err(wrong(Wrong::Address));
        }
        let Some(slot) = &step.via else {
            if i == 0 {
                continue;
            }
            return Err(wrong(Wrong::Via));
        };
        let before = i.checked_sub(1).ok_or_else(|| wrong(Wrong::Via))?;
        let before = path.steps[before].object;
        let structure = snapshot.object(before).ok_or_else(|| wrong(Wrong::NoBlock))?.structure;
        let found = snapshot.references(before).iter().find(|found| found.offset == slot.offset);
        let found = found.ok_or_else(|| wrong(Wrong::Slot))?;
        check_slot(snapshot, structure, slot, found.to, Target::Object(step.object)).map_err(wrong)?;
    }
    Ok(())
}

fn check_root_block(
    snapshot: &Snapshot,
    path: &RootPath,
    block: &RootBlock,
    (at, kind): (u32, Kind),
    slot: &Slot,
    first: Target,
) -> Result<(), Wrong> {
    if !is_structure(snapshot, block.structure, place(path, at, kind)?) {
        return Err(Wrong::Tags);
    }
    let found = block.references.iter().find(|found| found.offset == slot.offset).ok_or(Wrong::Slot)?;
    check_slot(snapshot, block.structure, slot, found.to, first)
}

fn check_slot(snapshot: &Snapshot, structure: u32, slot: &Slot, found: Target, to: Target) -> Result<(), Wrong> {
    let name = snapshot.structures().get(structure as usize).and_then(|structure| structure.fields.get(&slot.offset));
    if found != to {
        return Err(Wrong::Edge);
    }
    if name == slot.name.as_ref() { Ok(()) } else { Err(Wrong::Field) }
}

/// Whether a structure of a snapshot is a place.
fn is_structure(snapshot: &Snapshot, structure: u32, place: &Place) -> bool {
    snapshot.structures().get(structure as usize).is_some_and(|structure| {
        let unit = snapshot.units().get(structure.unit as usize);
        structure.id == place.structure && unit.is_some_and(|unit| unit.table == place.table)
    })
}
