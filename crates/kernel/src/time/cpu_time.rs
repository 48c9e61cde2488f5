//! What happens once a process or thread has used so much processor time:
//! the timers of `setitimer` and `timer_create` on such clocks, sleeps on
//! them, and `RLIMIT_CPU`.
//!
//! A task's time is added up when it leaves its CPU, at the latest at the end
//! of its slice; [`ProcessTimers::charged`] is called then.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::Future;
use core::task::{Poll, Waker};

use linux_abi::resource::RLIMIT_CPU;

use super::{Clock, ProcessTimers, SECOND_NS};
use crate::Kernel;
use crate::signal::{Info, Number, send_to_process};
use crate::task::{Task, UNLIMITED};

/// Something to be woken when a processor-time clock reaches a time.
#[derive(Debug)]
pub(super) struct CpuAlarm {
    pub(super) key: u64,
    pub(super) clock: Clock,
    pub(super) at_ns: u64,
    pub(super) waker: Waker,
}

impl ProcessTimers {
    /// Arms an alarm on a clock of this process; gives its key.
    pub(super) fn arm_cpu(&self, clock: Clock, at_ns: u64, waker: Waker) -> u64 {
        let mut alarms = self.cpu_alarms.lock();
        let key = self.next_key();
        alarms.push(CpuAlarm { key, clock, at_ns, waker });
        key
    }

    /// Disarms it; nothing happens if it has gone off.
    pub(super) fn disarm_cpu(&self, key: u64) {
        let mut alarms = self.cpu_alarms.lock();
        if let Some(index) = alarms.iter().position(|alarm| alarm.key == key) {
            let alarm = alarms.swap_remove(index);
            drop(alarms);
            drop(alarm);
        }
    }

    /// A thread of the process has used processor time: sees what is due.
    pub(crate) fn charged(&self, kernel: &Arc<Kernel>, task: &Arc<Task>) {
        let limit = task.process.limit(RLIMIT_CPU as usize);
        if limit.soft != UNLIMITED || limit.hard != UNLIMITED {
            self.enforce_limit(kernel, task, limit.soft, limit.hard);
        }
        let clocks: Vec<(u64, Clock, u64)> = {
            let alarms = self.cpu_alarms.lock();
            if alarms.is_empty() {
                return;
            }
            alarms.iter().map(|alarm| (alarm.key, alarm.clock, alarm.at_ns)).collect()
        };
        // Reading such a clock takes the tree's lock, so it is done outside.
        let mut due: Vec<u64> = Vec::new();
        for (key, clock, at_ns) in clocks {
            if clock.now_ns(kernel) >= at_ns {
                due.push(key);
            }
        }
        let mut wakers = Vec::new();
        self.cpu_alarms.lock().retain(|alarm| {
            let is_due = due.contains(&alarm.key);
            if is_due {
                wakers.push(alarm.waker.clone());
            }
            !is_due
        });
        for waker in wakers {
            waker.wake();
        }
    }

    /// `RLIMIT_CPU`: SIGXCPU at the soft limit and each second after, SIGKILL
    /// at the hard one.
    fn enforce_limit(&self, kernel: &Arc<Kernel>, task: &Arc<Task>, soft: u64, hard: u64) {
        let process = &task.process;
        let times = kernel.tree().times(process.pid);
        let seconds = times.user_ns.saturating_add(times.system_ns) / SECOND_NS;
        if seconds >= hard {
            send_to_process(kernel, process, Info::kernel(Number::SIGKILL));
            return;
        }
        let mut warned = self.warned_at.lock();
        if seconds >= soft && seconds > *warned {
            *warned = seconds;
            drop(warned);
            send_to_process(kernel, process, Info::kernel(Number::SIGXCPU));
        }
    }
}

/// Disarms on drop.
struct Armed<'a> {
    timers: &'a ProcessTimers,
    key: u64,
}

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        self.timers.disarm_cpu(self.key);
    }
}

/// Waits until a processor-time clock shows `at_ns`; for ever if its process
/// is gone.
pub(super) fn wait_until(kernel: &Arc<Kernel>, clock: Clock, at_ns: u64) -> impl Future<Output = ()> + use<> {
    let kernel = kernel.clone();
    async move {
        let process = match clock {
            Clock::Process(pid, _) => kernel.tree().process(pid),
            Clock::Thread(tid, _) => kernel.tree().task(tid).map(|task| task.process.clone()),
            _ => None,
        };
        let Some(process) = process else { return core::future::pending().await };
        let mut armed: Option<Armed<'_>> = None;
        core::future::poll_fn(|context| {
            if clock.now_ns(&kernel) >= at_ns {
                return Poll::Ready(());
            }
            if armed.is_none() {
                let key = process.timers.arm_cpu(clock, at_ns, context.waker().clone());
                armed = Some(Armed { timers: &process.timers, key });
            }
            if clock.now_ns(&kernel) >= at_ns { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        drop(armed);
    }
}
