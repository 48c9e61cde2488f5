//! Opening, descriptors, locks, renames and paths (`fcntl.h`, `openat2.h`).
//! The `O_` values are those of arm64, which differ from x86's.

flags! {
    /// Flags of `openat`, and of what else makes descriptors. The access mode
    /// is not a set of bits: see [`OpenFlags::access`].
    OpenFlags: u32 {
        O_WRONLY = 0o1;
        O_RDWR = 0o2;
        O_CREAT = 0o100;
        O_EXCL = 0o200;
        O_NOCTTY = 0o400;
        O_TRUNC = 0o1000;
        O_APPEND = 0o2000;
        O_NONBLOCK = 0o4000;
        O_DSYNC = 0o10000;
        FASYNC = 0o20000;
        O_DIRECTORY = 0o40000;
        O_NOFOLLOW = 0o100000;
        O_DIRECT = 0o200000;
        O_LARGEFILE = 0o400000;
        O_NOATIME = 0o1000000;
        O_CLOEXEC = 0o2000000;
        __O_SYNC = 0o4000000;
        O_PATH = 0o10000000;
        __O_TMPFILE = 0o20000000;
    }
}

/// The bits of the access mode.
pub const O_ACCMODE: u32 = 3;
/// The access mode for reading only.
pub const O_RDONLY: u32 = 0;
/// `O_SYNC`: two bits.
pub const O_SYNC: OpenFlags = OpenFlags::__O_SYNC.union(OpenFlags::O_DSYNC);
/// `O_TMPFILE`: two bits.
pub const O_TMPFILE: OpenFlags = OpenFlags::__O_TMPFILE.union(OpenFlags::O_DIRECTORY);

/// The access mode of an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessMode {
    /// `O_RDONLY`.
    Read,
    /// `O_WRONLY`.
    Write,
    /// `O_RDWR`.
    ReadWrite,
    /// 3: permission for both is asked, neither is given (for `ioctl` alone).
    IoctlOnly,
}

impl AccessMode {
    /// True if the file may be read.
    #[must_use]
    pub const fn reads(self) -> bool {
        matches!(self, Self::Read | Self::ReadWrite)
    }

    /// True if the file may be written.
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(self, Self::Write | Self::ReadWrite)
    }
}

impl OpenFlags {
    /// What the access mode bits say.
    #[must_use]
    pub const fn access(self) -> AccessMode {
        match self.bits() & O_ACCMODE {
            0 => AccessMode::Read,
            1 => AccessMode::Write,
            2 => AccessMode::ReadWrite,
            _ => AccessMode::IoctlOnly,
        }
    }
}

flags! {
    /// `AT_` flags of the calls that take a directory and a path.
    AtFlags: u32 {
        AT_SYMLINK_NOFOLLOW = 0x100;
        AT_EACCESS = 0x200;
        AT_SYMLINK_FOLLOW = 0x400;
        AT_NO_AUTOMOUNT = 0x800;
        AT_EMPTY_PATH = 0x1000;
        AT_STATX_FORCE_SYNC = 0x2000;
        AT_STATX_DONT_SYNC = 0x4000;
        AT_RECURSIVE = 0x8000;
    }
}

/// `AT_FDCWD`: the working directory.
pub const AT_FDCWD: i32 = -100;
/// `AT_REMOVEDIR` of `unlinkat`; the same bit as `AT_EACCESS`.
pub const AT_REMOVEDIR: u32 = 0x200;

flags! {
    /// Flags of `renameat2`.
    RenameFlags: u32 {
        RENAME_NOREPLACE = 1;
        RENAME_EXCHANGE = 2;
        RENAME_WHITEOUT = 4;
    }
}

flags! {
    /// `open_how.resolve` of `openat2`.
    ResolveFlags: u64 {
        RESOLVE_NO_XDEV = 0x01;
        RESOLVE_NO_MAGICLINKS = 0x02;
        RESOLVE_NO_SYMLINKS = 0x04;
        RESOLVE_BENEATH = 0x08;
        RESOLVE_IN_ROOT = 0x10;
        RESOLVE_CACHED = 0x20;
    }
}

flags! {
    /// Modes of `fallocate`.
    FallocFlags: u32 {
        FALLOC_FL_KEEP_SIZE = 0x01;
        FALLOC_FL_PUNCH_HOLE = 0x02;
        FALLOC_FL_NO_HIDE_STALE = 0x04;
        FALLOC_FL_COLLAPSE_RANGE = 0x08;
        FALLOC_FL_ZERO_RANGE = 0x10;
        FALLOC_FL_INSERT_RANGE = 0x20;
        FALLOC_FL_UNSHARE_RANGE = 0x40;
    }
}

