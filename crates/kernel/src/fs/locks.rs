//! Record locks: those of a process (`F_SETLK`), of an open file description
//! (`F_OFD_SETLK`), and of whole files (`flock`).
//!
//! The first two exclude each other; `flock` is separate. A process's locks on
//! a file go when it closes any descriptor of the file, the others with the
//! last descriptor of their open file.

use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use hashbrown::HashMap;
use linux_abi::Errno;
use machine::sync::Mutex;

use crate::error::{Because, Result};
use crate::fs::File;
use crate::sched::WaitQueue;

/// Who holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LockOwner {
    /// A process, by its file table.
    Process(usize),
    /// An open file description.
    File(usize),
}

impl LockOwner {
    /// The open file description itself.
    pub(crate) fn of_file(file: &File) -> Self {
        Self::File(core::ptr::from_ref(file) as usize)
    }
}

/// A lock on a range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RangeLock {
    pub(crate) owner: LockOwner,
    /// The process that set it; 0 for an open file description's.
    pub(crate) pid: u32,
    pub(crate) start: u64,
    /// The last byte.
    pub(crate) last: u64,
    pub(crate) is_exclusive: bool,
}

impl RangeLock {
    fn conflicts(&self, other: &Self) -> bool {
        self.owner != other.owner
            && (self.is_exclusive || other.is_exclusive)
            && self.start <= other.last
            && other.start <= self.last
    }
}

/// The locks on one file.
#[derive(Debug, Default)]
struct FileLocks {
    ranges: Vec<RangeLock>,
    whole: Vec<(LockOwner, bool)>,
}

type Key = (u64, u64);

#[derive(Debug, Default)]
struct Inner {
    by_file: HashMap<Key, FileLocks>,
    /// Which process waits for which, to find circles.
    waiting: Vec<(LockOwner, LockOwner)>,
}

/// The record locks of a kernel.
#[derive(Debug, Default)]
pub(crate) struct LockTable {
    inner: Mutex<Inner>,
    /// Woken whenever a lock is given up.
    queue: WaitQueue,
}

fn key(file: &File) -> Result<Key> {
    let attr = file.attr()?;
    Ok((attr.dev, attr.ino))
}

impl FileLocks {
    fn conflict(&self, lock: &RangeLock) -> Option<RangeLock> {
        self.ranges.iter().find(|other| other.conflicts(lock)).copied()
    }

    /// Takes a range away from an owner's locks.
    fn clear(&mut self, owner: LockOwner, start: u64, last: u64) {
        let mut kept = Vec::with_capacity(self.ranges.len());
        for lock in self.ranges.drain(..) {
            if lock.owner != owner || lock.last < start || last < lock.start {
                kept.push(lock);
                continue;
            }
            if lock.start < start {
                kept.push(RangeLock { last: start - 1, ..lock });
            }
            if lock.last > last {
                kept.push(RangeLock { start: last + 1, ..lock });
            }
        }
        self.ranges = kept;
    }

    /// Adds a lock and joins it with the owner's neighbours of the same kind.
    fn add(&mut self, mut lock: RangeLock) {
        self.clear(lock.owner, lock.start, lock.last);
        self.ranges.retain(|other| {
            let touches = other.owner == lock.owner
                && other.is_exclusive == lock.is_exclusive
                && (other.last.checked_add(1) == Some(lock.start) || lock.last.checked_add(1) == Some(other.start));
            if touches {
                lock.start = lock.start.min(other.start);
                lock.last = lock.last.max(other.last);
            }
            !touches
        });
        self.ranges.push(lock);
    }

    fn is_empty(&self) -> bool {
        self.ranges.is_empty() && self.whole.is_empty()
    }
}

impl Inner {
    fn tidy(&mut self, key: Key) {
        if self.by_file.get(&key).is_some_and(FileLocks::is_empty) {
            self.by_file.remove(&key);
        }
    }

