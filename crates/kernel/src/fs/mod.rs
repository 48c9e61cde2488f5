//! Files: mounts, path walk, open files and the file systems.
//!
//! [`Vfs`] is what a kernel has of it. A file system implements [`Inode`] and
//! [`FileSystem`]; an open [`File`] does what its [`FileOps`] do, with
//! [`IoBuf`]s; a process has a [`FileTable`] and an [`FsContext`].

mod anon;
mod attr;
mod context;
mod dentry;
mod device;
mod exec;
mod file;
mod inode;
mod io_buf;
mod locks;
mod mount;
mod seek;
mod table;
mod vfs;

pub use attr::{Attr, FileType, SetAttr, StatFs, split_ns};
pub use context::{Caller, FsContext};
pub use dentry::{Dentry, Path};
pub use device::{CharDevices, CharDriver};
pub use file::{File, FileOps, Owner, SETTABLE_FLAGS};
pub use inode::{
    DirEntry, DirSink, FileSystem, FileSystemType, Inode, NameCaching, NewKind, NewNode, Opening,
};
pub use io_buf::{IoBuf, UserRange};
pub use linux_abi::poll::PollEvents;
pub use mount::{Mount, MountFlags, MountTable};
pub use table::{FileTable, NR_OPEN};
pub use vfs::Vfs;
