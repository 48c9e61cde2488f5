//! The cache of names: [`Dentry`], one name in one directory, and [`Path`], a
//! dentry seen through a mount.
//!
//! A dentry holds its parent; a parent knows its children only weakly. What
//! keeps a dentry that nobody uses is the [`DentryCache`], a ring of bounded
//! length with a second chance for what was used again. So no reference cycle
//! exists, and an unmounted file system goes as soon as the ring lets go.
//!
//! Lock order: a directory's names, those of a directory below it (of two
//! unrelated ones only under the lock for renames), then a dentry's children,
//! its place, and the ring.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use hashbrown::HashMap;
use machine::sync::{Mutex, MutexGuard};

use crate::fs::{Inode, Mount};

/// A name and what it stands for.
pub(super) type NamedInode = (Arc<[u8]>, Arc<dyn Inode>);

/// Where a dentry stands.
#[derive(Clone)]
struct Place {
    /// `None` for the root of a file system and for what has no name at all.
    parent: Option<Arc<Dentry>>,
    name: Arc<[u8]>,
}

/// One name in one directory, and the inode it stands for.
pub struct Dentry {
    inode: Arc<dyn Inode>,
    place: Mutex<Place>,
    children: Mutex<HashMap<Box<[u8]>, Weak<Dentry>>>,
    /// How many mounts lie on it, so that the walk asks the mount table only
    /// where there is something to find.
    pub(super) mounts: AtomicUsize,
    /// The name is gone; the inode lives on while it is open.
    is_deleted: AtomicBool,
    /// The parent's [`super::NameCaching::While`] number when it was looked up.
    stamp: AtomicU64,
    was_used: AtomicBool,
    /// The file system does not know the name: it is there for a mount.
    is_synthetic: AtomicBool,
    /// Held while names in this directory are looked up in the file system or
    /// changed, so that the cache and the file system agree.
    names: Mutex<()>,
}

impl fmt::Debug for Dentry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dentry({})", self.name().escape_ascii())
    }
}

impl Dentry {
    fn with_place(inode: Arc<dyn Inode>, place: Place) -> Arc<Self> {
        Arc::new(Self {
            inode,
            place: Mutex::new(place),
            children: Mutex::new(HashMap::new()),
            mounts: AtomicUsize::new(0),
            is_deleted: AtomicBool::new(false),
            stamp: AtomicU64::new(0),
            was_used: AtomicBool::new(false),
            is_synthetic: AtomicBool::new(false),
            names: Mutex::new(()),
        })
    }

    /// The root of a file system.
    #[must_use]
    pub fn root(inode: Arc<dyn Inode>) -> Arc<Self> {
        Self::with_place(inode, Place { parent: None, name: Arc::from(&b"/"[..]) })
    }

    /// A file without a place in any directory; `name` is what `/proc` shows,
    /// such as `pipe:[12]`.
    #[must_use]
    pub fn unnamed(inode: Arc<dyn Inode>, name: &[u8]) -> Arc<Self> {
        Self::with_place(inode, Place { parent: None, name: Arc::from(name) })
    }

    /// The inode.
    #[must_use]
    pub fn inode(&self) -> &Arc<dyn Inode> {
        &self.inode
    }

    /// The directory it is in; `None` for a root.
    #[must_use]
    pub fn parent(&self) -> Option<Arc<Self>> {
        self.place.lock().parent.clone()
    }

    /// The last component of its path.
    #[must_use]
    pub fn name(&self) -> Arc<[u8]> {
        self.place.lock().name.clone()
    }

    /// Parent and name together, as they were at one moment.
    pub(super) fn parent_and_name(&self) -> (Option<Arc<Self>>, Arc<[u8]>) {
        let place = self.place.lock();
        (place.parent.clone(), place.name.clone())
    }

