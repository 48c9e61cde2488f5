//! `/proc/PID/fd` and `/proc/PID/fdinfo`.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;

use linux_abi::Errno;
use linux_abi::fcntl::OpenFlags;

use crate::error::{Because, Result};
use crate::fs::procfs::node::{self, check_access};
use crate::fs::procfs::{Target, any_inode};
use crate::fs::{Attr, Caller, DirEntry, DirSink, File, FileOps, FileType, Inode, IoBuf, NameCaching, Opening, Path};

/// The directory of links to open files.
pub(super) fn links(target: &Target) -> Arc<dyn Inode> {
    Arc::new(Fds { target: target.clone(), are_links: true })
}

/// The directory of descriptions of open files.
pub(super) fn infos(target: &Target) -> Arc<dyn Inode> {
    Arc::new(Fds { target: target.clone(), are_links: false })
}

struct Fds {
    target: Target,
    are_links: bool,
}

impl Fds {
    fn kind_of_entries(&self) -> FileType {
        if self.are_links { FileType::Symlink } else { FileType::Regular }
    }
}

fn descriptor(name: &[u8]) -> Option<i32> {
    let text = core::str::from_utf8(name).ok()?;
    let is_canonical = text == "0" || !(text.starts_with('0') || text.starts_with('+'));
    text.parse().ok().filter(|fd| is_canonical && *fd >= 0)
}

impl Inode for Fds {
    fn kind(&self) -> FileType {
        FileType::Directory
    }

    fn attr(&self) -> Result<Attr> {
        let name: &[u8] = if self.are_links { b"fd" } else { b"fdinfo" };
        Ok(node::attr(&self.target, name, FileType::Directory, 0o500))
    }

    fn name_caching(&self) -> NameCaching {
        NameCaching::Never
    }

    fn lookup(&self, name: &[u8], caller: &Caller) -> Result<Arc<dyn Inode>> {
        check_access(&self.target, caller)?;
        let absent = Errno::ENOENT.because("no such descriptor");
        let fd = descriptor(name).ok_or(absent)?;
        self.target.task()?.files().get(fd).map_err(|_| absent)?;
        Ok(Arc::new(Fd { target: self.target.clone(), fd, kind: self.kind_of_entries() }))
    }

    fn read_dir(&self, from: u64, caller: &Caller, sink: &mut DirSink<'_>) -> Result<()> {
        check_access(&self.target, caller)?;
        for fd in self.target.task()?.files().fds() {
            let position = u64::try_from(fd).unwrap_or(0);
            if position < from {
                continue;
            }
            let name = format!("{fd}");
            let ino = node::ino(&self.target, name.as_bytes());
            if !sink(DirEntry { name: name.as_bytes(), ino, kind: self.kind_of_entries(), next: position + 1 }) {
                break;
            }
        }
        Ok(())
    }

    any_inode!();
}

/// One descriptor: a link to its file, or a description of it.
struct Fd {
    target: Target,
    fd: i32,
    kind: FileType,
}

impl Fd {
    fn file(&self) -> Result<Arc<File>> {
        let file = self.target.task()?.files().get(self.fd);
        file.map_err(|_| Errno::ENOENT.because("the descriptor has been closed"))
    }
}

impl Inode for Fd {
    fn kind(&self) -> FileType {
        self.kind
    }

    fn attr(&self) -> Result<Attr> {
        let mode = match self.kind {
            FileType::Symlink => {
                let access = self.file()?.access();
                (if access.reads() { 0o500 } else { 0 }) | (if access.writes() { 0o300 } else { 0 })
            }
            _ => 0o444,
        };
        Ok(node::attr(&self.target, format!("{}", self.fd).as_bytes(), self.kind, mode))
    }

    fn read_link(&self, caller: &Caller) -> Result<Vec<u8>> {
        check_access(&self.target, caller)?;
        Ok(caller.kernel.vfs().link_text(&caller.fs.root(), self.file()?.path()))
    }

    fn magic_link(&self, caller: &Caller) -> Option<Result<Path>> {
        let place = || {
            check_access(&self.target, caller)?;
            Ok(self.file()?.path().clone())
        };
        (self.kind == FileType::Symlink).then(place)
    }

    fn open(self: Arc<Self>, opening: &Opening<'_>) -> Result<Arc<dyn FileOps>> {
        check_access(&self.target, opening.caller)?;
        let file = self.file()?;
        let mut flags = file.flags();
        flags.set(OpenFlags::O_CLOEXEC, self.target.task()?.files().cloexec(self.fd).unwrap_or(false));
        let mut out = format!(
            "pos:\t{}\nflags:\t0{:o}\nmnt_id:\t{}\nino:\t{}\n",
            *file.position(),
            flags.bits(),
            file.path().mount.id,
            file.attr().map_or(0, |attr| attr.ino),
        );
        file.ops().describe(&file, &mut out);
        Ok(Arc::new(Fixed(out)))
    }

    any_inode!();
}

/// A text that was made when the file was opened.
struct Fixed(String);

impl FileOps for Fixed {
    fn is_seekable(&self) -> bool {
        true
    }

    fn read_at(&self, _: &File, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.as_bytes().get(offset..));
        rest.map_or(Ok(0), |rest| buf.put(rest))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
