//! Job control: who may use a terminal, and whose terminal it is.

use alloc::sync::Arc;

use linux_abi::Errno;

use super::SessionTty;
use super::discipline::Effects;
use super::terminal::Tty;
use crate::Kernel;
use crate::error::{Because, Error, Result};
use crate::signal::{Action, Info, Number, send_to_process};
use crate::task::{Ids, Task};

/// The controlling terminal of a task's session.
pub(super) fn terminal_of(kernel: &Kernel, task: &Task) -> Option<Arc<Tty>> {
    let ids = kernel.tree().ids(task.process.pid)?;
    let tty = kernel.tree().controlling_tty(ids.sid)?;
    tty.as_any().downcast_ref::<Tty>()?.this.upgrade()
}

impl Tty {
    /// Where a task stands, if this is its controlling terminal.
    pub(super) fn controlled(&self, kernel: &Kernel, task: &Task) -> Option<Ids> {
        let ids = kernel.tree().ids(task.process.pid)?;
        (ids.sid != 0 && self.state.lock().session == ids.sid).then_some(ids)
    }

    /// Lets the task go on if it may use the terminal: it is in the
    /// foreground, or this is not its controlling terminal. Else its group
    /// gets `signal` and the call is made again afterwards.
    ///
    /// # Errors
    /// `EIO` if nothing could ever bring the group to the foreground, or if it
    /// ignores SIGTTIN; an interruption otherwise.
    pub(super) fn check_foreground(&self, kernel: &Kernel, task: &Task, signal: Number) -> Result<()> {
        let Some(ids) = self.controlled(kernel, task) else { return Ok(()) };
        let foreground = self.state.lock().foreground;
        if foreground == 0 || foreground == ids.pgid {
            return Ok(());
        }
        let blocked = task.signals.lock().blocked.contains(signal);
        if blocked || task.process.action(signal).handler == Action::IGNORE {
            return if signal == Number::SIGTTIN {
                Err(Errno::EIO.because("a background process reads and ignores SIGTTIN"))
            } else {
                Ok(())
            };
        }
        if kernel.tree().is_orphaned(ids.pgid) {
            return Err(Errno::EIO.because("an orphaned group uses the terminal from the background"));
        }
        kernel.signal_group(ids.pgid, Info::kernel(signal));
        Err(Error::INTERRUPTED)
    }

    /// Makes this the controlling terminal of a session, with `pgid` in the
    /// foreground.
    pub(super) fn give_to(&self, kernel: &Kernel, sid: u32, pgid: u32) {
        let Some(this) = self.this.upgrade() else { return };
        {
            let mut state = self.state.lock();
            state.session = sid;
            state.foreground = pgid;
        }
        kernel.tree().set_controlling_tty(sid, Some(this));
    }

    /// Takes the terminal from its session; gives session and foreground group.
    pub(super) fn take_away(&self, kernel: &Kernel) -> (u32, u32) {
        let (sid, pgid) = {
            let mut state = self.state.lock();
            (core::mem::take(&mut state.session), core::mem::take(&mut state.foreground))
        };
        if sid != 0 {
            kernel.tree().set_controlling_tty(sid, None);
        }
        (sid, pgid)
    }

    /// `TIOCSCTTY`.
    pub(super) fn become_controlling(&self, kernel: &Kernel, task: &Task, steal: bool) -> Result<()> {
        let refused = |why| Errno::EPERM.because(why);
        let pid = task.process.pid;
        let ids = kernel.tree().ids(pid).ok_or(refused("the process has ended"))?;
        let session = self.state.lock().session;
        if ids.sid == pid && session == ids.sid {
            return Ok(());
        }
        if ids.sid != pid {
            return Err(refused("not the leader of a session"));
        }
        if kernel.tree().controlling_tty(ids.sid).is_some() {
            return Err(refused("the session has a controlling terminal"));
        }
        if session != 0 {
            if !(steal && task.creds().is_privileged()) {
                return Err(refused("the terminal controls another session"));
            }
            self.take_away(kernel);
        }
        self.give_to(kernel, ids.sid, ids.pgid);
        Ok(())
    }

