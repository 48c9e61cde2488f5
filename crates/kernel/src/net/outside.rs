//! Connections to local sockets from outside the guest: whoever embeds the kernel is the client.
//!
//! [`Kernel::local_listeners`] tells which processes listen on stream sockets; [`Listener::connect`] gives an end whose
//! other end the guest accepts like any connection, from process 0 and user 0. Nothing here waits. The calls are for
//! host threads that may take the kernel's locks, so for hosted machines, and not for interrupt handlers.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::task::Waker;

use linux_abi::Errno;
use linux_abi::socket::Ucred;

use super::address::Address;
use super::naming::join_backlog;
use super::receive::Received;
use super::socket::{Kind, Shut, Socket};
use crate::Kernel;
use crate::error::Result;
use crate::fs::IoBuf;
use crate::sched::Registration;

/// Who connects from outside.
const OUTSIDE: Ucred = Ucred { pid: 0, uid: 0, gid: 0 };

/// A local stream socket that takes connections.
#[derive(Clone)]
pub struct Listener {
    /// The process that made it listen.
    pub pid: u32,
    /// That process's effective user then.
    pub uid: u32,
    /// The name of the process, if it still exists.
    pub program: Vec<u8>,
    /// The path of the socket's file as it is now, with ` (deleted)` if it has none any more; or `@` and the abstract
    /// name.
    pub name: Vec<u8>,
    socket: Arc<Socket>,
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("pid", &self.pid).field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl Kernel {
    /// The local stream sockets that have a name and take connections now, by name.
    #[must_use]
    pub fn local_listeners(&self) -> Vec<Listener> {
        let streams = self.net().names.sockets().into_iter().filter(|socket| socket.kind() == Kind::Stream);
        streams.filter_map(|socket| self.listener(socket)).collect()
    }

    fn listener(&self, socket: Arc<Socket>) -> Option<Listener> {
        let cred = socket.backlog.lock().as_ref()?.cred;
        let (name, path) = {
            let state = socket.state.lock();
            (state.name.clone()?, state.binding.as_ref()?.path.clone())
        };
        let name = match (name, path) {
            (_, Some(path)) => self.vfs().link_text(&self.vfs().root(), &path),
            (Address::Path(text), None) => text,
            (Address::Abstract(text), None) => [b"@", &text[..]].concat(),
        };
        let pid = cred.pid.cast_unsigned();
        let comm = self.tree().task(pid).map(|task| *task.comm.lock()).unwrap_or_default();
        let program = comm.iter().copied().take_while(|&byte| byte != 0).collect();
        Some(Listener { pid, uid: cred.uid, program, name, socket })
    }
}

impl Listener {
    /// Connects.
    ///
    /// # Errors
    /// `ECONNREFUSED` if it does not listen any more, `EAGAIN` if too many connections wait to be accepted.
    pub fn connect(&self) -> Result<OutsideStream> {
        let socket = Socket::new(self.socket.net(), Kind::Stream);
        join_backlog(&socket, &self.socket, OUTSIDE)?;
        Ok(OutsideStream(socket))
    }
}

/// The outer end of a connection. Dropping it closes it.
#[derive(Debug)]
pub struct OutsideStream(Arc<Socket>);

impl OutsideStream {
    /// Sends what there is room for and returns how much that was.
    ///
    /// # Errors
    /// `EAGAIN` if there is no room, `EPIPE` if the guest receives no more.
    pub fn send(&self, bytes: &[u8]) -> core::result::Result<usize, Errno> {
        self.0.send(&mut IoBuf::from_slice(bytes), OUTSIDE, None, &mut None).map_err(|error| error.errno)
    }

    /// Receives what is there; nothing at the end of the stream. Descriptors that come along are closed.
    ///
    /// # Errors
    /// `EAGAIN` if nothing is there, `ECONNRESET` if the guest closed without reading what was sent.
    pub fn receive(&self, buf: &mut [u8]) -> core::result::Result<usize, Errno> {
        let received = self.0.receive(&mut IoBuf::into_slice(buf), false, &mut Received::default());
        received.map_err(|error| error.errno)
    }

    /// Tells the guest that nothing more will be sent.
    pub fn finish(&self) {
        self.0.shut_down(Shut::WRITE);
    }

    /// Calls `waker`, from any thread, whenever something changes until the registration is dropped. Try again after
    /// this: what happened before wakes nobody.
    #[must_use = "dropping the registration removes the waker"]
    pub fn register(&self, waker: &Waker) -> Registration {
        self.0.queue().register(waker)
    }
}

impl Drop for OutsideStream {
    fn drop(&mut self) {
        self.0.close();
        self.0.net().collect();
    }
}
