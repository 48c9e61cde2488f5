//! Two kernels on one cable, and the loopback interface of one.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use linux_abi::poll::PollEvents;
use linux_abi::{Errno, Wire};
use machine::sync::Mutex;
use machine::{GuestAddr, NetDev};

use crate::testing::FakeMachine;
use crate::testing_task::Guest;

const SOCKET: u64 = 198;
const BIND: u64 = 200;
const LISTEN: u64 = 201;
const ACCEPT: u64 = 202;
const CONNECT: u64 = 203;
const GETSOCKNAME: u64 = 204;
const SENDTO: u64 = 206;
const RECVFROM: u64 = 207;
const GETSOCKOPT: u64 = 209;
const SHUTDOWN: u64 = 210;

const INET: u64 = 2;
const STREAM: u64 = 1;
const DGRAM: u64 = 2;
const NONBLOCK: u64 = 0o4000;

const MILLISECOND: u64 = 1_000_000;

/// What a cable does to frames: it loses, and swaps, one of so many.
#[derive(Clone, Copy, Default)]
struct Faults {
    lose_one_of: u64,
    swap_one_of: u64,
}

/// One end of a cable.
struct Plug {
    mac: [u8; 6],
    state: Mutex<PlugState>,
    other: Mutex<Weak<Plug>>,
    faults: Faults,
}

#[derive(Default)]
struct PlugState {
    arrived: VecDeque<Vec<u8>>,
    notify: Option<Box<dyn Fn() + Send + Sync>>,
    random: u64,
    sent: usize,
    /// Frames that the device takes before it has no room.
    room: Option<usize>,
}

impl Plug {
    fn new(number: u8, faults: Faults) -> Arc<Self> {
        let state = PlugState { random: u64::from(number), ..PlugState::default() };
        let mac = [2, 0, 0, 0, 0, number];
        Arc::new(Self { mac, state: Mutex::new(state), other: Mutex::new(Weak::new()), faults })
    }

    fn pair(faults: Faults) -> [Arc<Self>; 2] {
        let plugs = [Self::new(1, faults), Self::new(2, faults)];
        *plugs[0].other.lock() = Arc::downgrade(&plugs[1]);
        *plugs[1].other.lock() = Arc::downgrade(&plugs[0]);
        plugs
    }

    fn notify(&self) {
        if let Some(notify) = &self.state.lock().notify {
            notify();
        }
    }

    fn put(&self, frame: Vec<u8>) {
        let mut state = self.state.lock();
        state.random = state.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let dice = state.random >> 33;
        let is_one_of = |number: u64, dice: u64| number != 0 && dice.is_multiple_of(number);
        if is_one_of(self.faults.lose_one_of, dice) {
            return;
        }
        state.arrived.push_back(frame);
        let len = state.arrived.len();
        if is_one_of(self.faults.swap_one_of, dice / 7) && len > 1 {
            state.arrived.swap(len - 1, len - 2);
        }
        drop(state);
        self.notify();
    }
}

impl NetDev for Plug {
    fn mac_address(&self) -> [u8; 6] {
        self.mac
    }

    fn mtu(&self) -> usize {
        1500
    }

    fn receive(&self, take: &mut dyn FnMut(&[u8])) -> bool {
        let frame = self.state.lock().arrived.pop_front();
        frame.as_deref().map(take).is_some()
    }

    fn transmit(&self, len: usize, fill: &mut dyn FnMut(&mut [u8])) -> bool {
        {
            let mut state = self.state.lock();
            match &mut state.room {
                Some(0) => return false,
                Some(room) => *room -= 1,
                None => {}
            }
            state.sent += 1;
        }
        let mut frame = alloc::vec![0; len];
        fill(&mut frame);
        if let Some(other) = self.other.lock().upgrade() {
            other.put(frame);
        }
        true
    }

    fn set_notify(&self, notify: Box<dyn Fn() + Send + Sync>) {
        self.state.lock().notify = Some(notify);
    }
}

/// A machine on a cable: 10.0.0.`number`.
fn host(plug: &Arc<Plug>, number: u8) -> Guest {
    let cmdline = format!("ip=10.0.0.{number}::10.0.0.1:255.255.255.0::eth0:off");
    Guest::with(FakeMachine::with_net(32768, alloc::vec![plug.clone()]), &cmdline)
}

