//! `cargo xtask bare`: our kernel on a machine of its own, beside a real Linux.
//!
//! The guest tests, built once, run in up to three columns: hosted in a
//! process, bare in QEMU, and on Debian's Linux kernel in the same QEMU, with
//! one set of expectations. [`qemu`] starts machines and tells how they ended,
//! [`suite`] runs programs on them, [`table`] writes `docs/conformance.md`.

mod console;
mod cpio;
mod disk;
mod figures;
mod frames;
mod image;
mod linux;
mod mutations;
// The kernel's own list of phases; as a dependency, the whole kernel would come with it.
#[expect(unreachable_pub, reason = "it is public in the kernel's library")]
#[path = "../../../crates/machine-virt/src/phase.rs"]
mod phase;
mod qemu;
mod qmp;
mod show;
mod suite;
mod table;

use crate::expectations::{Column, Expectations};
use crate::guest::{self, file_name};
use crate::shell::say;
use crate::tap::{self, End, Outcome};
use anyhow::{Context, Result, bail};
pub(crate) use mutations::run as mutations;
use qemu::Setup;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use suite::{Kernel, Step};

/// Seconds after which a test has hung, on a machine that is itself emulated.
const LIMIT_S: u64 = 120;

/// What each test came to.
type Outcomes = BTreeMap<String, Outcome>;

/// Runs the tests in the columns that are asked for, or in all.
///
/// # Errors
/// Missing tools, failures that are not known ones, and a table that is not up to date.
pub(crate) fn run(args: &[String]) -> Result<()> {
    if let Some(("--show", rest)) = args.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return show::command(rest);
    }
    let (mut columns, mut names, mut verbose, mut write) = (Vec::new(), Vec::new(), false, false);
    let mut disk = false;
    let mut image: Option<PathBuf> = None;
    let mut cpu = qemu::CPUS[0];
    let (mut bench, mut rounds) = (false, figures::ROUNDS);
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--on" => {
                let name = rest.next().context("--on needs hosted, bare or linux")?;
                let column = Column::ALL.into_iter().find(|column| column.name() == name);
                columns.push(column.with_context(|| format!("--on {name}: hosted, bare or linux"))?);
            }
            "-v" => verbose = true,
            "--write" => write = true,
            "--disk" => disk = true,
            "--cpu" => {
                let name = rest.next().context("--cpu needs a name")?;
                cpu = qemu::CPUS
                    .into_iter()
                    .find(|cpu| cpu == name)
                    .with_context(|| format!("--cpu {name}: cortex-a72 or max"))?;
            }
            "--kernel" => image = Some(rest.next().context("--kernel needs a path")?.into()),
            "--bench" => bench = true,
            "--rounds" => rounds = rest.next().context("--rounds needs a number")?.parse()?,
            name if !name.starts_with('-') => names.push(name.to_owned()),
            _ => bail!(
                "{arg}: unknown; bare [-v] [--write] [--on hosted|bare|linux]… [--cpu cortex-a72|max] [--kernel IMAGE] [NAME…], or bare --disk, or bare --show [--on bare|linux] [--kernel IMAGE] [--boots N] [CASE…], or bare --bench [--rounds N] [--write]"
            ),
        }
    }
    if bench {
        let wants = |column| columns.is_empty() || columns.contains(&column);
        let ours = wants(Column::Bare).then(|| kernel_of(Column::Bare, image.as_deref())).transpose()?.flatten();
        let linux = wants(Column::Linux).then(|| kernel_of(Column::Linux, None)).transpose()?.flatten();
        return figures::run(ours.as_ref(), linux.as_ref(), rounds, write);
    }
    if disk {
        return disk::run(&kernel_of(Column::Bare, image.as_deref())?.context("a kernel of its own")?);
    }
    let is_whole = columns.is_empty() && names.is_empty();
    if columns.is_empty() {
        columns.extend(Column::ALL);
    }
    let programs = guest::build(&names)?;
    let (mut results, mut complaints) = (BTreeMap::new(), 0);
    for column in columns {
        let outcomes = run_column(column, image.as_deref(), cpu, &programs, verbose)?;
        complaints += report(column, &outcomes)?;
        results.insert(column, outcomes);
    }
    if complaints > 0 {
        bail!("{complaints} complaints");
    }
    match (is_whole, write) {
        (true, true) => table::write(&results),
        (true, false) => table::check(&results),
        (false, true) => bail!("--write needs all columns and all tests"),
        (false, false) => Ok(()),
    }
}

