//! Signals: numbers, sets, actions, `siginfo`. The frame is in [`crate::sigframe`].

use crate::Wire;

macro_rules! signals {
    ($($name:ident = $number:literal;)*) => {
        consts! {
            /// The standard signals, ascending.
            SIGNALS: u32 { $($name = $number;)* }
        }
    };
}

signals! {
    SIGHUP = 1;
    SIGINT = 2;
    SIGQUIT = 3;
    SIGILL = 4;
    SIGTRAP = 5;
    SIGABRT = 6;
    SIGBUS = 7;
    SIGFPE = 8;
    SIGKILL = 9;
    SIGUSR1 = 10;
    SIGSEGV = 11;
    SIGUSR2 = 12;
    SIGPIPE = 13;
    SIGALRM = 14;
    SIGTERM = 15;
    SIGSTKFLT = 16;
    SIGCHLD = 17;
    SIGCONT = 18;
    SIGSTOP = 19;
    SIGTSTP = 20;
    SIGTTIN = 21;
    SIGTTOU = 22;
    SIGURG = 23;
    SIGXCPU = 24;
    SIGXFSZ = 25;
    SIGVTALRM = 26;
    SIGPROF = 27;
    SIGWINCH = 28;
    SIGIO = 29;
    SIGPWR = 30;
    SIGSYS = 31;
}

/// The first real-time signal, as the kernel counts.
pub const SIGRTMIN: u32 = 32;
/// The highest signal number.
pub const NSIG: u32 = 64;

/// The symbol of a standard signal, such as `SIGINT`.
#[must_use]
pub fn name(signal: u32) -> Option<&'static str> {
    let index = usize::try_from(signal.checked_sub(1)?).ok()?;
    SIGNALS.get(index).map(|entry| entry.0)
}

/// A set of signals: bit `n - 1` is signal `n`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SigSet(pub u64);

impl SigSet {
    /// No signal.
    pub const EMPTY: Self = Self(0);
    /// Every signal.
    pub const ALL: Self = Self(u64::MAX);

    /// The set of one signal; empty if there is no such signal.
    #[must_use]
    pub const fn of(signal: u32) -> Self {
        if signal == 0 || signal > NSIG { Self(0) } else { Self(1 << (signal - 1)) }
    }

    /// True if `signal` is in the set.
    #[must_use]
    pub const fn contains(self, signal: u32) -> bool {
        self.0 & Self::of(signal).0 != 0
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// This set without `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Adds a signal.
    pub const fn insert(&mut self, signal: u32) {
        self.0 |= Self::of(signal).0;
    }

    /// Removes a signal.
    pub const fn remove(&mut self, signal: u32) {
        self.0 &= !Self::of(signal).0;
    }

    /// True if no signal is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The lowest signal in the set.
    #[must_use]
    pub const fn first(self) -> Option<u32> {
        if self.0 == 0 { None } else { Some(self.0.trailing_zeros() + 1) }
    }
}

impl Wire for SigSet {
    const SIZE: usize = 8;

    fn store(&self, out: &mut [u8]) {
        self.0.store(out);
    }

