//! Files about the system as a whole.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::sync::atomic::{AtomicU64, Ordering};

use linux_abi::stat::{major, minor};
use machine::PAGE_SIZE;

use crate::error::Result;
use crate::fs::VIRTBLK_MAJOR;
use crate::fs::procfs::Target;
use crate::fs::procfs::node::text;
use crate::task::{RELEASE, VERSION};

const NS_PER_SECOND: u64 = 1_000_000_000;
const NS_PER_TICK: u64 = 10_000_000;

pub(super) fn version(_: &Target) -> Result<Vec<u8>> {
    Ok(text(format!("Linux version {RELEASE} (vambrace) {VERSION}\n")))
}

pub(super) fn cmdline(target: &Target) -> Result<Vec<u8>> {
    Ok(text(format!("{}\n", target.kernel()?.config().cmdline)))
}

pub(super) fn uptime(target: &Target) -> Result<Vec<u8>> {
    let kernel = target.kernel()?;
    let up = kernel.now_ns() - kernel.boot_ns();
    let idle = (up * kernel.machine().cpu_count() as u64).saturating_sub(used_ns(target)?);
    let part = |ns: u64| (ns / NS_PER_SECOND, ns % NS_PER_SECOND / NS_PER_TICK);
    let ((up, up_part), (idle, idle_part)) = (part(up), part(idle));
    Ok(text(format!("{up}.{up_part:02} {idle}.{idle_part:02}\n")))
}

/// Processor time of everything that is or was below process 1.
fn used_ns(target: &Target) -> Result<u64> {
    let kernel = target.kernel()?;
    let tree = kernel.tree();
    let own = |pid| {
        let (own, children) = (tree.times(pid), tree.child_times(pid));
        own.user_ns + own.system_ns + children.user_ns + children.system_ns
    };
    Ok(tree.pids().into_iter().map(own).sum())
}

pub(super) fn cpuinfo(target: &Target) -> Result<Vec<u8>> {
    let kernel = target.kernel()?;
    let mut out = String::new();
    for cpu in 0..kernel.machine().cpu_count() {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(out, "processor\t: {cpu}\n{}", kernel.config().cpuinfo);
    }
    Ok(text(out))
}

pub(super) fn meminfo(target: &Target) -> Result<Vec<u8>> {
    let kernel = target.kernel()?;
    let kib = |frames: usize| frames as u64 * PAGE_SIZE / 1024;
    let (total, free) = (kib(kernel.frame_pool().total()), kib(kernel.frame_pool().free_count()));
    let mut out = String::new();
    let rows = [
        ("MemTotal", total),
        ("MemFree", free),
        ("MemAvailable", free),
        ("Buffers", 0),
        ("Cached", 0),
        ("SwapCached", 0),
        ("SwapTotal", 0),
        ("SwapFree", 0),
        ("Dirty", kib(kernel.frames().dirty_pages())),
        ("Writeback", 0),
        ("Shmem", 0),
        ("Slab", 0),
        ("SReclaimable", 0),
        ("SUnreclaim", 0),
        ("CommitLimit", total),
        ("Committed_AS", total - free),
        ("HugePages_Total", 0),
    ];
    for (name, value) in rows {
        let unit = if name.starts_with("Huge") { "" } else { " kB" };
        let _ = writeln!(out, "{:<15} {value:>8}{unit}", format!("{name}:"));
    }
    Ok(text(out))
}

pub(super) fn loadavg(target: &Target) -> Result<Vec<u8>> {
    let kernel = target.kernel()?;
    let threads = kernel.tree().thread_count();
    let running = running(target)?;
    let last = kernel.tree().pids().last().copied().unwrap_or(0);
    // No averages are kept; what runs now is the best estimate of each.
    let load = format!("{running}.00");
    Ok(text(format!("{load} {load} {load} {running}/{threads} {last}\n")))
}

fn running(target: &Target) -> Result<usize> {
    let kernel = target.kernel()?;
    let tree = kernel.tree();
    let awake = |pid| tree.threads(pid).iter().filter(|task| !task.is_asleep()).count();
    Ok(tree.pids().into_iter().map(awake).sum())
}

