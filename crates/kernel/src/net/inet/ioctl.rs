//! What `ifconfig` and `route` do: requests about interfaces and routes.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddrV4};

use linux_abi::Errno;
use linux_abi::ioctl::{
    SIOCADDRT, SIOCDELRT, SIOCGIFADDR, SIOCGIFBRDADDR, SIOCGIFCONF, SIOCGIFDSTADDR, SIOCGIFFLAGS, SIOCGIFHWADDR,
    SIOCGIFINDEX, SIOCGIFMETRIC, SIOCGIFMTU, SIOCGIFNAME, SIOCGIFNETMASK, SIOCGIFTXQLEN, SIOCSIFADDR, SIOCSIFBRDADDR,
    SIOCSIFFLAGS, SIOCSIFNETMASK,
};
use machine::GuestAddr;

use super::Inet;
use super::address::{parse, to_bytes};
use super::boot::class_prefix;
use super::link::{Assigned, LOOPBACK, Link, mask_of};
use super::stack::Stack;
use crate::error::{Because, Error, Result};
use crate::syscall::Cx;

/// `struct ifreq`: a name, and a union that begins after it.
const IFREQ_LEN: usize = 40;
const NAME_LEN: usize = 16;
const SOCKADDR_LEN: usize = 16;

/// Flags of interfaces (`IFF_*`).
const IFF_UP: u16 = 0x1;
const IFF_BROADCAST: u16 = 0x2;
const IFF_LOOPBACK: u16 = 0x8;
const IFF_RUNNING: u16 = 0x40;
const IFF_MULTICAST: u16 = 0x1000;
/// Kinds of hardware (`ARPHRD_*`).
const ARPHRD_ETHER: u16 = 1;
const ARPHRD_LOOPBACK: u16 = 772;
/// Frames that may wait to be sent, as `ifconfig` shows it.
const QUEUE_LEN: i32 = 1000;

/// `struct rtentry`: where its fields lie.
const RTENTRY_LEN: usize = 120;
const RT_DST: usize = 8;
const RT_GATEWAY: usize = 24;
const RT_GENMASK: usize = 40;
const RT_FLAGS: usize = 56;
const RT_METRIC: usize = 82;
const RT_DEV: usize = 88;
const RTF_GATEWAY: u16 = 2;
const RTF_HOST: u16 = 4;

fn no_device() -> Error {
    Errno::ENODEV.because("there is no such interface")
}

/// The flags of an interface.
pub(super) fn flags(index: usize, link: &Link) -> u16 {
    let kind = if index == LOOPBACK { IFF_LOOPBACK } else { IFF_BROADCAST | IFF_MULTICAST };
    if link.is_up { kind | IFF_UP | IFF_RUNNING } else { kind }
}

/// A request about interfaces or routes.
///
/// # Errors
/// `ENOTTY` if it is none; `ENODEV`, `EADDRNOTAVAIL`, `EPERM`, `EINVAL`,
/// `EFAULT`, and those of routes.
pub(in crate::net) fn interface(cx: &Cx<'_>, inet: &Arc<Inet>, command: u32, arg: GuestAddr) -> Result<()> {
    let is_change =
        matches!(command, SIOCSIFADDR | SIOCSIFBRDADDR | SIOCSIFNETMASK | SIOCSIFFLAGS | SIOCADDRT | SIOCDELRT);
    if is_change && !cx.task.creds().is_privileged() {
        return Err(Errno::EPERM.because("the superuser configures interfaces"));
    }
    match command {
        SIOCGIFCONF => list(cx, inet, arg),
        SIOCADDRT | SIOCDELRT => route(cx, inet, arg, command == SIOCADDRT),
        SIOCGIFNAME => name(cx, inet, arg),
        SIOCGIFADDR | SIOCGIFDSTADDR | SIOCGIFBRDADDR | SIOCGIFNETMASK | SIOCGIFFLAGS | SIOCGIFHWADDR | SIOCGIFMTU
        | SIOCGIFINDEX | SIOCGIFMETRIC | SIOCGIFTXQLEN => get(cx, inet, command, arg),
        SIOCSIFADDR | SIOCSIFBRDADDR | SIOCSIFNETMASK | SIOCSIFFLAGS => set(cx, inet, command, arg),
        _ => Err(Errno::ENOTTY.because("the socket takes no such command")),
    }
}

/// The bytes before the first NUL.
fn c_string(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    bytes.get(..end).unwrap_or_default()
}

