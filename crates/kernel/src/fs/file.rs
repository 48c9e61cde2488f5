//! Open files: [`File`], an open file description, and [`FileOps`], what can
//! be done with it.

use alloc::sync::{Arc, Weak};
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

use linux_abi::Errno;
use linux_abi::fcntl::{AccessMode, FallocFlags, OpenFlags};
use linux_abi::poll::PollEvents;
use machine::GuestAddr;
use machine::sync::{Mutex, MutexGuard};

use crate::Kernel;
use crate::error::{Because, Result};
use crate::fs::{Attr, Caller, DirSink, Inode, IoBuf, Path};
use crate::mm::Object;
use crate::sched::WaitQueue;
use crate::syscall::{Cx, Outcome};
use crate::task::Task;

/// What can be done with an open file. Each default gives the errno of Linux
/// for a file that cannot do it.
///
/// Nothing here waits. What would have to wait gives `EAGAIN`, and the system
/// call waits on [`FileOps::wait_queue`] and tries again.
pub trait FileOps: Send + Sync + 'static {
    /// True if the file has positions: then [`FileOps::read_at`] and
    /// [`FileOps::write_at`] serve `read` and `write` too.
    fn is_seekable(&self) -> bool {
        false
    }

    /// Reads from a stream; 0 at its end.
    ///
    /// # Errors
    /// `EAGAIN` if it would wait; `EINVAL` if the file cannot be read.
    fn read(&self, _file: &File, _task: &Arc<Task>, _buf: &mut IoBuf<'_>) -> Result<usize> {
        Err(Errno::EINVAL.because("this file cannot be read"))
    }

    /// When a `read` that began at `since_ns` and has to wait is to be over
    /// all the same, on the monotonic clock (`VTIME` of terminals). Asked
    /// again after each attempt.
    fn read_deadline(&self, _file: &File, _since_ns: u64) -> Option<u64> {
        None
    }

    /// What such a read gives at its deadline.
    ///
    /// # Errors
    /// As [`FileOps::read`], but not `EAGAIN`.
    fn read_late(&self, _file: &File, _buf: &mut IoBuf<'_>) -> Result<usize> {
        Ok(0)
    }

    /// Writes to a stream.
    ///
    /// # Errors
    /// `EAGAIN` if it would wait; `EPIPE` if nobody can read it any more (the
    /// system call sends SIGPIPE); `EINVAL` if the file cannot be written.
    fn write(&self, _file: &File, _task: &Arc<Task>, _buf: &mut IoBuf<'_>) -> Result<usize> {
        Err(Errno::EINVAL.because("this file cannot be written"))
    }

    /// True if a write that waits goes on until it has written everything, as
    /// for pipes, and not only until it has written something.
    fn writes_all(&self) -> bool {
        false
    }

    /// Reads at a position; 0 at the end of the file.
    ///
    /// # Errors
    /// `ESPIPE` if the file has no positions.
    fn read_at(&self, _file: &File, _buf: &mut IoBuf<'_>, _offset: u64) -> Result<usize> {
        Err(Errno::ESPIPE.because("the file has no positions"))
    }

    /// Writes at a position.
    ///
    /// # Errors
    /// `ESPIPE` if the file has no positions; `ENOSPC`, `EFBIG`.
    fn write_at(&self, _file: &File, _buf: &mut IoBuf<'_>, _offset: u64) -> Result<usize> {
        Err(Errno::ESPIPE.because("the file has no positions"))
    }

    /// Writes at the end of the file, whatever else is written meanwhile, and
    /// tells where that was and how much.
    ///
    /// # Errors
    /// As [`FileOps::write_at`].
    fn append(&self, file: &File, buf: &mut IoBuf<'_>) -> Result<(u64, usize)> {
        let end = file.inode().attr()?.size;
        self.write_at(file, buf, end).map(|count| (end, count))
    }

    /// The position that `lseek` is to set; `position` is the current one.
    ///
    /// # Errors
    /// `ESPIPE`, `EINVAL`, `ENXIO`.
    fn seek(&self, file: &File, position: u64, offset: i64, whence: u32) -> Result<u64> {
        super::seek::default(self.is_seekable(), file, position, offset, whence)
    }

    /// Device control.
    fn ioctl(&self, _file: &Arc<File>, _cx: &mut Cx<'_>, _command: u32, _arg: GuestAddr) -> Outcome {
        Outcome::Done(Err(Errno::ENOTTY.because("the file takes no such command")))
    }

    /// What the file is ready for.
    fn poll(&self, _file: &File) -> PollEvents {
        PollEvents::POLLIN | PollEvents::POLLOUT | PollEvents::POLLRDNORM | PollEvents::POLLWRNORM
    }

    /// Woken whenever what [`FileOps::poll`] says may have changed; `None` if
    /// it never does.
    fn wait_queue(&self) -> Option<WaitQueue> {
        None
    }

    /// True if `epoll` accepts the file.
    fn can_epoll(&self) -> bool {
        self.wait_queue().is_some()
    }

    /// The memory that mappings of the file show.
    ///
    /// # Errors
    /// `ENODEV` if it cannot be mapped.
    fn mmap_object(&self, _file: &File) -> Result<Arc<Object>> {
        Err(Errno::ENODEV.because("the file cannot be mapped"))
    }

    /// Reads a directory from a position on.
    ///
    /// # Errors
    /// `ENOTDIR`.
    fn read_dir(&self, _file: &File, _from: u64, _caller: &Caller, _sink: &mut DirSink<'_>) -> Result<()> {
        Err(Errno::ENOTDIR.because("not a directory"))
    }

    /// Waits until contents (and attributes, unless `data_only`) are safe.
    ///
    /// # Errors
    /// `EINVAL` for what is never stored; `EIO`.
    fn sync(&self, _file: &File, _data_only: bool) -> Result<()> {
        Err(Errno::EINVAL.because("the file is not stored anywhere"))
    }

    /// Makes room, or a hole.
    ///
    /// # Errors
    /// `ENODEV` for what is no regular file, `EOPNOTSUPP` for a mode that is
    /// not supported, `ENOSPC`.
    fn allocate(&self, _file: &File, _mode: FallocFlags, _offset: u64, _len: u64) -> Result<()> {
        Err(Errno::ENODEV.because("not a regular file"))
    }

    /// The lines of `/proc/self/fdinfo` that only this kind of file has.
    fn describe(&self, _file: &File, _out: &mut alloc::string::String) {}

    /// The file's flags have changed through `fcntl`.
    fn flags_changed(&self, _file: &File) {}

    /// The last descriptor is gone.
    fn release(&self, _file: &File) {}

    /// For the owner of this kind of file to find its own type again.
    fn as_any(&self) -> &dyn core::any::Any;
}

