//! Where packets go: [`Routes`] and the choice of a link, a next hop and a
//! source address ([`Hop`]).
//!
//! An address of this machine, whichever link has it, is reached over `lo`.

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use linux_abi::Errno;

use super::link::{LOOPBACK, Link, mask_of};
use super::stack::Stack;
use crate::error::{Because, Result};

/// As many routes as may be added.
const MOST_ROUTES: usize = 256;

/// The broadcast address of the loopback network.
const LOOPBACK_BROADCAST: Ipv4Addr = Ipv4Addr::new(127, 255, 255, 255);

/// A route beside those that follow from the addresses of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) network: Ipv4Addr,
    pub(super) prefix: u8,
    /// None: the hosts are neighbours.
    pub(super) gateway: Option<Ipv4Addr>,
    pub(super) link: usize,
    pub(super) metric: u16,
}

impl Route {
    fn covers(&self, addr: Ipv4Addr) -> bool {
        addr.to_bits() & mask_of(self.prefix) == self.network.to_bits()
    }
}

/// The routes that were added.
#[derive(Debug, Default)]
pub(super) struct Routes {
    pub(super) list: Vec<Route>,
}

/// Where a packet goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) link: usize,
    /// Who is to get it: the destination itself, or a gateway.
    pub(super) next: Ipv4Addr,
    /// The source address that fits.
    pub(super) source: Ipv4Addr,
}

impl Stack {
    /// True if packets to `addr` are for this machine alone.
    pub(super) fn is_local(&self, addr: Ipv4Addr) -> bool {
        addr.is_loopback() || self.links.iter().any(|link| link.address.is_some_and(|own| own.addr == addr))
    }

    /// True if `addr` is the broadcast address of a link, or that of all.
    pub(super) fn is_broadcast(&self, addr: Ipv4Addr) -> bool {
        let is_own = |link: &Link| link.address.is_some_and(|own| own.broadcast == addr);
        addr.is_broadcast() || addr == LOOPBACK_BROADCAST || !addr.is_unspecified() && self.links.iter().any(is_own)
    }

    /// Where packets to `destination` go, if need be over the link `only`.
    ///
    /// # Errors
    /// `ENETUNREACH`.
    pub(super) fn route(&self, destination: Ipv4Addr, only: Option<usize>) -> Result<Hop> {
        let unreachable = || Errno::ENETUNREACH.because("no route leads to the network");
        if self.is_local(destination) {
            let lo = self.links.get(LOOPBACK).filter(|lo| lo.is_up).ok_or_else(unreachable)?;
            let own = lo.address.map_or(Ipv4Addr::LOCALHOST, |own| own.addr);
            let source = if destination.is_loopback() { own } else { destination };
            return Ok(Hop { link: LOOPBACK, next: destination, source });
        }
        let usable = |index: usize| {
            let link = self.links.get(index)?;
            (link.is_up && index != LOOPBACK && only.is_none_or(|only| only == index)).then_some(link)
        };
        let source = |link: &Link| link.address.map_or(Ipv4Addr::UNSPECIFIED, |own| own.addr);
        let connected = |index: usize| {
            let own = usable(index)?.address?;
            (own.contains(destination) || own.broadcast == destination).then_some(own)
        };
        if !destination.is_broadcast()
            && let Some((link, own)) = (0..self.links.len())
                .filter_map(|index| Some((index, connected(index)?)))
                .max_by_key(|(_, own)| own.prefix)
        {
            return Ok(Hop { link, next: destination, source: own.addr });
        }
        let fits = |route: &&Route| usable(route.link).is_some() && route.covers(destination);
        let best = self.routes.list.iter().filter(fits).max_by_key(|route| (route.prefix, u16::MAX - route.metric));
        // A group is not behind a gateway, whatever link the route names.
        let is_group = destination.is_broadcast() || destination.is_multicast();
        if let Some(route) = best {
            let link = usable(route.link).ok_or_else(unreachable)?;
            let next = route.gateway.filter(|_| !is_group).unwrap_or(destination);
            return Ok(Hop { link: route.link, next, source: source(link) });
        }
        let any = only.or_else(|| {
            let has_address = |index: &usize| usable(*index).is_some_and(|link| link.address.is_some());
            (0..self.links.len()).find(has_address).filter(|_| is_group)
        });
        let (index, link) = any.and_then(|index| Some((index, usable(index)?))).ok_or_else(unreachable)?;
        Ok(Hop { link: index, next: destination, source: source(link) })
    }

    /// Adds a route.
    ///
    /// # Errors
    /// `EEXIST`, `ENETUNREACH` if no link leads to the gateway, `ENETDOWN`,
    /// `ENOBUFS` if there are too many.
    pub(super) fn add_route(
        &mut self,
        network: Ipv4Addr,
        prefix: u8,
        gateway: Option<Ipv4Addr>,
        link: Option<usize>,
        metric: u16,
    ) -> Result<()> {
        let unreachable = || Errno::ENETUNREACH.because("no link leads to the gateway");
        let is_beside = |index: &usize| {
            let link = self.links.get(*index);
            let own = link.filter(|link| link.is_up).and_then(|link| link.address);
            gateway.is_some_and(|gateway| own.is_some_and(|own| own.contains(gateway)))
        };
        let link = match (link, gateway) {
            (Some(link), None) => link,
            (Some(link), Some(_)) if is_beside(&link) => link,
            (None, Some(_)) => (0..self.links.len()).find(is_beside).ok_or_else(unreachable)?,
            _ => return Err(unreachable()),
        };
        if !self.links.get(link).is_some_and(|link| link.is_up) {
            return Err(Errno::ENETDOWN.because("the link is down"));
        }
        let network = Ipv4Addr::from_bits(network.to_bits() & mask_of(prefix));
        let route = Route { network, prefix, gateway, link, metric };
        if self.routes.list.iter().any(|old| (old.network, old.prefix, old.metric) == (network, prefix, metric)) {
            return Err(Errno::EEXIST.because("there is such a route"));
        }
        if self.routes.list.len() >= MOST_ROUTES {
            return Err(Errno::ENOBUFS.because("there are too many routes"));
        }
        self.routes.list.push(route);
        Ok(())
    }

    /// Takes a route away.
    ///
    /// # Errors
    /// `ESRCH` if there is none.
    pub(super) fn delete_route(
        &mut self,
        network: Ipv4Addr,
        prefix: u8,
        gateway: Option<Ipv4Addr>,
        link: Option<usize>,
    ) -> Result<()> {
        let network = Ipv4Addr::from_bits(network.to_bits() & mask_of(prefix));
        let is_it = |route: &Route| {
            (route.network, route.prefix) == (network, prefix)
                && gateway.is_none_or(|gateway| route.gateway == Some(gateway))
                && link.is_none_or(|link| route.link == link)
        };
        let index = self.routes.list.iter().position(is_it);
        let index = index.ok_or(Errno::ESRCH.because("there is no such route"))?;
        self.routes.list.remove(index);
        Ok(())
    }
}
