//! What is known of a file apart from its contents: type, mode, owner, times.

use linux_abi::Errno;
use linux_abi::stat::{
    S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK, S_ISGID, S_ISUID, S_IXGRP, Stat,
};

use crate::error::{Because, Result};
use crate::task::Creds;

/// The type of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileType {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A FIFO or pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
}

impl FileType {
    /// The type bits of a mode.
    #[must_use]
    pub const fn mode_bits(self) -> u32 {
        match self {
            Self::Regular => S_IFREG,
            Self::Directory => S_IFDIR,
            Self::Symlink => S_IFLNK,
            Self::Fifo => S_IFIFO,
            Self::Socket => S_IFSOCK,
            Self::CharDevice => S_IFCHR,
            Self::BlockDevice => S_IFBLK,
        }
    }

    /// The type in a mode; none at all means a regular file, as for `mknod`.
    #[must_use]
    pub const fn from_mode(mode: u32) -> Option<Self> {
        match mode & S_IFMT {
            0 | S_IFREG => Some(Self::Regular),
            S_IFDIR => Some(Self::Directory),
            S_IFLNK => Some(Self::Symlink),
            S_IFIFO => Some(Self::Fifo),
            S_IFSOCK => Some(Self::Socket),
            S_IFCHR => Some(Self::CharDevice),
            S_IFBLK => Some(Self::BlockDevice),
            _ => None,
        }
    }

    /// `d_type` of a directory entry.
    #[must_use]
    pub const fn dirent_type(self) -> u8 {
        (self.mode_bits() >> 12) as u8
    }

    /// True for character and block devices.
    #[must_use]
    pub const fn is_device(self) -> bool {
        matches!(self, Self::CharDevice | Self::BlockDevice)
    }
}

/// What `stat` tells. Times are nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attr {
    /// The type.
    pub kind: FileType,
    /// Permission bits, with set-user-ID, set-group-ID and sticky.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Hard links.
    pub nlink: u32,
    /// Size in bytes.
    pub size: u64,
    /// 512-byte blocks in use.
    pub blocks: u64,
    /// The best size for reads and writes.
    pub block_size: u32,
    /// The inode number.
    pub ino: u64,
    /// The device number of the file system.
    pub dev: u64,
    /// The device that a device file stands for.
    pub rdev: u64,
    /// Last access.
    pub atime_ns: i64,
    /// Last change of contents.
    pub mtime_ns: i64,
    /// Last change of attributes.
    pub ctime_ns: i64,
    /// When it was made, if that is known.
    pub btime_ns: Option<i64>,
}

/// Nanoseconds since 1970 as seconds and the rest.
#[must_use]
pub const fn split_ns(ns: i64) -> (i64, u32) {
    (ns.div_euclid(1_000_000_000), ns.rem_euclid(1_000_000_000) as u32)
}

impl Attr {
    /// An empty file of this type and mode, owned by the superuser.
    #[must_use]
    pub const fn new(kind: FileType, mode: u32) -> Self {
        Self {
            kind,
            mode,
            uid: 0,
            gid: 0,
            nlink: 1,
            size: 0,
            blocks: 0,
            block_size: 4096,
            ino: 0,
            dev: 0,
            rdev: 0,
            atime_ns: 0,
            mtime_ns: 0,
            ctime_ns: 0,
            btime_ns: None,
        }
    }

    /// What the host tells of a file that the guest sees as `kind`.
    #[must_use]
    pub const fn of_host(kind: FileType, stat: &machine::HostStat) -> Self {
        Self {
            uid: stat.uid,
            gid: stat.gid,
            nlink: stat.nlink,
            size: stat.size,
            blocks: stat.blocks,
            ino: stat.ino,
            dev: stat.dev,
            rdev: stat.rdev,
            atime_ns: stat.atime_ns,
            mtime_ns: stat.mtime_ns,
            ctime_ns: stat.ctime_ns,
            ..Self::new(kind, stat.mode & 0o7777)
        }
    }

