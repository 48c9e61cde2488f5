//! Translated code: pages of ops, the cache of them, and translation.

pub(crate) mod cache;
pub(crate) mod page;
pub(crate) mod translate;
