//! The machine's log: lines on the console.

use core::fmt::{self, Write};

use machine::sync::Mutex;
use machine_virt::phase::{MAGIC, Phase};

use core::sync::atomic::{AtomicU32, Ordering};

use crate::devices::uart::Raw;

/// How far the machine has come, in a page of its own.
#[repr(C, align(4096))]
struct PhasePage {
    magic: AtomicU32,
    phase: AtomicU32,
}

#[unsafe(no_mangle)]
#[unsafe(link_section = ".boot_phase")]
static BOOT_PHASE: PhasePage = PhasePage { magic: AtomicU32::new(MAGIC), phase: AtomicU32::new(0) };

static LOCK: Mutex<()> = Mutex::new(());

/// Writes a line.
pub(crate) fn line(message: fmt::Arguments<'_>) {
    let _guard = LOCK.lock();
    // The console does not fail.
    let _ = writeln!(Raw, "vambrace: {message}");
}

/// Notes that the machine has come to `phase`.
pub(crate) fn enter(phase: Phase) {
    BOOT_PHASE.phase.store(phase as u32, Ordering::Release);
}

/// How far the machine has come.
pub(crate) fn phase() -> Phase {
    Phase::from_number(BOOT_PHASE.phase.load(Ordering::Acquire)).unwrap_or(Phase::None)
}
