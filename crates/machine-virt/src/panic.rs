//! Giving up: the reason, registers and calls on the console, then the end.

use core::fmt::{self, Write};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use machine_virt::phase::Phase;

use crate::arch::fault::{self, Frame};
use crate::arch::{percpu, psci, semihosting};
use crate::devices::uart::Raw;
use crate::log;

/// The exit status that a test sees.
const PANIC_STATUS: u8 = 101;

/// 0, or one more than the number of the CPU that is giving up.
static GIVING_UP: AtomicUsize = AtomicUsize::new(0);
/// The end is told by semihosting.
static SEMIHOSTING: AtomicBool = AtomicBool::new(false);

/// Makes the end of the machine an exit status of the emulator.
pub(crate) fn use_semihosting() {
    SEMIHOSTING.store(true, Ordering::Relaxed);
}

/// Ends the machine with `status`.
pub(crate) fn power_off(status: u8) -> ! {
    if SEMIHOSTING.load(Ordering::Relaxed) {
        semihosting::exit(status);
    }
    psci::system_off()
}

/// Tells why, and resets the machine.
pub(crate) fn give_up(reason: fmt::Arguments<'_>, frame: Option<&Frame>, fp: u64, pc: u64) -> ! {
    let own = percpu::id() + 1;
    match GIVING_UP.compare_exchange(0, own, Ordering::SeqCst, Ordering::SeqCst) {
        Ok(_) => {}
        // Telling it failed too.
        Err(who) if who == own => end(),
        Err(_) => psci::stop(),
    }
    let phase = log::phase();
    log::enter(Phase::Panic);
    // Without the log's lock, which may be held; the console does not fail.
    let _ = writeln!(Raw, "\nkernel panic on CPU {} in phase {}: {reason}", percpu::id(), phase.name());
    if let Some(frame) = frame {
        let _ = write!(Raw, "{frame}");
    }
    let _ = writeln!(Raw, "calls, innermost first:");
    if pc != 0 {
        let _ = writeln!(Raw, "  {pc:#018x}");
    }
    fault::backtrace(fp, |ret| {
        let _ = writeln!(Raw, "  {:#018x}", ret.wrapping_sub(4));
    });
    end()
}

/// Ends a machine that has given up, so that nobody takes it for one that was
/// turned off in order.
fn end() -> ! {
    if SEMIHOSTING.load(Ordering::Relaxed) {
        semihosting::exit(PANIC_STATUS);
    }
    psci::system_reset()
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let fp: u64;
    // SAFETY: reads a register.
    unsafe { core::arch::asm!("mov {}, x29", out(reg) fp, options(nomem, nostack)) };
    give_up(format_args!("{info}"), None, fp, 0)
}
