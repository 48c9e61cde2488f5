//! Memory mapping: `mmap`, `mprotect`, `madvise`, `mremap`, `memfd_create`.

flags! {
    /// What may be done with a mapping.
    ProtFlags: u32 {
        PROT_READ = 0x1;
        PROT_WRITE = 0x2;
        PROT_EXEC = 0x4;
        PROT_SEM = 0x8;
        PROT_BTI = 0x10;
        PROT_MTE = 0x20;
        PROT_GROWSDOWN = 0x0100_0000;
        PROT_GROWSUP = 0x0200_0000;
    }
}

flags! {
    /// Flags of `mmap`. The low four bits are a type, not a set:
    /// see [`MapFlags::kind`].
    MapFlags: u32 {
        MAP_SHARED = 0x01;
        MAP_PRIVATE = 0x02;
        MAP_FIXED = 0x10;
        MAP_ANONYMOUS = 0x20;
        MAP_GROWSDOWN = 0x0100;
        MAP_DENYWRITE = 0x0800;
        MAP_EXECUTABLE = 0x1000;
        MAP_LOCKED = 0x2000;
        MAP_NORESERVE = 0x4000;
        MAP_POPULATE = 0x8000;
        MAP_NONBLOCK = 0x0001_0000;
        MAP_STACK = 0x0002_0000;
        MAP_HUGETLB = 0x0004_0000;
        MAP_SYNC = 0x0008_0000;
        MAP_FIXED_NOREPLACE = 0x0010_0000;
        MAP_UNINITIALIZED = 0x0400_0000;
    }
}

/// `MAP_TYPE`: the bits that hold the kind of mapping.
pub const MAP_TYPE: u32 = 0x0f;

/// The kind of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKind {
    /// `MAP_SHARED`: unknown flags are ignored.
    Shared,
    /// `MAP_SHARED_VALIDATE`: unknown flags are `EOPNOTSUPP`.
    SharedValidate,
    /// `MAP_PRIVATE`.
    Private,
}

impl MapFlags {
    /// The kind of mapping asked for; `None` is `EINVAL`.
    #[must_use]
    pub const fn kind(self) -> Option<MapKind> {
        match self.bits() & MAP_TYPE {
            1 => Some(MapKind::Shared),
            2 => Some(MapKind::Private),
            3 => Some(MapKind::SharedValidate),
            _ => None,
        }
    }
}

flags! {
    /// Flags of `mremap`.
    MremapFlags: u32 {
        MREMAP_MAYMOVE = 1;
        MREMAP_FIXED = 2;
        MREMAP_DONTUNMAP = 4;
    }
}

flags! {
    /// Flags of `msync`.
    MsyncFlags: u32 {
        MS_ASYNC = 1;
        MS_INVALIDATE = 2;
        MS_SYNC = 4;
    }
}

flags! {
    /// Flags of `mlockall`.
    MlockallFlags: u32 {
        MCL_CURRENT = 1;
        MCL_FUTURE = 2;
        MCL_ONFAULT = 4;
    }
}

flags! {
    /// Flags of `memfd_create`.
    MfdFlags: u32 {
        MFD_CLOEXEC = 0x1;
        MFD_ALLOW_SEALING = 0x2;
        MFD_HUGETLB = 0x4;
        MFD_NOEXEC_SEAL = 0x8;
        MFD_EXEC = 0x10;
    }
}

consts! {
    /// Advice of `madvise`.
    ADVICE: u32 {
        MADV_NORMAL = 0;
        MADV_RANDOM = 1;
        MADV_SEQUENTIAL = 2;
        MADV_WILLNEED = 3;
        MADV_DONTNEED = 4;
        MADV_FREE = 8;
        MADV_REMOVE = 9;
        MADV_DONTFORK = 10;
        MADV_DOFORK = 11;
        MADV_MERGEABLE = 12;
        MADV_UNMERGEABLE = 13;
        MADV_HUGEPAGE = 14;
        MADV_NOHUGEPAGE = 15;
        MADV_DONTDUMP = 16;
        MADV_DODUMP = 17;
        MADV_WIPEONFORK = 18;
        MADV_KEEPONFORK = 19;
        MADV_COLD = 20;
        MADV_PAGEOUT = 21;
        MADV_POPULATE_READ = 22;
        MADV_POPULATE_WRITE = 23;
        MADV_DONTNEED_LOCKED = 24;
        MADV_COLLAPSE = 25;
        MADV_HWPOISON = 100;
        MADV_SOFT_OFFLINE = 101;
    }
}

/// `MLOCK_ONFAULT` of `mlock2`.
pub const MLOCK_ONFAULT: u32 = 1;
