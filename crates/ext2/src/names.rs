//! Making, linking and removing names; [`crate::rename`] moves them.
//!
//! Each operation is one step. It checks everything that can fail before it
//! changes anything; what remains are contradictions and device errors, after
//! which nothing is committed.

use alloc::boxed::Box;

use crate::bytes::{put, put_le16, put_le32};
use crate::dir::{HEADER, NAME_MAX, Slot, entry_len, slot};
use crate::error::corrupt;
use crate::fs::{Ext2, ROOT_INO};
use crate::grow::zeros;
use crate::inode::{FLAG_APPEND, FLAG_IMMUTABLE, FLAG_INDEX, Inode};
use crate::{Error, Kind, NewInode, Removed, Result};

/// The most names an inode has, as in Linux.
pub(crate) const LINK_MAX: u16 = 32_000;
/// Blocks that a step which adds a name may allocate: a block of the
/// directory, three indirect ones, and one for the new inode.
pub(crate) const NAME_BLOCKS: u64 = 8;
/// A symbolic link this long or shorter is in the inode.
const FAST_LINK_MAX: usize = 59;
/// A name that exists: where it is, and of what.
pub(crate) struct Found {
    pub(crate) block: u32,
    pub(crate) slot: Slot,
    pub(crate) inode: Inode,
}

impl Found {
    pub(crate) fn ino(&self) -> u32 {
        self.slot.ino
    }
}

/// A place for a new entry.
pub(crate) enum Room {
    /// In this block, behind or instead of the entry there.
    Slot { block: u32, slot: Slot },
    /// In a block that the directory must be given first.
    NewBlock,
}

pub(crate) fn check_name(name: &[u8]) -> Result<()> {
    if name.len() > NAME_MAX {
        return Err(Error::NameTooLong);
    }
    if name.is_empty() || name == b"." || name == b".." || name.iter().any(|&byte| byte == b'/' || byte == 0) {
        return Err(Error::Invalid);
    }
    Ok(())
}

impl Ext2 {
    /// A directory that may be changed.
    pub(crate) fn changeable_dir(&mut self, dir: u32) -> Result<Inode> {
        let inode = self.directory(dir)?;
        if inode.links == 0 {
            return Err(Error::NotFound);
        }
        if inode.flags & FLAG_IMMUTABLE != 0 {
            return Err(Error::NotPermitted);
        }
        Ok(inode)
    }

    /// Looks for a name and its inode.
    pub(crate) fn find_name(&mut self, inode: &Inode, dir: u32, name: &[u8]) -> Result<Option<Found>> {
        let Some((block, slot)) = self.find(inode, dir, name)? else { return Ok(None) };
        let ino = self.checked_ino(dir, slot.ino)?;
        let inode = self.inode(ino)?;
        if inode.links == 0 || ino == ROOT_INO {
            return Err(corrupt!("directory {dir} names inode {ino}, which cannot have a name"));
        }
        Ok(Some(Found { block, slot, inode }))
    }

    /// Looks for a place for an entry, and whether there is space for it.
    pub(crate) fn find_room(&mut self, inode: &Inode, dir: u32, name_len: usize, more_blocks: u64) -> Result<Room> {
        let has_file_types = self.sb.has_file_types();
        let needed = entry_len(name_len);
        let blocks = self.dir_blocks(inode, dir)?;
        for index in 0..blocks {
            let block = self.dir_block(inode, dir, index)?;
            let data = self.cache.get(block)?;
            let mut at = 0;
            while at < data.len() {
                let slot = slot(data, at, has_file_types)?;
                if slot.len - slot.needed() >= needed {
                    if more_blocks > 0 {
                        self.check_space(more_blocks)?;
                    }
                    return Ok(Room::Slot { block, slot });
                }
                at += slot.len;
            }
        }
        let path = crate::map::path(blocks, self.sb.pointers()).ok_or(Error::NoSpace)?;
        self.check_space(path.depth as u64 + 1 + more_blocks)?;
        Ok(Room::NewBlock)
    }

