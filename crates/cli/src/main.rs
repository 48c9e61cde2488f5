//! The `vambrace` command.
fn main() {}
