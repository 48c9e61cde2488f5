//! Tasks (threads), processes, their tree, and the loop that runs them.

mod boot;
mod calls;
mod clone;
pub mod creds;
mod exec;
pub(crate) mod exit;
mod groups;
mod ids;
mod limits;
mod misc;
mod pauth;
mod prctl;
mod process;
mod run;
mod sched;
mod status;
mod stop;
#[expect(clippy::module_inception, reason = "the module is about tasks, the file about one")]
pub(crate) mod task;
#[cfg(test)]
mod tests;
pub(crate) mod tree;
mod wait;

pub use creds::Creds;
pub(crate) use misc::{RELEASE, VERSION};
pub use process::{Actions, Limit, Process, ProcessSignals, UNLIMITED};
pub(crate) use run::run;
pub use status::ExitStatus;
pub(crate) use stop::{resume, stop};
pub use task::{Interrupted, Parts, Task, ThreadSignals};
pub use tree::{Ids, PID_MAX, Snapshot, Times, Tree};

pub(crate) use boot::start_init;
pub(crate) use calls::ROWS;
#[cfg(test)]
pub(crate) use {clone::insert_process, process::default_limits};
