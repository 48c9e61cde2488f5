//! ICMP: answers to echo requests, errors to senders, and errors from others,
//! which are told to the sockets they are about.

use core::net::{Ipv4Addr, SocketAddrV4};

use linux_abi::Errno;
use linux_abi::socket::{IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP};

use super::checksum;
use super::ip::{DEFAULT_TTL, HEADER_LEN, Header, Outgoing};
use super::options::Flags;
use super::ports::Space;
use super::stack::Stack;
use super::tcp::Tuple;

const ECHO_REPLY: u8 = 0;
const UNREACHABLE: u8 = 3;
pub(super) const ECHO_REQUEST: u8 = 8;
const TIME_EXCEEDED: u8 = 11;
const PARAMETER_PROBLEM: u8 = 12;

/// Codes of "destination unreachable".
pub(super) const PROTOCOL_UNREACHABLE: u8 = 2;
pub(super) const PORT_UNREACHABLE: u8 = 3;

/// Bytes before the data of an ICMP message.
pub(super) const ICMP_HEADER: usize = 8;
/// As much of a packet as an error about it carries: errors fit in 576 bytes.
const MOST_QUOTED: usize = 548;

/// Errors that are sent in a second.
const ERRORS_PER_SECOND: u32 = 1000;

/// Keeps a flood from being answered by another.
#[derive(Debug, Default)]
pub(super) struct Limit {
    second: u64,
    sent: u32,
}

impl Limit {
    fn allows(&mut self, now_ns: u64) -> bool {
        let second = now_ns / 1_000_000_000;
        if second != self.second {
            (self.second, self.sent) = (second, 0);
        }
        self.sent = self.sent.saturating_add(1);
        self.sent <= ERRORS_PER_SECOND
    }
}

/// The errno of an unreachable destination, and whether it ends what it is
/// about, by its code.
fn errno_of(code: u8) -> (Errno, bool) {
    match code {
        0 | 6 | 9 | 11 => (Errno::ENETUNREACH, false),
        2 => (Errno::ENOPROTOOPT, true),
        3 => (Errno::ECONNREFUSED, true),
        4 => (Errno::EMSGSIZE, false),
        5 => (Errno::EOPNOTSUPP, false),
        13..=15 => (Errno::EHOSTUNREACH, true),
        _ => (Errno::EHOSTUNREACH, false),
    }
}

impl Stack {
    /// Takes in an ICMP message; `packet` is the whole packet.
    pub(super) fn icmp_arrived(&mut self, link: usize, header: &Header, packet: &[u8]) {
        let message = packet.get(header.header_len..).unwrap_or_default();
        let Some([kind, code, ..]) = message.get(..ICMP_HEADER) else { return };
        let (kind, code) = (*kind, *code);
        if checksum(&[message]) != 0 {
            return;
        }
        match kind {
            ECHO_REQUEST => self.answer_echo(header, message),
            ECHO_REPLY => self.echo_arrived(link, header, message),
            UNREACHABLE => {
                let (errno, is_hard) = errno_of(code);
                self.delivery_failed(message.get(ICMP_HEADER..).unwrap_or_default(), errno, is_hard);
            }
            TIME_EXCEEDED => {
                self.delivery_failed(message.get(ICMP_HEADER..).unwrap_or_default(), Errno::EHOSTUNREACH, false);
            }
            PARAMETER_PROBLEM => {
                self.delivery_failed(message.get(ICMP_HEADER..).unwrap_or_default(), Errno::EPROTO, true);
            }
            _ => {}
        }
    }

    fn answer_echo(&mut self, header: &Header, message: &[u8]) {
        // Whoever asks everybody gets no answer, as in Linux.
        let is_for_all = !self.is_local(header.destination) || self.is_broadcast(header.destination);
        if is_for_all || header.source.is_unspecified() {
            return;
        }
        let Some(([_, _, _, _, rest @ ..], data)) = message.split_first_chunk::<ICMP_HEADER>() else { return };
        let mut reply = [ECHO_REPLY, 0, 0, 0, 0, 0, 0, 0];
        reply[4..].copy_from_slice(rest);
        let sum = checksum(&[&reply, data]);
        reply[2..4].copy_from_slice(&sum.to_be_bytes());
        self.send_icmp(header.destination, header.source, header.tos, [&reply, data]);
    }

    fn send_icmp(&mut self, source: Ipv4Addr, destination: Ipv4Addr, tos: u8, payload: [&[u8]; 2]) {
        let Ok(hop) = self.route(destination, None) else { return };
        let protocol = u8::try_from(IPPROTO_ICMP).unwrap_or(1);
        let out = Outgoing { source, destination, protocol, ttl: DEFAULT_TTL, tos, may_fragment: true, payload };
        // An answer that cannot be sent is lost, as any packet may be.
        let _ = self.send_ip(hop, &out);
    }

