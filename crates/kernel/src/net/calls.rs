//! Making sockets, accepting connections and shutting them down.

use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::fcntl::OpenFlags;
use linux_abi::socket::{
    AF_UNIX, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM, SOCK_TYPE_MASK,
};
use machine::GuestAddr;

use super::socket::{Kind, Shut, Socket, SocketFile};
use super::wait::{Attempt, Patience, run};
use super::{address, naming, peer_cred_of, socket_of};
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

/// The meaning of the first three arguments of `socket`.
fn parse_kind(family: u32, kind: u32, protocol: u32) -> Result<(Kind, NewFlags)> {
    let flags = NewFlags::parse(kind & !SOCK_TYPE_MASK)?;
    if family != u32::from(AF_UNIX) {
        return Err(Errno::EAFNOSUPPORT.because("only local sockets are supported"));
    }
    if protocol != 0 && protocol != u32::from(AF_UNIX) {
        return Err(Errno::EPROTONOSUPPORT.because("local sockets have no protocols"));
    }
    let kind = match kind & SOCK_TYPE_MASK {
        SOCK_STREAM => Kind::Stream,
        // Linux takes raw local sockets for datagram sockets.
        SOCK_DGRAM | SOCK_RAW => Kind::Datagram,
        SOCK_SEQPACKET => Kind::SeqPacket,
        _ => return Err(Errno::ESOCKTNOSUPPORT.because("no such type of local socket")),
    };
    Ok((kind, flags))
}

/// Opens a socket. It is closed if no descriptor can be had for it.
fn open(task: &Arc<Task>, socket: Arc<Socket>, flags: NewFlags) -> Result<Arc<File>> {
    let Some(kernel) = task.kernel() else {
        socket.close();
        return Err(Errno::ENODEV.because("the kernel is being torn down"));
    };
    let mut open_flags = OpenFlags::O_RDWR;
    open_flags.set(OpenFlags::O_NONBLOCK, flags.nonblock);
    let creds = task.creds();
    let path = kernel.vfs().socket_path(creds.fsuid, creds.fsgid);
    Ok(File::new(&kernel, path, SocketFile::new(socket), open_flags))
}

pub(super) fn socket(cx: &mut Cx<'_>, family: u32, kind: u32, protocol: u32) -> Result<i32> {
    let (kind, flags) = parse_kind(family, kind, protocol)?;
    let file = open(cx.task, Socket::new(cx.kernel.net(), kind), flags)?;
    cx.task.files().insert(cx.task, file, flags.cloexec)
}

pub(super) fn socketpair(cx: &mut Cx<'_>, family: u32, kind: u32, protocol: u32, fds: GuestAddr) -> Result<()> {
    let (kind, flags) = parse_kind(family, kind, protocol)?;
    let (one, other) = (Socket::new(cx.kernel.net(), kind), Socket::new(cx.kernel.net(), kind));
    let cred = peer_cred_of(cx.task);
    // Once they are joined each needs a file that closes it.
    let (first, second) = (open(cx.task, one.clone(), flags)?, open(cx.task, other.clone(), flags)?);
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
    socket.shut_down(Shut::from_how(how)?);
    Ok(())
}

pub(super) fn accept(cx: &mut Cx<'_>, fd: i32, addr: GuestAddr, addrlen: GuestAddr) -> Result<Outcome> {
    accept4(cx, fd, addr, addrlen, 0)
}

pub(super) fn accept4(cx: &mut Cx<'_>, fd: i32, addr: GuestAddr, addrlen: GuestAddr, flags: u32) -> Result<Outcome> {
    let flags = NewFlags::parse(flags)?;
    let (file, socket) = socket_of(cx, fd)?;
    let timeout_ns = socket.state.lock().receive_timeout_ns;
    let patience = Patience { may_wait: !file.is_nonblocking(), timeout_ns };
    let queue = socket.queue().clone();
    Ok(run(cx, patience, &queue, Accepting { _file: file, socket, flags, addr, addrlen }))
}

struct Accepting {
    /// Keeps the socket open while the call waits.
    _file: Arc<File>,
    socket: Arc<Socket>,
    flags: NewFlags,
    addr: GuestAddr,
    addrlen: GuestAddr,
}

impl Attempt for Accepting {
    fn attempt(&mut self, task: &Arc<Task>) -> Result<u64> {
        let accepted = self.socket.take_connection()?;
        // From here on the file closes the connection if anything fails.
        let file = open(task, accepted.clone(), self.flags)?;
        if !self.addr.is_null() {
            let peer = accepted.state.lock().peer.clone();
            let name = peer.and_then(|peer| peer.name());
            naming::store(task, self.addr, self.addrlen, &address::to_bytes(name.as_ref()))?;
        }
        let fd = task.files().insert(task, file, self.flags.cloexec)?;
        Ok(u64::from(fd.unsigned_abs()))
    }
}
