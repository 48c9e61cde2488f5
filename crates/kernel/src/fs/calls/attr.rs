//! Attributes: `stat` and its relatives, modes, owners, times, sizes.

use linux_abi::Errno;
use linux_abi::fcntl::{AtFlags, FallocFlags, OpenFlags};
use linux_abi::resource::RLIMIT_FSIZE;
use linux_abi::stat::{
    S_ISGID, STATX__RESERVED, STATX_ATTR_MOUNT_ROOT, Statfs, StatfsFlags, Statx, StatxMask, StatxTimestamp, major,
    minor,
};
use linux_abi::time::{Timespec, UTIME_NOW, UTIME_OMIT};
use machine::GuestAddr;

use alloc::sync::Arc;

use super::{caller, check_at_flags, path};
use crate::error::{Because, Result};
use crate::fs::{Attr, Caller, File, FileType, MountFlags, Path, SetAttr, WalkFlags, split_ns};
use crate::syscall::{Cx, PathArg, Row};
use crate::syscalls;
use crate::task::Creds;

/// The system calls of this file.
pub(super) const ROWS: &[Row] = syscalls! {
    43 statfs(path: PathArg, buf: GuestAddr) Full, statfs;
    44 fstatfs(fd: i32, buf: GuestAddr) Full, fstatfs;
    45 truncate(path: PathArg, length: i64) Full, truncate;
    46 ftruncate(fd: i32, length: i64) Full, ftruncate;
    47 fallocate(fd: i32, mode: u32, offset: i64, len: i64) Partial("no collapse, insert or zero range"), fallocate;
    48 faccessat(dirfd: i32, path: PathArg, mode: u32) Full, faccessat;
    52 fchmod(fd: i32, mode: u32) Full, fchmod;
    53 fchmodat(dirfd: i32, path: PathArg, mode: u32) Full, fchmodat;
    54 fchownat(dirfd: i32, path: PathArg, owner: u32, group: u32, flags: AtFlags) Full, fchownat;
    55 fchown(fd: i32, owner: u32, group: u32) Full, fchown;
    79 newfstatat(dirfd: i32, path: PathArg, statbuf: GuestAddr, flags: AtFlags) Full, newfstatat;
    80 fstat(fd: i32, statbuf: GuestAddr) Full, fstat;
    88 utimensat(dirfd: i32, path: PathArg, times: GuestAddr, flags: AtFlags) Full, utimensat;
    291 statx(dirfd: i32, path: PathArg, flags: AtFlags, mask: u32, statxbuf: GuestAddr) Full, statx;
    439 faccessat2(dirfd: i32, path: PathArg, mode: u32, flags: AtFlags) Full, faccessat2;
    452 fchmodat2(dirfd: i32, path: PathArg, mode: u32, flags: AtFlags) Full, fchmodat2;
};

/// The file that a descriptor or a path names.
fn find(cx: &Cx<'_>, dirfd: i32, name: PathArg, flags: AtFlags) -> Result<(Caller, Path)> {
    let (name, caller) = (path(cx, name)?, caller(cx));
    let found = cx.kernel.vfs().resolve(&caller, dirfd, &name, WalkFlags::from_at(flags))?;
    Ok((caller, found))
}

pub(crate) fn newfstatat(cx: &mut Cx<'_>, dirfd: i32, name: PathArg, buf: GuestAddr, flags: AtFlags) -> Result<()> {
    let known = AtFlags::AT_SYMLINK_NOFOLLOW | AtFlags::AT_EMPTY_PATH | AtFlags::AT_NO_AUTOMOUNT;
    check_at_flags(flags, known)?;
    let attr = if flags.contains(AtFlags::AT_EMPTY_PATH) && name.0.is_null() {
        caller(cx).base(dirfd)?.inode().attr()?
    } else {
        find(cx, dirfd, name, flags)?.1.inode().attr()?
    };
    cx.task.mm().write_abi(buf, &attr.to_stat())
}

