//! The open files of a process: [`FileTable`].

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use linux_abi::Errno;
use linux_abi::resource::RLIMIT_NOFILE;
use machine::sync::Mutex;

use crate::error::{Because, Result};
use crate::fs::File;
use crate::task::Task;

#[derive(Clone)]
struct Slot {
    file: Arc<File>,
    cloexec: bool,
}

#[derive(Clone, Default)]
struct Slots {
    slots: Vec<Option<Slot>>,
    /// No slot below this is free.
    first_free: usize,
}

/// Descriptors and what they refer to; shared by the tasks that were made with
/// `CLONE_FILES`.
#[derive(Default)]
pub struct FileTable {
    slots: Mutex<Slots>,
    /// A record lock was set through it, so that closing has to look for some.
    has_locks: AtomicBool,
}

impl fmt::Debug for FileTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileTable({} slots)", self.slots.lock().slots.len())
    }
}

/// More descriptors than this no process has, whatever its limit says.
pub const NR_OPEN: u64 = 1 << 20;

fn index(fd: i32) -> Result<usize> {
    usize::try_from(fd).map_err(|_| Errno::EBADF.because("the descriptor is negative"))
}

impl Slots {
    /// The lowest free slot from `from` on, below `limit`.
    fn free_slot(&mut self, from: usize, limit: usize) -> Result<usize> {
        let start = from.max(self.first_free);
        let free = (start..self.slots.len()).find(|at| self.slots[*at].is_none());
        let at = free.unwrap_or(self.slots.len().max(start));
        if from <= self.first_free {
            self.first_free = at;
        }
        if at >= limit {
            return Err(Errno::EMFILE.because("the process has too many open files"));
        }
        Ok(at)
    }

    fn set(&mut self, at: usize, slot: Slot) -> Option<Slot> {
        if at >= self.slots.len() {
            self.slots.resize(at + 1, None);
        }
        self.slots[at].replace(slot)
    }

    fn remove(&mut self, at: usize) -> Option<Slot> {
        let slot = self.slots.get_mut(at)?.take()?;
        self.first_free = self.first_free.min(at);
        Some(slot)
    }
}

impl FileTable {
    /// A table without open files.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A copy, for a new process.
    #[must_use]
    pub fn fork(&self) -> Arc<Self> {
        Arc::new(Self { slots: Mutex::new(self.slots.lock().clone()), has_locks: AtomicBool::new(false) })
    }

