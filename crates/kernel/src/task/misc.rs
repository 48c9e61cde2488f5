//! The system as a whole, and pidfds.

use alloc::string::String;
use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::fcntl::OpenFlags;
use linux_abi::poll::PollEvents;
use linux_abi::system::{GrndFlags, MembarrierCmd, NEW_UTS_LEN, NewUtsname, Sysinfo};
use linux_abi::wait::PidfdFlags;
use machine::GuestAddr;

use crate::End;
use crate::error::{Because, Result};
use crate::fs::{File, FileOps};
use crate::sched::WaitQueue;
use crate::signal::{Info, InfoFields, Number, may_signal, send_to_process};
use crate::syscall::{Cx, Outcome};
use crate::task::Process;

/// The version of Linux whose interface this is.
pub(crate) const RELEASE: &str = "6.6.0-vambrace";
/// `uname -v`.
pub(crate) const VERSION: &str = concat!("#1 SMP PREEMPT Vambrace ", env!("CARGO_PKG_VERSION"));

fn uts_field(text: &str) -> [u8; 65] {
    let mut field = [0; 65];
    let len = text.len().min(NEW_UTS_LEN);
    field[..len].copy_from_slice(&text.as_bytes()[..len]);
    field
}

pub(super) fn uname(cx: &mut Cx<'_>, buf: GuestAddr) -> Result<()> {
    let nodename = uts_field(&cx.kernel.hostname().lock());
    cx.task.mm().write_abi(
        buf,
        &NewUtsname {
            sysname: uts_field("Linux"),
            nodename,
            release: uts_field(RELEASE),
            version: uts_field(VERSION),
            machine: uts_field("aarch64"),
            domainname: uts_field("(none)"),
        },
    )
}

pub(super) fn sethostname(cx: &mut Cx<'_>, name: GuestAddr, len: i32) -> Result<()> {
    if !cx.task.creds().is_privileged() {
        return Err(Errno::EPERM.because("only the superuser names the node"));
    }
    let len = usize::try_from(len).ok().filter(|len| *len <= NEW_UTS_LEN);
    let mut bytes = alloc::vec![0; len.ok_or_else(|| Errno::EINVAL.because("no such length"))?];
    cx.task.mm().read(name, &mut bytes)?;
    *cx.kernel.hostname().lock() = String::from_utf8_lossy(&bytes).into_owned();
    Ok(())
}

pub(super) fn sysinfo(cx: &mut Cx<'_>, info: GuestAddr) -> Result<()> {
    let pool = cx.kernel.frame_pool();
    let procs = u16::try_from(cx.kernel.tree().thread_count()).unwrap_or(u16::MAX);
    cx.task.mm().write_abi(
        info,
        &Sysinfo {
            uptime: ((cx.kernel.now_ns() - cx.kernel.boot_ns()) / 1_000_000_000).cast_signed(),
            totalram: pool.total() as u64 * machine::PAGE_SIZE,
            freeram: pool.free_count() as u64 * machine::PAGE_SIZE,
            procs,
            mem_unit: 1,
            ..Sysinfo::default()
        },
    )
}

/// The most bytes that one `getrandom` gives, as in Linux.
const RANDOM_LIMIT: usize = (1 << 25) - 1;