pub(crate) fn fstat(cx: &mut Cx<'_>, fd: i32, buf: GuestAddr) -> Result<()> {
    let attr = cx.task.files().get(fd)?.attr()?;
    cx.task.mm().write_abi(buf, &attr.to_stat())
}

pub(crate) fn statx(
    cx: &mut Cx<'_>,
    dirfd: i32,
    name: PathArg,
    flags: AtFlags,
    mask: u32,
    buf: GuestAddr,
) -> Result<()> {
    let sync = AtFlags::AT_STATX_FORCE_SYNC | AtFlags::AT_STATX_DONT_SYNC;
    let known = AtFlags::AT_SYMLINK_NOFOLLOW | AtFlags::AT_EMPTY_PATH | AtFlags::AT_NO_AUTOMOUNT | sync;
    check_at_flags(flags, known)?;
    if mask & STATX__RESERVED != 0 || flags.contains(sync) {
        return Err(Errno::EINVAL.because("a mask bit or flags without meaning"));
    }
    let found = if flags.contains(AtFlags::AT_EMPTY_PATH) && name.0.is_null() {
        caller(cx).base(dirfd)?
    } else {
        find(cx, dirfd, name, flags)?.1
    };
    let attr = found.inode().attr()?;
    let mut answer = to_statx(&attr);
    answer.stx_mnt_id = u64::from(found.mount.id);
    if Arc::ptr_eq(&found.dentry, found.mount.root()) {
        answer.stx_attributes |= STATX_ATTR_MOUNT_ROOT;
    }
    cx.task.mm().write_abi(buf, &answer)
}

fn to_statx(attr: &Attr) -> Statx {
    let time = |ns: i64| {
        let (tv_sec, tv_nsec) = split_ns(ns);
        StatxTimestamp { tv_sec, tv_nsec }
    };
    let mut mask = StatxMask::STATX_BASIC_STATS | StatxMask::STATX_MNT_ID;
    mask.set(StatxMask::STATX_BTIME, attr.btime_ns.is_some());
    Statx {
        stx_mask: mask.bits(),
        stx_blksize: attr.block_size,
        stx_nlink: attr.nlink,
        stx_uid: attr.uid,
        stx_gid: attr.gid,
        stx_mode: u16::try_from(attr.full_mode()).unwrap_or(0),
        stx_ino: attr.ino,
        stx_size: attr.size,
        stx_blocks: attr.blocks,
        stx_attributes_mask: STATX_ATTR_MOUNT_ROOT,
        stx_atime: time(attr.atime_ns),
        stx_btime: time(attr.btime_ns.unwrap_or(0)),
        stx_ctime: time(attr.ctime_ns),
        stx_mtime: time(attr.mtime_ns),
        stx_rdev_major: major(attr.rdev),
        stx_rdev_minor: minor(attr.rdev),
        stx_dev_major: major(attr.dev),
        stx_dev_minor: minor(attr.dev),
        ..Statx::default()
    }
}

pub(crate) fn faccessat(cx: &mut Cx<'_>, dirfd: i32, name: PathArg, mode: u32) -> Result<()> {
    faccessat2(cx, dirfd, name, mode, AtFlags::empty())
}

pub(crate) fn faccessat2(cx: &mut Cx<'_>, dirfd: i32, name: PathArg, mode: u32, flags: AtFlags) -> Result<()> {
    check_at_flags(flags, AtFlags::AT_EACCESS | AtFlags::AT_SYMLINK_NOFOLLOW | AtFlags::AT_EMPTY_PATH)?;
    if mode & !7 != 0 {
        return Err(Errno::EINVAL.because("no such access"));
    }
    let (name, mut caller) = (path(cx, name)?, caller(cx));
    if !flags.contains(AtFlags::AT_EACCESS) {
        let creds = &*caller.creds;
        let real = Creds { fsuid: creds.uid, fsgid: creds.gid, ..creds.clone() };
        caller.creds = Arc::new(real);
    }
    let found = cx.kernel.vfs().resolve(&caller, dirfd, &name, WalkFlags::from_at(flags))?;
    if mode == 0 {
        return Ok(());
    }
    let attr = found.inode().attr()?;
    let is_regular = attr.kind == FileType::Regular;
    if mode & 1 != 0 && is_regular && found.mount.flags().contains(MountFlags::NO_EXEC) {
        return Err(Errno::EACCES.because("the mount is noexec"));
    }
    attr.check_access(&caller.creds, mode)?;
    let has_contents = !attr.kind.is_device() && !matches!(attr.kind, FileType::Fifo | FileType::Socket);
    if mode & 2 != 0 && has_contents {
        found.mount.check_writable()?;
    }
    Ok(())
}

