//! Taking the machine down.

use crate::mounts;
use crate::say;
use crate::signals::{self, Shutdown, Signals};
use rustix::process::{WaitOptions, wait};
use rustix::system::{RebootCommand, reboot};
use std::time::{Duration, Instant};

/// How long programs may take to end after they were asked to, and after they were killed.
const PATIENCE: Duration = Duration::from_secs(3);

/// Ends every other process: asks first, then kills.
pub(crate) fn end_all(signals: &Signals) {
    for signal in [libc::SIGTERM, libc::SIGKILL] {
        signals::send_to_all(signal);
        // Stopped ones have to run in order to end.
        signals::send_to_all(libc::SIGCONT);
        let until = Instant::now() + PATIENCE;
        loop {
            while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
            if !signals::has_others() {
                return;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            // Others' children report nothing to this process until they are its own.
            signals.wait(Some(left.min(Duration::from_millis(50))));
        }
    }
}

/// Ends every process, makes the disks whole, and stops the machine.
pub(crate) fn stop(signals: &Signals, how: Shutdown) {
    let (what, command) = match how {
        Shutdown::Halt => ("halts", RebootCommand::Halt),
        Shutdown::PowerOff => ("powers off", RebootCommand::PowerOff),
        Shutdown::Restart => ("restarts", RebootCommand::Restart),
    };
    say(&format!("the machine {what}"));
    end_all(signals);
    rustix::fs::sync();
    mounts::unmount_all();
    rustix::fs::sync();
    if let Err(error) = reboot(command) {
        say(&format!("the machine does not stop: {error}"));
    }
}
