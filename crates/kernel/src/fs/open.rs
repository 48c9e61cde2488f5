//! Opening files by name.

use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::fcntl::{AccessMode, OpenFlags};
use linux_abi::stat::S_ISGID;

use crate::error::{Because, Result};
use crate::fs::dir_file::DirFile;
use crate::fs::pipe::FifoWait;
use crate::fs::walk::{Last, Parent, Walk, WalkFlags};
use crate::fs::{Attr, Caller, File, FileOps, FileType, MountFlags, NewKind, NewNode, Opening, Path, SetAttr, Vfs};

/// A file that has been opened.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub file: Arc<File>,
    /// A FIFO whose other end is not open yet: `open` has to wait for it.
    pub wait: Option<FifoWait>,
}

/// Access bits (`R_OK`, `W_OK`) that an access mode needs.
const fn access_bits(mode: AccessMode) -> u32 {
    match mode {
        AccessMode::Read => 4,
        AccessMode::Write => 2,
        AccessMode::ReadWrite | AccessMode::IoctlOnly => 6,
    }
}

impl Vfs {
    /// Opens the file that `path` names, as `openat2` with `restrict` for its
    /// resolve flags. A FIFO is opened without waiting for its other end.
    ///
    /// # Errors
    /// As `open(2)`.
    pub fn open(
        &self,
        caller: &Caller,
        dirfd: i32,
        path: &[u8],
        flags: OpenFlags,
        mode: u32,
        restrict: WalkFlags,
    ) -> Result<Opened> {
        let mut walk_flags = restrict;
        walk_flags.set(WalkFlags::FOLLOW, !flags.contains(OpenFlags::O_NOFOLLOW));
        walk_flags.set(WalkFlags::DIRECTORY, flags.contains(OpenFlags::O_DIRECTORY));
        if flags.contains(OpenFlags::__O_TMPFILE) {
            return self.open_unnamed(caller, dirfd, path, flags, mode, walk_flags);
        }
        if flags.contains(OpenFlags::O_CREAT) && !flags.contains(OpenFlags::O_PATH) {
            return self.open_or_create(caller, dirfd, path, flags, mode, walk_flags);
        }
        let path = self.resolve(caller, dirfd, path, walk_flags)?;
        self.open_path(caller, path, flags, false)
    }

    /// Opens what lies at a place. `is_new` if this call made it: then its
    /// mode does not matter.
    ///
    /// # Errors
    /// As `open(2)`.
    pub fn open_path(&self, caller: &Caller, path: Path, flags: OpenFlags, is_new: bool) -> Result<Opened> {
        let inode = path.inode().clone();
        let kind = inode.kind();
        if flags.contains(OpenFlags::O_PATH) {
            let kept = OpenFlags::O_PATH | OpenFlags::O_DIRECTORY | OpenFlags::O_NOFOLLOW;
            let file = File::new(&caller.kernel, path, Arc::new(PathOnly), flags & kept);
            return Ok(Opened { file, wait: None });
        }
        check_kind(kind, flags)?;
        if !is_new {
            check_permission(caller, &path, kind, flags)?;
        }
        let opening = Opening { caller, flags, path: &path };
        let mut wait = None;
        let ops: Arc<dyn FileOps> = match (kind, inode.clone().open_again(&opening)) {
            (_, Some(ops)) => ops?,
            (FileType::Directory, None) => Arc::new(DirFile::default()),
            (FileType::CharDevice, None) => self.devices().open(inode.attr()?.rdev, &opening)?,
            (FileType::Fifo, None) => {
                let (end, waits) = self.fifos().open(&inode.attr()?, flags)?;
                wait = waits;
                end
            }
            (FileType::BlockDevice, None) => self.blocks().open(inode.attr()?.rdev, &opening)?,
            (FileType::Socket, None) => {
                return Err(Errno::ENXIO.because("nobody serves this file"));
            }
            (FileType::Regular, None) => inode.clone().open(&opening)?,
            (FileType::Symlink, None) => return Err(Errno::ELOOP.because("a symbolic link is not followed")),
        };
        if flags.contains(OpenFlags::O_TRUNC) && kind == FileType::Regular && !is_new {
            truncate_at_open(&path)?;
        }
        let file = File::new(&caller.kernel, path.clone(), ops, flags);
        Ok(Opened { file, wait })
    }

