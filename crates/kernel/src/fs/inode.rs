//! The traits that a file system implements: [`Inode`] and [`FileSystem`].
//!
//! An inode knows its contents and, if it is a directory, the names in it. It
//! knows nothing of paths, mounts and permissions: the walk ([`super::Vfs`])
//! checks those before it calls an inode.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;

use linux_abi::Errno;
use linux_abi::fcntl::{OpenFlags, RenameFlags};

use crate::Kernel;
use crate::error::{Because, Result};
use crate::fs::{Attr, Caller, Disk, FileOps, FileType, MountFlags, Path, SetAttr, StatFs};

/// One name in a directory.
#[derive(Clone, Copy, Debug)]
pub struct DirEntry<'a> {
    /// The name, without `/`.
    pub name: &'a [u8],
    /// The inode number.
    pub ino: u64,
    /// The type.
    pub kind: FileType,
    /// Where reading goes on after this entry.
    pub next: u64,
}

/// One name in a directory that is listed as a whole.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The name, without `/`.
    pub name: Vec<u8>,
    /// The inode number.
    pub ino: u64,
    /// The type.
    pub kind: FileType,
}

/// Takes directory entries; `false` means that this one did not fit.
pub type DirSink<'a> = dyn FnMut(DirEntry<'_>) -> bool + 'a;

/// A file to be made in a directory.
#[derive(Clone, Copy, Debug)]
pub struct NewNode<'a> {
    /// The type, and what goes with it.
    pub kind: NewKind<'a>,
    /// Permission bits, the umask applied.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// The type of a file to be made, and what goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewKind<'a> {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link to this path.
    Symlink(&'a [u8]),
    /// A FIFO.
    Fifo,
    /// A socket.
    Socket,
    /// A character device of this number.
    CharDevice(u64),
    /// A block device of this number.
    BlockDevice(u64),
}

impl NewKind<'_> {
    /// The type alone.
    #[must_use]
    pub const fn file_type(&self) -> FileType {
        match self {
            Self::Regular => FileType::Regular,
            Self::Directory => FileType::Directory,
            Self::Symlink(_) => FileType::Symlink,
            Self::Fifo => FileType::Fifo,
            Self::Socket => FileType::Socket,
            Self::CharDevice(_) => FileType::CharDevice,
            Self::BlockDevice(_) => FileType::BlockDevice,
        }
    }
}

/// How long what a directory said about a name stays true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameCaching {
    /// Until it is changed through this kernel.
    Always,
    /// Not at all: names come and go by themselves (`/proc`).
    Never,
    /// While [`Inode::name_caching`] gives this same number.
    While(u64),
}

/// How a file is being opened.
#[derive(Debug)]
pub struct Opening<'a> {
    /// Who opens it.
    pub caller: &'a Caller,
    /// The flags of `open`.
    pub flags: OpenFlags,
    /// Where it was found.
    pub path: &'a Path,
}

