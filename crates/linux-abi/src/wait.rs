//! Waiting for children, and pidfds.

flags! {
    /// Options of `wait4` and `waitid`.
    WaitFlags: u32 {
        WNOHANG = 0x1;
        WUNTRACED = 0x2;
        WEXITED = 0x4;
        WCONTINUED = 0x8;
        WNOWAIT = 0x0100_0000;
        __WNOTHREAD = 0x2000_0000;
        __WALL = 0x4000_0000;
        __WCLONE = 0x8000_0000;
    }
}

/// `WSTOPPED` of `waitid`, the same bit as `WUNTRACED`.
pub const WSTOPPED: WaitFlags = WaitFlags::WUNTRACED;

consts! {
    /// Whom `waitid` waits for.
    WAIT_IDS: u32 {
        P_ALL = 0;
        P_PID = 1;
        P_PGID = 2;
        P_PIDFD = 3;
    }
}

flags! {
    /// Flags of `pidfd_open`.
    PidfdFlags: u32 {
        PIDFD_NONBLOCK = 0o4000;
        PIDFD_THREAD = 0o200;
    }
}

/// The wait status of a process that called `exit(code)`.
#[must_use]
pub const fn status_exited(code: i32) -> i32 {
    (code & 0xff) << 8
}

/// The wait status of a process that `signal` ended.
#[must_use]
pub const fn status_signaled(signal: u32, dumped: bool) -> i32 {
    (signal & 0x7f).cast_signed() | if dumped { 0x80 } else { 0 }
}

/// The wait status of a process that `signal` stopped.
#[must_use]
pub const fn status_stopped(signal: u32) -> i32 {
    ((signal & 0xff) << 8).cast_signed() | 0x7f
}

/// The wait status of a process that runs again.
pub const STATUS_CONTINUED: i32 = 0xffff;
