//! `vambrace unit link`: the objects and the C source of a program of archived units.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use ironwall_archive::Target;
use ironwall_archive::link::{Finding, Plan, link};
use serde_json::{Value, json};

use super::exit::{Failure, Status};
use super::text::escaped;
use super::{archives, directory};

/// `vambrace unit link`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Link {
    /// The archives, in any order.
    #[arg(value_name = "ARCHIVE", required = true)]
    archives: Vec<PathBuf>,
    /// What the program is for.
    #[arg(long, value_name = "TARGET", value_parser = target())]
    target: Target,
    /// The directory to write, which is made anew; without it, nothing is written.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Take only what this file locks, and all of it.
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
    /// Print the plan, or what is in its way, as JSON.
    #[arg(long)]
    json: bool,
}

fn target() -> impl TypedValueParser<Value = Target> {
    let names = PossibleValuesParser::new(Target::ALL.map(Target::name));
    names.try_map(|name| Target::from_name(&name).ok_or("there is no such target"))
}

/// Links the archives, and says how.
pub(crate) fn run(args: &Link) -> Result<Status, Failure> {
    let lock = args.lock.as_deref().map(archives::lock).transpose()?;
    let inputs = archives::load(&args.archives, args.lock.as_deref().zip(lock.as_ref()))?;
    let plan = match link(&inputs, args.target) {
        Ok(plan) => plan,
        Err(findings) => return refuse(&findings, args.json),
    };
    let files = plan.files();
    if let Some(path) = &args.output {
        directory::write(path, &files)?;
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        out.write_all(plan.to_text().as_bytes())?;
    } else {
        show(&plan, &mut out)?;
        for name in args.output.iter().flat_map(|path| files.keys().map(|name| path.join(name))) {
            writeln!(out, "{}", shown(&name))?;
        }
    }
    out.flush()?;
    Ok(Status::Done)
}

/// Says why nothing is linked.
fn refuse(findings: &[Finding], is_json: bool) -> Result<Status, Failure> {
    if is_json {
        let finding = |Finding { archive, problem }: &Finding| json!({ "archive": archive, "rule": problem.rule, "offset": problem.offset, "what": problem.what });
        let findings: Vec<Value> = findings.iter().map(finding).collect();
        let mut out = std::io::stdout().lock();
        writeln!(out, "{:#}", json!({ "findings": findings }))?;
        out.flush()?;
        return Ok(Status::Findings);
    }
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    Err(Failure::new(Status::Findings, lines.join("\n")))
}

/// The units in the order of their bodies, then what no unit defines, then what is worth knowing.
fn show(plan: &Plan<'_>, out: &mut impl Write) -> std::io::Result<()> {
    for unit in plan.order.iter().map(|&i| &plan.units[i]) {
        let uuid = ironwall_format::uuid_text(unit.uuid());
        writeln!(out, "unit {} {uuid} of {}", escaped(unit.manifest.title().as_bytes()), unit.archives.join(", "))?;
    }
    for external in &plan.externals {
        let effect = if external.may_collect { "" } else { ", which must not collect" };
        writeln!(out, "no unit defines {}{effect}", external.symbol)?;
    }
    for note in &plan.notes {
        writeln!(out, "{}: {}", note.rule, escaped(note.what.as_bytes()))?;
    }
    Ok(())
}

fn shown(path: &Path) -> String {
    escaped(path.as_os_str().as_encoded_bytes())
}
