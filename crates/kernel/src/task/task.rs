//! One thread.

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use alloc::task::Wake;
use core::fmt;
use core::future::Future;
use core::pin::pin;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use core::task::{Poll, Waker};

use machine::UserContext;
use machine::sync::Mutex;

use crate::Kernel;
use crate::error::{Restart, Result};
use crate::fs::{FileTable, FsContext};
use crate::mm::Mm;
use crate::signal::{AltStack, Pending, Set};
use crate::syscall::BoxFuture;
use crate::syscall::trace::PendingLine;
use crate::task::creds::Creds;
use crate::task::process::Process;
use crate::task::tree::Times;

/// Where a task is between the run queue and a CPU.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RunState {
    /// It waits for a wake-up.
    Sleeping = 0,
    /// It is on the run queue.
    Ready = 1,
    /// A CPU has it.
    Running = 2,
    /// A CPU has it, and a wake-up has come meanwhile.
    RunningWoken = 3,
    /// It has ended.
    Dead = 4,
}

/// What only the CPU that runs the task may touch.
pub(crate) struct Body {
    pub(crate) context: UserContext,
    /// The rest of the system call that the task waits in.
    pub(crate) blocked: Option<BoxFuture<Result<u64>>>,
    /// X0 at entry to the system call that is being made, for its restart.
    pub(crate) saved_x0: u64,
    /// The call in progress was interrupted and may have to be run again.
    pub(crate) restart: Restart,
    /// `blocked` waits for the end of a job-control stop, not in a call.
    pub(crate) stopped: bool,
    /// The trace line of that call.
    pub(crate) trace: Option<PendingLine>,
}

impl Body {
    pub(crate) fn new(context: UserContext) -> Self {
        Self { context, blocked: None, saved_x0: 0, restart: Restart::No, stopped: false, trace: None }
    }
}

/// The signal state of one thread.
#[derive(Clone, Debug, Default)]
pub struct ThreadSignals {
    /// Signals directed at this thread.
    pub pending: Pending,
    /// Signals that it blocks.
    pub blocked: Set,
    /// The mask to put back once a handler has been set up or the call has
    /// returned (`rt_sigsuspend`, `ppoll`, `pselect6`, `epoll_pwait`).
    pub restore: Option<Set>,
    /// Its alternate stack.
    pub alt_stack: AltStack,
}

/// One thread of a process.
pub struct Task {
    tid: AtomicU32,
    /// Its process.
    pub process: Arc<Process>,
    kernel: Weak<Kernel>,
    run_state: AtomicU8,
    pub(crate) body: Mutex<Box<Body>>,
    /// Set when something is to be looked at before user code runs again: a
    /// signal, a stop, the end of the process.
    attention: AtomicBool,
    /// Signals of this thread.
    pub signals: Mutex<ThreadSignals>,
    mm: Mutex<Arc<Mm>>,
    files: Mutex<Arc<FileTable>>,
    fs: Mutex<Arc<FsContext>>,
    creds: Mutex<Arc<Creds>>,
    /// The name, as `PR_SET_NAME` and `/proc/self/comm` have it.
    pub comm: Mutex<[u8; 16]>,
    /// Where to store 0 and wake a futex when the thread ends.
    pub clear_child_tid: AtomicU64,
    /// The robust futex list, and its length as registered.
    pub robust_list: AtomicU64,
    /// Processor time in user code, in nanoseconds.
    pub user_ns: AtomicU64,
    /// Processor time in the kernel, in nanoseconds.
    pub system_ns: AtomicU64,
    /// Up to where on its CPU's clock the times above count.
    charged_until_ns: AtomicU64,
    /// The deadline of an interrupted relative sleep, which its restart keeps
    /// (`restart_syscall`); 0 for none. A signal handler ends it.
    pub restart_deadline_ns: AtomicU64,
    /// `PR_SET_PDEATHSIG`.
    pub parent_death_signal: AtomicU32,
    /// The CPU that ran it last.
    last_cpu: AtomicU32,
    /// Registers for a program that has just been loaded; they replace the
    /// caller's when the call is over.
    pub(crate) new_context: Mutex<Option<Box<UserContext>>>,
    /// The thread is to end as soon as it would run user code again.
    pub(crate) exiting: AtomicBool,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Task({} of {})", self.tid(), self.process.pid)
    }
}

/// What a new task starts with.
#[derive(Debug)]
pub struct Parts {
    /// The address space.
    pub mm: Arc<Mm>,
    /// The open files.
    pub files: Arc<FileTable>,
    /// Root, working directory and umask.
    pub fs: Arc<FsContext>,
    /// The identities.
    pub creds: Arc<Creds>,
    /// The registers.
    pub context: UserContext,
    /// The name.
    pub comm: [u8; 16],
    /// The signal mask, alternate stack and so on; nothing pending.
    pub signals: ThreadSignals,
}

