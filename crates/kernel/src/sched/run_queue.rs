//! Tasks that are ready to run, and the CPUs that are idle.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

use machine::sync::Mutex;

use crate::task::Task;

#[derive(Default)]
struct Queues {
    ready: VecDeque<Arc<Task>>,
    /// Bit `n` is set while CPU `n` is idle or about to be.
    idle: u64,
}

/// The run queue of a kernel: first in, first out, shared by its CPUs.
#[derive(Default)]
pub struct RunQueue {
    queues: Mutex<Queues>,
    length: AtomicUsize,
}

impl fmt::Debug for RunQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunQueue({} ready)", self.len())
    }
}

impl RunQueue {
    /// Tasks that wait for a CPU.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length.load(Ordering::Relaxed)
    }

    /// True if no task waits for a CPU.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a task and names an idle CPU to kick, if there is one.
    pub(crate) fn push(&self, task: Arc<Task>) -> Option<usize> {
        let mut queues = self.queues.lock();
        queues.ready.push_back(task);
        self.length.store(queues.ready.len(), Ordering::Relaxed);
        Self::claim_idle(&mut queues)
    }

    /// Takes the next task; without one, notes that `cpu` is going idle.
    pub(crate) fn pop_or_idle(&self, cpu: usize) -> Option<Arc<Task>> {
        let mut queues = self.queues.lock();
        let task = queues.ready.pop_front();
        self.length.store(queues.ready.len(), Ordering::Relaxed);
        if task.is_some() {
            queues.idle &= !(1 << cpu);
        } else {
            queues.idle |= 1 << cpu;
        }
        task
    }

    /// Names some idle CPU, which counts as busy from now on.
    pub(crate) fn take_idle(&self) -> Option<usize> {
        Self::claim_idle(&mut self.queues.lock())
    }

    fn claim_idle(queues: &mut Queues) -> Option<usize> {
        if queues.idle == 0 {
            return None;
        }
        let cpu = queues.idle.trailing_zeros() as usize;
        queues.idle &= queues.idle - 1;
        Some(cpu)
    }
}
