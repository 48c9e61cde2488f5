//! A local socket: [`Socket`], its state, and what it is as an open file.
//!
//! A connected socket holds its peer, and the peer holds it, until
//! [`Socket::close`] lets go; that runs when the last descriptor is gone, or
//! when a connection is dropped that nobody has accepted.
//!
//! Locks, outermost first: a state, a backlog, an inbox. Two states are never
//! locked together. All that a caller may wait for wakes the socket's own
//! queue.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use linux_abi::Errno;
use linux_abi::ioctl::{FIONREAD, TIOCOUTQ};
use linux_abi::poll::PollEvents;
use linux_abi::socket::{SHUT_RD, SHUT_RDWR, SHUT_WR, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, Ucred};
use machine::GuestAddr;
use machine::sync::Mutex;

use super::Net;
use super::address::{Address, Key};
use super::buffer::{Account, DEFAULT_LIMIT, Inbox, Message};
use super::receive::Received;
use crate::error::{Because, Result};
use crate::fs::{File, FileOps, IoBuf, Path};
use crate::sched::WaitQueue;
use crate::syscall::{Cx, Outcome};
use crate::task::Task;

/// What a socket carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Bytes, over a connection.
    Stream,
    /// Records, one by one.
    Datagram,
    /// Records, over a connection.
    SeqPacket,
}

impl Kind {
    /// As `SO_TYPE`.
    pub(super) const fn number(self) -> u32 {
        match self {
            Self::Stream => SOCK_STREAM,
            Self::Datagram => SOCK_DGRAM,
            Self::SeqPacket => SOCK_SEQPACKET,
        }
    }

    /// True if it needs a connection.
    pub(super) const fn connects(self) -> bool {
        !matches!(self, Self::Datagram)
    }
}

bitflags::bitflags! {
    /// Directions that have been shut down.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(super) struct Shut: u8 {
        /// Nothing more is received.
        const READ = 1;
        /// Nothing more is sent.
        const WRITE = 2;
    }
}

impl Shut {
    /// From the argument of `shutdown`.
    ///
    /// # Errors
    /// `EINVAL`.
    pub(super) fn from_how(how: u32) -> Result<Self> {
        match how {
            SHUT_RD => Ok(Self::READ),
            SHUT_WR => Ok(Self::WRITE),
            SHUT_RDWR => Ok(Self::all()),
            _ => Err(Errno::EINVAL.because("no such direction")),
        }
    }

    /// The same as the other end sees it.
    fn mirrored(self) -> Self {
        let mut other = Self::empty();
        other.set(Self::READ, self.contains(Self::WRITE));
        other.set(Self::WRITE, self.contains(Self::READ));
        other
    }
}

/// Where a socket stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// New.
    #[default]
    Idle,
    /// It takes connections.
    Listening,
    /// It is or was connected.
    Connected,
}

/// A name that a socket is bound to.
#[derive(Clone, Debug)]
pub(super) struct Binding {
    pub(super) key: Key,
    /// The file; held so that its number stays its own.
    pub(super) path: Option<Path>,
}

/// What changes about a socket, apart from its contents.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) binding: Option<Binding>,
    /// The name outlives the binding, for peers that ask.
    pub(super) name: Option<Address>,
    pub(super) peer: Option<Arc<Socket>>,
    pub(super) shut: Shut,
    pub(super) error: Option<Errno>,
    /// Who connected, or listened: `SO_PEERCRED`.
    pub(super) peer_cred: Option<Ucred>,
    pub(super) passes_cred: bool,
    pub(super) receive_timeout_ns: Option<u64>,
    pub(super) send_timeout_ns: Option<u64>,
    /// Options that are remembered and change nothing between local sockets.
    pub(super) flags: super::options::Remembered,
    pub(super) receive_limit: usize,
    is_closed: bool,
}

/// Connections that nobody has accepted yet.
#[derive(Debug)]
pub(super) struct Backlog {
    pub(super) limit: usize,
    pub(super) pending: VecDeque<Arc<Socket>>,
    /// Who listens, for `SO_PEERCRED` of those who connect.
    pub(super) cred: Ucred,
}

