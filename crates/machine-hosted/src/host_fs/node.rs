//! One host file, directory or link.

use std::any::Any;
use std::fmt;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use linux_abi::Errno;
use machine::{HostAttr, HostDirEntry, HostFile, HostKind, HostNode, HostStat, HostStatFs, OpenMode};
use parking_lot::Mutex;
use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, Stat, Timespec, Timestamps};
use rustix::fs::{Gid, Uid};
use rustix::io;

use super::file::{DataFile, OpenData};
use super::names;
use super::tree::{FileId, Tree, id_of};
use crate::errno::guest;
use crate::host_stat::{from_host_stat, kind_of};

/// Where a node was last seen.
pub(super) struct Place {
    /// The directory.
    pub(super) parent: Arc<Node>,
    /// The name in it.
    pub(super) name: Vec<u8>,
}

/// A host file, directory or link, by identity. It may hold a descriptor; if
/// not, it is opened anew by its place, and checked to be the same file.
pub(super) struct Node {
    tree: Arc<Tree>,
    id: FileId,
    this: Weak<Node>,
    /// `None` for the root.
    place: Mutex<Option<Place>>,
    /// An `O_PATH` descriptor; may be taken away unless `pinned`.
    fd: Mutex<Option<Arc<OwnedFd>>>,
    /// The descriptor is the only way to the file: it is the root, or its name
    /// is gone.
    pinned: AtomicBool,
    /// The descriptor was used since the cache last looked.
    pub(super) used: AtomicBool,
    /// The contents, while some guest file has them open.
    data: Mutex<Weak<OpenData>>,
    /// The descriptor that a new file was made with. The first open must get
    /// it: the mode may forbid to open the file a second time.
    fresh: Mutex<Option<Arc<OpenData>>>,
}

