//! The C interface of the Ironwall runtime.
//!
//! `include/ironwall.h` is generated from these definitions by a test, together with the inline functions of
//! `src/inline.h`: allocation from a hole, pushing and popping of frames. Everything else is a call. A heap is an
//! opaque handle, [`objects`] and [`collect`] work on it, [`units`] fills it with tables, [`create`] makes it, [`host`] lets
//! others ask about it.
//!
//! Every function takes a valid heap or null, which is refused. Calls answer with a status, a number of [`status`],
//! and [`objects::iw_message`] says more. Nothing unwinds into C: a panic in an `extern "C"` function aborts.
//! A fault calls the callback of the heap and aborts.

pub mod collect;
pub mod create;
pub mod enumerate;
pub mod heap;
pub mod host;
pub mod objects;
pub mod snapshot;
pub mod stacks;
pub mod status;
pub mod types;
pub mod units;

mod memory;
mod zeal;