/// A local socket.
pub(crate) struct Socket {
    net: Arc<Net>,
    kind: Kind,
    pub(super) state: Mutex<State>,
    pub(super) backlog: Mutex<Option<Backlog>>,
    pub(super) inbox: Inbox,
    pub(super) account: Arc<Account>,
    queue: WaitQueue,
    /// Held by whoever gives it a name.
    pub(super) naming: Mutex<()>,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No state: it holds the peer, which holds this socket.
        write!(f, "Socket({:?}, {:?})", self.kind, self.account)
    }
}

impl Socket {
    pub(super) fn new(net: &Arc<Net>, kind: Kind) -> Arc<Self> {
        let queue = WaitQueue::new();
        Arc::new(Self {
            net: net.clone(),
            kind,
            state: Mutex::new(State { receive_limit: DEFAULT_LIMIT, ..State::default() }),
            backlog: Mutex::new(None),
            inbox: Inbox::default(),
            account: Account::new(net.total(), &queue),
            queue,
            naming: Mutex::new(()),
        })
    }

    /// The network of its kernel.
    pub(super) fn net(&self) -> &Arc<Net> {
        &self.net
    }

    /// What it carries.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Woken whenever something changes.
    pub(super) fn queue(&self) -> &WaitQueue {
        &self.queue
    }

    /// Makes it one end of a connection.
    pub(super) fn join(&self, peer: &Arc<Self>, cred: Ucred) {
        let mut state = self.state.lock();
        state.phase = Phase::Connected;
        state.peer = Some(peer.clone());
        state.peer_cred = Some(cred);
    }

    /// The name it is bound to.
    pub(super) fn name(&self) -> Option<Address> {
        self.state.lock().name.clone()
    }

    /// Takes the error that waits to be told.
    pub(super) fn take_error(&self) -> Option<Errno> {
        self.state.lock().error.take()
    }

    /// Shuts directions down, here and at the other end of a connection.
    pub(super) fn shut_down(&self, how: Shut) {
        let peer = {
            let mut state = self.state.lock();
            state.shut |= how;
            state.peer.clone().filter(|_| self.kind.connects())
        };
        if let Some(peer) = peer {
            peer.state.lock().shut |= how.mirrored();
            peer.queue.wake_all();
        }
        self.queue.wake_all();
    }

    /// Ends the socket: its name is free, its peer learns of it, and what has
    /// not been received is dropped.
    pub(super) fn close(&self) {
        self.close_as(false);
    }

    fn close_as(&self, never_accepted: bool) {
        let (peer, binding) = {
            let mut state = self.state.lock();
            if core::mem::replace(&mut state.is_closed, true) {
                return;
            }
            state.shut = Shut::all();
            (state.peer.take(), state.binding.take())
        };
        if let Some(binding) = &binding {
            self.net.names.remove(&binding.key);
        }
        let backlog = self.backlog.lock().take();
        for waiting in backlog.into_iter().flat_map(|backlog| backlog.pending) {
            waiting.close_as(true);
        }
        let unread = self.inbox.close();
        if let Some(peer) = peer.filter(|_| self.kind.connects()) {
            let mut state = peer.state.lock();
            state.shut = Shut::all();
            if never_accepted || !unread.is_empty() {
                state.error = Some(Errno::ECONNRESET);
            }
            drop(state);
            peer.queue.wake_all();
        }
        self.queue.wake_all();
        drop(unread);
    }

    /// The files in its inbox, and in those of connections that wait to be
    /// accepted.
    pub(super) fn files_within<T>(&self, of: impl Fn(&Arc<File>) -> T + Copy) -> Vec<T> {
        let mut all = Vec::new();
        for message in &self.inbox.lock().queue {
            all.extend(message.rights.iter().flat_map(|rights| rights.files()).map(of));
        }
        for waiting in self.waiting() {
            for message in &waiting.inbox.lock().queue {
                all.extend(message.rights.iter().flat_map(|rights| rights.files()).map(of));
            }
        }
        all
    }

    /// Takes everything out of the inboxes that [`Socket::files_within`] sees.
    pub(super) fn empty(&self) -> Vec<Message> {
        let mut all: Vec<Message> = self.inbox.drain().into();
        for waiting in self.waiting() {
            all.extend(waiting.inbox.drain());
        }
        all
    }

    fn waiting(&self) -> Vec<Arc<Self>> {
        self.backlog.lock().iter().flat_map(|backlog| backlog.pending.iter().cloned()).collect()
    }

