//! Filling a tmpfs from an archive, for the embedder.
//!
//! Contents are not copied: a file reads its pages from the archive when they
//! are first needed, and gives them back when memory runs short.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};

use linux_abi::Errno;
use machine::PAGE_SIZE;
use machine::sync::Mutex;

use super::file::Contents;
use super::node::{Data, Node};
use super::{TmpFs, Usage};
use crate::error::{Because, Result};
use crate::fs::{FileType, Inode, NewKind, NewNode};
use crate::mm::{Backing, Object, PAGE_BYTES};

/// Bytes of an archive that are a file's contents.
#[derive(Clone)]
pub struct FileData {
    /// The whole archive.
    pub archive: Arc<Vec<u8>>,
    /// Which of its bytes.
    pub range: Range<usize>,
}

impl fmt::Debug for FileData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileData({:?})", self.range)
    }
}

impl FileData {
    /// A file's contents by themselves.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        let range = 0..bytes.len();
        Self { archive: Arc::new(bytes), range }
    }

    fn bytes(&self) -> &[u8] {
        self.archive.get(self.range.clone()).unwrap_or_default()
    }
}

/// The contents of a file as the archive has them, with what has been written
/// over them and then written back.
pub(super) struct Extent {
    data: FileData,
    /// The archive's bytes from here on have been cut off.
    limit: AtomicU64,
    written: Mutex<BTreeMap<u64, Box<[u8]>>>,
}

impl Extent {
    /// The file is `size` bytes long from now on.
    pub(super) fn cut(&self, size: u64) {
        self.limit.fetch_min(size, Ordering::Relaxed);
        let mut written = self.written.lock();
        drop(written.split_off(&size.div_ceil(PAGE_SIZE)));
        let (last, within) = (size / PAGE_SIZE, (size % PAGE_SIZE) as usize);
        if let Some(tail) = written.get_mut(&last).and_then(|page| page.get_mut(within..)) {
            tail.fill(0);
        }
    }

    fn original(&self) -> &[u8] {
        let limit = usize::try_from(self.limit.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        let bytes = self.data.bytes();
        bytes.get(..limit.min(bytes.len())).unwrap_or_default()
    }
}

/// [`Extent`] as an object's backing.
struct ExtentBacking(Arc<Extent>);

impl Backing for ExtentBacking {
    fn read_page(&self, index: u64, page: &mut [u8; PAGE_BYTES]) -> Result<()> {
        page.fill(0);
        if let Some(written) = self.0.written.lock().get(&index) {
            for (to, from) in page.iter_mut().zip(written.iter()) {
                *to = *from;
            }
            return Ok(());
        }
        let start = usize::try_from(index.saturating_mul(PAGE_SIZE)).unwrap_or(usize::MAX);
        let original = self.0.original();
        let bytes = original.get(start.min(original.len())..).unwrap_or_default();
        let count = bytes.len().min(PAGE_BYTES);
        page[..count].copy_from_slice(&bytes[..count]);
        Ok(())
    }

    fn write_page(&self, index: u64, bytes: &[u8]) -> Result<()> {
        self.0.written.lock().insert(index, Box::from(bytes));
        Ok(())
    }
}

/// Owner and permission bits of a file to be built, and its time of change.
#[derive(Clone, Copy, Debug)]
struct Meta {
    mode: u32,
    uid: u32,
    gid: u32,
    mtime_ns: i64,
}

/// Fills a [`TmpFs`] with files by their paths. Directories on the way that
/// have not been named are made with mode 755.
pub struct Builder {
    fs: Arc<TmpFs>,
    meta: Meta,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Builder({:?})", self.fs)
    }
}

impl Builder {
    /// Fills `fs`.
    #[must_use]
    pub fn new(fs: Arc<TmpFs>) -> Self {
        Self { fs, meta: Meta { mode: 0o755, uid: 0, gid: 0, mtime_ns: 0 } }
    }

    /// The file system.
    #[must_use]
    pub fn file_system(&self) -> &Arc<TmpFs> {
        &self.fs
    }

    /// Sets the attributes of the files that are added from now on.
    pub fn attributes(&mut self, mode: u32, uid: u32, gid: u32, mtime_ns: i64) -> &mut Self {
        self.meta = Meta { mode, uid, gid, mtime_ns };
        self
    }

    /// Adds a regular file.
    ///
    /// # Errors
    /// `ENOTDIR` and `ENOSPC`; `EISDIR` if the path is a directory already.
    pub fn file(&mut self, path: &[u8], data: FileData) -> Result<()> {
        let kernel = self.usage().kernel()?;
        let size = data.bytes().len() as u64;
        let extent = Arc::new(Extent { data, limit: AtomicU64::new(size), written: Mutex::default() });
        let object = Object::file(&kernel, Box::new(ExtentBacking(extent.clone())), size);
        self.put(path, NewKind::Regular, Data::Regular(Contents::from_archive(object, extent)))
    }

