//! Scheduling: the run queue, wakers, wait queues and timers.
//!
//! A task that waits is a future; its waker puts the task on the [`RunQueue`]
//! and kicks a CPU. Every wait in the kernel is built from [`WaitQueue`] and
//! [`Timers`], made interruptible by [`crate::task::Task::interruptible`].
//!
//! Lock order: queue and timer locks are leaves. Wakers are called only after
//! the lock they were found under has been released.

mod background;
mod events;
mod run_queue;
mod timers;
mod wait_queue;

pub(crate) use background::{BackgroundQueue, nap_until, yield_now};
pub use events::Event;
pub(crate) use events::Events;
pub use run_queue::RunQueue;
pub use timers::{Sleep, TimerId, Timers};
pub use wait_queue::{Registration, WaitQueue};
