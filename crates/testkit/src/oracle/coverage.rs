//! Runs cases for every row on both sides and tells how they compare.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use a64::Encoding;
use anyhow::Result;

use super::case::Case;
use super::generate::{case, excluded, sequence};
use super::ours::Ours;
use super::reference::Reference;
use crate::Random;

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Cases for each row.
    pub per_row: usize,
    /// Where the random choices begin.
    pub seed: u64,
    /// Runs of several instructions.
    pub sequences: usize,
    /// Only rows whose names contain this.
    pub filter: String,
    /// Differences to show for each row.
    pub show: usize,
    /// QEMU's program.
    pub qemu: PathBuf,
    /// QEMU's name for the processor.
    pub cpu: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            per_row: 64,
            seed: 1,
            sequences: 2000,
            filter: String::new(),
            show: 1,
            qemu: "qemu-aarch64".into(),
            cpu: "max".to_owned(),
        }
    }
}

/// The result for one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cases run.
    pub cases: usize,
    /// Those whose outcomes are equal.
    pub agree: usize,
    /// Those that the engine calls undefined though the reference does not.
    pub undefined: usize,
}

/// The results by row, in table order, and the differences as text.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One tally per row that was asked for.
    pub rows: BTreeMap<Encoding, Tally>,
    /// The runs of several instructions.
    pub sequences: Tally,
    /// The first differences of each row.
    pub differences: String,
}

impl Report {
    /// Rows whose cases all agree, of those that have any.
    #[must_use]
    pub fn agreeing_rows(&self) -> usize {
        self.rows.values().filter(|t| t.cases > 0 && t.agree == t.cases).count()
    }
}

/// Generates the cases of a run.
#[must_use]
pub fn cases(options: &Options) -> Vec<Case> {
    let mut random = Random::new(options.seed);
    let mut cases = Vec::new();
    for &encoding in Encoding::ALL {
        if excluded(encoding).is_some() || !encoding.name().contains(&options.filter) {
            continue;
        }
        let mut tries = 0;
        let mut made = 0;
        while made < options.per_row && tries < options.per_row * 8 {
            tries += 1;
            if let Some(case) = case(encoding, cases.len(), &mut random) {
                cases.push(case);
                made += 1;
            }
        }
    }
    if options.filter.is_empty() || options.filter == "sequence" {
        cases.extend((0..options.sequences).map(|_| sequence(&mut random)));
    }
    cases
}

/// Runs the cases on both sides.
///
/// # Errors
/// If a tool is missing or fails.
pub fn run(options: &Options, directory: &Path) -> Result<Report> {
    let reference = Reference::build(directory, &options.qemu, &options.cpu)?;
    let cases = cases(options);
    let expected = reference.run(&cases)?;
    let found = Ours::new()?.run(&cases);
    let mut report = Report::default();
    for ((case, expected), found) in cases.iter().zip(&expected).zip(&found) {
        let is_sequence = case.words.len() > 2;
        let tally = if is_sequence { &mut report.sequences } else { report.rows.entry(case.encoding).or_default() };
        tally.cases += 1;
        if expected == found {
            tally.agree += 1;
            continue;
        }
        if found.signal == 4 {
            tally.undefined += 1;
        }
        if tally.cases - tally.agree <= options.show {
            let _ = writeln!(
                report.differences,
                "{}: {}\n    {}\n{}",
                case.encoding.name(),
                case.text(),
                case.inputs(),
                expected.differences(found)
            );
        }
    }
    Ok(report)
}

/// `docs/isa-coverage.md`.
#[must_use]
pub fn page(report: &Report, options: &Options) -> String {
    let mut out = String::from("# Instruction coverage\n\n");
    let cases: usize = report.rows.values().map(|t| t.cases).sum();
    let agree: usize = report.rows.values().map(|t| t.agree).sum();
    let _ = write!(
        out,
        "Written by `cargo xtask oracle`; do not edit.\n\
         Each row of the encoding table is run with random operands on the engine and under QEMU's `{}`, \
         {} cases a row, seed {}; registers, flags, FPSR, memory and signals must be equal.\n\n\
         The table has {} rows; {} of the {} that were run agree in all cases ({agree} of {cases} cases).\n\
         Of {} runs of three to eight instructions of data processing, memory accesses, conditional branches and loops, {} agree.\n",
        options.cpu,
        options.per_row,
        options.seed,
        Encoding::ALL.len(),
        report.agreeing_rows(),
        report.rows.len(),
        report.sequences.cases,
        report.sequences.agree,
    );
    let mut class = "";
    for &encoding in Encoding::ALL {
        if encoding.class() != class {
            class = encoding.class();
            let _ = write!(
                out,
                "\n## {class}\n\nFrom `{}.rs`.\n\n| encoding | cases | agree | note |\n| --- | --- | --- | --- |\n",
                encoding.row().group
            );
        }
        let tally = report.rows.get(&encoding).copied().unwrap_or_default();
        let note = match excluded(encoding) {
            Some(reason) => reason,
            None if tally.cases == 0 => "no cases",
            None if tally.undefined == tally.cases => "not implemented",
            None if tally.agree < tally.cases => "differs",
            None => "",
        };
        let _ = writeln!(out, "| {} | {} | {} | {note} |", encoding.name(), tally.cases, tally.agree);
    }
    out
}
