//! Moving bytes between files without user memory.
//!
//! Bytes go through a kernel buffer. They leave their source only once they
//! have arrived: a pipe is looked at first and drained after, a file's position
//! moves by what was written.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::fcntl::{OpenFlags, SpliceFlags};
use linux_abi::uio::MAX_RW_COUNT;
use machine::GuestAddr;

use super::io::broken_pipe;
use crate::error::{Because, Error, Result};
use crate::fs::pipe::{Pipe, PipeEnd};
use crate::fs::{File, FileType, IoBuf};
use crate::sched::WaitQueue;
use crate::syscall::{Cx, Outcome, Row};
use crate::syscalls;
use crate::task::Task;

/// The system calls of this file.
pub(super) const ROWS: &[Row] = syscalls! {
    71 sendfile(out_fd: i32, in_fd: i32, offset: GuestAddr, count: u64) Full, sendfile;
    75 vmsplice(fd: i32, iov: GuestAddr, nr_segs: usize, flags: SpliceFlags) Full, vmsplice;
    76 splice(fd_in: i32, off_in: GuestAddr, fd_out: i32, off_out: GuestAddr, len: u64, flags: SpliceFlags) Full, splice;
    77 tee(fd_in: i32, fd_out: i32, len: u64, flags: SpliceFlags) Full, tee;
    285 copy_file_range(fd_in: i32, off_in: GuestAddr, fd_out: i32, off_out: GuestAddr, len: u64, flags: u32)
        Full, copy_file_range;
};

/// Bytes moved in one step.
const STEP: usize = 65536;

/// The pipe behind an open file.
fn pipe_of(file: &File) -> Option<Arc<Pipe>> {
    let end: &PipeEnd = file.ops().as_any().downcast_ref()?;
    Some(end.pipe().clone())
}

/// A position: the file's own, or one given by address.
#[derive(Clone, Copy)]
struct Cursor {
    addr: GuestAddr,
    at: u64,
}

impl Cursor {
    fn read(cx: &Cx<'_>, file: &File, addr: GuestAddr) -> Result<Self> {
        if addr.is_null() {
            return Ok(Self { addr, at: *file.position() });
        }
        let at = cx.task.mm().read_u64(addr)?;
        if i64::try_from(at).is_err() {
            return Err(Errno::EINVAL.because("the offset is negative"));
        }
        Ok(Self { addr, at })
    }

    fn advance(&mut self, count: usize) {
        self.at = self.at.saturating_add(count as u64);
    }

    fn store(self, task: &Task, file: &File) -> Result<()> {
        if self.addr.is_null() {
            *file.position() = self.at;
            return Ok(());
        }
        task.mm().write_u64(self.addr, self.at)
    }
}

/// Bytes on their way: where from, where to, how many are left.
struct Transfer {
    input: Source,
    output: Sink,
    left: usize,
    done: usize,
}

enum Source {
    /// A file with positions.
    File(Arc<File>, Cursor),
    /// A pipe, which is looked at and then drained.
    Pipe(Arc<Pipe>),
    /// Any other stream; only into a pipe.
    Stream(Arc<File>),
}

enum Sink {
    File(Arc<File>, Cursor),
    Pipe(Arc<Pipe>),
    Stream(Arc<File>),
}

impl Transfer {
    /// Moves what can be moved now.
    ///
    /// # Errors
    /// `EAGAIN` if nothing can be, or what reading or writing gave.
    fn step(&mut self, task: &Arc<Task>) -> Result<usize> {
        let mut room = self.left.min(STEP);
        if let Sink::Pipe(pipe) = &self.output {
            room = room.min(pipe.room()?);
        }
        let mut bytes = Vec::new();
        self.input.peek(task, room, &mut bytes)?;
        if bytes.is_empty() {
            return Ok(0);
        }
        let count = match (&self.input, &self.output) {
            // What was read from a stream cannot be put back.
            (Source::Stream(_), Sink::Pipe(pipe)) => pipe.push(&bytes)?,
            _ => self.output.write(task, &bytes)?,
        };
        self.input.consume(count);
        self.left -= count;
        self.done += count;
        Ok(count)
    }

