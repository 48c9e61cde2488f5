//! A directory of the host as a [`Tree`].

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, Metadata};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use ext2::Kind;
use rustix::fs::{major, minor};

use super::Owner;
use super::tree::{Content, Node, Source, Tree};
use crate::Error;
use crate::userland::Attributes;

/// Collects what lies below `root`, without following symbolic links. The
/// image `out` itself is left out if it lies there.
pub(crate) fn collect(root: &Path, out: &Path, owner: Owner) -> Result<Tree, Error> {
    let metadata = fs::metadata(root).map_err(|error| Error::host(root, &error))?;
    let mut collector = Collector {
        tree: Tree::new(),
        links: HashMap::new(),
        image: fs::metadata(out).ok().map(|image| (image.dev(), image.ino())),
        owner,
    };
    if let Some(node) = collector.tree.nodes.first_mut() {
        node.attributes = attributes(&metadata, owner);
    }
    collector.directory(root, 0)?;
    Ok(collector.tree)
}

struct Collector {
    tree: Tree,
    /// Files with several names, by device and inode.
    links: HashMap<(u64, u64), usize>,
    image: Option<(u64, u64)>,
    owner: Owner,
}

impl Collector {
    fn directory(&mut self, path: &Path, dir: usize) -> Result<(), Error> {
        let failed = |error| Error::host(path, &error);
        let mut names = Vec::new();
        for entry in fs::read_dir(path).map_err(failed)? {
            names.push(entry.map_err(failed)?.file_name());
        }
        // Numbers follow the order, and so does the image.
        names.sort();
        for name in names {
            self.entry(&path.join(&name), dir, name.as_bytes())?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, dir: usize, name: &[u8]) -> Result<(), Error> {
        let failed = |error| Error::host(path, &error);
        let metadata = fs::symlink_metadata(path).map_err(failed)?;
        let id = (metadata.dev(), metadata.ino());
        if self.image == Some(id) {
            return Ok(());
        }
        let is_linked = !metadata.is_dir() && metadata.nlink() > 1;
        if is_linked && let Some(&number) = self.links.get(&id) {
            return self.tree.name(dir, name, number).map_err(Error::Internal);
        }
        let kind = metadata.file_type();
        let content = if kind.is_dir() {
            Content::Directory(BTreeMap::new())
        } else if kind.is_symlink() {
            Content::Symlink(fs::read_link(path).map_err(failed)?.into_os_string().into_vec())
        } else if kind.is_file() {
            Content::File(Source::Host(path.to_path_buf(), metadata.len()))
        } else if kind.is_fifo() {
            Content::Special(Kind::Fifo, 0)
        } else if kind.is_socket() {
            Content::Special(Kind::Socket, 0)
        } else {
            let kind = if kind.is_block_device() { Kind::BlockDevice } else { Kind::CharDevice };
            Content::Special(kind, device_number(&metadata))
        };
        let is_directory = kind.is_dir();
        let node = Node { attributes: attributes(&metadata, self.owner), content };
        let number = self.tree.add(dir, name, node).map_err(Error::Internal)?;
        if is_linked {
            self.links.insert(id, number);
        }
        if is_directory { self.directory(path, number) } else { Ok(()) }
    }
}

fn attributes(metadata: &Metadata, owner: Owner) -> Attributes {
    let (uid, gid) = match owner {
        Owner::Root => (0, 0),
        Owner::Host => (metadata.uid(), metadata.gid()),
    };
    let mtime_ns = metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec());
    Attributes { mode: metadata.mode() & 0o7777, uid, gid, mtime_ns }
}

/// The device's number in the encoding that ext2 and `st_rdev` have on ARM64.
fn device_number(metadata: &Metadata) -> u32 {
    let (major, minor) = (major(metadata.rdev()), minor(metadata.rdev()));
    minor & 0xff | (major & 0xfff) << 8 | (minor & 0xf_ff00) << 12
}
