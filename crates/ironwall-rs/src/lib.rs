//! Ironwall for programs in Rust: what a program must not do with references is a compile error.
//!
//! [`unit!`] declares the structures of a unit. [`Memory::run`] makes a heap with some units and lends it to a closure
//! as [`Heap`]. A reference, [`Gc`], borrows from the heap; a call that may collect wants the heap for itself, so no
//! reference outlives it. What has to stay is in a [`Frame`], whose type has the function's locals, in a [`Root`], or
//! in a global block. There is no unsafe code, here or in programs.
//!
//! ```
//! use ironwall_rs::{Limits, Memory, UnitImage, unit};
//!
//! unit! {
//!     unit Lists("example", "lists") {
//!         heap Cell { next: Ref<Cell>, number: u64 }
//!         frame Main { list: Ref<Cell> }
//!     }
//! }
//!
//! let mut memory = Memory::new(Limits::of(1 << 20))?;
//! let live = memory.run(&mut [UnitImage::of::<Lists>()?], |heap| {
//!     let (cell, main) = (heap.class::<Cell>()?, heap.class::<Main>()?);
//!     let mut frame = heap.push(main)?;
//!     for number in 0..100 {
//!         let new = frame.allocate(cell)?;
//!         frame.set(new, Cell::number, number)?;
//!         frame.set(new, Cell::next, frame.local(Main::list)?)?;
//!         frame.set_local(Main::list, Some(new))?;
//!     }
//!     frame.allocate(cell)?;
//!     Ok(frame.collect(0)?.live)
//! })?;
//! assert_eq!(live, 100);
//! # Ok::<(), ironwall_rs::Error>(())
//! ```
//!
//! `docs/ironwall/rust.md` shows what the compiler refuses; [`misuse`] has the same as tests.

#![forbid(unsafe_code)]

#[cfg(target_endian = "big")]
compile_error!("fields that share a word are where a little-endian machine has them");

pub mod misuse;

mod error;
mod field;
mod frame;
mod heap;
mod memory;
mod root;
mod unit;

pub use error::Error;
pub use field::{Dynamic, Field, FieldType, Ref, Small, Value};
pub use frame::{Frame, Fresh};
pub use heap::{Any, Class, Gc, Heap};
pub use ironwall::{FaultRecord, Kind, Origin, Refusal, Report, Runtime, TableLimits, Uuid};
pub use memory::{Body, Limits, Memory, UnitImage};
pub use root::Root;
#[doc(hidden)]
pub use unit::offset;
pub use unit::{Described, FieldInfo, Global, Locals, Object, Structure, Tailed, Unit};
