//! The embedding API.
#![forbid(unsafe_code)]
