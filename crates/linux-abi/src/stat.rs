//! File attributes: modes, `stat`, `statx`, `statfs`.

consts! {
    /// Bits of a file mode.
    MODE_BITS: u32 {
        S_IFMT = 0o170000;
        S_IFSOCK = 0o140000;
        S_IFLNK = 0o120000;
        S_IFREG = 0o100000;
        S_IFBLK = 0o060000;
        S_IFDIR = 0o040000;
        S_IFCHR = 0o020000;
        S_IFIFO = 0o010000;
        S_ISUID = 0o4000;
        S_ISGID = 0o2000;
        S_ISVTX = 0o1000;
        S_IRWXU = 0o700;
        S_IRUSR = 0o400;
        S_IWUSR = 0o200;
        S_IXUSR = 0o100;
        S_IRWXG = 0o070;
        S_IRGRP = 0o040;
        S_IWGRP = 0o020;
        S_IXGRP = 0o010;
        S_IRWXO = 0o007;
        S_IROTH = 0o004;
        S_IWOTH = 0o002;
        S_IXOTH = 0o001;
    }
}

flags! {
    /// What `statx` is asked for and gives.
    StatxMask: u32 {
        STATX_TYPE = 0x0001;
        STATX_MODE = 0x0002;
        STATX_NLINK = 0x0004;
        STATX_UID = 0x0008;
        STATX_GID = 0x0010;
        STATX_ATIME = 0x0020;
        STATX_MTIME = 0x0040;
        STATX_CTIME = 0x0080;
        STATX_INO = 0x0100;
        STATX_SIZE = 0x0200;
        STATX_BLOCKS = 0x0400;
        STATX_BASIC_STATS = 0x07ff;
        STATX_BTIME = 0x0800;
        STATX_MNT_ID = 0x1000;
        STATX_DIOALIGN = 0x2000;
        STATX_MNT_ID_UNIQUE = 0x4000;
        STATX_SUBVOL = 0x8000;
    }
}

/// `STATX__RESERVED`: asking for it is `EINVAL`.
pub const STATX__RESERVED: u32 = 0x8000_0000;

consts! {
    /// `statx.stx_attributes`.
    STATX_ATTRIBUTES: u64 {
        STATX_ATTR_COMPRESSED = 0x4;
        STATX_ATTR_IMMUTABLE = 0x10;
        STATX_ATTR_APPEND = 0x20;
        STATX_ATTR_NODUMP = 0x40;
        STATX_ATTR_ENCRYPTED = 0x800;
        STATX_ATTR_AUTOMOUNT = 0x1000;
        STATX_ATTR_MOUNT_ROOT = 0x2000;
        STATX_ATTR_VERITY = 0x0010_0000;
        STATX_ATTR_DAX = 0x0020_0000;
    }
}

consts! {
    /// `statfs.f_type` of the file systems that there are.
    FS_MAGIC: u64 {
        TMPFS_MAGIC = 0x0102_1994;
        PROC_SUPER_MAGIC = 0x9fa0;
        SYSFS_MAGIC = 0x6265_6572;
        DEVPTS_SUPER_MAGIC = 0x1cd1;
        EXT2_SUPER_MAGIC = 0xef53;
        OVERLAYFS_SUPER_MAGIC = 0x794c_7630;
        ANON_INODE_FS_MAGIC = 0x0904_1934;
        PIPEFS_MAGIC = 0x5049_5045;
        SOCKFS_MAGIC = 0x534f_434b;
        RAMFS_MAGIC = 0x8584_58f6;
        V9FS_MAGIC = 0x0102_1997;
        CGROUP2_SUPER_MAGIC = 0x6367_7270;
        NSFS_MAGIC = 0x6e73_6673;
    }
}

