//! Segments of shared memory: their identifiers, and what is known of each.
//!
//! An identifier is a place in a table and a sequence number that is another
//! when the place is used again, so a stale one is told from a new one.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::ipc::{IPC_PRIVATE, IpcPerm, SHM_DEST, ShmInfo, ShmidDs};
use machine::PAGE_SIZE;
use machine::sync::Mutex;

use crate::error::{Because, Result};
use crate::mm::Object;

/// The most bytes in a segment (`kernel.shmmax`).
pub(crate) const SHMMAX: u64 = u64::MAX - (1 << 24);
/// The most pages in all segments (`kernel.shmall`).
pub(crate) const SHMALL: u64 = SHMMAX;
/// The most segments (`kernel.shmmni`).
pub(crate) const SHMMNI: usize = 4096;

/// Bits of an identifier that name the place in the table.
const INDEX_BITS: u32 = 15;

/// A segment as it was when it was looked up.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// What `shmat` takes.
    pub(super) id: i32,
    pub(super) perm: IpcPerm,
    /// Bytes, as they were asked for.
    pub(super) size: u64,
    pub(super) object: Arc<Object>,
    pub(super) uses: Uses,
}

/// Who used a segment last, and when, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Uses {
    pub(super) attached: i64,
    pub(super) detached: i64,
    pub(super) changed: i64,
    pub(super) creator: u32,
    pub(super) last: u32,
}

impl Segment {
    /// What `IPC_STAT` tells. Looks into the address spaces that map it.
    pub(super) fn status(&self) -> ShmidDs {
        ShmidDs {
            shm_perm: self.perm,
            shm_segsz: self.size,
            shm_atime: self.uses.attached,
            shm_dtime: self.uses.detached,
            shm_ctime: self.uses.changed,
            shm_cpid: self.uses.creator.cast_signed(),
            shm_lpid: self.uses.last.cast_signed(),
            shm_nattch: self.object.mapping_count(),
        }
    }
}

/// What holds a segment's memory: the table, or after `IPC_RMID` only those
/// that have it mapped.
#[derive(Debug)]
enum Memory {
    Held(Arc<Object>),
    Leaving(Weak<Object>),
}

impl Memory {
    fn get(&self) -> Option<Arc<Object>> {
        match self {
            Self::Held(object) => Some(object.clone()),
            Self::Leaving(object) => object.upgrade(),
        }
    }

    fn is_gone(&self) -> bool {
        matches!(self, Self::Leaving(object) if object.strong_count() == 0)
    }
}

#[derive(Debug)]
struct Entry {
    id: i32,
    perm: IpcPerm,
    size: u64,
    memory: Memory,
    uses: Uses,
}

impl Entry {
    fn segment(&self) -> Option<Segment> {
        let object = self.memory.get()?;
        Some(Segment { id: self.id, perm: self.perm, size: self.size, object, uses: self.uses })
    }
}

#[derive(Debug, Default)]
struct Table {
    entries: Vec<Option<Entry>>,
    sequence: u16,
    /// The place that was given last.
    newest: usize,
}

/// The segments of a kernel.
///
/// The lock is a leaf: what is taken out of the table under it is let go of
/// after it, since the end of a segment's memory takes other locks.
#[derive(Debug, Default)]
pub(crate) struct Segments {
    table: Mutex<Table>,
}

impl Segments {
    /// All segments, by their place in the table.
    pub(super) fn list(&self) -> Vec<(usize, Segment)> {
        let table = self.table.lock();
        let entries = table.entries.iter().enumerate();
        entries.filter_map(|(index, entry)| Some((index, entry.as_ref()?.segment()?))).collect()
    }

    /// The segment with an identifier.
    ///
    /// # Errors
    /// `EINVAL` if there is none.
    pub(super) fn get(&self, id: i32) -> Result<Segment> {
        let gone = Errno::EINVAL.because("no segment has this identifier");
        let index = usize::try_from(id & ((1 << INDEX_BITS) - 1)).map_err(|_| gone)?;
        let table = self.table.lock();
        let entry = table.entries.get(index).and_then(Option::as_ref).filter(|entry| entry.id == id);
        entry.and_then(Entry::segment).ok_or(gone)
    }

