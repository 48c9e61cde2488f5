//! Translated code: pages of ops, the cache of them, and translation.

pub(crate) mod cache;
#[cfg(tail_calls)]
pub(crate) mod fuse;
pub(crate) mod page;
pub(crate) mod translate;
