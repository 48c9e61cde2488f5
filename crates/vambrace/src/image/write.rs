//! From a [`Tree`] to an image.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use ext2::{Device, Ext2, FormatOptions, Kind, MountOptions, NewInode, SetAttr, format};
use sha2::{Digest, Sha256};

use super::ImageOptions;
use super::device::FileDevice;
use super::tree::{Content, Node, Source, Tree};
use crate::Error;
use crate::userland::Attributes;

const MIB: u64 = 1 << 20;
/// The least free space of an image whose size is not given.
const LEAST_FREE: u64 = 64 * MIB;
/// Bytes that are copied at once.
const CHUNK: usize = 1 << 20;

/// Makes the image `out`.
pub(crate) fn create(tree: &Tree, out: &Path, options: &ImageOptions) -> Result<(), Error> {
    let part = part_path(out);
    let result = create_part(tree, &part, options)
        .and_then(|()| fs::rename(&part, out).map_err(|error| Error::host(out, &error)));
    if result.is_err() {
        // It is of no use; that it may not exist does not matter.
        let _ = fs::remove_file(&part);
    }
    result
}

/// Where the image grows: beside its place, so that it can be moved there.
fn part_path(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    out.with_file_name(name)
}

fn create_part(tree: &Tree, part: &Path, options: &ImageOptions) -> Result<(), Error> {
    let failed = |error| Error::FileSystem { path: part.to_path_buf(), error };
    let plan = Plan::new(tree, options);
    let device = FileDevice::create(part, plan.size)?;
    let format_options = FormatOptions {
        size: plan.size,
        block_size: options.block_size,
        inode_count: Some(plan.inodes),
        label: options.label.as_bytes().to_vec(),
        uuid: options.uuid.unwrap_or_else(|| identity(tree, options)),
        journal_blocks: if options.journal { plan.journal_blocks } else { 0 },
        time: plan.time,
        ..FormatOptions::default()
    };
    let device = format(Box::new(device), &format_options).map_err(failed)?;
    fill(device, tree, &plan, part)?;
    let sync = || File::open(part)?.sync_all();
    sync().map_err(|error| Error::host(part, &error))
}

/// Sizes and times.
struct Plan {
    size: u64,
    inodes: u32,
    journal_blocks: u32,
    /// The newest file's time.
    time: i64,
    latest: i64,
}

impl Plan {
    fn new(tree: &Tree, options: &ImageOptions) -> Self {
        let block_size = u64::from(options.block_size);
        let latest = options.latest.map_or(i64::MAX, |latest| latest.saturating_mul(1_000_000_000));
        let time = tree.nodes.iter().map(|node| node.attributes.mtime_ns.min(latest)).max().unwrap_or(0);
        let bytes: u64 = tree.nodes.iter().map(|node| needed(node, block_size)).sum();
        let inodes = tree.nodes.len() as u64;
        let free = (bytes / 4).max(LEAST_FREE);
        // An inode for each 16 KiB, and some for new files.
        let guess = bytes + free;
        let inodes = (inodes + inodes / 4 + 64).max(options.size.unwrap_or(guess) / (16 << 10));
        let tables = inodes * 256;
        // One block in 32 for bitmaps and copies of the descriptors is ample.
        let sum = guess + tables + guess / 32;
        let journal_blocks = |size| ext2::usual_journal_blocks(size, options.block_size);
        let sum = sum + u64::from(journal_blocks(sum)) * block_size;
        let size = options.size.unwrap_or_else(|| sum.next_multiple_of(MIB));
        let inodes = u32::try_from(inodes).unwrap_or(u32::MAX);
        Self { size, inodes, journal_blocks: journal_blocks(size), time, latest }
    }

    fn clamp(&self, attributes: &Attributes) -> i64 {
        attributes.mtime_ns.min(self.latest)
    }
}

/// Bytes that a node takes, with its indirect blocks.
fn needed(node: &Node, block_size: u64) -> u64 {
    match &node.content {
        Content::File(source) => {
            let data = source.len().next_multiple_of(block_size);
            data + data / (block_size / 4) + 3 * block_size
        }
        Content::Directory(names) => {
            // Entries do not cross blocks, which wastes a part of each.
            let bytes: u64 = names.keys().map(|name| name.len() as u64 + 12).sum();
            (bytes + bytes / 3).next_multiple_of(block_size) + block_size
        }
        Content::Symlink(_) | Content::Special(..) => block_size,
    }
}

/// A UUID that follows from names, attributes, sizes and options. Two trees
/// that differ in nothing but files' contents have the same.
fn identity(tree: &Tree, options: &ImageOptions) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(format!("{:?} {} {}", options.size, options.block_size, options.label));
    for node in &tree.nodes {
        let Attributes { mode, uid, gid, mtime_ns } = node.attributes;
        let mtime = options.latest.map_or(mtime_ns, |latest| mtime_ns.min(latest.saturating_mul(1_000_000_000)));
        hash.update(format!("{mode} {uid} {gid} {mtime} "));
        match &node.content {
            Content::Directory(names) => {
                for (name, number) in names {
                    hash.update(format!("{} {number} ", name.len()));
                    hash.update(name);
                }
            }
            Content::File(source) => hash.update(format!("file {}", source.len())),
            Content::Symlink(target) => hash.update(target),
            Content::Special(kind, rdev) => hash.update(format!("{kind:?} {rdev}")),
        }
    }
    let mut uuid = [0; 16];
    for (to, from) in uuid.iter_mut().zip(hash.finalize()) {
        *to = from;
    }
    // Version 8, which leaves the rest to the maker, of the usual variant.
    uuid[6] = uuid[6] & 0x0f | 0x80;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    uuid
}

