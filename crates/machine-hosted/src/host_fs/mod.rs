//! Host directories as [`machine::HostNode`]s that cannot be left.
//!
//! [`open_dir`] opens one host directory; the [`node::Node`]s beneath it are
//! reached one name at a time, relative to a descriptor, and never through a
//! symbolic link ([`names`]). So no path, link, rename or race leads outside.
//! [`tree::Tree`] holds what the nodes of one directory share: the few
//! descriptors that are kept open, and which node stands for which inode.
//! [`file`] is the contents of regular files.
//!
//! Lock order: `Tree::names`, then `Tree::nodes`, then a node's own fields.
//! `Tree::cached` and `Tree::fresh` are leaves. A node is never dropped while
//! one of the tree's locks is held, because dropping it takes `Tree::nodes`.

mod file;
mod names;
mod node;
#[cfg(test)]
mod tests;
mod tree;

use std::path::Path;
use std::sync::Arc;

use linux_abi::Errno;
use machine::HostNode;
use rustix::process::{getegid, geteuid};

use crate::errno::guest;

/// Opens a host directory (or a single host file) for a guest.
///
/// `path` itself may contain symbolic links: it is the user's word. With
/// `read_only`, whatever would change something is `EROFS`. The guest sees the
/// user and group of this process as 0; a process of root shows owners as they are.
///
/// # Errors
/// As `open`.
pub fn open_dir(path: &Path, read_only: bool) -> Result<Arc<dyn HostNode>, Errno> {
    let root = names::open_root(path).map_err(guest)?;
    let (uid, gid) = (geteuid(), getegid());
    let owner = (!uid.is_root()).then(|| (uid.as_raw(), gid.as_raw()));
    Ok(tree::Tree::open(root, read_only, owner)?)
}
