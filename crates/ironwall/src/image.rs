//! Table images: what a unit's compiler emits about its structures, read in place and verified whole.
//!
//! Little-endian; `docs/ironwall/table-image.md` draws it. A header, entries in ascending order of their UUID, a
//! pool of slot offsets, the structures that the unit uses of others, names, zeros to a multiple of eight, and the
//! SHA-256 of everything before it. There is exactly one image of a table: each part follows the last without gaps.

use crate::error::ImageRule;
use crate::id::{Kind, Uuid};
use crate::sha256::Sha256;
use crate::tag::{self, Tags};

/// The first bytes of every image.
pub const MAGIC: [u8; 8] = *b"IRONTBL1";
/// The version of the format, then a number whose bytes tell their order.
pub const VERSION: [u8; 4] = [1, 0, 0x34, 0x12];
/// The length of the header.
pub const HEADER_LEN: usize = 64;
/// The length of an entry.
pub const ENTRY_LEN: usize = 96;
/// The length of a use.
pub const USE_LEN: usize = 64;
/// The longest image.
pub const MAX_LEN: usize = 16 << 20;
/// The longest name.
pub const MAX_NAME: usize = 200;
// Where the fields of the header are: the length of the whole, the numbers of entries, of slot offsets and of uses, the
// bytes of names, the lengths of the package's name and of the unit's as half words, the table's UUID, and zeros.
const TOTAL: usize = 12;
const ENTRIES: usize = 16;
const OFFSETS: usize = 20;
const USES: usize = 24;
const NAMES: usize = 28;
const NAME_LENS: usize = 32;
const TABLE: usize = 36;
const RESERVED: usize = 52;
/// The largest fixed part of a payload, and the largest extent.
pub const MAX_EXTENT: u64 = 1 << 31;

/// What follows the fixed part of a heap object's payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Tail {
    /// Nothing.
    #[default]
    None = 0,
    /// Elements without references.
    Plain = 1,
    /// References.
    References = 2,
}

/// The flag of an entry whose slots may hold odd words, which are no references.
pub const FLAG_ODD_WORDS: u8 = 1;

/// One structure of a table.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'m> {
    /// Its identity.
    pub id: Uuid,
    /// Its tags.
    pub tags: Tags,
    /// What it describes.
    pub kind: Kind,
    /// Whether its slots may hold odd words.
    pub has_odd_words: bool,
    /// What follows the fixed part.
    pub tail: Tail,
    /// The size of an element of the tail in bytes.
    pub element: u32,
    /// The bytes of the fixed part of the payload.
    pub fixed: u32,
    /// The SHA-256 of the layout.
    pub layout: [u8; 32],
    /// The offsets of references in the fixed part, ascending, each four bytes.
    pub offsets: &'m [u8],
    /// Its name.
    pub name: &'m [u8],
}

/// A structure of another unit, as this unit was compiled for it; with a nil structure, just the other unit.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// The other unit's table.
    pub table: Uuid,
    /// The structure.
    pub structure: Uuid,
    /// The layout digest that the compiler saw.
    pub layout: [u8; 32],
}

/// A verified image.
#[derive(Clone, Copy, Debug)]
pub struct Image<'m> {
    bytes: &'m [u8],
}

/// A broken rule and the byte offset where it is broken.
pub type ImageError = (ImageRule, u32);

impl<'m> Image<'m> {
    /// The image of nothing.
    pub(crate) const EMPTY: Self = Self { bytes: &[] };

