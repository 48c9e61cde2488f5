//! Job-control stops of a whole process.

use alloc::sync::Arc;

use linux_abi::signal::{CLD_CONTINUED, CLD_STOPPED, SaFlags};

use crate::Kernel;
use crate::signal::{Info, InfoFields, Number, send_to_process};
use crate::task::tree::Report;
use crate::task::{Process, Task};

/// Stops a process: every thread waits as soon as it would run user code.
/// Nothing comes of it if it is being killed, or if a SIGCONT was sent since
/// the signal was taken, when there had been `continues` of them.
pub(crate) fn stop(kernel: &Kernel, process: &Arc<Process>, signal: Number, continues: u64) {
    {
        let mut signals = process.signals.lock();
        let is_void = signals.continues != continues || signals.pending.set().contains(Number::SIGKILL);
        if is_void || core::mem::replace(&mut signals.stopped, true) {
            return;
        }
    }
    for thread in kernel.tree().threads(process.pid) {
        thread.notice();
    }
    report(kernel, process, Report::Stopped(signal.get()));
}

/// Lets a stopped process go on; with `tell`, its parent hears of it.
pub(crate) fn resume(kernel: &Kernel, process: &Arc<Process>, threads: &[Arc<Task>], tell: bool) {
    if !core::mem::replace(&mut process.signals.lock().stopped, false) {
        return;
    }
    process.resumed.wake_all();
    threads.iter().for_each(Task::notice);
    if tell {
        report(kernel, process, Report::Continued);
    }
}

fn report(kernel: &Kernel, process: &Arc<Process>, report: Report) {
    let parent = {
        let mut nodes = kernel.tree().nodes.lock();
        let Some(node) = nodes.by_pid.get_mut(&process.pid) else { return };
        node.report = Some(report);
        let parent = node.parent;
        nodes.by_pid.get(&parent).map(|node| node.process.clone())
    };
    let Some(parent) = parent else { return };
    let (code, status) = match report {
        Report::Stopped(signal) => (CLD_STOPPED, i32::from(signal)),
        Report::Continued => (CLD_CONTINUED, i32::from(Number::SIGCONT.get())),
    };
    let quiet = SaFlags::from_bits_retain(parent.action(Number::SIGCHLD).flags).contains(SaFlags::SA_NOCLDSTOP);
    if !quiet {
        let fields = InfoFields::Child { pid: process.pid, uid: 0, status, utime: 0, stime: 0 };
        send_to_process(kernel, &parent, Info { signal: Number::SIGCHLD, errno: 0, code, fields });
    }
    parent.child_events.wake_all();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing_task::Guest;

    fn is_stopped(guest: &Guest) -> bool {
        guest.task.process.signals.lock().stopped
    }

    #[test]
    fn a_stop_decided_before_sigcont_comes_to_nothing() {
        let guest = Guest::new();
        let (kernel, process) = (&guest.kernel, &guest.task.process);
        send_to_process(kernel, process, Info::kernel(Number::SIGCONT));
        stop(kernel, process, Number::SIGTSTP, 0);
        assert!(!is_stopped(&guest));
        stop(kernel, process, Number::SIGTSTP, 1);
        assert!(is_stopped(&guest));
    }

    #[test]
    fn a_process_that_is_being_killed_does_not_stop() {
        let guest = Guest::new();
        let (kernel, process) = (&guest.kernel, &guest.task.process);
        stop(kernel, process, Number::SIGTSTP, 0);
        send_to_process(kernel, process, Info::kernel(Number::SIGKILL));
        assert!(!is_stopped(&guest));
        stop(kernel, process, Number::SIGTTOU, 0);
        assert!(!is_stopped(&guest));
    }
}
