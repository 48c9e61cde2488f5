//! Reading and writing.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;

use linux_abi::Errno;
use linux_abi::fcntl::OpenFlags;
use linux_abi::resource::RLIMIT_FSIZE;
use linux_abi::uio::{MAX_RW_COUNT, RwFlags};
use machine::GuestAddr;

use crate::Kernel;
use crate::error::{Because, Error, Result};
use crate::fs::{Attr, File, FileType, IoBuf, SetAttr};
use crate::mm::{IoVec, Mm};
use crate::sched::{Sleep, WaitQueue};
use crate::signal::{self, Info, InfoFields, Number};
use crate::syscall::{Cx, Outcome, Row};
use crate::syscalls;
use crate::task::Task;

/// The system calls of this file.
pub(super) const ROWS: &[Row] = syscalls! {
    62 lseek(fd: i32, offset: i64, whence: u32) Full, lseek;
    63 read(fd: i32, buf: GuestAddr, count: u64) Full, read;
    64 write(fd: i32, buf: GuestAddr, count: u64) Full, write;
    65 readv(fd: i32, iov: GuestAddr, iovcnt: usize) Full, readv;
    66 writev(fd: i32, iov: GuestAddr, iovcnt: usize) Full, writev;
    67 pread64(fd: i32, buf: GuestAddr, count: u64, offset: i64) Full, pread64;
    68 pwrite64(fd: i32, buf: GuestAddr, count: u64, offset: i64) Full, pwrite64;
    69 preadv(fd: i32, iov: GuestAddr, iovcnt: usize, offset: i64) Full, preadv;
    70 pwritev(fd: i32, iov: GuestAddr, iovcnt: usize, offset: i64) Full, pwritev;
    286 preadv2(fd: i32, iov: GuestAddr, iovcnt: usize, offset: i64, offset_high: u64, flags: RwFlags)
        Partial("RWF_HIPRI has no effect"), preadv2;
    287 pwritev2(fd: i32, iov: GuestAddr, iovcnt: usize, offset: i64, offset_high: u64, flags: RwFlags)
        Partial("RWF_HIPRI has no effect"), pwritev2;
};

/// The user memory of a read or write.
#[derive(Clone)]
enum Memory {
    One(GuestAddr, usize),
    Many(Vec<IoVec>),
}

impl Memory {
    /// One range, cut to what one call may move.
    fn one(addr: GuestAddr, count: u64) -> Result<Self> {
        if i64::try_from(count).is_err() {
            return Err(Errno::EINVAL.because("the count is negative"));
        }
        Ok(Self::One(addr, usize::try_from(count).unwrap_or(MAX_RW_COUNT).min(MAX_RW_COUNT)))
    }

    fn many(cx: &Cx<'_>, iov: GuestAddr, count: usize) -> Result<Self> {
        cx.task.mm().read_iovecs(iov, count).map(Self::Many)
    }

    fn buf<'a>(&'a self, mm: &'a Mm) -> IoBuf<'a> {
        match self {
            Self::One(addr, len) => IoBuf::user(mm, *addr, *len),
            Self::Many(ranges) => IoBuf::user_ranges(mm, ranges),
        }
    }
}

/// Where in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the file's own position, which moves.
    Current,
    At(u64),
}

impl Place {
    fn at(offset: i64) -> Result<Self> {
        u64::try_from(offset).map(Self::At).map_err(|_| Errno::EINVAL.because("the offset is negative"))
    }
}

pub(crate) fn lseek(cx: &mut Cx<'_>, fd: i32, offset: i64, whence: u32) -> Result<u64> {
    let file = cx.task.files().get_io(fd)?;
    let mut position = file.position();
    let new = file.ops().seek(&file, *position, offset, whence)?;
    *position = new;
    Ok(new)
}

pub(crate) fn read(cx: &mut Cx<'_>, fd: i32, addr: GuestAddr, count: u64) -> Result<Outcome> {
    let memory = Memory::one(addr, count)?;
    read_from(cx, fd, memory, Place::Current, RwFlags::empty())
}

pub(crate) fn readv(cx: &mut Cx<'_>, fd: i32, iov: GuestAddr, count: usize) -> Result<Outcome> {
    cx.task.files().get_io(fd)?.check_readable()?;
    let memory = Memory::many(cx, iov, count)?;
    read_from(cx, fd, memory, Place::Current, RwFlags::empty())
}

