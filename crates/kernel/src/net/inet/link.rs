//! Network interfaces: [`Link`], one for `lo` and each Ethernet device.
//!
//! A link has a TCP engine of its own, a smoltcp interface that speaks bare IP
//! through a [`Port`]: what is put into the port is one packet for the engine,
//! what comes out waits in a queue until the stack has routed it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv4Addr;

use machine::NetDev;
use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::phy::{Checksum, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;
use smoltcp::wire::HardwareAddress;

use super::dhcp::Client;
use super::packet::{HEADROOM, Packet, Pool};
use crate::sched::WaitQueue;

/// The index of `lo` among a stack's links.
pub(super) const LOOPBACK: usize = 0;
/// What `lo` carries at once: an IP packet can be no longer.
const LOOPBACK_MTU: usize = 65535;
/// Packets that the TCP engine may emit before they are routed.
const MOST_EMITTED: usize = 64;
/// Frames that wait for a device to have room.
const MOST_WAITING: usize = 512;

/// An address of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Assigned {
    pub(super) addr: Ipv4Addr,
    /// Bits of the network's part.
    pub(super) prefix: u8,
    pub(super) broadcast: Ipv4Addr,
}

impl Assigned {
    /// With the broadcast address that follows from the prefix.
    pub(super) fn new(addr: Ipv4Addr, prefix: u8) -> Self {
        let mask = mask_of(prefix);
        // A network of two or one hosts has no broadcast address.
        let broadcast = if prefix >= 31 { 0 } else { addr.to_bits() | !mask };
        Self { addr, prefix, broadcast: Ipv4Addr::from_bits(broadcast) }
    }

    /// True if `addr` is in the same network.
    pub(super) fn contains(&self, addr: Ipv4Addr) -> bool {
        let mask = mask_of(self.prefix);
        addr.to_bits() & mask == self.addr.to_bits() & mask
    }
}

/// The mask of a prefix's length.
pub(super) fn mask_of(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32_u32.saturating_sub(u32::from(prefix))).unwrap_or(0)
}

/// What `/proc/net/dev` counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    pub(super) received: u64,
    pub(super) received_bytes: u64,
    pub(super) receive_drops: u64,
    pub(super) sent: u64,
    pub(super) sent_bytes: u64,
    pub(super) send_drops: u64,
}

/// A network interface.
pub(super) struct Link {
    pub(super) name: String,
    /// None for `lo`.
    pub(super) device: Option<Arc<dyn NetDev>>,
    pub(super) mac: [u8; 6],
    pub(super) mtu: usize,
    pub(super) is_up: bool,
    pub(super) address: Option<Assigned>,
    pub(super) counters: Counters,
    /// The way in and out of the TCP engine.
    pub(super) port: Port,
    pub(super) engine: Interface,
    pub(super) sockets: SocketSet<'static>,
    /// The engine may have something to send.
    pub(super) has_work: bool,
    /// When the engine wants to be asked again.
    pub(super) next_ns: Option<u64>,
    /// Frames that the device had no room for.
    waiting: VecDeque<Packet>,
    /// Sockets that wait for room to send.
    pub(super) starved: Vec<WaitQueue>,
    pub(super) dhcp: Option<Box<Client>>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("name", &self.name).field("address", &self.address).finish_non_exhaustive()
    }
}

impl Link {
    /// `lo`, with its address.
    pub(super) fn loopback(seed: u64) -> Self {
        let mut link = Self::new(String::from("lo"), LOOPBACK_MTU, false, seed);
        link.is_up = true;
        let (addr, broadcast) = (Ipv4Addr::LOCALHOST, Ipv4Addr::UNSPECIFIED);
        link.address = Some(Assigned { addr, prefix: 8, broadcast });
        link
    }

    /// A device, down and without an address.
    pub(super) fn ethernet(name: String, device: Arc<dyn NetDev>, seed: u64) -> Self {
        let mut link = Self::new(name, device.mtu().clamp(576, LOOPBACK_MTU), true, seed);
        link.mac = device.mac_address();
        link.device = Some(device);
        link
    }

    fn new(name: String, mtu: usize, checks: bool, seed: u64) -> Self {
        let (emitted, pool) = (VecDeque::new(), Pool::default());
        let mut port = Port { incoming: None, used: None, emitted, pool, mtu, checks };
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut engine = Interface::new(config, &mut port, Instant::ZERO);
        // What reaches the engine has been found to be for this machine.
        engine.set_any_ip(true);
        Self {
            name,
            device: None,
            mac: [0; 6],
            mtu,
            is_up: false,
            address: None,
            counters: Counters::default(),
            port,
            engine,
            sockets: SocketSet::new(Vec::new()),
            has_work: false,
            next_ns: None,
            waiting: VecDeque::new(),
            starved: Vec::new(),
            dhcp: None,
        }
    }

