//! Guest memory: frames, page tables and the software TLB.

pub(crate) mod arena;
pub(crate) mod space;
pub(crate) mod tlb;
