//! The journal, as Linux' JBD2 lays it out: [`Journal`].
//!
//! A log of blocks in inode 8. A transaction is a revoke block or several,
//! descriptor blocks each followed by copies of the metadata blocks that it
//! names, and a commit block, which is written once all the others are
//! permanent. All its numbers are big-endian.
//!
//! The log is written from its first block on and never wraps around: before
//! the next transaction might not fit, all committed blocks are written to
//! their places, which empties it. [`replay`] reads logs that do wrap.
//!
//! `crate::transaction` decides when to commit.

mod commit;
mod replay;

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

pub(crate) use replay::replay;

use crate::bytes::{be32, put_be32};
use crate::cache::Cache;
use crate::error::corrupt;
use crate::fs::Ext2;
use crate::{Error, Kind, Result};

pub(crate) const MAGIC: u32 = 0xc03b_3998;
pub(crate) const TYPE_DESCRIPTOR: u32 = 1;
pub(crate) const TYPE_COMMIT: u32 = 2;
pub(crate) const TYPE_SUPER_V1: u32 = 3;
pub(crate) const TYPE_SUPER_V2: u32 = 4;
pub(crate) const TYPE_REVOKE: u32 = 5;

/// The head of all blocks but copies: magic number, type, sequence number.
pub(crate) const HEADER: usize = 12;
/// Bytes of a tag, one per copy, in a descriptor block.
pub(crate) const TAG: usize = 8;
pub(crate) const TAG_ESCAPED: u32 = 1;
pub(crate) const TAG_SAME_UUID: u32 = 2;
pub(crate) const TAG_LAST: u32 = 8;
/// A revoke block's header: the common one and the count of used bytes.
pub(crate) const REVOKE_HEADER: usize = 16;

pub(crate) const INCOMPAT_REVOKE: u32 = 1;

/// Linux mounts no shorter journal.
pub(crate) const MIN_BLOCKS: u32 = 1024;
/// Bytes of the journal's superblock.
pub(crate) const SUPER_SIZE: usize = 1024;
/// The most bytes in one transaction.
const TRANSACTION_BYTES: usize = 4 << 20;

#[derive(Debug)]
pub(crate) struct Journal {
    /// Where the log is on the device: first block and count of each run.
    runs: Vec<(u32, u32)>,
    /// The journal's superblock.
    raw: Vec<u8>,
    /// The log's first block after the superblock, and its length.
    first: u32,
    len: u32,
    /// The next block of the log to write.
    head: u32,
    /// The running transaction's number.
    pub(crate) sequence: u32,
    /// Where to replay from; 0 if there is nothing to replay.
    pub(crate) start: u32,
    /// Blocks that the running transaction has freed and whose copies in the
    /// log must not be replayed.
    revoked: BTreeSet<u32>,
    /// Blocks that have copies in the log.
    logged: BTreeSet<u32>,
}

impl Journal {
    /// Finds the journal of a file system.
    pub(crate) fn load(fs: &mut Ext2) -> Result<Self> {
        let ino = fs.sb.journal_inum;
        let inode = fs.raw_inode(ino)?;
        if inode.kind() != Some(Kind::File) || inode.links == 0 {
            return Err(corrupt!("the journal's inode {ino} is no file"));
        }
        let block_size = fs.cache.block_size() as u64;
        let blocks = inode.size / block_size;
        if blocks > u64::from(fs.sb.blocks_count) {
            return Err(corrupt!("the journal is {} bytes long", inode.size));
        }
        let mut runs = Vec::new();
        let mut block = 0;
        while block < blocks {
            let (first, len) = fs.stretch(&inode, ino, block, (blocks - block) as u32)?;
            if first == 0 {
                return Err(corrupt!("the journal has a hole at block {block}"));
            }
            runs.push((first, len));
            block += u64::from(len);
        }
        let Some(&(place, _)) = runs.first() else { return Err(corrupt!("the journal is empty")) };
        let mut raw = vec![0; SUPER_SIZE];
        fs.cache.device().read(fs.cache.offset(place), &mut raw)?;
        Self::parse(runs, raw, blocks as u32, block_size as u32)
    }

    fn parse(runs: Vec<(u32, u32)>, raw: Vec<u8>, blocks: u32, block_size: u32) -> Result<Self> {
        if be32(&raw, 0) != MAGIC {
            return Err(corrupt!("the journal has no superblock"));
        }
        match be32(&raw, 4) {
            TYPE_SUPER_V2 => {}
            TYPE_SUPER_V1 => return Err(Error::Unsupported("a journal of version 1".into())),
            other => return Err(corrupt!("the journal's superblock is of type {other}")),
        }
        let unknown = be32(&raw, 0x28) & !INCOMPAT_REVOKE | be32(&raw, 0x2c);
        if unknown != 0 {
            return Err(Error::Unsupported(format!("the journal's features {unknown:#x}")));
        }
        let (len, first, start) = (be32(&raw, 0x10), be32(&raw, 0x14), be32(&raw, 0x1c));
        if be32(&raw, 0xc) != block_size || len > blocks || first == 0 || first >= len || start >= len {
            return Err(corrupt!("the journal's superblock tells of blocks {first} to {len} of {blocks}"));
        }
        if len < MIN_BLOCKS {
            return Err(Error::Unsupported(format!("a journal of {len} blocks")));
        }
        Ok(Self {
            runs,
            first,
            len,
            head: first,
            sequence: be32(&raw, 0x18),
            start,
            raw,
            revoked: BTreeSet::new(),
            logged: BTreeSet::new(),
        })
    }