    /// Tells the sender of a packet that nobody here wants it.
    pub(super) fn send_unreachable(&mut self, header: &Header, packet: &[u8], code: u8) {
        let is_answerable = self.is_local(header.destination)
            && !self.is_broadcast(header.destination)
            && !header.source.is_unspecified()
            && !self.is_broadcast(header.source)
            && self.errors_sent.allows(self.now_ns);
        if !is_answerable {
            return;
        }
        let quoted = packet.get(..packet.len().min(MOST_QUOTED)).unwrap_or_default();
        let mut message = [UNREACHABLE, code, 0, 0, 0, 0, 0, 0];
        let sum = checksum(&[&message, quoted]);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        self.send_icmp(header.destination, header.source, 0, [&message, quoted]);
    }

    /// A packet from here did not arrive: `original` is its beginning. An
    /// error that is not `is_hard` may pass.
    pub(super) fn delivery_failed(&mut self, original: &[u8], errno: Errno, is_hard: bool) {
        let Some((protocol, local, remote, first)) = parse_original(original) else { return };
        match u32::from(protocol) {
            IPPROTO_TCP => self.connection_failed(Tuple { local, remote }, errno),
            IPPROTO_UDP => self.datagram_failed(Space::Udp, local, remote, errno, is_hard),
            IPPROTO_ICMP if first == ECHO_REQUEST => {
                let remote = SocketAddrV4::new(*remote.ip(), 0);
                self.datagram_failed(Space::Echo, local, remote, errno, is_hard);
            }
            _ => {}
        }
    }

    fn datagram_failed(
        &mut self,
        space: Space,
        local: SocketAddrV4,
        remote: SocketAddrV4,
        errno: Errno,
        is_hard: bool,
    ) {
        let concerned = |id: &&super::ports::Bound| {
            let Some(sock) = self.socks.get(&id.id) else { return false };
            let asks = sock.options.flags.contains(Flags::RECEIVE_ERRORS);
            let is_connected = sock.remote.is_some_and(|known| {
                known.ip() == remote.ip() && (space == Space::Echo || known.port() == remote.port())
            });
            let has_address = sock.local.ip().is_unspecified() || sock.local.ip() == local.ip();
            has_address && (asks && (is_connected || sock.remote.is_none()) || is_connected && is_hard)
        };
        let found = self.ports.of(space, local.port()).iter().find(concerned).map(|bound| bound.id);
        if let Some(id) = found {
            self.fail(id, errno);
        }
    }
}

/// Protocol, source and destination of a packet that begins so, and the first
/// byte after its header. For an echo request the identifier counts as the port.
fn parse_original(original: &[u8]) -> Option<(u8, SocketAddrV4, SocketAddrV4, u8)> {
    let header_len = usize::from(original.first()? & 0xf) * 4;
    if header_len < HEADER_LEN {
        return None;
    }
    let addr = |at: usize| {
        let bytes: [u8; 4] = original.get(at..at + 4)?.try_into().ok()?;
        Some(Ipv4Addr::from(bytes))
    };
    let (protocol, source, destination) = (*original.get(9)?, addr(12)?, addr(16)?);
    let payload: &[u8; 8] = original.get(header_len..header_len + 8)?.try_into().ok()?;
    let [a, b, c, d, e, f, ..] = *payload;
    let is_icmp = u32::from(protocol) == IPPROTO_ICMP;
    let (from, to) = if is_icmp { ([e, f], [0, 0]) } else { ([a, b], [c, d]) };
    let local = SocketAddrV4::new(source, u16::from_be_bytes(from));
    let remote = SocketAddrV4::new(destination, u16::from_be_bytes(to));
    Some((protocol, local, remote, a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_packet_names_both_ends() {
        let mut packet = [0_u8; 28];
        packet[0] = 0x45;
        packet[9] = 17;
        packet[12..16].copy_from_slice(&[10, 0, 2, 15]);
        packet[16..20].copy_from_slice(&[10, 0, 2, 2]);
        packet[20..24].copy_from_slice(&[0x12, 0x34, 0, 53]);
        let local = SocketAddrV4::new(Ipv4Addr::new(10, 0, 2, 15), 0x1234);
        let remote = SocketAddrV4::new(Ipv4Addr::new(10, 0, 2, 2), 53);
        assert_eq!(parse_original(&packet), Some((17, local, remote, 0x12)));
        assert_eq!(parse_original(&packet[..27]), None);
        packet[0] = 0x41;
        assert_eq!(parse_original(&packet), None);
    }

    #[test]
    fn errors_are_limited_per_second() {
        let mut limit = Limit::default();
        assert_eq!((0..2000).filter(|_| limit.allows(5)).count(), 1000);
        assert!(limit.allows(1_000_000_005));
    }
}
