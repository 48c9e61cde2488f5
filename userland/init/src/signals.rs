//! Waiting for signals. All of the crate's unsafe code is here.

use std::mem::{self, MaybeUninit};
use std::time::Duration;

/// What process 1 waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// A child has changed.
    Child,
    /// The machine is to go down.
    Shutdown(Shutdown),
}

/// How the machine goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shutdown {
    Halt,
    PowerOff,
    Restart,
}

const SIGNALS: [(libc::c_int, Signal); 5] = [
    (libc::SIGCHLD, Signal::Child),
    (libc::SIGUSR1, Signal::Shutdown(Shutdown::Halt)),
    (libc::SIGUSR2, Signal::Shutdown(Shutdown::PowerOff)),
    (libc::SIGTERM, Signal::Shutdown(Shutdown::Restart)),
    // What the kernel sends for Ctrl-Alt-Del.
    (libc::SIGINT, Signal::Shutdown(Shutdown::Restart)),
];

/// The signals, held back until [`Signals::wait`] takes them. Programs inherit
/// that unless they lead a session of [`account::lead_session`].
pub(crate) struct Signals(libc::sigset_t);

impl Signals {
    /// Holds the signals back from now on.
    pub(crate) fn hold() -> Self {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `sigemptyset` makes the set valid, and the calls after it take a valid one.
        let set = unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            let mut set = set.assume_init();
            for (number, _) in SIGNALS {
                libc::sigaddset(&raw mut set, number);
            }
            libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
            set
        };
        Self(set)
    }

    /// The next signal; `None` after `timeout`, if there is one, or for no reason.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> Option<Signal> {
        // SAFETY: plain data, for which zeros are valid.
        let mut time: libc::timespec = unsafe { mem::zeroed() };
        if let Some(timeout) = timeout {
            time.tv_sec = timeout.as_secs().try_into().unwrap_or(libc::time_t::MAX);
            time.tv_nsec = timeout.subsec_nanos().into();
        }
        let time = match timeout {
            Some(_) => &raw const time,
            None => std::ptr::null(),
        };
        // SAFETY: the set and the time outlive the call, and no information is wanted.
        let number = unsafe { libc::sigtimedwait(&raw const self.0, std::ptr::null_mut(), time) };
        let known = SIGNALS.iter().find(|(own, _)| *own == number);
        known.map(|(_, signal)| *signal)
    }
}

/// Sends a signal to every process but this one.
pub(crate) fn send_to_all(signal: libc::c_int) {
    // SAFETY: the call takes plain numbers. Without other processes it fails, as it may.
    unsafe { libc::kill(-1, signal) };
}

/// Whether there are processes besides this one.
pub(crate) fn has_others() -> bool {
    // SAFETY: the call takes plain numbers and sends nothing.
    unsafe { libc::kill(-1, 0) == 0 }
}