    fn open_or_create(
        &self,
        caller: &Caller,
        dirfd: i32,
        text: &[u8],
        flags: OpenFlags,
        mode: u32,
        walk_flags: WalkFlags,
    ) -> Result<Opened> {
        if flags.contains(OpenFlags::O_DIRECTORY) {
            return Err(Errno::EINVAL.because("O_CREAT makes no directories"));
        }
        if text.is_empty() {
            return Err(Errno::ENOENT.because("the path is empty"));
        }
        let is_exclusive = flags.contains(OpenFlags::O_EXCL);
        let mut walk = Walk::new(self, caller, dirfd, text, walk_flags)?;
        let mut parent = walk.run_to_parent(text)?;
        loop {
            let Last::Name(name) = &parent.last else {
                if is_exclusive {
                    return Err(Errno::EEXIST.because("the directory exists"));
                }
                return Err(Errno::EISDIR.because("O_CREAT on a directory"));
            };
            if parent.has_slash {
                return Err(Errno::EISDIR.because("O_CREAT with a slash at the end"));
            }
            walk.set_at(parent.dir.clone());
            match walk.step(name) {
                Ok(_) if is_exclusive => return Err(Errno::EEXIST.because("O_EXCL and the file exists")),
                Ok(link) if link.inode().kind() == FileType::Symlink => {
                    if !walk_flags.contains(WalkFlags::FOLLOW) {
                        return Err(Errno::ELOOP.because("O_NOFOLLOW and it is a symbolic link"));
                    }
                    match walk.follow(link)? {
                        Some(next) => parent = next,
                        None => return self.open_existing(caller, walk.into_path(), flags),
                    }
                }
                Ok(path) => return self.open_existing(caller, path, flags),
                Err(error) if error.errno == Errno::ENOENT => {
                    match self.create_at(caller, &parent, name, NewKind::Regular, mode) {
                        Ok(path) => return self.open_path(caller, path, flags, true),
                        // Somebody else was faster; look again.
                        Err(error) if error.errno == Errno::EEXIST && !is_exclusive => {}
                        Err(error) => return Err(error),
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn open_existing(&self, caller: &Caller, path: Path, flags: OpenFlags) -> Result<Opened> {
        if path.inode().kind() == FileType::Directory {
            return Err(Errno::EISDIR.because("O_CREAT on a directory"));
        }
        self.open_path(caller, path, flags, false)
    }

    /// `O_TMPFILE`: a regular file that no directory names.
    fn open_unnamed(
        &self,
        caller: &Caller,
        dirfd: i32,
        text: &[u8],
        flags: OpenFlags,
        mode: u32,
        walk_flags: WalkFlags,
    ) -> Result<Opened> {
        if !flags.access().writes() || !flags.contains(OpenFlags::O_DIRECTORY) {
            return Err(Errno::EINVAL.because("O_TMPFILE needs a file that can be written"));
        }
        let dir = self.resolve(caller, dirfd, text, walk_flags)?;
        dir.mount.check_writable()?;
        let attr = dir.inode().attr()?;
        attr.check_access(&caller.creds, 3)?;
        let node = new_node(caller, &attr, NewKind::Regular, mode);
        let inode = dir.inode().create_unnamed(&node)?;
        let name = alloc::format!("#{}", inode.attr()?.ino);
        let dentry = dir.dentry.uncached_child(name.as_bytes(), inode);
        dentry.set_deleted();
        let flags = flags - (OpenFlags::__O_TMPFILE | OpenFlags::O_DIRECTORY);
        self.open_path(caller, dir.with_dentry(dentry), flags, true)
    }

    /// Makes a file in a directory and gives its place. The umask is applied
    /// here.
    ///
    /// # Errors
    /// `EEXIST`, `EACCES`, `EROFS`, `ENOENT` in a directory that is removed,
    /// and those of [`super::Inode::create`].
    pub(super) fn create_at(
        &self,
        caller: &Caller,
        parent: &Parent,
        name: &[u8],
        kind: NewKind<'_>,
        mode: u32,
    ) -> Result<Path> {
        let dir = &parent.dir;
        let names = dir.dentry.lock_names();
        match self.child_dentry_locked(caller, &dir.dentry, name) {
            Ok(_) => return Err(Errno::EEXIST.because("the name exists")),
            Err(error) if error.errno == Errno::ENOENT => {}
            Err(error) => return Err(error),
        }
        if parent.has_slash && kind != NewKind::Directory {
            return Err(Errno::ENOENT.because("a slash at the end, and it is no directory"));
        }
        dir.mount.check_writable()?;
        if dir.dentry.is_deleted() {
            return Err(Errno::ENOENT.because("the directory has been removed"));
        }
        let attr = dir.inode().attr()?;
        attr.check_access(&caller.creds, 3)?;
        if kind.file_type().is_device() && !caller.creds.is_privileged() {
            return Err(Errno::EPERM.because("devices are made by the superuser"));
        }
        let inode = dir.inode().create(name, &new_node(caller, &attr, kind, mode))?;
        let dentry = self.new_dentry(&dir.dentry, name, inode);
        drop(names);
        Ok(dir.with_dentry(dentry))
    }
}

/// The owner, group and mode of a file that `caller` makes in a directory.
pub(super) fn new_node<'a>(caller: &Caller, dir: &Attr, kind: NewKind<'a>, mode: u32) -> NewNode<'a> {
    let (mut gid, mut mode) = (caller.creds.fsgid, mode & 0o7777);
    if !matches!(kind, NewKind::Symlink(_)) {
        mode &= !caller.fs.umask();
    }
    if dir.mode & S_ISGID != 0 {
        gid = dir.gid;
        if kind == NewKind::Directory {
            mode |= S_ISGID;
        }
    }
    NewNode { kind, mode, uid: caller.creds.fsuid, gid }
}

fn check_kind(kind: FileType, flags: OpenFlags) -> Result<()> {
    match kind {
        FileType::Symlink => Err(Errno::ELOOP.because("a symbolic link is not followed")),
        FileType::Directory if flags.access() != AccessMode::Read || flags.contains(OpenFlags::O_TRUNC) => {
            Err(Errno::EISDIR.because("a directory cannot be written"))
        }
        FileType::Directory => Ok(()),
        _ if flags.contains(OpenFlags::O_DIRECTORY) => Err(Errno::ENOTDIR.because("O_DIRECTORY on a file")),
        _ => Ok(()),
    }
}

fn check_permission(caller: &Caller, path: &Path, kind: FileType, flags: OpenFlags) -> Result<()> {
    let mut access = access_bits(flags.access());
    if flags.contains(OpenFlags::O_TRUNC) {
        access |= 2;
    }
    if kind == FileType::Regular && access & 2 != 0 {
        path.mount.check_writable()?;
    }
    if kind.is_device() && path.mount.flags().contains(MountFlags::NO_DEV) {
        return Err(Errno::EACCES.because("the mount allows no devices"));
    }
    // The superuser may read and write anything; what is only opened then
    // needs no attributes.
    if caller.creds.fsuid == 0 {
        return Ok(());
    }
    let attr = path.inode().attr()?;
    attr.check_access(&caller.creds, access)?;
    if flags.contains(OpenFlags::O_NOATIME) && !attr.is_owner(&caller.creds) {
        return Err(Errno::EPERM.because("O_NOATIME on somebody else's file"));
    }
    Ok(())
}

fn truncate_at_open(path: &Path) -> Result<()> {
    path.inode().set_attr(&SetAttr { size: Some(0), ..SetAttr::default() })
}

/// What `O_PATH` opens: nothing can be done with it.
#[derive(Debug)]
struct PathOnly;

impl FileOps for PathOnly {
    fn poll(&self, _file: &File) -> super::PollEvents {
        super::PollEvents::POLLNVAL
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}
