//! [`Epoll`]: a set of files and the list of those that may be ready.
//!
//! Each watched file has an [`Item`] whose waker stays on the file's wait
//! queue and puts the item on the ready list. A scan takes items from the
//! list, asks their files, and puts back those that are level-triggered. An
//! item holds its file weakly: the last close takes it out of the set.
//!
//! Lock order: the scan lock, then locks of files, then the set's. Nothing is
//! asked, woken or dropped under the set's lock.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::task::Wake;
use alloc::vec::Vec;
use core::fmt::Write;
use core::task::Waker;

use linux_abi::Errno;
use linux_abi::poll::{EpollEvent, EpollEvents, PollEvents};
use machine::sync::Mutex;

use super::ALWAYS;
use crate::error::{Because, Error, Result};
use crate::fs::{File, FileOps};
use crate::sched::{Registration, WaitQueue};

/// Names an item: the descriptor, and the address of the open file that it
/// stood for, as both together identify an item in Linux.
type Key = (i32, usize);

/// One watched file.
struct Item {
    file: Weak<File>,
    events: EpollEvents,
    data: u64,
    is_listed: bool,
    /// Its place on the file's wait queue.
    registration: Option<Registration>,
}

#[derive(Default)]
struct Items {
    by_key: BTreeMap<Key, Item>,
    /// Items that may be ready; each at most once.
    ready: VecDeque<Key>,
}

/// An epoll instance.
pub(super) struct Epoll {
    this: Weak<Self>,
    items: Mutex<Items>,
    /// Held while the ready list is looked through, so that nobody else takes
    /// an empty list for the truth meanwhile.
    scan: Mutex<()>,
    waiters: WaitQueue,
}

/// How deep epoll instances may watch each other.
const DEEPEST: usize = 5;

/// The event bits that are options, and stay when a one-shot is spent.
const OPTIONS: EpollEvents = EpollEvents::EPOLLWAKEUP
    .union(EpollEvents::EPOLLONESHOT)
    .union(EpollEvents::EPOLLET)
    .union(EpollEvents::EPOLLEXCLUSIVE);

/// What may accompany `EPOLLEXCLUSIVE`.
const WITH_EXCLUSIVE: EpollEvents = EpollEvents::EPOLLIN
    .union(EpollEvents::EPOLLOUT)
    .union(EpollEvents::EPOLLERR)
    .union(EpollEvents::EPOLLHUP)
    .union(EpollEvents::EPOLLWAKEUP)
    .union(EpollEvents::EPOLLET)
    .union(EpollEvents::EPOLLEXCLUSIVE);

/// Puts an item on the ready list of its epoll instance.
struct ItemWaker {
    epoll: Weak<Epoll>,
    key: Key,
}

impl Wake for ItemWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(epoll) = self.epoll.upgrade() {
            epoll.list(self.key);
        }
    }
}

fn key_of(fd: i32, file: &Arc<File>) -> Key {
    (fd, Arc::as_ptr(file) as usize)
}

fn wanted(events: EpollEvents) -> PollEvents {
    let events = events - OPTIONS;
    PollEvents::from_bits_truncate(u16::try_from(events.bits() & 0xffff).unwrap_or(0))
}

/// Looks at a file as an item does: nothing if the one-shot is spent.
fn look(file: &File, events: EpollEvents) -> PollEvents {
    if (events - OPTIONS).is_empty() {
        return PollEvents::empty();
    }
    file.poll() & (wanted(events) | ALWAYS)
}

