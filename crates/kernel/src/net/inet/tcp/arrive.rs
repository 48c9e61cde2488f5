//! Segments that arrive, and what they change about a connection.

use alloc::vec::Vec;

use linux_abi::Errno;
use smoltcp::socket::tcp::{Socket, State};
use smoltcp::time::Duration;
use smoltcp::wire::{IpAddress, IpListenEndpoint};

use super::time_wait::Segment;
use super::{HALF_OPEN_MS, ORPHAN_NS, Stage, Stream, Tuple};
use crate::net::inet::ip::Header;
use crate::net::inet::link::LOOPBACK;
use crate::net::inet::packet::Packet;
use crate::net::inet::ports::{Bound, Space};
use crate::net::inet::sock::{Body, Id, Sock};
use crate::net::inet::stack::Stack;

impl Stack {
    /// Takes in a TCP segment.
    pub(in crate::net::inet) fn tcp_arrived(&mut self, link: usize, header: &Header, packet: Packet) {
        let segment = Segment::parse(header, packet.ip()).filter(|_| self.is_local(header.destination));
        let Some(segment) = segment else { return self.recycle(link, packet) };
        let tuple = segment.tuple;
        if let Some(id) = self.connections.by_tuple.get(&tuple).copied() {
            let engine = self.socks.get(&id).and_then(Sock::stream).and_then(|stream| stream.engine);
            if engine.is_none_or(|(own, _)| own != link) {
                // The connection goes over another link.
                return self.recycle(link, packet);
            }
            self.give_to_engine(link, packet);
            return self.connection_changed(id, &segment);
        }
        if self.connections.waiting.has(&tuple, self.now_ns) {
            if !segment.is_opening {
                self.answer_late(&segment);
                return self.recycle(link, packet);
            }
            self.connections.waiting.remove(&tuple);
        }
        let listener = self.listener_for(link, &tuple).filter(|_| segment.is_opening);
        let Some(listener) = listener else {
            // The engine refuses what is for nobody.
            return self.give_to_engine(link, packet);
        };
        // Who is not let in now tries again, as with Linux.
        let Some(id) = self.new_half_open(link, listener, tuple) else { return self.recycle(link, packet) };
        self.give_to_engine(link, packet);
        self.connection_changed(id, &segment);
    }

    /// Who takes connections to that address and port.
    fn listener_for(&self, link: usize, tuple: &Tuple) -> Option<Id> {
        let score = |bound: &Bound| {
            let sock = self.socks.get(&bound.id).filter(|sock| sock.is_listening())?;
            let is_any = bound.addr.is_unspecified();
            let fits = (is_any || bound.addr == *tuple.local.ip()) && sock.options.link.is_none_or(|only| only == link);
            fits.then_some((!is_any, sock.options.link.is_some()))
        };
        let bound = self.ports.of(Space::Tcp, tuple.local.port());
        let best = bound.iter().filter_map(score).max()?;
        let equal: Vec<Id> = bound.iter().filter(|bound| score(bound) == Some(best)).map(|bound| bound.id).collect();
        // Listeners that share a port share those who connect.
        let mixed = u64::from(tuple.remote.ip().to_bits()) << 16 ^ u64::from(tuple.remote.port());
        let spread = usize::try_from(mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).unwrap_or(0);
        equal.get(spread.checked_rem(equal.len())?).copied()
    }

    /// Makes the socket that a segment opens, if the listener has room.
    fn new_half_open(&mut self, link: usize, parent: Id, tuple: Tuple) -> Option<Id> {
        let sock = self.socks.get(&parent)?;
        let listening = sock.stream()?.listening.as_ref()?;
        // Linux lets in one more than the backlog says.
        if listening.ready.len() + listening.half_open.len() > listening.limit {
            return None;
        }
        let (options, uid) = (sock.options.clone(), sock.uid);
        let (handle, memory) = self.make_engine(link, &options)?;
        let socket = self.links.get_mut(link)?.sockets.get_mut::<Socket<'static>>(handle);
        let addr = Some(IpAddress::Ipv4(*tuple.local.ip()));
        // It is new and the port is not 0, so that cannot fail; if it did, the
        // engine would refuse the segment and the socket would go again.
        let is_listening = socket.listen(IpListenEndpoint { addr, port: tuple.local.port() }).is_ok();
        socket.set_timeout(Some(Duration::from_millis(HALF_OPEN_MS)));
        debug_assert!(is_listening, "a new socket listens");
        let stream = Stream {
            stage: Stage::HalfOpen,
            engine: Some((link, handle)),
            parent: Some(parent),
            memory,
            ..Stream::default()
        };
        let mut sock = Sock::new(Body::Stream(stream), uid);
        (sock.options, sock.local, sock.remote) = (options, tuple.local, Some(tuple.remote));
        let id = self.insert(sock);
        self.connections.by_tuple.insert(tuple, id);
        let listening = self.socks.get_mut(&parent)?.stream_mut()?.listening.as_mut()?;
        listening.half_open.push(id);
        Some(id)
    }

