//! The meaning of every form of instruction, over [`crate::domain::Domain`].
//!
//! One file per group; a form is a type without a value whose const parameters
//! tell it from its siblings. `lower` picks forms by their types.

pub(crate) mod atomic;
pub(crate) mod branch;
pub(crate) mod dp_cond;
pub(crate) mod dp_imm;
pub(crate) mod dp_reg;
pub(crate) mod dp_src;
pub(crate) mod flags;
pub(crate) mod fp;
pub(crate) mod mem;
pub(crate) mod mem_fp;
pub(crate) mod pauth;
pub(crate) mod simd;
pub(crate) mod simd_mem;
pub(crate) mod system;
