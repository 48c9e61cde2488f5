//! Runs a plan's batches on both sides and tells how they compare.
//!
//! Each worker has an engine and a QEMU of its own. One of its threads makes a
//! batch, hands it to QEMU and runs it on the engine meanwhile; the other takes
//! QEMU's outcomes and compares. Memory is bounded by the batches on their way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use a64::{Encoding, Insn, decode};
use anyhow::{Context as _, Result, anyhow};

use super::case::{Batch, Case, Kind, Outcome};
use super::known::{self, Difference};
use super::narrow::narrow;
use super::operands::needs_alignment;
use super::ours::Ours;
use super::plan::Plan;
use super::reference::{Drain, Reference, Session};

/// What needs no feature at all.
pub const BASE: &str = "Armv8.0-A";
/// The feature of unaligned accesses of the kinds that have to be aligned.
const UNALIGNED: &str = "FEAT_LSE2";

/// How to run a plan.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to run.
    pub plan: Plan,
    /// Where the random choices begin.
    pub seed: u64,
    /// The first batch that is run.
    pub start: u64,
    /// Differences to show for each row.
    pub show: u64,
    /// QEMU's program.
    pub qemu: PathBuf,
    /// QEMU's name for the processor.
    pub cpu: String,
    /// Pairs of an engine and a QEMU.
    pub workers: usize,
    /// Called now and then with the instructions so far.
    pub progress: fn(u64, Duration),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            plan: Plan::of_rows("", 64, 2000),
            seed: 1,
            start: 0,
            show: 1,
            qemu: "qemu-aarch64".into(),
            cpu: "max".to_owned(),
            workers: thread::available_parallelism().map_or(1, Into::into),
            progress: |_, _| {},
        }
    }
}

/// The result for one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cases run.
    pub cases: u64,
    /// Those whose outcomes are equal.
    pub agree: u64,
    /// Those that differ as a rule of [`known`] has it.
    pub explained: u64,
    /// Those that the engine calls undefined though the reference does not.
    pub undefined: u64,
    /// How often the row was in a run all of which agreed.
    pub in_runs: u64,
}

impl Tally {
    /// Cases that differ without an explanation.
    #[must_use]
    pub const fn unexplained(&self) -> u64 {
        self.cases - self.agree - self.explained
    }

    fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.agree += other.agree;
        self.explained += other.explained;
        self.undefined += other.undefined;
        self.in_runs += other.in_runs;
    }
}

/// The results by row, in table order, and the differences as text.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One tally per row that was asked for.
    pub rows: BTreeMap<Encoding, Tally>,
    /// One tally for each feature, by Arm's names.
    pub features: BTreeMap<&'static str, Tally>,
    /// The runs of several instructions.
    pub sequences: Tally,
    /// Words that the table does not have.
    pub words: Tally,
    /// How often each rule of [`known`] was needed.
    pub rules: BTreeMap<&'static str, u64>,
    /// The instructions of all cases.
    pub instructions: u64,
    /// The first differences of each row.
    pub differences: String,
    /// How long it took.
    pub elapsed: Duration,
}

impl Report {
    /// Rows without unexplained differences, of those that have cases.
    #[must_use]
    pub fn agreeing_rows(&self) -> usize {
        self.rows.values().filter(|t| t.cases > 0 && t.unexplained() == 0).count()
    }

    /// All rows and runs together.
    #[must_use]
    pub fn total(&self) -> Tally {
        let mut total = self.sequences;
        total.add(&self.words);
        self.rows.values().for_each(|tally| total.add(tally));
        total
    }

    fn tally(&mut self, case: &Case) -> &mut Tally {
        match case.kind {
            Kind::Row => self.rows.entry(case.encoding).or_default(),
            Kind::Run => &mut self.sequences,
            Kind::Word => &mut self.words,
        }
    }

    /// Counts the result of one case where it belongs.
    fn count(&mut self, case: &Case, result: &Tally) {
        self.instructions += case.words.len() as u64;
        self.tally(case).add(result);
        match case.kind {
            Kind::Row => {
                for feature in features(case) {
                    self.features.entry(feature).or_default().add(result);
                }
            }
            Kind::Run if result.agree == 1 => {
                for (word, row) in case.words.iter().filter_map(|&word| Some((word, decode(word)?))) {
                    self.rows.entry(row).or_default().in_runs += 1;
                    for feature in std::iter::once(base_feature(row)).chain(row.features(word)) {
                        self.features.entry(feature).or_default().in_runs += 1;
                    }
                }
            }
            Kind::Run | Kind::Word => {}
        }
    }

    fn add(&mut self, other: Self) {
        for (row, tally) in &other.rows {
            self.rows.entry(*row).or_default().add(tally);
        }
        for (feature, tally) in &other.features {
            self.features.entry(*feature).or_default().add(tally);
        }
        self.sequences.add(&other.sequences);
        self.words.add(&other.words);
        for (rule, count) in other.rules {
            *self.rules.entry(rule).or_default() += count;
        }
        self.instructions += other.instructions;
        self.differences += &other.differences;
    }
}

