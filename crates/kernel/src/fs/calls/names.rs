//! Names: making, linking, removing, renaming.

use linux_abi::Errno;
use linux_abi::fcntl::{AT_REMOVEDIR, AtFlags, PATH_MAX, RenameFlags};
use machine::GuestAddr;

use super::{caller, check_at_flags, path};
use crate::error::{Because, Result};
use crate::fs::{FileType, NewKind, WalkFlags};
use crate::syscall::{Cx, PathArg, Row};
use crate::syscalls;

/// The system calls of this file.
pub(super) const ROWS: &[Row] = syscalls! {
    33 mknodat(dirfd: i32, path: PathArg, mode: u32, dev: u32) Full, mknodat;
    34 mkdirat(dirfd: i32, path: PathArg, mode: u32) Full, mkdirat;
    35 unlinkat(dirfd: i32, path: PathArg, flags: u32) Full, unlinkat;
    36 symlinkat(target: PathArg, newdirfd: i32, linkpath: PathArg) Full, symlinkat;
    37 linkat(olddirfd: i32, oldpath: PathArg, newdirfd: i32, newpath: PathArg, flags: AtFlags) Full, linkat;
    38 renameat(olddirfd: i32, oldpath: PathArg, newdirfd: i32, newpath: PathArg) Full, renameat;
    78 readlinkat(dirfd: i32, path: PathArg, buf: GuestAddr, size: i32) Full, readlinkat;
    276 renameat2(olddirfd: i32, oldpath: PathArg, newdirfd: i32, newpath: PathArg, flags: RenameFlags)
        Partial("no RENAME_WHITEOUT"), renameat2;
};

pub(crate) fn mknodat(cx: &mut Cx<'_>, dirfd: i32, name: PathArg, mode: u32, dev: u32) -> Result<()> {
    let kind = FileType::from_mode(mode).ok_or(Errno::EINVAL.because("no such type of file"))?;
    let rdev = u64::from(dev);
    let kind = match kind {
        FileType::Regular => NewKind::Regular,
        FileType::Fifo => NewKind::Fifo,
        FileType::Socket => NewKind::Socket,
        FileType::CharDevice => NewKind::CharDevice(rdev),
        FileType::BlockDevice => NewKind::BlockDevice(rdev),
        FileType::Directory => return Err(Errno::EPERM.because("mknod makes no directories")),
        FileType::Symlink => return Err(Errno::EINVAL.because("mknod makes no symbolic links")),
    };
    let name = path(cx, name)?;
    cx.kernel.vfs().make(&caller(cx), dirfd, &name, kind, mode & 0o7777).map(|_| ())
}

pub(crate) fn mkdirat(cx: &mut Cx<'_>, dirfd: i32, name: PathArg, mode: u32) -> Result<()> {
    let name = path(cx, name)?;
    cx.kernel.vfs().make(&caller(cx), dirfd, &name, NewKind::Directory, mode & 0o1777).map(|_| ())
}

pub(crate) fn symlinkat(cx: &mut Cx<'_>, target: PathArg, dirfd: i32, name: PathArg) -> Result<()> {
    let target = path(cx, target)?;
    if target.is_empty() {
        return Err(Errno::ENOENT.because("the link's text is empty"));
    }
    let name = path(cx, name)?;
    cx.kernel.vfs().make(&caller(cx), dirfd, &name, NewKind::Symlink(&target), 0o777).map(|_| ())
}

pub(crate) fn linkat(
    cx: &mut Cx<'_>,
    olddirfd: i32,
    old: PathArg,
    newdirfd: i32,
    new: PathArg,
    flags: AtFlags,
) -> Result<()> {
    check_at_flags(flags, AtFlags::AT_SYMLINK_FOLLOW | AtFlags::AT_EMPTY_PATH)?;
    let mut walk = WalkFlags::empty();
    walk.set(WalkFlags::FOLLOW, flags.contains(AtFlags::AT_SYMLINK_FOLLOW));
    walk.set(WalkFlags::EMPTY_PATH, flags.contains(AtFlags::AT_EMPTY_PATH));
    let (old, new, caller) = (path(cx, old)?, path(cx, new)?, caller(cx));
    if old.is_empty() && flags.contains(AtFlags::AT_EMPTY_PATH) && !caller.creds.is_privileged() {
        return Err(Errno::ENOENT.because("AT_EMPTY_PATH needs privilege here"));
    }
    let target = cx.kernel.vfs().resolve(&caller, olddirfd, &old, walk)?;
    cx.kernel.vfs().link(&caller, &target, newdirfd, &new)
}

pub(crate) fn unlinkat(cx: &mut Cx<'_>, dirfd: i32, name: PathArg, flags: u32) -> Result<()> {
    if flags & !AT_REMOVEDIR != 0 {
        return Err(Errno::EINVAL.because("a flag has no meaning here"));
    }
    let (name, caller) = (path(cx, name)?, caller(cx));
    if flags & AT_REMOVEDIR != 0 {
        cx.kernel.vfs().rmdir(&caller, dirfd, &name)
    } else {
        cx.kernel.vfs().unlink(&caller, dirfd, &name)
    }
}

pub(crate) fn renameat(cx: &mut Cx<'_>, olddirfd: i32, old: PathArg, newdirfd: i32, new: PathArg) -> Result<()> {
    renameat2(cx, olddirfd, old, newdirfd, new, RenameFlags::empty())
}

pub(crate) fn renameat2(
    cx: &mut Cx<'_>,
    olddirfd: i32,
    old: PathArg,
    newdirfd: i32,
    new: PathArg,
    flags: RenameFlags,
) -> Result<()> {
    let (old, new) = (path(cx, old)?, path(cx, new)?);
    cx.kernel.vfs().rename(&caller(cx), (olddirfd, &old), (newdirfd, &new), flags)
}

pub(crate) fn readlinkat(cx: &mut Cx<'_>, dirfd: i32, name: PathArg, buf: GuestAddr, size: i32) -> Result<usize> {
    let size = usize::try_from(size).ok().filter(|size| *size > 0);
    let size = size.ok_or(Errno::EINVAL.because("the buffer has no room"))?.min(PATH_MAX);
    let name = path(cx, name)?;
    let text = cx.kernel.vfs().read_link(&caller(cx), dirfd, &name)?;
    let count = text.len().min(size);
    cx.task.mm().write(buf, text.get(..count).unwrap_or_default())?;
    Ok(count)
}
