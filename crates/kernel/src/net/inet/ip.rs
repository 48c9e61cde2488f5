//! IP packets in and out: [`Header`], [`Outgoing`], fragments, and who gets
//! what has arrived.

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use hashbrown::HashMap;
use linux_abi::Errno;
use linux_abi::socket::{IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP};
use smoltcp::wire::Ipv4Packet;

use super::link::LOOPBACK;
use super::packet::Packet;
use super::route::Hop;
use super::stack::Stack;
use crate::error::{Because, Result};

/// Bytes of a header without options.
pub(super) const HEADER_LEN: usize = 20;
/// The longest packet.
pub(super) const MAX_LEN: usize = 65535;
/// The time to live of what says nothing about it.
pub(super) const DEFAULT_TTL: u8 = 64;

/// Packets of which fragments are kept, how many bytes of them, and how long.
const MOST_PARTIAL: usize = 64;
const MOST_PARTIAL_BYTES: usize = 1 << 20;
const PARTIAL_NS: u64 = 30_000_000_000;

/// Packets that are on their way over `lo`.
const MOST_LOOPED: usize = 4096;

/// The header of a packet that has arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) source: Ipv4Addr,
    pub(super) destination: Ipv4Addr,
    pub(super) protocol: u8,
    pub(super) ttl: u8,
    pub(super) tos: u8,
    pub(super) header_len: usize,
    pub(super) total_len: usize,
    ident: u16,
    fragment_offset: usize,
    has_more: bool,
}

impl Header {
    /// Reads a header; `None` if it makes no sense, or if its checksum is
    /// wrong where one is needed.
    pub(super) fn parse(bytes: &[u8], has_checksum: bool) -> Option<Self> {
        let packet = Ipv4Packet::new_checked(bytes).ok()?;
        if packet.version() != 4 || usize::from(packet.header_len()) < HEADER_LEN {
            return None;
        }
        if has_checksum && !packet.verify_checksum() {
            return None;
        }
        Some(Self {
            source: packet.src_addr(),
            destination: packet.dst_addr(),
            protocol: packet.next_header().into(),
            ttl: packet.hop_limit(),
            tos: bytes.get(1).copied().unwrap_or(0),
            header_len: usize::from(packet.header_len()),
            total_len: usize::from(packet.total_len()),
            ident: packet.ident(),
            fragment_offset: usize::from(packet.frag_offset()),
            has_more: packet.more_frags(),
        })
    }
}

/// A packet to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outgoing<'a> {
    pub(super) source: Ipv4Addr,
    pub(super) destination: Ipv4Addr,
    pub(super) protocol: u8,
    pub(super) ttl: u8,
    pub(super) tos: u8,
    pub(super) may_fragment: bool,
    /// What follows the header: two parts, such as a header and the data.
    pub(super) payload: [&'a [u8]; 2],
}

/// Fragments of one packet.
#[derive(Debug)]
struct Partial {
    bytes: Vec<u8>,
    /// Ranges that have come, in order, none touching another.
    ranges: Vec<(usize, usize)>,
    total: Option<usize>,
    since_ns: u64,
    header: Option<Vec<u8>>,
}

/// Packets of which not all fragments have come.
#[derive(Debug, Default)]
pub(super) struct Partials {
    table: HashMap<(Ipv4Addr, Ipv4Addr, u8, u16), Partial>,
}

/// Writes a header of twenty bytes.
#[expect(clippy::cast_possible_truncation, reason = "no packet is longer than 65535 bytes")]
fn write_header(bytes: &mut [u8], out: &Outgoing<'_>, ident: u16, offset: usize, has_more: bool) {
    let total = bytes.len();
    let Some(header) = bytes.get_mut(..HEADER_LEN) else { return };
    let mut packet = Ipv4Packet::new_unchecked(header);
    packet.set_version(4);
    packet.set_header_len(HEADER_LEN as u8);
    packet.set_total_len(total as u16);
    packet.set_ident(ident);
    packet.clear_flags();
    packet.set_more_frags(has_more);
    packet.set_dont_frag(!out.may_fragment);
    packet.set_frag_offset(offset as u16);
    packet.set_hop_limit(out.ttl);
    packet.set_next_header(out.protocol.into());
    packet.set_src_addr(out.source);
    packet.set_dst_addr(out.destination);
    packet.into_inner()[1] = out.tos;
    Ipv4Packet::new_unchecked(bytes.get_mut(..HEADER_LEN).unwrap_or_default()).fill_checksum();
}