fn hosts(faults: Faults) -> ([Guest; 2], [Arc<Plug>; 2]) {
    let plugs = Plug::pair(faults);
    ([host(&plugs[0], 1), host(&plugs[1], 2)], plugs)
}

/// Lets both machines work until neither has anything to do now.
fn settle(hosts: &[Guest; 2]) {
    for _ in 0..64 {
        for host in hosts {
            host.kernel.drain_events();
            host.kernel.timers().expire(host.kernel.now_ns());
        }
    }
}

/// Lets time pass on both.
fn pass(hosts: &[Guest; 2], ns: u64) {
    for host in hosts {
        host.machine.advance(ns);
    }
    settle(hosts);
}

fn put_bytes(guest: &Guest, offset: u64, bytes: &[u8]) -> u64 {
    guest.task.mm().write(GuestAddr(guest.memory + offset), bytes).unwrap();
    guest.memory + offset
}

/// Stores an address and gives where it is, and its length.
fn address(guest: &Guest, ip: [u8; 4], port: u16) -> [u64; 2] {
    let mut bytes = alloc::vec![2, 0];
    bytes.extend(port.to_be_bytes());
    bytes.extend(ip);
    bytes.extend([0; 8]);
    [put_bytes(guest, 0x100, &bytes), 16]
}

fn socket(guest: &Guest, kind: u64) -> u64 {
    guest.call(SOCKET, &[INET, kind | NONBLOCK, 0]).unwrap()
}

fn bind(guest: &Guest, fd: u64, ip: [u8; 4], port: u16) -> Result<u64, Errno> {
    let [addr, len] = address(guest, ip, port);
    guest.call(BIND, &[fd, addr, len])
}

fn connect(guest: &Guest, fd: u64, ip: [u8; 4], port: u16) -> Result<u64, Errno> {
    let [addr, len] = address(guest, ip, port);
    guest.call(CONNECT, &[fd, addr, len])
}

fn poll(guest: &Guest, fd: u64) -> PollEvents {
    guest.task.files().get(i32::try_from(fd).unwrap()).unwrap().poll()
}

fn error_of(guest: &Guest, fd: u64) -> u32 {
    let len = guest.put(0x200, &4_u32);
    guest.call(GETSOCKOPT, &[fd, 1, 4, guest.memory + 0x210, len]).unwrap();
    guest.get(0x210)
}

fn listener(guest: &Guest, port: u16, backlog: u64) -> u64 {
    let fd = socket(guest, STREAM);
    bind(guest, fd, [0; 4], port).unwrap();
    guest.call(LISTEN, &[fd, backlog]).unwrap();
    fd
}

/// A connection from the first host to the second.
fn connection(hosts: &[Guest; 2]) -> (u64, u64) {
    let server = listener(&hosts[1], 80, 5);
    let client = socket(&hosts[0], STREAM);
    assert_eq!(connect(&hosts[0], client, [10, 0, 0, 2], 80), Err(Errno::EINPROGRESS));
    let mut tries = 0;
    let conn = loop {
        pass(hosts, 100 * MILLISECOND);
        match hosts[1].call(ACCEPT, &[server, 0, 0]) {
            Ok(fd) => break fd,
            Err(errno) => assert_eq!(errno, Errno::EAGAIN),
        }
        tries += 1;
        assert!(tries < 1000, "the connection is never made");
    };
    hosts[1].call(25, &[conn, 4, NONBLOCK]).unwrap();
    hosts[1].close(server);
    (client, conn)
}

/// Bytes that depend on where they are.
fn pattern(from: usize, len: usize) -> Vec<u8> {
    (from..from + len).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect()
}