impl Task {
    pub(crate) fn new(kernel: &Arc<Kernel>, tid: u32, process: Arc<Process>, parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            tid: AtomicU32::new(tid),
            process,
            kernel: Arc::downgrade(kernel),
            run_state: AtomicU8::new(RunState::Sleeping as u8),
            body: Mutex::new(Box::new(Body::new(parts.context))),
            attention: AtomicBool::new(false),
            signals: Mutex::new(parts.signals),
            mm: Mutex::new(parts.mm),
            files: Mutex::new(parts.files),
            fs: Mutex::new(parts.fs),
            creds: Mutex::new(parts.creds),
            comm: Mutex::new(parts.comm),
            clear_child_tid: AtomicU64::new(0),
            robust_list: AtomicU64::new(0),
            user_ns: AtomicU64::new(0),
            system_ns: AtomicU64::new(0),
            charged_until_ns: AtomicU64::new(0),
            restart_deadline_ns: AtomicU64::new(0),
            parent_death_signal: AtomicU32::new(0),
            last_cpu: AtomicU32::new(0),
            new_context: Mutex::new(None),
            exiting: AtomicBool::new(false),
        })
    }

    /// Its number; that of the process for the first thread.
    #[must_use]
    pub fn tid(&self) -> u32 {
        self.tid.load(Ordering::Relaxed)
    }

    /// A thread that runs a program becomes the first one of its process.
    pub(crate) fn set_tid(&self, tid: u32) {
        self.tid.store(tid, Ordering::Relaxed);
    }

    /// The kernel, unless it is being torn down.
    #[must_use]
    pub fn kernel(&self) -> Option<Arc<Kernel>> {
        self.kernel.upgrade()
    }

    /// The address space.
    #[must_use]
    pub fn mm(&self) -> Arc<Mm> {
        self.mm.lock().clone()
    }

    /// Replaces the address space and returns the old one.
    pub fn set_mm(&self, mm: Arc<Mm>) -> Arc<Mm> {
        core::mem::replace(&mut self.mm.lock(), mm)
    }

    /// The open files.
    #[must_use]
    pub fn files(&self) -> Arc<FileTable> {
        self.files.lock().clone()
    }

    /// Replaces the open files and returns the old table.
    pub fn set_files(&self, files: Arc<FileTable>) -> Arc<FileTable> {
        core::mem::replace(&mut self.files.lock(), files)
    }

    /// Root directory, working directory and umask.
    #[must_use]
    pub fn fs(&self) -> Arc<FsContext> {
        self.fs.lock().clone()
    }

    /// Replaces root directory, working directory and umask.
    pub fn set_fs(&self, fs: Arc<FsContext>) {
        *self.fs.lock() = fs;
    }

    /// The identities.
    #[must_use]
    pub fn creds(&self) -> Arc<Creds> {
        self.creds.lock().clone()
    }

    /// Replaces the identities.
    pub fn set_creds(&self, creds: Creds) {
        *self.creds.lock() = Arc::new(creds);
    }

    /// Processor time so far.
    #[must_use]
    pub fn times(&self) -> Times {
        Times { user_ns: self.user_ns.load(Ordering::Relaxed), system_ns: self.system_ns.load(Ordering::Relaxed) }
    }

    /// Makes the task runnable if it sleeps; remembers the wake-up if it runs.
    pub fn wake_up(self: &Arc<Self>) {
        loop {
            let (from, to) = match self.run_state.load(Ordering::SeqCst) {
                state if state == RunState::Sleeping as u8 => (RunState::Sleeping, RunState::Ready),
                state if state == RunState::Running as u8 => (RunState::Running, RunState::RunningWoken),
                _ => return,
            };
            if self.run_state.compare_exchange(from as u8, to as u8, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                if to == RunState::Ready {
                    self.enqueue();
                }
                return;
            }
        }
    }

    fn enqueue(self: &Arc<Self>) {
        if let Some(kernel) = self.kernel()
            && let Some(cpu) = kernel.run_queue().push(self.clone())
        {
            kernel.machine().kick(cpu);
        }
    }

    /// The CPU that ran it last.
    #[must_use]
    pub fn last_cpu(&self) -> u32 {
        self.last_cpu.load(Ordering::Relaxed)
    }

    /// A CPU takes the task from the run queue.
    pub(crate) fn begin_run(&self, cpu: usize) {
        self.last_cpu.store(u32::try_from(cpu).unwrap_or(0), Ordering::Relaxed);
        self.run_state.store(RunState::Running as u8, Ordering::SeqCst);
    }

    /// Starts to count processor time, on the CPU that has taken the task.
    pub(crate) fn start_charging(&self, kernel: &Kernel) {
        self.charged_until_ns.store(kernel.clock().cpu_ns(), Ordering::Relaxed);
    }

    /// Adds the processor time used since the last call. Only the CPU that
    /// runs the task may call it.
    pub(crate) fn charge(&self, kernel: &Kernel) {
        let now = kernel.clock().cpu_ns();
        let used = now.saturating_sub(self.charged_until_ns.swap(now, Ordering::Relaxed));
        self.user_ns.fetch_add(used, Ordering::Relaxed);
    }

    /// The CPU leaves the task asleep, unless a wake-up came while it ran.
    pub(crate) fn end_run_asleep(self: &Arc<Self>) {
        let slept = self.run_state.compare_exchange(
            RunState::Running as u8,
            RunState::Sleeping as u8,
            Ordering::SeqCst,
            Ordering::SeqCst,
        );
        if slept.is_err() {
            self.end_run_ready();
        }
    }

    /// The CPU puts the task back on the run queue.
    pub(crate) fn end_run_ready(self: &Arc<Self>) {
        self.run_state.store(RunState::Ready as u8, Ordering::SeqCst);
        self.enqueue();
    }

    /// The task has ended; no wake-up reaches it any more.
    pub(crate) fn end_run_dead(&self) {
        self.run_state.store(RunState::Dead as u8, Ordering::SeqCst);
    }

    /// True while the task waits for something (for `/proc`).
    #[must_use]
    pub fn is_asleep(&self) -> bool {
        self.run_state.load(Ordering::Relaxed) == RunState::Sleeping as u8
    }

    /// Makes the task look at its signals and its process's state soon: ends
    /// an interruptible wait, and interrupts user code.
    pub fn notice(self: &Arc<Self>) {
        self.attention.store(true, Ordering::SeqCst);
        let running = [RunState::Running as u8, RunState::RunningWoken as u8];
        self.wake_up();
        if running.contains(&self.run_state.load(Ordering::SeqCst))
            && let Some(kernel) = self.kernel()
        {
            // Which CPU has it is not recorded; a kick costs the others
            // one trip through their loop.
            for cpu in 0..kernel.machine().cpu_count() {
                kernel.machine().kick(cpu);
            }
        }
    }

    pub(crate) fn take_attention(&self) -> bool {
        self.attention.swap(false, Ordering::SeqCst)
    }

    /// True if a wait must end: a signal that is not blocked is pending, or
    /// the process stops or ends.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.attention.load(Ordering::SeqCst) && self.has_news()
    }

    /// The waker that makes this task run again.
    #[must_use]
    pub fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(self.clone())
    }

    /// Waits for `future` unless the task is interrupted first.
    ///
    /// # Errors
    /// [`Interrupted`] if a signal, a stop or the end of the process came first.
    pub async fn interruptible<T>(&self, future: impl Future<Output = T>) -> core::result::Result<T, Interrupted> {
        let mut future = pin!(future);
        core::future::poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Ok(value)),
            Poll::Pending if self.is_interrupted() => Poll::Ready(Err(Interrupted)),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// As [`Task::interruptible`], but at most until the monotonic clock
    /// reaches `deadline_ns`; `Ok(None)` if it did.
    ///
    /// # Errors
    /// [`Interrupted`] as above.
    pub async fn interruptible_until<T>(
        &self,
        kernel: &Arc<Kernel>,
        deadline_ns: Option<u64>,
        future: impl Future<Output = T>,
    ) -> core::result::Result<Option<T>, Interrupted> {
        let mut future = pin!(future);
        let mut sleep = pin!(deadline_ns.map(|deadline| crate::sched::Sleep::until(kernel, deadline)));
        let either = core::future::poll_fn(|context| {
            if let Poll::Ready(value) = future.as_mut().poll(context) {
                return Poll::Ready(Some(value));
            }
            match sleep.as_mut().as_pin_mut().map(|sleep| sleep.poll(context)) {
                Some(Poll::Ready(())) => Poll::Ready(None),
                _ => Poll::Pending,
            }
        });
        self.interruptible(either).await
    }
}

