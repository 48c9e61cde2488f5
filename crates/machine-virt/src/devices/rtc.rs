//! The calendar clock: a PL031.

use machine_virt::platform::Device;

use crate::devices::Registers;

/// The data register: seconds since 1970.
const RTCDR: u64 = 0;

/// Seconds since 1970, UTC, as the clock has them.
pub(crate) fn seconds(device: &Device) -> u32 {
    Registers::new(&device.registers).read(RTCDR)
}
