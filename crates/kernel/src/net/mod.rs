//! Sockets: the local family (`AF_UNIX`), in all its three types.
//!
//! A [`socket::Socket`] has an inbox ([`buffer`]) that its peer puts messages
//! into ([`send`]) and that it takes them out of ([`receive`]). Names are in
//! [`address`], descriptors on their way in [`rights`], control messages in
//! [`control`]. System calls are in [`calls`], [`naming`], [`messages`] and
//! [`options`]. [`Net`] is what one kernel has of all this.

mod address;
mod buffer;
mod calls;
mod control;
mod messages;
mod naming;
mod options;
mod receive;
mod rights;
mod send;
mod socket;
#[cfg(test)]
mod tests;
mod wait;

use alloc::sync::Arc;
use core::sync::atomic::AtomicUsize;

use linux_abi::Errno;
use linux_abi::socket::{MsgFlags, Ucred};
use machine::GuestAddr;

use crate::error::{Because, Result};
use crate::flag_args;
use crate::fs::File;
use crate::syscall::{Cx, Row};
use crate::syscalls;
use crate::task::Task;

use socket::Socket;

flag_args! {
    MsgFlags: u32, truncate;
}

/// The system calls of sockets.
pub(crate) const ROWS: &[Row] = syscalls! {
    198 socket(family: u32, kind: u32, protocol: u32) Partial("AF_UNIX only"), calls::socket;
    199 socketpair(family: u32, kind: u32, protocol: u32, fds: GuestAddr) Full, calls::socketpair;
    200 bind(fd: i32, addr: GuestAddr, addrlen: u32) Full, naming::bind;
    201 listen(fd: i32, backlog: u32) Full, naming::listen;
    202 accept(fd: i32, addr: GuestAddr, addrlen: GuestAddr) Full, calls::accept;
    203 connect(fd: i32, addr: GuestAddr, addrlen: u32) Full, naming::connect;
    204 getsockname(fd: i32, addr: GuestAddr, addrlen: GuestAddr) Full, naming::getsockname;
    205 getpeername(fd: i32, addr: GuestAddr, addrlen: GuestAddr) Full, naming::getpeername;
    206 sendto(fd: i32, buf: GuestAddr, len: u64, flags: MsgFlags, addr: GuestAddr, addrlen: u32)
        Partial("no MSG_OOB"), messages::sendto;
    207 recvfrom(fd: i32, buf: GuestAddr, len: u64, flags: MsgFlags, addr: GuestAddr, addrlen: GuestAddr)
        Partial("no MSG_OOB"), messages::recvfrom;
    208 setsockopt(fd: i32, level: i32, name: u32, value: GuestAddr, len: u32)
        Partial("what has a meaning for local sockets"), options::setsockopt;
    209 getsockopt(fd: i32, level: i32, name: u32, value: GuestAddr, len: GuestAddr)
        Partial("what has a meaning for local sockets"), options::getsockopt;
    210 shutdown(fd: i32, how: u32) Full, calls::shutdown;
    211 sendmsg(fd: i32, msg: GuestAddr, flags: MsgFlags) Partial("no MSG_OOB"), messages::sendmsg;
    212 recvmsg(fd: i32, msg: GuestAddr, flags: MsgFlags) Partial("no MSG_OOB"), messages::recvmsg;
    242 accept4(fd: i32, addr: GuestAddr, addrlen: GuestAddr, flags: u32) Full, calls::accept4;
    243 recvmmsg(fd: i32, msgs: GuestAddr, count: u32, flags: MsgFlags, timeout: GuestAddr)
        Partial("no MSG_OOB; the time left is not stored"), messages::recvmmsg;
    269 sendmmsg(fd: i32, msgs: GuestAddr, count: u32, flags: MsgFlags) Partial("no MSG_OOB"), messages::sendmmsg;
};

/// The sockets of one kernel.
#[derive(Debug, Default)]
pub(crate) struct Net {
    names: address::Names,
    inflight: rights::Inflight,
    /// Bytes in all inboxes.
    total: Arc<AtomicUsize>,
}

impl Net {
    fn total(&self) -> &Arc<AtomicUsize> {
        &self.total
    }

    /// Drops sockets that lie in each other's inboxes out of reach.
    fn collect(&self) {
        self.inflight.collect();
    }
}

/// Who `task` is, as `SCM_CREDENTIALS` says by default.
fn cred_of(task: &Task) -> Ucred {
    let creds = task.creds();
    Ucred { pid: task.process.pid.cast_signed(), uid: creds.uid, gid: creds.gid }
}

/// Who `task` is, as `SO_PEERCRED` says.
fn peer_cred_of(task: &Task) -> Ucred {
    let creds = task.creds();
    Ucred { pid: task.process.pid.cast_signed(), uid: creds.euid, gid: creds.egid }
}

/// The socket of a descriptor, and the file it is open as.
///
/// # Errors
/// `EBADF`, `ENOTSOCK`.
fn socket_of(cx: &Cx<'_>, fd: i32) -> Result<(Arc<File>, Arc<Socket>)> {
    let file = cx.task.files().get_io(fd)?;
    let socket = rights::socket_of(&file).cloned();
    Ok((file, socket.ok_or(Errno::ENOTSOCK.because("the descriptor is no socket"))?))
}
