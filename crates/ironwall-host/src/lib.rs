//! The host's way to a running Ironwall program: ask it to collect, or what it holds.
//!
//! The program keeps a [`Mailbox`] beside its runtime and calls [`Mailbox::host_point`] where it can be asked. Hosts
//! fill the mailbox through a [`Door`]: code in the same process, or a client that talks JSON-RPC over a socket
//! ([`Server`]) or over standard input and output ([`serve`]). Nothing is served anywhere else, so a request says
//! how long it waits for the next host point, and is withdrawn when that time has passed.
//!
//! Reading order: [`call`] (what can be asked), [`explain`], [`request`] and [`render`] (its JSON), [`service`] (both
//! without I/O), [`mailbox`], [`lines`], [`accept`], [`server`], [`socket_file`], [`client`]. `docs/ironwall/host.md` has the protocol.
//!
//! Calls that can wait, and there are no others: [`Door::call`], [`Ticket::wait`], [`Mailbox::serve_for`],
//! [`serve`], [`Client::request`], and the end of a [`Server`]. [`Mailbox::host_point`] only works.

#![forbid(unsafe_code)]

pub mod accept;
pub mod call;
pub mod client;
pub mod error;
pub mod explain;
pub mod lines;
pub mod mailbox;
pub mod render;
pub mod request;
pub mod server;
pub mod service;
pub mod socket_file;

pub use call::{Answer, Call, Journal, Stopped};
pub use client::Client;
pub use error::{Code, Error};
pub use explain::Explanation;
pub use ironwall_explain::Names;
pub use mailbox::{Door, Mailbox, Ticket};
pub use server::{Server, serve};
pub use service::Service;
pub use socket_file::ListenError;

/// The longest request in bytes, without the newline at its end.
pub const MAX_REQUEST: usize = 64 << 10;
/// How long a request waits for a host point if it does not say.
pub const DEFAULT_DEADLINE: std::time::Duration = std::time::Duration::from_secs(10);
/// The longest that a request may wait for a host point.
pub const MAX_DEADLINE: std::time::Duration = std::time::Duration::from_secs(3600);
