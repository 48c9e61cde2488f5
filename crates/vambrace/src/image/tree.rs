//! What goes into an image: [`Tree`].

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use ext2::Kind;

use crate::userland::{Attributes, Item, Unpack};

/// Files by number; 0 is the root directory. A file with several names has one
/// number.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) attributes: Attributes,
    pub(crate) content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    /// Names and numbers.
    Directory(BTreeMap<Vec<u8>, usize>),
    File(Source),
    Symlink(Vec<u8>),
    /// A device, as in `st_rdev`, a FIFO or a socket.
    Special(Kind, u32),
}

/// Where a file's bytes are.
#[derive(Debug)]
pub(crate) enum Source {
    Host(PathBuf, u64),
    Archive(Arc<Vec<u8>>, Range<usize>),
}

impl Source {
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Host(_, len) => *len,
            Self::Archive(_, range) => range.len() as u64,
        }
    }
}

/// A directory that nothing describes.
const PLAIN: Attributes = Attributes { mode: 0o755, uid: 0, gid: 0, mtime_ns: 0 };

impl Tree {
    /// A tree with nothing but a root directory.
    pub(crate) fn new() -> Self {
        Self { nodes: vec![Node { attributes: PLAIN, content: Content::Directory(BTreeMap::new()) }] }
    }

    /// Adds a node under a name; one that has the name loses it.
    pub(crate) fn add(&mut self, dir: usize, name: &[u8], node: Node) -> Result<usize, String> {
        let number = self.nodes.len();
        self.name(dir, name, number)?;
        self.nodes.push(node);
        Ok(number)
    }

    /// Gives a node a name.
    pub(crate) fn name(&mut self, dir: usize, name: &[u8], number: usize) -> Result<(), String> {
        match self.nodes.get_mut(dir).map(|node| &mut node.content) {
            Some(Content::Directory(names)) => {
                names.insert(name.to_vec(), number);
                Ok(())
            }
            _ => Err("not a directory".into()),
        }
    }

    fn child(&self, dir: usize, name: &[u8]) -> Option<usize> {
        match &self.nodes.get(dir)?.content {
            Content::Directory(names) => names.get(name).copied(),
            _ => None,
        }
    }

    /// The directory of a path, made if it is missing, and the last name; no
    /// name for the root.
    fn walk<'a>(&mut self, path: &'a [u8]) -> Result<(usize, Option<&'a [u8]>), String> {
        let mut names = path.split(|&byte| byte == b'/').filter(|name| !name.is_empty() && *name != b".");
        let mut dir = 0;
        let mut last = names.next();
        for next in names {
            let name = last.unwrap_or_default();
            if name == b".." {
                return Err("a path with ..".into());
            }
            dir = match self.child(dir, name) {
                Some(child) => child,
                None => {
                    self.add(dir, name, Node { attributes: PLAIN, content: Content::Directory(BTreeMap::new()) })?
                }
            };
            last = Some(next);
        }
        if last == Some(b"..") { Err("a path with ..".into()) } else { Ok((dir, last)) }
    }
}

impl Unpack for Tree {
    fn put(&mut self, path: &[u8], attributes: &Attributes, item: &Item<'_>) -> Result<(), String> {
        let (dir, name) = self.walk(path)?;
        let existing = name.map_or(Some(0), |name| self.child(dir, name));
        let content = match item {
            Item::Directory => {
                // One that exists keeps what is in it.
                if let Some(node) = existing.and_then(|number| self.nodes.get_mut(number))
                    && let Content::Directory(_) = node.content
                {
                    node.attributes = *attributes;
                    return Ok(());
                }
                Content::Directory(BTreeMap::new())
            }
            Item::File(archive, range) => Content::File(Source::Archive(Arc::clone(archive), range.clone())),
            Item::Symlink(target) => Content::Symlink(target.to_vec()),
            Item::Fifo => Content::Special(Kind::Fifo, 0),
            Item::HardLink(target) => {
                let (target_dir, target) = self.walk(target)?;
                let number = target.and_then(|target| self.child(target_dir, target));
                let number = number.ok_or("no such file to link to")?;
                return self.name(dir, name.ok_or("a link called /")?, number);
            }
        };
        let name = name.ok_or("the root is a directory")?;
        self.add(dir, name, Node { attributes: *attributes, content }).map(|_| ())
    }
}
