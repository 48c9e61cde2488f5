//! `getsockopt` and `setsockopt` of internet sockets.

use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::socket::{
    AF_INET, ICMP_FILTER, IP_HDRINCL, IP_MTU, IP_MTU_DISCOVER, IP_MULTICAST_TTL, IP_PKTINFO, IP_RECVERR, IP_RECVTOS,
    IP_RECVTTL, IP_TOS, IP_TTL, IPPROTO_ICMP, IPPROTO_IP, IPPROTO_TCP, Linger, SO_ACCEPTCONN, SO_BINDTODEVICE,
    SO_BROADCAST, SO_DEBUG, SO_DOMAIN, SO_DONTROUTE, SO_ERROR, SO_KEEPALIVE, SO_LINGER, SO_OOBINLINE, SO_PRIORITY,
    SO_PROTOCOL, SO_RCVBUF, SO_RCVBUFFORCE, SO_RCVLOWAT, SO_RCVTIMEO, SO_REUSEADDR, SO_REUSEPORT, SO_SNDBUF,
    SO_SNDBUFFORCE, SO_SNDLOWAT, SO_SNDTIMEO, SO_TYPE, SOCK_RAW, SOL_RAW, SOL_SOCKET, TCP_CONGESTION, TCP_CORK,
    TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_MAXSEG, TCP_NODELAY, TCP_QUICKACK, TCP_SYNCNT, TCP_USER_TIMEOUT,
};
use machine::GuestAddr;

use super::options::{DEFAULT_LIMIT, Flags, Options};
use super::socket::InetSocket;
use super::stack::Stack;
use crate::error::{Because, Error, Result};
use crate::net::options::{bytes_of, doubled, timeout_ns, timeval};
use crate::syscall::Cx;

/// The least that the sizes of buffers may be.
const MIN_SEND: usize = 4608;
const MIN_RECEIVE: usize = 2304;
/// The most that everybody, and the superuser, may set them to.
const MAX_SIZE: usize = 2 << 20;
const MAX_FORCED: usize = 8 << 20;
/// Bytes of an interface's name, with its NUL.
const NAME_LEN: usize = 16;
/// The one way of keeping to what the network carries.
const CONGESTION: &[u8] = b"reno";

fn unknown() -> Error {
    Errno::ENOPROTOOPT.because("no such option of an internet socket")
}

/// What an option that is on or off is here.
fn flag_of(level: u32, name: u32) -> Option<Flags> {
    Some(match (level, name) {
        (SOL_SOCKET, SO_REUSEADDR) => Flags::REUSE_ADDRESS,
        (SOL_SOCKET, SO_REUSEPORT) => Flags::REUSE_PORT,
        (SOL_SOCKET, SO_KEEPALIVE) => Flags::KEEP_ALIVE,
        (SOL_SOCKET, SO_BROADCAST) => Flags::BROADCAST,
        (SOL_SOCKET, SO_OOBINLINE) => Flags::URGENT_INLINE,
        (SOL_SOCKET, SO_DONTROUTE) => Flags::DO_NOT_ROUTE,
        (IPPROTO_TCP, TCP_NODELAY) => Flags::NO_DELAY,
        (IPPROTO_TCP, TCP_CORK) => Flags::CORK,
        (IPPROTO_TCP, TCP_QUICKACK) => Flags::QUICK_ACK,
        (IPPROTO_IP, IP_RECVERR) => Flags::RECEIVE_ERRORS,
        (IPPROTO_IP, IP_RECVTTL) => Flags::RECEIVE_TTL,
        (IPPROTO_IP, IP_RECVTOS) => Flags::RECEIVE_TOS,
        (IPPROTO_IP, IP_PKTINFO) => Flags::PACKET_INFO,
        (IPPROTO_IP, IP_HDRINCL) => Flags::HEADER_INCLUDED,
        _ => return None,
    })
}

