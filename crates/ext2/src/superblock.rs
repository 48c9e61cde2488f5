//! The superblock and the group descriptors: [`Super`] and [`Group`].
//!
//! Both are checked as they are read: what passes cannot make the arithmetic
//! of the other modules overflow or leave the device. Names follow Linux'
//! `struct ext2_super_block` and `struct ext2_group_desc`.

use alloc::format;
use alloc::string::String;

use crate::bytes::{array, byte, le16, le32, put_le16, put_le32};
use crate::error::corrupt;
use crate::{Error, Result};

/// Where the superblock starts on the device, and how long it is.
pub(crate) const SUPER_OFFSET: u64 = 1024;
pub(crate) const SUPER_SIZE: usize = 1024;
pub(crate) const GROUP_DESC_SIZE: usize = 32;
pub(crate) const MAGIC: u16 = 0xef53;

pub(crate) const STATE_VALID: u16 = 1;
pub(crate) const STATE_ERROR: u16 = 2;

pub(crate) const COMPAT_HAS_JOURNAL: u32 = 0x4;
pub(crate) const INCOMPAT_FILETYPE: u32 = 0x2;
pub(crate) const INCOMPAT_RECOVER: u32 = 0x4;
pub(crate) const RO_COMPAT_SPARSE_SUPER: u32 = 0x1;
pub(crate) const RO_COMPAT_LARGE_FILE: u32 = 0x2;

const INCOMPAT_KNOWN: u32 = INCOMPAT_FILETYPE | INCOMPAT_RECOVER;
/// 4 is `btree_dir`, which no ext2 has ever used.
const RO_COMPAT_KNOWN: u32 = RO_COMPAT_SPARSE_SUPER | RO_COMPAT_LARGE_FILE | 0x4;

/// The names that `dumpe2fs` gives to incompatible features.
const INCOMPAT_NAMES: [(u32, &str); 14] = [
    (0x1, "compression"),
    (0x8, "journal_dev"),
    (0x10, "meta_bg"),
    (0x40, "extents"),
    (0x80, "64bit"),
    (0x100, "mmp"),
    (0x200, "flex_bg"),
    (0x400, "ea_inode"),
    (0x1000, "dirdata"),
    (0x2000, "metadata_csum_seed"),
    (0x4000, "large_dir"),
    (0x8000, "inline_data"),
    (0x10000, "encrypt"),
    (0x20000, "casefold"),
];

/// The superblock's fields that this crate uses.
#[derive(Clone, Debug)]
pub(crate) struct Super {
    pub(crate) inodes_count: u32,
    pub(crate) blocks_count: u32,
    pub(crate) r_blocks_count: u32,
    pub(crate) free_blocks_count: u32,
    pub(crate) free_inodes_count: u32,
    pub(crate) first_data_block: u32,
    pub(crate) log_block_size: u32,
    pub(crate) blocks_per_group: u32,
    pub(crate) inodes_per_group: u32,
    pub(crate) wtime: u32,
    pub(crate) state: u16,
    pub(crate) rev_level: u32,
    pub(crate) first_ino: u32,
    pub(crate) inode_size: u16,
    pub(crate) feature_compat: u32,
    pub(crate) feature_incompat: u32,
    pub(crate) feature_ro_compat: u32,
    pub(crate) uuid: [u8; 16],
    pub(crate) volume_name: [u8; 16],
    pub(crate) reserved_gdt_blocks: u16,
    pub(crate) journal_inum: u32,
    pub(crate) last_orphan: u32,
}

impl Super {
    /// Reads and checks the 1024 bytes of a superblock on a device of
    /// `device_size` bytes.
    pub(crate) fn parse(raw: &[u8], device_size: u64) -> Result<Self> {
        if le16(raw, 0x38) != MAGIC {
            return Err(Error::Unsupported("no ext2 file system".into()));
        }
        let rev_level = le32(raw, 0x4c);
        let dynamic = rev_level >= 1;
        let sb = Self {
            inodes_count: le32(raw, 0),
            blocks_count: le32(raw, 0x4),
            r_blocks_count: le32(raw, 0x8),
            free_blocks_count: le32(raw, 0xc),
            free_inodes_count: le32(raw, 0x10),
            first_data_block: le32(raw, 0x14),
            log_block_size: le32(raw, 0x18),
            blocks_per_group: le32(raw, 0x20),
            inodes_per_group: le32(raw, 0x28),
            wtime: le32(raw, 0x30),
            state: le16(raw, 0x3a),
            rev_level,
            first_ino: if dynamic { le32(raw, 0x54) } else { 11 },
            inode_size: if dynamic { le16(raw, 0x58) } else { 128 },
            feature_compat: if dynamic { le32(raw, 0x5c) } else { 0 },
            feature_incompat: if dynamic { le32(raw, 0x60) } else { 0 },
            feature_ro_compat: if dynamic { le32(raw, 0x64) } else { 0 },
            uuid: array(raw, 0x68),
            volume_name: array(raw, 0x78),
            reserved_gdt_blocks: if dynamic { le16(raw, 0xce) } else { 0 },
            journal_inum: if dynamic { le32(raw, 0xe0) } else { 0 },
            last_orphan: if dynamic { le32(raw, 0xe8) } else { 0 },
        };
        sb.check_features()?;
        sb.check_geometry(device_size)?;
        if byte(raw, 0xe4) != 0 && sb.has_journal() && sb.journal_inum == 0 {
            return Err(Error::Unsupported("the journal is on another device".into()));
        }
        Ok(sb)
    }

