//! [`HostInode`]: a host file as an inode.

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;

use linux_abi::Errno;
use linux_abi::fcntl::RenameFlags;
use machine::sync::Mutex;
use machine::{HostAttr, HostFile, HostKind, HostNode, HostStat, OpenMode};

use super::Shared;
use super::file::{HostRegular, Pages};
use crate::error::{Because, Result};
use crate::fs::{
    Attr, Caller, DirSink, FileOps, FileType, Inode, Listing, NameCaching, NewKind, NewNode, Opening, SetAttr,
};
use crate::mm::Object;

/// What is known of a file's cached pages.
#[derive(Default)]
struct State {
    /// The pages, once something has been mapped, and what they are read from.
    pages: Option<(Arc<Object>, Arc<Pages>)>,
    /// Size and time of change when the pages were last known to be right.
    validated: Option<(u64, i64)>,
    /// This kernel has written since then.
    has_written: bool,
    /// Host files that are open now, to be shared.
    reader: Option<Weak<dyn HostFile>>,
    writer: Option<Weak<dyn HostFile>>,
}

/// A file of the host.
pub(super) struct HostInode {
    shared: Arc<Shared>,
    node: Arc<dyn HostNode>,
    kind: FileType,
    key: usize,
    state: Mutex<State>,
    /// Held by whoever writes at the end of the file.
    pub(super) append: Mutex<()>,
}

fn file_type(kind: HostKind) -> FileType {
    match kind {
        HostKind::File => FileType::Regular,
        HostKind::Dir => FileType::Directory,
        HostKind::Symlink => FileType::Symlink,
        HostKind::Fifo => FileType::Fifo,
        HostKind::Socket => FileType::Socket,
        HostKind::CharDev => FileType::CharDevice,
        HostKind::BlockDev => FileType::BlockDevice,
    }
}

impl HostInode {
    pub(super) fn new(shared: Arc<Shared>, node: Arc<dyn HostNode>, stat: &HostStat, key: usize) -> Arc<Self> {
        let kind = file_type(stat.kind);
        Arc::new(Self { shared, node, kind, key, state: Mutex::default(), append: Mutex::new(()) })
    }

    /// The machine's node.
    pub(super) fn node(&self) -> &Arc<dyn HostNode> {
        &self.node
    }

    /// The cached pages, if there are any.
    pub(super) fn object(&self) -> Option<Arc<Object>> {
        self.state.lock().pages.as_ref().map(|(object, _)| object.clone())
    }

    /// The cached pages, for a mapping; made if need be. `file` reads them, and
    /// writes them back if `is_writable`.
    pub(super) fn make_object(&self, file: &Arc<dyn HostFile>, is_writable: bool) -> Result<Arc<Object>> {
        let kernel = self.shared.kernel.upgrade().ok_or(Errno::EIO.because("the kernel is shutting down"))?;
        let stat = self.node.stat()?;
        let mut state = self.state.lock();
        if state.pages.is_none() {
            let pages = Arc::new(Pages::new(file.clone()));
            let object = Object::file(&kernel, Box::new(pages.clone()), stat.size);
            state.pages = Some((object, pages));
            state.validated = Some((stat.size, stat.mtime_ns));
            state.has_written = false;
        }
        let (object, pages) = state.pages.as_ref().ok_or(Errno::EIO)?;
        if is_writable {
            pages.set_writer(file);
        }
        Ok(object.clone())
    }

    /// The contents have been changed by this kernel.
    pub(super) fn note_written(&self) {
        self.state.lock().has_written = true;
    }

    /// Drops cached pages if the host has changed the file beneath them.
    pub(super) fn validate(&self) -> Result<()> {
        if self.object().is_none() {
            return Ok(());
        }
        let stat = self.node.stat()?;
        let now = (stat.size, stat.mtime_ns);
        let mut state = self.state.lock();
        let is_stale = !state.has_written && state.validated != Some(now);
        state.has_written = false;
        state.validated = Some(now);
        let object = state.pages.as_ref().map(|(object, _)| object.clone());
        drop(state);
        match object {
            Some(object) if is_stale || object.size() != stat.size => object.revalidate(stat.size),
            _ => {}
        }
        Ok(())
    }

    /// Writes changed pages to the host.
    pub(super) fn write_back(&self) -> Result<()> {
        match self.object() {
            Some(object) => {
                self.note_written();
                object.write_back(0..u64::MAX)
            }
            None => Ok(()),
        }
    }

