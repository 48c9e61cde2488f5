//! What lies where in the kernel's half of the address space.
//!
//! | from | what |
//! |---|---|
//! | [`DIRECT`] | all RAM at its physical address, not executable |
//! | [`DEVICES`] | registers of devices at their physical addresses |
//! | [`STACKS`] | the CPUs' stacks, with nothing around them |
//! | [`IMAGE`] | the kernel image |

use machine_virt::platform::Region;

/// The direct map.
pub(crate) const DIRECT: u64 = 0xffff_0000_0000_0000;
/// Device registers.
pub(crate) const DEVICES: u64 = 0xffff_4000_0000_0000;
/// Stacks: each in a slot of [`STACK_SLOT`] bytes of which it fills the end.
pub(crate) const STACKS: u64 = 0xffff_fff0_0000_0000;
/// The image, as the linker script has it.
pub(crate) const IMAGE: u64 = 0xffff_ffff_8000_0000;

/// Bytes of a CPU's stack. The deepest chains of calls, an `execve` that
/// reads its program from a disk, use a fraction.
pub(crate) const STACK_SIZE: u64 = 256 << 10;
/// Bytes of a CPU's emergency stack, on which a panic is told.
pub(crate) const EMERGENCY_SIZE: u64 = 32 << 10;
/// Bytes from one stack to the next. What no stack fills is mapped to nothing.
pub(crate) const STACK_SLOT: u64 = 1 << 20;

/// Physical addresses below this are in the direct map or among the devices.
pub(crate) const PHYSICAL_LIMIT: u64 = 1 << 46;

/// Where physical memory is in the direct map.
pub(crate) fn direct(physical: u64) -> *mut u8 {
    (DIRECT + physical) as *mut u8
}

/// The physical address of something in the direct map.
pub(crate) fn physical(address: *const u8) -> u64 {
    address as u64 - DIRECT
}

/// The end of stack `slot`: CPU n has 2n, and 2n+1 for emergencies.
pub(crate) fn stack_top(slot: usize) -> u64 {
    STACKS + (slot as u64 + 1) * STACK_SLOT
}

/// The physical address of something in the image, which lies at `image`.
pub(crate) fn image_physical(address: u64, image: u64) -> u64 {
    address - IMAGE + image
}

unsafe extern "C" {
    static __text_end: u8;
    static __rodata_end: u8;
    static __image_end: u8;
    static __image_start: u8;
}

/// The parts of the image by their link addresses: code, constants, data.
pub(crate) fn image_parts() -> [Region; 3] {
    let [start, text, rodata, end] =
        [&raw const __image_start, &raw const __text_end, &raw const __rodata_end, &raw const __image_end]
            .map(|symbol| symbol as u64);
    [start..text, text..rodata, rodata..end]
}