impl Node {
    /// A node without a descriptor.
    pub(super) fn new(tree: &Arc<Tree>, id: FileId, place: Option<Place>) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            tree: tree.clone(),
            id,
            this: this.clone(),
            place: Mutex::new(place),
            fd: Mutex::default(),
            pinned: AtomicBool::new(false),
            used: AtomicBool::new(true),
            data: Mutex::default(),
            fresh: Mutex::default(),
        })
    }

    /// Which file this is.
    pub(super) fn id(&self) -> FileId {
        self.id
    }

    /// True for the node of the directory that was opened first.
    pub(super) fn is_root(&self) -> bool {
        self.place.lock().is_none()
    }

    /// True if the node was last seen as `name` in `parent`.
    pub(super) fn is_at(&self, parent: &Arc<Node>, name: &[u8]) -> bool {
        self.place.lock().as_ref().is_some_and(|place| Arc::ptr_eq(&place.parent, parent) && place.name == name)
    }

    /// True if `other` is this node, or lies beneath it by the places we
    /// remember. Places do not change meanwhile: the caller holds `Tree::nodes`.
    pub(super) fn is_above(&self, other: &Arc<Node>) -> bool {
        let mut at = other.clone();
        loop {
            if std::ptr::eq(&*at, self) {
                return true;
            }
            let Some(parent) = at.place.lock().as_ref().map(|place| place.parent.clone()) else { return false };
            at = parent;
        }
    }

    /// Sets where the node is; gives the old place back for the caller to drop
    /// when it holds no lock. The root stays where it is.
    pub(super) fn move_to(&self, place: Place) -> Option<Place> {
        let mut own = self.place.lock();
        if own.is_none() { Some(place) } else { own.replace(place) }
    }

    /// Keeps a descriptor for good.
    pub(super) fn pin(&self, fd: OwnedFd) {
        self.pinned.store(true, Ordering::Relaxed);
        *self.fd.lock() = Some(Arc::new(fd));
    }

    /// Keeps a descriptor until it is taken away; true if there was none.
    pub(super) fn keep(&self, fd: Arc<OwnedFd>) -> bool {
        self.used.store(true, Ordering::Relaxed);
        let mut own = self.fd.lock();
        let was_none = own.is_none();
        if was_none {
            *own = Some(fd);
        }
        was_none && !self.pinned.load(Ordering::Relaxed)
    }

    /// Gives the descriptor up, unless it is the only way to the file.
    pub(super) fn release(&self) {
        let mut own = self.fd.lock();
        if !self.pinned.load(Ordering::Relaxed) {
            *own = None;
        }
    }

    /// Takes the descriptor that the file was made with.
    pub(super) fn take_fresh(&self) -> Option<Arc<OpenData>> {
        self.fresh.lock().take()
    }

    fn this(&self) -> Result<Arc<Node>, Errno> {
        self.this.upgrade().ok_or(Errno::ESTALE)
    }

    /// A descriptor of this node: the one it holds, or a new one by its place.
    fn open_place(&self) -> Result<Arc<OwnedFd>, Errno> {
        if let Some(fd) = self.held() {
            return Ok(fd);
        }
        let _names = self.tree.names.read();
        // From here up to the nearest ancestor that holds a descriptor.
        let mut path: Vec<(Arc<Node>, Vec<u8>)> = Vec::new();
        let mut at = self.this()?;
        let mut dir = loop {
            let step = at.place.lock().as_ref().map(|place| (place.parent.clone(), place.name.clone()));
            let (parent, name) = step.ok_or(Errno::ESTALE)?;
            path.push((at, name));
            if let Some(fd) = parent.held() {
                break fd;
            }
            at = parent;
        };
        for (node, name) in path.into_iter().rev() {
            let fd = self.tree.with_room(|| names::open_place(dir.as_fd(), &name)).map_err(guest)?;
            if id_of(&fd).map_err(guest)? != node.id {
                return Err(Errno::ESTALE);
            }
            dir = Arc::new(fd);
            self.tree.cache(&node, dir.clone());
        }
        Ok(dir)
    }

    fn held(&self) -> Option<Arc<OwnedFd>> {
        let fd = self.fd.lock().clone();
        if fd.is_some() {
            self.used.store(true, Ordering::Relaxed);
        }
        fd
    }

    fn host_stat(&self) -> Result<Stat, Errno> {
        // An open file is there even if its name is not.
        if self.fd.lock().is_none()
            && let Some(data) = self.data.lock().upgrade()
        {
            return fs::fstat(&data.fd).map_err(guest);
        }
        fs::fstat(&*self.open_place()?).map_err(guest)
    }

    /// Looks `name` up without checking it again.
    fn find(&self, name: &[u8]) -> Result<Arc<Node>, Errno> {
        let dir = self.open_place()?;
        let fd = self.tree.with_room(|| names::open_place(dir.as_fd(), name)).map_err(guest)?;
        let stat = fs::fstat(&fd).map_err(guest)?;
        Ok(self.tree.adopt(&self.this()?, name, fd, &stat))
    }

    /// What `name` is now, if the kernel holds a node for it: that node gets a
    /// descriptor for good, because its name is about to go.
    fn pin_victim(&self, dir: &OwnedFd, name: &[u8]) {
        let Ok(fd) = self.tree.with_room(|| names::open_place(dir.as_fd(), name)) else { return };
        if let Some(node) = fs::fstat(&fd).ok().and_then(|stat| self.tree.known(&stat)) {
            node.pin(fd);
        }
    }

    /// Makes the mode what the guest asked for, whatever this process's umask
    /// took away. A directory keeps the set-group-ID bit that it inherited.
    fn settle_mode(&self, mode: u32) -> Result<(), Errno> {
        let has = self.host_stat()?.st_mode & 0o7777;
        let wants = (mode & 0o7777) | (has & 0o2000);
        if has == wants { Ok(()) } else { self.set_mode(wants) }
    }

    fn set_mode(&self, mode: u32) -> Result<(), Errno> {
        let fd = self.open_place()?;
        let stat = fs::fstat(&*fd).map_err(guest)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
            return Err(Errno::EOPNOTSUPP);
        }
        // `fchmod` refuses `O_PATH` descriptors; through the descriptor table
        // the call reaches exactly this file, whatever its name is.
        fs::chmodat(CWD, names::proc_path(&*fd), Mode::from_raw_mode(mode & 0o7777), AtFlags::empty()).map_err(guest)
    }

    fn set_owner(&self, uid: Option<u32>, gid: Option<u32>) -> Result<(), Errno> {
        let fd = self.open_place()?;
        let stat = fs::fstat(&*fd).map_err(guest)?;
        let (has_uid, has_gid) = self.tree.guest_owner(stat.st_uid, stat.st_gid);
        let (uid, gid) = (uid.unwrap_or(has_uid), gid.unwrap_or(has_gid));
        if uid == u32::MAX || gid == u32::MAX {
            return Err(Errno::EINVAL);
        }
        let (host_uid, host_gid) = self.tree.host_owner(uid, gid);
        let uid = (host_uid != stat.st_uid).then(|| Uid::from_raw(host_uid));
        let gid = (host_gid != stat.st_gid).then(|| Gid::from_raw(host_gid));
        if uid.is_none() && gid.is_none() {
            return Ok(());
        }
        fs::chownat(&*fd, "", uid, gid, AtFlags::EMPTY_PATH).map_err(guest)
    }

    fn set_times(&self, atime_ns: Option<i64>, mtime_ns: Option<i64>) -> Result<(), Errno> {
        const OMIT: i64 = linux_abi::time::UTIME_OMIT;
        let time = |ns: Option<i64>| match ns {
            Some(ns) => Timespec { tv_sec: ns.div_euclid(1_000_000_000), tv_nsec: ns.rem_euclid(1_000_000_000) },
            None => Timespec { tv_sec: 0, tv_nsec: OMIT },
        };
        let times = Timestamps { last_access: time(atime_ns), last_modification: time(mtime_ns) };
        let fd = self.open_place()?;
        match fs::utimensat(&*fd, "", &times, AtFlags::EMPTY_PATH) {
            // Linux before 5.8 does not know the flag here.
            Err(io::Errno::INVAL | io::Errno::NOENT) => {
                fs::utimensat(CWD, names::proc_path(&*fd), &times, AtFlags::empty()).map_err(guest)
            }
            result => result.map_err(guest),
        }
    }

    /// The node of another directory, if it is of this tree.
    fn sibling<'a>(&self, other: &'a dyn HostNode) -> Result<&'a Node, Errno> {
        let other = other.as_any().downcast_ref::<Node>().ok_or(Errno::EXDEV)?;
        if Arc::ptr_eq(&self.tree, &other.tree) { Ok(other) } else { Err(Errno::EXDEV) }
    }
}

