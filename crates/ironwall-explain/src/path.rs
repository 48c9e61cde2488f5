//! Why an object is alive: the shortest way from a root to it.

use crate::json::{DataError, Text, check_text, is_zero, parse};
use crate::names::{MAX_FIELD_NAME, Names};
use crate::snapshot::{ObjectId, RootId, Snapshot};
use ironwall::image::MAX_NAME;
use ironwall::{Kind, Uuid};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fmt;

const FORMAT: &str = "ironwall-path";
/// How many steps are shown at each end of a long path.
const SHOWN: usize = 24;

/// A structure, by identity and names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The unit's table.
    pub table: Uuid,
    /// The structure.
    pub structure: Uuid,
    /// What it describes.
    pub kind: Kind,
    /// The unit's package.
    pub package: String,
    /// The unit.
    pub unit: String,
    /// The structure's name.
    pub name: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}/{}", self.name, self.package, self.unit)
    }
}

/// A slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its offset in the payload.
    pub offset: u32,
    /// The name of the field, if it is known.
    pub name: Option<String>,
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.write_str(name),
            None => write!(f, "+{}", self.offset),
        }
    }
}

/// Where a path begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// A slot of a shadow frame.
    Frame {
        /// The shadow stack: zero for the one that calls use.
        stack: u32,
        /// The number of the frame from the newest of its stack.
        depth: u32,
        /// Its structure, in [`RootPath::places`].
        place: u32,
        /// The slot.
        slot: Slot,
    },
    /// A slot of a global block.
    Global {
        /// The number of the block among those of its structure, in the order of attaching.
        number: u32,
        /// Its structure, in [`RootPath::places`].
        place: u32,
        /// The slot.
        slot: Slot,
    },
    /// A handle.
    Handle {
        /// Its number.
        number: u32,
    },
}

/// An object on a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The slot of the object before that refers to this one; none for the first, to which the root refers.
    pub via: Option<Slot>,
    /// The object's number in the snapshot.
    pub object: ObjectId,
    /// Its structure, in [`RootPath::places`].
    pub place: u32,
    /// The bytes of its payload.
    pub bytes: u64,
    /// Where it is, if the snapshot told.
    pub address: Option<u64>,
}

/// The way from a root to an object. Its last step is the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootPath {
    /// The structures that occur.
    pub places: Vec<Place>,
    /// Where it begins.
    pub root: Root,
    /// The objects on it, of which there is at least one.
    pub steps: Vec<Step>,
}

impl Snapshot {
    /// Why an object is alive: a shortest path from a root to it. `None` if no root leads to it, or if there is no
    /// such object. Of several the one from the first root by the snapshot's order is given.
    #[must_use]
    pub fn why(&self, object: ObjectId) -> Option<RootPath> {
        let (root, way) = self.way(object)?;
        let mut builder = Builder { snapshot: self, places: Vec::new(), numbers: vec![None; self.structures.len()] };
        let (id, offset) = root;
        let block = match id {
            RootId::Frame(i) => self.frames.get(i as usize),
            RootId::Global(i) => self.globals.get(i as usize),
            RootId::Handle(_) => None,
        };
        let place = block.map_or(0, |block| builder.place(block.structure));
        let offset = offset.unwrap_or(0);
        let slot = Slot { offset, name: block.and_then(|block| self.field(block.structure, offset)) };
        let root = match id {
            RootId::Frame(i) => {
                let stack = block.map_or(0, |block| block.stack);
                let first = self.frames.partition_point(|frame| frame.stack < stack);
                Root::Frame { stack, depth: i - first as u32, place, slot }
            }
            RootId::Global(i) => {
                let before = self.globals[..i as usize].iter().rev();
                let same = before.take_while(|global| Some(global.structure) == block.map(|block| block.structure));
                Root::Global { number: same.count() as u32, place, slot }
            }
            RootId::Handle(i) => Root::Handle { number: self.handles[i as usize].number },
        };
        let mut steps = Vec::with_capacity(way.len());
        let mut before = None;
        for (offset, id) in way {
            let object = self.object(id)?;
            let via = before.map(|structure| Slot { offset, name: self.field(structure, offset) });
            let place = builder.place(object.structure);
            steps.push(Step { via, object: id, place, bytes: object.bytes, address: object.address });
            before = Some(object.structure);
        }
        Some(RootPath { places: builder.places, root, steps })
    }

