//! Sockets that send and receive packets one by one: UDP, echo requests
//! (`SOCK_DGRAM` with `IPPROTO_ICMP`) and raw ones.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddrV4};

use linux_abi::Errno;
use linux_abi::poll::PollEvents;
use linux_abi::socket::{IPPROTO_ICMP, IPPROTO_RAW, IPPROTO_UDP};

use super::checksum;
use super::icmp::{ECHO_REQUEST, ICMP_HEADER, PORT_UNREACHABLE};
use super::ip::{HEADER_LEN, Header, MAX_LEN, Outgoing};
use super::link::LOOPBACK;
use super::options::Flags;
use super::ports::{Bound, Space};
use super::sock::{Body, Id, NOWHERE, Sock};
use super::stack::Stack;
use crate::error::{Because, Result};
use crate::net::socket::Shut;

/// Bytes of a UDP header.
const UDP_HEADER: usize = 8;
/// What a datagram costs beside its bytes, against `SO_RCVBUF`.
const OVERHEAD: usize = 512;

/// What a socket carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Udp,
    /// Echo requests and the answers to them.
    Echo,
    /// All packets of a protocol.
    Raw(u8),
}

/// A packet that has arrived.
#[derive(Clone, Debug)]
pub(super) struct Datagram {
    pub(super) from: SocketAddrV4,
    pub(super) to: Ipv4Addr,
    pub(super) link: usize,
    pub(super) ttl: u8,
    pub(super) tos: u8,
    pub(super) bytes: Vec<u8>,
}

/// The state of such a socket.
#[derive(Debug)]
pub(super) struct Datagrams {
    pub(super) kind: Kind,
    pub(super) inbox: VecDeque<Datagram>,
    /// What the inbox counts for against the limit.
    held: usize,
    /// The link that had no room when something was to be sent.
    blocked: Option<usize>,
    pub(super) dropped: u64,
}

impl Datagrams {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, inbox: VecDeque::new(), held: 0, blocked: None, dropped: 0 }
    }

    pub(super) fn space(&self) -> Option<Space> {
        match self.kind {
            Kind::Udp => Some(Space::Udp),
            Kind::Echo => Some(Space::Echo),
            Kind::Raw(_) => None,
        }
    }

    /// Bytes in the inbox, as `/proc/net/udp` tells.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Takes the first datagram, or looks at it.
    pub(super) fn take(&mut self, is_peek: bool) -> Option<Datagram> {
        if is_peek {
            return self.inbox.front().cloned();
        }
        let datagram = self.inbox.pop_front()?;
        self.held = self.held.saturating_sub(datagram.bytes.len() + OVERHEAD);
        Some(datagram)
    }
}

fn protocol_number(protocol: u32) -> u8 {
    u8::try_from(protocol).unwrap_or(0)
}

impl Stack {
    /// Puts a datagram into a socket's inbox, if there is room.
    fn put(&mut self, id: Id, datagram: Datagram) {
        let Some(sock) = self.socks.get_mut(&id) else { return };
        let limit = sock.options.receive_limit;
        let is_shut = sock.shut.contains(Shut::READ);
        let queue = sock.queue.clone();
        let Some(datagrams) = sock.datagrams_mut() else { return };
        if datagrams.held >= limit || is_shut {
            datagrams.dropped += 1;
            return;
        }
        datagrams.held += datagram.bytes.len() + OVERHEAD;
        datagrams.inbox.push_back(datagram);
        self.wake(&queue);
    }

    /// Takes in a UDP packet.
    pub(super) fn udp_arrived(&mut self, link: usize, header: &Header, packet: &[u8]) {
        let message = packet.get(header.header_len..).unwrap_or_default();
        let Some([a, b, c, d, e, f, g, h]) = message.first_chunk::<UDP_HEADER>() else { return };
        let (source, port) = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
        let (len, sum) = (usize::from(u16::from_be_bytes([*e, *f])), u16::from_be_bytes([*g, *h]));
        let Some(message) = message.get(..len).filter(|_| len >= UDP_HEADER) else { return };
        if sum != 0 && link != LOOPBACK {
            let pseudo = pseudo_header(header.source, header.destination, len);
            if checksum(&[&pseudo, message]) != 0 {
                return;
            }
        }
        let from = SocketAddrV4::new(header.source, source);
        let takers = self.udp_takers(link, from, header.destination, port);
        if takers.is_empty() {
            return self.send_unreachable(header, packet, PORT_UNREACHABLE);
        }
        let bytes = message.get(UDP_HEADER..).unwrap_or_default();
        for id in takers {
            let Some(bytes) = copy(bytes) else { continue };
            let (to, ttl, tos) = (header.destination, header.ttl, header.tos);
            self.put(id, Datagram { from, to, link, ttl, tos, bytes });
        }
    }