/// The interface that a request names, of which `eth0:1` is another name.
fn link_of(stack: &Stack, request: &[u8]) -> Result<usize> {
    let name = c_string(request.get(..NAME_LEN).unwrap_or_default());
    let name = name.split(|byte| *byte == b':').next().unwrap_or_default();
    stack.link_named(name).ok_or_else(no_device)
}

fn sockaddr(addr: Ipv4Addr) -> [u8; SOCKADDR_LEN] {
    to_bytes(SocketAddrV4::new(addr, 0))
}

fn get(cx: &Cx<'_>, inet: &Inet, command: u32, arg: GuestAddr) -> Result<()> {
    let request = cx.task.mm().read_vec(arg, IFREQ_LEN)?;
    let value: Vec<u8> = inet.look(|stack| {
        let index = link_of(stack, &request)?;
        let link = stack.links.get(index).ok_or_else(no_device)?;
        let own = || link.address.ok_or(Errno::EADDRNOTAVAIL.because("the interface has no address"));
        let number = |number: usize| i32::try_from(number).unwrap_or(i32::MAX).to_le_bytes().to_vec();
        Ok::<_, Error>(match command {
            SIOCGIFADDR | SIOCGIFDSTADDR => sockaddr(own()?.addr).to_vec(),
            SIOCGIFBRDADDR => sockaddr(own()?.broadcast).to_vec(),
            SIOCGIFNETMASK => sockaddr(Ipv4Addr::from_bits(mask_of(own()?.prefix))).to_vec(),
            SIOCGIFFLAGS => flags(index, link).to_le_bytes().to_vec(),
            SIOCGIFHWADDR => {
                let kind = if index == LOOPBACK { ARPHRD_LOOPBACK } else { ARPHRD_ETHER };
                let mut bytes = kind.to_le_bytes().to_vec();
                bytes.extend(link.mac);
                bytes.resize(SOCKADDR_LEN, 0);
                bytes
            }
            // Linux says one more for lo, which an IP packet cannot have.
            SIOCGIFMTU => number(shown_mtu(index, link)),
            SIOCGIFINDEX => number(index + 1),
            SIOCGIFTXQLEN => QUEUE_LEN.to_le_bytes().to_vec(),
            _ => number(0),
        })
    })?;
    cx.task.mm().write(arg.add(NAME_LEN as u64), &value)
}

/// The MTU as Linux tells it.
pub(super) fn shown_mtu(index: usize, link: &Link) -> usize {
    if index == LOOPBACK { 65536 } else { link.mtu }
}

fn name(cx: &Cx<'_>, inet: &Inet, arg: GuestAddr) -> Result<()> {
    let index = cx.task.mm().read_u32(arg.add(NAME_LEN as u64))?;
    let index = usize::try_from(index).ok().and_then(|index| index.checked_sub(1)).ok_or_else(no_device)?;
    let name = inet.look(|stack| stack.links.get(index).map(|link| link.name.clone())).ok_or_else(no_device)?;
    let mut bytes = name.into_bytes();
    bytes.resize(NAME_LEN, 0);
    cx.task.mm().write(arg, &bytes)
}

/// Interfaces that have an address: `struct ifconf` is a length and a pointer.
fn list(cx: &Cx<'_>, inet: &Inet, arg: GuestAddr) -> Result<()> {
    let mm = cx.task.mm();
    let (room, to) = (mm.read_u32(arg)?, mm.read_u64(arg.add(8))?);
    let entries: Vec<Vec<u8>> = inet.look(|stack| {
        let entry = |link: &Link| {
            let mut bytes = link.name.clone().into_bytes();
            bytes.resize(NAME_LEN, 0);
            bytes.extend(sockaddr(link.address?.addr));
            bytes.resize(IFREQ_LEN, 0);
            Some(bytes)
        };
        stack.links.iter().filter_map(entry).collect()
    });
    let fit = if to == 0 { entries.len() } else { usize::try_from(room).unwrap_or(0) / IFREQ_LEN };
    let shown = entries.get(..fit.min(entries.len())).unwrap_or_default();
    if to != 0 {
        mm.write(GuestAddr(to), &shown.concat())?;
    }
    mm.write_u32(arg, u32::try_from(shown.len() * IFREQ_LEN).unwrap_or(u32::MAX))
}

