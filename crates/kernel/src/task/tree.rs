//! Who is whose parent, process groups and sessions.
//!
//! One lock guards all of it, as these relations change together. Nothing is
//! woken or signalled under the lock except through [`Task::notice`] and the
//! wait queues, which are leaves.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use machine::sync::Mutex;

use crate::task::{ExitStatus, Process, Task};
use crate::tty::SessionTty;

/// The highest process number, as `/proc/sys/kernel/pid_max` has it.
pub const PID_MAX: u32 = 1 << 22;

/// Processor times, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// In user code.
    pub user_ns: u64,
    /// In the kernel.
    pub system_ns: u64,
}

impl Times {
    pub(crate) fn add(&mut self, other: Self) {
        self.user_ns += other.user_ns;
        self.system_ns += other.system_ns;
    }
}

/// A change of a child that its parent has not asked for yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// It stopped, by this signal.
    Stopped(u8),
    /// It went on.
    Continued,
}

/// One process, as the tree knows it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) process: Arc<Process>,
    pub(crate) threads: BTreeMap<u32, Arc<Task>>,
    pub(crate) parent: u32,
    pub(crate) children: BTreeSet<u32>,
    pub(crate) pgid: u32,
    pub(crate) sid: u32,
    /// Set once all threads have ended: the process is a zombie.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) report: Option<Report>,
    /// Of the threads that have ended.
    pub(crate) times: Times,
    /// Of the children that have been waited for.
    pub(crate) child_times: Times,
    /// `PR_SET_CHILD_SUBREAPER`.
    pub(crate) is_subreaper: bool,
    /// The real user at the end, for `siginfo`.
    pub(crate) uid: u32,
}

#[derive(Default)]
pub(crate) struct Nodes {
    pub(crate) by_pid: BTreeMap<u32, Node>,
    pub(crate) by_tid: BTreeMap<u32, Arc<Task>>,
    sessions: BTreeMap<u32, Arc<dyn SessionTty>>,
    last_pid: u32,
    pub(crate) init_status: Option<ExitStatus>,
}

/// All processes of a kernel.
#[derive(Default)]
pub struct Tree {
    pub(crate) nodes: Mutex<Nodes>,
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tree({} processes)", self.nodes.lock().by_pid.len())
    }
}

/// The numbers that place a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    /// The parent.
    pub ppid: u32,
    /// The process group.
    pub pgid: u32,
    /// The session.
    pub sid: u32,
}

/// A process as `/proc` shows it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The process.
    pub process: Arc<Process>,
    /// Its threads, by number; empty for a zombie.
    pub threads: Vec<Arc<Task>>,
    /// Where it stands.
    pub ids: Ids,
    /// How it ended, if it has.
    pub status: Option<ExitStatus>,
    /// Processor time of all its threads.
    pub times: Times,
    /// Processor time of children that have been waited for.
    pub child_times: Times,
}

impl Nodes {
    /// A number that no process, thread, group or session uses.
    pub(crate) fn allocate_pid(&mut self) -> Option<u32> {
        for _ in 0..PID_MAX {
            self.last_pid = if self.last_pid + 1 >= PID_MAX { 300 } else { self.last_pid + 1 };
            let pid = self.last_pid;
            let in_use = self.by_tid.contains_key(&pid)
                || self.by_pid.contains_key(&pid)
                || self.sessions.contains_key(&pid)
                || self.by_pid.values().any(|node| node.pgid == pid || node.sid == pid);
            if !in_use {
                return Some(pid);
            }
        }
        None
    }

    /// Makes the next number the one after `pid`.
    pub(crate) fn start_numbers_after(&mut self, pid: u32) {
        self.last_pid = pid;
    }

    pub(crate) fn times_of(&self, pid: u32) -> Times {
        self.by_pid.get(&pid).map_or_else(Times::default, |node| {
            let mut times = node.times;
            for task in node.threads.values() {
                times.add(task.times());
            }
            times
        })
    }

    /// True if no member of the group has a parent in another group of the
    /// same session.
    pub(crate) fn is_orphaned(&self, pgid: u32) -> bool {
        !self.by_pid.values().any(|node| {
            node.pgid == pgid
                && node.status.is_none()
                && self.by_pid.get(&node.parent).is_some_and(|parent| parent.pgid != pgid && parent.sid == node.sid)
        })
    }

    /// Who adopts the children of `pid`: the nearest subreaper above, or 1.
    pub(crate) fn reaper_of(&self, pid: u32) -> u32 {
        let mut at = pid;
        while let Some(node) = self.by_pid.get(&at) {
            at = node.parent;
            match self.by_pid.get(&at) {
                Some(above) if above.is_subreaper && above.status.is_none() => return at,
                _ => {}
            }
        }
        1
    }
}