/// Runs the plan on both sides; `directory` is for what is built.
///
/// # Errors
/// If a tool is missing or fails.
pub fn run(options: &Options, directory: &Path) -> Result<Report> {
    let reference = Reference::build(directory, &options.qemu, &options.cpu)?;
    let began = Instant::now();
    let count = options.plan.batches();
    let run =
        Run { options, reference: &reference, next: AtomicU64::new(options.start), count, done: AtomicU64::new(0) };
    let workers = options.workers.clamp(1, count.max(1) as usize);
    let mut report = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(|| run.work())).collect();
        let mut told = Instant::now();
        while !workers.iter().all(thread::ScopedJoinHandle::is_finished) {
            thread::sleep(Duration::from_millis(10));
            if told.elapsed() >= Duration::from_secs(10) {
                told = Instant::now();
                (options.progress)(run.done.load(Ordering::Relaxed), began.elapsed());
            }
        }
        let mut report = Report::default();
        for worker in workers {
            report.add(worker.join().map_err(|_| anyhow!("a worker panicked"))??);
        }
        anyhow::Ok(report)
    })?;
    report.elapsed = began.elapsed();
    Ok(report)
}

/// What a row belongs to that needs no feature of a later architecture.
fn base_feature(row: Encoding) -> &'static str {
    match row.row().group {
        "fp" => "FEAT_FP",
        group if group.starts_with("simd") || group == "crypto" => "FEAT_AdvSIMD",
        _ => BASE,
    }
}

/// What a case of a row is about.
fn features(case: &Case) -> BTreeSet<&'static str> {
    let of_row = |word: &u32| decode(*word) == Some(case.encoding);
    let Some(&word) = case.words.iter().rev().find(|word| of_row(word)) else {
        return BTreeSet::new();
    };
    let mut features: BTreeSet<&'static str> = case.encoding.features(word).collect();
    if features.is_empty() {
        features.insert(base_feature(case.encoding));
    }
    let base = case.x.get(Insn(word).rn() as usize).copied().unwrap_or(case.sp);
    if needs_alignment(case.encoding) && base % 16 != 0 {
        features.insert(UNALIGNED);
    }
    features
}

/// A batch with its number and what became of it on the engine.
type Found = (u64, Batch, Vec<Outcome>);

/// What the workers share.
struct Run<'a> {
    options: &'a Options,
    reference: &'a Reference,
    /// The number of the next batch, and of the one where it ends.
    next: AtomicU64,
    count: u64,
    /// Instructions compared.
    done: AtomicU64,
}

impl Run<'_> {
    fn work(&self) -> Result<Report> {
        let Session { mut input, output } = self.reference.start()?;
        let (send, receive) = sync_channel::<Found>(1);
        thread::scope(|scope| {
            let judge = scope.spawn(|| self.judge(output, receive));
            let mut ours = Ours::new()?;
            let mut feed = || -> Result<()> {
                loop {
                    let number = self.next.fetch_add(1, Ordering::Relaxed);
                    if number >= self.count {
                        return Ok(());
                    }
                    let batch = self.options.plan.batch(self.options.seed, number);
                    input.send(&batch)?;
                    let outcomes = ours.run(&batch);
                    send.send((number, batch, outcomes)).context("nobody compares any more")?;
                }
            };
            let fed = feed();
            drop(send);
            // If the reference has ended, the judge knows in which case.
            let report = judge.join().map_err(|_| anyhow!("the comparison panicked"))??;
            fed.map(|()| report)
        })
    }

    fn judge(&self, mut output: Drain, batches: Receiver<Found>) -> Result<Report> {
        let mut report = Report::default();
        for (number, batch, outcomes) in batches {
            for (index, (case, found)) in batch.cases.iter().zip(&outcomes).enumerate() {
                let expected = output.receive(case)?;
                let place = Place { number, index, batch: &batch };
                self.compare(&mut report, &place, &expected, found)?;
                self.done.fetch_add(case.words.len() as u64, Ordering::Relaxed);
            }
        }
        Ok(report)
    }

    fn compare(&self, report: &mut Report, place: &Place<'_>, expected: &Outcome, found: &Outcome) -> Result<()> {
        let case = place.case();
        let mut result = Tally { cases: 1, ..Tally::default() };
        let mut rule = None;
        if expected == found {
            result.agree = 1;
        } else {
            rule = known::explain(&Difference { seed: place.batch.seed, case, expected, found });
            result.undefined = u64::from(rule.is_none() && found.signal == 4);
        }
        let unexplained = result.agree == 0 && rule.is_none();
        if unexplained && report.tally(case).unexplained() < self.options.show {
            let (text, reason) = self.show(place, expected, found)?;
            if reason.is_none() {
                report.differences += &text;
            }
            rule = reason;
        }
        if let Some(rule) = rule {
            result.explained = 1;
            *report.rules.entry(rule).or_default() += 1;
        }
        report.count(case, &result);
        Ok(())
    }

    /// The difference as text; for a run, of the instruction where it begins,
    /// and with the rule that explains that one.
    fn show(&self, place: &Place<'_>, expected: &Outcome, found: &Outcome) -> Result<(String, Option<&'static str>)> {
        let case = place.case();
        let at = format!("seed {} batch {} case {}\n", self.options.seed, place.number, place.index);
        if case.kind != Kind::Run {
            return Ok((at + &describe(case, expected, found), None));
        }
        let narrowed = narrow(self.reference, place.batch, place.index)?;
        Ok((at + &narrowed.text, narrowed.rule))
    }
}

/// Where a case is in the plan.
struct Place<'a> {
    number: u64,
    index: usize,
    batch: &'a Batch,
}

impl Place<'_> {
    fn case(&self) -> &Case {
        &self.batch.cases[self.index]
    }
}

/// A case and how its outcomes differ.
#[must_use]
pub fn describe(case: &Case, expected: &Outcome, found: &Outcome) -> String {
    format!("{}: {}\n    {}\n{}\n", case.encoding.name(), case.text(), case.inputs(), expected.differences(found))
}
