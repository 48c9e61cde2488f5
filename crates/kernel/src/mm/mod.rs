//! Address spaces: mappings, faults, copies to and from user memory.

mod frames;
mod user;

pub use frames::FrameRefs;
pub use user::Mm;
