//! The kinds of node in `/proc`: tables, text files, links.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;

use linux_abi::Errno;
use linux_abi::fcntl::OpenFlags;
use machine::sync::Mutex;

use crate::error::{Because, Result};
use crate::fs::procfs::{Target, any_inode};
use crate::fs::{
    Attr, Caller, DirEntry, DirSink, File, FileOps, FileType, Inode, IoBuf, NameCaching, Opening, Path, SetAttr,
};

/// Gives the text of a file.
pub(crate) type Text = fn(&Target) -> Result<Vec<u8>>;

/// One name in a table.
pub(crate) struct Item {
    pub(crate) name: &'static str,
    pub(crate) mode: u32,
    pub(crate) what: What,
}

/// What a name stands for.
pub(crate) enum What {
    /// A file that is read.
    Text(Text),
    /// A file that is read and written.
    Setting(Text, fn(&Target, &Caller, &[u8]) -> Result<()>),
    /// A symbolic link by its text.
    Link(fn(&Target, &Caller) -> Result<Vec<u8>>),
    /// A symbolic link that leads to a place, whatever its text.
    Place(fn(&Target) -> Result<Path>),
    /// A further table.
    Table(&'static [Item]),
    /// A directory that is made on the fly.
    Made(fn(&Target) -> Arc<dyn Inode>),
    /// The process's memory.
    Memory,
}

/// A stable inode number for a name about a target.
pub(crate) fn ino(target: &Target, name: &[u8]) -> u64 {
    // FNV-1a; the top bit keeps clear of small numbers.
    let ids = target.pid.to_le_bytes().into_iter().chain(target.tid.to_le_bytes());
    let hash = ids
        .chain(name.iter().copied())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    hash >> 16 | 1 << 32
}

pub(crate) fn attr(target: &Target, name: &[u8], kind: FileType, mode: u32) -> Attr {
    let owner = (target.pid != 0).then(|| target.task().ok().map(|task| task.creds())).flatten();
    let (uid, gid) = owner.map_or((0, 0), |creds| (creds.euid, creds.egid));
    let now = target.kernel().map_or(0, |kernel| kernel.vfs().now_ns());
    let nlink = if kind == FileType::Directory { 2 } else { 1 };
    Attr {
        uid,
        gid,
        nlink,
        ino: ino(target, name),
        dev: target.dev,
        atime_ns: now,
        mtime_ns: now,
        ctime_ns: now,
        ..Attr::new(kind, mode)
    }
}

/// A directory with a fixed table.
pub(crate) struct Dir {
    pub(crate) target: Target,
    pub(crate) name: &'static str,
    pub(crate) items: &'static [Item],
}

impl Item {
    fn kind(&self) -> FileType {
        match self.what {
            What::Text(_) | What::Setting(..) | What::Memory => FileType::Regular,
            What::Link(_) | What::Place(_) => FileType::Symlink,
            What::Table(_) | What::Made(_) => FileType::Directory,
        }
    }

    pub(crate) fn inode(&'static self, target: &Target) -> Arc<dyn Inode> {
        match self.what {
            What::Table(items) => Arc::new(Dir { target: target.clone(), name: self.name, items }),
            What::Made(make) => make(target),
            _ => Arc::new(Node { target: target.clone(), item: self }),
        }
    }
}

/// Looks a name up in a table.
pub(crate) fn find(items: &'static [Item], target: &Target, name: &[u8]) -> Option<Arc<dyn Inode>> {
    items.iter().find(|item| item.name.as_bytes() == name).map(|item| item.inode(target))
}

/// Lists a table from entry `from` on; true if everything fitted.
pub(crate) fn list(items: &'static [Item], target: &Target, from: u64, sink: &mut DirSink<'_>) -> bool {
    let skip = usize::try_from(from).unwrap_or(usize::MAX);
    items.iter().enumerate().skip(skip).all(|(index, item)| {
        let name = item.name.as_bytes();
        sink(DirEntry { name, ino: ino(target, name), kind: item.kind(), next: index as u64 + 1 })
    })
}

impl Inode for Dir {
    fn kind(&self) -> FileType {
        FileType::Directory
    }

    fn attr(&self) -> Result<Attr> {
        Ok(attr(&self.target, self.name.as_bytes(), FileType::Directory, 0o555))
    }

    fn name_caching(&self) -> NameCaching {
        NameCaching::Never
    }

