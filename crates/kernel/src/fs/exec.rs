//! Opening a program for `execve`.

use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::fcntl::{AtFlags, OpenFlags};

use crate::error::{Because, Result};
use crate::fs::{Caller, File, FileType, MountFlags, Vfs, WalkFlags};
use crate::task::Task;

impl Vfs {
    /// Opens a regular file that `task` may execute.
    ///
    /// # Errors
    /// `EACCES` if it may not, is no regular file, or lies on a `noexec`
    /// mount; else as `openat`.
    pub fn open_exec(&self, task: &Arc<Task>, dirfd: i32, path: &[u8], flags: AtFlags) -> Result<Arc<File>> {
        let kernel = task.kernel().ok_or(Errno::EIO.because("the kernel is shutting down"))?;
        let caller = Caller::of(&kernel, task);
        self.open_exec_as(&caller, dirfd, path, flags)
    }

    /// As [`Vfs::open_exec`], for whoever has no task yet.
    ///
    /// # Errors
    /// As [`Vfs::open_exec`].
    pub fn open_exec_as(&self, caller: &Caller, dirfd: i32, path: &[u8], flags: AtFlags) -> Result<Arc<File>> {
        let path = self.resolve(caller, dirfd, path, WalkFlags::from_at(flags))?;
        let inode = path.inode();
        match inode.kind() {
            FileType::Regular => {}
            FileType::Symlink => return Err(Errno::ELOOP.because("a symbolic link is not followed")),
            _ => return Err(Errno::EACCES.because("not a regular file")),
        }
        if path.mount.flags().contains(MountFlags::NO_EXEC) {
            return Err(Errno::EACCES.because("the mount is noexec"));
        }
        inode.attr()?.check_access(&caller.creds, 1)?;
        // Permission to execute is enough; whether it may be read too does not
        // matter here.
        Ok(self.open_path(caller, path, OpenFlags::empty(), true)?.file)
    }
}
