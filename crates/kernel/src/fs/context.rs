//! Where a process's paths start: [`FsContext`]; and who walks them:
//! [`Caller`].

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, Ordering};

use machine::sync::Mutex;

use linux_abi::Errno;
use linux_abi::fcntl::AT_FDCWD;

use crate::Kernel;
use crate::error::{Because, Result};
use crate::fs::Path;
use crate::task::{Creds, Task};

#[derive(Clone, Debug)]
struct Dirs {
    root: Path,
    cwd: Path,
}

/// Root directory, working directory and umask; shared by the tasks that were
/// made with `CLONE_FS`.
#[derive(Debug)]
pub struct FsContext {
    dirs: Mutex<Dirs>,
    umask: AtomicU32,
}

impl FsContext {
    /// With `root` as root and working directory, and umask 022.
    #[must_use]
    pub fn new(root: Path) -> Arc<Self> {
        let dirs = Dirs { cwd: root.clone(), root };
        Arc::new(Self { dirs: Mutex::new(dirs), umask: AtomicU32::new(0o022) })
    }

    /// A copy, for a new process.
    #[must_use]
    pub fn fork(&self) -> Arc<Self> {
        Arc::new(Self {
            dirs: Mutex::new(self.dirs.lock().clone()),
            umask: AtomicU32::new(self.umask.load(Ordering::Relaxed)),
        })
    }

    /// The root directory.
    #[must_use]
    pub fn root(&self) -> Path {
        self.dirs.lock().root.clone()
    }

    /// The working directory.
    #[must_use]
    pub fn cwd(&self) -> Path {
        self.dirs.lock().cwd.clone()
    }

    /// Sets the root directory.
    pub fn set_root(&self, root: Path) {
        let old = core::mem::replace(&mut self.dirs.lock().root, root);
        drop(old);
    }

    /// Sets the working directory.
    pub fn set_cwd(&self, cwd: Path) {
        let old = core::mem::replace(&mut self.dirs.lock().cwd, cwd);
        drop(old);
    }

    /// Permission bits that new files do not get.
    #[must_use]
    pub fn umask(&self) -> u32 {
        self.umask.load(Ordering::Relaxed)
    }

    /// Sets the umask and returns the old one.
    pub fn set_umask(&self, umask: u32) -> u32 {
        self.umask.swap(umask & 0o777, Ordering::Relaxed)
    }
}

/// Who walks a path: identities, root and working directory, open files.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The kernel.
    pub kernel: Arc<Kernel>,
    /// The task; `None` when the embedder or the kernel itself walks.
    pub task: Option<Arc<Task>>,
    /// Where paths start.
    pub fs: Arc<FsContext>,
    /// What it may do.
    pub creds: Arc<Creds>,
}

impl Caller {
    /// A task.
    #[must_use]
    pub fn of(kernel: &Arc<Kernel>, task: &Arc<Task>) -> Self {
        Self { kernel: kernel.clone(), task: Some(task.clone()), fs: task.fs(), creds: task.creds() }
    }

    /// The kernel itself, which may do anything, from the root of the tree.
    #[must_use]
    pub fn kernel(kernel: &Arc<Kernel>) -> Self {
        let fs = FsContext::new(kernel.vfs().root());
        Self { kernel: kernel.clone(), task: None, fs, creds: Arc::new(Creds::new(0, 0)) }
    }

    /// Where a relative path starts: the working directory, or the place that
    /// a descriptor names.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn base(&self, dirfd: i32) -> Result<Path> {
        if dirfd == AT_FDCWD {
            return Ok(self.fs.cwd());
        }
        let task = self.task.as_ref().ok_or(Errno::EBADF.because("the kernel has no descriptors"))?;
        Ok(task.files().get(dirfd)?.path().clone())
    }
}