    /// True if `owner`, waiting for `holder`, would wait for itself.
    fn would_deadlock(&self, owner: LockOwner, holder: LockOwner) -> bool {
        let mut at = holder;
        for _ in 0..=self.waiting.len() {
            if at == owner {
                return true;
            }
            match self.waiting.iter().find(|(waiter, _)| *waiter == at) {
                Some((_, next)) => at = *next,
                None => return false,
            }
        }
        false
    }
}

impl LockTable {
    /// Woken whenever a lock is given up.
    pub(crate) fn queue(&self) -> &WaitQueue {
        &self.queue
    }

    /// A lock that stands in the way of `lock`.
    ///
    /// # Errors
    /// Those of the file's attributes.
    pub(crate) fn test(&self, file: &File, lock: &RangeLock) -> Result<Option<RangeLock>> {
        let key = key(file)?;
        Ok(self.inner.lock().by_file.get(&key).and_then(|locks| locks.conflict(lock)))
    }

    /// Sets a lock. With `waits` the process is noted as waiting if it cannot
    /// have it, until [`LockTable::stop_waiting`].
    ///
    /// # Errors
    /// `EAGAIN` if another owner has a conflicting one; `EDEADLK` if waiting
    /// for it would never end.
    pub(crate) fn set(&self, file: &File, lock: RangeLock, waits: bool) -> Result<()> {
        let key = key(file)?;
        file.has_locks.store(true, Ordering::Relaxed);
        let mut inner = self.inner.lock();
        inner.waiting.retain(|(waiter, _)| *waiter != lock.owner);
        let locks = inner.by_file.entry(key).or_default();
        if let Some(conflict) = locks.conflict(&lock) {
            if waits && matches!(lock.owner, LockOwner::Process(_)) {
                if inner.would_deadlock(lock.owner, conflict.owner) {
                    return Err(Errno::EDEADLK.because("the holder waits for this process"));
                }
                inner.waiting.push((lock.owner, conflict.owner));
            }
            return Err(Errno::EAGAIN.because("the range is locked"));
        }
        locks.add(lock);
        drop(inner);
        // A lock that has become a shared one may let others in.
        self.queue.wake_all();
        Ok(())
    }

    /// The process no longer waits for a lock.
    pub(crate) fn stop_waiting(&self, owner: LockOwner) {
        self.inner.lock().waiting.retain(|(waiter, _)| *waiter != owner);
    }

    /// Gives up an owner's locks on a range.
    ///
    /// # Errors
    /// Those of the file's attributes.
    pub(crate) fn clear(&self, file: &File, owner: LockOwner, start: u64, last: u64) -> Result<()> {
        let key = key(file)?;
        let mut inner = self.inner.lock();
        if let Some(locks) = inner.by_file.get_mut(&key) {
            locks.clear(owner, start, last);
        }
        inner.tidy(key);
        drop(inner);
        self.queue.wake_all();
        Ok(())
    }

    /// Sets, changes or (with `None`) gives up the lock on a whole file.
    ///
    /// # Errors
    /// `EAGAIN` if another open file description has a conflicting one; a lock
    /// that was to be changed is lost then, as in Linux.
    pub(crate) fn flock(&self, file: &File, exclusive: Option<bool>) -> Result<()> {
        let key = key(file)?;
        let owner = LockOwner::of_file(file);
        file.has_locks.store(true, Ordering::Relaxed);
        let mut inner = self.inner.lock();
        let locks = inner.by_file.entry(key).or_default();
        if exclusive.is_some_and(|exclusive| locks.whole.contains(&(owner, exclusive))) {
            return Ok(());
        }
        let before = locks.whole.len();
        locks.whole.retain(|(holder, _)| *holder != owner);
        let gave_up = locks.whole.len() < before;
        let result = match exclusive {
            None => Ok(()),
            Some(exclusive) if locks.whole.iter().any(|(_, other)| exclusive || *other) => {
                Err(Errno::EAGAIN.because("the file is locked"))
            }
            Some(exclusive) => {
                locks.whole.push((owner, exclusive));
                Ok(())
            }
        };
        inner.tidy(key);
        drop(inner);
        if gave_up {
            self.queue.wake_all();
        }
        result
    }

