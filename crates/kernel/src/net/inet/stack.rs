//! [`Stack`]: links, routes, neighbours and sockets of one kernel, and the
//! loop that moves packets between them.
//!
//! It is a plain value behind the lock of [`super::Inet`]. Nothing here waits
//! or calls a waker: queues to be woken are collected and woken once the lock
//! is released.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::vec::Vec;
use core::fmt;

use hashbrown::HashMap;
use machine::Machine;
use smoltcp::iface::{PollIngressSingleResult, PollResult};
use smoltcp::time::Instant;

use super::arp::Neighbors;
use super::dhcp::Pnp;
use super::ip::Partials;
use super::link::{LOOPBACK, Link};
use super::packet::Packet;
use super::ports::Ports;
use super::route::Routes;
use super::sock::{Id, Sock};
use super::tcp::Connections;
use crate::sched::WaitQueue;

/// Packets that are taken in before tasks get their turn.
const BUDGET: usize = 1024;
/// No deadline comes sooner, so that one that has passed already and could not
/// be met does not keep the CPU busy.
const LEAST_DELAY_NS: u64 = 1_000_000;

/// The state of the network.
pub(super) struct Stack {
    /// The time of the call that holds the lock.
    pub(super) now_ns: u64,
    pub(super) links: Vec<Link>,
    pub(super) routes: Routes,
    pub(super) neighbors: Neighbors,
    pub(super) partials: Partials,
    /// Packets on their way over `lo`.
    pub(super) looped: VecDeque<Packet>,
    pub(super) ident: u16,
    pub(super) socks: HashMap<Id, Sock>,
    pub(super) last_id: Id,
    pub(super) ports: Ports,
    pub(super) connections: Connections,
    pub(super) pnp: Pnp,
    /// Sums of `/proc/net/snmp` are not kept; this is the one that limits ICMP.
    pub(super) errors_sent: super::icmp::Limit,
    random: u64,
    wakes: Vec<WaitQueue>,
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stack({:?}, {} sockets)", self.links, self.socks.len())
    }
}

/// What is left to do when the lock is released.
#[derive(Debug, Default)]
pub(super) struct Rest {
    pub(super) wakes: Vec<WaitQueue>,
    /// When to come back, on the monotonic clock.
    pub(super) next_ns: Option<u64>,
    /// Packets wait that the budget did not allow.
    pub(super) goes_on: bool,
}

impl Stack {
    /// `lo` and the machine's interfaces.
    pub(super) fn new(machine: &dyn Machine) -> Self {
        let mut seed = [0; 8];
        machine.fill_random(&mut seed);
        // How much of the machine's memory sockets' buffers may take.
        let memory = machine.frames().total().saturating_mul(4096) / 8;
        let mut stack = Self {
            now_ns: machine.clock().monotonic_ns(),
            links: Vec::new(),
            routes: Routes::default(),
            neighbors: Neighbors::default(),
            partials: Partials::default(),
            looped: VecDeque::new(),
            ident: 0,
            socks: HashMap::new(),
            last_id: 0,
            ports: Ports::default(),
            connections: Connections::new(memory),
            pnp: Pnp::default(),
            errors_sent: super::icmp::Limit::default(),
            random: u64::from_le_bytes(seed),
            wakes: Vec::new(),
        };
        let seed = stack.random();
        stack.links.push(Link::loopback(seed));
        for (index, device) in machine.net_devices().iter().enumerate() {
            let seed = stack.random();
            stack.links.push(Link::ethernet(format!("eth{index}"), device.clone(), seed));
        }
        stack
    }

    /// The next of a sequence of numbers that nobody outside can foretell
    /// easily (splitmix64 from a random seed).
    pub(super) fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A link by its name.
    pub(super) fn link_named(&self, name: &[u8]) -> Option<usize> {
        self.links.iter().position(|link| link.name.as_bytes() == name)
    }

    /// Notes that whoever waits on a socket is to look again.
    pub(super) fn wake(&mut self, queue: &WaitQueue) {
        self.wakes.push(queue.clone());
    }

    /// Time as the TCP engines count it.
    pub(super) fn instant(&self) -> Instant {
        Instant::from_micros(i64::try_from(self.now_ns / 1000).unwrap_or(i64::MAX))
    }

    /// Lets the engine of a link look for something to send.
    pub(super) fn touch(&mut self, link: usize) {
        if let Some(link) = self.links.get_mut(link) {
            link.has_work = true;
        }
    }

