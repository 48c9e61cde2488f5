//! The texts of `/proc/net`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::socket::tcp::State;

use super::Inet;
use super::link::{LOOPBACK, mask_of};
use super::sock::{NOWHERE, Sock};
use super::tcp::Stage;

/// An address as the kernel's tables show it: the number as it lies in memory.
fn raw(addr: Ipv4Addr) -> u32 {
    u32::from_le_bytes(addr.octets())
}

/// States as `/proc/net/tcp` numbers them.
const LISTEN: u8 = 10;
const TIME_WAIT: u8 = 6;
const CLOSE: u8 = 7;

fn state_number(state: State) -> u8 {
    match state {
        State::Established => 1,
        State::SynSent => 2,
        State::SynReceived => 3,
        State::FinWait1 => 4,
        State::FinWait2 => 5,
        State::TimeWait => TIME_WAIT,
        State::Closed => CLOSE,
        State::CloseWait => 8,
        State::LastAck => 9,
        State::Listen => LISTEN,
        State::Closing => 11,
    }
}

fn ends(local: SocketAddrV4, remote: SocketAddrV4) -> String {
    let [local, remote] = [local, remote].map(|end| format!("{:08X}:{:04X}", raw(*end.ip()), end.port()));
    format!("{local} {remote}")
}

impl Inet {
    /// `/proc/net/dev`.
    pub(crate) fn dev(&self) -> String {
        let mut out = String::from(
            "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop \
             fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n",
        );
        self.look(|stack| {
            for link in &stack.links {
                let c = link.counters;
                // Writing to a string cannot fail, here and below.
                let _ = writeln!(
                    out,
                    "{:>6}: {:7} {:7}    0 {:4}    0     0          0         0 {:8} {:7}    0 {:4}    0     0       0          0",
                    link.name, c.received_bytes, c.received, c.receive_drops, c.sent_bytes, c.sent, c.send_drops
                );
            }
        });
        out
    }

    /// `/proc/net/route`.
    pub(crate) fn route_table(&self) -> String {
        let mut out = String::new();
        let mut line = |text: String| {
            let _ = writeln!(out, "{text:<127}");
        };
        line(String::from("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"));
        self.look(|stack| {
            let name = |index: usize| stack.links.get(index).map_or("", |link| link.name.as_str());
            for route in &stack.routes.list {
                let gateway = route.gateway.unwrap_or(Ipv4Addr::UNSPECIFIED);
                let flags = 1 | if route.gateway.is_some() { 2 } else { 0 } | if route.prefix == 32 { 4 } else { 0 };
                line(format!(
                    "{}\t{:08X}\t{:08X}\t{flags:04X}\t0\t0\t{}\t{:08X}\t0\t0\t0",
                    name(route.link),
                    raw(route.network),
                    raw(gateway),
                    route.metric,
                    raw(Ipv4Addr::from_bits(mask_of(route.prefix)))
                ));
            }
            for link in stack.links.iter().skip(LOOPBACK + 1).filter(|link| link.is_up) {
                if let Some(own) = link.address {
                    let mask = mask_of(own.prefix);
                    let network = Ipv4Addr::from_bits(own.addr.to_bits() & mask);
                    let mask = raw(Ipv4Addr::from_bits(mask));
                    line(format!("{}\t{:08X}\t00000000\t0001\t0\t0\t0\t{mask:08X}\t0\t0\t0", link.name, raw(network)));
                }
            }
        });
        out
    }

    /// `/proc/net/arp`.
    pub(crate) fn arp_table(&self) -> String {
        let mut out = String::from("IP address       HW type     Flags       HW address            Mask     Device\n");
        self.look(|stack| {
            for (link, addr, mac) in stack.neighbors.list() {
                let name = stack.links.get(link).map_or("", |link| link.name.as_str());
                let flags = if mac.is_some() { 2 } else { 0 };
                let [a, b, c, d, e, f] = mac.unwrap_or_default();
                let mac = format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}");
                let addr = format!("{addr}");
                let _ = writeln!(out, "{addr:<16} 0x1         0x{flags}         {mac}     *        {name}");
            }
        });
        out
    }

    /// `/proc/net/tcp`.
    pub(crate) fn tcp_table(&self) -> String {
        let title = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
        let mut rows = Vec::new();
        self.look(|stack| {
            let mut ids: Vec<u64> = stack.socks.keys().copied().collect();
            ids.sort_unstable();
            for id in ids {
                let unsent = stack.unsent(id);
                let Some(sock) = stack.socks.get(&id) else { continue };
                let Some(stream) = sock.stream() else { continue };
                let (state, queue) = match &stream.listening {
                    Some(listening) => (LISTEN, (0, listening.ready.len())),
                    None if stream.stage == Stage::Idle || stream.is_over() => continue,
                    None => (stream.seen.map_or(CLOSE, state_number), (unsent, stream.unread())),
                };
                rows.push(row(rows.len(), sock, state, queue));
            }
            let now = stack.now_ns;
            for tuple in stack.connections.ended(now) {
                let ends = ends(tuple.local, tuple.remote);
                let number = rows.len();
                rows.push(format!(
                    "{number:4}: {ends} {TIME_WAIT:02X} 00000000:00000000 00:00000000 00000000     0        0 0"
                ));
            }
        });
        table(title, &rows)
    }

    /// `/proc/net/udp`.
    pub(crate) fn udp_table(&self) -> String {
        let title = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode \
                     ref pointer drops            ";
        let mut rows = Vec::new();
        self.look(|stack| {
            let mut ids: Vec<u64> = stack.socks.keys().copied().collect();
            ids.sort_unstable();
            for sock in ids.iter().filter_map(|id| stack.socks.get(id)) {
                let Some(datagrams) = sock.datagrams().filter(|_| sock.space() == Some(super::ports::Space::Udp))
                else {
                    continue;
                };
                if !sock.has_port {
                    continue;
                }
                let state = if sock.remote.is_some() { 1 } else { CLOSE };
                let text = row(rows.len(), sock, state, (0, datagrams.held()));
                rows.push(format!("{text} 2 0000000000000000 {}", datagrams.dropped));
            }
        });
        table(title, &rows)
    }

    /// `/proc/net/pnp`, as Linux tells what it was configured with at boot.
    pub(crate) fn pnp(&self) -> String {
        self.look(|stack| {
            let pnp = &stack.pnp;
            let mut out = String::from(if pnp.is_dhcp { "#PROTO: DHCP\n" } else { "#MANUAL\n" });
            for server in &pnp.nameservers {
                let _ = writeln!(out, "nameserver {server}");
            }
            if let Some(server) = pnp.server {
                let _ = writeln!(out, "bootserver {server}");
            }
            out
        })
    }
}

fn row(number: usize, sock: &Sock, state: u8, (unsent, unread): (usize, usize)) -> String {
    let ends = ends(sock.local, sock.remote.unwrap_or(NOWHERE));
    let uid = sock.uid;
    format!("{number:4}: {ends} {state:02X} {unsent:08X}:{unread:08X} 00:00000000 00000000 {uid:5}        0 0")
}

fn table(title: &str, rows: &[String]) -> String {
    let mut out = format!("{title:<149}\n");
    for row in rows {
        let _ = writeln!(out, "{row:<149}");
    }
    out
}
