//! PSCI: calling the firmware for power.

use core::arch::asm;

use machine_virt::platform::Conduit;
use spin::Once;

static CONDUIT: Once<Conduit> = Once::new();

const SYSTEM_OFF: u64 = 0x8400_0008;

/// Sets how the firmware is called.
pub(crate) fn init(conduit: Conduit) {
    CONDUIT.call_once(|| conduit);
}

fn call(function: u64, args: [u64; 3]) -> i64 {
    let Some(conduit) = CONDUIT.get() else { return -1 };
    let result: u64;
    // SAFETY: the SMC calling convention: x0 to x17 may change, no memory
    // does. The firmware keeps what the functions we call mean.
    unsafe {
        match conduit {
            Conduit::Hvc => asm!(
                "hvc #0",
                inout("x0") function => result, inout("x1") args[0] => _, inout("x2") args[1] => _,
                inout("x3") args[2] => _, clobber_abi("C"), options(nostack)
            ),
            Conduit::Smc => asm!(
                "smc #0",
                inout("x0") function => result, inout("x1") args[0] => _, inout("x2") args[1] => _,
                inout("x3") args[2] => _, clobber_abi("C"), options(nostack)
            ),
        }
    }
    result.cast_signed()
}

/// Turns the machine off. Without a firmware the CPU stops for ever.
pub(crate) fn system_off() -> ! {
    call(SYSTEM_OFF, [0; 3]);
    stop()
}

/// Stops the calling CPU for ever.
pub(crate) fn stop() -> ! {
    loop {
        crate::arch::regs::wait_for_interrupt();
    }
}
