//! Sending signals.

use alloc::sync::Arc;

use crate::Kernel;
use crate::signal::{Action, Default, Info, Number, Set};
use crate::task::{Creds, Process, Task};

/// True if a task with these identities may signal one with those.
#[must_use]
pub fn may_signal(sender: &Creds, target: &Creds) -> bool {
    sender.is_privileged()
        || sender.euid == target.suid
        || sender.euid == target.uid
        || sender.uid == target.suid
        || sender.uid == target.uid
}

const STOPS: Set = Set(1 << 18 | 1 << 19 | 1 << 20 | 1 << 21);

/// What a signal does at the moment it is sent, whatever becomes of it later:
/// SIGCONT ends a stop, stops and SIGCONT cancel each other. (SIGKILL ends a
/// stop as well, once it is pending.)
fn side_effects(kernel: &Kernel, process: &Arc<Process>, threads: &[Arc<Task>], signal: Number) {
    if signal == Number::SIGCONT {
        {
            let mut signals = process.signals.lock();
            signals.pending.discard(STOPS);
            signals.continues = signals.continues.wrapping_add(1);
        }
        for thread in threads {
            thread.signals.lock().pending.discard(STOPS);
        }
        crate::task::resume(kernel, process, threads, true);
    } else if signal.default_action() == Default::Stop {
        let cont = Set::of(Number::SIGCONT);
        process.signals.lock().pending.discard(cont);
        for thread in threads {
            thread.signals.lock().pending.discard(cont);
        }
    }
}

/// True if the process does not want the signal at all.
fn is_ignored(process: &Process, signal: Number) -> bool {
    process.action(signal).ignores(signal)
}

/// Sends a signal to a process; some thread that does not block it takes it.
/// False if the process could not take one more real-time signal.
pub fn send_to_process(kernel: &Kernel, process: &Arc<Process>, info: Info) -> bool {
    let threads = kernel.tree().threads(process.pid);
    side_effects(kernel, process, &threads, info.signal);
    let wants = |thread: &&Arc<Task>| !thread.signals.lock().blocked.contains(info.signal);
    let taker = threads.iter().find(wants);
    if is_ignored(process, info.signal) && taker.is_some() {
        return true;
    }
    if !process.signals.lock().pending.push(info) {
        return false;
    }
    if info.signal == Number::SIGKILL {
        // Only now: a thread that went on before could stop once more.
        crate::task::resume(kernel, process, &threads, false);
        threads.iter().for_each(Task::notice);
    } else if let Some(thread) = taker {
        thread.notice();
    }
    process.signal_events.wake_all();
    true
}

/// Sends a signal to one thread. False as for [`send_to_process`].
pub fn send_to_task(kernel: &Kernel, task: &Arc<Task>, info: Info) -> bool {
    if info.signal == Number::SIGKILL {
        return send_to_process(kernel, &task.process, info);
    }
    let threads = kernel.tree().threads(task.process.pid);
    side_effects(kernel, &task.process, &threads, info.signal);
    let pushed = {
        let mut signals = task.signals.lock();
        if !signals.blocked.contains(info.signal) && is_ignored(&task.process, info.signal) {
            return true;
        }
        signals.pending.push(info)
    };
    task.notice();
    task.process.signal_events.wake_all();
    pushed
}

/// Sends a signal to every process of a group.
pub fn send_to_group(kernel: &Kernel, pgid: u32, info: Info) -> usize {
    let group = kernel.tree().group(pgid);
    for process in &group {
        send_to_process(kernel, process, info);
    }
    group.len()
}

/// Makes a task take a fault that it caused, even if it blocks or ignores it.
pub(crate) fn force(kernel: &Kernel, task: &Arc<Task>, info: Info) {
    let blocked_or_ignored = {
        let mut signals = task.signals.lock();
        let blocked = signals.blocked.contains(info.signal);
        signals.blocked.remove(info.signal);
        blocked || task.process.action(info.signal).handler == Action::IGNORE
    };
    if blocked_or_ignored {
        let actions = task.process.actions.lock().clone();
        actions.lock()[usize::from(info.signal.get() - 1)] = Action::default();
    }
    let _ = kernel;
    let mut signals = task.signals.lock();
    // A fault replaces an older signal of the same number: its information is
    // what the handler needs.
    signals.pending.discard(Set::of(info.signal));
    signals.pending.push(info);
    drop(signals);
    task.set_attention();
}

/// Kills every process but the caller's.
pub(crate) fn kill_everyone(kernel: &Kernel, except: u32) {
    for pid in kernel.tree().pids() {
        if pid != except
            && let Some(process) = kernel.tree().process(pid)
        {
            send_to_process(kernel, &process, Info::kernel(Number::SIGKILL));
        }
    }
}

impl Kernel {
    /// Sends a signal to every process of a group, as terminals do.
    pub fn signal_group(&self, pgid: u32, info: Info) -> usize {
        send_to_group(self, pgid, info)
    }
}