    fn check_features(&self) -> Result<()> {
        if self.rev_level > 1 {
            return Err(Error::Unsupported(format!("revision {}", self.rev_level)));
        }
        let unknown = self.feature_incompat & !INCOMPAT_KNOWN;
        if unknown != 0 {
            let mut names = String::new();
            for (bit, name) in INCOMPAT_NAMES {
                if unknown & bit != 0 {
                    names.push(' ');
                    names.push_str(name);
                }
            }
            return Err(Error::Unsupported(format!("incompatible features {unknown:#x}:{names}")));
        }
        Ok(())
    }

    fn check_geometry(&self, device_size: u64) -> Result<()> {
        if self.log_block_size > 2 {
            return Err(Error::Unsupported(format!("a block size of 2^{} KiB", self.log_block_size)));
        }
        let bits = self.block_size() as u32 * 8;
        if self.first_data_block != u32::from(self.log_block_size == 0) {
            return Err(corrupt!("the first data block is {}", self.first_data_block));
        }
        if self.blocks_count <= self.first_data_block + 4 {
            return Err(corrupt!("there are only {} blocks", self.blocks_count));
        }
        if u64::from(self.blocks_count) * self.block_size() as u64 > device_size {
            return Err(corrupt!("{} blocks do not fit on the device", self.blocks_count));
        }
        if self.blocks_per_group < 8 || self.blocks_per_group > bits || !self.blocks_per_group.is_multiple_of(8) {
            return Err(corrupt!("{} blocks in a group", self.blocks_per_group));
        }
        let inode_size = usize::from(self.inode_size);
        if inode_size < 128 || inode_size > self.block_size() || !inode_size.is_power_of_two() {
            return Err(corrupt!("inodes of {inode_size} bytes"));
        }
        if self.inodes_per_group == 0 || self.inodes_per_group > bits {
            return Err(corrupt!("{} inodes in a group", self.inodes_per_group));
        }
        if u64::from(self.group_count()) * u64::from(self.inodes_per_group) != u64::from(self.inodes_count) {
            return Err(corrupt!("{} inodes in {} groups", self.inodes_count, self.group_count()));
        }
        if self.first_ino < 11 || self.first_ino > self.inodes_count {
            return Err(corrupt!("the first inode is {}", self.first_ino));
        }
        let first_group = self.group_len(0);
        let fixed = 1 + u64::from(self.gdt_blocks()) + u64::from(self.reserved_gdt_blocks);
        if fixed + 2 + u64::from(self.inode_table_blocks()) > u64::from(first_group) {
            return Err(corrupt!("the first group has no room for its tables"));
        }
        Ok(())
    }

    /// Writes the fields that change into a raw superblock.
    pub(crate) fn store(&self, raw: &mut [u8]) {
        put_le32(raw, 0xc, self.free_blocks_count);
        put_le32(raw, 0x10, self.free_inodes_count);
        put_le32(raw, 0x30, self.wtime);
        put_le16(raw, 0x3a, self.state);
        if self.rev_level >= 1 {
            put_le32(raw, 0x60, self.feature_incompat);
            put_le32(raw, 0x64, self.feature_ro_compat);
            put_le32(raw, 0xe8, self.last_orphan);
        }
    }

    pub(crate) fn block_size(&self) -> usize {
        1024 << self.log_block_size.min(2)
    }

    /// The 512-byte sectors in a block, the unit of `i_blocks`.
    pub(crate) fn sectors_per_block(&self) -> u32 {
        2 << self.log_block_size.min(2)
    }

    /// Block numbers in an indirect block.
    pub(crate) fn pointers(&self) -> u32 {
        self.block_size() as u32 / 4
    }

    pub(crate) fn group_count(&self) -> u32 {
        (self.blocks_count - self.first_data_block).div_ceil(self.blocks_per_group)
    }

    /// The blocks of group `group`, the last of which may be short.
    pub(crate) fn group_len(&self, group: u32) -> u32 {
        let start = self.group_start(group);
        (u64::from(self.blocks_count).saturating_sub(start)).min(u64::from(self.blocks_per_group)) as u32
    }