/// Sends `amount` bytes both ways at once and compares them.
fn exchange(faults: Faults, amount: usize) {
    let (hosts, _plugs) = hosts(faults);
    let (client, conn) = connection(&hosts);
    let ends = [(&hosts[0], client), (&hosts[1], conn)];
    let (mut sent, mut received) = ([0_usize; 2], [0_usize; 2]);
    let mut idle = 0;
    while received != [amount; 2] {
        let before = (sent, received);
        for (index, (guest, fd)) in ends.iter().enumerate() {
            let chunk = 32768.min(amount - sent[index]);
            if chunk > 0 {
                match guest.write(*fd, &pattern(sent[index], chunk)) {
                    Ok(count) => sent[index] += count,
                    Err(errno) => assert_eq!(errno, Errno::EAGAIN),
                }
            }
            match guest.read(*fd, 65536) {
                Ok(bytes) => {
                    assert!(bytes == pattern(received[index], bytes.len()), "other bytes at {}", received[index]);
                    received[index] += bytes.len();
                }
                Err(errno) => assert_eq!(errno, Errno::EAGAIN),
            }
        }
        settle(&hosts);
        if before == (sent, received) {
            pass(&hosts, 20 * MILLISECOND);
            idle += 1;
            assert!(idle < 100_000, "nothing moves any more: {sent:?} sent, {received:?} received");
        }
    }
    for (guest, fd) in ends {
        guest.close(fd);
    }
    for _ in 0..200 {
        pass(&hosts, 1000 * MILLISECOND);
    }
    for host in &hosts {
        let table = host.kernel.net().inet().tcp_table();
        assert_eq!(table.lines().count(), 1, "a connection is left: {table}");
    }
}

#[test]
fn ten_mebibytes_cross_a_good_cable_both_ways() {
    exchange(Faults::default(), 10 << 20);
}

#[test]
fn ten_mebibytes_cross_a_cable_that_loses_and_swaps_frames() {
    exchange(Faults { lose_one_of: 100, swap_one_of: 50 }, 10 << 20);
}

#[test]
fn an_idle_connection_arms_no_timer() {
    let (hosts, _plugs) = hosts(Faults::default());
    let (client, conn) = connection(&hosts);
    hosts[0].write(client, b"hello").unwrap();
    pass(&hosts, 2000 * MILLISECOND);
    assert_eq!(hosts[1].read(conn, 16).unwrap(), b"hello");
    pass(&hosts, 2000 * MILLISECOND);
    pass(&hosts, 2000 * MILLISECOND);
    for host in &hosts {
        assert_eq!(host.kernel.timers().next_deadline(), None);
    }
    // Silence of any length is no error.
    for _ in 0..100 {
        pass(&hosts, 3600 * 1000 * MILLISECOND);
    }
    hosts[1].write(conn, b"still there").unwrap();
    pass(&hosts, 100 * MILLISECOND);
    assert_eq!(hosts[0].read(client, 16).unwrap(), b"still there");
}

#[test]
fn a_host_that_does_not_answer_is_unreachable() {
    let (hosts, _plugs) = hosts(Faults::default());
    let client = socket(&hosts[0], STREAM);
    assert_eq!(connect(&hosts[0], client, [10, 0, 0, 9], 80), Err(Errno::EINPROGRESS));
    assert!(poll(&hosts[0], client).is_empty());
    for _ in 0..5 {
        pass(&hosts, 1000 * MILLISECOND);
    }
    assert!(poll(&hosts[0], client).contains(PollEvents::POLLERR | PollEvents::POLLHUP));
    assert_eq!(error_of(&hosts[0], client), u32::from(Errno::EHOSTUNREACH.number()));
}

#[test]
fn a_peer_that_falls_silent_is_timed_out() {
    let (hosts, plugs) = hosts(Faults::default());
    let (client, _conn) = connection(&hosts);
    *plugs[0].other.lock() = Weak::new();
    hosts[0].write(client, b"into the void").unwrap();
    for _ in 0..2000 {
        pass(&hosts, 1000 * MILLISECOND);
    }
    assert_eq!(error_of(&hosts[0], client), u32::from(Errno::ETIMEDOUT.number()));
    assert_eq!(hosts[0].kernel.timers().next_deadline(), None);
}

#[test]
fn a_network_without_a_route_is_unreachable() {
    let guest = Guest::new();
    let fd = socket(&guest, STREAM);
    assert_eq!(connect(&guest, fd, [192, 0, 2, 1], 80), Err(Errno::ENETUNREACH));
}

#[test]
fn long_datagrams_cross_in_fragments() {
    let (hosts, _plugs) = hosts(Faults::default());
    let (one, other) = (socket(&hosts[0], DGRAM), socket(&hosts[1], DGRAM));
    bind(&hosts[1], other, [0; 4], 53).unwrap();
    connect(&hosts[0], one, [10, 0, 0, 2], 53).unwrap();
    for len in [0, 1, 1472, 1473, 9000, 65507] {
        let bytes = pattern(len, len);
        assert_eq!(hosts[0].write(one, &bytes), Ok(len));
        settle(&hosts);
        assert!(hosts[1].read(other, 70000) == Ok(bytes), "a datagram of {len} bytes");
    }
    assert_eq!(hosts[0].write(one, &[0; 65508]), Err(Errno::EMSGSIZE));
}

