//! Mounts: [`Mount`], one file system (or part of one) at one place, and the
//! [`MountTable`] of a kernel.
//!
//! The table's lock is a leaf. A mount is found by the mount and the dentry
//! that it lies on.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use hashbrown::HashMap;
use linux_abi::Errno;
use machine::sync::{Mutex, RwLock};

use crate::error::{Because, Result};
use crate::fs::{Dentry, FileSystem, Path};

bitflags::bitflags! {
    /// What a mount allows; the values of `MS_`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct MountFlags: u32 {
        /// Nothing may be changed through it.
        const READ_ONLY = 1;
        /// Set-user-ID and set-group-ID bits have no effect.
        const NO_SUID = 2;
        /// Device files cannot be opened.
        const NO_DEV = 4;
        /// Nothing can be executed.
        const NO_EXEC = 8;
        /// Access times are left alone.
        const NO_ATIME = 1024;
        /// Access times of directories are left alone.
        const NO_DIRATIME = 2048;
        /// Access times are kept roughly.
        const RELATIME = 1 << 21;
    }
}

/// A file system, or a directory of one, at one place in the tree.
pub struct Mount {
    /// Its number, as in `/proc/self/mountinfo`.
    pub id: u32,
    fs: Arc<dyn FileSystem>,
    root: Arc<Dentry>,
    /// Where it lies; `None` for the root of the tree and for what is detached.
    at: Mutex<Option<Path>>,
    flags: AtomicU32,
    source: Vec<u8>,
}

impl fmt::Debug for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mount({} {})", self.id, self.fs.name())
    }
}

impl Mount {
    /// The file system.
    #[must_use]
    pub fn fs(&self) -> &Arc<dyn FileSystem> {
        &self.fs
    }

    /// The dentry that is seen at the mount's place.
    #[must_use]
    pub fn root(&self) -> &Arc<Dentry> {
        &self.root
    }

    /// Where it lies; `None` for the root of the tree.
    #[must_use]
    pub fn mountpoint(&self) -> Option<Path> {
        self.at.lock().clone()
    }

    /// What it allows.
    #[must_use]
    pub fn flags(&self) -> MountFlags {
        MountFlags::from_bits_retain(self.flags.load(Ordering::Relaxed))
    }

    /// Changes what it allows.
    pub fn set_flags(&self, flags: MountFlags) {
        self.flags.store(flags.bits(), Ordering::Relaxed);
    }

    /// What `mount` was told to mount.
    #[must_use]
    pub fn source(&self) -> &[u8] {
        &self.source
    }

    /// Checks that files may be changed through this mount.
    ///
    /// # Errors
    /// `EROFS`.
    pub fn check_writable(&self) -> Result<()> {
        if self.flags().contains(MountFlags::READ_ONLY) {
            return Err(Errno::EROFS.because("the mount is read-only"));
        }
        Ok(())
    }

    /// The path of its root.
    #[must_use]
    pub fn root_path(self: &Arc<Self>) -> Path {
        Path { mount: self.clone(), dentry: self.root.clone() }
    }
}

type Key = (u32, usize);

fn key(path: &Path) -> Key {
    (path.mount.id, Arc::as_ptr(&path.dentry) as usize)
}

#[derive(Default)]
struct Mounts {
    /// What lies on each place; the last one is seen.
    by_place: HashMap<Key, Vec<Arc<Mount>>>,
    /// All of them, in the order in which they were mounted.
    all: Vec<Arc<Mount>>,
}

/// The mounts of a kernel.
#[derive(Default)]
pub struct MountTable {
    mounts: RwLock<Mounts>,
    last_id: AtomicU32,
    /// Counts changes, for those who wait for them on `/proc/mounts`.
    generation: AtomicU64,
}

impl fmt::Debug for MountTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MountTable({})", self.mounts.read().all.len())
    }
}