    /// The sockets that a packet is for: the one that fits best, or all that
    /// fit if it was sent to everybody.
    fn udp_takers(&self, link: usize, from: SocketAddrV4, to: Ipv4Addr, port: u16) -> Vec<Id> {
        let score = |bound: &Bound| {
            let sock = self.socks.get(&bound.id)?;
            let is_any = sock.local.ip().is_unspecified();
            let fits = (is_any || *sock.local.ip() == to)
                && sock.remote.is_none_or(|remote| remote == from)
                && sock.options.link.is_none_or(|only| only == link);
            fits.then_some((sock.remote.is_some(), !is_any, sock.options.link.is_some()))
        };
        let bound = self.ports.of(Space::Udp, port);
        if self.is_broadcast(to) {
            return bound.iter().filter(|bound| score(bound).is_some()).map(|bound| bound.id).collect();
        }
        let best = bound.iter().filter_map(score).max();
        let equal: Vec<Id> =
            bound.iter().filter(|bound| best.is_some() && score(bound) == best).map(|bound| bound.id).collect();
        let shares = |id: &Id| self.socks.get(id).is_some_and(|sock| sock.options.flags.contains(Flags::REUSE_PORT));
        // Those who share a port share the senders; else the last one has it all.
        let index = if equal.iter().all(shares) {
            let mixed = u64::from(from.ip().to_bits()) << 16 ^ u64::from(from.port());
            let spread = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            usize::try_from(spread).unwrap_or(0).checked_rem(equal.len())
        } else {
            equal.len().checked_sub(1)
        };
        index.and_then(|index| equal.get(index)).copied().into_iter().collect()
    }

    /// Takes in the answer to an echo request.
    pub(super) fn echo_arrived(&mut self, link: usize, header: &Header, message: &[u8]) {
        let Some([_, _, _, _, a, b, ..]) = message.first_chunk::<ICMP_HEADER>() else { return };
        let ident = u16::from_be_bytes([*a, *b]);
        let from = SocketAddrV4::new(header.source, 0);
        let fits = |bound: &&Bound| {
            self.socks.get(&bound.id).is_some_and(|sock| {
                (sock.local.ip().is_unspecified() || *sock.local.ip() == header.destination)
                    && sock.remote.is_none_or(|remote| remote.ip() == from.ip())
                    && sock.options.link.is_none_or(|only| only == link)
            })
        };
        let taker = self.ports.of(Space::Echo, ident).iter().find(fits).map(|bound| bound.id);
        if let Some((id, bytes)) = taker.zip(copy(message)) {
            let (to, ttl, tos) = (header.destination, header.ttl, header.tos);
            self.put(id, Datagram { from, to, link, ttl, tos, bytes });
        }
    }

    /// Gives a packet to the raw sockets of its protocol, and tells whether
    /// there are any.
    pub(super) fn raw_arrived(&mut self, link: usize, header: &Header, packet: &[u8]) -> bool {
        if self.ports.raw.is_empty() {
            return false;
        }
        let kind = packet.get(header.header_len).copied().unwrap_or(0);
        let is_icmp = u32::from(header.protocol) == IPPROTO_ICMP;
        let wants = |id: &&Id| {
            self.socks.get(*id).is_some_and(|sock| {
                let is_filtered =
                    is_icmp && sock.options.icmp_filter.checked_shr(u32::from(kind)).unwrap_or(0) & 1 != 0;
                sock.datagrams().is_some_and(|datagrams| datagrams.kind == Kind::Raw(header.protocol))
                    && (sock.local.ip().is_unspecified() || *sock.local.ip() == header.destination)
                    && sock.remote.is_none_or(|remote| *remote.ip() == header.source)
                    && sock.options.link.is_none_or(|only| only == link)
                    && !is_filtered
            })
        };
        let takers: Vec<Id> = self.ports.raw.iter().filter(wants).copied().collect();
        let from = SocketAddrV4::new(header.source, 0);
        for id in &takers {
            let Some(bytes) = copy(packet) else { continue };
            let (to, ttl, tos) = (header.destination, header.ttl, header.tos);
            self.put(*id, Datagram { from, to, link, ttl, tos, bytes });
        }
        !takers.is_empty()
    }