    /// True once the name has been removed.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.is_deleted.load(Ordering::Acquire)
    }

    /// The name is gone.
    pub(super) fn set_deleted(&self) {
        self.is_deleted.store(true, Ordering::Release);
    }

    /// The name is not the file system's, and stays.
    pub(super) fn set_synthetic(&self) {
        self.is_synthetic.store(true, Ordering::Release);
    }

    /// The children that only mounts have given names, and their inodes.
    pub(super) fn synthetic_children(&self) -> Vec<NamedInode> {
        let children: Vec<Arc<Self>> = self.children.lock().values().filter_map(Weak::upgrade).collect();
        let made_up = children.iter().filter(|child| child.is_synthetic.load(Ordering::Acquire));
        made_up.map(|child| (child.name(), child.inode.clone())).collect()
    }

    /// True if the name stays whatever the file system says: it is a mount
    /// point.
    pub(super) fn is_fixed(&self) -> bool {
        self.has_mounts() || self.is_synthetic.load(Ordering::Acquire)
    }

    /// True if something is mounted on it, through whichever mount.
    pub(super) fn has_mounts(&self) -> bool {
        self.mounts.load(Ordering::SeqCst) != 0
    }

    /// Locks the names in this directory against change.
    pub(super) fn lock_names(&self) -> MutexGuard<'_, ()> {
        self.names.lock()
    }

    pub(super) fn stamp(&self) -> u64 {
        self.stamp.load(Ordering::Relaxed)
    }

    pub(super) fn set_stamp(&self, stamp: u64) {
        self.stamp.store(stamp, Ordering::Relaxed);
    }

    /// The cached child of that name.
    pub(super) fn cached_child(&self, name: &[u8]) -> Option<Arc<Self>> {
        let child = self.children.lock().get(name)?.upgrade()?;
        child.was_used.store(true, Ordering::Relaxed);
        Some(child)
    }

    /// The child of that name, which stands for `inode`: the cached one if it
    /// does, else a new one, cached from now on.
    pub(super) fn insert_child(
        self: &Arc<Self>,
        name: &[u8],
        inode: Arc<dyn Inode>,
        stamp: u64,
        cache: &DentryCache,
    ) -> Arc<Self> {
        // The old dentry is let go only after the lock on the children: its
        // end takes that lock.
        let mut children = self.children.lock();
        let old = children.get(name).and_then(Weak::upgrade);
        if let Some(old) = old {
            if Arc::ptr_eq(&old.inode, &inode) && !old.is_deleted() {
                old.set_stamp(stamp);
                drop(children);
                return old;
            }
            old.set_deleted();
            drop(children);
            drop(old);
            children = self.children.lock();
        }
        let child = self.uncached_child(name, inode);
        child.set_stamp(stamp);
        children.insert(Box::from(name), Arc::downgrade(&child));
        drop(children);
        cache.remember(child.clone());
        child
    }

    /// Makes a walk find this very child by its name.
    pub(super) fn pin_child(&self, name: &[u8], child: &Arc<Self>) {
        let old = self.children.lock().insert(Box::from(name), Arc::downgrade(child));
        drop(old);
    }

    /// A child that nobody will find again by its name.
    pub(super) fn uncached_child(self: &Arc<Self>, name: &[u8], inode: Arc<dyn Inode>) -> Arc<Self> {
        Self::with_place(inode, Place { parent: Some(self.clone()), name: Arc::from(name) })
    }

    /// Forgets the child of that name; `deleted` if the name itself is gone.
    pub(super) fn forget_child(&self, name: &[u8], deleted: bool) {
        let child = self.children.lock().remove(name).and_then(|child| child.upgrade());
        if let (Some(child), true) = (child, deleted) {
            child.is_deleted.store(true, Ordering::Release);
        }
    }

    /// The child called `name` is now called `new_name` in `new_dir`; what
    /// `new_name` was is gone, or takes the old name in an exchange.
    pub(super) fn move_child(self: &Arc<Self>, name: &[u8], new_dir: &Arc<Self>, new_name: &[u8], is_exchange: bool) {
        let moved = self.children.lock().remove(name).and_then(|child| child.upgrade());
        let replaced = new_dir.children.lock().remove(new_name).and_then(|child| child.upgrade());
        if let Some(replaced) = replaced {
            if is_exchange {
                replaced.put_at(self, name);
            } else {
                replaced.is_deleted.store(true, Ordering::Release);
            }
        }
        if let Some(moved) = moved {
            moved.put_at(new_dir, new_name);
        }
    }

    fn put_at(self: &Arc<Self>, dir: &Arc<Self>, name: &[u8]) {
        let place = Place { parent: Some(dir.clone()), name: Arc::from(name) };
        let old = core::mem::replace(&mut *self.place.lock(), place);
        dir.children.lock().insert(Box::from(name), Arc::downgrade(self));
        drop(old);
    }

    /// True if `self` is `other` or lies below it.
    pub(super) fn is_within(self: &Arc<Self>, other: &Arc<Self>) -> bool {
        let mut at = self.clone();
        loop {
            if Arc::ptr_eq(&at, other) {
                return true;
            }
            match at.parent() {
                Some(parent) => at = parent,
                None => return false,
            }
        }
    }

    /// Takes the dentry out of its parent's children and gives the parent.
    fn detach(&mut self) -> Option<Arc<Self>> {
        let place = self.place.get_mut();
        let parent = place.parent.take()?;
        let mut children = parent.children.lock();
        if children.get(&*place.name).is_some_and(|child| child.strong_count() == 0) {
            children.remove(&*place.name);
        }
        drop(children);
        Some(parent)
    }
}

