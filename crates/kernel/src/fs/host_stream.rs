//! Byte streams of the host as files: standard input, output and error where
//! they are no terminal.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::any::Any;
use core::fmt;
use core::task::Waker;

use linux_abi::Errno;
use linux_abi::fcntl::OpenFlags;
use linux_abi::ioctl::FIONREAD;
use linux_abi::poll::PollEvents;
use machine::{GuestAddr, HostKind, HostStream};

use crate::Kernel;
use crate::error::{Because, Result};
use crate::fs::{Attr, Dentry, File, FileOps, FileType, Inode, IoBuf, Opening, SetAttr};
use crate::sched::WaitQueue;
use crate::syscall::{Cx, Outcome};
use crate::task::Task;

/// How much is moved between guest and host at once.
const CHUNK: usize = 65536;

struct Stream {
    stream: Arc<dyn HostStream>,
    kind: FileType,
    /// It has positions: a regular file or a block device of the host.
    is_seekable: bool,
    queue: WaitQueue,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({:?})", self.kind)
    }
}

/// Wakes everybody who waits for a stream.
struct WakeAll(WaitQueue);

impl Wake for WakeAll {
    fn wake(self: Arc<Self>) {
        self.0.wake_all();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake_all();
    }
}

/// Opens a host stream as a file of the guest. `name` is what
/// `/proc/self/fd` shows.
pub fn open_host_stream(kernel: &Arc<Kernel>, name: &str, stream: Arc<dyn HostStream>) -> Arc<File> {
    let kind = match stream.stat().map(|stat| stat.kind) {
        Ok(HostKind::File) => FileType::Regular,
        Ok(HostKind::Dir) => FileType::Directory,
        Ok(HostKind::CharDev) => FileType::CharDevice,
        Ok(HostKind::BlockDev) => FileType::BlockDevice,
        Ok(HostKind::Socket) => FileType::Socket,
        Ok(HostKind::Fifo | HostKind::Symlink) | Err(_) => FileType::Fifo,
    };
    let flags = match (stream.reads(), stream.writes()) {
        (true, true) => OpenFlags::O_RDWR,
        (false, true) => OpenFlags::O_WRONLY,
        _ => OpenFlags::empty(),
    };
    let queue = WaitQueue::new();
    let event = kernel.new_event(Waker::from(Arc::new(WakeAll(queue.clone()))));
    stream.set_notify(Box::new(move || event.raise()));
    let is_seekable = matches!(kind, FileType::Regular | FileType::BlockDevice);
    let node = Arc::new(Stream { stream, kind, is_seekable, queue });
    let path = kernel.vfs().unnamed_path(Dentry::unnamed(node.clone(), name.as_bytes()));
    File::new(kernel, path, node, flags)
}

impl Inode for Stream {
    fn kind(&self) -> FileType {
        self.kind
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr::of_host(self.kind, &self.stream.stat()?))
    }

    fn set_attr(&self, change: &SetAttr) -> Result<()> {
        // The size alone is the stream's own; owner and mode are the host's.
        match change.size {
            Some(size) => Ok(self.stream.set_len(size)?),
            None => Err(Errno::EPERM.into()),
        }
    }

    /// The same stream once more: its position is the host's anyway.
    fn open_again(self: Arc<Self>, opening: &Opening<'_>) -> Option<Result<Arc<dyn FileOps>>> {
        let access = opening.flags.access();
        if access.reads() && !self.stream.reads() || access.writes() && !self.stream.writes() {
            return Some(Err(Errno::EACCES.because("the stream is not open for that")));
        }
        Some(Ok(self))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl Stream {
    /// Moves bytes from the host into `buf` with `read`, a chunk at a time,
    /// until something is short.
    fn pull(
        &self,
        buf: &mut IoBuf<'_>,
        mut read: impl FnMut(&mut [u8], usize) -> core::result::Result<usize, Errno>,
    ) -> Result<usize> {
        let mut chunk = buffer(buf.left());
        let mut done = 0;
        // Only the first read may take what cannot be given back: a pipe's
        // bytes are gone if the guest's memory turns out to be bad.
        let len = buf.left().min(chunk.len());
        let count = read(&mut chunk[..len], done)?;
        if count > 0 {
            done += buf.put(&chunk[..count])?;
        }
        Ok(done)
    }

    fn push(
        &self,
        buf: &mut IoBuf<'_>,
        mut write: impl FnMut(&[u8], usize) -> core::result::Result<usize, Errno>,
    ) -> Result<usize> {
        let mut chunk = buffer(buf.left());
        let count = buf.take(&mut chunk)?;
        let mut done = 0;
        while done < count {
            match write(&chunk[done..count], done) {
                Ok(taken) => done += taken,
                Err(error) if done == 0 => return Err(error.into()),
                Err(_) => break,
            }
        }
        Ok(done)
    }
}

fn buffer(wanted: usize) -> Box<[u8]> {
    alloc::vec![0; wanted.min(CHUNK)].into_boxed_slice()
}

impl FileOps for Stream {
    fn read(&self, _: &File, _: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        self.pull(buf, |chunk, _| self.stream.read(chunk))
    }

    fn write(&self, _: &File, _: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        self.push(buf, |chunk, _| self.stream.write(chunk))
    }

    fn writes_all(&self) -> bool {
        true
    }

    fn read_at(&self, _: &File, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
        self.pull(buf, |chunk, done| self.stream.read_at(offset.saturating_add(done as u64), chunk))
    }

    fn write_at(&self, _: &File, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
        self.push(buf, |chunk, done| self.stream.write_at(offset.saturating_add(done as u64), chunk))
    }

    /// The position is the host's, shared with the process that gave the
    /// stream: a shell's `{ prog; prog; } > file` appends as it should.
    fn seek(&self, _: &File, _: u64, offset: i64, whence: u32) -> Result<u64> {
        Ok(self.stream.seek(offset, whence)?)
    }

    fn ioctl(&self, _: &Arc<File>, cx: &mut Cx<'_>, command: u32, arg: GuestAddr) -> Outcome {
        if command != FIONREAD {
            return Outcome::Done(Err(Errno::ENOTTY.into()));
        }
        let store = || -> Result<u64> {
            let pending = self.stream.pending()?;
            cx.task.mm().write_u32(arg, u32::try_from(pending).unwrap_or(u32::MAX))?;
            Ok(0)
        };
        Outcome::Done(store())
    }

    fn poll(&self, _: &File) -> PollEvents {
        let ready = self.stream.ready();
        let mut events = PollEvents::empty();
        events.set(PollEvents::POLLIN | PollEvents::POLLRDNORM, ready.readable);
        events.set(PollEvents::POLLOUT | PollEvents::POLLWRNORM, ready.writable);
        events.set(PollEvents::POLLHUP, ready.hangup);
        events.set(PollEvents::POLLERR, ready.error);
        events
    }

    fn wait_queue(&self) -> Option<WaitQueue> {
        Some(self.queue.clone())
    }

    fn can_epoll(&self) -> bool {
        !self.is_seekable
    }

    fn sync(&self, _: &File, _data_only: bool) -> Result<()> {
        Ok(self.stream.sync()?)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
