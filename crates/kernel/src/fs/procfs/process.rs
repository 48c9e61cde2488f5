//! `/proc/PID` and `/proc/PID/task/TID`.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt::Write;

use linux_abi::Errno;
use machine::GuestAddr;

use crate::error::{Because, Result};
use crate::fs::procfs::node::{self, Dir, text};
use crate::fs::procfs::{Item, Target, What, any_inode, fds, gone, maps, net, number, stat, status};
use crate::fs::{Attr, Caller, DirEntry, DirSink, File, FileOps, FileType, Inode, IoBuf, NameCaching, Path};
use crate::mm::Mm;
use crate::task::UNLIMITED;

const fn file(name: &'static str, mode: u32, value: fn(&Target) -> Result<Vec<u8>>) -> Item {
    Item { name, mode, what: What::Text(value) }
}

const fn place(name: &'static str, value: fn(&Target) -> Result<Path>) -> Item {
    Item { name, mode: 0o777, what: What::Place(value) }
}

/// Everything but the list of threads, which threads do not have.
macro_rules! common_items {
    ($($more:expr),*) => {
        &[
            file("auxv", 0o400, auxv),
            file("cgroup", 0o444, |_| Ok(b"0::/\n".to_vec())),
            file("cmdline", 0o444, cmdline),
            Item { name: "comm", mode: 0o644, what: What::Setting(comm, set_comm) },
            place("cwd", |target| Ok(target.task()?.fs().cwd())),
            file("environ", 0o400, environ),
            place("exe", exe),
            Item { name: "fd", mode: 0o500, what: What::Made(fds::links) },
            Item { name: "fdinfo", mode: 0o500, what: What::Made(fds::infos) },
            file("io", 0o400, io),
            file("limits", 0o444, limits),
            file("maps", 0o444, maps::maps),
            Item { name: "mem", mode: 0o600, what: What::Memory },
            file("mountinfo", 0o444, mountinfo),
            file("mounts", 0o444, mounts),
            Item { name: "net", mode: 0o555, what: What::Table(net::ITEMS) },
            file("oom_score", 0o444, |_| Ok(b"0\n".to_vec())),
            file("personality", 0o400, |_| Ok(b"00000000\n".to_vec())),
            place("root", |target| Ok(target.task()?.fs().root())),
            file("smaps", 0o444, maps::smaps),
            file("smaps_rollup", 0o444, maps::smaps_rollup),
            file("stat", 0o444, stat::stat),
            file("statm", 0o444, stat::statm),
            file("status", 0o444, status::status),
            file("wchan", 0o444, |_| Ok(b"0".to_vec())),
            $($more),*
        ]
    };
}

const PROCESS: &[Item] = common_items!(Item {
    name: "task",
    mode: 0o555,
    what: What::Made(|target| Arc::new(Threads { target: target.clone() }))
});
const THREAD: &[Item] = common_items!();

/// The directory of a process.
pub(super) fn inode(target: &Target) -> Arc<dyn Inode> {
    Arc::new(Dir { target: target.clone(), name: "", items: PROCESS })
}

/// `/proc/PID/task`.
struct Threads {
    target: Target,
}

impl Inode for Threads {
    fn kind(&self) -> FileType {
        FileType::Directory
    }

    fn attr(&self) -> Result<Attr> {
        Ok(node::attr(&self.target, b"task", FileType::Directory, 0o555))
    }

    fn name_caching(&self) -> NameCaching {
        NameCaching::Never
    }

    fn lookup(&self, name: &[u8], _: &Caller) -> Result<Arc<dyn Inode>> {
        let tid = number(name).ok_or(Errno::ENOENT.because("not a thread's number"))?;
        let task = self.target.kernel()?.tree().task(tid).filter(|task| task.process.pid == self.target.pid);
        task.ok_or(Errno::ENOENT.because("no such thread"))?;
        Ok(Arc::new(Dir { target: self.target.of_thread(tid), name: "", items: THREAD }))
    }

    fn read_dir(&self, from: u64, _: &Caller, sink: &mut DirSink<'_>) -> Result<()> {
        for task in self.target.kernel()?.tree().threads(self.target.pid) {
            let tid = task.tid();
            if u64::from(tid) < from {
                continue;
            }
            let name = format!("{tid}");
            let ino = node::ino(&self.target.of_thread(tid), b"");
            let next = u64::from(tid) + 1;
            if !sink(DirEntry { name: name.as_bytes(), ino, kind: FileType::Directory, next }) {
                break;
            }
        }
        Ok(())
    }

    any_inode!();
}

/// The bytes of a range that the loader set up; what cannot be read is left out.
fn memory(mm: &Mm, range: &core::ops::Range<u64>) -> Vec<u8> {
    let len = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0).min(4 << 20);
    let mut bytes = alloc::vec![0; len];
    let (read, _) = mm.read_some(GuestAddr(range.start), &mut bytes);
    bytes.truncate(read);
    bytes
}

