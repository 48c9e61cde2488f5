//! Sockets: connected pairs of the UNIX domain.
//!
//! [`pair`] has the sockets and their queues of messages, [`calls`] the system
//! calls, [`message`] the structures of `sendmsg` and `recvmsg`.

mod calls;
mod message;
mod pair;

pub(crate) use calls::ROWS;
