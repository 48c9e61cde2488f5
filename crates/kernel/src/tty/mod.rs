//! Terminals: line discipline, pseudo-terminals, the console.

pub mod discipline;
pub mod termios;

/// What a session knows of its controlling terminal.
pub trait SessionTty: Send + Sync + core::fmt::Debug {
    /// The session's leader has ended: the terminal is no longer anybody's
    /// controlling terminal, and its foreground group gets SIGHUP and SIGCONT.
    fn hang_up(&self);

    /// The device number, for `/proc/PID/stat`.
    fn device(&self) -> u32;

    /// The foreground process group, for `/proc/PID/stat`.
    fn foreground(&self) -> u32;

    /// For the terminal code to find its own type again.
    fn as_any(&self) -> &dyn core::any::Any;
}