    /// Type and permission bits together, as `st_mode`.
    #[must_use]
    pub const fn full_mode(&self) -> u32 {
        self.kind.mode_bits() | self.mode
    }

    /// As the structure that `fstat` fills in.
    #[must_use]
    pub fn to_stat(&self) -> Stat {
        let (atime, atime_nsec) = split_ns(self.atime_ns);
        let (mtime, mtime_nsec) = split_ns(self.mtime_ns);
        let (ctime, ctime_nsec) = split_ns(self.ctime_ns);
        Stat {
            st_dev: self.dev,
            st_ino: self.ino,
            st_mode: self.full_mode(),
            st_nlink: self.nlink,
            st_uid: self.uid,
            st_gid: self.gid,
            st_rdev: self.rdev,
            st_size: i64::try_from(self.size).unwrap_or(i64::MAX),
            st_blksize: i32::try_from(self.block_size).unwrap_or(4096),
            st_blocks: i64::try_from(self.blocks).unwrap_or(i64::MAX),
            st_atime: atime,
            st_atime_nsec: u64::from(atime_nsec),
            st_mtime: mtime,
            st_mtime_nsec: u64::from(mtime_nsec),
            st_ctime: ctime,
            st_ctime_nsec: u64::from(ctime_nsec),
        }
    }

    /// Checks that `creds` may use the file as `access` says (`R_OK`, `W_OK`
    /// and `X_OK` bits), by `fsuid`, `fsgid` and the groups.
    ///
    /// # Errors
    /// `EACCES`.
    pub fn check_access(&self, creds: &Creds, access: u32) -> Result<()> {
        let access = access & 7;
        if creds.fsuid == 0 {
            // The superuser may do anything but run what nobody may run.
            let refused = access & 1 != 0 && self.kind == FileType::Regular && self.mode & 0o111 == 0;
            return if refused { Err(Errno::EACCES.because("nobody may execute it")) } else { Ok(()) };
        }
        let granted = if creds.fsuid == self.uid {
            self.mode >> 6
        } else if creds.in_group(self.gid) {
            self.mode >> 3
        } else {
            self.mode
        };
        if access & !granted == 0 { Ok(()) } else { Err(Errno::EACCES.because("the mode forbids it")) }
    }

    /// True if `creds` may change mode and times: the owner or the superuser.
    #[must_use]
    pub const fn is_owner(&self, creds: &Creds) -> bool {
        creds.fsuid == 0 || creds.fsuid == self.uid
    }

    /// The mode once somebody without privilege has changed the contents or
    /// the owner: without set-user-ID, and without set-group-ID if it counts.
    #[must_use]
    pub const fn mode_without_set_id(&self) -> u32 {
        if !matches!(self.kind, FileType::Regular) {
            return self.mode;
        }
        let mode = self.mode & !S_ISUID;
        if mode & S_IXGRP != 0 { mode & !S_ISGID } else { mode }
    }
}

/// Attributes to set; `None` leaves one as it is. Who may do so has been
/// checked by the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetAttr {
    /// Permission bits.
    pub mode: Option<u32>,
    /// The owner.
    pub uid: Option<u32>,
    /// The group.
    pub gid: Option<u32>,
    /// The size; contents beyond it go, new contents are zero bytes.
    pub size: Option<u64>,
    /// Last access.
    pub atime_ns: Option<i64>,
    /// Last change of contents.
    pub mtime_ns: Option<i64>,
}

/// What `statfs` tells of a file system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatFs {
    /// The type's magic number.
    pub magic: u64,
    /// Bytes in a block.
    pub block_size: u64,
    /// Blocks in all.
    pub blocks: u64,
    /// Free blocks.
    pub blocks_free: u64,
    /// Free blocks for ordinary users.
    pub blocks_available: u64,
    /// Inodes in all.
    pub files: u64,
    /// Free inodes.
    pub files_free: u64,
    /// The longest name, in bytes.
    pub name_max: u64,
}
