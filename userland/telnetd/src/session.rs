//! One client: its connection, its terminal, and the bytes between them.
//!
//! Every buffer has a limit. While one is full, what would fill it is not
//! read: a client that does not read stops its programs at their next output,
//! and a program that does not read stops its client.

use crate::protocol::{Event, Key, MAX_REPLY, OFFERS, Receiver, Sender};
use crate::terminal::Terminal;
use rustix::event::{PollFd, PollFlags};
use rustix::io::{Errno, read, write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::process::Child;
use std::time::{Duration, Instant};

/// Bytes read at a time.
const CHUNK: usize = 4096;
/// Above this many bytes for the client nothing more is made for it.
const LINE_LIMIT: usize = 4 * CHUNK;
/// How long a client may take to name its terminal before the shell starts without the name.
const NEGOTIATION: Duration = Duration::from_secs(1);
/// How long a client may take to read the last output and to close.
const FAREWELL: Duration = Duration::from_secs(5);
/// The answer to "are you there".
const HERE: &[u8] = b"\r\n[Yes]\r\n";
/// The most bytes for the client that one byte from it causes.
const MAX_ANSWER: usize = if MAX_REPLY > HERE.len() {
    MAX_REPLY
} else {
    HERE.len()
};

/// What to start for a client.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) program: std::path::PathBuf,
}

/// How far a session is.
enum Stage {
    /// The client may still name its terminal; the shell starts at this time at the latest.
    Negotiating(Instant),
    /// The shell runs, or its last output is being read.
    Running(Terminal),
    /// The rest is sent; at this time the connection is closed in any case.
    Leaving { until: Instant, is_shut: bool },
}

/// Whether a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Goes,
    Over,
}

pub(crate) struct Session {
    stream: TcpStream,
    stage: Stage,
    /// The shell, until it has ended and been waited for, and what tells its end.
    shell: Option<(Child, OwnedFd)>,
    receiver: Receiver,
    sender: Sender,
    /// From the client, not yet taken apart.
    received: Vec<u8>,
    /// For the terminal.
    typed: Vec<u8>,
    /// For the client.
    line: Vec<u8>,
    terminal_type: Option<String>,
    window_size: (u16, u16),
}

/// Which descriptors of a session are waited for, in this order.
pub(crate) const FDS: usize = 3;

