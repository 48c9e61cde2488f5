//! JSON-RPC over streams: a UNIX socket with several clients, or one pair of streams such as standard input and output.
//!
//! All I/O is on threads of its own. The program's thread only ever hands an answer over, so a client that is slow,
//! silent or gone cannot hold the program up; its request is withdrawn when it goes.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;

use crate::MAX_REQUEST;
use crate::call::Answer;
use crate::error::{Code, Error};
use crate::lines::{Line, Lines};
use crate::mailbox::{Door, Ticket};
use crate::request::{BadRequest, Request, too_long};
use crate::service::respond;
use crate::socket_file::{ListenError, SocketFile};

/// The most clients that are connected at once; further ones are told so and sent away.
pub const MAX_CONNECTIONS: usize = 8;
/// How long a client may take to read one answer.
const WRITE_TIME: Duration = Duration::from_secs(10);
/// How long clients have to read their last answers when the server ends.
const END_TIME: Duration = Duration::from_millis(500);

/// A listening socket and its clients. Dropping it removes the socket and ends the connections.
#[derive(Debug)]
pub struct Server {
    file: SocketFile,
    clients: Arc<Clients>,
    acceptor: Option<JoinHandle<()>>,
    wake: UnixStream,
}

/// The connections of a server.
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
    /// Each with the end that wakes it while it waits for the program.
    streams: HashMap<u64, (UnixStream, UnixStream)>,
}