    /// Sends a datagram, to where the socket is connected if not told where.
    ///
    /// # Errors
    /// `EAGAIN` if the link has no room now; `EPIPE`, `EDESTADDRREQ`,
    /// `EACCES`, `EINVAL`, `EMSGSIZE`, `ENETUNREACH`, `EADDRINUSE`, `ENOBUFS`,
    /// and an error that an earlier one met with.
    pub(super) fn send_datagram(&mut self, id: Id, data: &[u8], to: Option<SocketAddrV4>) -> Result<usize> {
        let sock = self.socks.get_mut(&id).ok_or(Errno::EBADF.because("the socket is closed"))?;
        if let Some(errno) = sock.error.take() {
            return Err(errno.because("an earlier packet did not arrive"));
        }
        if sock.shut.contains(Shut::WRITE) {
            return Err(Errno::EPIPE.because("the socket is shut down"));
        }
        let Some(kind) = sock.datagrams().map(|datagrams| datagrams.kind) else {
            return Err(Errno::EOPNOTSUPP.because("a stream sends no datagrams"));
        };
        let to = to.or(sock.remote).ok_or(Errno::EDESTADDRREQ.because("no destination is given or set"))?;
        // The address of nobody stands for this machine.
        let destination = if to.ip().is_unspecified() { Ipv4Addr::LOCALHOST } else { *to.ip() };
        if kind == Kind::Udp && to.port() == 0 {
            return Err(Errno::EINVAL.because("there is no port 0"));
        }
        let (flags, only) = (sock.options.flags, sock.options.link);
        let hop = self.route(destination, only)?;
        if self.is_broadcast(destination) && !flags.contains(Flags::BROADCAST) {
            return Err(Errno::EACCES.because("broadcasts were not asked for"));
        }
        self.autobind(id)?;
        if self.links.get(hop.link).is_some_and(|link| hop.link != LOOPBACK && link.is_full()) {
            self.wait_for_room(id, hop.link);
            return Err(Errno::EAGAIN.because("the interface has no room"));
        }
        let Some(sock) = self.socks.get_mut(&id) else { return Ok(0) };
        if let Some(datagrams) = sock.datagrams_mut() {
            datagrams.blocked = None;
        }
        let source = if sock.local.ip().is_unspecified() { hop.source } else { *sock.local.ip() };
        let options = &sock.options;
        let ttl = if destination.is_multicast() { options.multicast_ttl } else { options.ttl };
        let protocol = match kind {
            Kind::Udp => protocol_number(IPPROTO_UDP),
            Kind::Echo => protocol_number(IPPROTO_ICMP),
            Kind::Raw(protocol) => protocol,
        };
        let may_fragment = options.mtu_discover < 2;
        let out = Outgoing { source, destination, protocol, ttl, tos: options.tos, may_fragment, payload: [&[], data] };
        let port = sock.local.port();
        match kind {
            Kind::Udp => {
                let header = udp_header(port, to.port(), data, (source, destination), hop.link != LOOPBACK)?;
                self.send_ip(hop, &Outgoing { payload: [&header, data], ..out })?;
            }
            Kind::Echo => {
                let (header, data) = echo_header(port, data)?;
                self.send_ip(hop, &Outgoing { payload: [&header, data], ..out })?;
            }
            Kind::Raw(_) if flags.contains(Flags::HEADER_INCLUDED) => self.send_with_header(hop, data, source)?,
            Kind::Raw(_) => self.send_ip(hop, &out)?,
        }
        Ok(data.len())
    }

