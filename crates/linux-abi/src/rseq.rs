//! Restartable sequences.

consts! {
    /// Values and flags of restartable sequences.
    RSEQ_VALUES: i32 {
        RSEQ_CPU_ID_UNINITIALIZED = -1;
        RSEQ_CPU_ID_REGISTRATION_FAILED = -2;
        RSEQ_FLAG_UNREGISTER = 1;
        RSEQ_CS_FLAG_NO_RESTART_ON_PREEMPT = 1;
        RSEQ_CS_FLAG_NO_RESTART_ON_SIGNAL = 2;
        RSEQ_CS_FLAG_NO_RESTART_ON_MIGRATE = 4;
    }
}

wire_structs! {
    /// What a thread registers with `rseq` (its original 32 bytes).
    Rseq = "struct rseq", 32 {
        cpu_id_start: u32 = 0,
        cpu_id: u32 = 4,
        rseq_cs: u64 = 8,
        flags: u32 = 16,
    }
    /// One critical section.
    RseqCs = "struct rseq_cs", 32 {
        version: u32 = 0,
        flags: u32 = 4,
        start_ip: u64 = 8,
        post_commit_offset: u64 = 16,
        abort_ip: u64 = 24,
    }
}
