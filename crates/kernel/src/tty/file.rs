//! [`TtyFile`]: a terminal that a program has opened.

use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::fcntl::OpenFlags;
use machine::GuestAddr;

use super::terminal::{Line, Tty, hung_up};
use super::termios::Local;
use super::{ioctl, job};
use crate::error::{Because, Result};
use crate::fs::{CharDriver, File, FileOps, IoBuf, Opening, PollEvents};
use crate::sched::WaitQueue;
use crate::signal::Number;
use crate::syscall::{Cx, Outcome};
use crate::task::Task;

/// Bytes that one write moves at a time.
const CHUNK: usize = 4096;

/// An open terminal.
pub(super) struct TtyFile {
    pub(super) tty: Arc<Tty>,
    generation: u64,
    /// Opened as `/dev/console`, which no hang-up closes.
    is_console: bool,
}

impl TtyFile {
    /// Opens a terminal.
    ///
    /// # Errors
    /// `EIO` for a slave that is locked or whose master is closed, `EBUSY` if
    /// another process wants it for itself.
    pub(super) fn open(tty: Arc<Tty>, is_console: bool, is_privileged: bool) -> Result<Arc<Self>> {
        let generation = {
            let mut state = tty.state.lock();
            if matches!(tty.line, Line::Pty) && (state.pty.is_locked || state.pty.is_closed) {
                return Err(Errno::EIO.because("the slave is locked or has no master"));
            }
            if state.is_exclusive && !is_privileged {
                return Err(Errno::EBUSY.because("the terminal is in exclusive use"));
            }
            state.opens += 1;
            state.pty.is_left = false;
            state.generation
        };
        // Input may have come while nobody had it open.
        tty.device_event();
        Ok(Arc::new(Self { tty, generation, is_console }))
    }

    /// True if the terminal was hung up after this file was opened.
    pub(super) fn is_hung_up(&self) -> bool {
        !self.is_console && self.tty.is_hung_up(self.generation)
    }
}

impl Drop for TtyFile {
    fn drop(&mut self) {
        {
            let mut state = self.tty.state.lock();
            state.opens = state.opens.saturating_sub(1);
            if state.opens > 0 {
                return;
            }
            state.is_exclusive = false;
            state.pty.is_left = true;
        }
        self.tty.master_changed.wake_all();
    }
}

impl FileOps for TtyFile {
    fn read(&self, file: &File, task: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        if self.is_hung_up() {
            return Ok(0);
        }
        if let Some(kernel) = file.kernel() {
            self.tty.check_foreground(&kernel, task, Number::SIGTTIN)?;
        }
        if buf.is_at_end() {
            return Ok(0);
        }
        let bytes = self.tty.take_input(buf.left(), !file.is_nonblocking())?;
        if bytes.is_empty() { Ok(0) } else { buf.put(&bytes) }
    }

    fn read_deadline(&self, _file: &File, since_ns: u64) -> Option<u64> {
        self.tty.read_deadline(since_ns)
    }

    fn read_late(&self, _file: &File, buf: &mut IoBuf<'_>) -> Result<usize> {
        let bytes = self.tty.take_late(buf.left());
        if bytes.is_empty() { Ok(0) } else { buf.put(&bytes) }
    }

    fn write(&self, file: &File, task: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        if self.is_hung_up() {
            return Err(hung_up());
        }
        let stops = self.tty.state.lock().discipline.termios().local.contains(Local::TOSTOP);
        if let (true, false, Some(kernel)) = (stops, self.is_console, file.kernel()) {
            self.tty.check_foreground(&kernel, task, Number::SIGTTOU)?;
        }
        let mut total = 0;
        let mut chunk = [0; CHUNK];
        while !buf.is_at_end() {
            {
                let state = self.tty.state.lock();
                if matches!(self.tty.line, Line::Pty) && state.pty.is_closed {
                    return Err(hung_up());
                }
                if !self.tty.can_write(&state) {
                    break;
                }
            }
            let count = match buf.take(&mut chunk) {
                Ok(count) => count,
                Err(error) if total == 0 => return Err(error),
                Err(_) => break,
            };
            if count == 0 {
                break;
            }
            self.tty.put_written(chunk.get(..count).unwrap_or_default());
            total += count;
        }
        if total == 0 && !buf.is_at_end() {
            return Err(Errno::EAGAIN.because("the terminal's output is stopped or full"));
        }
        Ok(total)
    }

    fn ioctl(&self, file: &Arc<File>, cx: &mut Cx<'_>, command: u32, arg: GuestAddr) -> Outcome {
        Outcome::Done(ioctl::slave(self, file, cx, command, arg))
    }

    fn poll(&self, _file: &File) -> PollEvents {
        let generation = if self.is_console { self.tty.state.lock().generation } else { self.generation };
        self.tty.ready(generation)
    }

    fn wait_queue(&self) -> Option<WaitQueue> {
        Some(self.tty.changed.clone())
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}

/// Which terminal a device number stands for.
pub(super) enum Device {
    /// `/dev/tty`: the controlling terminal of whoever opens it.
    Own,
    /// `/dev/console`.
    Console,
    /// `/dev/tty0` and `/dev/tty1`: the console as an ordinary terminal.
    First,
    /// `/dev/pts/N`.
    Slave,
}

/// Opens terminals by number.
pub(super) struct TtyDriver(pub(super) Device);

impl CharDriver for TtyDriver {
    fn open(&self, opening: &Opening<'_>, minor: u32) -> Result<Arc<dyn FileOps>> {
        let caller = opening.caller;
        let (kernel, terminals) = (&caller.kernel, caller.kernel.terminals());
        let no_device = Errno::ENXIO.because("no such terminal");
        let is_privileged = caller.creds.is_privileged();
        let (tty, is_console) = match self.0 {
            Device::Own => {
                let tty = caller.task.as_ref().and_then(|task| job::terminal_of(kernel, task));
                (tty.ok_or(Errno::ENXIO.because("no controlling terminal"))?, false)
            }
            Device::Console => (terminals.console().ok_or(Errno::ENODEV.because("the machine has no console"))?, true),
            Device::First => (terminals.console().ok_or(no_device)?, false),
            Device::Slave => (terminals.slave(minor).ok_or(no_device)?, false),
        };
        let file = TtyFile::open(tty.clone(), is_console, is_privileged)?;
        let takes = matches!(self.0, Device::First | Device::Slave)
            && !opening.flags.contains(OpenFlags::O_NOCTTY)
            && opening.flags.access().reads();
        if let (true, Some(task)) = (takes, &caller.task) {
            tty.open_as_controlling(kernel, task);
        }
        Ok(file)
    }
}
