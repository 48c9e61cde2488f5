//! A socket of the host that leads to the sockets of the guest's processes: `vambrace run --gc-socket`.
//!
//! A client first talks to the door itself, in lines of JSON-RPC 2.0: `guest.list` tells which processes listen, and
//! `guest.connect` chooses one. From then on the connection is a pipe to the guest's socket, and the door no longer
//! looks at what it carries. `docs/ironwall/host.md` has the protocol.
//!
//! Each connection has a host thread, which moves bytes between the two sockets and sleeps while there are none.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use ironwall_host::accept::{Acceptor, Connection};
use ironwall_host::lines::{Line, Lines};
use ironwall_host::service::respond;
use ironwall_host::socket_file::{CONVENTIONAL_DIR, ListenError};
use ironwall_host::{Answer, Code, Error, MAX_REQUEST};
use kernel::{Kernel, Listener, OutsideStream};
use linux_abi::Errno;
use rustix::event::PollFlags;
use serde_json::{Map, Value, json};

/// The bytes that are on their way in each direction.
const PIPE_LEN: usize = 64 << 10;

/// The open door. Dropping it closes it, and every connection through it.
#[derive(Debug)]
pub(crate) struct GuestDoor(
    #[expect(dead_code, reason = "it is only held: its threads end when it is dropped")] Acceptor,
);

impl GuestDoor {
    /// Opens it at `path`, with mode 0600.
    pub(crate) fn open(path: &Path, kernel: Arc<Kernel>) -> Result<Self, ListenError> {
        Acceptor::listen(path, move |connection| talk(connection, &kernel)).map(Self)
    }
}

/// Answers the client until it has chosen a socket of the guest, and then leads there.
fn talk(connection: &Connection, kernel: &Kernel) {
    let mut lines = Lines::new(connection.stream(), MAX_REQUEST);
    loop {
        // An error of the stream is the end of the connection.
        let line = match lines.next_line() {
            Ok(Line::Whole(line)) => line,
            Ok(Line::TooLong) => {
                let error = Error::new(Code::InvalidRequest, format!("the request is longer than {MAX_REQUEST} bytes"));
                let line = respond(Some(Value::Null), Err(error));
                let _ = line.is_none_or(|line| connection.write_line(&line));
                return;
            }
            Ok(Line::End) | Err(_) => return,
        };
        if line.trim_ascii().is_empty() {
            continue;
        }
        let (answer, stream) = answer(&line, kernel);
        if !answer.is_none_or(|line| connection.write_line(&line)) {
            return;
        }
        if let Some(stream) = stream {
            let (_, early) = lines.into_parts();
            // What fails here is the connection, and it ends.
            let _ = Pipe { connection, guest: stream, to_guest: early, to_host: Vec::new(), has_more: true }.carry();
            return;
        }
    }
}

/// The answer to a line, if it wants one, and where it leads.
fn answer(line: &[u8], kernel: &Kernel) -> (Option<String>, Option<OutsideStream>) {
    match read(line) {
        Err((id, error)) => (respond(id, Err(error)), None),
        Ok((id, method, params)) => match perform(&method, params, kernel) {
            Ok((value, stream)) => (respond(id, Ok(Answer::Told(value))), stream),
            Err(error) => (respond(id, Err(error)), None),
        },
    }
}

type Parts = (Option<Value>, String, Map<String, Value>);

/// The id, the method and the parameters of a request, or whom to tell what is wrong with it.
fn read(line: &[u8]) -> Result<Parts, (Option<Value>, Error)> {
    let null = Some(Value::Null);
    let invalid = |id: &Option<Value>, what: &str| (id.clone(), Error::new(Code::InvalidRequest, what));
    let value: Value = serde_json::from_slice(line)
        .map_err(|error| (null.clone(), Error::new(Code::Parse, format!("no JSON: {error}"))))?;
    let Value::Object(mut members) = value else { return Err(invalid(&null, "a request is an object")) };
    let id = members.remove("id");
    if !matches!(id, None | Some(Value::Null | Value::String(_) | Value::Number(_))) {
        return Err(invalid(&null, "`id` is a string, a number or null"));
    }
    let answered = Some(id.clone().unwrap_or(Value::Null));
    if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(invalid(&answered, "`jsonrpc` has to be \"2.0\""));
    }
    let Some(Value::String(method)) = members.remove("method") else {
        return Err(invalid(&answered, "`method` has to be a string"));
    };
    match members.remove("params") {
        None => Ok((id, method, Map::new())),
        Some(Value::Object(params)) => Ok((id, method, params)),
        Some(_) => Err((id, Error::new(Code::BadParams, "parameters are given by name, in an object"))),
    }
}

fn perform(method: &str, params: Map<String, Value>, kernel: &Kernel) -> Result<(Value, Option<OutsideStream>), Error> {
    match method {
        "guest.list" => {
            let sockets: Vec<Value> = kernel.local_listeners().iter().map(describe).collect();
            Ok((json!({ "sockets": sockets }), None))
        }
        "guest.connect" => {
            let listener = choose(params, kernel.local_listeners())?;
            let stream = listener.connect().map_err(|error| {
                let code = if error.errno == Errno::EAGAIN { Code::Busy } else { Code::Refused };
                Error::new(code, format!("cannot connect to {}: {}", name_of(&listener), error.errno))
            })?;
            Ok((describe(&listener), Some(stream)))
        }
        _ if method.starts_with("gc.") => {
            let message = "this socket leads to a guest: choose one of its sockets with guest.connect first";
            Err(Error::new(Code::NoSuchMethod, message))
        }
        _ => Err(Error::new(Code::NoSuchMethod, "there is no such method: guest.list and guest.connect are")),
    }
}

