//! TCP sockets over smoltcp's state machine.
//!
//! smoltcp knows neither a backlog nor what becomes of a socket that its
//! program has closed. So a socket of the engine exists only for a connection:
//! it is made when a program connects ([`calls`]), or when the first segment
//! of a connection arrives for a listener with room in its backlog
//! ([`arrive`]), and it goes when the connection has ended. What it had
//! received moves to [`Stream::tail`] then, and the last state of TCP, which
//! only answers segments that come late, is an entry of a table
//! ([`time_wait`]) without timers or buffers.

mod arrive;
mod calls;
mod time_wait;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::SocketAddrV4;

use hashbrown::HashMap;
use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp::{CongestionControl, Socket, SocketBuffer, State};
use smoltcp::time::Duration;

use super::link::LOOPBACK;
use super::options::{Flags, Options};
use super::sock::{Id, Sock};
use super::stack::Stack;
use time_wait::Waiting;

/// A connection that a program has closed is given up if the other end is
/// silent for so long.
const ORPHAN_NS: u64 = 60_000_000_000;
/// How long data may go without an acknowledgement (`tcp_retries2`).
const SEND_TIMEOUT_MS: u64 = 924_600;
/// How long a connection may take to be made, by the other end.
const HALF_OPEN_MS: u64 = 63_000;

/// The buffers of a connection have at least this size.
const LEAST_BUFFER: usize = 4096;
const MOST_BUFFER: usize = 4 << 20;

/// Both ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::net::inet) struct Tuple {
    pub(in crate::net::inet) local: SocketAddrV4,
    pub(in crate::net::inet) remote: SocketAddrV4,
}

/// Where a stream stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not connected, or not any more since connecting failed.
    #[default]
    Idle,
    Connecting,
    /// Being made from outside; nobody can accept it yet.
    HalfOpen,
    /// It is connected, or was until it ended.
    Connected,
}

/// What makes a socket a listener.
#[derive(Debug, Default)]
pub(super) struct Listening {
    pub(super) limit: usize,
    /// Connections to be accepted.
    pub(super) ready: VecDeque<Id>,
    half_open: Vec<Id>,
}

/// The state of a TCP socket.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) listening: Option<Listening>,
    pub(super) stage: Stage,
    /// The engine's socket, and the link whose engine it is.
    engine: Option<(usize, SocketHandle)>,
    /// The engine's state when it was last looked at.
    pub(super) seen: Option<State>,
    /// The listener that it belongs to until it is accepted.
    parent: Option<Id>,
    /// A program has it; without that and without a parent it is an orphan.
    pub(super) has_file: bool,
    /// The result of connecting has not been told by `connect`.
    is_untold: bool,
    /// The other end will send no more.
    fin_seen: bool,
    /// The connection has ended.
    is_over: bool,
    /// What was received and not read when the engine's socket went.
    tail: VecDeque<u8>,
    /// Bytes to be read when they were last counted.
    queued: usize,
    /// A writer waits for room.
    wants_room: bool,
    /// Bytes of buffers.
    memory: usize,
}

/// All connections.
#[derive(Debug)]
pub(super) struct Connections {
    by_tuple: HashMap<Tuple, Id>,
    waiting: Waiting,
    /// Connections that only wait for the other end to finish, until when.
    orphans: HashMap<Id, u64>,
    /// Engine sockets that have a reset to send.
    dying: Vec<(usize, SocketHandle)>,
    /// Bytes of all buffers, and the most there may be.
    memory: usize,
    limit: usize,
}

