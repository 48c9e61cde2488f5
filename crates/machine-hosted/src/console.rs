//! A terminal, or a pair of pipes, as the guest's console.
//!
//! [`Console`] is a [`CharDev`]: bytes go out at once, and come in through a
//! thread that waits for them and holds at most [`BUFFER`] of them for the
//! guest. On a terminal the thread starts with the console, because Ctrl-C must
//! reach the guest also while it reads nothing; on pipes it starts when the
//! guest first asks for input.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

use machine::CharDev;
use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::tcgetwinsize;

use crate::terminal::{RawTerminal, in_foreground};

/// How many bytes of input wait for the guest at most.
const BUFFER: usize = 4096;

type Notify = Box<dyn Fn() + Send + Sync>;

struct Input {
    bytes: VecDeque<u8>,
    /// Nothing will come any more.
    ended: bool,
    /// The thread waits for room.
    full: bool,
    /// The thread is to end.
    stop: bool,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    /// `None`: no input ever, and no end of it either.
    input: Option<OwnedFd>,
    output: OwnedFd,
    /// In raw mode, and so the guest's alone.
    is_terminal: bool,
    state: Mutex<Input>,
    /// A byte in this pipe wakes the thread.
    wake: (OwnedFd, OwnedFd),
    notify: OnceLock<Notify>,
}

/// The guest's console.
pub struct Console {
    /// Dropped after the thread has ended, and before the pipe that the signal
    /// handlers write to.
    raw: Option<RawTerminal>,
    shared: Arc<Shared>,
}

impl Console {
    /// A console on a terminal, which is in raw mode until the console is
    /// dropped or the process ends.
    ///
    /// # Errors
    /// If `input` is no terminal, or another console has one in raw mode.
    pub fn terminal(input: OwnedFd, output: OwnedFd) -> io::Result<Self> {
        let raw_fd = input.try_clone()?;
        let mut console = Self::new(Some(input), output, true)?;
        console.raw = Some(RawTerminal::enter(raw_fd, console.shared.wake.1.as_raw_fd())?);
        console.shared.start_reader(&mut console.shared.state.lock());
        Ok(console)
    }

    /// A console on anything else. If `output` is a terminal its modes are left
    /// as they are. Without `input` nothing ever comes, but it does not end:
    /// the end of its input would hang the guest's terminal up.
    ///
    /// # Errors
    /// If the process has too many open descriptors.
    pub fn plain(input: Option<OwnedFd>, output: OwnedFd) -> io::Result<Self> {
        Self::new(input, output, false)
    }

    fn new(input: Option<OwnedFd>, output: OwnedFd, is_terminal: bool) -> io::Result<Self> {
        let wake = rustix::pipe::pipe()?;
        for end in [&wake.0, &wake.1] {
            rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
            rustix::io::ioctl_fionbio(end, true)?;
        }
        let state = Input { bytes: VecDeque::new(), ended: false, full: false, stop: false, thread: None };
        let shared = Shared { input, output, is_terminal, state: Mutex::new(state), wake, notify: OnceLock::new() };
        Ok(Self { raw: None, shared: Arc::new(shared) })
    }

    /// True if the console is a terminal in raw mode, from which the guest
    /// gets what is typed.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.shared.is_terminal
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let thread = {
            let mut state = self.shared.state.lock();
            state.stop = true;
            state.thread.take()
        };
        self.shared.wake_reader();
        if let Some(thread) = thread {
            // It does not panic, and there is nothing to do if it did.
            drop(thread.join());
        }
    }
}

impl CharDev for Console {
    fn read(&self, buf: &mut [u8]) -> Result<usize, ()> {
        let mut state = self.shared.state.lock();
        if state.bytes.is_empty() {
            if state.ended {
                return Err(());
            }
            self.shared.start_reader(&mut state);
            return Ok(0);
        }
        let count = buf.len().min(state.bytes.len());
        for (to, from) in buf.iter_mut().zip(state.bytes.drain(..count)) {
            *to = from;
        }
        let has_room = std::mem::take(&mut state.full);
        drop(state);
        if has_room {
            self.shared.wake_reader();
        }
        Ok(count)
    }

