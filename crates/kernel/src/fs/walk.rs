//! The path walk: from text to a [`Path`].
//!
//! One component at a time, with symbolic links, mounts and `..` resolved
//! here; a file system is only ever asked for one name in one directory. The
//! rules are those of `path_resolution(7)` and, for the restrictions,
//! `openat2(2)`.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::fcntl::{AtFlags, NAME_MAX, ResolveFlags};

use crate::error::{Because, Result};
use crate::fs::{Caller, Dentry, FileType, NameCaching, Path, Vfs};

bitflags::bitflags! {
    /// How a path is to be walked.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct WalkFlags: u32 {
        /// Follow a symbolic link that is the last component.
        const FOLLOW = 1;
        /// The result must be a directory.
        const DIRECTORY = 1 << 1;
        /// An empty path is the start itself.
        const EMPTY_PATH = 1 << 2;
        /// Cross no mount (`RESOLVE_NO_XDEV`).
        const NO_XDEV = 1 << 3;
        /// Follow no link of `/proc` (`RESOLVE_NO_MAGICLINKS`).
        const NO_MAGIC_LINKS = 1 << 4;
        /// Follow no symbolic link (`RESOLVE_NO_SYMLINKS`).
        const NO_SYMLINKS = 1 << 5;
        /// Stay below the start (`RESOLVE_BENEATH`).
        const BENEATH = 1 << 6;
        /// Take the start for the root (`RESOLVE_IN_ROOT`).
        const IN_ROOT = 1 << 7;
    }
}

impl WalkFlags {
    /// For a call that follows links unless `AT_SYMLINK_NOFOLLOW` is given.
    #[must_use]
    pub fn from_at(flags: AtFlags) -> Self {
        let mut walk = Self::FOLLOW;
        walk.set(Self::FOLLOW, !flags.contains(AtFlags::AT_SYMLINK_NOFOLLOW));
        walk.set(Self::EMPTY_PATH, flags.contains(AtFlags::AT_EMPTY_PATH));
        walk
    }

    /// The restrictions of `openat2`.
    #[must_use]
    pub fn from_resolve(flags: ResolveFlags) -> Self {
        let mut walk = Self::empty();
        walk.set(Self::NO_XDEV, flags.contains(ResolveFlags::RESOLVE_NO_XDEV));
        walk.set(Self::NO_MAGIC_LINKS, flags.contains(ResolveFlags::RESOLVE_NO_MAGICLINKS));
        walk.set(Self::NO_SYMLINKS, flags.contains(ResolveFlags::RESOLVE_NO_SYMLINKS));
        walk.set(Self::BENEATH, flags.contains(ResolveFlags::RESOLVE_BENEATH));
        walk.set(Self::IN_ROOT, flags.contains(ResolveFlags::RESOLVE_IN_ROOT));
        walk
    }
}

/// The last component of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Last {
    /// A name.
    Name(Vec<u8>),
    /// `.`
    Dot,
    /// `..`
    DotDot,
    /// The path is a root, such as `/`.
    Root,
}

/// A directory and what the last component calls in it.
#[derive(Clone, Debug)]
pub struct Parent {
    /// The directory.
    pub dir: Path,
    /// The last component.
    pub last: Last,
    /// There was a `/` after it: it must be a directory.
    pub has_slash: bool,
}

/// Links that one walk follows.
const MAX_LINKS: u32 = 40;

/// A walk under way.
pub(super) struct Walk<'a> {
    vfs: &'a Vfs,
    caller: &'a Caller,
    flags: WalkFlags,
    /// What `/` means, and where `..` ends.
    root: Path,
    at: Path,
    links: u32,
}

impl Vfs {
    /// The file that `path` names, from `dirfd` on.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`, `EBADF`, and
    /// `EXDEV` for a restriction in `flags`.
    pub fn resolve(&self, caller: &Caller, dirfd: i32, path: &[u8], flags: WalkFlags) -> Result<Path> {
        if path.is_empty() {
            if !flags.contains(WalkFlags::EMPTY_PATH) {
                return Err(Errno::ENOENT.because("the path is empty"));
            }
            return caller.base(dirfd);
        }
        let mut walk = Walk::new(self, caller, dirfd, path, flags)?;
        walk.run(path)?;
        Ok(walk.at)
    }

    /// The directory that holds the last component of `path`.
    ///
    /// # Errors
    /// As [`Vfs::resolve`], for what comes before the last component.
    pub fn resolve_parent(&self, caller: &Caller, dirfd: i32, path: &[u8]) -> Result<Parent> {
        if path.is_empty() {
            return Err(Errno::ENOENT.because("the path is empty"));
        }
        let mut walk = Walk::new(self, caller, dirfd, path, WalkFlags::FOLLOW)?;
        walk.run_to_parent(path)
    }

