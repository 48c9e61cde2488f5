//! Making a new file system: [`format`].
//!
//! The same options make the same bytes. Groups hold copies of the superblock
//! (where `sparse_super` puts them), bitmaps, inode table and data, in this
//! order; the journal lies at the start of the first group's data.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use crate::balloc::change_bits;
use crate::bytes::{le32, put, put_le16, put_le32};
use crate::fs::{Ext2, ROOT_INO};
use crate::grow::zeros;
use crate::inode::{EXTRA_SIZE, Inode};
use crate::journal;
use crate::names::first_block;
use crate::superblock::{
    COMPAT_HAS_JOURNAL, GROUP_DESC_SIZE, Group, INCOMPAT_FILETYPE, MAGIC, RO_COMPAT_LARGE_FILE, RO_COMPAT_SPARSE_SUPER,
    STATE_VALID, SUPER_OFFSET, SUPER_SIZE, Super,
};
use crate::{Device, Error, Kind, MountOptions, NewInode, Result};

/// Inodes below this number have fixed purposes.
const FIRST_INO: u32 = 11;
const JOURNAL_INO: u32 = 8;
/// A last group with fewer blocks for files is left out.
const LEAST_DATA: u32 = 50;
/// Bytes of the device for each inode, if their number is not given.
const BYTES_PER_INODE: u64 = 16 << 10;
/// What `lost+found` is given, so that `e2fsck` can use it on a full disk.
const LOST_FOUND_BYTES: usize = 16 << 10;

/// What a new file system is like.
#[derive(Clone, Debug)]
pub struct FormatOptions {
    /// Bytes to use, at most what the device has; 0 for all.
    pub size: u64,
    /// Bytes in a block: 1024, 2048 or 4096.
    pub block_size: u32,
    /// The least number of inodes; `None` for one per 16 KiB.
    pub inode_count: Option<u32>,
    /// Bytes in an inode: 128 or 256.
    pub inode_size: u16,
    /// The volume's name, of up to 16 bytes.
    pub label: Vec<u8>,
    /// The volume's identity.
    pub uuid: [u8; 16],
    /// Blocks of the journal, at least 1024; 0 for none.
    pub journal_blocks: u32,
    /// Blocks that only the superuser may use.
    pub reserved_blocks: u32,
    /// When it is made, in nanoseconds since 1970.
    pub time: i64,
}

impl Default for FormatOptions {
    fn default() -> Self {
        Self {
            size: 0,
            block_size: 4096,
            inode_count: None,
            inode_size: 256,
            label: Vec::new(),
            uuid: [0; 16],
            journal_blocks: 0,
            reserved_blocks: 0,
            time: 0,
        }
    }
}

/// Makes a file system with an empty root directory and `lost+found`.
///
/// # Errors
/// [`Error::Invalid`] for options that make no sense, [`Error::NoSpace`] if
/// the device is too small for them.
pub fn format(device: Box<dyn Device>, options: &FormatOptions) -> Result<Box<dyn Device>> {
    let sb = plan(device.as_ref(), options)?;
    let layout = Layout::new(&sb, options);
    layout.write(device.as_ref())?;
    let mut fs = Ext2::mount(device, MountOptions { read_only: false, bypass_journal: true })?;
    if options.journal_blocks != 0 {
        fs.make_journal(options.journal_blocks, options.time)?;
    }
    fs.make_lost_found(options.time)?;
    if fs.available_blocks() < u64::from(options.reserved_blocks) {
        return Err(Error::NoSpace);
    }
    fs.sync()?;
    if options.journal_blocks != 0 {
        fs.announce_journal()?;
    }
    fs.copy_super()?;
    fs.unmount()
}

