//! [`Vfs`]: everything about files that belongs to one kernel.

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashMap;
use linux_abi::stat::makedev;
use machine::Machine;
use machine::sync::{Mutex, MutexGuard, RwLock};

use crate::Kernel;
use crate::fs::anon::AnonFs;
use crate::fs::block::BlockDevices;
use crate::fs::dentry::DentryCache;
use crate::fs::devfs;
use crate::fs::device::{CharDevices, CharDriver};
use crate::fs::locks::LockTable;
use crate::fs::mount::{MountFlags, MountTable};
use crate::fs::pipe::{self, Fifos, PipeEnd};
use crate::fs::tmpfs::{TmpFs, TmpFsOptions, TmpFsType};
use crate::fs::{Dentry, FileSystem, FileSystemType, Mount, Path};

/// The mount tree and everything below it.
pub struct Vfs {
    kernel: Weak<Kernel>,
    mounts: MountTable,
    root: Path,
    rootfs: Arc<TmpFs>,
    pub(super) dentries: DentryCache,
    anon: Arc<AnonFs>,
    anon_mount: Arc<Mount>,
    types: RwLock<BTreeMap<&'static str, Arc<dyn FileSystemType>>>,
    devices: CharDevices,
    blocks: BlockDevices,
    locks: LockTable,
    last_dev: AtomicU64,
    machine: Arc<dyn Machine>,
    fifos: Fifos,
    /// Files of `memfd_create`.
    shm: Arc<TmpFs>,
    shm_mount: Arc<Mount>,
    devtmpfs: Arc<TmpFs>,
    /// The root dentry of each file system that is mounted, by its address:
    /// all mounts of one file system share their dentries.
    roots: Mutex<HashMap<usize, Weak<Dentry>>>,
    /// Held by whoever renames, so that two directories can be locked.
    renames: Mutex<()>,
}

impl fmt::Debug for Vfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vfs({:?})", self.mounts)
    }
}

impl Vfs {
    pub(crate) fn new(kernel: Weak<Kernel>, machine: &Arc<dyn Machine>) -> Self {
        let mounts = MountTable::default();
        let anon = AnonFs::new(makedev(0, 1));
        let anon_mount = mounts.detached(anon.clone(), Dentry::root(anon.root()), MountFlags::empty(), b"anon_inodefs");
        let tmpfs = |dev, name, mode| {
            let options = TmpFsOptions { mode, ..TmpFsOptions::default() };
            TmpFs::new(kernel.clone(), machine.clone(), dev, name, &options)
        };
        let rootfs = tmpfs(makedev(0, 2), "rootfs", 0o755);
        let root = mounts.detached(rootfs.clone(), Dentry::root(rootfs.root()), MountFlags::empty(), b"rootfs");
        mounts.add_root(&root);
        let shm = tmpfs(makedev(0, 3), "tmpfs", 0o1777);
        let shm_mount = mounts.detached(shm.clone(), Dentry::root(shm.root()), MountFlags::empty(), b"tmpfs");
        let devtmpfs = tmpfs(makedev(0, 4), "devtmpfs", 0o755);
        let devices = CharDevices::default();
        let vfs = Self {
            kernel,
            mounts,
            root: root.root_path(),
            rootfs,
            dentries: DentryCache::default(),
            anon,
            anon_mount,
            types: RwLock::new(built_in_types()),
            devices,
            blocks: BlockDevices::new(&**machine),
            locks: LockTable::default(),
            last_dev: AtomicU64::new(15),
            machine: machine.clone(),
            fifos: Fifos::default(),
            shm,
            shm_mount,
            devtmpfs,
            roots: Mutex::default(),
            renames: Mutex::new(()),
        };
        if let Err(error) = devfs::install(&vfs) {
            machine.log(format_args!("devfs: {}", error.errno));
        }
        vfs
    }

    /// The file system that names the devices.
    #[must_use]
    pub fn devtmpfs(&self) -> &Arc<TmpFs> {
        &self.devtmpfs
    }

    /// The root dentry of a file system, the same for all its mounts.
    pub(super) fn root_dentry(&self, fs: &Arc<dyn FileSystem>) -> Arc<Dentry> {
        let key = Arc::as_ptr(fs).cast::<()>() as usize;
        let mut roots = self.roots.lock();
        roots.retain(|_, root| root.strong_count() > 0);
        if let Some(root) = roots.get(&key).and_then(Weak::upgrade) {
            return root;
        }
        let root = Dentry::root(fs.root());
        roots.insert(key, Arc::downgrade(&root));
        root
    }

    /// The kernel, unless it is being torn down.
    #[must_use]
    pub fn kernel(&self) -> Option<Arc<Kernel>> {
        self.kernel.upgrade()
    }

    /// The root of the tree, with what is mounted on it.
    #[must_use]
    pub fn root(&self) -> Path {
        self.mounts.topmost(self.root.clone())
    }