impl Stack {
    /// Sends a packet to `hop`, in fragments if it is too long for the link.
    ///
    /// # Errors
    /// `EMSGSIZE` if it is too long and may not be cut, or too long for IP;
    /// `ENOBUFS` if there is no memory.
    pub(super) fn send_ip(&mut self, hop: Hop, out: &Outgoing<'_>) -> Result<()> {
        let [first, second] = out.payload;
        let len = first.len().saturating_add(second.len());
        let mtu = self.links.get(hop.link).map_or(0, |link| link.mtu);
        if len > MAX_LEN - HEADER_LEN || HEADER_LEN + len > mtu && !out.may_fragment {
            return Err(Errno::EMSGSIZE.because("the packet is too long"));
        }
        self.ident = self.ident.wrapping_add(1);
        let ident = self.ident;
        let step = if HEADER_LEN + len <= mtu { len } else { mtu.saturating_sub(HEADER_LEN) & !7 };
        let mut at = 0;
        loop {
            let count = step.min(len - at);
            let packet = self.links.get_mut(hop.link).and_then(|link| link.port.pool.get(HEADER_LEN + count));
            let mut packet = packet.ok_or(Errno::ENOBUFS.because("there is no memory for the packet"))?;
            copy_parts(packet.ip_mut().get_mut(HEADER_LEN..).unwrap_or_default(), first, second, at);
            write_header(packet.ip_mut(), out, ident, at, at + count < len);
            self.send_packet(hop.link, hop.next, packet);
            at += count;
            if at >= len || count == 0 {
                return Ok(());
            }
        }
    }

    /// Sends a packet that is complete.
    pub(super) fn send_packet(&mut self, link: usize, next: Ipv4Addr, packet: Packet) {
        if link != LOOPBACK {
            return self.send_to_neighbor(link, next, packet);
        }
        let Some(lo) = self.links.get_mut(LOOPBACK) else { return };
        if self.looped.len() >= MOST_LOOPED {
            lo.counters.send_drops += 1;
            return lo.port.pool.put(packet);
        }
        lo.count_sent(packet.len());
        lo.counters.received += 1;
        lo.counters.received_bytes = lo.counters.sent_bytes;
        self.looped.push_back(packet);
    }

    /// Takes in a packet that has arrived over a link.
    pub(super) fn ip_arrived(&mut self, link: usize, mut packet: Packet) {
        let Some(header) = Header::parse(packet.ip(), link != LOOPBACK) else {
            if let Some(link) = self.links.get_mut(link) {
                link.counters.receive_drops += 1;
            }
            return self.recycle(link, packet);
        };
        // Nobody else may speak with an address of this machine.
        let is_forged = link != LOOPBACK && (self.is_local(header.source) || header.destination.is_loopback());
        let is_ours = self.is_local(header.destination) || self.is_broadcast(header.destination);
        if is_forged || !is_ours || header.source.is_multicast() || header.source.is_broadcast() {
            return self.recycle(link, packet);
        }
        packet.truncate(header.total_len);
        if header.has_more || header.fragment_offset != 0 {
            let whole = self.add_fragment(&header, packet.ip());
            self.recycle(link, packet);
            let Some(whole) = whole else { return };
            let Some(mut packet) = self.links.get_mut(link).and_then(|link| link.port.pool.get(whole.len())) else {
                return;
            };
            packet.ip_mut().copy_from_slice(&whole);
            let Some(header) = Header::parse(packet.ip(), true) else { return };
            return self.deliver(link, &header, packet);
        }
        self.deliver(link, &header, packet);
    }

    /// Hands a whole packet to whom it is for.
    fn deliver(&mut self, link: usize, header: &Header, packet: Packet) {
        let was_raw = self.raw_arrived(link, header, packet.ip());
        match u32::from(header.protocol) {
            IPPROTO_TCP => return self.tcp_arrived(link, header, packet),
            IPPROTO_UDP => self.udp_arrived(link, header, packet.ip()),
            IPPROTO_ICMP => self.icmp_arrived(link, header, packet.ip()),
            _ if was_raw => {}
            _ => self.send_unreachable(header, packet.ip(), super::icmp::PROTOCOL_UNREACHABLE),
        }
        self.recycle(link, packet);
    }

    /// Adds a fragment, and gives the packet if that was the last one.
    fn add_fragment(&mut self, header: &Header, packet: &[u8]) -> Option<Vec<u8>> {
        let now = self.now_ns;
        let table = &mut self.partials.table;
        table.retain(|_, partial| now.saturating_sub(partial.since_ns) < PARTIAL_NS);
        let key = (header.source, header.destination, header.protocol, header.ident);
        let payload = packet.get(header.header_len..)?;
        let (start, end) = (header.fragment_offset, header.fragment_offset.checked_add(payload.len())?);
        let is_uneven = header.has_more && !payload.len().is_multiple_of(8);
        if payload.is_empty() || end > MAX_LEN - HEADER_LEN || is_uneven {
            return None;
        }
        if !table.contains_key(&key) {
            let bytes: usize = table.values().map(|partial| partial.bytes.len()).sum();
            if table.len() >= MOST_PARTIAL || bytes >= MOST_PARTIAL_BYTES {
                return None;
            }
        }
        let fresh = Partial { bytes: Vec::new(), ranges: Vec::new(), total: None, since_ns: now, header: None };
        let partial = table.entry(key).or_insert(fresh);
        if !partial.add(start, end, payload, header, packet) {
            // Fragments that contradict each other are an attack, or garbage.
            table.remove(&key);
            return None;
        }
        if !partial.is_whole() {
            return None;
        }
        table.remove(&key)?.assemble()
    }
}

