//! Byte streams of the host that a guest may hold as descriptors.
//!
//! Standard input, output and error of the process are such streams where they
//! are no terminal: pipes, sockets, files, devices. A terminal is a
//! [`crate::CharDev`] instead, so that the guest's line discipline is in charge.

use alloc::boxed::Box;

use linux_abi::Errno;

use crate::HostStat;

/// What a stream can do at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamReady {
    /// A read would not wait: there are bytes, or the end, or an error.
    pub readable: bool,
    /// A write would not wait.
    pub writable: bool,
    /// The other side of a pipe or socket is gone (`POLLHUP`).
    pub hangup: bool,
    /// Writing is an error: nobody can read any more (`POLLERR`).
    pub error: bool,
}

/// A byte stream of the host. No method waits for the other side.
///
/// Bytes are read only when the guest asks for them, so what the guest leaves
/// over stays for the next process on the host.
pub trait HostStream: Send + Sync {
    /// What `fstat` tells of it.
    ///
    /// # Errors
    /// As `fstat`.
    fn stat(&self) -> Result<HostStat, Errno>;

    /// True if it was opened for reading.
    fn reads(&self) -> bool;

    /// True if it was opened for writing.
    fn writes(&self) -> bool;

    /// Takes bytes that are there; 0 is the end of the stream.
    ///
    /// # Errors
    /// `EAGAIN` if there is nothing yet: the notify callback runs once that
    /// changes. `EBADF` if it was not opened for reading. What else the host says.
    fn read(&self, buf: &mut [u8]) -> Result<usize, Errno>;

    /// Hands bytes over and tells how many were taken, at least one.
    ///
    /// # Errors
    /// `EAGAIN` if there is no room: the notify callback runs once there is.
    /// `EPIPE` if nobody reads; the kernel adds the signal. `EBADF`, `ENOSPC`, …
    fn write(&self, bytes: &[u8]) -> Result<usize, Errno>;

    /// What it can do now. For each of reading and writing that is not ready,
    /// the notify callback runs once that changes.
    fn ready(&self) -> StreamReady;

    /// Moves the position that the stream shares with other processes of the
    /// host. `whence` is 0, 1 or 2, as in `lseek`.
    ///
    /// # Errors
    /// `ESPIPE` if it has none.
    fn seek(&self, offset: i64, whence: u32) -> Result<u64, Errno>;

    /// Reads at a position of its own.
    ///
    /// # Errors
    /// `ESPIPE` if the stream has no positions.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno>;

    /// Writes at a position of its own.
    ///
    /// # Errors
    /// `ESPIPE` if the stream has no positions.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<usize, Errno>;

    /// Cuts or extends a regular file.
    ///
    /// # Errors
    /// `EINVAL` if it is no regular file.
    fn set_len(&self, size: u64) -> Result<(), Errno>;

    /// Waits until a file's contents are on the host's disk.
    ///
    /// # Errors
    /// `EINVAL` if it is no file.
    fn sync(&self) -> Result<(), Errno>;

    /// Bytes that can be read without waiting (`FIONREAD`).
    ///
    /// # Errors
    /// `ENOTTY` if it cannot tell.
    fn pending(&self) -> Result<usize, Errno>;

    /// Sets what to call, from any thread, when readiness that was asked for
    /// has come. The callback only sets event bits and kicks a CPU; it takes
    /// no kernel lock.
    fn set_notify(&self, notify: Box<dyn Fn() + Send + Sync>);
}
