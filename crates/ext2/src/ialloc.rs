//! Allocating, storing and freeing inodes.

use crate::balloc::change_bits;
use crate::bytes::{le32, put_le16, put_le32};
use crate::error::corrupt;
use crate::fs::Ext2;
use crate::inode::{CLASSIC_SIZE, EXTRA_SIZE, Inode};
use crate::superblock::Group;
use crate::{Error, NewInode, Result};

/// Magic number of a block with extended attributes.
const ATTRIBUTES_MAGIC: u32 = 0xea02_0000;

impl Ext2 {
    /// Writes an inode's record.
    pub(crate) fn store_inode(&mut self, ino: u32, inode: &Inode) -> Result<()> {
        let (block, offset) = self.inode_place(ino)?;
        let size = usize::from(self.sb.inode_size);
        match self.cache.get_mut(block)?.get_mut(offset..offset + size) {
            Some(raw) => inode.store(raw),
            None => return Err(corrupt!("inode {ino} is outside its block")),
        }
        Ok(())
    }

    pub(crate) fn store_group(&mut self, number: u32, group: &Group) -> Result<()> {
        let (block, offset) = self.group_place(number);
        let raw = self.cache.get_mut(block)?;
        group.store(raw.get_mut(offset..).unwrap_or_default());
        Ok(())
    }

    /// The group of an inode.
    pub(crate) fn inode_group(&self, ino: u32) -> u32 {
        ino.saturating_sub(1) / self.sb.inodes_per_group
    }

    /// The group for a new inode in `dir`: files near their directory,
    /// directories near theirs unless it is the root or the group is filling,
    /// so that subtrees spread over the disk.
    fn choose_group(&mut self, dir: u32, is_directory: bool) -> Result<u32> {
        let groups = self.sb.group_count();
        let home = self.inode_group(dir) % groups;
        if is_directory {
            let least_blocks = self.sb.free_blocks_count / groups / 2;
            let group = self.group(home)?;
            let is_full = group.free_inodes == 0 || u32::from(group.free_blocks) < least_blocks;
            if dir == crate::fs::ROOT_INO || is_full {
                let mut best = (0, home);
                for number in 0..groups {
                    let group = self.group(number)?;
                    if group.free_inodes > 0 && group.free_blocks > best.0 {
                        best = (group.free_blocks, number);
                    }
                }
                if best.0 > 0 {
                    return Ok(best.1);
                }
            }
        }
        for step in 0..groups {
            let number = (home + step) % groups;
            if self.group(number)?.free_inodes > 0 {
                return Ok(number);
            }
        }
        Err(corrupt!("{} inodes are said to be free and none is", self.sb.free_inodes_count))
    }

    /// Takes an inode and fills it in, without a link or a name.
    pub(crate) fn allocate_inode(&mut self, dir: u32, node: &NewInode<'_>) -> Result<(u32, Inode)> {
        if self.sb.free_inodes_count == 0 {
            return Err(Error::NoSpace);
        }
        let is_directory = node.kind == crate::Kind::Directory;
        let first_choice = self.choose_group(dir, is_directory)?;
        let groups = self.sb.group_count();
        for step in 0..groups {
            let number = (first_choice + step) % groups;
            let group = self.group(number)?;
            if group.free_inodes == 0 {
                continue;
            }
            if let Some(index) = self.free_inode_index(number, &group)? {
                self.take_inode(number, group, index, is_directory)?;
                let ino = number * self.sb.inodes_per_group + index + 1;
                return Ok((ino, self.new_inode(ino, node)?));
            }
        }
        Err(corrupt!("{} inodes are said to be free and none is", self.sb.free_inodes_count))
    }

    fn free_inode_index(&mut self, number: u32, group: &Group) -> Result<Option<u32>> {
        let per_group = self.sb.inodes_per_group;
        let reserved = if number == 0 { self.sb.first_ino - 1 } else { 0 };
        let bitmap = self.cache.get(group.inode_bitmap)?;
        for (i, byte) in bitmap.iter().enumerate().skip(reserved as usize / 8) {
            if *byte == 0xff {
                continue;
            }
            for bit in 0..8 {
                let index = i as u32 * 8 + bit;
                if index >= reserved && index < per_group && byte & 1 << bit == 0 {
                    return Ok(Some(index));
                }
            }
        }
        Ok(None)
    }

