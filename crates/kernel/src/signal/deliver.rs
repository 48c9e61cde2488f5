//! What happens to pending signals before user code runs again.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use linux_abi::signal::SaFlags;

use crate::Kernel;
use crate::error::{Restart, Result};
use crate::signal::{Action, Default, Info, Number, Set, force, frame};
use crate::syscall::BoxFuture;
use crate::task::task::Body;
use crate::task::{ExitStatus, Task, exit};

/// What the CPU does next with the task.
pub(crate) enum Delivery {
    /// Run user code.
    Run,
    /// Wait until the stopped process goes on.
    Stop(BoxFuture<Result<u64>>),
    /// End the thread.
    Exit,
}

/// Acts on everything that is pending for `task`.
pub(crate) fn deliver(kernel: &Arc<Kernel>, task: &Arc<Task>, body: &mut Body) -> Delivery {
    loop {
        if task.exiting.load(Ordering::SeqCst) {
            return Delivery::Exit;
        }
        if task.process.signals.lock().stopped {
            return Delivery::Stop(wait_for_resume(task));
        }
        let Some((info, continues)) = take(task) else { break };
        trace(kernel, task, body, &info);
        let action = task.process.action(info.signal);
        if action.handler == Action::IGNORE {
            continue;
        }
        if action.handler != Action::DEFAULT {
            run_handler(kernel, task, body, info, action);
            continue;
        }
        match info.signal.default_action() {
            Default::Ignore | Default::Continue => {}
            Default::Stop => stop(kernel, task, info.signal, continues),
            Default::Terminate | Default::Core => {
                let core = info.signal.default_action() == Default::Core;
                exit::begin_group_exit(kernel, task, ExitStatus::Signal { signal: info.signal.get(), core });
                return Delivery::Exit;
            }
        }
    }
    if body.restart != Restart::No {
        restart_call(body);
    }
    if let Some(mask) = task.signals.lock().restore.take() {
        task.set_blocked(mask);
    }
    Delivery::Run
}

/// Writes a line about the signal to the trace, if there is one.
fn trace(kernel: &Kernel, task: &Task, body: &Body, info: &Info) {
    if let Some(sink) = &kernel.config().trace {
        let Info { signal, code, fields, .. } = info;
        let (tid, pc) = (task.tid(), body.context.pc);
        sink(&alloc::format!("[{tid}] --- {signal:?} code {code} {fields:x?} at pc {pc:#x} ---"));
    }
}

/// Takes a signal, and tells how many SIGCONTs had been sent by then.
fn take(task: &Arc<Task>) -> Option<(Info, u64)> {
    let continues = task.process.signals.lock().continues;
    let (own, wanted) = {
        let mut signals = task.signals.lock();
        let wanted = Set(!signals.blocked.0);
        (signals.pending.take(wanted), wanted)
    };
    if let Some(info) = own {
        return Some((info, continues));
    }
    let mut signals = task.process.signals.lock();
    let continues = signals.continues;
    signals.pending.take(wanted).map(|info| (info, continues))
}

/// Runs the interrupted call again, from its `SVC`.
pub(crate) fn restart_call(body: &mut Body) {
    body.context.x[0] = body.saved_x0;
    body.context.pc = body.context.pc.wrapping_sub(4);
    body.restart = Restart::No;
}

fn run_handler(kernel: &Arc<Kernel>, task: &Arc<Task>, body: &mut Body, info: Info, action: Action) {
    let flags = SaFlags::from_bits_retain(action.flags);
    match core::mem::take(&mut body.restart) {
        Restart::IfAllowed if flags.contains(SaFlags::SA_RESTART) => restart_call(body),
        Restart::No => {}
        Restart::IfAllowed | Restart::IfNoHandler => task.restart_deadline_ns.store(0, Ordering::SeqCst),
    }
    if frame::push(task, &mut body.context, info, action, kernel.has_bti()).is_err() {
        // No room for the frame: SIGSEGV, fatal if that is what did not fit.
        if info.signal == Number::SIGSEGV {
            let actions = task.process.actions.lock().clone();
            actions.lock()[usize::from(info.signal.get() - 1)] = Action::default();
        }
        force(kernel, task, Info::kernel(Number::SIGSEGV));
        return;
    }
    if flags.contains(SaFlags::SA_RESETHAND) {
        let actions = task.process.actions.lock().clone();
        actions.lock()[usize::from(info.signal.get() - 1)].handler = Action::DEFAULT;
    }
    let mut signals = task.signals.lock();
    // The frame holds the mask to come back to.
    signals.restore = None;
    let mut mask = signals.blocked.union(action.mask);
    if !flags.contains(SaFlags::SA_NODEFER) {
        mask.insert(info.signal);
    }
    signals.blocked = mask.without(Set::UNBLOCKABLE);
}

fn stop(kernel: &Arc<Kernel>, task: &Arc<Task>, signal: Number, continues: u64) {
    let process = &task.process;
    if signal != Number::SIGSTOP {
        // A terminal cannot stop a group that nobody could continue.
        let orphaned = kernel.tree().ids(process.pid).is_none_or(|ids| kernel.tree().is_orphaned(ids.pgid));
        if orphaned {
            return;
        }
    }
    crate::task::stop(kernel, process, signal, continues);
}

fn wait_for_resume(task: &Arc<Task>) -> BoxFuture<Result<u64>> {
    let task = task.clone();
    Box::pin(async move {
        let process = task.process.clone();
        process
            .resumed
            .wait_until(|| {
                let goes_on = !process.signals.lock().stopped || task.exiting.load(Ordering::SeqCst);
                goes_on.then_some(())
            })
            .await;
        task.set_attention();
        Ok(0)
    })
}