pub(crate) fn fchmod(cx: &mut Cx<'_>, fd: i32, mode: u32) -> Result<()> {
    let file = cx.task.files().get_io(fd)?;
    change_mode(&caller(cx), file.path(), mode)
}

pub(crate) fn fchmodat(cx: &mut Cx<'_>, dirfd: i32, name: PathArg, mode: u32) -> Result<()> {
    fchmodat2(cx, dirfd, name, mode, AtFlags::empty())
}

pub(crate) fn fchmodat2(cx: &mut Cx<'_>, dirfd: i32, name: PathArg, mode: u32, flags: AtFlags) -> Result<()> {
    check_at_flags(flags, AtFlags::AT_SYMLINK_NOFOLLOW | AtFlags::AT_EMPTY_PATH)?;
    let (caller, found) = find(cx, dirfd, name, flags)?;
    change_mode(&caller, &found, mode)
}

fn change_mode(caller: &Caller, path: &Path, mode: u32) -> Result<()> {
    path.mount.check_writable()?;
    if path.inode().kind() == FileType::Symlink {
        return Err(Errno::EOPNOTSUPP.because("a symbolic link has no mode"));
    }
    let attr = path.inode().attr()?;
    if !attr.is_owner(&caller.creds) {
        return Err(Errno::EPERM.because("somebody else's file"));
    }
    let mut mode = mode & 0o7777;
    if caller.creds.fsuid != 0 && !caller.creds.in_group(attr.gid) {
        mode &= !S_ISGID;
    }
    path.inode().set_attr(&SetAttr { mode: Some(mode), ..SetAttr::default() })
}

pub(crate) fn fchown(cx: &mut Cx<'_>, fd: i32, owner: u32, group: u32) -> Result<()> {
    let file = cx.task.files().get_io(fd)?;
    change_owner(&caller(cx), file.path(), owner, group)
}

pub(crate) fn fchownat(
    cx: &mut Cx<'_>,
    dirfd: i32,
    name: PathArg,
    owner: u32,
    group: u32,
    flags: AtFlags,
) -> Result<()> {
    check_at_flags(flags, AtFlags::AT_SYMLINK_NOFOLLOW | AtFlags::AT_EMPTY_PATH)?;
    let (caller, found) = find(cx, dirfd, name, flags)?;
    change_owner(&caller, &found, owner, group)
}

/// Changes owner and group; `u32::MAX` leaves one as it is.
fn change_owner(caller: &Caller, path: &Path, owner: u32, group: u32) -> Result<()> {
    path.mount.check_writable()?;
    let attr = path.inode().attr()?;
    let creds = &caller.creds;
    let uid = (owner != u32::MAX).then_some(owner);
    let gid = (group != u32::MAX).then_some(group);
    if creds.fsuid != 0 {
        let keeps_owner = uid.is_none_or(|uid| uid == attr.uid);
        let may_have_group = gid.is_none_or(|gid| gid == attr.gid || creds.in_group(gid));
        let changes = uid.is_some() || gid.is_some();
        if changes && (creds.fsuid != attr.uid || !keeps_owner || !may_have_group) {
            return Err(Errno::EPERM.because("only the superuser gives files away"));
        }
    }
    let changes = uid.is_some() || gid.is_some();
    let mode = attr.mode_without_set_id();
    let mode = (changes && mode != attr.mode).then_some(mode);
    path.inode().set_attr(&SetAttr { uid, gid, mode, ..SetAttr::default() })
}

