//! Memory: physical frames, the kernel's heap and map, user page tables.
//!
//! Lock order: heap, then frames; ASIDs by themselves.

pub(crate) mod asid;
pub(crate) mod dma;
pub(crate) mod early;
pub(crate) mod heap;
pub(crate) mod kernel_map;
pub(crate) mod pool;
pub(crate) mod user_table;