pub(crate) fn pread64(cx: &mut Cx<'_>, fd: i32, addr: GuestAddr, count: u64, offset: i64) -> Result<Outcome> {
    let memory = Memory::one(addr, count)?;
    read_from(cx, fd, memory, Place::at(offset)?, RwFlags::empty())
}

pub(crate) fn preadv(cx: &mut Cx<'_>, fd: i32, iov: GuestAddr, count: usize, offset: i64) -> Result<Outcome> {
    let place = Place::at(offset)?;
    cx.task.files().get_io(fd)?;
    let memory = Memory::many(cx, iov, count)?;
    read_from(cx, fd, memory, place, RwFlags::empty())
}

pub(crate) fn preadv2(
    cx: &mut Cx<'_>,
    fd: i32,
    iov: GuestAddr,
    count: usize,
    offset: i64,
    _offset_high: u64,
    flags: RwFlags,
) -> Result<Outcome> {
    let place = if offset == -1 { Place::Current } else { Place::at(offset)? };
    cx.task.files().get_io(fd)?;
    let memory = Memory::many(cx, iov, count)?;
    read_from(cx, fd, memory, place, flags)
}

pub(crate) fn write(cx: &mut Cx<'_>, fd: i32, addr: GuestAddr, count: u64) -> Result<Outcome> {
    let memory = Memory::one(addr, count)?;
    write_to(cx, fd, memory, Place::Current, RwFlags::empty())
}

pub(crate) fn writev(cx: &mut Cx<'_>, fd: i32, iov: GuestAddr, count: usize) -> Result<Outcome> {
    cx.task.files().get_io(fd)?.check_writable()?;
    let memory = Memory::many(cx, iov, count)?;
    write_to(cx, fd, memory, Place::Current, RwFlags::empty())
}

pub(crate) fn pwrite64(cx: &mut Cx<'_>, fd: i32, addr: GuestAddr, count: u64, offset: i64) -> Result<Outcome> {
    let memory = Memory::one(addr, count)?;
    write_to(cx, fd, memory, Place::at(offset)?, RwFlags::empty())
}

pub(crate) fn pwritev(cx: &mut Cx<'_>, fd: i32, iov: GuestAddr, count: usize, offset: i64) -> Result<Outcome> {
    let place = Place::at(offset)?;
    cx.task.files().get_io(fd)?;
    let memory = Memory::many(cx, iov, count)?;
    write_to(cx, fd, memory, place, RwFlags::empty())
}

pub(crate) fn pwritev2(
    cx: &mut Cx<'_>,
    fd: i32,
    iov: GuestAddr,
    count: usize,
    offset: i64,
    _offset_high: u64,
    flags: RwFlags,
) -> Result<Outcome> {
    let place = if offset == -1 { Place::Current } else { Place::at(offset)? };
    cx.task.files().get_io(fd)?;
    let memory = Memory::many(cx, iov, count)?;
    write_to(cx, fd, memory, place, flags)
}

fn read_from(cx: &mut Cx<'_>, fd: i32, memory: Memory, place: Place, flags: RwFlags) -> Result<Outcome> {
    let file = cx.task.files().get_io(fd)?;
    file.check_readable()?;
    let mm = cx.task.mm();
    if file.ops().is_seekable() {
        let mut buf = memory.buf(&mm);
        let count = match place {
            Place::At(offset) => file.ops().read_at(&file, &mut buf, offset)?,
            Place::Current => {
                let mut position = file.position();
                let count = file.ops().read_at(&file, &mut buf, *position)?;
                *position = position.saturating_add(count as u64);
                count
            }
        };
        return Ok(Outcome::Done(Ok(count as u64)));
    }
    if let Place::At(offset) = place {
        // Most streams have no positions and say so.
        return Ok(Outcome::Done(file.ops().read_at(&file, &mut memory.buf(&mm), offset).map(|count| count as u64)));
    }
    let may_wait = !file.is_nonblocking() && !flags.contains(RwFlags::RWF_NOWAIT);
    match file.ops().read(&file, cx.task, &mut memory.buf(&mm)) {
        Err(error) if may_wait && error.errno == Errno::EAGAIN => {}
        result => return Ok(Outcome::Done(result.map(|count| count as u64))),
    }
    let queue = queue_of(&file)?;
    let (kernel, task) = (cx.kernel.clone(), cx.task.clone());
    let since_ns = kernel.now_ns();
    Ok(Outcome::wait(async move {
        let read = wait_to_read(&kernel, &task, &file, since_ns, &mm, &memory, &queue);
        task.interruptible(read).await.unwrap_or(Err(Error::INTERRUPTED))
    }))
}

