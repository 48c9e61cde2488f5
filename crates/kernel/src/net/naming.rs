//! `bind`, `listen`, `connect`, and asking for names.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddrV4;

use linux_abi::Errno;
use linux_abi::fcntl::AT_FDCWD;
use linux_abi::socket::{SOMAXCONN, Ucred};
use machine::GuestAddr;

use super::address::{self, Address, Given, Key};
use super::any::AnySocket;
use super::inet::{self, InetSocket};
use super::socket::{Backlog, Binding, Kind, Phase, Shut, Socket};
use super::wait::{Attempt, Patience, run};
use super::{peer_cred_of, socket_of};
use crate::error::{Because, Error, Result};
use crate::fs::{Caller, File, FileType, NewKind, Path, WalkFlags};
use crate::syscall::{Cx, Outcome};
use crate::task::Task;

/// The most bytes that an address may have (`struct sockaddr_storage`).
const MAX_LEN: u32 = 128;

/// Reads an address that a program gives.
///
/// # Errors
/// `EFAULT`, `EINVAL`.
pub(super) fn read(task: &Task, addr: GuestAddr, len: u32) -> Result<Given> {
    Given::parse(&read_bytes(task, addr, len)?)
}

/// Reads the bytes of an address of any family.
fn read_bytes(task: &Task, addr: GuestAddr, len: u32) -> Result<Vec<u8>> {
    if len > MAX_LEN {
        return Err(Errno::EINVAL.because("the address is too long"));
    }
    task.mm().read_vec(addr, len as usize)
}

/// Reads an internet address that a program gives; `None` for `AF_UNSPEC`.
///
/// # Errors
/// `EFAULT`, `EINVAL`, `EAFNOSUPPORT`.
pub(super) fn read_inet(task: &Task, addr: GuestAddr, len: u32) -> Result<Option<SocketAddrV4>> {
    inet::parse_address(&read_bytes(task, addr, len)?)
}

/// Stores an address where there is room for as much as `addrlen` points to,
/// and stores its length there.
///
/// # Errors
/// `EFAULT`, `EINVAL` for a negative length.
pub(super) fn store(task: &Task, addr: GuestAddr, addrlen: GuestAddr, bytes: &[u8]) -> Result<()> {
    let room = task.mm().read_abi::<i32>(addrlen)?;
    let room = usize::try_from(room).map_err(|_| Errno::EINVAL.because("the length is negative"))?;
    task.mm().write(addr, bytes.get(..room.min(bytes.len())).unwrap_or_default())?;
    task.mm().write_u32(addrlen, u32::try_from(bytes.len()).unwrap_or(u32::MAX))
}

fn caller_of(task: &Arc<Task>) -> Result<Caller> {
    let kernel = task.kernel().ok_or(Error::from(Errno::ENODEV))?;
    Ok(Caller::of(&kernel, task))
}

fn key_of(path: &Path) -> Result<Key> {
    let attr = path.inode().attr()?;
    Ok(Key::File(attr.dev, attr.ino))
}

pub(super) fn bind(cx: &mut Cx<'_>, fd: i32, addr: GuestAddr, len: u32) -> Result<()> {
    let socket = match socket_of(cx, fd)?.1 {
        AnySocket::Local(socket) => socket,
        AnySocket::Inet(socket) => {
            let to = read_inet(cx.task, addr, len)?;
            return socket.bind(cx.task, to);
        }
    };
    let given = read(cx.task, addr, len)?;
    let _naming = socket.naming.lock();
    if given == Given::Any {
        return bind_any(&socket);
    }
    let name = given.name()?;
    if socket.state.lock().name.is_some() {
        return Err(Errno::EINVAL.because("the socket has a name"));
    }
    let (key, path) = match &name {
        Address::Abstract(bytes) => (Key::Abstract(socket.kind(), bytes.clone()), None),
        Address::Path(text) => {
            let made = cx.kernel.vfs().make(&caller_of(cx.task)?, AT_FDCWD, text, NewKind::Socket, 0o777);
            let path = made.map_err(|error| match error.errno {
                Errno::EEXIST => Errno::EADDRINUSE.because("the path exists"),
                _ => error,
            })?;
            (key_of(&path)?, Some(path))
        }
    };
    cx.kernel.net().names.insert(&key, &socket)?;
    set_name(&socket, name, key, path);
    Ok(())
}

/// Gives a socket without a name one that is free. The caller holds
/// [`Socket::naming`].
fn bind_any(socket: &Arc<Socket>) -> Result<()> {
    if socket.state.lock().name.is_some() {
        return Ok(());
    }
    let (key, name) = socket.net().names.insert_any(socket)?;
    set_name(socket, name, key, None);
    Ok(())
}