fn name_of(listener: &Listener) -> String {
    String::from_utf8_lossy(&listener.name).into_owned()
}

/// Whether a socket is where programs open theirs for the host.
fn is_conventional(listener: &Listener) -> bool {
    listener.name == format!("{CONVENTIONAL_DIR}/{}.sock", listener.pid).as_bytes()
}

fn describe(listener: &Listener) -> Value {
    json!({
        "pid": listener.pid,
        "uid": listener.uid,
        "program": String::from_utf8_lossy(&listener.program),
        "path": name_of(listener),
        "conventional": is_conventional(listener),
    })
}

/// The socket that the parameters name. Of several, the one at the conventional place.
fn choose(mut params: Map<String, Value>, listeners: Vec<Listener>) -> Result<Listener, Error> {
    let bad = |what: &str| Error::new(Code::BadParams, what);
    let pid = match params.remove("pid") {
        None => None,
        Some(pid) => Some(pid.as_u64().ok_or_else(|| bad("`pid` is the number of a process of the guest"))?),
    };
    let path = match params.remove("path") {
        None => None,
        Some(Value::String(path)) => Some(path),
        Some(_) => return Err(bad("`path` is a string")),
    };
    if !params.is_empty() {
        return Err(bad("guest.connect takes `pid` and `path`"));
    }
    let is_meant = |listener: &Listener| {
        pid.is_none_or(|pid| pid == u64::from(listener.pid))
            && path.as_ref().is_none_or(|path| *path == name_of(listener))
    };
    let mut found: Vec<Listener> = listeners.into_iter().filter(is_meant).collect();
    if found.len() > 1 && found.iter().filter(|listener| is_conventional(listener)).count() == 1 {
        found.retain(is_conventional);
    }
    match <[Listener; 1]>::try_from(found) {
        Ok([listener]) => Ok(listener),
        Err(found) if found.is_empty() => {
            Err(Error::new(Code::Refused, "no such process listens on a socket of the guest"))
        }
        Err(found) => {
            let sockets: Vec<Value> = found.iter().map(describe).collect();
            let message = "several sockets of the guest are meant: name its `pid` or its `path`";
            Err(Error::new(Code::Refused, message).with(json!({ "sockets": sockets })))
        }
    }
}

/// A connection through the door.
struct Pipe<'a> {
    connection: &'a Connection,
    guest: OutsideStream,
    to_guest: Vec<u8>,
    to_host: Vec<u8>,
    /// The client may still send.
    has_more: bool,
}

impl Pipe<'_> {
    /// Moves bytes until one side has gone.
    fn carry(mut self) -> io::Result<()> {
        self.connection.stream().set_nonblocking(true)?;
        let waker = Waker::from(Arc::new(self.connection.ring().clone()));
        let _registration = self.guest.register(&waker);
        loop {
            self.connection.silence();
            let is_over = self.move_to_host()?;
            let has_moved = self.move_to_guest()?;
            if is_over && self.to_host.is_empty() {
                return Ok(());
            }
            if has_moved {
                continue;
            }
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, self.has_more && self.to_guest.is_empty());
            flags.set(PollFlags::OUT, !self.to_host.is_empty());
            let found = self.connection.wait(flags, Duration::MAX)?;
            if found.intersects(PollFlags::HUP | PollFlags::ERR) || self.connection.is_ending() {
                // The guest learns of it, and withdraws what was asked.
                return Ok(());
            }
        }
    }

    /// Takes what the guest has sent and gives it to the client, as far as there is room; true at the guest's end.
    fn move_to_host(&mut self) -> io::Result<bool> {
        let mut is_over = false;
        loop {
            if self.to_host.is_empty() {
                let mut piece = vec![0; PIPE_LEN];
                match self.guest.receive(&mut piece) {
                    Ok(0) | Err(Errno::ECONNRESET) => is_over = true,
                    Ok(count) => {
                        piece.truncate(count);
                        self.to_host = piece;
                    }
                    Err(Errno::EAGAIN) => {}
                    Err(errno) => return Err(io::Error::other(errno.to_string())),
                }
            }
            if self.to_host.is_empty() {
                return Ok(is_over);
            }
            match (&mut self.connection.stream()).write(&self.to_host) {
                Ok(count) => drop(self.to_host.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(is_over),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes what the client has sent and gives it to the guest, as far as there is room; true if there was anything.
    fn move_to_guest(&mut self) -> io::Result<bool> {
        let mut has_moved = false;
        if self.to_guest.is_empty() && self.has_more {
            let mut piece = vec![0; PIPE_LEN];
            match (&mut self.connection.stream()).read(&mut piece) {
                Ok(0) => {
                    self.has_more = false;
                    self.guest.finish();
                }
                Ok(count) => {
                    piece.truncate(count);
                    self.to_guest = piece;
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(error) => return Err(error),
            }
        }
        while !self.to_guest.is_empty() {
            match self.guest.send(&self.to_guest) {
                Ok(count) => {
                    drop(self.to_guest.drain(..count));
                    has_moved = true;
                }
                Err(Errno::EAGAIN) => break,
                // The guest reads no more; what it has written still goes to the client.
                Err(_) => {
                    self.to_guest.clear();
                    self.has_more = false;
                }
            }
        }
        Ok(has_moved)
    }
}
