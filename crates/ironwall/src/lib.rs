//! Ironwall: an explicit mark-sweep collector, small enough to be read in a day.
//!
//! A [`Runtime`] owns one heap and one collector, however many separately compiled units use them. Each unit brings
//! an [`Image`](image::Image) of its structures and its global blocks; every object, shadow frame and global block
//! carries three tags that name one entry of one attached table, and nothing is followed before they are checked.
//! A collection happens when the program or its host asks for one with [`Runtime::collect`], and never else; there
//! are no barriers, no polls, no finalizers, and nothing moves.
//!
//! The caller gives all memory. State is kept beside objects and never in them, so that what overwrites an object
//! cannot reach it. Calls fail in two ways, as [`error`] tells: refused, with nothing changed, or with a fault that
//! seals the heap.
//!
//! Reading order: [`id`] and [`tag`] (identity), [`image`] and `tables` (the collections), `heap` (blocks and
//! bits), `mark`, [`runtime`]. All `unsafe` is in `region` and `carve`.

#![no_std]

#[cfg(test)]
extern crate std;

pub mod error;
pub mod id;
pub mod image;
pub mod report;
pub mod runtime;
pub mod sha256;
pub mod tag;

mod carve;
mod class;
mod handles;
mod heap;
mod mark;
mod region;
mod tables;

pub use error::{Failure, FaultCode, FaultRecord, ImageRule, Phase, Refusal};
pub use handles::Handle;
pub use heap::{PageCall, PageHook};
pub use id::{Kind, Uuid};
pub use mark::Census;
pub use region::Region;
pub use report::{LiveEntry, Origin, Report};
pub use runtime::{Block, Config, Runtime, Stack};
pub use tables::{EntryId, TableLimits, UnitId};
