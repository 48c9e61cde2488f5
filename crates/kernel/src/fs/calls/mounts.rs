//! `mount` and its relatives.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::fcntl::{AT_FDCWD, PATH_MAX};
use linux_abi::system::{MountFlags as Ms, UmountFlags};
use machine::GuestAddr;

use super::{caller, path};
use crate::error::{Because, Result};
use crate::fs::{Caller, Disk, FileType, MountFlags, Path, Vfs, WalkFlags};
use crate::syscall::{Cx, PathArg, Row};
use crate::{flag_args, syscalls};

/// The system calls of this file.
pub(super) const ROWS: &[Row] = syscalls! {
    39 umount2(target: PathArg, flags: UmountFlags) Partial("no MNT_EXPIRE"), umount2;
    40 mount(source: GuestAddr, target: PathArg, kind: GuestAddr, flags: Ms, data: GuestAddr)
        Partial("every mount is private: propagation is not kept"), mount;
};

flag_args! {
    UmountFlags: u32;
    Ms: u64, truncate;
}

/// A string that may be missing.
fn text(cx: &Cx<'_>, addr: GuestAddr) -> Result<Vec<u8>> {
    if addr.is_null() { Ok(Vec::new()) } else { cx.task.mm().read_cstr(addr, PATH_MAX) }
}

/// What a mount is to allow.
fn mount_flags(flags: Ms) -> MountFlags {
    let mut ours = MountFlags::empty();
    for (theirs, flag) in [
        (Ms::MS_RDONLY, MountFlags::READ_ONLY),
        (Ms::MS_NOSUID, MountFlags::NO_SUID),
        (Ms::MS_NODEV, MountFlags::NO_DEV),
        (Ms::MS_NOEXEC, MountFlags::NO_EXEC),
        (Ms::MS_NOATIME, MountFlags::NO_ATIME),
        (Ms::MS_NODIRATIME, MountFlags::NO_DIRATIME),
    ] {
        ours.set(flag, flags.contains(theirs));
    }
    let is_relative = !flags.intersects(Ms::MS_NOATIME | Ms::MS_STRICTATIME);
    ours.set(MountFlags::RELATIME, is_relative);
    ours
}

pub(crate) fn mount(
    cx: &mut Cx<'_>,
    source: GuestAddr,
    target: PathArg,
    kind: GuestAddr,
    flags: Ms,
    data: GuestAddr,
) -> Result<()> {
    let (target, caller) = (path(cx, target)?, caller(cx));
    let vfs = cx.kernel.vfs();
    let at = vfs.resolve(&caller, AT_FDCWD, &target, WalkFlags::FOLLOW)?;
    if !caller.creds.is_privileged() {
        return Err(Errno::EPERM.because("only the superuser mounts"));
    }
    let ours = mount_flags(flags);
    if flags.contains(Ms::MS_REMOUNT) {
        check_is_root(&at)?;
        if !flags.contains(Ms::MS_BIND) {
            at.mount.fs().set_read_only(ours.contains(MountFlags::READ_ONLY))?;
        }
        at.mount.set_flags(ours);
        return Ok(());
    }
    if flags.intersects(Ms::MS_SHARED | Ms::MS_PRIVATE | Ms::MS_SLAVE | Ms::MS_UNBINDABLE) {
        // There is one mount namespace, so nothing ever propagates.
        return check_is_root(&at);
    }
    let source = text(cx, source)?;
    if flags.intersects(Ms::MS_BIND | Ms::MS_MOVE) {
        let from = vfs.resolve(&caller, AT_FDCWD, &source, WalkFlags::FOLLOW)?;
        if flags.contains(Ms::MS_MOVE) {
            return vfs.move_mount(&from, at);
        }
        // Restrictions come with a remount, as in Linux; those of the original
        // stay.
        return vfs.bind(&from, at, from.mount.flags(), flags.contains(Ms::MS_REC)).map(|_| ());
    }
    let kind = text(cx, kind)?;
    let kind = core::str::from_utf8(&kind).map_err(|_| Errno::ENODEV.because("no such file system type"))?;
    let kind = vfs.file_system_type(kind).ok_or(Errno::ENODEV.because("no such file system type"))?;
    let data = text(cx, data)?;
    let fs = if kind.needs_disk() {
        let disk = find_disk(vfs, &caller, &source)?;
        kind.mount_disk(cx.kernel, &disk, ours, &data)?
    } else {
        kind.mount(cx.kernel, &source, &data)?
    };
    vfs.mount_at(fs, at, ours, &source).map(|_| ())
}

/// The disk whose special file is called `source`.
fn find_disk(vfs: &Vfs, caller: &Caller, source: &[u8]) -> Result<Arc<Disk>> {
    let path = vfs.resolve(caller, AT_FDCWD, source, WalkFlags::FOLLOW)?;
    if path.inode().kind() != FileType::BlockDevice {
        return Err(Errno::ENOTBLK.because("the source is no block device"));
    }
    if path.mount.flags().contains(MountFlags::NO_DEV) {
        return Err(Errno::EACCES.because("the mount allows no devices"));
    }
    vfs.blocks().find(path.inode().attr()?.rdev).cloned()
}

fn check_is_root(path: &Path) -> Result<()> {
    if Arc::ptr_eq(&path.dentry, path.mount.root()) {
        return Ok(());
    }
    Err(Errno::EINVAL.because("nothing is mounted there"))
}

pub(crate) fn umount2(cx: &mut Cx<'_>, target: PathArg, flags: UmountFlags) -> Result<()> {
    let (target, caller) = (path(cx, target)?, caller(cx));
    if flags.contains(UmountFlags::MNT_EXPIRE) {
        return Err(Errno::EINVAL.because("mounts do not expire"));
    }
    let mut walk = WalkFlags::FOLLOW;
    walk.set(WalkFlags::FOLLOW, !flags.contains(UmountFlags::UMOUNT_NOFOLLOW));
    let path = cx.kernel.vfs().resolve(&caller, AT_FDCWD, &target, walk)?;
    if !caller.creds.is_privileged() {
        return Err(Errno::EPERM.because("only the superuser unmounts"));
    }
    cx.kernel.vfs().unmount(path, flags.contains(UmountFlags::MNT_DETACH))
}
