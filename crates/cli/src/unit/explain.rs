//! `vambrace unit explain`: why objects of a snapshot are alive, what they retain, and a picture.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use ironwall_explain::{Names, ObjectId, RootPath, Snapshot, check_snapshot, picture};
use serde_json::{Value, json};

use super::exit::{Failure, Status};
use super::text::escaped;
use super::{files, sizes};

/// `vambrace unit explain`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Explain {
    /// The snapshot, in JSON, as `iw_snapshot` or `Snapshot::to_json` wrote it.
    #[arg(value_name = "SNAPSHOT")]
    snapshot: PathBuf,
    /// Tell why this object is alive: its address, like 0x7f00, or # and its number. May be repeated.
    #[arg(long, value_name = "ADDR|#N", value_parser = parse_wanted)]
    block: Vec<Wanted>,
    /// Tell what units, structures, roots and the largest objects retain.
    #[arg(long)]
    retained: bool,
    /// How many objects and roots to tell with --retained.
    #[arg(long, value_name = "N", default_value_t = 10, requires = "retained")]
    top: usize,
    /// Draw the heap into this file, as SVG.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Names of fields: a description of a unit, or a file of the format ironwall-names. May be repeated.
    #[arg(long, value_name = "FILE")]
    names: Vec<PathBuf>,
    /// Replay each path that is told, or the path in a file, without what found it.
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true)]
    check: Option<Option<PathBuf>>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// An object that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Address(u64),
    Number(u32),
}

fn parse_wanted(text: &str) -> Result<Wanted, String> {
    let wanted = match (text.strip_prefix("0x"), text.strip_prefix('#')) {
        (Some(digits), _) => u64::from_str_radix(digits, 16).ok().map(Wanted::Address),
        (_, Some(number)) => number.parse().ok().map(Wanted::Number),
        _ => None,
    };
    wanted.ok_or_else(|| "expected an address like 0x7f00, or # and an object's number".into())
}

/// What is said about an object.
enum Answer {
    /// A path from a root to it.
    Alive(RootPath),
    /// No root leads to it.
    Dead(ObjectId),
    /// There is none.
    Missing(Wanted),
}

/// Prints what is asked for; a summary if nothing is.
pub(crate) fn run(args: &Explain) -> Result<Status, Failure> {
    if args.check == Some(None) && args.block.is_empty() {
        return Err(Failure::new(Status::Usage, "--check needs a --block, or a path: --check=PATH"));
    }
    let text = files::read(&args.snapshot)?;
    let snapshot = Snapshot::from_json(&text).map_err(|error| bad(&args.snapshot, &error))?;
    let snapshot = snapshot.with_names(&read_names(&args.names)?);
    // Everything that can go wrong with files has, before anything is printed.
    let given = match &args.check {
        Some(Some(path)) => Some(RootPath::from_json(&files::read(path)?).map_err(|error| bad(path, &error))?),
        _ => None,
    };
    if let Some(path) = &args.svg {
        let no_place = || Failure::bad_data(&args.snapshot, "without addresses there is nothing to draw");
        files::write(path, picture::svg(&snapshot).ok_or_else(no_place)?.as_bytes())?;
    }
    let answers: Vec<Answer> = args.block.iter().map(|&wanted| answer(&snapshot, wanted)).collect();
    let checked = given.as_ref().map(|path| check_snapshot(&snapshot, path));
    let is_replayed = args.check.is_some();
    if is_replayed {
        for path in answers.iter().filter_map(Answer::path) {
            if let Err(mismatch) = check_snapshot(&snapshot, path) {
                return Err(Failure::new(Status::Bug, format!("a path that was found is not true: {mismatch}")));
            }
        }
    }
    let says_all = args.block.is_empty() && !args.retained && args.svg.is_none() && given.is_none();
    let retained = (args.retained || says_all).then(|| snapshot.retained());
    let mut out = std::io::stdout().lock();
    if args.json {
        let mut document = json!({ "collections": snapshot.collections(), "objects": snapshot.objects().len() });
        if !answers.is_empty() {
            let answers: Vec<Value> = answers.iter().map(|answer| answer.json(&snapshot, is_replayed)).collect();
            document["blocks"] = answers.into();
        }
        if let Some(checked) = &checked {
            document["path"] = match checked {
                Ok(()) => json!({ "is_true": true }),
                Err(mismatch) => json!({ "is_true": false, "why": mismatch.to_string() }),
            };
        }
        if let Some(retained) = &retained {
            document["retained"] = sizes::json(&snapshot, retained, args.top);
        }
        writeln!(out, "{document:#}")?;
    } else {
        for answer in &answers {
            writeln!(out, "{}", shown(&answer.text(&snapshot, is_replayed)))?;
        }
        match &checked {
            Some(Ok(())) => writeln!(out, "the path is true")?,
            Some(Err(mismatch)) => writeln!(out, "the path is not true: {mismatch}")?,
            None => {}
        }
        if let Some(retained) = &retained {
            let top = if args.retained { args.top } else { 0 };
            write!(out, "{}", shown(&sizes::text(&snapshot, retained, top)))?;
        }
    }
    out.flush()?;
    let is_wrong = answers.iter().any(|answer| answer.path().is_none()) || matches!(checked, Some(Err(_)));
    Ok(if is_wrong { Status::Findings } else { Status::Done })
}

