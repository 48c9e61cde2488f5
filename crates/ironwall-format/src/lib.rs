//! Makes the table images that the Ironwall runtime reads.
//!
//! A compiler fills a [`Table`] and emits the bytes of [`Table::image`] as a constant. The same table gives the same
//! bytes wherever it is built. Nothing here is trusted: the runtime recomputes every hash when it attaches an image.

//! [`describe`] makes one from a description in JSON, with a header and a source in C.

#![forbid(unsafe_code)]

pub mod describe;

mod c_source;

pub use c_source::CFiles;

use ironwall::image::{
    ENTRY_LEN, Entry, FLAG_ODD_WORDS, HEADER_LEN, MAGIC, MAX_LEN, MAX_NAME, Tail, USE_LEN, Use, VERSION, layout_digest,
};
use ironwall::sha256::Sha256;
use ironwall::tag::Tags;
use ironwall::{Kind, Uuid};
use std::fmt;

/// A table: the structures of one unit.
#[derive(Clone, Debug, Default)]
pub struct Table {
    package: String,
    unit: String,
    structures: Vec<Structure>,
    uses: Vec<Use>,
}

/// One structure.
#[derive(Clone, Debug)]
pub struct Structure {
    name: String,
    kind: Kind,
    fixed: u32,
    slots: Vec<u32>,
    tail: Tail,
    element: u32,
    has_odd_words: bool,
    fields: Vec<(u32, String)>,
}

impl Structure {
    /// A structure with a payload of `fixed` bytes and references at these offsets of it.
    #[must_use]
    pub fn new(kind: Kind, name: &str, fixed: u32, slots: &[u32]) -> Self {
        let (name, slots) = (name.to_owned(), slots.to_owned());
        Self { name, kind, fixed, slots, tail: Tail::None, element: 0, has_odd_words: false, fields: Vec::new() }
    }

    /// A structure of `count` references and nothing else.
    #[must_use]
    pub fn of_slots(kind: Kind, name: &str, count: u32) -> Self {
        let slots: Vec<u32> = (0..count).map(|i| i * 8).collect();
        Self::new(kind, name, count * 8, &slots)
    }

    /// Adds a tail of elements without references, of `element` bytes each.
    #[must_use]
    pub fn with_bytes(self, element: u32) -> Self {
        Self { tail: Tail::Plain, element, ..self }
    }

    /// Adds a tail of references.
    #[must_use]
    pub fn with_references(self) -> Self {
        Self { tail: Tail::References, element: 8, ..self }
    }

    /// Lets slots hold odd words, which are no references.
    #[must_use]
    pub fn with_odd_words(self) -> Self {
        Self { has_odd_words: true, ..self }
    }

    /// Names the field at an offset of the payload, for people. It is no part of the image or of the layout.
    #[must_use]
    pub fn with_field(mut self, offset: u32, name: &str) -> Self {
        self.fields.push((offset, name.to_owned()));
        self
    }

    /// The digest of the layout.
    #[must_use]
    pub fn layout(&self) -> [u8; 32] {
        layout_digest(&self.entry(Uuid::NIL, &self.offset_bytes()))
    }

    fn offset_bytes(&self) -> Vec<u8> {
        self.slots.iter().flat_map(|slot| slot.to_le_bytes()).collect()
    }

    fn entry<'a>(&'a self, table: Uuid, offsets: &'a [u8]) -> Entry<'a> {
        let id = Uuid::of_struct(table, self.kind, self.name.as_bytes());
        Entry {
            id,
            tags: Tags::new(table, id),
            kind: self.kind,
            has_odd_words: self.has_odd_words,
            tail: self.tail,
            element: self.element,
            fixed: self.fixed,
            layout: [0; 32],
            offsets,
            name: self.name.as_bytes(),
        }
    }
}

impl Table {
    /// The empty table of a unit in a package.
    #[must_use]
    pub fn new(package: &str, unit: &str) -> Self {
        Self { package: package.to_owned(), unit: unit.to_owned(), ..Self::default() }
    }

    /// Adds a structure.
    #[must_use]
    pub fn with(mut self, structure: Structure) -> Self {
        self.structures.push(structure);
        self
    }

    /// Says that the unit needs another to be initialised before it.
    #[must_use]
    pub fn importing(mut self, other: &Table) -> Self {
        self.uses.push(Use { table: other.id(), structure: Uuid::NIL, layout: [0; 32] });
        self
    }

    /// Says that the unit was compiled for a structure of another as it is in `other`; nothing if it is not there.
    #[must_use]
    pub fn using(mut self, other: &Table, kind: Kind, name: &str) -> Self {
        let found = other.structures.iter().find(|structure| structure.kind == kind && structure.name == name);
        if let Some(structure) = found {
            let id = other.structure_id(kind, name);
            self.uses.push(Use { table: other.id(), structure: id, layout: structure.layout() });
        }
        self
    }