/// Who gets SIGIO for a file (`F_SETOWN`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// `F_OWNER_TID`, `F_OWNER_PID` or `F_OWNER_PGRP`.
    pub kind: u32,
    /// The number; 0 for nobody.
    pub id: u32,
    /// The signal instead of SIGIO; 0 for SIGIO.
    pub signal: u32,
}

/// The status flags that `F_SETFL` changes.
pub const SETTABLE_FLAGS: OpenFlags = OpenFlags::O_APPEND
    .union(OpenFlags::O_NONBLOCK)
    .union(OpenFlags::O_DIRECT)
    .union(OpenFlags::O_NOATIME)
    .union(OpenFlags::FASYNC);

/// An open file description: what descriptors refer to.
pub struct File {
    ops: Arc<dyn FileOps>,
    path: Path,
    flags: AtomicU32,
    position: Mutex<u64>,
    owner: Mutex<Owner>,
    kernel: Weak<Kernel>,
    /// It holds or has held a lock that must go with it.
    pub(super) has_locks: core::sync::atomic::AtomicBool,
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({:?})", self.path.dentry)
    }
}

impl File {
    /// An open file at `path`.
    #[must_use]
    pub fn new(kernel: &Arc<Kernel>, path: Path, ops: Arc<dyn FileOps>, flags: OpenFlags) -> Arc<Self> {
        let kept = flags
            - (OpenFlags::O_CREAT
                | OpenFlags::O_EXCL
                | OpenFlags::O_NOCTTY
                | OpenFlags::O_TRUNC
                | OpenFlags::O_CLOEXEC);
        Arc::new(Self {
            ops,
            path,
            flags: AtomicU32::new(kept.bits()),
            position: Mutex::new(0),
            owner: Mutex::default(),
            kernel: Arc::downgrade(kernel),
            has_locks: core::sync::atomic::AtomicBool::new(false),
        })
    }

