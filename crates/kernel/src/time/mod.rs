//! Clocks and timers.

/// Interval timers and POSIX timers of a process.
#[derive(Debug, Default)]
pub struct ProcessTimers {}
