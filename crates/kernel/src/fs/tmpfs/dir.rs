//! The names in a directory of tmpfs.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::node::Node;
use crate::fs::{DirEntry, DirSink, Inode};

/// Names by hash, and in the order in which they were made: the order numbers
/// are the positions of `getdents64`, which stay valid whatever else comes and
/// goes.
#[derive(Default)]
pub(super) struct Entries {
    orders: HashMap<Arc<[u8]>, u64>,
    by_order: BTreeMap<u64, (Arc<[u8]>, Arc<Node>)>,
    last_order: u64,
}

impl Entries {
    pub(super) fn get(&self, name: &[u8]) -> Option<&Arc<Node>> {
        self.by_order.get(self.orders.get(name)?).map(|(_, node)| node)
    }

    pub(super) fn len(&self) -> usize {
        self.by_order.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_order.is_empty()
    }

    /// Adds a name; false if it exists.
    pub(super) fn insert(&mut self, name: &[u8], node: Arc<Node>) -> bool {
        if self.orders.contains_key(name) {
            return false;
        }
        let name: Arc<[u8]> = Arc::from(name);
        self.last_order += 1;
        self.orders.insert(name.clone(), self.last_order);
        self.by_order.insert(self.last_order, (name, node));
        true
    }

    /// Makes a name stand for `node`, whether it exists or not.
    pub(super) fn replace(&mut self, name: &[u8], node: Arc<Node>) {
        match self.orders.get(name).and_then(|order| self.by_order.get_mut(order)) {
            Some(entry) => entry.1 = node,
            None => {
                self.insert(name, node);
            }
        }
    }

    pub(super) fn remove(&mut self, name: &[u8]) -> Option<Arc<Node>> {
        let order = self.orders.remove(name)?;
        self.by_order.remove(&order).map(|(_, node)| node)
    }

    pub(super) fn list(&self, from: u64, sink: &mut DirSink<'_>) {
        for (order, (name, node)) in self.by_order.range(from..) {
            let entry = DirEntry { name, ino: node.ino(), kind: node.kind(), next: order + 1 };
            if !sink(entry) {
                break;
            }
        }
    }

    /// Takes all nodes out.
    pub(super) fn take_all(&mut self) -> Vec<Arc<Node>> {
        self.orders.clear();
        core::mem::take(&mut self.by_order).into_values().map(|(_, node)| node).collect()
    }
}
