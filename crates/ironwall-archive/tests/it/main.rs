//! What archives have to do. A name that begins like `r8_1_a` gives the statement of
//! `docs/ironwall/requirements.md` that the test checks.

mod hostile_manifests;
mod hostile_objects;
mod hostile_shells;
mod linking;
mod locking;
mod packing;
mod real_objects;
mod support;