pub(super) fn stat(target: &Target) -> Result<Vec<u8>> {
    let kernel = target.kernel()?;
    let cpus = kernel.machine().cpu_count() as u64;
    let up = (kernel.now_ns() - kernel.boot_ns()) / NS_PER_TICK;
    let used = used_ns(target)? / NS_PER_TICK;
    let idle = (up * cpus).saturating_sub(used);
    let mut out = format!("cpu  {used} 0 0 {idle} 0 0 0 0 0 0\n");
    for cpu in 0..cpus {
        let _ = writeln!(out, "cpu{cpu} {} 0 0 {} 0 0 0 0 0 0", used / cpus, idle / cpus);
    }
    let wall = kernel.boot_ns().cast_signed().saturating_add(kernel.clock().wall_offset_ns());
    let forks = kernel.tree().pids().last().copied().unwrap_or(0);
    let _ = writeln!(out, "intr 0\nctxt 0\nbtime {}\nprocesses {forks}", wall / 1_000_000_000);
    let _ = writeln!(out, "procs_running {}\nprocs_blocked 0", running(target)?);
    Ok(text(out))
}

pub(super) fn vmstat(target: &Target) -> Result<Vec<u8>> {
    let kernel = target.kernel()?;
    Ok(text(format!("nr_free_pages {}\n", kernel.frame_pool().free_count())))
}

pub(super) fn filesystems(target: &Target) -> Result<Vec<u8>> {
    let mut out = String::new();
    let kernel = target.kernel()?;
    for name in kernel.vfs().type_names() {
        let needs_disk = kernel.vfs().file_system_type(name).is_some_and(|kind| kind.needs_disk());
        let _ = writeln!(out, "{}\t{name}", if needs_disk { "" } else { "nodev" });
    }
    Ok(text(out))
}

pub(super) fn locks(target: &Target) -> Result<Vec<u8>> {
    let mut out = String::new();
    let list = target.kernel()?.vfs().locks().list();
    for (n, (kind, is_exclusive, pid, (dev, ino), start, last)) in list.into_iter().enumerate() {
        let access = if is_exclusive { "WRITE" } else { "READ " };
        let (major, minor) = (linux_abi::stat::major(dev), linux_abi::stat::minor(dev));
        let pid = if pid == 0 { String::from("-1") } else { format!("{pid}") };
        let last = if last >= i64::MAX.unsigned_abs() { String::from("EOF") } else { format!("{last}") };
        let line = format!("{}: {kind:6} ADVISORY  {access} {pid} {major:02x}:{minor:02x}:{ino} {start} {last}", n + 1);
        let _ = writeln!(out, "{line}");
    }
    Ok(text(out))
}

pub(super) fn shared_memory(target: &Target) -> Result<Vec<u8>> {
    Ok(text(crate::ipc::proc_text(target.kernel()?.segments())))
}

pub(super) fn devices(target: &Target) -> Result<Vec<u8>> {
    let mut out = String::from("Character devices:\n");
    for (major, name) in target.kernel()?.vfs().devices().majors() {
        let _ = writeln!(out, "{major:>3} {name}");
    }
    out.push_str("\nBlock devices:\n");
    if !target.kernel()?.vfs().blocks().list().is_empty() {
        let _ = writeln!(out, "{VIRTBLK_MAJOR:>3} virtblk");
    }
    Ok(text(out))
}

pub(super) fn interrupts(target: &Target) -> Result<Vec<u8>> {
    let kernel = target.kernel()?;
    let mut out = String::from("    ");
    for cpu in 0..kernel.machine().cpu_count() {
        let _ = write!(out, "       CPU{cpu}");
    }
    out.push('\n');
    kernel.machine().interrupts(&mut |number, name, counts| {
        let _ = write!(out, "{number:>3}:");
        for count in counts {
            let _ = write!(out, " {count:>10}");
        }
        let _ = writeln!(out, "  {name}");
    });
    Ok(text(out))
}

pub(super) fn partitions(target: &Target) -> Result<Vec<u8>> {
    let mut out = String::from("major minor  #blocks  name\n\n");
    for disk in target.kernel()?.vfs().blocks().list() {
        let (major, minor) = (major(disk.number()), minor(disk.number()));
        let _ = writeln!(out, "{major:>4} {minor:>8} {:>10} {}", disk.size() / 1024, disk.name());
    }
    Ok(text(out))
}

pub(super) fn diskstats(target: &Target) -> Result<Vec<u8>> {
    let mut out = String::new();
    for disk in target.kernel()?.vfs().blocks().list() {
        let (major, minor) = (major(disk.number()), minor(disk.number()));
        let counters = disk.counters();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // Requests are not merged, and how long they took is not measured.
        let _ = writeln!(
            out,
            "{major:>4} {minor:>7} {} {} 0 {} 0 {} 0 {} 0 0 0 0 0 0 0 0 {} 0",
            disk.name(),
            count(&counters.reads),
            count(&counters.sectors_read),
            count(&counters.writes),
            count(&counters.sectors_written),
            count(&counters.flushes),
        );
    }
    Ok(text(out))
}

pub(super) fn swaps(_: &Target) -> Result<Vec<u8>> {
    Ok(text(String::from("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n")))
}
