//! Record locks.

use crate::fs::File;

/// The record locks of a kernel.
#[derive(Debug, Default)]
pub(crate) struct LockTable {}

impl LockTable {
    /// Lets go of what an open file description holds.
    pub(crate) fn release_file(&self, _file: &File) {}

    /// Lets go of what a process holds on a file.
    pub(crate) fn release_process(&self, _file: &File, _owner: usize) {}
}