    /// Sends what an engine has emitted.
    pub(in crate::net::inet) fn route_segment(&mut self, link: usize, packet: Packet) {
        let Some(header) = Header::parse(packet.ip(), false) else { return self.recycle(link, packet) };
        if link == LOOPBACK {
            return self.send_packet(link, header.destination, packet);
        }
        match self.route(header.destination, Some(link)) {
            Ok(hop) if hop.link == link => self.send_packet(link, hop.next, packet),
            _ => self.recycle(link, packet),
        }
    }

    /// Looks at what a segment has changed.
    fn connection_changed(&mut self, id: Id, segment: &Segment) {
        let Some(socket) = self.engine_of(id) else { return };
        let (state, queued) = (socket.state(), socket.recv_queue());
        let has_room = super::calls::has_room(socket);
        let is_idle = socket.send_queue() == 0 && socket.keep_alive().is_none();
        if is_idle && matches!(state, State::Established | State::CloseWait) {
            // Silence is no error while nothing is to be acknowledged.
            socket.set_timeout(None);
        }
        let Some(sock) = self.socks.get_mut(&id) else { return };
        let queue = sock.queue.clone();
        let Some(stream) = sock.stream_mut() else { return };
        let before = stream.seen.replace(state);
        match stream.stage {
            Stage::HalfOpen => match state {
                State::SynReceived => return,
                State::Listen | State::Closed => return self.drop_half_open(id),
                _ => self.promote(id),
            },
            Stage::Connecting => match state {
                State::SynSent | State::SynReceived => return,
                State::Closed => return self.connect_failed(id, Errno::ECONNREFUSED),
                _ => {
                    stream.stage = Stage::Connected;
                    self.wake(&queue);
                }
            },
            Stage::Idle | Stage::Connected => {}
        }
        let Some(stream) = self.socks.get_mut(&id).and_then(Sock::stream_mut) else { return };
        let is_finished = matches!(state, State::CloseWait | State::LastAck | State::Closing | State::TimeWait);
        let mut has_news = is_finished && !stream.fin_seen;
        stream.fin_seen |= is_finished;
        has_news |= queued > core::mem::replace(&mut stream.queued, queued);
        has_news |= has_room && core::mem::take(&mut stream.wants_room);
        let is_orphan = !stream.has_file && stream.parent.is_none();
        if has_news {
            self.wake(&queue);
        }
        match state {
            State::Closed => {
                let error = match before {
                    Some(State::LastAck | State::Closing) => None,
                    Some(State::CloseWait) => Some(Errno::EPIPE),
                    _ => Some(Errno::ECONNRESET),
                };
                self.connection_ended(id, error);
            }
            State::TimeWait => {
                if let Some(tuple) = self.tuple_of(id) {
                    self.connections.waiting.add(tuple, self.now_ns);
                }
                // The last acknowledgement is still to be sent.
                if segment.has_content {
                    self.answer_late(segment);
                } else {
                    self.flush_engine(id);
                }
                self.connection_ended(id, None);
            }
            // Nobody will ever read it.
            _ if is_orphan && queued > 0 => {
                self.abort_engine(id);
                self.remove_stream(id);
            }
            State::FinWait2 if is_orphan && !self.connections.orphans.contains_key(&id) => {
                self.connections.orphans.insert(id, self.now_ns.saturating_add(ORPHAN_NS));
            }
            _ => {}
        }
    }

