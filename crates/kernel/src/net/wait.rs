//! Calls on sockets that may have to wait: [`run`].

use alloc::sync::Arc;

use linux_abi::Errno;

use crate::error::{Error, Result};
use crate::sched::WaitQueue;
use crate::syscall::{Cx, Outcome};
use crate::task::Task;

/// A call that is tried until it need not wait.
pub(super) trait Attempt: Send + 'static {
    /// Goes on as far as it can.
    ///
    /// # Errors
    /// `EAGAIN` if it has to wait to go on.
    fn attempt(&mut self, task: &Arc<Task>) -> Result<u64>;

    /// The error instead of `EAGAIN` if the call may not wait, or no longer.
    fn late(&self) -> Option<Error> {
        None
    }

    /// The result if the wait ends early; `None` if nothing has been done yet.
    fn so_far(&mut self, _task: &Arc<Task>) -> Option<Result<u64>> {
        None
    }
}

/// How long a call may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Whether it may wait at all.
    pub(super) may_wait: bool,
    /// At most so long; `None` for as long as it takes.
    pub(super) timeout_ns: Option<u64>,
}

/// Tries `call`, and again whenever `queue` is woken, for as long as
/// `patience` lasts.
pub(super) fn run(cx: &Cx<'_>, patience: Patience, queue: &WaitQueue, mut call: impl Attempt) -> Outcome {
    match call.attempt(cx.task) {
        Err(error) if error.errno == Errno::EAGAIN => {
            if !patience.may_wait {
                return Outcome::Done(call.so_far(cx.task).unwrap_or(Err(call.late().unwrap_or(error))));
            }
        }
        result => return Outcome::Done(result),
    }
    let (kernel, task, queue) = (cx.kernel.clone(), cx.task.clone(), queue.clone());
    let deadline = patience.timeout_ns.map(|timeout| kernel.now_ns().saturating_add(timeout));
    Outcome::wait(async move {
        let again = queue.wait_until(|| match call.attempt(&task) {
            Err(error) if error.errno == Errno::EAGAIN => None,
            result => Some(result),
        });
        let early = match task.interruptible_until(&kernel, deadline, again).await {
            Ok(Some(result)) => return result,
            Ok(None) => call.late().unwrap_or(Error::from(Errno::EAGAIN)),
            // A call with a time limit would start it anew.
            Err(_) if deadline.is_some() => Error::INTERRUPTED_FINAL,
            Err(_) => Error::INTERRUPTED,
        };
        call.so_far(&task).unwrap_or(Err(early))
    })
}
