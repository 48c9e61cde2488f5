//! Explains a stopped Ironwall heap: why an object is alive, what would go with it, and how the heap looks.
//!
//! A [`Snapshot`] is an owned graph of everything that a [`Runtime`](ironwall::Runtime) holds, taken through its
//! read-only calls and written as JSON. From it come the shortest path from a root ([`Snapshot::why`]), retained
//! sizes ([`Snapshot::retained`]) and a picture ([`picture`]). None of this has to be trusted: [`check()`] replays a
//! path against the runtime itself, without the snapshot.
//!
//! Reading order: [`names`], [`snapshot`], `take`, `json`, [`path`], [`mod@check`], `dominators`, [`retained`],
//! [`picture`].

#![forbid(unsafe_code)]

pub mod check;
pub mod names;
pub mod path;
pub mod picture;
pub mod retained;
pub mod snapshot;

mod dominators;
mod json;
mod take;

pub use check::{Mismatch, check, check_snapshot, check_with};
pub use json::DataError;
pub use names::Names;
pub use path::RootPath;
pub use retained::Retained;
pub use snapshot::{ObjectId, Snapshot};
pub use take::TakeError;
