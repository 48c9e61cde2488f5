//! The measured programs, each written once over [`Memory`].

use crate::memory::{Memory, Node};
use std::fmt;
use std::hint::black_box;
use std::ptr::null_mut;
use std::str::FromStr;

/// All programs.
pub(crate) const PROGRAMS: [(&str, Program); 10] = [
    ("binary-trees per depth", Program::BinaryTrees { nodes_per_collection: usize::MAX }),
    ("binary-trees per 1M", Program::BinaryTrees { nodes_per_collection: 1_000_000 }),
    ("GCBench", Program::GcBench),
    ("mark tree", Program::Mark(Shape::Tree)),
    ("mark list", Program::Mark(Shape::List)),
    ("mark shuffled", Program::Mark(Shape::Shuffled)),
    ("allocate fresh", Program::Allocate { rounds: 1 }),
    ("allocate reuse", Program::Allocate { rounds: 8 }),
    ("sweep half", Program::SweepHalf),
    ("sweep all", Program::SweepAll),
];

/// The nodes of a marking, of a round of allocation, of a sweep; and how many sweeps are measured.
const MARKED: usize = 1 << 20;
const MADE: usize = 4_000_000;
const SWEPT: usize = 4_000_000;
const SWEEPS: usize = 8;

/// A program.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    /// The benchmark of that name, to depth 17, with a collection after each depth or after so many nodes.
    BinaryTrees { nodes_per_collection: usize },
    /// Boehm's GCBench, to depth 16, with a collection after each construction.
    GcBench,
    /// Ten markings of a million live nodes; only these are measured.
    Mark(Shape),
    /// Rounds of four million nodes, each but the first in reclaimed memory; only allocation is measured.
    Allocate { rounds: usize },
    /// Collections of a million nodes of which every second is dead.
    SweepHalf,
    /// Collections of four million nodes that are all dead, so that nothing is marked.
    SweepAll,
}

/// How a million nodes hang together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Tree,
    List,
    Shuffled,
}

/// What a run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) cpu_s: f64,
    pub(crate) peak_mib: f64,
    pub(crate) pause_ms: f64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.cpu_s, self.peak_mib, self.pause_ms)
    }
}

impl FromStr for Figures {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let numbers: Vec<f64> = text.split(' ').filter_map(|number| number.parse().ok()).collect();
        match numbers[..] {
            [cpu_s, peak_mib, pause_ms] => Ok(Self { cpu_s, peak_mib, pause_ms }),
            _ => Err(()),
        }
    }
}

/// A run in progress.
struct Run<'a, M> {
    memory: &'a mut M,
    pause: f64,
    /// CPU time of the parts that are measured, if not all is.
    measured: Option<f64>,
}

impl Program {
    /// Whether a comparison says something: malloc does not mark.
    pub(crate) fn suits(self, memory: &str) -> bool {
        memory != "malloc" || matches!(self, Self::BinaryTrees { .. } | Self::GcBench | Self::Allocate { rounds: 1 })
    }

    /// How many objects the measured part marks, makes or sweeps.
    pub(crate) fn objects(self) -> Option<f64> {
        match self {
            Self::BinaryTrees { .. } | Self::GcBench | Self::SweepHalf => None,
            Self::Mark(_) => Some(10.0 * MARKED as f64),
            Self::Allocate { rounds } => Some((rounds.max(2) - 1) as f64 * MADE as f64),
            Self::SweepAll => Some(SWEEPS as f64 * SWEPT as f64),
        }
    }

    pub(crate) fn run<M: Memory>(self, memory: &mut M) -> Figures {
        let start = cpu_s();
        let mut run = Run { memory, pause: 0.0, measured: None };
        match self {
            Self::BinaryTrees { nodes_per_collection } => run.binary_trees(17, nodes_per_collection),
            Self::GcBench => run.gc_bench(),
            Self::Mark(shape) => run.mark(shape, MARKED),
            Self::Allocate { rounds } => run.allocate(rounds, MADE),
            Self::SweepHalf => run.sweep_half(1 << 20),
            Self::SweepAll => run.sweep_all(SWEPT),
        }
        let cpu_s = run.measured.unwrap_or_else(|| cpu_s() - start);
        Figures { cpu_s, pause_ms: run.pause * 1000.0, peak_mib: peak_mib() }
    }
}