    /// Writes an entry. Changes `inode`, the directory's, which the caller
    /// stores.
    pub(crate) fn add_entry(
        &mut self,
        room: &Room,
        inode: &mut Inode,
        dir: u32,
        name: &[u8],
        ino: u32,
        kind: Kind,
    ) -> Result<()> {
        inode.flags &= !FLAG_INDEX;
        let entry_type = if self.sb.has_file_types() { kind.entry_type() } else { 0 };
        let (block, at, len) = match *room {
            Room::Slot { block, slot } => {
                let data = self.cache.get_mut(block)?;
                let needed = slot.needed();
                if needed > 0 {
                    put_le16(data, slot.at + 4, needed as u16);
                }
                (block, slot.at + needed, slot.len - needed)
            }
            Room::NewBlock => {
                let block = self.append_block(inode, dir)?;
                (block, 0, self.cache.block_size())
            }
        };
        let data = self.cache.get_mut(block)?;
        put_entry(data, at, len, name, ino, entry_type);
        Ok(())
    }

    /// Gives a directory or a symbolic link another block, full of zeros.
    pub(crate) fn append_block(&mut self, inode: &mut Inode, ino: u32) -> Result<u32> {
        let block_size = self.cache.block_size();
        let index = inode.size / block_size as u64;
        let given = self.give(inode, ino, index, 1)?;
        if !given.is_new {
            return Err(corrupt!("inode {ino} has blocks behind its end"));
        }
        self.cache.put(given.first, zeros(block_size));
        inode.size += block_size as u64;
        Ok(given.first)
    }

    /// Removes an entry: the one before takes its bytes.
    pub(crate) fn remove_entry(&mut self, block: u32, removed: Slot) -> Result<()> {
        let has_file_types = self.sb.has_file_types();
        let data = self.cache.get_mut(block)?;
        let mut at = 0;
        while at < removed.at {
            let slot = slot(data, at, has_file_types)?;
            if at + slot.len == removed.at {
                put_le16(data, at + 4, (slot.len + removed.len) as u16);
                break;
            }
            at += slot.len;
        }
        put_le32(data, removed.at, 0);
        Ok(())
    }

    /// Makes an entry stand for another inode.
    pub(crate) fn redirect(&mut self, block: u32, slot: Slot, ino: u32, kind: Kind) -> Result<()> {
        let has_file_types = self.sb.has_file_types();
        let data = self.cache.get_mut(block)?;
        put_le32(data, slot.at, ino);
        if has_file_types {
            put(data, slot.at + 7, &[kind.entry_type()]);
        }
        Ok(())
    }

    pub(crate) fn touch_dir(&mut self, dir: u32, inode: &mut Inode, now: i64) -> Result<()> {
        inode.mtime = now;
        inode.ctime = now;
        inode.flags &= !FLAG_INDEX;
        self.store_inode(dir, inode)
    }

    /// Makes a file called `name`; sets the directory's times.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::NoSpace`], [`Error::TooManyLinks`] if the
    /// directory can have no more directories, [`Error::NameTooLong`],
    /// [`Error::Invalid`] for a name that cannot be.
    pub fn create(&mut self, dir: u32, name: &[u8], node: &NewInode<'_>) -> Result<u32> {
        check_name(name)?;
        self.step(NAME_BLOCKS, |fs| {
            let mut parent = fs.changeable_dir(dir)?;
            if fs.find(&parent, dir, name)?.is_some() {
                return Err(Error::Exists);
            }
            let is_directory = node.kind == Kind::Directory;
            if is_directory && parent.links >= LINK_MAX {
                return Err(Error::TooManyLinks);
            }
            let more_blocks = fs.check_node(node)?;
            let room = fs.find_room(&parent, dir, name.len(), more_blocks)?;
            let (ino, mut inode) = fs.make_inode(dir, node)?;
            inode.links = if is_directory { 2 } else { 1 };
            fs.store_inode(ino, &inode)?;
            fs.add_entry(&room, &mut parent, dir, name, ino, node.kind)?;
            if is_directory {
                parent.links += 1;
            }
            fs.touch_dir(dir, &mut parent, node.now)?;
            Ok(ino)
        })
    }

