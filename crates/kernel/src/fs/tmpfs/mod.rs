//! tmpfs: a file system whose files are memory objects.
//!
//! It serves `/tmp`, the embedded userland, devfs, and `memfd_create`. A
//! [`Node`] is an inode; [`TmpFs`] counts what they use. File data lies in an
//! [`crate::mm::Object`], so that `read`, `write` and mappings agree.
//!
//! Lock order: a directory's entries, then a node's attributes. Two directories
//! are locked one after the other, never together: the callers of the inode
//! traits hold the names of both.

mod build;
mod dir;
mod file;
mod node;

pub use build::{Builder, FileData};
pub(crate) use file::{Contents, Seals};
pub(crate) use node::Node;

use alloc::format;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use linux_abi::Errno;
use linux_abi::stat::TMPFS_MAGIC;
use machine::{Machine, PAGE_SIZE};

use crate::Kernel;
use crate::error::{Because, Result};
use crate::fs::{FileSystem, FileSystemType, FileType, Inode, NewKind, NewNode, StatFs};

/// What one tmpfs uses and may use. Its nodes hold it.
pub(crate) struct Usage {
    kernel: Weak<Kernel>,
    machine: Arc<dyn Machine>,
    dev: u64,
    last_ino: AtomicU64,
    nodes: AtomicU64,
    max_nodes: u64,
    pages: AtomicU64,
    max_pages: u64,
}

impl Usage {
    fn now_ns(&self) -> i64 {
        super::wall_ns(&*self.machine)
    }

    fn kernel(&self) -> Result<Arc<Kernel>> {
        self.kernel.upgrade().ok_or(Errno::EIO.because("the kernel is shutting down"))
    }

    /// Counts one more node and gives its number.
    fn new_node(&self) -> Result<u64> {
        if self.nodes.fetch_add(1, Ordering::Relaxed) >= self.max_nodes {
            self.nodes.fetch_sub(1, Ordering::Relaxed);
            return Err(Errno::ENOSPC.because("the file system has its most files"));
        }
        Ok(self.last_ino.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// How many more pages may be used.
    fn pages_left(&self) -> u64 {
        self.max_pages.saturating_sub(self.pages.load(Ordering::Relaxed))
    }

    /// A file that used `before` pages uses `after` now.
    fn recount(&self, before: u64, after: u64) {
        if after >= before {
            self.pages.fetch_add(after - before, Ordering::Relaxed);
        } else {
            let _ = self
                .pages
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |pages| Some(pages.saturating_sub(before - after)));
        }
    }
}

/// A file system in memory.
pub struct TmpFs {
    usage: Arc<Usage>,
    root: Arc<Node>,
    name: &'static str,
    options: String,
}

impl fmt::Debug for TmpFs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TmpFs({} files)", self.usage.nodes.load(Ordering::Relaxed))
    }
}

/// How large a tmpfs may become, and the attributes of its root.
#[derive(Clone, Copy, Debug)]
pub struct TmpFsOptions {
    /// Bytes of all its files, in memory; 0 for half of the machine's memory.
    pub size: u64,
    /// Files; 0 for no limit of its own.
    pub files: u64,
    /// Permission bits of the root.
    pub mode: u32,
    /// Owner of the root.
    pub uid: u32,
    /// Group of the root.
    pub gid: u32,
}

impl Default for TmpFsOptions {
    fn default() -> Self {
        Self { size: 0, files: 0, mode: 0o1777, uid: 0, gid: 0 }
    }
}

impl TmpFs {
    pub(crate) fn new(
        kernel: Weak<Kernel>,
        machine: Arc<dyn Machine>,
        dev: u64,
        name: &'static str,
        options: &TmpFsOptions,
    ) -> Arc<Self> {
        let half = machine.frames().total() as u64 / 2;
        let max_pages = if options.size == 0 { half } else { options.size.div_ceil(PAGE_SIZE) };
        let max_nodes = if options.files == 0 { half.max(1024) } else { options.files };
        let usage = Arc::new(Usage {
            kernel,
            machine,
            dev,
            last_ino: AtomicU64::new(0),
            nodes: AtomicU64::new(0),
            max_nodes,
            pages: AtomicU64::new(0),
            max_pages,
        });
        let new = NewNode { kind: NewKind::Directory, mode: options.mode, uid: options.uid, gid: options.gid };
        usage.nodes.fetch_add(1, Ordering::Relaxed);
        usage.last_ino.fetch_add(1, Ordering::Relaxed);
        let root = Node::with_ino(&usage, 1, &new, node::Data::empty_dir());
        let mut text = String::new();
        if options.size != 0 {
            text = format!(",size={}k", max_pages * (PAGE_SIZE / 1024));
        }
        if options.files != 0 {
            text.push_str(&format!(",nr_inodes={max_nodes}"));
        }
        if options.mode != 0o1777 {
            text.push_str(&format!(",mode={:o}", options.mode));
        }
        Arc::new(Self { usage, root, name, options: text })
    }

