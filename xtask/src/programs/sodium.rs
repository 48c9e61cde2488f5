//! libsodium's own test programs, from Debian's source, with Debian's library.

use super::report::{Tally, compare};
use super::runner::{Runner, Tree, finish};
use crate::shell::files_in;
use crate::toolchain::cross_gcc;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Where the programs' sources and expected outputs are.
const TESTS: &str = "source/test/default";

/// Builds each program, runs it, and compares what it wrote with what it should.
pub(super) fn run(vambrace: &Runner) -> Result<Tally> {
    let tree = Tree::fetch("libsodium", "arm64", &["libsodium-dev"])?;
    let work = super::place("libsodium");
    fs::create_dir_all(&work)?;
    let source = work.join("source");
    if !source.is_dir() {
        let archive = super::archive(super::SUITE, "arm64")?;
        archive.source("libsodium", &source)?;
        archive.close()?;
    }
    let header = fs::read_to_string(tree.file("usr/include/sodium/version.h"))?;
    let version = header.lines().find_map(|line| line.strip_prefix("#define SODIUM_VERSION_STRING "));
    let version = version.context("libsodium's header has no version")?.trim_matches('"');
    let mut tally = Tally { versions: vec![format!("libsodium {version}")], ..Tally::default() };
    let (mut passed, mut lines) = (0, 0);
    for file in files_in(&work.join(TESTS), "c")? {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        build(&tree, &work, &file, &name)?;
        // The program compares too, and says with its status what it found.
        let output = finish(&mut vambrace.command(&tree, Some(&work), &[], &format!("/mnt/{name}")))?;
        let read = |path: &Path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let right = read(&work.join(TESTS).join(format!("{name}.exp")))?;
        let comparison = compare(&read(&work.join(format!("{name}.res"))).unwrap_or_default(), &right);
        if output.status.success() && comparison.different.is_empty() {
            passed += 1;
            lines += comparison.same;
        } else {
            let why = comparison.different.into_iter().next().map_or_else(String::new, |(_, how)| how);
            tally.failed.push((name, format!("{}; {why}", output.status)));
        }
    }
    tally.passed.push((passed, format!("programs passed; {lines} lines of output are what they should be")));
    Ok(tally)
}

fn build(tree: &Tree, work: &Path, file: &Path, name: &str) -> Result<()> {
    let result = work.join(format!("{name}.res"));
    if result.exists() {
        fs::remove_file(&result)?;
    }
    let mut command = Command::new(cross_gcc()?);
    command.args(["-O1", "-w", "-static", "-pthread", &format!("-DTEST_SRCDIR=\"{TESTS}\"")]);
    for include in ["usr/include", "usr/include/sodium"] {
        command.arg("-I").arg(tree.file(include));
    }
    command.arg("-I").arg(work.join("source/test/quirks")).arg("-o").arg(work.join(name)).arg(file);
    crate::shell::output(command.arg(tree.file("usr/lib/aarch64-linux-gnu/libsodium.a")))?;
    Ok(())
}