#[test]
fn a_datagram_to_a_closed_port_is_refused() {
    let (hosts, _plugs) = hosts(Faults::default());
    let one = socket(&hosts[0], DGRAM);
    connect(&hosts[0], one, [10, 0, 0, 2], 53).unwrap();
    assert_eq!(hosts[0].write(one, b"anybody?"), Ok(8));
    settle(&hosts);
    assert_eq!(hosts[0].read(one, 16), Err(Errno::ECONNREFUSED));
    assert_eq!(hosts[0].read(one, 16), Err(Errno::EAGAIN));
}

#[test]
fn a_device_without_room_stops_senders_and_starts_them_again() {
    let (hosts, plugs) = hosts(Faults::default());
    let (one, other) = (socket(&hosts[0], DGRAM), socket(&hosts[1], DGRAM));
    bind(&hosts[1], other, [0; 4], 53).unwrap();
    connect(&hosts[0], one, [10, 0, 0, 2], 53).unwrap();
    hosts[0].write(one, b"first").unwrap();
    settle(&hosts);
    plugs[0].state.lock().room = Some(0);
    let count = (0..100_000).take_while(|_| hosts[0].write(one, b"more").is_ok()).count();
    assert!(count < 10_000, "nothing holds the sender back");
    assert!(!poll(&hosts[0], one).contains(PollEvents::POLLOUT));
    plugs[0].state.lock().room = None;
    plugs[0].notify();
    settle(&hosts);
    assert!(poll(&hosts[0], one).contains(PollEvents::POLLOUT));
    assert_eq!(hosts[1].read(other, 16).unwrap(), b"first");
}

#[test]
fn a_full_backlog_makes_others_try_again_later() {
    let (hosts, _plugs) = hosts(Faults::default());
    let server = listener(&hosts[1], 80, 1);
    let clients: Vec<u64> = (0..4).map(|_| socket(&hosts[0], STREAM)).collect();
    for client in &clients {
        assert_eq!(connect(&hosts[0], *client, [10, 0, 0, 2], 80), Err(Errno::EINPROGRESS));
    }
    settle(&hosts);
    let connected =
        |clients: &[u64]| clients.iter().filter(|fd| poll(&hosts[0], **fd).contains(PollEvents::POLLOUT)).count();
    assert_eq!(connected(&clients), 2, "a backlog of one lets two in");
    hosts[1].call(ACCEPT, &[server, 0, 0]).unwrap();
    hosts[1].call(ACCEPT, &[server, 0, 0]).unwrap();
    assert_eq!(hosts[1].call(ACCEPT, &[server, 0, 0]), Err(Errno::EAGAIN));
    for _ in 0..10 {
        pass(&hosts, 1000 * MILLISECOND);
    }
    assert_eq!(connected(&clients), 4);
}

