//! What programs do with TCP sockets. Nothing here waits: `EAGAIN` says that
//! a call would.

use alloc::collections::VecDeque;
use core::net::{Ipv4Addr, SocketAddrV4};

use linux_abi::Errno;
use linux_abi::poll::PollEvents;
use linux_abi::socket::MsgFlags;
use smoltcp::socket::tcp::Socket;

use super::{HALF_OPEN_MS, Stage, Stream, Tuple, connect_timeout, send_timeout};
use crate::error::{Because, Error, Result};
use crate::fs::IoBuf;
use crate::net::inet::link::LOOPBACK;
use crate::net::inet::ports::{Bound, Space};
use crate::net::inet::sock::{Body, Id, Sock};
use crate::net::inet::stack::Stack;
use crate::net::socket::Shut;
use smoltcp::time::Duration;

fn closed() -> Error {
    Errno::EBADF.because("the socket is closed")
}

impl Stack {
    /// Adds a TCP socket.
    pub(in crate::net::inet) fn new_stream(&mut self, uid: u32) -> Id {
        let stream = Stream { has_file: true, ..Stream::default() };
        self.insert(Sock::new(Body::Stream(stream), uid))
    }

    /// Lets a socket take connections.
    ///
    /// # Errors
    /// `EINVAL` if it is connected, `EADDRINUSE`.
    pub(in crate::net::inet) fn listen(&mut self, id: Id, limit: usize) -> Result<()> {
        self.autobind(id)?;
        let sock = self.socks.get(&id).ok_or_else(closed)?;
        let (addr, port) = (*sock.local.ip(), sock.local.port());
        let stream = sock.stream().ok_or(Errno::EOPNOTSUPP.because("the socket takes no connections"))?;
        if stream.stage != Stage::Idle {
            return Err(Errno::EINVAL.because("the socket is connected"));
        }
        // Two may be bound to one port, but one alone listens there.
        if stream.listening.is_none() && !self.may_bind(Space::Tcp, id, addr, port) {
            return Err(Errno::EADDRINUSE.because("another socket listens there"));
        }
        let sock = self.socks.get_mut(&id).ok_or_else(closed)?;
        sock.shut = Shut::empty();
        let queue = sock.queue.clone();
        if let Some(stream) = sock.stream_mut() {
            stream.listening.get_or_insert_default().limit = limit;
        }
        self.wake(&queue);
        Ok(())
    }

    /// Begins to connect, or tells how connecting has gone: `EAGAIN` while it
    /// is under way. `has_begun` is false at the first try of a call; the
    /// result tells that it is under way since an earlier call.
    ///
    /// # Errors
    /// As `connect`.
    pub(in crate::net::inet) fn connect_stream(
        &mut self,
        id: Id,
        to: SocketAddrV4,
        has_begun: &mut bool,
        is_repeated: &mut bool,
    ) -> Result<()> {
        let sock = self.socks.get_mut(&id).ok_or_else(closed)?;
        let error = sock.error;
        let stream = sock.stream_mut().ok_or_else(closed)?;
        if stream.listening.is_some() {
            return Err(Errno::EISCONN.because("the socket listens"));
        }
        match stream.stage {
            Stage::Connected if core::mem::take(&mut stream.is_untold) && !stream.is_over => Ok(()),
            Stage::Connected => {
                if stream.is_over && error.is_some() {
                    return Err(sock.error.take().unwrap_or(Errno::EISCONN).because("the connection has ended"));
                }
                Err(Errno::EISCONN.because("the socket is connected"))
            }
            Stage::Connecting | Stage::HalfOpen => {
                *is_repeated |= !core::mem::replace(has_begun, true);
                Err(Errno::EAGAIN.because("the connection is being made"))
            }
            Stage::Idle if *has_begun || stream.is_untold => {
                stream.is_untold = false;
                let errno = sock.error.take().unwrap_or(Errno::ECONNABORTED);
                Err(errno.because("the connection could not be made"))
            }
            Stage::Idle => {
                self.start_connecting(id, to)?;
                *has_begun = true;
                Err(Errno::EAGAIN.because("the connection is being made"))
            }
        }
    }