fn bad(path: &Path, error: &ironwall_explain::DataError) -> Failure {
    Failure::bad_data(path, escaped(error.to_string().as_bytes()))
}

/// The names in all files, later ones before earlier ones.
fn read_names(paths: &[PathBuf]) -> Result<Names, Failure> {
    let mut names = Names::default();
    for path in paths {
        let text = files::read(path)?;
        names.extend(Names::read(&text).map_err(|error| bad(path, &error))?);
    }
    Ok(names)
}

fn answer(snapshot: &Snapshot, wanted: Wanted) -> Answer {
    let found = match wanted {
        Wanted::Address(address) => snapshot.at(address),
        Wanted::Number(number) => Some(ObjectId(number)).filter(|&id| snapshot.object(id).is_some()),
    };
    match found {
        None => Answer::Missing(wanted),
        Some(id) => snapshot.why(id).map_or(Answer::Dead(id), Answer::Alive),
    }
}

impl Answer {
    fn path(&self) -> Option<&RootPath> {
        match self {
            Self::Alive(path) => Some(path),
            Self::Dead(_) | Self::Missing(_) => None,
        }
    }

    fn text(&self, snapshot: &Snapshot, is_replayed: bool) -> String {
        match self {
            Self::Alive(path) if is_replayed => format!("{path}\n  checked: {} steps", path.steps.len()),
            Self::Alive(path) => path.to_string(),
            Self::Dead(id) => {
                let line = snapshot.line(*id).unwrap_or_default();
                format!("{line}\n  no root leads to it; the next collection reclaims it")
            }
            Self::Missing(Wanted::Address(address)) => format!("no object begins at {address:#x}"),
            Self::Missing(Wanted::Number(number)) => format!("there is no object #{number}"),
        }
    }

    fn json(&self, snapshot: &Snapshot, is_replayed: bool) -> Value {
        match self {
            Self::Alive(path) => {
                let path = path.to_value();
                if is_replayed { json!({ "path": path, "is_true": true }) } else { json!({ "path": path }) }
            }
            Self::Dead(id) => json!({ "dead": snapshot.line(*id) }),
            Self::Missing(Wanted::Address(address)) => json!({ "missing": format!("{address:#x}") }),
            Self::Missing(Wanted::Number(number)) => json!({ "missing": format!("#{number}") }),
        }
    }
}

/// A text whose names of fields cannot do anything to a terminal.
fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | ' ' | '→' | '…' | '≥' => out.push(letter),
            _ if letter.is_ascii_graphic() => out.push(letter),
            _ => out.extend(letter.escape_unicode()),
        }
    }
    out
}
