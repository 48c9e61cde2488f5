//! Inodes: [`Inode`] is the on-disk record, [`Stat`] what a caller sees.
//!
//! Times are nanoseconds since 1970. A 128-byte inode has whole seconds from
//! 1901 to 2038; larger ones have two more bits of seconds, up to 2446, and
//! nanoseconds.

use crate::bytes::{le16, le32, put_le16, put_le32};

/// Bytes of the record that every inode has.
pub(crate) const CLASSIC_SIZE: usize = 128;
/// Where the extra times end, relative to [`CLASSIC_SIZE`].
const EXTRA_TIMES_END: u16 = 24;
/// What `i_extra_isize` is set to in new inodes.
pub(crate) const EXTRA_SIZE: u16 = 32;

pub(crate) const FLAG_IMMUTABLE: u32 = 0x10;
pub(crate) const FLAG_APPEND: u32 = 0x20;
pub(crate) const FLAG_INDEX: u32 = 0x1000;
/// Flags of layouts that this crate does not know: compressed blocks,
/// extents, inline data, encryption, attributes in inodes.
pub(crate) const FLAGS_FOREIGN: u32 = 0x4 | 0x200 | 0x800 | 0x8_0000 | 0x1000_0000;

const NS: i64 = 1_000_000_000;

/// The type of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A named pipe.
    Fifo,
    /// A character device.
    CharDevice,
    /// A directory.
    Directory,
    /// A block device.
    BlockDevice,
    /// A regular file.
    File,
    /// A symbolic link.
    Symlink,
    /// A UNIX socket.
    Socket,
}

impl Kind {
    /// The type bits of `st_mode`.
    #[must_use]
    pub const fn mode_bits(self) -> u16 {
        match self {
            Self::Fifo => 0o010_000,
            Self::CharDevice => 0o020_000,
            Self::Directory => 0o040_000,
            Self::BlockDevice => 0o060_000,
            Self::File => 0o100_000,
            Self::Symlink => 0o120_000,
            Self::Socket => 0o140_000,
        }
    }

    /// The type that `st_mode` tells.
    #[must_use]
    pub const fn from_mode(mode: u16) -> Option<Self> {
        Some(match mode & 0o170_000 {
            0o010_000 => Self::Fifo,
            0o020_000 => Self::CharDevice,
            0o040_000 => Self::Directory,
            0o060_000 => Self::BlockDevice,
            0o100_000 => Self::File,
            0o120_000 => Self::Symlink,
            0o140_000 => Self::Socket,
            _ => return None,
        })
    }

    /// The number in directory entries (`EXT2_FT_REG_FILE` and so on).
    pub(crate) const fn entry_type(self) -> u8 {
        match self {
            Self::File => 1,
            Self::Directory => 2,
            Self::CharDevice => 3,
            Self::BlockDevice => 4,
            Self::Fifo => 5,
            Self::Socket => 6,
            Self::Symlink => 7,
        }
    }

    pub(crate) const fn from_entry_type(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::File,
            2 => Self::Directory,
            3 => Self::CharDevice,
            4 => Self::BlockDevice,
            5 => Self::Fifo,
            6 => Self::Socket,
            7 => Self::Symlink,
            _ => return None,
        })
    }

    pub(crate) const fn is_device(self) -> bool {
        matches!(self, Self::CharDevice | Self::BlockDevice)
    }
}

/// What `stat` tells of an inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// The inode's number.
    pub ino: u32,
    /// The type.
    pub kind: Kind,
    /// Permissions, with set-user-id, set-group-id and sticky bits.
    pub mode: u16,
    /// The owner.
    pub uid: u32,
    /// The owning group.
    pub gid: u32,
    /// How many names it has.
    pub nlink: u16,
    /// Bytes.
    pub size: u64,
    /// 512-byte sectors that it takes, with indirect blocks.
    pub blocks_512: u64,
    /// Last access, in nanoseconds since 1970.
    pub atime: i64,
    /// Last change of the contents.
    pub mtime: i64,
    /// Last change of anything.
    pub ctime: i64,
    /// The device that a device node stands for, as in `st_rdev`: the minor
    /// number in bits 0 to 7 and 20 to 31, the major number in bits 8 to 19.
    pub rdev: u32,
    /// Tells apart the files that have had this number.
    pub generation: u32,
    /// True if nothing about it may change (`chattr +i`).
    pub is_immutable: bool,
    /// True if its contents may only grow (`chattr +a`).
    pub is_append_only: bool,
}

