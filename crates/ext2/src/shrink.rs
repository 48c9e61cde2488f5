//! Taking blocks from a file: truncation, holes, deletion.
//!
//! A large file takes several steps. While it is cut off or deleted, its inode
//! is on the orphan list, so that after a loss of power mounting finishes what
//! was begun.

use crate::bytes::{le32, put_le32};
use crate::fs::Ext2;
use crate::inode::Inode;
use crate::map::{DIRECT, span};
use crate::{Error, Result};

/// How far a walk came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Walk {
    Finished,
    /// The transaction is full; the rest is for another step.
    Paused,
}

impl Ext2 {
    /// Frees an inode's blocks from `from` to before `to`, as many as one step
    /// can; returns true if that were all. Changes `inode`, which the caller
    /// stores.
    pub(crate) fn free_range(&mut self, inode: &mut Inode, ino: u32, from: u64, to: u64) -> Result<bool> {
        let is_metadata = inode.kind() != Some(crate::Kind::File);
        for slot in 0..DIRECT.min(u32::try_from(to).unwrap_or(u32::MAX)) {
            if u64::from(slot) < from {
                continue;
            }
            if self.should_pause() {
                return Ok(false);
            }
            let block = inode.block.get_mut(slot as usize).map_or(0, core::mem::take);
            if self.checked(ino, block)? != 0 {
                self.free_counted(inode, block, 1, is_metadata)?;
            }
        }
        let mut base = u64::from(DIRECT);
        for depth in 1..=3 {
            let slot = 11 + depth;
            let size = span(depth, self.sb.pointers());
            let block = inode.block.get(slot).copied().unwrap_or(0);
            if self.checked(ino, block)? != 0 && from < base + size && to > base {
                if self.free_tree(inode, ino, block, depth, base, (from, to))? == Walk::Paused {
                    return Ok(false);
                }
                if self.is_empty_block(block)? {
                    self.free_counted(inode, block, 1, true)?;
                    if let Some(place) = inode.block.get_mut(slot) {
                        *place = 0;
                    }
                }
            }
            base += size;
        }
        Ok(true)
    }

    /// Frees what lies in `range` below the indirect block `block`, which
    /// starts at the file's block `base`.
    fn free_tree(
        &mut self,
        inode: &mut Inode,
        ino: u32,
        block: u32,
        depth: usize,
        base: u64,
        range: (u64, u64),
    ) -> Result<Walk> {
        let pointers = self.sb.pointers();
        let child = span(depth - 1, pointers);
        let (from, to) = range;
        let mut slot = (from.saturating_sub(base) / child) as u32;
        let end = to.saturating_sub(base).div_ceil(child).min(u64::from(pointers)) as u32;
        let is_metadata = inode.kind() != Some(crate::Kind::File);
        while slot < end {
            let numbers = self.cache.get(block)?;
            let first = le32(numbers, slot as usize * 4);
            if first == 0 {
                slot += 1;
                continue;
            }
            // Consecutive blocks of a group are freed together.
            let (group, _) = self.sb.locate(first);
            let group_end = self.sb.group_start(group) + u64::from(self.sb.group_len(group));
            let most = (group_end.saturating_sub(u64::from(first)) as u32).min(end - slot);
            let mut len = 1;
            while depth == 1 && len < most && le32(numbers, (slot + len) as usize * 4) == first + len {
                len += 1;
            }
            self.checked(ino, first)?;
            if self.should_pause() {
                return Ok(Walk::Paused);
            }
            if depth > 1 {
                let child_base = base + u64::from(slot) * child;
                if self.free_tree(inode, ino, first, depth - 1, child_base, range)? == Walk::Paused {
                    return Ok(Walk::Paused);
                }
                if !self.is_empty_block(first)? {
                    slot += 1;
                    continue;
                }
            }
            let numbers = self.cache.get_mut(block)?;
            for i in slot..slot + len {
                put_le32(numbers, i as usize * 4, 0);
            }
            self.free_counted(inode, first, len, is_metadata || depth > 1)?;
            slot += len;
        }
        Ok(Walk::Finished)
    }

    fn is_empty_block(&mut self, block: u32) -> Result<bool> {
        Ok(self.cache.get(block)?.iter().all(|&byte| byte == 0))
    }

