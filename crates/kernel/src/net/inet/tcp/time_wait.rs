//! Connections that have ended in good order: [`Waiting`].
//!
//! The end that closed first remembers a connection for a minute, so that a
//! segment that comes late does not end up in a new connection of the same two
//! ends, and so that the other end gets an acknowledgement again if the last
//! one was lost.

use alloc::collections::VecDeque;
use core::net::SocketAddrV4;

use hashbrown::HashMap;
use linux_abi::socket::IPPROTO_TCP;
use smoltcp::wire::TcpPacket;

use super::Tuple;
use crate::net::inet::checksum;
use crate::net::inet::ip::{DEFAULT_TTL, Header, Outgoing};
use crate::net::inet::stack::Stack;

/// How long a connection is remembered.
const WAIT_NS: u64 = 60_000_000_000;
/// How many are.
const MOST_WAITING: usize = 4096;

/// Connections that have ended.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    until_ns: HashMap<Tuple, u64>,
    /// The oldest first; one that was forgotten early may still be listed.
    order: VecDeque<(Tuple, u64)>,
}

impl Waiting {
    pub(super) fn add(&mut self, tuple: Tuple, now_ns: u64) {
        let is_over = |until_ns: u64| until_ns <= now_ns;
        while self.order.len() >= MOST_WAITING || self.order.front().is_some_and(|(_, until)| is_over(*until)) {
            let Some((old, until_ns)) = self.order.pop_front() else { break };
            if self.until_ns.get(&old) == Some(&until_ns) {
                self.until_ns.remove(&old);
            }
        }
        let until_ns = now_ns.saturating_add(WAIT_NS);
        self.until_ns.insert(tuple, until_ns);
        self.order.push_back((tuple, until_ns));
    }

    pub(super) fn has(&self, tuple: &Tuple, now_ns: u64) -> bool {
        self.until_ns.get(tuple).is_some_and(|until_ns| *until_ns > now_ns)
    }

    pub(super) fn remove(&mut self, tuple: &Tuple) {
        self.until_ns.remove(tuple);
    }

    pub(super) fn list(&self, now_ns: u64) -> impl Iterator<Item = Tuple> {
        self.until_ns.iter().filter(move |(_, until_ns)| **until_ns > now_ns).map(|(tuple, _)| *tuple)
    }
}

/// What matters of a segment's header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) tuple: Tuple,
    /// It asks for a new connection.
    pub(super) is_opening: bool,
    is_reset: bool,
    has_ack: bool,
    ack: u32,
    /// The sequence number after it.
    end: u32,
    /// It has data or ends the connection.
    pub(super) has_content: bool,
}

impl Segment {
    /// Reads the header of the segment in a packet.
    pub(super) fn parse(header: &Header, packet: &[u8]) -> Option<Self> {
        let bytes = packet.get(header.header_len..)?;
        let segment = TcpPacket::new_checked(bytes).ok()?;
        let payload = bytes.len().checked_sub(usize::from(segment.header_len()))?;
        let length = payload + usize::from(segment.fin()) + usize::from(segment.syn());
        let word = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let local = SocketAddrV4::new(header.destination, segment.dst_port());
        let remote = SocketAddrV4::new(header.source, segment.src_port());
        Some(Self {
            tuple: Tuple { local, remote },
            is_opening: segment.syn() && !segment.ack() && !segment.rst(),
            is_reset: segment.rst(),
            has_ack: segment.ack(),
            ack: word(8)?,
            end: word(4)?.wrapping_add(u32::try_from(length).ok()?),
            has_content: length > 0,
        })
    }
}

impl Stack {
    /// Acknowledges a segment of a connection that has ended.
    pub(super) fn answer_late(&mut self, segment: &Segment) {
        if segment.is_reset || !segment.has_ack || !segment.has_content {
            return;
        }
        let Tuple { local, remote } = segment.tuple;
        let (from, to) = (local.port().to_be_bytes(), remote.port().to_be_bytes());
        let (seq, ack) = (segment.ack.to_be_bytes(), segment.end.to_be_bytes());
        let mut reply = [0; 20];
        for (at, field) in [(0, &from[..]), (2, &to[..]), (4, &seq[..]), (8, &ack[..]), (12, &[0x50, 0x10, 0xff, 0xff])]
        {
            if let Some(to) = reply.get_mut(at..at + field.len()) {
                to.copy_from_slice(field);
            }
        }
        let ([a, b, c, d], [e, f, g, h]) = (local.ip().octets(), remote.ip().octets());
        let protocol = u8::try_from(IPPROTO_TCP).unwrap_or(6);
        let pseudo = [a, b, c, d, e, f, g, h, 0, protocol, 0, 20];
        let sum = checksum(&[&pseudo, &reply]);
        reply[16..18].copy_from_slice(&sum.to_be_bytes());
        let Ok(hop) = self.route(*remote.ip(), None) else { return };
        let (source, destination) = (*local.ip(), *remote.ip());
        let payload: [&[u8]; 2] = [&reply, &[]];
        let out = Outgoing { source, destination, protocol, ttl: DEFAULT_TTL, tos: 0, may_fragment: false, payload };
        // The other end asks again if this one is lost too.
        let _ = self.send_ip(hop, &out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    fn tuple(port: u16) -> Tuple {
        let end = |port| SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        Tuple { local: end(80), remote: end(port) }
    }

    #[test]
    fn an_ended_connection_is_forgotten_after_a_minute() {
        let mut waiting = Waiting::default();
        waiting.add(tuple(1), 0);
        assert!(waiting.has(&tuple(1), WAIT_NS - 1));
        assert!(!waiting.has(&tuple(1), WAIT_NS));
        assert!(!waiting.has(&tuple(2), 0));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let mut waiting = Waiting::default();
        for port in 1..=u16::try_from(MOST_WAITING + 10).unwrap() {
            waiting.add(tuple(port), u64::from(port));
        }
        assert_eq!(waiting.list(0).count(), MOST_WAITING);
        assert!(!waiting.has(&tuple(1), 0) && waiting.has(&tuple(11), 0));
    }
}
