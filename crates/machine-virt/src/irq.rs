//! From an interrupt to the driver that knows what it means.
//!
//! The kernel runs with interrupts masked, so [`dispatch`] is called by
//! itself: after user code was interrupted, or by whoever sleeps.

use alloc::sync::Arc;
use alloc::vec::Vec;

use machine::sync::RwLock;

use crate::gic;

/// The software interrupt that makes a CPU look at what there is to do.
const KICK: u32 = 0;

/// What wants to hear of an interrupt. It may take no lock of the kernel.
pub(crate) trait Handler: Send + Sync {
    /// The interrupt came. It stays asserted until the handler has dealt
    /// with what the device wants.
    fn interrupt(&self);
}

/// An interrupt and who wants to hear of it.
struct Line {
    number: u32,
    handler: Arc<dyn Handler>,
}

static LINES: RwLock<Vec<Line>> = RwLock::new(Vec::new());

/// Makes `handler` hear of the interrupt `number`, from now on.
pub(crate) fn register(number: u32, handler: Arc<dyn Handler>) {
    LINES.write().push(Line { number, handler });
    gic::enable(number);
}

/// Handles the interrupt that is pending, if there is one; false if not.
pub(crate) fn dispatch() -> bool {
    let Some(taken) = gic::acknowledge() else { return false };
    if taken.number != KICK {
        // The lock is not held while the handler runs.
        let handler = LINES.read().iter().find(|line| line.number == taken.number).map(|line| line.handler.clone());
        if let Some(handler) = handler {
            handler.interrupt();
        }
    }
    gic::end(&taken);
    true
}

/// Makes CPU `cpu` leave user code or sleep, by an interrupt.
pub(crate) fn interrupt_cpu(cpu: usize) {
    gic::send(cpu, KICK);
}
