//! A CPU: a host thread that runs the kernel's loop.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use engine::{AddressSpace, KickHandle};
use machine::{Clock, Exit, PageTable, UserContext};

use crate::timer::Timers;

/// How to reach a CPU from anywhere.
pub(crate) struct Reach {
    kick: KickHandle,
    /// The thread, once it runs.
    thread: OnceLock<Thread>,
}

impl Reach {
    pub(crate) fn new(kick: KickHandle) -> Self {
        Self { kick, thread: OnceLock::new() }
    }

    /// Interrupts guest code and ends sleep, without taking a lock.
    pub(crate) fn kick(&self) {
        // In this order: who wakes up finds the kick.
        self.kick.kick();
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

/// A CPU, on its own thread.
pub(crate) struct HostedCpu {
    pub(crate) id: usize,
    pub(crate) engine: engine::Cpu,
    pub(crate) reach: Arc<[Reach]>,
    pub(crate) timers: Arc<Timers>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl HostedCpu {
    /// Makes the calling thread this CPU's.
    pub(crate) fn attach(&self) {
        // A kick before this is found by the first `idle` or `run`.
        let first = self.reach[self.id].thread.set(thread::current()).is_ok();
        debug_assert!(first, "a CPU is started once");
    }
}

impl machine::Cpu for HostedCpu {
    fn id(&self) -> usize {
        self.id
    }

    fn run(&mut self, context: &mut UserContext, table: &Arc<dyn PageTable>) -> Exit {
        let space = table.as_any().downcast_ref::<AddressSpace>();
        self.engine.run(context, space.expect("page tables come from this machine"))
    }

    fn take_kick(&mut self) {
        self.engine.take_kick();
    }

    fn idle(&mut self, deadline_ns: Option<u64>) {
        // `park` may return for no reason, and does so once after a kick that
        // came while the CPU ran; only a kick or the time ends this loop.
        while !self.reach[self.id].kick.is_kicked() {
            match deadline_ns {
                None => thread::park(),
                Some(deadline) => {
                    let left = deadline.saturating_sub(self.clock.monotonic_ns());
                    if left == 0 {
                        return;
                    }
                    thread::park_timeout(Duration::from_nanos(left));
                }
            }
        }
    }

    fn set_deadline(&mut self, deadline_ns: Option<u64>) {
        self.timers.set(self.id, deadline_ns);
    }
}

impl fmt::Debug for HostedCpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostedCpu").field("id", &self.id).finish_non_exhaustive()
    }
}
