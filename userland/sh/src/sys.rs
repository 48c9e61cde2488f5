//! The system calls that the shell makes, behind safe functions. All of the
//! crate's unsafe code is here.

use crate::text;
use libc::{c_char, c_int, pid_t};
use std::ffi::CString;
use std::io;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

/// Signal numbers are below this.
pub(crate) const SIGNALS: usize = 65;

/// Which signals have arrived and not been looked at.
static PENDING: [AtomicBool; SIGNALS] = [const { AtomicBool::new(false) }; SIGNALS];
static ANY_PENDING: AtomicBool = AtomicBool::new(false);

extern "C" fn note_signal(number: c_int) {
    if let Some(pending) = usize::try_from(number)
        .ok()
        .and_then(|number| PENDING.get(number))
    {
        pending.store(true, Ordering::SeqCst);
        ANY_PENDING.store(true, Ordering::SeqCst);
    }
}

/// What a signal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    Default,
    Ignore,
    /// Remember it for [`take_pending`].
    Note,
}

/// The signals that arrived since the last call, in ascending order.
pub(crate) fn take_pending() -> Vec<c_int> {
    if !ANY_PENDING.swap(false, Ordering::SeqCst) {
        return Vec::new();
    }
    (0..)
        .zip(&PENDING)
        .filter(|(_, pending)| pending.swap(false, Ordering::SeqCst))
        .map(|(number, _)| number)
        .collect()
}

/// Whether `number` has arrived and not been taken.
pub(crate) fn is_pending(number: c_int) -> bool {
    usize::try_from(number)
        .ok()
        .and_then(|number| PENDING.get(number))
        .is_some_and(|pending| pending.load(Ordering::SeqCst))
}

/// Sets what a signal does. Calls are interrupted, not restarted.
pub(crate) fn set_signal(number: c_int, disposition: Disposition) {
    let handler = match disposition {
        Disposition::Default => libc::SIG_DFL,
        Disposition::Ignore => libc::SIG_IGN,
        Disposition::Note => note_signal as extern "C" fn(c_int) as libc::sighandler_t,
    };
    // SAFETY: an all-zero sigaction is valid, and the handler only stores to atomics.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        libc::sigaction(number, &action, ptr::null_mut());
    }
}

/// Whether the signal is ignored now.
pub(crate) fn is_ignored(number: c_int) -> bool {
    // SAFETY: `action` is a valid place for the answer.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(number, ptr::null(), &mut action) == 0
            && action.sa_sigaction == libc::SIG_IGN
    }
}

/// Turns -1 into the last error.
fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

fn c_string(text: &str) -> io::Result<CString> {
    Ok(CString::new(text::encode(text))?)
}

/// Forks. `None` in the child.
pub(crate) fn fork() -> io::Result<Option<pid_t>> {
    // SAFETY: the shell has one thread, so the child may do anything.
    let pid = check(unsafe { libc::fork() })?;
    Ok(if pid == 0 { None } else { Some(pid) })
}

/// Replaces the program; returns only the error.
pub(crate) fn exec(path: &str, args: &[String], env: &[String]) -> io::Error {
    let strings = |list: &[String]| {
        list.iter()
            .map(|text| c_string(text))
            .collect::<io::Result<Vec<_>>>()
    };
    let prepared = c_string(path).and_then(|path| Ok((path, strings(args)?, strings(env)?)));
    let (path, args, env) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return error,
    };
    let pointers = |list: &[CString]| {
        list.iter()
            .map(|text| text.as_ptr())
            .chain([ptr::null()])
            .collect::<Vec<*const c_char>>()
    };
    let (argv, envp) = (pointers(&args), pointers(&env));
    // SAFETY: path, argv and envp are NUL-terminated and outlive the call.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
    io::Error::last_os_error()
}

/// Ends at once, without running destructors or flushing.
pub(crate) fn exit_now(status: i32) -> ! {
    // SAFETY: `_exit` has no conditions.
    unsafe { libc::_exit(status) }
}

/// What became of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Exited(i32),
    Killed(c_int),
    Stopped(c_int),
    Continued,
}

impl Status {
    /// As `$?` has it.
    pub(crate) fn code(self) -> i32 {
        match self {
            Self::Exited(code) => code,
            Self::Killed(signal) | Self::Stopped(signal) => 128 + signal,
            Self::Continued => 0,
        }
    }
}

/// Waits for a change of `pid`, or of any child if it is -1. `None` if `block` is false and nothing changed.
pub(crate) fn wait(pid: pid_t, block: bool, stops: bool) -> io::Result<Option<(pid_t, Status)>> {
    let mut options = if block { 0 } else { libc::WNOHANG };
    if stops {
        options |= libc::WUNTRACED | libc::WCONTINUED;
    }
    let mut raw = 0;
    // SAFETY: `raw` is a valid place for the status.
    let pid = check(unsafe { libc::waitpid(pid, &mut raw, options) })?;
    if pid == 0 {
        return Ok(None);
    }
    let status = if libc::WIFSTOPPED(raw) {
        Status::Stopped(libc::WSTOPSIG(raw))
    } else if libc::WIFCONTINUED(raw) {
        Status::Continued
    } else if libc::WIFSIGNALED(raw) {
        Status::Killed(libc::WTERMSIG(raw))
    } else {
        Status::Exited(libc::WEXITSTATUS(raw))
    };
    Ok(Some((pid, status)))
}

/// A pipe that exec closes: read end, write end.
pub(crate) fn pipe() -> io::Result<(c_int, c_int)> {
    let mut fds = [0; 2];
    // SAFETY: `fds` has room for two.
    check(unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) })?;
    Ok((fds[0], fds[1]))
}

