//! What can go wrong: [`Error`], and [`Result`] with it.

use alloc::string::String;
use core::fmt;

use linux_abi::Errno;

use crate::DeviceError;

/// The result of an operation of this crate.
pub type Result<T> = core::result::Result<T, Error>;

/// Why an operation was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The device failed.
    Device(DeviceError),
    /// The file system contradicts itself; says where and how.
    Corrupt(String),
    /// No ext2, or a kind of ext2 that this crate does not write or read.
    Unsupported(String),
    /// An earlier failure in the middle of a change has ended all changes:
    /// what was not committed by then is lost.
    Aborted,
    /// The file system or its device is read-only.
    ReadOnly,
    /// There is no such name.
    NotFound,
    /// There is such a name already.
    Exists,
    /// Not a directory.
    NotDirectory,
    /// A directory.
    IsDirectory,
    /// A directory that has entries.
    NotEmpty,
    /// No block or no inode is free.
    NoSpace,
    /// A name of more than 255 bytes, or a symbolic link of more than a block.
    NameTooLong,
    /// More links than an inode can count.
    TooManyLinks,
    /// More bytes than a file can have.
    FileTooBig,
    /// An argument that makes no sense here.
    Invalid,
    /// The inode's flags forbid the change: it is immutable or append-only.
    NotPermitted,
}

impl Error {
    /// The number that a system call returns for it.
    #[must_use]
    pub const fn errno(&self) -> Errno {
        match self {
            // Linux has EUCLEAN for a damaged ext2; programs know EIO.
            Self::Device(_) | Self::Corrupt(_) => Errno::EIO,
            Self::Unsupported(_) | Self::Invalid => Errno::EINVAL,
            Self::ReadOnly | Self::Aborted => Errno::EROFS,
            Self::NotFound => Errno::ENOENT,
            Self::Exists => Errno::EEXIST,
            Self::NotDirectory => Errno::ENOTDIR,
            Self::IsDirectory => Errno::EISDIR,
            Self::NotEmpty => Errno::ENOTEMPTY,
            Self::NoSpace => Errno::ENOSPC,
            Self::NameTooLong => Errno::ENAMETOOLONG,
            Self::TooManyLinks => Errno::EMLINK,
            Self::FileTooBig => Errno::EFBIG,
            Self::NotPermitted => Errno::EPERM,
        }
    }

    /// True if a change that ended this way may be half done.
    pub(crate) const fn is_fatal(&self) -> bool {
        matches!(self, Self::Device(_) | Self::Corrupt(_) | Self::Aborted)
    }
}

impl From<DeviceError> for Error {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(error) => error.fmt(f),
            Self::Corrupt(what) => write!(f, "the file system is damaged: {what}"),
            Self::Unsupported(what) => write!(f, "the file system cannot be used: {what}"),
            Self::Aborted => f.write_str("an earlier failure has ended all changes"),
            other => f.write_str(other.errno().text()),
        }
    }
}

impl core::error::Error for Error {}

/// An [`Error::Corrupt`] with a formatted text.
macro_rules! corrupt {
    ($($arg:tt)*) => { $crate::Error::Corrupt(alloc::format!($($arg)*)) };
}
pub(crate) use corrupt;
