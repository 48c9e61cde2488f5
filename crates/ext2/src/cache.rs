//! The metadata blocks in memory: [`Cache`].
//!
//! Bitmaps, group descriptors, inode tables, directories and indirect blocks
//! are read and changed here. A changed block belongs to the running
//! transaction until it is committed, and then, with a journal, waits to be
//! written to its place. Only blocks in neither state are dropped when the
//! cache is full; [`Cache::is_crowded`] tells when the others take too much.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crate::error::corrupt;
use crate::{Device, Result};

/// Bytes of unchanged blocks that are kept.
const CLEAN_BYTES: usize = 8 << 20;
/// Bytes of changed blocks from which on they should be written.
const CHANGED_BYTES: usize = 8 << 20;
/// The longest single write of neighbouring blocks.
const WRITE_BYTES: usize = 1 << 20;

struct Entry {
    data: Box<[u8]>,
    used: u64,
}

pub(crate) struct Cache {
    device: Box<dyn Device>,
    block_size: usize,
    entries: BTreeMap<u32, Entry>,
    /// Changed since the last commit.
    running: BTreeSet<u32>,
    /// Committed to the journal, but not written to their places.
    committed: BTreeSet<u32>,
    clock: u64,
    changes: u64,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("blocks", &self.entries.len())
            .field("running", &self.running.len())
            .field("committed", &self.committed.len())
            .finish_non_exhaustive()
    }
}

impl Cache {
    pub(crate) fn new(device: Box<dyn Device>, block_size: usize) -> Self {
        Self {
            device,
            block_size,
            entries: BTreeMap::new(),
            running: BTreeSet::new(),
            committed: BTreeSet::new(),
            clock: 0,
            changes: 0,
        }
    }

    pub(crate) fn device(&self) -> &dyn Device {
        self.device.as_ref()
    }

    pub(crate) fn into_device(self) -> Box<dyn Device> {
        self.device
    }

    pub(crate) fn block_size(&self) -> usize {
        self.block_size
    }

    pub(crate) fn offset(&self, block: u32) -> u64 {
        u64::from(block) * self.block_size as u64
    }

    /// How often blocks have been changed: if it is the same before and after
    /// an operation, that has changed nothing.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    fn load(&mut self, block: u32) -> Result<()> {
        self.clock += 1;
        if let Some(entry) = self.entries.get_mut(&block) {
            entry.used = self.clock;
            return Ok(());
        }
        let mut data = vec![0; self.block_size].into_boxed_slice();
        self.device.read(self.offset(block), &mut data)?;
        self.insert(block, data);
        Ok(())
    }

    fn insert(&mut self, block: u32, data: Box<[u8]>) {
        self.make_room();
        self.entries.insert(block, Entry { data, used: self.clock });
    }

    /// Drops the quarter of the unchanged blocks that was not used for the
    /// longest time, if there are too many.
    fn make_room(&mut self) {
        let limit = CLEAN_BYTES / self.block_size;
        let changed = self.running.len() + self.committed.len();
        if self.entries.len() < limit.saturating_add(changed) {
            return;
        }
        let is_clean = |block: &u32| !self.running.contains(block) && !self.committed.contains(block);
        let mut ages: Vec<(u64, u32)> = self
            .entries
            .iter()
            .filter(|(block, _)| is_clean(block))
            .map(|(block, entry)| (entry.used, *block))
            .collect();
        ages.sort_unstable();
        for (_, block) in ages.iter().take(limit / 4) {
            self.entries.remove(block);
        }
    }

    /// The contents of a block.
    pub(crate) fn get(&mut self, block: u32) -> Result<&[u8]> {
        self.load(block)?;
        match self.entries.get(&block) {
            Some(entry) => Ok(&entry.data),
            None => Err(corrupt!("block {block} left the cache")),
        }
    }

    /// The contents of a block that is going to be changed.
    pub(crate) fn get_mut(&mut self, block: u32) -> Result<&mut [u8]> {
        self.load(block)?;
        self.changes += 1;
        match self.entries.get_mut(&block) {
            Some(entry) => {
                self.running.insert(block);
                Ok(&mut entry.data)
            }
            None => Err(corrupt!("block {block} left the cache")),
        }
    }

    /// Gives a block new contents without reading the old ones.
    pub(crate) fn put(&mut self, block: u32, data: Box<[u8]>) {
        self.clock += 1;
        self.changes += 1;
        self.insert(block, data);
        self.running.insert(block);
    }

    /// Gives a block its contents from the journal; they are not written to
    /// their place, as the device is read-only.
    pub(crate) fn overlay(&mut self, block: u32, data: Box<[u8]>) {
        self.insert(block, data);
        self.committed.insert(block);
    }

    /// Drops a block that has been freed.
    pub(crate) fn forget(&mut self, block: u32) {
        self.entries.remove(&block);
        self.running.remove(&block);
        self.committed.remove(&block);
    }

    /// The blocks of the running transaction.
    pub(crate) fn running(&self) -> &BTreeSet<u32> {
        &self.running
    }

    pub(crate) fn has_committed(&self) -> bool {
        !self.committed.is_empty()
    }

    /// True if changed blocks take more memory than they should.
    pub(crate) fn is_crowded(&self) -> bool {
        (self.running.len() + self.committed.len()) * self.block_size > CHANGED_BYTES
    }

    /// The running transaction is in the journal.
    pub(crate) fn mark_committed(&mut self) {
        self.committed.append(&mut self.running);
    }

    /// Writes the committed blocks to their places. Only right while no
    /// transaction is running, as there is one version of each block.
    pub(crate) fn write_committed(&mut self) -> Result<()> {
        self.write_home(&self.committed)?;
        self.committed.clear();
        Ok(())
    }

    /// Writes the running transaction's blocks to their places, without a
    /// journal.
    pub(crate) fn write_running(&mut self) -> Result<()> {
        self.write_home(&self.running)?;
        self.running.clear();
        Ok(())
    }

    fn write_home(&self, blocks: &BTreeSet<u32>) -> Result<()> {
        let mut start = 0;
        let mut buf: Vec<u8> = Vec::new();
        for &block in blocks {
            let Some(entry) = self.entries.get(&block) else { continue };
            let follows = start + (buf.len() / self.block_size) as u32 == block && buf.len() < WRITE_BYTES;
            if !buf.is_empty() && !follows {
                self.device.write(self.offset(start), &buf)?;
                buf.clear();
            }
            if buf.is_empty() {
                start = block;
            }
            buf.extend_from_slice(&entry.data);
        }
        if !buf.is_empty() {
            self.device.write(self.offset(start), &buf)?;
        }
        Ok(())
    }
}
