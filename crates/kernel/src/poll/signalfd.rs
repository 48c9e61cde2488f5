//! `signalfd4`: pending signals as a file.

use alloc::sync::{Arc, Weak};

use linux_abi::fcntl::OpenFlags;
use linux_abi::poll::{PollEvents, SignalfdFlags, SignalfdSiginfo};
use linux_abi::{Errno, Wire};
use machine::GuestAddr;
use machine::sync::Mutex;

use crate::error::{Because, Result};
use crate::fs::{File, FileOps, IoBuf};
use crate::sched::WaitQueue;
use crate::signal::{Info, InfoFields, Set};
use crate::syscall::Cx;
use crate::task::{Process, Task};

/// The file. It gives the signals of whoever reads it; what `poll` says is
/// about the process that made it, as `poll` does not know who asks.
struct SignalFd {
    mask: Mutex<Set>,
    maker: Weak<Process>,
    /// Of the maker: woken when a signal becomes pending.
    events: WaitQueue,
}

fn take(task: &Task, mask: Set) -> Option<Info> {
    let own = task.signals.lock().pending.take(mask);
    own.or_else(|| task.process.signals.lock().pending.take(mask))
}

fn to_wire(info: &Info) -> SignalfdSiginfo {
    let mut out = SignalfdSiginfo {
        ssi_signo: u32::from(info.signal.get()),
        ssi_errno: info.errno,
        ssi_code: info.code,
        ..SignalfdSiginfo::default()
    };
    let mut set_value = |value: u64| {
        out.ssi_ptr = value;
        let low = u32::try_from(value & 0xffff_ffff).unwrap_or(0);
        out.ssi_int = low.cast_signed();
    };
    match info.fields {
        // What `rt_sigqueueinfo` was given starts with the fields of a queued
        // signal; who sends anything else can expect no more.
        InfoFields::None => {}
        InfoFields::Raw(bytes) => {
            let word = |at: usize| u32::load(&bytes[at..at + 4]);
            set_value(u64::load(&bytes[8..16]));
            (out.ssi_pid, out.ssi_uid) = (word(0), word(4));
        }
        InfoFields::Kill { pid, uid } => (out.ssi_pid, out.ssi_uid) = (pid, uid),
        InfoFields::Queue { pid, uid, value } => {
            set_value(value);
            (out.ssi_pid, out.ssi_uid) = (pid, uid);
        }
        InfoFields::Timer { id, overrun, value } => {
            set_value(value);
            (out.ssi_tid, out.ssi_overrun) = (id.cast_unsigned(), overrun.cast_unsigned());
        }
        InfoFields::Child { pid, uid, status, utime, stime } => {
            (out.ssi_pid, out.ssi_uid, out.ssi_status) = (pid, uid, status);
            (out.ssi_utime, out.ssi_stime) = (utime, stime);
        }
        InfoFields::Fault { addr } => out.ssi_addr = addr,
        InfoFields::Poll { band, fd } => {
            let low = u32::try_from(band & 0xffff_ffff).unwrap_or(0);
            (out.ssi_band, out.ssi_fd) = (low, fd);
        }
    }
    out
}

impl FileOps for SignalFd {
    fn read(&self, _file: &File, task: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        if buf.left() < SignalfdSiginfo::SIZE {
            return Err(Errno::EINVAL.because("less than one signalfd_siginfo"));
        }
        let mask = *self.mask.lock();
        let mut total = 0;
        while buf.left() >= SignalfdSiginfo::SIZE {
            let Some(info) = take(task, mask) else { break };
            let mut bytes = [0; SignalfdSiginfo::SIZE];
            to_wire(&info).store(&mut bytes);
            match buf.put(&bytes) {
                Ok(count) => total += count,
                Err(error) if total == 0 => return Err(error),
                Err(_) => break,
            }
        }
        if total == 0 { Err(Errno::EAGAIN.because("no such signal is pending")) } else { Ok(total) }
    }

    fn poll(&self, file: &File) -> PollEvents {
        let mask = *self.mask.lock();
        let (Some(process), Some(kernel)) = (self.maker.upgrade(), file.kernel()) else { return PollEvents::empty() };
        let mut pending = process.signals.lock().pending.set();
        for thread in kernel.tree().threads(process.pid) {
            pending = pending.union(thread.signals.lock().pending.set());
        }
        if pending.0 & mask.0 == 0 { PollEvents::empty() } else { PollEvents::POLLIN }
    }

    fn wait_queue(&self) -> Option<WaitQueue> {
        Some(self.events.clone())
    }

    fn describe(&self, _file: &File, out: &mut alloc::string::String) {
        use core::fmt::Write;
        // Writing to a string cannot fail.
        let _ = writeln!(out, "sigmask:\t{:016x}", self.mask.lock().0);
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}

pub(super) fn signalfd4(
    cx: &mut Cx<'_>,
    fd: i32,
    mask: GuestAddr,
    mask_size: usize,
    flags: SignalfdFlags,
) -> Result<i32> {
    if mask_size != 8 {
        return Err(Errno::EINVAL.because("not the size of a signal mask"));
    }
    let mask = Set(cx.task.mm().read_u64(mask)?).without(Set::UNBLOCKABLE);
    if fd != -1 {
        let file = cx.task.files().get(fd)?;
        let ops = file.ops().as_any().downcast_ref::<SignalFd>();
        let ops = ops.ok_or(Errno::EINVAL.because("not a signalfd"))?;
        *ops.mask.lock() = mask;
        ops.events.wake_all();
        return Ok(fd);
    }
    let process = &cx.task.process;
    let ops =
        SignalFd { mask: Mutex::new(mask), maker: Arc::downgrade(process), events: process.signal_events.clone() };
    let nonblock = if flags.contains(SignalfdFlags::SFD_NONBLOCK) { OpenFlags::O_NONBLOCK } else { OpenFlags::empty() };
    let file = File::anonymous(cx.kernel, "[signalfd]", Arc::new(ops), OpenFlags::O_RDWR | nonblock);
    cx.task.files().insert(cx.task, file, flags.contains(SignalfdFlags::SFD_CLOEXEC))
}