    /// Reads an image and recomputes everything in it that can be.
    ///
    /// # Errors
    /// The first broken rule and where.
    pub fn verify(bytes: &'m [u8]) -> Result<Self, ImageError> {
        let image = Self { bytes };
        if !(HEADER_LEN + 32..=MAX_LEN).contains(&bytes.len()) {
            return Err((ImageRule::Length, 0));
        }
        check(bytes[..8] == MAGIC, ImageRule::Magic, 0)?;
        check(bytes[8..12] == VERSION, ImageRule::Version, 8)?;
        let parts = (image.names_at() + image.count(NAMES) as u64).next_multiple_of(8) + 32;
        check(parts == bytes.len() as u64 && image.count(TOTAL) == bytes.len(), ImageRule::Size, TOTAL)?;
        check(bytes[RESERVED..HEADER_LEN].iter().all(|&byte| byte == 0), ImageRule::Reserved, RESERVED)?;
        let body = bytes.len() - 32;
        let padding = image.names_at() as usize + image.count(NAMES)..body;
        check(bytes[padding.clone()].iter().all(|&byte| byte == 0), ImageRule::Reserved, padding.start)?;
        check(Sha256::digest(&bytes[..body]) == bytes[body..], ImageRule::Digest, body)?;
        image.verify_identity()?;
        let mut offset = 0;
        let mut name = image.package_len() + image.unit_len();
        let mut last = Uuid::NIL;
        for i in 0..image.entry_count() {
            image.verify_entry(i, &mut offset, &mut name, last)?;
            last = image.entry(i).id;
        }
        check(offset == image.count(OFFSETS), ImageRule::Size, OFFSETS)?;
        check(name == image.count(NAMES), ImageRule::Size, NAMES)?;
        for i in 1..image.use_count() {
            let (one, two) = (image.using(i - 1), image.using(i));
            check((one.table, one.structure) < (two.table, two.structure), ImageRule::Order, image.use_at(i))?;
        }
        Ok(image)
    }

    /// The identity of the table.
    pub fn table(&self) -> Uuid {
        Uuid(self.array(TABLE))
    }

