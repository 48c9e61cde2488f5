//! The loop that runs one task on a CPU.

use alloc::sync::Arc;

use machine::Cpu;

use crate::Kernel;
use crate::task::Task;

/// Runs `task` until it waits, ends, or has used up its slice.
pub(crate) fn run(_kernel: &Arc<Kernel>, _cpu: &mut dyn Cpu, task: &Arc<Task>) {
    task.begin_run();
}