fn cmdline(target: &Target) -> Result<Vec<u8>> {
    // A zombie has no memory, and so an empty command line.
    let Ok(task) = target.task() else { return Ok(Vec::new()) };
    let mm = task.mm();
    Ok(memory(&mm, &mm.layout().args))
}

fn environ(target: &Target) -> Result<Vec<u8>> {
    let mm = target.task()?.mm();
    Ok(memory(&mm, &mm.layout().env))
}

fn auxv(target: &Target) -> Result<Vec<u8>> {
    Ok(target.task()?.mm().layout().auxv)
}

/// The name of a thread, without the padding.
pub(super) fn comm_of(target: &Target) -> Vec<u8> {
    let comm = target.task().map(|task| *task.comm.lock()).unwrap_or_default();
    comm.iter().copied().take_while(|&byte| byte != 0).collect()
}

fn comm(target: &Target) -> Result<Vec<u8>> {
    let mut name = comm_of(target);
    name.push(b'\n');
    Ok(name)
}

fn set_comm(target: &Target, caller: &Caller, bytes: &[u8]) -> Result<()> {
    let is_own = caller.task.as_ref().is_some_and(|task| task.process.pid == target.pid);
    if !is_own {
        return Err(Errno::EINVAL.because("only a process renames itself"));
    }
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let mut comm = [0; 16];
    let len = line.len().min(15);
    comm[..len].copy_from_slice(&line[..len]);
    *target.task()?.comm.lock() = comm;
    Ok(())
}

fn exe(target: &Target) -> Result<Path> {
    let exe = target.process()?.exe.lock().clone();
    exe.ok_or(Errno::ENOENT.because("it runs no program"))
}

/// Nothing is counted; the lines are there for programs that add them up.
fn io(_: &Target) -> Result<Vec<u8>> {
    let names = ["rchar", "wchar", "syscr", "syscw", "read_bytes", "write_bytes", "cancelled_write_bytes"];
    Ok(text(names.map(|name| format!("{name}: 0\n")).concat()))
}

fn limits(target: &Target) -> Result<Vec<u8>> {
    const ROWS: [(&str, &str); 16] = [
        ("Max cpu time", "seconds"),
        ("Max file size", "bytes"),
        ("Max data size", "bytes"),
        ("Max stack size", "bytes"),
        ("Max core file size", "bytes"),
        ("Max resident set", "bytes"),
        ("Max processes", "processes"),
        ("Max open files", "files"),
        ("Max locked memory", "bytes"),
        ("Max address space", "bytes"),
        ("Max file locks", "locks"),
        ("Max pending signals", "signals"),
        ("Max msgqueue size", "bytes"),
        ("Max nice priority", ""),
        ("Max realtime priority", ""),
        ("Max realtime timeout", "us"),
    ];
    let limits = *target.process()?.limits.lock();
    let mut out = format!("{:<26}{:<21}{:<21}{}\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    let show = |value: u64| if value == UNLIMITED { String::from("unlimited") } else { format!("{value}") };
    for ((name, unit), limit) in ROWS.iter().zip(limits) {
        let _ = writeln!(out, "{name:<26}{:<21}{:<21}{unit}", show(limit.soft), show(limit.hard));
    }
    Ok(text(out))
}

fn mounts(target: &Target) -> Result<Vec<u8>> {
    let root = target.task()?.fs().root();
    Ok(target.kernel()?.vfs().mounts_text(&root, false))
}

fn mountinfo(target: &Target) -> Result<Vec<u8>> {
    let root = target.task()?.fs().root();
    Ok(target.kernel()?.vfs().mounts_text(&root, true))
}

/// `/proc/PID/mem`.
struct Memory {
    mm: Arc<Mm>,
}

pub(super) fn open_memory(target: &Target, _write: bool) -> Result<Arc<dyn FileOps>> {
    Ok(Arc::new(Memory { mm: target.task().map_err(|_| gone())?.mm() }))
}

impl FileOps for Memory {
    fn is_seekable(&self) -> bool {
        true
    }

    fn read_at(&self, _: &File, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
        let mut chunk = alloc::vec![0; buf.left().min(65536)];
        let (read, result) = self.mm.read_some(GuestAddr(offset), &mut chunk);
        if read == 0 && !chunk.is_empty() {
            result.map_err(|_| Errno::EIO.because("nothing is mapped there"))?;
        }
        buf.put(&chunk[..read])
    }

    fn write_at(&self, _: &File, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
        buf.limit(65536);
        let bytes = buf.take_all()?;
        let (written, result) = self.mm.write_some(GuestAddr(offset), &bytes);
        if written == 0 && !bytes.is_empty() {
            result.map_err(|_| Errno::EIO.because("nothing writable is mapped there"))?;
        }
        Ok(written)
    }

    fn seek(&self, _: &File, position: u64, offset: i64, whence: u32) -> Result<u64> {
        // Addresses take all 64 bits, so there is no end to seek from.
        match whence {
            0 => Ok(offset.cast_unsigned()),
            1 => Ok(position.wrapping_add(offset.cast_unsigned())),
            _ => Err(Errno::EINVAL.because("memory has no end")),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
