//! Allocating and freeing blocks.
//!
//! A search starts at a goal, so that what belongs together lies together, and
//! yields runs. Blocks that the running transaction has freed are passed over:
//! until it is committed, a loss of power would bring back their old owner.

use crate::error::corrupt;
use crate::fs::Ext2;
use crate::superblock::Group;
use crate::{Error, Result};

/// A search that finds no run of the wanted length is content with this many
/// blocks, before it looks for any at all.
const GOOD_RUN: u32 = 32;

/// The first free bit from `from` on before `end`, and how many follow it, at
/// most `max`.
fn free_bits(bitmap: &[u8], from: u32, end: u32, max: u32) -> Option<(u32, u32)> {
    let is_set = |bit: u32| bitmap.get(bit as usize / 8).is_none_or(|byte| byte & 1 << (bit % 8) != 0);
    let mut start = from;
    while start < end && is_set(start) {
        if start.is_multiple_of(8) && bitmap.get(start as usize / 8) == Some(&0xff) {
            start += 8;
        } else {
            start += 1;
        }
    }
    if start >= end {
        return None;
    }
    let mut stop = start;
    while stop < end && stop - start < max && !is_set(stop) {
        stop += 1;
    }
    Some((start, stop - start))
}

/// Sets or clears `len` bits; returns false, having changed nothing, if one of
/// them is in that state already.
pub(crate) fn change_bits(bitmap: &mut [u8], start: u32, len: u32, set: bool) -> bool {
    let bits = start..start.saturating_add(len);
    let is_other = |bit: u32| bitmap.get(bit as usize / 8).is_some_and(|byte| (byte & 1 << (bit % 8) != 0) != set);
    if !bits.clone().all(is_other) {
        return false;
    }
    for bit in bits {
        if let Some(byte) = bitmap.get_mut(bit as usize / 8) {
            *byte ^= 1 << (bit % 8);
        }
    }
    true
}

impl Ext2 {
    /// Blocks that can be allocated now, reserved ones included.
    pub(crate) fn available_blocks(&self) -> u64 {
        u64::from(self.sb.free_blocks_count).saturating_sub(self.freed.len())
    }

    /// Whether `blocks` more blocks may be allocated.
    pub(crate) fn check_space(&self, blocks: u64) -> Result<()> {
        let reserved = if self.uses_reserved { 0 } else { u64::from(self.sb.r_blocks_count) };
        if self.available_blocks() < blocks.saturating_add(reserved) { Err(Error::NoSpace) } else { Ok(()) }
    }

    /// Whether changes may use the blocks that are reserved for the superuser;
    /// they may until this says otherwise.
    pub fn use_reserved(&mut self, allowed: bool) {
        self.uses_reserved = allowed;
    }

    /// Takes up to `max` consecutive blocks, from `goal` on or near it; there
    /// is at least one, as the caller has checked.
    pub(crate) fn allocate_run(&mut self, goal: u32, max: u32) -> Result<(u32, u32)> {
        let max = max.max(1);
        let groups = self.sb.group_count();
        let (goal_group, goal_index) = if self.sb.is_block(goal) { self.sb.locate(goal) } else { (0, 0) };
        for least in [max.min(GOOD_RUN), 1] {
            for step in 0..groups {
                let number = (goal_group + step) % groups;
                let group = self.group(number)?;
                if group.free_blocks == 0 {
                    continue;
                }
                let from = if step == 0 { goal_index } else { 0 };
                if let Some((index, len)) = self.search_group(number, &group, from, least, max)? {
                    return self.take(number, group, index, len);
                }
            }
        }
        Err(corrupt!("{} blocks are said to be free and none is", self.sb.free_blocks_count))
    }

    /// Looks for `least` to `max` free blocks in a group, first from `from` on.
    fn search_group(
        &mut self,
        number: u32,
        group: &Group,
        from: u32,
        least: u32,
        max: u32,
    ) -> Result<Option<(u32, u32)>> {
        let end = self.sb.group_len(number);
        let start = self.sb.group_start(number) as u32;
        let freed = &self.freed;
        let bitmap = self.cache.get(group.block_bitmap)?;
        for (mut at, end) in [(from, end), (0, end.min(from))] {
            while let Some((index, len)) = free_bits(bitmap, at, end, max) {
                let (is_freed, stretch) = freed.stretch(start.saturating_add(index), len);
                // Right at the goal, a short run is as good as a long one.
                if !is_freed && (stretch >= least || index == from) {
                    return Ok(Some((index, stretch)));
                }
                at = index + stretch;
            }
        }
        Ok(None)
    }