pub(crate) fn utimensat(cx: &mut Cx<'_>, dirfd: i32, name: PathArg, times: GuestAddr, flags: AtFlags) -> Result<()> {
    check_at_flags(flags, AtFlags::AT_SYMLINK_NOFOLLOW | AtFlags::AT_EMPTY_PATH)?;
    let times = if times.is_null() { None } else { Some(cx.task.mm().read_abi::<[Timespec; 2]>(times)?) };
    if let Some(times) = &times
        && times.iter().all(|time| time.tv_nsec == UTIME_OMIT)
    {
        return Ok(());
    }
    let (caller, found) = if name.0.is_null() && dirfd != linux_abi::fcntl::AT_FDCWD {
        if !flags.is_empty() {
            return Err(Errno::EINVAL.because("flags without a path"));
        }
        (caller(cx), cx.task.files().get_io(dirfd)?.path().clone())
    } else {
        find(cx, dirfd, name, flags)?
    };
    change_times(cx, &caller, &found, times)
}

fn change_times(cx: &Cx<'_>, caller: &Caller, path: &Path, times: Option<[Timespec; 2]>) -> Result<()> {
    path.mount.check_writable()?;
    let now = cx.kernel.vfs().now_ns();
    let attr = path.inode().attr()?;
    let both_now = times.is_none_or(|times| times.iter().all(|time| time.tv_nsec == UTIME_NOW));
    if !attr.is_owner(&caller.creds) {
        if !both_now {
            return Err(Errno::EPERM.because("somebody else's file"));
        }
        // Whoever may write the file may say that it changed now.
        attr.check_access(&caller.creds, 2)?;
    }
    let parse = |time: Timespec| match time.tv_nsec {
        UTIME_NOW => Ok(Some(now)),
        UTIME_OMIT => Ok(None),
        nsec if (0..1_000_000_000).contains(&nsec) => {
            Ok(Some(time.tv_sec.saturating_mul(1_000_000_000).saturating_add(nsec)))
        }
        _ => Err(Errno::EINVAL.because("no such number of nanoseconds")),
    };
    let (atime_ns, mtime_ns) = match times {
        None => (Some(now), Some(now)),
        Some([atime, mtime]) => (parse(atime)?, parse(mtime)?),
    };
    path.inode().set_attr(&SetAttr { atime_ns, mtime_ns, ..SetAttr::default() })
}

pub(crate) fn truncate(cx: &mut Cx<'_>, name: PathArg, length: i64) -> Result<()> {
    let size = u64::try_from(length).map_err(|_| Errno::EINVAL.because("the length is negative"))?;
    let (caller, found) = find(cx, linux_abi::fcntl::AT_FDCWD, name, AtFlags::empty())?;
    match found.inode().kind() {
        FileType::Regular => {}
        FileType::Directory => return Err(Errno::EISDIR.because("a directory")),
        _ => return Err(Errno::EINVAL.because("not a regular file")),
    }
    found.mount.check_writable()?;
    let attr = found.inode().attr()?;
    attr.check_access(&caller.creds, 2)?;
    set_size(cx, &found, size)
}

pub(crate) fn ftruncate(cx: &mut Cx<'_>, fd: i32, length: i64) -> Result<()> {
    let size = u64::try_from(length).map_err(|_| Errno::EINVAL.because("the length is negative"))?;
    let file = cx.task.files().get_io(fd)?;
    if file.inode().kind() != FileType::Regular || !file.access().writes() {
        return Err(Errno::EINVAL.because("no regular file that is open for writing"));
    }
    set_size(cx, file.path(), size)
}

fn set_size(cx: &Cx<'_>, path: &Path, size: u64) -> Result<()> {
    check_size(cx, size)?;
    let creds = cx.task.creds();
    let attr = path.inode().attr()?;
    let mode = attr.mode_without_set_id();
    let mode = (creds.fsuid != 0 && mode != attr.mode).then_some(mode);
    path.inode().set_attr(&SetAttr { size: Some(size), mode, ..SetAttr::default() })
}