    /// Sends a packet whose sender has written its header.
    fn send_with_header(&mut self, hop: super::route::Hop, data: &[u8], source: Ipv4Addr) -> Result<()> {
        let bad = || Errno::EINVAL.because("the packet's header makes no sense");
        let mtu = self.links.get(hop.link).map_or(0, |link| link.mtu);
        if data.len() > mtu {
            return Err(Errno::EMSGSIZE.because("the packet is too long"));
        }
        let header_len = usize::from(data.first().ok_or_else(bad)? & 0xf) * 4;
        if header_len < HEADER_LEN || header_len > data.len() {
            return Err(bad());
        }
        let packet = self.links.get_mut(hop.link).and_then(|link| link.port.pool.get(data.len()));
        let mut packet = packet.ok_or(Errno::ENOBUFS.because("there is no memory for the packet"))?;
        packet.ip_mut().copy_from_slice(data);
        self.ident = self.ident.wrapping_add(1);
        let mut header = smoltcp::wire::Ipv4Packet::new_unchecked(packet.ip_mut());
        header.set_total_len(u16::try_from(data.len()).map_err(|_| bad())?);
        if header.src_addr().is_unspecified() {
            header.set_src_addr(source);
        }
        if header.ident() == 0 {
            header.set_ident(self.ident);
        }
        header.fill_checksum();
        self.send_packet(hop.link, hop.next, packet);
        Ok(())
    }

    /// Gives a socket without a port one, as sending and connecting do.
    ///
    /// # Errors
    /// `EADDRINUSE` if all are taken.
    pub(super) fn autobind(&mut self, id: Id) -> Result<()> {
        let Some(sock) = self.socks.get(&id) else { return Ok(()) };
        let (addr, has_port) = (*sock.local.ip(), sock.has_port);
        let Some(space) = sock.space().filter(|_| !has_port) else { return Ok(()) };
        let port = self.bind_port(space, id, addr, 0)?;
        if let Some(sock) = self.socks.get_mut(&id) {
            sock.local.set_port(port);
            sock.has_port = true;
        }
        Ok(())
    }

    fn wait_for_room(&mut self, id: Id, link: usize) {
        let Some(sock) = self.socks.get_mut(&id) else { return };
        let queue = sock.queue.clone();
        if let Some(datagrams) = sock.datagrams_mut() {
            datagrams.blocked = Some(link);
        }
        if let Some(link) = self.links.get_mut(link) {
            link.starved.push(queue);
        }
    }

    /// Sets where a datagram socket sends to, and whom alone it hears.
    ///
    /// # Errors
    /// `EACCES`, `ENETUNREACH`, `EADDRINUSE`.
    pub(super) fn connect_datagrams(&mut self, id: Id, to: Option<SocketAddrV4>) -> Result<()> {
        let sock = self.socks.get(&id).ok_or(Errno::EBADF.because("the socket is closed"))?;
        let (flags, only, keeps_addr) = (sock.options.flags, sock.options.link, sock.keeps_addr);
        let Some(mut to) = to else {
            if !keeps_addr {
                self.set_local_addr(id, Ipv4Addr::UNSPECIFIED);
            }
            let keeps_port = self.socks.get(&id).is_some_and(|sock| sock.keeps_port);
            if !keeps_port {
                self.release_port(id);
            }
            if let Some(sock) = self.socks.get_mut(&id) {
                sock.remote = None;
                if !keeps_port {
                    sock.local.set_port(0);
                }
            }
            return Ok(());
        };
        if to.ip().is_unspecified() {
            to.set_ip(Ipv4Addr::LOCALHOST);
        }
        let hop = self.route(*to.ip(), only)?;
        if self.is_broadcast(*to.ip()) && !flags.contains(Flags::BROADCAST) {
            return Err(Errno::EACCES.because("broadcasts were not asked for"));
        }
        self.autobind(id)?;
        if !keeps_addr {
            self.set_local_addr(id, hop.source);
        }
        if let Some(sock) = self.socks.get_mut(&id) {
            sock.remote = Some(to);
        }
        Ok(())
    }

    fn set_local_addr(&mut self, id: Id, addr: Ipv4Addr) {
        let Some(sock) = self.socks.get_mut(&id) else { return };
        sock.local.set_ip(addr);
        let (port, space) = (sock.local.port(), sock.space().filter(|_| sock.has_port));
        if let Some(space) = space {
            self.ports.set_addr(space, port, id, addr);
        }
    }