    fn start_connecting(&mut self, id: Id, to: SocketAddrV4) -> Result<()> {
        let sock = self.socks.get(&id).ok_or_else(closed)?;
        let options = sock.options.clone();
        let addr = if to.ip().is_unspecified() { Ipv4Addr::LOCALHOST } else { *to.ip() };
        let remote = SocketAddrV4::new(addr, to.port());
        if self.is_broadcast(addr) || addr.is_multicast() {
            return Err(Errno::ENETUNREACH.because("a connection has two ends"));
        }
        let hop = self.route(addr, options.link)?;
        let source = if sock.local.ip().is_unspecified() { hop.source } else { *sock.local.ip() };
        // An address of another link would bring the answers to that link.
        let link = hop.link;
        if remote.port() == 0 {
            return Err(Errno::ECONNREFUSED.because("nobody listens at port 0"));
        }
        let port = self.port_to_connect_from(id, source, remote)?;
        let tuple = Tuple { local: SocketAddrV4::new(source, port), remote };
        if self.connections.has(&tuple, self.now_ns) && !self.takes_over(&tuple) {
            return Err(Errno::EADDRNOTAVAIL.because("there is such a connection"));
        }
        let no_room = || Errno::ENOBUFS.because("connections take up too much memory");
        let (handle, memory) = self.make_engine(link, &options).ok_or_else(no_room)?;
        let own = self.links.get_mut(link).ok_or_else(no_room)?;
        let socket = own.sockets.get_mut::<Socket<'static>>(handle);
        socket.set_timeout(Some(connect_timeout(&options)));
        if socket.connect(own.engine.context(), tuple.remote, tuple.local).is_err() {
            own.sockets.remove(handle);
            self.connections.memory = self.connections.memory.saturating_sub(memory);
            return Err(Errno::EADDRNOTAVAIL.because("there is no such end of a connection"));
        }
        let state = socket.state();
        self.connections.by_tuple.insert(tuple, id);
        if let Some(sock) = self.socks.get_mut(&id) {
            (sock.local, sock.remote, sock.error, sock.shut) = (tuple.local, Some(remote), None, Shut::empty());
            if let Some(stream) = sock.stream_mut() {
                let has_file = stream.has_file;
                *stream = Stream {
                    stage: Stage::Connecting,
                    engine: Some((link, handle)),
                    seen: Some(state),
                    is_untold: true,
                    has_file,
                    memory,
                    ..Stream::default()
                };
            }
        }
        self.touch(link);
        Ok(())
    }

    /// A connection that has ended may be followed by another.
    fn takes_over(&mut self, tuple: &Tuple) -> bool {
        let is_open = self.connections.by_tuple.contains_key(tuple);
        if !is_open {
            self.connections.waiting.remove(tuple);
        }
        !is_open
    }

    /// The port of a socket, or one for a connection to `remote`.
    fn port_to_connect_from(&mut self, id: Id, addr: Ipv4Addr, remote: SocketAddrV4) -> Result<u16> {
        let sock = self.socks.get(&id).ok_or_else(closed)?;
        if sock.has_port {
            return Ok(sock.local.port());
        }
        let port = self.free_port(Space::Tcp, |stack, port| {
            let tuple = Tuple { local: SocketAddrV4::new(addr, port), remote };
            stack.ports.of(Space::Tcp, port).is_empty() && !stack.connections.has(&tuple, stack.now_ns)
        });
        let port = port.ok_or(Errno::EADDRNOTAVAIL.because("all ports are in use"))?;
        self.ports.add(Space::Tcp, port, Bound { id, addr });
        if let Some(sock) = self.socks.get_mut(&id) {
            sock.has_port = true;
            sock.local.set_port(port);
        }
        Ok(port)
    }

    /// Takes the next connection that waits to be accepted.
    ///
    /// # Errors
    /// `EINVAL` if the socket does not listen, `EAGAIN` if nobody has connected.
    pub(in crate::net::inet) fn accept(&mut self, id: Id) -> Result<Id> {
        let stream = self.socks.get_mut(&id).ok_or_else(closed)?.stream_mut();
        let stream = stream.ok_or(Errno::EOPNOTSUPP.because("the socket takes no connections"))?;
        let listening = stream.listening.as_mut().ok_or(Errno::EINVAL.because("the socket does not listen"))?;
        let child = listening.ready.pop_front().ok_or(Errno::EAGAIN.because("nobody has connected"))?;
        if let Some(stream) = self.socks.get_mut(&child).and_then(Sock::stream_mut) {
            (stream.parent, stream.has_file) = (None, true);
        }
        Ok(child)
    }

