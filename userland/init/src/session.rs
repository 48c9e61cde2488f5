//! A login session on a machine that is up: it lasts as long as its shell.

use crate::shutdown;
use crate::signals::{Signal, Signals};
use account::Account;
use rustix::process::{Pid, WaitOptions, WaitStatus, wait};

/// Starts the login shell on the console and reaps every orphan until it ends.
/// Returns its status as a shell reports it; 0 if the machine was told to stop.
pub(crate) fn run() -> Result<u8, String> {
    let signals = Signals::hold();
    if let Ok(hostname) = std::fs::read_to_string("/etc/hostname") {
        // Without the privilege the name stays as it was, which harms nothing.
        let _ = rustix::system::sethostname(hostname.trim().as_bytes());
    }
    let account = Account::current();
    let mut command = account.login(&account.shell);
    account::lead_session(&mut command);
    let child = command
        .spawn()
        .map_err(|error| format!("{}: {error}", account.shell.display()))?;
    let shell = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    loop {
        // Children may have ended before the wait for their signal.
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if Some(pid) == shell
                && let Some(code) = code(status)
            {
                return Ok(code);
            }
        }
        if let Some(Signal::Shutdown(_)) = signals.wait(None) {
            shutdown::end_all(&signals);
            rustix::fs::sync();
            return Ok(0);
        }
    }
}

/// The status of a process that has ended, as a shell reports it.
pub(crate) fn code(status: WaitStatus) -> Option<u8> {
    let killed = || status.terminating_signal().map(|signal| 128 + signal);
    let code = status.exit_status().or_else(killed)?;
    Some(u8::try_from(code).unwrap_or(u8::MAX))
}
