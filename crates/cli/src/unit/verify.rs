//! `vambrace unit verify`: everything that is wrong with archives.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use ironwall_archive::problem::hex;
use ironwall_archive::signature::PublicKey;
use ironwall_archive::{Examined, Limits, Problem, examine};
use serde_json::{Value, json};

use super::exit::{Failure, Status};
use super::files;
use super::text::escaped;

/// `vambrace unit verify`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Verify {
    /// The archives.
    #[arg(value_name = "ARCHIVE", required = true)]
    archives: Vec<PathBuf>,
    /// Demand that this public key signed each, or another that is given so.
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints what is wrong with each archive, then fails if one of them could not be read.
pub(crate) fn run(args: &Verify) -> Result<Status, Failure> {
    let keys = args.key.iter().map(|path| public_key(path)).collect::<Result<Vec<_>, _>>()?;
    let mut out = std::io::stdout().lock();
    let (mut shown, mut unread, mut is_clean) = (Vec::new(), Vec::new(), true);
    for path in &args.archives {
        let bytes = match files::read(path) {
            Ok(bytes) => bytes,
            Err(failure) => {
                unread.push(failure);
                continue;
            }
        };
        let mut examined = examine(&bytes, Limits::default());
        if !keys.is_empty() {
            examined.require_signer(&keys);
        }
        is_clean &= examined.problems.is_empty();
        if args.json {
            shown.push(as_json(path, &examined));
        } else {
            write_text(&mut out, path, &examined)?;
        }
    }
    if args.json {
        writeln!(out, "{:#}", json!({ "archives": shown }))?;
    }
    out.flush()?;
    match Failure::all(unread) {
        Some(failure) => Err(failure),
        None if is_clean => Ok(Status::Done),
        None => Ok(Status::Findings),
    }
}

/// The public key in a file.
fn public_key(path: &Path) -> Result<PublicKey, Failure> {
    PublicKey::from_file(&files::read(path)?).map_err(|problem| Failure::problems(path, &[problem]))
}

fn write_text(out: &mut impl Write, path: &Path, examined: &Examined) -> std::io::Result<()> {
    let name = escaped(path.as_os_str().as_encoded_bytes());
    for problem in &examined.problems {
        writeln!(out, "{name}: {problem}")?;
    }
    if examined.omitted > 0 {
        writeln!(out, "{name}: and {} problems more", examined.omitted)?;
    }
    let Some(archive) = &examined.archive else { return Ok(()) };
    let signed = examined.signer().map_or("not signed".to_owned(), |key| format!("signed by {key}"));
    let units = archive.manifest().units.len();
    let plural = if units == 1 { "unit" } else { "units" };
    writeln!(out, "{name}: nothing is wrong; {units} {plural}, {signed}, sha256 {}", hex(&examined.digest))
}

fn as_json(path: &Path, examined: &Examined) -> Value {
    let problems: Vec<Value> = examined.problems.iter().map(problem).collect();
    json!({
        "file": escaped(path.as_os_str().as_encoded_bytes()),
        "sha256": hex(&examined.digest),
        "signer": examined.signer().map(|key| key.to_string()),
        "problems": problems,
        "omitted": examined.omitted,
    })
}

fn problem(problem: &Problem) -> Value {
    json!({
        "rule": problem.rule,
        "offset": problem.offset,
        "place": problem.place.to_string(),
        "what": problem.what,
    })
}
