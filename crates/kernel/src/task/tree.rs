//! Who is whose parent, process groups and sessions.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::fmt;

use machine::sync::Mutex;

use crate::task::{ExitStatus, Process, Task};

/// One process, as the tree knows it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) process: Arc<Process>,
    pub(crate) threads: BTreeMap<u32, Arc<Task>>,
    pub(crate) parent: u32,
    pub(crate) children: alloc::collections::BTreeSet<u32>,
    pub(crate) pgid: u32,
    pub(crate) sid: u32,
    pub(crate) status: Option<ExitStatus>,
}

#[derive(Default)]
pub(crate) struct Nodes {
    pub(crate) by_pid: BTreeMap<u32, Node>,
    pub(crate) last_pid: u32,
    pub(crate) init_status: Option<ExitStatus>,
}

/// All processes of a kernel, under one lock.
#[derive(Default)]
pub struct Tree {
    pub(crate) nodes: Mutex<Nodes>,
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tree({} processes)", self.nodes.lock().by_pid.len())
    }
}

impl Tree {
    /// The status of the first process, once it has ended.
    #[must_use]
    pub fn init_status(&self) -> Option<ExitStatus> {
        self.nodes.lock().init_status
    }
}