    /// The table's identity.
    #[must_use]
    pub fn id(&self) -> Uuid {
        Uuid::of_table(self.package.as_bytes(), self.unit.as_bytes())
    }

    /// The identity of a structure of this table.
    #[must_use]
    pub fn structure_id(&self, kind: Kind, name: &str) -> Uuid {
        Uuid::of_struct(self.id(), kind, name.as_bytes())
    }

    /// The named fields: the structure, the offset in the payload, the name.
    pub fn fields(&self) -> impl Iterator<Item = (Uuid, u32, &str)> {
        self.structures.iter().flat_map(|structure| {
            let id = self.structure_id(structure.kind, &structure.name);
            structure.fields.iter().map(move |(offset, name)| (id, *offset, name.as_str()))
        })
    }

    /// The prefix of a global block: its tags and its extent.
    #[must_use]
    pub fn prefix(&self, structure: &Structure) -> [u64; 4] {
        let Tags { tag1, tag2, tag3 } = Tags::new(self.id(), self.structure_id(structure.kind, &structure.name));
        [tag1, tag2, tag3, u64::from(structure.fixed)]
    }

    /// The bytes of the image.
    ///
    /// # Errors
    /// When a name is too long for the format, or there is too much of everything.
    pub fn image(&self) -> Result<Vec<u8>, TooLong> {
        let names = self.structures.iter().map(|structure| &structure.name).chain([&self.package, &self.unit]);
        if let Some(name) = names.clone().find(|name| name.len() > MAX_NAME) {
            return Err(TooLong(name.clone()));
        }
        let mut structures: Vec<&Structure> = self.structures.iter().collect();
        structures.sort_by_key(|structure| self.structure_id(structure.kind, &structure.name));
        let mut uses = self.uses.clone();
        uses.sort_by_key(|using| (using.table, using.structure));

        let mut body = Vec::new();
        let (mut offsets, mut names) = (Vec::new(), Vec::from(self.package.as_bytes()));
        names.extend_from_slice(self.unit.as_bytes());
        for structure in structures {
            self.write_entry(structure, &mut body, &mut offsets, &mut names);
        }
        let entries = body.len() / ENTRY_LEN;
        for using in &uses {
            body.extend_from_slice(&using.table.0);
            body.extend_from_slice(&using.structure.0);
            body.extend_from_slice(&using.layout);
        }
        debug_assert_eq!(body.len(), entries * ENTRY_LEN + uses.len() * USE_LEN);
        body.extend_from_slice(&offsets);
        body.extend_from_slice(&names);
        body.resize(body.len().next_multiple_of(8), 0);

        let total = HEADER_LEN + body.len() + 32;
        if total > MAX_LEN {
            return Err(TooLong(self.unit.clone()));
        }
        let mut image = Vec::from(MAGIC);
        image.extend_from_slice(&VERSION);
        let name_lens = self.package.len() | self.unit.len() << 16;
        // The counts fit because the whole does.
        for count in [total, entries, offsets.len() / 4, uses.len(), names.len(), name_lens] {
            image.extend_from_slice(&(count as u32).to_le_bytes());
        }
        image.extend_from_slice(&self.id().0);
        image.resize(HEADER_LEN, 0);
        image.extend_from_slice(&body);
        let digest = Sha256::digest(&image);
        image.extend_from_slice(&digest);
        Ok(image)
    }

    fn write_entry(&self, structure: &Structure, body: &mut Vec<u8>, offsets: &mut Vec<u8>, names: &mut Vec<u8>) {
        let slots = structure.offset_bytes();
        let entry = structure.entry(self.id(), &slots);
        body.extend_from_slice(&entry.id.0);
        body.extend_from_slice(&entry.tags.tag1.to_le_bytes());
        body.extend_from_slice(&entry.tags.tag2.to_le_bytes());
        body.extend_from_slice(&structure.layout());
        let flags = if entry.has_odd_words { FLAG_ODD_WORDS } else { 0 };
        body.extend_from_slice(&[entry.kind as u8, flags, entry.tail as u8, 0]);
        let numbers = [offsets.len() / 4, slots.len() / 4, names.len(), entry.name.len(), 0];
        for number in [entry.fixed, entry.element].into_iter().chain(numbers.map(|number| number as u32)) {
            body.extend_from_slice(&number.to_le_bytes());
        }
        offsets.extend_from_slice(&slots);
        names.extend_from_slice(entry.name);
    }
}

/// A UUID as it is written.
#[must_use]
pub fn uuid_text(uuid: Uuid) -> String {
    let digits: String = uuid.0.iter().map(|byte| format!("{byte:02x}")).collect();
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// A name, or the table of a unit, that is too long for the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLong(String);

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is too long for a table image", self.0)
    }
}

impl std::error::Error for TooLong {}
