//! Guest A64 code as threaded code.
