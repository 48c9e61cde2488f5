//! [`Node`]: an inode of an ext2 file system.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ::ext2::{Ext2, Kind, NewInode, RenameFlags as Ext2RenameFlags, SetAttr as Ext2SetAttr, Stat};
use linux_abi::Errno;
use linux_abi::fcntl::{OpenFlags, RenameFlags};
use machine::sync::Mutex;

use super::Shared;
use super::file::{Contents, Ext2File};
use crate::error::{Because, Result};
use crate::fs::{
    Attr, Caller, DirEntry, DirSink, FileOps, FileType, Inode, MountFlags, NewKind, NewNode, Opening, SetAttr,
};

/// Directory entries that are read at once.
const LISTED_AT_ONCE: usize = 128;

/// What is known of an inode beside its contents.
struct State {
    attr: Attr,
    /// The times here are newer than those of the file system.
    has_new_times: bool,
    /// The count of blocks here is older than that of the file system.
    has_old_blocks: bool,
}

/// A file, directory, link or device.
pub(super) struct Node {
    me: Weak<Self>,
    pub(super) shared: Arc<Shared>,
    pub(super) ino: u32,
    kind: FileType,
    state: Mutex<State>,
    /// The contents of a regular file.
    contents: Option<Contents>,
    /// Nothing about it may change.
    is_immutable: bool,
    is_append_only: bool,
    /// It has been released.
    is_released: AtomicBool,
    /// How often it has been put on the list of changed inodes.
    changes: AtomicU64,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({} {:?})", self.ino, self.kind)
    }
}

const fn file_type(kind: Kind) -> FileType {
    match kind {
        Kind::File => FileType::Regular,
        Kind::Directory => FileType::Directory,
        Kind::Symlink => FileType::Symlink,
        Kind::Fifo => FileType::Fifo,
        Kind::Socket => FileType::Socket,
        Kind::CharDevice => FileType::CharDevice,
        Kind::BlockDevice => FileType::BlockDevice,
    }
}

impl Node {
    /// The inode that the file system describes so.
    pub(super) fn new(shared: &Shared, stat: &Stat) -> Result<Arc<Self>> {
        let owner = shared.me.upgrade().ok_or(Errno::EIO.because("the file system is going"))?;
        let kind = file_type(stat.kind);
        let kernel = shared.kernel()?;
        let state = State { attr: attr_of(shared, stat), has_new_times: false, has_old_blocks: false };
        Ok(Arc::new_cyclic(|me: &Weak<Self>| Self {
            contents: (kind == FileType::Regular).then(|| Contents::new(&kernel, &owner, stat, me)),
            me: me.clone(),
            shared: owner,
            ino: stat.ino,
            kind,
            state: Mutex::new(state),
            is_immutable: stat.is_immutable,
            is_append_only: stat.is_append_only,
            is_released: AtomicBool::new(false),
            changes: AtomicU64::new(0),
        }))
    }

    /// The contents.
    ///
    /// # Errors
    /// `EINVAL` if it is no regular file.
    pub(super) fn contents(&self) -> Result<&Contents> {
        self.contents.as_ref().ok_or(Errno::EINVAL.because("not a regular file"))
    }

    /// Takes over what the file system says now.
    fn refresh(&self, stat: &Stat) {
        let mut state = self.state.lock();
        let old = state.attr;
        state.attr = attr_of(&self.shared, stat);
        state.has_old_blocks = false;
        if state.has_new_times {
            state.attr.atime_ns = old.atime_ns;
            state.attr.mtime_ns = old.mtime_ns;
            state.attr.ctime_ns = old.ctime_ns.max(state.attr.ctime_ns);
        }
    }

    /// The contents have changed.
    pub(super) fn touch_modified(&self) {
        let now = self.shared.now_ns();
        {
            let mut state = self.state.lock();
            (state.attr.mtime_ns, state.attr.ctime_ns) = (now, now);
            state.has_new_times = true;
        }
        self.note_changed();
    }

