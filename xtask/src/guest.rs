//! `cargo xtask guest`: builds the programs in `tests/guest` and runs them.
//!
//! A test is a program that speaks TAP: it declares a plan, prints a line for
//! each check, and exits with zero only if all is well. The same sources run
//! under `vambrace`, under `qemu-aarch64`, and natively, where a real Linux
//! kernel proves the expectations. `known-failures.txt` names the checks that
//! are known to fail under `vambrace`; one that passes must be taken off it.

use crate::shell::{cargo, files_in, root, run as run_command, say, target_dir};
use crate::toolchain::{MUSL, cross_gcc, need_target, qemu};
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A test that takes longer has hung.
const LIMIT: Duration = Duration::from_secs(120);

/// Warnings about the bad arguments that the tests pass on purpose.
const C_FLAGS: &[&str] = &[
    "-O1",
    "-std=gnu11",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-nonnull",
    "-Wno-stringop-overread",
    "-Wno-stringop-overflow",
    "-Wno-array-bounds",
    "-Wno-infinite-recursion",
    "-Wno-unused-result",
    "-static",
    "-pthread",
];

/// What runs the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runner {
    Vambrace,
    Qemu,
    Native,
}

/// What a test came to.
struct Outcome {
    failed: BTreeSet<String>,
    passed: BTreeSet<String>,
    trouble: Option<String>,
}

/// Runs the tests whose names contain one of the given words, or all.
///
/// # Errors
/// Missing tools, and failures that are not known ones.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let (mut runner, mut names, mut verbose) = (Runner::Vambrace, Vec::new(), false);
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--on" => {
                runner = match rest.next().map(String::as_str) {
                    Some("vambrace") => Runner::Vambrace,
                    Some("qemu") => Runner::Qemu,
                    Some("native") => Runner::Native,
                    _ => bail!("--on takes vambrace, qemu or native"),
                }
            }
            "-v" => verbose = true,
            name if !name.starts_with('-') => names.push(name.to_owned()),
            _ => bail!("{arg}: unknown; guest [-v] [--on native|qemu|vambrace] [NAME…]"),
        }
    }
    let mut programs = build_c(runner, &names)?;
    programs.extend(build_rust(runner, &names)?);
    if programs.is_empty() {
        bail!("no test has such a name");
    }
    let prefix = prefix(runner)?;
    let known = if runner == Runner::Vambrace { known_failures()? } else { BTreeSet::new() };
    let (mut passed, mut failed, mut expected) = (0, 0, 0);
    for program in &programs {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let outcome = run_one(&prefix, program, verbose)?;
        let qualified = |check: &String| format!("{name}: {check}");
        let fails = |check: &&String| !known.contains(&qualified(check));
        let fresh: Vec<&String> = outcome.failed.iter().filter(fails).collect();
        let healed: Vec<&String> = outcome.passed.iter().filter(|check| !fails(check)).collect();
        let whole_is_known = known.contains(&format!("{name}: *"));
        passed += outcome.passed.len();
        if whole_is_known {
            expected += 1;
            continue;
        }
        expected += outcome.failed.len() - fresh.len();
        failed += fresh.len() + healed.len() + usize::from(outcome.trouble.is_some());
        for check in fresh {
            say(&format!("FAILED {name}: {check}"));
        }
        for check in healed {
            say(&format!("PASSES, so take it off known-failures.txt: {name}: {check}"));
        }
        if let Some(trouble) = outcome.trouble {
            say(&format!("FAILED {name}: {trouble}"));
        }
    }
    say(&format!(
        "guest tests: {} programs, {passed} passed, {failed} failed, {expected} known failures",
        programs.len()
    ));
    if failed > 0 {
        bail!("guest tests failed");
    }
    Ok(())
}

fn is_wanted(names: &[String], program: &str) -> bool {
    names.is_empty() || names.iter().any(|name| program.contains(name.as_str()))
}

/// Checks that are known to fail, as `program: check`; `program: *` is all of one.
fn known_failures() -> Result<BTreeSet<String>> {
    let path = root().join("tests/guest/known-failures.txt");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

fn is_newer(product: &Path, sources: &[&Path]) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let made = time(product);
    made.is_some() && sources.iter().all(|source| time(source) <= made)
}

fn build_c(runner: Runner, names: &[String]) -> Result<Vec<PathBuf>> {
    let (compiler, place) = match runner {
        Runner::Native => (PathBuf::from("cc"), "guest/native"),
        _ => (cross_gcc()?, "guest/arm64"),
    };
    let (source, out) = (root().join("tests/guest/c"), target_dir().join(place));
    fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    let header = source.join("tap.h");
    let mut programs = Vec::new();
    for file in files_in(&source, "c")? {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !is_wanted(names, &name) {
            continue;
        }
        let program = out.join(&name);
        if !is_newer(&program, &[&file, &header]) {
            run_command(Command::new(&compiler).args(C_FLAGS).arg("-o").arg(&program).arg(&file))?;
        }
        programs.push(program);
    }
    Ok(programs)
}