    fn load(bytes: &[u8]) -> Self {
        Self(u64::load(bytes))
    }
}

flags! {
    /// `sigaction.sa_flags`.
    SaFlags: u64 {
        SA_NOCLDSTOP = 0x1;
        SA_NOCLDWAIT = 0x2;
        SA_SIGINFO = 0x4;
        SA_UNSUPPORTED = 0x400;
        SA_EXPOSE_TAGBITS = 0x800;
        SA_RESTORER = 0x0400_0000;
        SA_ONSTACK = 0x0800_0000;
        SA_RESTART = 0x1000_0000;
        SA_NODEFER = 0x4000_0000;
        SA_RESETHAND = 0x8000_0000;
    }
}

consts! {
    /// What `rt_sigprocmask` is to do.
    SIG_HOW: u32 {
        SIG_BLOCK = 0;
        SIG_UNBLOCK = 1;
        SIG_SETMASK = 2;
    }
}

/// `SIG_DFL` as a handler address.
pub const SIG_DFL: u64 = 0;
/// `SIG_IGN` as a handler address.
pub const SIG_IGN: u64 = 1;

consts! {
    /// Alternate stacks.
    STACK_VALUES: u32 {
        SS_ONSTACK = 1;
        SS_DISABLE = 2;
        SS_AUTODISARM = 0x8000_0000;
        MINSIGSTKSZ = 5120;
        SIGSTKSZ = 16384;
    }
}

consts! {
    /// `si_code`s of any signal.
    SI_CODES: i32 {
        SI_USER = 0;
        SI_KERNEL = 0x80;
        SI_QUEUE = -1;
        SI_TIMER = -2;
        SI_MESGQ = -3;
        SI_ASYNCIO = -4;
        SI_SIGIO = -5;
        SI_TKILL = -6;
    }
}

consts! {
    /// `si_code`s of one signal each.
    SIGNAL_CODES: i32 {
        ILL_ILLOPC = 1;
        ILL_ILLOPN = 2;
        ILL_ILLADR = 3;
        ILL_ILLTRP = 4;
        ILL_PRVOPC = 5;
        ILL_PRVREG = 6;
        ILL_COPROC = 7;
        ILL_BADSTK = 8;
        FPE_INTDIV = 1;
        FPE_INTOVF = 2;
        FPE_FLTDIV = 3;
        FPE_FLTOVF = 4;
        FPE_FLTUND = 5;
        FPE_FLTRES = 6;
        FPE_FLTINV = 7;
        FPE_FLTSUB = 8;
        SEGV_MAPERR = 1;
        SEGV_ACCERR = 2;
        SEGV_BNDERR = 3;
        SEGV_PKUERR = 4;
        BUS_ADRALN = 1;
        BUS_ADRERR = 2;
        BUS_OBJERR = 3;
        TRAP_BRKPT = 1;
        TRAP_TRACE = 2;
        TRAP_BRANCH = 3;
        TRAP_HWBKPT = 4;
        TRAP_UNK = 5;
        CLD_EXITED = 1;
        CLD_KILLED = 2;
        CLD_DUMPED = 3;
        CLD_TRAPPED = 4;
        CLD_STOPPED = 5;
        CLD_CONTINUED = 6;
        POLL_IN = 1;
        POLL_OUT = 2;
        POLL_MSG = 3;
        POLL_ERR = 4;
        POLL_PRI = 5;
        POLL_HUP = 6;
        SYS_SECCOMP = 1;
        SYS_USER_DISPATCH = 2;
    }
}

wire_structs! {
    /// `struct sigaction` as `rt_sigaction` takes it (not the C library's).
    SigAction = "struct sigaction", 32 {
        sa_handler: u64 = 0,
        sa_flags: u64 = 8,
        sa_restorer: u64 = 16,
        sa_mask: SigSet = 24,
    }
    /// An alternate signal stack.
    StackT = "stack_t", 24 {
        ss_sp: u64 = 0,
        ss_flags: i32 = 8,
        ss_size: u64 = 16,
    }
}

/// What a signal tells beyond its number: the union of `siginfo_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigFields {
    /// Sent by `kill`, `tgkill` and the like.
    Kill {
        /// The sender.
        pid: i32,
        /// The sender's real user.
        uid: u32,
    },
    /// A POSIX timer expired.
    Timer {
        /// The timer.
        timer_id: i32,
        /// Expirations that were not told.
        overrun: i32,
        /// `sigev_value`.
        value: u64,
    },
    /// Sent by `sigqueue`.
    Rt {
        /// The sender.
        pid: i32,
        /// The sender's real user.
        uid: u32,
        /// The value sent along.
        value: u64,
    },
    /// A child changed state.
    Child {
        /// The child.
        pid: i32,
        /// The child's real user.
        uid: u32,
        /// Exit status or signal.
        status: i32,
        /// User time in clock ticks.
        utime: i64,
        /// System time in clock ticks.
        stime: i64,
    },
    /// A fault of the program.
    Fault {
        /// The address at fault.
        addr: u64,
    },
    /// I/O is possible.
    Poll {
        /// What is ready.
        band: i64,
        /// Which descriptor.
        fd: i32,
    },
    /// A system call was refused.
    Sys {
        /// The instruction after the call.
        call_addr: u64,
        /// The call's number.
        syscall: i32,
        /// The architecture (`AUDIT_ARCH_AARCH64`).
        arch: u32,
    },
    /// Bytes that a program gave to `rt_sigqueueinfo`, carried as they are.
    Raw([u8; 112]),
}

