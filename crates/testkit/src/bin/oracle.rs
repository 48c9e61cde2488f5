//! Every row of the encoding table against QEMU; `cargo xtask oracle` runs it.
//!
//! Arguments: the directory for what is built, the page to write, and what
//! `cargo xtask oracle` was given.

use std::env;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use testkit::oracle::coverage::{Options, page, run as compare};
use testkit::oracle::reference::find_qemu;

const USAGE: &str =
    "oracle [--cases N] [--sequences N] [--seed N] [--show N] [--qemu PATH] [--cpu NAME] [--check] [ROW]";

fn say(line: &str) {
    // A closed output is no reason to stop.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Runs the cases, of all rows or of those whose names contain `ROW`; of all,
/// writes the page. With `--check`, fails if any case differs.
fn main() -> Result<()> {
    let mut args = env::args().skip(1);
    let usage = "DIRECTORY PAGE";
    let work = args.next().context(usage)?;
    let out = args.next().context(usage)?;
    let mut options = Options::default();
    if let Some(found) = Path::new(&work).parent().and_then(find_qemu) {
        options.qemu = found;
    }
    let mut check = false;
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value; {USAGE}"));
        match arg.as_str() {
            "--cases" => options.per_row = value()?.parse()?,
            "--sequences" => options.sequences = value()?.parse()?,
            "--seed" => options.seed = value()?.parse()?,
            "--show" => options.show = value()?.parse()?,
            "--qemu" => options.qemu = value()?.into(),
            "--cpu" => options.cpu = value()?,
            "--check" => check = true,
            name if !name.starts_with('-') => options.filter = name.to_owned(),
            _ => bail!("{arg}: unknown; {USAGE}"),
        }
    }
    let report = compare(&options, Path::new(&work))?;
    say(report.differences.trim_end());
    let tallies = report.rows.values().chain([&report.sequences]);
    let (cases, agree) = tallies.fold((0, 0), |(c, a), t| (c + t.cases, a + t.agree));
    let rows = report.rows.len();
    say(&format!("{agree} of {cases} cases agree; {} of {rows} rows in all", report.agreeing_rows()));
    if options.filter.is_empty() {
        std::fs::write(&out, page(&report, &options)).with_context(|| out.clone())?;
    }
    ensure!(!check || agree == cases, "{} cases differ", cases - agree);
    Ok(())
}