    /// Lets go of what an open file description holds.
    pub(crate) fn release_file(&self, file: &File) {
        let owner = LockOwner::of_file(file);
        self.release(file, |locks| {
            locks.whole.retain(|(holder, _)| *holder != owner);
            locks.clear(owner, 0, u64::MAX);
        });
    }

    /// Lets go of what a process holds on a file.
    pub(crate) fn release_process(&self, file: &File, owner: usize) {
        self.release(file, |locks| locks.clear(LockOwner::Process(owner), 0, u64::MAX));
    }

    fn release(&self, file: &File, give_up: impl Fn(&mut FileLocks)) {
        let mut inner = self.inner.lock();
        match key(file) {
            Ok(key) => {
                if let Some(locks) = inner.by_file.get_mut(&key) {
                    give_up(locks);
                }
                inner.tidy(key);
            }
            // The file cannot be asked for its number any more.
            Err(_) => {
                inner.by_file.values_mut().for_each(&give_up);
                inner.by_file.retain(|_, locks| !locks.is_empty());
            }
        }
        drop(inner);
        self.queue.wake_all();
    }

    /// All locks, as `/proc/locks` lists them: kind, exclusive, process,
    /// device, inode, first and last byte.
    pub(crate) fn list(&self) -> Vec<(&'static str, bool, u32, Key, u64, u64)> {
        let inner = self.inner.lock();
        let mut list = Vec::new();
        for (key, locks) in &inner.by_file {
            for lock in &locks.ranges {
                let kind = if matches!(lock.owner, LockOwner::Process(_)) { "POSIX" } else { "OFDLCK" };
                list.push((kind, lock.is_exclusive, lock.pid, *key, lock.start, lock.last));
            }
            for (_, exclusive) in &locks.whole {
                list.push(("FLOCK", *exclusive, 0, *key, 0, u64::MAX));
            }
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(owner: usize, start: u64, last: u64, is_exclusive: bool) -> RangeLock {
        RangeLock { owner: LockOwner::Process(owner), pid: 1, start, last, is_exclusive }
    }

    #[test]
    fn unlocking_the_middle_splits_a_lock() {
        let mut locks = FileLocks::default();
        locks.add(lock(1, 0, 99, true));
        locks.clear(LockOwner::Process(1), 10, 19);
        assert!(locks.conflict(&lock(2, 5, 5, false)).is_some());
        assert!(locks.conflict(&lock(2, 10, 19, true)).is_none());
        assert!(locks.conflict(&lock(2, 20, u64::MAX, false)).is_some());
    }

    #[test]
    fn neighbours_of_one_owner_are_joined() {
        let mut locks = FileLocks::default();
        locks.add(lock(1, 0, 9, false));
        locks.add(lock(1, 20, 29, false));
        locks.add(lock(1, 10, 19, false));
        assert_eq!(locks.ranges, [lock(1, 0, 29, false)]);
    }

    #[test]
    fn shared_locks_of_two_owners_agree_and_an_exclusive_one_does_not() {
        let mut locks = FileLocks::default();
        locks.add(lock(1, 0, u64::MAX, false));
        assert!(locks.conflict(&lock(2, 0, 0, false)).is_none());
        assert!(locks.conflict(&lock(2, 0, 0, true)).is_some());
        assert!(locks.conflict(&lock(1, 0, 0, true)).is_none(), "nobody is in his own way");
    }

    #[test]
    fn a_circle_of_waiting_processes_is_found() {
        let inner = Inner {
            waiting: alloc::vec![
                (LockOwner::Process(2), LockOwner::Process(3)),
                (LockOwner::Process(3), LockOwner::Process(1))
            ],
            ..Inner::default()
        };
        assert!(inner.would_deadlock(LockOwner::Process(1), LockOwner::Process(2)));
        assert!(!inner.would_deadlock(LockOwner::Process(4), LockOwner::Process(2)));
    }
}