impl Epoll {
    pub(super) fn new() -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            this: this.clone(),
            items: Mutex::default(),
            scan: Mutex::new(()),
            waiters: WaitQueue::new(),
        })
    }

    /// The epoll instance behind a file.
    ///
    /// # Errors
    /// `EINVAL` if it is none.
    pub(super) fn of(file: &File) -> Result<Arc<Self>> {
        let epoll = file.ops().as_any().downcast_ref::<Self>().and_then(|epoll| epoll.this.upgrade());
        epoll.ok_or(Errno::EINVAL.because("not an epoll descriptor"))
    }

    pub(super) fn waiters(&self) -> &WaitQueue {
        &self.waiters
    }

    /// Puts an item on the ready list and wakes whoever waits for one.
    fn list(&self, key: Key) {
        {
            let mut items = self.items.lock();
            let Items { by_key, ready } = &mut *items;
            match by_key.get_mut(&key) {
                Some(item) if !item.is_listed && !(item.events - OPTIONS).is_empty() => {
                    item.is_listed = true;
                    ready.push_back(key);
                }
                // Who waits may not have looked at the list yet.
                Some(_) => {}
                None => return,
            }
        }
        self.waiters.wake_all();
    }

    /// Watches a file.
    ///
    /// # Errors
    /// `EEXIST`, `EPERM` for a file that is always ready, `EINVAL`, `ELOOP`.
    pub(super) fn add(&self, fd: i32, file: &Arc<File>, event: EpollEvent) -> Result<()> {
        let events = EpollEvents::from_bits_retain(event.events);
        if !file.ops().can_epoll() {
            return Err(Errno::EPERM.because("the file cannot be watched"));
        }
        if let Ok(inner) = Self::of(file) {
            if events.contains(EpollEvents::EPOLLEXCLUSIVE) {
                return Err(Errno::EINVAL.because("EPOLLEXCLUSIVE for an epoll descriptor"));
            }
            inner.check_depth(self, 1)?;
        }
        check_exclusive(events)?;
        let key = key_of(fd, file);
        let dead = {
            let mut items = self.items.lock();
            let dead = match items.by_key.get(&key) {
                Some(item) if item.file.strong_count() > 0 => {
                    return Err(Errno::EEXIST.because("watched already"));
                }
                Some(_) => items.remove(key),
                None => None,
            };
            let item =
                Item { file: Arc::downgrade(file), events, data: event.data, is_listed: false, registration: None };
            items.by_key.insert(key, item);
            dead
        };
        drop(dead);
        let waker = Waker::from(Arc::new(ItemWaker { epoll: self.this.clone(), key }));
        let registration = file.ops().wait_queue().map(|queue| queue.register(&waker));
        // Gone meanwhile: another thread took it out again.
        let unused = match self.items.lock().by_key.get_mut(&key) {
            Some(item) => core::mem::replace(&mut item.registration, registration),
            None => registration,
        };
        drop(unused);
        if !look(file, events).is_empty() {
            self.list(key);
        }
        Ok(())
    }

    /// Changes what a file is watched for.
    ///
    /// # Errors
    /// `ENOENT`, `EINVAL`.
    pub(super) fn modify(&self, fd: i32, file: &Arc<File>, event: EpollEvent) -> Result<()> {
        let events = EpollEvents::from_bits_retain(event.events);
        let key = key_of(fd, file);
        {
            let mut items = self.items.lock();
            let item = items.by_key.get_mut(&key).ok_or_else(not_watched)?;
            if (item.events | events).contains(EpollEvents::EPOLLEXCLUSIVE) {
                return Err(Errno::EINVAL.because("EPOLLEXCLUSIVE cannot be modified"));
            }
            item.events = events;
            item.data = event.data;
        }
        if !look(file, events).is_empty() {
            self.list(key);
        }
        Ok(())
    }

    /// Watches a file no longer.
    ///
    /// # Errors
    /// `ENOENT`.
    pub(super) fn remove(&self, fd: i32, file: &Arc<File>) -> Result<()> {
        let item = self.items.lock().remove(key_of(fd, file));
        item.map(drop).ok_or_else(not_watched)
    }

    /// `ELOOP` if `target` can be reached from here, or too deep.
    fn check_depth(&self, target: &Self, depth: usize) -> Result<()> {
        if core::ptr::eq(self, target) || depth > DEEPEST {
            return Err(Errno::ELOOP.because("epoll descriptors that watch each other"));
        }
        let files: Vec<Arc<File>> = self.items.lock().by_key.values().filter_map(|item| item.file.upgrade()).collect();
        for file in files {
            if let Ok(inner) = Self::of(&file) {
                inner.check_depth(target, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Takes up to `limit` events.
    pub(super) fn take(&self, limit: usize) -> Vec<EpollEvent> {
        let mut found = Vec::new();
        self.look_through(
            |_, data, events| {
                found.push(EpollEvent { events, data });
                found.len() < limit
            },
            true,
        );
        found
    }

    /// Asks the files on the ready list, and calls `visit` with key, data and
    /// events of each that is ready until it returns false. With `consume`,
    /// events are used up: edges are gone, one-shots are spent.
    fn look_through(&self, mut visit: impl FnMut(Key, u64, u32) -> bool, consume: bool) {
        let scan = self.scan.lock();
        let candidates = self.items.lock().unlist_all();
        let mut candidates = candidates.into_iter();
        let mut again = Vec::new();
        let mut gone = Vec::new();
        for (key, file, events, data) in candidates.by_ref() {
            let Some(file) = file.upgrade() else {
                gone.push(key);
                continue;
            };
            let found = look(&file, events);
            // The last reference may be this one: no lock of ours but the
            // scan lock is held as the file goes.
            drop(file);
            if found.is_empty() {
                continue;
            }
            let more = visit(key, data, u32::from(found.bits()));
            let level = !events.intersects(EpollEvents::EPOLLET | EpollEvents::EPOLLONESHOT);
            if !consume || level {
                again.push(key);
            }
            if consume && events.contains(EpollEvents::EPOLLONESHOT) {
                self.spend(key);
            }
            if !more {
                break;
            }
        }
        let unseen: Vec<Key> = candidates.map(|(key, ..)| key).collect();
        let dropped: Vec<Option<Item>> = {
            let mut items = self.items.lock();
            // What was not looked at comes first next time, so that no file
            // is starved by others.
            for key in unseen.into_iter().rev() {
                items.relist(key, true);
            }
            for key in again {
                items.relist(key, false);
            }
            gone.into_iter().map(|key| items.remove(key)).collect()
        };
        drop(scan);
        drop(dropped);
    }

    /// A one-shot has been reported: it sleeps until it is modified.
    fn spend(&self, key: Key) {
        if let Some(item) = self.items.lock().by_key.get_mut(&key) {
            item.events &= OPTIONS;
        }
    }
}

fn not_watched() -> Error {
    Errno::ENOENT.because("the file is not watched")
}

fn check_exclusive(events: EpollEvents) -> Result<()> {
    if events.contains(EpollEvents::EPOLLEXCLUSIVE) && !WITH_EXCLUSIVE.contains(events) {
        return Err(Errno::EINVAL.because("EPOLLEXCLUSIVE with an event it does not allow"));
    }
    Ok(())
}

impl Items {
    /// Empties the ready list and tells what was on it.
    fn unlist_all(&mut self) -> Vec<(Key, Weak<File>, EpollEvents, u64)> {
        let Self { by_key, ready } = self;
        let take = |key: Key| {
            let item = by_key.get_mut(&key)?;
            item.is_listed = false;
            Some((key, item.file.clone(), item.events, item.data))
        };
        ready.drain(..).filter_map(take).collect()
    }

    /// Puts an item back on the ready list, unless it got there by itself.
    fn relist(&mut self, key: Key, at_front: bool) {
        let Some(item) = self.by_key.get_mut(&key) else { return };
        if core::mem::replace(&mut item.is_listed, true) {
            return;
        }
        if at_front {
            self.ready.push_front(key);
        } else {
            self.ready.push_back(key);
        }
    }

    fn remove(&mut self, key: Key) -> Option<Item> {
        let item = self.by_key.remove(&key)?;
        if item.is_listed {
            self.ready.retain(|listed| *listed != key);
        }
        Some(item)
    }
}

impl FileOps for Epoll {
    fn poll(&self, _file: &File) -> PollEvents {
        let mut is_ready = false;
        self.look_through(
            |_, _, _| {
                is_ready = true;
                false
            },
            false,
        );
        if is_ready { PollEvents::POLLIN | PollEvents::POLLRDNORM } else { PollEvents::empty() }
    }

    fn wait_queue(&self) -> Option<WaitQueue> {
        Some(self.waiters.clone())
    }

    fn describe(&self, _file: &File, out: &mut String) {
        for ((fd, _), item) in &self.items.lock().by_key {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "tfd: {fd:8} events: {:8x} data: {:16x}", item.events.bits(), item.data);
        }
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}
