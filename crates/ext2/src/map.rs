//! From a file's blocks to the device's: direct and indirect block numbers.

use crate::bytes::le32;
use crate::error::corrupt;
use crate::fs::Ext2;
use crate::inode::Inode;
use crate::{Error, Kind, Result, Run};

/// Block numbers in the inode itself.
pub(crate) const DIRECT: u32 = 12;

/// The way from an inode to a block number: `slots[0]` is the index into the
/// inode's 15, the others into indirect blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// How many indirect blocks lie on the way.
    pub(crate) depth: usize,
    pub(crate) slots: [u32; 4],
}

/// Where the last number on the way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaf {
    /// In the inode.
    Inode { slot: u32 },
    /// In an indirect block.
    Block { block: u32, slot: u32 },
    /// Nowhere: an indirect block is missing, and with it this many blocks
    /// of the file from here on.
    Missing { blocks: u64 },
}

/// The way to a file's block, or `None` beyond what a file can have.
/// `pointers` is how many numbers an indirect block has.
pub(crate) fn path(file_block: u64, pointers: u32) -> Option<Path> {
    let p = u64::from(pointers);
    let mut rest = file_block;
    if rest < u64::from(DIRECT) {
        return Some(Path { depth: 0, slots: [rest as u32, 0, 0, 0] });
    }
    rest -= u64::from(DIRECT);
    if rest < p {
        return Some(Path { depth: 1, slots: [12, rest as u32, 0, 0] });
    }
    rest -= p;
    if rest < p * p {
        return Some(Path { depth: 2, slots: [13, (rest / p) as u32, (rest % p) as u32, 0] });
    }
    rest -= p * p;
    if rest < p * p * p {
        return Some(Path { depth: 3, slots: [14, (rest / p / p) as u32, (rest / p % p) as u32, (rest % p) as u32] });
    }
    None
}

/// How many blocks of a file lie below one number with `depth` indirect blocks
/// between them.
pub(crate) fn span(depth: usize, pointers: u32) -> u64 {
    let p = u64::from(pointers);
    match depth {
        0 => 1,
        1 => p,
        2 => p * p,
        _ => p * p * p,
    }
}

impl Ext2 {
    /// The most bytes a file can have: what its block numbers reach, and its
    /// count of sectors holds.
    #[must_use]
    pub fn max_file_size(&self) -> u64 {
        let p = u64::from(self.sb.pointers());
        let reachable = u64::from(DIRECT) + p + p * p + p * p * p;
        let countable = u64::from(u32::MAX / self.sb.sectors_per_block());
        // Every indirect block stands for at least `p` others.
        let data = countable - countable.div_ceil(p) * 2;
        reachable.min(data) * u64::from(self.block_size())
    }

    /// Checks a block number from the disk; 0 is a hole.
    pub(crate) fn checked(&self, ino: u32, block: u32) -> Result<u32> {
        if block == 0 || self.sb.is_block(block) { Ok(block) } else { Err(corrupt!("inode {ino} has block {block}")) }
    }

    /// Goes to where the number of a file's block is.
    pub(crate) fn leaf(&mut self, inode: &Inode, ino: u32, file_block: u64) -> Result<Leaf> {
        let pointers = self.sb.pointers();
        let path = path(file_block, pointers).ok_or(Error::FileTooBig)?;
        if path.depth == 0 {
            return Ok(Leaf::Inode { slot: path.slots[0] });
        }
        let mut block = inode.block.get(path.slots[0] as usize).copied().unwrap_or(0);
        for level in 1..=path.depth {
            let below = path.depth - level;
            let slot = path.slots.get(level).copied().unwrap_or(0);
            if self.checked(ino, block)? == 0 {
                // What remains of the missing block's span.
                let mut passed = 0;
                for (i, slot) in path.slots.iter().enumerate().take(path.depth + 1).skip(level) {
                    passed += u64::from(*slot) * span(path.depth - i, pointers);
                }
                return Ok(Leaf::Missing { blocks: span(below + 1, pointers).saturating_sub(passed).max(1) });
            }
            if below == 0 {
                return Ok(Leaf::Block { block, slot });
            }
            block = le32(self.cache.get(block)?, slot as usize * 4);
        }
        Err(corrupt!("inode {ino} has no way to block {file_block}"))
    }

