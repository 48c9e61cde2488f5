//! Snapshots as JSON, and back. `docs/ironwall/explain.md` draws the format.
//!
//! What is read may come from anybody. Nothing is believed: identities are recomputed from names, every place and
//! offset is checked, and objects must be numbered in the one order, so that there is one text for each heap.

use crate::names::{read_fields, write_fields};
use crate::snapshot::{HeldHandle, Object, ObjectId, Reference, RootBlock, Snapshot, Structure, Target, Unit};
use ironwall::image::{MAX_EXTENT, MAX_NAME};
use ironwall::{Kind, Uuid};
use ironwall_format::uuid_text;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The longest text that is read.
const MAX_TEXT: usize = 1 << 30;
/// The longest heap that a runtime can have.
const MAX_HEAP: u64 = 1 << 36;
const FORMAT: &str = "ironwall-snapshot";

/// Data that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataError {
    /// The place in the text, like `units[2].table`; empty if the message has line and column.
    at: String,
    what: String,
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.at.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}", self.at, self.what)
    }
}

impl std::error::Error for DataError {}

impl DataError {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { at: String::new(), what: what.into() }
    }

    /// Says where.
    pub(crate) fn at(self, at: impl Into<String>) -> Self {
        Self { at: at.into(), ..self }
    }
}

/// A value that is written as a text.
pub(crate) struct Text<T>(pub(crate) T);

impl Serialize for Text<Uuid> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&uuid_text(self.0))
    }
}

impl<'de> Deserialize<'de> for Text<Uuid> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        read_uuid(&text).map(Text).ok_or_else(|| D::Error::custom(format!("{text:?} is no UUID in lower case")))
    }
}

/// A number that not every reader of JSON can hold.
impl Serialize for Text<u64> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:#x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Text<u64> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let number = number.filter(|number| format!("{number:#x}") == text);
        number.map(Text).ok_or_else(|| D::Error::custom(format!("{text:?} is no number like 0x7f00")))
    }
}

impl Serialize for Text<Kind> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(kind_text(self.0))
    }
}

impl<'de> Deserialize<'de> for Text<Kind> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let kind = [Kind::Heap, Kind::Frame, Kind::Global].into_iter().find(|&kind| kind_text(kind) == text);
        kind.map(Text).ok_or_else(|| D::Error::custom(format!("{text:?} is no kind of structure")))
    }
}

/// A kind as it is written.
pub(crate) fn kind_text(kind: Kind) -> &'static str {
    match kind {
        Kind::Heap => "heap",
        Kind::Frame => "frame",
        Kind::Global => "global",
    }
}

fn read_uuid(text: &str) -> Option<Uuid> {
    let digits: Vec<u8> = text.bytes().filter(|&byte| byte != b'-').collect();
    let mut uuid = Uuid::NIL;
    for (byte, digits) in uuid.0.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    (uuid_text(uuid) == text).then_some(uuid)
}

#[derive(Deserialize)]
struct Header {
    format: String,
    version: u32,
}

/// Reads a text of a format, of version 1.
pub(crate) fn parse<T: DeserializeOwned>(text: &[u8], format: &str) -> Result<T, DataError> {
    if text.len() > MAX_TEXT {
        return Err(DataError::new(format!("{} bytes are more than {MAX_TEXT}", text.len())));
    }
    let header: Header = serde_json::from_slice(text).map_err(|error| DataError::new(error.to_string()))?;
    if header.format != format {
        return Err(DataError::new(format!("the format is {:?} and not {format:?}", header.format)).at("format"));
    }
    if header.version != 1 {
        return Err(DataError::new(format!("version {} is not known", header.version)).at("version"));
    }
    serde_json::from_slice(text).map_err(|error| DataError::new(error.to_string()))
}

