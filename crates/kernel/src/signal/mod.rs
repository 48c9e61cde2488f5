//! Signals: sets, pending queues, actions, delivery and the frame.

mod queue;
mod types;

pub use queue::Pending;
pub use types::{Action, AltStack, Info, InfoFields, Number, Set};