    /// The segment at a place, for `SHM_STAT`.
    ///
    /// # Errors
    /// `EINVAL` if there is none.
    pub(super) fn at(&self, index: i32) -> Result<Segment> {
        let found = usize::try_from(index).ok().and_then(|index| {
            let table = self.table.lock();
            table.entries.get(index)?.as_ref()?.segment()
        });
        found.ok_or(Errno::EINVAL.because("no segment is at this place"))
    }

    /// The segment with a key, or what `make` makes if there is none and
    /// `may_make` allows it.
    ///
    /// # Errors
    /// `ENOENT`, `ENOSPC`, and what `make` says. `Ok(Err(_))` is a new one.
    pub(super) fn find_or_add(
        &self,
        perm: IpcPerm,
        may_make: bool,
        size: u64,
        uses: Uses,
        make: impl FnOnce() -> Result<Arc<Object>>,
    ) -> Result<core::result::Result<Segment, i32>> {
        let mut table = self.table.lock();
        if perm.key != IPC_PRIVATE.cast_signed() {
            let found = table.entries.iter().flatten().filter(|entry| entry.perm.key == perm.key);
            if let Some(segment) = found.filter_map(Entry::segment).next() {
                return Ok(Ok(segment));
            }
            if !may_make {
                return Err(Errno::ENOENT.because("no segment has this key"));
            }
        }
        let is_gone = |entry: &Option<Entry>| entry.as_ref().is_none_or(|entry| entry.memory.is_gone());
        let index = table.entries.iter().position(is_gone).unwrap_or(table.entries.len());
        if index >= SHMMNI {
            return Err(Errno::ENOSPC.because("too many segments"));
        }
        let there = table.entries.iter().flatten().filter(|entry| !entry.memory.is_gone());
        let pages: u64 = there.map(|entry| entry.size.div_ceil(PAGE_SIZE)).sum();
        if pages.saturating_add(size.div_ceil(PAGE_SIZE)) > SHMALL {
            return Err(Errno::ENOSPC.because("too much shared memory"));
        }
        let object = make()?;
        if index <= table.newest && !table.entries.is_empty() {
            table.sequence = table.sequence.wrapping_add(1);
        }
        table.newest = index;
        let sequence = table.sequence;
        let id = i32::from(sequence) << INDEX_BITS | i32::try_from(index).unwrap_or(0);
        let perm = IpcPerm { seq: sequence, ..perm };
        let entry = Some(Entry { id, perm, size, memory: Memory::Held(object), uses });
        match table.entries.get_mut(index) {
            Some(place) => *place = entry,
            None => table.entries.push(entry),
        }
        Ok(Err(id))
    }

    /// Changes what is known of a segment that may have gone meanwhile.
    pub(super) fn change(&self, id: i32, change: impl FnOnce(&mut IpcPerm, &mut Uses)) {
        let mut table = self.table.lock();
        if let Some(entry) = table.entries.iter_mut().flatten().find(|entry| entry.id == id) {
            change(&mut entry.perm, &mut entry.uses);
        }
    }

    /// Lets a segment go with its last mapping. Its key is free from now on.
    pub(super) fn remove(&self, id: i32) {
        let held = {
            let mut table = self.table.lock();
            let Some(entry) = table.entries.iter_mut().flatten().find(|entry| entry.id == id) else { return };
            entry.perm.key = IPC_PRIVATE.cast_signed();
            entry.perm.mode |= SHM_DEST;
            let Some(object) = entry.memory.get() else { return };
            core::mem::replace(&mut entry.memory, Memory::Leaving(Arc::downgrade(&object)))
        };
        drop(held);
    }

    /// What `SHM_INFO` tells, and the highest place in use.
    pub(super) fn totals(&self) -> (ShmInfo, usize) {
        let all = self.list();
        let pages = |size: u64| size.div_ceil(PAGE_SIZE);
        let info = ShmInfo {
            used_ids: i32::try_from(all.len()).unwrap_or(i32::MAX),
            shm_tot: all.iter().map(|(_, segment)| pages(segment.size)).sum(),
            shm_rss: all.iter().map(|(_, segment)| segment.object.resident_pages() as u64).sum(),
            ..ShmInfo::default()
        };
        (info, all.last().map_or(0, |(index, _)| *index))
    }
}