    /// A file that no directory names, such as an eventfd. `name` is what
    /// `/proc/self/fd` shows after `anon_inode:`, such as `[eventfd]`.
    #[must_use]
    pub fn anonymous(kernel: &Arc<Kernel>, name: &str, ops: Arc<dyn FileOps>, flags: OpenFlags) -> Arc<Self> {
        let path = kernel.vfs().anonymous_path(name);
        Self::new(kernel, path, ops, flags)
    }

    /// What can be done with it.
    #[must_use]
    pub fn ops(&self) -> &Arc<dyn FileOps> {
        &self.ops
    }

    /// Where it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The inode.
    #[must_use]
    pub fn inode(&self) -> &Arc<dyn Inode> {
        self.path.inode()
    }

    /// What `fstat` tells.
    ///
    /// # Errors
    /// As [`Inode::attr`].
    pub fn attr(&self) -> Result<Attr> {
        self.inode().attr()
    }

    /// Access mode and status flags.
    #[must_use]
    pub fn flags(&self) -> OpenFlags {
        OpenFlags::from_bits_retain(self.flags.load(Ordering::Relaxed))
    }

    /// Replaces the status flags among [`SETTABLE_FLAGS`].
    pub fn set_flags(&self, flags: OpenFlags) {
        let new = (self.flags() - SETTABLE_FLAGS) | (flags & SETTABLE_FLAGS);
        self.flags.store(new.bits(), Ordering::Relaxed);
        self.ops.flags_changed(self);
    }

    /// The access mode.
    #[must_use]
    pub fn access(&self) -> AccessMode {
        self.flags().access()
    }

    /// True if calls are not to wait (`O_NONBLOCK`).
    #[must_use]
    pub fn is_nonblocking(&self) -> bool {
        self.flags().contains(OpenFlags::O_NONBLOCK)
    }

    /// True for a descriptor that only names a place (`O_PATH`).
    #[must_use]
    pub fn is_path_only(&self) -> bool {
        self.flags().contains(OpenFlags::O_PATH)
    }

    /// Checks that it was opened for reading.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn check_readable(&self) -> Result<()> {
        if self.access().reads() && !self.is_path_only() {
            return Ok(());
        }
        Err(Errno::EBADF.because("not open for reading"))
    }

    /// Checks that it was opened for writing.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn check_writable(&self) -> Result<()> {
        if self.access().writes() && !self.is_path_only() {
            return Ok(());
        }
        Err(Errno::EBADF.because("not open for writing"))
    }

    /// The position of `read`, `write` and `lseek`, locked.
    pub fn position(&self) -> MutexGuard<'_, u64> {
        self.position.lock()
    }

    /// Who gets its signals.
    #[must_use]
    pub fn owner(&self) -> Owner {
        *self.owner.lock()
    }

    /// Sets who gets its signals.
    pub fn set_owner(&self, owner: Owner) {
        *self.owner.lock() = owner;
    }

    /// The kernel, unless it is being torn down.
    #[must_use]
    pub fn kernel(&self) -> Option<Arc<Kernel>> {
        self.kernel.upgrade()
    }

    /// What it is ready for, now.
    #[must_use]
    pub fn poll(&self) -> PollEvents {
        self.ops.poll(self)
    }

    /// Fills `out` from a position on, and tells how much there was.
    ///
    /// # Errors
    /// As [`FileOps::read_at`].
    pub fn read_kernel(&self, offset: u64, out: &mut [u8]) -> Result<usize> {
        let wanted = out.len();
        let mut done = 0;
        while done < wanted {
            let mut buf = IoBuf::into_slice(&mut out[done..]);
            match self.ops.read_at(self, &mut buf, offset.saturating_add(done as u64)) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if done == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(done)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.ops.release(self);
        if *self.has_locks.get_mut()
            && let Some(kernel) = self.kernel()
        {
            kernel.vfs().locks().release_file(self);
        }
    }
}
