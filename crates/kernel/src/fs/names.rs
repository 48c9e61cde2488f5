//! Changing names: making, linking, removing and renaming files.
//!
//! Each change holds the names of the directories it touches locked, so that
//! the dentry cache and the file system change together.

use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::fcntl::RenameFlags;
use linux_abi::stat::S_ISVTX;

use crate::error::{Because, Result};
use crate::fs::walk::{Last, Parent, WalkFlags};
use crate::fs::{Attr, Caller, Dentry, FileType, Inode, NameCaching, NewKind, Path, Vfs};

impl Vfs {
    /// Makes a file, directory, link or device called `path`.
    ///
    /// # Errors
    /// As `mkdirat`, `mknodat` and `symlinkat`.
    pub fn make(&self, caller: &Caller, dirfd: i32, path: &[u8], kind: NewKind<'_>, mode: u32) -> Result<Path> {
        let parent = self.resolve_parent(caller, dirfd, path)?;
        let Last::Name(name) = &parent.last else {
            return Err(Errno::EEXIST.because("the directory exists"));
        };
        self.create_at(caller, &parent, name, kind, mode)
    }

    /// The dentry of a file that has just been made, with the directory's
    /// names locked.
    pub(super) fn new_dentry(&self, dir: &Arc<Dentry>, name: &[u8], inode: Arc<dyn Inode>) -> Arc<Dentry> {
        match dir.inode().name_caching() {
            NameCaching::Always => dir.insert_child(name, inode, 0, &self.dentries),
            NameCaching::While(stamp) => dir.insert_child(name, inode, stamp, &self.dentries),
            NameCaching::Never => dir.uncached_child(name, inode),
        }
    }

    /// Gives the file at `target` the further name `path`.
    ///
    /// # Errors
    /// As `linkat`.
    pub fn link(&self, caller: &Caller, target: &Path, dirfd: i32, path: &[u8]) -> Result<()> {
        let parent = self.resolve_parent(caller, dirfd, path)?;
        let Last::Name(name) = &parent.last else {
            return Err(Errno::EEXIST.because("the directory exists"));
        };
        let dir = &parent.dir;
        let _names = dir.dentry.lock_names();
        match self.child_dentry_locked(caller, &dir.dentry, name) {
            Ok(_) => return Err(Errno::EEXIST.because("the name exists")),
            Err(error) if error.errno == Errno::ENOENT && !parent.has_slash => {}
            Err(error) => return Err(error),
        }
        dir.mount.check_writable()?;
        if !Arc::ptr_eq(&target.mount, &dir.mount) {
            return Err(Errno::EXDEV.because("the link would cross a mount"));
        }
        self.check_change(caller, dir)?;
        if target.inode().kind() == FileType::Directory {
            return Err(Errno::EPERM.because("a directory has one name only"));
        }
        dir.inode().link(name, target.inode())?;
        self.new_dentry(&dir.dentry, name, target.inode().clone());
        Ok(())
    }

    /// Removes the name `path` of a file that is no directory.
    ///
    /// # Errors
    /// As `unlinkat`.
    pub fn unlink(&self, caller: &Caller, dirfd: i32, path: &[u8]) -> Result<()> {
        let parent = self.resolve_parent(caller, dirfd, path)?;
        let Last::Name(name) = &parent.last else {
            return Err(Errno::EISDIR.because("it is a directory"));
        };
        let dir = &parent.dir;
        dir.mount.check_writable()?;
        let _names = dir.dentry.lock_names();
        let child = self.child_dentry_locked(caller, &dir.dentry, name)?;
        if parent.has_slash {
            let is_dir = child.inode().kind() == FileType::Directory;
            return Err(if is_dir { Errno::EISDIR } else { Errno::ENOTDIR }.because("a slash at the end"));
        }
        self.check_delete(caller, dir, &child)?;
        if child.inode().kind() == FileType::Directory {
            return Err(Errno::EISDIR.because("it is a directory"));
        }
        if child.has_mounts() {
            return Err(Errno::EBUSY.because("something is mounted on it"));
        }
        dir.inode().unlink(name)?;
        self.forget(&dir.dentry, name, &child);
        Ok(())
    }