    fn field(&self, structure: u32, offset: u32) -> Option<String> {
        self.structures.get(structure as usize)?.fields.get(&offset).cloned()
    }

    /// A root and the objects from it to `object`, each with the slot before it.
    #[expect(clippy::type_complexity, reason = "a root's slot, and steps of one path")]
    fn way(&self, object: ObjectId) -> Option<((RootId, Option<u32>), Vec<(u32, ObjectId)>)> {
        self.object(object)?;
        // For each object that was met: the one that it was met from, itself for those that a root refers to.
        let mut from: Vec<Option<(ObjectId, u32)>> = vec![None; self.objects.len()];
        let mut queue = VecDeque::new();
        for (_, _, first) in self.roots() {
            if let Some(place @ None) = from.get_mut(first.0 as usize) {
                *place = Some((first, 0));
                queue.push_back(first);
            }
        }
        while let Some(holder) = queue.pop_front().filter(|&holder| holder != object) {
            for (offset, child) in self.children(holder) {
                if let Some(place @ None) = from.get_mut(child.0 as usize) {
                    *place = Some((holder, offset));
                    queue.push_back(child);
                }
            }
        }
        let (mut way, mut now) = (Vec::new(), object);
        loop {
            let (holder, offset) = (*from.get(now.0 as usize)?)?;
            way.push((offset, now));
            if holder == now {
                break;
            }
            now = holder;
        }
        way.reverse();
        let (id, slot, _) = self.roots().find(|(_, _, first)| *first == now)?;
        Some(((id, slot), way))
    }
}

/// Collects the structures of a path.
struct Builder<'a> {
    snapshot: &'a Snapshot,
    places: Vec<Place>,
    numbers: Vec<Option<u32>>,
}

impl Builder<'_> {
    fn place(&mut self, structure: u32) -> u32 {
        if let Some(number) = self.numbers[structure as usize] {
            return number;
        }
        let (unit, found) = self.snapshot.place(structure);
        self.places.push(Place {
            table: unit.table,
            structure: found.id,
            kind: found.kind,
            package: unit.package.clone(),
            unit: unit.name.clone(),
            name: found.name.clone(),
        });
        let number = self.places.len() as u32 - 1;
        self.numbers[structure as usize] = Some(number);
        number
    }
}

impl fmt::Display for RootPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |i: u32| self.places.get(i as usize).map_or_else(|| "?".to_owned(), Place::to_string);
        match &self.root {
            Root::Frame { stack: 0, depth, place: i, slot } => {
                write!(f, "frame {depth} {}, slot {slot}", place(*i))?;
            }
            Root::Frame { stack, depth, place: i, slot } => {
                write!(f, "frame {depth} of stack {stack} {}, slot {slot}", place(*i))?;
            }
            Root::Global { number: 0, place: i, slot } => write!(f, "global {}, slot {slot}", place(*i))?,
            Root::Global { number, place: i, slot } => write!(f, "global {} ({number}), slot {slot}", place(*i))?,
            Root::Handle { number } => write!(f, "handle {number}")?,
        }
        for (i, step) in self.steps.iter().enumerate() {
            let hidden = self.steps.len().saturating_sub(2 * SHOWN);
            if hidden > 0 && i == SHOWN {
                write!(f, "\n  … {hidden} objects …")?;
            }
            if i < SHOWN || i >= SHOWN + hidden {
                f.write_str("\n  ")?;
                if let Some(slot) = &step.via {
                    write!(f, ".{slot} ")?;
                }
                write!(f, "→ {} {}, {} bytes", step.object, place(step.place), step.bytes)?;
                if let Some(address) = step.address {
                    write!(f, " at {address:#x}")?;
                }
            }
        }
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PathText {
    format: String,
    version: u32,
    places: Vec<PlaceText>,
    root: RootText,
    steps: Vec<StepText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceText {
    table: Text<Uuid>,
    structure: Text<Uuid>,
    kind: Text<Kind>,
    package: String,
    unit: String,
    name: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "lowercase")]
