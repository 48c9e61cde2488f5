//! Dominators of a graph: which node every way from the root to another goes through.
//!
//! The algorithm is that of Lengauer and Tarjan with path compression, without recursion: a list of a million cells
//! that all refer back to its head takes no more than any other graph of that size.

const NONE: u32 = u32::MAX;

/// A graph with its edges in one array. Node 0 is the root.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    targets: Vec<u32>,
    /// Where the edges of each node end.
    ends: Vec<usize>,
}

impl Graph {
    /// Adds the next node with its edges.
    pub(crate) fn push(&mut self, targets: impl Iterator<Item = u32>) {
        self.targets.extend(targets);
        self.ends.push(self.targets.len());
    }

    fn node_count(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn targets(&self, node: u32) -> &[u32] {
        let start = (node as usize).checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.targets[start..self.ends[node as usize]]
    }
}

/// The nodes that the root leads to.
#[derive(Debug)]
pub(crate) struct Dominators {
    /// The nodes, each behind its dominator; the first is the root.
    pub(crate) order: Vec<u32>,
    /// For each of `order`, the place of its immediate dominator in `order`; 0 for the root.
    pub(crate) parents: Vec<u32>,
}

impl Dominators {
    pub(crate) fn of(graph: &Graph) -> Self {
        let (order, tree, number) = depth_first(graph);
        let sources = sources(graph, &order, &number);
        let mut forest = Forest {
            semi: (0..order.len() as u32).collect(),
            label: (0..order.len() as u32).collect(),
            ancestor: vec![NONE; order.len()],
            pending: Vec::new(),
        };
        // The nodes whose semidominator is a node, as lists: the first of each node, the next behind each.
        let (mut first, mut next) = (vec![NONE; order.len()], vec![NONE; order.len()]);
        let mut parents = vec![0; order.len()];
        for node in (1..order.len()).rev() {
            for &source in sources.targets(node as u32) {
                let best = forest.best(source);
                forest.semi[node] = forest.semi[node].min(forest.semi[best as usize]);
            }
            let semi = forest.semi[node] as usize;
            next[node] = std::mem::replace(&mut first[semi], node as u32);
            let parent = tree[node];
            forest.ancestor[node] = parent;
            let mut member = std::mem::replace(&mut first[parent as usize], NONE);
            while member != NONE {
                let best = forest.best(member);
                let is_lower = forest.semi[best as usize] < forest.semi[member as usize];
                parents[member as usize] = if is_lower { best } else { parent };
                member = next[member as usize];
            }
        }
        for node in 1..order.len() {
            if parents[node] != forest.semi[node] {
                parents[node] = parents[parents[node] as usize];
            }
        }
        Self { order, parents }
    }
}

/// The nodes in the order of a depth-first walk, the parent of each in the walk's tree, and each node's place.
fn depth_first(graph: &Graph) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let mut number = vec![NONE; graph.node_count()];
    let (mut order, mut tree) = (vec![0], vec![0]);
    number[0] = 0;
    // A node and how many of its edges were taken.
    let mut stack = vec![(0u32, 0usize)];
    while let Some((node, taken)) = stack.last_mut() {
        let Some(&target) = graph.targets(*node).get(*taken) else {
            stack.pop();
            continue;
        };
        *taken += 1;
        if number[target as usize] == NONE {
            number[target as usize] = order.len() as u32;
            tree.push(number[*node as usize]);
            order.push(target);
            stack.push((target, 0));
        }
    }
    (order, tree, number)
}

/// The edges among numbered nodes, the other way round.
fn sources(graph: &Graph, order: &[u32], number: &[u32]) -> Graph {
    let mut ends = vec![0usize; order.len() + 1];
    for &node in order {
        for &target in graph.targets(node) {
            ends[number[target as usize] as usize + 1] += 1;
        }
    }
    for i in 1..ends.len() {
        ends[i] += ends[i - 1];
    }
    let mut sources = vec![0; ends[order.len()]];
    for (i, &node) in order.iter().enumerate() {
        for &target in graph.targets(node) {
            let place = &mut ends[number[target as usize] as usize];
            sources[*place] = i as u32;
            *place += 1;
        }
    }
    ends.pop();
    Graph { targets: sources, ends }
}

