//! The kernel's own tasks: futures without a process, such as the one that
//! writes changed pages to a disk. Each CPU polls those that were woken in its
//! loop, between two tasks.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::{Arc, Weak};
use alloc::task::Wake;
use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};

use machine::sync::Mutex;

use crate::Kernel;
use crate::sched::{TimerId, WaitQueue};

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One of them.
struct Background {
    kernel: Weak<Kernel>,
    /// `None` once it has ended.
    work: Mutex<Option<Work>>,
    /// It is on the queue.
    is_queued: AtomicBool,
}

impl Wake for Background {
    fn wake(self: Arc<Self>) {
        if let Some(kernel) = self.kernel.upgrade()
            && !self.is_queued.swap(true, Ordering::SeqCst)
        {
            kernel.queue_background(self);
        }
    }
}

/// Those of a kernel that are ready to run.
#[derive(Default)]
pub(crate) struct BackgroundQueue {
    ready: Mutex<VecDeque<Arc<Background>>>,
    length: AtomicUsize,
}

impl fmt::Debug for BackgroundQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackgroundQueue({} ready)", self.length.load(Ordering::Relaxed))
    }
}

impl BackgroundQueue {
    /// True if there is nothing to run.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.length.load(Ordering::SeqCst) == 0
    }

    fn push(&self, task: Arc<Background>) {
        let mut ready = self.ready.lock();
        ready.push_back(task);
        self.length.store(ready.len(), Ordering::SeqCst);
    }

    fn pop(&self) -> Option<Arc<Background>> {
        let mut ready = self.ready.lock();
        let task = ready.pop_front();
        self.length.store(ready.len(), Ordering::SeqCst);
        task
    }
}

impl Kernel {
    /// Runs `work` beside all tasks: it is polled by some CPU's loop now, and
    /// again after each time that its waker is called. It must not hold a
    /// reference to the kernel while it waits.
    pub(crate) fn spawn_background(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        let task = Background {
            kernel: Arc::downgrade(self),
            work: Mutex::new(Some(Box::pin(work))),
            is_queued: AtomicBool::new(false),
        };
        Arc::new(task).wake();
    }

    fn queue_background(&self, task: Arc<Background>) {
        self.background().push(task);
        self.machine().kick(self.run_queue().take_idle().unwrap_or(0));
    }

    /// Polls what is ready, each once.
    pub(crate) fn run_background(&self) {
        let mut left = self.background().length.load(Ordering::SeqCst);
        while left > 0
            && let Some(task) = self.background().pop()
        {
            left -= 1;
            // Only whoever took it from the queue polls it, unless it is woken
            // meanwhile; then the second CPU waits for the first.
            task.is_queued.store(false, Ordering::SeqCst);
            let waker = Waker::from(task.clone());
            let mut work = task.work.lock();
            if let Some(future) = work.as_mut()
                && future.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Ready(())
            {
                *work = None;
            }
        }
    }
}

/// Waits until the monotonic clock reaches `deadline_ns`, or until `is_over`
/// holds, which `news` is woken for. It keeps no kernel alive.
pub(crate) async fn nap_until(kernel: &Weak<Kernel>, deadline_ns: u64, news: &WaitQueue, is_over: impl Fn() -> bool) {
    let mut armed = Armed { kernel, timer: None };
    let mut registration = None;
    poll_fn(|context| {
        let Some(kernel) = kernel.upgrade() else { return Poll::Ready(()) };
        if registration.is_none() {
            registration = Some(news.register(context.waker()));
        }
        if is_over() || kernel.now_ns() >= deadline_ns {
            return Poll::Ready(());
        }
        if armed.timer.is_none() {
            armed.timer = Some(kernel.arm_timer(deadline_ns, context.waker().clone()));
        }
        Poll::Pending
    })
    .await;
}

/// A timer that is disarmed when it is let go of.
struct Armed<'a> {
    kernel: &'a Weak<Kernel>,
    timer: Option<TimerId>,
}

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        if let (Some(kernel), Some(timer)) = (self.kernel.upgrade(), self.timer.take()) {
            kernel.timers().disarm(timer);
        }
    }
}

/// Lets everything else that is ready run first.
pub(crate) async fn yield_now() {
    let mut has_yielded = false;
    poll_fn(|context| {
        if core::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn work_is_polled_once_for_each_time_it_is_woken() {
        let kernel = crate::testing::kernel();
        let (queue, value) = (WaitQueue::new(), Arc::new(AtomicU32::new(0)));
        let polls = Arc::new(AtomicU32::new(0));
        let (waits, seen, counter) = (queue.clone(), value.clone(), polls.clone());
        kernel.spawn_background(async move {
            waits
                .wait_until(|| {
                    counter.fetch_add(1, Ordering::Relaxed);
                    (seen.load(Ordering::Relaxed) == 2).then_some(())
                })
                .await;
        });
        assert!(!kernel.background().is_empty());
        kernel.run_background();
        let after_first = polls.load(Ordering::Relaxed);
        for now in 1..=3 {
            value.store(now, Ordering::Relaxed);
            queue.wake_all();
            queue.wake_all();
            kernel.run_background();
            assert!(kernel.background().is_empty());
        }
        assert_eq!(polls.load(Ordering::Relaxed), after_first + 2, "it has ended after the second wake-up");
    }
}