    /// The file system at the bottom of the tree: in memory, empty at first.
    #[must_use]
    pub fn rootfs(&self) -> &Arc<TmpFs> {
        &self.rootfs
    }

    /// The mounts.
    #[must_use]
    pub fn mounts(&self) -> &MountTable {
        &self.mounts
    }

    /// The character devices.
    #[must_use]
    pub fn devices(&self) -> &CharDevices {
        &self.devices
    }

    /// The block devices.
    #[must_use]
    pub fn blocks(&self) -> &BlockDevices {
        &self.blocks
    }

    pub(crate) fn fifos(&self) -> &Fifos {
        &self.fifos
    }

    pub(super) fn lock_renames(&self) -> MutexGuard<'_, ()> {
        self.renames.lock()
    }

    /// Nanoseconds since 1970, for the times of files.
    #[must_use]
    pub fn now_ns(&self) -> i64 {
        super::wall_ns(&*self.machine)
    }

    /// The file system of `memfd_create`, and where its files are.
    pub(super) fn shm(&self) -> (&Arc<TmpFs>, &Arc<Mount>) {
        (&self.shm, &self.shm_mount)
    }

    /// The reading and the writing end of a new pipe, and where they are.
    pub(super) fn new_pipe(&self, uid: u32, gid: u32) -> (Arc<PipeEnd>, Arc<PipeEnd>, Path) {
        let pipe = self.fifos.new_pipe();
        let (reader, writer) = pipe::ends(&pipe);
        let dentry = self.anon.pipe_dentry(&pipe, uid, gid, self.now_ns());
        (reader, writer, Path { mount: self.anon_mount.clone(), dentry })
    }

    pub(crate) fn locks(&self) -> &LockTable {
        &self.locks
    }

    /// A device number for a file system that lies on no device.
    #[must_use]
    pub fn next_dev(&self) -> u64 {
        let minor = self.last_dev.fetch_add(1, Ordering::Relaxed) + 1;
        makedev(0, u32::try_from(minor & 0xf_ffff).unwrap_or(0))
    }

    /// A place for a file without a name; see [`super::File::anonymous`].
    #[must_use]
    pub fn anonymous_path(&self, name: &str) -> Path {
        Path { mount: self.anon_mount.clone(), dentry: self.anon.dentry(name) }
    }

    /// A place for a new socket of this owner.
    pub(crate) fn socket_path(&self, uid: u32, gid: u32) -> Path {
        Path { mount: self.anon_mount.clone(), dentry: self.anon.socket_dentry(uid, gid, self.now_ns()) }
    }

    /// A place for a dentry that lies in no directory.
    pub(super) fn unnamed_path(&self, dentry: Arc<Dentry>) -> Path {
        Path { mount: self.anon_mount.clone(), dentry }
    }

    /// Makes a type of file system known to `mount`.
    pub fn register_type(&self, kind: Arc<dyn FileSystemType>) {
        self.types.write().insert(kind.name(), kind);
    }

    /// The type of that name.
    #[must_use]
    pub fn file_system_type(&self, name: &str) -> Option<Arc<dyn FileSystemType>> {
        self.types.read().get(name).cloned()
    }

    /// The names of all types, for `/proc/filesystems`.
    #[must_use]
    pub fn type_names(&self) -> Vec<&'static str> {
        self.types.read().keys().copied().collect()
    }

    /// Gives a character device its driver, and a name in devfs unless `name`
    /// is empty. `mode` is that of the name.
    pub fn register_char(&self, major: u32, minor: u32, name: &str, mode: u32, driver: Arc<dyn CharDriver>) {
        self.devices.register(major, minor, name, driver);
        if name.is_empty() {
            return;
        }
        if let Err(error) = devfs::add_node(&self.devtmpfs, name, mode, (major, minor), self.now_ns()) {
            self.machine.log(format_args!("devfs: no node for {name}: {}", error.errno));
        }
    }

    /// One driver for all minor numbers of `major` that have none themselves.
    /// `name` is for `/proc/devices`.
    pub fn register_char_major(&self, major: u32, name: &str, driver: Arc<dyn CharDriver>) {
        self.devices.register_major(major, name, driver);
    }
}

/// The types that are there from the start.
fn built_in_types() -> BTreeMap<&'static str, Arc<dyn FileSystemType>> {
    let mut types = BTreeMap::<&'static str, Arc<dyn FileSystemType>>::new();
    for name in ["tmpfs", "ramfs"] {
        types.insert(name, Arc::new(TmpFsType(name)));
    }
    types.insert("devtmpfs", Arc::new(devfs::DevTmpFsType));
    for kind in super::ext2::Ext2Type::all() {
        types.insert(kind.name(), Arc::new(kind));
    }
    types.insert("proc", Arc::new(super::procfs::ProcFsType));
    types
}