#[test]
fn garbage_from_the_wire_does_no_harm() {
    let (hosts, plugs) = hosts(Faults::default());
    let (client, conn) = connection(&hosts);
    let _server = listener(&hosts[1], 81, 5);
    let mut random = 1_u64;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33).to_le_bytes()[0]
    };
    for round in 0..20_000 {
        let len = usize::from(next()) % 120;
        let mut frame: Vec<u8> = (0..len).map(|_| next()).collect();
        // Most of it looks like something up to some point.
        let ethertype = if round % 3 == 0 { [8, 6] } else { [8, 0] };
        let head = [&plugs[1].mac[..], &plugs[0].mac[..], &ethertype[..]].concat();
        for (to, from) in frame.iter_mut().zip(head) {
            *to = from;
        }
        let protocol = [1, 6, 17, 99][usize::from(next()) % 4];
        let ip =
            [0x45, 0, 0, len.to_le_bytes()[0].wrapping_sub(14), 0, 1, next() & 0x3f, next() & 3, 64, protocol, 0, 0];
        for (to, from) in frame.iter_mut().skip(14).zip(ip.into_iter().chain([10, 0, 0, 1, 10, 0, 0, 2])) {
            *to = from;
        }
        if let Some(header) = frame.get_mut(14..34) {
            let sum = super::checksum(&[header]);
            header[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        plugs[1].put(frame);
        settle_one(&hosts[1]);
    }
    hosts[0].write(client, b"alive").unwrap();
    pass(&hosts, 100 * MILLISECOND);
    assert_eq!(hosts[1].read(conn, 16).unwrap(), b"alive");
}

fn settle_one(host: &Guest) {
    host.kernel.drain_events();
    host.kernel.timers().expire(host.kernel.now_ns());
}

#[test]
fn loopback_connects_a_guest_with_itself() {
    let guest = Guest::new();
    let server = listener(&guest, 8080, 5);
    let client = socket(&guest, STREAM);
    assert_eq!(connect(&guest, client, [127, 0, 0, 1], 8080), Err(Errno::EINPROGRESS));
    assert!(poll(&guest, client).contains(PollEvents::POLLOUT));
    let conn = guest.call(ACCEPT, &[server, 0, 0]).unwrap();
    assert_eq!(guest.write(client, b"to myself"), Ok(9));
    assert_eq!(guest.read(conn, 16).unwrap(), b"to myself");
    guest.call(SHUTDOWN, &[client, 1]).unwrap();
    assert_eq!(guest.read(conn, 16).unwrap(), b"");
    assert!(poll(&guest, conn).contains(PollEvents::POLLRDHUP));
}

#[test]
fn a_low_port_is_for_the_superuser() {
    let guest = Guest::new();
    let fd = socket(&guest, STREAM);
    assert_eq!(bind(&guest, fd, [127, 0, 0, 1], 80), Ok(0));
    let len = guest.put(0x200, &16_u32);
    guest.call(GETSOCKNAME, &[fd, guest.memory + 0x210, len]).unwrap();
    assert_eq!(guest.get::<[u8; 8]>(0x210), [2, 0, 0, 80, 127, 0, 0, 1]);
}

#[test]
fn a_socket_that_is_bound_elsewhere_hears_nothing() {
    let guest = Guest::new();
    let (one, other) = (socket(&guest, DGRAM), socket(&guest, DGRAM));
    bind(&guest, one, [127, 0, 0, 2], 5000).unwrap();
    let to = |ip| address(&guest, ip, 5000);
    let at = put_bytes(&guest, 0x1000, b"x");
    for (ip, heard) in [([127, 0, 0, 1], Err(Errno::EAGAIN)), ([127, 0, 0, 2], Ok(1))] {
        let [addr, len] = to(ip);
        guest.call(SENDTO, &[other, at, 1, 0, addr, len]).unwrap();
        assert_eq!(guest.call(RECVFROM, &[one, guest.memory + 0x2000, 8, 0, 0, 0]), heard);
    }
}

/// A DHCP server that knows one host.
struct DhcpServer {
    plug: Arc<Plug>,
}

impl DhcpServer {
    /// Answers what has arrived.
    fn serve(&self) {
        while let Some(frame) = self.plug.state.lock().arrived.pop_front() {
            if let Some(answer) = answer(&frame) {
                self.plug.other.lock().upgrade().unwrap().put(answer);
            }
        }
    }
}

/// The offer, or the acknowledgement, for a DHCP message.
fn answer(frame: &[u8]) -> Option<Vec<u8>> {
    let message = frame.get(42..)?;
    if frame.get(12..14)? != [8, 0] || frame.get(36..38)? != [0, 67] {
        return None;
    }
    let options = message.get(240..)?;
    let kind = options.get(2).filter(|_| options.starts_with(&[53, 1]))?;
    let reply = if *kind == 1 { 2 } else { 5 };
    let mut body = alloc::vec![2, 1, 6, 0];
    body.extend(message.get(4..8)?);
    body.extend([0; 8]);
    body.extend([10, 0, 0, 77, 10, 0, 0, 1, 0, 0, 0, 0]);
    body.extend(message.get(28..44)?);
    body.resize(236, 0);
    body.extend([0x63, 0x82, 0x53, 0x63, 53, 1, reply, 54, 4, 10, 0, 0, 1, 51, 4, 0, 0, 0x0e, 0x10]);
    body.extend([1, 4, 255, 255, 255, 0, 3, 4, 10, 0, 0, 1, 6, 4, 10, 0, 0, 3, 255]);
    let mut packet = alloc::vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 255, 255, 255, 255];
    packet.extend([0, 67, 0, 68]);
    packet.extend(u16::try_from(body.len() + 8).unwrap().to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(body);
    let len = u16::try_from(packet.len()).unwrap();
    packet[2..4].copy_from_slice(&len.to_be_bytes());
    let sum = super::checksum(&[&packet[..20]]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    Some([&[0xff; 6][..], &[2, 0, 0, 0, 0, 2][..], &[8, 0][..], &packet[..]].concat())
}

#[test]
fn a_lease_configures_the_interface() {
    let plugs = Plug::pair(Faults::default());
    let guest = Guest::with(FakeMachine::with_net(32768, alloc::vec![plugs[0].clone()]), "quiet ip=dhcp");
    let server = DhcpServer { plug: plugs[1].clone() };
    let inet = guest.kernel.net().inet();
    assert_eq!(inet.pnp(), "#MANUAL\n");
    for _ in 0..20 {
        server.serve();
        guest.machine.advance(500 * MILLISECOND);
        settle_one(&guest);
    }
    assert_eq!(inet.pnp(), "#PROTO: DHCP\nnameserver 10.0.0.3\nbootserver 10.0.0.1\n");
    let routes = inet.route_table();
    let fields: Vec<Vec<&str>> = routes.lines().map(|line| line.split_whitespace().take(4).collect()).collect();
    assert_eq!(fields[1], ["eth0", "00000000", "0100000A", "0003"]);
    assert_eq!(fields[2], ["eth0", "0000000A", "00000000", "0001"]);
    let fd = socket(&guest, DGRAM);
    connect(&guest, fd, [192, 0, 2, 1], 9).unwrap();
    let len = guest.put(0x200, &16_u32);
    guest.call(GETSOCKNAME, &[fd, guest.memory + 0x210, len]).unwrap();
    assert_eq!(guest.get::<[u8; 8]>(0x210)[4..], [10, 0, 0, 77]);
    // The lease lasts an hour, and is renewed after half of that.
    let sent = plugs[0].state.lock().sent;
    for _ in 0..60 {
        guest.machine.advance(60 * 1000 * MILLISECOND);
        settle_one(&guest);
        server.serve();
        settle_one(&guest);
    }
    assert!(plugs[0].state.lock().sent > sent);
}

#[test]
fn interfaces_are_down_without_a_boot_parameter() {
    let plugs = Plug::pair(Faults::default());
    let guest = Guest::with(FakeMachine::with_net(32768, alloc::vec![plugs[0].clone()]), "ip=off");
    let fd = socket(&guest, DGRAM);
    let mut request = alloc::vec![0; 40];
    request[..4].copy_from_slice(b"eth0");
    let at = put_bytes(&guest, 0x1000, &request);
    let ioctl = |command: u64| guest.call(29, &[fd, command, at]);
    assert_eq!(ioctl(0x8913), Ok(0));
    assert_eq!(guest.get::<u16>(0x1010), 0x1002, "broadcast and multicast, but not up");
    assert_eq!(ioctl(0x8915), Err(Errno::EADDRNOTAVAIL));
    assert_eq!(connect(&guest, fd, [10, 0, 0, 1], 9), Err(Errno::ENETUNREACH));
    // As ifconfig does it.
    put_bytes(&guest, 0x1010, &[2, 0, 0, 0, 10, 0, 0, 5]);
    assert_eq!(ioctl(0x8916), Ok(0));
    put_bytes(&guest, 0x1010, &[2, 0, 0, 0, 255, 255, 255, 0]);
    assert_eq!(ioctl(0x891c), Ok(0));
    put_bytes(&guest, 0x1010, &0x43_u16.to_bytes_vec());
    assert_eq!(ioctl(0x8914), Ok(0));
    assert_eq!(connect(&guest, fd, [10, 0, 0, 1], 9), Ok(0));
    assert_eq!(ioctl(0x8915), Ok(0));
    assert_eq!(guest.get::<[u8; 8]>(0x1010)[4..], [10, 0, 0, 5]);
    let name: String = guest.kernel.net().inet().dev().lines().last().unwrap().trim().chars().take(5).collect();
    assert_eq!(name, "eth0:");
}

/// The bytes of a value.
trait ToBytes: Wire {
    fn to_bytes_vec(&self) -> Vec<u8> {
        let mut bytes = alloc::vec![0; Self::SIZE];
        self.store(&mut bytes);
        bytes
    }
}

impl ToBytes for u16 {}
