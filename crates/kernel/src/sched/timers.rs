//! One-shot timers on the monotonic clock.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::{Context, Poll, Waker};

use machine::sync::Mutex;

use crate::Kernel;

/// Names one armed timer: its deadline and a serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimerId {
    deadline_ns: u64,
    serial: u64,
}

/// All armed timers of a kernel. A timer is a waker that is called once.
#[derive(Default)]
pub struct Timers {
    armed: Mutex<BTreeMap<TimerId, Waker>>,
    serial: AtomicU64,
    /// The earliest deadline, `u64::MAX` for none; a hint read without the lock.
    next_ns: AtomicU64,
}

impl fmt::Debug for Timers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timers(next {:?})", self.next_deadline())
    }
}

impl Timers {
    pub(crate) fn new() -> Self {
        Self { next_ns: AtomicU64::new(u64::MAX), ..Self::default() }
    }

    /// Arms a timer; tells whether it is now the earliest, in which case an
    /// idle CPU has to be kicked.
    pub(crate) fn arm(&self, deadline_ns: u64, waker: Waker) -> (TimerId, bool) {
        let id = TimerId { deadline_ns, serial: self.serial.fetch_add(1, Ordering::Relaxed) };
        let mut armed = self.armed.lock();
        armed.insert(id, waker);
        let first = armed.first_key_value().is_some_and(|(first, _)| *first == id);
        self.update_hint(&armed);
        (id, first)
    }

    /// Disarms a timer; nothing happens if it has fired.
    pub fn disarm(&self, id: TimerId) {
        let removed = {
            let mut armed = self.armed.lock();
            let removed = armed.remove(&id);
            self.update_hint(&armed);
            removed
        };
        drop(removed);
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        match self.next_ns.load(Ordering::SeqCst) {
            u64::MAX => None,
            ns => Some(ns),
        }
    }

    /// Wakes every timer whose deadline has been reached.
    pub(crate) fn expire(&self, now_ns: u64) {
        if self.next_deadline().is_none_or(|next| next > now_ns) {
            return;
        }
        let mut due = Vec::new();
        {
            let mut armed = self.armed.lock();
            while let Some(entry) = armed.first_entry() {
                if entry.key().deadline_ns > now_ns {
                    break;
                }
                due.push(entry.remove());
            }
            self.update_hint(&armed);
        }
        for waker in due {
            waker.wake();
        }
    }

    fn update_hint(&self, armed: &BTreeMap<TimerId, Waker>) {
        let next = armed.first_key_value().map_or(u64::MAX, |(id, _)| id.deadline_ns);
        self.next_ns.store(next, Ordering::SeqCst);
    }
}

/// A future that is ready once the monotonic clock reaches a deadline.
pub struct Sleep {
    kernel: Arc<Kernel>,
    deadline_ns: u64,
    armed: Option<TimerId>,
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sleep(until {})", self.deadline_ns)
    }
}

impl Sleep {
    /// Ready at `deadline_ns`.
    #[must_use]
    pub fn until(kernel: &Arc<Kernel>, deadline_ns: u64) -> Self {
        Self { kernel: kernel.clone(), deadline_ns, armed: None }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.kernel.now_ns() >= self.deadline_ns {
            return Poll::Ready(());
        }
        if self.armed.is_none() {
            let id = self.kernel.arm_timer(self.deadline_ns, context.waker().clone());
            self.armed = Some(id);
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(id) = self.armed.take() {
            self.kernel.timers().disarm(id);
        }
    }
}
