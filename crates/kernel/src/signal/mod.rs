//! Signals: sets, pending queues, actions, sending, delivery and the frame.
//!
//! A signal is pending at its process or at one thread ([`Pending`]).
//! [`send_to_process`] and [`send_to_task`] put it there and make a thread
//! take notice; `deliver` acts on it before that thread runs user code.

mod calls;
mod deliver;
mod frame;
mod queue;
mod send;
mod types;

pub(crate) use calls::ROWS;
pub(crate) use deliver::{Delivery, deliver, restart_call};
pub use linux_abi::signal::{BUS_ADRALN, BUS_ADRERR, ILL_ILLOPC, ILL_ILLOPN, SEGV_ACCERR, SEGV_MAPERR, TRAP_BRKPT};
pub use queue::Pending;
pub(crate) use send::{force, kill_everyone};
pub use send::{may_signal, send_to_group, send_to_process, send_to_task};
pub use types::{Action, AltStack, Default, Info, InfoFields, Number, Set};