/// An inode's record. What it does not name stays as it is on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inode {
    pub(crate) mode: u16,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) size: u64,
    pub(crate) atime: i64,
    pub(crate) ctime: i64,
    pub(crate) mtime: i64,
    pub(crate) crtime: i64,
    /// When it was deleted, in seconds; the next inode in the orphan list
    /// while it is on it.
    pub(crate) dtime: u32,
    pub(crate) links: u16,
    pub(crate) sectors: u32,
    pub(crate) flags: u32,
    pub(crate) block: [u32; 15],
    pub(crate) generation: u32,
    /// The block with extended attributes, or 0.
    pub(crate) file_acl: u32,
}

impl Inode {
    pub(crate) fn parse(raw: &[u8]) -> Self {
        let mode = le16(raw, 0);
        let mut block = [0; 15];
        for (i, slot) in block.iter_mut().enumerate() {
            *slot = le32(raw, 0x28 + 4 * i);
        }
        // What follows is a part of `i_dir_acl` in all but regular files.
        let size_high = if Kind::from_mode(mode) == Some(Kind::File) { le32(raw, 0x6c) } else { 0 };
        Self {
            mode,
            uid: u32::from(le16(raw, 2)) | u32::from(le16(raw, 0x78)) << 16,
            gid: u32::from(le16(raw, 0x18)) | u32::from(le16(raw, 0x7a)) << 16,
            size: u64::from(le32(raw, 4)) | u64::from(size_high) << 32,
            atime: time(raw, 0x8, 0x8c),
            ctime: time(raw, 0xc, 0x84),
            mtime: time(raw, 0x10, 0x88),
            crtime: time(raw, 0x90, 0x94),
            dtime: le32(raw, 0x14),
            links: le16(raw, 0x1a),
            sectors: le32(raw, 0x1c),
            flags: le32(raw, 0x20),
            block,
            generation: le32(raw, 0x64),
            file_acl: le32(raw, 0x68),
        }
    }

    pub(crate) fn store(&self, raw: &mut [u8]) {
        put_le16(raw, 0, self.mode);
        put_le16(raw, 2, self.uid as u16);
        put_le16(raw, 0x78, (self.uid >> 16) as u16);
        put_le16(raw, 0x18, self.gid as u16);
        put_le16(raw, 0x7a, (self.gid >> 16) as u16);
        put_le32(raw, 4, self.size as u32);
        if self.kind() == Some(Kind::File) {
            put_le32(raw, 0x6c, (self.size >> 32) as u32);
        }
        put_time(raw, 0x8, 0x8c, self.atime);
        put_time(raw, 0xc, 0x84, self.ctime);
        put_time(raw, 0x10, 0x88, self.mtime);
        if extra_size(raw) >= EXTRA_TIMES_END {
            put_time(raw, 0x90, 0x94, self.crtime);
        }
        put_le32(raw, 0x14, self.dtime);
        put_le16(raw, 0x1a, self.links);
        put_le32(raw, 0x1c, self.sectors);
        put_le32(raw, 0x20, self.flags);
        for (i, &slot) in self.block.iter().enumerate() {
            put_le32(raw, 0x28 + 4 * i, slot);
        }
        put_le32(raw, 0x64, self.generation);
        put_le32(raw, 0x68, self.file_acl);
    }

    pub(crate) fn kind(&self) -> Option<Kind> {
        Kind::from_mode(self.mode)
    }

    pub(crate) fn is_directory(&self) -> bool {
        self.kind() == Some(Kind::Directory)
    }

    /// True if `block` holds a symbolic link's text instead of block numbers.
    pub(crate) fn is_fast_symlink(&self, sectors_per_block: u32) -> bool {
        let attributes = if self.file_acl == 0 { 0 } else { sectors_per_block };
        self.kind() == Some(Kind::Symlink) && self.sectors <= attributes
    }

    /// True if `block` holds block numbers.
    pub(crate) fn has_blocks(&self, sectors_per_block: u32) -> bool {
        match self.kind() {
            Some(Kind::File | Kind::Directory) => true,
            Some(Kind::Symlink) => !self.is_fast_symlink(sectors_per_block),
            _ => false,
        }
    }

    /// The text of a fast symbolic link, of which `size` bytes count.
    pub(crate) fn fast_target(&self) -> [u8; 60] {
        let mut text = [0; 60];
        for (i, slot) in self.block.iter().enumerate() {
            put_le32(&mut text, 4 * i, *slot);
        }
        text
    }

