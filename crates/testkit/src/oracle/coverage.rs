//! `docs/isa-coverage.md`: what the comparison found, row by row.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use a64::Encoding;

use super::compare::{Options, Report, Tally};
use super::generate::excluded;
use super::known::RULES;

/// The page.
#[must_use]
pub fn page(report: &Report, options: &Options) -> String {
    let mut out = String::from("# Instruction coverage\n\n");
    let total = report.total();
    let _ = write!(
        out,
        "Written by `cargo xtask oracle`; do not edit.\n\
         The rows of the encoding table are run with random operands on the engine and under QEMU's `{}`, seed {}: \
         alone (cases), and in runs of several instructions with data processing, memory accesses, conditional \
         branches and loops.\n\
         Registers, flags, FPSR, memory and signals must be equal.\n\n\
         The table has {} rows; {} of the {} that were run have no unexplained difference.\n\
         {} instructions were run in {:.0} s; of {} cases and runs {} agree, {} differ as one of the rules below has it, and {} \
         differ without an explanation.\n",
        options.cpu,
        options.seed,
        Encoding::ALL.len(),
        report.agreeing_rows(),
        report.rows.len(),
        report.instructions,
        report.elapsed.as_secs_f64(),
        total.cases,
        total.agree,
        total.explained,
        total.unexplained(),
    );
    out += "\n## Rules\n\n| difference | times | decided by | why |\n| --- | --- | --- | --- |\n";
    for rule in RULES {
        let times = report.rules.get(rule.name).copied().unwrap_or(0);
        let _ = writeln!(out, "| {} | {times} | {} | {} |", rule.name, rule.pseudocode, rule.why);
    }
    out += "\n## Features\n\n| feature | cases | agree | explained | in runs |\n| --- | --- | --- | --- | --- |\n";
    for (feature, tally) in &report.features {
        let Tally { cases, agree, explained, in_runs, .. } = tally;
        let _ = writeln!(out, "| {feature} | {cases} | {agree} | {explained} | {in_runs} |");
    }
    let mut class = "";
    for &encoding in Encoding::ALL {
        if encoding.class() != class {
            class = encoding.class();
            let _ = write!(
                out,
                "\n## {class}\n\nFrom `{}.rs`.\n\n\
                 | encoding | cases | agree | explained | in runs | note |\n| --- | --- | --- | --- | --- | --- |\n",
                encoding.row().group
            );
        }
        let tally = report.rows.get(&encoding).copied().unwrap_or_default();
        let note = match excluded(encoding) {
            Some(reason) => reason,
            None if tally.cases == 0 => "no cases",
            None if tally.undefined == tally.cases => "not implemented",
            None if tally.unexplained() > 0 => "differs",
            None => "",
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {note} |",
            encoding.name(),
            tally.cases,
            tally.agree,
            tally.explained,
            tally.in_runs
        );
    }
    out
}

/// A row's or a feature's line of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its results; nothing is known of `undefined`.
    pub tally: Tally,
    /// Why there are no cases, or that some differ.
    pub note: String,
}

/// Reads the lines of rows and features back, by their names.
#[must_use]
pub fn read(page: &str) -> BTreeMap<String, Line> {
    page.lines().filter_map(line).collect()
}

fn line(line: &str) -> Option<(String, Line)> {
    let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").map(str::trim);
    let name = cells.next()?.to_owned();
    let mut number = || cells.next()?.parse().ok();
    let (cases, agree, explained, in_runs) = (number()?, number()?, number()?, number()?);
    let note = cells.next().unwrap_or_default().trim_end_matches(" |").to_owned();
    Some((name, Line { tally: Tally { cases, agree, explained, undefined: 0, in_runs }, note }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_page_says_of_a_row_is_read_back() {
        let row = Encoding::ADD_addsub_imm;
        let tally = Tally { cases: 9, agree: 7, explained: 1, undefined: 0, in_runs: 3 };
        let report = Report { rows: [(row, tally)].into(), ..Report::default() };
        let lines = read(&page(&report, &Options::default()));
        assert_eq!(lines[row.name()], Line { tally, note: "differs".to_owned() });
        assert_eq!(lines["SUB_addsub_imm"].note, "no cases");
    }
}