    fn lookup(&self, name: &[u8], _: &Caller) -> Result<Arc<dyn Inode>> {
        find(self.items, &self.target, name).ok_or(Errno::ENOENT.because("no such file in /proc"))
    }

    fn read_dir(&self, from: u64, _: &Caller, sink: &mut DirSink<'_>) -> Result<()> {
        list(self.items, &self.target, from, sink);
        Ok(())
    }

    any_inode!();
}

/// A file or link of a table.
struct Node {
    target: Target,
    item: &'static Item,
}

impl Inode for Node {
    fn kind(&self) -> FileType {
        self.item.kind()
    }

    fn attr(&self) -> Result<Attr> {
        Ok(attr(&self.target, self.item.name.as_bytes(), self.item.kind(), self.item.mode))
    }

    fn set_attr(&self, change: &SetAttr) -> Result<()> {
        // `echo > /proc/...` truncates first.
        match change.size {
            Some(_) => Ok(()),
            None => Err(Errno::EPERM.because("the attributes in /proc are fixed")),
        }
    }

    fn read_link(&self, caller: &Caller) -> Result<Vec<u8>> {
        match self.item.what {
            What::Link(text) => text(&self.target, caller),
            What::Place(place) => {
                check_access(&self.target, caller)?;
                let place = place(&self.target)?;
                Ok(caller.kernel.vfs().link_text(&caller.fs.root(), &place))
            }
            _ => Err(Errno::EINVAL.because("not a symbolic link")),
        }
    }

    fn magic_link(&self, caller: &Caller) -> Option<Result<Path>> {
        match self.item.what {
            What::Place(place) => Some(check_access(&self.target, caller).and_then(|()| place(&self.target))),
            _ => None,
        }
    }

    fn open(self: Arc<Self>, opening: &Opening<'_>) -> Result<Arc<dyn FileOps>> {
        match self.item.what {
            What::Text(text) => {
                // Files that only their owner may read show what `ptrace` would.
                if self.item.mode & 0o044 == 0 {
                    check_access(&self.target, opening.caller)?;
                }
                Ok(Arc::new(OpenText { target: self.target.clone(), text, write: None, content: Mutex::default() }))
            }
            What::Setting(text, write) => {
                let write = Some((write, opening.caller.clone()));
                Ok(Arc::new(OpenText { target: self.target.clone(), text, write, content: Mutex::default() }))
            }
            What::Memory => {
                check_access(&self.target, opening.caller)?;
                super::process::open_memory(&self.target, opening.flags.contains(OpenFlags::O_WRONLY))
            }
            _ => Err(Errno::ELOOP.because("a symbolic link is not opened")),
        }
    }

    any_inode!();
}

/// Checks that `caller` may look into the process.
///
/// # Errors
/// `EACCES`, or `ESRCH` if it has ended.
pub(crate) fn check_access(target: &Target, caller: &Caller) -> Result<()> {
    if target.pid == 0 || caller.creds.is_privileged() {
        return Ok(());
    }
    let owner = target.task()?.creds();
    if owner.uid == caller.creds.fsuid && owner.euid == caller.creds.fsuid {
        return Ok(());
    }
    Err(Errno::EACCES.because("the process belongs to another user"))
}

type Write = fn(&Target, &Caller, &[u8]) -> Result<()>;

/// An open text file. Its text is made when it is read from the start.
struct OpenText {
    target: Target,
    text: Text,
    write: Option<(Write, Caller)>,
    content: Mutex<Option<Arc<Vec<u8>>>>,
}

impl FileOps for OpenText {
    fn is_seekable(&self) -> bool {
        true
    }

    fn read_at(&self, _: &File, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
        let kept = self.content.lock().clone().filter(|_| offset != 0);
        let content = match kept {
            Some(content) => content,
            None => {
                let content = Arc::new((self.text)(&self.target)?);
                *self.content.lock() = Some(content.clone());
                content
            }
        };
        let rest = usize::try_from(offset).ok().and_then(|offset| content.get(offset..));
        rest.map_or(Ok(0), |rest| buf.put(rest))
    }

    fn write_at(&self, _: &File, buf: &mut IoBuf<'_>, _offset: u64) -> Result<usize> {
        let Some((write, caller)) = &self.write else {
            return Err(Errno::EINVAL.because("the file is only read"));
        };
        buf.limit(4096);
        let bytes = buf.take_all()?;
        write(&self.target, caller, &bytes)?;
        Ok(bytes.len())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A text from formatted lines.
pub(crate) fn text(content: String) -> Vec<u8> {
    content.into_bytes()
}
