//! Sockets: the local family (`AF_UNIX`), in all its three types, and the
//! internet family (`AF_INET`), which is in [`inet`].
//!
//! System calls are in [`calls`], [`naming`], [`messages`] and [`options`];
//! they work on an [`any::AnySocket`]. [`Net`] is what one kernel has of all
//! this.
//!
//! A local [`socket::Socket`] has an inbox ([`buffer`]) that its peer puts messages
//! into ([`send`]) and that it takes them out of ([`receive`]). Names are in
//! [`address`], descriptors on their way in [`rights`], control messages in
//! [`control`]. [`outside`] connects to local sockets from outside the guest.

mod address;
mod any;
mod buffer;
mod calls;
mod control;
mod inet;
mod messages;
mod naming;
mod options;
mod outside;
mod receive;
mod rights;
mod send;
mod socket;
#[cfg(test)]
mod tests;
mod wait;

use alloc::sync::{Arc, Weak};
use core::sync::atomic::AtomicUsize;

use linux_abi::Errno;
use linux_abi::socket::{MsgFlags, Ucred};
use machine::{GuestAddr, Machine};

use crate::Kernel;
use crate::error::{Because, Result};
use crate::flag_args;
use crate::fs::File;
use crate::syscall::{Cx, Row};
use crate::syscalls;
use crate::task::Task;

use any::AnySocket;
pub use outside::{Listener, OutsideStream};

flag_args! {
    MsgFlags: u32, truncate;
}

/// The system calls of sockets.
pub(crate) const ROWS: &[Row] = syscalls! {
    198 socket(family: u32, kind: u32, protocol: u32) Partial("AF_UNIX and AF_INET"), calls::socket;
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
        Partial("no IPv6, no multicast groups; TCP_CORK and priorities have no effect"), options::setsockopt;
    209 getsockopt(fd: i32, level: i32, name: u32, value: GuestAddr, len: GuestAddr)
        Partial("no IPv6, no TCP_INFO"), options::getsockopt;
    210 shutdown(fd: i32, how: u32) Full, calls::shutdown;
    211 sendmsg(fd: i32, msg: GuestAddr, flags: MsgFlags) Partial("no MSG_OOB"), messages::sendmsg;
    212 recvmsg(fd: i32, msg: GuestAddr, flags: MsgFlags) Partial("no MSG_OOB"), messages::recvmsg;
    242 accept4(fd: i32, addr: GuestAddr, addrlen: GuestAddr, flags: u32) Full, calls::accept4;
    243 recvmmsg(fd: i32, msgs: GuestAddr, count: u32, flags: MsgFlags, timeout: GuestAddr)
        Partial("no MSG_OOB; the time left is not stored"), messages::recvmmsg;
    269 sendmmsg(fd: i32, msgs: GuestAddr, count: u32, flags: MsgFlags) Partial("no MSG_OOB"), messages::sendmmsg;
};

/// The sockets of one kernel.
#[derive(Debug)]
pub(crate) struct Net {
    inet: Arc<inet::Inet>,
    names: address::Names,
    inflight: rights::Inflight,
    /// Bytes in all inboxes.
    total: Arc<AtomicUsize>,
}

impl Net {
    /// The sockets of `kernel`, which is being made, on `machine`.
    pub(crate) fn new(kernel: Weak<Kernel>, machine: &Arc<dyn Machine>) -> Arc<Self> {
        Arc::new(Self {
            inet: inet::Inet::new(kernel, machine),
            names: address::Names::default(),
            inflight: rights::Inflight::default(),
            total: Arc::default(),
        })
    }

    /// Begins to listen to the machine's network interfaces.
    pub(crate) fn start(&self, kernel: &Arc<Kernel>) {
        self.inet.start(kernel);
    }

    /// The internet.
    pub(crate) fn inet(&self) -> &Arc<inet::Inet> {
        &self.inet
    }

    /// The lines of `/proc/net/unix`.
    pub(crate) fn local_names(&self) -> alloc::vec::Vec<alloc::vec::Vec<u8>> {
        self.names.list()
    }

    fn total(&self) -> &Arc<AtomicUsize> {
        &self.total
    }

    /// Drops sockets that lie in each other's inboxes out of reach.
    fn collect(&self) {
        self.inflight.collect();
    }
}

/// The ports that are given to those who do not ask for one, as text.
pub(crate) fn local_port_range() -> alloc::string::String {
    let (first, last) = inet::PORT_RANGE;
    alloc::format!("{first}\t{last}\n")
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
fn socket_of(cx: &Cx<'_>, fd: i32) -> Result<(Arc<File>, AnySocket)> {
    let file = cx.task.files().get_io(fd)?;
    let socket = AnySocket::of(&file);
    Ok((file, socket.ok_or(Errno::ENOTSOCK.because("the descriptor is no socket"))?))
}
