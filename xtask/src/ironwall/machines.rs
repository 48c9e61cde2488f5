//! `cargo xtask ironwall machines`: the collector's own tests, built twice, run on four machines.
//!
//! They are the ordinary test programs of [`PACKAGES`], for x86_64 and for ARM64. The ARM64 programs run in a process
//! of `vambrace run`, on our kernel in QEMU's `virt` machine, and in QEMU's own user mode, which is the reference.
//! The same tests have to pass everywhere, and the digests of live sets that they print have to be the same lines.

use crate::shell::{cargo, output, root, say, target_dir};
use crate::tap::End;
use crate::toolchain::{MUSL, need_target, qemu};
use crate::{bare, guest};

use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The crates whose tests need nothing of their host but memory and threads.
const PACKAGES: &[&str] = &["ironwall", "ironwall-format"];

/// What is left out, with the reason. The first are left out with `--long` too.
const ONLY_NATIVE: &[(&str, &str)] = &[("source::", "reads the sources, which are not on the other machines")];
const ONLY_LONG: &[(&str, &str)] = &[
    ("ten_million", "takes more than a minute where instructions are emulated"),
    ("every_graph_of_four", "takes more than a minute where instructions are emulated; that of three is run"),
];

/// Seconds after which a program has hung.
const LIMIT_S: u64 = 1200;

/// The page that `--write` writes.
const PAGE: &str = "docs/ironwall/machines.md";

/// What a machine's tests came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    passed: BTreeSet<String>,
    digests: Vec<String>,
    seconds: u64,
}

/// A test program: a name that is the same on all machines, and where it is.
type Program = (String, PathBuf);

/// Runs the tests on all machines and compares.
///
/// # Errors
/// Missing tools, a test that fails, and machines that differ.
pub(super) fn run(args: &[String]) -> Result<()> {
    let (mut is_long, mut write) = (false, false);
    for arg in args {
        match arg.as_str() {
            "--long" => is_long = true,
            "--write" => write = true,
            _ => bail!("{arg}: unknown; ironwall machines [--long] [--write]"),
        }
    }
    let native = build(None)?;
    need_target(&root(), MUSL)?;
    let arm64 = build(Some(MUSL))?;
    let vambrace = guest::vambrace()?;
    let here = |prefix: &[PathBuf], programs: &[Program]| hosted(prefix, programs, is_long);
    let machines = [
        ("x86_64, native", here(&[], &native)?),
        ("ARM64, `vambrace run`", here(&[vambrace, "run".into(), "--".into()], &arm64)?),
        ("ARM64, bare machine", on_bare(&arm64, is_long)?),
        ("ARM64, QEMU user mode", here(&[qemu()?], &arm64)?),
    ];
    compare(&machines, is_long)?;
    if write {
        let path = root().join(PAGE);
        fs::write(&path, page(&machines, is_long)).with_context(|| format!("cannot write {}", path.display()))?;
        say(&format!("wrote {PAGE}"));
    }
    Ok(())
}

/// Builds the test programs.
fn build(target: Option<&str>) -> Result<Vec<Program>> {
    let mut command = cargo();
    command.args(["test", "--locked", "--no-run", "--quiet", "--message-format", "json"]);
    PACKAGES.iter().for_each(|package| {
        command.args(["--package", package]);
    });
    if let Some(target) = target {
        command.args(["--target", target]).env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld");
    }
    let mut programs = Vec::new();
    for line in output(&mut command)?.lines() {
        let message: serde_json::Value = serde_json::from_str(line).context("a message of cargo")?;
        let Some(program) = message["executable"].as_str().filter(|_| message["profile"]["test"] == true) else {
            continue;
        };
        let (package, kind) = (&message["manifest_path"], &message["target"]);
        let package = PathBuf::from(package.as_str().unwrap_or_default());
        let package = package.parent().map(guest::file_name).unwrap_or_default();
        programs.push((format!("{package}-{}", kind["name"].as_str().unwrap_or_default()), program.into()));
    }
    programs.sort();
    ensure!(!programs.is_empty(), "cargo built no test program");
    Ok(programs)
}

fn left_out(is_native: bool, is_long: bool) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let native = ONLY_NATIVE.iter().filter(move |_| !is_native);
    native.chain(ONLY_LONG.iter().filter(move |_| !is_native && !is_long))
}

fn arguments(is_native: bool, is_long: bool) -> Vec<String> {
    let skips = left_out(is_native, is_long).flat_map(|(name, _)| ["--skip", name]);
    ["--show-output", "--test-threads", "1"].into_iter().chain(skips).map(String::from).collect()
}

/// Runs the programs in processes of this machine.
fn hosted(prefix: &[PathBuf], programs: &[Program], is_long: bool) -> Result<Outcome> {
    let mut all = Outcome::default();
    let start = Instant::now();
    for (name, program) in programs {
        let words = prefix.iter().chain([program]).cloned();
        let words: Vec<PathBuf> =
            words.chain(arguments(prefix.is_empty(), is_long).into_iter().map(PathBuf::from)).collect();
        let log = target_dir().join("ironwall-machine.log");
        let (text, end) = guest::capture(&words, &log, Duration::from_secs(LIMIT_S))?;
        all.add(name, &text, &end)?;
    }
    all.seconds = start.elapsed().as_secs();
    Ok(all)
}

