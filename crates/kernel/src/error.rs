//! The kernel's error value: an errno and the reason, for traces.

use linux_abi::Errno;
use machine::NoMemory;

/// What happens to the call when a signal interrupted it, as Linux's
/// `ERESTART*` codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// The errno is final.
    #[default]
    No,
    /// Run the call again unless a handler without `SA_RESTART` runs
    /// (`ERESTARTSYS`).
    IfAllowed,
    /// Run the call again only if no handler runs (`ERESTARTNOHAND`).
    IfNoHandler,
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// The number the guest sees.
    pub errno: Errno,
    /// The reason in a few lower-case words, or empty; traces show it.
    pub why: &'static str,
    /// Whether the call is to be run again.
    pub restart: Restart,
}

/// The result of kernel functions.
pub type Result<T = u64> = core::result::Result<T, Error>;

impl Error {
    /// A wait that a signal broke; restarts as `SA_RESTART` says.
    pub const INTERRUPTED: Self = Self { errno: Errno::EINTR, why: "a signal came", restart: Restart::IfAllowed };
    /// A wait that a signal broke; restarts only if no handler runs.
    pub const INTERRUPTED_NO_HANDLER: Self =
        Self { errno: Errno::EINTR, why: "a signal came", restart: Restart::IfNoHandler };
    /// A wait that a signal broke and that never restarts.
    pub const INTERRUPTED_FINAL: Self = Self { errno: Errno::EINTR, why: "a signal came", restart: Restart::No };
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        Self { errno, why: "", restart: Restart::No }
    }
}

impl From<NoMemory> for Error {
    fn from(_: NoMemory) -> Self {
        Errno::ENOMEM.because("the machine's memory limit is reached")
    }
}

/// Adds a reason to an errno.
pub trait Because {
    /// The error with this errno and the given reason.
    fn because(self, why: &'static str) -> Error;
}

impl Because for Errno {
    fn because(self, why: &'static str) -> Error {
        Error { errno: self, why, restart: Restart::No }
    }
}
