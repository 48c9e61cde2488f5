//! `oracle`: every row of the encoding table against QEMU.

use anyhow::{Context as _, Result, bail, ensure};
use testkit::oracle::coverage::{Options, page, run as compare};

use crate::shell::{root, say, target_dir};

/// The page that the results go to.
const PAGE: &str = "docs/isa-coverage.md";
const USAGE: &str = "oracle [--cases N] [--sequences N] [--seed N] [--show N] [--cpu NAME] [--check] [ROW]";

/// Runs the cases, of all rows or of those whose names contain `ROW`; of all,
/// writes `docs/isa-coverage.md`. With `--check`, fails if any case differs.
///
/// # Errors
/// Unknown arguments, missing tools, and differences with `--check`.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut options = Options::default();
    let mut check = false;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value; {USAGE}"));
        match arg.as_str() {
            "--cases" => options.per_row = value()?.parse()?,
            "--sequences" => options.sequences = value()?.parse()?,
            "--seed" => options.seed = value()?.parse()?,
            "--show" => options.show = value()?.parse()?,
            "--cpu" => options.cpu = value()?.clone(),
            "--check" => check = true,
            name if !name.starts_with('-') => options.filter = name.to_owned(),
            _ => bail!("{arg}: unknown; {USAGE}"),
        }
    }
    let report = compare(&options, &target_dir().join("oracle"))?;
    say(report.differences.trim_end());
    let tallies = report.rows.values().chain([&report.sequences]);
    let (cases, agree) = tallies.fold((0, 0), |(c, a), t| (c + t.cases, a + t.agree));
    let rows = report.rows.len();
    say(&format!("{agree} of {cases} cases agree; {} of {rows} rows in all", report.agreeing_rows()));
    if options.filter.is_empty() {
        let path = root().join(PAGE);
        std::fs::create_dir_all(path.parent().context("a directory")?)?;
        std::fs::write(&path, page(&report, &options)).context(PAGE)?;
    }
    ensure!(!check || agree == cases, "{} cases differ", cases - agree);
    Ok(())
}
