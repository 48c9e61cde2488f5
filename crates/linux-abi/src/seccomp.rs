//! `seccomp`: operations, actions and the filter's input.

consts! {
    /// Modes, operations and flags.
    SECCOMP_VALUES: u32 {
        SECCOMP_MODE_DISABLED = 0;
        SECCOMP_MODE_STRICT = 1;
        SECCOMP_MODE_FILTER = 2;
        SECCOMP_SET_MODE_STRICT = 0;
        SECCOMP_SET_MODE_FILTER = 1;
        SECCOMP_GET_ACTION_AVAIL = 2;
        SECCOMP_GET_NOTIF_SIZES = 3;
        SECCOMP_FILTER_FLAG_TSYNC = 1;
        SECCOMP_FILTER_FLAG_LOG = 2;
        SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4;
        SECCOMP_FILTER_FLAG_NEW_LISTENER = 8;
        SECCOMP_FILTER_FLAG_TSYNC_ESRCH = 16;
    }
}

consts! {
    /// What a filter returns; the low 16 bits are data.
    SECCOMP_ACTIONS: u32 {
        SECCOMP_RET_KILL_PROCESS = 0x8000_0000;
        SECCOMP_RET_KILL_THREAD = 0x0000_0000;
        SECCOMP_RET_TRAP = 0x0003_0000;
        SECCOMP_RET_ERRNO = 0x0005_0000;
        SECCOMP_RET_USER_NOTIF = 0x7fc0_0000;
        SECCOMP_RET_TRACE = 0x7ff0_0000;
        SECCOMP_RET_LOG = 0x7ffc_0000;
        SECCOMP_RET_ALLOW = 0x7fff_0000;
        SECCOMP_RET_ACTION_FULL = 0xffff_0000;
        SECCOMP_RET_DATA = 0x0000_ffff;
    }
}

/// `AUDIT_ARCH_AARCH64`: the architecture in filters and in `SIGSYS`.
pub const AUDIT_ARCH_AARCH64: u32 = 0xc000_00b7;

wire_structs! {
    /// What a filter sees.
    SeccompData = "struct seccomp_data", 64 {
        nr: i32 = 0,
        arch: u32 = 4,
        instruction_pointer: u64 = 8,
        args: [u64; 6] = 16,
    }
    /// One instruction of a filter.
    SockFilter = "struct sock_filter", 8 {
        code: u16 = 0,
        jt: u8 = 2,
        jf: u8 = 3,
        k: u32 = 4,
    }
    /// A filter.
    SockFprog = "struct sock_fprog", 16 {
        len: u16 = 0,
        filter: u64 = 8,
    }
}
