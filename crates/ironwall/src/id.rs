//! Identities of tables and structures: version-8 UUIDs made with SHA-256.
//!
//! An identity is a function of names alone: package and unit for a table; table, kind and name for a structure.
//! No path, time, compiler, order or layout enters, so it is the same wherever a unit is built (RFC 9562, 5.8).

use crate::sha256::Sha256;

/// The identity of a table or of a structure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// The UUID of nothing; no table and no structure may have it.
    pub const NIL: Self = Self([0; 16]);

    /// The identity of the table of `unit` in `package`.
    pub fn of_table(package: &[u8], unit: &[u8]) -> Self {
        Self::version_8(b"ironwall.table.v1\0", &[package, unit])
    }

    /// The identity of the structure `name` of a kind in a table.
    pub fn of_struct(table: Self, kind: Kind, name: &[u8]) -> Self {
        Self::version_8(b"ironwall.struct.v1\0", &[&table.0, &[kind as u8], name])
    }

    /// Hashes a domain and fields, each after its length, and sets version and variant.
    fn version_8(domain: &[u8], fields: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        hash.update(domain);
        for field in fields {
            hash.update(&(field.len() as u64).to_le_bytes());
            hash.update(field);
        }
        let mut uuid = [0; 16];
        uuid.copy_from_slice(&hash.finish()[..16]);
        uuid[6] = uuid[6] & 0x0f | 0x80;
        uuid[8] = uuid[8] & 0x3f | 0x80;
        Self(uuid)
    }
}

/// What a structure describes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// A heap object.
    Heap = 1,
    /// A shadow frame.
    #[default]
    Frame = 2,
    /// A global block.
    Global = 3,
}

impl Kind {
    /// The kind with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Heap, Self::Frame, Self::Global].into_iter().find(|&kind| kind as u8 == number)
    }
}