    /// Makes a file without a name near `dir`, an orphan until it is linked.
    ///
    /// # Errors
    /// As [`Ext2::create`]; [`Error::Invalid`] for a directory.
    pub fn create_unnamed(&mut self, dir: u32, node: &NewInode<'_>) -> Result<u32> {
        if node.kind == Kind::Directory {
            return Err(Error::Invalid);
        }
        self.step(NAME_BLOCKS, |fs| {
            fs.directory(dir)?;
            let more_blocks = fs.check_node(node)?;
            fs.check_space(more_blocks)?;
            let (ino, mut inode) = fs.make_inode(dir, node)?;
            fs.add_orphan(ino, &mut inode);
            fs.store_inode(ino, &inode)?;
            Ok(ino)
        })
    }

    /// Whether an inode can be made, and how many blocks it needs.
    fn check_node(&self, node: &NewInode<'_>) -> Result<u64> {
        if self.sb.free_inodes_count == 0 {
            return Err(Error::NoSpace);
        }
        match node.kind {
            Kind::Directory => Ok(1),
            Kind::Symlink if node.target.is_empty() => Err(Error::NotFound),
            Kind::Symlink if node.target.len() >= self.cache.block_size() => Err(Error::NameTooLong),
            Kind::Symlink if node.target.len() > FAST_LINK_MAX => Ok(1),
            _ => Ok(0),
        }
    }

    /// Makes an inode without names, with the first block that its kind needs.
    fn make_inode(&mut self, dir: u32, node: &NewInode<'_>) -> Result<(u32, Inode)> {
        let (ino, mut inode) = self.allocate_inode(dir, node)?;
        match node.kind {
            Kind::Directory => {
                let block = self.append_block(&mut inode, ino)?;
                let block_size = self.cache.block_size();
                let entry_type = if self.sb.has_file_types() { Kind::Directory.entry_type() } else { 0 };
                self.cache.put(block, first_block(block_size, ino, dir, entry_type));
            }
            Kind::Symlink if node.target.len() > FAST_LINK_MAX => {
                let block = self.append_block(&mut inode, ino)?;
                put(self.cache.get_mut(block)?, 0, node.target);
                inode.size = node.target.len() as u64;
            }
            Kind::Symlink => {
                inode.set_fast_target(node.target);
                inode.size = node.target.len() as u64;
            }
            _ => {}
        }
        Ok((ino, inode))
    }

    /// Gives `ino` the further name `name` in `dir`; an unnamed file gets its
    /// first one.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::TooManyLinks`], [`Error::NoSpace`],
    /// [`Error::IsDirectory`], [`Error::NotPermitted`] if the inode is
    /// immutable.
    pub fn link(&mut self, dir: u32, name: &[u8], ino: u32, now: i64) -> Result<()> {
        check_name(name)?;
        self.step(NAME_BLOCKS, |fs| {
            let mut parent = fs.changeable_dir(dir)?;
            let mut inode = fs.inode(ino)?;
            let kind = inode.kind().ok_or_else(|| corrupt!("inode {ino} has no type"))?;
            if kind == Kind::Directory {
                return Err(Error::IsDirectory);
            }
            if inode.flags & (FLAG_IMMUTABLE | FLAG_APPEND) != 0 {
                return Err(Error::NotPermitted);
            }
            if fs.find(&parent, dir, name)?.is_some() {
                return Err(Error::Exists);
            }
            if inode.links >= LINK_MAX {
                return Err(Error::TooManyLinks);
            }
            let room = fs.find_room(&parent, dir, name.len(), 0)?;
            if inode.links == 0 {
                fs.remove_orphan(ino, &mut inode)?;
            }
            inode.links += 1;
            inode.ctime = now;
            fs.store_inode(ino, &inode)?;
            fs.add_entry(&room, &mut parent, dir, name, ino, kind)?;
            fs.touch_dir(dir, &mut parent, now)
        })
    }

