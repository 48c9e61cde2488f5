//! The machine's console as a terminal.

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use alloc::task::Wake;
use core::task::Waker;

use linux_abi::Errno;
use linux_abi::fcntl::{AT_FDCWD, OpenFlags};
use linux_abi::stat::makedev;
use machine::CharDev;

use super::file::TtyFile;
use super::terminal::{Line, Tty};
use super::termios::WindowSize;
use crate::Kernel;
use crate::error::{Because, Result};
use crate::fs::{Caller, File, WalkFlags};

/// Called by a CPU when the device has raised its event.
struct Input {
    tty: Weak<Tty>,
}

impl Wake for Input {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(tty) = self.tty.upgrade() {
            tty.device_event();
        }
    }
}

impl Kernel {
    /// Makes `device` the console: `/dev/console`, `/dev/tty0` and `/dev/tty1`.
    pub fn attach_console(self: &Arc<Self>, device: Arc<dyn CharDev>) {
        let (rows, columns) = device.window_size().unwrap_or_default();
        let window = WindowSize { rows, columns, width: 0, height: 0 };
        let tty = Tty::new(&Arc::downgrade(self), makedev(4, 1), Line::Console(device.clone()), window);
        let event = self.new_event(Waker::from(Arc::new(Input { tty: Arc::downgrade(&tty) })));
        self.terminals().set_console(tty.clone());
        device.set_notify(Box::new(move || event.raise()));
        tty.device_event();
    }

    /// Opens the console, for the first process: as `/dev/console` if there is
    /// such a file.
    ///
    /// # Errors
    /// `ENODEV` if the machine has no console.
    pub fn open_console(self: &Arc<Self>) -> Result<Arc<File>> {
        let tty = self.terminals().console().ok_or(Errno::ENODEV.because("the machine has no console"))?;
        let vfs = self.vfs();
        let path = vfs.resolve(&Caller::kernel(self), AT_FDCWD, b"/dev/console", WalkFlags::FOLLOW);
        let path = path.unwrap_or_else(|_| vfs.anonymous_path("[console]"));
        let ops = TtyFile::open(tty, true, true)?;
        Ok(File::new(self, path, ops, OpenFlags::O_RDWR))
    }

    /// Makes the console the controlling terminal of session `sid`, whose
    /// leader's group is in the foreground. For the first process, before it
    /// starts; others use `TIOCSCTTY`.
    pub fn give_console(&self, sid: u32) {
        if let Some(tty) = self.terminals().console() {
            tty.give_to(self, sid, sid);
        }
    }
}
