//! Giving blocks to a file: [`Ext2::allocate`] and what writing uses.

use alloc::boxed::Box;
use alloc::vec;

use crate::bytes::put_le32;
use crate::error::corrupt;
use crate::fs::Ext2;
use crate::inode::Inode;
use crate::map::{DIRECT, Leaf, path};
use crate::superblock::RO_COMPAT_LARGE_FILE;
use crate::{Error, Result, Run};

/// The most blocks that one step gives a file.
pub(crate) const STEP_RUN: u32 = 2048;

/// Blocks of a file that are there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
    pub(crate) first: u32,
    pub(crate) len: u32,
    /// True if they were allocated just now.
    pub(crate) is_new: bool,
}

impl Ext2 {
    /// The blocks from a file's block on, at least one and at most `max`;
    /// where there is a hole, takes blocks for it. Changes `inode`, which the
    /// caller stores.
    pub(crate) fn give(&mut self, inode: &mut Inode, ino: u32, file_block: u64, max: u32) -> Result<Given> {
        let max = max.clamp(1, STEP_RUN);
        let (first, len) = self.stretch(inode, ino, file_block, max)?;
        if first != 0 {
            return Ok(Given { first, len, is_new: false });
        }
        let path = path(file_block, self.sb.pointers()).ok_or(Error::FileTooBig)?;
        // All or nothing: the indirect blocks and one more.
        self.check_space(path.depth as u64 + 1)?;
        let goal = self.goal(inode, ino, file_block)?;
        let (leaf, goal) = self.make_leaf(inode, ino, &path.slots, path.depth, goal)?;
        let reserved = if self.uses_reserved { 0 } else { u64::from(self.sb.r_blocks_count) };
        let left = self.available_blocks().saturating_sub(reserved);
        let max = len.min(u32::try_from(left).unwrap_or(u32::MAX));
        let (first, len) = match leaf {
            Leaf::Inode { slot } => {
                let (first, len) = self.allocate_run(goal, max.min(DIRECT - slot))?;
                let slots = inode.block.iter_mut().skip(slot as usize).take(len as usize);
                for (number, slot) in (first..).zip(slots) {
                    *slot = number;
                }
                (first, len)
            }
            Leaf::Block { block, slot } => {
                // A hole that was missing as a whole may be longer than this
                // indirect block.
                let (first, len) = self.allocate_run(goal, max.min(self.sb.pointers() - slot))?;
                let numbers = self.cache.get_mut(block)?;
                for i in 0..len {
                    put_le32(numbers, (slot + i) as usize * 4, first + i);
                }
                (first, len)
            }
            Leaf::Missing { .. } => return Err(corrupt!("inode {ino} has lost an indirect block")),
        };
        self.count_blocks(inode, ino, len)?;
        Ok(Given { first, len, is_new: true })
    }

    /// Where the block before the wanted one is, or the inode's group.
    fn goal(&mut self, inode: &Inode, ino: u32, file_block: u64) -> Result<u32> {
        if let Some(before) = file_block.checked_sub(1) {
            let (block, _) = self.stretch(inode, ino, before, 1)?;
            if block != 0 {
                return Ok(block.saturating_add(1));
            }
        }
        let number = self.inode_group(ino);
        let group = self.group(number)?;
        Ok(group.inode_table.saturating_add(self.sb.inode_table_blocks()))
    }

    /// Goes to the last number on the way, and makes the indirect blocks that
    /// are missing. Returns where it is, and where to look for blocks next.
    fn make_leaf(
        &mut self,
        inode: &mut Inode,
        ino: u32,
        slots: &[u32; 4],
        depth: usize,
        goal: u32,
    ) -> Result<(Leaf, u32)> {
        let mut goal = goal;
        let mut leaf = Leaf::Inode { slot: slots[0] };
        for slot in slots.iter().take(depth + 1).skip(1) {
            let block = match leaf {
                Leaf::Inode { slot } => inode.block.get(slot as usize).copied().unwrap_or(0),
                Leaf::Block { block, slot } => crate::bytes::le32(self.cache.get(block)?, slot as usize * 4),
                Leaf::Missing { .. } => 0,
            };
            let mut block = self.checked(ino, block)?;
            if block == 0 {
                (block, _) = self.allocate_run(goal, 1)?;
                goal = block.saturating_add(1);
                self.cache.put(block, zeros(self.cache.block_size()));
                self.count_blocks(inode, ino, 1)?;
                match leaf {
                    Leaf::Inode { slot } => {
                        if let Some(place) = inode.block.get_mut(slot as usize) {
                            *place = block;
                        }
                    }
                    Leaf::Block { block: parent, slot } => {
                        put_le32(self.cache.get_mut(parent)?, slot as usize * 4, block);
                    }
                    Leaf::Missing { .. } => {}
                }
            }
            leaf = Leaf::Block { block, slot: *slot };
        }
        Ok((leaf, goal))
    }

