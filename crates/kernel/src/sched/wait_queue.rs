//! A set of wakers that wait for one kind of event.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Poll, Waker};

use machine::sync::Mutex;

#[derive(Default)]
struct Waiters {
    next_key: u64,
    wakers: BTreeMap<u64, Waker>,
}

#[derive(Default)]
struct Shared {
    waiters: Mutex<Waiters>,
    /// How many are registered, so that waking nobody takes no lock.
    count: AtomicUsize,
}

/// A place where tasks wait until something they check for becomes true.
///
/// Clones are the same queue. An epoll instance or a poll call registers its
/// waker on the queues of many files; the wakers stay until the
/// [`Registration`] is dropped.
#[derive(Clone, Default)]
pub struct WaitQueue {
    shared: Arc<Shared>,
}

impl fmt::Debug for WaitQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WaitQueue({} waiting)", self.shared.count.load(Ordering::Relaxed))
    }
}

impl WaitQueue {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a waker until the registration is dropped. Check the condition
    /// again after this: what happened before it wakes nobody.
    #[must_use = "dropping the registration removes the waker"]
    pub fn register(&self, waker: &Waker) -> Registration {
        let mut waiters = self.shared.waiters.lock();
        let key = waiters.next_key;
        waiters.next_key += 1;
        waiters.wakers.insert(key, waker.clone());
        self.shared.count.store(waiters.wakers.len(), Ordering::SeqCst);
        Registration { queue: self.clone(), key }
    }

    /// Wakes everybody.
    pub fn wake_all(&self) {
        // Pairs with the registration's store: either the waiter's second look
        // at its condition sees what changed, or this sees the waiter.
        core::sync::atomic::fence(Ordering::SeqCst);
        if self.shared.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let wakers: Vec<Waker> = self.shared.waiters.lock().wakers.values().cloned().collect();
        for waker in wakers {
            waker.wake();
        }
    }

    /// Waits until `condition` gives a value. It is called once at first and
    /// again after each wake-up; it must not wait itself.
    pub async fn wait_until<T>(&self, mut condition: impl FnMut() -> Option<T>) -> T {
        if let Some(value) = condition() {
            return value;
        }
        let mut registration = None;
        poll_fn(|context| {
            if registration.is_none() {
                registration = Some(self.register(context.waker()));
            }
            condition().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// A waker's place on a [`WaitQueue`]; dropping it leaves the queue.
#[derive(Debug)]
pub struct Registration {
    queue: WaitQueue,
    key: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        let removed = {
            let mut waiters = self.queue.shared.waiters.lock();
            let removed = waiters.wakers.remove(&self.key);
            self.queue.shared.count.store(waiters.wakers.len(), Ordering::SeqCst);
            removed
        };
        drop(removed);
    }
}
