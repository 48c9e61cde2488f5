//! What would go if something went: retained sizes.
//!
//! An object retains what it dominates: itself and everything that every way from the roots to leads through it.
//! A structure retains what no root would lead to any more if all its objects, frames and global blocks were gone;
//! a unit likewise with all its structures. That is more than the sum over its objects where two of them hold a third
//! together, so it is found by a walk that leaves them out. Such walks are made for the [`MAX_WALKS`] largest; of the
//! others the sum over their objects is told, without those that others of the same dominate, as a lower bound.
//!
//! A size is that of a payload and of the 32 bytes of prefix before it.

use crate::dominators::{Dominators, Graph};
use crate::snapshot::{ObjectId, RootBlock, RootId, Snapshot, Target};
use serde::Serialize;

/// How many structures, and how many units, get a walk of their own.
pub const MAX_WALKS: usize = 256;
/// The bytes of a prefix.
const PREFIX: u64 = 32;

/// Live objects of a structure or of a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// How many there are.
    pub objects: u64,
    /// Their size.
    pub bytes: u64,
    /// What would go if all of them went, and the frames and global blocks of the same.
    pub retained: u64,
    /// Whether that is all of it; otherwise it is at least so much.
    pub is_exact: bool,
}

/// Retained sizes, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retained {
    /// All live objects.
    pub live: Share,
    /// The objects that no root leads to.
    pub dead: Share,
    /// What each object retains; zero for those that no root leads to.
    pub objects: Vec<u64>,
    /// What each root alone retains.
    pub roots: Vec<(RootId, u64)>,
    /// By structure, as in [`Snapshot::structures`].
    pub structures: Vec<Share>,
    /// By unit, as in [`Snapshot::units`].
    pub units: Vec<Share>,
}

impl Retained {
    /// The objects that retain most, with what they retain; of equals those with lower numbers first.
    #[must_use]
    pub fn top(&self, count: usize) -> Vec<(ObjectId, u64)> {
        let mut all: Vec<(ObjectId, u64)> =
            (0..).map(ObjectId).zip(self.objects.iter().copied()).filter(|(_, bytes)| *bytes != 0).collect();
        all.sort_by_key(|&(object, bytes)| (std::cmp::Reverse(bytes), object));
        all.truncate(count);
        all
    }
}

impl Snapshot {
    /// All retained sizes.
    #[must_use]
    pub fn retained(&self) -> Retained {
        let roots: Vec<RootId> = (0..self.frames.len() as u32)
            .map(RootId::Frame)
            .chain((0..self.globals.len() as u32).map(RootId::Global))
            .chain((0..self.handles.len() as u32).map(RootId::Handle))
            .collect();
        let first_object = 1 + roots.len() as u32;
        let dominators = Dominators::of(&self.graph(&roots, first_object));
        let mut sizes: Vec<u64> = dominators.order.iter().map(|&node| self.node_size(node, first_object)).collect();
        for i in (1..sizes.len()).rev() {
            sizes[dominators.parents[i] as usize] += sizes[i];
        }
        let mut objects = vec![0; self.objects.len()];
        let mut roots: Vec<(RootId, u64)> = roots.into_iter().map(|root| (root, 0)).collect();
        for (&node, &size) in dominators.order.iter().zip(&sizes).skip(1) {
            match node.checked_sub(first_object) {
                Some(object) => objects[object as usize] = size,
                None => roots[node as usize - 1].1 = size,
            }
        }
        // The structures of the nodes, and the tree of dominators: the first child of each, the next of the same parent.
        let structure = |&node: &u32| match node.checked_sub(first_object) {
            Some(object) => Some(self.objects[object as usize].structure),
            None => (node as usize).checked_sub(1).and_then(|root| self.root_structure(roots[root].0)),
        };
        let tree = Tree { nodes: dominators.order.iter().map(structure).collect(), parents: dominators.parents, sizes };
        let mut shares = Shares::new(self, &objects);
        let units = shares.of(&tree, self.units.len(), |structure| self.structures[structure as usize].unit);
        let structures = shares.of(&tree, self.structures.len(), |structure| structure);
        let dead = self.objects.iter().zip(&objects).filter(|(_, retained)| **retained == 0);
        let dead = dead.fold(Share::default(), |sum, (object, _)| Share {
            objects: sum.objects + 1,
            bytes: sum.bytes + PREFIX + object.bytes,
            ..sum
        });
        Retained { live: shares.live, dead, objects, roots, structures, units }
    }

    /// One node for the beginning, one for each root, one for each object.
    fn graph(&self, roots: &[RootId], first_object: u32) -> Graph {
        let mut graph = Graph::default();
        graph.push(1..first_object);
        let object = |to: Target| match to {
            Target::Object(object) => Some(first_object + object.0),
            Target::Global(_) => None,
        };
        let of = |block: &RootBlock| block.references.iter().filter_map(|slot| object(slot.to)).collect::<Vec<_>>();
        for &root in roots {
            let targets = match root {
                RootId::Frame(i) => of(&self.frames[i as usize]),
                RootId::Global(i) => of(&self.globals[i as usize]),
                RootId::Handle(i) => object(self.handles[i as usize].to).into_iter().collect(),
            };
            graph.push(targets.into_iter());
        }
        for i in 0..self.objects.len() as u32 {
            graph.push(self.references(ObjectId(i)).iter().filter_map(|slot| object(slot.to)));
        }
        graph
    }