/// The superblock's numbers.
fn plan(device: &dyn Device, options: &FormatOptions) -> Result<Super> {
    let log_block_size = match options.block_size {
        1024 => 0,
        2048 => 1,
        4096 => 2,
        _ => return Err(Error::Invalid),
    };
    let inode_size = u32::from(options.inode_size);
    if !matches!(inode_size, 128 | 256) || options.label.len() > 16 {
        return Err(Error::Invalid);
    }
    if options.journal_blocks != 0 && options.journal_blocks < journal::MIN_BLOCKS {
        return Err(Error::Invalid);
    }
    let size = if options.size == 0 { device.size_bytes() } else { options.size };
    if size > device.size_bytes() {
        return Err(Error::NoSpace);
    }
    // A file cannot count more blocks, and e2fsck no more groups.
    let blocks = u32::try_from(size / u64::from(options.block_size)).map_err(|_| Error::FileTooBig)?;
    let first_data_block = u32::from(log_block_size == 0);
    let blocks_per_group = options.block_size * 8;
    if blocks <= first_data_block + LEAST_DATA {
        return Err(Error::NoSpace);
    }
    let mut sb = Super {
        inodes_count: 0,
        blocks_count: blocks,
        r_blocks_count: options.reserved_blocks,
        free_blocks_count: 0,
        free_inodes_count: 0,
        first_data_block,
        log_block_size,
        blocks_per_group,
        inodes_per_group: 0,
        wtime: seconds(options.time),
        state: STATE_VALID,
        rev_level: 1,
        first_ino: FIRST_INO,
        inode_size: options.inode_size,
        feature_compat: 0,
        feature_incompat: INCOMPAT_FILETYPE,
        feature_ro_compat: RO_COMPAT_SPARSE_SUPER | RO_COMPAT_LARGE_FILE,
        uuid: options.uuid,
        volume_name: [0; 16],
        reserved_gdt_blocks: 0,
        journal_inum: 0,
        last_orphan: 0,
    };
    put(&mut sb.volume_name, 0, &options.label);
    let default_inodes = u32::try_from(size / BYTES_PER_INODE).unwrap_or(u32::MAX);
    let wanted = options.inode_count.unwrap_or(default_inodes).max(FIRST_INO + 5);
    loop {
        let groups = sb.group_count();
        let per_block = options.block_size / inode_size;
        let step = per_block.max(8);
        let per_group = wanted.div_ceil(groups).checked_next_multiple_of(step).ok_or(Error::NoSpace)?;
        if per_group > blocks_per_group {
            return Err(Error::NoSpace);
        }
        sb.inodes_per_group = per_group;
        sb.inodes_count = per_group.checked_mul(groups).ok_or(Error::NoSpace)?;
        let last = groups - 1;
        let tables = sb.fixed_blocks(last) + 2 + sb.inode_table_blocks();
        if sb.group_len(last) >= tables + LEAST_DATA {
            break;
        }
        if last == 0 {
            return Err(Error::NoSpace);
        }
        sb.blocks_count = sb.group_start(last) as u32;
    }
    if u64::from(sb.inode_table_blocks()) + 2 + u64::from(sb.fixed_blocks(0)) + 1 > u64::from(sb.group_len(0)) {
        return Err(Error::NoSpace);
    }
    Ok(sb)
}

fn seconds(time: i64) -> u32 {
    u32::try_from(time.div_euclid(1_000_000_000).max(0)).unwrap_or(u32::MAX)
}

/// What is written before the file system can be mounted.
struct Layout {
    sb: Super,
    groups: Vec<Group>,
    root_block: u32,
    time: i64,
}

impl Layout {
    fn new(sb: &Super, options: &FormatOptions) -> Self {
        let mut sb = sb.clone();
        let mut groups = Vec::new();
        let mut root_block = 0;
        for number in 0..sb.group_count() {
            let start = sb.group_start(number) as u32 + sb.fixed_blocks(number);
            let table_end = start + 2 + sb.inode_table_blocks();
            let used = sb.fixed_blocks(number) + 2 + sb.inode_table_blocks();
            let mut group = Group {
                block_bitmap: start,
                inode_bitmap: start + 1,
                inode_table: start + 2,
                free_blocks: (sb.group_len(number) - used) as u16,
                free_inodes: sb.inodes_per_group as u16,
                used_dirs: 0,
            };
            if number == 0 {
                root_block = table_end;
                group.free_blocks -= 1;
                group.free_inodes -= (FIRST_INO - 1) as u16;
                group.used_dirs = 1;
            }
            sb.free_blocks_count += u32::from(group.free_blocks);
            sb.free_inodes_count += u32::from(group.free_inodes);
            groups.push(group);
        }
        Self { sb, groups, root_block, time: options.time }
    }

