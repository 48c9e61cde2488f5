//! An internet socket as a program has it: [`InetSocket`], and what it is as
//! an open file ([`InetFile`]).

use alloc::sync::Arc;
use core::fmt;
use core::net::SocketAddrV4;

use linux_abi::Errno;
use linux_abi::ioctl::{FIONREAD, SIOCATMARK, TIOCOUTQ};
use linux_abi::poll::PollEvents;
use linux_abi::socket::{
    IPPROTO_ICMP, IPPROTO_IP, IPPROTO_RAW, IPPROTO_TCP, IPPROTO_UDP, MsgFlags, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM,
    SOMAXCONN,
};
use machine::GuestAddr;

use super::Inet;
use super::datagram::Kind as DatagramKind;
use super::options::Flags;
use super::sock::{Id, NOWHERE};
use crate::error::{Because, Result};
use crate::fs::{File, FileOps, IoBuf};
use crate::net::receive::Received;
use crate::net::socket::Shut;
use crate::sched::WaitQueue;
use crate::syscall::{Cx, Outcome};
use crate::task::Task;

/// The longest datagram that any protocol takes.
const MAX_DATAGRAM: usize = 65535;
/// The first port that everybody may bind.
const FIRST_FREE_PORT: u16 = 1024;

/// An internet socket.
pub(in crate::net) struct InetSocket {
    pub(super) inet: Arc<Inet>,
    pub(super) id: Id,
    queue: WaitQueue,
    /// As `SO_TYPE`.
    pub(super) kind: u32,
    pub(super) protocol: u32,
}

impl fmt::Debug for InetSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InetSocket({}, type {}, protocol {})", self.id, self.kind, self.protocol)
    }
}

/// Makes a socket.
///
/// # Errors
/// `EPROTONOSUPPORT`, `ESOCKTNOSUPPORT`, `EPERM` if `task` may not have it.
pub(in crate::net) fn open(inet: &Arc<Inet>, task: &Task, kind: u32, protocol: u32) -> Result<Arc<InetSocket>> {
    let wrong = || Errno::EPROTONOSUPPORT.because("the type has no such protocol");
    let creds = task.creds();
    let (datagrams, protocol) = match (kind, protocol) {
        (SOCK_STREAM, IPPROTO_IP | IPPROTO_TCP) => (None, IPPROTO_TCP),
        (SOCK_DGRAM, IPPROTO_IP | IPPROTO_UDP) => (Some(DatagramKind::Udp), IPPROTO_UDP),
        (SOCK_DGRAM, IPPROTO_ICMP) => (Some(DatagramKind::Echo), IPPROTO_ICMP),
        (SOCK_RAW, 1..=IPPROTO_RAW) => {
            if !creds.is_privileged() {
                return Err(Errno::EPERM.because("raw sockets are for the superuser"));
            }
            let number = u8::try_from(protocol).map_err(|_| wrong())?;
            (Some(DatagramKind::Raw(number)), protocol)
        }
        (SOCK_STREAM | SOCK_DGRAM | SOCK_RAW, _) => return Err(wrong()),
        _ => return Err(Errno::ESOCKTNOSUPPORT.because("no such type of internet socket")),
    };
    let id = inet.look(|stack| match datagrams {
        None => stack.new_stream(creds.euid),
        Some(kind) => stack.new_datagrams(kind, creds.euid),
    });
    InetSocket::of(inet, id, kind, protocol)
}

impl InetSocket {
    fn of(inet: &Arc<Inet>, id: Id, kind: u32, protocol: u32) -> Result<Arc<Self>> {
        let queue = inet.look(|stack| stack.socks.get(&id).map(|sock| sock.queue.clone()));
        let queue = queue.ok_or(Errno::EBADF.because("the socket is closed"))?;
        Ok(Arc::new(Self { inet: inet.clone(), id, queue, kind, protocol }))
    }

    /// Woken whenever its readiness may have changed.
    pub(in crate::net) fn queue(&self) -> &WaitQueue {
        &self.queue
    }

    /// True if it carries bytes over a connection.
    pub(in crate::net) fn is_stream(&self) -> bool {
        self.kind == SOCK_STREAM
    }

