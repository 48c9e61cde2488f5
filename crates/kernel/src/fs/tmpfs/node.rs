//! [`Node`]: an inode of tmpfs.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;
use core::sync::atomic::Ordering;

use linux_abi::Errno;
use linux_abi::fcntl::{PATH_MAX, RenameFlags};
use machine::sync::Mutex;

use super::dir::Entries;
use super::file::{Contents, RegularFile, Seals};
use super::{Usage, kind_of};
use crate::error::{Because, Result};
use crate::fs::{Attr, Caller, DirSink, FileOps, FileType, Inode, NewKind, NewNode, Opening, SetAttr};
use crate::mm::Object;

/// What a node holds.
pub(super) enum Data {
    Regular(Contents),
    Directory(Mutex<Entries>),
    Symlink(Box<[u8]>),
    /// A device's number; 0 for a FIFO or socket.
    Special(u64),
}

impl Data {
    pub(super) fn empty_dir() -> Self {
        Self::Directory(Mutex::default())
    }
}

/// A file, directory, link or device in tmpfs.
pub(crate) struct Node {
    pub(super) usage: Arc<Usage>,
    attr: Mutex<Attr>,
    kind: FileType,
    ino: u64,
    pub(super) data: Data,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({} {:?})", self.ino, self.kind)
    }
}

impl Node {
    /// A file that no directory names yet; its link count says 1 (2 for a
    /// directory).
    pub(super) fn new(usage: &Arc<Usage>, new: &NewNode<'_>) -> Result<Arc<Self>> {
        let data = match new.kind {
            NewKind::Regular => Data::Regular(Contents::new(Object::anonymous(&*usage.kernel()?, 0))),
            NewKind::Directory => Data::empty_dir(),
            NewKind::Symlink(target) => {
                if target.len() >= PATH_MAX {
                    return Err(Errno::ENAMETOOLONG.because("the link's text is too long"));
                }
                Data::Symlink(Box::from(target))
            }
            NewKind::Fifo | NewKind::Socket => Data::Special(0),
            NewKind::CharDevice(rdev) | NewKind::BlockDevice(rdev) => Data::Special(rdev),
        };
        Self::with_data(usage, new, data)
    }

    pub(super) fn with_data(usage: &Arc<Usage>, new: &NewNode<'_>, data: Data) -> Result<Arc<Self>> {
        Ok(Self::with_ino(usage, usage.new_node()?, new, data))
    }

    pub(super) fn with_ino(usage: &Arc<Usage>, ino: u64, new: &NewNode<'_>, data: Data) -> Arc<Self> {
        let kind = kind_of(new);
        let now = usage.now_ns();
        let (size, rdev) = match &data {
            Data::Symlink(target) => (target.len() as u64, 0),
            Data::Special(rdev) => (0, *rdev),
            _ => (0, 0),
        };
        let attr = Attr {
            uid: new.uid,
            gid: new.gid,
            nlink: if kind == FileType::Directory { 2 } else { 1 },
            size,
            ino,
            dev: usage.dev,
            rdev,
            atime_ns: now,
            mtime_ns: now,
            ctime_ns: now,
            btime_ns: Some(now),
            ..Attr::new(kind, new.mode & 0o7777)
        };
        Arc::new(Self { usage: usage.clone(), attr: Mutex::new(attr), kind, ino, data })
    }

    /// The inode number.
    pub(super) fn ino(&self) -> u64 {
        self.ino
    }

    pub(crate) fn set_nlink(&self, nlink: u32) {
        self.attr.lock().nlink = nlink;
    }

    /// Changes the link count; the change time goes with it.
    pub(super) fn add_links(&self, change: i32) {
        let now = self.usage.now_ns();
        let mut attr = self.attr.lock();
        attr.nlink = attr.nlink.saturating_add_signed(change);
        attr.ctime_ns = now;
    }

    /// The contents have changed (for a directory: its names).
    pub(super) fn touch_modified(&self) {
        let now = self.usage.now_ns();
        let mut attr = self.attr.lock();
        (attr.mtime_ns, attr.ctime_ns) = (now, now);
    }

