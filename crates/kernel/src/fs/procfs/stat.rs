//! `/proc/PID/stat` and `statm`.

use alloc::format;
use alloc::vec::Vec;

use machine::PAGE_SIZE;

use crate::error::Result;
use crate::fs::procfs::node::text;
use crate::fs::procfs::process::comm_of;
use crate::fs::procfs::{Target, gone};
use crate::task::Times;

const NS_PER_TICK: u64 = 10_000_000;

/// The letter of a process's or thread's state.
pub(super) fn state(target: &Target) -> Result<char> {
    let snapshot = target.kernel()?.tree().snapshot(target.pid).ok_or_else(gone)?;
    if snapshot.status.is_some() {
        return Ok('Z');
    }
    if snapshot.process.signals.lock().stopped {
        return Ok('T');
    }
    let awake = match target.tid {
        0 => snapshot.threads.iter().any(|task| !task.is_asleep()),
        _ => !target.task()?.is_asleep(),
    };
    Ok(if awake { 'R' } else { 'S' })
}

pub(super) fn stat(target: &Target) -> Result<Vec<u8>> {
    let kernel = target.kernel()?;
    let snapshot = kernel.tree().snapshot(target.pid).ok_or_else(gone)?;
    let task = target.task().ok();
    let Times { user_ns, system_ns } = match (&task, target.tid) {
        (Some(task), tid) if tid != 0 => task.times(),
        _ => snapshot.times,
    };
    let children = snapshot.child_times;
    let (tty, foreground) = kernel
        .tree()
        .controlling_tty(snapshot.ids.sid)
        .map_or((0, -1), |tty| (tty.device(), tty.foreground().cast_signed()));
    let nice = snapshot.process.nice.load(core::sync::atomic::Ordering::Relaxed);
    let (usage, layout) = task.as_ref().map(|task| (task.mm().usage(), task.mm().layout())).unwrap_or_default();
    let signals = task.as_ref().map(|task| {
        let signals = task.signals.lock();
        (signals.pending.set().0, signals.blocked.0)
    });
    let (pending, blocked) = signals.unwrap_or_default();
    let rss_limit = snapshot.process.limit(linux_abi::resource::RLIMIT_RSS as usize).soft;
    let exit_signal = snapshot.process.exit_signal.load(core::sync::atomic::Ordering::Relaxed);
    let exit_code = snapshot.status.map_or(0, crate::task::ExitStatus::wait_word);
    let started = snapshot.process.started_ns.saturating_sub(kernel.boot_ns()) / NS_PER_TICK;
    let id = if target.tid == 0 { target.pid } else { target.tid };
    let mut out = format!("{id} (").into_bytes();
    out.extend_from_slice(&comm_of(target));
    out.extend_from_slice(
        format!(
            ") {} {} {} {} {tty} {foreground} 0 0 0 0 0 {} {} {} {} {} {nice} {} 0 {started} {} {} {rss_limit} \
             {} {} {} 0 0 {pending} {blocked} 0 0 0 0 0 {exit_signal} {} 0 0 0 0 0 {} {} {} {} {} {} {} {exit_code}\n",
            state(target)?,
            snapshot.ids.ppid,
            snapshot.ids.pgid,
            snapshot.ids.sid,
            user_ns / NS_PER_TICK,
            system_ns / NS_PER_TICK,
            children.user_ns / NS_PER_TICK,
            children.system_ns / NS_PER_TICK,
            20 + nice,
            snapshot.threads.len(),
            usage.size * PAGE_SIZE,
            usage.resident,
            layout.code.start,
            layout.code.end,
            layout.stack_start,
            task.as_ref().map_or(0, |task| task.last_cpu()),
            layout.data.start,
            layout.data.end,
            layout.brk.start,
            layout.args.start,
            layout.args.end,
            layout.env.start,
            layout.env.end,
        )
        .as_bytes(),
    );
    Ok(out)
}

pub(super) fn statm(target: &Target) -> Result<Vec<u8>> {
    let usage = target.task().map(|task| task.mm().usage()).unwrap_or_default();
    let crate::mm::Usage { size, resident, shared, text: code, data, .. } = usage;
    Ok(text(format!("{size} {resident} {shared} {code} 0 {data} 0\n")))
}
