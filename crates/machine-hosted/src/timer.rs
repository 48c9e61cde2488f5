//! One-shot deadlines that interrupt CPUs.
//!
//! One thread serves every CPU. It starts with the first deadline, sleeps
//! until the earliest one, and for good while there is none. Setting a
//! deadline that is not the earliest costs two atomic accesses.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use machine::Clock;
use parking_lot::{Condvar, Mutex};

/// No deadline.
const NEVER: u64 = u64::MAX;

struct Shared {
    /// Per CPU.
    deadlines: Box<[AtomicU64]>,
    /// What the thread sleeps until; it looks at the deadlines before that only
    /// if it is woken.
    asleep_until: AtomicU64,
    /// True once the thread is to end. The thread holds the lock except while
    /// it sleeps.
    stop: Mutex<bool>,
    wake: Condvar,
    clock: Arc<dyn Clock>,
    kick: Box<dyn Fn(usize) + Send + Sync>,
}

/// The deadlines of a machine's CPUs.
pub(crate) struct Timers {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Timers {
    /// Timers for `cpus` CPUs; `kick` is called with a CPU whose deadline passed.
    pub(crate) fn new(cpus: usize, clock: Arc<dyn Clock>, kick: Box<dyn Fn(usize) + Send + Sync>) -> Self {
        let shared = Shared {
            deadlines: (0..cpus).map(|_| AtomicU64::new(NEVER)).collect(),
            // Without a thread, every deadline is earlier than this and wakes it.
            asleep_until: AtomicU64::new(NEVER),
            stop: Mutex::new(false),
            wake: Condvar::new(),
            clock,
            kick,
        };
        Self { shared: Arc::new(shared), thread: Mutex::new(None) }
    }

    /// Sets or clears the deadline of a CPU.
    pub(crate) fn set(&self, cpu: usize, deadline_ns: Option<u64>) {
        let deadline = deadline_ns.unwrap_or(NEVER);
        let Some(slot) = self.shared.deadlines.get(cpu) else { return };
        slot.store(deadline, Ordering::SeqCst);
        // The thread stores `asleep_until` and then looks at the deadlines once
        // more, so either it sees ours or we see that it would sleep too long.
        if deadline < self.shared.asleep_until.load(Ordering::SeqCst) {
            self.wake_thread();
        }
    }

    #[cold]
    fn wake_thread(&self) {
        let mut thread = self.thread.lock();
        if thread.is_none() {
            let shared = self.shared.clone();
            let builder = thread::Builder::new().name("timer".to_owned()).stack_size(128 << 10);
            // Without a thread for it, a deadline is late until the next one is
            // set; guest code still runs.
            *thread = builder.spawn(move || shared.serve()).ok();
        }
        drop(thread);
        // Taking the lock first means that the thread is asleep, not about to be.
        drop(self.shared.stop.lock());
        self.shared.wake.notify_one();
    }
}

impl Shared {
    fn serve(&self) {
        let mut stop = self.stop.lock();
        while !*stop {
            let now = self.clock.monotonic_ns();
            let earliest = self.fire(now);
            self.asleep_until.store(earliest, Ordering::SeqCst);
            if self.deadlines.iter().any(|deadline| deadline.load(Ordering::SeqCst) < earliest) {
                continue;
            }
            if earliest == NEVER {
                self.wake.wait(&mut stop);
            } else {
                let until = Instant::now() + Duration::from_nanos(earliest.saturating_sub(now));
                self.wake.wait_until(&mut stop, until);
            }
        }
    }

    /// Kicks the CPUs whose deadline has passed, and tells the next deadline.
    fn fire(&self, now: u64) -> u64 {
        let mut earliest = NEVER;
        for (cpu, slot) in self.deadlines.iter().enumerate() {
            let deadline = slot.load(Ordering::SeqCst);
            if deadline > now {
                earliest = earliest.min(deadline);
            } else if slot.compare_exchange(deadline, NEVER, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                (self.kick)(cpu);
            } else {
                // Replaced this very moment: look again at once.
                earliest = 0;
            }
        }
        earliest
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        *self.shared.stop.lock() = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.get_mut().take() {
            // It cannot have panicked: it calls nothing that does.
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Timers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timers").field("asleep_until", &self.shared.asleep_until).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::clock::HostClock;

    fn timers(cpus: usize) -> (Timers, mpsc::Receiver<(usize, u64)>, Arc<HostClock>) {
        let clock = Arc::new(HostClock::new());
        let (sender, receiver) = mpsc::channel();
        let sender = Mutex::new(sender);
        let own = clock.clone();
        let kick = Box::new(move |cpu| sender.lock().send((cpu, own.monotonic_ns())).unwrap());
        (Timers::new(cpus, clock.clone(), kick), receiver, clock)
    }

    #[test]
    fn deadlines_fire_once_and_in_order() {
        let (timers, fired, clock) = timers(3);
        let start = clock.monotonic_ns();
        timers.set(0, Some(start + 60_000_000));
        timers.set(1, Some(start + 20_000_000));
        timers.set(2, Some(start + 40_000_000));
        for (cpu, ms) in [(1, 20), (2, 40), (0, 60)] {
            let (who, when) = fired.recv_timeout(Duration::from_secs(5)).unwrap();
            assert_eq!(who, cpu);
            assert!(when >= start + ms * 1_000_000, "not before time");
        }
        assert!(fired.recv_timeout(Duration::from_millis(50)).is_err(), "each fires once");
    }

    #[test]
    fn a_deadline_can_be_moved_and_cleared() {
        let (timers, fired, clock) = timers(2);
        let start = clock.monotonic_ns();
        timers.set(0, Some(start + 10_000_000_000));
        timers.set(0, Some(start + 10_000_000));
        assert_eq!(fired.recv_timeout(Duration::from_secs(5)).unwrap().0, 0, "moved to an earlier time");
        timers.set(1, Some(clock.monotonic_ns() + 30_000_000));
        timers.set(1, None);
        assert!(fired.recv_timeout(Duration::from_millis(100)).is_err(), "cleared");
        timers.set(1, Some(0));
        assert_eq!(fired.recv_timeout(Duration::from_secs(5)).unwrap().0, 1, "a time that has passed");
    }

    #[test]
    fn no_thread_exists_before_the_first_deadline() {
        let (timers, _fired, _) = timers(1);
        timers.set(0, None);
        assert!(timers.thread.lock().is_none());
        timers.set(0, Some(u64::MAX - 1));
        assert!(timers.thread.lock().is_some());
    }
}
