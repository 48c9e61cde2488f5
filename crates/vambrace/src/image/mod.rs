//! Disk images: making them from a directory or from the built-in userland,
//! checking and listing them.
//!
//! An image is an ext2 file system with a journal, and no partition table.
//! Nothing here needs privileges, and the same input makes the same bytes.
//!
//! Files: [`tree`], what goes into an image; [`host`], a directory as a tree;
//! [`write`], from a tree to an image; [`list`]; [`device`], a file as a disk.

mod device;
mod host;
mod list;
mod tree;
mod write;

use std::io::Write;
use std::path::Path;

use ext2::{Ext2, MountOptions};

pub use list::list;

use crate::Error;
use device::FileDevice;
use tree::Tree;

/// Who owns the files of an image that is made from a directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Owner {
    /// User 0 and group 0, so that the image does not tell who made it.
    #[default]
    Root,
    /// Who owns them on the host.
    Host,
}

/// What an image is to be like.
#[derive(Clone, Debug)]
pub struct ImageOptions {
    /// Bytes; `None` for what the files need and a quarter more, at least
    /// 64 MiB more. Blocks without contents take no room on the host.
    pub size: Option<u64>,
    /// Bytes in a block: 1024, 2048 or 4096.
    pub block_size: u32,
    /// The volume's name, of up to 16 bytes.
    pub label: String,
    /// The volume's identity; `None` for one that follows from the names and
    /// attributes of the files.
    pub uuid: Option<[u8; 16]>,
    /// Who owns the files.
    pub owner: Owner,
    /// The latest time a file may have, in seconds since 1970; later ones
    /// become this one. That is the meaning of `SOURCE_DATE_EPOCH`.
    pub latest: Option<i64>,
    /// Whether to make a journal, which lets a file system survive a loss of
    /// power. Images below 8 MiB have none.
    pub journal: bool,
}

impl Default for ImageOptions {
    fn default() -> Self {
        Self {
            size: None,
            block_size: 4096,
            label: String::new(),
            uuid: None,
            owner: Owner::Root,
            latest: None,
            journal: true,
        }
    }
}

/// Makes the image `out` from what lies below `root`. `out` appears when it is
/// finished.
///
/// # Errors
/// [`Error::HostPath`] if something cannot be read or written,
/// [`Error::FileSystem`] if it does not fit.
pub fn create_from_dir(root: &Path, out: &Path, options: &ImageOptions) -> Result<(), Error> {
    let tree = host::collect(root, out, options.owner)?;
    write::create(&tree, out, options)
}

/// Makes the image `out` from the built-in userland.
///
/// # Errors
/// As [`create_from_dir`].
pub fn create_builtin(out: &Path, options: &ImageOptions) -> Result<(), Error> {
    let mut tree = Tree::new();
    crate::userland::unpack(&mut tree)?;
    write::create(&tree, out, options)
}

/// Looks for contradictions in an image and returns a line for each. An image
/// whose journal has not been replayed is checked as if it had.
///
/// # Errors
/// [`Error::HostPath`] if it cannot be read, [`Error::FileSystem`] if it is none.
pub fn check(image: &Path) -> Result<Vec<String>, Error> {
    let device = FileDevice::open_read_only(image)?;
    ext2::check(Box::new(device)).map_err(|error| Error::FileSystem { path: image.to_path_buf(), error })
}

/// Mounts an image for reading.
fn mount(image: &Path) -> Result<Ext2, Error> {
    let options = MountOptions { read_only: true, ..MountOptions::default() };
    let device = FileDevice::open_read_only(image)?;
    Ext2::mount(Box::new(device), options).map_err(|error| Error::FileSystem { path: image.to_path_buf(), error })
}

/// Writes a line; what cannot be written is the caller's error.
fn put_line(out: &mut dyn Write, line: &[u8]) -> Result<(), Error> {
    let written = out.write_all(line).and_then(|()| out.write_all(b"\n"));
    written.map_err(Error::Streams)
}