enum RootText {
    Frame {
        #[serde(default, skip_serializing_if = "is_zero")]
        stack: u32,
        depth: u32,
        place: u32,
        slot: SlotText,
    },
    Global {
        number: u32,
        place: u32,
        slot: SlotText,
    },
    Handle {
        number: u32,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SlotText {
    offset: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    via: Option<SlotText>,
    object: u32,
    place: u32,
    bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<Text<u64>>,
}

fn write_slot(slot: &Slot) -> SlotText {
    SlotText { offset: slot.offset, name: slot.name.clone() }
}

fn read_slot(slot: SlotText) -> Result<Slot, DataError> {
    if let Some(name) = &slot.name {
        check_text(name, MAX_FIELD_NAME, |name| !name.is_empty() && !name.contains(char::is_control))?;
    }
    Ok(Slot { offset: slot.offset, name: slot.name })
}

impl RootPath {
    /// The same with the names of fields, where others are known than those of whoever made the path.
    #[must_use]
    pub fn with_names(mut self, names: &Names) -> Self {
        let places = &self.places;
        let rename = |slot: &mut Slot, place: u32| {
            let fields = places.get(place as usize).and_then(|place| names.fields(place.table, place.structure));
            if let Some(name) = fields.and_then(|fields| fields.get(&slot.offset)) {
                slot.name = Some(name.clone());
            }
        };
        match &mut self.root {
            Root::Frame { place, slot, .. } | Root::Global { place, slot, .. } => rename(slot, *place),
            Root::Handle { .. } => {}
        }
        let mut holder = None;
        for step in &mut self.steps {
            if let (Some(slot), Some(place)) = (&mut step.via, holder) {
                rename(slot, place);
            }
            holder = Some(step.place);
        }
        self
    }

    /// The path as JSON, in one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.text()).unwrap_or_default()
    }

    /// The path as a value of JSON, to be part of another.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::to_value(self.text()).unwrap_or_default()
    }

    /// What is written. It has names for keys only, so writing it does not fail.
    fn text(&self) -> PathText {
        let places = self.places.iter().map(|place| PlaceText {
            table: Text(place.table),
            structure: Text(place.structure),
            kind: Text(place.kind),
            package: place.package.clone(),
            unit: place.unit.clone(),
            name: place.name.clone(),
        });
        let root = match self.root {
            Root::Frame { stack, depth, place, ref slot } => {
                RootText::Frame { stack, depth, place, slot: write_slot(slot) }
            }
            Root::Global { number, place, ref slot } => RootText::Global { number, place, slot: write_slot(slot) },
            Root::Handle { number } => RootText::Handle { number },
        };
        let steps = self.steps.iter().map(|step| StepText {
            via: step.via.as_ref().map(write_slot),
            object: step.object.0,
            place: step.place,
            bytes: step.bytes,
            address: step.address.map(Text),
        });
        let (places, steps) = (places.collect(), steps.collect());
        PathText { format: FORMAT.to_owned(), version: 1, places, root, steps }
    }

    /// Reads what [`Self::to_json`] wrote. Whether the path is true is for [`crate::check()`] to say.
    ///
    /// # Errors
    /// When it is not that; the message tells where.
    pub fn from_json(text: &[u8]) -> Result<Self, DataError> {
        let text: PathText = parse(text, FORMAT)?;
        let mut places = Vec::new();
        for (i, place) in text.places.into_iter().enumerate() {
            for name in [&place.package, &place.unit, &place.name] {
                check_text(name, MAX_NAME, |name| name.bytes().all(|byte| byte.is_ascii_graphic()))
                    .map_err(|what| what.at(format!("places[{i}]")))?;
            }
            let PlaceText { table: Text(table), structure: Text(structure), kind: Text(kind), package, unit, name } =
                place;
            places.push(Place { table, structure, kind, package, unit, name });
        }
        let root = match text.root {
            RootText::Frame { stack, depth, place, slot } => {
                Root::Frame { stack, depth, place, slot: read_slot(slot)? }
            }
            RootText::Global { number, place, slot } => Root::Global { number, place, slot: read_slot(slot)? },
            RootText::Handle { number } => Root::Handle { number },
        };
        let mut steps = Vec::new();
        for (i, StepText { via, object, place, bytes, address }) in text.steps.into_iter().enumerate() {
            let via = via.map(read_slot).transpose().map_err(|what| what.at(format!("steps[{i}].via")))?;
            let address = address.map(|Text(address)| address);
            steps.push(Step { via, object: ObjectId(object), place, bytes, address });
        }
        Ok(Self { places, root, steps })
    }
}
