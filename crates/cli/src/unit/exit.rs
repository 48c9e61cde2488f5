//! The exit statuses of `vambrace unit`, those of `sysexits.h` where it has one.

use std::fmt;
use std::io;
use std::path::Path;

use ironwall_archive::Problem;

use super::text::escaped;

/// How a subcommand ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Status {
    /// Done, and nothing is wrong.
    Done = 0,
    /// Done, and something was found.
    Findings = 1,
    /// The command line is wrong; the parser of arguments ends with the same.
    Usage = 2,
    /// A file is not what it should be.
    BadData = 65,
    /// A file is not there.
    MissingFile = 66,
    /// An error in this program.
    Bug = 70,
    /// Reading or writing failed.
    Io = 74,
}

/// Why a subcommand did not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    message: String,
}

impl Failure {
    /// A failure with a message that says what and where.
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// A file is not what it should be.
    pub(crate) fn bad_data(path: &Path, problem: impl fmt::Display) -> Self {
        Self::new(Status::BadData, format!("{}: {problem}", escaped(path.as_os_str().as_encoded_bytes())))
    }

    /// A file breaks these rules, of which there is at least one: a line for each.
    pub(crate) fn problems(path: &Path, problems: &[Problem]) -> Self {
        let name = escaped(path.as_os_str().as_encoded_bytes());
        let lines: Vec<String> = problems.iter().map(|problem| format!("{name}: {problem}")).collect();
        Self::new(Status::BadData, lines.join("\n"))
    }

    /// Several failures as one, with the status of the first; none of none.
    pub(crate) fn all(failures: Vec<Self>) -> Option<Self> {
        let status = failures.first()?.status;
        let lines: Vec<String> = failures.into_iter().map(|failure| failure.message).collect();
        Some(Self::new(status, lines.join("\n")))
    }

    /// An operation on a file failed.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        let status = if error.kind() == io::ErrorKind::NotFound { Status::MissingFile } else { Status::Io };
        Self::new(status, format!("{}: {error}", escaped(path.as_os_str().as_encoded_bytes())))
    }

    /// After a panic, which has told its message itself.
    pub(crate) fn bug() -> Self {
        Self::new(Status::Bug, "this is an error in vambrace; please report it with the files that led to it")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<io::Error> for Failure {
    /// For standard output; files have [`Failure::io`].
    fn from(error: io::Error) -> Self {
        Self::new(Status::Io, format!("standard output: {error}"))
    }
}