    /// An `open` without `O_NOCTTY`: gives a session leader without a terminal
    /// this one, if it is free.
    pub(super) fn open_as_controlling(&self, kernel: &Kernel, task: &Task) {
        let Some(ids) = kernel.tree().ids(task.process.pid) else { return };
        let is_free = self.state.lock().session == 0;
        if is_free && ids.sid == task.process.pid && kernel.tree().controlling_tty(ids.sid).is_none() {
            self.give_to(kernel, ids.sid, ids.pgid);
        }
    }

    /// `TIOCNOTTY`: the session of a leader loses the terminal. (The terminal
    /// belongs to the session as a whole here: one process alone cannot give
    /// it up.)
    ///
    /// # Errors
    /// `ENOTTY` if it is not the task's controlling terminal.
    pub(super) fn give_up(&self, kernel: &Kernel, task: &Task) -> Result<()> {
        let ids = self.controlled(kernel, task).ok_or(Errno::ENOTTY.because("not the controlling terminal"))?;
        if ids.sid == task.process.pid {
            let (_, pgid) = self.take_away(kernel);
            if pgid != 0 {
                kernel.signal_group(pgid, Info::kernel(Number::SIGHUP));
                kernel.signal_group(pgid, Info::kernel(Number::SIGCONT));
            }
        }
        Ok(())
    }

    /// `TIOCSPGRP`.
    ///
    /// # Errors
    /// `ENOTTY`, `EINVAL`, `ESRCH`, `EPERM`, and as [`Tty::check_foreground`].
    pub(super) fn set_foreground(&self, kernel: &Kernel, task: &Task, pgid: i32) -> Result<()> {
        let not_ours = Errno::ENOTTY.because("not the controlling terminal");
        let ids = self.controlled(kernel, task).ok_or(not_ours)?;
        self.check_foreground(kernel, task, Number::SIGTTOU)
            .map_err(|error| if error.errno == Errno::EIO { not_ours } else { error })?;
        let pgid = u32::try_from(pgid).map_err(|_| Errno::EINVAL.because("a negative group"))?;
        if !kernel.tree().group_exists_in_session(pgid, ids.sid) {
            let exists = !kernel.tree().group(pgid).is_empty();
            let errno = if exists { Errno::EPERM } else { Errno::ESRCH };
            return Err(errno.because("no such group in this session"));
        }
        self.state.lock().foreground = pgid;
        Ok(())
    }

    /// Hangs the terminal up: its files are dead, its session loses it, the
    /// session's leader and the foreground group get SIGHUP and SIGCONT.
    pub(super) fn hang_up_now(&self) {
        let Some(kernel) = self.kernel.upgrade() else { return };
        {
            let mut state = self.state.lock();
            state.generation = state.generation.wrapping_add(1);
            state.is_exclusive = false;
            self.flush_input(&mut state);
            // A terminal that is opened again starts afresh, and is not held.
            state.discipline = super::discipline::Discipline::default();
        }
        let (sid, pgid) = self.take_away(&kernel);
        for signal in [Number::SIGHUP, Number::SIGCONT] {
            if let Some(leader) = kernel.tree().process(sid).filter(|_| sid != 0 && sid != pgid) {
                send_to_process(&kernel, &leader, Info::kernel(signal));
            }
            if pgid != 0 {
                kernel.signal_group(pgid, Info::kernel(signal));
            }
        }
        self.changed.wake_all();
        self.master_changed.wake_all();
    }

    /// A signal for the foreground group from the terminal itself.
    pub(super) fn signal_foreground(&self, signal: Number) {
        let (foreground, kernel) = (self.state.lock().foreground, self.kernel.upgrade());
        if let (1.., Some(kernel)) = (foreground, kernel) {
            kernel.signal_group(foreground, Info::kernel(signal));
        }
    }

    /// As if the character for it had been typed (`TIOCSIG`).
    pub(super) fn raise(&self, signal: Number) {
        let mut effects = Effects::default();
        {
            let mut state = self.state.lock();
            state.discipline.raise(signal, &mut effects);
            if effects.flush_output {
                state.outgoing.clear();
            }
        }
        self.signal_foreground(signal);
        self.changed.wake_all();
        self.master_changed.wake_all();
    }
}

impl SessionTty for Tty {
    fn hang_up(&self) {
        self.hang_up_now();
    }

    fn device(&self) -> u32 {
        u32::try_from(self.device & 0xffff_ffff).unwrap_or(0)
    }

    fn foreground(&self) -> u32 {
        self.state.lock().foreground
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}
