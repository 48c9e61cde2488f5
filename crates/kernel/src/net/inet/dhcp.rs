//! The DHCP client of an interface ([`Client`]), and what `/proc/net/pnp`
//! tells of its result ([`Pnp`]).
//!
//! smoltcp's client needs an Ethernet interface to itself; this one sees only
//! the frames that concern it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv4Addr;

use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::dhcpv4::{Event, Socket};
use smoltcp::time::Instant;
use smoltcp::wire::{
    ArpOperation, ArpPacket, EthernetAddress, EthernetFrame, EthernetProtocol, HardwareAddress, IpCidr, IpProtocol,
    Ipv4Packet, UdpPacket,
};

use super::link::Assigned;
use super::packet::HEADROOM;
use super::stack::{Stack, nanoseconds};

const SERVER_PORT: u16 = 67;
const CLIENT_PORT: u16 = 68;
/// Frames that may be waiting, either way.
const MOST_FRAMES: usize = 16;

/// The configuration that the boot parameters, or a server, have given.
#[derive(Clone, Debug, Default)]
pub(super) struct Pnp {
    pub(super) is_dhcp: bool,
    pub(super) nameservers: Vec<Ipv4Addr>,
    pub(super) server: Option<Ipv4Addr>,
}

/// A DHCP client.
pub(super) struct Client {
    engine: Interface,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
    wire: Wire,
    /// When it wants to be asked again.
    pub(super) next_ns: Option<u64>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("next_ns", &self.next_ns).finish_non_exhaustive()
    }
}

/// What a server has said.
enum News {
    Lease { assigned: Assigned, router: Option<Ipv4Addr>, nameservers: Vec<Ipv4Addr>, server: Ipv4Addr },
    Lost,
}

impl Client {
    pub(super) fn new(mac: [u8; 6], mtu: usize, seed: u64) -> Box<Self> {
        let mut wire = Wire { arrived: VecDeque::new(), emitted: VecDeque::new(), mtu: mtu + HEADROOM };
        let mut config = Config::new(HardwareAddress::Ethernet(EthernetAddress(mac)));
        config.random_seed = seed;
        let engine = Interface::new(config, &mut wire, Instant::ZERO);
        let mut sockets = SocketSet::new(Vec::new());
        let handle = sockets.add(Socket::new());
        Box::new(Self { engine, sockets, handle, wire, next_ns: Some(0) })
    }

    /// True for the frames that it wants.
    pub(super) fn takes(&self, bytes: &[u8]) -> bool {
        let Ok(frame) = EthernetFrame::new_checked(bytes) else { return false };
        match frame.ethertype() {
            EthernetProtocol::Arp => ArpPacket::new_checked(frame.payload())
                .is_ok_and(|packet| packet.operation() == ArpOperation::Reply && !self.engine.ip_addrs().is_empty()),
            EthernetProtocol::Ipv4 => {
                let Ok(packet) = Ipv4Packet::new_checked(frame.payload()) else { return false };
                packet.next_header() == IpProtocol::Udp
                    && packet.frag_offset() == 0
                    && UdpPacket::new_checked(packet.payload())
                        .is_ok_and(|packet| (packet.src_port(), packet.dst_port()) == (SERVER_PORT, CLIENT_PORT))
            }
            _ => false,
        }
    }

    /// Takes in a frame.
    pub(super) fn arrived(&mut self, bytes: &[u8]) {
        if self.wire.arrived.len() < MOST_FRAMES {
            self.wire.arrived.push_back(bytes.to_vec());
        }
    }