    fn root_structure(&self, root: RootId) -> Option<u32> {
        match root {
            RootId::Frame(i) => Some(self.frames[i as usize].structure),
            RootId::Global(i) => Some(self.globals[i as usize].structure),
            RootId::Handle(_) => None,
        }
    }

    fn node_size(&self, node: u32, first_object: u32) -> u64 {
        let object = node.checked_sub(first_object).and_then(|id| self.object(ObjectId(id)));
        object.map_or(0, |object| PREFIX + object.bytes)
    }
}

/// The tree of dominators.
struct Tree {
    /// The structure of each node; none for handles and the beginning.
    nodes: Vec<Option<u32>>,
    parents: Vec<u32>,
    sizes: Vec<u64>,
}

impl Tree {
    /// For each set, what its nodes retain that no other node of the set dominates.
    fn lower_bounds(&self, count: usize, set: impl Fn(u32) -> u32) -> Vec<u64> {
        let (mut child, mut sibling) = (vec![0; self.nodes.len()], vec![0; self.nodes.len()]);
        for node in (1..self.nodes.len()).rev() {
            let parent = self.parents[node] as usize;
            sibling[node] = std::mem::replace(&mut child[parent], node);
        }
        let (mut bounds, mut open) = (vec![0; count], vec![0u32; count]);
        let (mut node, mut is_done) = (0, false);
        loop {
            let set = self.nodes[node].map(|structure| set(structure) as usize);
            if let Some(set) = set.filter(|_| !is_done) {
                bounds[set] += if open[set] == 0 { self.sizes[node] } else { 0 };
                open[set] += 1;
            }
            if !is_done && child[node] != 0 {
                node = child[node];
                continue;
            }
            if let Some(set) = set {
                open[set] -= 1;
            }
            if node == 0 {
                return bounds;
            }
            is_done = sibling[node] == 0;
            node = if is_done { self.parents[node] as usize } else { sibling[node] };
        }
    }
}

/// Finds shares.
struct Shares<'a> {
    snapshot: &'a Snapshot,
    live: Share,
    is_live: Vec<bool>,
    /// The walk that met an object last.
    met: Vec<u32>,
    walk: u32,
    stack: Vec<ObjectId>,
}

impl<'a> Shares<'a> {
    fn new(snapshot: &'a Snapshot, retained: &[u64]) -> Self {
        let is_live: Vec<bool> = retained.iter().map(|&bytes| bytes != 0).collect();
        let mut live = Share::default();
        for (object, _) in snapshot.objects.iter().zip(&is_live).filter(|(_, is_live)| **is_live) {
            live.objects += 1;
            live.bytes += PREFIX + object.bytes;
        }
        (live.retained, live.is_exact) = (live.bytes, true);
        Self { snapshot, live, met: vec![0; is_live.len()], is_live, walk: 0, stack: Vec::new() }
    }

    /// The shares of sets, which are numbered; each structure belongs to one.
    fn of(&mut self, tree: &Tree, count: usize, set: impl Fn(u32) -> u32) -> Vec<Share> {
        let bounds = tree.lower_bounds(count, &set);
        let mut shares: Vec<Share> =
            bounds.into_iter().map(|retained| Share { retained, ..Share::default() }).collect();
        for (object, _) in self.snapshot.objects.iter().zip(&self.is_live).filter(|(_, is_live)| **is_live) {
            let set = set(object.structure) as usize;
            shares[set].objects += 1;
            shares[set].bytes += PREFIX + object.bytes;
        }
        // Frames and globals whose slots share everything with others have no lower bound, yet may retain something.
        let mut is_there: Vec<bool> = shares.iter().map(|share| share.objects != 0).collect();
        for block in self.snapshot.frames.iter().chain(&self.snapshot.globals) {
            is_there[set(block.structure) as usize] = true;
        }
        let (mut largest, nothing): (Vec<usize>, Vec<usize>) = (0..count).partition(|&i| is_there[i]);
        largest.sort_by_key(|&i| (std::cmp::Reverse((shares[i].retained, shares[i].bytes)), i));
        largest.truncate(MAX_WALKS);
        for i in largest {
            shares[i].retained = self.live.bytes - self.reached_without(|structure| set(structure) as usize == i);
            shares[i].is_exact = true;
        }
        nothing.into_iter().for_each(|i| shares[i].is_exact = true);
        shares
    }

    /// The size of what roots lead to if some structures are left out.
    fn reached_without(&mut self, is_out: impl Fn(u32) -> bool) -> u64 {
        self.walk += 1;
        let (snapshot, walk) = (self.snapshot, self.walk);
        let mut bytes = 0;
        let mut meet = |id: ObjectId, stack: &mut Vec<ObjectId>| {
            let (at, object) = (id.0 as usize, &snapshot.objects[id.0 as usize]);
            if std::mem::replace(&mut self.met[at], walk) != walk && !is_out(object.structure) {
                bytes += PREFIX + object.bytes;
                stack.push(id);
            }
        };
        for (root, _, object) in snapshot.roots() {
            if !snapshot.root_structure(root).is_some_and(&is_out) {
                meet(object, &mut self.stack);
            }
        }
        while let Some(object) = self.stack.pop() {
            snapshot.children(object).for_each(|(_, child)| meet(child, &mut self.stack));
        }
        bytes
    }
}
