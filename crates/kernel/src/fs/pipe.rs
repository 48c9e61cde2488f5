//! Pipes and FIFOs.
//!
//! A [`Pipe`] is a queue of bytes with a capacity. Its ends are [`PipeEnd`]s;
//! a FIFO's pipe exists while some end of it is open and is found by the
//! file's identity ([`Fifos`]). In packet mode (`O_DIRECT`) each write is one
//! packet that a read takes alone.
//!
//! The pipe's lock is held during the copy from or to user memory: an address
//! space's lock may be taken under it, never the other way round.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hashbrown::HashMap;
use linux_abi::Errno;
use linux_abi::fcntl::{AccessMode, OpenFlags, PIPE_BUF};
use linux_abi::ioctl::FIONREAD;
use machine::GuestAddr;
use machine::sync::Mutex;

use crate::error::{Because, Result};
use crate::fs::{Attr, File, FileOps, IoBuf, PollEvents};
use crate::sched::WaitQueue;
use crate::syscall::{Cx, Outcome};
use crate::task::Task;

/// What a new pipe holds, in bytes.
pub(crate) const DEFAULT_CAPACITY: usize = 65536;
/// The most that `F_SETPIPE_SZ` allows (`/proc/sys/fs/pipe-max-size`).
pub(crate) const MAX_CAPACITY: usize = 1 << 20;
/// The most that all pipes together may be promised; past it a new pipe holds
/// one page, so that pipes cannot use up the host's memory.
const TOTAL_CAPACITY: usize = 256 << 20;

#[derive(Debug, Default)]
struct State {
    bytes: VecDeque<u8>,
    /// Lengths of the packets at the front of `bytes`, in packet mode. Bytes
    /// beyond them were written without it.
    packets: VecDeque<usize>,
    capacity: usize,
    readers: usize,
    writers: usize,
    /// How often each kind of end has been opened, for those who wait in
    /// `open` and might miss a partner that comes and goes.
    reader_opens: u64,
    writer_opens: u64,
}

impl State {
    fn room(&self) -> usize {
        self.capacity.saturating_sub(self.bytes.len())
    }
}

/// A pipe.
pub(crate) struct Pipe {
    state: Mutex<State>,
    queue: WaitQueue,
    total: Arc<AtomicUsize>,
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        write!(f, "Pipe({} bytes, {} readers, {} writers)", state.bytes.len(), state.readers, state.writers)
    }
}

impl Pipe {
    pub(super) fn new(total: &Arc<AtomicUsize>) -> Arc<Self> {
        let promised = total.fetch_add(DEFAULT_CAPACITY, Ordering::Relaxed);
        let capacity = if promised < TOTAL_CAPACITY { DEFAULT_CAPACITY } else { PIPE_BUF };
        total.fetch_sub(DEFAULT_CAPACITY - capacity, Ordering::Relaxed);
        let state = State { capacity, ..State::default() };
        Arc::new(Self { state: Mutex::new(state), queue: WaitQueue::new(), total: total.clone() })
    }

    /// Bytes that wait to be read.
    pub(crate) fn pending(&self) -> usize {
        self.state.lock().bytes.len()
    }

    /// Woken whenever the pipe changes.
    pub(crate) fn queue(&self) -> &WaitQueue {
        &self.queue
    }