    /// The package that the unit belongs to.
    pub fn package(&self) -> &'m [u8] {
        self.name(0, self.package_len())
    }

    /// The unit's name in its package.
    pub fn unit(&self) -> &'m [u8] {
        self.name(self.package_len(), self.unit_len())
    }

    /// How many structures there are.
    pub fn entry_count(&self) -> usize {
        self.count(ENTRIES)
    }

    /// How many slot offsets there are in all entries together.
    pub fn offset_count(&self) -> usize {
        self.count(OFFSETS)
    }

    /// How many structures of others are used.
    pub fn use_count(&self) -> usize {
        self.count(USES)
    }

    /// The structure with a number below [`Self::entry_count`].
    pub fn entry(&self, i: usize) -> Entry<'m> {
        let at = HEADER_LEN + i * ENTRY_LEN;
        let byte = |i: usize| self.bytes.get(at + i).copied().unwrap_or(0);
        let long = |i: usize| u64::from_le_bytes(self.array(at + i));
        let tail = [Tail::Plain, Tail::References].into_iter().find(|&tail| tail as u8 == byte(66));
        let start = self.offsets_at() as usize + self.word(at + 76) as usize * 4;
        Entry {
            id: Uuid(self.array(at)),
            tags: Tags { tag1: long(16), tag2: long(24), tag3: tag::tag3(self.table()) },
            layout: self.array(at + 32),
            kind: Kind::from_number(byte(64)).unwrap_or(Kind::Heap),
            has_odd_words: byte(65) & FLAG_ODD_WORDS != 0,
            tail: tail.unwrap_or(Tail::None),
            fixed: self.word(at + 68),
            element: self.word(at + 72),
            offsets: self.bytes.get(start..start + self.word(at + 80) as usize * 4).unwrap_or(&[]),
            name: self.name(self.word(at + 84) as usize, self.word(at + 88) as usize),
        }
    }

    /// The used structure with a number below [`Self::use_count`].
    pub fn using(&self, i: usize) -> Use {
        let at = self.use_at(i);
        let [table, structure] = [at, at + 16].map(|at| Uuid(self.array(at)));
        Use { table, structure, layout: self.array(at + 32) }
    }

    /// That the table's UUID is that of its names.
    fn verify_identity(&self) -> Result<(), ImageError> {
        let at = self.names_at() as usize;
        let (package, unit) = (self.package_len(), self.unit_len());
        check(package + unit <= self.count(NAMES), ImageRule::Name, at)?;
        check(is_name(self.package()) && is_name(self.unit()), ImageRule::Name, at)?;
        check(self.table() == Uuid::of_table(self.package(), self.unit()), ImageRule::Identity, TABLE)
    }

    /// That an entry is in its place, well-formed, and tells the truth about its hashes.
    fn verify_entry(&self, i: usize, offset: &mut usize, name: &mut usize, last: Uuid) -> Result<(), ImageError> {
        let at = HEADER_LEN + i * ENTRY_LEN;
        let raw = &self.bytes[at..at + ENTRY_LEN];
        check(raw[67] == 0 && raw[92..].iter().all(|&byte| byte == 0), ImageRule::Reserved, at + 67)?;
        let kind = Kind::from_number(raw[64]).ok_or((ImageRule::Kind, (at + 64) as u32))?;
        check(raw[65] & !FLAG_ODD_WORDS == 0 && raw[66] <= Tail::References as u8, ImageRule::Kind, at + 65)?;
        let (count, name_len) = (self.word(at + 80) as usize, self.word(at + 88) as usize);
        let pool_left = self.count(OFFSETS).checked_sub(*offset);
        let in_place = self.word(at + 76) as usize == *offset && pool_left.is_some_and(|left| count <= left);
        check(in_place, ImageRule::Layout, at + 76)?;
        let names_left = self.count(NAMES).checked_sub(*name);
        let named = self.word(at + 84) as usize == *name && names_left.is_some_and(|left| name_len <= left);
        check(named, ImageRule::Name, at + 84)?;
        (*offset, *name) = (*offset + count, *name + name_len);

        let entry = self.entry(i);
        check(is_name(entry.name), ImageRule::Name, at + 84)?;
        check(entry.id == Uuid::of_struct(self.table(), kind, entry.name), ImageRule::Identity, at)?;
        check(last < entry.id, ImageRule::Order, at)?;
        let tags = Tags::new(self.table(), entry.id);
        check(entry.tags == tags && tag::is_confirmed(tags.tag1), ImageRule::Tag, at + 16)?;
        let element_is_right = match entry.tail {
            Tail::None => entry.element == 0,
            Tail::Plain => (1..=4096).contains(&entry.element),
            Tail::References => entry.element == 8,
        };
        let tail_is_right = element_is_right && (kind == Kind::Heap || entry.tail == Tail::None);
        check(tail_is_right, ImageRule::Layout, at + 72)?;
        check(entry.fixed.is_multiple_of(8) && u64::from(entry.fixed) <= MAX_EXTENT, ImageRule::Layout, at + 68)?;
        let mut next = 0;
        for slot in slots(entry.offsets) {
            let is_right = slot.is_multiple_of(8) && slot >= next && slot < entry.fixed;
            check(is_right, ImageRule::Layout, at + 76)?;
            next = slot + 8;
        }
        check(layout_digest(&entry) == entry.layout, ImageRule::LayoutDigest, at + 32)
    }

    fn package_len(&self) -> usize {
        self.count(NAME_LENS) & 0xffff
    }

    fn unit_len(&self) -> usize {
        self.count(NAME_LENS) >> 16
    }

    /// A field of the header.
    fn count(&self, at: usize) -> usize {
        self.word(at) as usize
    }

    fn offsets_at(&self) -> u64 {
        (HEADER_LEN + USE_LEN * self.use_count()) as u64 + (ENTRY_LEN * self.entry_count()) as u64
    }

    fn use_at(&self, i: usize) -> usize {
        HEADER_LEN + ENTRY_LEN * self.entry_count() + USE_LEN * i
    }

    fn names_at(&self) -> u64 {
        self.offsets_at() + self.count(OFFSETS) as u64 * 4
    }

    fn name(&self, at: usize, len: usize) -> &'m [u8] {
        let at = self.names_at() as usize + at;
        self.bytes.get(at..at + len).unwrap_or(&[])
    }

    fn word(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.array(at))
    }

    /// The bytes at an offset; zeros outside.
    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        self.bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
    }
}

/// The digest of an entry's layout: everything the compilers of two units have to agree about.
pub fn layout_digest(entry: &Entry<'_>) -> [u8; 32] {
    let bytes = [entry.kind as u8, u8::from(entry.has_odd_words), entry.tail as u8];
    let (element, fixed) = (entry.element.to_le_bytes(), entry.fixed.to_le_bytes());
    Sha256::of(&[b"ironwall.layout.v1\0", &bytes, &element, &fixed, entry.offsets])
}

/// The numbers in an entry's offsets.
pub(crate) fn slots(offsets: &[u8]) -> impl Iterator<Item = u32> {
    offsets.chunks_exact(4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

fn is_name(name: &[u8]) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && name.iter().all(u8::is_ascii_graphic)
}

fn check(holds: bool, rule: ImageRule, at: usize) -> Result<(), ImageError> {
    if holds { Ok(()) } else { Err((rule, at as u32)) }
}
