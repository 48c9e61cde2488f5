//! Signal numbers, sets, actions and the information that goes with a signal.

use core::fmt;

/// A signal's number, 1 to 64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(u8);

macro_rules! signals {
    ($($name:ident = $value:literal;)*) => {
        impl Number {
            $(#[doc = concat!(stringify!($name), ".")] pub const $name: Self = Self($value);)*

            /// The symbol, or `None` for a real-time signal.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 { $($value => Some(stringify!($name)),)* _ => None }
            }
        }
    };
}

signals! {
    SIGHUP = 1; SIGINT = 2; SIGQUIT = 3; SIGILL = 4; SIGTRAP = 5; SIGABRT = 6; SIGBUS = 7; SIGFPE = 8;
    SIGKILL = 9; SIGUSR1 = 10; SIGSEGV = 11; SIGUSR2 = 12; SIGPIPE = 13; SIGALRM = 14; SIGTERM = 15;
    SIGSTKFLT = 16; SIGCHLD = 17; SIGCONT = 18; SIGSTOP = 19; SIGTSTP = 20; SIGTTIN = 21; SIGTTOU = 22;
    SIGURG = 23; SIGXCPU = 24; SIGXFSZ = 25; SIGVTALRM = 26; SIGPROF = 27; SIGWINCH = 28; SIGIO = 29;
    SIGPWR = 30; SIGSYS = 31;
}

/// What happens if a process has no handler for a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// The process ends.
    Terminate,
    /// The process ends; Linux would write a core file.
    Core,
    /// The process stops.
    Stop,
    /// A stopped process goes on.
    Continue,
    /// Nothing.
    Ignore,
}

impl Number {
    /// The highest number.
    pub const MAX: u8 = 64;
    /// The first real-time signal.
    pub const RT_MIN: u8 = 32;

    /// The signal with this number; `None` unless it is 1 to 64.
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        u8::try_from(number).ok().filter(|n| (1..=Self::MAX).contains(n)).map(Self)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// What happens without a handler.
    #[must_use]
    pub const fn default_action(self) -> Default {
        match self {
            Self::SIGCHLD | Self::SIGURG | Self::SIGWINCH => Default::Ignore,
            Self::SIGCONT => Default::Continue,
            Self::SIGSTOP | Self::SIGTSTP | Self::SIGTTIN | Self::SIGTTOU => Default::Stop,
            Self::SIGQUIT
            | Self::SIGILL
            | Self::SIGTRAP
            | Self::SIGABRT
            | Self::SIGBUS
            | Self::SIGFPE
            | Self::SIGSEGV
            | Self::SIGXCPU
            | Self::SIGXFSZ
            | Self::SIGSYS => Default::Core,
            _ => Default::Terminate,
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "SIGRT{}", self.0),
        }
    }
}

/// A set of signals; bit `n - 1` is signal `n`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set(pub u64);

impl Set {
    /// No signal.
    pub const EMPTY: Self = Self(0);
    /// SIGKILL and SIGSTOP, which nothing can block.
    pub const UNBLOCKABLE: Self = Self(1 << 8 | 1 << 18);

    /// The set of one signal.
    #[must_use]
    pub const fn of(signal: Number) -> Self {
        Self(1 << (signal.0 - 1))
    }

    /// True if `signal` is in it.
    #[must_use]
    pub const fn contains(self, signal: Number) -> bool {
        self.0 & Self::of(signal).0 != 0
    }

    /// Adds a signal.
    pub const fn insert(&mut self, signal: Number) {
        self.0 |= Self::of(signal).0;
    }

    /// Takes a signal out.
    pub const fn remove(&mut self, signal: Number) {
        self.0 &= !Self::of(signal).0;
    }

    /// This set without the signals of another.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The signals of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The lowest signal in it.
    #[must_use]
    pub fn first(self) -> Option<Number> {
        (self.0 != 0).then(|| Number(self.0.trailing_zeros() as u8 + 1))
    }

    /// True if no signal is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What a process does about a signal (`struct sigaction`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Action {
    /// `SIG_DFL` (0), `SIG_IGN` (1) or the handler's address.
    pub handler: u64,
    /// `SA_` flags.
    pub flags: u64,
    /// `SA_RESTORER`'s address.
    pub restorer: u64,
    /// What to block while the handler runs.
    pub mask: Set,
}

impl Action {
    /// `SIG_DFL`.
    pub const DEFAULT: u64 = 0;
    /// `SIG_IGN`.
    pub const IGNORE: u64 = 1;

    /// True if the signal comes to nothing under this action.
    #[must_use]
    pub fn ignores(&self, signal: Number) -> bool {
        self.handler == Self::IGNORE || (self.handler == Self::DEFAULT && signal.default_action() == Default::Ignore)
    }
}

/// The alternate signal stack of a thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AltStack {
    /// The lowest address.
    pub base: u64,
    /// `SS_` flags.
    pub flags: u32,
    /// Bytes.
    pub size: u64,
}

/// What comes with a signal (`siginfo_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// `si_signo`.
    pub signal: Number,
    /// `si_errno`.
    pub errno: i32,
    /// `si_code`.
    pub code: i32,
    /// The rest, by kind.
    pub fields: InfoFields,
}

/// The part of `siginfo_t` that depends on where the signal came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InfoFields {
    /// Nothing more.
    #[default]
    None,
    /// From a process: `si_pid`, `si_uid`.
    Kill {
        /// The sender.
        pid: u32,
        /// Its real user.
        uid: u32,
    },
    /// From `sigqueue`, a message queue and the like.
    Queue {
        /// The sender.
        pid: u32,
        /// Its real user.
        uid: u32,
        /// `si_value`.
        value: u64,
    },
    /// From a POSIX timer.
    Timer {
        /// `si_timerid`.
        id: i32,
        /// `si_overrun`.
        overrun: i32,
        /// `si_value`.
        value: u64,
    },
    /// About a child.
    Child {
        /// The child.
        pid: u32,
        /// Its real user.
        uid: u32,
        /// Its status, as `si_status`.
        status: i32,
        /// User time in clock ticks.
        utime: u64,
        /// System time in clock ticks.
        stime: u64,
    },
    /// A fault.
    Fault {
        /// `si_addr`.
        addr: u64,
    },
    /// The union's bytes as `rt_sigqueueinfo` was given them.
    Raw([u8; 112]),
    /// A file became ready (`SIGIO`).
    Poll {
        /// `si_band`.
        band: i64,
        /// `si_fd`.
        fd: i32,
    },
}

impl Info {
    /// `SI_USER`.
    pub const SI_USER: i32 = 0;
    /// `SI_KERNEL`.
    pub const SI_KERNEL: i32 = 0x80;
    /// `SI_QUEUE`.
    pub const SI_QUEUE: i32 = -1;
    /// `SI_TIMER`.
    pub const SI_TIMER: i32 = -2;
    /// `SI_TKILL`.
    pub const SI_TKILL: i32 = -6;

    /// A signal that the kernel itself sends.
    #[must_use]
    pub const fn kernel(signal: Number) -> Self {
        Self { signal, errno: 0, code: Self::SI_KERNEL, fields: InfoFields::None }
    }

    /// A signal for a fault at `addr`.
    #[must_use]
    pub const fn fault(signal: Number, code: i32, addr: u64) -> Self {
        Self { signal, errno: 0, code, fields: InfoFields::Fault { addr } }
    }
}