flags! {
    /// Modes of `faccessat`.
    AccessCheck: u32 {
        X_OK = 1;
        W_OK = 2;
        R_OK = 4;
    }
}

flags! {
    /// File seals (`F_ADD_SEALS`).
    Seals: u32 {
        F_SEAL_SEAL = 0x01;
        F_SEAL_SHRINK = 0x02;
        F_SEAL_GROW = 0x04;
        F_SEAL_WRITE = 0x08;
        F_SEAL_FUTURE_WRITE = 0x10;
        F_SEAL_EXEC = 0x20;
    }
}

flags! {
    /// Flags of `close_range`.
    CloseRangeFlags: u32 {
        CLOSE_RANGE_UNSHARE = 2;
        CLOSE_RANGE_CLOEXEC = 4;
    }
}

flags! {
    /// Flags of `splice`, `tee` and `vmsplice`.
    SpliceFlags: u32 {
        SPLICE_F_MOVE = 1;
        SPLICE_F_NONBLOCK = 2;
        SPLICE_F_MORE = 4;
        SPLICE_F_GIFT = 8;
    }
}

consts! {
    /// Commands of `fcntl`.
    FCNTL_COMMANDS: u32 {
        F_DUPFD = 0;
        F_GETFD = 1;
        F_SETFD = 2;
        F_GETFL = 3;
        F_SETFL = 4;
        F_GETLK = 5;
        F_SETLK = 6;
        F_SETLKW = 7;
        F_SETOWN = 8;
        F_GETOWN = 9;
        F_SETSIG = 10;
        F_GETSIG = 11;
        F_SETOWN_EX = 15;
        F_GETOWN_EX = 16;
        F_GETOWNER_UIDS = 17;
        F_OFD_GETLK = 36;
        F_OFD_SETLK = 37;
        F_OFD_SETLKW = 38;
        F_SETLEASE = 1024;
        F_GETLEASE = 1025;
        F_NOTIFY = 1026;
        F_DUPFD_CLOEXEC = 1030;
        F_SETPIPE_SZ = 1031;
        F_GETPIPE_SZ = 1032;
        F_ADD_SEALS = 1033;
        F_GET_SEALS = 1034;
        F_GET_RW_HINT = 1035;
        F_SET_RW_HINT = 1036;
        F_GET_FILE_RW_HINT = 1037;
        F_SET_FILE_RW_HINT = 1038;
    }
}

consts! {
    /// Other small numbers of `fcntl.h`.
    FCNTL_VALUES: u32 {
        FD_CLOEXEC = 1;
        F_RDLCK = 0;
        F_WRLCK = 1;
        F_UNLCK = 2;
        F_OWNER_TID = 0;
        F_OWNER_PID = 1;
        F_OWNER_PGRP = 2;
        LOCK_SH = 1;
        LOCK_EX = 2;
        LOCK_NB = 4;
        LOCK_UN = 8;
        POSIX_FADV_NORMAL = 0;
        POSIX_FADV_RANDOM = 1;
        POSIX_FADV_SEQUENTIAL = 2;
        POSIX_FADV_WILLNEED = 3;
        POSIX_FADV_DONTNEED = 4;
        POSIX_FADV_NOREUSE = 5;
    }
}

consts! {
    /// Origins of `lseek`.
    SEEK_VALUES: u32 {
        SEEK_SET = 0;
        SEEK_CUR = 1;
        SEEK_END = 2;
        SEEK_DATA = 3;
        SEEK_HOLE = 4;
    }
}

consts! {
    /// Limits of names and paths, with the terminating NUL counted in `PATH_MAX`.
    LIMITS: usize {
        NAME_MAX = 255;
        PATH_MAX = 4096;
        PIPE_BUF = 4096;
        XATTR_NAME_MAX = 255;
        XATTR_SIZE_MAX = 65536;
        XATTR_LIST_MAX = 65536;
    }
}

consts! {
    /// Flags of `setxattr`.
    XATTR_FLAGS: u32 {
        XATTR_CREATE = 1;
        XATTR_REPLACE = 2;
    }
}

wire_structs! {
    /// A record lock.
    Flock = "struct flock", 32 {
        l_type: i16 = 0,
        l_whence: i16 = 2,
        l_start: i64 = 8,
        l_len: i64 = 16,
        l_pid: i32 = 24,
    }
    /// Who gets a descriptor's signals.
    FOwnerEx = "struct f_owner_ex", 8 {
        owner_type: i32 = 0 as "type",
        pid: i32 = 4,
    }
    /// The argument of `openat2`.
    OpenHow = "struct open_how", 24 {
        flags: u64 = 0,
        mode: u64 = 8,
        resolve: u64 = 16,
    }
}
