//! The reference: objects are numbers, slots hold numbers, and what roots do not reach is removed.

use std::collections::{BTreeMap, BTreeSet};

/// A heap without memory.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The slots of each object.
    pub objects: BTreeMap<usize, Vec<Option<usize>>>,
    /// All roots, whatever holds them.
    pub roots: Vec<Option<usize>>,
    /// How many objects there ever were.
    pub made: usize,
}

impl Model {
    /// A new object with empty slots.
    pub fn allocate(&mut self, slots: usize) -> usize {
        self.made += 1;
        self.objects.insert(self.made, vec![None; slots]);
        self.made
    }

    /// The objects that roots lead to.
    #[must_use]
    pub fn reachable(&self) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut waiting: Vec<usize> = self.roots.iter().copied().flatten().collect();
        while let Some(object) = waiting.pop() {
            if reached.insert(object) {
                waiting.extend(self.objects[&object].iter().copied().flatten());
            }
        }
        reached
    }

    /// Removes what is not reachable and gives it.
    pub fn collect(&mut self) -> Vec<usize> {
        let reached = self.reachable();
        let dead: Vec<usize> = self.objects.keys().copied().filter(|object| !reached.contains(object)).collect();
        dead.iter().for_each(|object| {
            self.objects.remove(object);
        });
        dead
    }
}
