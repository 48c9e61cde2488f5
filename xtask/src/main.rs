//! Developer tasks: `cargo xtask help` lists them.
//!
//! Each task is a file of its own with a `run` function; this one only
//! dispatches. `shell.rs` starts programs, `toolchain.rs` finds compilers.
#![forbid(unsafe_code)]

mod bare;
mod bench;
mod busybox;
mod ci;
mod corpus;
mod debian;
mod expectations;
mod guest;
mod handlers;
mod ironwall;
mod kernel;
mod litmus;
mod oracle;
mod programs;
mod reference;
mod setup;
mod shell;
mod tap;
mod toolchain;
mod userland;

use anyhow::{Result, bail};
use shell::say;
use std::process::ExitCode;

/// A task: its name, what it does, and its function.
type Task = (&'static str, &'static str, fn(&[String]) -> Result<()>);

const TASKS: &[Task] = &[
    ("bare", "run the guest tests hosted, bare and on Linux: bare [--on COLUMN] [-v] [NAME…]", bare::run),
    ("bench", "measure beside qemu-aarch64: bench [--rounds N] [NAME…]", bench::run),
    ("busybox", "run Debian's busybox in a guest and compare it with the host's tools", busybox::run),
    ("ci", "everything that CI runs", ci::run),
    ("corpus", "write the disassembler's corpora with LLVM 14: corpus [NAME]", corpus::run),
    ("guest", "build and run the guest tests: guest [-v] [--on native|qemu|vambrace] [NAME…]", guest::run),
    ("handlers", "check the machine code of the engine's handlers: handlers [PROGRAM]", handlers::run),
    ("ironwall", "examine the collector: ironwall counts | machines | examples | miri | fuzz", ironwall::run),
    ("kernel", "build the kernel image for bare ARM64", kernel::run),
    ("litmus", "look for long at what threads see of each other: litmus [--write] [MILLISECONDS]", litmus::run),
    ("mutations", "undo fixes of the kernel and see that the tests notice: mutations [NAME…]", bare::mutations),
    (
        "oracle",
        "compare instructions with QEMU: oracle [--check] [--instructions N | --words N | --cases N] [--seed N] [--qemu PATH] [ROW]",
        oracle::run,
    ),
    ("programs", "run programs that probe the processor: programs [--quick] [--write] [PART…]", programs::run),
    ("setup", "install what the tests need: setup [--check | --nightly | --mirror URI]", setup::run),
    ("userland", "rebuild the embedded userland and compare it: userland [--update]", userland::run),
];

fn dispatch(args: &[String]) -> Result<()> {
    let (name, rest) = match args.split_first() {
        Some((name, rest)) if !matches!(name.as_str(), "help" | "--help" | "-h") => (name, rest),
        _ => {
            say("usage: cargo xtask TASK [ARG…]\n");
            for (name, about, _) in TASKS {
                say(&format!("  {name:<10} {about}"));
            }
            return Ok(());
        }
    };
    match TASKS.iter().find(|(task, _, _)| task == name) {
        Some((_, _, run)) => run(rest),
        None => bail!("{name}: no such task; `cargo xtask help` lists them"),
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