    /// Adds a directory, or gives one that exists these attributes.
    ///
    /// # Errors
    /// `ENOTDIR` and `ENOSPC`.
    pub fn directory(&mut self, path: &[u8]) -> Result<()> {
        let node = self.walk(path)?;
        let meta = self.meta;
        let change = crate::fs::SetAttr {
            mode: Some(meta.mode),
            uid: Some(meta.uid),
            gid: Some(meta.gid),
            ..crate::fs::SetAttr::default()
        };
        node.set_attr(&change)?;
        node.set_times(meta.mtime_ns);
        Ok(())
    }

    /// Adds a symbolic link.
    ///
    /// # Errors
    /// As [`Builder::file`].
    pub fn symlink(&mut self, path: &[u8], target: &[u8]) -> Result<()> {
        self.meta.mode = 0o777;
        self.put(path, NewKind::Symlink(target), Data::Symlink(Box::from(target)))
    }

    /// Gives the file at `target` the further name `path`.
    ///
    /// # Errors
    /// `ENOENT` if there is no `target`; else as [`Builder::file`].
    pub fn hard_link(&mut self, path: &[u8], target: &[u8]) -> Result<()> {
        let (dir, name) = self.parent(target)?;
        let node = dir.entries()?.lock().get(name).cloned().ok_or(Errno::ENOENT.because("no such file to link to"))?;
        let (dir, name) = self.parent(path)?;
        dir.entries()?.lock().replace(name, node.clone());
        node.add_links(1);
        Ok(())
    }

    /// Adds a device, FIFO or socket.
    ///
    /// # Errors
    /// As [`Builder::file`].
    pub fn special(&mut self, path: &[u8], kind: FileType, rdev: u64) -> Result<()> {
        let kind = match kind {
            FileType::CharDevice => NewKind::CharDevice(rdev),
            FileType::BlockDevice => NewKind::BlockDevice(rdev),
            FileType::Fifo => NewKind::Fifo,
            FileType::Socket => NewKind::Socket,
            _ => return Err(Errno::EINVAL.because("not a special file")),
        };
        self.put(path, kind, Data::Special(rdev))
    }

    fn usage(&self) -> &Arc<Usage> {
        &self.fs.usage
    }

    fn put(&mut self, path: &[u8], kind: NewKind<'_>, data: Data) -> Result<()> {
        let (dir, name) = self.parent(path)?;
        let new = NewNode { kind, mode: self.meta.mode, uid: self.meta.uid, gid: self.meta.gid };
        let node = Node::with_data(self.usage(), &new, data)?;
        node.set_times(self.meta.mtime_ns);
        let mut entries = dir.entries()?.lock();
        if entries.get(name).is_some_and(|old| old.kind() == FileType::Directory) {
            return Err(Errno::EISDIR.because("the archive has a directory of that name"));
        }
        let old = entries.remove(name);
        entries.insert(name, node);
        drop(entries);
        if let Some(old) = old {
            old.add_links(-1);
        }
        Ok(())
    }

    /// The directory that holds the last component, and that component.
    fn parent<'p>(&self, path: &'p [u8]) -> Result<(Arc<Node>, &'p [u8])> {
        let path = trim_slashes(path);
        let at = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        let (dir, name) = path.split_at(at);
        if matches!(name, b"" | b"." | b"..") {
            return Err(Errno::EINVAL.because("the path ends in no name"));
        }
        Ok((self.walk(dir)?, name))
    }

    /// The directory at a path, made if need be. Links are not followed.
    fn walk(&self, path: &[u8]) -> Result<Arc<Node>> {
        let mut at = self.fs.root_node().clone();
        for name in path.split(|byte| *byte == b'/').filter(|name| !matches!(*name, b"" | b".")) {
            if name == b".." {
                return Err(Errno::EINVAL.because("the path leaves its start"));
            }
            let next = at.entries()?.lock().get(name).cloned();
            at = match next {
                Some(node) => node,
                None => {
                    let new = NewNode { kind: NewKind::Directory, mode: 0o755, uid: 0, gid: 0 };
                    let node = Node::new(self.usage(), &new)?;
                    node.set_times(self.meta.mtime_ns);
                    at.entries()?.lock().insert(name, node.clone());
                    at.add_links(1);
                    node
                }
            };
        }
        Ok(at)
    }
}

fn trim_slashes(mut path: &[u8]) -> &[u8] {
    while let Some((b'/', rest)) = path.split_last() {
        path = rest;
    }
    path
}
