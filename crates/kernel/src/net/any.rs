//! A socket of any family: [`AnySocket`].

use alloc::sync::Arc;
use core::net::SocketAddrV4;

use linux_abi::socket::{MsgFlags, Ucred};

use super::inet::{InetFile, InetSocket};
use super::receive::Received;
use super::rights::{self, Rights};
use super::socket::{Kind, Shut, Socket, SocketFile};
use crate::error::Result;
use crate::fs::{File, FileOps, IoBuf};
use crate::sched::WaitQueue;

/// A socket.
#[derive(Clone, Debug)]
pub(super) enum AnySocket {
    /// Of the local family.
    Local(Arc<Socket>),
    /// Of the internet family.
    Inet(Arc<InetSocket>),
}

/// Where a message goes.
#[derive(Clone, Debug)]
pub(super) enum To {
    /// To the peer.
    Peer,
    Local(Arc<Socket>),
    Inet(SocketAddrV4),
}

impl AnySocket {
    /// The socket behind a file.
    pub(super) fn of(file: &File) -> Option<Self> {
        if let Some(socket) = rights::socket_of(file) {
            return Some(Self::Local(socket.clone()));
        }
        let ops: Option<&InetFile> = file.ops().as_any().downcast_ref();
        ops.map(|ops| Self::Inet(ops.socket().clone()))
    }

    /// What it is as an open file.
    pub(super) fn into_ops(self) -> Arc<dyn FileOps> {
        match self {
            Self::Local(socket) => SocketFile::new(socket),
            Self::Inet(socket) => InetFile::new(socket),
        }
    }

    /// Woken whenever something changes.
    pub(super) fn queue(&self) -> &WaitQueue {
        match self {
            Self::Local(socket) => socket.queue(),
            Self::Inet(socket) => socket.queue(),
        }
    }

    /// True if it carries bytes over a connection.
    pub(super) fn is_stream(&self) -> bool {
        match self {
            Self::Local(socket) => socket.kind() == Kind::Stream,
            Self::Inet(socket) => socket.is_stream(),
        }
    }

    /// How long receiving may wait.
    pub(super) fn receive_timeout_ns(&self) -> Option<u64> {
        match self {
            Self::Local(socket) => socket.state.lock().receive_timeout_ns,
            Self::Inet(socket) => socket.timeouts().0,
        }
    }

    /// How long sending, and connecting, may wait.
    pub(super) fn send_timeout_ns(&self) -> Option<u64> {
        match self {
            Self::Local(socket) => socket.state.lock().send_timeout_ns,
            Self::Inet(socket) => socket.timeouts().1,
        }
    }

    /// True if senders are told apart (`SO_PASSCRED`).
    pub(super) fn passes_cred(&self) -> bool {
        match self {
            Self::Local(socket) => socket.state.lock().passes_cred,
            Self::Inet(_) => false,
        }
    }

    /// Sends bytes or a record; only a local socket passes `rights`.
    ///
    /// # Errors
    /// `EAGAIN` if it would wait, else as `sendmsg`.
    pub(super) fn send(&self, buf: &mut IoBuf<'_>, cred: Ucred, to: &To, rights: &mut Option<Rights>) -> Result<usize> {
        match (self, to) {
            (Self::Local(socket), To::Local(to)) => socket.send(buf, cred, Some(to), rights),
            (Self::Local(socket), _) => socket.send(buf, cred, None, rights),
            (Self::Inet(socket), To::Inet(to)) => socket.send(buf, Some(*to)),
            (Self::Inet(socket), _) => socket.send(buf, None),
        }
    }

    /// Receives bytes or a record.
    ///
    /// # Errors
    /// `EAGAIN` if it would wait, else as `recvmsg`.
    pub(super) fn receive(&self, buf: &mut IoBuf<'_>, flags: MsgFlags, got: &mut Received) -> Result<usize> {
        match self {
            Self::Local(socket) => socket.receive(buf, flags.contains(MsgFlags::MSG_PEEK), got),
            Self::Inet(socket) => socket.receive(buf, flags, got),
        }
    }

    /// Shuts directions.
    ///
    /// # Errors
    /// `ENOTCONN`.
    pub(super) fn shut_down(&self, how: Shut) -> Result<()> {
        match self {
            Self::Local(socket) => {
                socket.shut_down(how);
                Ok(())
            }
            Self::Inet(socket) => socket.shut_down(how),
        }
    }

    /// Ends it.
    pub(super) fn close(&self) {
        match self {
            Self::Local(socket) => socket.close(),
            Self::Inet(socket) => socket.close(),
        }
    }
}