    /// Removes the name of a file that is not a directory.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::IsDirectory`], [`Error::NotPermitted`].
    pub fn unlink(&mut self, dir: u32, name: &[u8], now: i64) -> Result<Removed> {
        check_name(name)?;
        self.step(0, |fs| {
            let mut parent = fs.changeable_dir(dir)?;
            let found = fs.find_name(&parent, dir, name)?.ok_or(Error::NotFound)?;
            if found.inode.is_directory() {
                return Err(Error::IsDirectory);
            }
            check_removable(&parent, &found.inode)?;
            fs.remove_entry(found.block, found.slot)?;
            let removed = fs.drop_name(found, now)?;
            fs.touch_dir(dir, &mut parent, now)?;
            Ok(removed)
        })
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotDirectory`], [`Error::NotEmpty`],
    /// [`Error::NotPermitted`].
    pub fn rmdir(&mut self, dir: u32, name: &[u8], now: i64) -> Result<Removed> {
        check_name(name)?;
        self.step(0, |fs| {
            let mut parent = fs.changeable_dir(dir)?;
            let found = fs.find_name(&parent, dir, name)?.ok_or(Error::NotFound)?;
            if !found.inode.is_directory() {
                return Err(Error::NotDirectory);
            }
            check_removable(&parent, &found.inode)?;
            if !fs.is_empty_dir(&found.inode, found.ino())? {
                return Err(Error::NotEmpty);
            }
            fs.remove_entry(found.block, found.slot)?;
            let removed = fs.drop_name(found, now)?;
            parent.links = parent.links.saturating_sub(1).max(2);
            fs.touch_dir(dir, &mut parent, now)?;
            Ok(removed)
        })
    }

    /// An inode has lost a name; a directory has lost its only one. With none
    /// left it becomes an orphan.
    pub(crate) fn drop_name(&mut self, found: Found, now: i64) -> Result<Removed> {
        let ino = found.ino();
        let mut inode = found.inode;
        inode.links = if inode.is_directory() { 0 } else { inode.links.saturating_sub(1) };
        inode.ctime = now;
        if inode.links == 0 {
            self.add_orphan(ino, &mut inode);
        }
        self.store_inode(ino, &inode)?;
        Ok(Removed { ino, nlink: inode.links })
    }

    /// True if a directory has no entries but `.` and `..`.
    pub(crate) fn is_empty_dir(&mut self, inode: &Inode, ino: u32) -> Result<bool> {
        let has_file_types = self.sb.has_file_types();
        for index in 0..self.dir_blocks(inode, ino)? {
            let block = self.dir_block(inode, ino, index)?;
            let data = self.cache.get(block)?;
            let mut at = 0;
            while at < data.len() {
                let slot = slot(data, at, has_file_types)?;
                let name = slot.name(data);
                if slot.ino != 0 && name != b"." && name != b".." {
                    return Ok(false);
                }
                at += slot.len;
            }
        }
        Ok(true)
    }
}

/// Whether flags allow to take a name away.
pub(crate) fn check_removable(parent: &Inode, inode: &Inode) -> Result<()> {
    let flags = inode.flags & (FLAG_IMMUTABLE | FLAG_APPEND) | parent.flags & FLAG_APPEND;
    if flags != 0 { Err(Error::NotPermitted) } else { Ok(()) }
}

/// Writes an entry of `len` bytes.
fn put_entry(block: &mut [u8], at: usize, len: usize, name: &[u8], ino: u32, entry_type: u8) {
    put_le32(block, at, ino);
    put_le16(block, at + 4, len as u16);
    put(block, at + 6, &[name.len() as u8, entry_type]);
    put(block, at + HEADER, name);
}

/// The first block of a new directory: `.` and `..`.
pub(crate) fn first_block(block_size: usize, ino: u32, parent: u32, entry_type: u8) -> Box<[u8]> {
    let mut block = zeros(block_size);
    put_entry(&mut block, 0, 12, b".", ino, entry_type);
    put_entry(&mut block, 12, block_size - 12, b"..", parent, entry_type);
    block
}