    /// Moves everything, as far as it goes without waiting; `None` if it has to
    /// wait. With `until_some` the first bytes end it.
    fn attempt(&mut self, task: &Arc<Task>, until_some: bool) -> Option<Result<u64>> {
        while self.left > 0 {
            match self.step(task) {
                Ok(0) => break,
                // A stream is read once, as by `read`: a terminal's end of file
                // after a line is for the next call.
                Ok(_) if until_some && matches!(self.input, Source::Stream(_)) => break,
                Ok(_) => {}
                Err(error) if error.errno == Errno::EAGAIN => {
                    if until_some && self.done > 0 {
                        break;
                    }
                    return None;
                }
                Err(_) if self.done > 0 => break,
                Err(error) => {
                    if error.errno == Errno::EPIPE {
                        broken_pipe(task);
                    }
                    return Some(Err(error));
                }
            }
        }
        Some(Ok(self.done as u64))
    }

    /// Puts the positions where they belong.
    fn store(&self, task: &Task) -> Result<()> {
        if let Source::File(file, cursor) = &self.input {
            cursor.store(task, file)?;
        }
        if let Sink::File(file, cursor) = &self.output {
            cursor.store(task, file)?;
        }
        Ok(())
    }

    fn queues(&self) -> Vec<WaitQueue> {
        let of = |file: &Arc<File>| file.ops().wait_queue();
        let input = match &self.input {
            Source::File(..) => None,
            Source::Pipe(pipe) => Some(pipe.queue().clone()),
            Source::Stream(file) => of(file),
        };
        let output = match &self.output {
            Sink::File(..) => None,
            Sink::Pipe(pipe) => Some(pipe.queue().clone()),
            Sink::Stream(file) => of(file),
        };
        input.into_iter().chain(output).collect()
    }

    /// Runs it to its end.
    fn run(mut self, cx: &mut Cx<'_>, may_wait: bool, until_some: bool) -> Outcome {
        let end = |this: &Self, task: &Task, result: Result<u64>| match this.store(task) {
            Err(error) if result.is_ok() => Err(error),
            _ => result,
        };
        match self.attempt(cx.task, until_some) {
            Some(result) => return Outcome::Done(end(&self, cx.task, result)),
            None if !may_wait || self.queues().is_empty() => {
                let again = Err(Errno::EAGAIN.because("the transfer would wait"));
                let result = if self.done > 0 { Ok(self.done as u64) } else { again };
                return Outcome::Done(end(&self, cx.task, result));
            }
            None => {}
        }
        let task = cx.task.clone();
        Outcome::wait(async move {
            let mut registrations = Vec::new();
            let again = core::future::poll_fn(|context| {
                if registrations.is_empty() {
                    registrations.extend(self.queues().iter().map(|queue| queue.register(context.waker())));
                }
                match self.attempt(&task, until_some) {
                    Some(result) => core::task::Poll::Ready(result),
                    None => core::task::Poll::Pending,
                }
            });
            let result = task.interruptible(again).await;
            drop(registrations);
            let interrupted = if self.done > 0 { Ok(self.done as u64) } else { Err(Error::INTERRUPTED) };
            end(&self, &task, result.unwrap_or(interrupted))
        })
    }
}

impl Source {
    fn peek(&self, task: &Arc<Task>, limit: usize, bytes: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Pipe(pipe) => pipe.peek(limit, bytes).map(|_| ()),
            Self::File(file, cursor) => fill(bytes, limit, |buf| file.ops().read_at(file, buf, cursor.at)),
            Self::Stream(file) => fill(bytes, limit, |buf| file.ops().read(file, task, buf)),
        }
    }

    fn consume(&mut self, count: usize) {
        match self {
            Self::Pipe(pipe) => pipe.consume(count),
            Self::File(_, cursor) => cursor.advance(count),
            Self::Stream(_) => {}
        }
    }
}