    /// The device's blocks from a file's block on, consecutive or a hole, at
    /// most `max`: first block, 0 for a hole, and how many.
    pub(crate) fn stretch(&mut self, inode: &Inode, ino: u32, file_block: u64, max: u32) -> Result<(u32, u32)> {
        let max = max.max(1);
        let pointers = self.sb.pointers();
        let leaf = self.leaf(inode, ino, file_block)?;
        let (first, len) = match leaf {
            Leaf::Missing { blocks } => (0, u32::try_from(blocks).unwrap_or(u32::MAX).min(max)),
            Leaf::Inode { slot } => {
                let numbers = inode.block.iter().take(DIRECT as usize).skip(slot as usize).copied();
                count_run(numbers, max)
            }
            Leaf::Block { block, slot } => {
                let numbers = self.cache.get(block)?;
                let numbers = (slot..pointers).map(|slot| le32(numbers, slot as usize * 4));
                count_run(numbers, max)
            }
        };
        self.checked(ino, first)?;
        if first != 0 {
            self.checked(ino, first.saturating_add(len - 1))?;
        }
        Ok((first, len))
    }

    /// As [`Ext2::stretch`], with blocks that were never written as holes.
    pub(crate) fn readable(&mut self, inode: &Inode, ino: u32, file_block: u64, max: u32) -> Result<Run> {
        let (first, len) = self.stretch(inode, ino, file_block, max)?;
        if first == 0 {
            return Ok(Run { device_offset: None, blocks: len });
        }
        let (is_fresh, len) = self.fresh.stretch(first, len);
        let device_offset = if is_fresh { None } else { Some(self.cache.offset(first)) };
        Ok(Run { device_offset, blocks: len })
    }

    /// Where a regular file's blocks from `file_block` on can be read: the
    /// longest run of them that is consecutive on the device, or a hole, of at
    /// most `max` blocks. Holes may be reported in several parts. The size of
    /// the file plays no part.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is no regular file, [`Error::FileTooBig`]
    /// beyond what a file can have.
    pub fn map_run(&mut self, ino: u32, file_block: u64, max: u32) -> Result<Run> {
        let inode = self.regular(ino)?;
        self.readable(&inode, ino, file_block, max)
    }

    pub(crate) fn regular(&mut self, ino: u32) -> Result<Inode> {
        let inode = self.inode(ino)?;
        match inode.kind() {
            Some(Kind::File) => Ok(inode),
            Some(Kind::Directory) => Err(Error::IsDirectory),
            _ => Err(Error::Invalid),
        }
    }
}

/// The first number, and for how many numbers they count up from it, or are
/// zero as it is.
fn count_run(mut numbers: impl Iterator<Item = u32>, max: u32) -> (u32, u32) {
    let first = numbers.next().unwrap_or(0);
    let mut len = 1;
    while len < max {
        let expected = if first == 0 { Some(0) } else { first.checked_add(len) };
        if numbers.next() != expected || expected.is_none() {
            break;
        }
        len += 1;
    }
    (first, len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_pass_from_one_depth_to_the_next() {
        let p = 256;
        let at = |n| path(n, p).expect("a path");
        assert_eq!(at(11), Path { depth: 0, slots: [11, 0, 0, 0] });
        assert_eq!(at(12), Path { depth: 1, slots: [12, 0, 0, 0] });
        assert_eq!(at(267), Path { depth: 1, slots: [12, 255, 0, 0] });
        assert_eq!(at(268), Path { depth: 2, slots: [13, 0, 0, 0] });
        assert_eq!(at(268 + 65535), Path { depth: 2, slots: [13, 255, 255, 0] });
        assert_eq!(at(268 + 65536), Path { depth: 3, slots: [14, 0, 0, 0] });
        let end = 268 + 65536 + (1 << 24);
        assert_eq!(at(end - 1), Path { depth: 3, slots: [14, 255, 255, 255] });
        assert_eq!(path(end, p), None);
    }

    #[test]
    fn runs_end_where_numbers_do_not_count_up() {
        assert_eq!(count_run([5, 6, 7, 9].into_iter(), 10), (5, 3));
        assert_eq!(count_run([5, 6, 7, 9].into_iter(), 2), (5, 2));
        assert_eq!(count_run([0, 0, 3].into_iter(), 10), (0, 2));
        assert_eq!(count_run([u32::MAX, 0].into_iter(), 10), (u32::MAX, 1));
    }
}