    /// How long receiving, and sending, may wait.
    pub(in crate::net) fn timeouts(&self) -> (Option<u64>, Option<u64>) {
        let options = |stack: &mut super::stack::Stack| {
            let options = &stack.socks.get(&self.id)?.options;
            Some((options.receive_timeout_ns, options.send_timeout_ns))
        };
        self.inet.look(options).unwrap_or_default()
    }

    /// Gives it an address.
    ///
    /// # Errors
    /// As `bind`.
    pub(in crate::net) fn bind(&self, task: &Task, to: Option<SocketAddrV4>) -> Result<()> {
        // A family of zero was once taken for this one, if nothing else is set.
        let to = to.unwrap_or(NOWHERE);
        let is_privileged = task.creds().is_privileged();
        self.inet.with(|stack| {
            let sock = stack.socks.get(&self.id).ok_or(Errno::EBADF.because("the socket is closed"))?;
            let (has_port, is_stream, space) = (sock.has_port, sock.stream().is_some(), sock.space());
            let is_bound = has_port || sock.keeps_addr || sock.remote.is_some();
            let addr = *to.ip();
            let is_group = stack.is_broadcast(addr) || addr.is_multicast();
            if !(addr.is_unspecified() || stack.is_local(addr) || is_group && !is_stream) {
                return Err(Errno::EADDRNOTAVAIL.because("no interface has that address"));
            }
            let needs_right = space == Some(super::ports::Space::Tcp) || space == Some(super::ports::Space::Udp);
            if needs_right && (1..FIRST_FREE_PORT).contains(&to.port()) && !is_privileged {
                return Err(Errno::EACCES.because("the port is for the superuser"));
            }
            if is_bound && space.is_some() {
                return Err(Errno::EINVAL.because("the socket has an address"));
            }
            let port = match space {
                Some(space) => stack.bind_port(space, self.id, addr, to.port())?,
                None => 0,
            };
            if let Some(sock) = stack.socks.get_mut(&self.id) {
                sock.local = SocketAddrV4::new(addr, port);
                sock.has_port = space.is_some();
                sock.keeps_addr = !addr.is_unspecified();
                sock.keeps_port = to.port() != 0;
            }
            Ok(())
        })
    }

    /// Lets it take connections.
    ///
    /// # Errors
    /// As `listen`.
    pub(in crate::net) fn listen(&self, backlog: u32) -> Result<()> {
        if !self.is_stream() {
            return Err(Errno::EOPNOTSUPP.because("the socket takes no connections"));
        }
        let limit = usize::try_from(backlog.min(SOMAXCONN)).unwrap_or(0);
        self.inet.with(|stack| stack.listen(self.id, limit))
    }

    /// Connects a socket without connections; no address takes it back.
    ///
    /// # Errors
    /// As `connect`.
    pub(in crate::net) fn connect_datagrams(&self, to: Option<SocketAddrV4>) -> Result<()> {
        self.inet.with(|stack| stack.connect_datagrams(self.id, to))
    }

    /// Begins to connect, or goes on; see [`super::stack::Stack`].
    ///
    /// # Errors
    /// `EAGAIN` while it is under way, else as `connect`.
    pub(in crate::net) fn connect_stream(
        &self,
        to: SocketAddrV4,
        has_begun: &mut bool,
        is_repeated: &mut bool,
    ) -> Result<()> {
        self.inet.with(|stack| stack.connect_stream(self.id, to, has_begun, is_repeated))
    }

    /// Ends a connection, so that another can be made.
    pub(in crate::net) fn disconnect(&self) {
        self.inet.with(|stack| stack.disconnect(self.id));
    }

    /// Takes the next connection that waits to be accepted.
    ///
    /// # Errors
    /// As `accept`; `EAGAIN` if there is none.
    pub(in crate::net) fn accept(&self) -> Result<Arc<Self>> {
        if !self.is_stream() {
            return Err(Errno::EOPNOTSUPP.because("the socket takes no connections"));
        }
        let id = self.inet.with(|stack| stack.accept(self.id))?;
        Self::of(&self.inet, id, self.kind, self.protocol)
    }

    /// Its own address.
    pub(in crate::net) fn name(&self) -> SocketAddrV4 {
        self.inet.look(|stack| stack.socks.get(&self.id).map_or(NOWHERE, |sock| sock.local))
    }