    fn take(&mut self, number: u32, mut group: Group, index: u32, len: u32) -> Result<(u32, u32)> {
        let first = self.sb.group_start(number) as u32 + index;
        self.check_not_tables(number, &group, first, len)?;
        let bitmap = self.cache.get_mut(group.block_bitmap)?;
        if !change_bits(bitmap, index, len, true) {
            return Err(corrupt!("block {first} is not free"));
        }
        group.free_blocks = group
            .free_blocks
            .checked_sub(len as u16)
            .ok_or_else(|| corrupt!("group {number} has more free blocks than it counts"))?;
        self.store_group(number, &group)?;
        self.sb.free_blocks_count = self
            .sb
            .free_blocks_count
            .checked_sub(len)
            .ok_or_else(|| corrupt!("there are more free blocks than are counted"))?;
        self.sb_changed = true;
        Ok((first, len))
    }

    /// Whether `len` blocks from `first` on are apart from their group's
    /// superblock, descriptors, bitmaps and inode table.
    fn check_not_tables(&self, number: u32, group: &Group, first: u32, len: u32) -> Result<()> {
        let fixed_end = self.sb.group_start(number) + u64::from(self.sb.fixed_blocks(number));
        let table_end = group.inode_table.saturating_add(self.sb.inode_table_blocks());
        let end = first.saturating_add(len);
        let has = |block: u32| block >= first && block < end;
        let overlaps_table = first < table_end && end > group.inode_table;
        if u64::from(first) < fixed_end || has(group.block_bitmap) || has(group.inode_bitmap) || overlaps_table {
            return Err(corrupt!("blocks {first} to {end} overlap the tables of group {number}"));
        }
        Ok(())
    }

    /// Frees `len` blocks from `first` on, which may cross groups.
    pub(crate) fn free_blocks(&mut self, first: u32, len: u32, is_metadata: bool) -> Result<()> {
        let mut first = first;
        let mut left = len;
        while left > 0 {
            let (number, index) = self.sb.locate(first);
            let now = left.min(self.sb.group_len(number).saturating_sub(index));
            if now == 0 || !self.sb.is_block(first) {
                return Err(corrupt!("block {first} is freed and does not exist"));
            }
            self.free_in_group(number, index, first, now, is_metadata)?;
            first = first.saturating_add(now);
            left -= now;
        }
        Ok(())
    }

    fn free_in_group(&mut self, number: u32, index: u32, first: u32, len: u32, is_metadata: bool) -> Result<()> {
        let mut group = self.group(number)?;
        self.check_not_tables(number, &group, first, len)?;
        if !change_bits(self.cache.get_mut(group.block_bitmap)?, index, len, false) {
            return Err(corrupt!("block {first} or one of the {len} from there on is freed twice"));
        }
        let free = u32::from(group.free_blocks) + len;
        if free > self.sb.group_len(number) {
            return Err(corrupt!("group {number} counts {free} free blocks"));
        }
        group.free_blocks = free as u16;
        self.store_group(number, &group)?;
        self.sb.free_blocks_count = self.sb.free_blocks_count.saturating_add(len).min(self.sb.blocks_count);
        self.sb_changed = true;
        self.fresh.remove(first, len);
        if is_metadata {
            for block in first..first.saturating_add(len) {
                self.cache.forget(block);
                if let Some(journal) = &mut self.journal {
                    journal.revoke(block);
                }
            }
        }
        if self.journal.is_some() {
            self.freed.insert(first, len);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_bits_stop_at_the_end_and_at_max() {
        let bitmap = [0xff, 0b1110_0111, 0x00, 0xff];
        assert_eq!(free_bits(&bitmap, 0, 32, 10), Some((11, 2)));
        assert_eq!(free_bits(&bitmap, 13, 32, 10), Some((16, 8)));
        assert_eq!(free_bits(&bitmap, 13, 20, 10), Some((16, 4)));
        assert_eq!(free_bits(&bitmap, 13, 32, 3), Some((16, 3)));
        assert_eq!(free_bits(&bitmap, 24, 32, 3), None);
        assert_eq!(free_bits(&bitmap, 24, 64, 3), None);
    }

    #[test]
    fn bits_change_all_or_none() {
        let mut bitmap = [0b0000_1000, 0];
        assert!(!change_bits(&mut bitmap, 1, 4, true));
        assert!(change_bits(&mut bitmap, 4, 6, true));
        assert_eq!(bitmap, [0b1111_1000, 0b11]);
        assert!(!change_bits(&mut bitmap, 14, 4, true));
        assert!(change_bits(&mut bitmap, 3, 7, false));
        assert_eq!(bitmap, [0, 0]);
    }
}