    /// The file of a descriptor.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn get(&self, fd: i32) -> Result<Arc<File>> {
        let at = index(fd)?;
        let slots = self.slots.lock();
        let slot = slots.slots.get(at).and_then(Option::as_ref);
        slot.map(|slot| slot.file.clone()).ok_or(Errno::EBADF.because("no such descriptor"))
    }

    /// As [`FileTable::get`], but not for a descriptor made with `O_PATH`,
    /// which serves only as a place.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn get_io(&self, fd: i32) -> Result<Arc<File>> {
        let file = self.get(fd)?;
        if file.is_path_only() {
            return Err(Errno::EBADF.because("the descriptor only names a place"));
        }
        Ok(file)
    }

    /// Gives `file` the lowest free descriptor that the task's limit allows.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn insert(&self, task: &Task, file: Arc<File>, cloexec: bool) -> Result<i32> {
        self.insert_from(task, 0, file, cloexec)
    }

    /// As [`FileTable::insert`], with a descriptor not below `lowest`.
    ///
    /// # Errors
    /// `EMFILE`, and `EINVAL` if the limit is not above `lowest`.
    pub fn insert_from(&self, task: &Task, lowest: i32, file: Arc<File>, cloexec: bool) -> Result<i32> {
        let limit = limit_of(task);
        let lowest = usize::try_from(lowest).ok().filter(|lowest| *lowest == 0 || *lowest < limit);
        let lowest = lowest.ok_or(Errno::EINVAL.because("no descriptor may be that high"))?;
        let mut slots = self.slots.lock();
        let at = slots.free_slot(lowest, limit)?;
        slots.set(at, Slot { file, cloexec });
        if slots.first_free == at {
            slots.first_free = at + 1;
        }
        i32::try_from(at).map_err(|_| Errno::EMFILE.into())
    }

    /// Gives `file` the descriptor `fd` and returns what that was before.
    ///
    /// # Errors
    /// `EBADF` if the task's limit is not above it.
    pub fn replace(&self, task: &Task, fd: i32, file: Arc<File>, cloexec: bool) -> Result<Option<Arc<File>>> {
        let at = index(fd)?;
        if at >= limit_of(task) {
            return Err(Errno::EBADF.because("no descriptor may be that high"));
        }
        let mut slots = self.slots.lock();
        if slots.first_free == at {
            slots.first_free = at + 1;
        }
        let old = slots.set(at, Slot { file, cloexec });
        drop(slots);
        Ok(old.map(|slot| slot.file))
    }

    /// Puts files at descriptors 0, 1, 2 and so on, for the first process.
    pub fn set_initial(&self, files: impl IntoIterator<Item = Arc<File>>) {
        let mut slots = self.slots.lock();
        for (at, file) in files.into_iter().enumerate() {
            slots.set(at, Slot { file, cloexec: false });
        }
        slots.first_free = 0;
    }

    /// Closes a descriptor, with the record locks that this process holds on
    /// its file.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn close(&self, fd: i32) -> Result<Arc<File>> {
        let at = index(fd)?;
        let slot = self.slots.lock().remove(at).ok_or(Errno::EBADF.because("no such descriptor"))?;
        self.forget_locks(&slot.file);
        Ok(slot.file)
    }

    /// Closes whatever `execve` is to close.
    pub fn close_on_exec(&self) {
        self.close_matching(0, usize::MAX, |slot| slot.cloexec);
    }

    /// Closes the descriptors from `first` to `last`.
    pub fn close_range(&self, first: usize, last: usize) {
        self.close_matching(first, last, |_| true);
    }

    fn close_matching(&self, first: usize, last: usize, matches: impl Fn(&Slot) -> bool) {
        let mut closed = Vec::new();
        let mut slots = self.slots.lock();
        let end = slots.slots.len().min(last.saturating_add(1));
        for at in first..end {
            if slots.slots[at].as_ref().is_some_and(&matches) {
                closed.extend(slots.remove(at));
            }
        }
        drop(slots);
        for slot in &closed {
            self.forget_locks(&slot.file);
        }
    }

    /// Marks the descriptors from `first` to `last` as closed by `execve`.
    pub fn set_cloexec_range(&self, first: usize, last: usize) {
        let mut slots = self.slots.lock();
        let end = slots.slots.len().min(last.saturating_add(1));
        for slot in slots.slots.get_mut(first..end).unwrap_or_default().iter_mut().flatten() {
            slot.cloexec = true;
        }
    }

    /// True if `execve` closes the descriptor.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn cloexec(&self, fd: i32) -> Result<bool> {
        let at = index(fd)?;
        let slots = self.slots.lock();
        let slot = slots.slots.get(at).and_then(Option::as_ref);
        slot.map(|slot| slot.cloexec).ok_or(Errno::EBADF.because("no such descriptor"))
    }

    /// Sets whether `execve` closes the descriptor.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn set_cloexec(&self, fd: i32, cloexec: bool) -> Result<()> {
        let at = index(fd)?;
        let mut slots = self.slots.lock();
        let slot = slots.slots.get_mut(at).and_then(Option::as_mut);
        slot.ok_or(Errno::EBADF.because("no such descriptor"))?.cloexec = cloexec;
        Ok(())
    }

    /// The descriptors that are in use, ascending.
    #[must_use]
    pub fn fds(&self) -> Vec<i32> {
        let slots = self.slots.lock();
        let used = slots.slots.iter().enumerate().filter(|(_, slot)| slot.is_some());
        used.filter_map(|(at, _)| i32::try_from(at).ok()).collect()
    }

    /// How many slots the table has, used or not.
    #[must_use]
    pub fn size(&self) -> usize {
        self.slots.lock().slots.len()
    }

    /// What record locks of this table's process are held under.
    pub(super) fn lock_owner(&self) -> usize {
        core::ptr::from_ref(self) as usize
    }

    /// A record lock is about to be set for this table's process.
    pub(super) fn note_lock(&self) {
        self.has_locks.store(true, Ordering::Relaxed);
    }

    /// Gives up the process's record locks on a file, whichever descriptor they
    /// were set through.
    fn forget_locks(&self, file: &Arc<File>) {
        if self.has_locks.load(Ordering::Relaxed)
            && let Some(kernel) = file.kernel()
        {
            kernel.vfs().locks().release_process(file, self.lock_owner());
        }
    }
}

impl Drop for FileTable {
    fn drop(&mut self) {
        self.close_matching(0, usize::MAX, |_| true);
    }
}

/// How many descriptors the task's process may have.
fn limit_of(task: &Task) -> usize {
    let limit = task.process.limit(RLIMIT_NOFILE as usize).soft.min(NR_OPEN);
    usize::try_from(limit).unwrap_or(usize::MAX)
}
