//! Guest memory: frames, page tables and the software TLB.

pub(crate) mod arena;
mod free_list;
pub(crate) mod space;
pub(crate) mod tlb;
