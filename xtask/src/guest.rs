//! `cargo xtask guest`: builds the programs in `tests/guest` and runs them.
//!
//! A test is a program that speaks TAP: it declares a plan, prints a line for
//! each check, and exits with zero only if all is well. The same sources run
//! under `vambrace`, under `qemu-aarch64`, and natively, where a real Linux
//! kernel proves the expectations. `cargo xtask bare` runs them on a machine
//! without another kernel; `expectations.rs` knows what may fail where.

use crate::expectations::{Column, Expectations};
use crate::shell::{cargo, files_in, root, run as run_command, say, target_dir};
use crate::tap::{self, End, Outcome};
use crate::toolchain::{MUSL, cross_gcc, need_target, qemu};
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
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
    let column = if runner == Runner::Vambrace { Column::Hosted } else { Column::Linux };
    let expectations = Expectations::load(column)?;
    let (mut passed, mut failed, mut expected) = (0, 0, 0);
    for program in &programs {
        let name = file_name(program);
        let outcome = run_one(&prefix, program, verbose)?;
        let verdict = expectations.check(&name, &outcome);
        passed += outcome.passed.len();
        expected += verdict.expected;
        failed += verdict.complaints.len();
        for complaint in verdict.complaints {
            say(&complaint);
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

/// The last part of a program's path, which is the test's name.
pub(crate) fn file_name(program: &Path) -> String {
    program.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Builds the tests for ARM64 whose names contain one of the given words, or all.
///
/// # Errors
/// Missing tools, and tests that cannot be built.
pub(crate) fn build(names: &[String]) -> Result<Vec<PathBuf>> {
    let mut programs = build_c(Runner::Vambrace, names)?;
    programs.extend(build_rust(Runner::Vambrace, names)?);
    if programs.is_empty() {
        bail!("no test has such a name");
    }
    Ok(programs)
}

/// Runs one test hosted.
///
/// # Errors
/// It cannot be started.
pub(crate) fn run_hosted(vambrace: &Path, program: &Path) -> Result<Outcome> {
    run_one(&[vambrace.to_path_buf(), "run".into(), "--".into()], program, false)
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

fn wait(child: &mut std::process::Child, limit: Duration) -> Result<End> {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            let ended = status.code().map(End::Exit).or_else(|| status.signal().map(End::Signal));
            return Ok(ended.unwrap_or_else(|| End::Lost(status.to_string())));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill()?;
    child.wait()?;
    Ok(End::TimedOut)
}

fn run_one(prefix: &[PathBuf], program: &Path, verbose: bool) -> Result<Outcome> {
    let words: Vec<PathBuf> = prefix.iter().cloned().chain([program.to_path_buf()]).collect();
    let (text, end) = capture(&words, &program.with_extension("log"), LIMIT)?;
    if verbose {
        say(text.trim_end());
    }
    Ok(tap::judge(text.lines(), &end))
}

/// Runs a command, and gives what it prints and how it ends; at `limit` it is killed.
///
/// # Errors
/// It cannot be started.
pub(crate) fn capture(words: &[PathBuf], log: &Path, limit: Duration) -> Result<(String, End)> {
    let (first, others) = words.split_first().context("a program to run")?;
    // Standard output is a file, so that a child that outlives its test holds up nothing.
    let out = File::create(log).with_context(|| format!("cannot make {}", log.display()))?;
    let errors = out.try_clone()?;
    let mut command = Command::new(first);
    command.args(others).stdin(Stdio::null()).stdout(out).stderr(errors).env_clear();
    command.env("PATH", "/usr/bin:/bin").env("HOME", "/tmp");
    let mut child = command.spawn().with_context(|| format!("cannot start {}", first.display()))?;
    let end = wait(&mut child, limit)?;
    Ok((String::from_utf8_lossy(&fs::read(log)?).into_owned(), end))
}
