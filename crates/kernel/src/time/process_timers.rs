//! [`ProcessTimers`], all timers of one process; [`Countdown`], one timer.

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::task::Wake;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::Waker;

use machine::sync::Mutex;

use super::cpu_time::CpuAlarm;
use super::posix::PosixTimer;
use super::{Clock, interval};
use crate::Kernel;
use crate::sched::TimerId;
use crate::task::Process;

/// Interval timers and POSIX timers of a process, and what waits for its
/// processor time.
#[derive(Default)]
pub struct ProcessTimers {
    /// By `ITIMER_` number.
    pub(super) intervals: Mutex<[Countdown; 3]>,
    pub(super) posix: Mutex<BTreeMap<i32, PosixTimer>>,
    pub(super) cpu_alarms: Mutex<Vec<CpuAlarm>>,
    /// At how many seconds SIGXCPU was sent last.
    pub(super) warned_at: Mutex<u64>,
    last_key: AtomicU64,
}

impl fmt::Debug for ProcessTimers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProcessTimers({} POSIX timers)", self.posix.lock().len())
    }
}

impl ProcessTimers {
    /// A number that nothing else here has.
    pub(super) fn next_key(&self) -> u64 {
        self.last_key.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// The process runs another program: POSIX timers are deleted, interval
    /// timers go on.
    pub(crate) fn exec(&self, kernel: &Kernel) {
        let timers = core::mem::take(&mut *self.posix.lock());
        for (_, mut timer) in timers {
            timer.countdown.stop(kernel);
        }
    }

    /// The process has ended: nothing goes off any more.
    pub(crate) fn end(&self, kernel: &Kernel) {
        self.exec(kernel);
        for countdown in &mut *self.intervals.lock() {
            countdown.stop(kernel);
        }
    }
}

/// What is armed for a [`Countdown`].
#[derive(Debug)]
enum Armed {
    Real(TimerId),
    Cpu(Weak<Process>, u64),
}

/// A timer on some clock: when it goes off next, and how often after that.
#[derive(Debug, Default)]
pub(crate) struct Countdown {
    clock: Option<Clock>,
    /// On the clock.
    next_ns: Option<u64>,
    interval_ns: u64,
    armed: Option<Armed>,
    /// Tells a wake-up for the current setting from an older one's.
    generation: u64,
}

/// A timer does not go off more often than this; the expirations in between
/// are counted all the same.
const SHORTEST_GAP_NS: u64 = 50_000;

impl Countdown {
    /// Sets when to go off on `clock` (`None`: never) and how often after
    /// that. The caller arms it if it is to go off.
    pub(crate) fn set(&mut self, kernel: &Kernel, clock: Clock, next_ns: Option<u64>, interval_ns: u64) {
        self.stop(kernel);
        self.clock = Some(clock);
        self.next_ns = next_ns;
        self.interval_ns = interval_ns;
    }

    /// Stops it.
    pub(crate) fn stop(&mut self, kernel: &Kernel) {
        self.generation = self.generation.wrapping_add(1);
        self.next_ns = None;
        match self.armed.take() {
            Some(Armed::Real(id)) => kernel.timers().disarm(id),
            Some(Armed::Cpu(process, key)) => {
                if let Some(process) = process.upgrade() {
                    process.timers.disarm_cpu(key);
                }
            }
            None => {}
        }
    }

    /// Arms it: the waker made for the current generation is called when it
    /// goes off, not before `not_before_ns` on the monotonic clock.
    pub(crate) fn arm(&mut self, kernel: &Kernel, not_before_ns: u64, waker: impl FnOnce(u64) -> Waker) {
        let (Some(clock), Some(next_ns)) = (self.clock, self.next_ns) else { return };
        let waker = waker(self.generation);
        self.armed = match clock {
            Clock::Process(pid, _) => kernel.tree().process(pid).map(|process| {
                let key = process.timers.arm_cpu(clock, next_ns, waker);
                Armed::Cpu(Arc::downgrade(&process), key)
            }),
            Clock::Thread(tid, _) => kernel.tree().task(tid).map(|task| {
                let key = task.process.timers.arm_cpu(clock, next_ns, waker);
                Armed::Cpu(Arc::downgrade(&task.process), key)
            }),
            clock => {
                let deadline = clock.to_monotonic(next_ns, kernel).max(not_before_ns);
                Some(Armed::Real(kernel.arm_timer(deadline, waker)))
            }
        };
    }

    /// Counts the expirations up to now and sets the next one; 0 if none.
    pub(crate) fn expire(&mut self, kernel: &Kernel) -> u64 {
        let (Some(clock), Some(next)) = (self.clock, self.next_ns) else { return 0 };
        let now = clock.now_ns(kernel);
        let Some(late) = now.checked_sub(next) else { return 0 };
        if self.interval_ns == 0 {
            self.next_ns = None;
            return 1;
        }
        let count = late / self.interval_ns + 1;
        self.next_ns = Some(next.saturating_add(count.saturating_mul(self.interval_ns)));
        count
    }

    /// Handles the wake-up of one generation: counts the expirations and arms
    /// the timer again. 0 if the wake-up is out of date.
    pub(crate) fn fired(&mut self, kernel: &Kernel, generation: u64, waker: impl FnOnce(u64) -> Waker) -> u64 {
        if generation != self.generation {
            return 0;
        }
        self.armed = None;
        let count = self.expire(kernel);
        // Also after a wake-up that came too early, by a clock that was set.
        self.arm(kernel, kernel.now_ns().saturating_add(SHORTEST_GAP_NS), waker);
        count
    }

    /// Time until it goes off next, 0 if it does not; and the interval. One
    /// that is due and has not been handled yet has a nanosecond left.
    pub(crate) fn remaining(&self, kernel: &Kernel) -> (u64, u64) {
        let left = match (self.clock, self.next_ns) {
            (Some(clock), Some(next)) => next.saturating_sub(clock.now_ns(kernel)).max(1),
            _ => 0,
        };
        (left, self.interval_ns)
    }
}

/// Which timer of a process goes off.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    /// An interval timer, by `ITIMER_` number.
    Interval(usize),
    /// A POSIX timer.
    Posix(i32),
}

/// The waker of a process's timer.
pub(super) struct Fire {
    kernel: Weak<Kernel>,
    process: Weak<Process>,
    which: Which,
    generation: u64,
}

impl Fire {
    /// Makes wakers for a timer, by generation.
    pub(super) fn waker(kernel: &Arc<Kernel>, process: &Arc<Process>, which: Which) -> impl FnOnce(u64) -> Waker {
        let (kernel, process) = (Arc::downgrade(kernel), Arc::downgrade(process));
        move |generation| Waker::from(Arc::new(Self { kernel, process, which, generation }))
    }
}

impl Wake for Fire {
    fn wake(self: Arc<Self>) {
        let (Some(kernel), Some(process)) = (self.kernel.upgrade(), self.process.upgrade()) else { return };
        match self.which {
            Which::Interval(which) => interval::fired(&kernel, &process, which, self.generation),
            Which::Posix(id) => super::posix::fired(&kernel, &process, id, self.generation),
        }
    }
}