    /// Its capacity in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.state.lock().capacity
    }

    /// Changes the capacity and returns what it is now: `size` rounded up to
    /// a power of two of pages.
    ///
    /// # Errors
    /// `EINVAL` for more than 2^31, `EPERM` for more than allowed, `EBUSY` if
    /// more is in the pipe.
    pub(crate) fn set_capacity(&self, size: u32, is_privileged: bool) -> Result<usize> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > 1 << 31 {
            return Err(Errno::EINVAL.because("the pipe would be too large"));
        }
        let size = size.max(PIPE_BUF).next_power_of_two();
        let mut state = self.state.lock();
        let old = state.capacity;
        let total = self.total.load(Ordering::Relaxed).saturating_sub(old).saturating_add(size);
        if size > old && (size > MAX_CAPACITY && !is_privileged || total > TOTAL_CAPACITY) {
            return Err(Errno::EPERM.because("pipes may not become that large"));
        }
        if size < state.bytes.len() {
            return Err(Errno::EBUSY.because("the pipe holds more"));
        }
        state.capacity = size;
        self.total.fetch_add(size, Ordering::Relaxed);
        self.total.fetch_sub(old, Ordering::Relaxed);
        drop(state);
        self.queue.wake_all();
        Ok(size)
    }

    /// Reads what is there.
    ///
    /// # Errors
    /// `EAGAIN` if the pipe is empty and somebody may still write.
    pub(crate) fn read(&self, buf: &mut IoBuf<'_>) -> Result<usize> {
        if buf.is_at_end() {
            return Ok(0);
        }
        let mut state = self.state.lock();
        if state.bytes.is_empty() {
            return if state.writers == 0 { Ok(0) } else { Err(Errno::EAGAIN.because("the pipe is empty")) };
        }
        let was_full = state.room() < PIPE_BUF;
        let packet = state.packets.pop_front();
        let available = packet.unwrap_or(state.bytes.len());
        let (front, back) = state.bytes.as_slices();
        let first = front.len().min(available);
        let copied = copy_out(buf, &front[..first], &back[..(available - first).min(back.len())]);
        let count = match copied {
            Ok(count) => count,
            Err(error) => {
                if let Some(packet) = packet {
                    state.packets.push_front(packet);
                }
                return Err(error);
            }
        };
        // What a read leaves of a packet is lost.
        let gone = packet.unwrap_or(count);
        state.bytes.drain(..gone);
        if state.bytes.is_empty() && state.bytes.capacity() > DEFAULT_CAPACITY {
            state.bytes = VecDeque::new();
        }
        drop(state);
        if was_full {
            self.queue.wake_all();
        }
        Ok(count)
    }

    /// Writes as much as there is room for; up to [`PIPE_BUF`] bytes all or
    /// none. With `as_packets` each call is one packet, or several of that
    /// size.
    ///
    /// # Errors
    /// `EPIPE` if nobody can read; `EAGAIN` if there is no room.
    pub(crate) fn write(&self, buf: &mut IoBuf<'_>, as_packets: bool) -> Result<usize> {
        let mut state = self.state.lock();
        if state.readers == 0 {
            return Err(Errno::EPIPE.because("nobody has the pipe open for reading"));
        }
        let wanted = buf.left();
        if wanted == 0 {
            return Ok(0);
        }
        let room = state.room();
        let needed = if wanted <= PIPE_BUF { wanted } else { 1 };
        if room < needed || as_packets && room < PIPE_BUF.min(wanted) {
            return Err(Errno::EAGAIN.because("the pipe is full"));
        }
        let mut chunk = [0; PIPE_BUF];
        let (mut left, mut total) = (wanted.min(room), 0);
        let mut result = Ok(());
        while left > 0 {
            let step = left.min(PIPE_BUF);
            match buf.take(&mut chunk[..step]) {
                Ok(0) => break,
                Ok(count) => {
                    let was_packets = !state.packets.is_empty();
                    if as_packets || was_packets {
                        // Bytes without packet mode behind packets are kept
                        // apart from them.
                        let (known, len) = (state.packets.iter().sum::<usize>(), state.bytes.len());
                        if known < len {
                            state.packets.push_back(len - known);
                        }
                        state.packets.push_back(count);
                    }
                    state.bytes.extend(&chunk[..count]);
                    (left, total) = (left - count, total + count);
                    if count < step {
                        break;
                    }
                }
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        drop(state);
        if total == 0 {
            return result.map(|()| 0);
        }
        self.queue.wake_all();
        Ok(total)
    }

    /// Copies up to `limit` bytes from the front, without taking them, for
    /// `tee` and `splice`.
    ///
    /// # Errors
    /// As [`Pipe::read`].
    pub(crate) fn peek(&self, limit: usize, out: &mut alloc::vec::Vec<u8>) -> Result<usize> {
        let state = self.state.lock();
        if state.bytes.is_empty() {
            return if state.writers == 0 { Ok(0) } else { Err(Errno::EAGAIN.because("the pipe is empty")) };
        }
        let available = state.packets.front().copied().unwrap_or(state.bytes.len()).min(limit);
        out.extend(state.bytes.iter().take(available));
        Ok(available)
    }

    /// Takes `count` bytes from the front that [`Pipe::peek`] has shown.
    pub(crate) fn consume(&self, count: usize) {
        let mut state = self.state.lock();
        let count = count.min(state.bytes.len());
        state.bytes.drain(..count);
        if let Some(packet) = state.packets.pop_front()
            && packet > count
        {
            state.packets.push_front(packet - count);
        }
        drop(state);
        self.queue.wake_all();
    }

    /// Puts bytes in, whether there is still room or not.
    ///
    /// # Errors
    /// `EPIPE` if nobody can read.
    pub(crate) fn push(&self, bytes: &[u8]) -> Result<usize> {
        let mut state = self.state.lock();
        if state.readers == 0 {
            return Err(Errno::EPIPE.because("nobody has the pipe open for reading"));
        }
        state.bytes.extend(bytes);
        drop(state);
        self.queue.wake_all();
        Ok(bytes.len())
    }

    /// Bytes that can be written now.
    ///
    /// # Errors
    /// `EPIPE` if nobody can read; `EAGAIN` if there is no room.
    pub(crate) fn room(&self) -> Result<usize> {
        let state = self.state.lock();
        if state.readers == 0 {
            return Err(Errno::EPIPE.because("nobody has the pipe open for reading"));
        }
        match state.room() {
            0 => Err(Errno::EAGAIN.because("the pipe is full")),
            room => Ok(room),
        }
    }

    /// Opens an end.
    pub(super) fn open(self: &Arc<Self>, access: AccessMode) -> Arc<PipeEnd> {
        let mut state = self.state.lock();
        if access.reads() {
            state.readers += 1;
            state.reader_opens += 1;
        }
        if access.writes() {
            state.writers += 1;
            state.writer_opens += 1;
        }
        drop(state);
        self.queue.wake_all();
        let was_opened_alone = AtomicBool::new(false);
        Arc::new(PipeEnd { pipe: self.clone(), access, was_opened_alone, opens_seen: 0 })
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.total.fetch_sub(self.state.get_mut().capacity, Ordering::Relaxed);
    }
}

fn copy_out(buf: &mut IoBuf<'_>, front: &[u8], back: &[u8]) -> Result<usize> {
    let first = buf.put(front)?;
    if first < front.len() || back.is_empty() {
        return Ok(first);
    }
    // A fault in the second part leaves the first.
    Ok(first + buf.put(back).unwrap_or(0))
}

/// One open end of a pipe.
pub(crate) struct PipeEnd {
    pipe: Arc<Pipe>,
    access: AccessMode,
    /// A FIFO's reading end that was opened while nobody wrote: until somebody
    /// has, the lack of writers is no hang-up.
    was_opened_alone: AtomicBool,
    opens_seen: u64,
}

impl PipeEnd {
    /// The pipe.
    pub(crate) fn pipe(&self) -> &Arc<Pipe> {
        &self.pipe
    }
}

/// Both ends of a new pipe.
pub(super) fn ends(pipe: &Arc<Pipe>) -> (Arc<PipeEnd>, Arc<PipeEnd>) {
    (pipe.open(AccessMode::Read), pipe.open(AccessMode::Write))
}

impl FileOps for PipeEnd {
    fn read(&self, _file: &File, _task: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        self.pipe.read(buf)
    }

    fn write(&self, file: &File, _task: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        self.pipe.write(buf, file.flags().contains(OpenFlags::O_DIRECT))
    }

    fn writes_all(&self) -> bool {
        true
    }

    fn ioctl(&self, _file: &Arc<File>, cx: &mut Cx<'_>, command: u32, arg: GuestAddr) -> Outcome {
        if command != FIONREAD {
            return Outcome::Done(Err(Errno::ENOTTY.because("a pipe takes no such command")));
        }
        let pending = u32::try_from(self.pipe.pending()).unwrap_or(u32::MAX);
        Outcome::Done(cx.task.mm().write_u32(arg, pending).map(|()| 0))
    }

    fn poll(&self, _file: &File) -> PollEvents {
        let state = self.pipe.state.lock();
        let mut events = PollEvents::empty();
        if self.access.reads() {
            if !state.bytes.is_empty() {
                events |= PollEvents::POLLIN | PollEvents::POLLRDNORM;
            }
            let never_written = self.was_opened_alone.load(Ordering::Relaxed) && state.writer_opens == self.opens_seen;
            if state.writers == 0 && !never_written {
                events |= PollEvents::POLLHUP;
            }
        }
        if self.access.writes() {
            if state.room() >= PIPE_BUF {
                events |= PollEvents::POLLOUT | PollEvents::POLLWRNORM;
            }
            if state.readers == 0 {
                events |= PollEvents::POLLERR;
            }
        }
        events
    }

    fn wait_queue(&self) -> Option<WaitQueue> {
        Some(self.pipe.queue.clone())
    }

    fn describe(&self, _file: &File, _out: &mut String) {}

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}

impl Drop for PipeEnd {
    fn drop(&mut self) {
        let mut state = self.pipe.state.lock();
        if self.access.reads() {
            state.readers -= 1;
        }
        if self.access.writes() {
            state.writers -= 1;
        }
        if state.readers == 0 && state.writers == 0 {
            state.bytes = VecDeque::new();
            state.packets = VecDeque::new();
        }
        drop(state);
        self.pipe.queue.wake_all();
    }
}

/// What an `open` of a FIFO waits for: an end of the other kind.
#[derive(Debug)]
pub struct FifoWait {
    pipe: Arc<Pipe>,
    for_writer: bool,
    opens_seen: u64,
}

impl FifoWait {
    /// Woken when it may be over.
    #[must_use]
    pub fn queue(&self) -> &WaitQueue {
        &self.pipe.queue
    }

    /// True once the other kind of end has been opened.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let state = self.pipe.state.lock();
        let opens = if self.for_writer { state.writer_opens } else { state.reader_opens };
        opens != self.opens_seen
    }
}