fn fill(bytes: &mut Vec<u8>, limit: usize, read: impl FnOnce(&mut IoBuf<'_>) -> Result<usize>) -> Result<()> {
    bytes.resize(limit, 0);
    let count = read(&mut IoBuf::into_slice(bytes))?;
    bytes.truncate(count);
    Ok(())
}

impl Sink {
    fn write(&mut self, task: &Arc<Task>, bytes: &[u8]) -> Result<usize> {
        let mut buf = IoBuf::from_slice(bytes);
        match self {
            Self::Pipe(pipe) => pipe.write(&mut buf, false),
            Self::File(file, cursor) => {
                let count = file.ops().write_at(file, &mut buf, cursor.at)?;
                cursor.advance(count);
                Ok(count)
            }
            Self::Stream(file) => file.ops().write(file, task, &mut buf),
        }
    }
}

fn count_of(count: u64) -> usize {
    usize::try_from(count).unwrap_or(MAX_RW_COUNT).min(MAX_RW_COUNT)
}

pub(crate) fn sendfile(cx: &mut Cx<'_>, out_fd: i32, in_fd: i32, offset: GuestAddr, count: u64) -> Result<Outcome> {
    let files = cx.task.files();
    let (input, output) = (files.get_io(in_fd)?, files.get_io(out_fd)?);
    input.check_readable()?;
    output.check_writable()?;
    if !input.ops().is_seekable() {
        let errno = if offset.is_null() { Errno::EINVAL } else { Errno::ESPIPE };
        return Err(errno.because("the input has no positions"));
    }
    if i64::try_from(count).is_err() {
        return Err(Errno::EINVAL.because("the count is negative"));
    }
    if output.flags().contains(OpenFlags::O_APPEND) {
        return Err(Errno::EINVAL.because("the output is only appended to"));
    }
    let cursor = Cursor::read(cx, &input, offset)?;
    let may_wait = !output.is_nonblocking();
    let output = sink(cx, output, GuestAddr(0))?;
    let transfer = Transfer { input: Source::File(input, cursor), output, left: count_of(count), done: 0 };
    Ok(transfer.run(cx, may_wait, false))
}

fn sink(cx: &Cx<'_>, file: Arc<File>, offset: GuestAddr) -> Result<Sink> {
    Ok(match pipe_of(&file) {
        Some(pipe) => Sink::Pipe(pipe),
        None if file.ops().is_seekable() => {
            let cursor = Cursor::read(cx, &file, offset)?;
            Sink::File(file, cursor)
        }
        None => Sink::Stream(file),
    })
}

pub(crate) fn splice(
    cx: &mut Cx<'_>,
    fd_in: i32,
    off_in: GuestAddr,
    fd_out: i32,
    off_out: GuestAddr,
    len: u64,
    flags: SpliceFlags,
) -> Result<Outcome> {
    let files = cx.task.files();
    let (input, output) = (files.get_io(fd_in)?, files.get_io(fd_out)?);
    input.check_readable()?;
    output.check_writable()?;
    let (pipe_in, pipe_out) = (pipe_of(&input), pipe_of(&output));
    if pipe_in.is_some() && !off_in.is_null() || pipe_out.is_some() && !off_out.is_null() {
        return Err(Errno::ESPIPE.because("an offset in a pipe"));
    }
    if pipe_in.is_none() && pipe_out.is_none() {
        return Err(Errno::EINVAL.because("neither is a pipe"));
    }
    if let (Some(a), Some(b)) = (&pipe_in, &pipe_out)
        && Arc::ptr_eq(a, b)
    {
        return Err(Errno::EINVAL.because("both are the same pipe"));
    }
    if output.flags().contains(OpenFlags::O_APPEND) && pipe_out.is_none() {
        return Err(Errno::EINVAL.because("the output is only appended to"));
    }
    if input.inode().kind() == FileType::Directory {
        return Err(Errno::EINVAL.because("a directory"));
    }
    let waits = |pipe: &Option<Arc<Pipe>>, file: &File| pipe.is_none() || !file.is_nonblocking();
    let may_wait =
        !flags.contains(SpliceFlags::SPLICE_F_NONBLOCK) && waits(&pipe_in, &input) && waits(&pipe_out, &output);
    let source = match pipe_in {
        Some(pipe) => Source::Pipe(pipe),
        None if input.ops().is_seekable() => {
            let cursor = Cursor::read(cx, &input, off_in)?;
            Source::File(input, cursor)
        }
        None => Source::Stream(input),
    };
    let output = sink(cx, output, off_out)?;
    Ok(Transfer { input: source, output, left: count_of(len), done: 0 }.run(cx, may_wait, true))
}

pub(crate) fn tee(cx: &mut Cx<'_>, fd_in: i32, fd_out: i32, len: u64, flags: SpliceFlags) -> Result<Outcome> {
    let files = cx.task.files();
    let (input, output) = (files.get_io(fd_in)?, files.get_io(fd_out)?);
    input.check_readable()?;
    output.check_writable()?;
    let no_pipe = || Errno::EINVAL.because("not a pipe");
    let (from, to) = (pipe_of(&input).ok_or_else(no_pipe)?, pipe_of(&output).ok_or_else(no_pipe)?);
    if Arc::ptr_eq(&from, &to) {
        return Err(Errno::EINVAL.because("both are the same pipe"));
    }
    let left = count_of(len).min(STEP);
    let may_wait =
        !flags.contains(SpliceFlags::SPLICE_F_NONBLOCK) && !input.is_nonblocking() && !output.is_nonblocking();
    let attempt = move || -> Result<u64> {
        let room = to.room()?.min(left);
        let mut bytes = Vec::new();
        from.peek(room, &mut bytes)?;
        to.write(&mut IoBuf::from_slice(&bytes), false).map(|count| count as u64)
    };
    match attempt() {
        Err(error) if may_wait && error.errno == Errno::EAGAIN => {}
        Err(error) if error.errno == Errno::EPIPE => {
            broken_pipe(cx.task);
            return Err(error);
        }
        result => return Ok(Outcome::Done(result)),
    }
    let queues = [input.ops().wait_queue(), output.ops().wait_queue()];
    let task = cx.task.clone();
    Ok(Outcome::wait(async move {
        let mut registrations = Vec::new();
        let again = core::future::poll_fn(|context| {
            if registrations.is_empty() {
                registrations.extend(queues.iter().flatten().map(|queue| queue.register(context.waker())));
            }
            match attempt() {
                Err(error) if error.errno == Errno::EAGAIN => core::task::Poll::Pending,
                result => core::task::Poll::Ready(result),
            }
        });
        task.interruptible(again).await.unwrap_or(Err(Error::INTERRUPTED))
    }))
}

pub(crate) fn vmsplice(cx: &mut Cx<'_>, fd: i32, iov: GuestAddr, count: usize, flags: SpliceFlags) -> Result<Outcome> {
    let file = cx.task.files().get_io(fd)?;
    if pipe_of(&file).is_none() {
        return Err(Errno::EBADF.because("not a pipe"));
    }
    // Pages are copied, not lent; to the caller that is the same, apart from
    // what it changes afterwards.
    let _ = flags;
    if file.access().writes() { super::io::writev(cx, fd, iov, count) } else { super::io::readv(cx, fd, iov, count) }
}

pub(crate) fn copy_file_range(
    cx: &mut Cx<'_>,
    fd_in: i32,
    off_in: GuestAddr,
    fd_out: i32,
    off_out: GuestAddr,
    len: u64,
    flags: u32,
) -> Result<Outcome> {
    let files = cx.task.files();
    let (input, output) = (files.get_io(fd_in)?, files.get_io(fd_out)?);
    if flags != 0 {
        return Err(Errno::EINVAL.because("no flags are known"));
    }
    for file in [&input, &output] {
        match file.inode().kind() {
            FileType::Regular => {}
            FileType::Directory => return Err(Errno::EISDIR.because("a directory")),
            _ => return Err(Errno::EINVAL.because("not a regular file")),
        }
    }
    input.check_readable()?;
    output.check_writable()?;
    if output.flags().contains(OpenFlags::O_APPEND) {
        return Err(Errno::EBADF.because("the output is only appended to"));
    }
    let (from, to) = (Cursor::read(cx, &input, off_in)?, Cursor::read(cx, &output, off_out)?);
    let size = input.attr()?.size;
    let left = count_of(len.min(size.saturating_sub(from.at)));
    if left == 0 {
        return Ok(Outcome::Done(Ok(0)));
    }
    let is_same = input.path().is_same(output.path()) || Arc::ptr_eq(input.inode(), output.inode());
    let overlaps = from.at < to.at.saturating_add(left as u64) && to.at < from.at.saturating_add(left as u64);
    if is_same && overlaps {
        return Err(Errno::EINVAL.because("the ranges overlap"));
    }
    let transfer = Transfer { input: Source::File(input, from), output: Sink::File(output, to), left, done: 0 };
    Ok(transfer.run(cx, false, true))
}