    /// Moves packets until nothing moves any more, or the budget is spent.
    pub(super) fn run(&mut self) -> Rest {
        let mut budget = BUDGET;
        self.mark_due();
        self.neighbors_due();
        self.orphans_due();
        loop {
            let taken = self.take_frames(&mut budget) | self.take_looped(&mut budget);
            let sent = self.send_all();
            if !(taken || sent) || budget == 0 {
                break;
            }
        }
        self.feed_starved();
        let goes_on = budget == 0;
        Rest { wakes: core::mem::take(&mut self.wakes), next_ns: self.next_deadline(), goes_on }
    }

    /// Marks links whose engines have waited long enough.
    fn mark_due(&mut self) {
        let now = self.now_ns;
        for link in &mut self.links {
            link.has_work |= link.next_ns.is_some_and(|next| next <= now);
            link.has_work |= link.dhcp.as_ref().is_some_and(|client| client.next_ns.is_some_and(|next| next <= now));
        }
    }

    /// Takes in what the devices have received.
    fn take_frames(&mut self, budget: &mut usize) -> bool {
        let mut has_any = false;
        for index in 0..self.links.len() {
            while *budget > 0 {
                let Some(packet) = self.links.get_mut(index).and_then(Link::take_frame) else { break };
                *budget -= 1;
                has_any = true;
                self.frame_arrived(index, packet);
                // Answers go out before the next packet is looked at.
                self.route_emitted(index);
            }
        }
        has_any
    }

    /// Takes in what was sent over `lo`.
    fn take_looped(&mut self, budget: &mut usize) -> bool {
        let mut has_any = false;
        while *budget > 0 {
            let Some(packet) = self.looped.pop_front() else { break };
            *budget -= 1;
            has_any = true;
            self.ip_arrived(LOOPBACK, packet);
            self.route_emitted(LOOPBACK);
        }
        has_any
    }

    /// Lets the engines send, and tells whether any did.
    fn send_all(&mut self) -> bool {
        let mut has_sent = false;
        let now = self.instant();
        for index in 0..self.links.len() {
            let Some(link) = self.links.get_mut(index) else { break };
            has_sent |= link.flush();
            if !core::mem::take(&mut link.has_work) {
                continue;
            }
            if self.run_dhcp(index) {
                has_sent = true;
            }
            let mut is_stuck = false;
            while let Some(link) = self.links.get_mut(index) {
                // Whoever is full tells when it is not; until then TCP waits.
                is_stuck = link.is_full();
                if is_stuck || !link.is_up {
                    break;
                }
                let result = link.engine.poll_egress(now, &mut link.port, &mut link.sockets);
                let has_emitted = !link.port.emitted.is_empty();
                self.route_emitted(index);
                if result == PollResult::None && !has_emitted {
                    break;
                }
                has_sent = true;
                if index == LOOPBACK {
                    // The answers may allow more.
                    self.touch(index);
                    break;
                }
            }
            self.connections_sent(index);
            if let Some(link) = self.links.get_mut(index) {
                let deadline = link.engine.poll_at(now, &link.sockets).filter(|_| !is_stuck && link.is_up);
                link.next_ns = deadline.map(nanoseconds);
            }
        }
        has_sent
    }

    /// Hands one packet to the TCP engine of a link.
    pub(super) fn give_to_engine(&mut self, index: usize, packet: Packet) {
        let now = self.instant();
        let Some(link) = self.links.get_mut(index) else { return };
        link.port.incoming = Some(packet);
        let result = link.engine.poll_ingress_single(now, &mut link.port, &mut link.sockets);
        link.has_work |= result != PollIngressSingleResult::None;
    }

    /// Sends what the TCP engine of a link has emitted on its way.
    pub(super) fn route_emitted(&mut self, index: usize) {
        while let Some(packet) = self.links.get_mut(index).and_then(|link| link.port.emitted.pop_front()) {
            self.route_segment(index, packet);
        }
    }

    /// Wakes those who waited for room to send.
    fn feed_starved(&mut self) {
        for link in &mut self.links {
            if !link.is_full() && !link.starved.is_empty() {
                self.wakes.append(&mut link.starved);
            }
        }
    }

    /// When something has to be done even if nothing happens.
    fn next_deadline(&self) -> Option<u64> {
        let engines = self.links.iter().filter_map(|link| link.next_ns);
        let clients = self.links.iter().filter_map(|link| link.dhcp.as_ref()?.next_ns);
        let others = [self.neighbors.next_ns(), self.connections.next_orphan_ns()];
        let next = engines.chain(clients).chain(others.into_iter().flatten()).min()?;
        Some(next.max(self.now_ns.saturating_add(LEAST_DELAY_NS)))
    }
}

/// An engine's time on the monotonic clock.
pub(super) fn nanoseconds(instant: Instant) -> u64 {
    u64::try_from(instant.total_micros()).unwrap_or(0).saturating_mul(1000)
}