impl Partial {
    fn add(&mut self, start: usize, end: usize, payload: &[u8], header: &Header, packet: &[u8]) -> bool {
        let overlaps = self.ranges.iter().any(|(from, to)| start < *to && *from < end);
        let is_past_end = self.total.is_some_and(|total| end > total || !header.has_more && end != total);
        let is_before_known = !header.has_more && end < self.bytes.len();
        if overlaps || is_past_end || is_before_known {
            // A fragment that came twice changes nothing.
            return self.ranges.iter().any(|(from, to)| *from <= start && end <= *to);
        }
        if self.bytes.len() < end {
            if self.bytes.try_reserve(end - self.bytes.len()).is_err() {
                return false;
            }
            self.bytes.resize(end, 0);
        }
        if let Some(to) = self.bytes.get_mut(start..end) {
            to.copy_from_slice(payload);
        }
        self.ranges.push((start, end));
        self.ranges.sort_unstable();
        self.ranges.dedup_by(|next, last| {
            let joins = last.1 == next.0;
            if joins {
                last.1 = next.1;
            }
            joins
        });
        if !header.has_more {
            self.total = Some(end);
        }
        if start == 0 {
            self.header = packet.get(..header.header_len).map(<[u8]>::to_vec);
        }
        true
    }

    fn is_whole(&self) -> bool {
        matches!((self.ranges.as_slice(), self.total), ([(0, end)], Some(total)) if *end == total)
    }

    /// The packet as if it had come whole.
    fn assemble(self) -> Option<Vec<u8>> {
        let mut packet = self.header?;
        let header_len = packet.len();
        packet.extend_from_slice(&self.bytes);
        let total = u16::try_from(packet.len()).ok()?;
        let mut header = Ipv4Packet::new_unchecked(packet.get_mut(..header_len)?);
        header.set_total_len(total);
        header.clear_flags();
        header.set_frag_offset(0);
        header.fill_checksum();
        Some(packet)
    }
}

/// Copies what two parts have from `at` on.
fn copy_parts(to: &mut [u8], first: &[u8], second: &[u8], at: usize) {
    let from_first = first.get(at..).unwrap_or_default();
    let (head, tail) = to.split_at_mut(from_first.len().min(to.len()));
    head.copy_from_slice(from_first.get(..head.len()).unwrap_or_default());
    let start = at.saturating_sub(first.len());
    if let Some(from) = second.get(start..start.saturating_add(tail.len())) {
        tail.copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_copied_across_their_border() {
        let mut to = [0; 4];
        copy_parts(&mut to, b"abc", b"defgh", 1);
        assert_eq!(&to, b"bcde");
        copy_parts(&mut to, b"abc", b"defgh", 4);
        assert_eq!(&to, b"efgh");
    }

    fn header(offset: usize, has_more: bool) -> Header {
        Header {
            source: Ipv4Addr::LOCALHOST,
            destination: Ipv4Addr::LOCALHOST,
            protocol: 17,
            ttl: 1,
            tos: 0,
            header_len: 0,
            total_len: 0,
            ident: 1,
            fragment_offset: offset,
            has_more,
        }
    }

    #[test]
    fn fragments_come_in_any_order_but_may_not_overlap() {
        let fresh = || Partial { bytes: Vec::new(), ranges: Vec::new(), total: None, since_ns: 0, header: None };
        let mut partial = fresh();
        assert!(partial.add(16, 20, b"last", &header(16, false), b""));
        assert!(partial.add(0, 8, b"01234567", &header(0, true), b""));
        assert!(!partial.is_whole());
        assert!(partial.add(0, 8, b"01234567", &header(0, true), b""), "a repeated one");
        assert!(partial.add(8, 16, b"89abcdef", &header(8, true), b""));
        assert!(partial.is_whole());
        let mut partial = fresh();
        assert!(partial.add(0, 16, &[0; 16], &header(0, true), b""));
        assert!(!partial.add(8, 24, &[1; 16], &header(8, true), b""), "an overlap");
        assert!(!partial.add(8, 12, &[1; 4], &header(8, false), b"") || !partial.is_whole(), "an end in the middle");
    }
}