    /// Removes the empty directory `path`.
    ///
    /// # Errors
    /// As `unlinkat` with `AT_REMOVEDIR`.
    pub fn rmdir(&self, caller: &Caller, dirfd: i32, path: &[u8]) -> Result<()> {
        let parent = self.resolve_parent(caller, dirfd, path)?;
        let name = match &parent.last {
            Last::Name(name) => name,
            Last::Dot => return Err(Errno::EINVAL.because("the last component is .")),
            Last::DotDot => return Err(Errno::ENOTEMPTY.because("the last component is ..")),
            Last::Root => return Err(Errno::EBUSY.because("it is the root")),
        };
        let dir = &parent.dir;
        dir.mount.check_writable()?;
        let _names = dir.dentry.lock_names();
        let child = self.child_dentry_locked(caller, &dir.dentry, name)?;
        self.check_delete(caller, dir, &child)?;
        if child.inode().kind() != FileType::Directory {
            return Err(Errno::ENOTDIR.because("it is no directory"));
        }
        if child.has_mounts() {
            return Err(Errno::EBUSY.because("something is mounted on it"));
        }
        // Nobody may make a name in it between the check and the removal.
        let _child_names = child.lock_names();
        dir.inode().rmdir(name)?;
        self.forget(&dir.dentry, name, &child);
        Ok(())
    }

    /// Moves `old` to `new`.
    ///
    /// # Errors
    /// As `renameat2`.
    pub fn rename(&self, caller: &Caller, old: (i32, &[u8]), new: (i32, &[u8]), flags: RenameFlags) -> Result<()> {
        let is_exchange = flags.contains(RenameFlags::RENAME_EXCHANGE);
        let is_exclusive = flags.contains(RenameFlags::RENAME_NOREPLACE);
        if flags.contains(RenameFlags::RENAME_WHITEOUT) || is_exchange && is_exclusive {
            return Err(Errno::EINVAL.because("these rename flags do not go together"));
        }
        let from = self.resolve_parent(caller, old.0, old.1)?;
        let to = self.resolve_parent(caller, new.0, new.1)?;
        if !Arc::ptr_eq(&from.dir.mount, &to.dir.mount) {
            return Err(Errno::EXDEV.because("the move would cross a mount"));
        }
        let Last::Name(old_name) = &from.last else {
            return Err(Errno::EBUSY.because("the last component is no name"));
        };
        let Last::Name(new_name) = &to.last else {
            let errno = if is_exclusive { Errno::EEXIST } else { Errno::EBUSY };
            return Err(errno.because("the last component is no name"));
        };
        from.dir.mount.check_writable()?;
        let _renames = self.lock_renames();
        let (first, second) = in_lock_order(&from.dir.dentry, &to.dir.dentry);
        let _first_names = first.lock_names();
        let _second_names = second.map(|dir| dir.lock_names());
        let moved = self.child_dentry_locked(caller, &from.dir.dentry, old_name)?;
        let replaced = match self.child_dentry_locked(caller, &to.dir.dentry, new_name) {
            Ok(_) if is_exclusive => return Err(Errno::EEXIST.because("the new name exists")),
            Ok(child) => Some(child),
            Err(error) if error.errno == Errno::ENOENT && !is_exchange => None,
            Err(error) => return Err(error),
        };
        check_rename_kinds(&from, &to, &moved, replaced.as_ref(), is_exchange)?;
        self.check_delete(caller, &from.dir, &moved)?;
        match &replaced {
            Some(replaced) => self.check_delete(caller, &to.dir, replaced)?,
            None => self.check_change(caller, &to.dir)?,
        }
        if replaced.as_ref().is_some_and(|replaced| Arc::ptr_eq(replaced.inode(), moved.inode())) {
            return Ok(());
        }
        if moved.has_mounts() || replaced.as_ref().is_some_and(|replaced| replaced.has_mounts()) {
            return Err(Errno::EBUSY.because("something is mounted on it"));
        }
        from.dir.inode().rename(old_name, to.dir.inode(), new_name, flags)?;
        from.dir.dentry.move_child(old_name, &to.dir.dentry, new_name, is_exchange);
        if let (Some(replaced), false) = (&replaced, is_exchange) {
            self.dentries.forget_one(replaced);
        }
        Ok(())
    }

