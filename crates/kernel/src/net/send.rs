//! Putting bytes and records into the inbox of another socket, without
//! waiting.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::socket::Ucred;

use super::buffer::{Charge, Message};
use super::rights::Rights;
use super::socket::{Kind, Phase, Shut, Socket};
use crate::error::{Because, Result};
use crate::fs::IoBuf;

/// The most bytes of a stream in one message.
const CHUNK: usize = 65536;

impl Socket {
    /// Sends bytes, or one record, to the peer or (datagrams) to `to`. Of a
    /// stream that may be a part. `rights` go with the first byte; they are
    /// taken once they have gone.
    ///
    /// # Errors
    /// `EAGAIN` if it would wait; `ENOTCONN`, `EPIPE`, `ECONNREFUSED`,
    /// `ECONNRESET`, `EMSGSIZE`, `EPERM`, `ENOBUFS`, `EFAULT`.
    pub(super) fn send(
        &self,
        buf: &mut IoBuf<'_>,
        cred: Ucred,
        to: Option<&Arc<Self>>,
        rights: &mut Option<Rights>,
    ) -> Result<usize> {
        match self.kind() {
            Kind::Stream => self.send_bytes(buf, cred, rights),
            Kind::SeqPacket => {
                let peer = self.connected_peer()?;
                if let Some(errno) = self.take_error() {
                    return Err(errno.because("the other end told of an error"));
                }
                self.send_record(buf, cred, &peer, rights)
            }
            Kind::Datagram => match to {
                Some(to) => self.send_record(buf, cred, to, rights),
                None => {
                    let peer = self.state.lock().peer.clone();
                    let peer = peer.ok_or(Errno::ENOTCONN.because("no destination is given or set"))?;
                    self.send_record(buf, cred, &peer, rights)
                }
            },
        }
    }

    /// The other end of the connection.
    ///
    /// # Errors
    /// `ENOTCONN` if there was no connection, `EPIPE` if it has ended.
    fn connected_peer(&self) -> Result<Arc<Self>> {
        let state = self.state.lock();
        if state.phase != Phase::Connected {
            return Err(Errno::ENOTCONN.because("the socket is not connected"));
        }
        state.peer.clone().ok_or(Errno::EPIPE.because("the socket is closed"))
    }

    fn check_open(&self) -> Result<()> {
        if self.state.lock().shut.contains(Shut::WRITE) {
            return Err(Errno::EPIPE.because("the connection is shut down"));
        }
        Ok(())
    }

    fn send_bytes(&self, buf: &mut IoBuf<'_>, cred: Ucred, rights: &mut Option<Rights>) -> Result<usize> {
        let peer = self.connected_peer()?;
        self.check_open()?;
        let mut total = 0;
        while !buf.is_at_end() {
            match self.send_chunk(buf, cred, &peer, rights) {
                Ok(0) => break,
                Ok(count) => total += count,
                Err(error) if total == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(total)
    }

    fn send_chunk(
        &self,
        buf: &mut IoBuf<'_>,
        cred: Ucred,
        peer: &Arc<Self>,
        rights: &mut Option<Rights>,
    ) -> Result<usize> {
        let mut charge = self.account.reserve_part(buf.left().min(CHUNK))?;
        let mut bytes = room_for(charge.amount())?;
        let count = buf.take(&mut bytes)?;
        if count == 0 {
            return Ok(0);
        }
        bytes.truncate(count);
        charge.shrink_to(count);
        let message = Message::new(bytes, charge, cred, rights.take(), self.name());
        if let Some(message) = peer.inbox.push_stream(message) {
            drop(message);
            return Err(Errno::EPIPE.because("the other end is closed"));
        }
        peer.queue().wake_all();
        Ok(count)
    }

    fn send_record(
        &self,
        buf: &mut IoBuf<'_>,
        cred: Ucred,
        peer: &Arc<Self>,
        rights: &mut Option<Rights>,
    ) -> Result<usize> {
        self.check_open()?;
        let charge: Charge = self.account.reserve_record(buf.left())?;
        if self.kind() == Kind::Datagram {
            self.check_may_send(peer)?;
            if self.is_blocked_by(peer) {
                return Err(Errno::EAGAIN.because("too many datagrams wait at the other end"));
            }
        }
        let bytes = buf.take_all()?;
        let count = bytes.len();
        let message = Message::new(bytes, charge, cred, rights.take(), self.name());
        if let Some(message) = peer.inbox.push_record(message) {
            drop(message);
            return Err(self.after_loss(peer));
        }
        peer.queue().wake_all();
        Ok(count)
    }

    /// Who is connected takes datagrams from its peer alone.
    fn check_may_send(&self, peer: &Self) -> Result<()> {
        let state = peer.state.lock();
        let is_own = |back: &Arc<Self>| core::ptr::eq(Arc::as_ptr(back), self);
        if state.peer.as_ref().is_some_and(|back| !is_own(back)) {
            return Err(Errno::EPERM.because("the socket is connected to another"));
        }
        if state.shut == Shut::READ {
            return Err(Errno::EPIPE.because("the other end receives no more"));
        }
        Ok(())
    }

    /// The error of a send to a socket that is closed. A datagram socket is
    /// then no longer connected to it.
    fn after_loss(&self, peer: &Arc<Self>) -> crate::error::Error {
        if self.kind() != Kind::Datagram {
            return Errno::EPIPE.because("the other end is closed");
        }
        let mut state = self.state.lock();
        let lost = state.peer.take_if(|known| Arc::ptr_eq(known, peer));
        if lost.is_some() {
            state.phase = Phase::Idle;
        }
        drop(state);
        drop(lost);
        Errno::ECONNREFUSED.because("the other end is closed")
    }
}

fn room_for(len: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| Errno::ENOMEM.because("there is no room for the message"))?;
    bytes.resize(len, 0);
    Ok(bytes)
}
