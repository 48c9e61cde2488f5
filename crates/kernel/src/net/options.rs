//! `getsockopt` and `setsockopt`.

use alloc::vec::Vec;

use linux_abi::socket::{
    AF_UNIX, SO_ACCEPTCONN, SO_BROADCAST, SO_DEBUG, SO_DOMAIN, SO_DONTROUTE, SO_ERROR, SO_KEEPALIVE, SO_LINGER,
    SO_OOBINLINE, SO_PASSCRED, SO_PEERCRED, SO_PROTOCOL, SO_RCVBUF, SO_RCVBUFFORCE, SO_RCVLOWAT, SO_RCVTIMEO,
    SO_REUSEADDR, SO_SNDBUF, SO_SNDBUFFORCE, SO_SNDLOWAT, SO_SNDTIMEO, SO_TYPE, SOL_SOCKET, Ucred,
};
use linux_abi::{Errno, Wire};
use machine::GuestAddr;

use super::buffer::DEFAULT_LIMIT;
use super::socket::{Phase, Socket};
use super::{AnySocket, inet, socket_of};
use crate::error::{Because, Error, Result};
use crate::syscall::Cx;

/// The least that `SO_SNDBUF` and `SO_RCVBUF` may be, as told by `getsockopt`.
const MIN_SEND: usize = 4608;
const MIN_RECEIVE: usize = 2304;
/// The most that the superuser may set them to.
const MAX_FORCED: usize = 8 << 20;

bitflags::bitflags! {
    /// Options that are on or off and change nothing between local sockets.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(super) struct Remembered: u8 {
        /// `SO_REUSEADDR`
        const REUSE_ADDRESS = 1;
        /// `SO_KEEPALIVE`
        const KEEP_ALIVE = 1 << 1;
        /// `SO_BROADCAST`
        const BROADCAST = 1 << 2;
        /// `SO_OOBINLINE`
        const URGENT_INLINE = 1 << 3;
        /// `SO_DONTROUTE`
        const DO_NOT_ROUTE = 1 << 4;
    }
}

impl Remembered {
    const fn of(name: u32) -> Option<Self> {
        Some(match name {
            SO_REUSEADDR => Self::REUSE_ADDRESS,
            SO_KEEPALIVE => Self::KEEP_ALIVE,
            SO_BROADCAST => Self::BROADCAST,
            SO_OOBINLINE => Self::URGENT_INLINE,
            SO_DONTROUTE => Self::DO_NOT_ROUTE,
            _ => return None,
        })
    }
}

/// A level other than `SOL_SOCKET` has no options.
fn check_level(level: i32) -> Result<()> {
    if level.cast_unsigned() == SOL_SOCKET {
        return Ok(());
    }
    Err(Errno::EOPNOTSUPP.because("local sockets have no options of that level"))
}

fn unknown() -> Error {
    Errno::ENOPROTOOPT.because("no such option of a local socket")
}

pub(super) fn getsockopt(
    cx: &mut Cx<'_>,
    fd: i32,
    level: i32,
    name: u32,
    value: GuestAddr,
    len: GuestAddr,
) -> Result<()> {
    let (_, socket) = socket_of(cx, fd)?;
    if matches!(socket, AnySocket::Local(_)) {
        check_level(level)?;
    }
    let mm = cx.task.mm();
    let room =
        usize::try_from(mm.read_abi::<i32>(len)?).map_err(|_| Errno::EINVAL.because("the length is negative"))?;
    let bytes = match socket {
        AnySocket::Local(socket) => get(&socket, name)?,
        AnySocket::Inet(socket) => inet::getsockopt(&socket, level.cast_unsigned(), name)?,
    };
    let count = room.min(bytes.len());
    mm.write(value, bytes.get(..count).unwrap_or_default())?;
    mm.write_u32(len, u32::try_from(count).unwrap_or(0))
}

