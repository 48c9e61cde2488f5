//! The host terminal in raw mode, and back again however the process ends.
//!
//! [`RawTerminal::enter`] switches the terminal to raw mode and arranges that
//! the old modes come back when it is dropped, when the process exits, when a
//! thread panics, and when a signal ends or stops the process. There is one
//! terminal for a process, as there is one set of signal handlers, so the
//! state is in statics: a handler can reach nothing else.
//!
//! While the process is in the background its terminal belongs to somebody
//! else and is left alone; raw mode comes with `SIGCONT` in the foreground.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};

use libc::{c_int, c_void, siginfo_t, sigset_t, termios};

/// What the handlers know. Leaked, because a handler may run at any time.
struct Saved {
    fd: RawFd,
    original: termios,
    raw: termios,
}

/// The terminal that is, or was, in raw mode.
static SAVED: AtomicPtr<Saved> = AtomicPtr::new(ptr::null_mut());
/// True while the terminal has the raw modes.
static IS_RAW: AtomicBool = AtomicBool::new(false);
/// True from entering to leaving, also while stopped or in the background.
static WANTED: AtomicBool = AtomicBool::new(false);
/// Where a byte is written when the window changed or the process continued;
/// -1: nowhere.
static WAKE: AtomicI32 = AtomicI32::new(-1);

/// Signals that end the process unless it does something about them.
const FATAL: [c_int; 15] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGABRT,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGUSR1,
    libc::SIGSEGV,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGTERM,
    libc::SIGXCPU,
    libc::SIGSYS,
];

/// What was done about each of [`FATAL`] before.
static PREVIOUS: [AtomicPtr<libc::sigaction>; FATAL.len()] = [const { AtomicPtr::new(ptr::null_mut()) }; FATAL.len()];

/// The terminal, in raw mode until this is dropped.
pub(crate) struct RawTerminal {
    fd: OwnedFd,
}

impl RawTerminal {
    /// Switches the terminal `fd` to raw mode. A byte is written to `wake`,
    /// which must not block and stay open, when the window size changes or the
    /// process continues.
    ///
    /// # Errors
    /// `ENOTTY` if it is no terminal; `EBUSY` if there is one in raw mode.
    pub(crate) fn enter(fd: OwnedFd, wake: RawFd) -> io::Result<Self> {
        // SAFETY: all zero is a valid `termios`.
        let mut original: termios = unsafe { std::mem::zeroed() };
        // SAFETY: `original` has room for what the call fills in.
        if unsafe { libc::tcgetattr(fd.as_raw_fd(), &raw mut original) } != 0 {
            return Err(io::Error::last_os_error());
        }
        if WANTED.swap(true, Ordering::SeqCst) {
            return Err(io::Error::from_raw_os_error(libc::EBUSY));
        }
        let mut raw = original;
        // SAFETY: `raw` is a valid `termios` of ours.
        unsafe { libc::cfmakeraw(&raw mut raw) };
        let saved = Box::new(Saved { fd: fd.as_raw_fd(), original, raw });
        SAVED.store(Box::into_raw(saved), Ordering::SeqCst);
        WAKE.store(wake, Ordering::SeqCst);
        static ARRANGED: Once = Once::new();
        ARRANGED.call_once(arrange);
        make_raw();
        Ok(Self { fd })
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        WAKE.store(-1, Ordering::SeqCst);
        restore();
        // The old modes are in place, so a handler does nothing from here on,
        // and the descriptor may be closed.
        WANTED.store(false, Ordering::SeqCst);
    }
}

impl fmt::Debug for RawTerminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawTerminal").field("fd", &self.fd).finish()
    }
}

/// True if this process may use the terminal now: it is in the foreground, or
/// the terminal is not its controlling one and has no foreground.
pub(crate) fn in_foreground(fd: impl AsFd) -> bool {
    is_foreground(fd.as_fd().as_raw_fd())
}

fn is_foreground(fd: RawFd) -> bool {
    // SAFETY: both calls only read kernel state, and may be made in a handler.
    unsafe {
        let group = libc::tcgetpgrp(fd);
        group < 0 || group == libc::getpgrp()
    }
}

/// Sees to it that the terminal is restored at the end of the process. Once.
fn arrange() {
    extern "C" fn at_exit() {
        restore();
    }
    // SAFETY: `at_exit` does not unwind and needs nothing that is torn down.
    unsafe { libc::atexit(at_exit) };
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // First, so that the message can be read.
        restore();
        previous(info);
    }));
    for (index, &signal) in FATAL.iter().enumerate() {
        let Some(old) = set_handler(signal, on_fatal) else { continue };
        if old.sa_sigaction == libc::SIG_IGN {
            // As under `nohup`: it stays ignored.
            set_action(signal, &old);
        } else {
            PREVIOUS[index].store(Box::into_raw(Box::new(old)), Ordering::SeqCst);
        }
    }
    set_handler(libc::SIGTSTP, on_stop);
    set_handler(libc::SIGCONT, on_continue);
    set_handler(libc::SIGWINCH, on_window_change);
}

type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

