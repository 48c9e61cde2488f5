//! Mounting and unmounting, and the text of paths through mounts.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::fcntl::AT_FDCWD;

use crate::Kernel;
use crate::error::{Because, Result};
use crate::fs::{Caller, FileSystem, FileType, Last, Mount, MountFlags, NewKind, Parent, Path, Vfs, WalkFlags, tmpfs};

impl Vfs {
    /// Mounts a file system at a place.
    ///
    /// # Errors
    /// `ENOTDIR` if a directory would lie on a file or a file on a directory.
    pub fn mount_at(&self, fs: Arc<dyn FileSystem>, at: Path, flags: MountFlags, source: &[u8]) -> Result<Arc<Mount>> {
        let root = self.root_dentry(&fs);
        let mount = self.mounts().detached(fs, root, flags, source);
        self.attach(&mount, at)?;
        Ok(mount)
    }

    /// Makes a file system the root of the tree. What is opened from then on
    /// starts there; call it before there is any process.
    pub fn mount_root(&self, fs: Arc<dyn FileSystem>, flags: MountFlags, source: &[u8]) -> Arc<Mount> {
        let root = self.root_dentry(&fs);
        let mount = self.mounts().detached(fs, root, flags, source);
        let at = self.root();
        self.mounts().attach(&mount, at);
        mount
    }

    /// Mounts a file system at a path, for the embedder. Directories that are
    /// missing on the way are made in a file system in memory; anywhere else
    /// they appear for the guest without being made.
    ///
    /// # Errors
    /// As [`Vfs::mount_at`] and [`Vfs::resolve`].
    pub fn mount(
        &self,
        kernel: &Arc<Kernel>,
        fs: Arc<dyn FileSystem>,
        path: &[u8],
        flags: MountFlags,
        source: &str,
    ) -> Result<Arc<Mount>> {
        let is_dir = fs.root().kind() == FileType::Directory;
        let at = self.make_mountpoint(kernel, path, is_dir)?;
        self.mount_at(fs, at, flags, source.as_bytes())
    }

    /// As [`Vfs::mount`], with a file system made by its type's name.
    ///
    /// # Errors
    /// `ENODEV` if there is no such type; else as [`Vfs::mount`].
    pub fn mount_type(
        &self,
        kernel: &Arc<Kernel>,
        kind: &str,
        path: &[u8],
        flags: MountFlags,
        options: &str,
    ) -> Result<Arc<Mount>> {
        let found = self.file_system_type(kind).ok_or(Errno::ENODEV.because("no such file system type"))?;
        let fs = found.mount(kernel, kind.as_bytes(), options.as_bytes())?;
        self.mount(kernel, fs, path, flags, kind)
    }

