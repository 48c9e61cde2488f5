//! The process's standard input, output and error, for the guest.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use machine::HostStream;
use rustix::fs::{CWD, Mode, OFlags, fcntl_getfl, openat};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::termios::isatty;

use crate::console::Console;
use crate::stream::FdStream;
use crate::watch::Watcher;

/// What one of the three is.
#[derive(Clone)]
pub enum Stdio {
    /// The terminal: the guest gets its console.
    Terminal,
    /// Something else.
    Stream(Arc<dyn HostStream>),
    /// Nothing: the process was started without it.
    Closed,
}

impl fmt::Debug for Stdio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terminal => "Terminal",
            Self::Stream(_) => "Stream",
            Self::Closed => "Closed",
        })
    }
}

/// Standard input, output and error, and the console that goes with them.
#[derive(Debug)]
pub struct StandardStreams {
    /// A terminal in raw mode if standard input is one; if only output is, a
    /// console that leaves its modes alone and gives no input; otherwise a
    /// console without input whose output goes to standard error.
    pub console: Arc<Console>,
    /// Descriptors 0, 1 and 2.
    pub streams: [Stdio; 3],
}

impl StandardStreams {
    /// Takes the three descriptors of this process for the guest.
    ///
    /// Input and output that are no terminal are moved, not copied, so that
    /// their other side sees the end when the guest closes them; the process
    /// has `/dev/null` in their place. Standard error is copied.
    ///
    /// # Errors
    /// If a terminal does not let itself be switched to raw mode, or the
    /// process has too many open descriptors.
    pub fn take() -> io::Result<Self> {
        // A Rust program's start-up opens `/dev/null` where one of the three is
        // missing, so `Closed` comes only from a host that is no Rust program.
        let (stdin, stdout, stderr) = (rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr());
        let copies = [fcntl_dupfd_cloexec(stdin, 3), fcntl_dupfd_cloexec(stdout, 3), fcntl_dupfd_cloexec(stderr, 3)];
        let [input, output, error] = copies.map(Result::ok);
        if input.as_ref().is_some_and(|fd| !isatty(fd)) {
            rustix::stdio::dup2_stdin(null(OFlags::RDONLY)?)?;
        }
        if output.as_ref().is_some_and(|fd| !isatty(fd)) {
            rustix::stdio::dup2_stdout(null(OFlags::WRONLY)?)?;
        }
        Self::from_fds([input, output, error])
    }

    /// As [`StandardStreams::take`], from any descriptors.
    ///
    /// # Errors
    /// As there.
    pub fn from_fds(fds: [Option<OwnedFd>; 3]) -> io::Result<Self> {
        let console = Arc::new(make_console(&fds)?);
        let watcher = Arc::new(Watcher::new()?);
        let stream = |fd: Option<OwnedFd>| -> io::Result<Stdio> {
            Ok(match fd {
                None => Stdio::Closed,
                Some(fd) if isatty(&fd) => Stdio::Terminal,
                Some(fd) => Stdio::Stream(Arc::new(FdStream::new(fd, &watcher)?)),
            })
        };
        let [input, output, error] = fds;
        Ok(Self { console, streams: [stream(input)?, stream(output)?, stream(error)?] })
    }
}

fn null(flags: OFlags) -> rustix::io::Result<OwnedFd> {
    openat(CWD, "/dev/null", flags | OFlags::CLOEXEC, Mode::empty())
}

fn make_console(fds: &[Option<OwnedFd>; 3]) -> io::Result<Console> {
    let terminal = |fd: &Option<OwnedFd>| fd.as_ref().filter(|fd| isatty(fd)).map(OwnedFd::try_clone).transpose();
    let is_writable = |fd: &OwnedFd| fcntl_getfl(fd).is_ok_and(|flags| flags & OFlags::RWMODE != OFlags::RDONLY);
    if let Some(input) = terminal(&fds[0])? {
        // Most terminals are open for both on every descriptor.
        let output = match terminal(&fds[1])? {
            Some(output) => output,
            None if is_writable(&input) => input.try_clone()?,
            None => terminal(&fds[2])?.map_or_else(|| null(OFlags::WRONLY).map_err(io::Error::from), Ok)?,
        };
        return Console::terminal(input, output);
    }
    let output = match (terminal(&fds[1])?, &fds[2]) {
        (Some(output), _) => output,
        (None, Some(error)) => error.try_clone()?,
        (None, None) => null(OFlags::WRONLY)?,
    };
    Console::plain(None, output)
}
