//! System V IPC: shared memory (`shmget`, `shmat`, `shmdt`, `shmctl`).

consts! {
    /// Flags of `shmget` and commands of `shmctl`.
    IPC_VALUES: u32 {
        IPC_PRIVATE = 0;
        IPC_CREAT = 0o1000;
        IPC_EXCL = 0o2000;
        SHM_HUGETLB = 0o4000;
        SHM_NORESERVE = 0o1_0000;
        IPC_RMID = 0;
        IPC_SET = 1;
        IPC_STAT = 2;
        IPC_INFO = 3;
        SHM_LOCK = 11;
        SHM_UNLOCK = 12;
        SHM_STAT = 13;
        SHM_INFO = 14;
        SHM_STAT_ANY = 15;
        SHM_DEST = 0o1000;
        SHM_LOCKED = 0o2000;
    }
}

flags! {
    /// Flags of `shmat`.
    ShmatFlags: u32 {
        SHM_RDONLY = 0o1_0000;
        SHM_RND = 0o2_0000;
        SHM_REMAP = 0o4_0000;
        SHM_EXEC = 0o10_0000;
    }
}

wire_structs! {
    /// Who owns an object of System V IPC, and who may use it.
    IpcPerm = "struct ipc64_perm", 48 {
        key: i32 = 0,
        uid: u32 = 4,
        gid: u32 = 8,
        cuid: u32 = 12,
        cgid: u32 = 16,
        mode: u32 = 20,
        seq: u16 = 24,
    }
    /// What `IPC_STAT` tells of a shared-memory segment.
    ShmidDs = "struct shmid64_ds", 112 {
        shm_perm: IpcPerm = 0,
        shm_segsz: u64 = 48,
        shm_atime: i64 = 56,
        shm_dtime: i64 = 64,
        shm_ctime: i64 = 72,
        shm_cpid: i32 = 80,
        shm_lpid: i32 = 84,
        shm_nattch: u64 = 88,
    }
    /// What `IPC_INFO` tells of the limits.
    Shminfo = "struct shminfo64", 72 {
        shmmax: u64 = 0,
        shmmin: u64 = 8,
        shmmni: u64 = 16,
        shmseg: u64 = 24,
        shmall: u64 = 32,
    }
    /// What `SHM_INFO` tells of all segments together.
    ShmInfo = "struct shm_info", 48 {
        used_ids: i32 = 0,
        shm_tot: u64 = 8,
        shm_rss: u64 = 16,
        shm_swp: u64 = 24,
        swap_attempts: u64 = 32,
        swap_successes: u64 = 40,
    }
}
