//! Directories: reading them, and the working and root directory.

use alloc::vec::Vec;

use linux_abi::dirent::Dirent64;
use linux_abi::fcntl::AT_FDCWD;
use linux_abi::{Errno, Wire};
use machine::GuestAddr;

use super::{caller, path};
use crate::error::{Because, Result};
use crate::fs::{Caller, FileType, Path, WalkFlags};
use crate::syscall::{Cx, PathArg, Row};
use crate::syscalls;

/// The system calls of this file.
pub(super) const ROWS: &[Row] = syscalls! {
    17 getcwd(buf: GuestAddr, size: usize) Full, getcwd;
    49 chdir(path: PathArg) Full, chdir;
    50 fchdir(fd: i32) Full, fchdir;
    51 chroot(path: PathArg) Full, chroot;
    61 getdents64(fd: i32, dirp: GuestAddr, count: u32) Full, getdents64;
    166 umask(mask: u32) Full, umask;
};

pub(crate) fn getcwd(cx: &mut Cx<'_>, buf: GuestAddr, size: usize) -> Result<usize> {
    let caller = caller(cx);
    let cwd = caller.fs.cwd();
    if cwd.dentry.is_deleted() {
        return Err(Errno::ENOENT.because("the working directory has been removed"));
    }
    let (mut text, is_reached) = cx.kernel.vfs().path_text_and_reach(&caller.fs.root(), &cwd);
    if !is_reached {
        text.splice(0..0, b"(unreachable)".iter().copied());
    }
    text.push(0);
    if text.len() > size {
        return Err(Errno::ERANGE.because("the path is longer than the buffer"));
    }
    cx.task.mm().write(buf, &text)?;
    Ok(text.len())
}

pub(crate) fn chdir(cx: &mut Cx<'_>, name: PathArg) -> Result<()> {
    let (name, caller) = (path(cx, name)?, caller(cx));
    let flags = WalkFlags::FOLLOW | WalkFlags::DIRECTORY;
    let dir = cx.kernel.vfs().resolve(&caller, AT_FDCWD, &name, flags)?;
    enter(&caller, &dir)?;
    caller.fs.set_cwd(dir);
    Ok(())
}

pub(crate) fn fchdir(cx: &mut Cx<'_>, fd: i32) -> Result<()> {
    let caller = caller(cx);
    let dir = cx.task.files().get(fd)?.path().clone();
    if dir.inode().kind() != FileType::Directory {
        return Err(Errno::ENOTDIR.because("the descriptor is no directory"));
    }
    enter(&caller, &dir)?;
    caller.fs.set_cwd(dir);
    Ok(())
}

pub(crate) fn chroot(cx: &mut Cx<'_>, name: PathArg) -> Result<()> {
    let (name, caller) = (path(cx, name)?, caller(cx));
    let flags = WalkFlags::FOLLOW | WalkFlags::DIRECTORY;
    let dir = cx.kernel.vfs().resolve(&caller, AT_FDCWD, &name, flags)?;
    enter(&caller, &dir)?;
    if !caller.creds.is_privileged() {
        return Err(Errno::EPERM.because("only the superuser changes the root"));
    }
    caller.fs.set_root(dir);
    Ok(())
}

/// Checks that somebody may make a directory his own.
fn enter(caller: &Caller, dir: &Path) -> Result<()> {
    dir.inode().attr()?.check_access(&caller.creds, 1)
}

pub(crate) fn umask(cx: &mut Cx<'_>, mask: u32) -> Result<u32> {
    Ok(cx.task.fs().set_umask(mask))
}

pub(crate) fn getdents64(cx: &mut Cx<'_>, fd: i32, dirp: GuestAddr, count: u32) -> Result<usize> {
    let file = cx.task.files().get_io(fd)?;
    if file.inode().kind() != FileType::Directory {
        return Err(Errno::ENOTDIR.because("the descriptor is no directory"));
    }
    let size = usize::try_from(count).unwrap_or(usize::MAX);
    let caller = caller(cx);
    let mut records = Vec::with_capacity(size.min(32768));
    let mut did_not_fit = false;
    let mut position = file.position();
    let mut next = *position;
    file.ops().read_dir(&file, *position, &caller, &mut |entry| {
        let length = Dirent64::record_len(entry.name.len());
        if records.len() + length > size {
            did_not_fit = true;
            return false;
        }
        let record = Dirent64 {
            d_ino: entry.ino,
            d_off: i64::try_from(entry.next).unwrap_or(i64::MAX),
            d_reclen: u16::try_from(length).unwrap_or(u16::MAX),
            d_type: entry.kind.dirent_type(),
        };
        let start = records.len();
        records.resize(start + length, 0);
        let (head, name) = records[start..].split_at_mut(Dirent64::SIZE);
        record.store(head);
        name[..entry.name.len()].copy_from_slice(entry.name);
        next = entry.next;
        true
    })?;
    if records.is_empty() && did_not_fit {
        return Err(Errno::EINVAL.because("the buffer is too small for one entry"));
    }
    cx.task.mm().write(dirp, &records)?;
    *position = next;
    Ok(records.len())
}
