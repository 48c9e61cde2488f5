//! `cargo xtask programs`: programs that ask the processor what it has, and use
//! it, must come to the right results in a guest.
//!
//! Each part fetches what it needs from Debian ([`crate::debian`]), unpacks and
//! builds it under the target directory, runs it in guests, and returns a
//! [`Tally`]. [`runner`] starts the programs, [`report`] writes the section of
//! `docs/conformance.md`.

mod ffmpeg;
mod openssl;
mod report;
mod runner;
mod sodium;
mod suite;
mod tcg;

use crate::debian::Archive;
use crate::guest;
use crate::shell::{say, target_dir};
use anyhow::{Context, Result, bail, ensure};
use report::Tally;
pub(crate) use report::section;
use runner::Runner;
use std::path::PathBuf;
use std::time::Instant;

/// Debian's release whose programs are run.
const SUITE: &str = "bookworm";
/// Debian's release whose QEMU has the tests of all instructions that are provided.
const QEMU_SUITE: &str = "trixie";

/// A part: its name, what it shows, and its function.
type Part = (&'static str, &'static str, fn(&Runner) -> Result<Tally>);

const PARTS: &[Part] = &[
    ("answers", "every algorithm of OpenSSL's providers, equal to native results", openssl::answers),
    ("speed", "`openssl speed` for all algorithms, as the processor is probed and without extensions", openssl::speed),
    ("libsodium", "libsodium's own tests", sodium::run),
    ("ffmpeg", "ffmpeg's coders, filters and scalers, equal to native results", ffmpeg::run),
    ("tcg", "QEMU's programs `tests/tcg/aarch64` and `tests/tcg/multiarch`", tcg::run),
    ("openssl-suite", "OpenSSL's own test suite, in one guest with perl", suite::run),
];

/// Runs the named parts, or all, with the program that `--vambrace` names, or
/// one that is built; with `--quick` what CI runs.
///
/// # Errors
/// A case failed, or what a part needs cannot be had.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let (mut writes, mut is_quick, mut vambrace, mut names) = (false, false, None, Vec::new());
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--quick" => is_quick = true,
            "--write" => writes = true,
            "--vambrace" => vambrace = Some(PathBuf::from(rest.next().context("--vambrace takes a program")?)),
            name if PARTS.iter().any(|(part, _, _)| *part == name) => names.push(name),
            _ => {
                let parts: Vec<&str> = PARTS.iter().map(|(name, _, _)| *name).collect();
                bail!(
                    "{arg}: unknown; programs [--quick] [--write] [--vambrace PROGRAM] [PART…], where PART is {}",
                    parts.join(", ")
                );
            }
        }
    }
    let vambrace = Runner::Vambrace(vambrace.map_or_else(guest::vambrace, Ok)?);
    if is_quick {
        return quick_with(&vambrace);
    }
    let mut red = Vec::new();
    for (name, about, part) in PARTS {
        if !names.is_empty() && !names.contains(name) {
            continue;
        }
        say(&format!("\n== {name}: {about} =="));
        let start = Instant::now();
        let tally = part(&vambrace)?;
        tally.tell(name, start.elapsed());
        if writes {
            report::write(name, about, &tally)?;
        }
        if !tally.failed.is_empty() {
            red.push(*name);
        }
    }
    ensure!(red.is_empty(), "failures in {}", red.join(", "));
    Ok(())
}

/// OpenSSL's known answers over short messages: what CI has time for.
pub(crate) fn quick() -> Result<()> {
    quick_with(&Runner::Vambrace(guest::vambrace()?))
}

fn quick_with(vambrace: &Runner) -> Result<()> {
    let start = Instant::now();
    let tally = openssl::quick_answers(vambrace)?;
    tally.tell("answers", start.elapsed());
    ensure!(tally.failed.is_empty(), "OpenSSL's results are not the native ones");
    Ok(())
}

/// Where the parts put what they fetch and build.
fn place(name: &str) -> PathBuf {
    target_dir().join("programs").join(name)
}

/// The archive that packages for one of Debian's architectures come from.
fn archive(suite: &str, arch: &'static str) -> Result<Archive> {
    Archive::open(place(&format!("apt-{suite}-{arch}")), suite, arch, None)
}
