//! `/proc`: processes and the system as files.
//!
//! A directory is a table of [`Item`]s, each a function that gives the text of
//! a file, the target of a link, or a further table; only the lists of
//! processes, threads and descriptors are made on the fly. Everything is asked
//! for anew at each look, so nothing here has state.

mod fds;
mod maps;
mod net;
mod node;
mod process;
mod root;
mod stat;
mod status;
mod sys;
mod system;

use alloc::sync::{Arc, Weak};

use linux_abi::Errno;
use linux_abi::stat::PROC_SUPER_MAGIC;

use crate::Kernel;
use crate::error::{Because, Result};
use crate::fs::{FileSystem, FileSystemType, Inode, StatFs};
use crate::task::{Process, Task};

pub(crate) use node::{Item, What};

/// A `proc` file system.
pub struct ProcFs {
    kernel: Weak<Kernel>,
    dev: u64,
}

impl core::fmt::Debug for ProcFs {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ProcFs")
    }
}

impl ProcFs {
    /// A view of `kernel`.
    #[must_use]
    pub fn new(kernel: &Arc<Kernel>) -> Arc<Self> {
        Arc::new(Self { kernel: Arc::downgrade(kernel), dev: kernel.vfs().next_dev() })
    }

    fn target(&self) -> Target {
        Target { kernel: self.kernel.clone(), dev: self.dev, pid: 0, tid: 0 }
    }
}

impl FileSystem for ProcFs {
    fn name(&self) -> &'static str {
        "proc"
    }

    fn root(&self) -> Arc<dyn Inode> {
        root::inode(&self.target())
    }

    fn dev(&self) -> u64 {
        self.dev
    }

    fn stat_fs(&self) -> Result<StatFs> {
        Ok(StatFs { magic: PROC_SUPER_MAGIC, block_size: 4096, name_max: 255, ..StatFs::default() })
    }
}

/// The type, for `mount -t proc`.
#[derive(Debug)]
pub struct ProcFsType;

impl FileSystemType for ProcFsType {
    fn name(&self) -> &'static str {
        "proc"
    }

    fn mount(&self, kernel: &Arc<Kernel>, _source: &[u8], _options: &[u8]) -> Result<Arc<dyn FileSystem>> {
        Ok(ProcFs::new(kernel))
    }
}

/// Whom a file is about.
#[derive(Clone)]
pub(crate) struct Target {
    kernel: Weak<Kernel>,
    dev: u64,
    /// The process, or 0 for the system as a whole.
    pid: u32,
    /// The thread, or 0 for the process as a whole.
    tid: u32,
}

impl Target {
    pub(crate) fn kernel(&self) -> Result<Arc<Kernel>> {
        self.kernel.upgrade().ok_or(Errno::EIO.because("the kernel is going down"))
    }

    pub(crate) fn process(&self) -> Result<Arc<Process>> {
        self.kernel()?.tree().process(self.pid).ok_or_else(gone)
    }

    /// The thread, or the process's first one that is left.
    pub(crate) fn task(&self) -> Result<Arc<Task>> {
        let kernel = self.kernel()?;
        if self.tid != 0 {
            return kernel.tree().task(self.tid).ok_or_else(gone);
        }
        kernel.tree().threads(self.pid).into_iter().next().ok_or_else(gone)
    }

    fn of_process(&self, pid: u32) -> Self {
        Self { pid, tid: 0, ..self.clone() }
    }

    fn of_thread(&self, tid: u32) -> Self {
        Self { tid, ..self.clone() }
    }
}

/// The process is not there any more.
pub(crate) fn gone() -> crate::error::Error {
    Errno::ESRCH.because("the process has ended")
}

/// A number that is a directory's name.
pub(crate) fn number(name: &[u8]) -> Option<u32> {
    let text = core::str::from_utf8(name).ok()?;
    let is_canonical = !text.starts_with('0') && !text.starts_with('+');
    text.parse().ok().filter(|_| is_canonical)
}

/// The downcasts that every inode here has.
macro_rules! any_inode {
    () => {
        fn as_any(&self) -> &dyn core::any::Any {
            self
        }

        fn into_any(self: Arc<Self>) -> Arc<dyn core::any::Any + Send + Sync> {
            self
        }
    };
}
pub(crate) use any_inode;
