//! Descriptors on their way through a socket: [`Rights`], counted by
//! [`Inflight`].
//!
//! A socket may lie in its own inbox, or two in each other's. Nobody can reach
//! them then, and no count of references finds that out; a collection does,
//! whenever another socket is closed, or too many descriptors are on their way. It holds the
//! lock of the table, without which no descriptor leaves an inbox, so what is
//! out of reach stays so.
//!
//! Files are closed one after another, not one within another: a chain of
//! sockets in inboxes of sockets would use up the stack.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use hashbrown::{HashMap, HashSet};
use linux_abi::Errno;
use linux_abi::resource::RLIMIT_NOFILE;
use machine::sync::Mutex;

use super::Net;
use super::socket::{Socket, SocketFile};
use crate::error::{Because, Result};
use crate::fs::File;
use crate::task::Task;

/// Files of one privileged user that may be on their way; of another, no more
/// than the limit on open files.
const MAX_INFLIGHT: u64 = 65536;

/// The files that are on their way in a kernel.
#[derive(Default)]
pub(super) struct Inflight {
    table: Mutex<Table>,
    is_collecting: AtomicBool,
    collect_again: AtomicBool,
    closing: Mutex<Closing>,
}

#[derive(Default)]
struct Table {
    by_user: HashMap<u32, u64>,
    /// Sockets, by the address of their file, and how often each is on its way.
    sockets: HashMap<usize, Travelling>,
}

struct Travelling {
    file: Weak<File>,
    count: usize,
}

#[derive(Default)]
struct Closing {
    files: Vec<Arc<File>>,
    is_running: bool,
}

impl fmt::Debug for Inflight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inflight({} sockets)", self.table.lock().sockets.len())
    }
}

/// Files that a message carries.
pub(super) struct Rights {
    files: Vec<Arc<File>>,
    uid: u32,
    net: Arc<Net>,
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rights({} files)", self.files.len())
    }
}

fn address(file: &Arc<File>) -> usize {
    Arc::as_ptr(file) as usize
}

/// The socket behind a file.
pub(super) fn socket_of(file: &File) -> Option<&Arc<Socket>> {
    let ops: Option<&SocketFile> = file.ops().as_any().downcast_ref();
    ops.map(SocketFile::socket)
}

impl Rights {
    /// Files that `task` sends.
    ///
    /// # Errors
    /// `ETOOMANYREFS` if its user has too many on their way.
    pub(super) fn new(net: &Arc<Net>, task: &Task, files: Vec<Arc<File>>) -> Result<Self> {
        let creds = task.creds();
        let limit = if creds.is_privileged() {
            MAX_INFLIGHT
        } else {
            task.process.limit(RLIMIT_NOFILE as usize).soft.min(MAX_INFLIGHT)
        };
        if !net.inflight.has_room(creds.uid, files.len() as u64, limit) {
            net.collect();
            if !net.inflight.has_room(creds.uid, files.len() as u64, limit) {
                return Err(Errno::ETOOMANYREFS.because("too many descriptors are on their way"));
            }
        }
        net.inflight.add(creds.uid, &files);
        Ok(Self { files, uid: creds.uid, net: net.clone() })
    }

    /// The files, for a look that does not take them.
    pub(super) fn files(&self) -> &[Arc<File>] {
        &self.files
    }

    /// The files, which have arrived.
    pub(super) fn receive(mut self) -> Vec<Arc<File>> {
        let files = core::mem::take(&mut self.files);
        self.net.inflight.remove(self.uid, &files);
        files
    }
}

impl Drop for Rights {
    fn drop(&mut self) {
        if self.files.is_empty() {
            return;
        }
        let files = core::mem::take(&mut self.files);
        self.net.inflight.remove(self.uid, &files);
        self.net.inflight.close(files);
    }
}

impl Inflight {
    fn has_room(&self, uid: u32, more: u64, limit: u64) -> bool {
        let now = self.table.lock().by_user.get(&uid).copied().unwrap_or(0);
        now.saturating_add(more) <= limit
    }