/// Runs the programs on a machine of their own.
fn on_bare(programs: &[Program], is_long: bool) -> Result<Outcome> {
    let arguments = arguments(false, is_long);
    let commands: Vec<_> =
        programs.iter().map(|(name, program)| (name.clone(), program.clone(), arguments.clone())).collect();
    let (mut all, mut took) = (Outcome::default(), Duration::ZERO);
    for ((name, _), (text, end, time)) in programs.iter().zip(bare::capture(&commands, memory_mib(is_long), LIMIT_S)?) {
        all.add(name, &text, &end)?;
        took += time;
    }
    all.seconds = took.as_secs();
    Ok(all)
}

/// Ten million objects of 48 bytes, their mark stack and their bits, beside what the kernel needs.
fn memory_mib(is_long: bool) -> u32 {
    if is_long { 2048 } else { 512 }
}

impl Outcome {
    /// Adds what a program printed.
    fn add(&mut self, program: &str, text: &str, end: &End) -> Result<()> {
        let is_complete = text.lines().any(|line| line.starts_with("test result: ok."));
        ensure!(*end == End::Exit(0) && is_complete, "{program} failed ({end}):\n{text}");
        for line in text.lines() {
            let test = line.strip_prefix("test ").and_then(|line| line.split_once(" ... "));
            if let Some((name, "ok")) = test {
                self.passed.insert(format!("{program}: {}", name.trim_end_matches(" - should panic")));
            }
            if line.starts_with("digest ") {
                self.digests.push(line.to_owned());
            }
        }
        Ok(())
    }
}

/// Says what each machine did, and whether it was the same.
fn compare(machines: &[(&str, Outcome)], is_long: bool) -> Result<()> {
    let Some(((_, first), others)) = machines.split_first() else { return Ok(()) };
    ensure!(!first.digests.is_empty(), "no test printed a digest");
    for (name, outcome) in machines {
        let (passed, digests) = (outcome.passed.len(), outcome.digests.len());
        say(&format!("{name}: {passed} tests passed, {digests} digests, {} s", outcome.seconds));
    }
    for (name, outcome) in others {
        ensure!(outcome.digests == first.digests, "{name}: {:#?}\ninstead of {:#?}", outcome.digests, first.digests);
        let is_left_out = |test: &&String| left_out(false, is_long).any(|(word, _)| test.contains(word));
        let missing: Vec<_> = first.passed.difference(&outcome.passed).filter(|test| !is_left_out(test)).collect();
        ensure!(missing.is_empty(), "{name} did not run {missing:?}");
    }
    say("the digests of live sets are equal");
    Ok(())
}

fn page(machines: &[(&str, Outcome)], is_long: bool) -> String {
    let mut text = String::from(
        "# The collector on several machines\n\n\
         <!-- `cargo xtask ironwall machines --long --write` writes this page. -->\n\n\
         The test programs of these crates are built for x86_64 and for ARM64 Linux and run on four machines:\n",
    );
    let names: Vec<String> = PACKAGES.iter().map(|name| format!("`{name}`")).collect();
    let _ = writeln!(text, "{}.\n", names.join(", "));
    text.push_str("| machine | tests passed | digests | seconds |\n|---|---|---|---|\n");
    for (name, outcome) in machines {
        let (passed, digests) = (outcome.passed.len(), outcome.digests.len());
        let _ = writeln!(text, "| {name} | {passed} | {digests} | {} |", outcome.seconds);
    }
    text.push_str("\nLeft out on ARM64:\n\n");
    for (name, reason) in left_out(false, is_long) {
        let _ = writeln!(text, "- `{name}…`: {reason}");
    }
    text.push_str("\n## Digests of live sets\n\nThey were equal on all machines.\n\n| graph | digest |\n|---|---|\n");
    let digests = machines.first().into_iter().flat_map(|(_, outcome)| &outcome.digests);
    for (digest, graph) in digests.filter_map(|line| line.strip_prefix("digest ")?.split_once(' ')) {
        let _ = writeln!(text, "| {graph} | `{digest}` |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(text: &str) -> Outcome {
        let mut outcome = Outcome::default();
        outcome.add("p", text, &End::Exit(0)).expect("complete");
        outcome
    }

    #[test]
    fn output_of_tests_is_read() {
        let text = "test a ... ok\ntest b ... ignored\n\ndigest 12 list\ntest result: ok. 1 passed\n";
        let outcome = outcome(text);
        assert_eq!(outcome.passed, BTreeSet::from(["p: a".to_owned()]));
        assert_eq!(outcome.digests, ["digest 12 list"]);
    }

    #[test]
    fn a_program_that_stops_early_has_failed() {
        assert!(Outcome::default().add("p", "test a ... ok\n", &End::Exit(0)).is_err());
        assert!(Outcome::default().add("p", "test result: ok. 1 passed\n", &End::Signal(11)).is_err());
    }

    #[test]
    fn machines_that_differ_are_told() {
        let one = || outcome("test a ... ok\ndigest 12 list\ntest result: ok.");
        let digest = outcome("test a ... ok\ndigest 13 list\ntest result: ok.");
        let fewer = outcome("digest 12 list\ntest result: ok.");
        assert!(compare(&[("x", one()), ("y", one())], true).is_ok());
        assert!(compare(&[("x", one()), ("y", digest)], true).is_err());
        assert!(compare(&[("x", one()), ("y", fewer)], true).is_err());
    }
}