fn fill(device: Box<dyn Device>, tree: &Tree, plan: &Plan, part: &Path) -> Result<(), Error> {
    let failed = |error| Error::FileSystem { path: part.to_path_buf(), error };
    let options = MountOptions { read_only: false, bypass_journal: true };
    let fs = Ext2::mount(device, options).map_err(failed)?;
    let mut filler = Filler { fs, tree, plan, part, made: HashMap::new() };
    let root = filler.fs.root();
    filler.directory(0, root)?;
    filler.fs.unmount().map_err(failed)?;
    Ok(())
}

struct Filler<'a> {
    fs: Ext2,
    tree: &'a Tree,
    plan: &'a Plan,
    part: &'a Path,
    /// Inodes of the files that have been made.
    made: HashMap<usize, u32>,
}

impl Filler<'_> {
    fn failed(&self, error: ext2::Error) -> Error {
        Error::FileSystem { path: self.part.to_path_buf(), error }
    }

    /// Fills a directory, and gives it its attributes in the end.
    fn directory(&mut self, number: usize, ino: u32) -> Result<(), Error> {
        let Some(Node { attributes, content: Content::Directory(names) }) = self.tree.nodes.get(number) else {
            return Err(Error::Internal("an image's directory is none".into()));
        };
        for (name, &child) in names {
            self.entry(ino, name, child)?;
        }
        self.set_attributes(ino, attributes)
    }

    fn entry(&mut self, dir: u32, name: &[u8], number: usize) -> Result<(), Error> {
        let Some(node) = self.tree.nodes.get(number) else { return Ok(()) };
        let now = self.plan.clamp(&node.attributes);
        if let Some(&ino) = self.made.get(&number) {
            return self.fs.link(dir, name, ino, now).map_err(|error| self.failed(error));
        }
        let (kind, target, rdev): (_, &[u8], _) = match &node.content {
            Content::Directory(_) => (Kind::Directory, &[], 0),
            Content::File(_) => (Kind::File, &[], 0),
            Content::Symlink(target) => (Kind::Symlink, target, 0),
            Content::Special(kind, rdev) => (*kind, &[], *rdev),
        };
        let Attributes { mode, uid, gid, .. } = node.attributes;
        let new = NewInode { kind, mode: (mode & 0o7777) as u16, uid, gid, rdev, target, now };
        let ino = match self.fs.create(dir, name, &new) {
            // Formatting has made `lost+found`.
            Err(ext2::Error::Exists) if kind == Kind::Directory => self.fs.lookup(dir, name),
            created => created,
        };
        let ino = ino.map_err(|error| self.failed(error))?;
        self.made.insert(number, ino);
        match &node.content {
            Content::Directory(_) => return self.directory(number, ino),
            Content::File(Source::Archive(bytes, range)) => {
                self.copy(ino, bytes.get(range.clone()).unwrap_or_default(), self.part)?;
            }
            Content::File(Source::Host(path, _)) => {
                let file = File::open(path).map_err(|error| Error::host(path, &error))?;
                self.copy(ino, file, path)?;
            }
            Content::Symlink(_) | Content::Special(..) => {}
        }
        self.set_attributes(ino, &node.attributes)
    }

    fn set_attributes(&mut self, ino: u32, attributes: &Attributes) -> Result<(), Error> {
        let time = Some(self.plan.clamp(attributes));
        let change = SetAttr {
            mode: Some((attributes.mode & 0o7777) as u16),
            uid: Some(attributes.uid),
            gid: Some(attributes.gid),
            size: None,
            atime: time,
            mtime: time,
            ctime: time,
        };
        self.fs.set_attr(ino, &change).map_err(|error| self.failed(error))
    }

    /// Copies a file, with holes where it has whole blocks of zeros, wherever
    /// the host has holes.
    fn copy(&mut self, ino: u32, from: impl Read, path: &Path) -> Result<(), Error> {
        let block_size = self.fs.block_size() as usize;
        let mut from = from;
        let mut buf = vec![0; CHUNK];
        let mut offset = 0;
        loop {
            let len = fill_buffer(&mut from, &mut buf).map_err(|error| Error::host(path, &error))?;
            let data = buf.get(..len).unwrap_or_default();
            let is_zero = |block: &[u8]| block.iter().all(|&byte| byte == 0);
            let mut at = 0;
            for stretch in data.chunks(block_size).collect::<Vec<_>>().chunk_by(|a, b| is_zero(a) == is_zero(b)) {
                let len: usize = stretch.iter().map(|block| block.len()).sum();
                if !stretch.first().is_some_and(|block| is_zero(block)) {
                    let bytes = data.get(at..at + len).unwrap_or_default();
                    let written = self.fs.write(ino, offset + at as u64, bytes);
                    if written.map_err(|error| self.failed(error))? != len {
                        return Err(self.failed(ext2::Error::NoSpace));
                    }
                }
                at += len;
            }
            offset += len as u64;
            if len < buf.len() {
                break;
            }
        }
        let size = SetAttr { size: Some(offset), ..SetAttr::default() };
        self.fs.set_attr(ino, &size).map_err(|error| self.failed(error))
    }
}

/// Reads until the buffer is full or the file ends.
fn fill_buffer(from: &mut impl Read, buf: &mut [u8]) -> std::io::Result<usize> {
    let mut len = 0;
    while let Some(rest) = buf.get_mut(len..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(now) => len += now,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}
