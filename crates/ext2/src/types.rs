//! The arguments and results of the operations on [`crate::Ext2`].

use alloc::string::String;

use crate::Kind;

/// How a file system is mounted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MountOptions {
    /// Refuses changes. A journal is still replayed if the device can be
    /// written, and in memory if it cannot.
    pub read_only: bool,
    /// Writes changes to their places without the journal, for an image that
    /// nobody uses until it is finished. A journal that must be replayed first
    /// is.
    pub bypass_journal: bool,
}

/// Attributes to change; `None` leaves one as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetAttr {
    /// Permissions, with set-user-id, set-group-id and sticky bits.
    pub mode: Option<u16>,
    /// The owner.
    pub uid: Option<u32>,
    /// The owning group.
    pub gid: Option<u32>,
    /// Bytes: what is cut off is freed, what is added reads as zeros.
    pub size: Option<u64>,
    /// Last access, in nanoseconds since 1970.
    pub atime: Option<i64>,
    /// Last change of the contents.
    pub mtime: Option<i64>,
    /// Last change of anything.
    pub ctime: Option<i64>,
}

/// A file to make.
#[derive(Clone, Copy, Debug)]
pub struct NewInode<'a> {
    /// The type.
    pub kind: Kind,
    /// Permissions, with set-user-id, set-group-id and sticky bits.
    pub mode: u16,
    /// The owner.
    pub uid: u32,
    /// The owning group.
    pub gid: u32,
    /// What a device node stands for, as [`crate::Stat::rdev`].
    pub rdev: u32,
    /// What a symbolic link says; empty for all other types.
    pub target: &'a [u8],
    /// The time now, in nanoseconds since 1970.
    pub now: i64,
}

/// An entry of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name; `.` and `..` are among the entries.
    pub name: &'a [u8],
    /// Whose name it is.
    pub ino: u32,
    /// The type, if the directory tells.
    pub kind: Option<Kind>,
    /// Where this entry is.
    pub position: u64,
    /// Where to go on after this entry.
    pub next_position: u64,
}

/// Blocks of a file that are consecutive on the device, or not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where the first one is on the device, in bytes; `None` where the file
    /// has a hole, which reads as zeros.
    pub device_offset: Option<u64>,
    /// How many blocks, at least 1.
    pub blocks: u32,
}

/// How a rename treats a name that exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RenameFlags {
    /// Fails if the new name exists (`RENAME_NOREPLACE`).
    pub no_replace: bool,
    /// Swaps two names that both exist (`RENAME_EXCHANGE`).
    pub exchange: bool,
}

/// What a removed name stood for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The inode.
    pub ino: u32,
    /// How many names it still has. With none it is an orphan that must be
    /// given to [`crate::Ext2::release`] once nobody uses it.
    pub nlink: u16,
}

/// The file system as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statfs {
    /// Bytes in a block.
    pub block_size: u32,
    /// Blocks, without those that never hold files.
    pub blocks: u64,
    /// Free blocks.
    pub free_blocks: u64,
    /// Free blocks that are not reserved for the superuser.
    pub available_blocks: u64,
    /// Inodes.
    pub inodes: u64,
    /// Free inodes.
    pub free_inodes: u64,
    /// The volume's identity.
    pub uuid: [u8; 16],
    /// The volume's name.
    pub label: String,
    /// True if changes are journaled.
    pub has_journal: bool,
}
