//! Pipes, sockets, files and devices of the host as [`HostStream`]s.
//!
//! No call may make a CPU wait for the other side, but the descriptor's
//! open file description belongs to other processes too, so `O_NONBLOCK` is
//! not ours to set. A pipe is therefore opened once more, with a description of
//! our own; a socket has non-blocking calls; whatever else there is is asked
//! with `poll` first, and written in pieces that `poll` has promised room for.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock};

use linux_abi::Errno;
use machine::{HostKind, HostStat, HostStream, StreamReady};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, SeekFrom};
use rustix::net::{RecvFlags, SendFlags};

use crate::errno::guest;
use crate::host_stat::from_host_stat;
use crate::watch::{Callback, Watcher};

/// What a pipe takes without waiting if `poll` says that it takes something.
const PROMISED_ROOM: usize = 4096;

/// Neither waiting nor a signal where nobody reads.
#[cfg(target_os = "linux")]
const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
/// Not waiting; a Rust program ignores the signal anyway.
#[cfg(not(target_os = "linux"))]
const SEND: SendFlags = SendFlags::DONTWAIT;

/// How to read and write without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// A regular file or block device never makes anyone wait.
    File,
    /// The description is ours and does not block.
    NonBlocking,
    /// Socket calls with a flag.
    Socket,
    /// `poll` first.
    Asked,
}

/// A byte stream of the host.
pub struct FdStream {
    fd: Arc<OwnedFd>,
    way: Way,
    reads: bool,
    writes: bool,
    watcher: Arc<Watcher>,
    notify: Arc<OnceLock<Box<dyn Fn() + Send + Sync>>>,
    callback: Callback,
}

impl FdStream {
    /// A stream over a descriptor.
    ///
    /// # Errors
    /// If the host cannot tell what it is.
    pub(crate) fn new(fd: OwnedFd, watcher: &Arc<Watcher>) -> io::Result<Self> {
        let access = rustix::fs::fcntl_getfl(&fd)? & OFlags::RWMODE;
        let kind = from_host_stat(&rustix::fs::fstat(&fd)?).kind;
        let (fd, way) = match kind {
            HostKind::File | HostKind::BlockDev | HostKind::Dir | HostKind::Symlink => (fd, Way::File),
            HostKind::Socket => (fd, Way::Socket),
            HostKind::CharDev => (fd, Way::Asked),
            HostKind::Fifo => match open_again(&fd, access) {
                Some(own) => (own, Way::NonBlocking),
                None => (fd, Way::Asked),
            },
        };
        let notify = Arc::new(OnceLock::<Box<dyn Fn() + Send + Sync>>::new());
        let to_call = notify.clone();
        let callback: Callback = Arc::new(move || {
            if let Some(notify) = to_call.get() {
                notify();
            }
        });
        let (reads, writes) = (access != OFlags::WRONLY, access == OFlags::WRONLY || access == OFlags::RDWR);
        Ok(Self { fd: Arc::new(fd), way, reads, writes, watcher: watcher.clone(), notify, callback })
    }

    fn watch(&self, events: PollFlags) {
        self.watcher.watch(&self.fd, events, &self.callback);
    }

    fn poll_now(&self, events: PollFlags) -> PollFlags {
        let mut fds = [PollFd::new(&self.fd, events)];
        match poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
            Ok(_) => fds[0].revents(),
            // The read or write that follows says what is wrong.
            Err(_) => events,
        }
    }

    /// `EAGAIN` if `poll` says that a call would wait.
    fn ask(&self, events: PollFlags) -> rustix::io::Result<()> {
        let would_wait = self.way == Way::Asked && self.poll_now(events).is_empty();
        if would_wait { Err(rustix::io::Errno::AGAIN) } else { Ok(()) }
    }

    /// The guest's error; on `EAGAIN` the stream is watched from now on.
    fn refuse(&self, error: rustix::io::Errno, events: PollFlags) -> Errno {
        if error == rustix::io::Errno::AGAIN {
            self.watch(events);
        }
        guest(error)
    }

    fn check_file(&self, otherwise: Errno) -> Result<(), Errno> {
        if self.way == Way::File { Ok(()) } else { Err(otherwise) }
    }
}

/// A description of our own for the same pipe, so that no other process is
/// affected by its flags. `None` where the host has no way to do it.
fn open_again(fd: &OwnedFd, access: OFlags) -> Option<OwnedFd> {
    use std::os::fd::AsRawFd;
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let flags = access | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let own = rustix::fs::open(path, flags, rustix::fs::Mode::empty()).ok()?;
    // Another host might give something else under such a path.
    let (a, b) = (rustix::fs::fstat(fd).ok()?, rustix::fs::fstat(&own).ok()?);
    (a.st_dev == b.st_dev && a.st_ino == b.st_ino).then_some(own)
}