    fn add(&self, uid: u32, files: &[Arc<File>]) {
        let mut table = self.table.lock();
        let count = table.by_user.entry(uid).or_default();
        *count = count.saturating_add(files.len() as u64);
        for file in files.iter().filter(|file| socket_of(file).is_some()) {
            let entry = table.sockets.entry(address(file));
            entry.or_insert_with(|| Travelling { file: Arc::downgrade(file), count: 0 }).count += 1;
        }
    }

    fn remove(&self, uid: u32, files: &[Arc<File>]) {
        let mut table = self.table.lock();
        if let Some(count) = table.by_user.get_mut(&uid) {
            *count = count.saturating_sub(files.len() as u64);
            if *count == 0 {
                table.by_user.remove(&uid);
            }
        }
        for file in files {
            let key = address(file);
            if let Some(entry) = table.sockets.get_mut(&key) {
                entry.count = entry.count.saturating_sub(1);
                if entry.count == 0 {
                    table.sockets.remove(&key);
                }
            }
        }
    }

    /// Closes files; those whose closing closes more leave them to the outermost
    /// call.
    fn close(&self, files: Vec<Arc<File>>) {
        let mut closing = self.closing.lock();
        closing.files.extend(files);
        if closing.is_running {
            return;
        }
        closing.is_running = true;
        while let Some(file) = closing.files.pop() {
            drop(closing);
            drop(file);
            closing = self.closing.lock();
        }
        closing.is_running = false;
        drop(closing);
        if self.collect_again.load(Ordering::SeqCst) {
            self.collect();
        }
    }

    /// Empties the inboxes of sockets that nobody can reach any more.
    pub(super) fn collect(&self) {
        self.collect_again.store(true, Ordering::SeqCst);
        // Once for all files that are being closed, not once for each.
        if self.closing.lock().is_running {
            return;
        }
        // Whoever collects already, here or on another CPU, goes round again.
        while self.collect_again.load(Ordering::SeqCst) && !self.is_collecting.swap(true, Ordering::SeqCst) {
            if self.collect_again.swap(false, Ordering::SeqCst) {
                self.collect_once();
            }
            self.is_collecting.store(false, Ordering::SeqCst);
        }
    }

    fn collect_once(&self) {
        let table = self.table.lock();
        if table.sockets.is_empty() {
            return;
        }
        // Those that only messages refer to. Each Arc below counts itself once.
        let only_travel = |entry: &&Travelling| entry.file.strong_count() == entry.count;
        let candidates: HashMap<usize, (Arc<File>, usize)> = table
            .sockets
            .iter()
            .filter(|(_, entry)| only_travel(entry))
            .filter_map(|(key, entry)| Some((*key, (entry.file.upgrade()?, entry.count))))
            .collect();
        // What lies in the inboxes of candidates, one list for each.
        let contents: HashMap<usize, Vec<usize>> = candidates
            .iter()
            .map(|(key, (file, _))| {
                (*key, socket_of(file).map(|socket| socket.files_within(address)).unwrap_or_default())
            })
            .collect();
        let mut within: HashMap<usize, usize> = HashMap::new();
        for key in contents.values().flatten() {
            *within.entry(*key).or_default() += 1;
        }
        // A candidate that also lies elsewhere can be reached, and through it
        // what lies in its inbox.
        let is_elsewhere = |key: &usize, count: usize| within.get(key).copied().unwrap_or(0) < count;
        let mut reached: HashSet<usize> = HashSet::new();
        let mut next: Vec<usize> =
            candidates.iter().filter(|(key, (_, count))| is_elsewhere(key, *count)).map(|(key, _)| *key).collect();
        while let Some(key) = next.pop() {
            if reached.insert(key) {
                next.extend(contents.get(&key).into_iter().flatten().filter(|key| candidates.contains_key(*key)));
            }
        }
        let garbage = candidates.iter().filter(|(key, _)| !reached.contains(*key));
        let emptied: Vec<_> =
            garbage.filter_map(|(_, (file, _))| socket_of(file)).flat_map(|socket| socket.empty()).collect();
        drop(table);
        // Only now: closing files needs the table.
        drop(candidates);
        drop(emptied);
    }
}
