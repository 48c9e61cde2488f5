//! A mounted file system: [`Ext2`].
//!
//! This file mounts, and gives the other modules inodes and groups. Files:
//! [`crate::file`]; directories: [`crate::dir`] and [`crate::names`].

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::bytes::put_le32;
use crate::cache::Cache;
use crate::error::corrupt;
use crate::inode::{FLAGS_FOREIGN, Inode};
use crate::journal::{Journal, replay};
use crate::runs::RunSet;
use crate::superblock::{GROUP_DESC_SIZE, Group, INCOMPAT_RECOVER, SUPER_OFFSET, SUPER_SIZE, Super};
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
    /// Blocks that the running transaction has freed.
    pub(crate) freed: RunSet,
    /// The orphan list, the first one last.
    pub(crate) orphans: Vec<u32>,
    pub(crate) journal: Option<Journal>,
    /// True if the device says that the file system is in use.
    pub(crate) is_marked_in_use: bool,
    /// True once a change has failed half done.
    pub(crate) is_aborted: bool,
    pub(crate) uses_reserved: bool,
    /// The superblock's state when the file system was mounted.
    pub(crate) mounted_state: u16,
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
        let mut fs = Self {
            cache: Cache::new(device, sb.block_size()),
            sb_changed: false,
            read_only: options.read_only,
            fresh: RunSet::new(),
            freed: RunSet::new(),
            orphans: Vec::new(),
            journal: None,
            is_marked_in_use: false,
            is_aborted: false,
            uses_reserved: true,
            mounted_state: sb.state,
            overhead: sb.overhead(),
            sb,
        };
        fs.check_groups()?;
        fs.open_journal(options)?;
        let root = fs.inode(ROOT_INO)?;
        if !root.is_directory() || root.links == 0 {
            return Err(corrupt!("the root is no directory"));
        }
        if !options.read_only {
            fs.process_orphans()?;
        }
        Ok(fs)
    }

    /// Replays the journal if need be, and gets it ready.
    fn open_journal(&mut self, options: MountOptions) -> Result<()> {
        if !self.sb.has_journal() {
            if self.sb.needs_recovery() {
                return Err(corrupt!("there is no journal, and it is to be replayed"));
            }
            return Ok(());
        }
        let mut journal = Journal::load(self)?;
        if self.sb.needs_recovery() || journal.start != 0 {
            let in_place = !self.cache.device().is_read_only();
            replay(&mut journal, &mut self.cache, self.sb.blocks_count)?;
            self.reload()?;
            self.sb.feature_incompat &= !INCOMPAT_RECOVER;
            if in_place {
                let incompat = self.sb.feature_incompat;
                self.patch_super(|raw| put_le32(raw, 0x60, incompat))?;
            }
        }
        if !options.read_only && !options.bypass_journal {
            self.journal = Some(journal);
        }
        Ok(())
    }

    /// Reads superblock and descriptors again, which the journal has changed.
    fn reload(&mut self) -> Result<()> {
        let block_size = self.cache.block_size();
        let (block, at) = if block_size == SUPER_SIZE { (1, 0) } else { (0, SUPER_OFFSET as usize) };
        let size = self.cache.device().size_bytes();
        let raw = self.cache.get(block)?.get(at..).unwrap_or_default();
        let sb = Super::parse(raw, size)?;
        if sb.block_size() != block_size
            || sb.blocks_count != self.sb.blocks_count
            || sb.blocks_per_group != self.sb.blocks_per_group
            || sb.inodes_count != self.sb.inodes_count
        {
            return Err(corrupt!("the journal's superblock is another one"));
        }
        self.sb = sb;
        self.check_groups()
    }

    /// Whether every group's tables are where they may be. The superblock's
    /// counts of what is free become the sums of the groups', as Linux does not
    /// keep them up to date.
    fn check_groups(&mut self) -> Result<()> {
        let (mut blocks, mut inodes) = (0_u64, 0_u64);
        for number in 0..self.sb.group_count() {
            let group = self.group(number)?;
            if !group.is_sound(&self.sb, number) {
                return Err(corrupt!("group {number} has its tables outside"));
            }
            if u32::from(group.free_blocks) > self.sb.group_len(number)
                || u32::from(group.free_inodes) > self.sb.inodes_per_group
            {
                return Err(corrupt!("group {number} counts more free blocks or inodes than it has"));
            }
            blocks += u64::from(group.free_blocks);
            inodes += u64::from(group.free_inodes);
        }
        self.sb.free_blocks_count = u32::try_from(blocks).unwrap_or(u32::MAX);
        self.sb.free_inodes_count = u32::try_from(inodes).unwrap_or(u32::MAX);
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
        match self.stretch(&inode, ino, 0, 1)?.0 {
            0 => Err(corrupt!("symbolic link {ino} has a hole")),
            block => Ok(self.cache.get(block)?.get(..len).unwrap_or_default().to_vec()),
        }
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
