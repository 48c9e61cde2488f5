//! Futex operations and robust lists.

consts! {
    /// Operations of `futex`, with the two flags that may be added.
    FUTEX_OPS: u32 {
        FUTEX_WAIT = 0;
        FUTEX_WAKE = 1;
        FUTEX_FD = 2;
        FUTEX_REQUEUE = 3;
        FUTEX_CMP_REQUEUE = 4;
        FUTEX_WAKE_OP = 5;
        FUTEX_LOCK_PI = 6;
        FUTEX_UNLOCK_PI = 7;
        FUTEX_TRYLOCK_PI = 8;
        FUTEX_WAIT_BITSET = 9;
        FUTEX_WAKE_BITSET = 10;
        FUTEX_WAIT_REQUEUE_PI = 11;
        FUTEX_CMP_REQUEUE_PI = 12;
        FUTEX_LOCK_PI2 = 13;
        FUTEX_PRIVATE_FLAG = 128;
        FUTEX_CLOCK_REALTIME = 256;
    }
}

/// The operation without its flags.
pub const FUTEX_CMD_MASK: u32 = !(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);

consts! {
    /// Parts of a futex word, of `FUTEX_WAKE_OP`'s argument, and limits.
    FUTEX_VALUES: u32 {
        FUTEX_WAITERS = 0x8000_0000;
        FUTEX_OWNER_DIED = 0x4000_0000;
        FUTEX_TID_MASK = 0x3fff_ffff;
        FUTEX_BITSET_MATCH_ANY = 0xffff_ffff;
        FUTEX_OP_SET = 0;
        FUTEX_OP_ADD = 1;
        FUTEX_OP_OR = 2;
        FUTEX_OP_ANDN = 3;
        FUTEX_OP_XOR = 4;
        FUTEX_OP_OPARG_SHIFT = 8;
        FUTEX_OP_CMP_EQ = 0;
        FUTEX_OP_CMP_NE = 1;
        FUTEX_OP_CMP_LT = 2;
        FUTEX_OP_CMP_LE = 3;
        FUTEX_OP_CMP_GT = 4;
        FUTEX_OP_CMP_GE = 5;
        ROBUST_LIST_LIMIT = 2048;
        FUTEX_32 = 2;
        FUTEX_WAITV_MAX = 128;
    }
}

wire_structs! {
    /// The head of a thread's list of robust locks.
    RobustListHead = "struct robust_list_head", 24 {
        list: u64 = 0,
        futex_offset: i64 = 8,
        list_op_pending: u64 = 16,
    }
    /// One futex of `futex_waitv`.
    FutexWaitv = "struct futex_waitv", 24 {
        val: u64 = 0,
        uaddr: u64 = 8,
        flags: u32 = 16,
    }
}