/// Checks a text that will be shown.
pub(crate) fn check_text(text: &str, max: usize, is_right: fn(&str) -> bool) -> Result<(), DataError> {
    if text.len() > max {
        return Err(DataError::new(format!("a name of {} bytes is longer than {max}", text.len())));
    }
    if is_right(text) { Ok(()) } else { Err(DataError::new(format!("{text:?} is no name"))) }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SnapshotText {
    format: String,
    version: u32,
    collections: u64,
    heap: Option<(Text<u64>, u64)>,
    units: Vec<UnitText>,
    frames: Vec<RootText>,
    globals: Vec<RootText>,
    /// Number and target.
    handles: Vec<(u32, i64)>,
    /// Structure, bytes, place in the heap, slots.
    objects: Vec<(u32, u64, Option<u64>, Slots)>,
}

/// Offset, target, offset, target and so on. A target is the number of an object, or -1 for the first global block,
/// -2 for the second and so on.
type Slots = Vec<i64>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitText {
    table: Text<Uuid>,
    package: String,
    unit: String,
    structures: Vec<StructureText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StructureText {
    id: Text<Uuid>,
    kind: Text<Kind>,
    name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fields: Vec<(u32, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RootText {
    structure: u32,
    /// Of a frame, if it is another than the one that calls use.
    #[serde(default, skip_serializing_if = "is_zero")]
    stack: u32,
    address: Option<Text<u64>>,
    slots: Slots,
}

impl Snapshot {
    /// The snapshot as JSON, in one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        let base = self.heap.as_ref().map_or(0, |heap| heap.start);
        let root = |block: &RootBlock| RootText {
            structure: block.structure,
            stack: block.stack,
            address: block.address.map(Text),
            slots: write_slots(&block.references),
        };
        let object = |(object, id): (&Object, u32)| {
            let place = object.address.map(|address| address.wrapping_sub(base));
            (object.structure, object.bytes, place, write_slots(self.references(ObjectId(id))))
        };
        let text = SnapshotText {
            format: FORMAT.to_owned(),
            version: 1,
            collections: self.collections,
            heap: self.heap.as_ref().map(|heap| (Text(heap.start), heap.end - heap.start)),
            units: self.units.iter().zip(0..).map(|(unit, i)| self.unit_text(unit, i)).collect(),
            frames: self.frames.iter().map(root).collect(),
            globals: self.globals.iter().map(root).collect(),
            handles: self.handles.iter().map(|handle| (handle.number, write_target(handle.to))).collect(),
            objects: self.objects.iter().zip(0..).map(object).collect(),
        };
        serde_json::to_string(&text).unwrap_or_default()
    }

    fn unit_text(&self, unit: &Unit, number: u32) -> UnitText {
        let structures = self.structures.iter().filter(|structure| structure.unit == number);
        let structures = structures.map(|structure| StructureText {
            id: Text(structure.id),
            kind: Text(structure.kind),
            name: structure.name.clone(),
            fields: write_fields(&structure.fields),
        });
        let (package, name) = (unit.package.clone(), unit.name.clone());
        UnitText { table: Text(unit.table), package, unit: name, structures: structures.collect() }
    }

    /// Reads what [`Self::to_json`] wrote.
    ///
    /// # Errors
    /// When it is not that; the message tells where.
    pub fn from_json(text: &[u8]) -> Result<Self, DataError> {
        let text: SnapshotText = parse(text, FORMAT)?;
        let mut snapshot = Self { collections: text.collections, ..Self::default() };
        if let Some((Text(start), len)) = text.heap {
            let end = start.checked_add(len).filter(|_| len <= MAX_HEAP);
            let end = end.ok_or_else(|| DataError::new(format!("{len} bytes are too many")).at("heap"))?;
            snapshot.heap = Some(start..end);
        }
        for (i, unit) in text.units.into_iter().enumerate() {
            snapshot.read_unit(unit).map_err(|what| what.at_front(&format!("units[{i}]")))?;
        }
        let counts = (text.objects.len(), text.globals.len());
        if u32::try_from(counts.0).is_err() || u32::try_from(counts.1).is_err() {
            return Err(DataError::new("there are too many").at("objects"));
        }
        let (mut stack, mut below) = (0, 0);
        for (i, frame) in text.frames.into_iter().enumerate() {
            let at = || format!("frames[{i}]");
            let frame = snapshot.read_root(frame, Kind::Frame, counts).map_err(|what| what.at(at()))?;
            if frame.stack < stack {
                return Err(DataError::new("the frames are not in the order of their stacks").at(at()));
            }
            if frame.stack > stack {
                (stack, below) = (frame.stack, 0);
            }
            if frame.address.is_some_and(|address| address <= below) {
                return Err(DataError::new("the frame is not above the one before").at(at()));
            }
            below = frame.address.unwrap_or(below);
            snapshot.frames.push(frame);
        }
        for (i, global) in text.globals.into_iter().enumerate() {
            let at = || format!("globals[{i}]");
            let global = snapshot.read_root(global, Kind::Global, counts).map_err(|what| what.at(at()))?;
            if snapshot.globals.last().is_some_and(|last| last.structure > global.structure) {
                return Err(DataError::new("global blocks are not in the order of their structures").at(at()));
            }
            snapshot.globals.push(global);
        }
        for (i, (number, target)) in text.handles.into_iter().enumerate() {
            let at = || format!("handles[{i}]");
            if snapshot.handles.last().is_some_and(|last| last.number >= number) {
                return Err(DataError::new("the numbers are not ascending").at(at()));
            }
            let to = read_target(target, counts).map_err(|what| what.at(at()))?;
            snapshot.handles.push(HeldHandle { number, to });
        }
        for (i, object) in text.objects.into_iter().enumerate() {
            snapshot.read_object(object, counts).map_err(|what| what.at(format!("objects[{i}]")))?;
        }
        snapshot.check_order()?;
        Ok(snapshot)
    }

    fn read_unit(&mut self, text: UnitText) -> Result<(), DataError> {
        let UnitText { table: Text(table), package, unit: name, structures } = text;
        for name in [&package, &name] {
            check_text(name, MAX_NAME, is_name)?;
        }
        if table != Uuid::of_table(package.as_bytes(), name.as_bytes()) {
            return Err(DataError::new("the UUID is not that of the names").at("table"));
        }
        if self.units.last().is_some_and(|last| last.table >= table) {
            return Err(DataError::new("the units are not in ascending order").at("table"));
        }
        let (unit, mut last) = (self.units.len() as u32, Uuid::NIL);
        for (i, StructureText { id: Text(id), kind: Text(kind), name, fields }) in structures.into_iter().enumerate() {
            let at = || format!("structures[{i}]");
            check_text(&name, MAX_NAME, is_name).map_err(|what| what.at(at()))?;
            if id != Uuid::of_struct(table, kind, name.as_bytes()) {
                return Err(DataError::new("the UUID is not that of the names").at(at()));
            }
            if last >= id {
                return Err(DataError::new("the structures are not in ascending order").at(at()));
            }
            last = id;
            let fields = read_fields(fields).map_err(|what| what.at(at()))?;
            self.structures.push(Structure { unit, id, kind, name, fields });
        }
        self.units.push(Unit { table, package, name });
        Ok(())
    }

    fn check_kind(&self, structure: u32, kind: Kind) -> Result<(), DataError> {
        match self.structures.get(structure as usize) {
            None => Err(DataError::new(format!("there is no structure {structure}"))),
            Some(found) if found.kind != kind => {
                Err(DataError::new(format!("structure {structure} describes a {}", kind_text(found.kind))))
            }
            Some(_) => Ok(()),
        }
    }

    fn read_root(&self, text: RootText, kind: Kind, counts: (usize, usize)) -> Result<RootBlock, DataError> {
        let RootText { structure, stack, address, slots } = text;
        self.check_kind(structure, kind)?;
        if stack != 0 && kind == Kind::Global {
            return Err(DataError::new("a global block is in no stack"));
        }
        let mut references = Vec::new();
        read_slots(&slots, MAX_EXTENT, counts, &mut references)?;
        Ok(RootBlock { structure, stack, address: address.map(|Text(address)| address), references })
    }

    fn read_object(
        &mut self,
        (structure, bytes, place, slots): (u32, u64, Option<u64>, Slots),
        counts: (usize, usize),
    ) -> Result<(), DataError> {
        self.check_kind(structure, Kind::Heap)?;
        if bytes > MAX_EXTENT {
            return Err(DataError::new(format!("{bytes} bytes are more than an object can have")));
        }
        let address = match (place, &self.heap) {
            (None, _) => None,
            (Some(_), None) => return Err(DataError::new("an object has a place, and the heap has none")),
            (Some(place), Some(heap)) => {
                let end = place.checked_add(32 + bytes).filter(|&end| end <= heap.end - heap.start);
                end.filter(|_| place % 16 == 0).ok_or_else(|| DataError::new("the object is not in the heap"))?;
                Some(heap.start + place)
            }
        };
        read_slots(&slots, bytes, counts, &mut self.references)?;
        self.objects.push(Object { structure, bytes, address });
        self.ends.push(self.references.len());
        Ok(())
    }

    /// That the objects that roots lead to have the numbers that a walk gives them, and the others come by address;
    /// that no two objects overlap.
    fn check_order(&self) -> Result<(), DataError> {
        let order = self.reachable();
        if let Some((i, found)) = order.iter().enumerate().find(|(i, object)| object.0 as usize != *i) {
            return Err(DataError::new(format!("object {found} should have the number {i}")).at("objects"));
        }
        let rest = &self.objects[order.len()..];
        if !rest.is_sorted_by_key(|object| object.address) {
            return Err(DataError::new("objects that no root leads to are not in the order of addresses").at("objects"));
        }
        let mut places: Vec<(u64, u64)> =
            self.objects.iter().filter_map(|object| Some((object.address?, 32 + object.bytes))).collect();
        if !places.is_empty() && places.len() != self.objects.len() {
            return Err(DataError::new("some objects have a place and some have none").at("objects"));
        }
        places.sort_unstable();
        match places.windows(2).find(|pair| pair[0].0 + pair[0].1 > pair[1].0) {
            Some(pair) => {
                Err(DataError::new(format!("the object at {:#x} overlaps the next", pair[0].0)).at("objects"))
            }
            None => Ok(()),
        }
    }
}

impl DataError {
    /// Says where the place is that is told.
    fn at_front(self, at: &str) -> Self {
        let at = if self.at.is_empty() { at.to_owned() } else { format!("{at}.{}", self.at) };
        Self { at, ..self }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
pub(crate) fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn write_target(to: Target) -> i64 {
    match to {
        Target::Object(object) => i64::from(object.0),
        Target::Global(global) => -1 - i64::from(global),
    }
}

fn write_slots(references: &[Reference]) -> Slots {
    references.iter().flat_map(|slot| [i64::from(slot.offset), write_target(slot.to)]).collect()
}

fn read_target(target: i64, (objects, globals): (usize, usize)) -> Result<Target, DataError> {
    let missing = || DataError::new(format!("there is no target {target}"));
    if target >= 0 {
        let id = u32::try_from(target).ok().filter(|&id| (id as usize) < objects);
        id.map(|id| Target::Object(ObjectId(id))).ok_or_else(missing)
    } else {
        let global = u32::try_from(!target).ok().filter(|&global| (global as usize) < globals);
        global.map(Target::Global).ok_or_else(missing)
    }
}

fn read_slots(slots: &[i64], bytes: u64, counts: (usize, usize), list: &mut Vec<Reference>) -> Result<(), DataError> {
    let (pairs, rest) = slots.as_chunks();
    if !rest.is_empty() {
        return Err(DataError::new("a slot has no target"));
    }
    let mut next = 0;
    for &[offset, target] in pairs {
        if offset < next || offset % 8 != 0 || offset >= bytes as i64 {
            return Err(DataError::new(format!("{offset} is no offset of a slot here")));
        }
        next = offset + 8;
        list.push(Reference { offset: offset as u32, to: read_target(target, counts)? });
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}