impl Clients {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// Listens on a socket at `path` with mode 0600 and puts what clients ask into the mailbox of `door`.
    ///
    /// # Errors
    /// As [`SocketFile::listen`], or if the system has no thread.
    pub fn listen(path: impl AsRef<Path>, door: Door) -> Result<Self, ListenError> {
        let path = path.as_ref();
        let (listener, file) = SocketFile::listen(path)?;
        let failed = |source| ListenError::Io { what: "serve", path: path.to_owned(), source };
        listener.set_nonblocking(true).map_err(failed)?;
        let (wake, woken) = wake_pair().map_err(failed)?;
        let clients = Arc::<Clients>::default();
        let shared = clients.clone();
        let acceptor = std::thread::Builder::new()
            .name("ironwall-host".into())
            .spawn(move || accept_all(&listener, &woken, &shared, &door))
            .map_err(failed)?;
        Ok(Self { file, clients, acceptor: Some(acceptor), wake })
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.clients.is_ending.store(true, Ordering::SeqCst);
        ring(&self.wake);
        if let Some(acceptor) = self.acceptor.take() {
            // If it panicked, it has said so.
            let _ = acceptor.join();
        }
        let mut open = self.clients.open();
        for (stream, wake) in open.streams.values() {
            // Reading ends; the answer to a request that is being done can still be written.
            let _ = stream.shutdown(Shutdown::Read);
            ring(wake);
        }
        let end = Instant::now() + END_TIME;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if open.streams.is_empty() || left.is_zero() {
                break;
            }
            open = self.clients.ended.wait_timeout(open, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        for (stream, _) in open.streams.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// A byte sent into the first arrives at the second, and neither ever waits.
fn wake_pair() -> io::Result<(UnixStream, UnixStream)> {
    let (wake, woken) = UnixStream::pair()?;
    wake.set_nonblocking(true)?;
    woken.set_nonblocking(true)?;
    Ok((wake, woken))
}

/// If there is no room for the byte, enough bytes are on their way.
fn ring(mut wake: &UnixStream) {
    let _ = wake.write(&[0]);
}

fn silence(mut woken: &UnixStream) {
    while matches!(woken.read(&mut [0; 64]), Ok(count) if count != 0) {}
}

/// Waits until one of two descriptors has news, for a time. The second is only asked whether its other side is gone.
fn wait_for(first: &impl AsFd, second: Option<(&UnixStream, PollFlags)>, time: Duration) -> io::Result<bool> {
    let mut fds = vec![PollFd::new(first, PollFlags::IN)];
    fds.extend(second.map(|(stream, flags)| PollFd::new(stream, flags)));
    let time = Timespec::try_from(time.min(Duration::from_secs(3600))).map_err(io::Error::other)?;
    match poll(&mut fds, Some(&time)) {
        Ok(_) => Ok(fds.get(1).is_some_and(|fd| !fd.revents().is_empty())),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn accept_all(listener: &UnixListener, woken: &UnixStream, clients: &Arc<Clients>, door: &Door) {
    while !clients.is_ending.load(Ordering::SeqCst) {
        match listener.accept() {
            Ok((stream, _)) => accept(stream, clients, door),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if wait_for(listener, Some((woken, PollFlags::IN)), Duration::MAX).is_err() {
                    return;
                }
            }
            // Out of descriptors, or the client has gone already: give others time to close some.
            Err(_) => {
                let _ = wait_for(woken, None, Duration::from_millis(100));
            }
        }
    }
}

/// Gives a connection a thread, or sends it away.
fn accept(stream: UnixStream, clients: &Arc<Clients>, door: &Door) {
    // Where connections inherit it from the listener.
    if stream.set_nonblocking(false).is_err() {
        return;
    }
    let Ok((wake, woken)) = wake_pair() else { return };
    let (Ok(for_end), Ok(for_answers)) = (stream.try_clone(), wake.try_clone()) else { return };
    let key = {
        let mut open = clients.open();
        if open.streams.len() >= MAX_CONNECTIONS {
            drop(open);
            let error = Error::new(Code::Busy, format!("{MAX_CONNECTIONS} clients are connected already"));
            send_away(&stream, error);
            return;
        }
        let key = open.next;
        open.next += 1;
        open.streams.insert(key, (for_end, wake));
        key
    };
    let connection =
        Connection { stream, wake: Arc::new(for_answers), woken, door: door.clone(), clients: clients.clone(), key };
    // Without a thread the connection is dropped, and with it its place.
    let _ = std::thread::Builder::new().name("ironwall-client".into()).spawn(move || connection.talk());
}

/// Tells a client of an error and waits for nothing.
fn send_away(mut stream: &UnixStream, error: Error) {
    if stream.set_nonblocking(true).is_ok()
        && let Some(line) = respond(Some(Value::Null), Err(error))
    {
        let _ = stream.write(format!("{line}\n").as_bytes());
    }
}

struct Connection {
    stream: UnixStream,
    wake: Arc<UnixStream>,
    woken: UnixStream,
    door: Door,
    clients: Arc<Clients>,
    key: u64,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.clients.open().streams.remove(&self.key);
        self.clients.ended.notify_all();
    }
}

impl Connection {
    /// Answers requests one after the other until the client goes or breaks the rules of lines.
    fn talk(self) {
        let mut lines = Lines::new(&self.stream, MAX_REQUEST);
        // An error of the stream is the end of the connection.
        while let Ok(line) = lines.next_line() {
            let wake = self.wake.clone();
            let notify: Box<dyn Fn() + Send + Sync> = Box::new(move || ring(&wake));
            let step = handle(line, &self.door, Some(notify), |ticket| self.wait(ticket));
            if !matches!(&step, Step::Go(answer) | Step::Stop(answer) if answer.as_ref().is_none_or(|line| self.write(line)))
            {
                return;
            }
            if matches!(step, Step::Stop(_)) {
                return;
            }
        }
    }

    /// Waits for an answer; `None` if the client has gone, and then the request is withdrawn.
    fn wait(&self, ticket: Ticket) -> Option<Result<Answer, Error>> {
        loop {
            silence(&self.woken);
            if let Some(answer) = ticket.answer() {
                return Some(answer);
            }
            if self.clients.is_ending.load(Ordering::SeqCst) && ticket.withdraw() {
                return Some(Err(Error::new(Code::Ended, "the program has closed its socket")));
            }
            let left = ticket.deadline().saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Some(ticket.finish());
            }
            // A client that only closed its half still waits for the answer; one that is gone is a hang-up.
            let is_gone = wait_for(&self.woken, Some((&self.stream, PollFlags::empty())), left).unwrap_or(true);
            if is_gone {
                // If the program has begun, its answer has nobody to go to.
                let _ = ticket.withdraw();
                return None;
            }
        }
    }

    /// Writes a line; false if the client does not take it in time.
    fn write(&self, line: &str) -> bool {
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

/// What follows from a line: an answer to write, if any, and whether to go on.
enum Step {
    Go(Option<String>),
    Stop(Option<String>),
}

fn handle(
    line: Line,
    door: &Door,
    notify: Option<Box<dyn Fn() + Send + Sync>>,
    wait: impl FnOnce(Ticket) -> Option<Result<Answer, Error>>,
) -> Step {
    let line = match line {
        Line::Whole(line) => line,
        // Where the next request begins cannot be known.
        Line::TooLong => return Step::Stop(respond(Some(Value::Null), Err(too_long()))),
        Line::End => return Step::Stop(None),
    };
    if line.trim_ascii().is_empty() {
        return Step::Go(None);
    }
    match Request::parse(&line) {
        Err(BadRequest { id, error }) => Step::Go(respond(id, Err(error))),
        Ok(request) => match door.post(request.call, request.deadline, notify) {
            Err(error) => Step::Go(respond(request.id, Err(error))),
            Ok(ticket) => match wait(ticket) {
                Some(answer) => Step::Go(respond(request.id, answer)),
                None => Step::Stop(None),
            },
        },
    }
}

/// Serves one client on a pair of streams, such as standard input and output, until the input ends.
///
/// # Errors
/// Those of the streams.
pub fn serve(input: impl Read, mut output: impl Write, door: &Door) -> io::Result<()> {
    let mut lines = Lines::new(input, MAX_REQUEST);
    loop {
        let line = lines.next_line()?;
        let step = handle(line, door, None, |ticket| Some(ticket.wait()));
        let (Step::Go(answer) | Step::Stop(answer)) = &step;
        if let Some(answer) = answer {
            output.write_all(format!("{answer}\n").as_bytes())?;
            output.flush()?;
        }
        if matches!(step, Step::Stop(_)) {
            return Ok(());
        }
    }
}
