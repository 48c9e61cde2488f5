//! Tasks (threads), processes, their tree, and the loop that runs them.

pub mod creds;
mod process;
mod run;
mod status;
#[expect(clippy::module_inception, reason = "the module is about tasks, the file about one")]
mod task;
mod tree;

pub use creds::Creds;
pub use process::{Actions, Limit, Process, ProcessSignals, UNLIMITED};
pub(crate) use run::run;
pub use status::ExitStatus;
pub use task::{Interrupted, Parts, Task, ThreadSignals};
pub use tree::{Ids, PID_MAX, Snapshot, Times, Tree};

use crate::syscall::Row;

/// The system calls of this subsystem.
pub(crate) const ROWS: &[Row] = &[];
