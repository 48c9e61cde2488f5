//! What a system call leads to.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;

use crate::error::{Error, Result};
use crate::sched::WaitQueue;
use crate::syscall::Cx;
use crate::task::Task;
use linux_abi::Errno;

/// A future that a blocked task waits for.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a system call leads to.
pub enum Outcome {
    /// It is over; the value goes to X0.
    Done(Result<u64>),
    /// The task waits for the rest of it. The future must be interruptible
    /// (see [`Task::interruptible`]) unless its end is certain.
    Wait(BoxFuture<Result<u64>>),
    /// The call replaced the registers (`execve`, `rt_sigreturn`); leave X0.
    KeepRegisters,
    /// The task is gone.
    Exit,
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(result) => write!(f, "Done({result:?})"),
            Self::Wait(_) => f.write_str("Wait"),
            Self::KeepRegisters => f.write_str("KeepRegisters"),
            Self::Exit => f.write_str("Exit"),
        }
    }
}

impl Outcome {
    /// The call goes on in `future`.
    pub fn wait(future: impl Future<Output = Result<u64>> + Send + 'static) -> Self {
        Self::Wait(Box::pin(future))
    }
}

/// What a handler may return.
pub trait IntoOutcome {
    /// As an [`Outcome`].
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for Outcome {
    fn into_outcome(self) -> Outcome {
        self
    }
}

impl IntoOutcome for Result<Outcome> {
    fn into_outcome(self) -> Outcome {
        self.unwrap_or_else(|error| Outcome::Done(Err(error)))
    }
}

impl IntoOutcome for Result<()> {
    fn into_outcome(self) -> Outcome {
        Outcome::Done(self.map(|()| 0))
    }
}

macro_rules! into_outcome_for {
    ($($type:ty => $convert:expr;)*) => {
        $(impl IntoOutcome for Result<$type> {
            fn into_outcome(self) -> Outcome {
                Outcome::Done(self.map($convert))
            }
        })*
    };
}

into_outcome_for! {
    u64 => |v| v;
    u32 => u64::from;
    usize => |v| v as u64;
    i32 => |v| i64::from(v).cast_unsigned();
    i64 => i64::cast_unsigned;
    machine::GuestAddr => |v| v.0;
}

/// Makes a call that may have to wait out of an attempt that never waits.
///
/// `attempt` is tried at once. While it gives `EAGAIN` and `may_wait` is set,
/// the task waits on `queue` and tries again; a signal ends the wait with
/// [`Error::INTERRUPTED`].
pub fn retry(
    cx: &mut Cx<'_>,
    may_wait: bool,
    queue: &WaitQueue,
    mut attempt: impl FnMut(&Arc<Task>) -> Result<u64> + Send + 'static,
) -> Outcome {
    match attempt(cx.task) {
        Err(error) if may_wait && error.errno == Errno::EAGAIN => {}
        result => return Outcome::Done(result),
    }
    let (task, queue) = (cx.task.clone(), queue.clone());
    Outcome::wait(async move {
        let again = queue.wait_until(|| match attempt(&task) {
            Err(error) if error.errno == Errno::EAGAIN => None,
            result => Some(result),
        });
        task.interruptible(again).await.unwrap_or(Err(Error::INTERRUPTED))
    })
}
