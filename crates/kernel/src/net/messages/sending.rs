//! A message on the way out.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::socket::MsgFlags;
use machine::GuestAddr;

use super::{Open, read_header};
use crate::error::{Because, Result};
use crate::fs::IoBuf;
use crate::mm::IoVec;
use crate::net::address::Given;
use crate::net::any::{AnySocket, To};
use crate::net::control::{self, Outgoing};
use crate::net::inet::InetSocket;
use crate::net::naming;
use crate::net::socket::{Kind, Phase, Socket};
use crate::net::wait::Attempt;
use crate::signal::{self, Info, InfoFields, Number};
use crate::task::Task;

/// One message.
pub(super) struct Sending {
    open: Open,
    ranges: Vec<IoVec>,
    to: To,
    outgoing: Outgoing,
    done: usize,
}

impl Sending {
    /// To an address and its length; no length for the peer. `control` is
    /// where control messages are, and their length.
    ///
    /// # Errors
    /// As `sendmsg`, for what is known before anything is sent.
    pub(super) fn new(
        task: &Arc<Task>,
        open: Open,
        ranges: Vec<IoVec>,
        to: (GuestAddr, u32),
        control: Option<(GuestAddr, u64)>,
    ) -> Result<Self> {
        let (addr, len) = control.unwrap_or((GuestAddr(0), 0));
        let (to, outgoing) = match &open.socket {
            AnySocket::Local(socket) => {
                let given = if to.1 == 0 { None } else { Some(naming::read(task, to.0, to.1)?) };
                let outgoing = control::read(socket.net(), task, addr, len)?;
                (local_destination(task, socket, given)?, outgoing)
            }
            // What control messages could say, options say too.
            AnySocket::Inet(socket) => (inet_destination(task, socket, to)?, Outgoing::plain(task)),
        };
        Ok(Self { open, ranges, to, outgoing, done: 0 })
    }

    /// The message that a header describes.
    ///
    /// # Errors
    /// As above.
    pub(super) fn read(task: &Arc<Task>, open: Open, addr: GuestAddr) -> Result<Self> {
        let (header, ranges) = read_header(task, addr)?;
        let len = if header.msg_name == 0 { 0 } else { header.msg_namelen };
        let len = u32::try_from(len).map_err(|_| Errno::EINVAL.because("the length is negative"))?;
        let to = (GuestAddr(header.msg_name), len);
        Self::new(task, open, ranges, to, Some((GuestAddr(header.msg_control), header.msg_controllen)))
    }

    /// A stream whose other end is gone also gives SIGPIPE.
    fn break_pipe(&self, task: &Arc<Task>) {
        if !self.open.socket.is_stream() || self.open.flags.contains(MsgFlags::MSG_NOSIGNAL) {
            return;
        }
        let fields = InfoFields::Kill { pid: task.process.pid, uid: task.creds().uid };
        let info = Info { signal: Number::SIGPIPE, errno: 0, code: Info::SI_USER, fields };
        if let Some(kernel) = task.kernel() {
            signal::send_to_task(&kernel, task, info);
        }
    }
}

/// Where a message of a local socket goes.
fn local_destination(task: &Arc<Task>, socket: &Arc<Socket>, given: Option<Given>) -> Result<To> {
    let to = match (socket.kind(), given) {
        (Kind::Stream, Some(_)) => {
            let is_connected = socket.state.lock().phase == Phase::Connected;
            let errno = if is_connected { Errno::EISCONN } else { Errno::EOPNOTSUPP };
            return Err(errno.because("a stream has one destination"));
        }
        (Kind::Datagram, Some(given)) => To::Local(naming::find(task, socket, &given.name()?)?),
        (Kind::Stream | Kind::SeqPacket, _) | (Kind::Datagram, None) => To::Peer,
    };
    if socket.kind() == Kind::Datagram {
        naming::name_for_credentials(socket)?;
    }
    Ok(to)
}

/// Where a message of an internet socket goes; a connection has one end.
fn inet_destination(task: &Task, socket: &InetSocket, (addr, len): (GuestAddr, u32)) -> Result<To> {
    if len == 0 || socket.is_stream() {
        return Ok(To::Peer);
    }
    let to = naming::read_inet(task, addr, len)?;
    to.map(To::Inet).ok_or(Errno::EINVAL.because("the address has no family"))
}

impl Attempt for Sending {
    fn attempt(&mut self, task: &Arc<Task>) -> Result<u64> {
        let mm = task.mm();
        loop {
            let mut buf = IoBuf::user_ranges(&mm, &self.ranges);
            buf.skip(self.done);
            let socket = &self.open.socket;
            match socket.send(&mut buf, self.outgoing.cred, &self.to, &mut self.outgoing.rights) {
                Ok(count) => {
                    self.done += count;
                    if !socket.is_stream() || count == 0 || buf.is_at_end() {
                        return Ok(self.done as u64);
                    }
                }
                Err(error) if error.errno == Errno::EAGAIN => return Err(error),
                Err(_) if self.done > 0 => return Ok(self.done as u64),
                Err(error) => {
                    if error.errno == Errno::EPIPE {
                        self.break_pipe(task);
                    }
                    return Err(error);
                }
            }
        }
    }

    fn so_far(&mut self, _task: &Arc<Task>) -> Option<Result<u64>> {
        (self.done > 0).then_some(Ok(self.done as u64))
    }
}
