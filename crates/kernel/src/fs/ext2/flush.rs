//! Writing out what has changed: pages, times, and the file system's commit.
//!
//! Changed inodes are on a list that keeps them alive. A task of the kernel's
//! own, [`flusher`], writes them some seconds after the first change; nothing
//! wakes it while nothing has changed. What `fsync` and its relatives promise
//! is done at once by whoever asks.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use super::Shared;
use super::node::Node;
use crate::error::Result;
use crate::sched::nap_until;

/// How long a change may stay in memory alone, as Linux's `commit=`.
const FLUSH_NS: u64 = 5_000_000_000;

impl Shared {
    /// The inode has something to write.
    pub(super) fn note_changed(&self, node: Arc<Node>) {
        // What has no name is nobody's once it is closed: it is written only by
        // whoever asks for that, and must not be kept alive here.
        if self.is_read_only() || node.is_nameless() {
            return;
        }
        node.count_change();
        let old = self.changed.lock().insert(node.ino, node);
        drop(old);
        self.note_flush_due();
    }

    /// The flusher has something to do.
    pub(super) fn note_flush_due(&self) {
        if !self.is_flush_due.swap(true, Ordering::SeqCst) {
            self.flush_news.wake_all();
        }
    }

    /// Makes the flusher start at once if there are many changed pages.
    pub(super) fn hurry_if_crowded(&self) {
        if self.frames.dirty_pages() > self.frames.dirty_limit() / 2
            && !self.is_flush_urgent.swap(true, Ordering::SeqCst)
        {
            self.flush_news.wake_all();
        }
    }

    /// The inode has lost its last name.
    pub(super) fn drop_changed(&self, ino: u32) {
        let gone = self.changed.lock().remove(&ino);
        drop(gone);
    }

    fn changed_nodes(&self) -> Vec<Arc<Node>> {
        self.changed.lock().values().cloned().collect()
    }

    /// Writes everything and makes it permanent.
    pub(super) fn flush_all(&self) -> Result<()> {
        let nodes = self.changed_nodes();
        let mut result = Ok(());
        for node in &nodes {
            result = result.and(self.write_pages(node));
        }
        result = result.and(self.commit());
        self.drop_stored();
        result
    }

    fn write_pages(&self, node: &Node) -> Result<()> {
        node.contents().map_or(Ok(()), super::file::Contents::write_back)
    }

    /// Makes all that the file system has been told permanent, with the times
    /// of all inodes.
    pub(super) fn commit(&self) -> Result<()> {
        if self.is_read_only() {
            return Ok(());
        }
        let nodes = self.changed_nodes();
        let mut result = Ok(());
        // The commit would fill blocks that nobody has written yet with zeros.
        for contents in nodes.iter().filter_map(|node| node.contents().ok()) {
            result = result.and(contents.write_back_fresh());
        }
        self.has_changes.store(false, Ordering::SeqCst);
        let committed = self.with(|ext2| {
            nodes.iter().try_for_each(|node| node.store_times(ext2))?;
            ext2.commit()
        });
        if committed.is_err() {
            self.has_changes.store(true, Ordering::SeqCst);
        }
        result.and(committed)
    }

    /// Makes one inode permanent: pages, attributes, names.
    pub(super) fn sync_node(&self, node: &Node) -> Result<()> {
        if self.is_read_only() {
            return Ok(());
        }
        self.write_pages(node)?;
        self.commit()
    }

    /// Takes inodes off the list that have nothing to write any more.
    fn drop_stored(&self) {
        // What changes after this look at the counts stays on the list.
        let nodes: Vec<_> = self.changed_nodes().into_iter().map(|node| (node.change_count(), node)).collect();
        for (count, node) in &nodes {
            if node.is_stored() {
                let mut changed = self.changed.lock();
                if node.change_count() == *count {
                    changed.remove(&node.ino);
                }
            }
        }
        // Some may go for good here, with nothing locked.
        drop(nodes);
    }

    fn has_something_to_write(&self) -> bool {
        self.has_changes.load(Ordering::SeqCst) || !self.changed.lock().is_empty()
    }
}

/// Writes a file system's changes some time after they have been made, until
/// the file system is gone.
pub(super) async fn flusher(shared: Weak<Shared>) {
    loop {
        let Some((kernel, news)) = shared.upgrade().map(|shared| (shared.kernel.clone(), shared.flush_news.clone()))
        else {
            return;
        };
        let is_due = || match shared.upgrade() {
            Some(shared) => shared.is_flush_due.load(Ordering::SeqCst).then_some(true),
            None => Some(false),
        };
        if !news.wait_until(is_due).await {
            return;
        }
        let is_urgent = || shared.upgrade().is_none_or(|shared| shared.is_flush_urgent.load(Ordering::SeqCst));
        let Some(now) = kernel.upgrade().map(|kernel| kernel.now_ns()) else { return };
        nap_until(&kernel, now.saturating_add(FLUSH_NS), &news, is_urgent).await;
        let nodes = match shared.upgrade() {
            Some(shared) => {
                // What changes from here on is for the next time.
                shared.is_flush_due.store(false, Ordering::SeqCst);
                shared.is_flush_urgent.store(false, Ordering::SeqCst);
                shared.changed_nodes()
            }
            None => return,
        };
        for node in nodes {
            // An error stays with the file: its pages remain to be written,
            // and `fsync` tells.
            let _ = node.shared.write_pages(&node);
            drop(node);
            crate::sched::yield_now().await;
        }
        if let Some(shared) = shared.upgrade() {
            if shared.has_something_to_write() {
                let _ = shared.commit();
                shared.drop_stored();
            }
            // The writing itself has counted as a change.
            shared.is_flush_due.store(false, Ordering::SeqCst);
            if shared.has_something_to_write() {
                shared.is_flush_due.store(true, Ordering::SeqCst);
            }
        }
    }
}
