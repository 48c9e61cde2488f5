//! What threads wait with: the standard library's, or the model checker's under `--cfg loom`.
//!
//! The checker has no clock. There, a deadline passes after a number of looks at it, so that models decide when.

#[cfg(not(loom))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

#[cfg(loom)]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};

use std::time::Duration;

/// When to give up.
#[derive(Clone, Debug)]
pub(crate) struct Deadline {
    #[cfg(not(loom))]
    at: Option<std::time::Instant>,
    #[cfg(loom)]
    looks: std::cell::Cell<u64>,
}

impl Deadline {
    /// After a time from now; never, if there is no such time. Under the model checker after as many looks as the time
    /// has nanoseconds.
    pub(crate) fn after(limit: Duration) -> Self {
        #[cfg(not(loom))]
        return Self { at: std::time::Instant::now().checked_add(limit) };
        #[cfg(loom)]
        return Self { looks: std::cell::Cell::new(limit.as_nanos() as u64) };
    }

    /// What is left, if anything.
    pub(crate) fn left(&self) -> Option<Duration> {
        #[cfg(not(loom))]
        let left = self.at.map_or(Duration::MAX, |at| at.saturating_duration_since(std::time::Instant::now()));
        #[cfg(loom)]
        let left = Duration::from_nanos(self.looks.replace(self.looks.get().saturating_sub(1)));
        (!left.is_zero()).then_some(left)
    }
}