/// `siginfo_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigInfo {
    /// The signal.
    pub si_signo: i32,
    /// An errno, or 0.
    pub si_errno: i32,
    /// Why it was sent.
    pub si_code: i32,
    /// What else there is to tell.
    pub fields: SigFields,
}

impl SigInfo {
    /// Bytes in a `siginfo_t`.
    pub const SIZE: usize = 128;
    /// Where the union begins.
    const FIELDS: usize = 16;

    /// The structure as the guest sees it.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 128] {
        let mut out = [0; 128];
        self.store(&mut out);
        out
    }

    /// A structure that the guest supplied; the union stays [`SigFields::Raw`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 128]) -> Self {
        Self::load(bytes)
    }
}

impl Wire for SigInfo {
    const SIZE: usize = 128;

    fn store(&self, out: &mut [u8]) {
        out.fill(0);
        self.si_signo.store(&mut out[0..4]);
        self.si_errno.store(&mut out[4..8]);
        self.si_code.store(&mut out[8..12]);
        let out = &mut out[Self::FIELDS..Self::SIZE];
        match self.fields {
            SigFields::Kill { pid, uid } => {
                pid.store(&mut out[0..4]);
                uid.store(&mut out[4..8]);
            }
            SigFields::Timer { timer_id, overrun, value } => {
                timer_id.store(&mut out[0..4]);
                overrun.store(&mut out[4..8]);
                value.store(&mut out[8..16]);
            }
            SigFields::Rt { pid, uid, value } => {
                pid.store(&mut out[0..4]);
                uid.store(&mut out[4..8]);
                value.store(&mut out[8..16]);
            }
            SigFields::Child { pid, uid, status, utime, stime } => {
                pid.store(&mut out[0..4]);
                uid.store(&mut out[4..8]);
                status.store(&mut out[8..12]);
                utime.store(&mut out[16..24]);
                stime.store(&mut out[24..32]);
            }
            SigFields::Fault { addr } => addr.store(&mut out[0..8]),
            SigFields::Poll { band, fd } => {
                band.store(&mut out[0..8]);
                fd.store(&mut out[8..12]);
            }
            SigFields::Sys { call_addr, syscall, arch } => {
                call_addr.store(&mut out[0..8]);
                syscall.store(&mut out[8..12]);
                arch.store(&mut out[12..16]);
            }
            SigFields::Raw(raw) => out.copy_from_slice(&raw),
        }
    }

    fn load(bytes: &[u8]) -> Self {
        let mut raw = [0; 112];
        raw.copy_from_slice(&bytes[Self::FIELDS..Self::SIZE]);
        Self {
            si_signo: i32::load(&bytes[0..4]),
            si_errno: i32::load(&bytes[4..8]),
            si_code: i32::load(&bytes[8..12]),
            fields: SigFields::Raw(raw),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signal_names_follow_numbers() {
        assert_eq!(name(SIGHUP), Some("SIGHUP"));
        assert_eq!(name(SIGSYS), Some("SIGSYS"));
        assert_eq!((name(0), name(32)), (None, None));
        assert!(SIGNALS.iter().zip(1..).all(|(entry, number)| entry.1 == number));
    }

    #[test]
    fn sets_hold_signals_1_to_64_only() {
        let mut set = SigSet::EMPTY;
        for signal in [0, 65, u32::MAX] {
            set.insert(signal);
        }
        assert!(set.is_empty());
        set.insert(64);
        set.insert(1);
        assert_eq!(set.0, 1 << 63 | 1);
        assert_eq!(set.first(), Some(1));
        set.remove(1);
        assert_eq!(set.first(), Some(64));
    }

    #[test]
    fn user_supplied_info_survives_unchanged() {
        let bytes: [u8; 128] = core::array::from_fn(|i| if (12..16).contains(&i) { 0 } else { i as u8 });
        assert_eq!(SigInfo::from_bytes(&bytes).to_bytes(), bytes);
    }
}
