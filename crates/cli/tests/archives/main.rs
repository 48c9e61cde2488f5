//! Archives of units as the users of `vambrace unit pack`, `verify`, `inspect` and `keygen` see them, with objects
//! that GCC made. A name that begins like `r8_1_a` gives the statement of `docs/ironwall/requirements.md` that the
//! test checks.
#![expect(clippy::unwrap_used, reason = "a helper of a test that fails is a test that fails")]

mod forge;
mod hostile;
mod keys;
mod linking;
mod packing;
mod support;
mod units;
mod verifying;
mod walk;