    /// Where a block of the log is on the device, and how many follow it there.
    fn place(&self, index: u32) -> Result<(u32, u32)> {
        let mut index = index;
        for &(first, len) in &self.runs {
            if index < len {
                return Ok((first.saturating_add(index), len - index));
            }
            index -= len;
        }
        Err(corrupt!("the journal has no block {index}"))
    }

    /// Reads the log's block `index`.
    fn read(&self, cache: &Cache, index: u32, buf: &mut [u8]) -> Result<()> {
        let (block, _) = self.place(index)?;
        cache.device().read(cache.offset(block), buf)?;
        Ok(())
    }

    /// Writes the log's blocks from `index` on.
    fn write(&self, cache: &Cache, index: u32, bytes: &[u8]) -> Result<()> {
        let mut index = index;
        let mut bytes = bytes;
        while !bytes.is_empty() {
            let (block, run) = self.place(index)?;
            let len = (run as usize).saturating_mul(cache.block_size()).min(bytes.len());
            let (now, rest) = bytes.split_at(len);
            cache.device().write(cache.offset(block), now)?;
            index += (len / cache.block_size()) as u32;
            bytes = rest;
        }
        Ok(())
    }

    /// Writes the journal's superblock: replay starts at `start`, with the
    /// running transaction; 0 means that there is nothing to replay.
    pub(crate) fn write_super(&mut self, cache: &Cache, start: u32) -> Result<()> {
        put_be32(&mut self.raw, 0x18, self.sequence);
        put_be32(&mut self.raw, 0x1c, start);
        let features = be32(&self.raw, 0x28) | INCOMPAT_REVOKE;
        put_be32(&mut self.raw, 0x28, features);
        self.start = start;
        let (block, _) = self.place(0)?;
        cache.device().write(cache.offset(block), &self.raw)?;
        Ok(())
    }

    /// The most blocks that a transaction may take in the log.
    pub(crate) fn transaction_limit(&self, block_size: usize) -> u32 {
        ((self.len - self.first) / 4).min((TRANSACTION_BYTES / block_size) as u32)
    }

    /// Blocks that the running transaction, with `more` further ones, takes in
    /// the log.
    pub(crate) fn transaction_blocks(&self, cache: &Cache, more: usize) -> u32 {
        let copies = cache.running().len() + more;
        let revokes = self.revoked.len() + more;
        let block_size = cache.block_size();
        let blocks = copies
            + copies.div_ceil(Self::tags_per_block(block_size))
            + revokes.div_ceil(Self::revokes_per_block(block_size))
            + 1;
        u32::try_from(blocks).unwrap_or(u32::MAX)
    }

    /// True if another transaction fits into the log.
    pub(crate) fn has_room(&self, block_size: usize) -> bool {
        self.len - self.head > self.transaction_limit(block_size)
    }

    /// True if the running transaction has anything to commit besides the
    /// cache's blocks.
    pub(crate) fn has_revokes(&self) -> bool {
        !self.revoked.is_empty()
    }

    /// A metadata block is freed: a copy of it in the log is not to come back.
    pub(crate) fn revoke(&mut self, block: u32) {
        if self.logged.contains(&block) {
            self.revoked.insert(block);
        }
    }

    fn tags_per_block(block_size: usize) -> usize {
        // The first tag is followed by a UUID.
        (block_size - HEADER - 16) / TAG
    }

    fn revokes_per_block(block_size: usize) -> usize {
        (block_size - REVOKE_HEADER) / 4
    }

    /// Says on the device that the log is to be replayed from its start on.
    pub(crate) fn restart(&mut self, cache: &Cache) -> Result<()> {
        self.head = self.first;
        self.write_super(cache, self.first)
    }

    /// The log is empty: everything in it has been written to its place, and
    /// that is permanent. With `close`, it need not be replayed.
    pub(crate) fn empty(&mut self, cache: &Cache, close: bool) -> Result<()> {
        self.head = self.first;
        self.logged.clear();
        self.write_super(cache, if close { 0 } else { self.first })?;
        cache.device().flush()?;
        Ok(())
    }
}

/// The superblock of a new, empty journal.
pub(crate) fn new_super(block_size: u32, blocks: u32, uuid: &[u8; 16]) -> Vec<u8> {
    let mut raw = vec![0; SUPER_SIZE];
    put_be32(&mut raw, 0, MAGIC);
    put_be32(&mut raw, 4, TYPE_SUPER_V2);
    put_be32(&mut raw, 0xc, block_size);
    put_be32(&mut raw, 0x10, blocks);
    put_be32(&mut raw, 0x14, 1);
    put_be32(&mut raw, 0x18, 1);
    crate::bytes::put(&mut raw, 0x30, uuid);
    put_be32(&mut raw, 0x40, 1);
    raw
}
