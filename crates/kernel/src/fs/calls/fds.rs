//! Descriptors: opening, closing, duplicating, device control.

use alloc::sync::Arc;

use linux_abi::fcntl::{CloseRangeFlags, OpenFlags, OpenHow, ResolveFlags};
use linux_abi::ioctl::{FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, FIONREAD, FIOQSIZE};
use linux_abi::{Errno, Wire};
use machine::GuestAddr;

use super::{caller, path};
use crate::error::{Because, Error, Result};
use crate::fs::{File, FileType, Opened, WalkFlags};
use crate::syscall::{Cx, Outcome, PathArg, Row};
use crate::syscalls;

/// The system calls of this file.
pub(super) const ROWS: &[Row] = syscalls! {
    23 dup(oldfd: i32) Full, dup;
    24 dup3(oldfd: i32, newfd: i32, flags: OpenFlags) Full, dup3;
    29 ioctl(fd: i32, cmd: u32, arg: GuestAddr) Partial("what each kind of file knows"), ioctl;
    56 openat(dirfd: i32, path: PathArg, flags: OpenFlags, mode: u32) Full, openat;
    57 close(fd: i32) Full, close;
    59 pipe2(fds: GuestAddr, flags: OpenFlags) Full, pipe2;
    436 close_range(first: u32, last: u32, flags: CloseRangeFlags) Full, close_range;
    437 openat2(dirfd: i32, path: PathArg, how: GuestAddr, size: usize) Partial("RESOLVE_CACHED is EAGAIN"), openat2;
};

pub(crate) fn dup(cx: &mut Cx<'_>, fd: i32) -> Result<i32> {
    let files = cx.task.files();
    files.insert(cx.task, files.get(fd)?, false)
}

pub(crate) fn dup3(cx: &mut Cx<'_>, old: i32, new: i32, flags: OpenFlags) -> Result<i32> {
    if !OpenFlags::O_CLOEXEC.contains(flags) || old == new {
        return Err(Errno::EINVAL.because("the descriptors are the same, or a flag has no meaning"));
    }
    let files = cx.task.files();
    let file = files.get(old)?;
    drop(files.replace(cx.task, new, file, flags.contains(OpenFlags::O_CLOEXEC))?);
    Ok(new)
}

pub(crate) fn close(cx: &mut Cx<'_>, fd: i32) -> Result<()> {
    drop(cx.task.files().close(fd)?);
    Ok(())
}

pub(crate) fn close_range(cx: &mut Cx<'_>, first: u32, last: u32, flags: CloseRangeFlags) -> Result<()> {
    if first > last {
        return Err(Errno::EINVAL.because("the range is empty"));
    }
    if flags.contains(CloseRangeFlags::CLOSE_RANGE_UNSHARE) {
        let own = cx.task.files().fork();
        drop(cx.task.set_files(own));
    }
    let (first, last) = (first as usize, last as usize);
    let files = cx.task.files();
    if flags.contains(CloseRangeFlags::CLOSE_RANGE_CLOEXEC) {
        files.set_cloexec_range(first, last);
    } else {
        files.close_range(first, last);
    }
    Ok(())
}

pub(crate) fn openat(cx: &mut Cx<'_>, dirfd: i32, name: PathArg, flags: OpenFlags, mode: u32) -> Result<Outcome> {
    // openat drops what it does not know; openat2 refuses it.
    let mut flags = flags;
    if flags.contains(OpenFlags::O_PATH) {
        flags &= OpenFlags::O_PATH | OpenFlags::O_DIRECTORY | OpenFlags::O_NOFOLLOW | OpenFlags::O_CLOEXEC;
    }
    let mode = if flags.intersects(OpenFlags::O_CREAT | OpenFlags::__O_TMPFILE) { mode & 0o7777 } else { 0 };
    open(cx, dirfd, name, flags, mode, WalkFlags::empty())
}

pub(crate) fn openat2(cx: &mut Cx<'_>, dirfd: i32, name: PathArg, how: GuestAddr, size: usize) -> Result<Outcome> {
    let how = read_open_how(cx, how, size)?;
    let bits = u32::try_from(how.flags).map_err(|_| Errno::EINVAL.because("unknown open flags"))?;
    let flags = OpenFlags::from_bits(bits & !linux_abi::fcntl::O_ACCMODE);
    let flags = flags.ok_or(Errno::EINVAL.because("unknown open flags"))?
        | OpenFlags::from_bits_retain(bits & linux_abi::fcntl::O_ACCMODE);
    let creates = flags.intersects(OpenFlags::O_CREAT | OpenFlags::__O_TMPFILE);
    if how.mode & !0o7777 != 0 || how.mode != 0 && !creates {
        return Err(Errno::EINVAL.because("a mode without a file to be made, or an unknown bit of it"));
    }
    let path_only = OpenFlags::O_PATH | OpenFlags::O_DIRECTORY | OpenFlags::O_NOFOLLOW | OpenFlags::O_CLOEXEC;
    if flags.contains(OpenFlags::O_PATH) && !path_only.contains(flags) {
        return Err(Errno::EINVAL.because("O_PATH goes with few flags"));
    }
    let resolve = ResolveFlags::from_bits(how.resolve).ok_or(Errno::EINVAL.because("unknown resolve flags"))?;
    if resolve.contains(ResolveFlags::RESOLVE_BENEATH | ResolveFlags::RESOLVE_IN_ROOT) {
        return Err(Errno::EINVAL.because("RESOLVE_BENEATH and RESOLVE_IN_ROOT exclude each other"));
    }
    if resolve.contains(ResolveFlags::RESOLVE_CACHED) {
        return Err(Errno::EAGAIN.because("nothing is promised to be cached"));
    }
    let mode = u32::try_from(how.mode).unwrap_or(0);
    open(cx, dirfd, name, flags, mode, WalkFlags::from_resolve(resolve))
}

