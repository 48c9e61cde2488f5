//! What the threads of a process share.

use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32};

use machine::sync::Mutex;

use crate::sched::WaitQueue;
use crate::signal::{Action, Number, Pending};

/// The table of actions; shared by `CLONE_SIGHAND`.
pub type Actions = Arc<Mutex<[Action; Number::MAX as usize]>>;

/// Soft and hard limit of one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is enforced.
    pub soft: u64,
    /// What the soft limit may be raised to.
    pub hard: u64,
}

/// No limit.
pub const UNLIMITED: u64 = u64::MAX;

/// Signals of a process as a whole.
#[derive(Debug, Default)]
pub struct ProcessSignals {
    /// Signals for any thread that does not block them.
    pub pending: Pending,
    /// It is stopped by job control.
    pub stopped: bool,
    /// How many SIGCONTs were sent: a stop that was decided before one of them
    /// comes to nothing.
    pub(crate) continues: u64,
}

/// What the threads of a process share, apart from what `clone` may share
/// separately. Its relations to other processes are in [`crate::task::Tree`].
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// What handlers it has.
    pub actions: Mutex<Actions>,
    /// Its pending signals and whether it is stopped.
    pub signals: Mutex<ProcessSignals>,
    /// Its resource limits, by `RLIMIT_` number.
    pub limits: Mutex<[Limit; 16]>,
    /// Woken when a child changes state, and when this process goes on after a
    /// stop.
    pub child_events: WaitQueue,
    /// Woken when a thread has ended.
    pub threads_changed: WaitQueue,
    /// Woken when a stopped process goes on.
    pub resumed: WaitQueue,
    /// Woken when a signal has become pending here or at a thread (signalfd).
    pub signal_events: WaitQueue,
    /// Woken when the process ends (pidfd).
    pub ended: WaitQueue,
    /// The signal for its parent when it ends; 0 for none.
    pub exit_signal: AtomicU32,
    /// The path of the program, for `/proc/self/exe`, and its arguments' place.
    pub exe: Mutex<Option<crate::fs::Path>>,
    /// It has run a program since it was forked.
    pub has_execed: AtomicBool,
    /// Woken when the process that borrows its parent's memory lets go (vfork).
    pub vfork_done: WaitQueue,
    pub(crate) vfork_held: AtomicBool,
    /// Interval and POSIX timers.
    pub timers: crate::time::ProcessTimers,
    /// `getpriority`'s value, -20 to 19.
    pub nice: AtomicI32,
    /// `PR_SET_DUMPABLE`.
    pub dumpable: AtomicU32,
    /// `PR_SET_NO_NEW_PRIVS`.
    pub no_new_privs: AtomicBool,
    /// When it was made, on the monotonic clock.
    pub started_ns: u64,
    /// Set once: the whole process is to end.
    pub(crate) group_exit: Mutex<Option<crate::task::ExitStatus>>,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Process({})", self.pid)
    }
}

/// What a new process starts with.
pub(crate) fn default_limits() -> [Limit; 16] {
    use linux_abi::resource as r;
    let mut limits = [Limit { soft: UNLIMITED, hard: UNLIMITED }; 16];
    let mut set = |resource: u32, soft, hard| limits[resource as usize] = Limit { soft, hard };
    set(r::RLIMIT_STACK, 8 << 20, UNLIMITED);
    set(r::RLIMIT_CORE, 0, UNLIMITED);
    set(r::RLIMIT_NPROC, 65_536, 65_536);
    set(r::RLIMIT_NOFILE, 1024, 1 << 20);
    set(r::RLIMIT_MEMLOCK, 8 << 20, 8 << 20);
    set(r::RLIMIT_SIGPENDING, 4096, 4096);
    set(r::RLIMIT_MSGQUEUE, 819_200, 819_200);
    set(r::RLIMIT_NICE, 0, 0);
    set(r::RLIMIT_RTPRIO, 0, 0);
    limits
}

impl Process {
    pub(crate) fn new(pid: u32, actions: Actions, limits: [Limit; 16], exit_signal: u32, started_ns: u64) -> Arc<Self> {
        Arc::new(Self {
            pid,
            actions: Mutex::new(actions),
            signals: Mutex::default(),
            limits: Mutex::new(limits),
            child_events: WaitQueue::new(),
            threads_changed: WaitQueue::new(),
            resumed: WaitQueue::new(),
            signal_events: WaitQueue::new(),
            ended: WaitQueue::new(),
            exit_signal: AtomicU32::new(exit_signal),
            exe: Mutex::new(None),
            has_execed: AtomicBool::new(false),
            vfork_done: WaitQueue::new(),
            vfork_held: AtomicBool::new(false),
            timers: crate::time::ProcessTimers::default(),
            nice: AtomicI32::new(0),
            dumpable: AtomicU32::new(1),
            no_new_privs: AtomicBool::new(false),
            started_ns,
            group_exit: Mutex::new(None),
        })
    }

    /// The limit with this `RLIMIT_` number.
    #[must_use]
    pub fn limit(&self, resource: usize) -> Limit {
        self.limits.lock().get(resource).copied().unwrap_or(Limit { soft: UNLIMITED, hard: UNLIMITED })
    }

    /// The action for a signal.
    #[must_use]
    pub fn action(&self, signal: Number) -> Action {
        self.actions.lock().lock()[usize::from(signal.get() - 1)]
    }
}
