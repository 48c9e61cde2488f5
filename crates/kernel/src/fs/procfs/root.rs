//! The topmost directory of `/proc`.

use alloc::format;
use alloc::sync::Arc;

use linux_abi::Errno;

use crate::error::{Because, Result};
use crate::fs::procfs::{Item, Target, What, any_inode, node, number, process, sys, system};
use crate::fs::{Attr, Caller, DirEntry, DirSink, FileType, Inode, NameCaching};

const ITEMS: &[Item] = &[
    Item { name: "cmdline", mode: 0o444, what: What::Text(system::cmdline) },
    Item { name: "cpuinfo", mode: 0o444, what: What::Text(system::cpuinfo) },
    Item { name: "devices", mode: 0o444, what: What::Text(system::devices) },
    Item { name: "diskstats", mode: 0o444, what: What::Text(system::diskstats) },
    Item { name: "filesystems", mode: 0o444, what: What::Text(system::filesystems) },
    Item { name: "interrupts", mode: 0o444, what: What::Text(system::interrupts) },
    Item { name: "loadavg", mode: 0o444, what: What::Text(system::loadavg) },
    Item { name: "meminfo", mode: 0o444, what: What::Text(system::meminfo) },
    Item { name: "locks", mode: 0o444, what: What::Text(system::locks) },
    Item { name: "mounts", mode: 0o777, what: What::Link(|_, _| Ok(b"self/mounts".to_vec())) },
    Item { name: "net", mode: 0o777, what: What::Link(|_, _| Ok(b"self/net".to_vec())) },
    Item { name: "partitions", mode: 0o444, what: What::Text(system::partitions) },
    Item { name: "self", mode: 0o777, what: What::Link(own_process) },
    Item { name: "stat", mode: 0o444, what: What::Text(system::stat) },
    Item { name: "swaps", mode: 0o444, what: What::Text(system::swaps) },
    Item { name: "sys", mode: 0o555, what: What::Table(sys::ITEMS) },
    Item { name: "sysvipc", mode: 0o555, what: What::Table(SYSVIPC) },
    Item { name: "thread-self", mode: 0o777, what: What::Link(own_thread) },
    Item { name: "uptime", mode: 0o444, what: What::Text(system::uptime) },
    Item { name: "version", mode: 0o444, what: What::Text(system::version) },
    Item { name: "vmstat", mode: 0o444, what: What::Text(system::vmstat) },
];

const SYSVIPC: &[Item] = &[Item { name: "shm", mode: 0o444, what: What::Text(system::shared_memory) }];

/// Processes are listed from this position on.
const FIRST_PID: u64 = 1 << 16;

fn own_process(_: &Target, caller: &Caller) -> Result<alloc::vec::Vec<u8>> {
    let task = caller.task.as_ref().ok_or(Errno::ENOENT.because("the kernel is no process"))?;
    Ok(format!("{}", task.process.pid).into_bytes())
}

fn own_thread(_: &Target, caller: &Caller) -> Result<alloc::vec::Vec<u8>> {
    let task = caller.task.as_ref().ok_or(Errno::ENOENT.because("the kernel is no process"))?;
    Ok(format!("{}/task/{}", task.process.pid, task.tid()).into_bytes())
}

/// The directory.
pub(super) fn inode(target: &Target) -> Arc<dyn Inode> {
    Arc::new(Root { target: target.clone() })
}

struct Root {
    target: Target,
}

impl Inode for Root {
    fn kind(&self) -> FileType {
        FileType::Directory
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { ino: 1, ..node::attr(&self.target, b"", FileType::Directory, 0o555) })
    }

    fn name_caching(&self) -> NameCaching {
        NameCaching::Never
    }

    fn lookup(&self, name: &[u8], _: &Caller) -> Result<Arc<dyn Inode>> {
        if let Some(found) = node::find(ITEMS, &self.target, name) {
            return Ok(found);
        }
        let absent = Errno::ENOENT.because("no such file or process in /proc");
        let id = number(name).ok_or(absent)?;
        let kernel = self.target.kernel()?;
        if kernel.tree().process(id).is_some() {
            return Ok(process::inode(&self.target.of_process(id)));
        }
        // A thread's number works too, though it is not listed.
        let task = kernel.tree().task(id).ok_or(absent)?;
        Ok(process::inode(&self.target.of_process(task.process.pid)))
    }

    fn read_dir(&self, from: u64, _: &Caller, sink: &mut DirSink<'_>) -> Result<()> {
        if from < FIRST_PID && !node::list(ITEMS, &self.target, from, sink) {
            return Ok(());
        }
        let first = u32::try_from(from.saturating_sub(FIRST_PID)).unwrap_or(u32::MAX);
        for pid in self.target.kernel()?.tree().pids().into_iter().filter(|&pid| pid >= first) {
            let name = format!("{pid}");
            let ino = node::ino(&self.target.of_process(pid), b"");
            let next = FIRST_PID + u64::from(pid) + 1;
            if !sink(DirEntry { name: name.as_bytes(), ino, kind: FileType::Directory, next }) {
                break;
            }
        }
        Ok(())
    }

    any_inode!();
}
