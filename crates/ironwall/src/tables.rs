//! The collections of tables and global blocks: the only source of identity, layout and global roots.
//!
//! A unit's image is verified whole before anything of it is taken in. Entries are found through one index, sorted
//! by `tag1`, `tag3`, `tag2`, so neither the order of attaching nor that of memory has any influence.

use crate::carve::{Carver, List, words_of};
use crate::class::{class_of, slot_of};
use crate::error::{FaultCode, Refusal};
use crate::id::{Kind, Uuid};
use crate::image::{Entry, Image, Tail, slots};
use crate::region::Region;
use crate::tag::{self, Tags};
use core::cell::Cell;

/// The number of a unit in a runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitId(pub(crate) u32);

/// The number of an attached entry in a runtime. Zero is never one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct EntryId(pub(crate) u32);

impl EntryId {
    /// The number that compiled code uses.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The entry with a number; calls refuse one that names none.
    pub fn from_number(number: u32) -> Self {
        Self(number)
    }
}

/// How far a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Attached,
    Linked,
    Started,
    Detached,
}

/// An attached table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<'m> {
    pub(crate) image: Image<'m>,
    pub(crate) first_shape: u32,
    pub(crate) state: State,
    /// Its place in the order of initialisation, once linked.
    position: u32,
}

impl<'m> Table<'m> {
    /// The entry of a shape of this table.
    fn entry(&self, shape: u32) -> Entry<'m> {
        self.image.entry((shape - self.first_shape) as usize)
    }
}

/// An attached entry, as allocation and marking need it. The first 40 bytes are known to C.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct Shape {
    pub(crate) tags: Tags,
    /// The fixed part of the payload in bytes.
    pub(crate) fixed: u64,
    /// The slot of an object without a tail, and its class; zeros if allocation has to take the slow path.
    pub(crate) slot: u32,
    pub(crate) class: u32,
    /// Which of the first 64 words are references.
    pub(crate) mask: u64,
    /// All references, if the mask does not hold them, in the pool of offsets.
    pub(crate) first_offset: u32,
    pub(crate) offset_count: u32,
    pub(crate) table: u32,
    pub(crate) element: u32,
    pub(crate) kind: Kind,
    pub(crate) tail: Tail,
    pub(crate) has_odd_words: bool,
}

impl Shape {
    /// Whether an object of this shape may have this extent.
    #[inline]
    pub(crate) fn allows(&self, extent: u64) -> bool {
        extent == self.fixed || self.tail != Tail::None && self.allows_tail(extent)
    }

    #[cold]
    fn allows_tail(&self, extent: u64) -> bool {
        let tail = extent.wrapping_sub(self.fixed);
        extent <= crate::image::MAX_EXTENT && tail <= extent && tail.is_multiple_of(u64::from(self.element.max(1)))
    }
}

/// A global block.
#[derive(Debug)]
pub(crate) struct Global<'m> {
    pub(crate) region: Region<'m>,
    pub(crate) shape: u32,
}

/// How much the collections hold.
#[derive(Clone, Copy, Debug)]
pub struct TableLimits {
    /// Tables.
    pub tables: usize,
    /// Entries of all tables.
    pub entries: usize,
    /// Slot offsets of all entries.
    pub offsets: usize,
    /// Global blocks.
    pub globals: usize,
}

impl TableLimits {
    /// The words of bookkeeping memory that they take.
    pub(crate) fn words(&self) -> usize {
        words_of::<Table<'_>>(self.tables)
            .saturating_add(words_of::<Shape>(self.entries.saturating_add(1)))
            .saturating_add(words_of::<Global<'_>>(self.globals))
            .saturating_add(words_of::<u32>(self.tables))
            .saturating_add(words_of::<u32>(self.entries))
            .saturating_add(words_of::<u32>(self.offsets))
    }
}

/// The collections.
#[derive(Debug)]
pub(crate) struct Tables<'m> {
    tables: List<'m, Table<'m>>,
    /// Tables by UUID.
    order: List<'m, u32>,
    /// The first is no entry.
    pub(crate) shapes: List<'m, Shape>,
    /// Shapes by tags.
    index: List<'m, u32>,
    pub(crate) offsets: List<'m, u32>,
    globals: List<'m, Global<'m>>,
    /// How often tags were looked up.
    pub(crate) lookups: Cell<u64>,
}

