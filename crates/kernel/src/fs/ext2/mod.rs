//! ext2 and ext3 on a disk: the crate `ext2` behind the traits of this kernel.
//!
//! [`Ext2Fs`] is a mounted file system. Its inodes ([`node`]) hold attributes,
//! and the contents of regular files in the page cache ([`pages`]); a read or
//! write of what is cached takes only the file's own locks. Blocks are found
//! and reserved when a file is written, so that `write` reports a full disk;
//! what has changed is written out by [`flush`].
//!
//! Lock order: an inode's order of writes, its object's locks, the table of
//! inodes, the file system itself ([`Shared::ext2`]), then an inode's state and
//! known blocks and the list of changed inodes, which are leaves. An inode may
//! go while its object's pages are locked, but never while the file system is.

mod device;
mod file;
mod flush;
mod node;
mod pages;
mod ranges;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use ::ext2::{Ext2, MountOptions};
use hashbrown::HashMap;
use linux_abi::Errno;
use linux_abi::stat::EXT2_SUPER_MAGIC;
use machine::Machine;
use machine::sync::Mutex;

use self::device::DiskDevice;
use self::node::Node;
use crate::Kernel;
use crate::error::{Because, Error, Result};
use crate::fs::block::Claim;
use crate::fs::{Disk, FileSystem, FileSystemType, Inode, MountFlags, StatFs};
use crate::mm::FrameRefs;
use crate::sched::WaitQueue;

/// How many contradictions on the disk are told to the machine's log.
const MAX_COMPLAINTS: u32 = 20;

/// What the inodes of one file system share.
struct Shared {
    me: Weak<Self>,
    kernel: Weak<Kernel>,
    machine: Arc<dyn Machine>,
    frames: Arc<FrameRefs>,
    disk: Arc<Disk>,
    claim: Claim,
    block_size: u64,
    max_file_size: u64,
    /// `None` once it has been shut down.
    ext2: Mutex<Option<Ext2>>,
    /// The inodes that exist.
    nodes: Mutex<HashMap<u32, Weak<Node>>>,
    /// Inodes with something to write, which this keeps alive.
    changed: Mutex<BTreeMap<u32, Arc<Node>>>,
    /// The disk's file system differs from the last commit.
    has_changes: AtomicBool,
    /// The flusher knows that there is something to do.
    is_flush_due: AtomicBool,
    /// It is not to wait any longer.
    is_flush_urgent: AtomicBool,
    flush_news: WaitQueue,
    is_read_only: AtomicBool,
    /// Open files that may be written.
    writers: AtomicUsize,
    complaints: AtomicU32,
}

impl Shared {
    fn now_ns(&self) -> i64 {
        super::wall_ns(&*self.machine)
    }

    fn kernel(&self) -> Result<Arc<Kernel>> {
        self.kernel.upgrade().ok_or(Errno::EIO.because("the kernel is shutting down"))
    }

    fn is_read_only(&self) -> bool {
        self.is_read_only.load(Ordering::Relaxed)
    }

    /// Asks the file system. Nothing that `act` drops may be an inode.
    fn with<T>(&self, act: impl FnOnce(&mut Ext2) -> ::ext2::Result<T>) -> Result<T> {
        let result = {
            let mut ext2 = self.ext2.lock();
            act(ext2.as_mut().ok_or(Errno::EIO.because("the file system has been shut down"))?)
        };
        result.map_err(|error| self.error(&error))
    }

    /// Changes the file system.
    fn change<T>(&self, act: impl FnOnce(&mut Ext2) -> ::ext2::Result<T>) -> Result<T> {
        if self.is_read_only() {
            return Err(Errno::EROFS.because("the file system is read-only"));
        }
        let result = self.with(act)?;
        self.has_changes.store(true, Ordering::SeqCst);
        self.note_flush_due();
        Ok(result)
    }

    /// An error of the file system as the guest sees it.
    fn error(&self, error: &::ext2::Error) -> Error {
        let is_damage = matches!(error, ::ext2::Error::Corrupt(_) | ::ext2::Error::Device(_));
        if is_damage && self.complaints.fetch_add(1, Ordering::Relaxed) < MAX_COMPLAINTS {
            self.machine.log(format_args!("ext2 on {}: {error}", self.disk.name()));
        }
        error.errno().into()
    }

    /// The inode of this number, which some directory names, or the root.
    fn node(&self, ino: u32) -> Result<Arc<Node>> {
        let mut nodes = self.nodes.lock();
        if let Some(node) = nodes.get(&ino).and_then(Weak::upgrade) {
            return Ok(node);
        }
        let stat = self.with(|ext2| ext2.stat(ino))?;
        let node = Node::new(self, &stat)?;
        nodes.insert(ino, Arc::downgrade(&node));
        Ok(node)
    }

