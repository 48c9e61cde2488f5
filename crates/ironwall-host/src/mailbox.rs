//! Requests on their way to a program that serves them at its host points.
//!
//! A request is either waiting, or it has been taken, and only the queue's lock decides which. Whoever gives up takes
//! it out of the queue under that lock; so a request whose deadline was told to its sender is never done later, and
//! one that the program has begun is always waited for. Nothing runs on the program's thread but at its own calls.
//!
//! Locks: the queue's and a request's slot, never both at once.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ironwall::{Origin, Report, Runtime, Stack};
use ironwall_explain::Names;
use serde_json::json;

use crate::call::{self, Answer, Call, Stopped};
use crate::error::{Code, Error};
use crate::service::Service;

/// The most requests that wait at once.
pub const MAX_WAITING: usize = 64;

/// The program's end: it holds the requests, the journal of collections, and the names of fields.
#[derive(Debug)]
pub struct Mailbox {
    shared: Arc<Shared>,
    service: Service,
}

/// The host's end. Clones lead to the same mailbox.
#[derive(Clone, Debug)]
pub struct Door {
    shared: Arc<Shared>,
}

/// A request that was put into a mailbox.
#[derive(Debug)]
pub struct Ticket {
    shared: Arc<Shared>,
    pending: Arc<Pending>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Whether anything waits, so that a host point without requests is one load.
    has_mail: AtomicBool,
    queue: Mutex<Queue>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Arc<Pending>>,
    is_closed: bool,
}

struct Pending {
    call: Call,
    stated: Duration,
    deadline: Instant,
    slot: Mutex<Option<Result<Answer, Error>>>,
    filled: Condvar,
    notify: Option<Box<dyn Fn() + Send + Sync>>,
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("call", &self.call).field("stated", &self.stated).finish_non_exhaustive()
    }
}

/// What a panic elsewhere left is still consistent: every change here is one assignment or one call on a queue.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pending {
    fn fill(&self, answer: Result<Answer, Error>) {
        *lock(&self.slot) = Some(answer);
        self.filled.notify_all();
        if let Some(notify) = &self.notify {
            notify();
        }
    }

    fn late(&self) -> Error {
        let ms = u64::try_from(self.stated.as_millis()).unwrap_or(u64::MAX);
        let message = format!("the program came to no host point in {ms} ms; the request is withdrawn");
        Error::new(Code::Deadline, message).with(json!({ "deadline_ms": ms }))
    }
}

/// A request that was taken out of the queue. It is answered even if what serves it panics.
struct Taken(Option<Arc<Pending>>);

impl Taken {
    fn answer(mut self, answer: Result<Answer, Error>) {
        if let Some(pending) = self.0.take() {
            pending.fill(answer);
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(pending) = &self.0 {
            pending.fill(Err(ended()));
        }
    }
}

fn ended() -> Error {
    Error::new(Code::Ended, "the program has closed its mailbox")
}

impl Queue {
    /// Takes a request out; false if it is not in.
    fn withdraw(&mut self, pending: &Arc<Pending>) -> bool {
        let place = self.waiting.iter().position(|other| Arc::ptr_eq(other, pending));
        place.is_some_and(|place| self.waiting.remove(place).is_some())
    }
}

impl Shared {
    /// Does something with the queue and tells the program whether anything waits then.
    fn with_queue<T>(&self, change: impl FnOnce(&mut Queue) -> T) -> T {
        let mut queue = lock(&self.queue);
        let result = change(&mut queue);
        self.has_mail.store(!queue.waiting.is_empty(), Ordering::Release);
        result
    }
}

impl Default for Mailbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Mailbox {
    /// An empty mailbox.
    #[must_use]
    pub fn new() -> Self {
        Self { shared: Arc::default(), service: Service::new() }
    }

    /// A way in, for a host.
    #[must_use]
    pub fn door(&self) -> Door {
        Door { shared: self.shared.clone() }
    }

    /// The program says that it can be asked now: does what waits, and returns how many requests that were. Without
    /// requests this is one load. It never waits, neither for requests nor for whoever sent them.
    ///
    /// Only requests that wait when it begins are done, so hosts cannot hold the program here.
    #[inline]
    pub fn host_point(&mut self, runtime: &mut Runtime<'_>) -> usize {
        self.host_point_with(runtime, &mut [])
    }

    /// The same for a runtime with other stacks than the one that it uses. As with [`Runtime::collect_with`], every
    /// stack with frames has to be among them.
    #[inline]
    pub fn host_point_with<'m>(&mut self, runtime: &mut Runtime<'m>, stacks: &mut [Stack<'m>]) -> usize {
        if self.shared.has_mail.load(Ordering::Acquire) { self.serve(&mut Stopped { runtime, stacks }) } else { 0 }
    }

    #[cold]
    fn serve(&mut self, stopped: &mut Stopped<'_, '_>) -> usize {
        let count = lock(&self.shared.queue).waiting.len();
        let mut done = 0;
        for _ in 0..count {
            let Some(pending) = self.shared.with_queue(|queue| queue.waiting.pop_front()) else { break };
            let taken = Taken(Some(pending.clone()));
            if Instant::now() >= pending.deadline {
                // Whoever sent it finds it taken and waits for this answer.
                taken.answer(Err(pending.late()));
                continue;
            }
            taken.answer(self.service.perform(pending.call, stopped));
            done += 1;
        }
        done
    }

