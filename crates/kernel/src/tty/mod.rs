//! Terminals: line discipline, pseudo-terminals, the console.
//!
//! A [`Tty`] joins a [`discipline::Discipline`] with the machine's console or
//! with the master of a pseudo-terminal. Programs open it through a device
//! file ([`file`]), of devfs or of devpts; sessions know it as [`SessionTty`].

mod console;
mod devpts;
pub mod discipline;
mod file;
mod ioctl;
mod job;
mod pty;
mod terminal;
pub mod termios;
#[cfg(test)]
mod tests;

pub use terminal::Tty;

use alloc::sync::Arc;

use linux_abi::Errno;
use machine::sync::Mutex;

use crate::Kernel;
use crate::error::{Because, Result};
use crate::syscall::{Cx, Row};
use crate::syscalls;
use devpts::{DevPtsType, Slaves};
use file::{Device, TtyDriver};
use pty::{PtmxDriver, SLAVE_MAJOR};

/// What a session knows of its controlling terminal.
pub trait SessionTty: Send + Sync + core::fmt::Debug {
    /// The session's leader has ended: the terminal is no longer anybody's
    /// controlling terminal, and its foreground group gets SIGHUP and SIGCONT.
    fn hang_up(&self);

    /// The device number, for `/proc/PID/stat`.
    fn device(&self) -> u32;

    /// The foreground process group, for `/proc/PID/stat`.
    fn foreground(&self) -> u32;

    /// For the terminal code to find its own type again.
    fn as_any(&self) -> &dyn core::any::Any;
}

/// The system calls of this subsystem.
pub(crate) const ROWS: &[Row] = syscalls! {
    58 vhangup() Full, vhangup;
};

/// The terminals of a kernel.
#[derive(Debug, Default)]
pub(crate) struct Terminals {
    console: Mutex<Option<Arc<Tty>>>,
    slaves: Slaves,
}

impl Terminals {
    fn console(&self) -> Option<Arc<Tty>> {
        self.console.lock().clone()
    }

    fn set_console(&self, tty: Arc<Tty>) {
        let old = self.console.lock().replace(tty);
        drop(old);
    }

    fn slave(&self, number: u32) -> Option<Arc<Tty>> {
        self.slaves.get(number)
    }

    fn add_slave(
        &self,
        uid: u32,
        gid: u32,
        now_ns: i64,
        make: impl FnOnce(u32) -> Arc<Tty>,
    ) -> Result<(u32, Arc<Tty>)> {
        self.slaves.add(uid, gid, now_ns, make)
    }

    fn remove_slave(&self, number: u32) {
        self.slaves.remove(number);
    }
}

/// Registers the devices and the file system of this module.
pub(crate) fn install(kernel: &Kernel) {
    let vfs = kernel.vfs();
    let terminal = |device| Arc::new(TtyDriver(device));
    vfs.register_char(4, 0, "tty0", 0o620, terminal(Device::First));
    vfs.register_char(4, 1, "tty1", 0o620, terminal(Device::First));
    vfs.register_char(5, 0, "tty", 0o666, terminal(Device::Own));
    vfs.register_char(5, 1, "console", 0o600, terminal(Device::Console));
    vfs.register_char(5, 2, "ptmx", 0o666, Arc::new(PtmxDriver));
    vfs.register_char_major(SLAVE_MAJOR, "pts", terminal(Device::Slave));
    vfs.register_type(Arc::new(DevPtsType));
}

/// `vhangup`: hangs up the caller's controlling terminal.
fn vhangup(cx: &mut Cx<'_>) -> Result<()> {
    if !cx.task.creds().is_privileged() {
        return Err(Errno::EPERM.because("only the superuser may hang up a terminal"));
    }
    if let Some(tty) = job::terminal_of(cx.kernel, cx.task) {
        tty.hang_up_now();
    }
    Ok(())
}