    /// Takes bytes of a stream to be sent.
    ///
    /// # Errors
    /// `EAGAIN` if there is no room; `EPIPE`, `EFAULT`, and an error that the
    /// connection met with.
    pub(in crate::net::inet) fn send_stream(&mut self, id: Id, buf: &mut IoBuf<'_>) -> Result<usize> {
        let sock = self.socks.get_mut(&id).ok_or_else(closed)?;
        if let Some(errno) = sock.error.take() {
            return Err(errno.because("the connection met with an error"));
        }
        let (is_shut, timeout) = (sock.shut.contains(Shut::WRITE), send_timeout(&sock.options));
        let stream = sock.stream_mut().ok_or_else(closed)?;
        match stream.stage {
            Stage::Connecting => return Err(Errno::EAGAIN.because("the connection is being made")),
            Stage::Connected if !is_shut && !stream.is_over => {}
            _ => return Err(Errno::EPIPE.because("the connection takes nothing more")),
        }
        let link = stream.engine.map_or(LOOPBACK, |(link, _)| link);
        let socket = self.engine_of(id).ok_or(Errno::EPIPE.because("the connection has ended"))?;
        if !socket.may_send() {
            return Err(Errno::EPIPE.because("the connection takes nothing more"));
        }
        if socket.keep_alive().is_none() {
            socket.set_timeout(Some(timeout));
        }
        let mut total = 0;
        while !buf.is_at_end() && socket.can_send() {
            let taken = socket.send(|room| match buf.take(room) {
                Ok(count) => (count, Ok(count)),
                Err(error) => (0, Err(error)),
            });
            match taken {
                Ok(Ok(count)) if count > 0 => total += count,
                Ok(Err(error)) if total == 0 => return Err(error),
                _ => break,
            }
        }
        let is_full = !buf.is_at_end() && !socket.can_send();
        let is_crowded = !has_room(socket);
        if let Some(stream) = self.socks.get_mut(&id).and_then(Sock::stream_mut) {
            stream.wants_room |= is_crowded;
        }
        self.touch(link);
        if total == 0 && is_full {
            return Err(Errno::EAGAIN.because("the connection has no room"));
        }
        Ok(total)
    }

    /// Gives bytes that a stream has received; 0 at its end. `MSG_PEEK` leaves
    /// them there, `MSG_TRUNC` drops them.
    ///
    /// # Errors
    /// `EAGAIN` if there is nothing; `ENOTCONN`, `EFAULT`, and an error that
    /// the connection met with.
    pub(in crate::net::inet) fn receive_stream(
        &mut self,
        id: Id,
        buf: &mut IoBuf<'_>,
        flags: MsgFlags,
    ) -> Result<usize> {
        let sock = self.socks.get(&id).ok_or_else(closed)?;
        let stream = sock.stream().ok_or_else(closed)?;
        if stream.listening.is_some() {
            return Err(Errno::ENOTCONN.because("the socket listens"));
        }
        let is_shut = sock.shut.contains(Shut::READ);
        let (stage, is_finished, engine) = (stream.stage, stream.fin_seen || stream.is_over, stream.engine);
        let total = if stream.tail.is_empty() {
            match self.engine_of(id) {
                Some(socket) if socket.can_recv() => receive_from(socket, buf, flags)?,
                _ => 0,
            }
        } else {
            self.receive_tail(id, buf, flags)?
        };
        if let Some((link, _)) = engine.filter(|_| total > 0) {
            let queued = self.engine_of(id).map_or(0, |socket| socket.recv_queue());
            if let Some(stream) = self.socks.get_mut(&id).and_then(Sock::stream_mut) {
                stream.queued = queued;
            }
            // The other end may be told of more room.
            self.touch(link);
        }
        if total > 0 || buf.is_at_end() && stage == Stage::Connected {
            return Ok(total);
        }
        let sock = self.socks.get_mut(&id).ok_or_else(closed)?;
        if let Some(errno) = sock.error.take() {
            return Err(errno.because("the connection met with an error"));
        }
        match stage {
            Stage::Connected if is_finished || is_shut => Ok(0),
            Stage::Connected | Stage::Connecting => Err(Errno::EAGAIN.because("nothing has been received")),
            Stage::Idle | Stage::HalfOpen => Err(Errno::ENOTCONN.because("the socket is not connected")),
        }
    }