    /// The host's file, opened or shared with those who have it open.
    fn open_host(&self, mode: OpenMode) -> Result<Arc<dyn HostFile>> {
        let mut state = self.state.lock();
        let wants_write = mode == OpenMode::ReadWrite;
        let shared = state.writer.as_ref().and_then(Weak::upgrade);
        let shared =
            if wants_write { shared } else { shared.or_else(|| state.reader.as_ref().and_then(Weak::upgrade)) };
        if let Some(file) = shared {
            return Ok(file);
        }
        let file: Arc<dyn HostFile> = Arc::from(self.node.open(mode)?);
        let slot = if wants_write { &mut state.writer } else { &mut state.reader };
        *slot = Some(Arc::downgrade(&file));
        Ok(file)
    }
}

fn host_inode(inode: &Arc<dyn Inode>) -> Result<&HostInode> {
    inode.as_any().downcast_ref().ok_or(Errno::EXDEV.because("a file of another file system"))
}

impl Inode for HostInode {
    fn kind(&self) -> FileType {
        self.kind
    }

    fn attr(&self) -> Result<Attr> {
        let stat = self.node.stat()?;
        Ok(Attr { dev: self.shared.dev_of(&stat), ..Attr::of_host(self.kind, &stat) })
    }

    fn set_attr(&self, change: &SetAttr) -> Result<()> {
        self.node.set_attr(&HostAttr {
            mode: change.mode,
            uid: change.uid,
            gid: change.gid,
            size: change.size,
            atime_ns: change.atime_ns,
            mtime_ns: change.mtime_ns,
        })?;
        if let Some(size) = change.size {
            self.note_written();
            if let Some(object) = self.object() {
                object.set_size(size);
            }
        }
        Ok(())
    }

    fn lookup(&self, name: &[u8], _caller: &Caller) -> Result<Arc<dyn Inode>> {
        Ok(self.shared.inode(self.node.lookup(name)?)?)
    }

    fn name_caching(&self) -> NameCaching {
        match self.node.stat() {
            Ok(stat) => NameCaching::While(self.shared.stamp(&stat)),
            Err(_) => NameCaching::Never,
        }
    }

    fn list_all(&self) -> Option<Result<Vec<Listing>>> {
        let listing = |entries: Vec<machine::HostDirEntry>| {
            let entries = entries.into_iter();
            entries.map(|entry| Listing { name: entry.name, ino: entry.ino, kind: file_type(entry.kind) }).collect()
        };
        Some(self.node.read_dir().map(listing).map_err(Into::into))
    }

    fn read_dir(&self, _from: u64, _caller: &Caller, _sink: &mut DirSink<'_>) -> Result<()> {
        Err(Errno::EINVAL.because("a host directory is listed as a whole"))
    }

    fn create(&self, name: &[u8], new: &NewNode<'_>) -> Result<Arc<dyn Inode>> {
        let node = match new.kind {
            NewKind::Regular => self.node.create(name, new.mode)?,
            NewKind::Directory => self.node.mkdir(name, new.mode)?,
            NewKind::Symlink(target) => self.node.symlink(name, target)?,
            NewKind::Fifo => self.node.mkfifo(name, new.mode)?,
            NewKind::Socket | NewKind::CharDevice(_) | NewKind::BlockDevice(_) => {
                return Err(Errno::EPERM.because("a host directory takes no devices and sockets"));
            }
        };
        Ok(self.shared.inode(node)?)
    }

    fn link(&self, name: &[u8], target: &Arc<dyn Inode>) -> Result<()> {
        Ok(self.node.link(name, &*host_inode(target)?.node)?)
    }

    fn unlink(&self, name: &[u8]) -> Result<()> {
        Ok(self.node.unlink(name)?)
    }

    fn rmdir(&self, name: &[u8]) -> Result<()> {
        Ok(self.node.rmdir(name)?)
    }

    fn rename(&self, name: &[u8], new_dir: &Arc<dyn Inode>, new_name: &[u8], flags: RenameFlags) -> Result<()> {
        Ok(self.node.rename(name, &*host_inode(new_dir)?.node, new_name, flags.bits())?)
    }

    fn read_link(&self, _caller: &Caller) -> Result<Vec<u8>> {
        Ok(self.node.read_link()?)
    }

    fn open(self: Arc<Self>, opening: &Opening<'_>) -> Result<Arc<dyn FileOps>> {
        let writes = opening.flags.access().writes();
        let mode = if writes { OpenMode::ReadWrite } else { OpenMode::Read };
        let file = self.open_host(mode)?;
        self.validate()?;
        Ok(Arc::new(HostRegular::new(self, file, writes)))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl Drop for HostInode {
    fn drop(&mut self) {
        self.shared.forget(self.key);
    }
}
