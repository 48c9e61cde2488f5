//! A listening socket, and a thread for each connection: what every server of this kind has in common.
//!
//! A connection can be woken while it waits, by its own [`Ring`] or by the end of the server. Locks: the table of
//! connections, alone.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Wake;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;

use crate::error::{Code, Error};
use crate::service::respond;
use crate::socket_file::{ListenError, SocketFile};

/// The most clients that are connected at once; further ones are told so and sent away.
pub const MAX_CONNECTIONS: usize = 8;
/// How long a client may take to read one answer.
const WRITE_TIME: Duration = Duration::from_secs(10);
/// How long clients have to read their last answers when the server ends, and then to be gone.
const END_TIME: Duration = Duration::from_millis(500);

/// What a connection's thread does.
type Talk = dyn Fn(&Connection) + Send + Sync;

/// A listening socket and its connections. Dropping it removes the socket and ends the connections.
pub struct Acceptor {
    file: SocketFile,
    clients: Arc<Clients>,
    thread: Option<JoinHandle<()>>,
    ring: Ring,
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").field("file", &self.file).finish_non_exhaustive()
    }
}

/// The connections.
#[derive(Debug, Default)]
struct Clients {
    is_ending: AtomicBool,
    open: Mutex<Open>,
    /// Told whenever a connection has ended.
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    streams: HashMap<u64, (UnixStream, Ring)>,
}

impl Clients {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_all<'a>(&self, mut open: MutexGuard<'a, Open>) -> MutexGuard<'a, Open> {
        let end = Instant::now() + END_TIME;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if open.streams.is_empty() || left.is_zero() {
                return open;
            }
            open = self.ended.wait_timeout(open, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Wakes a connection's thread while it waits. It never waits itself.
#[derive(Clone, Debug)]
pub struct Ring(Arc<UnixStream>);

impl Ring {
    /// Wakes the thread, or keeps it from its next sleep.
    pub fn ring(&self) {
        // If there is no room for the byte, enough bytes are on their way.
        let _ = (&*self.0).write(&[0]);
    }
}

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.ring();
    }
}

impl Acceptor {
    /// Listens on a socket at `path` with mode 0600 and has a thread call `talk` for each connection, which ends when
    /// it returns.
    ///
    /// # Errors
    /// As [`SocketFile::listen`], or if the system has no thread.
    pub fn listen(path: &Path, talk: impl Fn(&Connection) + Send + Sync + 'static) -> Result<Self, ListenError> {
        let (listener, file) = SocketFile::listen(path)?;
        let failed = |source| ListenError::Io { what: "serve", path: path.to_owned(), source };
        listener.set_nonblocking(true).map_err(failed)?;
        let (ring, woken) = ring_pair().map_err(failed)?;
        let clients = Arc::<Clients>::default();
        let (shared, talk) = (clients.clone(), Arc::<Talk>::from(Box::new(talk) as Box<Talk>));
        let thread = std::thread::Builder::new()
            .name("ironwall-host".into())
            .spawn(move || accept_all(&listener, &woken, &shared, &talk))
            .map_err(failed)?;
        Ok(Self { file, clients, thread: Some(thread), ring })
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.clients.is_ending.store(true, Ordering::SeqCst);
        self.ring.ring();
        if let Some(thread) = self.thread.take() {
            // If it panicked, it has said so.
            let _ = thread.join();
        }
        let open = self.clients.open();
        for (stream, ring) in open.streams.values() {
            // Reading ends; the answer to a request that is being done can still be written.
            let _ = stream.shutdown(Shutdown::Read);
            ring.ring();
        }
        let open = self.clients.wait_for_all(open);
        for (stream, ring) in open.streams.values() {
            let _ = stream.shutdown(Shutdown::Both);
            ring.ring();
        }
        drop(self.clients.wait_for_all(open));
    }
}

/// A ring, and the end that hears it.
fn ring_pair() -> io::Result<(Ring, UnixStream)> {
    let (ring, woken) = UnixStream::pair()?;
    ring.set_nonblocking(true)?;
    woken.set_nonblocking(true)?;
    Ok((Ring(Arc::new(ring)), woken))
}

