//! hostfs: a directory of the host as a file system.
//!
//! The machine offers host files as [`HostNode`]s; this module makes inodes of
//! them. Files may change beneath: names are trusted while their directory's
//! times stay the same, and cached pages are dropped at `open` when size or
//! time of change differ from before. The pages of a file that is mapped lie
//! in one [`crate::mm::Object`]; `read` and `write` keep to it, so that all of
//! them agree.
//!
//! Lock order: the table of inodes, then an inode's state; neither is held
//! while an object or the host is called, apart from opening a host file.

mod file;
mod inode;

use alloc::string::String;
use alloc::sync::{Arc, Weak};
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashMap;
use linux_abi::stat::V9FS_MAGIC;
use machine::sync::Mutex;
use machine::{HostNode, HostStat, Machine};

use self::inode::HostInode;
use crate::Kernel;
use crate::error::Result;
use crate::fs::{FileSystem, Inode, StatFs};

/// What the inodes of one host directory share.
pub(super) struct Shared {
    kernel: Weak<Kernel>,
    machine: Arc<dyn Machine>,
    /// The guest's device number for each of the host's.
    devs: Mutex<HashMap<u64, u64>>,
    dev: u64,
    /// The inodes that exist, by the address of their node, which the host
    /// keeps the same for the same file.
    inodes: Mutex<HashMap<usize, Weak<HostInode>>>,
    /// Numbers for moments when a directory is too new to be trusted.
    last_stamp: AtomicU64,
}

impl Shared {
    /// The one inode for a node.
    fn inode(self: &Arc<Self>, node: Arc<dyn HostNode>) -> Result<Arc<HostInode>> {
        let key = Arc::as_ptr(&node).cast::<()>() as usize;
        if let Some(inode) = self.inodes.lock().get(&key).and_then(Weak::upgrade) {
            return Ok(inode);
        }
        let stat = node.stat()?;
        let mut inodes = self.inodes.lock();
        // Dropping an inode takes the lock; so the one that is there is cloned
        // out and none is dropped here.
        if let Some(inode) = inodes.get(&key).and_then(Weak::upgrade) {
            drop(inodes);
            return Ok(inode);
        }
        let inode = HostInode::new(self.clone(), node, &stat, key);
        inodes.insert(key, Arc::downgrade(&inode));
        Ok(inode)
    }

    fn forget(&self, key: usize) {
        let mut inodes = self.inodes.lock();
        if inodes.get(&key).is_some_and(|inode| inode.strong_count() == 0) {
            inodes.remove(&key);
        }
    }

    /// The guest's device number for the host file system that a file is on.
    fn dev_of(&self, stat: &HostStat) -> u64 {
        let mut devs = self.devs.lock();
        if let Some(dev) = devs.get(&stat.dev) {
            return *dev;
        }
        let dev = self.kernel.upgrade().map_or(self.dev, |kernel| kernel.vfs().next_dev());
        devs.insert(stat.dev, dev);
        dev
    }

    /// A number that stays the same while a directory's names do.
    fn stamp(&self, stat: &HostStat) -> u64 {
        /// Two changes within one tick of the host's clock leave the same
        /// time behind; a directory that changed this recently is not trusted.
        const TICK_NS: i64 = 20_000_000;
        let now = super::wall_ns(&*self.machine);
        let changed = stat.mtime_ns.max(stat.ctime_ns);
        if now.saturating_sub(changed) < TICK_NS {
            // Odd numbers are used once.
            return self.last_stamp.fetch_add(2, Ordering::Relaxed) | 1;
        }
        (stat.mtime_ns.cast_unsigned() ^ stat.ctime_ns.cast_unsigned().rotate_left(17)) & !1
    }
}

/// A host directory (or a single host file) as a file system.
pub struct HostFs {
    shared: Arc<Shared>,
    root: Arc<HostInode>,
}

impl fmt::Debug for HostFs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostFs({} inodes)", self.shared.inodes.lock().len())
    }
}

impl HostFs {
    /// The file system whose root is `node`.
    ///
    /// # Errors
    /// Those of the host's `fstat`.
    pub fn new(kernel: &Arc<Kernel>, node: Arc<dyn HostNode>) -> Result<Arc<Self>> {
        let dev = kernel.vfs().next_dev();
        let shared = Arc::new(Shared {
            kernel: Arc::downgrade(kernel),
            machine: kernel.machine().clone(),
            devs: Mutex::new(HashMap::from([(node.stat()?.dev, dev)])),
            dev,
            inodes: Mutex::default(),
            last_stamp: AtomicU64::new(1),
        });
        let root = shared.inode(node)?;
        Ok(Arc::new(Self { shared, root }))
    }
}

impl FileSystem for HostFs {
    fn name(&self) -> &'static str {
        "hostfs"
    }

    fn root(&self) -> Arc<dyn Inode> {
        self.root.clone()
    }

    fn dev(&self) -> u64 {
        self.shared.dev
    }

    fn stat_fs(&self) -> Result<StatFs> {
        let stat = self.root.node().statfs()?;
        Ok(StatFs {
            magic: V9FS_MAGIC,
            block_size: stat.block_size,
            blocks: stat.blocks,
            blocks_free: stat.blocks_free,
            blocks_available: stat.blocks_available,
            files: stat.files,
            files_free: stat.files_free,
            name_max: stat.name_max,
        })
    }

    fn options(&self) -> String {
        String::new()
    }

    fn sync(&self) -> Result<()> {
        let inodes = self.shared.inodes.lock().values().filter_map(Weak::upgrade).collect::<alloc::vec::Vec<_>>();
        inodes.iter().try_for_each(|inode| inode.write_back())
    }
}
