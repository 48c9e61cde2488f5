//! Writing out, reading ahead, memory files, and file handles.

use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::fcntl::{AtFlags, OpenFlags, POSIX_FADV_NOREUSE};
use linux_abi::mman::MfdFlags;
use machine::GuestAddr;

use super::{caller, path};
use crate::error::{Because, Result};
use crate::fs::tmpfs::Seals;
use crate::fs::{Dentry, FileType, Path, WalkFlags};
use crate::syscall::{Cx, PathArg, Row};
use crate::syscalls;

/// The system calls of this file.
pub(super) const ROWS: &[Row] = syscalls! {
    81 sync() Full, sync;
    82 fsync(fd: i32) Full, fsync;
    83 fdatasync(fd: i32) Full, fdatasync;
    84 sync_file_range(fd: i32, offset: i64, nbytes: i64, flags: u32) Full, sync_file_range;
    213 readahead(fd: i32, offset: i64, count: usize) Full, readahead;
    223 fadvise64(fd: i32, offset: i64, len: i64, advice: u32) Full, fadvise64;
    264 name_to_handle_at(dirfd: i32, path: PathArg, handle: GuestAddr, mount_id: GuestAddr, flags: AtFlags)
        Partial("always EOPNOTSUPP: no file system has handles"), name_to_handle_at;
    265 open_by_handle_at(mountdirfd: i32, handle: GuestAddr, flags: OpenFlags)
        Partial("always EPERM or ESTALE: no file system has handles"), open_by_handle_at;
    267 syncfs(fd: i32) Full, syncfs;
    279 memfd_create(name: PathArg, flags: MfdFlags) Partial("no MFD_HUGETLB"), memfd_create;
};

pub(crate) fn sync(cx: &mut Cx<'_>) -> Result<()> {
    cx.kernel.vfs().sync_all();
    Ok(())
}

pub(crate) fn syncfs(cx: &mut Cx<'_>, fd: i32) -> Result<()> {
    cx.task.files().get_io(fd)?.path().mount.fs().sync()
}

pub(crate) fn fsync(cx: &mut Cx<'_>, fd: i32) -> Result<()> {
    let file = cx.task.files().get_io(fd)?;
    file.ops().sync(&file, false)
}

pub(crate) fn fdatasync(cx: &mut Cx<'_>, fd: i32) -> Result<()> {
    let file = cx.task.files().get_io(fd)?;
    file.ops().sync(&file, true)
}

pub(crate) fn sync_file_range(cx: &mut Cx<'_>, fd: i32, offset: i64, nbytes: i64, flags: u32) -> Result<()> {
    let file = cx.task.files().get_io(fd)?;
    if offset < 0 || nbytes < 0 || offset.checked_add(nbytes).is_none() || flags & !7 != 0 {
        return Err(Errno::EINVAL.because("no such range, or flags without meaning"));
    }
    match file.inode().kind() {
        FileType::Regular | FileType::BlockDevice | FileType::Directory => file.ops().sync(&file, true),
        _ => Err(Errno::ESPIPE.because("the file has no positions")),
    }
}

pub(crate) fn readahead(cx: &mut Cx<'_>, fd: i32, _offset: i64, _count: usize) -> Result<()> {
    let file = cx.task.files().get_io(fd)?;
    file.check_readable()?;
    if file.inode().kind() != FileType::Regular {
        return Err(Errno::EINVAL.because("not a regular file"));
    }
    // It is a hint; reading is as quick without it.
    Ok(())
}

pub(crate) fn fadvise64(cx: &mut Cx<'_>, fd: i32, _offset: i64, len: i64, advice: u32) -> Result<()> {
    let file = cx.task.files().get_io(fd)?;
    if file.inode().kind() == FileType::Fifo {
        return Err(Errno::ESPIPE.because("a pipe"));
    }
    if len < 0 || advice > POSIX_FADV_NOREUSE {
        return Err(Errno::EINVAL.because("no such advice"));
    }
    Ok(())
}

pub(crate) fn memfd_create(cx: &mut Cx<'_>, name: PathArg, flags: MfdFlags) -> Result<i32> {
    /// `MFD_NAME_MAX_LEN`.
    const NAME_MAX: usize = 249;
    if flags.contains(MfdFlags::MFD_HUGETLB) {
        return Err(Errno::EINVAL.because("there are no huge pages"));
    }
    if flags.contains(MfdFlags::MFD_EXEC | MfdFlags::MFD_NOEXEC_SEAL) {
        return Err(Errno::EINVAL.because("executable or not"));
    }
    let name = match cx.task.mm().read_cstr(name.0, NAME_MAX + 1) {
        Err(error) if error.errno == Errno::ENAMETOOLONG => {
            return Err(Errno::EINVAL.because("the name is longer than 249 bytes"));
        }
        name => name?,
    };
    let creds = cx.task.creds();
    let (mut mode, mut seals) = (0o777, Seals::F_SEAL_SEAL);
    if flags.contains(MfdFlags::MFD_NOEXEC_SEAL) {
        (mode, seals) = (0o666, Seals::F_SEAL_EXEC);
    } else if flags.contains(MfdFlags::MFD_ALLOW_SEALING) {
        seals = Seals::empty();
    }
    let vfs = cx.kernel.vfs();
    let (shm, mount) = vfs.shm();
    let node = shm.unnamed_file(mode, creds.fsuid, creds.fsgid, seals)?;
    let dentry = Dentry::unnamed(node, &[b"/memfd:", name.as_slice()].concat());
    dentry.set_deleted();
    let path = Path { mount: Arc::clone(mount), dentry };
    let opened = vfs.open_path(&caller(cx), path, OpenFlags::O_RDWR | OpenFlags::O_LARGEFILE, true)?;
    cx.task.files().insert(cx.task, opened.file, flags.contains(MfdFlags::MFD_CLOEXEC))
}

pub(crate) fn name_to_handle_at(
    cx: &mut Cx<'_>,
    dirfd: i32,
    name: PathArg,
    _handle: GuestAddr,
    _mount_id: GuestAddr,
    flags: AtFlags,
) -> Result<()> {
    super::check_at_flags(flags, AtFlags::AT_SYMLINK_FOLLOW | AtFlags::AT_EMPTY_PATH)?;
    let mut walk = WalkFlags::empty();
    walk.set(WalkFlags::FOLLOW, flags.contains(AtFlags::AT_SYMLINK_FOLLOW));
    walk.set(WalkFlags::EMPTY_PATH, flags.contains(AtFlags::AT_EMPTY_PATH));
    let name = path(cx, name)?;
    cx.kernel.vfs().resolve(&caller(cx), dirfd, &name, walk)?;
    Err(Errno::EOPNOTSUPP.because("no file system here has handles"))
}

pub(crate) fn open_by_handle_at(cx: &mut Cx<'_>, _fd: i32, _handle: GuestAddr, _flags: OpenFlags) -> Result<()> {
    if !cx.task.creds().is_privileged() {
        return Err(Errno::EPERM.because("handles are for the superuser"));
    }
    Err(Errno::ESTALE.because("no file system here has handles"))
}
