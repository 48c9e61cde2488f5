//! `cargo xtask bare --show [NAME…]`: the machine as a user meets it.
//!
//! Each case boots a machine from a fresh disk, drives it through its console
//! and its network, judges by values that it reads back, turns it off, and has
//! `e2fsck` look at the disk. [`stage`] has the machines and [`shell`] the
//! driver; the other modules are the cases.

mod boots;
mod interactive;
mod matrix;
mod network;
mod script;
mod shell;
mod smp;
mod stage;
mod switches;
mod telnet;

use super::kernel_of;
use super::suite::Kernel;
use crate::expectations::Column;
use crate::guest;
use crate::setup;
use crate::shell::{root, run as run_command, say, target_dir};
use crate::toolchain::cross_gcc;
use anyhow::{Context, Result, bail};
use stage::Stage;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// A case: its name, what it shows, and its function, which returns figures.
type Case = (&'static str, &'static str, fn(&Stage<'_>) -> Result<String>);

const CASES: &[Case] = &[
    ("interactive", "line editing, ^C, ^Z, jobs, fg, bg, ^D, poweroff on the console", interactive::run),
    ("telnet", "sessions by telnet: results, reconnects, several at once, no zombies", telnet::run),
    ("ping", "40 pings to the gateway without a loss, legacy and modern virtio", network::ping),
    ("transfer", "10 MiB over TCP each way", network::transfer),
    ("script", "one script, two userlands, hosted and bare, the same bytes", script::run),
    ("share", "two spinning processes share the processor", switches::share),
    ("registers", "registers survive 100,000 switches", switches::registers),
    ("matrix", "every processor, interrupt controller, virtio, level and memory size", matrix::run),
    ("boots", "boots one after the other", boots::run),
    ("smp", "four processors under load", smp::run),
];

/// What is asked for.
#[derive(Debug)]
struct Options {
    column: Column,
    /// A kernel image that is built already, with its ELF file beside it.
    image: Option<PathBuf>,
    /// How often to boot, in place of the cases.
    boots: Option<usize>,
    names: Vec<String>,
}

fn options(args: &[String]) -> Result<Options> {
    let mut options = Options { column: Column::Bare, image: None, boots: None, names: Vec::new() };
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--on" => {
                options.column = match rest.next().map(String::as_str) {
                    Some("bare") => Column::Bare,
                    Some("linux") => Column::Linux,
                    _ => bail!("--on takes bare or linux here"),
                }
            }
            "--kernel" => options.image = Some(rest.next().context("--kernel needs a path")?.into()),
            "--boots" => options.boots = Some(rest.next().context("--boots needs a number")?.parse()?),
            name if CASES.iter().any(|case| case.0 == name) => options.names.push(name.to_owned()),
            _ => {
                let known: Vec<&str> = CASES.iter().map(|case| case.0).collect();
                bail!("{arg}: no such show-case; there are {}", known.join(", "));
            }
        }
    }
    Ok(options)
}

/// Runs the named cases, or all, on our kernel or, to try the cases, on Linux.
///
/// # Errors
/// Unknown names, missing tools, and cases that fail; all are run first.
pub(super) fn command(args: &[String]) -> Result<()> {
    let options = options(args)?;
    let kernel = kernel_of(options.column, options.image.as_deref())?.context("a kernel of its own")?;
    if let Some(count) = options.boots {
        let figures = boots::repeat(&Stage::set(&kernel, &[])?, count)?;
        say(&figures);
        return Ok(());
    }
    let stage = Stage::set(&kernel, &files()?)?;
    let is_wanted = |name: &str| options.names.is_empty() || options.names.iter().any(|wanted| wanted == name);
    let mut failed = Vec::new();
    for (name, about, case) in CASES.iter().filter(|case| is_wanted(case.0)) {
        let start = Instant::now();
        match case(&stage) {
            Ok(figures) => say(&format!("ok      {name}: {figures} ({:.1} s)", start.elapsed().as_secs_f64())),
            Err(error) => {
                say(&format!("FAILED  {name}: {about}: {error:#}"));
                failed.push(*name);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("{} failed", failed.join(", ")) }
}

/// Runs one case on a kernel.
///
/// # Errors
/// There is no such case, or it fails.
pub(super) fn one(kernel: &Kernel, name: &str) -> Result<String> {
    let (_, _, case) = CASES.iter().find(|case| case.0 == name).with_context(|| format!("no show-case {name}"))?;
    case(&Stage::set(kernel, &files()?)?)
}

/// What the cases find in `/show`.
fn files() -> Result<Vec<(&'static str, PathBuf)>> {
    let mut files = vec![
        ("busybox", setup::busybox()?),
        ("script.sh", root().join("tests/busybox/script.sh")),
        ("share", compile("share")?),
    ];
    for program in guest::build(&["regs_switch".into()])? {
        files.push(("regs_switch", program));
    }
    Ok(files)
}

/// A program of `tests/bare`, for ARM64.
fn compile(name: &str) -> Result<PathBuf> {
    let place = target_dir().join("bare");
    std::fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
    let program = place.join(name);
    let mut command = Command::new(cross_gcc()?);
    command.args(["-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-static", "-o"]).arg(&program);
    run_command(command.arg(root().join("tests/bare").join(name).with_extension("c")))?;
    Ok(program)
}