/// Reads from a stream once it gives something, or once its own time limit
/// for that is over.
async fn wait_to_read(
    kernel: &Arc<Kernel>,
    task: &Arc<Task>,
    file: &File,
    since_ns: u64,
    mm: &Mm,
    memory: &Memory,
    queue: &WaitQueue,
) -> Result<u64> {
    let mut registration = None;
    let mut limit: Option<(u64, Sleep)> = None;
    poll_fn(|context| {
        if registration.is_none() {
            registration = Some(queue.register(context.waker()));
        }
        match file.ops().read(file, task, &mut memory.buf(mm)) {
            Err(error) if error.errno == Errno::EAGAIN => {}
            result => return Poll::Ready(result.map(|count| count as u64)),
        }
        let Some(deadline_ns) = file.ops().read_deadline(file, since_ns) else {
            limit = None;
            return Poll::Pending;
        };
        if limit.as_ref().is_none_or(|(old_ns, _)| *old_ns != deadline_ns) {
            limit = Some((deadline_ns, Sleep::until(kernel, deadline_ns)));
        }
        match limit.as_mut().map(|(_, sleep)| Pin::new(sleep).poll(context)) {
            Some(Poll::Ready(())) => {
                let late = file.ops().read_late(file, &mut memory.buf(mm));
                Poll::Ready(late.map(|count| count as u64))
            }
            _ => Poll::Pending,
        }
    })
    .await
}

fn queue_of(file: &File) -> Result<WaitQueue> {
    file.ops().wait_queue().ok_or(Errno::EAGAIN.because("the file cannot be waited for"))
}

fn write_to(cx: &mut Cx<'_>, fd: i32, memory: Memory, place: Place, flags: RwFlags) -> Result<Outcome> {
    let file = cx.task.files().get_io(fd)?;
    file.check_writable()?;
    if file.ops().is_seekable() {
        let mm = cx.task.mm();
        let count = write_seekable(cx, &file, &mut memory.buf(&mm), place, flags)?;
        return Ok(Outcome::Done(Ok(count as u64)));
    }
    if let Place::At(offset) = place {
        let mm = cx.task.mm();
        let written = file.ops().write_at(&file, &mut memory.buf(&mm), offset);
        return Ok(Outcome::Done(written.map(|count| count as u64)));
    }
    let may_wait = !file.is_nonblocking() && !flags.contains(RwFlags::RWF_NOWAIT);
    Ok(write_stream(cx, file, memory, may_wait))
}

/// Writes to a file that has positions: never waits.
fn write_seekable(cx: &Cx<'_>, file: &Arc<File>, buf: &mut IoBuf<'_>, place: Place, flags: RwFlags) -> Result<usize> {
    let appends = file.flags().contains(OpenFlags::O_APPEND) || flags.contains(RwFlags::RWF_APPEND);
    let is_regular = file.inode().kind() == FileType::Regular;
    if is_regular && !buf.is_at_end() {
        drop_set_id(cx.task, file)?;
    }
    let mut position = (place == Place::Current).then(|| file.position());
    let start = match (&position, place) {
        _ if appends => file.attr()?.size,
        (_, Place::At(offset)) => offset,
        (Some(position), _) => **position,
        (None, Place::Current) => 0,
    };
    if is_regular {
        limit_size(cx, buf, start)?;
    }
    let (start, count) =
        if appends { file.ops().append(file, buf)? } else { (start, file.ops().write_at(file, buf, start)?) };
    if let Some(position) = &mut position {
        **position = start.saturating_add(count as u64);
    }
    let data_only = flags.contains(RwFlags::RWF_DSYNC);
    if count > 0 && (data_only || flags.contains(RwFlags::RWF_SYNC) || file.flags().contains(OpenFlags::O_DSYNC)) {
        file.ops().sync(file, data_only)?;
    }
    Ok(count)
}