    fn receive_tail(&mut self, id: Id, buf: &mut IoBuf<'_>, flags: MsgFlags) -> Result<usize> {
        let stream = self.socks.get_mut(&id).and_then(Sock::stream_mut).ok_or_else(closed)?;
        let mut total = 0;
        let (one, other) = stream.tail.as_slices();
        for part in [one, other] {
            let count = put(buf, part, flags);
            match count {
                Ok(count) => total += count,
                Err(error) if total == 0 => return Err(error),
                Err(_) => break,
            }
        }
        if !flags.contains(MsgFlags::MSG_PEEK) {
            stream.tail.drain(..total.min(stream.tail.len()));
            stream.queued = stream.tail.len();
        }
        if stream.tail.is_empty() {
            stream.tail = VecDeque::new();
        }
        Ok(total)
    }

    /// Shuts directions of a stream.
    ///
    /// # Errors
    /// `ENOTCONN`.
    pub(in crate::net::inet) fn shut_down_stream(&mut self, id: Id, how: Shut) -> Result<()> {
        let sock = self.socks.get_mut(&id).ok_or_else(closed)?;
        let queue = sock.queue.clone();
        let stream = sock.stream().ok_or_else(closed)?;
        let (stage, is_over) = (stream.stage, stream.is_over);
        if stream.listening.is_some() {
            if how.contains(Shut::READ) {
                self.stop_listening(id);
            }
        } else if stage != Stage::Connected && stage != Stage::Connecting || is_over {
            return Err(Errno::ENOTCONN.because("the socket is not connected"));
        } else {
            sock.shut |= how;
            let link = sock.stream().and_then(|stream| stream.engine).map(|(link, _)| link);
            if how.contains(Shut::WRITE)
                && let Some(socket) = self.engine_of(id)
            {
                socket.close();
            }
            if let Some(link) = link {
                self.touch(link);
            }
        }
        self.wake(&queue);
        Ok(())
    }

    /// Ends a connection, or the wish for one; the socket may make another.
    pub(in crate::net::inet) fn disconnect(&mut self, id: Id) {
        self.stop_listening(id);
        self.abort_engine(id);
        self.forget_connection(id);
        let Some(sock) = self.socks.get_mut(&id) else { return };
        // As Linux has it: whoever uses it as if it were connected is told.
        let was_open = sock.stream().is_some_and(|stream| stream.stage == Stage::Connected && !stream.is_over);
        sock.error = was_open.then_some(Errno::ECONNRESET);
        let queue = sock.queue.clone();
        let has_file = sock.stream().is_some_and(|stream| stream.has_file);
        sock.body = Body::Stream(Stream { has_file, ..Stream::default() });
        self.wake(&queue);
    }

    /// Refuses all who have connected and were not accepted.
    fn stop_listening(&mut self, id: Id) {
        let stream = self.socks.get_mut(&id).and_then(Sock::stream_mut);
        let Some(listening) = stream.and_then(|stream| stream.listening.take()) else { return };
        for child in listening.ready.into_iter().chain(listening.half_open) {
            self.abort_engine(child);
            self.remove_stream(child);
        }
    }

    /// Ends a stream: what was sent is still delivered, unless there is
    /// something that was not read, or the program has chosen otherwise.
    pub(in crate::net::inet) fn close_stream(&mut self, id: Id) {
        self.stop_listening(id);
        let Some(sock) = self.socks.get_mut(&id) else { return };
        let discards = sock.options.linger == Some(0);
        let Some(stream) = sock.stream_mut() else { return };
        stream.has_file = false;
        let (stage, has_engine, has_tail) = (stream.stage, stream.engine, !stream.tail.is_empty());
        stream.tail = VecDeque::new();
        let Some((link, _)) = has_engine.filter(|_| stage == Stage::Connected) else {
            // A connection that is still being made is not worth a word.
            return self.remove_stream(id);
        };
        let Some(socket) = self.engine_of(id) else { return self.remove_stream(id) };
        if discards || has_tail || socket.can_recv() {
            self.abort_engine(id);
            return self.remove_stream(id);
        }
        socket.close();
        // Whoever does not answer is not waited for as long as a program would.
        socket.set_keep_alive(None);
        socket.set_timeout(Some(Duration::from_millis(HALF_OPEN_MS)));
        if socket.state() == smoltcp::socket::tcp::State::FinWait2 {
            socket.set_timeout(None);
            self.connections.orphans.insert(id, self.now_ns.saturating_add(super::ORPHAN_NS));
        }
        self.touch(link);
    }

