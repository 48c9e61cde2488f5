//! `docs/isa-coverage.md`: what the comparison found, row by row.

use std::fmt::Write as _;

use a64::Encoding;

use super::compare::{Options, Report};
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
         {} instructions were run; of {} cases and runs {} agree, {} differ as one of the rules below has it, and {} \
         differ without an explanation.\n",
        options.cpu,
        options.seed,
        Encoding::ALL.len(),
        report.agreeing_rows(),
        report.rows.len(),
        report.instructions,
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