impl Drop for Dentry {
    fn drop(&mut self) {
        // A chain of parents that only this dentry kept is let go in a loop:
        // a guest can make it too long for recursion.
        let mut next = self.detach();
        while let Some(mut parent) = next.and_then(Arc::into_inner) {
            next = parent.detach();
        }
    }
}

/// The dentries that were used last, which it keeps alive.
#[derive(Default)]
pub(crate) struct DentryCache {
    ring: Mutex<VecDeque<Arc<Dentry>>>,
}

impl fmt::Debug for DentryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DentryCache({})", self.ring.lock().len())
    }
}

impl DentryCache {
    /// How many dentries are kept.
    const CAPACITY: usize = 4096;

    fn remember(&self, dentry: Arc<Dentry>) {
        let mut dropped = Vec::new();
        let mut ring = self.ring.lock();
        while ring.len() >= Self::CAPACITY {
            let Some(oldest) = ring.pop_front() else { break };
            if oldest.was_used.swap(false, Ordering::Relaxed) && !oldest.is_deleted() {
                ring.push_back(oldest);
            } else {
                dropped.push(oldest);
            }
        }
        ring.push_back(dentry);
        drop(ring);
        drop(dropped);
    }

    /// Lets go of all that lies below `root`, or of everything.
    pub(crate) fn forget(&self, root: Option<&Arc<Dentry>>) {
        let mut ring = self.ring.lock();
        let (kept, dropped): (VecDeque<_>, VecDeque<_>) = core::mem::take(&mut *ring)
            .into_iter()
            .partition(|dentry| !dentry.is_deleted() && root.is_some_and(|root| !dentry.is_within(root)));
        *ring = kept;
        drop(ring);
        drop(dropped);
    }

    /// Lets go of one dentry.
    pub(crate) fn forget_one(&self, dentry: &Arc<Dentry>) {
        let mut ring = self.ring.lock();
        let found = ring.iter().position(|other| Arc::ptr_eq(other, dentry)).and_then(|at| ring.swap_remove_back(at));
        drop(ring);
        drop(found);
    }
}

/// A place in the mount tree: a dentry seen through a mount.
#[derive(Clone, Debug)]
pub struct Path {
    /// The mount.
    pub mount: Arc<Mount>,
    /// The file within the mounted file system.
    pub dentry: Arc<Dentry>,
}

impl Path {
    /// The inode at this place.
    #[must_use]
    pub fn inode(&self) -> &Arc<dyn Inode> {
        self.dentry.inode()
    }

    /// True if both are the same place.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.mount, &other.mount) && Arc::ptr_eq(&self.dentry, &other.dentry)
    }

    /// The same mount, another dentry.
    #[must_use]
    pub(super) fn with_dentry(&self, dentry: Arc<Dentry>) -> Self {
        Self { mount: self.mount.clone(), dentry }
    }
}