impl InetSocket {
    fn check_level(&self, level: u32, name: u32) -> Result<()> {
        let is_known = match level {
            SOL_SOCKET => true,
            IPPROTO_IP => name != IP_HDRINCL || self.kind == SOCK_RAW,
            IPPROTO_TCP => self.is_stream(),
            SOL_RAW => self.kind == SOCK_RAW && self.protocol == IPPROTO_ICMP,
            _ => false,
        };
        if is_known { Ok(()) } else { Err(unknown()) }
    }
}

/// The value of an option, for `getsockopt`.
///
/// # Errors
/// `ENOPROTOOPT`.
pub(in crate::net) fn get(socket: &InetSocket, level: u32, name: u32) -> Result<Vec<u8>> {
    socket.check_level(level, name)?;
    socket.inet.look(|stack| {
        if (level, name) == (IPPROTO_IP, IP_MTU) {
            return path_mtu(stack, socket).map(bytes_of);
        }
        let link_name = |link: usize| stack.links.get(link).map(|link| link.name.clone().into_bytes());
        let bound = stack.socks.get(&socket.id).and_then(|sock| sock.options.link).and_then(link_name);
        let sock = stack.socks.get_mut(&socket.id).ok_or(Errno::EBADF.because("the socket is closed"))?;
        let is_listening = sock.is_listening();
        let options = &sock.options;
        if let Some(flag) = flag_of(level, name) {
            return Ok(bytes_of(i32::from(options.flags.contains(flag))));
        }
        match level {
            SOL_SOCKET => match name {
                SO_ERROR => Ok(bytes_of(sock.error.take().map_or(0, |errno| i32::from(errno.number())))),
                SO_TYPE => Ok(bytes_of(socket.kind)),
                SO_DOMAIN => Ok(bytes_of(u32::from(AF_INET))),
                SO_PROTOCOL => Ok(bytes_of(socket.protocol)),
                SO_ACCEPTCONN => Ok(bytes_of(i32::from(is_listening))),
                SO_BINDTODEVICE => Ok(bound.map_or_else(Vec::new, |mut name| {
                    name.push(0);
                    name
                })),
                _ => get_common(options, name),
            },
            IPPROTO_IP => get_ip(options, name),
            SOL_RAW if name == ICMP_FILTER => Ok(bytes_of(options.icmp_filter)),
            IPPROTO_TCP => get_tcp(options, name),
            _ => Err(unknown()),
        }
    })
}

fn get_common(options: &Options, name: u32) -> Result<Vec<u8>> {
    let size = |value: usize| i32::try_from(value).unwrap_or(i32::MAX);
    Ok(match name {
        SO_DEBUG => bytes_of(0_i32),
        SO_SNDBUF => bytes_of(size(options.send_limit)),
        SO_RCVBUF => bytes_of(size(options.receive_limit)),
        SO_RCVLOWAT => bytes_of(size(options.low_water)),
        SO_SNDLOWAT => bytes_of(1_i32),
        SO_PRIORITY => bytes_of(options.priority),
        SO_RCVTIMEO => timeval(options.receive_timeout_ns),
        SO_SNDTIMEO => timeval(options.send_timeout_ns),
        SO_LINGER => {
            let l_linger = i32::try_from(options.linger.unwrap_or(0)).unwrap_or(i32::MAX);
            Linger { l_onoff: i32::from(options.linger.is_some()), l_linger }.to_bytes().to_vec()
        }
        _ => return Err(unknown()),
    })
}

fn get_ip(options: &Options, name: u32) -> Result<Vec<u8>> {
    Ok(bytes_of(match name {
        IP_TTL => i32::from(options.ttl),
        IP_TOS => i32::from(options.tos),
        IP_MTU_DISCOVER => i32::try_from(options.mtu_discover).unwrap_or(0),
        IP_MULTICAST_TTL => i32::from(options.multicast_ttl),
        _ => return Err(unknown()),
    }))
}