/// Whoever passes credentials can be answered: it gets a name if it has none.
///
/// # Errors
/// `ENOSPC`.
pub(super) fn name_for_credentials(socket: &Arc<Socket>) -> Result<()> {
    let needs_name = {
        let state = socket.state.lock();
        state.passes_cred && state.name.is_none()
    };
    if !needs_name {
        return Ok(());
    }
    let _naming = socket.naming.lock();
    bind_any(socket)
}

fn set_name(socket: &Socket, name: Address, key: Key, path: Option<Path>) {
    let mut state = socket.state.lock();
    state.name = Some(name);
    state.binding = Some(Binding { key, path });
}

pub(super) fn listen(cx: &mut Cx<'_>, fd: i32, backlog: u32) -> Result<()> {
    let socket = match socket_of(cx, fd)?.1 {
        AnySocket::Local(socket) => socket,
        AnySocket::Inet(socket) => return socket.listen(backlog),
    };
    if !socket.kind().connects() {
        return Err(Errno::EOPNOTSUPP.because("the socket takes no connections"));
    }
    let limit = backlog.min(SOMAXCONN) as usize;
    let cred = peer_cred_of(cx.task);
    let mut state = socket.state.lock();
    if state.name.is_none() || state.phase == Phase::Connected {
        return Err(Errno::EINVAL.because("the socket has no name, or is connected"));
    }
    state.phase = Phase::Listening;
    state.peer_cred = Some(cred);
    let mut waiting = socket.backlog.lock();
    match waiting.as_mut() {
        Some(waiting) => (waiting.limit, waiting.cred) = (limit, cred),
        None => *waiting = Some(Backlog { limit, pending: VecDeque::new(), cred }),
    }
    drop(waiting);
    drop(state);
    socket.queue().wake_all();
    Ok(())
}

/// The socket that an address names.
///
/// # Errors
/// `ECONNREFUSED` if nobody serves it, `EPROTOTYPE` if it is of another kind,
/// and those of a path walk.
pub(super) fn find(task: &Arc<Task>, socket: &Socket, name: &Address) -> Result<Arc<Socket>> {
    let refused = || Errno::ECONNREFUSED.because("no socket serves that name");
    let found = match name {
        Address::Abstract(bytes) => socket.net().names.get(&Key::Abstract(socket.kind(), bytes.clone())),
        Address::Path(text) => {
            let caller = caller_of(task)?;
            let path = caller.kernel.vfs().resolve(&caller, AT_FDCWD, text, WalkFlags::FOLLOW)?;
            let attr = path.inode().attr()?;
            attr.check_access(&caller.creds, 2)?;
            if path.inode().kind() != FileType::Socket {
                return Err(refused());
            }
            socket.net().names.get(&key_of(&path)?)
        }
    };
    let found = found.ok_or_else(refused)?;
    if found.kind() != socket.kind() {
        return Err(Errno::EPROTOTYPE.because("the other socket is of another type"));
    }
    Ok(found)
}

pub(super) fn connect(cx: &mut Cx<'_>, fd: i32, addr: GuestAddr, len: u32) -> Result<Outcome> {
    let (file, socket) = match socket_of(cx, fd)? {
        (file, AnySocket::Local(socket)) => (file, socket),
        (file, AnySocket::Inet(socket)) => return connect_inet(cx, file, socket, addr, len),
    };
    let given = read(cx.task, addr, len)?;
    if socket.kind() == Kind::Datagram {
        let peer = match given {
            Given::Unspecified => None,
            given => Some(find(cx.task, &socket, &given.name()?)?),
        };
        return connect_datagrams(&socket, peer).map(|()| Outcome::Done(Ok(0)));
    }
    let name = given.name()?;
    name_for_credentials(&socket)?;
    let timeout_ns = socket.state.lock().send_timeout_ns;
    let patience = Patience { may_wait: !file.is_nonblocking(), timeout_ns };
    // Only a full backlog makes it wait; the listener tells when it is not.
    let queue = find(cx.task, &socket, &name)?.queue().clone();
    Ok(run(cx, patience, &queue, Connecting { _file: file, socket, name }))
}

fn connect_inet(
    cx: &mut Cx<'_>,
    file: Arc<File>,
    socket: Arc<InetSocket>,
    addr: GuestAddr,
    len: u32,
) -> Result<Outcome> {
    let to = read_inet(cx.task, addr, len)?;
    if !socket.is_stream() {
        return socket.connect_datagrams(to).map(|()| Outcome::Done(Ok(0)));
    }
    let Some(to) = to else {
        socket.disconnect();
        return Ok(Outcome::Done(Ok(0)));
    };
    let patience = Patience { may_wait: !file.is_nonblocking(), timeout_ns: socket.timeouts().1 };
    let queue = socket.queue().clone();
    let call = ConnectingInet { _file: file, socket, to, has_begun: false, is_repeated: false };
    Ok(run(cx, patience, &queue, call))
}

struct ConnectingInet {
    /// Keeps the socket open while the call waits.
    _file: Arc<File>,
    socket: Arc<InetSocket>,
    to: SocketAddrV4,
    has_begun: bool,
    /// An earlier call began it.
    is_repeated: bool,
}

