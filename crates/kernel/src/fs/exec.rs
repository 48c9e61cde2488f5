//! Opening a program for `execve`.

use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::fcntl::AtFlags;

use crate::error::{Because, Result};
use crate::fs::{File, Vfs};
use crate::task::Task;

impl Vfs {
    /// Opens a regular file that `task` may execute.
    ///
    /// # Errors
    /// `EACCES` if it may not, is no regular file, or lies on a `noexec`
    /// mount; else as `openat`.
    pub fn open_exec(&self, _task: &Arc<Task>, _dirfd: i32, _path: &[u8], _flags: AtFlags) -> Result<Arc<File>> {
        Err(Errno::ENOSYS.because("no path walk yet"))
    }
}