/// The kernel of a column, unless it is part of a program. Ours is built, if
/// there is no `image` of it already.
fn kernel_of(column: Column, image: Option<&Path>) -> Result<Option<Kernel>> {
    Ok(match column {
        Column::Hosted => None,
        Column::Bare if image.is_some() => image.map(image::Image::open).transpose()?.map(Kernel::Bare),
        Column::Bare => Some(Kernel::Bare(image::Image::build()?)),
        Column::Linux => Some(Kernel::Linux(linux::Linux::fetch()?)),
    })
}

/// Runs the tests in one column.
fn run_column(
    column: Column,
    image: Option<&Path>,
    cpu: &'static str,
    programs: &[PathBuf],
    verbose: bool,
) -> Result<Outcomes> {
    let Some(kernel) = kernel_of(column, image)? else {
        let vambrace = guest::vambrace()?;
        let run = |program: &PathBuf| Ok((file_name(program), guest::run_hosted(&vambrace, program)?));
        return programs.iter().map(run).collect();
    };
    let log = qemu::place()?.join(format!("{}.log", column.name()));
    run_on(&kernel, &Setup { cpu, ..kernel.setup() }, programs, &log, verbose)
}

/// Runs the tests on a machine.
fn run_on(kernel: &Kernel, setup: &Setup, programs: &[PathBuf], log: &Path, verbose: bool) -> Result<Outcomes> {
    let mut archive = suite::base(kernel)?;
    let mut steps = Vec::new();
    for program in programs {
        let name = file_name(program);
        archive.copy(&format!("tests/{name}"), 0o755, program)?;
        steps.push(Step { words: vec![format!("/tests/{name}")], name, limit_s: LIMIT_S });
    }
    let runs = suite::run(kernel, setup, archive, &steps, log)?;
    let mut outcomes = Outcomes::new();
    for run in runs {
        if verbose {
            say(&format!("{}: {} in {} ms", run.name, run.end, run.took.as_millis()));
            run.lines.iter().for_each(|line| say(&format!("  {line}")));
        }
        outcomes.insert(run.name, tap::judge(run.lines.iter().map(String::as_str), &run.end));
    }
    Ok(outcomes)
}

/// Runs commands on our kernel on a machine with this much memory: for each a name, its program and its arguments.
/// Gives what each printed, how it ended, and its time.
///
/// # Errors
/// Missing tools, and a machine that does not start.
pub(crate) fn capture(
    commands: &[(String, PathBuf, Vec<String>)],
    memory_mib: u32,
    limit_s: u64,
) -> Result<Vec<(String, End, Duration)>> {
    let kernel = kernel_of(Column::Bare, None)?.context("a kernel of its own")?;
    let mut archive = suite::base(&kernel)?;
    let mut steps = Vec::new();
    for (name, program, arguments) in commands {
        archive.copy(&format!("tests/{name}"), 0o755, program)?;
        let words = std::iter::once(format!("/tests/{name}")).chain(arguments.iter().cloned()).collect();
        steps.push(Step { words, name: name.clone(), limit_s });
    }
    let (setup, log) = (Setup { memory_mib, ..kernel.setup() }, qemu::place()?.join("ironwall.log"));
    let runs = suite::run(&kernel, &setup, archive, &steps, &log)?;
    Ok(runs.into_iter().map(|run| (run.lines.join("\n"), run.end, run.took)).collect())
}

/// Says what is not as expected in a column, and how many such things there are.
fn report(column: Column, outcomes: &Outcomes) -> Result<usize> {
    let expectations = Expectations::load(column)?;
    let (mut passed, mut expected, mut complaints) = (0, 0, 0);
    for (name, outcome) in outcomes {
        let verdict = expectations.check(name, outcome);
        passed += outcome.passed.len();
        expected += verdict.expected;
        complaints += verdict.complaints.len();
        verdict.complaints.iter().for_each(|complaint| say(complaint));
    }
    let programs = outcomes.len();
    say(&format!(
        "{}: {programs} programs, {passed} passed, {complaints} failed, {expected} known failures",
        column.name()
    ));
    Ok(complaints)
}
