//! Pseudo-terminals: [`MasterFile`], the side of the program that plays the
//! terminal, and the driver of `/dev/ptmx` that makes pairs.

use alloc::format;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::fcntl::OpenFlags;
use linux_abi::stat::makedev;
use machine::GuestAddr;

use super::file::TtyFile;
use super::ioctl;
use super::terminal::{Line, Tty};
use super::termios::WindowSize;
use crate::Kernel;
use crate::error::{Because, Result};
use crate::fs::{Caller, CharDriver, File, FileOps, IoBuf, Opening, PollEvents, WalkFlags};
use crate::sched::WaitQueue;
use crate::syscall::{Cx, Outcome};
use crate::task::Task;

/// The major number of slaves.
pub(super) const SLAVE_MAJOR: u32 = 136;

/// Bytes that one write moves at a time.
const CHUNK: usize = 4096;

/// The master of a pseudo-terminal.
pub(super) struct MasterFile {
    pub(super) tty: Arc<Tty>,
    pub(super) number: u32,
    kernel: Weak<Kernel>,
}

impl Drop for MasterFile {
    fn drop(&mut self) {
        self.tty.state.lock().pty.is_closed = true;
        if let Some(kernel) = self.kernel.upgrade() {
            kernel.terminals().remove_slave(self.number);
        }
        self.tty.hang_up_now();
    }
}

impl MasterFile {
    /// What the slave wrote, at most `limit` bytes; in packet mode with a
    /// status byte before it.
    fn take(&self, limit: usize) -> Result<Vec<u8>> {
        let mut state = self.tty.state.lock();
        let mut out = Vec::new();
        if state.pty.has_packets {
            let status = core::mem::take(&mut state.pty.status);
            out.push(status.to_le_bytes()[0]);
            if status != 0 {
                return Ok(out);
            }
        }
        if state.outgoing.is_empty() {
            return Err(if state.pty.is_left {
                Errno::EIO.because("nobody has the slave open any more")
            } else {
                Errno::EAGAIN.because("the slave has written nothing")
            });
        }
        let count = limit.saturating_sub(out.len()).min(state.outgoing.len());
        out.extend(state.outgoing.drain(..count));
        let after = self.tty.pump(&mut state);
        drop(state);
        self.tty.finish(after);
        Ok(out)
    }

    /// `TIOCGPTPEER`: opens the slave, wherever devpts may be mounted.
    pub(super) fn open_peer(&self, cx: &Cx<'_>, flags: OpenFlags) -> Result<u64> {
        let known = OpenFlags::O_RDWR
            | OpenFlags::O_WRONLY
            | OpenFlags::O_NOCTTY
            | OpenFlags::O_CLOEXEC
            | OpenFlags::O_NONBLOCK;
        if !known.contains(flags) {
            return Err(Errno::EINVAL.because("flags that make no sense for a terminal"));
        }
        let ops = TtyFile::open(self.tty.clone(), false, cx.task.creds().is_privileged())?;
        let caller = Caller::kernel(cx.kernel);
        let name = format!("/dev/pts/{}", self.number);
        let path = cx.kernel.vfs().resolve(&caller, linux_abi::fcntl::AT_FDCWD, name.as_bytes(), WalkFlags::FOLLOW);
        let path = path.unwrap_or_else(|_| cx.kernel.vfs().anonymous_path("[pts]"));
        if !flags.contains(OpenFlags::O_NOCTTY) && flags.access().reads() {
            self.tty.open_as_controlling(cx.kernel, cx.task);
        }
        let file = File::new(cx.kernel, path, ops, flags);
        let fd = cx.task.files().insert(cx.task, file, flags.contains(OpenFlags::O_CLOEXEC))?;
        Ok(u64::from(fd.cast_unsigned()))
    }
}

impl FileOps for MasterFile {
    fn read(&self, _file: &File, _task: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        if buf.is_at_end() {
            return Ok(0);
        }
        let bytes = self.take(buf.left())?;
        buf.put(&bytes)
    }

    fn write(&self, _file: &File, _task: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        let mut total = 0;
        let mut chunk = [0; CHUNK];
        while !buf.is_at_end() && Tty::can_type(&self.tty.state.lock()) {
            let count = match buf.take(&mut chunk) {
                Ok(count) => count,
                Err(error) if total == 0 => return Err(error),
                Err(_) => break,
            };
            if count == 0 {
                break;
            }
            self.tty.type_in(chunk.get(..count).unwrap_or_default());
            total += count;
        }
        if total == 0 && !buf.is_at_end() {
            return Err(Errno::EAGAIN.because("the slave reads nothing"));
        }
        Ok(total)
    }

    fn ioctl(&self, _file: &Arc<File>, cx: &mut Cx<'_>, command: u32, arg: GuestAddr) -> Outcome {
        Outcome::Done(ioctl::master(self, cx, command, arg))
    }

    fn poll(&self, _file: &File) -> PollEvents {
        let state = self.tty.state.lock();
        let mut events = PollEvents::empty();
        if state.pty.status != 0 {
            events |= PollEvents::POLLPRI | PollEvents::POLLIN | PollEvents::POLLRDNORM;
        }
        if !state.outgoing.is_empty() {
            events |= PollEvents::POLLIN | PollEvents::POLLRDNORM;
        }
        if state.pty.is_left {
            events |= PollEvents::POLLHUP;
        }
        if Tty::can_type(&state) {
            events |= PollEvents::POLLOUT | PollEvents::POLLWRNORM;
        }
        events
    }

    fn wait_queue(&self) -> Option<WaitQueue> {
        Some(self.tty.master_changed.clone())
    }

    fn describe(&self, _file: &File, out: &mut alloc::string::String) {
        use core::fmt::Write;
        // Writing to a string cannot fail.
        let _ = writeln!(out, "tty-index:\t{}", self.number);
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}

/// `/dev/ptmx`: each open makes a pair.
pub(super) struct PtmxDriver;

impl CharDriver for PtmxDriver {
    fn open(&self, opening: &Opening<'_>, _minor: u32) -> Result<Arc<dyn FileOps>> {
        let kernel = &opening.caller.kernel;
        let weak = Arc::downgrade(kernel);
        let creds = &opening.caller.creds;
        let now_ns = kernel.vfs().now_ns();
        let (number, tty) = kernel.terminals().add_slave(creds.fsuid, creds.fsgid, now_ns, |number| {
            Tty::new(&weak, makedev(SLAVE_MAJOR, number), Line::Pty, WindowSize::default())
        })?;
        Ok(Arc::new(MasterFile { tty, number, kernel: weak }))
    }
}
