//! [`DiskDevice`]: a disk as the crate `ext2` wants it.

use alloc::sync::Arc;

use ::ext2::{Device, DeviceError};
use linux_abi::Errno;

use crate::error::Error;
use crate::fs::Disk;

/// A disk that has been claimed for a file system.
#[derive(Debug)]
pub(super) struct DiskDevice(Arc<Disk>);

impl DiskDevice {
    pub(super) fn new(disk: Arc<Disk>) -> Self {
        Self(disk)
    }

    fn check(&self, offset: u64, len: usize) -> Result<(), DeviceError> {
        match offset.checked_add(len as u64) {
            Some(end) if end <= self.0.size() => Ok(()),
            _ => Err(DeviceError::OutOfRange),
        }
    }
}

fn failure(error: Error) -> DeviceError {
    if error.errno == Errno::EROFS { DeviceError::ReadOnly } else { DeviceError::Io }
}

impl Device for DiskDevice {
    fn size_bytes(&self) -> u64 {
        self.0.size()
    }

    fn read(&self, offset: u64, buf: &mut [u8]) -> Result<(), DeviceError> {
        self.check(offset, buf.len())?;
        self.0.read(offset, buf).map_err(failure)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        self.check(offset, bytes.len())?;
        self.0.write(offset, bytes).map_err(failure)
    }

    fn flush(&self) -> Result<(), DeviceError> {
        self.0.flush().map_err(failure)
    }

    fn is_read_only(&self) -> bool {
        self.0.is_read_only()
    }
}
