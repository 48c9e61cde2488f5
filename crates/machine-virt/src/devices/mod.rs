//! Devices of the board, and how their registers are reached.

pub(crate) mod rtc;
pub(crate) mod uart;

use core::ptr;

use crate::arch::layout;
use machine_virt::platform::Region;

/// Registers of a device, mapped as device memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registers {
    base: u64,
    len: u64,
}

impl Registers {
    /// The registers at a region of physical addresses that the kernel's map
    /// has among the devices.
    pub(crate) fn new(region: &Region) -> Self {
        Self { base: layout::DEVICES + region.start, len: region.end - region.start }
    }

    fn at<T>(self, offset: u64) -> *mut T {
        assert!(offset + size_of::<T>() as u64 <= self.len, "no such register");
        (self.base + offset) as *mut T
    }

    /// Reads a register of 32 bits.
    pub(crate) fn read(self, offset: u64) -> u32 {
        // SAFETY: a register of the device, by its manual aligned to 4 bytes.
        unsafe { ptr::read_volatile(self.at(offset)) }
    }

    /// Writes a register of 32 bits.
    pub(crate) fn write(self, offset: u64, value: u32) {
        // SAFETY: as for `read`; drivers write what the manual allows, and
        // devices reach no memory but what they were given.
        unsafe { ptr::write_volatile(self.at(offset), value) }
    }

    /// Reads a register of 64 bits.
    pub(crate) fn read64(self, offset: u64) -> u64 {
        // SAFETY: as for `read`, aligned to 8 bytes.
        unsafe { ptr::read_volatile(self.at(offset)) }
    }

    /// Writes a register of 64 bits.
    pub(crate) fn write64(self, offset: u64, value: u64) {
        // SAFETY: as for `write`, aligned to 8 bytes.
        unsafe { ptr::write_volatile(self.at(offset), value) }
    }
}