impl<'m> Tables<'m> {
    pub(crate) fn new(limits: &TableLimits, carver: &mut Carver<'m>) -> Option<Self> {
        let none = Table { image: Image::EMPTY, first_shape: 0, state: State::Attached, position: u32::MAX };
        let no_shape = || Shape { table: u32::MAX, ..Shape::default() };
        let no_global = || Global { region: Region::EMPTY, shape: 0 };
        let mut shapes = List::new(carver.filled(limits.entries.saturating_add(1), no_shape)?);
        shapes.push(no_shape());
        Some(Self {
            tables: List::new(carver.filled(limits.tables, || none)?),
            shapes,
            globals: List::new(carver.filled(limits.globals, no_global)?),
            order: List::new(carver.halves(limits.tables)?),
            index: List::new(carver.halves(limits.entries)?),
            offsets: List::new(carver.halves(limits.offsets)?),
            lookups: Cell::new(0),
        })
    }

    /// Takes a unit's table and global blocks into the collections; all or nothing.
    pub(crate) fn attach(
        &mut self,
        bytes: &'m [u8],
        mut globals: impl Iterator<Item = Region<'m>>,
    ) -> Result<UnitId, Refusal> {
        let image = Image::verify(bytes).map_err(|(rule, offset)| Refusal::Image(rule, offset))?;
        let place = match self.find_table(image.table()) {
            Ok(_) => return Err(Refusal::DuplicateTable),
            Err(place) => place,
        };
        let has_room = self.tables.has_room(1)
            && self.shapes.has_room(image.entry_count())
            && self.offsets.has_room(image.offset_count());
        if !has_room {
            return Err(Refusal::TooManyTables);
        }
        if (0..image.entry_count()).any(|i| self.find(image.entry(i).tags).is_ok()) {
            return Err(Refusal::TagsTaken);
        }
        let (table, first_shape, old_globals) =
            (self.tables.len() as u32, self.shapes.len() as u32, self.globals.len());
        let added = globals.try_for_each(|region| {
            let entry = global_entry(&image, &region).ok_or(Refusal::BadGlobal)?;
            let room = self.globals.has_room(1).then_some(()).ok_or(Refusal::TooManyTables);
            room.map(|()| self.globals.push(Global { region, shape: first_shape + entry as u32 }))
        });
        added.inspect_err(|_| self.globals.truncate(old_globals))?;
        for i in 0..image.entry_count() {
            self.add_shape(table, &image.entry(i));
        }
        self.tables.push(Table { image, first_shape, state: State::Attached, position: u32::MAX });
        self.order.insert(place, table);
        Ok(UnitId(table))
    }

    /// Compares every used structure with the one that is there, and puts the units in order of initialisation:
    /// imports first, then by UUID.
    pub(crate) fn link(&mut self) -> Result<(), Refusal> {
        for (_, table) in self.units() {
            (0..table.image.use_count()).try_for_each(|i| self.check_use(&table.image.using(i)))?;
        }
        let mut position = self.units().filter(|(_, table)| table.state != State::Attached).count();
        while position < self.tables.len() {
            let next = self.units().find(|(_, table)| {
                table.state == State::Attached && table.position == u32::MAX && self.imports_have_positions(table)
            });
            let Some(unit) = next.map(|(unit, _)| unit) else {
                let attached = self.tables.iter_mut().filter(|table| table.state == State::Attached);
                attached.for_each(|table| table.position = u32::MAX);
                return Err(Refusal::ImportCycle);
            };
            self.tables[unit.0 as usize].position = position as u32;
            position += 1;
        }
        let attached = self.tables.iter_mut().filter(|table| table.state == State::Attached);
        attached.for_each(|table| table.state = State::Linked);
        Ok(())
    }

    /// The linked unit whose body is the next to run.
    pub(crate) fn next_unit(&self) -> Option<UnitId> {
        let waiting = self.units().filter(|(_, table)| table.state == State::Linked);
        waiting.min_by_key(|(_, table)| table.position).map(|(unit, _)| unit)
    }

