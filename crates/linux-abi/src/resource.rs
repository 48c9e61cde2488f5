//! Resource limits and use.

consts! {
    /// Resources of `prlimit64`.
    RLIMITS: u32 {
        RLIMIT_CPU = 0;
        RLIMIT_FSIZE = 1;
        RLIMIT_DATA = 2;
        RLIMIT_STACK = 3;
        RLIMIT_CORE = 4;
        RLIMIT_RSS = 5;
        RLIMIT_NPROC = 6;
        RLIMIT_NOFILE = 7;
        RLIMIT_MEMLOCK = 8;
        RLIMIT_AS = 9;
        RLIMIT_LOCKS = 10;
        RLIMIT_SIGPENDING = 11;
        RLIMIT_MSGQUEUE = 12;
        RLIMIT_NICE = 13;
        RLIMIT_RTPRIO = 14;
        RLIMIT_RTTIME = 15;
    }
}

/// How many resources there are.
pub const RLIM_NLIMITS: usize = 16;
/// No limit.
pub const RLIM_INFINITY: u64 = u64::MAX;

consts! {
    /// Whose use `getrusage` tells.
    RUSAGE_WHO: i32 {
        RUSAGE_SELF = 0;
        RUSAGE_CHILDREN = -1;
        RUSAGE_THREAD = 1;
    }
}

use crate::time::Timeval;

wire_structs! {
    /// A soft and a hard limit.
    Rlimit = "struct rlimit64", 16 {
        rlim_cur: u64 = 0,
        rlim_max: u64 = 8,
    }
    /// What a process has used.
    Rusage = "struct rusage", 144 {
        ru_utime: Timeval = 0,
        ru_stime: Timeval = 16,
        ru_maxrss: i64 = 32,
        ru_ixrss: i64 = 40,
        ru_idrss: i64 = 48,
        ru_isrss: i64 = 56,
        ru_minflt: i64 = 64,
        ru_majflt: i64 = 72,
        ru_nswap: i64 = 80,
        ru_inblock: i64 = 88,
        ru_oublock: i64 = 96,
        ru_msgsnd: i64 = 104,
        ru_msgrcv: i64 = 112,
        ru_nsignals: i64 = 120,
        ru_nvcsw: i64 = 128,
        ru_nivcsw: i64 = 136,
    }
}