    /// The first block of `group`; wider than a block number, as the group
    /// after the last one may start beyond them.
    pub(crate) fn group_start(&self, group: u32) -> u64 {
        u64::from(self.first_data_block) + u64::from(group) * u64::from(self.blocks_per_group)
    }

    /// The group of a block, and the block's index in it.
    pub(crate) fn locate(&self, block: u32) -> (u32, u32) {
        let index = block.saturating_sub(self.first_data_block);
        (index / self.blocks_per_group, index % self.blocks_per_group)
    }

    pub(crate) fn inode_table_blocks(&self) -> u32 {
        (u64::from(self.inodes_per_group) * u64::from(self.inode_size)).div_ceil(self.block_size() as u64) as u32
    }

    pub(crate) fn gdt_blocks(&self) -> u32 {
        (u64::from(self.group_count()) * GROUP_DESC_SIZE as u64).div_ceil(self.block_size() as u64) as u32
    }

    /// True if `group` starts with a copy of superblock and descriptors.
    pub(crate) fn has_super(&self, group: u32) -> bool {
        fn is_power(mut n: u32, base: u32) -> bool {
            while n > 1 && n.is_multiple_of(base) {
                n /= base;
            }
            n == 1
        }
        self.feature_ro_compat & RO_COMPAT_SPARSE_SUPER == 0
            || group == 0
            || is_power(group, 3)
            || is_power(group, 5)
            || is_power(group, 7)
    }

    /// Blocks at the start of `group` that hold superblock and descriptors.
    pub(crate) fn fixed_blocks(&self, group: u32) -> u32 {
        if self.has_super(group) { 1 + self.gdt_blocks() + u32::from(self.reserved_gdt_blocks) } else { 0 }
    }

    /// All blocks that hold no files' data and never will.
    pub(crate) fn overhead(&self) -> u64 {
        let mut total = u64::from(self.first_data_block);
        for group in 0..self.group_count() {
            total += u64::from(self.fixed_blocks(group)) + 2 + u64::from(self.inode_table_blocks());
        }
        total
    }

    pub(crate) fn has_journal(&self) -> bool {
        self.feature_compat & COMPAT_HAS_JOURNAL != 0
    }

    pub(crate) fn needs_recovery(&self) -> bool {
        self.feature_incompat & INCOMPAT_RECOVER != 0
    }

    pub(crate) fn has_file_types(&self) -> bool {
        self.feature_incompat & INCOMPAT_FILETYPE != 0
    }

    /// True if a feature allows reading but not writing.
    pub(crate) fn is_read_only(&self) -> bool {
        self.feature_ro_compat & !RO_COMPAT_KNOWN != 0
    }

    /// True if `block` can hold a file's data or metadata.
    pub(crate) fn is_block(&self, block: u32) -> bool {
        block > self.first_data_block && block < self.blocks_count
    }
}

/// A group descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) block_bitmap: u32,
    pub(crate) inode_bitmap: u32,
    pub(crate) inode_table: u32,
    pub(crate) free_blocks: u16,
    pub(crate) free_inodes: u16,
    pub(crate) used_dirs: u16,
}

impl Group {
    pub(crate) fn parse(raw: &[u8]) -> Self {
        Self {
            block_bitmap: le32(raw, 0),
            inode_bitmap: le32(raw, 4),
            inode_table: le32(raw, 8),
            free_blocks: le16(raw, 12),
            free_inodes: le16(raw, 14),
            used_dirs: le16(raw, 16),
        }
    }

    pub(crate) fn store(&self, raw: &mut [u8]) {
        put_le32(raw, 0, self.block_bitmap);
        put_le32(raw, 4, self.inode_bitmap);
        put_le32(raw, 8, self.inode_table);
        put_le16(raw, 12, self.free_blocks);
        put_le16(raw, 14, self.free_inodes);
        put_le16(raw, 16, self.used_dirs);
    }

    /// True if bitmaps and inode table lie in their group, behind the copies
    /// of the superblock, and apart from each other.
    pub(crate) fn is_sound(&self, sb: &Super, number: u32) -> bool {
        let start = sb.group_start(number) + u64::from(sb.fixed_blocks(number));
        let end = sb.group_start(number) + u64::from(sb.group_len(number));
        let table = u64::from(self.inode_table);
        let table_end = table + u64::from(sb.inode_table_blocks());
        let bitmap = |block: u32| {
            let block = u64::from(block);
            block >= start && block < end && !(block >= table && block < table_end)
        };
        bitmap(self.block_bitmap)
            && bitmap(self.inode_bitmap)
            && self.block_bitmap != self.inode_bitmap
            && table >= start
            && table_end <= end
    }
}