    /// Ends a datagram socket.
    pub(super) fn close_datagrams(&mut self, id: Id) {
        self.release_port(id);
        self.ports.raw.retain(|other| *other != id);
        self.socks.remove(&id);
    }

    /// What a datagram socket is ready for.
    pub(super) fn poll_datagrams(&self, sock: &Sock) -> PollEvents {
        let Body::Datagrams(datagrams) = &sock.body else { return PollEvents::empty() };
        let mut events = PollEvents::empty();
        if sock.error.is_some() {
            events |= PollEvents::POLLERR;
        }
        if sock.shut.contains(Shut::READ) {
            events |= PollEvents::POLLRDHUP;
        }
        if sock.shut == Shut::all() {
            events |= PollEvents::POLLHUP;
        }
        if !datagrams.inbox.is_empty() || sock.shut.contains(Shut::READ) {
            events |= PollEvents::POLLIN | PollEvents::POLLRDNORM;
        }
        let is_blocked = datagrams.blocked.and_then(|link| self.links.get(link)).is_some_and(|link| link.is_full());
        if !is_blocked {
            events |= PollEvents::POLLOUT | PollEvents::POLLWRNORM | PollEvents::POLLWRBAND;
        }
        events
    }

    /// Adds a datagram socket.
    pub(super) fn new_datagrams(&mut self, kind: Kind, uid: u32) -> Id {
        let mut sock = Sock::new(Body::Datagrams(Datagrams::new(kind)), uid);
        sock.local = NOWHERE;
        if let Kind::Raw(protocol) = kind {
            // Such a socket only sends, and what it sends is complete.
            sock.options.flags.set(Flags::HEADER_INCLUDED, u32::from(protocol) == IPPROTO_RAW);
        }
        let id = self.insert(sock);
        if matches!(kind, Kind::Raw(protocol) if u32::from(protocol) != IPPROTO_RAW) {
            self.ports.raw.push(id);
        }
        id
    }
}

fn copy(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len()).ok()?;
    copy.extend_from_slice(bytes);
    Some(copy)
}

/// What a UDP checksum covers beside the packet.
#[expect(clippy::cast_possible_truncation, reason = "no packet is longer than 65535 bytes")]
fn pseudo_header(source: Ipv4Addr, destination: Ipv4Addr, len: usize) -> [u8; 12] {
    let ([a, b, c, d], [e, f, g, h]) = (source.octets(), destination.octets());
    let [i, j] = (len as u16).to_be_bytes();
    [a, b, c, d, e, f, g, h, 0, IPPROTO_UDP as u8, i, j]
}

fn udp_header(
    from: u16,
    to: u16,
    data: &[u8],
    (source, destination): (Ipv4Addr, Ipv4Addr),
    needs_checksum: bool,
) -> Result<[u8; UDP_HEADER]> {
    let len = UDP_HEADER + data.len();
    let field = u16::try_from(len).ok().filter(|_| len <= MAX_LEN - HEADER_LEN);
    let field = field.ok_or(Errno::EMSGSIZE.because("the datagram is too long"))?;
    let ([a, b], [c, d], [e, f]) = (from.to_be_bytes(), to.to_be_bytes(), field.to_be_bytes());
    let mut header = [a, b, c, d, e, f, 0, 0];
    if needs_checksum {
        // Zero stands for no checksum; all ones is the same number.
        let sum = match checksum(&[&pseudo_header(source, destination, len), &header, data]) {
            0 => u16::MAX,
            sum => sum,
        };
        header[6..].copy_from_slice(&sum.to_be_bytes());
    }
    Ok(header)
}

/// The header of an echo request, as it goes out, and its data.
fn echo_header(ident: u16, message: &[u8]) -> Result<([u8; ICMP_HEADER], &[u8])> {
    let bad = || Errno::EINVAL.because("the message is no echo request");
    let (header, data) = message.split_first_chunk::<ICMP_HEADER>().ok_or_else(bad)?;
    let [kind, code, _, _, _, _, s, t] = *header;
    if kind != ECHO_REQUEST || code != 0 {
        return Err(bad());
    }
    let [a, b] = ident.to_be_bytes();
    let mut header = [kind, code, 0, 0, a, b, s, t];
    let sum = checksum(&[&header, data]);
    header[2..4].copy_from_slice(&sum.to_be_bytes());
    Ok((header, data))
}