    /// The address at the other end, also after the connection has ended.
    pub(in crate::net) fn remote(&self) -> SocketAddrV4 {
        self.inet.look(|stack| stack.socks.get(&self.id).and_then(|sock| sock.remote)).unwrap_or(NOWHERE)
    }

    /// The address at the other end.
    ///
    /// # Errors
    /// `ENOTCONN`.
    pub(in crate::net) fn peer_name(&self) -> Result<SocketAddrV4> {
        let peer = self.inet.look(|stack| {
            let sock = stack.socks.get(&self.id)?;
            let is_connected = sock.stream().is_none_or(|stream| stream.stage == super::tcp::Stage::Connected);
            let is_over = sock.stream().is_some_and(super::tcp::Stream::is_over);
            sock.remote.filter(|_| is_connected && !is_over)
        });
        peer.ok_or(Errno::ENOTCONN.because("the socket is not connected"))
    }

    /// Shuts directions.
    ///
    /// # Errors
    /// `ENOTCONN`.
    pub(in crate::net) fn shut_down(&self, how: Shut) -> Result<()> {
        self.inet.with(|stack| {
            if self.is_stream() {
                return stack.shut_down_stream(self.id, how);
            }
            let sock = stack.socks.get_mut(&self.id).ok_or(Errno::EBADF.because("the socket is closed"))?;
            sock.shut |= how;
            let (queue, is_connected) = (sock.queue.clone(), sock.remote.is_some());
            stack.wake(&queue);
            if is_connected { Ok(()) } else { Err(Errno::ENOTCONN.because("the socket is not connected")) }
        })
    }

    /// Sends bytes, or one datagram.
    ///
    /// # Errors
    /// `EAGAIN` if it would wait, else as `sendto`.
    pub(in crate::net) fn send(&self, buf: &mut IoBuf<'_>, to: Option<SocketAddrV4>) -> Result<usize> {
        if self.is_stream() {
            return self.inet.with(|stack| stack.send_stream(self.id, buf));
        }
        if buf.left() > MAX_DATAGRAM {
            return Err(Errno::EMSGSIZE.because("the datagram is too long"));
        }
        let bytes = buf.take_all()?;
        self.inet.with(|stack| stack.send_datagram(self.id, &bytes, to))
    }

    /// Receives bytes, or one datagram.
    ///
    /// # Errors
    /// `EAGAIN` if it would wait, else as `recvfrom`.
    pub(in crate::net) fn receive(&self, buf: &mut IoBuf<'_>, flags: MsgFlags, got: &mut Received) -> Result<usize> {
        if flags.contains(MsgFlags::MSG_ERRQUEUE) {
            return Err(Errno::EAGAIN.because("no queue of errors is kept"));
        }
        if self.is_stream() {
            return self.inet.with(|stack| stack.receive_stream(self.id, buf, flags));
        }
        let taken = self.inet.with(|stack| {
            let sock = stack.socks.get_mut(&self.id).ok_or(Errno::EBADF.because("the socket is closed"))?;
            let (error, is_shut) = (sock.error.take(), sock.shut.contains(Shut::READ));
            if let Some(errno) = error {
                return Err(errno.because("an earlier packet did not arrive"));
            }
            let options = sock.options.flags;
            let is_peek = flags.contains(MsgFlags::MSG_PEEK);
            match sock.datagrams_mut().and_then(|datagrams| datagrams.take(is_peek)) {
                Some(datagram) => Ok(Some((datagram, options))),
                None if is_shut => Ok(None),
                None => Err(Errno::EAGAIN.because("nothing has been received")),
            }
        })?;
        let Some((datagram, options)) = taken else { return Ok(0) };
        let count = if datagram.bytes.is_empty() || buf.is_at_end() { 0 } else { buf.put(&datagram.bytes)? };
        got.record_len = Some(datagram.bytes.len());
        got.sender = Some(datagram.from);
        report(&datagram, options, got);
        Ok(count)
    }

