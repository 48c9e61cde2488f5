//! A telnet server: every client gets a shell on a pseudoterminal of its own.
//!
//! `protocol.rs` knows the protocol, `terminal.rs` the pseudoterminals;
//! `session.rs` joins the two, `server.rs` has the loop over all clients.

pub mod protocol;
pub mod server;
mod session;
mod terminal;