    /// What a stream is ready for.
    pub(in crate::net::inet) fn poll_stream(&self, sock: &Sock) -> PollEvents {
        let readable = PollEvents::POLLIN | PollEvents::POLLRDNORM;
        let writable = PollEvents::POLLOUT | PollEvents::POLLWRNORM;
        let Some(stream) = sock.stream() else { return PollEvents::empty() };
        if let Some(listening) = &stream.listening {
            return if listening.ready.is_empty() { PollEvents::empty() } else { readable };
        }
        let mut events = PollEvents::empty();
        if sock.error.is_some() {
            events |= PollEvents::POLLERR;
        }
        let is_read_shut = stream.fin_seen || stream.is_over || sock.shut.contains(Shut::READ);
        let is_write_shut = stream.is_over || sock.shut.contains(Shut::WRITE);
        match stream.stage {
            Stage::Connecting | Stage::HalfOpen => return events,
            Stage::Idle => return events | writable | PollEvents::POLLHUP,
            Stage::Connected => {}
        }
        if is_read_shut {
            events |= readable | PollEvents::POLLRDHUP;
        }
        if is_read_shut && is_write_shut {
            events |= PollEvents::POLLHUP;
        }
        if stream.unread() >= sock.options.low_water.max(1) {
            events |= readable;
        }
        let engine_has_room = || {
            let (link, handle) = stream.engine?;
            Some(has_room(self.links.get(link)?.sockets.get::<Socket<'static>>(handle)))
        };
        if is_write_shut || engine_has_room().unwrap_or(true) {
            events |= writable;
        }
        events
    }

    /// Bytes that were sent and not acknowledged, or not sent yet.
    pub(in crate::net::inet) fn unsent(&mut self, id: Id) -> usize {
        self.engine_of(id).map_or(0, |socket| socket.send_queue())
    }
}

/// True if there is so much room that writing is worth while.
pub(super) fn has_room(socket: &Socket<'_>) -> bool {
    socket.send_capacity().saturating_sub(socket.send_queue()) >= socket.send_capacity() / 3
}

/// Puts what fits of `bytes`, or passes over as much.
fn put(buf: &mut IoBuf<'_>, bytes: &[u8], flags: MsgFlags) -> Result<usize> {
    if flags.contains(MsgFlags::MSG_TRUNC) {
        let count = bytes.len().min(buf.left());
        buf.skip(count);
        return Ok(count);
    }
    if bytes.is_empty() || buf.is_at_end() { Ok(0) } else { buf.put(bytes) }
}

fn receive_from(socket: &mut Socket<'_>, buf: &mut IoBuf<'_>, flags: MsgFlags) -> Result<usize> {
    let mut total = 0;
    if flags.contains(MsgFlags::MSG_PEEK) {
        let mut bytes = alloc::vec::Vec::new();
        let count = buf.left().min(socket.recv_queue());
        bytes.try_reserve_exact(count).map_err(|_| Errno::ENOMEM.because("there is no memory to look at it"))?;
        bytes.resize(count, 0);
        let count = socket.peek_slice(&mut bytes).unwrap_or(0);
        return put(buf, bytes.get(..count).unwrap_or_default(), flags);
    }
    while socket.can_recv() && !buf.is_at_end() {
        let taken = socket.recv(|bytes| match put(buf, bytes, flags) {
            Ok(count) => (count, Ok(count)),
            Err(error) => (0, Err(error)),
        });
        match taken {
            Ok(Ok(count)) if count > 0 => total += count,
            Ok(Err(error)) if total == 0 => return Err(error),
            _ => break,
        }
    }
    Ok(total)
}