    /// The root as a node of this file system.
    pub(crate) fn root_node(&self) -> &Arc<Node> {
        &self.root
    }

    /// A file without a name, for the kernel's own use.
    pub(crate) fn unnamed_node(&self, kind: NewKind<'_>) -> Result<Arc<Node>> {
        Node::new(&self.usage, &NewNode { kind, mode: 0o755, uid: 0, gid: 0 })
    }

    /// A regular file without a name, of a size, for `memfd_create`.
    pub(crate) fn unnamed_file(&self, mode: u32, uid: u32, gid: u32, seals: Seals) -> Result<Arc<Node>> {
        let node = Node::new(&self.usage, &NewNode { kind: NewKind::Regular, mode, uid, gid })?;
        node.set_nlink(0);
        node.set_seals(seals);
        Ok(node)
    }
}

impl FileSystem for TmpFs {
    fn name(&self) -> &'static str {
        self.name
    }

    fn root(&self) -> Arc<dyn Inode> {
        self.root.clone()
    }

    fn dev(&self) -> u64 {
        self.usage.dev
    }

    fn stat_fs(&self) -> Result<StatFs> {
        let usage = &self.usage;
        let free = usage.pages_left().min(usage.machine.frames().free_count() as u64);
        Ok(StatFs {
            magic: TMPFS_MAGIC,
            block_size: PAGE_SIZE,
            blocks: usage.max_pages,
            blocks_free: free,
            blocks_available: free,
            files: usage.max_nodes,
            files_free: usage.max_nodes.saturating_sub(usage.nodes.load(Ordering::Relaxed)),
            name_max: 255,
        })
    }

    fn options(&self) -> String {
        self.options.clone()
    }
}

/// The type `tmpfs`, or another name for it.
#[derive(Debug)]
pub(crate) struct TmpFsType(pub(crate) &'static str);

impl FileSystemType for TmpFsType {
    fn name(&self) -> &'static str {
        self.0
    }

    fn mount(&self, kernel: &Arc<Kernel>, _source: &[u8], options: &[u8]) -> Result<Arc<dyn FileSystem>> {
        let mut parsed = TmpFsOptions::default();
        for option in options.split(|byte| *byte == b',').filter(|option| !option.is_empty()) {
            parse_option(option, kernel, &mut parsed)?;
        }
        let dev = kernel.vfs().next_dev();
        Ok(TmpFs::new(Arc::downgrade(kernel), kernel.machine().clone(), dev, self.0, &parsed))
    }
}

fn parse_option(option: &[u8], kernel: &Arc<Kernel>, parsed: &mut TmpFsOptions) -> Result<()> {
    let invalid = || Errno::EINVAL.because("a mount option has no meaning");
    let text = core::str::from_utf8(option).map_err(|_| invalid())?;
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    match key {
        "size" => parsed.size = parse_size(value, kernel).ok_or_else(invalid)?,
        "nr_blocks" => {
            let pages: u64 = parse_scaled(value).ok_or_else(invalid)?;
            parsed.size = pages.checked_mul(PAGE_SIZE).ok_or_else(invalid)?;
        }
        "nr_inodes" => parsed.files = parse_scaled(value).ok_or_else(invalid)?,
        "mode" => parsed.mode = u32::from_str_radix(value, 8).map_err(|_| invalid())? & 0o7777,
        "uid" => parsed.uid = value.parse().map_err(|_| invalid())?,
        "gid" => parsed.gid = value.parse().map_err(|_| invalid())?,
        // These choose how memory is used, not what the file system holds.
        "huge" | "mpol" | "inode32" | "inode64" | "noswap" => {}
        _ => return Err(invalid()),
    }
    Ok(())
}

/// A size with a suffix `k`, `m`, `g`, or a percentage of the memory.
fn parse_size(text: &str, kernel: &Arc<Kernel>) -> Option<u64> {
    match text.strip_suffix('%') {
        Some(percent) => {
            let total = (kernel.frame_pool().total() as u64).checked_mul(PAGE_SIZE)?;
            Some(total.checked_mul(percent.parse().ok()?)? / 100)
        }
        None => parse_scaled(text),
    }
}

fn parse_scaled(text: &str) -> Option<u64> {
    let (digits, shift) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 10),
        b'm' | b'M' => (&text[..text.len() - 1], 20),
        b'g' | b'G' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// The type of what a node is to hold, for `d_type`.
const fn kind_of(new: &NewNode<'_>) -> FileType {
    new.kind.file_type()
}