    fn free_counted(&mut self, inode: &mut Inode, first: u32, len: u32, is_metadata: bool) -> Result<()> {
        self.free_blocks(first, len, is_metadata)?;
        inode.sectors = inode.sectors.saturating_sub(len.saturating_mul(self.sb.sectors_per_block()));
        Ok(())
    }

    /// Changes a regular file's size.
    pub(crate) fn resize(&mut self, ino: u32, size: u64) -> Result<()> {
        if size > self.max_file_size() {
            return Err(Error::FileTooBig);
        }
        let is_done = self.step(0, |fs| {
            let mut inode = fs.regular(ino)?;
            if size >= inode.size {
                fs.set_size(&mut inode, size);
                fs.store_inode(ino, &inode)?;
                return Ok(true);
            }
            fs.zero_tail(&inode, ino, size)?;
            fs.set_size(&mut inode, size);
            let is_done = fs.cut(&mut inode, ino)?;
            if !is_done {
                fs.add_orphan(ino, &mut inode);
            }
            fs.store_inode(ino, &inode)?;
            Ok(is_done)
        })?;
        if is_done { Ok(()) } else { self.finish_cut(ino) }
    }

    /// Frees blocks beyond the size; true if none are left.
    fn cut(&mut self, inode: &mut Inode, ino: u32) -> Result<bool> {
        let from = inode.size.div_ceil(self.cache.block_size() as u64);
        self.free_range(inode, ino, from, u64::MAX)
    }

    /// Goes on cutting off a file with names that is on the orphan list, and
    /// takes it off the list.
    pub(crate) fn finish_cut(&mut self, ino: u32) -> Result<()> {
        loop {
            let is_done = self.step(0, |fs| {
                let mut inode = fs.inode(ino)?;
                let is_done = !inode.has_blocks(fs.sb.sectors_per_block()) || fs.cut(&mut inode, ino)?;
                if is_done && inode.links > 0 {
                    fs.remove_orphan(ino, &mut inode)?;
                }
                fs.store_inode(ino, &inode)?;
                Ok(is_done)
            })?;
            if is_done {
                return Ok(());
            }
        }
    }

    /// Writes zeros from `offset` to the end of its block.
    fn zero_tail(&mut self, inode: &Inode, ino: u32, offset: u64) -> Result<()> {
        let block_size = self.cache.block_size() as u64;
        match offset % block_size {
            0 => Ok(()),
            skip => self.zero_part(inode, ino, offset / block_size, skip as usize, block_size as usize),
        }
    }

    /// Writes zeros to the bytes `start` to `end` of a file's block.
    fn zero_part(&mut self, inode: &Inode, ino: u32, file_block: u64, start: usize, end: usize) -> Result<()> {
        let Some(offset) = self.readable(inode, ino, file_block, 1)?.device_offset else { return Ok(()) };
        let mut block = [0; 4096];
        let block = block.get_mut(..self.cache.block_size()).unwrap_or_default();
        self.cache.device().read(offset, block)?;
        block.get_mut(start..end).unwrap_or_default().fill(0);
        self.cache.device().write(offset, block)?;
        Ok(())
    }

    /// Makes the bytes from `offset` on read as zeros and frees whole blocks.
    /// The size stays.
    ///
    /// # Errors
    /// [`Error::ReadOnly`] and device failures.
    pub fn punch_hole(&mut self, ino: u32, offset: u64, len: u64) -> Result<()> {
        let block_size = self.cache.block_size() as u64;
        loop {
            let is_done = self.step(0, |fs| {
                let mut inode = fs.regular(ino)?;
                let end = offset.saturating_add(len).min(inode.size);
                if offset >= end {
                    return Ok(true);
                }
                let (first, last) = (offset.div_ceil(block_size), end / block_size);
                let (head, tail) = ((offset % block_size) as usize, (end % block_size) as usize);
                if first > last {
                    fs.zero_part(&inode, ino, last, head, tail)?;
                    return Ok(true);
                }
                if head != 0 {
                    fs.zero_part(&inode, ino, first - 1, head, block_size as usize)?;
                }
                if tail != 0 {
                    fs.zero_part(&inode, ino, last, 0, tail)?;
                }
                let is_done = fs.free_range(&mut inode, ino, first, last)?;
                fs.store_inode(ino, &inode)?;
                Ok(is_done)
            })?;
            if is_done {
                return Ok(());
            }
        }
    }
}