/// A wait ended because of a signal, a stop, or the end of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_up();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_up();
    }
}

impl Task {
    /// Replaces the signal mask; signals that it lets through now are noticed.
    /// Gives the old mask.
    pub fn set_blocked(&self, mask: Set) -> Set {
        let mut signals = self.signals.lock();
        let old = core::mem::replace(&mut signals.blocked, mask.without(Set::UNBLOCKABLE));
        drop(signals);
        self.attention.store(true, Ordering::SeqCst);
        old
    }

    /// Replaces the signal mask until the system call is over, as `ppoll` and
    /// `rt_sigsuspend` do. If a handler runs then, it runs under the temporary
    /// mask, and its return puts the old one back.
    pub fn set_blocked_for_call(&self, mask: Set) {
        let old = self.set_blocked(mask);
        self.signals.lock().restore = Some(old);
    }

    /// Sets the flag that makes the task look at signals before user code runs.
    pub(crate) fn set_attention(&self) {
        self.attention.store(true, Ordering::SeqCst);
    }

    /// Forgets what there was to look at, as a task has that returned to user
    /// code.
    #[cfg(test)]
    pub(crate) fn clear_attention(&self) {
        if !self.has_news() {
            self.attention.store(false, Ordering::SeqCst);
        }
    }

    fn has_news(&self) -> bool {
        let signals = self.signals.lock();
        let blocked = signals.blocked;
        let own = signals.pending.set();
        drop(signals);
        let process = self.process.signals.lock();
        let pending = own.union(process.pending.set()).without(blocked);
        !pending.is_empty() || process.stopped || self.exiting.load(Ordering::SeqCst)
    }
}
