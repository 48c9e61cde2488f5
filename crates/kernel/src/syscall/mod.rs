//! System calls: the tables, the dispatcher and what a handler is given.
//!
//! Each subsystem lists its calls with [`syscalls!`](crate::syscalls) in a
//! `pub(crate) const ROWS: &[Row]`; [`GROUPS`] joins them. A row gives the
//! number, the typed arguments, the state of support and the handler, and from
//! it come the dispatcher, the trace line and `docs/syscalls.md`.

mod args;
mod outcome;
pub mod trace;

pub use args::{Arg, FromArg, PathArg, TraceArg};
pub use outcome::{BoxFuture, IntoOutcome, Outcome, retry};

use alloc::sync::Arc;
use core::fmt;

use linux_abi::Errno;
use machine::UserContext;

use crate::Kernel;
use crate::error::{Because, Result};
use crate::task::Task;

/// How much of a call works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// All of it.
    Full,
    /// What is missing is named, and is refused with an errno.
    Partial(&'static str),
}

/// One system call.
#[derive(Clone, Copy)]
pub struct Row {
    /// The number, for `X8`.
    pub number: u16,
    /// The name in the headers, without `__NR_`.
    pub name: &'static str,
    /// Names of the arguments.
    pub args: &'static [&'static str],
    /// How much of it works.
    pub support: Support,
    /// Converts the arguments and calls the handler.
    pub run: fn(&mut Cx<'_>, &[u64; 6]) -> Outcome,
    /// Writes the arguments as `strace` would.
    pub trace: fn(&Cx<'_>, &[u64; 6], &mut dyn fmt::Write) -> fmt::Result,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}({:?}) {:?}", self.number, self.name, self.args, self.support)
    }
}

/// What a handler is given: the kernel, the calling task and its registers.
pub struct Cx<'a> {
    /// The kernel.
    pub kernel: &'a Arc<Kernel>,
    /// The task that makes the call.
    pub task: &'a Arc<Task>,
    /// Its registers.
    pub regs: &'a mut UserContext,
}

impl fmt::Debug for Cx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cx(task {})", self.task.tid())
    }
}

/// Declares system calls. Each row:
/// `NUMBER name(arg: Type, …) Support, path::to::handler;`
///
/// The handler is `fn(&mut Cx, Type, …) -> impl IntoOutcome`.
#[macro_export]
macro_rules! syscalls {
    ($($number:literal $name:ident($($arg:ident: $type:ty),* $(,)?) $support:expr, $handler:path;)*) => {
        &[$($crate::syscall::Row {
            number: $number,
            name: stringify!($name),
            args: &[$(stringify!($arg)),*],
            support: { #[allow(unused_imports, reason = "a table may use one level only")] use $crate::syscall::Support::{Full, Partial}; $support },
            run: {
                fn run(cx: &mut $crate::syscall::Cx<'_>, args: &[u64; 6]) -> $crate::syscall::Outcome {
                    #[allow(unused_variables, unused_mut, reason = "a call may take no argument")]
                    let mut args = args.iter().copied();
                    $(let $arg = match <$type as $crate::syscall::FromArg>::from_arg(args.next().unwrap_or(0)) {
                        Ok(value) => value,
                        Err(error) => return $crate::syscall::Outcome::Done(Err(error)),
                    };)*
                    $crate::syscall::IntoOutcome::into_outcome($handler(cx, $($arg),*))
                }
                run
            },
            trace: {
                fn trace(
                    cx: &$crate::syscall::Cx<'_>, args: &[u64; 6], out: &mut dyn core::fmt::Write,
                ) -> core::fmt::Result {
                    #[allow(unused_variables, unused_mut, reason = "a call may take no argument")]
                    let (mut args, mut first) = (args.iter().copied(), true);
                    $(
                        if !core::mem::take(&mut first) { out.write_str(", ")?; }
                        <$type as $crate::syscall::TraceArg>::trace(args.next().unwrap_or(0), cx, out)?;
                    )*
                    let _ = (cx, &out, first);
                    Ok(())
                }
                trace
            },
        }),*]
    };
}

/// The tables of all subsystems.
pub const GROUPS: &[&[Row]] = &[
    crate::futex::ROWS,
    crate::ipc::ROWS,
    crate::mm::ROWS,
    crate::net::ROWS,
    crate::signal::ROWS,
    crate::task::ROWS,
    crate::time::ROWS,
    crate::poll::ROWS,
    crate::tty::ROWS,
    crate::fs::calls::GROUPS[0],
    crate::fs::calls::GROUPS[1],
    crate::fs::calls::GROUPS[2],
    crate::fs::calls::GROUPS[3],
    crate::fs::calls::GROUPS[4],
    crate::fs::calls::GROUPS[5],
    crate::fs::calls::GROUPS[6],
    crate::fs::calls::GROUPS[7],
    crate::fs::calls::GROUPS[8],
    crate::fs::calls::GROUPS[9],
];

/// Numbers are below this; arm64 Linux has none higher yet.
const LIMIT: usize = 512;

static TABLE: [Option<&'static Row>; LIMIT] = build_table();

const fn build_table() -> [Option<&'static Row>; LIMIT] {
    let mut table = [None; LIMIT];
    let mut group = 0;
    while group < GROUPS.len() {
        let mut i = 0;
        while i < GROUPS[group].len() {
            let row = &GROUPS[group][i];
            assert!(table[row.number as usize].is_none(), "a system call number stands twice");
            table[row.number as usize] = Some(row);
            i += 1;
        }
        group += 1;
    }
    table
}

/// The row for a number.
#[must_use]
pub fn row(number: u64) -> Option<&'static Row> {
    usize::try_from(number).ok().and_then(|n| TABLE.get(n).copied().flatten())
}

/// Runs the call in `cx.regs`: number in X8, arguments in X0 to X5.
pub(crate) fn dispatch(cx: &mut Cx<'_>) -> Outcome {
    let x = &cx.regs.x;
    let args = [x[0], x[1], x[2], x[3], x[4], x[5]];
    match row(x[8]) {
        Some(row) => (row.run)(cx, &args),
        None => Outcome::Done(Err(Errno::ENOSYS.because("no such system call"))),
    }
}

/// The value for X0: a result, or an errno negated. The one place that does so.
pub(crate) fn return_value(result: Result<u64>) -> u64 {
    match result {
        Ok(value) => value,
        Err(error) => u64::from(error.errno.number()).wrapping_neg(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ascend_within_each_table() {
        for group in GROUPS {
            for pair in group.windows(2) {
                assert!(pair[0].number < pair[1].number, "{:?} comes before {:?}", pair[0], pair[1]);
            }
        }
    }

    #[test]
    fn an_errno_is_returned_negated() {
        assert_eq!(return_value(Err(Errno::EBADF.because("no"))), (-9_i64).cast_unsigned());
    }
}