    /// The contents have been read: the access time moves if it lies before
    /// the last change or a day ago, as with `relatime`.
    pub(super) fn touch_read(&self) {
        const DAY_NS: i64 = 86_400_000_000_000;
        let now = self.usage.now_ns();
        let mut attr = self.attr.lock();
        let is_old = attr.atime_ns <= attr.mtime_ns
            || attr.atime_ns <= attr.ctime_ns
            || now.saturating_sub(attr.atime_ns) > DAY_NS;
        if is_old {
            attr.atime_ns = now;
        }
    }

    pub(super) fn set_times(&self, ns: i64) {
        let mut attr = self.attr.lock();
        (attr.atime_ns, attr.mtime_ns, attr.ctime_ns) = (ns, ns, ns);
    }

    pub(crate) fn set_seals(&self, seals: Seals) {
        if let Data::Regular(contents) = &self.data {
            contents.set_seals(seals);
        }
    }

    /// The contents, if it is a regular file.
    pub(crate) fn contents(&self) -> Option<&Contents> {
        match &self.data {
            Data::Regular(contents) => Some(contents),
            _ => None,
        }
    }

    pub(super) fn entries(&self) -> Result<&Mutex<Entries>> {
        match &self.data {
            Data::Directory(entries) => Ok(entries),
            _ => Err(Errno::ENOTDIR.because("not a directory")),
        }
    }
}

/// The node behind an inode of the same file system.
pub(super) fn node_of(inode: &Arc<dyn Inode>) -> Result<&Node> {
    inode.as_any().downcast_ref().ok_or(Errno::EXDEV.because("a file of another file system"))
}

impl Inode for Node {
    fn kind(&self) -> FileType {
        self.kind
    }

    fn attr(&self) -> Result<Attr> {
        let mut attr = *self.attr.lock();
        match &self.data {
            Data::Regular(contents) => {
                attr.size = contents.object().size();
                attr.blocks = (contents.object().resident_pages() as u64).saturating_mul(8);
            }
            Data::Directory(entries) => attr.size = (entries.lock().len() as u64 + 2) * 20,
            _ => {}
        }
        Ok(attr)
    }

    fn set_attr(&self, change: &SetAttr) -> Result<()> {
        if let Some(size) = change.size {
            let contents = self.contents().ok_or(Errno::EINVAL.because("only a regular file has a size to set"))?;
            contents.resize(&self.usage, size)?;
            self.touch_modified();
        }
        let now = self.usage.now_ns();
        let mut attr = self.attr.lock();
        attr.mode = change.mode.map_or(attr.mode, |mode| mode & 0o7777);
        attr.uid = change.uid.unwrap_or(attr.uid);
        attr.gid = change.gid.unwrap_or(attr.gid);
        attr.atime_ns = change.atime_ns.unwrap_or(attr.atime_ns);
        attr.mtime_ns = change.mtime_ns.unwrap_or(attr.mtime_ns);
        attr.ctime_ns = now;
        Ok(())
    }

    fn lookup(&self, name: &[u8], _caller: &Caller) -> Result<Arc<dyn Inode>> {
        let node = self.entries()?.lock().get(name).cloned();
        Ok(node.ok_or(Errno::ENOENT.because("no such name"))?)
    }

    fn read_dir(&self, from: u64, _caller: &Caller, sink: &mut DirSink<'_>) -> Result<()> {
        self.entries()?.lock().list(from, sink);
        self.touch_read();
        Ok(())
    }

    fn create(&self, name: &[u8], new: &NewNode<'_>) -> Result<Arc<dyn Inode>> {
        let entries = self.entries()?;
        let node = Node::new(&self.usage, new)?;
        if !entries.lock().insert(name, node.clone()) {
            return Err(Errno::EEXIST.because("the name exists"));
        }
        if node.kind == FileType::Directory {
            self.add_links(1);
        }
        self.touch_modified();
        Ok(node)
    }

    fn create_unnamed(&self, new: &NewNode<'_>) -> Result<Arc<dyn Inode>> {
        let node = Node::new(&self.usage, new)?;
        node.set_nlink(0);
        Ok(node)
    }

