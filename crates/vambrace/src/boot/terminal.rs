//! The user's terminal, which QEMU puts into raw mode.

use std::io;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// The state of the terminal on standard input. Dropping it restores the
/// terminal: QEMU does so itself when it ends in an orderly way, but not when
/// it is killed.
pub(super) struct Terminal {
    modes: Termios,
    flags: OFlags,
}

impl Terminal {
    /// The state as it is now; `None` if standard input is no terminal.
    pub(super) fn save() -> Option<Self> {
        let input = io::stdin();
        let modes = tcgetattr(&input).ok()?;
        let flags = fcntl_getfl(&input).ok()?;
        Some(Self { modes, flags })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let input = io::stdin();
        // QEMU makes the terminal non-blocking for everybody who has it open.
        // If the terminal is gone there is nothing to restore.
        let _ = fcntl_setfl(&input, self.flags);
        let _ = tcsetattr(&input, OptionalActions::Drain, &self.modes);
    }
}