/// Cuts a write to what the file-size limit leaves.
fn limit_size(cx: &Cx<'_>, buf: &mut IoBuf<'_>, start: u64) -> Result<()> {
    let limit = cx.task.process.limit(RLIMIT_FSIZE as usize).soft;
    if limit == u64::MAX || buf.is_at_end() {
        return Ok(());
    }
    if start >= limit {
        signal::send_to_task(cx.kernel, cx.task, own_signal(cx.task, Number::SIGXFSZ));
        return Err(Errno::EFBIG.because("the file-size limit is reached"));
    }
    buf.limit(usize::try_from(limit - start).unwrap_or(usize::MAX));
    Ok(())
}

/// A signal that a task's own call sends it.
fn own_signal(task: &Task, signal: Number) -> Info {
    let fields = InfoFields::Kill { pid: task.process.pid, uid: task.creds().uid };
    Info { signal, errno: 0, code: Info::SI_USER, fields }
}

/// Whoever writes without privilege takes set-user-ID and set-group-ID away.
fn drop_set_id(task: &Task, file: &File) -> Result<()> {
    if task.creds().fsuid == 0 {
        return Ok(());
    }
    let attr: Attr = file.attr()?;
    let mode = attr.mode_without_set_id();
    if mode != attr.mode {
        file.inode().set_attr(&SetAttr { mode: Some(mode), ..SetAttr::default() })?;
    }
    Ok(())
}

/// Writes to a stream, waiting as long as it takes if `may_wait`. What has been
/// written counts when the wait ends early.
fn write_stream(cx: &mut Cx<'_>, file: Arc<File>, memory: Memory, may_wait: bool) -> Outcome {
    let mut writing = Writing { file, memory, mm: cx.task.mm(), done: 0 };
    match writing.attempt(cx.task) {
        Some(result) => return Outcome::Done(finish(cx.task, result)),
        None if !may_wait => {
            let again = Errno::EAGAIN.because("the write would wait");
            return Outcome::Done(if writing.done > 0 { Ok(writing.done as u64) } else { Err(again) });
        }
        None => {}
    }
    let queue = match queue_of(&writing.file) {
        Ok(queue) => queue,
        Err(error) => return Outcome::Done(Err(error)),
    };
    let task = cx.task.clone();
    Outcome::wait(async move {
        let result = task.interruptible(queue.wait_until(|| writing.attempt(&task))).await;
        match result {
            Ok(result) => finish(&task, result),
            Err(_) if writing.done > 0 => Ok(writing.done as u64),
            Err(_) => Err(Error::INTERRUPTED),
        }
    })
}

/// A write to a stream under way.
struct Writing {
    file: Arc<File>,
    memory: Memory,
    mm: Arc<Mm>,
    done: usize,
}

impl Writing {
    /// Writes what can be written; `None` if the rest has to wait.
    fn attempt(&mut self, task: &Arc<Task>) -> Option<Result<u64>> {
        let mut buf = self.memory.buf(&self.mm);
        buf.skip(self.done);
        loop {
            match self.file.ops().write(&self.file, task, &mut buf) {
                Ok(count) => {
                    self.done += count;
                    if count == 0 || buf.is_at_end() || !self.file.ops().writes_all() {
                        return Some(Ok(self.done as u64));
                    }
                }
                Err(error) if error.errno == Errno::EAGAIN => return None,
                Err(error) if self.done > 0 => {
                    if error.errno == Errno::EPIPE {
                        broken_pipe(task);
                    }
                    return Some(Ok(self.done as u64));
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// The end of a write: a broken pipe also sends SIGPIPE.
fn finish(task: &Arc<Task>, result: Result<u64>) -> Result<u64> {
    if let Err(error) = &result
        && error.errno == Errno::EPIPE
    {
        broken_pipe(task);
    }
    result
}

/// Sends SIGPIPE to the task that wrote where nobody reads.
pub(super) fn broken_pipe(task: &Arc<Task>) {
    if let Some(kernel) = task.kernel() {
        signal::send_to_task(&kernel, task, own_signal(task, Number::SIGPIPE));
    }
}