    pub(crate) fn set_fast_target(&mut self, target: &[u8]) {
        let mut text = [0; 60];
        for (to, from) in text.iter_mut().zip(target) {
            *to = *from;
        }
        for (i, slot) in self.block.iter_mut().enumerate() {
            *slot = le32(&text, 4 * i);
        }
    }

    pub(crate) fn rdev(&self) -> u32 {
        // Linux' old encoding of small numbers, else its new one.
        if !self.kind().is_some_and(Kind::is_device) {
            0
        } else if self.block[0] != 0 {
            self.block[0] & 0xffff
        } else {
            self.block[1]
        }
    }

    pub(crate) fn set_rdev(&mut self, rdev: u32) {
        if rdev <= 0xffff {
            self.block[0] = rdev;
        } else {
            self.block[1] = rdev;
        }
    }

    pub(crate) fn stat(&self, ino: u32, kind: Kind) -> Stat {
        Stat {
            ino,
            kind,
            mode: self.mode & 0o7777,
            uid: self.uid,
            gid: self.gid,
            nlink: self.links,
            size: self.size,
            blocks_512: u64::from(self.sectors),
            atime: self.atime,
            mtime: self.mtime,
            ctime: self.ctime,
            rdev: self.rdev(),
            generation: self.generation,
            is_immutable: self.flags & FLAG_IMMUTABLE != 0,
            is_append_only: self.flags & FLAG_APPEND != 0,
        }
    }
}

/// `i_extra_isize`, or 0 in a classic inode and in one where it is nonsense.
fn extra_size(raw: &[u8]) -> u16 {
    if raw.len() <= CLASSIC_SIZE {
        return 0;
    }
    let size = le16(raw, 0x80);
    if usize::from(size) > raw.len() - CLASSIC_SIZE { 0 } else { size }
}

fn time(raw: &[u8], at: usize, extra_at: usize) -> i64 {
    let seconds = i64::from(le32(raw, at).cast_signed());
    if extra_size(raw) < EXTRA_TIMES_END {
        return if at >= CLASSIC_SIZE { 0 } else { seconds * NS };
    }
    let extra = le32(raw, extra_at);
    let seconds = seconds + (i64::from(extra & 3) << 32);
    // At most 2446, so far below what nanoseconds in 64 bits can hold: 2262.
    seconds.saturating_mul(NS).saturating_add(i64::from(extra >> 2).min(NS - 1))
}

fn put_time(raw: &mut [u8], at: usize, extra_at: usize, time: i64) {
    let seconds = time.div_euclid(NS);
    let nanoseconds = time.rem_euclid(NS) as u32;
    if extra_size(raw) < EXTRA_TIMES_END {
        let seconds = seconds.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
        put_le32(raw, at, seconds as u32);
        return;
    }
    // Below 1901 there are no bits left.
    let seconds = seconds.max(i64::from(i32::MIN));
    let low = seconds as i32;
    let epoch = ((seconds - i64::from(low)) >> 32) as u32 & 3;
    put_le32(raw, at, low.cast_unsigned());
    put_le32(raw, extra_at, epoch | nanoseconds << 2);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(size: usize, ns: i64) -> i64 {
        let mut raw = alloc::vec![0; size];
        if size > CLASSIC_SIZE {
            put_le16(&mut raw, 0x80, EXTRA_SIZE);
        }
        put_time(&mut raw, 0x10, 0x88, ns);
        time(&raw, 0x10, 0x88)
    }

    #[test]
    fn large_inodes_keep_nanoseconds_and_late_years() {
        for ns in [0, 1, -1, NS - 1, i64::from(i32::MAX) * NS + 7, 4_000_000_000 * NS + 5, -5 * NS - 3] {
            assert_eq!(round_trip(256, ns), ns);
        }
    }

    #[test]
    fn classic_inodes_keep_seconds_and_stop_at_2038() {
        assert_eq!(round_trip(128, 5 * NS + 7), 5 * NS);
        assert_eq!(round_trip(128, 4_000_000_000 * NS), i64::from(i32::MAX) * NS);
    }

    #[test]
    fn device_numbers_come_back_in_both_encodings() {
        for rdev in [0, 0x0103, 0xffff, 0x0050_0a05, 0xfff0_0001] {
            let mut inode = Inode::parse(&[0; 128]);
            inode.mode = Kind::BlockDevice.mode_bits();
            inode.set_rdev(rdev);
            assert_eq!(inode.rdev(), rdev);
        }
    }
}