pub(super) fn getrandom(cx: &mut Cx<'_>, buf: GuestAddr, count: usize, flags: u32) -> Result<usize> {
    let flags = GrndFlags::from_bits(flags).ok_or_else(|| Errno::EINVAL.because("unknown flags"))?;
    if flags.contains(GrndFlags::GRND_RANDOM | GrndFlags::GRND_INSECURE) {
        return Err(Errno::EINVAL.because("flags that contradict each other"));
    }
    let mm = cx.task.mm();
    let count = count.min(RANDOM_LIMIT);
    let mut chunk = [0; 256];
    let mut done = 0;
    while done < count {
        let len = (count - done).min(chunk.len());
        cx.kernel.machine().fill_random(&mut chunk[..len]);
        match mm.write(buf.add(done as u64), &chunk[..len]) {
            Ok(()) => done += len,
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(done)
}

/// The commands of `membarrier` that exist here. All CPUs are made to pass a
/// kick, which is a full barrier, for each of them.
const MEMBARRIERS: MembarrierCmd = MembarrierCmd::MEMBARRIER_CMD_GLOBAL
    .union(MembarrierCmd::MEMBARRIER_CMD_GLOBAL_EXPEDITED)
    .union(MembarrierCmd::MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED)
    .union(MembarrierCmd::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
    .union(MembarrierCmd::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);

pub(super) fn membarrier(cx: &mut Cx<'_>, command: u32, flags: u32, _cpu: i32) -> Result<u64> {
    if flags != 0 {
        return Err(Errno::EINVAL.because("unknown flags"));
    }
    if command == 0 {
        return Ok(u64::from(MEMBARRIERS.bits()));
    }
    let known = MembarrierCmd::from_bits(command).is_some_and(|c| MEMBARRIERS.contains(c));
    if !known || command.count_ones() != 1 {
        return Err(Errno::EINVAL.because("no such command here"));
    }
    // A flush of one page that nobody maps returns only after every CPU that
    // runs this address space has passed a barrier.
    let mm = cx.task.mm();
    mm.table().flush(machine::FlushToken::pages(0, machine::PAGE_SIZE));
    Ok(0)
}

/// Execution domains: Linux, and no other.
pub(super) fn personality(_: &mut Cx<'_>, persona: u32) -> Result<u32> {
    match persona {
        0 | 0xffff_ffff => Ok(0),
        _ => Err(Errno::EINVAL.because("only the Linux persona exists")),
    }
}

pub(super) fn set_tid_address(cx: &mut Cx<'_>, address: GuestAddr) -> Result<u32> {
    cx.task.clear_child_tid.store(address.0, core::sync::atomic::Ordering::SeqCst);
    Ok(cx.task.tid())
}

/// Waits were restarted by running the call itself again, so a program that
/// calls this itself finds nothing to restart.
pub(super) fn restart_syscall(_: &mut Cx<'_>) -> Result<()> {
    Err(crate::error::Error::INTERRUPTED_FINAL)
}

/// A descriptor for a process: readable once the process has ended.
struct Pidfd {
    process: Arc<Process>,
}

impl FileOps for Pidfd {
    fn poll(&self, file: &File) -> PollEvents {
        let ended = file.kernel().is_none_or(|kernel| {
            kernel
                .tree()
                .snapshot(self.process.pid)
                .is_none_or(|snapshot| snapshot.status.is_some() || !Arc::ptr_eq(&snapshot.process, &self.process))
        });
        if ended { PollEvents::POLLIN | PollEvents::POLLRDNORM } else { PollEvents::empty() }
    }

    fn wait_queue(&self) -> Option<WaitQueue> {
        Some(self.process.ended.clone())
    }

    fn describe(&self, _: &File, out: &mut String) {
        use core::fmt::Write;
        // Writing to a string cannot fail.
        let _ = writeln!(out, "Pid:\t{}", self.process.pid);
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}

/// Opens a pidfd for a process.
pub(super) fn new_pidfd(cx: &Cx<'_>, process: &Arc<Process>, flags: u32) -> Result<i32> {
    let flags = OpenFlags::from_bits_retain(flags) | OpenFlags::O_RDWR;
    let file = File::anonymous(cx.kernel, "[pidfd]", Arc::new(Pidfd { process: process.clone() }), flags);
    cx.task.files().insert(cx.task, file, true)
}

pub(super) fn pidfd_open(cx: &mut Cx<'_>, pid: i32, flags: u32) -> Result<i32> {
    let flags = PidfdFlags::from_bits(flags).filter(|flags| !flags.contains(PidfdFlags::PIDFD_THREAD));
    let flags = flags.ok_or_else(|| Errno::EINVAL.because("unknown flags"))?;
    let pid = u32::try_from(pid).ok().filter(|pid| *pid != 0);
    let pid = pid.ok_or_else(|| Errno::EINVAL.because("process numbers are positive"))?;
    match cx.kernel.tree().process(pid) {
        Some(process) => new_pidfd(cx, &process, flags.bits()),
        None if cx.kernel.tree().task(pid).is_some() => Err(Errno::EINVAL.because("not the first thread")),
        None => Err(Errno::ESRCH.because("no such process")),
    }
}

fn process_of_fd(cx: &Cx<'_>, fd: i32) -> Result<Arc<Process>> {
    let file = cx.task.files().get(fd)?;
    let pidfd = file.ops().as_any().downcast_ref::<Pidfd>();
    pidfd.map(|pidfd| pidfd.process.clone()).ok_or_else(|| Errno::EBADF.because("not a pidfd"))
}

pub(super) fn pid_of_fd(cx: &Cx<'_>, fd: i32) -> Result<u32> {
    process_of_fd(cx, fd).map(|process| process.pid)
}

pub(super) fn pidfd_send_signal(cx: &mut Cx<'_>, fd: i32, sig: u32, info: GuestAddr, flags: u32) -> Result<()> {
    if flags != 0 {
        return Err(Errno::EINVAL.because("unknown flags"));
    }
    let process = process_of_fd(cx, fd)?;
    let threads = cx.kernel.tree().threads(process.pid);
    let alive = threads.first().filter(|task| Arc::ptr_eq(&task.process, &process));
    let creds = cx.task.creds();
    match alive {
        None => return Err(Errno::ESRCH.because("the process has ended")),
        Some(task) if !may_signal(&creds, &task.creds()) => {
            return Err(Errno::EPERM.because("the process belongs to another user"));
        }
        Some(_) => {}
    }
    if sig == 0 {
        return Ok(());
    }
    let signal = Number::new(u64::from(sig)).ok_or_else(|| Errno::EINVAL.because("no such signal"))?;
    if !info.is_null() {
        return Err(Errno::EINVAL.because("a siginfo is not taken here; use rt_sigqueueinfo"));
    }
    let fields = InfoFields::Kill { pid: cx.task.process.pid, uid: creds.uid };
    send_to_process(cx.kernel, &process, Info { signal, errno: 0, code: Info::SI_USER, fields });
    Ok(())
}

/// `reboot`: every process ends, and the machine does what the command says.
/// In a process of a host it ends, whatever the command.
pub(super) fn reboot(cx: &mut Cx<'_>, magic1: u32, magic2: u32, command: u32) -> Result<Outcome> {
    use linux_abi::system as s;
    let second = [s::LINUX_REBOOT_MAGIC2, s::LINUX_REBOOT_MAGIC2A, s::LINUX_REBOOT_MAGIC2B, s::LINUX_REBOOT_MAGIC2C];
    if !cx.task.creds().is_privileged() {
        return Err(Errno::EPERM.because("only the superuser stops the machine"));
    }
    if magic1 != s::LINUX_REBOOT_MAGIC1 || !second.contains(&magic2) {
        return Err(Errno::EINVAL.because("not the magic numbers"));
    }
    let end = match command {
        s::LINUX_REBOOT_CMD_CAD_ON | s::LINUX_REBOOT_CMD_CAD_OFF => return Ok(Outcome::Done(Ok(0))),
        s::LINUX_REBOOT_CMD_HALT => End::Halt,
        s::LINUX_REBOOT_CMD_POWER_OFF => End::PowerOff,
        s::LINUX_REBOOT_CMD_RESTART => End::Restart,
        _ => return Err(Errno::EINVAL.because("no such command here")),
    };
    cx.kernel.stop_machine(end);
    Ok(Outcome::Exit)
}