/// Checks a file's new size against the process's limit.
fn check_size(cx: &Cx<'_>, size: u64) -> Result<()> {
    if size <= cx.task.process.limit(RLIMIT_FSIZE as usize).soft {
        return Ok(());
    }
    let signal = crate::signal::Info::kernel(crate::signal::Number::SIGXFSZ);
    crate::signal::send_to_task(cx.kernel, cx.task, signal);
    Err(Errno::EFBIG.because("the file-size limit is reached"))
}

pub(crate) fn fallocate(cx: &mut Cx<'_>, fd: i32, mode: u32, offset: i64, len: i64) -> Result<()> {
    let file: Arc<File> = cx.task.files().get_io(fd)?;
    let (offset, len) = match (u64::try_from(offset), u64::try_from(len)) {
        (Ok(offset), Ok(len)) if len > 0 => (offset, len),
        _ => return Err(Errno::EINVAL.because("no such range")),
    };
    let mode = FallocFlags::from_bits(mode).ok_or(Errno::EOPNOTSUPP.because("unknown mode bits"))?;
    if mode.contains(FallocFlags::FALLOC_FL_PUNCH_HOLE) && !mode.contains(FallocFlags::FALLOC_FL_KEEP_SIZE) {
        return Err(Errno::EOPNOTSUPP.because("a hole keeps the size"));
    }
    if !file.access().writes() {
        return Err(Errno::EBADF.because("not open for writing"));
    }
    match file.inode().kind() {
        FileType::Regular => {}
        FileType::Fifo => return Err(Errno::ESPIPE.because("a pipe")),
        FileType::Directory => return Err(Errno::EISDIR.because("a directory")),
        _ => return Err(Errno::ENODEV.because("not a regular file")),
    }
    if file.flags().contains(OpenFlags::O_APPEND) && !mode.difference(FallocFlags::FALLOC_FL_KEEP_SIZE).is_empty() {
        return Err(Errno::EPERM.because("the file is only appended to"));
    }
    if mode.is_empty() {
        check_size(cx, offset.saturating_add(len))?;
    }
    file.ops().allocate(&file, mode, offset, len)
}

pub(crate) fn statfs(cx: &mut Cx<'_>, name: PathArg, buf: GuestAddr) -> Result<()> {
    let (_, found) = find(cx, linux_abi::fcntl::AT_FDCWD, name, AtFlags::empty())?;
    let answer = to_statfs(&found)?;
    cx.task.mm().write_abi(buf, &answer)
}

pub(crate) fn fstatfs(cx: &mut Cx<'_>, fd: i32, buf: GuestAddr) -> Result<()> {
    let answer = to_statfs(cx.task.files().get(fd)?.path())?;
    cx.task.mm().write_abi(buf, &answer)
}

fn to_statfs(path: &Path) -> Result<Statfs> {
    let fs = path.mount.fs();
    let stat = fs.stat_fs()?;
    let mount = path.mount.flags();
    let mut flags = StatfsFlags::ST_VALID;
    for (ours, theirs) in [
        (MountFlags::READ_ONLY, StatfsFlags::ST_RDONLY),
        (MountFlags::NO_SUID, StatfsFlags::ST_NOSUID),
        (MountFlags::NO_DEV, StatfsFlags::ST_NODEV),
        (MountFlags::NO_EXEC, StatfsFlags::ST_NOEXEC),
        (MountFlags::NO_ATIME, StatfsFlags::ST_NOATIME),
        (MountFlags::NO_DIRATIME, StatfsFlags::ST_NODIRATIME),
        (MountFlags::RELATIME, StatfsFlags::ST_RELATIME),
    ] {
        flags.set(theirs, mount.contains(ours));
    }
    let dev = fs.dev();
    Ok(Statfs {
        f_type: stat.magic,
        f_bsize: stat.block_size,
        f_blocks: stat.blocks,
        f_bfree: stat.blocks_free,
        f_bavail: stat.blocks_available,
        f_files: stat.files,
        f_ffree: stat.files_free,
        f_fsid: [major(dev).cast_signed(), minor(dev).cast_signed()],
        f_namelen: stat.name_max,
        f_frsize: stat.block_size,
        f_flags: flags.bits(),
    })
}