fn get_tcp(options: &Options, name: u32) -> Result<Vec<u8>> {
    Ok(bytes_of(match name {
        TCP_KEEPIDLE => options.keep_idle,
        TCP_KEEPINTVL => options.keep_interval,
        TCP_KEEPCNT => options.keep_count,
        TCP_SYNCNT => options.syn_count,
        TCP_USER_TIMEOUT => options.user_timeout_ms,
        // What a segment carries before anything is known of the other end.
        TCP_MAXSEG => 536,
        TCP_CONGESTION => {
            let mut name = CONGESTION.to_vec();
            name.resize(NAME_LEN, 0);
            return Ok(name);
        }
        _ => return Err(unknown()),
    }))
}

/// The MTU of the way to where a socket is connected.
fn path_mtu(stack: &Stack, socket: &InetSocket) -> Result<i32> {
    let sock = stack.socks.get(&socket.id).ok_or(Errno::EBADF.because("the socket is closed"))?;
    let remote = sock.remote.ok_or(Errno::ENOTCONN.because("the socket is not connected"))?;
    let hop = stack.route(*remote.ip(), sock.options.link)?;
    let mtu = stack.links.get(hop.link).map_or(0, |link| link.mtu);
    Ok(i32::try_from(mtu).unwrap_or(i32::MAX))
}

/// `setsockopt`.
///
/// # Errors
/// `ENOPROTOOPT`, `EINVAL`, `EDOM`, `EPERM`, `ENODEV`, `EFAULT`.
pub(in crate::net) fn set(
    cx: &mut Cx<'_>,
    socket: &InetSocket,
    level: u32,
    name: u32,
    value: GuestAddr,
    len: u32,
) -> Result<()> {
    socket.check_level(level, name)?;
    let mm = cx.task.mm();
    let short = || Errno::EINVAL.because("the value is too short");
    let len = i32::try_from(len).ok().and_then(|len| usize::try_from(len).ok()).ok_or_else(short)?;
    let check_len = |needed: usize| if len >= needed { Ok(()) } else { Err(short()) };
    match (level, name) {
        (SOL_SOCKET, SO_RCVTIMEO | SO_SNDTIMEO) => {
            check_len(16)?;
            let limit = timeout_ns(mm.read_abi(value)?)?;
            return change(socket, |options| {
                *(if name == SO_RCVTIMEO { &mut options.receive_timeout_ns } else { &mut options.send_timeout_ns }) =
                    limit;
                Ok(())
            });
        }
        (SOL_SOCKET, SO_LINGER) => {
            check_len(Linger::SIZE)?;
            let linger: Linger = mm.read_abi(value)?;
            let seconds = u32::try_from(linger.l_linger).unwrap_or(0);
            return change(socket, |options| {
                options.linger = (linger.l_onoff != 0).then_some(seconds);
                Ok(())
            });
        }
        (SOL_SOCKET, SO_BINDTODEVICE) => {
            let name = mm.read_vec(value, len.min(NAME_LEN - 1))?;
            let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
            return bind_to_device(socket, name.get(..end).unwrap_or_default());
        }
        (IPPROTO_TCP, TCP_CONGESTION) => {
            let name = mm.read_vec(value, len.min(NAME_LEN))?;
            let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
            let is_ours = name.get(..end) == Some(CONGESTION);
            return if is_ours { Ok(()) } else { Err(Errno::ENOENT.because("no such congestion control")) };
        }
        // A byte will do for these.
        (IPPROTO_IP, _) if (1..4).contains(&len) => {
            let byte = mm.read_vec(value, 1)?.first().copied().unwrap_or(0);
            return set_number(cx, socket, level, name, u32::from(byte));
        }
        _ => {}
    }
    check_len(4)?;
    let number = mm.read_u32(value)?;
    set_number(cx, socket, level, name, number)
}

fn change(socket: &InetSocket, act: impl FnOnce(&mut Options) -> Result<()>) -> Result<()> {
    socket.inet.with(|stack| {
        let sock = stack.socks.get_mut(&socket.id).ok_or(Errno::EBADF.because("the socket is closed"))?;
        act(&mut sock.options)?;
        stack.options_changed(socket.id);
        Ok(())
    })
}

