//! The built-in userland: a compressed tar archive in the binary.
//!
//! `cargo xtask userland` makes it from `userland/`; its digest lies beside it.

use std::io::{Cursor, Read};
use std::ops::Range;
use std::sync::Arc;

use kernel::fs::FileType;
use kernel::fs::tmpfs::{Builder, FileData};
use tar::{Archive, EntryType};

use crate::Error;

/// Attributes of what is unpacked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attributes {
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mtime_ns: i64,
}

/// What is unpacked.
#[derive(Debug)]
pub(crate) enum Item<'a> {
    /// The file's bytes are a part of the archive.
    File(&'a Arc<Vec<u8>>, Range<usize>),
    Directory,
    Symlink(&'a [u8]),
    HardLink(&'a [u8]),
    Fifo,
}

/// What an archive can be unpacked into.
pub(crate) trait Unpack {
    /// Puts an item at a path; the error tells why that is not possible.
    fn put(&mut self, path: &[u8], attributes: &Attributes, item: &Item<'_>) -> Result<(), String>;
}

impl Unpack for Builder {
    fn put(&mut self, path: &[u8], attributes: &Attributes, item: &Item<'_>) -> Result<(), String> {
        self.attributes(attributes.mode, attributes.uid, attributes.gid, attributes.mtime_ns);
        let made = match item {
            Item::File(archive, range) => {
                self.file(path, FileData { archive: Arc::clone(archive), range: range.clone() })
            }
            Item::Directory => self.directory(path),
            Item::Symlink(target) => self.symlink(path, target),
            Item::HardLink(target) => self.hard_link(path, target),
            Item::Fifo => self.special(path, FileType::Fifo, 0),
        };
        made.map_err(|error| error.errno.to_string())
    }
}

/// The archive, as `xtask` packed it.
static ARCHIVE: &[u8] = include_bytes!("../assets/userland.tar.zst");

/// Unpacks the userland into an empty file system. Files keep referring to
/// the unpacked archive until they are changed.
pub(crate) fn unpack(into: &mut impl Unpack) -> Result<(), Error> {
    let damaged = |error: std::io::Error| Error::Userland(error.to_string());
    let mut bytes = Vec::new();
    let mut decoder =
        ruzstd::decoding::StreamingDecoder::new(ARCHIVE).map_err(|error| Error::Userland(error.to_string()))?;
    decoder.read_to_end(&mut bytes).map_err(damaged)?;
    unpack_tar(Arc::new(bytes), into)
}

/// Unpacks a tar archive.
fn unpack_tar(bytes: Arc<Vec<u8>>, into: &mut impl Unpack) -> Result<(), Error> {
    let damaged = |error: std::io::Error| Error::Userland(error.to_string());
    let mut archive = Archive::new(Cursor::new(bytes.as_slice()));
    for entry in archive.entries().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        let path = entry.path_bytes().into_owned();
        let header = entry.header();
        let mode = header.mode().map_err(damaged)? & 0o7777;
        let (uid, gid) = (header.uid().map_err(damaged)?, header.gid().map_err(damaged)?);
        let id = |id: u64| u32::try_from(id).map_err(|_| Error::Userland(format!("{id} is no user or group")));
        let mtime_ns = i64::try_from(header.mtime().map_err(damaged)?).unwrap_or(0).saturating_mul(1_000_000_000);
        let attributes = Attributes { mode, uid: id(uid)?, gid: id(gid)?, mtime_ns };
        let link = entry.link_name_bytes().map(std::borrow::Cow::into_owned);
        let link = || link.as_deref().ok_or_else(|| Error::Userland("a link without a target".into()));
        let item = match header.entry_type() {
            EntryType::Regular | EntryType::Continuous => {
                let start = usize::try_from(entry.raw_file_position()).unwrap_or(usize::MAX);
                let end = usize::try_from(entry.size()).ok().and_then(|size| start.checked_add(size));
                let end = end.filter(|&end| end <= bytes.len());
                let end = end.ok_or_else(|| Error::Userland("a file is cut off".into()))?;
                Item::File(&bytes, start..end)
            }
            EntryType::Directory => Item::Directory,
            EntryType::Symlink => Item::Symlink(link()?),
            EntryType::Link => Item::HardLink(link()?),
            EntryType::Fifo => Item::Fifo,
            other => return Err(Error::Userland(format!("an entry of type {other:?}"))),
        };
        let made = into.put(&path, &attributes, &item);
        made.map_err(|error| Error::Userland(format!("{}: {error}", path.escape_ascii())))?;
    }
    Ok(())
}
