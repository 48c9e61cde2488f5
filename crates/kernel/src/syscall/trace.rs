//! The system-call trace: one line a call, as `strace` writes it.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt::{self, Write};

use crate::error::{Error, Result};
use crate::syscall::{Cx, row};

/// Where trace lines go.
pub type TraceSink = Box<dyn Fn(&str) + Send + Sync>;

/// A trace line that waits for its result.
#[derive(Clone, Debug)]
pub(crate) struct PendingLine {
    text: String,
}

impl PendingLine {
    /// The call in `cx.regs`, up to its closing bracket.
    pub(crate) fn enter(cx: &Cx<'_>) -> Self {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = Self::write_call(cx, &mut text);
        Self { text }
    }

    fn write_call(cx: &Cx<'_>, out: &mut String) -> fmt::Result {
        let x = &cx.regs.x;
        write!(out, "[{}] ", cx.task.tid())?;
        match row(x[8]) {
            Some(row) => {
                write!(out, "{}(", row.name)?;
                (row.trace)(cx, &[x[0], x[1], x[2], x[3], x[4], x[5]], out)?;
            }
            None => {
                let name = "syscall";
                write!(out, "{name}#{}({:#x}, {:#x}, {:#x}", x[8], x[0], x[1], x[2])?;
            }
        }
        out.write_char(')')
    }

    /// The whole line, with the result.
    pub(crate) fn finish(mut self, result: Option<Result<u64>>) -> String {
        let _ = match result {
            None => write!(self.text, " = ?"),
            Some(Ok(value)) if value < 1 << 20 => write!(self.text, " = {value}"),
            Some(Ok(value)) => write!(self.text, " = {value:#x}"),
            Some(Err(Error { errno, why, .. })) => {
                write!(self.text, " = -1 {errno}{}{why}", if why.is_empty() { "" } else { ": " })
            }
        };
        self.text
    }
}
