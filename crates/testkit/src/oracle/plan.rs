//! What a run consists of: batches, each made from the seed and its number
//! alone, so that any of them can be made again and by any thread.

use a64::Encoding;

use super::case::{BATCH, Batch, Case, data_pages};
use super::generate::{case, excluded, unknown_word};
use super::sequence::sequence;
use crate::Random;

/// Instructions of a batch of [`Plan::Instructions`], at least.
const QUOTA: u64 = 1536;
/// How often a row is tried for one case; some choices have no defined result.
const TRIES: usize = 64;

/// What to run.
#[derive(Clone, Debug)]
pub enum Plan {
    /// So many cases of each of these rows, and so many runs of several instructions.
    Rows {
        /// The rows.
        rows: Vec<Encoding>,
        /// Cases for each row.
        per_row: usize,
        /// Runs of several instructions.
        sequences: usize,
    },
    /// At least so many instructions: cases of rows, and runs, at random.
    Instructions(u64),
    /// So many random words that the table does not have.
    Words(u64),
}

impl Plan {
    /// The rows whose names contain `filter`; with an empty one, runs too.
    #[must_use]
    pub fn of_rows(filter: &str, per_row: usize, sequences: usize) -> Self {
        let rows = rows().filter(|row| row.name().contains(filter)).collect();
        let sequences = if filter.is_empty() || filter == "sequence" { sequences } else { 0 };
        Self::Rows { rows, per_row, sequences }
    }

    /// How many batches there are.
    #[must_use]
    pub fn batches(&self) -> u64 {
        match self {
            Self::Rows { rows, per_row, sequences } => {
                ((rows.len() * per_row).div_ceil(BATCH) + sequences.div_ceil(BATCH)) as u64
            }
            Self::Instructions(count) => count.div_ceil(QUOTA),
            Self::Words(count) => count.div_ceil(BATCH as u64),
        }
    }

    /// The batch of that number.
    #[must_use]
    pub fn batch(&self, seed: u64, number: u64) -> Batch {
        let mut random = Random::new(Random::new(seed.wrapping_add(number << 32)).u64() ^ number);
        let mut batch = Batch { seed: random.u64(), cases: Vec::with_capacity(BATCH) };
        let pages = data_pages(batch.seed);
        let single = |encoding: Encoding, index: usize, random: &mut Random| -> Option<Case> {
            (0..TRIES).find_map(|_| case(encoding, index, &pages, random))
        };
        match self {
            Self::Rows { rows, per_row, sequences } => {
                let singles = rows.len() * per_row;
                let first = number as usize * BATCH;
                if first < singles {
                    for item in first..singles.min(first + BATCH) {
                        batch.cases.extend(single(rows[item / per_row], batch.cases.len(), &mut random));
                    }
                } else {
                    let before = (number as usize - singles.div_ceil(BATCH)) * BATCH;
                    let count = BATCH.min(sequences - before);
                    batch.cases.extend((0..count).map(|_| sequence(&mut random)));
                }
            }
            Self::Words(_) => batch.cases.extend((0..BATCH).map(|_| unknown_word(&mut random))),
            Self::Instructions(_) => {
                let rows: Vec<Encoding> = rows().collect();
                let mut instructions = 0;
                while instructions < QUOTA && batch.cases.len() < BATCH {
                    let case = if random.one_in(2) {
                        single(random.pick(&rows), batch.cases.len(), &mut random)
                    } else {
                        Some(sequence(&mut random))
                    };
                    instructions += case.as_ref().map_or(0, |case| case.words.len() as u64);
                    batch.cases.extend(case);
                }
            }
        }
        batch
    }
}

/// The rows that have cases.
pub fn rows() -> impl Iterator<Item = Encoding> {
    Encoding::ALL.iter().copied().filter(|&row| excluded(row).is_none())
}