impl MountTable {
    /// A mount of `fs` that lies nowhere yet.
    pub(super) fn detached(
        &self,
        fs: Arc<dyn FileSystem>,
        root: Arc<Dentry>,
        flags: MountFlags,
        source: &[u8],
    ) -> Arc<Mount> {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        Arc::new(Mount {
            id,
            fs,
            root,
            at: Mutex::new(None),
            flags: AtomicU32::new(flags.bits()),
            source: source.to_vec(),
        })
    }

    /// Makes `mount` the root of the tree: it is listed and lies on nothing.
    pub(super) fn add_root(&self, mount: &Arc<Mount>) {
        self.mounts.write().all.push(mount.clone());
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// Puts a detached mount at a place.
    pub(super) fn attach(&self, mount: &Arc<Mount>, at: Path) {
        at.dentry.mounts.fetch_add(1, Ordering::SeqCst);
        let mut mounts = self.mounts.write();
        mounts.by_place.entry(key(&at)).or_default().push(mount.clone());
        mounts.all.push(mount.clone());
        *mount.at.lock() = Some(at);
        drop(mounts);
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes a mount off its place, unless something lies on it.
    ///
    /// # Errors
    /// `EBUSY` if another mount lies on it, unless `even_if_busy`, or if it is
    /// in use, and `EINVAL` if it is the root of the tree.
    pub(super) fn detach(&self, mount: &Arc<Mount>, even_if_busy: bool) -> Result<()> {
        let mut mounts = self.mounts.write();
        let has_children =
            mounts.all.iter().any(|other| other.at.lock().as_ref().is_some_and(|at| Arc::ptr_eq(&at.mount, mount)));
        // The table holds two references, the caller's path one more.
        let is_used = Arc::strong_count(mount) > 3;
        if !even_if_busy && (has_children || is_used) {
            return Err(Errno::EBUSY.because("the file system is in use"));
        }
        let mut gone = Vec::new();
        let mut next = alloc::vec![mount.clone()];
        while let Some(mount) = next.pop() {
            let above = mounts
                .all
                .iter()
                .filter(|other| other.at.lock().as_ref().is_some_and(|at| Arc::ptr_eq(&at.mount, &mount)));
            next.extend(above.cloned());
            mounts.all.retain(|other| !Arc::ptr_eq(other, &mount));
            let at = mount.at.lock().take();
            if let Some(at) = at {
                at.dentry.mounts.fetch_sub(1, Ordering::SeqCst);
                if let Some(stack) = mounts.by_place.get_mut(&key(&at)) {
                    stack.retain(|other| !Arc::ptr_eq(other, &mount));
                    if stack.is_empty() {
                        mounts.by_place.remove(&key(&at));
                    }
                }
                gone.push((mount, at));
            }
        }
        drop(mounts);
        drop(gone);
        self.generation.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Moves a mount to another place.
    pub(super) fn relocate(&self, mount: &Arc<Mount>, to: Path) {
        to.dentry.mounts.fetch_add(1, Ordering::SeqCst);
        let mut mounts = self.mounts.write();
        let old = mount.at.lock().replace(to.clone());
        if let Some(at) = &old {
            at.dentry.mounts.fetch_sub(1, Ordering::SeqCst);
            if let Some(stack) = mounts.by_place.get_mut(&key(at)) {
                stack.retain(|other| !Arc::ptr_eq(other, mount));
            }
        }
        mounts.by_place.entry(key(&to)).or_default().push(mount.clone());
        drop(mounts);
        drop(old);
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// What is seen at `path`: the root of the topmost mount there, of the
    /// topmost mount on that, and so on; `path` itself if nothing is mounted.
    #[must_use]
    pub fn topmost(&self, mut path: Path) -> Path {
        while path.dentry.mounts.load(Ordering::SeqCst) != 0 {
            let top = self.mounts.read().by_place.get(&key(&path)).and_then(|stack| stack.last().cloned());
            match top {
                Some(mount) => path = mount.root_path(),
                None => break,
            }
        }
        path
    }

    /// All mounts, in the order in which they were made.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<Mount>> {
        self.mounts.read().all.clone()
    }

    /// Changes whenever something is mounted or unmounted.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }
}