impl<M: Memory> Run<'_, M> {
    fn collect(&mut self) -> f64 {
        let start = cpu_s();
        self.memory.collect();
        let pause = cpu_s() - start;
        self.pause = self.pause.max(pause);
        pause
    }

    fn tree(&mut self, depth: usize) -> Node {
        let node = self.memory.node();
        if depth > 0 {
            let left = self.tree(depth - 1);
            self.memory.set(node, 0, left);
            let right = self.tree(depth - 1);
            self.memory.set(node, 1, right);
        }
        node
    }

    fn check(&self, tree: Node) -> usize {
        let left = self.memory.get(tree, 0);
        if left.is_null() { 1 } else { 1 + self.check(left) + self.check(self.memory.get(tree, 1)) }
    }

    fn binary_trees(&mut self, max_depth: usize, nodes_per_collection: usize) {
        let stretch = self.tree(max_depth + 1);
        black_box(self.check(stretch));
        self.memory.free_tree(stretch);
        self.collect();
        let long_lived = self.tree(max_depth);
        self.memory.root(0, long_lived);
        let mut nodes = 0;
        for depth in (4..=max_depth).step_by(2) {
            for _ in 0..1 << (max_depth - depth + 4) {
                let tree = self.tree(depth);
                black_box(self.check(tree));
                self.memory.free_tree(tree);
                nodes += 2 << depth;
                if nodes >= nodes_per_collection {
                    nodes = 0;
                    self.collect();
                }
            }
            self.collect();
        }
        black_box(self.check(long_lived));
        self.memory.root(0, null_mut());
        self.memory.free_tree(long_lived);
    }

    fn populate(&mut self, depth: usize, node: Node) {
        if depth > 0 {
            for slot in 0..2 {
                let child = self.memory.node();
                self.memory.set(node, slot, child);
            }
            self.populate(depth - 1, self.memory.get(node, 0));
            self.populate(depth - 1, self.memory.get(node, 1));
        }
    }

    fn gc_bench(&mut self) {
        let stretch = self.tree(18);
        black_box(stretch);
        self.memory.free_tree(stretch);
        self.collect();
        let long_lived = self.memory.node();
        self.memory.root(0, long_lived);
        self.populate(16, long_lived);
        let array = self.memory.bytes(500_000 * 8);
        self.memory.root(1, array);
        for depth in (4..=16).step_by(2) {
            let rounds = 2 * (2 << 18) / (2 << depth);
            for _ in 0..rounds {
                let tree = self.memory.node();
                self.populate(depth, tree);
                self.memory.free_tree(tree);
            }
            self.collect();
            for _ in 0..rounds {
                let tree = self.tree(depth);
                black_box(tree);
                self.memory.free_tree(tree);
            }
            self.collect();
        }
        black_box(self.check(long_lived));
    }

    fn mark(&mut self, shape: Shape, count: usize) {
        let mut nodes: Vec<usize> = (0..count).map(|_| self.memory.node() as usize).collect();
        let next = |seed: &mut u64| {
            *seed ^= *seed << 13;
            *seed ^= *seed >> 7;
            *seed ^= *seed << 17;
            *seed as usize
        };
        if shape == Shape::Shuffled {
            let mut seed = 0x9e37_79b9_7f4a_7c15;
            for i in (1..count).rev() {
                nodes.swap(i, next(&mut seed) % (i + 1));
            }
        }
        for i in 0..count {
            let children = if shape == Shape::List { [count, i + 1] } else { [2 * i + 1, 2 * i + 2] };
            for (slot, child) in children.into_iter().enumerate() {
                if let Some(&child) = nodes.get(child) {
                    self.memory.set(nodes[i] as Node, slot, child as Node);
                }
            }
        }
        self.memory.root(0, nodes[0] as Node);
        // What is left of the vector must not be found by a collector that looks everywhere.
        nodes.fill(0);
        drop(nodes);
        self.collect();
        self.measured = Some((0..10).map(|_| self.collect()).sum());
    }

    fn allocate(&mut self, rounds: usize, count: usize) {
        let mut measured = 0.0;
        for round in 0..rounds {
            let start = cpu_s();
            for _ in 0..count {
                black_box(self.memory.node());
            }
            if round > 0 || rounds == 1 {
                measured += cpu_s() - start;
            }
            self.collect();
        }
        self.measured = Some(measured);
    }

    fn sweep_all(&mut self, count: usize) {
        let mut measured = 0.0;
        for round in 0..=SWEEPS {
            for _ in 0..count {
                black_box(self.memory.node());
            }
            // In the first round memory is used for the first time.
            let pause = self.collect();
            measured += if round == 0 { 0.0 } else { pause };
        }
        self.measured = Some(measured);
    }

    fn sweep_half(&mut self, count: usize) {
        let mut measured = 0.0;
        for _ in 0..8 {
            self.memory.root(0, null_mut());
            self.collect();
            let mut list = null_mut();
            for _ in 0..count / 2 {
                black_box(self.memory.node());
                let node = self.memory.node();
                self.memory.set(node, 0, list);
                list = node;
            }
            self.memory.root(0, list);
            measured += self.collect();
        }
        self.measured = Some(measured);
    }
}

/// CPU time of this process in seconds.
fn cpu_s() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes the time.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The most memory that was resident.
fn peak_mib() -> f64 {
    // SAFETY: all zeros are a `rusage`, and the call fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    usage.ru_maxrss as f64 / 1024.0
}
