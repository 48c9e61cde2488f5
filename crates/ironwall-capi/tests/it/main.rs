//! Tests of the C interface: the header, what compilers make of it, and the calls.

mod calls;
mod examples;
mod fast_path;
mod header;
mod host;
mod linked;
mod surface;
mod tools;
