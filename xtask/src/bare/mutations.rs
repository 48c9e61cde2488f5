//! `cargo xtask mutations`: do the tests notice if a fix is taken back?
//!
//! Each patch in `tests/bare/mutations` brings a known mistake into the kernel.
//! Its first lines say what it is and, after `Suite:`, what must turn red:
//! `guest NAME…` for guest tests, `show NAME` for a show-case. The patch is
//! applied to a copy of the sources of the last commit; what it names must pass
//! before and fail after.

use super::image::Image;
use super::suite::Kernel;
use super::{Outcomes, qemu, run_on, show};
use crate::expectations::{Column, Expectations};
use crate::shell::{files_in, root, run as run_command, say, target_dir};
use crate::{guest, kernel};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a patch says about itself.
#[derive(Debug)]
struct Mutation {
    name: String,
    file: PathBuf,
    about: String,
    suite: Suite,
}

/// What must turn red.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Suite {
    Guest(Vec<String>),
    Show(String),
}

impl Mutation {
    fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let head: Vec<&str> = text.lines().take_while(|line| !line.starts_with("--- ")).collect();
        let suite = head.iter().find_map(|line| line.strip_prefix("Suite: "));
        let suite = suite.with_context(|| format!("{name} names no suite"))?;
        let about = head.first().copied().unwrap_or_default().to_owned();
        Ok(Self { suite: Suite::parse(suite).with_context(|| name.clone())?, name, file: file.to_path_buf(), about })
    }
}

impl Suite {
    fn parse(text: &str) -> Result<Self> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        match words.split_first() {
            Some((kind, names)) if kind == "guest" && !names.is_empty() => Ok(Self::Guest(names.to_vec())),
            Some((kind, [name])) if kind == "show" => Ok(Self::Show(name.clone())),
            _ => bail!("{text}: expected `guest NAME…` or `show NAME`"),
        }
    }

    /// What is wrong on this kernel, in a few words; nothing if all is well.
    fn run(&self, kernel: &Kernel) -> Result<Option<String>> {
        match self {
            Self::Show(name) => Ok(show::one(kernel, name).err().map(|error| first_line(&format!("{error:#}")))),
            Self::Guest(names) => {
                let programs = guest::build(names)?;
                let log = qemu::place()?.join("mutation.log");
                let outcomes = match run_on(kernel, &kernel.setup(), &programs, &log, false) {
                    Ok(outcomes) => outcomes,
                    Err(error) => return Ok(Some(first_line(&format!("{error:#}")))),
                };
                complaint(&outcomes)
            }
        }
    }
}

fn complaint(outcomes: &Outcomes) -> Result<Option<String>> {
    let expectations = Expectations::load(Column::Bare)?;
    let complaints = outcomes.iter().flat_map(|(name, outcome)| expectations.check(name, outcome).complaints);
    Ok(complaints.map(|complaint| first_line(&complaint)).next())
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(100).collect()
}

/// Applies each patch, or those whose names contain a given word.
///
/// # Errors
/// A suite that is red without a patch, or green with one.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let files = files_in(&root().join("tests/bare/mutations"), "patch")?;
    let mutations = files.iter().map(|file| Mutation::read(file)).collect::<Result<Vec<_>>>()?;
    let is_wanted = |mutation: &&Mutation| args.is_empty() || args.iter().any(|word| mutation.name.contains(word));
    let wanted: Vec<&Mutation> = mutations.iter().filter(is_wanted).collect();
    ensure!(!wanted.is_empty(), "no mutation has such a name");
    let tree = copy()?;
    let target = target_dir().join("mutations/target");
    let build = || -> Result<Kernel> { Ok(Kernel::Bare(Image::open(&kernel::build_from(&tree, &target)?)?)) };

    let sound = build()?;
    let mut suites = BTreeSet::new();
    for mutation in &wanted {
        if suites.insert(&mutation.suite)
            && let Some(complaint) = mutation.suite.run(&sound)?
        {
            bail!("{:?} is red without a mutation: {complaint}", mutation.suite);
        }
    }
    let mut survivors = Vec::new();
    for mutation in wanted {
        apply(&tree, &mutation.file, false).with_context(|| format!("{} does not apply", mutation.name))?;
        let outcome = build().and_then(|kernel| mutation.suite.run(&kernel));
        apply(&tree, &mutation.file, true)?;
        match outcome.with_context(|| mutation.name.clone())? {
            Some(complaint) => say(&format!("noticed   {:<24} {} ({complaint})", mutation.name, mutation.about)),
            None => {
                say(&format!("SURVIVED  {:<24} {}", mutation.name, mutation.about));
                survivors.push(mutation.name.as_str());
            }
        }
    }
    if survivors.is_empty() { Ok(()) } else { bail!("nothing noticed {}", survivors.join(", ")) }
}

/// A copy of the last commit's files, always in the same place. A file that is
/// the same already is left alone, so that what was built of it serves again.
fn copy() -> Result<PathBuf> {
    let tree = target_dir().join("mutations/tree");
    let archive = target_dir().join("mutations/tree.tar");
    fs::create_dir_all(&tree)?;
    run_command(Command::new("git").current_dir(root()).args(["archive", "-o"]).arg(&archive).arg("HEAD"))?;
    let mut wanted = BTreeSet::new();
    for entry in tar::Archive::new(fs::File::open(&archive)?).entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = tree.join(entry.path()?);
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        if fs::read(&path).ok().as_ref() != Some(&bytes) {
            fs::create_dir_all(path.parent().context("a file lies in a directory")?)?;
            fs::write(&path, &bytes)?;
        }
        wanted.insert(path);
    }
    remove_others(&tree, &wanted)?;
    Ok(tree)
}

/// Removes files that are not wanted any more.
fn remove_others(dir: &Path, wanted: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(&path, wanted)?;
        } else if !wanted.contains(&path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Applies a patch, or takes it back.
fn apply(tree: &Path, patch: &Path, back: bool) -> Result<()> {
    let direction = if back { "--reverse" } else { "--forward" };
    let mut command = Command::new("patch");
    run_command(command.args(["--silent", direction, "-p1", "-i"]).arg(patch).current_dir(tree))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_patch_says_what_it_is_and_what_notices_it() {
        for file in files_in(&root().join("tests/bare/mutations"), "patch").unwrap() {
            let mutation = Mutation::read(&file).unwrap();
            assert!(!mutation.about.is_empty(), "{}", mutation.name);
        }
    }

    #[test]
    fn suites_are_read_strictly() {
        assert_eq!(Suite::parse("show ping").unwrap(), Suite::Show("ping".into()));
        assert_eq!(Suite::parse("guest a b").unwrap(), Suite::Guest(vec!["a".into(), "b".into()]));
        assert!(Suite::parse("guest").is_err());
        assert!(Suite::parse("all").is_err());
    }
}
