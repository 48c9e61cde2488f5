//! Waiting on many files at once, under a temporary signal mask.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::task::Poll;

use linux_abi::Errno;
use machine::GuestAddr;

use crate::error::{Because, Error, Result};
use crate::sched::WaitQueue;
use crate::signal::Set;
use crate::syscall::{Cx, Outcome};
use crate::task::Task;

/// Waits until `ready` gives a value: asks it at once, and again whenever one
/// of the queues is woken.
pub fn any_of<T>(queues: Vec<WaitQueue>, mut ready: impl FnMut() -> Option<T>) -> impl Future<Output = T> {
    let mut registrations = Vec::new();
    poll_fn(move |context| {
        if registrations.is_empty() {
            registrations.extend(queues.iter().map(|queue| queue.register(context.waker())));
        }
        ready().map_or(Poll::Pending, Poll::Ready)
    })
}

/// Swaps the signal mask for the time of the call, as the `p` calls do. No
/// mask leaves it alone.
///
/// # Errors
/// `EINVAL` if the size is not that of a mask, `EFAULT`.
pub fn set_mask(cx: &Cx<'_>, mask: GuestAddr, size: usize) -> Result<()> {
    if mask.is_null() {
        return Ok(());
    }
    if size != 8 {
        return Err(Errno::EINVAL.because("not the size of a signal mask"));
    }
    let mask = Set(cx.task.mm().read_u64(mask)?);
    cx.task.set_blocked_for_call(mask);
    Ok(())
}

/// Puts the signal mask back once the call is over. After a signal that is
/// left to the delivery: a handler runs under the temporary mask.
pub fn end_mask(task: &Task, result: &Result<u64>) {
    if matches!(result, Err(error) if error.errno == Errno::EINTR) {
        return;
    }
    let old = task.signals.lock().restore.take();
    if let Some(old) = old {
        task.set_blocked(old);
    }
}

/// The whole of a waiting call, once its arguments are known: asks `ready`,
/// and if it gives nothing waits on `queues` until `deadline_ns` (0: not at
/// all; `None`: for ever). `finish` makes the result of what `ready` gave,
/// `None` after the deadline, and of an interruption, which gives `interrupted`.
pub(super) fn run<T: Send + 'static>(
    cx: &Cx<'_>,
    queues: impl FnOnce() -> Vec<WaitQueue>,
    deadline_ns: Option<u64>,
    interrupted: Error,
    mut ready: impl FnMut() -> Option<T> + Send + 'static,
    finish: impl FnOnce(&Arc<Task>, Result<Option<T>>) -> Result<u64> + Send + 'static,
) -> Outcome {
    let kernel = cx.kernel.clone();
    let task = cx.task.clone();
    let complete = move |task: &Arc<Task>, value| {
        let result = finish(task, value);
        end_mask(task, &result);
        result
    };
    if let Some(value) = ready() {
        return Outcome::Done(complete(&task, Ok(Some(value))));
    }
    if task.is_interrupted() {
        return Outcome::Done(complete(&task, Err(interrupted)));
    }
    if deadline_ns.is_some_and(|deadline| deadline <= kernel.now_ns()) {
        return Outcome::Done(complete(&task, Ok(None)));
    }
    let queues = queues();
    Outcome::wait(async move {
        let value = task.interruptible_until(&kernel, deadline_ns, any_of(queues, ready)).await;
        complete(&task, value.map_err(|_| interrupted))
    })
}
