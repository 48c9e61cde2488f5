//! Making sockets, accepting connections and shutting them down.

use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::fcntl::OpenFlags;
use linux_abi::socket::{
    AF_INET, AF_UNIX, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM, SOCK_TYPE_MASK,
};
use machine::GuestAddr;

use super::any::AnySocket;
use super::socket::{Kind, Shut, Socket};
use super::wait::{Attempt, Patience, run};
use super::{inet, naming, peer_cred_of, socket_of};
use crate::error::{Because, Result};
use crate::fs::File;
use crate::syscall::{Cx, Outcome};
use crate::task::Task;

/// How descriptors of new sockets are to be.
#[derive(Clone, Copy, Debug)]
struct NewFlags {
    nonblock: bool,
    cloexec: bool,
}

impl NewFlags {
    fn parse(flags: u32) -> Result<Self> {
        if flags & !(SOCK_NONBLOCK | SOCK_CLOEXEC) != 0 {
            return Err(Errno::EINVAL.because("a flag has no meaning for a socket"));
        }
        Ok(Self { nonblock: flags & SOCK_NONBLOCK != 0, cloexec: flags & SOCK_CLOEXEC != 0 })
    }
}

/// The meaning of the type and the protocol of a local socket.
fn parse_kind(kind: u32, protocol: u32) -> Result<Kind> {
    if protocol != 0 && protocol != u32::from(AF_UNIX) {
        return Err(Errno::EPROTONOSUPPORT.because("local sockets have no protocols"));
    }
    match kind & SOCK_TYPE_MASK {
        SOCK_STREAM => Ok(Kind::Stream),
        // Linux takes raw local sockets for datagram sockets.
        SOCK_DGRAM | SOCK_RAW => Ok(Kind::Datagram),
        SOCK_SEQPACKET => Ok(Kind::SeqPacket),
        _ => Err(Errno::ESOCKTNOSUPPORT.because("no such type of local socket")),
    }
}

/// Opens a socket. It is closed if no descriptor can be had for it.
fn open(task: &Arc<Task>, socket: AnySocket, flags: NewFlags) -> Result<Arc<File>> {
    let Some(kernel) = task.kernel() else {
        socket.close();
        return Err(Errno::ENODEV.because("the kernel is being torn down"));
    };
    let mut open_flags = OpenFlags::O_RDWR;
    open_flags.set(OpenFlags::O_NONBLOCK, flags.nonblock);
    let creds = task.creds();
    let path = kernel.vfs().socket_path(creds.fsuid, creds.fsgid);
    Ok(File::new(&kernel, path, socket.into_ops(), open_flags))
}

pub(super) fn socket(cx: &mut Cx<'_>, family: u32, kind: u32, protocol: u32) -> Result<i32> {
    let flags = NewFlags::parse(kind & !SOCK_TYPE_MASK)?;
    let socket = match u16::try_from(family) {
        Ok(AF_UNIX) => AnySocket::Local(Socket::new(cx.kernel.net(), parse_kind(kind, protocol)?)),
        Ok(AF_INET) => AnySocket::Inet(inet::open(cx.kernel.net().inet(), cx.task, kind & SOCK_TYPE_MASK, protocol)?),
        _ => return Err(Errno::EAFNOSUPPORT.because("no such family of sockets")),
    };
    let file = open(cx.task, socket, flags)?;
    cx.task.files().insert(cx.task, file, flags.cloexec)
}

pub(super) fn socketpair(cx: &mut Cx<'_>, family: u32, kind: u32, protocol: u32, fds: GuestAddr) -> Result<()> {
    let flags = NewFlags::parse(kind & !SOCK_TYPE_MASK)?;
    match u16::try_from(family) {
        Ok(AF_UNIX) => {}
        Ok(AF_INET) => return Err(Errno::EOPNOTSUPP.because("internet sockets do not come in pairs")),
        _ => return Err(Errno::EAFNOSUPPORT.because("no such family of sockets")),
    }
    let kind = parse_kind(kind, protocol)?;
    let (one, other) = (Socket::new(cx.kernel.net(), kind), Socket::new(cx.kernel.net(), kind));
    let cred = peer_cred_of(cx.task);
    // Once they are joined each needs a file that closes it.
    let first = open(cx.task, AnySocket::Local(one.clone()), flags)?;
    let second = open(cx.task, AnySocket::Local(other.clone()), flags)?;
    one.join(&other, cred);
    other.join(&one, cred);
    let files = cx.task.files();
    let first = files.insert(cx.task, first, flags.cloexec)?;
    let second = match files.insert(cx.task, second, flags.cloexec) {
        Ok(second) => second,
        Err(error) => {
            drop(files.close(first));
            return Err(error);
        }
    };
    let stored = cx.task.mm().write_abi(fds, &[first, second]);
    if stored.is_err() {
        drop(files.close(first));
        drop(files.close(second));
    }
    stored
}

pub(super) fn shutdown(cx: &mut Cx<'_>, fd: i32, how: u32) -> Result<()> {
    let (_, socket) = socket_of(cx, fd)?;
    socket.shut_down(Shut::from_how(how)?)
}

pub(super) fn accept(cx: &mut Cx<'_>, fd: i32, addr: GuestAddr, addrlen: GuestAddr) -> Result<Outcome> {
    accept4(cx, fd, addr, addrlen, 0)
}

pub(super) fn accept4(cx: &mut Cx<'_>, fd: i32, addr: GuestAddr, addrlen: GuestAddr, flags: u32) -> Result<Outcome> {
    let flags = NewFlags::parse(flags)?;
    let (file, socket) = socket_of(cx, fd)?;
    let timeout_ns = socket.receive_timeout_ns();
    let patience = Patience { may_wait: !file.is_nonblocking(), timeout_ns };
    let queue = socket.queue().clone();
    Ok(run(cx, patience, &queue, Accepting { _file: file, socket, flags, addr, addrlen }))
}

struct Accepting {
    /// Keeps the socket open while the call waits.
    _file: Arc<File>,
    socket: AnySocket,
    flags: NewFlags,
    addr: GuestAddr,
    addrlen: GuestAddr,
}

impl Attempt for Accepting {
    fn attempt(&mut self, task: &Arc<Task>) -> Result<u64> {
        let accepted = match &self.socket {
            AnySocket::Local(socket) => AnySocket::Local(socket.take_connection()?),
            AnySocket::Inet(socket) => AnySocket::Inet(socket.accept()?),
        };
        // From here on the file closes the connection if anything fails.
        let file = open(task, accepted.clone(), self.flags)?;
        if !self.addr.is_null() {
            naming::store(task, self.addr, self.addrlen, &naming::peer_bytes(&accepted))?;
        }
        let fd = task.files().insert(task, file, self.flags.cloexec)?;
        Ok(u64::from(fd.unsigned_abs()))
    }
}
