//! One thread that waits until streams are ready.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, poll};

/// What to call once something is ready.
pub(crate) type Callback = Arc<dyn Fn() + Send + Sync>;

struct Watched {
    fd: Arc<OwnedFd>,
    events: PollFlags,
    callback: Callback,
}

#[derive(Default)]
struct State {
    watched: Vec<Watched>,
    stop: bool,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    /// A byte in this pipe makes the thread look again.
    wake: (OwnedFd, OwnedFd),
}

/// Watches descriptors. The thread exists from the first watch on, and sleeps
/// while nothing is watched.
pub(crate) struct Watcher {
    shared: Arc<Shared>,
}

impl Watcher {
    pub(crate) fn new() -> io::Result<Self> {
        let wake = rustix::pipe::pipe()?;
        for end in [&wake.0, &wake.1] {
            rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
            rustix::io::ioctl_fionbio(end, true)?;
        }
        Ok(Self { shared: Arc::new(Shared { state: Mutex::default(), wake }) })
    }

    /// Calls `callback` once when one of `events`, or an error, is there on
    /// `fd`. Another watch of the same descriptor adds to the first.
    pub(crate) fn watch(&self, fd: &Arc<OwnedFd>, events: PollFlags, callback: &Callback) {
        let mut state = self.shared.state.lock();
        match state.watched.iter_mut().find(|watched| Arc::ptr_eq(&watched.fd, fd)) {
            Some(watched) if watched.events.contains(events) => return,
            Some(watched) => watched.events |= events,
            None => state.watched.push(Watched { fd: fd.clone(), events, callback: callback.clone() }),
        }
        if state.thread.is_none() {
            let shared = self.shared.clone();
            let builder = thread::Builder::new().name("streams".to_owned()).stack_size(128 << 10);
            // Without the thread a guest that waits for a stream sleeps on
            // until something else wakes it; the next watch tries again.
            state.thread = builder.spawn(move || shared.serve()).ok();
        }
        drop(state);
        self.shared.wake();
    }

    /// Forgets a descriptor.
    pub(crate) fn forget(&self, fd: &Arc<OwnedFd>) {
        self.shared.state.lock().watched.retain(|watched| !Arc::ptr_eq(&watched.fd, fd));
        self.shared.wake();
    }
}

impl Shared {
    fn wake(&self) {
        // If the pipe is full the thread wakes anyway.
        let _ = rustix::io::write(&self.wake.1, &[0]);
    }

    fn serve(&self) {
        loop {
            let watched: Vec<(Arc<OwnedFd>, PollFlags)> = {
                let state = self.state.lock();
                if state.stop {
                    return;
                }
                state.watched.iter().map(|watched| (watched.fd.clone(), watched.events)).collect()
            };
            let mut fds = vec![PollFd::new(&self.wake.0, PollFlags::IN)];
            fds.extend(watched.iter().map(|(fd, events)| PollFd::from_borrowed_fd(fd.as_fd(), *events)));
            if poll(&mut fds, None).is_err() {
                continue;
            }
            if !fds[0].revents().is_empty() {
                let mut bytes = [0; 64];
                // The pipe does not block; what it held is of no interest.
                let _ = rustix::io::read(&self.wake.0, &mut bytes);
            }
            let is_ready = |fd: &Arc<OwnedFd>| {
                watched
                    .iter()
                    .zip(&fds[1..])
                    .any(|((other, _), poll)| Arc::ptr_eq(fd, other) && !poll.revents().is_empty())
            };
            let mut callbacks = Vec::new();
            self.state.lock().watched.retain(|watched| {
                let ready = is_ready(&watched.fd);
                if ready {
                    callbacks.push(watched.callback.clone());
                }
                !ready
            });
            callbacks.into_iter().for_each(|callback| callback());
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let thread = {
            let mut state = self.shared.state.lock();
            state.stop = true;
            state.watched.clear();
            state.thread.take()
        };
        self.shared.wake();
        // A callback may have dropped the last stream, on the thread itself.
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").field("watched", &self.shared.state.lock().watched.len()).finish_non_exhaustive()
    }
}
