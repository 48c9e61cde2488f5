//! Telling a test's exit status to the emulator.
//!
//! Used only with the boot argument `vambrace.exit=semihosting`: without the
//! emulator's consent the instruction is an exception.

use core::arch::asm;

const SYS_EXIT_EXTENDED: u64 = 0x20;
const ADP_STOPPED_APPLICATION_EXIT: u64 = 0x20026;

/// Ends the machine with `status`.
pub(crate) fn exit(status: u8) -> ! {
    let block = [ADP_STOPPED_APPLICATION_EXIT, u64::from(status)];
    // SAFETY: the semihosting call of AArch64; it reads the block and does
    // not come back.
    unsafe {
        asm!("hlt #0xf000", inout("x0") SYS_EXIT_EXTENDED => _, in("x1") block.as_ptr(), options(nostack));
    }
    crate::arch::psci::system_off()
}
