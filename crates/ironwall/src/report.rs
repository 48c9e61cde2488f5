//! What a collection tells.

use crate::id::Uuid;
use crate::mark::Census;
use crate::runtime::Runtime;
use crate::sha256::Sha256;
use crate::tables::EntryId;

/// Who asked for a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Origin {
    /// The program itself.
    Program = 1,
    /// The program's host, by a call while the program is outside or at a point that it named.
    Host = 2,
}

/// One collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Report {
    /// How many collections there have been, this one included.
    pub sequence: u64,
    /// The caller's reason, uninterpreted.
    pub reason: u64,
    /// Who asked.
    pub origin: Origin,
    /// How many shadow frames were walked.
    pub frames: u32,
    /// How many global blocks were walked.
    pub globals: u32,
    /// How many handles are held.
    pub handles: u32,
    /// Objects that live.
    pub live: u64,
    /// Bytes of their payloads.
    pub live_bytes: u64,
    /// Objects that were reclaimed.
    pub dead: u64,
    /// Bytes of their slots.
    pub dead_bytes: u64,
    /// The SHA-256 of what lives, by table and structure in ascending order of their UUIDs, and of the counts above.
    /// It does not depend on sequence, reason, origin, addresses, load order, or the machine.
    pub digest: [u8; 32],
}

impl Report {
    /// Adds the digest.
    pub(crate) fn sealed_with_digest(mut self, runtime: &Runtime<'_>) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"ironwall.report.v1\0");
        for count in [self.frames, self.globals, self.handles] {
            hash.update(&count.to_le_bytes());
        }
        for count in [self.live, self.live_bytes, self.dead, self.dead_bytes] {
            hash.update(&count.to_le_bytes());
        }
        for entry in runtime.census() {
            hash.update(&entry.table.0);
            hash.update(&entry.structure.0);
            hash.update(&entry.live.objects.to_le_bytes());
            hash.update(&entry.live.bytes.to_le_bytes());
        }
        self.digest = hash.finish();
        self
    }
}

/// What lived of one entry at the last collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveEntry {
    /// Its table.
    pub table: Uuid,
    /// Its structure.
    pub structure: Uuid,
    /// Its number in this runtime.
    pub entry: EntryId,
    /// How much lived.
    pub live: Census,
}