/// The FIFOs that are open, by device and inode number.
#[derive(Debug, Default)]
pub(crate) struct Fifos {
    pipes: Mutex<HashMap<(u64, u64), Weak<Pipe>>>,
    /// What all pipes together may hold.
    total: Arc<AtomicUsize>,
}

impl Fifos {
    /// A pipe without a name.
    pub(crate) fn new_pipe(&self) -> Arc<Pipe> {
        Pipe::new(&self.total)
    }

    /// Opens an end of the FIFO with these attributes; tells what the opener
    /// has to wait for.
    ///
    /// # Errors
    /// `ENXIO` for a writer that will not wait and finds no reader.
    pub(super) fn open(&self, attr: &Attr, flags: OpenFlags) -> Result<(Arc<PipeEnd>, Option<FifoWait>)> {
        let key = (attr.dev, attr.ino);
        let pipe = {
            let mut pipes = self.pipes.lock();
            pipes.retain(|_, pipe| pipe.strong_count() > 0);
            match pipes.get(&key).and_then(Weak::upgrade) {
                Some(pipe) => pipe,
                None => {
                    let pipe = self.new_pipe();
                    pipes.insert(key, Arc::downgrade(&pipe));
                    pipe
                }
            }
        };
        let (readers, writers, writer_opens, reader_opens) = {
            let state = pipe.state.lock();
            (state.readers, state.writers, state.writer_opens, state.reader_opens)
        };
        let is_nonblocking = flags.contains(OpenFlags::O_NONBLOCK);
        let (for_writer, opens_seen) = match flags.access() {
            AccessMode::Read if writers == 0 => (true, writer_opens),
            AccessMode::Write if readers == 0 => {
                if is_nonblocking {
                    return Err(Errno::ENXIO.because("nobody reads the FIFO"));
                }
                (false, reader_opens)
            }
            access => return Ok((pipe.open(access), None)),
        };
        let access = flags.access();
        let mut end = pipe.open(access);
        if is_nonblocking {
            if let Some(end) = Arc::get_mut(&mut end) {
                *end.was_opened_alone.get_mut() = true;
                end.opens_seen = opens_seen;
            }
            return Ok((end, None));
        }
        Ok((end, Some(FifoWait { pipe, for_writer, opens_seen })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipe() -> (Arc<Pipe>, Arc<PipeEnd>, Arc<PipeEnd>) {
        let pipe = Fifos::default().new_pipe();
        let (reader, writer) = ends(&pipe);
        (pipe, reader, writer)
    }

    fn write(pipe: &Pipe, bytes: &[u8]) -> core::result::Result<usize, Errno> {
        pipe.write(&mut IoBuf::from_slice(bytes), false).map_err(|error| error.errno)
    }

    fn read(pipe: &Pipe, len: usize) -> core::result::Result<alloc::vec::Vec<u8>, Errno> {
        let mut out = alloc::vec![0; len];
        let count = pipe.read(&mut IoBuf::into_slice(&mut out)).map_err(|error| error.errno)?;
        out.truncate(count);
        Ok(out)
    }

    #[test]
    fn bytes_come_out_in_order() {
        let (pipe, _reader, _writer) = pipe();
        assert_eq!(write(&pipe, b"hello "), Ok(6));
        assert_eq!(write(&pipe, b"world"), Ok(5));
        assert_eq!(read(&pipe, 8).as_deref(), Ok(&b"hello wo"[..]));
        assert_eq!(read(&pipe, 8).as_deref(), Ok(&b"rld"[..]));
        assert_eq!(read(&pipe, 8), Err(Errno::EAGAIN));
    }

    #[test]
    fn the_end_is_read_once_no_writer_is_left() {
        let (pipe, _reader, writer) = pipe();
        assert_eq!(write(&pipe, b"x"), Ok(1));
        drop(writer);
        assert_eq!(read(&pipe, 8).as_deref(), Ok(&b"x"[..]));
        assert_eq!(read(&pipe, 8).as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn a_write_without_reader_is_epipe() {
        let (pipe, reader, _writer) = pipe();
        drop(reader);
        assert_eq!(write(&pipe, b"x"), Err(Errno::EPIPE));
    }

    #[test]
    fn a_small_write_is_all_or_nothing() {
        let (pipe, _reader, _writer) = pipe();
        assert_eq!(write(&pipe, &[1; DEFAULT_CAPACITY - 10]), Ok(DEFAULT_CAPACITY - 10));
        assert_eq!(write(&pipe, &[2; 11]), Err(Errno::EAGAIN), "no part of it fits alone");
        assert_eq!(write(&pipe, &[2; PIPE_BUF + 1]), Ok(10), "a large one may be split");
        assert_eq!(write(&pipe, &[2; 1]), Err(Errno::EAGAIN));
    }

    #[test]
    fn a_packet_is_read_alone_and_its_rest_is_lost() {
        let (pipe, _reader, _writer) = pipe();
        for packet in [&b"first"[..], b"second"] {
            assert_eq!(pipe.write(&mut IoBuf::from_slice(packet), true), Ok(packet.len()));
        }
        assert_eq!(read(&pipe, 3).as_deref(), Ok(&b"fir"[..]));
        assert_eq!(read(&pipe, 64).as_deref(), Ok(&b"second"[..]));
    }

    #[test]
    fn the_capacity_is_rounded_up_and_not_below_the_contents() {
        let (pipe, _reader, _writer) = pipe();
        assert_eq!(pipe.set_capacity(5000, false), Ok(8192));
        assert_eq!(write(&pipe, &[0; 8192]), Ok(8192));
        assert_eq!(pipe.set_capacity(4096, false).map_err(|error| error.errno), Err(Errno::EBUSY));
        assert_eq!(pipe.set_capacity(2 << 20, false).map_err(|error| error.errno), Err(Errno::EPERM));
    }

    #[test]
    fn a_fifo_waits_for_its_other_end() {
        let fifos = Fifos::default();
        let attr = Attr { ino: 7, ..Attr::new(crate::fs::FileType::Fifo, 0o600) };
        let (_reader, wait) = fifos.open(&attr, OpenFlags::empty()).expect("a reader may come first");
        let wait = wait.expect("it waits for a writer");
        assert!(!wait.is_over());
        let (_writer, none) = fifos.open(&attr, OpenFlags::O_WRONLY).expect("there is a reader");
        assert!(none.is_none() && wait.is_over());
        let other = Attr { ino: 8, ..attr };
        let refused = fifos.open(&other, OpenFlags::O_WRONLY | OpenFlags::O_NONBLOCK);
        assert_eq!(refused.err().map(|error| error.errno), Some(Errno::ENXIO));
    }
}
