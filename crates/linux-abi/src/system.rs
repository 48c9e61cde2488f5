//! The system as a whole: `uname`, `sysinfo`, `reboot`, `personality`,
//! `syslog`, `getrandom`, `membarrier`, `mount`, `kcmp`.

wire_structs! {
    /// What `uname` fills in; each string ends with NUL.
    NewUtsname = "struct new_utsname", 390 {
        sysname: [u8; 65] = 0,
        nodename: [u8; 65] = 65,
        release: [u8; 65] = 130,
        version: [u8; 65] = 195,
        machine: [u8; 65] = 260,
        domainname: [u8; 65] = 325,
    }
    /// What `sysinfo` fills in.
    Sysinfo = "struct sysinfo", 112 {
        uptime: i64 = 0,
        loads: [u64; 3] = 8,
        totalram: u64 = 32,
        freeram: u64 = 40,
        sharedram: u64 = 48,
        bufferram: u64 = 56,
        totalswap: u64 = 64,
        freeswap: u64 = 72,
        procs: u16 = 80,
        totalhigh: u64 = 88,
        freehigh: u64 = 96,
        mem_unit: u32 = 104,
    }
}

/// The longest string in a [`NewUtsname`], without its NUL.
pub const NEW_UTS_LEN: usize = 64;

consts! {
    /// Arguments of `reboot`.
    REBOOT_VALUES: u32 {
        LINUX_REBOOT_MAGIC1 = 0xfee1_dead;
        LINUX_REBOOT_MAGIC2 = 672_274_793;
        LINUX_REBOOT_MAGIC2A = 85_072_278;
        LINUX_REBOOT_MAGIC2B = 369_367_448;
        LINUX_REBOOT_MAGIC2C = 537_993_216;
        LINUX_REBOOT_CMD_RESTART = 0x0123_4567;
        LINUX_REBOOT_CMD_HALT = 0xcdef_0123;
        LINUX_REBOOT_CMD_CAD_ON = 0x89ab_cdef;
        LINUX_REBOOT_CMD_CAD_OFF = 0;
        LINUX_REBOOT_CMD_POWER_OFF = 0x4321_fedc;
        LINUX_REBOOT_CMD_RESTART2 = 0xa1b2_c3d4;
        LINUX_REBOOT_CMD_SW_SUSPEND = 0xd000_fce2;
        LINUX_REBOOT_CMD_KEXEC = 0x4558_4543;
    }
}

flags! {
    /// The persona of a process; the low byte is an execution domain (0: Linux).
    Personality: u32 {
        UNAME26 = 0x002_0000;
        ADDR_NO_RANDOMIZE = 0x004_0000;
        FDPIC_FUNCPTRS = 0x008_0000;
        MMAP_PAGE_ZERO = 0x010_0000;
        ADDR_COMPAT_LAYOUT = 0x020_0000;
        READ_IMPLIES_EXEC = 0x040_0000;
        ADDR_LIMIT_32BIT = 0x080_0000;
        SHORT_INODE = 0x100_0000;
        WHOLE_SECONDS = 0x200_0000;
        STICKY_TIMEOUTS = 0x400_0000;
        ADDR_LIMIT_3GB = 0x800_0000;
    }
}

flags! {
    /// Flags of `getrandom`.
    GrndFlags: u32 {
        GRND_NONBLOCK = 1;
        GRND_RANDOM = 2;
        GRND_INSECURE = 4;
    }
}

flags! {
    /// Commands of `membarrier`; a query answers with the set of them.
    MembarrierCmd: u32 {
        MEMBARRIER_CMD_GLOBAL = 0x001;
        MEMBARRIER_CMD_GLOBAL_EXPEDITED = 0x002;
        MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED = 0x004;
        MEMBARRIER_CMD_PRIVATE_EXPEDITED = 0x008;
        MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 0x010;
        MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE = 0x020;
        MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 0x040;
        MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ = 0x080;
        MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ = 0x100;
        MEMBARRIER_CMD_GET_REGISTRATIONS = 0x200;
    }
}

flags! {
    /// Flags of `mount`.
    MountFlags: u64 {
        MS_RDONLY = 0x0001;
        MS_NOSUID = 0x0002;
        MS_NODEV = 0x0004;
        MS_NOEXEC = 0x0008;
        MS_SYNCHRONOUS = 0x0010;
        MS_REMOUNT = 0x0020;
        MS_MANDLOCK = 0x0040;
        MS_DIRSYNC = 0x0080;
        MS_NOSYMFOLLOW = 0x0100;
        MS_NOATIME = 0x0400;
        MS_NODIRATIME = 0x0800;
        MS_BIND = 0x1000;
        MS_MOVE = 0x2000;
        MS_REC = 0x4000;
        MS_SILENT = 0x8000;
        MS_POSIXACL = 0x0001_0000;
        MS_UNBINDABLE = 0x0002_0000;
        MS_PRIVATE = 0x0004_0000;
        MS_SLAVE = 0x0008_0000;
        MS_SHARED = 0x0010_0000;
        MS_RELATIME = 0x0020_0000;
        MS_I_VERSION = 0x0080_0000;
        MS_STRICTATIME = 0x0100_0000;
        MS_LAZYTIME = 0x0200_0000;
    }
}

flags! {
    /// Flags of `umount2`.
    UmountFlags: u32 {
        MNT_FORCE = 1;
        MNT_DETACH = 2;
        MNT_EXPIRE = 4;
        UMOUNT_NOFOLLOW = 8;
    }
}

consts! {
    /// Operations of `syslog`.
    SYSLOG_ACTIONS: u32 {
        SYSLOG_ACTION_CLOSE = 0;
        SYSLOG_ACTION_OPEN = 1;
        SYSLOG_ACTION_READ = 2;
        SYSLOG_ACTION_READ_ALL = 3;
        SYSLOG_ACTION_READ_CLEAR = 4;
        SYSLOG_ACTION_CLEAR = 5;
        SYSLOG_ACTION_CONSOLE_OFF = 6;
        SYSLOG_ACTION_CONSOLE_ON = 7;
        SYSLOG_ACTION_CONSOLE_LEVEL = 8;
        SYSLOG_ACTION_SIZE_UNREAD = 9;
        SYSLOG_ACTION_SIZE_BUFFER = 10;
    }
}

consts! {
    /// What `kcmp` compares.
    KCMP_TYPES: u32 {
        KCMP_FILE = 0;
        KCMP_VM = 1;
        KCMP_FILES = 2;
        KCMP_FS = 3;
        KCMP_SIGHAND = 4;
        KCMP_IO = 5;
        KCMP_SYSVSEM = 6;
        KCMP_EPOLL_TFD = 7;
    }
}
