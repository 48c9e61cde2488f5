//! A pseudoterminal and the shell on it.

use crate::protocol::Key;
use account::Account;
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{SpecialCodeIndex, Winsize, tcgetattr, tcsetwinsize};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The master's side of a pseudoterminal. Closing it hangs up the other side.
pub(crate) struct Terminal {
    master: OwnedFd,
}

impl Terminal {
    /// A new one.
    pub(crate) fn open() -> io::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        Ok(Self { master })
    }

    pub(crate) fn master(&self) -> &OwnedFd {
        &self.master
    }

    /// Tells the programs the window's size; 0 leaves a side as it is.
    pub(crate) fn set_size(&self, columns: u16, rows: u16) {
        let old = rustix::termios::tcgetwinsize(&self.master).ok();
        let choose = |new, old| if new == 0 { old } else { new };
        let size = Winsize {
            ws_col: choose(columns, old.map_or(0, |old| old.ws_col)),
            ws_row: choose(rows, old.map_or(0, |old| old.ws_row)),
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // Programs fall back to a usual size.
        let _ = tcsetwinsize(&self.master, size);
    }

    /// The character that has a key's function now; none if it is switched off.
    pub(crate) fn key(&self, key: Key) -> Option<u8> {
        let index = match key {
            Key::Interrupt => SpecialCodeIndex::VINTR,
            Key::Quit => SpecialCodeIndex::VQUIT,
            Key::Suspend => SpecialCodeIndex::VSUSP,
            Key::EndOfFile => SpecialCodeIndex::VEOF,
            Key::Erase => SpecialCodeIndex::VERASE,
            Key::Kill => SpecialCodeIndex::VKILL,
        };
        let code = tcgetattr(&self.master).ok()?.special_codes[index];
        (code != 0).then_some(code)
    }

    /// Starts `program` as the leader of a session on this terminal. The
    /// descriptor becomes readable when it ends.
    pub(crate) fn start(&self, program: &Path, term: &str) -> io::Result<(Child, OwnedFd)> {
        let name = ptsname(&self.master, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = open(name.as_c_str(), flags, Mode::empty())?;
        let account = Account::current();
        let is_login = program.file_name().is_some_and(|name| name == "login");
        let mut command = if is_login {
            let mut command = Command::new(program);
            account.equip(&mut command);
            command
        } else {
            account.login(program)
        };
        command
            .env("TERM", term)
            .stdin(Stdio::from(slave.try_clone()?))
            .stdout(Stdio::from(slave.try_clone()?))
            .stderr(Stdio::from(slave));
        account::lead_session(&mut command);
        let mut child = command.spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pidfd = pid
            .ok_or(io::ErrorKind::InvalidData.into())
            .and_then(|pid| Ok(pidfd_open(pid, PidfdFlags::empty())?));
        match pidfd {
            Ok(pidfd) => Ok((child, pidfd)),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }
}
