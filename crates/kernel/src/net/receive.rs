//! Taking bytes and records out of a socket, without waiting.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddrV4;

use linux_abi::Errno;
use linux_abi::socket::Ucred;

use super::address::Address;
use super::buffer::{add_freed, wake};
use super::socket::{Kind, Phase, Shut, Socket};
use crate::error::{Because, Error, Result};
use crate::fs::{File, IoBuf};

/// What came along with the bytes.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// Do not go on with bytes of somebody else (`SO_PASSCRED`).
    pub(super) keeps_senders_apart: bool,
    /// Who sent it.
    pub(super) cred: Option<Ucred>,
    /// The name of the socket that sent it.
    pub(super) from: Option<Address>,
    /// The internet address that sent it.
    pub(super) sender: Option<SocketAddrV4>,
    /// Further control messages: level, type and bytes.
    pub(super) control: Vec<(u32, u32, Vec<u8>)>,
    /// Descriptors.
    pub(super) files: Vec<Arc<File>>,
    /// The length of the record, whether it fitted or not.
    pub(super) record_len: Option<usize>,
}

impl Socket {
    /// Receives what is there: bytes of a stream, or one record. With
    /// `is_peek` it stays there.
    ///
    /// # Errors
    /// `EAGAIN` if it would wait, `EINVAL` or `ENOTCONN` if it needs a
    /// connection, `ECONNRESET`, `EFAULT`.
    pub(super) fn receive(&self, buf: &mut IoBuf<'_>, is_peek: bool, got: &mut Received) -> Result<usize> {
        // Read before the inbox: what was sent before the end is then seen.
        let (phase, shut) = {
            let state = self.state.lock();
            (state.phase, state.shut)
        };
        match self.kind() {
            Kind::Stream if phase != Phase::Connected => {
                return Err(Errno::EINVAL.because("the socket is not connected"));
            }
            Kind::SeqPacket if phase != Phase::Connected => {
                return Err(Errno::ENOTCONN.because("the socket is not connected"));
            }
            _ => {}
        }
        let received = match self.kind() {
            Kind::Stream => self.receive_bytes(buf, is_peek, got)?,
            Kind::Datagram | Kind::SeqPacket => self.receive_record(buf, is_peek, got)?,
        };
        if let Some(count) = received {
            return Ok(count);
        }
        if let Some(errno) = self.take_error() {
            return Err(errno.because("the other end told of an error"));
        }
        if shut.contains(Shut::READ) {
            return Ok(0);
        }
        Err(Errno::EAGAIN.because("nothing has been sent"))
    }

    /// Bytes of a stream: across messages, up to one with descriptors. `None`
    /// if there are none.
    fn receive_bytes(&self, buf: &mut IoBuf<'_>, is_peek: bool, got: &mut Received) -> Result<Option<usize>> {
        let (mut freed, mut total, mut index) = (None, 0, 0);
        let mut rights = None;
        let mut failure = Ok(());
        let mut inbox = self.inbox.lock();
        if inbox.queue.is_empty() {
            return Ok(None);
        }
        while let Some(message) = inbox.queue.get_mut(index) {
            if got.keeps_senders_apart && got.cred.is_some_and(|cred| cred != message.cred) {
                break;
            }
            let available = message.rest().len();
            match buf.put(message.rest()) {
                Ok(count) => {
                    got.cred = Some(message.cred);
                    if got.from.is_none() {
                        got.from.clone_from(&message.from);
                    }
                    total += count;
                    let has_rights = message.rights.is_some();
                    if is_peek {
                        got.files.extend(message.rights.iter().flat_map(|rights| rights.files()).cloned());
                        index += 1;
                    } else {
                        rights = message.rights.take();
                        add_freed(&mut freed, message.consume(count));
                        if count == available {
                            inbox.queue.pop_front();
                        }
                        inbox.bytes = inbox.bytes.saturating_sub(count);
                    }
                    if has_rights || count < available || buf.is_at_end() {
                        break;
                    }
                }
                Err(error) => {
                    failure = Err(error);
                    break;
                }
            }
        }
        drop(inbox);
        drop(freed);
        if let Some(rights) = rights {
            got.files.extend(rights.receive());
        }
        if total == 0 {
            failure?;
        }
        Ok(Some(total))
    }

    /// One record; what does not fit is lost.
    fn receive_record(&self, buf: &mut IoBuf<'_>, is_peek: bool, got: &mut Received) -> Result<Option<usize>> {
        let mut inbox = self.inbox.lock();
        let Some(message) = inbox.queue.front() else { return Ok(None) };
        let count = match message.rest() {
            [] => 0,
            bytes => buf.put(bytes)?,
        };
        got.record_len = Some(message.rest().len());
        got.cred = Some(message.cred);
        got.from.clone_from(&message.from);
        if is_peek {
            got.files.extend(message.rights.iter().flat_map(|rights| rights.files()).cloned());
            return Ok(Some(count));
        }
        let message = inbox.pop();
        let blocked = inbox.take_blocked();
        drop(inbox);
        wake(&blocked);
        if let Some(rights) = message.and_then(|mut message| message.rights.take()) {
            got.files.extend(rights.receive());
        }
        Ok(Some(count))
    }

    /// Takes the next connection that waits to be accepted.
    ///
    /// # Errors
    /// `EAGAIN` if there is none, `EINVAL` if the socket does not listen,
    /// `EOPNOTSUPP` if it cannot.
    pub(super) fn take_connection(&self) -> Result<Arc<Self>> {
        if !self.kind().connects() {
            return Err(Errno::EOPNOTSUPP.because("the socket takes no connections"));
        }
        let shut = self.state.lock().shut;
        let mut backlog = self.backlog.lock();
        let waiting = backlog.as_mut().ok_or(Error::from(Errno::EINVAL))?;
        let was_full = waiting.pending.len() > waiting.limit;
        let next = waiting.pending.pop_front();
        drop(backlog);
        match next {
            Some(socket) => {
                if was_full {
                    self.queue().wake_all();
                }
                Ok(socket)
            }
            None if shut.contains(Shut::READ) => Err(Errno::EINVAL.because("the socket is shut down")),
            None => Err(Errno::EAGAIN.because("nobody has connected")),
        }
    }
}