impl HostNode for Node {
    fn stat(&self) -> Result<HostStat, Errno> {
        let stat = self.host_stat()?;
        let (uid, gid) = self.tree.guest_owner(stat.st_uid, stat.st_gid);
        Ok(HostStat { uid, gid, ..from_host_stat(&stat) })
    }

    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn HostNode>, Errno> {
        names::check(name)?;
        Ok(self.find(name)?)
    }

    fn read_dir(&self) -> Result<Vec<HostDirEntry>, Errno> {
        let place = self.open_place()?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = self.tree.with_room(|| fs::openat(&*place, ".", flags, Mode::empty())).map_err(guest)?;
        let mut entries = Vec::new();
        for entry in fs::Dir::new(dir).map_err(guest)? {
            let entry = entry.map_err(guest)?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let kind = match kind_of(entry.file_type()) {
                Some(kind) => kind,
                // Some file systems do not say; and a name may go meanwhile.
                None => match fs::statat(&*place, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => kind_of(FileType::from_raw_mode(stat.st_mode)).unwrap_or(HostKind::File),
                    Err(_) => continue,
                },
            };
            entries.push(HostDirEntry { name: name.to_vec(), kind, ino: entry.ino() });
        }
        Ok(entries)
    }

    fn read_link(&self) -> Result<Vec<u8>, Errno> {
        let fd = self.open_place()?;
        match fs::readlinkat(&*fd, "", Vec::new()) {
            Ok(target) => Ok(target.into_bytes()),
            // With an empty path the host says so of what is no link.
            Err(io::Errno::NOENT) => Err(Errno::EINVAL),
            Err(error) => Err(guest(error)),
        }
    }