impl Connections {
    /// None, with buffers of up to `limit` bytes in all.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            by_tuple: HashMap::new(),
            waiting: Waiting::default(),
            orphans: HashMap::new(),
            dying: Vec::new(),
            memory: 0,
            limit,
        }
    }

    /// The connections of a local port; those without a socket have ended.
    pub(super) fn on_port(&self, port: u16, now_ns: u64) -> impl Iterator<Item = (Tuple, Option<Id>)> {
        let open = self.by_tuple.iter().map(|(tuple, id)| (*tuple, Some(*id)));
        let ended = self.waiting.list(now_ns).map(|tuple| (tuple, None));
        open.chain(ended).filter(move |(tuple, _)| tuple.local.port() == port)
    }

    /// The connections that have ended a short time ago, for `/proc/net/tcp`.
    pub(super) fn ended(&self, now_ns: u64) -> impl Iterator<Item = Tuple> {
        self.waiting.list(now_ns)
    }

    /// True if there is such a connection.
    fn has(&self, tuple: &Tuple, now_ns: u64) -> bool {
        self.by_tuple.contains_key(tuple) || self.waiting.has(tuple, now_ns)
    }

    /// When the next orphan is to be given up.
    pub(super) fn next_orphan_ns(&self) -> Option<u64> {
        self.orphans.values().min().copied()
    }
}

impl Stream {
    /// True once the connection has ended.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Bytes to be read.
    pub(super) fn unread(&self) -> usize {
        self.queued
    }
}

impl Stack {
    /// The engine's socket of a stream.
    fn engine_of(&mut self, id: Id) -> Option<&mut Socket<'static>> {
        let (link, handle) = self.socks.get(&id)?.stream()?.engine?;
        Some(self.links.get_mut(link)?.sockets.get_mut::<Socket<'static>>(handle))
    }

    /// Makes a socket of the engine of `link` for a stream; `None` if there is
    /// no memory for it.
    fn make_engine(&mut self, link: usize, options: &Options) -> Option<(SocketHandle, usize)> {
        let share = self.connections.limit.saturating_sub(self.connections.memory) / 16;
        let size = |wanted: usize| wanted.clamp(LEAST_BUFFER, MOST_BUFFER).min(share);
        let (receive, send) = (size(options.receive_limit), size(options.send_limit));
        if receive < LEAST_BUFFER || send < LEAST_BUFFER {
            return None;
        }
        let mut socket = Socket::new(SocketBuffer::new(zeros(receive)?), SocketBuffer::new(zeros(send)?));
        if link == LOOPBACK {
            // Nothing is lost there, and nobody has to share the way.
            socket.set_ack_delay(None);
        } else {
            socket.set_congestion_control(CongestionControl::Reno);
        }
        apply_options(&mut socket, options);
        let handle = self.links.get_mut(link)?.sockets.add(socket);
        self.connections.memory += receive + send;
        Some((handle, receive + send))
    }

    /// Lets an option that was set take effect.
    pub(super) fn options_changed(&mut self, id: Id) {
        let Some(options) = self.socks.get(&id).map(|sock| sock.options.clone()) else { return };
        let link = self.socks.get(&id).and_then(Sock::stream).and_then(|stream| stream.engine).map(|engine| engine.0);
        if let Some(socket) = self.engine_of(id) {
            apply_options(socket, &options);
        }
        if let Some(link) = link {
            self.touch(link);
        }
    }

    /// Lets go of a stream's engine socket and keeps what it has received.
    fn end_engine(&mut self, id: Id) {
        let Some(stream) = self.socks.get_mut(&id).and_then(Sock::stream_mut) else { return };
        let Some((link, handle)) = stream.engine.take() else { return };
        let is_wanted = stream.has_file || stream.parent.is_some();
        let memory = core::mem::take(&mut stream.memory);
        self.connections.memory = self.connections.memory.saturating_sub(memory);
        if let Some(link) = self.links.get_mut(link) {
            let smoltcp::socket::Socket::Tcp(mut socket) = link.sockets.remove(handle) else { return };
            while is_wanted && socket.can_recv() {
                let tail = &mut stream.tail;
                let taken = socket.recv(|bytes| {
                    let fits = tail.try_reserve(bytes.len()).is_ok();
                    if fits {
                        tail.extend(bytes.iter());
                    }
                    (bytes.len(), fits)
                });
                if taken != Ok(true) {
                    break;
                }
            }
            stream.queued = stream.tail.len();
        }
        self.forget_tuple(id);
    }

