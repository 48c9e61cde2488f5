//! Extended attributes, which no file system here has.

use linux_abi::Errno;
use linux_abi::fcntl::{AT_FDCWD, XATTR_NAME_MAX};
use machine::GuestAddr;

use super::{caller, path};
use crate::error::{Because, Result};
use crate::fs::WalkFlags;
use crate::syscall::{Cx, PathArg, Row};
use crate::syscalls;

/// The system calls of this file.
pub(super) const ROWS: &[Row] = syscalls! {
    5 setxattr(path: PathArg, name: PathArg, value: GuestAddr, size: usize, flags: u32)
        Partial("always EOPNOTSUPP"), setxattr;
    6 lsetxattr(path: PathArg, name: PathArg, value: GuestAddr, size: usize, flags: u32)
        Partial("always EOPNOTSUPP"), lsetxattr;
    7 fsetxattr(fd: i32, name: PathArg, value: GuestAddr, size: usize, flags: u32)
        Partial("always EOPNOTSUPP"), fsetxattr;
    8 getxattr(path: PathArg, name: PathArg, value: GuestAddr, size: usize)
        Partial("always EOPNOTSUPP"), getxattr;
    9 lgetxattr(path: PathArg, name: PathArg, value: GuestAddr, size: usize)
        Partial("always EOPNOTSUPP"), lgetxattr;
    10 fgetxattr(fd: i32, name: PathArg, value: GuestAddr, size: usize) Partial("always EOPNOTSUPP"), fgetxattr;
    11 listxattr(path: PathArg, list: GuestAddr, size: usize) Partial("the list is empty"), listxattr;
    12 llistxattr(path: PathArg, list: GuestAddr, size: usize) Partial("the list is empty"), llistxattr;
    13 flistxattr(fd: i32, list: GuestAddr, size: usize) Partial("the list is empty"), flistxattr;
    14 removexattr(path: PathArg, name: PathArg) Partial("always EOPNOTSUPP"), removexattr;
    15 lremovexattr(path: PathArg, name: PathArg) Partial("always EOPNOTSUPP"), lremovexattr;
    16 fremovexattr(fd: i32, name: PathArg) Partial("always EOPNOTSUPP"), fremovexattr;
};

/// Checks that the path leads to a file.
fn find(cx: &Cx<'_>, name: PathArg, follow: bool) -> Result<()> {
    let name = path(cx, name)?;
    let mut flags = WalkFlags::empty();
    flags.set(WalkFlags::FOLLOW, follow);
    cx.kernel.vfs().resolve(&caller(cx), AT_FDCWD, &name, flags).map(|_| ())
}

/// Checks that the descriptor is open.
fn find_fd(cx: &Cx<'_>, fd: i32) -> Result<()> {
    cx.task.files().get_io(fd).map(|_| ())
}

/// What every call about one attribute comes to.
fn refuse(cx: &Cx<'_>, name: PathArg) -> Result<u64> {
    let range = || Errno::ERANGE.because("no attribute has such a name");
    match cx.task.mm().read_cstr(name.0, XATTR_NAME_MAX + 1) {
        Ok(name) if name.is_empty() => Err(range()),
        Err(error) if error.errno == Errno::ENAMETOOLONG => Err(range()),
        Ok(_) => Err(Errno::EOPNOTSUPP.because("the file system has no extended attributes")),
        Err(error) => Err(error),
    }
}

pub(crate) fn setxattr(cx: &mut Cx<'_>, at: PathArg, name: PathArg, _: GuestAddr, _: usize, _: u32) -> Result<u64> {
    find(cx, at, true)?;
    refuse(cx, name)
}

pub(crate) fn lsetxattr(cx: &mut Cx<'_>, at: PathArg, name: PathArg, _: GuestAddr, _: usize, _: u32) -> Result<u64> {
    find(cx, at, false)?;
    refuse(cx, name)
}

pub(crate) fn fsetxattr(cx: &mut Cx<'_>, fd: i32, name: PathArg, _: GuestAddr, _: usize, _: u32) -> Result<u64> {
    find_fd(cx, fd)?;
    refuse(cx, name)
}

pub(crate) fn getxattr(cx: &mut Cx<'_>, at: PathArg, name: PathArg, _: GuestAddr, _: usize) -> Result<u64> {
    find(cx, at, true)?;
    refuse(cx, name)
}

pub(crate) fn lgetxattr(cx: &mut Cx<'_>, at: PathArg, name: PathArg, _: GuestAddr, _: usize) -> Result<u64> {
    find(cx, at, false)?;
    refuse(cx, name)
}

pub(crate) fn fgetxattr(cx: &mut Cx<'_>, fd: i32, name: PathArg, _: GuestAddr, _: usize) -> Result<u64> {
    find_fd(cx, fd)?;
    refuse(cx, name)
}

pub(crate) fn listxattr(cx: &mut Cx<'_>, at: PathArg, _: GuestAddr, _: usize) -> Result<()> {
    find(cx, at, true)
}

pub(crate) fn llistxattr(cx: &mut Cx<'_>, at: PathArg, _: GuestAddr, _: usize) -> Result<()> {
    find(cx, at, false)
}

pub(crate) fn flistxattr(cx: &mut Cx<'_>, fd: i32, _: GuestAddr, _: usize) -> Result<()> {
    find_fd(cx, fd)
}

pub(crate) fn removexattr(cx: &mut Cx<'_>, at: PathArg, name: PathArg) -> Result<u64> {
    find(cx, at, true)?;
    refuse(cx, name)
}

pub(crate) fn lremovexattr(cx: &mut Cx<'_>, at: PathArg, name: PathArg) -> Result<u64> {
    find(cx, at, false)?;
    refuse(cx, name)
}

pub(crate) fn fremovexattr(cx: &mut Cx<'_>, fd: i32, name: PathArg) -> Result<u64> {
    find_fd(cx, fd)?;
    refuse(cx, name)
}
