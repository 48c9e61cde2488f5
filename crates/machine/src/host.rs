//! Host directories, offered to the kernel as nodes.
//!
//! Only the hosted machine has them, and no kernel code requires them. The
//! kernel resolves paths, symbolic links and `..` itself and asks the host for
//! one name in one directory at a time, never following a link; so no path,
//! link or race can lead out of the directory that was opened first.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::Errno;

/// The type of a host file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A FIFO.
    Fifo,
    /// A socket.
    Socket,
    /// A character device.
    CharDev,
    /// A block device.
    BlockDev,
}

/// What `stat` tells of a host file. Times are nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostStat {
    /// The type.
    pub kind: HostKind,
    /// Permission bits, with set-user-ID, set-group-ID and sticky.
    pub mode: u32,
    /// The owner, as the guest is to see it.
    pub uid: u32,
    /// The group, as the guest is to see it.
    pub gid: u32,
    /// Hard links.
    pub nlink: u32,
    /// Size in bytes.
    pub size: u64,
    /// 512-byte blocks in use.
    pub blocks: u64,
    /// The inode number; with `dev` it identifies the file.
    pub ino: u64,
    /// The host's device number of the file system.
    pub dev: u64,
    /// The device number that a device file stands for.
    pub rdev: u64,
    /// Last access.
    pub atime_ns: i64,
    /// Last change of contents.
    pub mtime_ns: i64,
    /// Last change of attributes.
    pub ctime_ns: i64,
}

/// Attributes to set; `None` leaves one as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostAttr {
    /// Permission bits.
    pub mode: Option<u32>,
    /// The owner.
    pub uid: Option<u32>,
    /// The group.
    pub gid: Option<u32>,
    /// The size.
    pub size: Option<u64>,
    /// Last access, nanoseconds since 1970.
    pub atime_ns: Option<i64>,
    /// Last change of contents, nanoseconds since 1970.
    pub mtime_ns: Option<i64>,
}

/// A name in a host directory.
#[derive(Clone, Debug)]
pub struct HostDirEntry {
    /// The name, without `/`; never `.` or `..`.
    pub name: Vec<u8>,
    /// The type.
    pub kind: HostKind,
    /// The inode number.
    pub ino: u64,
}

/// What `statfs` tells of a host file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostStatFs {
    /// Bytes in a block.
    pub block_size: u64,
    /// Blocks in all.
    pub blocks: u64,
    /// Free blocks.
    pub blocks_free: u64,
    /// Free blocks for ordinary users.
    pub blocks_available: u64,
    /// Inodes in all.
    pub files: u64,
    /// Free inodes.
    pub files_free: u64,
    /// The longest name, in bytes.
    pub name_max: u64,
}

/// How to open a host file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// Read only.
    Read,
    /// Read and write; falls back to neither.
    ReadWrite,
}

/// A file or directory of the host. Every method has the errno the host gave.
pub trait HostNode: Send + Sync {
    /// Type, size, times and owner, now.
    ///
    /// # Errors
    /// As `fstat`.
    fn stat(&self) -> Result<HostStat, Errno>;

    /// The node called `name` in this directory; a symbolic link is not followed.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, `EACCES` and what else the host says.
    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn HostNode>, Errno>;

    /// Everything in this directory, in the host's order.
    ///
    /// # Errors
    /// `ENOTDIR`, `EACCES`.
    fn read_dir(&self) -> Result<Vec<HostDirEntry>, Errno>;

    /// Where this symbolic link points.
    ///
    /// # Errors
    /// `EINVAL` if it is not one.
    fn read_link(&self) -> Result<Vec<u8>, Errno>;

    /// Opens this regular file's contents.
    ///
    /// # Errors
    /// `EACCES`, `EISDIR`, `EROFS`, …
    fn open(&self, mode: OpenMode) -> Result<Box<dyn HostFile>, Errno>;

    /// Makes a regular file that must not exist yet.
    ///
    /// # Errors
    /// `EEXIST`, `EACCES`, `ENOSPC`, …
    fn create(&self, name: &[u8], mode: u32) -> Result<Arc<dyn HostNode>, Errno>;

    /// Makes a directory.
    ///
    /// # Errors
    /// As `mkdirat`.
    fn mkdir(&self, name: &[u8], mode: u32) -> Result<Arc<dyn HostNode>, Errno>;

    /// Makes a symbolic link called `name` that points to `target`.
    ///
    /// # Errors
    /// As `symlinkat`.
    fn symlink(&self, name: &[u8], target: &[u8]) -> Result<Arc<dyn HostNode>, Errno>;

    /// Makes a FIFO.
    ///
    /// # Errors
    /// As `mknodat`.
    fn mkfifo(&self, name: &[u8], mode: u32) -> Result<Arc<dyn HostNode>, Errno>;

    /// Gives `node`, of the same host file system, the further name `name` here.
    ///
    /// # Errors
    /// As `linkat`; `EXDEV` if `node` is of another tree.
    fn link(&self, name: &[u8], node: &dyn HostNode) -> Result<(), Errno>;

    /// Removes a name that is not a directory.
    ///
    /// # Errors
    /// As `unlinkat`.
    fn unlink(&self, name: &[u8]) -> Result<(), Errno>;

    /// Removes an empty directory.
    ///
    /// # Errors
    /// As `unlinkat` with `AT_REMOVEDIR`.
    fn rmdir(&self, name: &[u8]) -> Result<(), Errno>;

    /// Moves `name` to `new_name` in `new_dir`; `flags` are those of `renameat2`.
    ///
    /// # Errors
    /// As `renameat2`; `EXDEV` if `new_dir` is of another tree.
    fn rename(&self, name: &[u8], new_dir: &dyn HostNode, new_name: &[u8], flags: u32) -> Result<(), Errno>;

    /// Sets attributes; never follows a link.
    ///
    /// # Errors
    /// `EPERM`, `EROFS`, …
    fn set_attr(&self, attr: &HostAttr) -> Result<(), Errno>;

    /// Size and use of the file system.
    ///
    /// # Errors
    /// As `fstatfs`.
    fn statfs(&self) -> Result<HostStatFs, Errno>;

    /// For the machine that made it to find its own type again.
    fn as_any(&self) -> &dyn core::any::Any;
}

/// The contents of a host file. Calls may wait for the host's disk.
pub trait HostFile: Send + Sync {
    /// Reads at `offset`; 0 at the end of the file.
    ///
    /// # Errors
    /// As `pread`.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno>;

    /// Writes at `offset`.
    ///
    /// # Errors
    /// As `pwrite`.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<usize, Errno>;

    /// Cuts or extends to `size` bytes.
    ///
    /// # Errors
    /// As `ftruncate`.
    fn set_len(&self, size: u64) -> Result<(), Errno>;

    /// Waits until the contents are on the host's disk.
    ///
    /// # Errors
    /// As `fsync`, `fdatasync`.
    fn sync(&self, data_only: bool) -> Result<(), Errno>;
}
