//! Memory: frames, objects, address spaces and programs.
//!
//! An [`Mm`] is an address space: mappings in an ordered map, over memory
//! [`Object`]s and anonymous memory, with the machine's page table beneath.
//! Pages are filled when they are touched and copied when a sharer writes
//! ([`Mm::fault`]); user memory is read and written by value through the same
//! path. [`FrameRefs`] counts who uses each frame.
//!
//! Lock order: an address space, then an object's pages, then the frame lists.
//! Nothing here waits for anything but the host's disk.

mod address_space;
mod advise;
mod calls;
pub mod exec;
mod fault;
mod frames;
mod futex_key;
mod map;
mod object;
mod remote;
mod report;
mod user;
mod vdso;
mod vma;

pub(crate) use calls::ROWS;

pub use address_space::{Layout, Limits, Mm};
pub use frames::FrameRefs;
pub use futex_key::FutexKey;
pub use map::{MapRequest, Placement};
pub use object::{Backing, Object, PAGE_BYTES};
pub use report::{MapLine, Usage};
pub use user::IoVec;
pub use vdso::Vdso;
pub use vma::{Label, VmaFlags};

#[cfg(test)]
mod tests;
