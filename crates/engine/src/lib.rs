//! Guest A64 code as threaded code.

pub mod fp;