    /// The inode of this number if it exists already.
    fn existing_node(&self, ino: u32) -> Option<Arc<Node>> {
        self.nodes.lock().get(&ino).and_then(Weak::upgrade)
    }

    fn forget(&self, ino: u32) {
        let mut nodes = self.nodes.lock();
        if nodes.get(&ino).is_some_and(|node| node.strong_count() == 0) {
            nodes.remove(&ino);
        }
    }

    /// Removes what has no names any more and was never met.
    fn release(&self, ino: u32) -> Result<()> {
        let now = self.now_ns();
        self.change(|ext2| ext2.release(ino, now))
    }

    /// Writes everything out and lets go of the disk's file system.
    fn close(&self) -> Result<()> {
        let flushed = if self.is_read_only() { Ok(()) } else { self.flush_all() };
        // What is open without a name would be lost room until a recovery.
        let nameless: Vec<u32> = self.nodes.lock().iter().map(|(ino, _)| *ino).collect();
        for node in nameless.into_iter().filter_map(|ino| self.existing_node(ino)) {
            node.release_if_nameless();
        }
        let ext2 = self.ext2.lock().take();
        self.flush_news.wake_all();
        let Some(ext2) = ext2 else { return flushed };
        let unmounted = ext2.unmount().map(drop).map_err(|error| self.error(&error));
        flushed.and(unmounted)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // `umount` has reported errors already, from its own sync.
        let _ = self.close();
    }
}

/// A mounted ext2 or ext3 file system.
pub(crate) struct Ext2Fs {
    shared: Arc<Shared>,
    root: Arc<Node>,
    name: &'static str,
}

impl fmt::Debug for Ext2Fs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ext2Fs({}, {} inodes)", self.shared.disk.name(), self.shared.nodes.lock().len())
    }
}

impl Ext2Fs {
    /// Mounts what is on a disk.
    fn new(kernel: &Arc<Kernel>, disk: &Arc<Disk>, read_only: bool, name: &'static str) -> Result<Arc<Self>> {
        let claim = disk.claim(!read_only)?;
        let ext2 = mount(kernel, disk, read_only)?;
        let shared = Arc::new_cyclic(|me| Shared {
            me: me.clone(),
            kernel: Arc::downgrade(kernel),
            machine: kernel.machine().clone(),
            frames: kernel.frames().clone(),
            disk: disk.clone(),
            claim,
            block_size: u64::from(ext2.block_size()).max(1024),
            max_file_size: ext2.max_file_size(),
            nodes: Mutex::default(),
            changed: Mutex::default(),
            has_changes: AtomicBool::new(false),
            is_flush_due: AtomicBool::new(false),
            is_flush_urgent: AtomicBool::new(false),
            flush_news: WaitQueue::new(),
            is_read_only: AtomicBool::new(read_only),
            writers: AtomicUsize::new(0),
            complaints: AtomicU32::new(0),
            ext2: Mutex::new(Some(ext2)),
        });
        let root = shared.with(|ext2| Ok(ext2.root()))?;
        let root = shared.node(root)?;
        kernel.spawn_background(flush::flusher(Arc::downgrade(&shared)));
        Ok(Arc::new(Self { shared, root, name }))
    }
}

/// Mounts what is on a disk that has been claimed.
fn mount(kernel: &Kernel, disk: &Arc<Disk>, read_only: bool) -> Result<Ext2> {
    let device = Box::new(DiskDevice::new(disk.clone()));
    let options = MountOptions { read_only, ..MountOptions::default() };
    Ext2::mount(device, options).map_err(|error| {
        kernel.machine().log(format_args!("ext2 on {}: {error}", disk.name()));
        match error {
            ::ext2::Error::Unsupported(_) => Errno::EINVAL.because("the disk holds no ext2 file system that is known"),
            error => error.errno().into(),
        }
    })
}

impl FileSystem for Ext2Fs {
    fn name(&self) -> &'static str {
        self.name
    }

    fn root(&self) -> Arc<dyn Inode> {
        self.root.clone()
    }

    fn dev(&self) -> u64 {
        self.shared.disk.number()
    }

    fn stat_fs(&self) -> Result<StatFs> {
        let stat = self.shared.with(|ext2| Ok(ext2.statfs()))?;
        Ok(StatFs {
            magic: EXT2_SUPER_MAGIC,
            block_size: u64::from(stat.block_size),
            blocks: stat.blocks,
            blocks_free: stat.free_blocks,
            blocks_available: stat.available_blocks,
            files: stat.inodes,
            files_free: stat.free_inodes,
            name_max: 255,
        })
    }

    fn sync(&self) -> Result<()> {
        self.shared.flush_all()
    }

    fn set_read_only(&self, read_only: bool) -> Result<()> {
        self.shared.set_read_only(read_only)
    }

    fn shut_down(&self) -> Result<()> {
        self.shared.close()
    }
}