    /// The child of a directory, with what is mounted on it. Permission has
    /// been checked.
    ///
    /// # Errors
    /// As [`super::Inode::lookup`].
    pub(super) fn child(&self, caller: &Caller, dir: &Path, name: &[u8]) -> Result<Path> {
        let dentry = self.child_dentry(caller, &dir.dentry, name)?;
        Ok(self.mounts().topmost(dir.with_dentry(dentry)))
    }

    /// The dentry called `name` in a directory.
    ///
    /// # Errors
    /// As [`super::Inode::lookup`].
    pub(super) fn child_dentry(&self, caller: &Caller, dir: &Arc<Dentry>, name: &[u8]) -> Result<Arc<Dentry>> {
        let caching = dir.inode().name_caching();
        if let Some(child) = valid_child(dir, name, caching) {
            return Ok(child);
        }
        if name.len() > NAME_MAX {
            return Err(Errno::ENAMETOOLONG.because("a component is longer than 255 bytes"));
        }
        let _names = dir.lock_names();
        self.child_dentry_locked(caller, dir, name)
    }

    /// As [`Vfs::child_dentry`], by somebody who has the directory's names
    /// locked.
    pub(super) fn child_dentry_locked(&self, caller: &Caller, dir: &Arc<Dentry>, name: &[u8]) -> Result<Arc<Dentry>> {
        let caching = dir.inode().name_caching();
        if let Some(child) = valid_child(dir, name, caching) {
            return Ok(child);
        }
        let inode = match dir.inode().lookup(name, caller) {
            Ok(inode) => inode,
            Err(error) => {
                if error.errno == Errno::ENOENT {
                    dir.forget_child(name, true);
                }
                return Err(error);
            }
        };
        Ok(match caching {
            NameCaching::Always => dir.insert_child(name, inode, 0, &self.dentries),
            NameCaching::While(stamp) => dir.insert_child(name, inode, stamp, &self.dentries),
            NameCaching::Never => dir.uncached_child(name, inode),
        })
    }
}

/// The cached child, if what the cache says is still true.
fn valid_child(dir: &Arc<Dentry>, name: &[u8], caching: NameCaching) -> Option<Arc<Dentry>> {
    let child = dir.cached_child(name)?;
    let is_valid = match caching {
        NameCaching::Always => true,
        // Where a mount lies the name has to stay.
        NameCaching::While(stamp) => child.stamp() == stamp || child.is_fixed(),
        NameCaching::Never => child.is_fixed(),
    };
    is_valid.then_some(child)
}

impl<'a> Walk<'a> {
    pub(super) fn new(vfs: &'a Vfs, caller: &'a Caller, dirfd: i32, path: &[u8], flags: WalkFlags) -> Result<Self> {
        let root = caller.fs.root();
        let is_absolute = path.first() == Some(&b'/');
        if flags.intersects(WalkFlags::BENEATH | WalkFlags::IN_ROOT) {
            if is_absolute && flags.contains(WalkFlags::BENEATH) {
                return Err(Errno::EXDEV.because("an absolute path leaves the start"));
            }
            let base = caller.base(dirfd)?;
            return Ok(Self { vfs, caller, flags, root: base.clone(), at: base, links: 0 });
        }
        let at = if is_absolute { root.clone() } else { caller.base(dirfd)? };
        Ok(Self { vfs, caller, flags, root, at, links: 0 })
    }

    /// Walks all of `path`.
    fn run(&mut self, path: &[u8]) -> Result<()> {
        let parent = self.run_to_parent(path)?;
        self.finish(parent, self.flags.contains(WalkFlags::FOLLOW))
    }

    /// Goes on to what `parent` names, following links if `follow`.
    pub(super) fn finish(&mut self, mut parent: Parent, follow: bool) -> Result<()> {
        let wants_dir = self.flags.contains(WalkFlags::DIRECTORY);
        let mut has_slash = false;
        loop {
            has_slash |= parent.has_slash;
            self.at = parent.dir.clone();
            match &parent.last {
                Last::Root | Last::Dot => {}
                Last::DotDot => self.go_up()?,
                Last::Name(name) => {
                    let child = self.step(name)?;
                    let is_link = child.inode().kind() == FileType::Symlink;
                    if !is_link || !(follow || has_slash) {
                        self.at = child;
                    } else if let Some(next) = self.follow(child)? {
                        parent = next;
                        continue;
                    }
                }
            }
            break;
        }
        if (has_slash || wants_dir) && self.at.inode().kind() != FileType::Directory {
            return Err(Errno::ENOTDIR.because("the path's end is no directory"));
        }
        Ok(())
    }

