//! Files: mounts, path walk, open files and the file systems.

use alloc::sync::Weak;

/// The mount tree and everything below it.
#[derive(Debug)]
pub struct Vfs {
    _kernel: Weak<crate::Kernel>,
}

impl Vfs {
    pub(crate) fn new(kernel: Weak<crate::Kernel>) -> Self {
        Self { _kernel: kernel }
    }
}

/// A place in the mount tree.
#[derive(Clone, Debug)]
pub struct Path {}

/// The open files of a process.
#[derive(Debug)]
pub struct FileTable {}

/// Root directory, working directory and umask.
#[derive(Debug)]
pub struct FsContext {}
