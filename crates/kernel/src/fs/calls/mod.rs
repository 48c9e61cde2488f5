//! The system calls about files, by what they are about.

mod attr;
mod dirs;
mod fcntl;
mod fds;
mod io;
mod mounts;
mod names;
mod splice;
mod storage;
mod xattr;

use linux_abi::Errno;
use linux_abi::fcntl::{AtFlags, OpenFlags, PATH_MAX};

use crate::error::{Because, Result};
use crate::flag_args;
use crate::fs::Caller;
use crate::syscall::{Cx, PathArg, Row};

/// The tables of system calls about files.
pub(crate) const GROUPS: [&[Row]; 10] = [
    attr::ROWS,
    dirs::ROWS,
    fcntl::ROWS,
    fds::ROWS,
    io::ROWS,
    mounts::ROWS,
    names::ROWS,
    splice::ROWS,
    storage::ROWS,
    xattr::ROWS,
];

flag_args! {
    OpenFlags: u32, truncate;
    AtFlags: u32;
    linux_abi::fcntl::RenameFlags: u32;
    linux_abi::fcntl::SpliceFlags: u32;
    linux_abi::fcntl::CloseRangeFlags: u32;
    linux_abi::uio::RwFlags: u32;
    linux_abi::mman::MfdFlags: u32;
}

/// Who makes the call, for walking paths.
fn caller(cx: &Cx<'_>) -> Caller {
    Caller::of(cx.kernel, cx.task)
}

/// The text of a path argument.
///
/// # Errors
/// `EFAULT`; `ENAMETOOLONG` beyond 4095 bytes.
fn path(cx: &Cx<'_>, arg: PathArg) -> Result<alloc::vec::Vec<u8>> {
    cx.task.mm().read_cstr(arg.0, PATH_MAX)
}

/// Refuses `AT_` flags other than those a call knows.
///
/// # Errors
/// `EINVAL`.
fn check_at_flags(flags: AtFlags, known: AtFlags) -> Result<()> {
    if known.contains(flags) {
        return Ok(());
    }
    Err(Errno::EINVAL.because("a flag has no meaning here"))
}