    fn count_blocks(&self, inode: &mut Inode, ino: u32, blocks: u32) -> Result<()> {
        let sectors = blocks.checked_mul(self.sb.sectors_per_block());
        inode.sectors = sectors
            .and_then(|sectors| inode.sectors.checked_add(sectors))
            .ok_or_else(|| corrupt!("inode {ino} counts {} sectors", inode.sectors))?;
        Ok(())
    }

    /// Sets a regular file's size.
    pub(crate) fn set_size(&mut self, inode: &mut Inode, size: u64) {
        inode.size = size;
        if size > i32::MAX as u64 && self.sb.feature_ro_compat & RO_COMPAT_LARGE_FILE == 0 && self.sb.rev_level >= 1 {
            self.sb.feature_ro_compat |= RO_COMPAT_LARGE_FILE;
            self.sb_changed = true;
        }
    }

    /// Reserves blocks for the bytes from `offset` on and lengthens the file
    /// over them; returns how many bytes are covered. Blocks that were missing
    /// read as holes until [`Ext2::map_write`] has given them out, and hold
    /// zeros if they are committed before that.
    ///
    /// # Errors
    /// [`Error::NoSpace`] if not even one byte is covered,
    /// [`Error::FileTooBig`].
    pub fn allocate(&mut self, ino: u32, offset: u64, len: u64) -> Result<u64> {
        let end = offset.checked_add(len).filter(|&end| end <= self.max_file_size()).ok_or(Error::FileTooBig)?;
        let block_size = self.cache.block_size() as u64;
        let mut at = offset;
        while at < end {
            let first = at / block_size;
            let blocks = u32::try_from(end.div_ceil(block_size) - first).unwrap_or(u32::MAX).min(STEP_RUN);
            let given = self.step(u64::from(blocks) + 4, |fs| fs.allocate_step(ino, first, blocks, end));
            match given {
                Ok(given) => at = (first + u64::from(given)) * block_size,
                Err(Error::NoSpace) if at > offset => break,
                Err(error) => return Err(error),
            }
        }
        Ok(at.min(end).saturating_sub(offset))
    }

    fn allocate_step(&mut self, ino: u32, first: u64, blocks: u32, end: u64) -> Result<u32> {
        let mut inode = self.regular(ino)?;
        let given = self.give(&mut inode, ino, first, blocks)?;
        if given.is_new {
            self.fresh.insert(given.first, given.len);
        }
        let covered = (first + u64::from(given.len)) * self.cache.block_size() as u64;
        let grows = inode.size < covered.min(end);
        if grows {
            self.set_size(&mut inode, covered.min(end));
        }
        if grows || given.is_new {
            self.store_inode(ino, &inode)?;
        }
        Ok(given.len)
    }

    /// Where a regular file's blocks from `file_block` on are to be written by
    /// the caller, as whole blocks and before the next change or commit; a
    /// hole where none are allocated.
    ///
    /// # Errors
    /// As [`Ext2::map_run`].
    pub fn map_write(&mut self, ino: u32, file_block: u64, max: u32) -> Result<Run> {
        if self.read_only {
            return Err(Error::ReadOnly);
        }
        let inode = self.regular(ino)?;
        let (first, len) = self.stretch(&inode, ino, file_block, max)?;
        if first == 0 {
            return Ok(Run { device_offset: None, blocks: len });
        }
        self.fresh.remove(first, len);
        Ok(Run { device_offset: Some(self.cache.offset(first)), blocks: len })
    }
}

pub(crate) fn zeros(len: usize) -> Box<[u8]> {
    vec![0; len].into_boxed_slice()
}
