//! Tests of the C interface: the header, what compilers make of it, and the calls.

mod calls;
mod examples;
mod fast_path;
mod faults;
mod header;
mod host;
mod host_calls;
mod linked;
mod stacks;
mod surface;
mod tools;
