//! System registers, barriers and hints.

use core::arch::asm;

/// Reads a system register that may be read without consequences.
macro_rules! read_sysreg {
    ($name:literal) => {{
        let value: u64;
        // SAFETY: reading this register changes nothing.
        unsafe { core::arch::asm!(concat!("mrs {}, ", $name), out(reg) value, options(nomem, nostack)) };
        value
    }};
}

/// Writes a system register; the caller answers for what that does.
macro_rules! write_sysreg {
    ($name:literal, $value:expr) => {{
        let value: u64 = $value;
        core::arch::asm!(concat!("msr ", $name, ", {}"), in(reg) value, options(nostack))
    }};
}

pub(crate) use {read_sysreg, write_sysreg};

/// Later instructions see what earlier ones did to the processor's state.
pub(crate) fn isb() {
    // SAFETY: a barrier.
    unsafe { asm!("isb", options(nostack)) };
}

/// Waits until earlier accesses and maintenance are done, for all CPUs.
pub(crate) fn dsb_ish() {
    // SAFETY: a barrier.
    unsafe { asm!("dsb ish", options(nostack)) };
}

/// Waits until earlier accesses are done, for devices too.
pub(crate) fn dsb_sy() {
    // SAFETY: a barrier.
    unsafe { asm!("dsb sy", options(nostack)) };
}

/// Sleeps until an interrupt is pending, masked or not.
pub(crate) fn wait_for_interrupt() {
    // SAFETY: a barrier, so that what was asked of devices is under way, and a hint.
    unsafe { asm!("dsb sy", "wfi", options(nostack)) };
}

/// The counter that the virtual timer compares with.
pub(crate) fn counter() -> u64 {
    let value: u64;
    // SAFETY: reads a register; the barrier keeps it from being read early.
    unsafe { asm!("isb", "mrs {}, cntvct_el0", out(reg) value, options(nostack)) };
    value
}

/// Makes writes to page tables visible to table walks.
pub(crate) fn dsb_ishst() {
    // SAFETY: a barrier.
    unsafe { asm!("dsb ishst", options(nostack)) };
}

/// Writes `value` where a CPU sees it that runs with its MMU and caches off.
pub(crate) fn write_through(to: *mut u64, value: u64) {
    // SAFETY: the caller's own word; the line is cleaned to memory.
    unsafe {
        to.write_volatile(value);
        asm!("dmb ish", "dc cvac, {}", "dsb sy", in(reg) to, options(nostack));
    }
}

/// Makes instruction fetch see the `len` bytes at `address`, on all CPUs.
pub(crate) fn sync_instructions(address: *const u8, len: usize) {
    let ctr = read_sysreg!("ctr_el0");
    let (data_line, code_line) = (4_usize << (ctr >> 16 & 15), 4_usize << (ctr & 15));
    let (start, end) = (address as usize, address as usize + len);
    // IDC and DIC say that the maintenance is not needed.
    if ctr & 1 << 28 == 0 {
        for line in (start & !(data_line - 1)..end).step_by(data_line) {
            // SAFETY: cleans a line of memory that is mapped.
            unsafe { asm!("dc cvau, {}", in(reg) line, options(nostack)) };
        }
    }
    dsb_ish();
    if ctr & 1 << 29 == 0 {
        for line in (start & !(code_line - 1)..end).step_by(code_line) {
            // SAFETY: invalidates a line of memory that is mapped.
            unsafe { asm!("ic ivau, {}", in(reg) line, options(nostack)) };
        }
        dsb_ish();
    }
    isb();
}
