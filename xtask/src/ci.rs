//! `cargo xtask ci`: everything that CI runs, in the order in which it is
//! cheapest to fail.

use crate::shell::{cargo, root, run as run_command, say};
use crate::{bare, busybox, guest, ironwall, oracle, programs, setup};
use anyhow::{Context, Result, bail};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A step: what it is called and what it does.
type Step = (&'static str, fn() -> Result<()>);

const STEPS: &[Step] = &[
    ("set-up", || setup::run(&[])),
    ("format", format),
    ("clippy", clippy),
    ("tests", tests),
    ("tests of the userland", userland_tests),
    ("instructions", instructions),
    ("the collector's size, and its tests on other machines", ironwall::quick),
    ("the collector's examples", ironwall::run_examples),
    ("guest tests", || guest::run(&[])),
    ("guest tests, bare and on Linux", || bare::run(&["--on", "bare", "--on", "linux"].map(String::from))),
    ("disks", || bare::run(&["--disk".into()])),
    ("the machine as a user meets it", || bare::run(&["--show", "interactive", "telnet", "ping"].map(String::from))),
    ("guest tests on this kernel", || guest::run(&["--on".into(), "native".into()])),
    ("busybox", || busybox::run(&[])),
    ("programs that probe the processor", programs::quick),
    ("documents", documents),
];

/// Runs every step and stops at the first that fails.
///
/// # Errors
/// A step failed; the message names it.
pub(crate) fn run(args: &[String]) -> Result<()> {
    if !args.is_empty() {
        bail!("usage: cargo xtask ci");
    }
    let start = Instant::now();
    for (name, step) in STEPS {
        say(&format!("\n== {name} ({} s) ==", start.elapsed().as_secs()));
        step().with_context(|| format!("{name} failed"))?;
    }
    say(&format!("\nall of it passed in {} s", start.elapsed().as_secs()));
    Ok(())
}

fn format() -> Result<()> {
    run_command(cargo().args(["fmt", "--all", "--check"]))?;
    run_command(cargo().current_dir(root().join("userland")).args(["fmt", "--all", "--check"]))?;
    run_command(cargo().current_dir(root().join("tests/guest/rust")).args(["fmt", "--check"]))?;
    run_command(cargo().current_dir(root().join("tests/runner")).args(["fmt", "--check"]))
}

fn clippy() -> Result<()> {
    run_command(cargo().args(["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    // The image's own modules are compiled for bare machines only.
    let image = ["clippy", "--locked", "--package", "machine-virt", "--features", "image", "--bin", "vambrace-virt"];
    run_command(cargo().args(image).args(["--target", "aarch64-unknown-none-softfloat", "--", "-D", "warnings"]))
}

fn tests() -> Result<()> {
    run_command(cargo().args(["test", "--locked", "--workspace", "--quiet"]))
}

/// A million instructions that are always the same, fewer that are not, and
/// words that are none.
fn instructions() -> Result<()> {
    let compare = |what: &str, count: &str, seed: u64| {
        oracle::run(&["--check", what, count, "--seed", &seed.to_string()].map(String::from))
    };
    compare("--instructions", "1000000", 1)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    say(&format!("seed {now}"));
    compare("--instructions", "200000", now)?;
    compare("--words", "200000", now)
}

/// These programs run natively too, so their tests need no emulator.
fn userland_tests() -> Result<()> {
    let mut command = cargo();
    command.current_dir(root().join("userland"));
    command.args(["test", "--quiet", "--locked"]);
    for package in ["account", "init", "nettools", "posix-regex", "sh", "telnetd"] {
        command.args(["-p", package]);
    }
    run_command(command.args(["--target", "x86_64-unknown-linux-gnu"]))
}

fn documents() -> Result<()> {
    let mut command = cargo();
    command.args(["doc", "--locked", "--workspace", "--no-deps", "--quiet"]);
    run_command(command.env("RUSTDOCFLAGS", "-D warnings"))
}