    fn take_inode(&mut self, number: u32, mut group: Group, index: u32, is_directory: bool) -> Result<()> {
        if !change_bits(self.cache.get_mut(group.inode_bitmap)?, index, 1, true) {
            return Err(corrupt!("inode {index} of group {number} is not free"));
        }
        group.free_inodes = group.free_inodes.saturating_sub(1);
        if is_directory {
            group.used_dirs = group.used_dirs.saturating_add(1);
        }
        self.store_group(number, &group)?;
        self.sb.free_inodes_count = self.sb.free_inodes_count.saturating_sub(1);
        self.sb_changed = true;
        Ok(())
    }

    /// Clears the record of a new inode and gives it its attributes.
    fn new_inode(&mut self, ino: u32, node: &NewInode<'_>) -> Result<Inode> {
        let (block, offset) = self.inode_place(ino)?;
        let size = usize::from(self.sb.inode_size);
        let extra = EXTRA_SIZE.min(self.sb.inode_size - CLASSIC_SIZE as u16);
        let raw = self.cache.get_mut(block)?.get_mut(offset..offset + size).unwrap_or_default();
        let generation = le32(raw, 0x64).wrapping_add(1);
        raw.fill(0);
        if size > CLASSIC_SIZE {
            put_le16(raw, 0x80, extra);
        }
        let mut inode = Inode::parse(raw);
        inode.mode = node.kind.mode_bits() | node.mode & 0o7777;
        inode.uid = node.uid;
        inode.gid = node.gid;
        inode.atime = node.now;
        inode.mtime = node.now;
        inode.ctime = node.now;
        inode.crtime = node.now;
        inode.generation = generation;
        if node.kind.is_device() {
            inode.set_rdev(node.rdev);
        }
        inode.store(raw);
        Ok(inode)
    }

    /// Frees an inode that has no blocks, names or place in the orphan list.
    pub(crate) fn free_inode(&mut self, ino: u32, inode: &Inode, now: i64) -> Result<()> {
        let (block, offset) = self.inode_place(ino)?;
        let size = usize::from(self.sb.inode_size);
        let number = self.inode_group(ino);
        let mut group = self.group(number)?;
        let index = (ino - 1) % self.sb.inodes_per_group;
        if ino < self.sb.first_ino || !change_bits(self.cache.get_mut(group.inode_bitmap)?, index, 1, false) {
            return Err(corrupt!("inode {ino} is freed and was not in use"));
        }
        let raw = self.cache.get_mut(block)?.get_mut(offset..offset + size).unwrap_or_default();
        raw.fill(0);
        // The generation goes on when the number is used again. The time must
        // not look like the next inode of an orphan list.
        put_le32(raw, 0x64, inode.generation);
        let seconds = u32::try_from(now / 1_000_000_000).unwrap_or(u32::MAX);
        put_le32(raw, 0x14, seconds.max(self.sb.inodes_count.saturating_add(1)));
        let free = u32::from(group.free_inodes) + 1;
        if free > self.sb.inodes_per_group {
            return Err(corrupt!("group {number} counts {free} free inodes"));
        }
        group.free_inodes = free as u16;
        if inode.is_directory() {
            group.used_dirs = group.used_dirs.saturating_sub(1);
        }
        self.store_group(number, &group)?;
        self.sb.free_inodes_count = self.sb.free_inodes_count.saturating_add(1).min(self.sb.inodes_count);
        self.sb_changed = true;
        Ok(())
    }

    /// Gives up an inode's share in its block of extended attributes, which
    /// several inodes may have together.
    pub(crate) fn release_attributes(&mut self, ino: u32, inode: &mut Inode) -> Result<()> {
        let block = inode.file_acl;
        if block == 0 {
            return Ok(());
        }
        self.checked(ino, block)?;
        let data = self.cache.get(block)?;
        if le32(data, 0) != ATTRIBUTES_MAGIC {
            return Err(corrupt!("inode {ino} has no attributes in block {block}"));
        }
        match le32(data, 4) {
            0 => return Err(corrupt!("nobody has the attributes in block {block}")),
            1 => self.free_blocks(block, 1, true)?,
            users => put_le32(self.cache.get_mut(block)?, 4, users - 1),
        }
        inode.file_acl = 0;
        inode.sectors = inode.sectors.saturating_sub(self.sb.sectors_per_block());
        Ok(())
    }
}