fn set_number(cx: &Cx<'_>, socket: &InetSocket, level: u32, name: u32, number: u32) -> Result<()> {
    let is_privileged = cx.task.creds().is_privileged();
    if let Some(flag) = flag_of(level, name) {
        return change(socket, |options| {
            options.flags.set(flag, number != 0);
            Ok(())
        });
    }
    change(socket, |options| match level {
        SOL_SOCKET => set_common(options, name, number, is_privileged),
        IPPROTO_IP => set_ip(options, name, number),
        SOL_RAW if name == ICMP_FILTER => {
            options.icmp_filter = number;
            Ok(())
        }
        IPPROTO_TCP => set_tcp(options, name, number),
        _ => Err(unknown()),
    })
}

fn set_common(options: &mut Options, name: u32, number: u32, is_privileged: bool) -> Result<()> {
    match name {
        SO_SNDBUF => options.send_limit = doubled(number, MAX_SIZE).max(MIN_SEND),
        SO_RCVBUF => options.receive_limit = doubled(number, MAX_SIZE).max(MIN_RECEIVE),
        SO_SNDBUFFORCE | SO_RCVBUFFORCE if !is_privileged => {
            return Err(Errno::EPERM.because("only the superuser goes past the limit"));
        }
        SO_SNDBUFFORCE => options.send_limit = doubled(number, MAX_FORCED).max(MIN_SEND),
        SO_RCVBUFFORCE => options.receive_limit = doubled(number, MAX_FORCED).max(MIN_RECEIVE),
        SO_RCVLOWAT => options.low_water = usize::try_from(number).unwrap_or(1).clamp(1, DEFAULT_LIMIT),
        SO_PRIORITY if number <= 6 || is_privileged => options.priority = number,
        SO_PRIORITY => return Err(Errno::EPERM.because("the priority is for the superuser")),
        _ => return Err(unknown()),
    }
    Ok(())
}

fn set_ip(options: &mut Options, name: u32, number: u32) -> Result<()> {
    let bad = || Errno::EINVAL.because("the value is out of range");
    // Minus one stands for the default.
    let ttl = |default: u8| match number {
        u32::MAX => Ok(default),
        number => u8::try_from(number).map_err(|_| bad()),
    };
    match name {
        IP_TTL => options.ttl = ttl(super::ip::DEFAULT_TTL).ok().filter(|ttl| *ttl > 0).ok_or_else(bad)?,
        IP_MULTICAST_TTL => options.multicast_ttl = ttl(1)?,
        IP_TOS => options.tos = number.to_le_bytes()[0],
        IP_MTU_DISCOVER if number <= 5 => options.mtu_discover = number,
        IP_MTU_DISCOVER => return Err(bad()),
        _ => return Err(unknown()),
    }
    Ok(())
}

fn set_tcp(options: &mut Options, name: u32, number: u32) -> Result<()> {
    let within = |most: u32| {
        let fits = (1..=most).contains(&number);
        if fits { Ok(number) } else { Err(Errno::EINVAL.because("the value is out of range")) }
    };
    match name {
        TCP_KEEPIDLE => options.keep_idle = within(32767)?,
        TCP_KEEPINTVL => options.keep_interval = within(32767)?,
        TCP_KEEPCNT => options.keep_count = within(127)?,
        TCP_SYNCNT => options.syn_count = within(127)?,
        TCP_USER_TIMEOUT => options.user_timeout_ms = number,
        _ => return Err(unknown()),
    }
    Ok(())
}

fn bind_to_device(socket: &InetSocket, name: &[u8]) -> Result<()> {
    socket.inet.with(|stack| {
        let link = if name.is_empty() {
            None
        } else {
            Some(stack.link_named(name).ok_or(Errno::ENODEV.because("there is no such interface"))?)
        };
        let sock = stack.socks.get_mut(&socket.id).ok_or(Errno::EBADF.because("the socket is closed"))?;
        sock.options.link = link;
        Ok(())
    })
}
