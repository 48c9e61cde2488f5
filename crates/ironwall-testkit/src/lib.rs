//! The collector's reference [`Model`], and what its fuzz targets do with their input.
//!
//! [`fuzz`] has a function for each target; `fuzz/` calls them with what libFuzzer makes up, the tests here with
//! input from a seed. Nothing outside tests depends on this crate. Its one `unsafe` module is `raw`, which damages
//! memory behind the collector's back.

#![deny(unsafe_code)]

pub mod fuzz;
mod model;
#[expect(unsafe_code, reason = "damage is done to memory that a runtime has, which no safe code can")]
mod raw;
mod source;
mod world;

pub use model::Model;