impl Session {
    /// A session over a connection that does not block.
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            stage: Stage::Negotiating(Instant::now() + NEGOTIATION),
            shell: None,
            receiver: Receiver::default(),
            sender: Sender::default(),
            received: Vec::new(),
            typed: Vec::new(),
            line: OFFERS.to_vec(),
            terminal_type: None,
            window_size: (0, 0),
        }
    }

    /// What to wait for: the connection, the terminal, the end of the shell.
    pub(crate) fn poll_fds(&self) -> [Option<PollFd<'_>>; FDS] {
        let mut stream = PollFlags::empty();
        if self.received.is_empty() {
            stream |= PollFlags::IN;
        } else {
            // Nothing is read now, but a client that goes is noticed.
            stream |= PollFlags::RDHUP;
        }
        if !self.line.is_empty() {
            stream |= PollFlags::OUT;
        }
        let mut terminal = None;
        if let Stage::Running(pty) = &self.stage {
            let mut wanted = PollFlags::empty();
            if self.line.len() < LINE_LIMIT {
                wanted |= PollFlags::IN;
            }
            if !self.typed.is_empty() {
                wanted |= PollFlags::OUT;
            }
            // A hang-up is reported whether it is wanted or not, so a full line waits without it.
            if !wanted.is_empty() {
                terminal = Some(PollFd::new(pty.master(), wanted));
            }
        }
        let shell = self.shell.as_ref();
        let shell = shell.map(|(_, pidfd)| PollFd::new(pidfd, PollFlags::IN));
        [Some(PollFd::new(&self.stream, stream)), terminal, shell]
    }

    /// When something has to be done though nothing has happened.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Negotiating(until) | Stage::Leaving { until, .. } => Some(until),
            Stage::Running(..) => None,
        }
    }

    /// Moves bytes on after a wait that gave `events` for the descriptors of [`Session::poll_fds`].
    pub(crate) fn step(&mut self, events: [PollFlags; FDS], login: &Login) -> Fate {
        let [stream, terminal, shell] = events;
        if stream.intersects(PollFlags::ERR | PollFlags::NVAL) {
            return Fate::Over;
        }
        if !self.received.is_empty()
            && stream.intersects(PollFlags::RDHUP | PollFlags::HUP)
            && !matches!(self.stage, Stage::Leaving { .. })
        {
            return Fate::Over;
        }
        if self.received.is_empty()
            && stream.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::RDHUP)
            && self.read_stream() == Fate::Over
        {
            return Fate::Over;
        }
        self.take_received();
        self.start_if_due(login);
        if !shell.is_empty() {
            let ended = |(child, _): &mut (Child, _)| !matches!(child.try_wait(), Ok(None));
            self.shell.take_if(ended);
        }
        self.write_terminal();
        self.read_terminal(terminal);
        self.take_received();
        if self.write_stream() == Fate::Over {
            return Fate::Over;
        }
        self.leave_if_due()
    }

    /// What is left of a session that is over: a shell that has to be waited
    /// for. The terminal is closed, which hangs up the programs on it.
    pub(crate) fn into_child(self) -> Option<Child> {
        self.shell.map(|(child, _)| child)
    }

    fn read_stream(&mut self) -> Fate {
        let mut chunk = [0; CHUNK];
        match read(&self.stream, &mut chunk) {
            Ok(0) => Fate::Over,
            Ok(count) => {
                if !matches!(self.stage, Stage::Leaving { .. }) {
                    self.received.extend_from_slice(&chunk[..count]);
                }
                Fate::Goes
            }
            Err(Errno::AGAIN | Errno::INTR) => Fate::Goes,
            Err(_) => Fate::Over,
        }
    }

    /// Takes apart what was received, as far as there is room for what comes of it.
    fn take_received(&mut self) {
        let mut taken = 0;
        for &byte in &self.received {
            if self.typed.len() >= CHUNK || self.line.len() + MAX_ANSWER > LINE_LIMIT + CHUNK {
                break;
            }
            taken += 1;
            let Some(event) = self.receiver.take(byte, &mut self.line) else {
                continue;
            };
            let terminal = match &self.stage {
                Stage::Running(terminal) => Some(terminal),
                _ => None,
            };
            match event {
                Event::Data(byte) => self.typed.push(byte),
                Event::Key(key) => self.typed.extend(match terminal {
                    Some(terminal) => terminal.key(key),
                    None => default_key(key),
                }),
                Event::AreYouThere => self.line.extend_from_slice(HERE),
                Event::WindowSize(columns, rows) => {
                    self.window_size = (columns, rows);
                    if let Some(terminal) = terminal {
                        terminal.set_size(columns, rows);
                    }
                }
                Event::TerminalType(name) => self.terminal_type = Some(name),
            }
        }
        self.received.drain(..taken);
    }

    /// Starts the shell once the client has told its terminal, or is not going to.
    fn start_if_due(&mut self, login: &Login) {
        let Stage::Negotiating(until) = self.stage else {
            return;
        };
        let speaks_plainly = !self.typed.is_empty() && !self.receiver.has_negotiated();
        if !self.receiver.is_settled() && !speaks_plainly && Instant::now() < until {
            return;
        }
        let (columns, rows) = self.window_size;
        let started = Terminal::open().and_then(|terminal| {
            terminal.set_size(columns, rows);
            let name = self.terminal_type.as_deref().unwrap_or("dumb");
            let shell = terminal.start(&login.program, name)?;
            Ok((terminal, shell))
        });
        match started {
            Ok((terminal, shell)) => {
                self.stage = Stage::Running(terminal);
                self.shell = Some(shell);
            }
            Err(error) => {
                let program = login.program.display();
                let message = format!("telnetd: cannot start {program}: {error}\r\n");
                self.sender.wrap(message.as_bytes(), &mut self.line);
                self.leave();
            }
        }
    }

    fn write_terminal(&mut self) {
        let Stage::Running(terminal) = &self.stage else {
            return;
        };
        if self.typed.is_empty() {
            return;
        }
        match write(terminal.master(), &self.typed) {
            Ok(count) => drop(self.typed.drain(..count)),
            Err(Errno::AGAIN | Errno::INTR) => {}
            // Nobody will read it.
            Err(_) => self.typed.clear(),
        }
    }

    /// Reads what the terminal prints: once, or all that is left after the shell's end.
    fn read_terminal(&mut self, events: PollFlags) {
        let Stage::Running(terminal) = &self.stage else {
            return;
        };
        let has_ended = self.shell.is_none();
        if !has_ended && !events.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            return;
        }
        let mut chunk = [0; CHUNK];
        while self.line.len() < LINE_LIMIT {
            match read(terminal.master(), &mut chunk) {
                Ok(count) if count > 0 => self.sender.wrap(&chunk[..count], &mut self.line),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if !has_ended => return,
                // The shell has ended and all it printed is read, or no program has the terminal.
                _ => return self.leave(),
            }
            if !has_ended {
                return;
            }
        }
    }

    fn write_stream(&mut self) -> Fate {
        if self.line.is_empty() {
            return Fate::Goes;
        }
        match rustix::net::send(&self.stream, &self.line, rustix::net::SendFlags::NOSIGNAL) {
            Ok(count) => drop(self.line.drain(..count)),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => return Fate::Over,
        }
        Fate::Goes
    }

    /// Ends the session from this side: closes the terminal and sends what is left.
    fn leave(&mut self) {
        self.received.clear();
        self.typed.clear();
        self.stage = Stage::Leaving {
            until: Instant::now() + FAREWELL,
            is_shut: false,
        };
    }

    /// Says that nothing follows once all is sent, and waits for the client to
    /// close: closing first would throw away what it has not read.
    fn leave_if_due(&mut self) -> Fate {
        let Stage::Leaving { until, is_shut } = &mut self.stage else {
            return Fate::Goes;
        };
        if Instant::now() >= *until {
            return Fate::Over;
        }
        if self.line.is_empty() && !*is_shut {
            *is_shut = true;
            if self.stream.shutdown(std::net::Shutdown::Write).is_err() {
                return Fate::Over;
            }
        }
        Fate::Goes
    }
}

/// The usual characters, for keys before there is a terminal.
fn default_key(key: Key) -> Option<u8> {
    Some(match key {
        Key::Interrupt => 0x03,
        Key::Quit => 0x1c,
        Key::Suspend => 0x1a,
        Key::EndOfFile => 0x04,
        Key::Erase => 0x7f,
        Key::Kill => 0x15,
    })
}
