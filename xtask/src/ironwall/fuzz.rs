//! `cargo xtask ironwall fuzz`: the collector's fuzz targets under libFuzzer, for a time or a number of executions.
//!
//! The bodies are in `crates/ironwall-testkit` and `crates/ironwall-fuzz`, whose tests run them briefly on stable Rust;
//! this needs a nightly compiler and cargo-fuzz, which `cargo xtask setup --nightly` installs. Inputs that were worth keeping stay in `fuzz/corpus`, which is not committed.

use crate::shell::{cargo, find_program, output, root, run as run_command, say};
use anyhow::{Context, Result, bail, ensure};
use std::process::Command;
use std::time::Instant;

/// The targets, as `fuzz/Cargo.toml` calls them, without the prefix.
const TARGETS: &[&str] = &["image", "operations", "damage", "frames", "archive", "manifest", "rpc"];

/// The longest input, in bytes.
const MAX_LEN: u32 = 4096;

/// Fuzzes the named targets, or all.
///
/// # Errors
/// Missing tools, and what a target finds; the input is in `fuzz/artifacts` then.
pub(super) fn run(args: &[String]) -> Result<()> {
    let (mut limit, mut names) = (None, Vec::new());
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let mut number =
            || -> Result<u64> { Ok(rest.next().with_context(|| format!("{arg} needs a number"))?.parse()?) };
        match arg.as_str() {
            "--seconds" => limit = Some(format!("-max_total_time={}", number()?)),
            "--executions" => limit = Some(format!("-runs={}", number()?)),
            name if TARGETS.contains(&name) => names.push(name),
            _ => bail!("{arg}: unknown; ironwall fuzz [--seconds N | --executions N] [{}]", TARGETS.join(" | ")),
        }
    }
    if find_program(&["cargo-fuzz"]).is_none() {
        bail!("cargo-fuzz is not installed; `cargo xtask setup --nightly` installs it");
    }
    let limit = limit.unwrap_or_else(|| "-max_total_time=60".into());
    let names = if names.is_empty() { TARGETS.to_vec() } else { names };
    for name in names {
        let target = format!("ironwall_{name}");
        // One directory for all, so that the sanitized crates are built once.
        let mut build = fuzz("build", &target)?;
        run_command(&mut build)?;
        let start = Instant::now();
        let mut command = fuzz("run", &target)?;
        let max_len = format!("-max_len={MAX_LEN}");
        command.args(["--", &limit, &max_len, "-len_control=20", "-print_final_stats=1", "-verbosity=0"]);
        let result = command.output().context("cannot start cargo fuzz")?;
        let text = String::from_utf8_lossy(&result.stderr);
        ensure!(result.status.success(), "{target} found something:\n{text}");
        let figure = |key: &str| text.lines().find_map(|line| Some(line.strip_prefix(key)?.trim().to_owned()));
        let executions = figure("stat::number_of_executed_units:").context("libFuzzer gave no figures")?;
        say(&format!("{target}: {executions} executions in {} s, nothing found", start.elapsed().as_secs()));
    }
    Ok(())
}

/// `cargo fuzz`, with a nightly compiler; without AddressSanitizer, as all memory of the bodies is Rust's and is
/// reached by checked offsets.
fn fuzz(what: &str, target: &str) -> Result<Command> {
    let mut command = nightly()?;
    command.args(["fuzz", what, "--sanitizer", "none", "--no-default-features", "--release", "--debug-assertions"]);
    command.arg(target).current_dir(root());
    Ok(command)
}

/// `cargo` of a nightly toolchain.
pub(super) fn nightly() -> Result<Command> {
    let is_nightly = |text: String| text.contains("nightly");
    if output(cargo().arg("--version")).is_ok_and(is_nightly) {
        return Ok(cargo());
    }
    let Some(rustup) = find_program(&["rustup"]) else {
        bail!("this needs a nightly compiler, and there is no rustup; https://rustup.rs has it")
    };
    let mut command = Command::new(rustup);
    command.args(["run", "nightly", "cargo"]).current_dir(root());
    // The variables of the cargo that started this would be taken for the other one's.
    for name in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTC", "RUSTDOC"] {
        command.env_remove(name);
    }
    Ok(command)
}
