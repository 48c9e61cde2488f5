//! The third pass: bitmaps and the groups' counts of what is free.
//!
//! The superblock's counts are not looked at: whoever mounts takes the sums of
//! the groups'.

use alloc::format;

use super::{Bits, Checker};
use crate::{Kind, Result};

/// How two bitmaps differ.
#[derive(Default)]
struct Difference {
    count: u32,
    first: u32,
}

impl Difference {
    fn add(&mut self, number: u32) {
        if self.count == 0 {
            self.first = number;
        }
        self.count += 1;
    }
}

impl Checker {
    pub(super) fn check_bitmaps(&mut self) -> Result<()> {
        if self.is_full() {
            return Ok(());
        }
        for number in 0..self.fs.sb.group_count() {
            let group = self.fs.group(number)?;
            let bits = (self.fs.cache.block_size() * 8) as u32;

            let (start, len) = (self.fs.sb.group_start(number) as u32, self.fs.sb.group_len(number));
            let bitmap = Bits(self.fs.cache.get(group.block_bitmap)?.to_vec());
            let is_used = |checker: &Self, index: u32| checker.blocks.has(start + index);
            let free = self.compare(&bitmap, (len, bits), ("block", start), is_used);
            if free != u32::from(group.free_blocks) {
                self.problem(format!("group {number} counts {} free blocks and has {free}", group.free_blocks));
            }

            let len = self.fs.sb.inodes_per_group;
            let start = number * len + 1;
            let bitmap = Bits(self.fs.cache.get(group.inode_bitmap)?.to_vec());
            let is_used = |checker: &Self, index: u32| {
                let ino = start + index;
                ino < checker.fs.sb.first_ino || checker.inodes.contains_key(&ino)
            };
            let free = self.compare(&bitmap, (len, bits), ("inode", start), is_used);
            if free != u32::from(group.free_inodes) {
                self.problem(format!("group {number} counts {} free inodes and has {free}", group.free_inodes));
            }

            let inodes = self.inodes.range(start..start + len);
            let dirs = inodes.filter(|(_, known)| known.kind == Kind::Directory).count();
            if dirs != usize::from(group.used_dirs) {
                self.problem(format!("group {number} counts {} directories and has {dirs}", group.used_dirs));
            }
        }
        Ok(())
    }

    /// Compares a bitmap of `len` of `bits` bits with what is in use; returns
    /// how many are free by both. `what` is what the bits stand for, and the number of
    /// the first.
    fn compare(
        &mut self,
        bitmap: &Bits,
        (len, bits): (u32, u32),
        (what, start): (&str, u32),
        is_used: impl Fn(&Self, u32) -> bool,
    ) -> u32 {
        let (mut lost, mut taken) = (Difference::default(), Difference::default());
        let mut free = 0;
        for index in 0..len {
            match (is_used(self, index), bitmap.has(index)) {
                (true, false) => taken.add(start + index),
                (false, true) => lost.add(start + index),
                (true, true) => {}
                (false, false) => free += 1,
            }
        }
        if taken.count > 0 {
            self.problem(format!("{what} {} and {} others are in use and marked free", taken.first, taken.count - 1));
        }
        if lost.count > 0 {
            self.problem(format!("{what} {} and {} others are free and marked used", lost.first, lost.count - 1));
        }
        if (len..bits).any(|index| !bitmap.has(index)) {
            self.problem(format!("the bitmap that starts at {what} {start} has free bits behind its end"));
        }
        free
    }
}