fn set(cx: &Cx<'_>, inet: &Inet, command: u32, arg: GuestAddr) -> Result<()> {
    let request = cx.task.mm().read_vec(arg, IFREQ_LEN)?;
    let value = request.get(NAME_LEN..NAME_LEN + SOCKADDR_LEN).unwrap_or_default();
    let bad = || Errno::EINVAL.because("it is no address");
    let addr = || parse(value)?.map(|addr| *addr.ip()).ok_or_else(bad);
    inet.with(|stack| {
        let index = link_of(stack, &request)?;
        let link = stack.links.get(index).ok_or_else(no_device)?;
        let own = link.address;
        let needed = own.ok_or(Errno::EADDRNOTAVAIL.because("the interface has no address"));
        match command {
            SIOCSIFADDR => {
                let addr = addr()?;
                if addr.is_multicast() || addr.is_broadcast() {
                    return Err(bad());
                }
                let assigned = (!addr.is_unspecified()).then(|| Assigned::new(addr, class_prefix(addr)));
                stack.set_address(index, assigned);
            }
            SIOCSIFBRDADDR => {
                let (own, broadcast) = (needed?, addr()?);
                stack.set_address(index, Some(Assigned { broadcast, ..own }));
            }
            SIOCSIFNETMASK => {
                let (own, mask) = (needed?, addr()?.to_bits());
                if mask.leading_ones() + mask.trailing_zeros() < 32 {
                    return Err(Errno::EINVAL.because("the mask has holes"));
                }
                let prefix = u8::try_from(mask.leading_ones()).unwrap_or(32);
                stack.set_address(index, Some(Assigned::new(own.addr, prefix)));
            }
            _ => {
                let wanted = value.first_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes));
                stack.set_up(index, wanted & IFF_UP != 0);
            }
        }
        Ok(())
    })
}

/// Adds or takes away a route.
fn route(cx: &Cx<'_>, inet: &Inet, arg: GuestAddr, adds: bool) -> Result<()> {
    let mm = cx.task.mm();
    let entry = mm.read_vec(arg, RTENTRY_LEN)?;
    let bad = || Errno::EINVAL.because("the route makes no sense");
    let address = |at: usize| parse(entry.get(at..at + SOCKADDR_LEN).unwrap_or_default());
    let field =
        |at: usize| entry.get(at..at + 2).and_then(|bytes| bytes.first_chunk()).map_or(0, |b| u16::from_le_bytes(*b));
    let network = *address(RT_DST)?.ok_or_else(bad)?.ip();
    let flags = field(RT_FLAGS);
    let mask =
        if flags & RTF_HOST != 0 { u32::MAX } else { address(RT_GENMASK)?.map_or(0, |mask| mask.ip().to_bits()) };
    if mask.leading_ones() + mask.trailing_zeros() < 32 {
        return Err(bad());
    }
    let prefix = u8::try_from(mask.leading_ones()).unwrap_or(32);
    let gateway = if flags & RTF_GATEWAY != 0 { address(RT_GATEWAY)?.map(|gateway| *gateway.ip()) } else { None };
    let device =
        entry.get(RT_DEV..RT_DEV + 8).and_then(|bytes| bytes.first_chunk()).map_or(0, |b| u64::from_le_bytes(*b));
    let mut name = Vec::new();
    if device != 0 {
        // A name ends before the page does, or is no longer than it may be.
        for at in 0..NAME_LEN as u64 {
            let byte = mm.read_vec(GuestAddr(device).add(at), 1)?.first().copied().unwrap_or(0);
            if byte == 0 {
                break;
            }
            name.push(byte);
        }
    }
    // The metric is told as one more than it is.
    let metric = field(RT_METRIC).saturating_sub(1);
    inet.with(|stack| {
        let link = if device == 0 { None } else { Some(stack.link_named(&name).ok_or_else(no_device)?) };
        if adds {
            stack.add_route(network, prefix, gateway, link, metric)
        } else {
            stack.delete_route(network, prefix, gateway, link)
        }
    })
}

impl Stack {
    /// Takes an interface up or down. Routes over it go when it goes down.
    pub(super) fn set_up(&mut self, index: usize, is_up: bool) {
        let Some(link) = self.links.get_mut(index) else { return };
        if core::mem::replace(&mut link.is_up, is_up) == is_up {
            return;
        }
        link.has_work = true;
        if !is_up {
            link.drop_waiting();
            self.routes.list.retain(|route| route.link != index);
            self.neighbors.forget(index);
        }
    }
}
