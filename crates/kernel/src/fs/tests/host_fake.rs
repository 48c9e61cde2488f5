//! Host files for tests: a tree in memory that the test can change beneath the
//! kernel, as the host's other processes do.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;
use core::result::Result;
use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use linux_abi::Errno;
use machine::sync::Mutex;
use machine::{HostAttr, HostDirEntry, HostFile, HostKind, HostNode, HostStat, HostStatFs, OpenMode};

/// A file or directory of the fake host.
pub(super) struct FakeNode {
    this: Weak<FakeNode>,
    kind: HostKind,
    ino: u64,
    mode: AtomicU64,
    changed_ns: AtomicI64,
    /// How often names were looked up in it.
    pub(super) lookups: AtomicU64,
    pub(super) bytes: Mutex<Vec<u8>>,
    pub(super) names: Mutex<BTreeMap<Vec<u8>, Arc<FakeNode>>>,
}

static LAST_INO: AtomicU64 = AtomicU64::new(0);

impl FakeNode {
    pub(super) fn new(kind: HostKind) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            this: this.clone(),
            kind,
            ino: LAST_INO.fetch_add(1, Ordering::Relaxed) + 1,
            mode: AtomicU64::new(if kind == HostKind::Dir { 0o755 } else { 0o644 }),
            // Long before anything that the guest does.
            changed_ns: AtomicI64::new(-1_000_000_000),
            lookups: AtomicU64::new(0),
            bytes: Mutex::default(),
            names: Mutex::default(),
        })
    }

    /// Adds a file beneath the kernel.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Arc<Self> {
        let file = Self::new(HostKind::File);
        *file.bytes.lock() = bytes.to_vec();
        self.names.lock().insert(name.as_bytes().to_vec(), file.clone());
        self.touch();
        file
    }

    /// The time of change moves, by a tick that is long past.
    pub(super) fn touch(&self) {
        self.changed_ns.fetch_add(1000, Ordering::Relaxed);
    }

    fn add(&self, name: &[u8], node: Arc<Self>) -> Result<Arc<dyn HostNode>, Errno> {
        let mut names = self.names.lock();
        if names.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        names.insert(name.to_vec(), node.clone());
        drop(names);
        self.touch();
        Ok(node)
    }
}

impl HostNode for FakeNode {
    fn stat(&self) -> Result<HostStat, Errno> {
        let changed = self.changed_ns.load(Ordering::Relaxed);
        Ok(HostStat {
            kind: self.kind,
            mode: self.mode.load(Ordering::Relaxed) as u32,
            uid: 0,
            gid: 0,
            nlink: 1,
            size: self.bytes.lock().len() as u64,
            blocks: 0,
            ino: self.ino,
            dev: 77,
            rdev: 0,
            atime_ns: changed,
            mtime_ns: changed,
            ctime_ns: changed,
        })
    }

    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn HostNode>, Errno> {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        let node = self.names.lock().get(name).cloned();
        Ok(node.ok_or(Errno::ENOENT)?)
    }

    fn read_dir(&self) -> Result<Vec<HostDirEntry>, Errno> {
        let names = self.names.lock();
        let entry =
            |(name, node): (&Vec<u8>, &Arc<Self>)| HostDirEntry { name: name.clone(), kind: node.kind, ino: node.ino };
        Ok(names.iter().map(entry).collect())
    }

    fn read_link(&self) -> Result<Vec<u8>, Errno> {
        if self.kind == HostKind::Symlink { Ok(self.bytes.lock().clone()) } else { Err(Errno::EINVAL) }
    }

    fn open(&self, _mode: OpenMode) -> Result<Box<dyn HostFile>, Errno> {
        Ok(Box::new(FakeFile(self.this.upgrade().ok_or(Errno::EIO)?)))
    }

    fn create(&self, name: &[u8], mode: u32) -> Result<Arc<dyn HostNode>, Errno> {
        let node = Self::new(HostKind::File);
        node.mode.store(u64::from(mode), Ordering::Relaxed);
        self.add(name, node)
    }

    fn mkdir(&self, name: &[u8], _mode: u32) -> Result<Arc<dyn HostNode>, Errno> {
        self.add(name, Self::new(HostKind::Dir))
    }

    fn symlink(&self, name: &[u8], target: &[u8]) -> Result<Arc<dyn HostNode>, Errno> {
        let node = Self::new(HostKind::Symlink);
        *node.bytes.lock() = target.to_vec();
        self.add(name, node)
    }

    fn mkfifo(&self, name: &[u8], _mode: u32) -> Result<Arc<dyn HostNode>, Errno> {
        self.add(name, Self::new(HostKind::Fifo))
    }

    fn link(&self, name: &[u8], node: &dyn HostNode) -> Result<(), Errno> {
        let node = node.as_any().downcast_ref::<Self>().and_then(|node| node.this.upgrade()).ok_or(Errno::EXDEV)?;
        self.add(name, node).map(|_| ())
    }

    fn unlink(&self, name: &[u8]) -> Result<(), Errno> {
        self.names.lock().remove(name).ok_or(Errno::ENOENT)?;
        self.touch();
        Ok(())
    }

    fn rmdir(&self, name: &[u8]) -> Result<(), Errno> {
        self.unlink(name)
    }

    fn rename(&self, name: &[u8], new_dir: &dyn HostNode, new_name: &[u8], _flags: u32) -> Result<(), Errno> {
        let new_dir = new_dir.as_any().downcast_ref::<Self>().ok_or(Errno::EXDEV)?;
        let node = self.names.lock().remove(name).ok_or(Errno::ENOENT)?;
        new_dir.names.lock().insert(new_name.to_vec(), node);
        self.touch();
        new_dir.touch();
        Ok(())
    }

    fn set_attr(&self, attr: &HostAttr) -> Result<(), Errno> {
        if let Some(size) = attr.size {
            self.bytes.lock().resize(size as usize, 0);
            self.touch();
        }
        if let Some(mode) = attr.mode {
            self.mode.store(u64::from(mode), Ordering::Relaxed);
        }
        Ok(())
    }

    fn statfs(&self) -> Result<HostStatFs, Errno> {
        Ok(HostStatFs::default())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct FakeFile(Arc<FakeNode>);

impl HostFile for FakeFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        let bytes = self.0.bytes.lock();
        let from = bytes.get(offset as usize..).unwrap_or_default();
        let count = from.len().min(buf.len());
        buf[..count].copy_from_slice(&from[..count]);
        Ok(count)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<usize, Errno> {
        let mut all = self.0.bytes.lock();
        let end = offset as usize + bytes.len();
        if all.len() < end {
            all.resize(end, 0);
        }
        all[offset as usize..end].copy_from_slice(bytes);
        drop(all);
        self.0.touch();
        Ok(bytes.len())
    }

    fn set_len(&self, size: u64) -> Result<(), Errno> {
        self.0.bytes.lock().resize(size as usize, 0);
        self.0.touch();
        Ok(())
    }

    fn sync(&self, _data_only: bool) -> Result<(), Errno> {
        Ok(())
    }
}