    pub(super) fn poll(&self) -> PollEvents {
        self.inet.look(|stack| match stack.socks.get(&self.id) {
            None => PollEvents::POLLNVAL,
            Some(sock) if sock.stream().is_some() => stack.poll_stream(sock),
            Some(sock) => stack.poll_datagrams(sock),
        })
    }

    /// Ends it.
    pub(in crate::net) fn close(&self) {
        self.inet.with(|stack| {
            if self.is_stream() {
                stack.close_stream(self.id);
            } else {
                stack.close_datagrams(self.id);
            }
        });
        self.queue.wake_all();
    }

    fn pending(&self) -> Result<usize> {
        self.inet.look(|stack| {
            let sock = stack.socks.get(&self.id).ok_or(Errno::EBADF.because("the socket is closed"))?;
            if sock.is_listening() {
                return Err(Errno::EINVAL.because("it listens, and has nothing to read"));
            }
            let first = sock.datagrams().map(|datagrams| datagrams.inbox.front().map_or(0, |first| first.bytes.len()));
            Ok(first.or_else(|| sock.stream().map(super::tcp::Stream::unread)).unwrap_or(0))
        })
    }
}

/// What control messages tell of a datagram, if they were asked for.
fn report(datagram: &super::datagram::Datagram, options: Flags, got: &mut Received) {
    use linux_abi::socket::{IP_PKTINFO, IP_TOS, IP_TTL};
    if options.contains(Flags::PACKET_INFO) {
        let index = i32::try_from(datagram.link + 1).unwrap_or(0);
        let mut info = index.to_le_bytes().to_vec();
        info.extend(datagram.to.octets());
        info.extend(datagram.to.octets());
        got.control.push((IPPROTO_IP, IP_PKTINFO, info));
    }
    if options.contains(Flags::RECEIVE_TTL) {
        got.control.push((IPPROTO_IP, IP_TTL, i32::from(datagram.ttl).to_le_bytes().to_vec()));
    }
    if options.contains(Flags::RECEIVE_TOS) {
        got.control.push((IPPROTO_IP, IP_TOS, alloc::vec![datagram.tos]));
    }
}

/// An open internet socket.
#[derive(Debug)]
pub(in crate::net) struct InetFile(Arc<InetSocket>);

impl InetFile {
    pub(in crate::net) fn new(socket: Arc<InetSocket>) -> Arc<Self> {
        Arc::new(Self(socket))
    }

    /// The socket.
    pub(in crate::net) fn socket(&self) -> &Arc<InetSocket> {
        &self.0
    }
}

impl FileOps for InetFile {
    fn read(&self, _file: &File, _task: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        if buf.is_at_end() {
            return Ok(0);
        }
        self.0.receive(buf, MsgFlags::empty(), &mut Received::default())
    }

    fn read_deadline(&self, _file: &File, since_ns: u64) -> Option<u64> {
        self.0.timeouts().0.map(|timeout| since_ns.saturating_add(timeout))
    }

    fn read_late(&self, _file: &File, _buf: &mut IoBuf<'_>) -> Result<usize> {
        Err(Errno::EAGAIN.because("the time limit of the socket is over"))
    }

    fn write(&self, _file: &File, _task: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        self.0.send(buf, None)
    }

    fn writes_all(&self) -> bool {
        self.0.is_stream()
    }

    fn ioctl(&self, _file: &Arc<File>, cx: &mut Cx<'_>, command: u32, arg: GuestAddr) -> Outcome {
        let value = match command {
            FIONREAD => self.0.pending(),
            TIOCOUTQ => Ok(self.0.inet.look(|stack| stack.unsent(self.0.id))),
            // There are no urgent data that a reader could have come to.
            SIOCATMARK if self.0.is_stream() => Ok(0),
            _ => return Outcome::Done(super::ioctl::interface(cx, &self.0.inet, command, arg).map(|()| 0)),
        };
        let stored = value.and_then(|value| cx.task.mm().write_u32(arg, u32::try_from(value).unwrap_or(u32::MAX)));
        Outcome::Done(stored.map(|()| 0))
    }

    fn poll(&self, _file: &File) -> PollEvents {
        self.0.poll()
    }

    fn wait_queue(&self) -> Option<WaitQueue> {
        Some(self.0.queue.clone())
    }

    fn release(&self, _file: &File) {
        self.0.close();
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}