macro_rules! wrap {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) = $call:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name($($arg: $type),*) -> io::Result<c_int> {
            // SAFETY: the call takes plain numbers.
            check(unsafe { $call })
        }
    )*};
}

wrap! {
    close(fd: c_int) = libc::close(fd);
    dup2(from: c_int, to: c_int) = libc::dup2(from, to);
    /// A copy at 10 or above that exec closes.
    dup_high(fd: c_int) = libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 10);
    fd_flags(fd: c_int) = libc::fcntl(fd, libc::F_GETFD);
    kill(pid: pid_t, signal: c_int) = libc::kill(pid, signal);
    setpgid(pid: pid_t, group: pid_t) = libc::setpgid(pid, group);
    tcsetpgrp(fd: c_int, group: pid_t) = libc::tcsetpgrp(fd, group);
    tcgetpgrp(fd: c_int) = libc::tcgetpgrp(fd);
}

pub(crate) fn getpid() -> pid_t {
    // SAFETY: no conditions.
    unsafe { libc::getpid() }
}

pub(crate) fn getppid() -> pid_t {
    // SAFETY: no conditions.
    unsafe { libc::getppid() }
}

pub(crate) fn getpgrp() -> pid_t {
    // SAFETY: no conditions.
    unsafe { libc::getpgrp() }
}

pub(crate) fn geteuid() -> u32 {
    // SAFETY: no conditions.
    unsafe { libc::geteuid() }
}

pub(crate) fn is_terminal(fd: c_int) -> bool {
    // SAFETY: no conditions.
    unsafe { libc::isatty(fd) == 1 }
}

pub(crate) fn open(path: &str, flags: c_int, mode: u32) -> io::Result<c_int> {
    let path = c_string(path)?;
    // SAFETY: the path is NUL-terminated.
    check(unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC, mode) })
}

/// Whether the effective user may read (4), write (2) or execute (1) `path`.
pub(crate) fn access(path: &str, mode: c_int) -> bool {
    // SAFETY: the path is NUL-terminated.
    c_string(path).is_ok_and(|path| unsafe { libc::faccessat(libc::AT_FDCWD, path.as_ptr(), mode, libc::AT_EACCESS) } == 0)
}

/// Reads once; interrupted reads are errors.
pub(crate) fn read(fd: c_int, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the pointer and length are the buffer's.
    let count = unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// Writes everything.
pub(crate) fn write_all(fd: c_int, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        // SAFETY: the pointer and length are the slice's.
        let count = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(count) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

pub(crate) fn umask(mask: Option<u32>) -> u32 {
    // SAFETY: no conditions; the mask is put back when only asked for.
    unsafe {
        let old = libc::umask(mask.unwrap_or(0));
        if mask.is_none() {
            libc::umask(old);
        }
        old
    }
}

/// A terminal's settings.
#[derive(Clone)]
pub(crate) struct Termios(libc::termios);

pub(crate) fn get_termios(fd: c_int) -> io::Result<Termios> {
    // SAFETY: an all-zero termios is a valid place for the answer.
    unsafe {
        let mut termios: libc::termios = std::mem::zeroed();
        check(libc::tcgetattr(fd, &mut termios))?;
        Ok(Termios(termios))
    }
}

pub(crate) fn set_termios(fd: c_int, termios: &Termios) {
    // SAFETY: the settings came from the terminal.
    unsafe { libc::tcsetattr(fd, libc::TCSADRAIN, &termios.0) };
}

impl Termios {
    /// For the line editor: every key at once and unechoed; output as before.
    pub(crate) fn raw(&self) -> Self {
        let mut raw = self.0;
        raw.c_lflag &= !(libc::ICANON | libc::ECHO | libc::ISIG | libc::IEXTEN);
        raw.c_iflag &= !(libc::ICRNL | libc::INLCR | libc::IXON | libc::ISTRIP);
        raw.c_cc[libc::VMIN] = 1;
        raw.c_cc[libc::VTIME] = 0;
        Self(raw)
    }
}

/// The terminal's columns; 80 if it does not tell.
pub(crate) fn columns(fd: c_int) -> usize {
    // SAFETY: `size` is a valid place for the answer.
    unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        if libc::ioctl(fd, libc::TIOCGWINSZ, &mut size) == 0 && size.ws_col > 0 {
            usize::from(size.ws_col)
        } else {
            80
        }
    }
}

/// User and system seconds of this process and of its children.
pub(crate) fn times() -> [f64; 4] {
    // SAFETY: `usage` is a valid place for the answer.
    let usage = |who| unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(who, &mut usage);
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let (own, children) = (usage(libc::RUSAGE_SELF), usage(libc::RUSAGE_CHILDREN));
    [
        seconds(own.ru_utime),
        seconds(own.ru_stime),
        seconds(children.ru_utime),
        seconds(children.ru_stime),
    ]
}

/// A limit: its current or hard value, `None` for unlimited.
pub(crate) fn get_limit(resource: c_int, hard: bool) -> Option<u64> {
    // SAFETY: `limit` is a valid place for the answer.
    let limit = unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        libc::getrlimit(resource as _, &mut limit);
        limit
    };
    let value = if hard { limit.rlim_max } else { limit.rlim_cur };
    (value != libc::RLIM_INFINITY).then_some(value)
}

/// Sets the current limit and, with `hard`, the hard one too.
pub(crate) fn set_limit(resource: c_int, value: Option<u64>, hard: bool) -> io::Result<c_int> {
    let value = value.unwrap_or(libc::RLIM_INFINITY);
    // SAFETY: `limit` is valid for both calls.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        check(libc::getrlimit(resource as _, &mut limit))?;
        limit.rlim_cur = value;
        if hard {
            limit.rlim_max = value;
        }
        check(libc::setrlimit(resource as _, &limit))
    }
}