/// The tests in Rust, which are one package with a program each.
fn build_rust(runner: Runner, names: &[String]) -> Result<Vec<PathBuf>> {
    let source = root().join("tests/guest/rust");
    let files = files_in(&source.join("src/bin"), "rs")?;
    let stems = files.iter().filter_map(|file| Some(file.file_stem()?.to_string_lossy().into_owned()));
    let wanted: Vec<String> = stems.filter(|name| is_wanted(names, name)).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let target = target_dir().join("guest/rust");
    let mut command = cargo();
    command.current_dir(&source).args(["build", "--quiet", "--release", "--locked"]);
    command.env("CARGO_TARGET_DIR", &target);
    let built = if runner == Runner::Native {
        target.join("release")
    } else {
        need_target(&source, MUSL)?;
        command.args(["--target", MUSL]).env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld");
        target.join(MUSL).join("release")
    };
    run_command(&mut command)?;
    Ok(wanted.iter().map(|name| built.join(name)).collect())
}

/// The command that a program's path is added to.
fn prefix(runner: Runner) -> Result<Vec<PathBuf>> {
    Ok(match runner {
        Runner::Native => Vec::new(),
        Runner::Qemu => vec![qemu()?],
        Runner::Vambrace => vec![vambrace()?, "run".into(), "--".into()],
    })
}

/// Builds the command with optimization and returns its path.
pub(crate) fn vambrace() -> Result<PathBuf> {
    run_command(cargo().args(["build", "--quiet", "--release", "--bin", "vambrace"]))?;
    Ok(target_dir().join("release/vambrace"))
}

fn wait(child: &mut std::process::Child) -> Result<Option<ExitStatus>> {
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

fn run_one(prefix: &[PathBuf], program: &Path, verbose: bool) -> Result<Outcome> {
    let words: Vec<PathBuf> = prefix.iter().cloned().chain([program.to_path_buf()]).collect();
    let (first, others) = words.split_first().context("a program to run")?;
    // Standard output is a file, so that a child that outlives its test holds up nothing.
    let log = program.with_extension("log");
    let out = File::create(&log).with_context(|| format!("cannot make {}", log.display()))?;
    let errors = out.try_clone()?;
    let mut command = Command::new(first);
    command.args(others).stdin(Stdio::null()).stdout(out).stderr(errors).env_clear();
    command.env("PATH", "/usr/bin:/bin").env("HOME", "/tmp");
    let mut child = command.spawn().with_context(|| format!("cannot start {}", first.display()))?;
    let status = wait(&mut child)?;
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if verbose {
        say(text.trim_end());
    }
    Ok(judge(&text, status))
}

/// What a test's output and exit status mean.
fn judge(text: &str, status: Option<ExitStatus>) -> Outcome {
    let mut outcome = Outcome { failed: BTreeSet::new(), passed: BTreeSet::new(), trouble: None };
    let (mut planned, mut ran) = (None, 0_usize);
    for line in text.lines() {
        if let Some(count) = line.strip_prefix("1..") {
            planned = count.trim().parse::<usize>().ok();
            continue;
        }
        let (checks, rest) = match (line.strip_prefix("ok "), line.strip_prefix("not ok ")) {
            (Some(rest), _) => (&mut outcome.passed, rest),
            (_, Some(rest)) => (&mut outcome.failed, rest),
            _ => continue,
        };
        ran += 1;
        let name = rest.split_once(" - ").map_or(rest, |(_, name)| name);
        // Skipped checks share one name; the number keeps them apart.
        let name = if name.starts_with("# SKIP") { rest } else { name };
        checks.insert(name.to_owned());
    }
    let last = text.lines().last().unwrap_or_default();
    outcome.trouble = match (planned, status) {
        (_, None) => Some(format!("hung after {ran} checks")),
        (None, Some(status)) => Some(format!("declared no plan ({status}): {last}")),
        (Some(planned), Some(status)) if planned != ran => {
            Some(format!("ran {ran} of {planned} checks ({status}): {last}"))
        }
        (Some(_), Some(status)) if !status.success() && outcome.failed.is_empty() => Some(format!("{status}: {last}")),
        _ => None,
    };
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn trouble(text: &str, code: Option<i32>) -> Option<String> {
        judge(text, code.map(|code| ExitStatus::from_raw(code << 8))).trouble
    }

    #[test]
    fn a_plan_that_is_not_met_is_a_failure() {
        assert_eq!(trouble("1..2\nok 1 - a\nok 2 - b\n", Some(0)), None);
        assert!(trouble("1..2\nok 1 - a\n", Some(0)).is_some());
        assert!(trouble("ok 1 - a\n", Some(0)).is_some());
        assert!(trouble("1..1\nok 1 - a\n", Some(1)).is_some());
        assert!(trouble("1..1\nok 1 - a\n", None).is_some());
    }

    #[test]
    fn failed_checks_are_known_by_name() {
        let outcome = judge("1..2\nok 1 - a\nnot ok 2 - b c\n", Some(ExitStatus::from_raw(256)));
        assert!(outcome.failed.contains("b c") && outcome.passed.contains("a"));
        assert_eq!(outcome.trouble, None);
    }
}
