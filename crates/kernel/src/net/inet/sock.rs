//! What the stack knows of a socket: [`Sock`], common to all protocols.

use core::net::{Ipv4Addr, SocketAddrV4};

use linux_abi::Errno;

use super::datagram::Datagrams;
use super::options::Options;
use super::ports::Space;
use super::stack::Stack;
use super::tcp::Stream;
use crate::net::socket::Shut;
use crate::sched::WaitQueue;

/// Names a socket for as long as the stack exists.
pub(super) type Id = u64;

/// No address and no port.
pub(super) const NOWHERE: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);

/// A socket.
#[derive(Debug)]
pub(super) struct Sock {
    /// Woken whenever its readiness may have changed.
    pub(super) queue: WaitQueue,
    pub(super) options: Options,
    /// An error that waits to be told.
    pub(super) error: Option<Errno>,
    pub(super) local: SocketAddrV4,
    pub(super) remote: Option<SocketAddrV4>,
    /// The address, the port were asked for, and stay when a connection ends.
    pub(super) keeps_addr: bool,
    pub(super) keeps_port: bool,
    /// It has a place in the table of ports.
    pub(super) has_port: bool,
    pub(super) shut: Shut,
    pub(super) uid: u32,
    pub(super) body: Body,
}

/// What differs between the protocols.
#[derive(Debug)]
pub(super) enum Body {
    Stream(Stream),
    Datagrams(Datagrams),
}

impl Sock {
    pub(super) fn new(body: Body, uid: u32) -> Self {
        let is_stream = matches!(body, Body::Stream(_));
        Self {
            queue: WaitQueue::new(),
            options: Options::new(is_stream),
            error: None,
            local: NOWHERE,
            remote: None,
            keeps_addr: false,
            keeps_port: false,
            has_port: false,
            shut: Shut::empty(),
            uid,
            body,
        }
    }

    pub(super) fn stream(&self) -> Option<&Stream> {
        match &self.body {
            Body::Stream(stream) => Some(stream),
            Body::Datagrams(_) => None,
        }
    }

    pub(super) fn stream_mut(&mut self) -> Option<&mut Stream> {
        match &mut self.body {
            Body::Stream(stream) => Some(stream),
            Body::Datagrams(_) => None,
        }
    }

    pub(super) fn datagrams(&self) -> Option<&Datagrams> {
        match &self.body {
            Body::Datagrams(datagrams) => Some(datagrams),
            Body::Stream(_) => None,
        }
    }

    pub(super) fn datagrams_mut(&mut self) -> Option<&mut Datagrams> {
        match &mut self.body {
            Body::Datagrams(datagrams) => Some(datagrams),
            Body::Stream(_) => None,
        }
    }

    /// True if it takes connections.
    pub(super) fn is_listening(&self) -> bool {
        self.stream().is_some_and(|stream| stream.listening.is_some())
    }

    /// What its port is a number of; raw sockets have none.
    pub(super) fn space(&self) -> Option<Space> {
        match &self.body {
            Body::Stream(_) => Some(Space::Tcp),
            Body::Datagrams(datagrams) => datagrams.space(),
        }
    }
}

impl Stack {
    /// Adds a socket and gives its name.
    pub(super) fn insert(&mut self, sock: Sock) -> Id {
        self.last_id += 1;
        self.socks.insert(self.last_id, sock);
        self.last_id
    }

    /// Tells a socket of an error.
    pub(super) fn fail(&mut self, id: Id, errno: Errno) {
        if let Some(sock) = self.socks.get_mut(&id) {
            sock.error = Some(errno);
            let queue = sock.queue.clone();
            self.wake(&queue);
        }
    }

    /// The port of a socket is free for others.
    pub(super) fn release_port(&mut self, id: Id) {
        if let Some(sock) = self.socks.get_mut(&id)
            && core::mem::take(&mut sock.has_port)
            && let Some(space) = sock.space()
        {
            self.ports.remove(space, sock.local.port(), id);
        }
    }
}