    fn write(&self, device: &dyn Device) -> Result<()> {
        let block_size = self.sb.block_size();
        let offset = |block: u32| u64::from(block) * block_size as u64;
        for (number, group) in (0..).zip(&self.groups) {
            let mut bitmap = zeros(block_size);
            let used = self.sb.fixed_blocks(number) + 2 + self.sb.inode_table_blocks() + u32::from(number == 0);
            change_bits(&mut bitmap, 0, used, true);
            let len = self.sb.group_len(number);
            change_bits(&mut bitmap, len, block_size as u32 * 8 - len, true);
            device.write(offset(group.block_bitmap), &bitmap)?;
            bitmap.fill(0);
            if number == 0 {
                change_bits(&mut bitmap, 0, FIRST_INO - 1, true);
            }
            let len = self.sb.inodes_per_group;
            change_bits(&mut bitmap, len, block_size as u32 * 8 - len, true);
            device.write(offset(group.inode_bitmap), &bitmap)?;
            write_zeros(
                device,
                offset(group.inode_table),
                u64::from(self.sb.inode_table_blocks()) * block_size as u64,
            )?;
        }
        self.write_root(device)?;
        self.write_super(device)?;
        device.flush()?;
        Ok(())
    }

    fn write_root(&self, device: &dyn Device) -> Result<()> {
        let block_size = self.sb.block_size();
        let entry_type = Kind::Directory.entry_type();
        let block = first_block(block_size, ROOT_INO, ROOT_INO, entry_type);
        device.write(u64::from(self.root_block) * block_size as u64, &block)?;
        // The second inode of the first table.
        let mut table = zeros(block_size);
        let size = usize::from(self.sb.inode_size);
        let raw = table.get_mut(size..2 * size).unwrap_or_default();
        if size > 128 {
            put_le16(raw, 0x80, EXTRA_SIZE);
        }
        let mut inode = Inode::parse(raw);
        inode.mode = Kind::Directory.mode_bits() | 0o755;
        inode.size = block_size as u64;
        inode.links = 2;
        inode.sectors = self.sb.sectors_per_block();
        inode.block[0] = self.root_block;
        for time in [&mut inode.atime, &mut inode.mtime, &mut inode.ctime, &mut inode.crtime] {
            *time = self.time;
        }
        inode.store(raw);
        let place = self.groups.first().map_or(0, |group| group.inode_table);
        device.write(u64::from(place) * block_size as u64, &table)?;
        Ok(())
    }

    /// Writes superblock and descriptors, all copies.
    fn write_super(&self, device: &dyn Device) -> Result<()> {
        let sb = &self.sb;
        let block_size = sb.block_size();
        let mut descriptors = vec![0; sb.gdt_blocks() as usize * block_size];
        for (group, raw) in self.groups.iter().zip(descriptors.chunks_exact_mut(GROUP_DESC_SIZE)) {
            group.store(raw);
        }
        let mut raw = vec![0; SUPER_SIZE];
        put_le32(&mut raw, 0, sb.inodes_count);
        put_le32(&mut raw, 0x4, sb.blocks_count);
        put_le32(&mut raw, 0x8, sb.r_blocks_count);
        put_le32(&mut raw, 0x14, sb.first_data_block);
        for at in [0x18, 0x1c] {
            put_le32(&mut raw, at, sb.log_block_size);
        }
        for at in [0x20, 0x24] {
            put_le32(&mut raw, at, sb.blocks_per_group);
        }
        put_le32(&mut raw, 0x28, sb.inodes_per_group);
        // No check is due after a number of mounts.
        put_le16(&mut raw, 0x36, u16::MAX);
        put_le16(&mut raw, 0x38, MAGIC);
        // Go on after an error.
        put_le16(&mut raw, 0x3c, 1);
        put_le32(&mut raw, 0x40, sb.wtime);
        put_le32(&mut raw, 0x4c, sb.rev_level);
        put_le32(&mut raw, 0x54, sb.first_ino);
        put_le16(&mut raw, 0x58, sb.inode_size);
        put(&mut raw, 0x68, &sb.uuid);
        put(&mut raw, 0x78, &sb.volume_name);
        put_le32(&mut raw, 0x108, sb.wtime);
        if sb.inode_size > 128 {
            put_le16(&mut raw, 0x15c, EXTRA_SIZE);
            put_le16(&mut raw, 0x15e, EXTRA_SIZE);
        }
        sb.store(&mut raw);
        for number in (0..sb.group_count()).filter(|&number| sb.has_super(number)) {
            let start = sb.group_start(number) * block_size as u64;
            write_super_copy(device, &mut raw, number, start)?;
            device.write(start + block_size as u64, &descriptors)?;
        }
        Ok(())
    }
}

/// Writes the superblock of group `number`, which starts at `start`.
fn write_super_copy(device: &dyn Device, raw: &mut [u8], number: u32, start: u64) -> Result<()> {
    put_le16(raw, 0x5a, number as u16);
    let at = if number == 0 { SUPER_OFFSET } else { start };
    device.write(at, raw)?;
    Ok(())
}

