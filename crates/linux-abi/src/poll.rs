//! Readiness: `poll`, `epoll`, and descriptors that carry events.

flags! {
    /// Events of `poll`.
    PollEvents: u16 {
        POLLIN = 0x0001;
        POLLPRI = 0x0002;
        POLLOUT = 0x0004;
        POLLERR = 0x0008;
        POLLHUP = 0x0010;
        POLLNVAL = 0x0020;
        POLLRDNORM = 0x0040;
        POLLRDBAND = 0x0080;
        POLLWRNORM = 0x0100;
        POLLWRBAND = 0x0200;
        POLLMSG = 0x0400;
        POLLREMOVE = 0x1000;
        POLLRDHUP = 0x2000;
    }
}

flags! {
    /// Events of `epoll`; the low bits are those of [`PollEvents`].
    EpollEvents: u32 {
        EPOLLIN = 0x0001;
        EPOLLPRI = 0x0002;
        EPOLLOUT = 0x0004;
        EPOLLERR = 0x0008;
        EPOLLHUP = 0x0010;
        EPOLLRDNORM = 0x0040;
        EPOLLRDBAND = 0x0080;
        EPOLLWRNORM = 0x0100;
        EPOLLWRBAND = 0x0200;
        EPOLLMSG = 0x0400;
        EPOLLRDHUP = 0x2000;
        EPOLLEXCLUSIVE = 0x1000_0000;
        EPOLLWAKEUP = 0x2000_0000;
        EPOLLONESHOT = 0x4000_0000;
        EPOLLET = 0x8000_0000;
    }
}

consts! {
    /// Operations of `epoll_ctl`.
    EPOLL_OPS: u32 {
        EPOLL_CTL_ADD = 1;
        EPOLL_CTL_DEL = 2;
        EPOLL_CTL_MOD = 3;
    }
}

/// `EPOLL_CLOEXEC` of `epoll_create1`.
pub const EPOLL_CLOEXEC: u32 = 0o2000000;

flags! {
    /// Flags of `eventfd2`.
    EventfdFlags: u32 {
        EFD_SEMAPHORE = 0o1;
        EFD_NONBLOCK = 0o4000;
        EFD_CLOEXEC = 0o2000000;
    }
}

flags! {
    /// Flags of `timerfd_create`.
    TimerfdFlags: u32 {
        TFD_NONBLOCK = 0o4000;
        TFD_CLOEXEC = 0o2000000;
    }
}

flags! {
    /// Flags of `timerfd_settime`.
    TimerfdSetFlags: u32 {
        TFD_TIMER_ABSTIME = 1;
        TFD_TIMER_CANCEL_ON_SET = 2;
    }
}

flags! {
    /// Flags of `signalfd4`.
    SignalfdFlags: u32 {
        SFD_NONBLOCK = 0o4000;
        SFD_CLOEXEC = 0o2000000;
    }
}

flags! {
    /// Flags of `inotify_init1`.
    InotifyInitFlags: u32 {
        IN_NONBLOCK = 0o4000;
        IN_CLOEXEC = 0o2000000;
    }
}

flags! {
    /// Events and options of inotify.
    InotifyMask: u32 {
        IN_ACCESS = 0x0001;
        IN_MODIFY = 0x0002;
        IN_ATTRIB = 0x0004;
        IN_CLOSE_WRITE = 0x0008;
        IN_CLOSE_NOWRITE = 0x0010;
        IN_OPEN = 0x0020;
        IN_MOVED_FROM = 0x0040;
        IN_MOVED_TO = 0x0080;
        IN_CREATE = 0x0100;
        IN_DELETE = 0x0200;
        IN_DELETE_SELF = 0x0400;
        IN_MOVE_SELF = 0x0800;
        IN_UNMOUNT = 0x2000;
        IN_Q_OVERFLOW = 0x4000;
        IN_IGNORED = 0x8000;
        IN_ONLYDIR = 0x0100_0000;
        IN_DONT_FOLLOW = 0x0200_0000;
        IN_EXCL_UNLINK = 0x0400_0000;
        IN_MASK_CREATE = 0x1000_0000;
        IN_MASK_ADD = 0x2000_0000;
        IN_ISDIR = 0x4000_0000;
        IN_ONESHOT = 0x8000_0000;
    }
}

wire_structs! {
    /// One descriptor of `poll`.
    PollFd = "struct pollfd", 8 {
        fd: i32 = 0,
        events: u16 = 4,
        revents: u16 = 6,
    }
    /// One event of `epoll`; on arm64 it is not packed.
    EpollEvent = "struct epoll_event", 16 {
        events: u32 = 0,
        data: u64 = 8,
    }
    /// The fixed part of an inotify event; the name follows.
    InotifyEvent = "struct inotify_event", 16 {
        wd: i32 = 0,
        mask: u32 = 4,
        cookie: u32 = 8,
        len: u32 = 12,
    }
    /// What is read from a signalfd.
    SignalfdSiginfo = "struct signalfd_siginfo", 128 {
        ssi_signo: u32 = 0,
        ssi_errno: i32 = 4,
        ssi_code: i32 = 8,
        ssi_pid: u32 = 12,
        ssi_uid: u32 = 16,
        ssi_fd: i32 = 20,
        ssi_tid: u32 = 24,
        ssi_band: u32 = 28,
        ssi_overrun: u32 = 32,
        ssi_trapno: u32 = 36,
        ssi_status: i32 = 40,
        ssi_int: i32 = 44,
        ssi_ptr: u64 = 48,
        ssi_utime: u64 = 56,
        ssi_stime: u64 = 64,
        ssi_addr: u64 = 72,
        ssi_addr_lsb: u16 = 80,
        ssi_syscall: i32 = 84,
        ssi_call_addr: u64 = 88,
        ssi_arch: u32 = 96,
    }
}