    /// Lets a unit allocate, as its body begins.
    pub(crate) fn start(&mut self, unit: UnitId) -> Result<(), Refusal> {
        match self.table(unit).map(|table| table.state) {
            None | Some(State::Attached | State::Detached) => return Err(Refusal::UnitNotAttached),
            Some(State::Started) => return Err(Refusal::InitTwice),
            Some(State::Linked) if self.next_unit() != Some(unit) => return Err(Refusal::InitOutOfOrder),
            Some(State::Linked) => {}
        }
        self.tables[unit.0 as usize].state = State::Started;
        for shape in self.shapes.iter_mut() {
            if shape.table == unit.0 && shape.kind == Kind::Heap && shape.tail == Tail::None {
                let class = class_of(32 + shape.fixed as usize);
                (shape.class, shape.slot) = (class as u32, slot_of(class) as u32);
            }
        }
        Ok(())
    }

    /// The entry that a block's tags name, by the order of the specification: confirmation, table, entry, kind.
    pub(crate) fn lookup(&self, tags: Tags, kind: Kind) -> Result<u32, FaultCode> {
        if !tag::is_confirmed(tags.tag1) {
            return Err(FaultCode::Tag1Confirm);
        }
        self.lookups.set(self.lookups.get() + 1);
        let shape = self.find(tags)?;
        if self.shapes[shape as usize].kind == kind { Ok(shape) } else { Err(FaultCode::KindWrong) }
    }

    fn find(&self, tags: Tags) -> Result<u32, FaultCode> {
        let at = |&shape: &u32| self.shapes[shape as usize].tags;
        let index = equal_range(&self.index, |shape| at(shape).tag1.cmp(&tags.tag1)).ok_or(FaultCode::Tag1Unknown)?;
        let index = equal_range(index, |shape| at(shape).tag3.cmp(&tags.tag3)).ok_or(FaultCode::Tag3Wrong)?;
        let index = equal_range(index, |shape| at(shape).tag2.cmp(&tags.tag2)).ok_or(FaultCode::Tag2Wrong)?;
        index.first().copied().filter(|&shape| self.is_attached(shape)).ok_or(FaultCode::Tag2Wrong)
    }

    /// Takes a table and its global blocks out. Its objects become damage; for tests of what is authoritative.
    pub(crate) fn detach(&mut self, unit: UnitId) {
        self.tables[unit.0 as usize].state = State::Detached;
    }

    fn is_attached(&self, shape: u32) -> bool {
        self.table(UnitId(self.shapes[shape as usize].table)).is_some_and(|table| table.state != State::Detached)
    }

    pub(crate) fn table(&self, unit: UnitId) -> Option<&Table<'m>> {
        self.tables.get(unit.0 as usize)
    }

    /// The units in the order of their tables' UUIDs.
    pub(crate) fn units(&self) -> impl Iterator<Item = (UnitId, &Table<'m>)> {
        self.order.iter().map(|&table| (UnitId(table), &self.tables[table as usize]))
    }

    pub(crate) fn globals(&self) -> impl Iterator<Item = &Global<'m>> {
        self.globals.iter().filter(|global| self.is_attached(global.shape))
    }

    /// The identities of a shape, for records.
    pub(crate) fn identity(&self, shape: u32) -> (Uuid, Uuid) {
        let table = self.table(UnitId(self.shapes[shape as usize].table));
        table.map_or((Uuid::NIL, Uuid::NIL), |table| (table.image.table(), table.entry(shape).id))
    }

    /// The entry with an identity.
    pub(crate) fn entry(&self, table: Uuid, structure: Uuid) -> Option<EntryId> {
        self.find(Tags::new(table, structure)).ok().filter(|&shape| self.identity(shape).1 == structure).map(EntryId)
    }

    fn find_table(&self, id: Uuid) -> Result<usize, usize> {
        self.order.binary_search_by_key(&id, |&table| self.tables[table as usize].image.table())
    }

    fn check_use(&self, using: &crate::image::Use) -> Result<(), Refusal> {
        let found = self.find_table(using.table).map_err(|_| Refusal::MissingImport)?;
        if using.structure == Uuid::NIL {
            return Ok(());
        }
        let table = &self.tables[self.order[found] as usize];
        let shape = self.entry(using.table, using.structure).ok_or(Refusal::MissingImport)?;
        if table.entry(shape.0).layout == using.layout { Ok(()) } else { Err(Refusal::LayoutMismatch) }
    }

    fn imports_have_positions(&self, table: &Table<'_>) -> bool {
        (0..table.image.use_count()).all(|i| {
            let id = table.image.using(i).table;
            id == table.image.table()
                || self.find_table(id).is_ok_and(|at| self.tables[self.order[at] as usize].position != u32::MAX)
        })
    }

    fn add_shape(&mut self, table: u32, entry: &Entry<'m>) {
        let (first_offset, mut mask) = (self.offsets.len(), 0u64);
        for slot in slots(entry.offsets) {
            self.offsets.push(slot);
            mask |= 1u64.checked_shl(slot / 8).unwrap_or(0);
        }
        let count = (self.offsets.len() - first_offset) as u32;
        let (mask, offset_count) = if mask.count_ones() == count { (mask, 0) } else { (0, count) };
        let key = |tags: Tags| (tags.tag1, tags.tag3, tags.tag2);
        let place = self.index.partition_point(|&shape| key(self.shapes[shape as usize].tags) < key(entry.tags));
        self.index.insert(place, self.shapes.len() as u32);
        self.shapes.push(Shape {
            tags: entry.tags,
            fixed: u64::from(entry.fixed),
            mask,
            first_offset: first_offset as u32,
            offset_count,
            table,
            element: entry.element,
            kind: entry.kind,
            tail: entry.tail,
            has_odd_words: entry.has_odd_words,
            ..Shape::default()
        });
    }
}