    fn write(&self, buf: &[u8]) -> usize {
        let mut done = 0;
        while let Some(rest) = buf.get(done..).filter(|rest| !rest.is_empty()) {
            match rustix::io::write(&self.shared.output, rest) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => wait_for(self.shared.output.as_fd(), PollFlags::OUT),
                // The other side is gone. A console swallows what nobody reads.
                Err(_) => return buf.len(),
            }
        }
        done
    }

    fn window_size(&self) -> Option<(u16, u16)> {
        let input = || tcgetwinsize(self.shared.input.as_ref()?).ok();
        let size = tcgetwinsize(&self.shared.output).ok().or_else(input)?;
        Some((size.ws_row, size.ws_col))
    }

    fn set_notify(&self, notify: Notify) {
        // The kernel sets it once; a second callback would have no news.
        drop(self.shared.notify.set(notify));
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console")
            .field("is_terminal", &self.is_terminal())
            .field("raw", &self.raw)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn start_reader(self: &Arc<Self>, state: &mut Input) {
        if state.thread.is_some() || state.ended || state.stop || self.input.is_none() {
            return;
        }
        let shared = self.clone();
        let builder = thread::Builder::new().name("console".to_owned()).stack_size(128 << 10);
        match builder.spawn(move || shared.read_input()) {
            Ok(thread) => state.thread = Some(thread),
            // Without a thread there is no input.
            Err(_) => state.ended = true,
        }
    }

    fn wake_reader(&self) {
        // If the pipe is full the thread wakes anyway.
        let _ = rustix::io::write(&self.wake.1, &[0]);
    }

    fn notify(&self) {
        if let Some(notify) = self.notify.get() {
            notify();
        }
    }

    /// The thread: waits for input while there is room for it.
    fn read_input(&self) {
        let Some(input) = &self.input else { return };
        loop {
            let room = {
                let mut state = self.state.lock();
                if state.stop {
                    return;
                }
                let room = BUFFER.saturating_sub(state.bytes.len());
                state.full = room == 0;
                room
            };
            // Input is not for us while the terminal is somebody else's:
            // `SIGCONT` in the foreground wakes this thread.
            let listens = room > 0 && (!self.is_terminal || in_foreground(input));
            let mut fds = [PollFd::new(&self.wake.0, PollFlags::IN), PollFd::new(input, PollFlags::IN)];
            let count = if listens { 2 } else { 1 };
            if poll(&mut fds[..count], None).is_err() {
                continue;
            }
            let (woken, readable) = (!fds[0].revents().is_empty(), listens && !fds[1].revents().is_empty());
            if woken {
                let mut bytes = [0; 64];
                // The pipe does not block; what it held is of no interest.
                let _ = rustix::io::read(&self.wake.0, &mut bytes);
                // Perhaps the window has changed.
                self.notify();
            }
            if readable && !self.take_input(input, room) {
                return;
            }
        }
    }

    /// Reads up to `room` bytes that are there; false at the end of the input.
    fn take_input(&self, input: &OwnedFd, room: usize) -> bool {
        let mut bytes = [0; BUFFER];
        let taken = rustix::io::read(input, &mut bytes[..room.min(BUFFER)]);
        let mut state = self.state.lock();
        let goes_on = match taken {
            Ok(count) if count > 0 => {
                state.bytes.extend(&bytes[..count]);
                true
            }
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => return true,
            Ok(_) | Err(_) => {
                state.ended = true;
                false
            }
        };
        drop(state);
        self.notify();
        goes_on
    }
}

/// Waits until the host is ready for more.
fn wait_for(fd: BorrowedFd<'_>, events: PollFlags) {
    // An error here shows in the next write.
    let _ = poll(&mut [PollFd::from_borrowed_fd(fd, events)], None);
}