flags! {
    /// `statfs.f_flags`.
    StatfsFlags: u64 {
        ST_RDONLY = 0x0001;
        ST_NOSUID = 0x0002;
        ST_NODEV = 0x0004;
        ST_NOEXEC = 0x0008;
        ST_SYNCHRONOUS = 0x0010;
        ST_VALID = 0x0020;
        ST_MANDLOCK = 0x0040;
        ST_NOATIME = 0x0400;
        ST_NODIRATIME = 0x0800;
        ST_RELATIME = 0x1000;
    }
}

wire_structs! {
    /// What `fstat` and `newfstatat` fill in.
    Stat = "struct stat", 128 {
        st_dev: u64 = 0,
        st_ino: u64 = 8,
        st_mode: u32 = 16,
        st_nlink: u32 = 20,
        st_uid: u32 = 24,
        st_gid: u32 = 28,
        st_rdev: u64 = 32,
        st_size: i64 = 48,
        st_blksize: i32 = 56,
        st_blocks: i64 = 64,
        st_atime: i64 = 72,
        st_atime_nsec: u64 = 80,
        st_mtime: i64 = 88,
        st_mtime_nsec: u64 = 96,
        st_ctime: i64 = 104,
        st_ctime_nsec: u64 = 112,
    }
    /// A time in [`Statx`].
    StatxTimestamp = "struct statx_timestamp", 16 {
        tv_sec: i64 = 0,
        tv_nsec: u32 = 8,
    }
    /// What `statx` fills in.
    Statx = "struct statx", 256 {
        stx_mask: u32 = 0,
        stx_blksize: u32 = 4,
        stx_attributes: u64 = 8,
        stx_nlink: u32 = 16,
        stx_uid: u32 = 20,
        stx_gid: u32 = 24,
        stx_mode: u16 = 28,
        stx_ino: u64 = 32,
        stx_size: u64 = 40,
        stx_blocks: u64 = 48,
        stx_attributes_mask: u64 = 56,
        stx_atime: StatxTimestamp = 64,
        stx_btime: StatxTimestamp = 80,
        stx_ctime: StatxTimestamp = 96,
        stx_mtime: StatxTimestamp = 112,
        stx_rdev_major: u32 = 128,
        stx_rdev_minor: u32 = 132,
        stx_dev_major: u32 = 136,
        stx_dev_minor: u32 = 140,
        stx_mnt_id: u64 = 144,
        stx_dio_mem_align: u32 = 152,
        stx_dio_offset_align: u32 = 156,
    }
    /// What `statfs` fills in.
    Statfs = "struct statfs", 120 {
        f_type: u64 = 0,
        f_bsize: u64 = 8,
        f_blocks: u64 = 16,
        f_bfree: u64 = 24,
        f_bavail: u64 = 32,
        f_files: u64 = 40,
        f_ffree: u64 = 48,
        f_fsid: [i32; 2] = 56,
        f_namelen: u64 = 64,
        f_frsize: u64 = 72,
        f_flags: u64 = 80,
    }
}

/// A device number as user space sees it (`new_encode_dev`, widened).
#[must_use]
pub const fn makedev(major: u32, minor: u32) -> u64 {
    let (major, minor) = (major as u64, minor as u64);
    (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & !0xff) << 12) | ((major & !0xfff) << 32)
}

/// The major number of a device number.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "both parts are masked to 32 bits")]
pub const fn major(dev: u64) -> u32 {
    (((dev >> 8) & 0xfff) | ((dev >> 32) & !0xfff)) as u32
}

/// The minor number of a device number.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "both parts are masked to 32 bits")]
pub const fn minor(dev: u64) -> u32 {
    ((dev & 0xff) | ((dev >> 12) & 0xffff_ff00)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_numbers_round_trip() {
        assert_eq!(makedev(136, 0), 0x8800, "/dev/pts/0");
        assert_eq!(makedev(5, 2), 0x502, "/dev/ptmx");
        for (a, b) in [(1, 3), (0xfff, 0xff), (0x1000, 0x100), (u32::MAX, u32::MAX)] {
            assert_eq!((major(makedev(a, b)), minor(makedev(a, b))), (a, b));
        }
    }
}
