//! `clear`: empties the terminal's screen.

use std::ffi::OsString;
use std::io::{self, Write};

/// Homes the cursor and clears the screen and the scroll-back.
pub(crate) fn main(_args: Vec<OsString>) -> i32 {
    let mut out = io::stdout().lock();
    i32::from(
        out.write_all(b"\x1b[H\x1b[2J\x1b[3J")
            .and_then(|()| out.flush())
            .is_err(),
    )
}
