//! Directories: blocks full of entries.
//!
//! An entry has 8 bytes (inode, length of the entry, length of the name, type)
//! and the name. The lengths of a block's entries add up to the block. An
//! index (`dir_index`) hides in entries that look unused, so reading ignores
//! it, and changing a directory drops its index flag.

use crate::bytes::{byte, le16, le32};
use crate::error::corrupt;
use crate::fs::Ext2;
use crate::inode::Inode;
use crate::{Entry, Error, Kind, Result};

/// Bytes of an entry before the name.
pub(crate) const HEADER: usize = 8;
/// The longest name.
pub(crate) const NAME_MAX: usize = 255;

/// An entry's place and head within its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Where the entry starts in the block.
    pub(crate) at: usize,
    /// Bytes to the next entry.
    pub(crate) len: usize,
    pub(crate) ino: u32,
    pub(crate) name_len: usize,
    pub(crate) entry_type: u8,
}

impl Slot {
    pub(crate) fn name<'a>(&self, block: &'a [u8]) -> &'a [u8] {
        let start = self.at + HEADER;
        block.get(start..start + self.name_len).unwrap_or_default()
    }

    /// Bytes that the entry needs; the rest of `len` is free.
    pub(crate) fn needed(&self) -> usize {
        if self.ino == 0 { 0 } else { entry_len(self.name_len) }
    }
}

/// Bytes that an entry with a name of `name_len` bytes needs.
pub(crate) const fn entry_len(name_len: usize) -> usize {
    (HEADER + name_len).next_multiple_of(4)
}

/// The entry at `at` of a directory's block.
pub(crate) fn slot(block: &[u8], at: usize, has_file_types: bool) -> Result<Slot> {
    let head = block.get(at..).unwrap_or_default();
    if head.len() < HEADER {
        return Err(corrupt!("a directory entry at {at} has no room"));
    }
    let slot = Slot {
        at,
        len: usize::from(le16(head, 4)),
        ino: le32(head, 0),
        name_len: usize::from(byte(head, 6)),
        entry_type: if has_file_types { byte(head, 7) } else { 0 },
    };
    if slot.len < HEADER || !slot.len.is_multiple_of(4) || slot.len > head.len() || slot.needed() > slot.len {
        return Err(corrupt!("a directory entry of {} bytes at {at}", slot.len));
    }
    if slot.ino != 0 && slot.name_len == 0 {
        return Err(corrupt!("a directory entry without a name at {at}"));
    }
    Ok(slot)
}

impl Ext2 {
    /// The device's block of a directory's block.
    pub(crate) fn dir_block(&mut self, inode: &Inode, ino: u32, index: u64) -> Result<u32> {
        match self.stretch(inode, ino, index, 1)?.0 {
            0 => Err(corrupt!("directory {ino} has a hole")),
            block => Ok(block),
        }
    }

    /// How many blocks a directory has.
    pub(crate) fn dir_blocks(&self, inode: &Inode, ino: u32) -> Result<u64> {
        let block_size = self.cache.block_size() as u64;
        if !inode.size.is_multiple_of(block_size) || inode.size / block_size > u64::from(self.sb.blocks_count) {
            return Err(corrupt!("directory {ino} is {} bytes long", inode.size));
        }
        Ok(inode.size / block_size)
    }

    /// Looks for a name: the device's block and the entry.
    pub(crate) fn find(&mut self, inode: &Inode, ino: u32, name: &[u8]) -> Result<Option<(u32, Slot)>> {
        let has_file_types = self.sb.has_file_types();
        for index in 0..self.dir_blocks(inode, ino)? {
            let block = self.dir_block(inode, ino, index)?;
            let data = self.cache.get(block)?;
            let mut at = 0;
            while at < data.len() {
                let slot = slot(data, at, has_file_types)?;
                if slot.ino != 0 && slot.name(data) == name {
                    return Ok(Some((block, slot)));
                }
                at += slot.len;
            }
        }
        Ok(None)
    }

    /// The inode that `dir` calls `name`, which may be `.` or `..`.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotDirectory`], [`Error::NameTooLong`].
    pub fn lookup(&mut self, dir: u32, name: &[u8]) -> Result<u32> {
        let inode = self.directory(dir)?;
        if name.len() > NAME_MAX {
            return Err(Error::NameTooLong);
        }
        if inode.links == 0 {
            return Err(Error::NotFound);
        }
        let (_, slot) = self.find(&inode, dir, name)?.ok_or(Error::NotFound)?;
        self.checked_ino(dir, slot.ino)
    }

    /// Checks an inode number from a directory.
    pub(crate) fn checked_ino(&self, dir: u32, ino: u32) -> Result<u32> {
        let is_reserved = ino < self.sb.first_ino && ino != crate::fs::ROOT_INO;
        if ino > self.sb.inodes_count || is_reserved {
            return Err(corrupt!("directory {dir} names inode {ino}"));
        }
        Ok(ino)
    }

    /// Gives `sink` the entries of `dir` from `position` on, with `.` and
    /// `..`, until it returns `false` or there are no more. Positions are byte
    /// offsets: 0, or an entry's `next_position`. An entry that exists
    /// throughout keeps its position, whatever else is made or removed.
    ///
    /// # Errors
    /// [`Error::NotDirectory`].
    pub fn read_dir(&mut self, dir: u32, position: u64, sink: &mut dyn FnMut(Entry<'_>) -> bool) -> Result<()> {
        let inode = self.directory(dir)?;
        if inode.links == 0 {
            return Ok(());
        }
        let block_size = self.cache.block_size() as u64;
        let has_file_types = self.sb.has_file_types();
        for index in position / block_size..self.dir_blocks(&inode, dir)? {
            let block = self.dir_block(&inode, dir, index)?;
            let data = self.cache.get(block)?;
            // From the start of the block, as a removal may have joined the
            // entry at `position` to the one before.
            let mut at = 0;
            while at < data.len() {
                let slot = slot(data, at, has_file_types)?;
                let here = index * block_size + at as u64;
                at += slot.len;
                if here < position || slot.ino == 0 {
                    continue;
                }
                let entry = Entry {
                    name: slot.name(data),
                    ino: slot.ino,
                    kind: Kind::from_entry_type(slot.entry_type),
                    position: here,
                    next_position: index * block_size + at as u64,
                };
                if !sink(entry) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
