//! A mounted file system: [`Ext2`].
//!
//! This file mounts, and gives the other modules inodes and groups. Files:
//! [`crate::file`]; directories: [`crate::dir`] and [`crate::names`].

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::cache::Cache;
use crate::error::corrupt;
use crate::inode::{FLAGS_FOREIGN, Inode};
use crate::runs::RunSet;
use crate::superblock::{GROUP_DESC_SIZE, Group, SUPER_OFFSET, SUPER_SIZE, Super};
use crate::{Device, Error, Kind, MountOptions, Result, Stat, Statfs};

/// The root directory's inode.
pub(crate) const ROOT_INO: u32 = 2;

/// A mounted ext2 or ext3 file system.
///
/// Nothing here locks: the owner keeps it in a lock.
#[derive(Debug)]
pub struct Ext2 {
    pub(crate) cache: Cache,
    pub(crate) sb: Super,
    /// True if `sb` is ahead of its block.
    pub(crate) sb_changed: bool,
    pub(crate) read_only: bool,
    /// Blocks of files that were allocated and have not been written yet. They
    /// read as holes, and are filled with zeros before their allocation is
    /// committed, so that no file ever shows what another one left there.
    pub(crate) fresh: RunSet,
    overhead: u64,
}

impl Ext2 {
    /// Mounts what is on `device`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if that is no ext2, or one with features that
    /// this crate does not know; [`Error::Corrupt`]; [`Error::ReadOnly`] if it
    /// can only be mounted read-only and `options` do not ask for that.
    pub fn mount(device: Box<dyn Device>, options: MountOptions) -> Result<Self> {
        let mut raw = [0; SUPER_SIZE];
        if device.size_bytes() < SUPER_OFFSET + SUPER_SIZE as u64 {
            return Err(Error::Unsupported("no ext2 file system: the device is too small".into()));
        }
        device.read(SUPER_OFFSET, &mut raw)?;
        let sb = Super::parse(&raw, device.size_bytes())?;
        if !options.read_only && (sb.is_read_only() || device.is_read_only()) {
            return Err(Error::ReadOnly);
        }
        let overhead = sb.overhead();
        let cache = Cache::new(device, sb.block_size());
        let mut fs =
            Self { cache, sb, sb_changed: false, read_only: options.read_only, fresh: RunSet::new(), overhead };
        fs.check_groups()?;
        let root = fs.inode(ROOT_INO)?;
        if !root.is_directory() || root.links == 0 {
            return Err(corrupt!("the root is no directory"));
        }
        Ok(fs)
    }

    /// Whether every group's tables are where they may be.
    fn check_groups(&mut self) -> Result<()> {
        for number in 0..self.sb.group_count() {
            if !self.group(number)?.is_sound(&self.sb, number) {
                return Err(corrupt!("group {number} has its tables outside"));
            }
        }
        Ok(())
    }

    /// The inode of the root directory.
    #[must_use]
    pub const fn root(&self) -> u32 {
        ROOT_INO
    }

    /// True if changes are refused.
    #[must_use]
    pub const fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Bytes in a block: 1024, 2048 or 4096.
    #[must_use]
    pub fn block_size(&self) -> u32 {
        self.cache.block_size() as u32
    }

    /// The device, for reading and writing files' blocks where
    /// [`Ext2::map_run`] and [`Ext2::map_write`] say they are.
    #[must_use]
    pub fn device(&self) -> &dyn Device {
        self.cache.device()
    }

    /// Sizes, free space, identity.
    #[must_use]
    pub fn statfs(&self) -> Statfs {
        let free = u64::from(self.sb.free_blocks_count);
        Statfs {
            block_size: self.block_size(),
            blocks: u64::from(self.sb.blocks_count).saturating_sub(self.overhead),
            free_blocks: free,
            available_blocks: free.saturating_sub(u64::from(self.sb.r_blocks_count)),
            inodes: u64::from(self.sb.inodes_count),
            free_inodes: u64::from(self.sb.free_inodes_count),
            uuid: self.sb.uuid,
            label: self.label(),
            has_journal: self.sb.has_journal(),
        }
    }

    /// The volume's name.
    #[must_use]
    pub fn label(&self) -> String {
        let name = &self.sb.volume_name;
        let len = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
        String::from_utf8_lossy(name.get(..len).unwrap_or_default()).into_owned()
    }

