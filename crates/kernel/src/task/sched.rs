//! Scheduling policies and processor affinity.
//!
//! There is one policy, `SCHED_OTHER`; the run queue gives every task the same
//! share. Real-time policies are refused, as Linux refuses them to a process
//! whose `RLIMIT_RTPRIO` is 0.

use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::sched::{SCHED_BATCH, SCHED_DEADLINE, SCHED_FIFO, SCHED_IDLE, SCHED_NORMAL, SCHED_RR, SchedParam};
use linux_abi::time::Timespec;
use machine::GuestAddr;

use crate::error::{Because, Result};
use crate::syscall::{Cx, Outcome};
use crate::task::Task;

fn target(cx: &Cx<'_>, pid: i32) -> Result<Arc<Task>> {
    match pid {
        0 => Ok(cx.task.clone()),
        1.. => cx.kernel.tree().task(pid.unsigned_abs()).ok_or_else(|| Errno::ESRCH.because("no such thread")),
        _ => Err(Errno::EINVAL.because("a negative number")),
    }
}

pub(super) fn sched_yield(cx: &mut Cx<'_>) -> Outcome {
    let task = cx.task.clone();
    let mut yielded = false;
    Outcome::wait(async move {
        core::future::poll_fn(|_| {
            if core::mem::replace(&mut yielded, true) {
                return core::task::Poll::Ready(Ok(0));
            }
            // Woken while it runs, the task goes to the end of the queue.
            task.wake_up();
            core::task::Poll::Pending
        })
        .await
    })
}

pub(super) fn sched_getaffinity(cx: &mut Cx<'_>, pid: i32, size: usize, mask: GuestAddr) -> Result<u64> {
    target(cx, pid)?;
    let cpus = cx.kernel.machine().cpu_count().min(64);
    if size < 8 || !size.is_multiple_of(8) {
        return Err(Errno::EINVAL.because("the mask is too short"));
    }
    let bits = if cpus == 64 { u64::MAX } else { (1 << cpus) - 1 };
    cx.task.mm().write_u64(mask, bits)?;
    Ok(8)
}

/// Every task may run on every CPU; a mask that allows at least one that
/// exists is accepted, as it is only advice here.
pub(super) fn sched_setaffinity(cx: &mut Cx<'_>, pid: i32, size: usize, mask: GuestAddr) -> Result<()> {
    target(cx, pid)?;
    let mut bytes = [0; 8];
    let len = size.min(8);
    cx.task.mm().read(mask, &mut bytes[..len])?;
    let cpus = cx.kernel.machine().cpu_count().min(64);
    let present = if cpus == 64 { u64::MAX } else { (1 << cpus) - 1 };
    if u64::from_le_bytes(bytes) & present == 0 {
        return Err(Errno::EINVAL.because("no CPU that exists"));
    }
    Ok(())
}

pub(super) fn sched_getscheduler(cx: &mut Cx<'_>, pid: i32) -> Result<u32> {
    target(cx, pid).map(|_| SCHED_NORMAL)
}

pub(super) fn sched_setscheduler(cx: &mut Cx<'_>, pid: i32, policy: u32, param: GuestAddr) -> Result<()> {
    target(cx, pid)?;
    let param: SchedParam = cx.task.mm().read_abi(param)?;
    match policy {
        SCHED_NORMAL | SCHED_BATCH | SCHED_IDLE if param.sched_priority == 0 => Ok(()),
        SCHED_FIFO | SCHED_RR if (1..=99).contains(&param.sched_priority) => {
            Err(Errno::EPERM.because("real-time policies are not allowed"))
        }
        _ => Err(Errno::EINVAL.because("no such policy or priority")),
    }
}

pub(super) fn sched_getparam(cx: &mut Cx<'_>, pid: i32, param: GuestAddr) -> Result<()> {
    target(cx, pid)?;
    cx.task.mm().write_abi(param, &SchedParam { sched_priority: 0 })
}

pub(super) fn sched_setparam(cx: &mut Cx<'_>, pid: i32, param: GuestAddr) -> Result<()> {
    target(cx, pid)?;
    let param: SchedParam = cx.task.mm().read_abi(param)?;
    if param.sched_priority == 0 { Ok(()) } else { Err(Errno::EINVAL.because("SCHED_OTHER has priority 0")) }
}

pub(super) fn sched_get_priority_max(_: &mut Cx<'_>, policy: u32) -> Result<u32> {
    match policy {
        SCHED_FIFO | SCHED_RR => Ok(99),
        SCHED_NORMAL | SCHED_BATCH | SCHED_IDLE | SCHED_DEADLINE => Ok(0),
        _ => Err(Errno::EINVAL.because("no such policy")),
    }
}

pub(super) fn sched_get_priority_min(_: &mut Cx<'_>, policy: u32) -> Result<u32> {
    match policy {
        SCHED_FIFO | SCHED_RR => Ok(1),
        SCHED_NORMAL | SCHED_BATCH | SCHED_IDLE | SCHED_DEADLINE => Ok(0),
        _ => Err(Errno::EINVAL.because("no such policy")),
    }
}

pub(super) fn sched_rr_get_interval(cx: &mut Cx<'_>, pid: i32, interval: GuestAddr) -> Result<()> {
    target(cx, pid)?;
    let slice = crate::kernel::SLICE_NS.cast_signed();
    cx.task.mm().write_abi(interval, &Timespec { tv_sec: 0, tv_nsec: slice })
}

pub(super) fn getcpu(cx: &mut Cx<'_>, cpu: GuestAddr, node: GuestAddr) -> Result<()> {
    let mm = cx.task.mm();
    if !cpu.is_null() {
        mm.write_u32(cpu, cx.task.last_cpu())?;
    }
    if !node.is_null() {
        mm.write_u32(node, 0)?;
    }
    Ok(())
}
