//! What each CPU can reach without being told who it is.

use core::sync::atomic::{AtomicU64, Ordering};

use machine_virt::platform::MAX_CPUS;

use crate::arch::layout;
use crate::arch::regs::{read_sysreg, write_sysreg};

/// A CPU's record; `TPIDR_EL1` holds its address.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct PerCpu {
    /// The end of the stack on which exceptions of the kernel are told.
    pub(crate) emergency_stack: AtomicU64,
    id: AtomicU64,
}

static RECORDS: [PerCpu; MAX_CPUS] =
    [const { PerCpu { emergency_stack: AtomicU64::new(0), id: AtomicU64::new(0) } }; MAX_CPUS];

/// Makes the calling CPU number `id`.
pub(crate) fn attach(id: usize) {
    let record = &RECORDS[id];
    record.emergency_stack.store(layout::stack_top(2 * id + 1), Ordering::Relaxed);
    record.id.store(id as u64, Ordering::Relaxed);
    // SAFETY: the kernel uses TPIDR_EL1 for this alone.
    unsafe { write_sysreg!("tpidr_el1", &raw const *record as u64) };
}

/// The calling CPU's number.
pub(crate) fn id() -> usize {
    let record = read_sysreg!("tpidr_el1") as *const PerCpu;
    // SAFETY: null before `attach`, else one of the records.
    unsafe { record.as_ref() }.map_or(0, |record| record.id.load(Ordering::Relaxed) as usize)
}
