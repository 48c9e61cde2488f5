//! The contents of an open regular file of the host.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use linux_abi::Errno;
use machine::HostFile;
use rustix::{fs, io};

use crate::errno::guest;

/// A descriptor that every guest file open on the same inode shares; reads and
/// writes name their offset, so it has no position to quarrel about.
pub(super) struct OpenData {
    pub(super) fd: OwnedFd,
    pub(super) writable: bool,
}

/// One open.
pub(super) struct DataFile {
    data: Arc<OpenData>,
    writable: bool,
}

impl DataFile {
    pub(super) fn new(data: Arc<OpenData>, writable: bool) -> Self {
        Self { writable: writable && data.writable, data }
    }

    fn check_writable(&self) -> Result<(), Errno> {
        if self.writable { Ok(()) } else { Err(Errno::EBADF) }
    }
}

impl HostFile for DataFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        io::retry_on_intr(|| io::pread(&self.data.fd, &mut *buf, offset)).map_err(guest)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<usize, Errno> {
        self.check_writable()?;
        io::retry_on_intr(|| io::pwrite(&self.data.fd, bytes, offset)).map_err(guest)
    }

    fn set_len(&self, size: u64) -> Result<(), Errno> {
        self.check_writable()?;
        io::retry_on_intr(|| fs::ftruncate(&self.data.fd, size)).map_err(guest)
    }

    fn sync(&self, data_only: bool) -> Result<(), Errno> {
        let sync = || if data_only { fs::fdatasync(&self.data.fd) } else { fs::fsync(&self.data.fd) };
        io::retry_on_intr(sync).map_err(guest)
    }
}

impl fmt::Debug for DataFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataFile").field("fd", &self.data.fd).field("writable", &self.writable).finish()
    }
}
