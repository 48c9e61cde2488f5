//! What the nodes of one opened host directory share.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use linux_abi::Errno;
use parking_lot::{Mutex, RwLock};
use rustix::fs::{Stat, fstat};
use rustix::io;
use rustix::process::{Resource, getrlimit};

use super::node::{Node, Place};
use crate::errno::guest;

/// Device and inode number: what tells files apart.
pub(super) type FileId = (u64, u64);

/// How many newly made files keep the descriptor they were made with until
/// the guest opens them.
const FRESH_LIMIT: usize = 8;

/// One opened host directory.
pub(super) struct Tree {
    /// Whatever changes something is refused.
    read_only: bool,
    /// The user and group that the guest sees as 0, unless this process is root.
    owner: Option<(u32, u32)>,
    /// The node of each inode that the kernel holds one for. Also guards every
    /// change of a node's place.
    nodes: Mutex<HashMap<FileId, Weak<Node>>>,
    /// Nodes that hold a descriptor, the longest unused first.
    cached: Mutex<VecDeque<Weak<Node>>>,
    /// New files that hold the descriptor they were made with, oldest first.
    fresh: Mutex<VecDeque<Weak<Node>>>,
    /// Held for reading while a walk follows names, for writing while one
    /// of them moves.
    pub(super) names: RwLock<()>,
    /// How many nodes may hold a descriptor.
    cache_limit: usize,
}

impl Tree {
    /// The tree over the opened `root`, and the root's node.
    /// `owner` is the host user and group that the guest is to see as 0.
    pub(super) fn open(root: OwnedFd, read_only: bool, owner: Option<(u32, u32)>) -> Result<Arc<Node>, Errno> {
        let soft = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let tree = Arc::new(Self {
            read_only,
            owner,
            nodes: Mutex::default(),
            cached: Mutex::default(),
            fresh: Mutex::default(),
            names: RwLock::new(()),
            // An eighth for each tree leaves room for open files and for a few
            // trees, also where the limit is the customary 1024.
            cache_limit: usize::try_from(soft / 8).unwrap_or(usize::MAX).clamp(8, 512),
        });
        let stat = fstat(&root).map_err(guest)?;
        let node = Node::new(&tree, file_id(&stat), None);
        // The root's descriptor stays for good: every walk can start there.
        node.pin(root);
        tree.nodes.lock().insert(node.id(), Arc::downgrade(&node));
        Ok(node)
    }

    /// # Errors
    /// `EROFS` in a read-only tree.
    pub(super) fn check_writable(&self) -> Result<(), Errno> {
        if self.read_only { Err(Errno::EROFS) } else { Ok(()) }
    }

    /// The owner that the guest sees for one of the host's.
    pub(super) fn guest_owner(&self, uid: u32, gid: u32) -> (u32, u32) {
        match self.owner {
            Some((own_uid, own_gid)) => (if uid == own_uid { 0 } else { uid }, if gid == own_gid { 0 } else { gid }),
            None => (uid, gid),
        }
    }

    /// The host's owner for one that the guest names.
    pub(super) fn host_owner(&self, uid: u32, gid: u32) -> (u32, u32) {
        match self.owner {
            Some((own_uid, own_gid)) => (if uid == 0 { own_uid } else { uid }, if gid == 0 { own_gid } else { gid }),
            None => (uid, gid),
        }
    }