    /// The contents have been read through a mount with these flags.
    pub(super) fn touch_read(&self, flags: MountFlags) {
        const DAY_NS: i64 = 86_400_000_000_000;
        if flags.intersects(MountFlags::NO_ATIME | MountFlags::READ_ONLY) || self.shared.is_read_only() {
            return;
        }
        let now = self.shared.now_ns();
        {
            let mut state = self.state.lock();
            let attr = &state.attr;
            let is_old = attr.atime_ns <= attr.mtime_ns
                || attr.atime_ns <= attr.ctime_ns
                || now.saturating_sub(attr.atime_ns) > DAY_NS;
            if flags.contains(MountFlags::RELATIME) && !is_old {
                return;
            }
            state.attr.atime_ns = now;
            state.has_new_times = true;
        }
        self.note_changed();
    }

    /// More blocks are in use than `attr` says.
    pub(super) fn note_blocks(&self) {
        self.state.lock().has_old_blocks = true;
    }

    /// There is something to write.
    pub(super) fn note_changed(&self) {
        if let Some(me) = self.me.upgrade() {
            self.shared.note_changed(me);
        }
    }

    /// It is being put on the list of changed inodes.
    pub(super) fn count_change(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn change_count(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Gives new times to the file system.
    pub(super) fn store_times(&self, ext2: &mut Ext2) -> ::ext2::Result<()> {
        let mut state = self.state.lock();
        if !state.has_new_times {
            return Ok(());
        }
        let change = Ext2SetAttr {
            atime: Some(state.attr.atime_ns),
            mtime: Some(state.attr.mtime_ns),
            ctime: Some(state.attr.ctime_ns),
            ..Ext2SetAttr::default()
        };
        state.has_new_times = false;
        drop(state);
        ext2.set_attr(self.ino, &change)
    }

    /// True if everything about it has been written.
    pub(super) fn is_stored(&self) -> bool {
        !self.state.lock().has_new_times && self.contents.as_ref().is_none_or(Contents::is_stored)
    }

    /// True if no directory names it any more.
    pub(super) fn is_nameless(&self) -> bool {
        self.state.lock().attr.nlink == 0
    }

    /// Gives its room back if no directory names it.
    pub(super) fn release_if_nameless(&self) {
        if self.is_nameless() && !self.is_released.swap(true, Ordering::SeqCst) {
            // Its blocks will be somebody else's: nothing may go there any more.
            let _writing = self.contents.as_ref().map(|contents| contents.discard());
            // Nobody is left to hear of an error; a recovery tries again.
            let _ = self.shared.release(self.ino);
        }
    }

    /// Changes names in this directory, and brings what is known of it and of
    /// the inodes that `act` tells up to date.
    fn change_names<T>(&self, act: impl FnOnce(&mut Ext2, i64) -> ::ext2::Result<(T, Touched)>) -> Result<T> {
        let now = self.shared.now_ns();
        let (result, stats) = self.shared.change(|ext2| {
            let (result, touched) = act(ext2, now)?;
            let inos = touched.inos.into_iter().flatten().chain([self.ino]);
            let stats: Vec<(u32, Option<Stat>)> = inos.map(|ino| (ino, ext2.stat(ino).ok())).collect();
            Ok((result, (stats, touched.removed)))
        })?;
        let (stats, removed) = stats;
        for (ino, stat) in stats {
            if let (Some(node), Some(stat)) = (self.shared.existing_node(ino), stat) {
                node.refresh(&stat);
            }
        }
        if let Some(removed) = removed.filter(|removed| removed.nlink == 0) {
            match self.shared.existing_node(removed.ino) {
                Some(node) => {
                    node.state.lock().attr.nlink = 0;
                    self.shared.drop_changed(removed.ino);
                }
                None => self.shared.release(removed.ino)?,
            }
        }
        Ok(result)
    }

    fn make(&self, name: Option<&[u8]>, new: &NewNode<'_>) -> Result<Arc<dyn Inode>> {
        let (kind, rdev, target) = match new.kind {
            NewKind::Regular => (Kind::File, 0, &b""[..]),
            NewKind::Directory => (Kind::Directory, 0, &b""[..]),
            NewKind::Symlink(target) => (Kind::Symlink, 0, target),
            NewKind::Fifo => (Kind::Fifo, 0, &b""[..]),
            NewKind::Socket => (Kind::Socket, 0, &b""[..]),
            NewKind::CharDevice(rdev) => (Kind::CharDevice, rdev, &b""[..]),
            NewKind::BlockDevice(rdev) => (Kind::BlockDevice, rdev, &b""[..]),
        };
        let rdev = u32::try_from(rdev).map_err(|_| Errno::EINVAL.because("the device number is too large"))?;
        // Permission bits are below 2^12.
        let mode = (new.mode & 0o7777) as u16;
        let ino = self.change_names(|ext2, now| {
            let new = NewInode { kind, mode, uid: new.uid, gid: new.gid, rdev, target, now };
            let ino = match name {
                Some(name) => ext2.create(self.ino, name, &new)?,
                None => ext2.create_unnamed(self.ino, &new)?,
            };
            Ok((ino, Touched::default()))
        })?;
        Ok(self.shared.node(ino)?)
    }

    fn resize(&self, size: u64) -> Result<()> {
        let contents = self.contents()?;
        if size > self.shared.max_file_size {
            return Err(Errno::EFBIG.because("the file system has no such large files"));
        }
        contents.resize(size)?;
        self.note_blocks();
        self.touch_modified();
        Ok(())
    }

    /// The entries from a position on, not all of them.
    fn list(&self, from: u64) -> Result<Vec<Listed>> {
        let mut entries = Vec::new();
        self.shared.with(|ext2| {
            ext2.read_dir(self.ino, from, &mut |entry| {
                if entry.name != b"." && entry.name != b".." {
                    entries.push((entry.name.to_vec(), entry.ino, entry.kind, entry.next_position));
                }
                entries.len() < LISTED_AT_ONCE
            })?;
            for (_, ino, kind, _) in entries.iter_mut().filter(|(_, _, kind, _)| kind.is_none()) {
                *kind = ext2.stat(*ino).ok().map(|stat| stat.kind);
            }
            Ok(())
        })?;
        Ok(entries)
    }
}

/// An entry of a directory: name, inode, type, and where to go on after it.
type Listed = (Vec<u8>, u32, Option<Kind>, u64);

/// What a change of names has changed beside the directory.
#[derive(Default)]
struct Touched {
    inos: [Option<u32>; 3],
    removed: Option<::ext2::Removed>,
}

fn attr_of(shared: &Shared, stat: &Stat) -> Attr {
    Attr {
        uid: stat.uid,
        gid: stat.gid,
        nlink: u32::from(stat.nlink),
        size: stat.size,
        blocks: stat.blocks_512,
        block_size: u32::try_from(shared.block_size).unwrap_or(4096),
        ino: u64::from(stat.ino),
        dev: shared.disk.number(),
        rdev: u64::from(stat.rdev),
        atime_ns: stat.atime,
        mtime_ns: stat.mtime,
        ctime_ns: stat.ctime,
        ..Attr::new(file_type(stat.kind), u32::from(stat.mode) & 0o7777)
    }
}

/// The node behind an inode of the same kind of file system.
fn node_of(inode: &Arc<dyn Inode>) -> Result<&Node> {
    inode.as_any().downcast_ref().ok_or(Errno::EXDEV.because("a file of another file system"))
}

impl Inode for Node {
    fn kind(&self) -> FileType {
        self.kind
    }

    fn attr(&self) -> Result<Attr> {
        let state = self.state.lock();
        let mut attr = state.attr;
        let is_old = state.has_old_blocks;
        drop(state);
        if is_old {
            let stat = self.shared.with(|ext2| ext2.stat(self.ino))?;
            self.refresh(&stat);
            attr.blocks = stat.blocks_512;
        }
        if let Some(contents) = &self.contents {
            attr.size = contents.object().size();
        }
        Ok(attr)
    }

    fn set_attr(&self, change: &SetAttr) -> Result<()> {
        if let Some(size) = change.size {
            self.resize(size)?;
        }
        let now = self.shared.now_ns();
        // Times that are newer here must not be lost to those of the disk.
        let stat = self.shared.change(|ext2| {
            self.store_times(ext2)?;
            let change = Ext2SetAttr {
                mode: change.mode.map(|mode| (mode & 0o7777) as u16),
                uid: change.uid,
                gid: change.gid,
                size: None,
                atime: change.atime_ns,
                mtime: change.mtime_ns,
                ctime: Some(now),
            };
            ext2.set_attr(self.ino, &change)?;
            ext2.stat(self.ino)
        })?;
        self.refresh(&stat);
        Ok(())
    }

    fn lookup(&self, name: &[u8], _caller: &Caller) -> Result<Arc<dyn Inode>> {
        if self.kind != FileType::Directory {
            return Err(Errno::ENOTDIR.because("not a directory"));
        }
        let ino = self.shared.with(|ext2| ext2.lookup(self.ino, name))?;
        Ok(self.shared.node(ino)?)
    }

    fn read_dir(&self, from: u64, _caller: &Caller, sink: &mut DirSink<'_>) -> Result<()> {
        let mut from = from;
        loop {
            // The sink may not be called while the file system is locked.
            let entries = self.list(from)?;
            let Some((.., next)) = entries.last() else { return Ok(()) };
            from = *next;
            for (name, ino, kind, next) in &entries {
                let kind = kind.map_or(FileType::Regular, file_type);
                if !sink(DirEntry { name, ino: u64::from(*ino), kind, next: *next }) {
                    return Ok(());
                }
            }
        }
    }

    fn create(&self, name: &[u8], new: &NewNode<'_>) -> Result<Arc<dyn Inode>> {
        self.make(Some(name), new)
    }

    fn create_unnamed(&self, new: &NewNode<'_>) -> Result<Arc<dyn Inode>> {
        self.make(None, new)
    }

    fn link(&self, name: &[u8], target: &Arc<dyn Inode>) -> Result<()> {
        let target = node_of(target)?;
        self.change_names(|ext2, now| {
            ext2.link(self.ino, name, target.ino, now)?;
            Ok(((), Touched { inos: [Some(target.ino), None, None], removed: None }))
        })?;
        // It may have had no name until now.
        target.note_changed();
        Ok(())
    }

    fn unlink(&self, name: &[u8]) -> Result<()> {
        self.change_names(|ext2, now| {
            let removed = ext2.unlink(self.ino, name, now)?;
            Ok(((), Touched { inos: [Some(removed.ino), None, None], removed: Some(removed) }))
        })
    }

    fn rmdir(&self, name: &[u8]) -> Result<()> {
        self.change_names(|ext2, now| {
            let removed = ext2.rmdir(self.ino, name, now)?;
            Ok(((), Touched { inos: [Some(removed.ino), None, None], removed: Some(removed) }))
        })
    }

    fn rename(&self, name: &[u8], new_dir: &Arc<dyn Inode>, new_name: &[u8], flags: RenameFlags) -> Result<()> {
        if flags.contains(RenameFlags::RENAME_WHITEOUT) {
            return Err(Errno::EINVAL.because("there are no whiteouts"));
        }
        let to = node_of(new_dir)?.ino;
        let flags = Ext2RenameFlags {
            no_replace: flags.contains(RenameFlags::RENAME_NOREPLACE),
            exchange: flags.contains(RenameFlags::RENAME_EXCHANGE),
        };
        self.change_names(|ext2, now| {
            let moved = ext2.lookup(self.ino, name)?;
            let other = ext2.lookup(to, new_name).ok();
            let removed = ext2.rename(self.ino, name, to, new_name, flags, now)?;
            Ok(((), Touched { inos: [Some(moved), other, Some(to)], removed }))
        })
    }

    fn read_link(&self, _caller: &Caller) -> Result<Vec<u8>> {
        if self.kind != FileType::Symlink {
            return Err(Errno::EINVAL.because("not a symbolic link"));
        }
        self.shared.with(|ext2| ext2.read_link(self.ino))
    }

    fn open(self: Arc<Self>, opening: &Opening<'_>) -> Result<Arc<dyn FileOps>> {
        self.contents().map_err(|_| Errno::ENXIO.because("it cannot be opened"))?;
        let writes = opening.flags.access().writes();
        let appends = opening.flags.contains(OpenFlags::O_APPEND) && !opening.flags.contains(OpenFlags::O_TRUNC);
        if writes && (self.is_immutable || self.is_append_only && !appends) {
            return Err(Errno::EPERM.because("the file's flags forbid writing"));
        }
        Ok(Arc::new(Ext2File::new(self, writes)))
    }

    fn sync(&self) -> Result<()> {
        self.shared.sync_node(self)
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
        self.shared.forget(self.ino);
        self.release_if_nameless();
    }
}