    /// A place for a mount: what is at `path`, made if need be.
    fn make_mountpoint(&self, kernel: &Arc<Kernel>, path: &[u8], is_dir: bool) -> Result<Path> {
        let caller = Caller::kernel(kernel);
        let names: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).collect();
        let mut done = Vec::new();
        let mut at = self.root();
        for (index, name) in names.iter().enumerate() {
            done.push(b'/');
            done.extend_from_slice(name);
            at = match self.resolve(&caller, AT_FDCWD, &done, WalkFlags::FOLLOW) {
                Ok(found) => found,
                Err(error) if error.errno == Errno::ENOENT => {
                    let kind = if is_dir || index + 1 < names.len() { NewKind::Directory } else { NewKind::Regular };
                    self.make_place(&caller, &at, name, kind)?
                }
                Err(error) => return Err(error),
            };
        }
        Ok(at)
    }

    /// Makes `name` in a directory: truly in a file system in memory, elsewhere
    /// only as a name that leads to an empty file in memory.
    fn make_place(&self, caller: &Caller, dir: &Path, name: &[u8], kind: NewKind<'_>) -> Result<Path> {
        if dir.inode().as_any().is::<tmpfs::Node>() {
            let parent = Parent { dir: dir.clone(), last: Last::Name(name.to_vec()), has_slash: false };
            return self.create_at(caller, &parent, name, kind, 0o777);
        }
        let node = self.shm().0.unnamed_node(kind)?;
        let dentry = dir.dentry.uncached_child(name, node);
        dentry.set_synthetic();
        dir.dentry.pin_child(name, &dentry);
        Ok(dir.with_dentry(dentry))
    }

    /// Makes a file or directory visible at a second place. `with_mounts`
    /// takes what is mounted below it along.
    ///
    /// # Errors
    /// As [`Vfs::mount_at`].
    pub fn bind(&self, from: &Path, at: Path, flags: MountFlags, with_mounts: bool) -> Result<Arc<Mount>> {
        let source = from.mount.source().to_vec();
        let mount = self.mounts().detached(from.mount.fs().clone(), from.dentry.clone(), flags, &source);
        let below = if with_mounts { self.mounts_below(from) } else { Vec::new() };
        self.attach(&mount, at)?;
        // A mount below is repeated on the copy of what it lies on; those come
        // before it in the list.
        let mut copies = alloc::vec![(from.mount.clone(), mount.clone())];
        for original in below {
            let Some(place) = original.mountpoint() else { continue };
            let Some((_, copy)) = copies.iter().find(|(old, _)| Arc::ptr_eq(old, &place.mount)) else { continue };
            let again = self.mounts().detached(
                original.fs().clone(),
                original.root().clone(),
                original.flags(),
                original.source(),
            );
            self.mounts().attach(&again, Path { mount: copy.clone(), dentry: place.dentry });
            copies.push((original, again));
        }
        Ok(mount)
    }

    /// The mounts that lie at or below a place, in the order of their making.
    fn mounts_below(&self, path: &Path) -> Vec<Arc<Mount>> {
        let mut found: Vec<Arc<Mount>> = Vec::new();
        for mount in self.mounts().list() {
            let Some(at) = mount.mountpoint() else { continue };
            let is_direct = Arc::ptr_eq(&at.mount, &path.mount) && at.dentry.is_within(&path.dentry);
            if is_direct || found.iter().any(|above| Arc::ptr_eq(above, &at.mount)) {
                found.push(mount);
            }
        }
        found
    }

    /// Moves a mount to another place.
    ///
    /// # Errors
    /// `EINVAL` if `from` is no mount's root or is the root of the tree,
    /// `ELOOP` if the new place lies on the mount itself.
    pub fn move_mount(&self, from: &Path, to: Path) -> Result<()> {
        if !Arc::ptr_eq(&from.dentry, from.mount.root()) || from.mount.mountpoint().is_none() {
            return Err(Errno::EINVAL.because("no mount that can be moved"));
        }
        check_kinds(from.inode().kind(), &to)?;
        let mut above = Some(to.mount.clone());
        while let Some(mount) = above {
            if Arc::ptr_eq(&mount, &from.mount) {
                return Err(Errno::ELOOP.because("a mount cannot lie on itself"));
            }
            above = mount.mountpoint().map(|at| at.mount);
        }
        self.pin(&to);
        self.mounts().relocate(&from.mount, to);
        Ok(())
    }

    /// Takes the mount whose root is `path` off.
    ///
    /// # Errors
    /// `EINVAL` if nothing is mounted there, `EBUSY` if it is in use, unless
    /// `lazily`.
    pub fn unmount(&self, path: Path, lazily: bool) -> Result<()> {
        if !Arc::ptr_eq(&path.dentry, path.mount.root()) || path.mount.mountpoint().is_none() {
            return Err(Errno::EINVAL.because("nothing is mounted there"));
        }
        let mount = path.mount;
        drop(path.dentry);
        mount.fs().sync()?;
        self.mounts().detach(&mount, lazily)?;
        self.dentries.forget(Some(mount.root()));
        Ok(())
    }

    /// Writes out everything that is not on a disk or in a host's files yet.
    pub fn sync_all(&self) {
        for mount in self.mounts().list() {
            // `sync` reports nothing; `fsync` of a file does.
            let _ = mount.fs().sync();
        }
        let _ = self.blocks().sync_all();
    }

    /// Writes everything out and leaves every disk as if it were unmounted.
    /// The embedder calls it once the guest has ended; nothing is written
    /// after it.
    pub fn shut_down(&self) {
        let _ = self.blocks().sync_all();
        for mount in self.mounts().list().iter().rev() {
            if let Err(error) = mount.fs().shut_down()
                && let Some(kernel) = self.kernel()
            {
                let source = mount.source().escape_ascii();
                kernel.machine().log(format_args!("{source}: cannot be written: {}", error.errno));
            }
        }
    }

    fn attach(&self, mount: &Arc<Mount>, at: Path) -> Result<()> {
        check_kinds(mount.root().inode().kind(), &at)?;
        if at.dentry.is_deleted() {
            return Err(Errno::ENOENT.because("the mount point has been removed"));
        }
        self.pin(&at);
        self.mounts().attach(mount, at);
        Ok(())
    }

    /// Makes a mount point's dentry the one that a walk finds, also where
    /// names are not cached.
    fn pin(&self, at: &Path) {
        let (parent, name) = at.dentry.parent_and_name();
        if let Some(parent) = parent {
            parent.pin_child(&name, &at.dentry);
        }
    }

    /// The text of a path, as seen from `root`, or from the root of the tree if
    /// the path does not lie below `root`.
    #[must_use]
    pub fn path_text(&self, root: &Path, path: &Path) -> Vec<u8> {
        self.path_text_and_reach(root, path).0
    }

    /// As [`Vfs::path_text`], and whether the path lies below `root`.
    pub(super) fn path_text_and_reach(&self, root: &Path, path: &Path) -> (Vec<u8>, bool) {
        let mut names = Vec::new();
        let mut at = path.clone();
        let is_reached = loop {
            if at.is_same(root) {
                break true;
            }
            if Arc::ptr_eq(&at.dentry, at.mount.root()) {
                match at.mount.mountpoint() {
                    Some(below) => at = below,
                    None => break false,
                }
                continue;
            }
            let (parent, name) = at.dentry.parent_and_name();
            match parent {
                Some(parent) => {
                    names.push(name);
                    at.dentry = parent;
                }
                None => {
                    // A file that no directory names shows its name as it is.
                    if names.is_empty() {
                        return (name.to_vec(), false);
                    }
                    break false;
                }
            }
        };
        let mut text = Vec::new();
        for name in names.iter().rev() {
            text.push(b'/');
            text.extend_from_slice(name);
        }
        if text.is_empty() {
            text.push(b'/');
        }
        (text, is_reached)
    }

    /// As [`Vfs::path_text`], with ` (deleted)` after a name that is gone, as
    /// `/proc` shows it.
    #[must_use]
    pub fn link_text(&self, root: &Path, path: &Path) -> Vec<u8> {
        let mut text = self.path_text(root, path);
        if path.dentry.is_deleted() {
            text.extend_from_slice(b" (deleted)");
        }
        text
    }
}

fn check_kinds(kind: FileType, at: &Path) -> Result<()> {
    let (is_dir, on_dir) = (kind == FileType::Directory, at.inode().kind() == FileType::Directory);
    if is_dir == on_dir {
        Ok(())
    } else {
        Err(Errno::ENOTDIR.because("a directory goes on a directory, a file on a file"))
    }
}
