//! What a file system lies on: [`Device`], and [`MemoryDevice`] for images in
//! memory.

use alloc::vec::Vec;
use core::fmt;

/// An array of bytes that keeps its contents.
pub trait Device: Send + Sync {
    /// Bytes in all.
    fn size_bytes(&self) -> u64;

    /// Reads from `offset` on, which is a multiple of 512 like the length of
    /// `buf`.
    ///
    /// # Errors
    /// The device fails, or the range leaves it.
    fn read(&self, offset: u64, buf: &mut [u8]) -> Result<(), DeviceError>;

    /// Writes from `offset` on, which is a multiple of 512 like the length of
    /// `bytes`. They need not survive a loss of power before
    /// [`Device::flush`], nor do writes become permanent in order.
    ///
    /// # Errors
    /// The device fails or is read-only, or the range leaves it.
    fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), DeviceError>;

    /// Returns once everything written before is permanent.
    ///
    /// # Errors
    /// The device fails.
    fn flush(&self) -> Result<(), DeviceError>;

    /// True if writing is refused.
    fn is_read_only(&self) -> bool;
}

/// Why a device did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceError {
    /// It failed.
    Io,
    /// The range is not on it.
    OutOfRange,
    /// It is read-only.
    ReadOnly,
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Io => "the device failed",
            Self::OutOfRange => "the device is too small",
            Self::ReadOnly => "the device is read-only",
        })
    }
}

impl core::error::Error for DeviceError {}

/// An image in memory that can be read.
///
/// Writing needs a lock, which this crate does not have; tests and users with
/// locks make their own device.
#[derive(Clone, Debug)]
pub struct MemoryDevice(pub Vec<u8>);

impl Device for MemoryDevice {
    fn size_bytes(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, offset: u64, buf: &mut [u8]) -> Result<(), DeviceError> {
        let start = usize::try_from(offset).map_err(|_| DeviceError::OutOfRange)?;
        let end = start.checked_add(buf.len()).ok_or(DeviceError::OutOfRange)?;
        buf.copy_from_slice(self.0.get(start..end).ok_or(DeviceError::OutOfRange)?);
        Ok(())
    }

    fn write(&self, _offset: u64, _bytes: &[u8]) -> Result<(), DeviceError> {
        Err(DeviceError::ReadOnly)
    }

    fn flush(&self) -> Result<(), DeviceError> {
        Ok(())
    }

    fn is_read_only(&self) -> bool {
        true
    }
}