    /// The volume's identity.
    #[must_use]
    pub const fn uuid(&self) -> [u8; 16] {
        self.sb.uuid
    }

    /// What there is to know about an inode.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it is not in use.
    pub fn stat(&mut self, ino: u32) -> Result<Stat> {
        let inode = self.inode(ino)?;
        match inode.kind() {
            Some(kind) => Ok(inode.stat(ino, kind)),
            None => Err(corrupt!("inode {ino} has mode {:#o}", inode.mode)),
        }
    }

    /// What a symbolic link says.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is none.
    pub fn read_link(&mut self, ino: u32) -> Result<Vec<u8>> {
        let inode = self.inode(ino)?;
        if inode.kind() != Some(Kind::Symlink) {
            return Err(Error::Invalid);
        }
        let len = usize::try_from(inode.size).unwrap_or(usize::MAX);
        if len > self.cache.block_size() {
            return Err(corrupt!("symbolic link {ino} is {len} bytes long"));
        }
        if inode.is_fast_symlink(self.sb.sectors_per_block()) {
            let text = inode.fast_target();
            return match text.get(..len) {
                Some(text) => Ok(text.to_vec()),
                None => Err(corrupt!("symbolic link {ino} is {len} bytes long without a block")),
            };
        }
        let mut text = vec![0; len];
        self.read_inode(&inode, ino, 0, &mut text)?;
        Ok(text)
    }

    /// Where the record of an inode is: block and offset.
    pub(crate) fn inode_place(&mut self, ino: u32) -> Result<(u32, usize)> {
        if ino == 0 || ino > self.sb.inodes_count {
            return Err(corrupt!("there is no inode {ino}"));
        }
        let index = ino - 1;
        let group = self.group(index / self.sb.inodes_per_group)?;
        let offset = u64::from(index % self.sb.inodes_per_group) * u64::from(self.sb.inode_size);
        let block_size = self.cache.block_size() as u64;
        // The table lies in its group, as mounting has checked.
        Ok((group.inode_table.saturating_add((offset / block_size) as u32), (offset % block_size) as usize))
    }

    /// The record of an inode, in use or not.
    pub(crate) fn raw_inode(&mut self, ino: u32) -> Result<Inode> {
        let (block, offset) = self.inode_place(ino)?;
        let size = usize::from(self.sb.inode_size);
        match self.cache.get(block)?.get(offset..offset + size) {
            Some(raw) => Ok(Inode::parse(raw)),
            None => Err(corrupt!("inode {ino} is outside its block")),
        }
    }

    /// The record of an inode that is in use.
    pub(crate) fn inode(&mut self, ino: u32) -> Result<Inode> {
        let inode = self.raw_inode(ino)?;
        if inode.mode == 0 || (inode.links == 0 && !self.is_orphan(ino)) {
            return Err(corrupt!("inode {ino} is not in use"));
        }
        if inode.flags & FLAGS_FOREIGN != 0 {
            return Err(corrupt!("inode {ino} has flags {:#x}", inode.flags));
        }
        Ok(inode)
    }

    /// The record of a directory.
    pub(crate) fn directory(&mut self, ino: u32) -> Result<Inode> {
        let inode = self.inode(ino)?;
        if !inode.is_directory() {
            return Err(Error::NotDirectory);
        }
        Ok(inode)
    }

    #[expect(clippy::unused_self, reason = "orphans come with writing")]
    pub(crate) fn is_orphan(&self, _ino: u32) -> bool {
        false
    }

    /// Where a group's descriptor is: block and offset.
    pub(crate) fn group_place(&self, number: u32) -> (u32, usize) {
        let per_block = (self.cache.block_size() / GROUP_DESC_SIZE) as u32;
        let offset = (number % per_block) as usize * GROUP_DESC_SIZE;
        (self.sb.first_data_block + 1 + number / per_block, offset)
    }

    pub(crate) fn group(&mut self, number: u32) -> Result<Group> {
        if number >= self.sb.group_count() {
            return Err(corrupt!("there is no group {number}"));
        }
        let (block, offset) = self.group_place(number);
        Ok(Group::parse(self.cache.get(block)?.get(offset..).unwrap_or_default()))
    }
}
