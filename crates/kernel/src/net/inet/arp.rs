//! Who has which hardware address: [`Neighbors`], and the ARP packets that
//! find it out.
//!
//! A packet for a neighbour that is not known waits for the answer. Three
//! questions a second apart without one make the host unreachable. An address
//! that is known is asked for again, without making anybody wait, once it has
//! not been confirmed for a minute; so nothing happens while nothing is sent.

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use hashbrown::HashMap;
use smoltcp::wire::{ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr};

use super::packet::{HEADROOM, Packet};
use super::stack::Stack;
use linux_abi::Errno;

/// How long an answer is good for.
const FRESH_NS: u64 = 60_000_000_000;
/// Between questions.
const RETRY_NS: u64 = 1_000_000_000;
/// Questions before a host counts as unreachable.
const MOST_TRIES: u8 = 3;
/// Neighbours that are remembered.
const MOST_KNOWN: usize = 1024;
/// Packets that wait for one neighbour.
const MOST_QUEUED: usize = 64;

/// Bytes of an ARP packet for Ethernet and IPv4.
const ARP_LEN: usize = 28;

#[derive(Debug)]
struct Neighbor {
    mac: Option<[u8; 6]>,
    confirmed_ns: u64,
    /// Questions since the last answer, and when the last one was asked.
    tries: u8,
    asked_ns: u64,
    queue: Vec<Packet>,
}

/// The neighbours of all links.
#[derive(Debug, Default)]
pub(super) struct Neighbors {
    table: HashMap<(usize, Ipv4Addr), Neighbor>,
}

impl Neighbors {
    /// Each neighbour: link, address, hardware address if known.
    pub(super) fn list(&self) -> Vec<(usize, Ipv4Addr, Option<[u8; 6]>)> {
        let mut all: Vec<_> = self.table.iter().map(|((link, addr), entry)| (*link, *addr, entry.mac)).collect();
        all.sort_unstable();
        all
    }

    /// When a question is to be repeated.
    pub(super) fn next_ns(&self) -> Option<u64> {
        let waiting = self.table.values().filter(|entry| entry.mac.is_none());
        waiting.map(|entry| entry.asked_ns.saturating_add(RETRY_NS)).min()
    }

    /// Forgets the neighbours of a link.
    pub(super) fn forget(&mut self, link: usize) {
        self.table.retain(|(of, _), _| *of != link);
    }

    /// Makes room for one more: those that were confirmed longest ago go.
    fn make_room(&mut self) {
        if self.table.len() < MOST_KNOWN {
            return;
        }
        let oldest = self.table.iter().min_by_key(|(_, entry)| entry.confirmed_ns.max(entry.asked_ns));
        if let Some(key) = oldest.map(|(key, _)| *key) {
            self.table.remove(&key);
        }
    }
}

impl Stack {
    /// Sends an IP packet on an Ethernet link to the neighbour `next`.
    pub(super) fn send_to_neighbor(&mut self, link: usize, next: Ipv4Addr, packet: Packet) {
        if let Some(mac) = self.group_mac(link, next) {
            return self.send_ethernet(link, mac, packet);
        }
        let now = self.now_ns;
        let Some(entry) = self.neighbors.table.get_mut(&(link, next)) else {
            self.neighbors.make_room();
            let entry = Neighbor { mac: None, confirmed_ns: 0, tries: 1, asked_ns: now, queue: alloc::vec![packet] };
            self.neighbors.table.insert((link, next), entry);
            return self.ask(link, next, None);
        };
        let Some(mac) = entry.mac else {
            if entry.queue.len() >= MOST_QUEUED {
                entry.queue.remove(0);
            }
            entry.queue.push(packet);
            return;
        };
        let is_stale = now.saturating_sub(entry.confirmed_ns) > FRESH_NS;
        let asks = is_stale && now.saturating_sub(entry.asked_ns) >= RETRY_NS;
        if asks && entry.tries >= MOST_TRIES {
            // It has moved, or is gone: as if it had never been known.
            self.neighbors.table.remove(&(link, next));
            return self.send_to_neighbor(link, next, packet);
        }
        if asks {
            (entry.tries, entry.asked_ns) = (entry.tries + 1, now);
        }
        self.send_ethernet(link, mac, packet);
        if asks {
            self.ask(link, next, Some(mac));
        }
    }

    /// The hardware address of a broadcast or multicast address.
    fn group_mac(&self, link: usize, addr: Ipv4Addr) -> Option<[u8; 6]> {
        let own = self.links.get(link)?.address;
        if addr.is_broadcast() || own.is_some_and(|own| !own.broadcast.is_unspecified() && own.broadcast == addr) {
            return Some([0xff; 6]);
        }
        let [_, b, c, d] = addr.octets();
        addr.is_multicast().then_some([0x01, 0x00, 0x5e, b & 0x7f, c, d])
    }

    /// Writes the Ethernet header and sends the frame.
    fn send_ethernet(&mut self, link: usize, mac: [u8; 6], packet: Packet) {
        self.send_as(link, mac, EthernetProtocol::Ipv4, packet);
    }

    fn send_as(&mut self, link: usize, mac: [u8; 6], ethertype: EthernetProtocol, mut packet: Packet) {
        let Some(link) = self.links.get_mut(link) else { return };
        let (src_addr, dst_addr) = (EthernetAddress(link.mac), EthernetAddress(mac));
        let mut frame = EthernetFrame::new_unchecked(packet.frame_mut());
        EthernetRepr { src_addr, dst_addr, ethertype }.emit(&mut frame);
        link.send_frame(packet);
    }

