//! Which sockets have which ports: [`Ports`], binding and the choice of a
//! port that is free.

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use hashbrown::HashMap;
use linux_abi::Errno;

use super::options::Flags;
use super::sock::Id;
use super::stack::Stack;
use crate::error::{Because, Result};

/// The ports that are given to those who do not ask for one, as in Linux.
pub(super) const FIRST_EPHEMERAL: u16 = 32768;
pub(super) const LAST_EPHEMERAL: u16 = 60999;

/// What a port number is a number of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Space {
    Tcp,
    Udp,
    /// Identifiers of echo requests.
    Echo,
}

/// One socket that has a port.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    pub(super) id: Id,
    /// Unspecified for any address.
    pub(super) addr: Ipv4Addr,
}

/// Ports in use.
#[derive(Debug, Default)]
pub(super) struct Ports {
    table: HashMap<(Space, u16), Vec<Bound>>,
    /// Raw sockets that receive; they have no port.
    pub(super) raw: Vec<Id>,
}

impl Ports {
    /// The sockets that have a port.
    pub(super) fn of(&self, space: Space, port: u16) -> &[Bound] {
        self.table.get(&(space, port)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn add(&mut self, space: Space, port: u16, bound: Bound) {
        self.table.entry((space, port)).or_default().push(bound);
    }

    /// The socket has the port no more.
    pub(super) fn remove(&mut self, space: Space, port: u16, id: Id) {
        if let Some(list) = self.table.get_mut(&(space, port)) {
            list.retain(|bound| bound.id != id);
            if list.is_empty() {
                self.table.remove(&(space, port));
            }
        }
    }

    /// The socket's address has changed.
    pub(super) fn set_addr(&mut self, space: Space, port: u16, id: Id, addr: Ipv4Addr) {
        let list = self.table.get_mut(&(space, port));
        for bound in list.into_iter().flatten().filter(|bound| bound.id == id) {
            bound.addr = addr;
        }
    }
}

/// True if packets to one address could also be for the other.
fn overlap(one: Ipv4Addr, other: Ipv4Addr) -> bool {
    one == other || one.is_unspecified() || other.is_unspecified()
}

impl Stack {
    /// True if the socket may have that port beside those that have it.
    pub(super) fn may_bind(&self, space: Space, id: Id, addr: Ipv4Addr, port: u16) -> bool {
        let Some(sock) = self.socks.get(&id) else { return false };
        let allows = |other: Id| {
            let Some(other) = self.socks.get(&other) else { return true };
            let share = |flag| sock.options.flags.contains(flag) && other.options.flags.contains(flag);
            let by_address = share(Flags::REUSE_ADDRESS) && !other.is_listening();
            by_address || share(Flags::REUSE_PORT) && sock.uid == other.uid
        };
        let bound = self.ports.of(space, port).iter();
        let mut others = bound.filter(|bound| bound.id != id && overlap(bound.addr, addr)).map(|bound| bound.id);
        if !others.all(allows) {
            return false;
        }
        if space != Space::Tcp {
            return true;
        }
        // Connections that listeners which are gone have left behind.
        let reuses = sock.options.flags.contains(Flags::REUSE_ADDRESS);
        let mut accepted =
            self.connections.on_port(port, self.now_ns).filter(|(tuple, _)| overlap(*tuple.local.ip(), addr));
        accepted.all(|(_, owner)| owner == Some(id) || reuses && owner.is_none_or(allows))
    }

    /// Gives a socket a port: the one it asks for, or a free one if that is 0.
    ///
    /// # Errors
    /// `EADDRINUSE`.
    pub(super) fn bind_port(&mut self, space: Space, id: Id, addr: Ipv4Addr, port: u16) -> Result<u16> {
        let port = if port == 0 {
            self.free_port(space, |stack, port| {
                stack.ports.of(space, port).is_empty() && stack.may_bind(space, id, addr, port)
            })
            .ok_or(Errno::EADDRINUSE.because("all ports are in use"))?
        } else if self.may_bind(space, id, addr, port) {
            port
        } else {
            return Err(Errno::EADDRINUSE.because("another socket has that port"));
        };
        self.ports.add(space, port, Bound { id, addr });
        Ok(port)
    }

    /// A port among those that are given away, from a random one on.
    pub(super) fn free_port(&mut self, space: Space, fits: impl Fn(&Self, u16) -> bool) -> Option<u16> {
        let (first, last) = match space {
            Space::Tcp | Space::Udp => (FIRST_EPHEMERAL, LAST_EPHEMERAL),
            Space::Echo => (1, u16::MAX),
        };
        let count = u64::from(last - first) + 1;
        let start = self.random() % count;
        (0..count).find_map(|step| {
            let port = u16::try_from(u64::from(first) + (start + step) % count).ok()?;
            fits(self, port).then_some(port)
        })
    }
}