/// Waits until one of some descriptors has what is asked of it, and tells for each what it has.
fn poll_all<const N: usize>(asked: [(&dyn AsPoll, PollFlags); N], time: Duration) -> io::Result<[PollFlags; N]> {
    let time = Timespec::try_from(time.min(Duration::from_secs(3600))).map_err(io::Error::other)?;
    let mut fds = asked.map(|(fd, flags)| PollFd::from_borrowed_fd(fd.as_poll(), flags));
    match poll(&mut fds, Some(&time)) {
        Ok(_) => Ok(fds.map(|fd| fd.revents())),
        Err(rustix::io::Errno::INTR) => Ok([PollFlags::empty(); N]),
        Err(error) => Err(error.into()),
    }
}

trait AsPoll {
    fn as_poll(&self) -> std::os::fd::BorrowedFd<'_>;
}

impl<T: AsFd> AsPoll for T {
    fn as_poll(&self) -> std::os::fd::BorrowedFd<'_> {
        self.as_fd()
    }
}

fn accept_all(listener: &UnixListener, woken: &UnixStream, clients: &Arc<Clients>, talk: &Arc<Talk>) {
    while !clients.is_ending.load(Ordering::SeqCst) {
        match listener.accept() {
            Ok((stream, _)) => accept(stream, clients, talk),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let asked: [(&dyn AsPoll, _); 2] = [(listener, PollFlags::IN), (woken, PollFlags::IN)];
                if poll_all(asked, Duration::MAX).is_err() {
                    return;
                }
            }
            // Out of descriptors, or the client has gone already: give others time to close some.
            Err(_) => {
                let _ = poll_all([(woken, PollFlags::IN)], Duration::from_millis(100));
            }
        }
    }
}

/// Gives a connection a thread, or sends it away.
fn accept(stream: UnixStream, clients: &Arc<Clients>, talk: &Arc<Talk>) {
    // Where connections inherit it from the listener.
    if stream.set_nonblocking(false).is_err() {
        return;
    }
    let (Ok((ring, woken)), Ok(for_end)) = (ring_pair(), stream.try_clone()) else { return };
    let key = {
        let mut open = clients.open();
        if open.streams.len() >= MAX_CONNECTIONS {
            drop(open);
            send_away(&stream);
            return;
        }
        let key = open.next;
        open.next += 1;
        open.streams.insert(key, (for_end, ring.clone()));
        key
    };
    let connection = Connection { stream, ring, woken, clients: clients.clone(), key };
    let talk = talk.clone();
    // Without a thread the connection is dropped, and with it its place.
    let _ = std::thread::Builder::new().name("ironwall-client".into()).spawn(move || talk(&connection));
}

/// Tells a client that there are too many, and waits for nothing.
fn send_away(mut stream: &UnixStream) {
    let error = Error::new(Code::Busy, format!("{MAX_CONNECTIONS} clients are connected already"));
    if stream.set_nonblocking(true).is_ok()
        && let Some(line) = respond(Some(Value::Null), Err(error))
    {
        let _ = stream.write(format!("{line}\n").as_bytes());
    }
}

/// A client.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
    ring: Ring,
    woken: UnixStream,
    clients: Arc<Clients>,
    key: u64,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let removed = self.clients.open().streams.remove(&self.key);
        // The client sees the end before the server counts it as gone.
        let _ = self.stream.shutdown(Shutdown::Both);
        drop(removed);
        self.clients.ended.notify_all();
    }
}

impl Connection {
    /// The stream. It waits, unless told otherwise.
    #[must_use]
    pub fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// What wakes [`Connection::wait`].
    #[must_use]
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// Whether the server ends.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.clients.is_ending.load(Ordering::SeqCst)
    }

    /// Forgets rings so far. Call it before looking for what they told of.
    pub fn silence(&self) {
        while matches!((&self.woken).read(&mut [0; 64]), Ok(count) if count != 0) {}
    }

    /// Waits until it is rung, or the stream has one of `flags`, or the client has gone, or the time is over; tells
    /// what the stream has. A client that only closed its half is not gone.
    ///
    /// # Errors
    /// If the system cannot wait.
    pub fn wait(&self, flags: PollFlags, time: Duration) -> io::Result<PollFlags> {
        let [_, found] = poll_all([(&self.woken, PollFlags::IN), (&self.stream, flags)], time)?;
        Ok(found)
    }

    /// Writes a line; false if the client does not take it in time.
    #[must_use]
    pub fn write_line(&self, line: &str) -> bool {
        let bytes = format!("{line}\n").into_bytes();
        let (mut rest, end) = (&bytes[..], Instant::now() + WRITE_TIME);
        while !rest.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stream.set_write_timeout(Some(left)).is_err() {
                return false;
            }
            match (&self.stream).write(rest) {
                Ok(0) => return false,
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }
}