fn read_open_how(cx: &Cx<'_>, addr: GuestAddr, size: usize) -> Result<OpenHow> {
    if size < OpenHow::SIZE {
        return Err(Errno::EINVAL.because("struct open_how is too small"));
    }
    if size > 4096 {
        return Err(Errno::E2BIG.because("struct open_how is too large"));
    }
    let bytes = cx.task.mm().read_vec(addr, size)?;
    let (known, further) = bytes.split_at(OpenHow::SIZE);
    if further.iter().any(|byte| *byte != 0) {
        return Err(Errno::E2BIG.because("struct open_how has members that are not known"));
    }
    Ok(<OpenHow as Wire>::load(known))
}

fn open(
    cx: &mut Cx<'_>,
    dirfd: i32,
    name: PathArg,
    flags: OpenFlags,
    mode: u32,
    restrict: WalkFlags,
) -> Result<Outcome> {
    let name = path(cx, name)?;
    // On a 64-bit machine every file may be large.
    let flags = if flags.contains(OpenFlags::O_PATH) { flags } else { flags | OpenFlags::O_LARGEFILE };
    let opened = cx.kernel.vfs().open(&caller(cx), dirfd, &name, flags, mode, restrict)?;
    let cloexec = flags.contains(OpenFlags::O_CLOEXEC);
    let Opened { file, wait } = opened;
    let Some(wait) = wait else {
        let fd = cx.task.files().insert(cx.task, file, cloexec)?;
        return Ok(Outcome::Done(Ok(u64::from(fd.unsigned_abs()))));
    };
    let task = cx.task.clone();
    Ok(Outcome::wait(async move {
        let partner = wait.queue().clone();
        let waited = task.interruptible(partner.wait_until(|| wait.is_over().then_some(()))).await;
        if waited.is_err() {
            return Err(Error::INTERRUPTED);
        }
        let fd = task.files().insert(&task, file, cloexec)?;
        Ok(u64::from(fd.unsigned_abs()))
    }))
}

pub(crate) fn pipe2(cx: &mut Cx<'_>, fds: GuestAddr, flags: OpenFlags) -> Result<()> {
    let known = OpenFlags::O_CLOEXEC | OpenFlags::O_NONBLOCK | OpenFlags::O_DIRECT;
    if !known.contains(flags) {
        return Err(Errno::EINVAL.because("a flag has no meaning for a pipe"));
    }
    let creds = cx.task.creds();
    let (reader, writer, path) = cx.kernel.vfs().new_pipe(creds.fsuid, creds.fsgid);
    let kept = flags - OpenFlags::O_CLOEXEC;
    let reader = File::new(cx.kernel, path.clone(), reader, kept);
    let writer = File::new(cx.kernel, path, writer, kept | OpenFlags::O_WRONLY);
    let (files, cloexec) = (cx.task.files(), flags.contains(OpenFlags::O_CLOEXEC));
    let first = files.insert(cx.task, reader, cloexec)?;
    let second = match files.insert(cx.task, writer, cloexec) {
        Ok(second) => second,
        Err(error) => {
            drop(files.close(first));
            return Err(error);
        }
    };
    let stored = cx.task.mm().write_abi(fds, &[first, second]);
    if stored.is_err() {
        drop(files.close(first));
        drop(files.close(second));
    }
    stored
}

pub(crate) fn ioctl(cx: &mut Cx<'_>, fd: i32, command: u32, arg: GuestAddr) -> Result<Outcome> {
    let files = cx.task.files();
    let file = files.get_io(fd)?;
    match command {
        FIOCLEX => files.set_cloexec(fd, true).map(done),
        FIONCLEX => files.set_cloexec(fd, false).map(done),
        FIONBIO => {
            let on = cx.task.mm().read_u32(arg)? != 0;
            set_flag(&file, OpenFlags::O_NONBLOCK, on);
            Ok(done(()))
        }
        FIOASYNC => {
            // No file here can send SIGIO, so the flag stays off, as it does in
            // Linux for a file without that ability.
            cx.task.mm().read_u32(arg)?;
            Ok(done(()))
        }
        FIOQSIZE if matches!(file.inode().kind(), FileType::Regular | FileType::Directory | FileType::Symlink) => {
            cx.task.mm().write_u64(arg, file.attr()?.size).map(done)
        }
        FIONREAD if file.inode().kind() == FileType::Regular && file.ops().is_seekable() => {
            let left = file.attr()?.size.saturating_sub(*file.position());
            cx.task.mm().write_u32(arg, u32::try_from(left).unwrap_or(u32::MAX)).map(done)
        }
        _ => Ok(file.ops().ioctl(&file, cx, command, arg)),
    }
}

fn done(_: ()) -> Outcome {
    Outcome::Done(Ok(0))
}

fn set_flag(file: &Arc<File>, flag: OpenFlags, on: bool) {
    let mut flags = file.flags();
    flags.set(flag, on);
    file.set_flags(flags);
}