    /// A host point that waits: does what comes for a time, and returns how many requests that were. For programs that
    /// have nothing else to do.
    pub fn serve_for(&mut self, runtime: &mut Runtime<'_>, time: Duration) -> usize {
        self.serve_for_with(runtime, &mut [], time)
    }

    /// The same for a runtime with other stacks, as [`Self::host_point_with`].
    pub fn serve_for_with<'m>(&mut self, runtime: &mut Runtime<'m>, stacks: &mut [Stack<'m>], time: Duration) -> usize {
        let end = Instant::now().checked_add(time);
        let mut done = 0;
        loop {
            done += self.host_point_with(runtime, stacks);
            let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return done;
            }
            let queue = lock(&self.shared.queue);
            if queue.waiting.is_empty() {
                // A spurious wake-up only means another look.
                let waited = self.shared.arrived.wait_timeout(queue, left.min(Duration::from_secs(3600)));
                drop(waited.unwrap_or_else(PoisonError::into_inner));
            }
        }
    }

    /// The program's own collection, recorded for `gc.report`.
    ///
    /// # Errors
    /// As [`call::collect`].
    pub fn collect(&mut self, runtime: &mut Runtime<'_>, reason: u64) -> Result<Report, Error> {
        call::collect(&mut Stopped::new(runtime), self.service.journal(), Origin::Program, reason)
    }

    /// Records a collection that was asked for elsewhere.
    pub fn record(&mut self, report: &Report) {
        self.service.journal().record(report);
    }

    /// Adds names of fields, which table images do not have, for `gc.explain`.
    pub fn add_names(&mut self, names: Names) {
        self.service.names().extend(names);
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let waiting = self.shared.with_queue(|queue| {
            queue.is_closed = true;
            std::mem::take(&mut queue.waiting)
        });
        for pending in waiting {
            pending.fill(Err(ended()));
        }
    }
}

impl Door {
    /// Puts a request into the mailbox; `notify` is called, on the program's thread, when its answer is there.
    ///
    /// # Errors
    /// [`Code::Busy`], [`Code::Ended`].
    pub fn post(
        &self,
        call: Call,
        deadline: Duration,
        notify: Option<Box<dyn Fn() + Send + Sync>>,
    ) -> Result<Ticket, Error> {
        let deadline = deadline.min(crate::MAX_DEADLINE);
        let pending = Arc::new(Pending {
            call,
            stated: deadline,
            deadline: Instant::now() + deadline,
            slot: Mutex::default(),
            filled: Condvar::new(),
            notify,
        });
        self.shared.with_queue(|queue| {
            if queue.is_closed {
                return Err(ended());
            }
            if queue.waiting.len() >= MAX_WAITING {
                return Err(Error::new(Code::Busy, format!("{MAX_WAITING} requests wait already")));
            }
            queue.waiting.push_back(pending.clone());
            Ok(())
        })?;
        self.shared.arrived.notify_all();
        Ok(Ticket { shared: self.shared.clone(), pending })
    }

    /// Asks, and waits for the answer: until the deadline for a host point, and then for as long as the call takes.
    ///
    /// # Errors
    /// [`Code::Deadline`], and then the request is never done; [`Code::Busy`], [`Code::Ended`]; as [`Call::perform`].
    pub fn call(&self, call: Call, deadline: Duration) -> Result<Answer, Error> {
        self.post(call, deadline, None)?.wait()
    }

    /// Asks for a collection, and waits for its report as [`Door::call`] does.
    ///
    /// # Errors
    /// As [`Door::call`].
    pub fn collect(&self, reason: u64, deadline: Duration) -> Result<Report, Error> {
        match self.call(Call::Collect { reason }, deadline)? {
            Answer::Collected(report) => Ok(report),
            Answer::Told(_) => unreachable!("a collection gives a report"),
        }
    }
}

impl Ticket {
    /// When the request is withdrawn.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.pending.deadline
    }

    /// The answer, if it is there.
    #[must_use]
    pub fn answer(&self) -> Option<Result<Answer, Error>> {
        lock(&self.pending.slot).clone()
    }

    /// Gives up; false if the program has begun, and then there will be an answer.
    #[must_use]
    pub fn withdraw(&self) -> bool {
        self.shared.with_queue(|queue| queue.withdraw(&self.pending))
    }

    /// Waits for the answer until the deadline, and on if the program has begun by then.
    ///
    /// # Errors
    /// As [`Door::call`].
    pub fn wait(self) -> Result<Answer, Error> {
        let mut slot = lock(&self.pending.slot);
        loop {
            if let Some(answer) = slot.take() {
                return answer;
            }
            let left = self.pending.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            slot = self.pending.filled.wait_timeout(slot, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(slot);
        self.finish()
    }

    /// The end of a wait at its deadline: the error that says so, or the answer of a call that has begun.
    ///
    /// # Errors
    /// As [`Door::call`].
    pub fn finish(self) -> Result<Answer, Error> {
        if self.withdraw() {
            return Err(self.pending.late());
        }
        let mut slot = lock(&self.pending.slot);
        loop {
            if let Some(answer) = slot.take() {
                return answer;
            }
            slot = self.pending.filled.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