    /// True if no more is to be handed to the device now.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST_WAITING
    }

    /// Sends a frame whose header is written, or keeps it until there is room.
    pub(super) fn send_frame(&mut self, packet: Packet) {
        let Some(device) = self.device.clone().filter(|_| self.is_up) else {
            self.counters.send_drops += 1;
            return self.port.pool.put(packet);
        };
        if self.waiting.is_empty() && transmit(&*device, packet.frame()) {
            self.count_sent(packet.len());
            self.port.pool.put(packet);
        } else if self.is_full() {
            self.counters.send_drops += 1;
            self.port.pool.put(packet);
        } else {
            self.waiting.push_back(packet);
        }
    }

    /// Hands waiting frames to the device, and tells whether any has gone.
    pub(super) fn flush(&mut self) -> bool {
        let Some(device) = self.device.clone() else { return false };
        let was_full = self.is_full();
        let mut has_sent = false;
        while let Some(packet) = self.waiting.front() {
            if !transmit(&*device, packet.frame()) {
                break;
            }
            has_sent = true;
            if let Some(packet) = self.waiting.pop_front() {
                self.count_sent(packet.len());
                self.port.pool.put(packet);
            }
        }
        if was_full && !self.is_full() {
            self.has_work = true;
        }
        has_sent
    }

    /// Forgets frames that wait, as a link does that goes down.
    pub(super) fn drop_waiting(&mut self) {
        self.waiting.clear();
    }

    pub(super) fn count_sent(&mut self, ip_len: usize) {
        self.counters.sent += 1;
        self.counters.sent_bytes += (ip_len + HEADROOM) as u64;
    }

    /// The next frame that has arrived, its IP packet where a packet has it.
    pub(super) fn take_frame(&mut self) -> Option<Packet> {
        let device = self.device.clone()?;
        loop {
            let (pool, mut packet) = (&mut self.port.pool, None);
            let has_frame = device.receive(&mut |frame| {
                let Some(len) = frame.len().checked_sub(HEADROOM) else { return };
                if let Some(mut fresh) = pool.get(len) {
                    fresh.frame_mut().copy_from_slice(frame);
                    packet = Some(fresh);
                }
            });
            if !has_frame {
                return None;
            }
            // Runts, and what there is no memory for, are lost.
            let Some(packet) = packet.filter(|_| self.is_up) else {
                self.counters.receive_drops += 1;
                continue;
            };
            self.counters.received += 1;
            self.counters.received_bytes += packet.frame().len() as u64;
            return Some(packet);
        }
    }
}

fn transmit(device: &dyn NetDev, frame: &[u8]) -> bool {
    device.transmit(frame.len(), &mut |to| {
        let count = to.len().min(frame.len());
        if let (Some(to), Some(from)) = (to.get_mut(..count), frame.get(..count)) {
            to.copy_from_slice(from);
        }
    })
}

/// The TCP engine's device.
pub(super) struct Port {
    /// The packet that the engine is to take next.
    pub(super) incoming: Option<Packet>,
    /// The packet that the engine has taken last.
    used: Option<Packet>,
    /// What the engine has sent.
    pub(super) emitted: VecDeque<Packet>,
    pub(super) pool: Pool,
    mtu: usize,
    /// Whether checksums are needed.
    checks: bool,
}

impl Port {
    /// True if the engine may send another packet.
    fn has_room(&self) -> bool {
        self.emitted.len() < MOST_EMITTED
    }
}

/// A packet for the engine, and where its buffer goes.
pub(super) struct Incoming<'a> {
    packet: Packet,
    used: &'a mut Option<Packet>,
}

impl RxToken for Incoming<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        let result = take(self.packet.ip());
        *self.used = Some(self.packet);
        result
    }
}

/// Leave to send one packet.
pub(super) struct Outgoing<'a> {
    emitted: &'a mut VecDeque<Packet>,
    pool: &'a mut Pool,
}

impl TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, fill: F) -> R {
        match self.pool.get(len) {
            Some(mut packet) => {
                let result = fill(packet.ip_mut());
                self.emitted.push_back(packet);
                result
            }
            // TCP sends again what is lost here for want of a kept buffer.
            None => fill(&mut alloc::vec![0; len]),
        }
    }
}

impl Device for Port {
    type RxToken<'a> = Incoming<'a>;
    type TxToken<'a> = Outgoing<'a>;

    fn receive(&mut self, _now: Instant) -> Option<(Incoming<'_>, Outgoing<'_>)> {
        if let Some(used) = self.used.take() {
            self.pool.put(used);
        }
        let packet = self.incoming.take()?;
        let incoming = Incoming { packet, used: &mut self.used };
        Some((incoming, Outgoing { emitted: &mut self.emitted, pool: &mut self.pool }))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Outgoing<'_>> {
        self.has_room().then_some(Outgoing { emitted: &mut self.emitted, pool: &mut self.pool })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        // The stack has checked the header before the engine sees a packet.
        capabilities.checksum.ipv4 = Checksum::Tx;
        if !self.checks {
            capabilities.checksum.tcp = Checksum::None;
            capabilities.checksum.ipv4 = Checksum::None;
        }
        capabilities
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_gives_mask_and_broadcast() {
        assert_eq!([0, 8, 24, 32].map(mask_of), [0, 0xff00_0000, 0xffff_ff00, u32::MAX]);
        let assigned = Assigned::new(Ipv4Addr::new(10, 0, 2, 15), 24);
        assert_eq!(assigned.broadcast, Ipv4Addr::new(10, 0, 2, 255));
        assert!(assigned.contains(Ipv4Addr::new(10, 0, 2, 2)));
        assert!(!assigned.contains(Ipv4Addr::new(10, 0, 3, 2)));
    }
}
