//! Builds the decoder's decision table.
//!
//! Each node looks at a run of bits and leads to further nodes or to a leaf,
//! a list of a few rows to try in turn, the most specific first.

use crate::parse::Row;

/// The table in the form that the decoder reads.
#[derive(Default)]
pub(crate) struct Trie {
    /// `LEAF | index into lists`, or `first << 9 | bits << 5 | shift`.
    pub(crate) nodes: Vec<u32>,
    /// Runs of row numbers, each ended by `u16::MAX`.
    pub(crate) lists: Vec<u16>,
    pub(crate) root: u32,
}

const LEAF: u32 = 1 << 31;
const MAX_BITS: u32 = 7;
/// What the first node looks at: bits 31 to 21, which tell most classes apart.
/// A decoder that starts with fewer bits takes twice as long.
const ROOT: (u32, u32) = (21, 11);

impl Trie {
    pub(crate) fn new(rows: &[Row]) -> Self {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&r| std::cmp::Reverse(rows[r].mask.count_ones()));
        let mut trie = Self { lists: vec![u16::MAX], ..Self::default() };
        trie.root = trie.split(rows, &order, 0, ROOT);
        trie
    }

    /// `known` are the bits that the nodes above have looked at.
    fn build(&mut self, rows: &[Row], candidates: &[usize], known: u32) -> u32 {
        if candidates.is_empty() {
            return LEAF;
        }
        let Some((shift, bits)) = (candidates.len() > 1).then(|| best_split(rows, candidates, known)).flatten() else {
            let list = self.lists.len();
            self.lists.extend(candidates.iter().map(|&r| u16::try_from(r).expect("fewer than 65536 rows")));
            self.lists.push(u16::MAX);
            return LEAF | u32::try_from(list).expect("short lists");
        };
        self.split(rows, candidates, known, (shift, bits))
    }

    fn split(&mut self, rows: &[Row], candidates: &[usize], known: u32, at: (u32, u32)) -> u32 {
        let (shift, bits) = at;
        let window = ((1 << bits) - 1) << shift;
        let first = self.nodes.len();
        self.nodes.resize(first + (1 << bits), 0);
        for i in 0..1u32 << bits {
            let subset: Vec<usize> = filter(rows, candidates, window, i << shift).collect();
            self.nodes[first + i as usize] = self.build(rows, &subset, known | window);
        }
        u32::try_from(first).expect("small table") << 9 | bits << 5 | shift
    }
}

fn filter<'a>(rows: &'a [Row], from: &'a [usize], window: u32, value: u32) -> impl Iterator<Item = usize> + 'a {
    from.iter().copied().filter(move |&r| (rows[r].value ^ value) & rows[r].mask & window == 0)
}

/// The window of bits that narrows the candidates most per bit looked at.
fn best_split(rows: &[Row], candidates: &[usize], known: u32) -> Option<(u32, u32)> {
    let mut best = None;
    let mut best_score = 0.0;
    for bits in 1..=MAX_BITS {
        for shift in 0..=32 - bits {
            let window = ((1 << bits) - 1) << shift;
            if window & known != 0 {
                continue;
            }
            let total: usize = (0..1 << bits).map(|i| filter(rows, candidates, window, i << shift).count()).sum();
            let average = total.max(1) as f64 / f64::from(1u32 << bits);
            let score = (candidates.len() as f64 / average).log2() / (f64::from(bits) + 2.0);
            if total < candidates.len() << bits && score > best_score + 1e-9 {
                best_score = score;
                best = Some((shift, bits));
            }
        }
    }
    best
}
