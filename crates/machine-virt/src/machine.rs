//! The machine as the kernel has it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use machine::{BlockDev, Clock, FramePool, Machine, NetDev, NoMemory, PageTable, UserContext};

use crate::mem::pool::pool;
use crate::mem::user_table::UserTable;
use crate::{clock, cpu, entropy, irq, log};

/// The board.
pub(crate) struct VirtMachine {
    pub(crate) cpus: usize,
    pub(crate) block_devices: Vec<Arc<dyn BlockDev>>,
    pub(crate) net_devices: Vec<Arc<dyn NetDev>>,
}

impl Machine for VirtMachine {
    fn cpu_count(&self) -> usize {
        self.cpus
    }

    fn frames(&self) -> &dyn FramePool {
        pool()
    }

    fn new_page_table(&self) -> Result<Arc<dyn PageTable>, NoMemory> {
        Ok(UserTable::new()?)
    }

    fn clock(&self) -> &dyn Clock {
        clock::clock()
    }

    fn fill_random(&self, buf: &mut [u8]) {
        entropy::fill(buf);
    }

    fn block_devices(&self) -> &[Arc<dyn BlockDev>] {
        &self.block_devices
    }

    fn net_devices(&self) -> &[Arc<dyn NetDev>] {
        &self.net_devices
    }

    fn complete(&self, context: &mut UserContext) {
        cpu::complete(context);
    }

    fn interrupts(&self, visit: &mut dyn FnMut(u32, &str, &[u64])) {
        irq::for_each(self.cpus, visit);
    }

    fn kick(&self, cpu: usize) {
        cpu::kick(cpu);
    }

    fn log(&self, message: fmt::Arguments<'_>) {
        log::line(message);
    }
}

impl fmt::Debug for VirtMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtMachine").field("cpus", &self.cpus).finish_non_exhaustive()
    }
}