    /// What it is ready for.
    fn poll(&self) -> PollEvents {
        let (phase, shut, has_error, peer) = {
            let state = self.state.lock();
            let peer = state.peer.clone().filter(|_| !self.kind.connects());
            (state.phase, state.shut, state.error.is_some(), peer)
        };
        let mut events = PollEvents::empty();
        if has_error {
            events |= PollEvents::POLLERR;
        }
        if shut == Shut::all() || self.kind.connects() && phase == Phase::Idle {
            events |= PollEvents::POLLHUP;
        }
        let mut is_readable = self.inbox.has_messages();
        if shut.contains(Shut::READ) {
            events |= PollEvents::POLLRDHUP;
            is_readable = true;
        }
        if phase == Phase::Listening {
            is_readable |= self.backlog.lock().as_ref().is_some_and(|backlog| !backlog.pending.is_empty());
        } else if self.account.is_writable() && !peer.is_some_and(|peer| self.is_blocked_by(&peer)) {
            events |= PollEvents::POLLOUT | PollEvents::POLLWRNORM | PollEvents::POLLWRBAND;
        }
        if is_readable {
            events |= PollEvents::POLLIN | PollEvents::POLLRDNORM;
        }
        events
    }

    /// True if so many datagrams wait at `peer` that it takes no more from
    /// here; this socket is woken once it does. A peer that sends here only
    /// has no such limit.
    pub(super) fn is_blocked_by(&self, peer: &Self) -> bool {
        let is_pair = peer.state.lock().peer.as_ref().is_some_and(|back| core::ptr::eq(Arc::as_ptr(back), self));
        !is_pair && peer.inbox.is_full_for(&self.account)
    }

    /// Bytes that can be read now; of records, those of the first.
    fn pending(&self) -> Result<usize> {
        if self.state.lock().phase == Phase::Listening {
            return Err(Errno::EINVAL.because("it listens, and has nothing to read"));
        }
        let messages = self.inbox.lock();
        Ok(match self.kind {
            Kind::Datagram => messages.queue.front().map_or(0, |message| message.rest().len()),
            Kind::Stream | Kind::SeqPacket => messages.bytes,
        })
    }
}

/// An open socket.
#[derive(Debug)]
pub(crate) struct SocketFile(Arc<Socket>);

impl SocketFile {
    pub(super) fn new(socket: Arc<Socket>) -> Arc<Self> {
        Arc::new(Self(socket))
    }

    /// The socket.
    pub(super) fn socket(&self) -> &Arc<Socket> {
        &self.0
    }
}

impl FileOps for SocketFile {
    fn read(&self, _file: &File, _task: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        if buf.is_at_end() {
            return Ok(0);
        }
        self.0.receive(buf, false, &mut Received::default())
    }

    fn read_deadline(&self, _file: &File, since_ns: u64) -> Option<u64> {
        self.0.state.lock().receive_timeout_ns.map(|timeout| since_ns.saturating_add(timeout))
    }

    fn read_late(&self, _file: &File, _buf: &mut IoBuf<'_>) -> Result<usize> {
        Err(Errno::EAGAIN.because("the time limit of the socket is over"))
    }

    fn write(&self, _file: &File, task: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        self.0.send(buf, super::cred_of(task), None, &mut None)
    }

    fn writes_all(&self) -> bool {
        self.0.kind == Kind::Stream
    }

    fn ioctl(&self, _file: &Arc<File>, cx: &mut Cx<'_>, command: u32, arg: GuestAddr) -> Outcome {
        let value = match command {
            FIONREAD => self.0.pending(),
            TIOCOUTQ => Ok(self.0.account.used()),
            _ => {
                let done = super::inet::interface_ioctl(cx, self.0.net.inet(), command, arg);
                return Outcome::Done(done.map(|()| 0));
            }
        };
        let stored = value.and_then(|value| cx.task.mm().write_u32(arg, u32::try_from(value).unwrap_or(u32::MAX)));
        Outcome::Done(stored.map(|()| 0))
    }

    fn poll(&self, _file: &File) -> PollEvents {
        self.0.poll()
    }

    fn wait_queue(&self) -> Option<WaitQueue> {
        Some(self.0.queue.clone())
    }

    fn release(&self, _file: &File) {
        self.0.close();
        self.0.net.collect();
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}