    /// The two ends of a stream are free for another connection.
    fn forget_tuple(&mut self, id: Id) {
        if let Some(tuple) = self.tuple_of(id)
            && self.connections.by_tuple.get(&tuple) == Some(&id)
        {
            self.connections.by_tuple.remove(&tuple);
        }
    }

    fn tuple_of(&self, id: Id) -> Option<Tuple> {
        let sock = self.socks.get(&id)?;
        Some(Tuple { local: sock.local, remote: sock.remote? })
    }

    /// Resets a connection and lets go of its engine socket.
    fn abort_engine(&mut self, id: Id) {
        let Some(socket) = self.engine_of(id) else { return };
        socket.abort();
        let Some(stream) = self.socks.get_mut(&id).and_then(Sock::stream_mut) else { return };
        let Some((link, handle)) = stream.engine.take() else { return };
        let memory = core::mem::take(&mut stream.memory);
        self.connections.memory = self.connections.memory.saturating_sub(memory);
        self.connections.dying.push((link, handle));
        self.forget_tuple(id);
        self.touch(link);
    }

    /// Removes a stream that nobody has any more.
    fn remove_stream(&mut self, id: Id) {
        self.end_engine(id);
        self.release_port(id);
        self.connections.orphans.remove(&id);
        self.socks.remove(&id);
    }

    /// Looks at the connections of a link after its engine has sent: some may
    /// have ended because the other end is silent.
    pub(super) fn connections_sent(&mut self, index: usize) {
        let Some(link) = self.links.get_mut(index) else { return };
        let is_up = link.is_up;
        self.connections.dying.retain(|(of, handle)| {
            let is_done = || link.sockets.get::<Socket<'static>>(*handle).remote_endpoint().is_none();
            let goes = *of == index && (!is_up || is_done());
            if goes {
                link.sockets.remove(*handle);
            }
            !goes
        });
        let ids: Vec<Id> = self.connections.by_tuple.values().copied().collect();
        for id in ids {
            let engine = self.socks.get(&id).and_then(Sock::stream).and_then(|stream| stream.engine);
            if engine.is_some_and(|(link, _)| link == index)
                && self.engine_of(id).is_some_and(|socket| socket.state() == State::Closed)
            {
                self.connection_timed_out(id);
            }
        }
    }
}

/// A buffer of zeros, if there is memory for it.
fn zeros(len: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).ok()?;
    bytes.resize(len, 0);
    Some(bytes)
}

fn apply_options(socket: &mut Socket<'_>, options: &Options) {
    socket.set_nagle_enabled(!options.flags.contains(Flags::NO_DELAY));
    socket.set_hop_limit(Some(options.ttl.max(1)));
    let idle = u64::from(options.keep_idle);
    let keeps_alive = options.flags.contains(Flags::KEEP_ALIVE);
    let was_kept_alive = socket.keep_alive().is_some();
    socket.set_keep_alive(keeps_alive.then(|| Duration::from_secs(idle)));
    if keeps_alive {
        let patience = u64::from(options.keep_interval).saturating_mul(u64::from(options.keep_count));
        socket.set_timeout(Some(Duration::from_secs(idle.saturating_add(patience))));
    } else if was_kept_alive {
        socket.set_timeout(None);
    }
}

/// How long what is sent may go unanswered.
fn send_timeout(options: &Options) -> Duration {
    let ms = if options.user_timeout_ms == 0 { SEND_TIMEOUT_MS } else { u64::from(options.user_timeout_ms) };
    Duration::from_millis(ms)
}

/// How long connecting may take: each try waits twice as long as the last.
fn connect_timeout(options: &Options) -> Duration {
    Duration::from_secs((1_u64 << options.syn_count.saturating_add(1).min(16)) - 1)
}