    /// Lets the engine send what a connection has to send now.
    fn flush_engine(&mut self, id: Id) {
        let Some((index, _)) = self.socks.get(&id).and_then(Sock::stream).and_then(|stream| stream.engine) else {
            return;
        };
        let now = self.instant();
        if let Some(link) = self.links.get_mut(index) {
            link.engine.poll_egress(now, &mut link.port, &mut link.sockets);
            link.has_work = true;
        }
    }

    /// A connection can be accepted.
    fn promote(&mut self, id: Id) {
        let Some(stream) = self.socks.get_mut(&id).and_then(Sock::stream_mut) else { return };
        stream.stage = Stage::Connected;
        let Some(parent) = stream.parent else { return };
        let Some(sock) = self.socks.get_mut(&parent) else { return };
        let queue = sock.queue.clone();
        if let Some(listening) = sock.stream_mut().and_then(|stream| stream.listening.as_mut()) {
            listening.half_open.retain(|other| *other != id);
            listening.ready.push_back(id);
        }
        self.wake(&queue);
    }

    fn drop_half_open(&mut self, id: Id) {
        let parent = self.socks.get(&id).and_then(Sock::stream).and_then(|stream| stream.parent);
        let parent = parent.and_then(|parent| self.socks.get_mut(&parent)).and_then(Sock::stream_mut);
        if let Some(listening) = parent.and_then(|stream| stream.listening.as_mut()) {
            listening.half_open.retain(|other| *other != id);
        }
        self.remove_stream(id);
    }

    /// A connection could not be made; the socket may try another.
    fn connect_failed(&mut self, id: Id, errno: Errno) {
        self.end_engine(id);
        if let Some(stream) = self.socks.get_mut(&id).and_then(Sock::stream_mut) {
            (stream.stage, stream.seen) = (Stage::Idle, None);
        }
        self.forget_connection(id);
        self.fail(id, errno);
    }

    /// A socket keeps of its addresses what its program asked for.
    pub(super) fn forget_connection(&mut self, id: Id) {
        let Some(sock) = self.socks.get_mut(&id) else { return };
        let (keeps_addr, keeps_port) = (sock.keeps_addr, sock.keeps_port);
        sock.remote = None;
        if !keeps_port {
            self.release_port(id);
        }
        if let Some(sock) = self.socks.get_mut(&id) {
            if !keeps_port {
                sock.local.set_port(0);
            }
            if !keeps_addr {
                sock.local.set_ip(core::net::Ipv4Addr::UNSPECIFIED);
            }
        }
    }

    /// A connection has ended, in good order or with an error.
    fn connection_ended(&mut self, id: Id, error: Option<Errno>) {
        self.end_engine(id);
        let Some(sock) = self.socks.get_mut(&id) else { return };
        if error.is_some() {
            sock.error = error;
        }
        let queue = sock.queue.clone();
        let Some(stream) = sock.stream_mut() else { return };
        (stream.is_over, stream.fin_seen) = (true, true);
        let is_orphan = !stream.has_file && stream.parent.is_none();
        self.wake(&queue);
        if is_orphan {
            self.remove_stream(id);
        }
    }

    /// The other end has been silent for too long.
    pub(super) fn connection_timed_out(&mut self, id: Id) {
        match self.socks.get(&id).and_then(Sock::stream).map(|stream| stream.stage) {
            Some(Stage::HalfOpen) => self.drop_half_open(id),
            Some(Stage::Connecting) => self.connect_failed(id, Errno::ETIMEDOUT),
            _ => self.connection_ended(id, Some(Errno::ETIMEDOUT)),
        }
    }

    /// A router, or the neighbour table, says that a segment did not arrive.
    pub(in crate::net::inet) fn connection_failed(&mut self, tuple: Tuple, errno: Errno) {
        let Some(id) = self.connections.by_tuple.get(&tuple).copied() else { return };
        // A connection that exists is not ended by what may pass.
        if self.socks.get(&id).and_then(Sock::stream).is_some_and(|stream| stream.stage == Stage::Connecting) {
            self.connect_failed(id, errno);
        }
    }

    /// Gives up connections whose other end has not finished in time.
    pub(in crate::net::inet) fn orphans_due(&mut self) {
        let now = self.now_ns;
        let due: Vec<Id> =
            self.connections.orphans.iter().filter(|(_, until)| **until <= now).map(|(id, _)| *id).collect();
        for id in due {
            self.abort_engine(id);
            self.remove_stream(id);
        }
    }
}