/// The entry of a global block, if the block has the tags of a global of this image and the room.
fn global_entry(image: &Image<'_>, region: &Region<'_>) -> Option<usize> {
    let [tag1, tag2, tag3, extent] = region.load_words(0);
    let entry = (0..image.entry_count()).find(|&i| image.entry(i).tags == Tags { tag1, tag2, tag3 })?;
    let fixed = u64::from(image.entry(entry).fixed);
    let fits = image.entry(entry).kind == Kind::Global && extent == fixed && region.byte_len() as u64 >= 32 + fixed;
    (fits && region.address(0).is_multiple_of(16)).then_some(entry)
}

/// The elements that a comparison calls equal, of elements that it sorts; `None` if there are none.
fn equal_range(sorted: &[u32], compare: impl Fn(&u32) -> core::cmp::Ordering) -> Option<&[u32]> {
    let start = sorted.partition_point(|shape| compare(shape).is_lt());
    let end = start + sorted[start..].partition_point(|shape| compare(shape).is_eq());
    (start < end).then(|| &sorted[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ironwall_format::describe::Description;
    use std::format;
    use std::vec::Vec;

    fn image(unit: &str) -> Vec<u8> {
        let structure = r#"{"kind": "heap", "name": "S", "fields": [{"name": "next", "type": "ref"}]}"#;
        let text = format!(r#"{{"package": "p", "unit": "{unit}", "structures": [{structure}]}}"#);
        Description::parse(text.as_bytes()).expect("a description").image().expect("an image")
    }

    /// No two names are known that have all three tags in common, so one entry gets the other's here.
    #[test]
    fn r7_2_e_an_entry_whose_three_tags_are_taken_is_refused() {
        let (one, two) = (image("one"), image("two"));
        let limits = TableLimits { tables: 2, entries: 2, offsets: 2, globals: 0 };
        let mut words = std::vec![0; limits.words() + 8];
        let mut tables = Tables::new(&limits, &mut Carver::new(&mut words)).expect("room");
        let unit = tables.attach(&one, core::iter::empty()).expect("attached");
        let own = tables.shapes[1].tags;
        tables.shapes[1].tags = Image::verify(&two).expect("an image").entry(0).tags;
        assert_eq!(tables.attach(&two, core::iter::empty()), Err(Refusal::TagsTaken));
        assert_eq!(tables.units().map(|(unit, _)| unit).collect::<Vec<_>>(), [unit], "nothing is attached");
        tables.shapes[1].tags = own;
        assert!(tables.attach(&two, core::iter::empty()).is_ok());
    }
}
