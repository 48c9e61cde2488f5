//! Making tasks and scheduling them: `clone`, `clone3`, `sched_*`.

flags! {
    /// Flags of `clone`; its low byte is the exit signal, see [`CSIGNAL`].
    CloneFlags: u64 {
        CLONE_NEWTIME = 0x80;
        CLONE_VM = 0x100;
        CLONE_FS = 0x200;
        CLONE_FILES = 0x400;
        CLONE_SIGHAND = 0x800;
        CLONE_PIDFD = 0x1000;
        CLONE_PTRACE = 0x2000;
        CLONE_VFORK = 0x4000;
        CLONE_PARENT = 0x8000;
        CLONE_THREAD = 0x0001_0000;
        CLONE_NEWNS = 0x0002_0000;
        CLONE_SYSVSEM = 0x0004_0000;
        CLONE_SETTLS = 0x0008_0000;
        CLONE_PARENT_SETTID = 0x0010_0000;
        CLONE_CHILD_CLEARTID = 0x0020_0000;
        CLONE_DETACHED = 0x0040_0000;
        CLONE_UNTRACED = 0x0080_0000;
        CLONE_CHILD_SETTID = 0x0100_0000;
        CLONE_NEWCGROUP = 0x0200_0000;
        CLONE_NEWUTS = 0x0400_0000;
        CLONE_NEWIPC = 0x0800_0000;
        CLONE_NEWUSER = 0x1000_0000;
        CLONE_NEWPID = 0x2000_0000;
        CLONE_NEWNET = 0x4000_0000;
        CLONE_IO = 0x8000_0000;
        CLONE_CLEAR_SIGHAND = 0x1_0000_0000;
        CLONE_INTO_CGROUP = 0x2_0000_0000;
    }
}

/// The bits of `clone`'s flags that hold the exit signal.
pub const CSIGNAL: u64 = 0xff;

consts! {
    /// Sizes of `struct clone_args` and `struct sched_attr` through the ages.
    STRUCT_VERSIONS: usize {
        CLONE_ARGS_SIZE_VER0 = 64;
        CLONE_ARGS_SIZE_VER1 = 80;
        CLONE_ARGS_SIZE_VER2 = 88;
        SCHED_ATTR_SIZE_VER0 = 48;
        SCHED_ATTR_SIZE_VER1 = 56;
    }
}

consts! {
    /// Scheduling policies.
    SCHED_POLICIES: u32 {
        SCHED_NORMAL = 0;
        SCHED_FIFO = 1;
        SCHED_RR = 2;
        SCHED_BATCH = 3;
        SCHED_IDLE = 5;
        SCHED_DEADLINE = 6;
        SCHED_RESET_ON_FORK = 0x4000_0000;
    }
}

flags! {
    /// `sched_attr.sched_flags`.
    SchedFlags: u64 {
        SCHED_FLAG_RESET_ON_FORK = 0x01;
        SCHED_FLAG_RECLAIM = 0x02;
        SCHED_FLAG_DL_OVERRUN = 0x04;
        SCHED_FLAG_KEEP_POLICY = 0x08;
        SCHED_FLAG_KEEP_PARAMS = 0x10;
        SCHED_FLAG_UTIL_CLAMP_MIN = 0x20;
        SCHED_FLAG_UTIL_CLAMP_MAX = 0x40;
    }
}

consts! {
    /// Whom `getpriority` asks about, and how `ioprio` values are made.
    PRIORITY_VALUES: u32 {
        PRIO_PROCESS = 0;
        PRIO_PGRP = 1;
        PRIO_USER = 2;
        IOPRIO_CLASS_SHIFT = 13;
        IOPRIO_WHO_PROCESS = 1;
        IOPRIO_WHO_PGRP = 2;
        IOPRIO_WHO_USER = 3;
        IOPRIO_CLASS_NONE = 0;
        IOPRIO_CLASS_RT = 1;
        IOPRIO_CLASS_BE = 2;
        IOPRIO_CLASS_IDLE = 3;
    }
}

wire_structs! {
    /// The argument of `clone3`.
    CloneArgs = "struct clone_args", 88 {
        flags: u64 = 0,
        pidfd: u64 = 8,
        child_tid: u64 = 16,
        parent_tid: u64 = 24,
        exit_signal: u64 = 32,
        stack: u64 = 40,
        stack_size: u64 = 48,
        tls: u64 = 56,
        set_tid: u64 = 64,
        set_tid_size: u64 = 72,
        cgroup: u64 = 80,
    }
    /// The argument of `sched_setparam`.
    SchedParam = "struct sched_param", 4 {
        sched_priority: i32 = 0,
    }
    /// The argument of `sched_setattr`.
    SchedAttr = "struct sched_attr", 56 {
        size: u32 = 0,
        sched_policy: u32 = 4,
        sched_flags: u64 = 8,
        sched_nice: i32 = 16,
        sched_priority: u32 = 20,
        sched_runtime: u64 = 24,
        sched_deadline: u64 = 32,
        sched_period: u64 = 40,
        sched_util_min: u32 = 48,
        sched_util_max: u32 = 52,
    }
}
