//! Devices that hold blocks and devices that carry frames.
//!
//! Neighbours: [`crate::Machine`] lists them, [`crate::CharDev`] is the console.

use alloc::boxed::Box;
use alloc::string::String;

use linux_abi::Errno;

/// Bytes in a sector, the unit of [`BlockDev`] addresses whatever the device's
/// own block size is.
pub const SECTOR_SIZE: usize = 512;

/// A disk: an array of sectors that keep their contents without power.
///
/// A call waits for the device and returns when the request is done; the CPU
/// sleeps meanwhile, as `docs/decisions/0006-disk-requests-wait.md` explains.
/// Any number of callers may have requests under way.
pub trait BlockDev: Send + Sync {
    /// Sectors in all.
    fn sector_count(&self) -> u64;

    /// True if writing is refused.
    fn is_read_only(&self) -> bool;

    /// What tells this device from others: its serial number, or empty.
    fn serial(&self) -> String;

    /// Reads whole sectors from `sector` on. One call is one request to the
    /// device as far as its limits allow, so long runs are fast.
    ///
    /// # Errors
    /// `EIO` if the device fails or the range leaves it; `EINVAL` if `buf` is
    /// not a multiple of [`SECTOR_SIZE`].
    fn read(&self, sector: u64, buf: &mut [u8]) -> Result<(), Errno>;

    /// Writes whole sectors from `sector` on. They may lie in the device's
    /// cache until [`BlockDev::flush`].
    ///
    /// # Errors
    /// As [`BlockDev::read`]; `EROFS` if the device is read-only.
    fn write(&self, sector: u64, bytes: &[u8]) -> Result<(), Errno>;

    /// Returns once everything written before survives a loss of power.
    ///
    /// # Errors
    /// `EIO`.
    fn flush(&self) -> Result<(), Errno>;
}

/// A network interface that carries Ethernet frames, without their check
/// sequence. No method waits.
pub trait NetDev: Send + Sync {
    /// The interface's own address.
    fn mac_address(&self) -> [u8; 6];

    /// The longest IP packet a frame may carry, in bytes.
    fn mtu(&self) -> usize;

    /// Gives one frame that has arrived to `take` and recycles its buffer;
    /// `false` if none has.
    fn receive(&self, take: &mut dyn FnMut(&[u8])) -> bool;

    /// Lets `fill` write a frame of `len` bytes and sends it; `false`, without
    /// calling `fill`, if the device has no room now. [`NetDev::set_notify`]'s
    /// callback runs once it has.
    fn transmit(&self, len: usize, fill: &mut dyn FnMut(&mut [u8])) -> bool;

    /// Sets what to call, from any thread, when there is a frame to receive or
    /// room to send again. The callback takes no kernel lock.
    fn set_notify(&self, notify: Box<dyn Fn() + Send + Sync>);
}