impl HostStream for FdStream {
    fn stat(&self) -> Result<HostStat, Errno> {
        Ok(from_host_stat(&rustix::fs::fstat(&self.fd).map_err(guest)?))
    }

    fn reads(&self) -> bool {
        self.reads
    }

    fn writes(&self) -> bool {
        self.writes
    }

    fn read(&self, buf: &mut [u8]) -> Result<usize, Errno> {
        if !self.reads {
            return Err(Errno::EBADF);
        }
        if buf.is_empty() {
            return Ok(0);
        }
        let taken = rustix::io::retry_on_intr(|| {
            self.ask(PollFlags::IN)?;
            match self.way {
                Way::Socket => rustix::net::recv(&self.fd, &mut *buf, RecvFlags::DONTWAIT).map(|(count, _)| count),
                _ => rustix::io::read(&self.fd, &mut *buf),
            }
        });
        taken.map_err(|error| self.refuse(error, PollFlags::IN))
    }

    fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        if !self.writes {
            return Err(Errno::EBADF);
        }
        if bytes.is_empty() {
            return Ok(0);
        }
        let given = rustix::io::retry_on_intr(|| {
            self.ask(PollFlags::OUT)?;
            match self.way {
                Way::Socket => rustix::net::send(&self.fd, bytes, SEND),
                Way::Asked => rustix::io::write(&self.fd, &bytes[..bytes.len().min(PROMISED_ROOM)]),
                Way::File | Way::NonBlocking => rustix::io::write(&self.fd, bytes),
            }
        });
        given.map_err(|error| self.refuse(error, PollFlags::OUT))
    }

    fn ready(&self) -> StreamReady {
        if self.way == Way::File {
            return StreamReady { readable: self.reads, writable: self.writes, hangup: false, error: false };
        }
        let mut asked = PollFlags::empty();
        asked.set(PollFlags::IN, self.reads);
        asked.set(PollFlags::OUT, self.writes);
        let now = self.poll_now(asked);
        let (hangup, error) = (now.contains(PollFlags::HUP), now.contains(PollFlags::ERR));
        if !hangup && !error {
            // An empty set is watched too: for the other side going away.
            self.watch(asked.difference(now));
        }
        StreamReady {
            readable: self.reads && now.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR),
            writable: self.writes && now.intersects(PollFlags::OUT | PollFlags::ERR),
            hangup,
            error,
        }
    }

    fn seek(&self, offset: i64, whence: u32) -> Result<u64, Errno> {
        if matches!(self.way, Way::NonBlocking | Way::Socket) {
            return Err(Errno::ESPIPE);
        }
        let position = match whence {
            linux_abi::fcntl::SEEK_SET => SeekFrom::Start(u64::try_from(offset).map_err(|_| Errno::EINVAL)?),
            linux_abi::fcntl::SEEK_CUR => SeekFrom::Current(offset),
            linux_abi::fcntl::SEEK_END => SeekFrom::End(offset),
            _ => return Err(Errno::EINVAL),
        };
        rustix::fs::seek(&self.fd, position).map_err(guest)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        self.check_file(Errno::ESPIPE)?;
        rustix::io::retry_on_intr(|| rustix::io::pread(&self.fd, &mut *buf, offset)).map_err(guest)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<usize, Errno> {
        self.check_file(Errno::ESPIPE)?;
        rustix::io::retry_on_intr(|| rustix::io::pwrite(&self.fd, bytes, offset)).map_err(guest)
    }

    fn set_len(&self, size: u64) -> Result<(), Errno> {
        self.check_file(Errno::EINVAL)?;
        rustix::io::retry_on_intr(|| rustix::fs::ftruncate(&self.fd, size)).map_err(guest)
    }

    fn sync(&self) -> Result<(), Errno> {
        self.check_file(Errno::EINVAL)?;
        rustix::io::retry_on_intr(|| rustix::fs::fsync(&self.fd)).map_err(guest)
    }

    fn pending(&self) -> Result<usize, Errno> {
        let count = rustix::io::ioctl_fionread(&self.fd).map_err(guest)?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    fn set_notify(&self, notify: Box<dyn Fn() + Send + Sync>) {
        // The kernel sets it once; a second callback would have no news.
        drop(self.notify.set(notify));
    }
}

impl Drop for FdStream {
    fn drop(&mut self) {
        // So that the other side sees the end at once.
        self.watcher.forget(&self.fd);
    }
}

impl fmt::Debug for FdStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FdStream").field("fd", &self.fd).field("way", &self.way).finish_non_exhaustive()
    }
}