    fn link(&self, name: &[u8], target: &Arc<dyn Inode>) -> Result<()> {
        let target = target.clone();
        node_of(&target)?;
        let any: Arc<dyn Any + Send + Sync> = target.into_any();
        let node: Arc<Node> = any.downcast().map_err(|_| Errno::EXDEV.because("a file of another file system"))?;
        if !self.entries()?.lock().insert(name, node.clone()) {
            return Err(Errno::EEXIST.because("the name exists"));
        }
        node.add_links(1);
        self.touch_modified();
        Ok(())
    }

    fn unlink(&self, name: &[u8]) -> Result<()> {
        let node = self.entries()?.lock().remove(name).ok_or(Errno::ENOENT.because("no such name"))?;
        node.add_links(-1);
        self.touch_modified();
        Ok(())
    }

    fn rmdir(&self, name: &[u8]) -> Result<()> {
        let mut entries = self.entries()?.lock();
        let node = entries.get(name).cloned().ok_or(Errno::ENOENT.because("no such name"))?;
        if !node.entries()?.lock().is_empty() {
            return Err(Errno::ENOTEMPTY.because("the directory is not empty"));
        }
        entries.remove(name);
        drop(entries);
        node.set_nlink(0);
        self.add_links(-1);
        self.touch_modified();
        Ok(())
    }

    fn rename(&self, name: &[u8], new_dir: &Arc<dyn Inode>, new_name: &[u8], flags: RenameFlags) -> Result<()> {
        let to = node_of(new_dir)?;
        let no_name = || Errno::ENOENT.because("no such name");
        let moved = self.entries()?.lock().get(name).cloned().ok_or_else(no_name)?;
        let replaced = to.entries()?.lock().get(new_name).cloned();
        let is_dir = |node: &Arc<Node>| node.kind == FileType::Directory;
        if flags.contains(RenameFlags::RENAME_EXCHANGE) {
            let replaced = replaced.ok_or_else(no_name)?;
            self.entries()?.lock().replace(name, replaced.clone());
            to.entries()?.lock().replace(new_name, moved.clone());
            let change = i32::from(is_dir(&replaced)) - i32::from(is_dir(&moved));
            self.add_links(change);
            to.add_links(-change);
            replaced.add_links(0);
        } else {
            if let Some(replaced) = &replaced
                && is_dir(replaced)
                && !replaced.entries()?.lock().is_empty()
            {
                return Err(Errno::ENOTEMPTY.because("the directory is not empty"));
            }
            self.entries()?.lock().remove(name);
            to.entries()?.lock().replace(new_name, moved.clone());
            if is_dir(&moved) {
                self.add_links(-1);
                to.add_links(1);
            }
            match &replaced {
                Some(replaced) if is_dir(replaced) => {
                    replaced.set_nlink(0);
                    to.add_links(-1);
                }
                Some(replaced) => replaced.add_links(-1),
                None => {}
            }
        }
        moved.add_links(0);
        self.touch_modified();
        to.touch_modified();
        Ok(())
    }

    fn read_link(&self, _caller: &Caller) -> Result<Vec<u8>> {
        match &self.data {
            Data::Symlink(target) => Ok(target.to_vec()),
            _ => Err(Errno::EINVAL.because("not a symbolic link")),
        }
    }

    fn open(self: Arc<Self>, _opening: &Opening<'_>) -> Result<Arc<dyn FileOps>> {
        match &self.data {
            Data::Regular(_) => Ok(Arc::new(RegularFile::new(self))),
            _ => Err(Errno::ENXIO.because("it cannot be opened")),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.usage.nodes.fetch_sub(1, Ordering::Relaxed);
        match &mut self.data {
            Data::Regular(contents) => contents.uncount(&self.usage),
            Data::Directory(entries) => drop_tree(entries.get_mut().take_all()),
            _ => {}
        }
    }
}

/// Drops the nodes below a directory in a loop: a guest can make them lie too
/// deep for recursion.
fn drop_tree(mut nodes: Vec<Arc<Node>>) {
    while let Some(node) = nodes.pop() {
        if let Some(mut node) = Arc::into_inner(node)
            && let Data::Directory(entries) = &mut node.data
        {
            nodes.append(&mut entries.get_mut().take_all());
        }
    }
}
