//! The loop that runs one task on a CPU.
//!
//! Neighbours: [`crate::signal::deliver`] decides what happens before user
//! code runs again, [`crate::syscall::dispatch`] makes system calls,
//! [`crate::task::exit`] ends threads.

use alloc::sync::Arc;
use core::task::{Context, Poll};

use machine::{Cpu, Exit};

use crate::Kernel;
use crate::error::{Error, Restart, Result};
use crate::signal::{self, Delivery, Info, Number};
use crate::syscall::trace::PendingLine;
use crate::syscall::{self, Cx, Outcome};
use crate::task::task::Body;
use crate::task::{Task, exit};

/// What the loop does with the CPU after one round.
enum Next {
    /// Another round.
    Again,
    /// The task waits.
    Sleep,
    /// Another task gets the CPU.
    Yield,
    /// The task is gone.
    Gone,
}

/// Runs `task` until it waits, ends, or has used up its slice.
pub(crate) fn run(kernel: &Arc<Kernel>, cpu: &mut dyn Cpu, task: &Arc<Task>) {
    task.begin_run(cpu.id());
    task.start_charging(kernel);
    let slice_end = kernel.now_ns().saturating_add(crate::kernel::SLICE_NS);
    cpu.set_deadline(Some(kernel.next_interruption()));
    let mut body = task.body.lock();
    let next = loop {
        let next = round(kernel, cpu, task, &mut body, slice_end);
        if !matches!(next, Next::Again) {
            break next;
        }
    };
    // Another CPU may run it next, and a task that waits may be looked at.
    kernel.machine().complete(&mut body.context);
    // A context that is not going to run again holds no memory.
    let garbage = if matches!(next, Next::Gone) { body.blocked.take() } else { None };
    drop(body);
    drop(garbage);
    task.charge(kernel);
    task.process.timers.charged(kernel, task);
    match next {
        Next::Sleep => task.end_run_asleep(),
        Next::Yield | Next::Again => task.end_run_ready(),
        Next::Gone => task.end_run_dead(),
    }
}

fn round(kernel: &Arc<Kernel>, cpu: &mut dyn Cpu, task: &Arc<Task>, body: &mut Body, slice_end: u64) -> Next {
    if let Some(mut future) = body.blocked.take() {
        match future.as_mut().poll(&mut Context::from_waker(&task.waker())) {
            Poll::Pending => {
                body.blocked = Some(future);
                return Next::Sleep;
            }
            Poll::Ready(result) => finish_call(kernel, task, body, result),
        }
    }
    if task.take_attention() {
        // A signal's frame holds all registers.
        kernel.machine().complete(&mut body.context);
        match signal::deliver(kernel, task, body) {
            Delivery::Run => {}
            Delivery::Stop(future) => {
                body.stopped = true;
                body.blocked = Some(future);
                return Next::Again;
            }
            Delivery::Exit => {
                exit::end_thread(kernel, task);
                return Next::Gone;
            }
        }
    } else if body.restart != Restart::No {
        // The wait ended as interrupted, but another thread took the signal.
        signal::restart_call(body);
    }
    if kernel.is_shut_down() {
        return Next::Yield;
    }
    let mm = task.mm();
    let exit = cpu.run(&mut body.context, mm.table());
    // A call may end the process: its memory is to be free before anybody
    // hears of that, so this may not be the last to hold it.
    drop(mm);
    match exit {
        Exit::Syscall => make_call(kernel, task, body),
        Exit::Event => after_event(kernel, cpu, slice_end),
        Exit::Fault { addr, access } => {
            if let Err(info) = task.mm().fault(addr, access) {
                signal::force(kernel, task, info);
            }
            Next::Again
        }
        Exit::Misaligned { addr } => fault(kernel, task, Info::fault(Number::SIGBUS, signal::BUS_ADRALN, addr)),
        Exit::Undefined { .. } | Exit::BranchTarget => {
            fault(kernel, task, Info::fault(Number::SIGILL, signal::ILL_ILLOPC, body.context.pc))
        }
        Exit::PointerAuth => fault(kernel, task, Info::fault(Number::SIGILL, signal::ILL_ILLOPN, body.context.pc)),
        Exit::Breakpoint { .. } => {
            fault(kernel, task, Info::fault(Number::SIGTRAP, signal::TRAP_BRKPT, body.context.pc))
        }
    }
}

fn fault(kernel: &Arc<Kernel>, task: &Arc<Task>, info: Info) -> Next {
    signal::force(kernel, task, info);
    Next::Again
}

/// The CPU was kicked or its deadline came.
fn after_event(kernel: &Arc<Kernel>, cpu: &mut dyn Cpu, slice_end: u64) -> Next {
    cpu.take_kick();
    kernel.drain_events();
    let now = kernel.now_ns();
    kernel.timers().expire(now);
    if now >= slice_end {
        // Also without a rival the task goes through the queue, so that its
        // processor time is accounted for.
        return Next::Yield;
    }
    cpu.set_deadline(Some(kernel.next_interruption().min(slice_end)));
    Next::Again
}

fn make_call(kernel: &Arc<Kernel>, task: &Arc<Task>, body: &mut Body) -> Next {
    body.saved_x0 = body.context.x[0];
    body.restart = Restart::No;
    let mut cx = Cx { kernel, task, regs: &mut body.context };
    let line = kernel.config().trace.as_ref().map(|_| PendingLine::enter(&cx));
    let outcome = syscall::dispatch(&mut cx);
    body.trace = line;
    match outcome {
        Outcome::Done(result) => {
            finish_call(kernel, task, body, result);
            Next::Again
        }
        Outcome::Wait(future) => {
            body.blocked = Some(future);
            Next::Again
        }
        Outcome::KeepRegisters => {
            emit_trace(kernel, body, None);
            Next::Again
        }
        Outcome::Exit => {
            emit_trace(kernel, body, None);
            exit::end_thread(kernel, task);
            Next::Gone
        }
    }
}

/// Stores the result of a call, or of the wait while the process was stopped.
fn finish_call(kernel: &Arc<Kernel>, task: &Task, body: &mut Body, result: Result<u64>) {
    if core::mem::take(&mut body.stopped) {
        return;
    }
    emit_trace(kernel, body, Some(result));
    if let Err(Error { restart, .. }) = result {
        body.restart = restart;
    }
    match task.new_context.lock().take() {
        Some(context) => {
            kernel.machine().complete(&mut body.context);
            body.context = *context;
        }
        None => body.context.x[0] = syscall::return_value(result),
    }
}

fn emit_trace(kernel: &Kernel, body: &mut Body, result: Option<Result<u64>>) {
    if let (Some(line), Some(sink)) = (body.trace.take(), kernel.config().trace.as_ref()) {
        sink(&line.finish(result));
    }
}