    fn open(&self, mode: OpenMode) -> Result<Box<dyn HostFile>, Errno> {
        let write = mode == OpenMode::ReadWrite;
        if write {
            self.tree.check_writable()?;
        }
        if let Some(data) = self.take_fresh() {
            return Ok(Box::new(DataFile::new(data, write)));
        }
        let mut open = self.data.lock();
        if let Some(data) = open.upgrade()
            && (data.writable || !write)
        {
            return Ok(Box::new(DataFile::new(data, write)));
        }
        let place = self.open_place()?;
        let stat = fs::fstat(&*place).map_err(guest)?;
        // The kind is settled before anything is opened for I/O, and the very
        // file that was looked at is opened: a FIFO, a socket or a device of
        // the host is never touched, whatever names are swapped meanwhile.
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {}
            FileType::Directory => return Err(Errno::EISDIR),
            FileType::Symlink => return Err(Errno::ELOOP),
            _ => return Err(Errno::ENXIO),
        }
        let flags = if write { OFlags::RDWR } else { OFlags::RDONLY };
        let fd = self.tree.with_room(|| names::reopen(place.as_fd(), flags)).map_err(guest)?;
        let data = Arc::new(OpenData { fd, writable: write });
        *open = Arc::downgrade(&data);
        Ok(Box::new(DataFile::new(data, write)))
    }

    fn create(&self, name: &[u8], mode: u32) -> Result<Arc<dyn HostNode>, Errno> {
        names::check(name)?;
        self.tree.check_writable()?;
        let dir = self.open_place()?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NONBLOCK;
        let host_mode = Mode::from_raw_mode(mode & 0o7777);
        let fd = self.tree.with_room(|| names::open(dir.as_fd(), name, flags, host_mode)).map_err(guest)?;
        let stat = fs::fstat(&fd).map_err(guest)?;
        if stat.st_mode & 0o7777 != mode & 0o7777 {
            fs::fchmod(&fd, host_mode).map_err(guest)?;
        }
        // Same file, but as a place: the node must not hold a writer for long.
        let place = self
            .tree
            .with_room(|| fs::openat(CWD, names::proc_path(&fd), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()));
        let node = self.tree.adopt(&self.this()?, name, place.map_err(guest)?, &stat);
        let data = Arc::new(OpenData { fd, writable: true });
        *node.data.lock() = Arc::downgrade(&data);
        *node.fresh.lock() = Some(data);
        self.tree.note_fresh(&node);
        Ok(node)
    }

    fn mkdir(&self, name: &[u8], mode: u32) -> Result<Arc<dyn HostNode>, Errno> {
        names::check(name)?;
        self.tree.check_writable()?;
        let dir = self.open_place()?;
        fs::mkdirat(&*dir, name, Mode::from_raw_mode(mode & 0o7777)).map_err(guest)?;
        let node = self.find(name)?;
        node.settle_mode(mode)?;
        Ok(node)
    }

    fn symlink(&self, name: &[u8], target: &[u8]) -> Result<Arc<dyn HostNode>, Errno> {
        names::check(name)?;
        self.tree.check_writable()?;
        let dir = self.open_place()?;
        // The target is only text: nothing here ever follows it.
        fs::symlinkat(target, &*dir, name).map_err(guest)?;
        Ok(self.find(name)?)
    }

    fn mkfifo(&self, name: &[u8], mode: u32) -> Result<Arc<dyn HostNode>, Errno> {
        names::check(name)?;
        self.tree.check_writable()?;
        let dir = self.open_place()?;
        fs::mknodat(&*dir, name, FileType::Fifo, Mode::from_raw_mode(mode & 0o7777), 0).map_err(guest)?;
        let node = self.find(name)?;
        node.settle_mode(mode)?;
        Ok(node)
    }

    fn link(&self, name: &[u8], node: &dyn HostNode) -> Result<(), Errno> {
        names::check(name)?;
        self.tree.check_writable()?;
        let node = self.sibling(node)?;
        let dir = self.open_place()?;
        let place = node.place.lock().as_ref().map(|place| (place.parent.clone(), place.name.clone()));
        let (parent, old_name) = place.ok_or(Errno::EPERM)?;
        let old_dir = parent.open_place()?;
        let _names = self.tree.names.read();
        fs::linkat(&*old_dir, &old_name, &*dir, name, AtFlags::empty()).map_err(guest)
    }

    fn unlink(&self, name: &[u8]) -> Result<(), Errno> {
        names::check(name)?;
        self.tree.check_writable()?;
        let dir = self.open_place()?;
        self.pin_victim(&dir, name);
        fs::unlinkat(&*dir, name, AtFlags::empty()).map_err(guest)
    }

    fn rmdir(&self, name: &[u8]) -> Result<(), Errno> {
        names::check(name)?;
        self.tree.check_writable()?;
        let dir = self.open_place()?;
        self.pin_victim(&dir, name);
        fs::unlinkat(&*dir, name, AtFlags::REMOVEDIR).map_err(guest)
    }

    fn rename(&self, name: &[u8], new_dir: &dyn HostNode, new_name: &[u8], flags: u32) -> Result<(), Errno> {
        names::check(name)?;
        names::check(new_name)?;
        self.tree.check_writable()?;
        let new_parent = self.sibling(new_dir)?;
        let flags = RenameFlags::from_bits(flags).ok_or(Errno::EINVAL)?;
        if flags.contains(RenameFlags::WHITEOUT) {
            return Err(Errno::EINVAL);
        }
        let (dir, new_place) = (self.open_place()?, new_parent.open_place()?);
        let known = |dir: &OwnedFd, name: &[u8]| {
            let stat = fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
            self.tree.known(&stat)
        };
        let names = self.tree.names.write();
        let moving = known(&dir, name);
        let other = if flags.contains(RenameFlags::EXCHANGE) { known(&new_place, new_name) } else { None };
        if other.is_none() {
            new_parent.pin_victim(&new_place, new_name);
        }
        let result = if flags.is_empty() {
            fs::renameat(&*dir, name, &*new_place, new_name)
        } else {
            fs::renameat_with(&*dir, name, &*new_place, new_name, flags)
        };
        if result.is_ok() {
            let (this, new_parent) = (self.this()?, new_parent.this()?);
            // An exchange may swap two directories of which neither is above
            // the other, so the order of the two does not matter.
            if let Some(node) = &moving {
                self.tree.moved(node, &new_parent, new_name);
            }
            if let Some(node) = &other {
                self.tree.moved(node, &this, name);
            }
        }
        drop(names);
        result.map_err(guest)
    }

    fn set_attr(&self, attr: &HostAttr) -> Result<(), Errno> {
        self.tree.check_writable()?;
        if let Some(size) = attr.size {
            self.open(OpenMode::ReadWrite)?.set_len(size)?;
        }
        if attr.uid.is_some() || attr.gid.is_some() {
            self.set_owner(attr.uid, attr.gid)?;
        }
        // After the owner: a change of owner clears set-ID bits.
        if let Some(mode) = attr.mode {
            self.set_mode(mode)?;
        }
        if attr.atime_ns.is_some() || attr.mtime_ns.is_some() {
            self.set_times(attr.atime_ns, attr.mtime_ns)?;
        }
        Ok(())
    }

    fn statfs(&self) -> Result<HostStatFs, Errno> {
        let stat = fs::fstatvfs(&*self.open_place()?).map_err(guest)?;
        Ok(HostStatFs {
            block_size: stat.f_frsize,
            blocks: stat.f_blocks,
            blocks_free: stat.f_bfree,
            blocks_available: stat.f_bavail,
            files: stat.f_files,
            files_free: stat.f_ffree,
            name_max: stat.f_namemax,
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.tree.forget(self.id);
        // Parents that die with their last child are taken apart here, one
        // after the other: a guest can nest directories deeper than a stack.
        let mut place = self.place.get_mut().take();
        while let Some(Place { parent, .. }) = place {
            place = Arc::into_inner(parent).and_then(|mut parent| parent.place.get_mut().take());
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.place.lock().as_ref().map(|place| place.name.escape_ascii().to_string());
        f.debug_struct("Node").field("id", &self.id).field("name", &name).finish_non_exhaustive()
    }
}
