//! PSCI: calling the firmware for power.

use core::arch::asm;

use machine_virt::platform::Conduit;
use spin::Once;

static CONDUIT: Once<Conduit> = Once::new();

const CPU_ON: u64 = 0xc400_0003;
const SYSTEM_OFF: u64 = 0x8400_0008;
const SYSTEM_RESET: u64 = 0x8400_0009;

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

/// Starts the CPU with `MPIDR_EL1`'s affinity `affinity` at the physical
/// address `entry`, with `argument` in X0. False if the firmware refuses.
pub(crate) fn cpu_on(affinity: u64, entry: u64, argument: u64) -> bool {
    call(CPU_ON, [affinity, entry, argument]) == 0
}

/// Turns the machine off. Without a firmware the CPU stops for ever.
pub(crate) fn system_off() -> ! {
    call(SYSTEM_OFF, [0; 3]);
    stop()
}

/// Starts the machine anew.
pub(crate) fn system_reset() -> ! {
    call(SYSTEM_RESET, [0; 3]);
    stop()
}

/// Stops the calling CPU for ever.
pub(crate) fn stop() -> ! {
    loop {
        crate::arch::regs::wait_for_interrupt();
    }
}