/// Installs a handler; gives what was installed before.
fn set_handler(signal: c_int, handler: Handler) -> Option<libc::sigaction> {
    // SAFETY: all zero is a valid `sigaction`; it is filled in before use.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as usize;
    // On the alternate stack if the thread has one: the signal may be that
    // the ordinary stack is full.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
    // SAFETY: `old` is valid as above; the handlers below only make calls that
    // are safe in a handler.
    unsafe {
        libc::sigemptyset(&raw mut action.sa_mask);
        let mut old: libc::sigaction = std::mem::zeroed();
        (libc::sigaction(signal, &raw const action, &raw mut old) == 0).then_some(old)
    }
}

fn set_action(signal: c_int, action: &libc::sigaction) {
    // SAFETY: `action` is one that the system gave us or a default one.
    unsafe { libc::sigaction(signal, action, ptr::null_mut()) };
}

fn set_default(signal: c_int) {
    // SAFETY: all zero is a valid `sigaction`: the default, with no flags.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = libc::SIG_DFL;
    set_action(signal, &action);
}

/// Runs `f` with the thread's errno put back afterwards, as a handler must.
fn keeping_errno(f: impl FnOnce()) {
    #[cfg(target_os = "linux")]
    // SAFETY: the location is valid for this thread as long as it runs.
    let errno = unsafe { libc::__errno_location() };
    #[cfg(not(target_os = "linux"))]
    // SAFETY: the location is valid for this thread as long as it runs.
    let errno = unsafe { libc::__error() };
    // SAFETY: as above.
    let before = unsafe { *errno };
    f();
    // SAFETY: as above.
    unsafe { *errno = before };
}

/// A signal that ends the process: the terminal first, then what would have
/// happened without us.
extern "C" fn on_fatal(signal: c_int, info: *mut siginfo_t, _: *mut c_void) {
    keeping_errno(|| {
        restore();
        let is_fault =
            matches!(signal, libc::SIGSEGV | libc::SIGBUS | libc::SIGILL | libc::SIGFPE | libc::SIGTRAP | libc::SIGSYS);
        // SAFETY: with `SA_SIGINFO` the system passes a valid `info`.
        let happens_again = is_fault && unsafe { (*info).si_code } > 0;
        let previous =
            FATAL.iter().position(|&fatal| fatal == signal).map(|index| PREVIOUS[index].load(Ordering::SeqCst));
        match previous {
            Some(action) if !action.is_null() && (happens_again || !is_fault) => {
                // SAFETY: a pointer in the table is a leaked box.
                set_action(signal, unsafe { &*action });
            }
            // A handler for faults expects them to happen again when it
            // returns; one that was only sent would be swallowed.
            _ => set_default(signal),
        }
        // A fault happens once more when this returns, and takes its course; a
        // signal that was sent is sent again.
        if !happens_again {
            // SAFETY: `raise` may be called in a handler.
            unsafe { libc::raise(signal) };
        }
    });
}

/// Somebody stops the process: it leaves the terminal as it found it.
extern "C" fn on_stop(signal: c_int, _: *mut siginfo_t, _: *mut c_void) {
    keeping_errno(|| {
        restore();
        set_default(signal);
        // SAFETY: the set is ours; `raise` stops the process as soon as the
        // signal is unblocked, and all of it may be done in a handler.
        unsafe {
            let mut set: sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            libc::sigaddset(&raw mut set, signal);
            libc::raise(signal);
            libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, ptr::null_mut());
        }
        set_handler(signal, on_stop);
        make_raw();
        wake();
    });
}

extern "C" fn on_continue(_: c_int, _: *mut siginfo_t, _: *mut c_void) {
    keeping_errno(|| {
        // Whoever had the terminal meanwhile may have left other modes.
        IS_RAW.store(false, Ordering::SeqCst);
        make_raw();
        wake();
    });
}

extern "C" fn on_window_change(_: c_int, _: *mut siginfo_t, _: *mut c_void) {
    keeping_errno(wake);
}

fn wake() {
    let fd = WAKE.load(Ordering::SeqCst);
    if fd >= 0 {
        // A full pipe wakes as well as one more byte would.
        // SAFETY: the byte is valid; `write` may be called in a handler.
        unsafe { libc::write(fd, [0_u8].as_ptr().cast(), 1) };
    }
}

/// Sets the raw modes, if they are wanted and the terminal is ours.
fn make_raw() {
    // SAFETY: a pointer stored there is a leaked box.
    let Some(saved) = (unsafe { SAVED.load(Ordering::SeqCst).as_ref() }) else { return };
    if WANTED.load(Ordering::SeqCst) && is_foreground(saved.fd) && !IS_RAW.swap(true, Ordering::SeqCst) {
        set_modes(saved.fd, &saved.raw);
    }
}

/// Sets the modes that the terminal had before, if they were changed and the
/// terminal is still ours to change.
fn restore() {
    // SAFETY: a pointer stored there is a leaked box.
    let Some(saved) = (unsafe { SAVED.load(Ordering::SeqCst).as_ref() }) else { return };
    if IS_RAW.swap(false, Ordering::SeqCst) && is_foreground(saved.fd) {
        set_modes(saved.fd, &saved.original);
    }
}

/// Sets modes once what was written is on its way, without being stopped for
/// it if the process lost the foreground this very moment.
fn set_modes(fd: RawFd, modes: &termios) {
    // SAFETY: sets and modes are valid; all calls may be made in a handler.
    unsafe {
        let mut set: sigset_t = std::mem::zeroed();
        let mut before: sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGTTOU);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut before);
        libc::tcsetattr(fd, libc::TCSADRAIN, modes);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut());
    }
}
