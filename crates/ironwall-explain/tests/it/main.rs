//! What is told about stopped heaps.

#![forbid(unsafe_code)]

mod data;
mod forged;
mod graphs;
mod large;
mod shown;
mod stacks;
mod support;
