//! The kernel's own file systems at their usual places, as an init mounts them.

use alloc::sync::Arc;

use crate::Kernel;
use crate::error::Error;
use crate::fs::{MountFlags, Vfs};

impl Vfs {
    /// Mounts procfs, devfs, devpts and shared memory where programs expect
    /// them. The directories have to exist; each failure is told to `failed`
    /// with its path, and the rest is mounted all the same.
    pub fn mount_standard(&self, kernel: &Arc<Kernel>, failed: &mut dyn FnMut(&str, Error)) {
        let quiet = MountFlags::NO_SUID | MountFlags::NO_DEV | MountFlags::NO_EXEC;
        for (kind, path, flags, options) in [
            ("proc", "/proc", quiet, ""),
            ("devtmpfs", "/dev", MountFlags::NO_SUID, ""),
            ("devpts", "/dev/pts", MountFlags::NO_SUID | MountFlags::NO_EXEC, ""),
            ("tmpfs", "/dev/shm", MountFlags::NO_SUID | MountFlags::NO_DEV, "mode=1777"),
        ] {
            if let Err(error) = self.mount_type(kernel, kind, path.as_bytes(), flags, options) {
                failed(path, error);
            }
        }
    }
}