impl Shared {
    /// Goes from reading and writing to reading only, or back.
    fn set_read_only(&self, read_only: bool) -> Result<()> {
        if read_only == self.is_read_only() {
            return if read_only { Ok(()) } else { self.flush_all() };
        }
        let kernel = self.kernel()?;
        if read_only {
            if self.writers.load(Ordering::SeqCst) > 0 {
                return Err(Errno::EBUSY.because("files are open for writing"));
            }
            self.flush_all()?;
            if self.has_nameless() {
                return Err(Errno::EBUSY.because("a file without a name is in use"));
            }
        } else {
            self.claim.set_writing(true)?;
        }
        let remounted = self.remount(&kernel, read_only);
        if remounted.is_ok() {
            self.is_read_only.store(read_only, Ordering::SeqCst);
        }
        if self.is_read_only() {
            self.claim.set_writing(false)?;
        }
        remounted
    }

    /// Takes the file system off the disk and mounts it again, while nobody
    /// can use it.
    fn remount(&self, kernel: &Kernel, read_only: bool) -> Result<()> {
        let mut ext2 = self.ext2.lock();
        let old = ext2.take().ok_or(Errno::EIO.because("the file system has been shut down"))?;
        old.unmount().map(drop).map_err(|error| self.error(&error))?;
        match mount(kernel, &self.disk, read_only) {
            Ok(new) => {
                *ext2 = Some(new);
                Ok(())
            }
            Err(error) => {
                // As it was before.
                *ext2 = mount(kernel, &self.disk, self.is_read_only()).ok();
                Err(error)
            }
        }
    }

    fn has_nameless(&self) -> bool {
        let inos: Vec<u32> = self.nodes.lock().keys().copied().collect();
        inos.into_iter().filter_map(|ino| self.existing_node(ino)).any(|node| node.is_nameless())
    }
}

/// The type `ext2`, or `ext3`, which is the same with a journal.
pub(super) struct Ext2Type {
    name: &'static str,
    /// What is mounted, by the disk's number; all names share it.
    mounted: Arc<Mounted>,
}

type Mounted = Mutex<HashMap<u64, Weak<Ext2Fs>>>;

impl Ext2Type {
    /// All names of the type.
    pub(super) fn all() -> [Self; 2] {
        let mounted = Arc::<Mounted>::default();
        ["ext2", "ext3"].map(|name| Self { name, mounted: mounted.clone() })
    }
}

impl FileSystemType for Ext2Type {
    fn name(&self) -> &'static str {
        self.name
    }

    fn mount(&self, _kernel: &Arc<Kernel>, _source: &[u8], _options: &[u8]) -> Result<Arc<dyn FileSystem>> {
        Err(Errno::ENOTBLK.because("this file system lies on a disk"))
    }

    fn needs_disk(&self) -> bool {
        true
    }

    fn mount_disk(
        &self,
        kernel: &Arc<Kernel>,
        disk: &Arc<Disk>,
        flags: MountFlags,
        options: &[u8],
    ) -> Result<Arc<dyn FileSystem>> {
        check_options(options)?;
        let read_only = flags.contains(MountFlags::READ_ONLY);
        let mut mounted = self.mounted.lock();
        mounted.retain(|_, fs| fs.strong_count() > 0);
        if let Some(fs) = mounted.get(&disk.number()).and_then(Weak::upgrade) {
            drop(mounted);
            if fs.shared.is_read_only() != read_only {
                return Err(Errno::EBUSY.because("it is mounted the other way already"));
            }
            return Ok(fs);
        }
        let fs = Ext2Fs::new(kernel, disk, read_only, self.name)?;
        mounted.insert(disk.number(), Arc::downgrade(&fs));
        Ok(fs)
    }
}

/// Options that ask for what is done anyway are accepted.
fn check_options(options: &[u8]) -> Result<()> {
    let known: [&[u8]; 12] = [
        b"defaults",
        b"errors=continue",
        b"errors=remount-ro",
        b"data=ordered",
        b"data=writeback",
        b"barrier",
        b"barrier=1",
        b"acl",
        b"noacl",
        b"user_xattr",
        b"nouser_xattr",
        b"relatime",
    ];
    let mut options = options.split(|byte| *byte == b',').filter(|option| !option.is_empty());
    if options.all(|option| known.contains(&option)) {
        return Ok(());
    }
    Err(Errno::EINVAL.because("a mount option has no meaning"))
}