impl Attempt for ConnectingInet {
    fn attempt(&mut self, _task: &Arc<Task>) -> Result<u64> {
        self.socket.connect_stream(self.to, &mut self.has_begun, &mut self.is_repeated).map(|()| 0)
    }

    fn late(&self) -> Option<Error> {
        let errno = if self.is_repeated { Errno::EALREADY } else { Errno::EINPROGRESS };
        Some(errno.because("the connection is being made"))
    }
}

fn connect_datagrams(socket: &Arc<Socket>, peer: Option<Arc<Socket>>) -> Result<()> {
    if peer.is_some() {
        name_for_credentials(socket)?;
    }
    if let Some(peer) = &peer {
        let is_own = Arc::ptr_eq(peer, socket);
        let back = if is_own { None } else { peer.state.lock().peer.clone() };
        if back.is_some_and(|back| !Arc::ptr_eq(&back, socket)) {
            return Err(Errno::EPERM.because("the socket is connected to another"));
        }
    }
    let old = {
        let mut state = socket.state.lock();
        state.phase = if peer.is_some() { Phase::Connected } else { Phase::Idle };
        core::mem::replace(&mut state.peer, peer)
    };
    drop(old);
    socket.queue().wake_all();
    Ok(())
}

struct Connecting {
    /// Keeps the socket open while the call waits.
    _file: Arc<File>,
    socket: Arc<Socket>,
    name: Address,
}

impl Attempt for Connecting {
    fn attempt(&mut self, task: &Arc<Task>) -> Result<u64> {
        let listener = find(task, &self.socket, &self.name)?;
        join_backlog(&self.socket, &listener, peer_cred_of(task)).map(|()| 0)
    }
}

/// Connects `socket` to a new one that waits at `listener` to be accepted; `cred` is who connects.
///
/// # Errors
/// `ECONNREFUSED` if it does not listen, `EAGAIN` if too many wait already, `EINVAL` or `EISCONN` if `socket` is not
/// new.
pub(super) fn join_backlog(socket: &Arc<Socket>, listener: &Arc<Socket>, cred: Ucred) -> Result<()> {
    let refused = || Errno::ECONNREFUSED.because("the other socket does not listen");
    if Arc::ptr_eq(listener, socket) || listener.state.lock().shut.contains(Shut::READ) {
        return Err(refused());
    }
    let server = Socket::new(socket.net(), socket.kind());
    server.state.lock().name = listener.name();
    // Nobody else sees the new socket yet; if it is not kept it goes.
    server.join(socket, cred);
    let mut state = socket.state.lock();
    match state.phase {
        Phase::Idle => {}
        Phase::Listening => return Err(Errno::EINVAL.because("the socket listens")),
        Phase::Connected => return Err(Errno::EISCONN.because("the socket is connected")),
    }
    let mut backlog = listener.backlog.lock();
    let waiting = backlog.as_mut().ok_or_else(refused)?;
    if waiting.pending.len() > waiting.limit {
        return Err(Errno::EAGAIN.because("too many connections wait to be accepted"));
    }
    state.phase = Phase::Connected;
    state.peer = Some(server.clone());
    state.peer_cred = Some(waiting.cred);
    waiting.pending.push_back(server);
    drop(backlog);
    drop(state);
    listener.queue().wake_all();
    socket.queue().wake_all();
    Ok(())
}

pub(super) fn getsockname(cx: &mut Cx<'_>, fd: i32, addr: GuestAddr, len: GuestAddr) -> Result<()> {
    let bytes = match socket_of(cx, fd)?.1 {
        AnySocket::Local(socket) => address::to_bytes(socket.name().as_ref()),
        AnySocket::Inet(socket) => inet::address_bytes(socket.name()).to_vec(),
    };
    store(cx.task, addr, len, &bytes)
}

pub(super) fn getpeername(cx: &mut Cx<'_>, fd: i32, addr: GuestAddr, len: GuestAddr) -> Result<()> {
    let bytes = match socket_of(cx, fd)?.1 {
        AnySocket::Local(socket) => {
            let peer = socket.state.lock().peer.clone();
            let peer = peer.ok_or(Errno::ENOTCONN.because("the socket is not connected"))?;
            address::to_bytes(peer.name().as_ref())
        }
        AnySocket::Inet(socket) => inet::address_bytes(socket.peer_name()?).to_vec(),
    };
    store(cx.task, addr, len, &bytes)
}

/// The address of the other end, as `accept` tells it.
pub(super) fn peer_bytes(socket: &AnySocket) -> Vec<u8> {
    match socket {
        AnySocket::Local(socket) => {
            let peer = socket.state.lock().peer.clone();
            address::to_bytes(peer.and_then(|peer| peer.name()).as_ref())
        }
        AnySocket::Inet(socket) => inet::address_bytes(socket.remote()).to_vec(),
    }
}