    /// Asks for an address: everybody, or who had it last.
    fn ask(&mut self, link: usize, target: Ipv4Addr, last: Option<[u8; 6]>) {
        let Some(own) = self.links.get(link) else { return };
        let source = own.address.map_or(Ipv4Addr::UNSPECIFIED, |own| own.addr);
        let repr = ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Request,
            source_hardware_addr: EthernetAddress(own.mac),
            source_protocol_addr: source,
            target_hardware_addr: EthernetAddress([0; 6]),
            target_protocol_addr: target,
        };
        self.send_arp(link, last.unwrap_or([0xff; 6]), &repr);
    }

    fn send_arp(&mut self, link: usize, mac: [u8; 6], repr: &ArpRepr) {
        let Some(mut packet) = self.links.get_mut(link).and_then(|link| link.port.pool.get(ARP_LEN)) else { return };
        repr.emit(&mut ArpPacket::new_unchecked(packet.ip_mut()));
        self.send_as(link, mac, EthernetProtocol::Arp, packet);
    }

    /// Takes in a frame that a device has received.
    pub(super) fn frame_arrived(&mut self, link: usize, mut packet: Packet) {
        let Some(own) = self.links.get_mut(link) else { return };
        let Ok(frame) = EthernetFrame::new_checked(packet.frame()) else { return own.port.pool.put(packet) };
        let (ethertype, destination) = (frame.ethertype(), frame.dst_addr());
        if destination.is_unicast() && destination.0 != own.mac {
            return own.port.pool.put(packet);
        }
        if let Some(client) = own.dhcp.as_mut()
            && client.takes(packet.frame())
        {
            client.arrived(packet.frame());
            own.has_work = true;
            // An ARP answer may be for either; any other frame is the client's alone.
            if ethertype != EthernetProtocol::Arp {
                return own.port.pool.put(packet);
            }
        }
        match ethertype {
            EthernetProtocol::Ipv4 => self.ip_arrived(link, packet),
            EthernetProtocol::Arp => {
                packet.truncate(ARP_LEN);
                self.arp_arrived(link, packet.ip());
                self.recycle(link, packet);
            }
            _ => self.recycle(link, packet),
        }
    }

    fn arp_arrived(&mut self, link: usize, bytes: &[u8]) {
        let Ok(Ok(repr)) = ArpPacket::new_checked(bytes).map(|packet| ArpRepr::parse(&packet)) else { return };
        let ArpRepr::EthernetIpv4 {
            operation, source_hardware_addr, source_protocol_addr, target_protocol_addr, ..
        } = repr
        else {
            return;
        };
        let Some(own) = self.links.get(link) else { return };
        let mac = own.mac;
        let is_host = !source_protocol_addr.is_unspecified()
            && !source_protocol_addr.is_multicast()
            && !source_protocol_addr.is_broadcast();
        if !source_hardware_addr.is_unicast() {
            return;
        }
        let is_for_us = own.address.is_some_and(|own| own.addr == target_protocol_addr);
        if is_host {
            self.learn(link, source_protocol_addr, source_hardware_addr.0, is_for_us);
        }
        if operation == ArpOperation::Request && is_for_us {
            let reply = ArpRepr::EthernetIpv4 {
                operation: ArpOperation::Reply,
                source_hardware_addr: EthernetAddress(mac),
                source_protocol_addr: target_protocol_addr,
                target_hardware_addr: source_hardware_addr,
                target_protocol_addr: source_protocol_addr,
            };
            self.send_arp(link, source_hardware_addr.0, &reply);
        }
    }

    /// Notes where a neighbour is. Who is not known yet is remembered only if
    /// it talks to this machine.
    fn learn(&mut self, link: usize, addr: Ipv4Addr, mac: [u8; 6], is_for_us: bool) {
        let now = self.now_ns;
        if !self.neighbors.table.contains_key(&(link, addr)) {
            if !is_for_us || !self.is_on_link(link, addr) {
                return;
            }
            self.neighbors.make_room();
        }
        let fresh = Neighbor { mac: None, confirmed_ns: 0, tries: 0, asked_ns: 0, queue: Vec::new() };
        let entry = self.neighbors.table.entry((link, addr)).or_insert(fresh);
        (entry.mac, entry.confirmed_ns, entry.tries) = (Some(mac), now, 0);
        for packet in core::mem::take(&mut entry.queue) {
            self.send_ethernet(link, mac, packet);
        }
    }

    /// True if `addr` is in the network of a link.
    fn is_on_link(&self, link: usize, addr: Ipv4Addr) -> bool {
        self.links.get(link).and_then(|link| link.address).is_some_and(|own| own.contains(addr))
    }

    /// Repeats questions that were not answered, and gives up in the end.
    pub(super) fn neighbors_due(&mut self) {
        let now = self.now_ns;
        let due = |entry: &Neighbor| entry.mac.is_none() && entry.asked_ns.saturating_add(RETRY_NS) <= now;
        let keys: Vec<_> = self.neighbors.table.iter().filter(|(_, entry)| due(entry)).map(|(key, _)| *key).collect();
        for (link, addr) in keys {
            let Some(entry) = self.neighbors.table.get_mut(&(link, addr)) else { continue };
            if entry.tries < MOST_TRIES {
                (entry.tries, entry.asked_ns) = (entry.tries + 1, now);
                self.ask(link, addr, None);
                continue;
            }
            let lost = self.neighbors.table.remove(&(link, addr));
            for packet in lost.map(|entry| entry.queue).unwrap_or_default() {
                self.delivery_failed(packet.ip(), Errno::EHOSTUNREACH, false);
                self.recycle(link, packet);
            }
        }
    }

    /// Keeps a buffer for further use.
    pub(super) fn recycle(&mut self, link: usize, packet: Packet) {
        if let Some(link) = self.links.get_mut(link) {
            link.port.pool.put(packet);
        }
    }
}

const _: () = assert!(HEADROOM == 14, "the header of an Ethernet frame");