    /// Walks all but the last component of `path`. Each link on the way is one
    /// level of recursion, of which [`MAX_LINKS`] allows few.
    pub(super) fn run_to_parent(&mut self, path: &[u8]) -> Result<Parent> {
        let mut rest = skip_slashes(path);
        loop {
            if rest.is_empty() {
                return Ok(Parent { dir: self.at.clone(), last: Last::Root, has_slash: true });
            }
            let end = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            rest = skip_slashes(after);
            self.check_search()?;
            if rest.is_empty() {
                return self.last(name, !after.is_empty());
            }
            match name {
                b"." => {}
                b".." => self.go_up()?,
                name => {
                    let child = self.step(name)?;
                    if child.inode().kind() != FileType::Symlink {
                        self.at = child;
                    } else if let Some(mut text) = self.enter_link(child)? {
                        text.extend_from_slice(after);
                        return self.run_to_parent(&text);
                    }
                }
            }
        }
    }

    fn last(&self, name: &[u8], has_slash: bool) -> Result<Parent> {
        if name.len() > NAME_MAX {
            return Err(Errno::ENAMETOOLONG.because("a component is longer than 255 bytes"));
        }
        let last = match name {
            b"." => Last::Dot,
            b".." => Last::DotDot,
            name => Last::Name(name.to_vec()),
        };
        Ok(Parent { dir: self.at.clone(), last, has_slash })
    }

    /// Starts on a symbolic link: its text, with the walk at where the text
    /// starts, or nothing if the link has led to its end already.
    fn enter_link(&mut self, link: Path) -> Result<Option<Vec<u8>>> {
        self.links += 1;
        if self.links > MAX_LINKS || self.flags.contains(WalkFlags::NO_SYMLINKS) {
            return Err(Errno::ELOOP.because("too many symbolic links"));
        }
        if let Some(target) = link.inode().magic_link(self.caller) {
            if self.flags.contains(WalkFlags::NO_MAGIC_LINKS) {
                return Err(Errno::ELOOP.because("the link is a magic one"));
            }
            if self.flags.intersects(WalkFlags::BENEATH | WalkFlags::IN_ROOT) {
                return Err(Errno::EXDEV.because("a magic link leaves the start"));
            }
            let target = target?;
            self.check_xdev(&target)?;
            self.at = target;
            return Ok(None);
        }
        let text = link.inode().read_link(self.caller)?;
        match text.first() {
            None => return Err(Errno::ENOENT.because("the symbolic link is empty")),
            Some(b'/') => {
                if self.flags.contains(WalkFlags::BENEATH) {
                    return Err(Errno::EXDEV.because("an absolute link leaves the start"));
                }
                self.check_xdev(&self.root)?;
                self.at = self.root.clone();
            }
            Some(_) => {}
        }
        Ok(Some(text))
    }

    /// Follows a symbolic link that is the last component: where its text
    /// leads, or nothing if the walk is at its end.
    pub(super) fn follow(&mut self, link: Path) -> Result<Option<Parent>> {
        match self.enter_link(link)? {
            Some(text) => self.run_to_parent(&text).map(Some),
            None => Ok(None),
        }
    }

    /// The child `name` of where the walk is.
    pub(super) fn step(&self, name: &[u8]) -> Result<Path> {
        let child = self.vfs.child(self.caller, &self.at, name)?;
        self.check_xdev(&child)?;
        Ok(child)
    }

    fn check_xdev(&self, to: &Path) -> Result<()> {
        if self.flags.contains(WalkFlags::NO_XDEV) && !Arc::ptr_eq(&to.mount, &self.at.mount) {
            return Err(Errno::EXDEV.because("the walk crosses a mount"));
        }
        Ok(())
    }

    /// Checks that names may be looked up where the walk is.
    fn check_search(&self) -> Result<()> {
        let inode = self.at.inode();
        if inode.kind() != FileType::Directory {
            return Err(Errno::ENOTDIR.because("a component is no directory"));
        }
        if self.caller.creds.fsuid == 0 {
            return Ok(());
        }
        inode.attr()?.check_access(&self.caller.creds, 1)
    }

    /// `..`, which ends at the root and leaves mounts.
    fn go_up(&mut self) -> Result<()> {
        if self.at.is_same(&self.root) {
            if self.flags.contains(WalkFlags::BENEATH) {
                return Err(Errno::EXDEV.because("the path leaves the start"));
            }
            return Ok(());
        }
        let mut below = self.at.clone();
        while Arc::ptr_eq(&below.dentry, below.mount.root()) {
            match below.mount.mountpoint() {
                Some(at) if at.is_same(&self.root) => {
                    below = at;
                    break;
                }
                Some(at) => below = at,
                None => return Ok(()),
            }
        }
        if !below.is_same(&self.root)
            && let Some(parent) = below.dentry.parent()
        {
            below.dentry = parent;
        }
        let up = self.vfs.mounts().topmost(below);
        self.check_xdev(&up)?;
        self.at = up;
        Ok(())
    }

    /// Goes on from another place.
    pub(super) fn set_at(&mut self, at: Path) {
        self.at = at;
    }

    /// Where the walk is.
    pub(super) fn into_path(self) -> Path {
        self.at
    }
}

fn skip_slashes(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| *byte != b'/').unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}