impl Tree {
    /// The status of the first process, once it has ended.
    #[must_use]
    pub fn init_status(&self) -> Option<ExitStatus> {
        self.nodes.lock().init_status
    }

    /// The thread with this number.
    #[must_use]
    pub fn task(&self, tid: u32) -> Option<Arc<Task>> {
        self.nodes.lock().by_tid.get(&tid).cloned()
    }

    /// The process with this number, also if it is a zombie.
    #[must_use]
    pub fn process(&self, pid: u32) -> Option<Arc<Process>> {
        self.nodes.lock().by_pid.get(&pid).map(|node| node.process.clone())
    }

    /// Where the process stands.
    #[must_use]
    pub fn ids(&self, pid: u32) -> Option<Ids> {
        let nodes = self.nodes.lock();
        nodes.by_pid.get(&pid).map(|node| Ids { ppid: node.parent, pgid: node.pgid, sid: node.sid })
    }

    /// The numbers of all processes, ascending.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        self.nodes.lock().by_pid.keys().copied().collect()
    }

    /// How many threads there are.
    #[must_use]
    pub fn thread_count(&self) -> usize {
        self.nodes.lock().by_tid.len()
    }

    /// A process as `/proc` shows it.
    #[must_use]
    pub fn snapshot(&self, pid: u32) -> Option<Snapshot> {
        let nodes = self.nodes.lock();
        let node = nodes.by_pid.get(&pid)?;
        Some(Snapshot {
            process: node.process.clone(),
            threads: node.threads.values().cloned().collect(),
            ids: Ids { ppid: node.parent, pgid: node.pgid, sid: node.sid },
            status: node.status,
            times: nodes.times_of(pid),
            child_times: node.child_times,
        })
    }

    /// The processes of a group that have not ended.
    #[must_use]
    pub fn group(&self, pgid: u32) -> Vec<Arc<Process>> {
        let nodes = self.nodes.lock();
        let members = nodes.by_pid.values().filter(|node| node.pgid == pgid && node.status.is_none());
        members.map(|node| node.process.clone()).collect()
    }

    /// True if the group exists in the session.
    #[must_use]
    pub fn group_exists_in_session(&self, pgid: u32, sid: u32) -> bool {
        self.nodes.lock().by_pid.values().any(|node| node.pgid == pgid && node.sid == sid)
    }

    /// True if the group is orphaned (POSIX): nobody outside it, in its
    /// session, could ever continue it.
    #[must_use]
    pub fn is_orphaned(&self, pgid: u32) -> bool {
        self.nodes.lock().is_orphaned(pgid)
    }

    /// The threads of a process.
    #[must_use]
    pub fn threads(&self, pid: u32) -> Vec<Arc<Task>> {
        let nodes = self.nodes.lock();
        nodes.by_pid.get(&pid).map(|node| node.threads.values().cloned().collect()).unwrap_or_default()
    }

    /// Processor time of all threads of a process, ended ones included.
    #[must_use]
    pub fn times(&self, pid: u32) -> Times {
        self.nodes.lock().times_of(pid)
    }

    /// Processor time of the children that a process has waited for.
    #[must_use]
    pub fn child_times(&self, pid: u32) -> Times {
        self.nodes.lock().by_pid.get(&pid).map_or_else(Times::default, |node| node.child_times)
    }

    /// The controlling terminal of a session.
    #[must_use]
    pub fn controlling_tty(&self, sid: u32) -> Option<Arc<dyn SessionTty>> {
        self.nodes.lock().sessions.get(&sid).cloned()
    }

    /// Gives a session its controlling terminal, or takes it away.
    pub fn set_controlling_tty(&self, sid: u32, tty: Option<Arc<dyn SessionTty>>) {
        let old = {
            let mut nodes = self.nodes.lock();
            match tty {
                Some(tty) => nodes.sessions.insert(sid, tty),
                None => nodes.sessions.remove(&sid),
            }
        };
        drop(old);
    }

    pub(crate) fn set_subreaper(&self, pid: u32, value: bool) {
        if let Some(node) = self.nodes.lock().by_pid.get_mut(&pid) {
            node.is_subreaper = value;
        }
    }

    pub(crate) fn is_subreaper(&self, pid: u32) -> bool {
        self.nodes.lock().by_pid.get(&pid).is_some_and(|node| node.is_subreaper)
    }
}