    /// Lets it work, and gives what it has learnt.
    fn run(&mut self, now: Instant) -> Option<News> {
        // Each round takes in a frame or sends one, and neither lasts.
        for _ in 0..2 * MOST_FRAMES {
            if self.engine.poll(now, &mut self.wire, &mut self.sockets) == PollResult::None
                && self.wire.arrived.is_empty()
            {
                break;
            }
        }
        self.next_ns = self.engine.poll_at(now, &self.sockets).map(nanoseconds);
        match self.sockets.get_mut::<Socket<'_>>(self.handle).poll()? {
            Event::Deconfigured => {
                self.engine.update_ip_addrs(|addrs| addrs.clear());
                self.engine.routes_mut().remove_default_ipv4_route();
                Some(News::Lost)
            }
            Event::Configured(config) => {
                let address = config.address;
                let (router, server) = (config.router, config.server.address);
                let nameservers = config.dns_servers.iter().copied().collect();
                let is_host = !address.address().is_unspecified()
                    && !address.address().is_multicast()
                    && !address.address().is_broadcast();
                if !is_host {
                    return None;
                }
                // For the requests that renew the lease, which go to the server.
                self.engine.update_ip_addrs(|addrs| {
                    addrs.clear();
                    // There is room: it is empty.
                    let _ = addrs.push(IpCidr::Ipv4(address));
                });
                if let Some(router) = router {
                    // There is room: it is the only route.
                    let _ = self.engine.routes_mut().add_default_ipv4_route(router);
                }
                let assigned = Assigned::new(address.address(), address.prefix_len());
                Some(News::Lease { assigned, router, nameservers, server })
            }
        }
    }
}

impl Stack {
    /// Lets the DHCP client of a link work, and tells whether it did anything.
    pub(super) fn run_dhcp(&mut self, index: usize) -> bool {
        let now = self.instant();
        let Some(link) = self.links.get_mut(index).filter(|link| link.is_up) else { return false };
        let Some(client) = link.dhcp.as_mut() else { return false };
        let news = client.run(now);
        let frames: Vec<Vec<u8>> = client.wire.emitted.drain(..).collect();
        let has_done = news.is_some() || !frames.is_empty();
        for frame in frames {
            let packet = frame.len().checked_sub(HEADROOM).and_then(|len| link.port.pool.get(len));
            if let Some(mut packet) = packet {
                packet.frame_mut().copy_from_slice(&frame);
                link.send_frame(packet);
            }
        }
        match news {
            None => {}
            Some(News::Lost) => {
                self.set_address(index, None);
                self.pnp = Pnp::default();
            }
            Some(News::Lease { assigned, router, nameservers, server }) => {
                self.set_address(index, Some(assigned));
                if let Some(router) = router {
                    // A router that is no neighbour is of no use.
                    let _ = self.add_route(Ipv4Addr::UNSPECIFIED, 0, Some(router), Some(index), 0);
                }
                self.pnp = Pnp { is_dhcp: true, nameservers, server: Some(server) };
            }
        }
        has_done
    }

    /// Gives a link another address, or none. Routes over it go if the address
    /// changes.
    pub(super) fn set_address(&mut self, index: usize, address: Option<Assigned>) {
        let Some(link) = self.links.get_mut(index) else { return };
        if link.address == address {
            return;
        }
        link.address = address;
        self.routes.list.retain(|route| route.link != index);
        self.neighbors.forget(index);
    }
}

/// The client's device.
struct Wire {
    arrived: VecDeque<Vec<u8>>,
    emitted: VecDeque<Vec<u8>>,
    mtu: usize,
}

struct Arrived(Vec<u8>);

impl RxToken for Arrived {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        take(&self.0)
    }
}

struct Emitting<'a>(&'a mut VecDeque<Vec<u8>>);

impl TxToken for Emitting<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, fill: F) -> R {
        let mut frame = alloc::vec![0; len];
        let result = fill(&mut frame);
        self.0.push_back(frame);
        result
    }
}

impl Device for Wire {
    type RxToken<'a> = Arrived;
    type TxToken<'a> = Emitting<'a>;

    fn receive(&mut self, _now: Instant) -> Option<(Arrived, Emitting<'_>)> {
        let frame = self.arrived.pop_front()?;
        Some((Arrived(frame), Emitting(&mut self.emitted)))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Emitting<'_>> {
        (self.emitted.len() < MOST_FRAMES).then_some(Emitting(&mut self.emitted))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = self.mtu;
        capabilities
    }
}
