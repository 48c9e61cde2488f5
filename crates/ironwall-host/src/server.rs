//! JSON-RPC over streams: a UNIX socket with several clients, or one pair of streams such as standard input and output.
//!
//! All I/O is on threads of its own. The program's thread only ever hands an answer over, so a client that is slow,
//! silent or gone cannot hold the program up; its request is withdrawn when it goes.

use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Instant;

use rustix::event::PollFlags;
use serde_json::Value;

use crate::MAX_REQUEST;
use crate::accept::{Acceptor, Connection};
use crate::call::Answer;
use crate::error::{Code, Error};
use crate::lines::{Line, Lines};
use crate::mailbox::{Door, Ticket};
use crate::request::{BadRequest, Request, too_long};
use crate::service::respond;
use crate::socket_file::ListenError;

/// A listening socket that leads to a mailbox. Dropping it removes the socket and ends the connections.
#[derive(Debug)]
pub struct Server(Acceptor);

impl Server {
    /// Listens on a socket at `path` with mode 0600 and puts what clients ask into the mailbox of `door`.
    ///
    /// # Errors
    /// As [`crate::socket_file::SocketFile::listen`], or if the system has no thread.
    pub fn listen(path: impl AsRef<Path>, door: Door) -> Result<Self, ListenError> {
        Acceptor::listen(path.as_ref(), move |connection| talk(connection, &door)).map(Self)
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Answers requests one after the other until the client goes or breaks the rules of lines.
fn talk(connection: &Connection, door: &Door) {
    let mut lines = Lines::new(connection.stream(), MAX_REQUEST);
    // An error of the stream is the end of the connection.
    while let Ok(line) = lines.next_line() {
        let ring = connection.ring().clone();
        let step = handle(line, door, Some(Box::new(move || ring.ring())), |ticket| wait(connection, ticket));
        let (Step::Go(answer) | Step::Stop(answer)) = &step;
        let is_taken = answer.as_ref().is_none_or(|line| connection.write_line(line));
        if !is_taken || matches!(step, Step::Stop(_)) {
            return;
        }
    }
}

/// Waits for an answer; `None` if the client has gone, and then the request is withdrawn.
fn wait(connection: &Connection, ticket: Ticket) -> Option<Result<Answer, Error>> {
    loop {
        connection.silence();
        if let Some(answer) = ticket.answer() {
            return Some(answer);
        }
        if connection.is_ending() && ticket.withdraw() {
            return Some(Err(Error::new(Code::Ended, "the program has closed its socket")));
        }
        let left = ticket.deadline().saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Some(ticket.finish());
        }
        if connection.wait(PollFlags::empty(), left).is_ok_and(|found| found.is_empty()) {
            continue;
        }
        // If the program has begun, its answer has nobody to go to.
        let _ = ticket.withdraw();
        return None;
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
