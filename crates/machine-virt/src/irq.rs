//! From an interrupt to the driver that knows what it means.
//!
//! The kernel runs with interrupts masked, so [`dispatch`] is called by
//! itself: after user code was interrupted, or by whoever sleeps.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use machine::sync::RwLock;
use machine_virt::platform::MAX_CPUS;

use crate::arch::percpu;
use crate::arch::regs::wait_for_interrupt;
use crate::{clock, gic};

/// The software interrupt that makes a CPU look at what there is to do.
const KICK: u32 = 0;
/// How long a CPU sleeps at most that waits for a device whose interrupt goes
/// to another CPU.
const PATIENCE_NS: u64 = 50_000;

/// What wants to hear of an interrupt, which stays asserted until the handler
/// has dealt with what the device wants. It may take no lock of the kernel.
pub(crate) type Handler = Arc<dyn Fn() + Send + Sync>;

/// An interrupt, who wants to hear of it, and how often it came on each CPU.
struct Line {
    number: u32,
    name: &'static str,
    handler: Handler,
    counts: [AtomicU64; MAX_CPUS],
}

static LINES: RwLock<Vec<Arc<Line>>> = RwLock::new(Vec::new());

/// Makes `handler` hear of the interrupt `number`, from now on. The name is
/// for `/proc/interrupts`.
pub(crate) fn register(number: u32, name: &'static str, handler: Handler) {
    let counts = [const { AtomicU64::new(0) }; MAX_CPUS];
    LINES.write().push(Arc::new(Line { number, name, handler, counts }));
    gic::enable(number);
}

/// Handles the interrupt that is pending, if there is one; false if not.
pub(crate) fn dispatch() -> bool {
    let Some(taken) = gic::acknowledge() else { return false };
    if taken.number != KICK {
        // The lock is not held while the handler runs.
        let line = LINES.read().iter().find(|line| line.number == taken.number).cloned();
        if let Some(line) = line {
            line.counts[percpu::id()].fetch_add(1, Ordering::Relaxed);
            (line.handler)();
        }
    }
    gic::end(&taken);
    true
}

/// Sleeps until something may have happened, and handles the interrupt that
/// told so. For a driver whose caller waits for the device: the driver looks
/// at its device after it.
///
/// Devices interrupt CPU 0. That one may be waiting for a lock that the
/// caller holds, so other CPUs do not rely on it and look again by themselves.
pub(crate) fn wait() {
    if !dispatch() {
        if percpu::id() != 0 {
            clock::arm_by(clock::now_ns().saturating_add(PATIENCE_NS));
        }
        wait_for_interrupt();
        dispatch();
    }
}

/// Interrupts CPU `cpu`, unless it is the calling one: it leaves user code, or
/// [`wait`], or sleep.
pub(crate) fn wake(cpu: usize) {
    if cpu != percpu::id() {
        gic::send(cpu, KICK);
    }
}

/// The calling CPU's number.
pub(crate) fn current_cpu() -> usize {
    percpu::id()
}

/// Tells the interrupts in use: number, name, and how often each of `cpus`
/// CPUs has had it.
pub(crate) fn for_each(cpus: usize, visit: &mut dyn FnMut(u32, &str, &[u64])) {
    let lines = LINES.read().clone();
    for line in lines {
        let counts = line.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        visit(line.number, line.name, counts.get(..cpus).unwrap_or(&counts));
    }
}
