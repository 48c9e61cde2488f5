//! `cargo xtask ironwall`: what examines the collector beyond `cargo test`.
//!
//! [`counts`] says how large what has to be trusted is. [`machines`] runs the tests on other machines, [`miri`] under
//! Miri, [`threads`] those of threads under loom and ThreadSanitizer, and [`fuzz`] runs the fuzz targets. [`door`] asks
//! a program from outside, here and in a guest, [`examples`] builds and runs the examples, and [`link`] links archives.

mod door;
mod examples;
mod fuzz;
mod link;
mod machines;
mod miri;
mod threads;

pub(crate) use examples::GNU;

use crate::shell::{cargo, output, say};
use anyhow::{Result, bail, ensure};

/// A part: its name, what it does, and its function.
type Part = (&'static str, &'static str, fn(&[String]) -> Result<()>);

const PARTS: &[Part] = &[
    ("counts", "the core's lines of code and unsafe blocks", counts),
    ("machines", "the tests on x86_64, on ARM64 and on the bare machine: machines [--long] [--write]", machines::run),
    ("door", "a program asked by its host, here and in a guest: equal reports", door::run),
    ("examples", "the examples, for x86_64 and ARM64: examples [NAME…]", examples::run),
    ("link", "archives of units, from sources to programs on all machines", link::run),
    ("miri", "the tests under Miri, with a nightly compiler", miri::run),
    ("loom", "every order in which threads can meet at the gate of a heap", threads::loom),
    ("tsan", "threads under ThreadSanitizer, with a nightly compiler and its sources", threads::tsan),
    ("fuzz", "the fuzz targets under libFuzzer: fuzz [--seconds N | --executions N] [NAME…]", fuzz::run),
];

/// Runs one part.
///
/// # Errors
/// There is no such part, or it failed.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let Some((name, rest)) = args.split_first().filter(|(name, _)| !name.starts_with('-')) else {
        say("usage: cargo xtask ironwall PART [ARG…]\n");
        for (name, about, _) in PARTS {
            say(&format!("  {name:<10} {about}"));
        }
        return Ok(());
    };
    match PARTS.iter().find(|(part, _, _)| part == name) {
        Some((_, _, run)) => run(rest),
        None => bail!("{name}: no such part; `cargo xtask ironwall` lists them"),
    }
}

/// Prints the line that the core's own test of its size prints.
///
/// # Errors
/// It is too large.
pub(crate) fn counts(args: &[String]) -> Result<()> {
    ensure!(args.is_empty(), "usage: cargo xtask ironwall counts");
    let mut command = cargo();
    command.args(["test", "--locked", "--quiet", "-p", "ironwall", "--test", "it", "r1_a_", "--", "--show-output"]);
    let text = output(&mut command)?;
    let line = text.lines().find(|line| line.starts_with("ironwall: "));
    let Some(line) = line else { bail!("the test of the core's size says nothing:\n{text}") };
    say(line);
    Ok(())
}

/// The examples, all of them.
///
/// # Errors
/// One cannot be built, or does something else than is expected.
pub(crate) fn run_examples() -> Result<()> {
    examples::run(&[])
}

/// What CI runs of it.
///
/// # Errors
/// A part failed.
pub(crate) fn quick() -> Result<()> {
    counts(&[])?;
    threads::loom(&[])?;
    machines::run(&[])?;
    door::run(&[])?;
    link::run(&[])
}