fn get(socket: &Socket, name: u32) -> Result<Vec<u8>> {
    let size = |value: usize| i32::try_from(value).unwrap_or(i32::MAX);
    let mut state = socket.state.lock();
    if let Some(flag) = Remembered::of(name) {
        return Ok(bytes_of(i32::from(state.flags.contains(flag))));
    }
    Ok(match name {
        SO_TYPE => bytes_of(socket.kind().number()),
        SO_DOMAIN => bytes_of(u32::from(AF_UNIX)),
        SO_PROTOCOL | SO_DEBUG => bytes_of(0),
        SO_ERROR => bytes_of(state.error.take().map_or(0, |errno| i32::from(errno.number()))),
        SO_ACCEPTCONN => bytes_of(i32::from(state.phase == Phase::Listening)),
        SO_PASSCRED => bytes_of(i32::from(state.passes_cred)),
        SO_PEERCRED => {
            let nobody = Ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
            state.peer_cred.unwrap_or(nobody).to_bytes().to_vec()
        }
        SO_SNDBUF => bytes_of(size(socket.account.limit())),
        SO_RCVBUF => bytes_of(size(state.receive_limit)),
        SO_RCVLOWAT | SO_SNDLOWAT => bytes_of(1),
        SO_RCVTIMEO => timeval(state.receive_timeout_ns),
        SO_SNDTIMEO => timeval(state.send_timeout_ns),
        SO_LINGER => alloc::vec![0; 8],
        _ => return Err(unknown()),
    })
}

pub(super) fn bytes_of<T: Wire>(value: T) -> Vec<u8> {
    let mut bytes = alloc::vec![0; T::SIZE];
    value.store(&mut bytes);
    bytes
}

/// A time limit as seconds and microseconds; zero for none.
pub(super) fn timeval(ns: Option<u64>) -> Vec<u8> {
    let microseconds = ns.unwrap_or(0) / 1000;
    bytes_of([microseconds / 1_000_000, microseconds % 1_000_000])
}

pub(super) fn timeout_ns([seconds, microseconds]: [i64; 2]) -> Result<Option<u64>> {
    let bad = || Errno::EDOM.because("not so many microseconds");
    let microseconds = u64::try_from(microseconds).ok().filter(|n| *n < 1_000_000).ok_or_else(bad)?;
    // A negative time is over at once, as in Linux.
    let Ok(seconds) = u64::try_from(seconds) else { return Ok(Some(0)) };
    let ns = seconds.saturating_mul(1_000_000_000).saturating_add(microseconds * 1000);
    Ok((ns > 0).then_some(ns))
}

pub(super) fn setsockopt(cx: &mut Cx<'_>, fd: i32, level: i32, name: u32, value: GuestAddr, len: u32) -> Result<()> {
    let socket = match socket_of(cx, fd)?.1 {
        AnySocket::Local(socket) => socket,
        AnySocket::Inet(socket) => return inet::setsockopt(cx, &socket, level.cast_unsigned(), name, value, len),
    };
    check_level(level)?;
    let mm = cx.task.mm();
    let check_len = |needed: u32| {
        let fits = i32::try_from(len).is_ok() && len >= needed;
        if fits { Ok(()) } else { Err(Errno::EINVAL.because("the value is too short")) }
    };
    if matches!(name, SO_RCVTIMEO | SO_SNDTIMEO) {
        check_len(16)?;
        let limit = timeout_ns(mm.read_abi(value)?)?;
        let mut state = socket.state.lock();
        let field = if name == SO_RCVTIMEO { &mut state.receive_timeout_ns } else { &mut state.send_timeout_ns };
        *field = limit;
        return Ok(());
    }
    check_len(4)?;
    let number = mm.read_u32(value)?;
    let is_privileged = cx.task.creds().is_privileged();
    if let Some(flag) = Remembered::of(name) {
        socket.state.lock().flags.set(flag, number != 0);
        return Ok(());
    }
    match name {
        SO_PASSCRED => socket.state.lock().passes_cred = number != 0,
        SO_SNDBUF => socket.account.set_limit(doubled(number, DEFAULT_LIMIT).max(MIN_SEND)),
        SO_RCVBUF => socket.state.lock().receive_limit = doubled(number, DEFAULT_LIMIT).max(MIN_RECEIVE),
        SO_SNDBUFFORCE | SO_RCVBUFFORCE if !is_privileged => {
            return Err(Errno::EPERM.because("only the superuser goes past the limit"));
        }
        SO_SNDBUFFORCE => socket.account.set_limit(doubled(number, MAX_FORCED).max(MIN_SEND)),
        SO_RCVBUFFORCE => socket.state.lock().receive_limit = doubled(number, MAX_FORCED).max(MIN_RECEIVE),
        _ => return Err(unknown()),
    }
    Ok(())
}

/// Linux keeps twice of what it is told, for what messages cost beside their
/// bytes.
pub(super) fn doubled(number: u32, limit: usize) -> usize {
    usize::try_from(number).unwrap_or(limit).min(limit).saturating_mul(2)
}