    fn forget(&self, dir: &Arc<Dentry>, name: &[u8], child: &Arc<Dentry>) {
        child.set_deleted();
        dir.forget_child(name, true);
        self.dentries.forget_one(child);
    }

    /// Checks that names may be added to a directory.
    fn check_change(&self, caller: &Caller, dir: &Path) -> Result<()> {
        if dir.dentry.is_deleted() {
            return Err(Errno::ENOENT.because("the directory has been removed"));
        }
        if caller.creds.fsuid == 0 {
            return Ok(());
        }
        dir.inode().attr()?.check_access(&caller.creds, 3)
    }

    /// Checks that a name may be taken away from a directory.
    fn check_delete(&self, caller: &Caller, dir: &Path, child: &Arc<Dentry>) -> Result<()> {
        if caller.creds.fsuid == 0 {
            return Ok(());
        }
        let attr = dir.inode().attr()?;
        attr.check_access(&caller.creds, 3)?;
        if attr.mode & S_ISVTX != 0 && !attr.is_owner(&caller.creds) {
            let owned = |attr: Attr| attr.is_owner(&caller.creds);
            if !owned(child.inode().attr()?) {
                return Err(Errno::EPERM.because("the directory is sticky"));
            }
        }
        Ok(())
    }

    /// The text of the symbolic link `path`.
    ///
    /// # Errors
    /// As `readlinkat`.
    pub fn read_link(&self, caller: &Caller, dirfd: i32, path: &[u8]) -> Result<alloc::vec::Vec<u8>> {
        let path_is_empty = path.is_empty();
        let path = self.resolve(caller, dirfd, path, WalkFlags::EMPTY_PATH)?;
        if path.inode().kind() != FileType::Symlink {
            let errno = if path_is_empty { Errno::ENOENT } else { Errno::EINVAL };
            return Err(errno.because("it is no symbolic link"));
        }
        path.inode().read_link(caller)
    }
}

/// The directories of a rename in the order in which their names are locked:
/// the upper one first, as `rmdir` does. While renames are locked out, which is
/// above which does not change.
fn in_lock_order<'a>(from: &'a Arc<Dentry>, to: &'a Arc<Dentry>) -> (&'a Arc<Dentry>, Option<&'a Arc<Dentry>>) {
    if Arc::ptr_eq(from, to) {
        (from, None)
    } else if from.is_within(to) {
        (to, Some(from))
    } else {
        (from, Some(to))
    }
}

/// Checks that a rename makes sense: no directory into itself, and directories
/// only over directories.
fn check_rename_kinds(
    from: &Parent,
    to: &Parent,
    moved: &Arc<Dentry>,
    replaced: Option<&Arc<Dentry>>,
    is_exchange: bool,
) -> Result<()> {
    let is_dir = |dentry: &Arc<Dentry>| dentry.inode().kind() == FileType::Directory;
    let moves_dir = is_dir(moved);
    if !moves_dir && (from.has_slash || !is_exchange && to.has_slash) {
        return Err(Errno::ENOTDIR.because("a slash after a name that is no directory"));
    }
    if moves_dir && to.dir.dentry.is_within(moved) {
        return Err(Errno::EINVAL.because("a directory cannot be moved into itself"));
    }
    let Some(replaced) = replaced else { return Ok(()) };
    if from.dir.dentry.is_within(replaced) {
        let errno = if is_exchange { Errno::EINVAL } else { Errno::ENOTEMPTY };
        return Err(errno.because("the new name is above the old one"));
    }
    match (is_exchange, moves_dir, is_dir(replaced)) {
        (true, _, is_dir) if to.has_slash && !is_dir => Err(Errno::ENOTDIR.because("a slash after a file's name")),
        (false, true, false) => Err(Errno::ENOTDIR.because("a directory over a file")),
        (false, false, true) => Err(Errno::EISDIR.because("a file over a directory")),
        _ => Ok(()),
    }
}