fn write_zeros(device: &dyn Device, offset: u64, len: u64) -> Result<()> {
    let zeros = vec![0; 256 << 10];
    let mut at = 0;
    while at < len {
        let now = (len - at).min(zeros.len() as u64);
        device.write(offset + at, zeros.get(..now as usize).unwrap_or_default())?;
        at += now;
    }
    Ok(())
}

impl Ext2 {
    /// Gives the journal's inode its blocks and an empty log.
    fn make_journal(&mut self, blocks: u32, time: i64) -> Result<()> {
        let block_size = self.block_size();
        let ino = JOURNAL_INO;
        self.step(u64::from(blocks) + 4, |fs| {
            let (block, offset) = fs.inode_place(ino)?;
            if fs.sb.inode_size > 128 {
                put_le16(fs.cache.get_mut(block)?, offset + 0x80, EXTRA_SIZE);
            }
            let mut inode = fs.raw_inode(ino)?;
            inode.mode = Kind::File.mode_bits() | 0o600;
            inode.links = 1;
            inode.size = u64::from(blocks) * u64::from(block_size);
            for stamp in [&mut inode.atime, &mut inode.mtime, &mut inode.ctime, &mut inode.crtime] {
                *stamp = time;
            }
            let mut at = 0;
            while at < blocks {
                let given = fs.give(&mut inode, ino, u64::from(at), blocks - at)?;
                let len = u64::from(given.len) * u64::from(block_size);
                write_zeros(fs.cache.device(), fs.cache.offset(given.first), len)?;
                if at == 0 {
                    let mut first = zeros(block_size as usize);
                    put(&mut first, 0, &journal::new_super(block_size, blocks, &fs.sb.uuid));
                    fs.cache.device().write(fs.cache.offset(given.first), &first)?;
                }
                at += given.len;
            }
            fs.store_inode(ino, &inode)
        })
    }

    /// Writes to the superblock that there is a journal, and where.
    fn announce_journal(&mut self) -> Result<()> {
        let inode = self.raw_inode(JOURNAL_INO)?;
        self.patch_super(|raw| {
            let compat = le32(raw, 0x5c) | COMPAT_HAS_JOURNAL;
            put_le32(raw, 0x5c, compat);
            put_le32(raw, 0xe0, JOURNAL_INO);
            // A copy of the inode's block numbers and size, for e2fsck.
            put(raw, 0xfd, &[1]);
            for (i, &block) in inode.block.iter().enumerate() {
                put_le32(raw, 0x10c + 4 * i, block);
            }
            put_le32(raw, 0x10c + 4 * 15, (inode.size >> 32) as u32);
            put_le32(raw, 0x10c + 4 * 16, inode.size as u32);
        })
    }

    fn make_lost_found(&mut self, time: i64) -> Result<()> {
        let node = NewInode { kind: Kind::Directory, mode: 0o700, uid: 0, gid: 0, rdev: 0, target: &[], now: time };
        let ino = self.create(ROOT_INO, b"lost+found", &node)?;
        let block_size = self.cache.block_size();
        self.step(16, |fs| {
            let mut inode = fs.directory(ino)?;
            for _ in 1..(LOST_FOUND_BYTES / block_size).min(12) {
                let block = fs.append_block(&mut inode, ino)?;
                put_le16(fs.cache.get_mut(block)?, 4, block_size as u16);
            }
            fs.store_inode(ino, &inode)
        })
    }

    /// Copies the superblock from the start of the device to the other groups.
    fn copy_super(&mut self) -> Result<()> {
        let mut raw = vec![0; SUPER_SIZE];
        let device = self.cache.device();
        device.read(SUPER_OFFSET, &mut raw)?;
        for number in (1..self.sb.group_count()).filter(|&number| self.sb.has_super(number)) {
            let start = self.sb.group_start(number) * self.cache.block_size() as u64;
            write_super_copy(device, &mut raw, number, start)?;
        }
        device.flush()?;
        Ok(())
    }
}

/// How many blocks a journal usually has on a device of `size` bytes, as
/// mke2fs chooses; 0 if the device is too small for one.
#[must_use]
pub fn usual_journal_blocks(size: u64, block_size: u32) -> u32 {
    match size / u64::from(block_size.max(1)) {
        0..2048 => 0,
        2048..32_768 => 1024,
        32_768..262_144 => 4096,
        262_144..524_288 => 8192,
        _ => 16_384,
    }
}
