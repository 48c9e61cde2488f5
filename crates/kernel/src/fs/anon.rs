//! Files that no directory names: eventfds, pipes and the like share one file
//! system without a tree.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;
use core::sync::atomic::{AtomicU64, Ordering};

use linux_abi::stat::ANON_INODE_FS_MAGIC;

use crate::error::Result;
use crate::fs::pipe::Pipe;
use crate::fs::{Attr, Dentry, FileOps, FileSystem, FileType, Inode, Opening, StatFs};

/// The file system of anonymous inodes.
#[derive(Debug)]
pub(crate) struct AnonFs {
    dev: u64,
    last_ino: AtomicU64,
}

impl AnonFs {
    pub(crate) fn new(dev: u64) -> Arc<Self> {
        Arc::new(Self { dev, last_ino: AtomicU64::new(1) })
    }

    /// A number for a new pipe or the like.
    pub(crate) fn next_ino(&self) -> u64 {
        self.last_ino.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A place that `/proc/self/fd` shows as `pipe:[NUMBER]`, with the
    /// attributes of a pipe.
    pub(crate) fn pipe_dentry(&self, pipe: &Arc<Pipe>, uid: u32, gid: u32, now_ns: i64) -> Arc<Dentry> {
        let ino = self.next_ino();
        let attr = Attr {
            dev: self.dev,
            ino,
            uid,
            gid,
            atime_ns: now_ns,
            mtime_ns: now_ns,
            ctime_ns: now_ns,
            ..Attr::new(FileType::Fifo, 0o600)
        };
        let inode = PipeInode { attr, pipe: pipe.clone() };
        Dentry::unnamed(Arc::new(inode), format!("pipe:[{ino}]").as_bytes())
    }

    /// A place that `/proc/self/fd` shows as `socket:[NUMBER]`.
    pub(crate) fn socket_dentry(&self, uid: u32, gid: u32, now_ns: i64) -> Arc<Dentry> {
        let ino = self.next_ino();
        let times = Attr { atime_ns: now_ns, mtime_ns: now_ns, ctime_ns: now_ns, ..Attr::new(FileType::Socket, 0o777) };
        let attr = Attr { dev: self.dev, ino, uid, gid, ..times };
        Dentry::unnamed(Arc::new(AnonInode { attr }), format!("socket:[{ino}]").as_bytes())
    }

    /// A dentry that `/proc/self/fd` shows as `anon_inode:NAME`.
    pub(crate) fn dentry(&self, name: &str) -> Arc<Dentry> {
        let inode = AnonInode { attr: Attr { dev: self.dev, ino: 1, ..Attr::new(FileType::Regular, 0o600) } };
        Dentry::unnamed(Arc::new(inode), format!("anon_inode:{name}").as_bytes())
    }
}

impl FileSystem for AnonFs {
    fn name(&self) -> &'static str {
        "anon_inodefs"
    }

    fn root(&self) -> Arc<dyn Inode> {
        Arc::new(AnonInode { attr: Attr { dev: self.dev, ino: 1, ..Attr::new(FileType::Directory, 0o500) } })
    }

    fn dev(&self) -> u64 {
        self.dev
    }

    fn stat_fs(&self) -> Result<StatFs> {
        Ok(StatFs { magic: ANON_INODE_FS_MAGIC, block_size: 4096, name_max: 255, ..StatFs::default() })
    }

    fn options(&self) -> String {
        String::new()
    }
}

/// The inode of an anonymous file.
#[derive(Debug)]
struct AnonInode {
    attr: Attr,
}

impl Inode for AnonInode {
    fn kind(&self) -> FileType {
        self.attr.kind
    }

    fn attr(&self) -> Result<Attr> {
        Ok(self.attr)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// The inode of a pipe without a name.
#[derive(Debug)]
struct PipeInode {
    attr: Attr,
    pipe: Arc<Pipe>,
}

impl Inode for PipeInode {
    fn kind(&self) -> FileType {
        FileType::Fifo
    }

    fn attr(&self) -> Result<Attr> {
        Ok(self.attr)
    }

    /// One more end of the same pipe; nobody waits for a partner here.
    fn open_again(self: Arc<Self>, opening: &Opening<'_>) -> Option<Result<Arc<dyn FileOps>>> {
        Some(Ok(self.pipe.open(opening.flags.access())))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}