    /// The node for what was found as `name` in `parent`: the one that the
    /// kernel has already, moved here if need be, or a new one.
    pub(super) fn adopt(self: &Arc<Self>, parent: &Arc<Node>, name: &[u8], fd: OwnedFd, stat: &Stat) -> Arc<Node> {
        let id = file_id(stat);
        let place = Place { parent: parent.clone(), name: name.to_vec() };
        // Declared before the guard, so that what it holds is dropped after it.
        let mut old_place = None;
        let mut nodes = self.nodes.lock();
        let known = nodes.get(&id).and_then(Weak::upgrade);
        let node = match known {
            Some(node) if node.is_at(parent, name) => node,
            Some(node) if node.is_root() || !node.is_above(parent) => {
                old_place = node.move_to(place);
                node
            }
            // The host moved directories behind our back so that the places we
            // remember would form a ring. The old node keeps its stale place.
            _ => {
                let node = Node::new(self, id, Some(place));
                nodes.insert(id, Arc::downgrade(&node));
                node
            }
        };
        drop(nodes);
        drop(old_place);
        self.cache(&node, Arc::new(fd));
        node
    }

    /// The node of an inode, if the kernel holds one.
    pub(super) fn known(&self, stat: &Stat) -> Option<Arc<Node>> {
        self.nodes.lock().get(&file_id(stat)).and_then(Weak::upgrade)
    }

    /// Tells a node that its name moved.
    pub(super) fn moved(&self, node: &Arc<Node>, parent: &Arc<Node>, name: &[u8]) {
        let place = Place { parent: parent.clone(), name: name.to_vec() };
        let nodes = self.nodes.lock();
        let old_place = if node.is_above(parent) { None } else { node.move_to(place) };
        drop(nodes);
        drop(old_place);
    }

    /// Forgets a node that is being dropped.
    pub(super) fn forget(&self, id: FileId) {
        let mut nodes = self.nodes.lock();
        // A new node may have taken the number over in the meantime.
        if nodes.get(&id).is_some_and(|node| node.strong_count() == 0) {
            nodes.remove(&id);
        }
    }

    /// Lets `node` keep `fd`, and takes the descriptor of the node that has
    /// not used its own for longest if there are too many.
    pub(super) fn cache(&self, node: &Arc<Node>, fd: Arc<OwnedFd>) {
        if node.keep(fd) {
            self.cached.lock().push_back(Arc::downgrade(node));
        }
        self.evict(self.cache_limit);
    }

    /// Takes descriptors until at most `limit` nodes hold one.
    fn evict(&self, limit: usize) {
        // Collected, so that no node is dropped under the lock.
        let mut visited = Vec::new();
        let mut cached = self.cached.lock();
        let mut chances = cached.len();
        while cached.len() > limit {
            let Some(candidate) = cached.pop_front() else { break };
            let Some(node) = candidate.upgrade() else { continue };
            if chances > 0 && node.used.swap(false, Ordering::Relaxed) {
                chances -= 1;
                cached.push_back(candidate);
            } else {
                node.release();
            }
            visited.push(node);
        }
        drop(cached);
        drop(visited);
    }

    /// Notes that `node` was just made and holds its first descriptor.
    pub(super) fn note_fresh(&self, node: &Arc<Node>) {
        let mut fresh = self.fresh.lock();
        fresh.push_back(Arc::downgrade(node));
        let oldest = if fresh.len() > FRESH_LIMIT { fresh.pop_front() } else { None };
        drop(fresh);
        if let Some(node) = oldest.and_then(|node| node.upgrade()) {
            node.take_fresh();
        }
    }

    /// Runs `f`, once more with every spare descriptor closed if the process
    /// has too many open.
    pub(super) fn with_room<T>(&self, mut f: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        let result = io::retry_on_intr(&mut f);
        if !matches!(result, Err(io::Errno::MFILE | io::Errno::NFILE)) {
            return result;
        }
        self.evict(0);
        io::retry_on_intr(f)
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").field("read_only", &self.read_only).field("owner", &self.owner).finish_non_exhaustive()
    }
}

/// What tells this file apart.
pub(super) fn file_id(stat: &Stat) -> FileId {
    (stat.st_dev, stat.st_ino)
}

/// The descriptor's identity.
pub(super) fn id_of(fd: impl AsFd) -> io::Result<FileId> {
    fstat(fd).map(|stat| file_id(&stat))
}