/// A file, directory, link or device in a file system.
pub trait Inode: Send + Sync + 'static {
    /// The type, which never changes.
    fn kind(&self) -> FileType;

    /// Everything that `stat` tells.
    ///
    /// # Errors
    /// `EIO` and the like from a file system that is not in memory.
    fn attr(&self) -> Result<Attr>;

    /// Sets attributes and the change time.
    ///
    /// # Errors
    /// `EPERM` where the file system has no attributes to set.
    fn set_attr(&self, _change: &SetAttr) -> Result<()> {
        Err(Errno::EPERM.because("this file system's attributes are fixed"))
    }

    /// The file called `name` here; never `.` or `..`.
    ///
    /// # Errors
    /// `ENOENT`, or `ENOTDIR` if this is no directory.
    fn lookup(&self, _name: &[u8], _caller: &Caller) -> Result<Arc<dyn Inode>> {
        Err(Errno::ENOTDIR.because("not a directory"))
    }

    /// How long what [`Inode::lookup`] says stays true.
    fn name_caching(&self) -> NameCaching {
        NameCaching::Always
    }

    /// The whole directory, for a file system whose entries have no positions
    /// that outlast a change; `None` where [`Inode::read_dir`] serves.
    fn list_all(&self) -> Option<Result<Vec<Listing>>> {
        None
    }

    /// Gives `sink` the entries from position `from` on (0 at first; `.` and
    /// `..` are not among them), until it takes no more.
    ///
    /// # Errors
    /// `ENOTDIR` if this is no directory.
    fn read_dir(&self, _from: u64, _caller: &Caller, _sink: &mut DirSink<'_>) -> Result<()> {
        Err(Errno::ENOTDIR.because("not a directory"))
    }

    /// Makes a file called `name`, which does not exist here.
    ///
    /// # Errors
    /// `EEXIST`, `ENOSPC`, and `EPERM` for a type this file system cannot hold.
    fn create(&self, _name: &[u8], _node: &NewNode<'_>) -> Result<Arc<dyn Inode>> {
        Err(Errno::EPERM.because("nothing can be made here"))
    }

    /// Makes a regular file without a name, for `O_TMPFILE`.
    ///
    /// # Errors
    /// `EOPNOTSUPP` where that is not possible.
    fn create_unnamed(&self, _node: &NewNode<'_>) -> Result<Arc<dyn Inode>> {
        Err(Errno::EOPNOTSUPP.because("no unnamed files in this file system"))
    }

    /// Gives `target`, of the same file system, the further name `name` here.
    ///
    /// # Errors
    /// `EEXIST`, `EMLINK`, and `EPERM` where there are no hard links.
    fn link(&self, _name: &[u8], _target: &Arc<dyn Inode>) -> Result<()> {
        Err(Errno::EPERM.because("no hard links in this file system"))
    }

    /// Removes the name of a file that is not a directory.
    ///
    /// # Errors
    /// `ENOENT`, `EISDIR`, `EPERM`.
    fn unlink(&self, _name: &[u8]) -> Result<()> {
        Err(Errno::EPERM.because("nothing can be removed here"))
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, `ENOTEMPTY`, `EPERM`.
    fn rmdir(&self, _name: &[u8]) -> Result<()> {
        Err(Errno::EPERM.because("nothing can be removed here"))
    }

    /// Moves `name` to `new_name` in `new_dir`, of the same file system. What
    /// `new_name` was before is gone after, unless it is exchanged.
    ///
    /// # Errors
    /// `EEXIST`, `ENOENT`, `ENOTDIR`, `EISDIR`, `ENOTEMPTY`, `EINVAL`, `EPERM`.
    fn rename(&self, _name: &[u8], _new_dir: &Arc<dyn Inode>, _new_name: &[u8], _flags: RenameFlags) -> Result<()> {
        Err(Errno::EPERM.because("nothing can be renamed here"))
    }

    /// What a symbolic link holds.
    ///
    /// # Errors
    /// `EINVAL` if this is none.
    fn read_link(&self, _caller: &Caller) -> Result<Vec<u8>> {
        Err(Errno::EINVAL.because("not a symbolic link"))
    }

    /// Where a link leads that is not followed by its text (`/proc/self/fd/3`).
    fn magic_link(&self, _caller: &Caller) -> Option<Result<Path>> {
        None
    }

    /// Opens a regular file, or whatever else is not a directory, a device, a
    /// FIFO or a socket: those are opened by the kernel itself.
    ///
    /// # Errors
    /// As `open`.
    fn open(self: Arc<Self>, _opening: &Opening<'_>) -> Result<Arc<dyn FileOps>> {
        Err(Errno::ENXIO.because("it cannot be opened"))
    }

    /// Opens what is no regular file and yet not found by a number: the same
    /// pipe or stream again, through `/proc/self/fd`. `None` for everything
    /// that the kernel opens by type.
    fn open_again(self: Arc<Self>, _opening: &Opening<'_>) -> Option<Result<Arc<dyn FileOps>>> {
        None
    }

    /// Waits until what [`Inode::attr`] tells, and a directory's names, are
    /// safe. A regular file's contents have a way of their own,
    /// [`FileOps::sync`].
    ///
    /// # Errors
    /// `EIO`, `ENOSPC`.
    fn sync(&self) -> Result<()> {
        Ok(())
    }

    /// For the file system that made it to find its own type again.
    fn as_any(&self) -> &dyn Any;

    /// As [`Inode::as_any`], with the reference.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

/// A file system that is mounted somewhere.
pub trait FileSystem: Send + Sync + 'static {
    /// The type's name, as in `/proc/filesystems`.
    fn name(&self) -> &'static str;

    /// The topmost directory.
    fn root(&self) -> Arc<dyn Inode>;

    /// The device number, as `st_dev`.
    fn dev(&self) -> u64;

    /// Size and use.
    ///
    /// # Errors
    /// As `statfs`.
    fn stat_fs(&self) -> Result<StatFs>;

    /// Options for `/proc/mounts` beyond the mount's own, each with a comma
    /// before it.
    fn options(&self) -> String {
        String::new()
    }

    /// Writes out everything that is not on a disk yet.
    ///
    /// # Errors
    /// `EIO`, `ENOSPC`.
    fn sync(&self) -> Result<()> {
        Ok(())
    }

    /// Forbids changing anything on the disk, or allows it again. What is
    /// still to be written is written before.
    ///
    /// # Errors
    /// `EACCES` if the disk is read-only; `EBUSY`, `EIO`.
    fn set_read_only(&self, _read_only: bool) -> Result<()> {
        Ok(())
    }

    /// The machine is about to stop: writes everything out and leaves the disk
    /// as an unmounted file system's. Nothing is changed after it.
    ///
    /// # Errors
    /// `EIO`, `ENOSPC`.
    fn shut_down(&self) -> Result<()> {
        self.sync()
    }
}

/// A type of file system, for `mount`.
pub trait FileSystemType: Send + Sync + 'static {
    /// The name that `mount` is given.
    fn name(&self) -> &'static str;

    /// Makes one, from the options of `mount`.
    ///
    /// # Errors
    /// `EINVAL` for options without meaning.
    fn mount(&self, kernel: &Arc<Kernel>, source: &[u8], options: &[u8]) -> Result<Arc<dyn FileSystem>>;

    /// True if it lies on a disk: then it is made by
    /// [`FileSystemType::mount_disk`] alone.
    fn needs_disk(&self) -> bool {
        false
    }

    /// Makes the one that lies on a disk, or gives the one that is in use.
    ///
    /// # Errors
    /// `EINVAL` if the disk holds no such file system or an option has no
    /// meaning, `EBUSY` if the disk is in use otherwise, `EACCES` for writing
    /// a read-only disk, `EIO`.
    fn mount_disk(
        &self,
        _kernel: &Arc<Kernel>,
        _disk: &Arc<Disk>,
        _flags: MountFlags,
        _options: &[u8],
    ) -> Result<Arc<dyn FileSystem>> {
        Err(Errno::EINVAL.because("this file system lies on no disk"))
    }
}