/// The forest of the algorithm.
struct Forest {
    semi: Vec<u32>,
    /// Of the nodes between a node and its ancestor, the one with the lowest semidominator.
    label: Vec<u32>,
    ancestor: Vec<u32>,
    pending: Vec<u32>,
}

impl Forest {
    /// The node with the lowest semidominator on the way from a node up to the root of its tree, which is excluded.
    fn best(&mut self, node: u32) -> u32 {
        if self.ancestor[node as usize] == NONE {
            return node;
        }
        let mut now = node;
        while self.ancestor[self.ancestor[now as usize] as usize] != NONE {
            self.pending.push(now);
            now = self.ancestor[now as usize];
        }
        while let Some(now) = self.pending.pop() {
            let ancestor = self.ancestor[now as usize] as usize;
            let (above, own) = (self.label[ancestor], self.label[now as usize]);
            if self.semi[above as usize] < self.semi[own as usize] {
                self.label[now as usize] = above;
            }
            self.ancestor[now as usize] = self.ancestor[ancestor];
        }
        self.label[node as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The immediate dominators by removing each node and looking what is not reached any more.
    fn by_removal(edges: &[Vec<u32>]) -> Vec<Option<u32>> {
        let reached = |without: Option<u32>| {
            let (mut seen, mut stack) = (vec![false; edges.len()], vec![0u32]);
            while let Some(node) = stack.pop() {
                if Some(node) != without && !std::mem::replace(&mut seen[node as usize], true) {
                    stack.extend(&edges[node as usize]);
                }
            }
            seen
        };
        let all = reached(None);
        let lost: Vec<Vec<bool>> = (0..edges.len() as u32).map(|node| reached(Some(node))).collect();
        let dominates = |a: usize, b: usize| a != b && all[a] && all[b] && !lost[a][b];
        let immediate = |b: usize| {
            let all: Vec<usize> = (0..edges.len()).filter(|&a| dominates(a, b)).collect();
            // The immediate dominator is dominated by all the others.
            all.iter().copied().find(|&a| all.iter().all(|&other| other == a || dominates(other, a)))
        };
        (0..edges.len()).map(|node| immediate(node).map(|node| node as u32)).collect()
    }

    fn check(edges: &[Vec<u32>]) {
        let mut graph = Graph::default();
        edges.iter().for_each(|targets| graph.push(targets.iter().copied()));
        let found = Dominators::of(&graph);
        let mut immediate = vec![None; edges.len()];
        for (i, &node) in found.order.iter().enumerate().skip(1) {
            assert!((found.parents[i] as usize) < i);
            immediate[node as usize] = Some(found.order[found.parents[i] as usize]);
        }
        assert_eq!(immediate, by_removal(edges), "{edges:?}");
    }

    #[test]
    fn random_graphs_have_the_dominators_that_removal_shows() {
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        let mut random = move |limit: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed % limit as u64) as usize
        };
        for _ in 0..3000 {
            let count = 1 + random(14);
            let mut edges = vec![Vec::new(); count];
            for _ in 0..random(3 * count) {
                let (from, to) = (random(count), random(count) as u32);
                edges[from].push(to);
            }
            check(&edges);
        }
    }

    #[test]
    fn the_graph_of_the_paper() {
        // Lengauer and Tarjan 1979, figure 1: R, then A to L.
        let edges: Vec<Vec<u32>> = vec![
            vec![1, 2, 3],
            vec![4],
            vec![1, 4, 5],
            vec![6, 7],
            vec![12],
            vec![8],
            vec![9],
            vec![9, 10],
            vec![5, 11],
            vec![11],
            vec![9],
            vec![0, 9],
            vec![8],
        ];
        check(&edges);
    }

    #[test]
    fn a_list_whose_cells_refer_to_its_head_and_its_tail_takes_no_longer() {
        let count = 1_000_000u32;
        let mut graph = Graph::default();
        graph.push([1, count].into_iter());
        for i in 1..count {
            graph.push([i + 1, 1, i - 1].into_iter());
        }
        graph.push(std::iter::once(1));
        let found = Dominators::of(&graph);
        assert_eq!(found.order.len(), count as usize + 1);
        assert!(found.parents.iter().skip(3).filter(|&&parent| parent == 0).count() <= 3);
    }
}
