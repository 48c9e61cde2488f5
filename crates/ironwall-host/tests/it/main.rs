//! The host's way to a runtime: without I/O, through the mailbox, and over sockets.

mod entries;
mod explain;
mod mailbox;
mod protocol;
mod socket;
mod support;
