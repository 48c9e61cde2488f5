//! Every row of the encoding table against QEMU; `cargo xtask oracle` runs it.
//!
//! Arguments: the directory for what is built, the page to write, and what
//! `cargo xtask oracle` was given.

use std::env;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use testkit::oracle::compare::{Options, run as compare};
use testkit::oracle::coverage::page;
use testkit::oracle::plan::Plan;
use testkit::oracle::reference::find_qemu;

const USAGE: &str = "oracle [--instructions N | --words N | --cases N --sequences N] [--seed N] [--start BATCH] [--show N] \
                     [--qemu PATH] [--cpu NAME] [--workers N] [--write] [--check] [ROW]";

fn say(line: &str) {
    // A closed output is no reason to stop.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn rate(instructions: u64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    format!("{instructions} instructions in {seconds:.1} s, {:.0} a second", instructions as f64 / seconds.max(0.001))
}

/// Runs cases of all rows, or of those whose names contain `ROW`, or at least
/// so many instructions. With `--write`, writes the page; with `--check`, fails
/// if anything differs without an explanation.
fn main() -> Result<()> {
    let mut args = env::args().skip(1);
    let usage = "DIRECTORY PAGE";
    let work = args.next().context(usage)?;
    let out = args.next().context(usage)?;
    let mut options = Options { progress: |count, elapsed| say(&rate(count, elapsed)), ..Options::default() };
    if let Some(found) = Path::new(&work).parent().and_then(find_qemu) {
        options.qemu = found;
    }
    let (mut cases, mut sequences, mut plan) = (64, 2000, None);
    let (mut filter, mut check, mut write) = (String::new(), false, false);
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value; {USAGE}"));
        match arg.as_str() {
            "--instructions" => plan = Some(Plan::Instructions(value()?.parse()?)),
            "--words" => plan = Some(Plan::Words(value()?.parse()?)),
            "--cases" => cases = value()?.parse()?,
            "--sequences" => sequences = value()?.parse()?,
            "--seed" => options.seed = value()?.parse()?,
            "--start" => options.start = value()?.parse()?,
            "--show" => options.show = value()?.parse()?,
            "--qemu" => options.qemu = value()?.into(),
            "--cpu" => options.cpu = value()?,
            "--workers" => options.workers = value()?.parse()?,
            "--write" => write = true,
            "--check" => check = true,
            name if !name.starts_with('-') => filter = name.to_owned(),
            _ => bail!("{arg}: unknown; {USAGE}"),
        }
    }
    options.plan = plan.unwrap_or_else(|| Plan::of_rows(&filter, cases, sequences));
    let report = compare(&options, Path::new(&work))?;
    say(report.differences.trim_end());
    for (rule, times) in &report.rules {
        say(&format!("{times} times: {rule}"));
    }
    let total = report.total();
    let rows = report.rows.len();
    say(&format!(
        "{} of {} cases agree, {} are explained; {} of {rows} rows in all; {}",
        total.agree,
        total.cases,
        total.explained,
        report.agreeing_rows(),
        rate(report.instructions, report.elapsed)
    ));
    if write {
        std::fs::write(&out, page(&report, &options)).with_context(|| out.clone())?;
    }
    ensure!(!check || total.unexplained() == 0, "{} cases differ", total.unexplained());
    Ok(())
}
