//! `cargo xtask ironwall link`: the example of `docs/ironwall/linking.md`, from sources to a program, on all machines.
//!
//! Three units are compiled apart for both targets, packed, locked and linked; the archives are given in two orders,
//! which must make the same files. The programs run on this machine, in `vambrace run`, on our kernel in QEMU's
//! `virt` machine, and in QEMU's user mode, as they are and in zeal mode, and have to print the same everywhere: the
//! order of bodies, what lives by unit, and the digest of the live set.

use super::examples::{GNU, library, quiet};
use crate::shell::{files_in, root, say, target_dir};
use crate::tap::End;
use crate::toolchain::{cross_gcc, qemu};
use crate::{bare, guest};

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Where the example is, from the root of the repository.
const EXAMPLE: &str = "examples/ironwall/linked";
const UNITS: [&str; 3] = ["words", "index", "report"];
/// What every source has to pass, the one that is generated too.
const C_FLAGS: &[&str] = &["-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror"];
/// Seconds after which a program has hung.
const LIMIT_S: u64 = 60;
/// The memory of the bare machine.
const MEMORY_MIB: u32 = 256;

/// A target: its name, its compiler, the runtime's library, and what linking for it takes.
struct Target {
    name: &'static str,
    gcc: PathBuf,
    library: PathBuf,
    link: &'static [&'static str],
}

/// What the program prints, as it is and with an argument.
type Expected = [(Option<&'static str>, String)];

/// Builds the example and runs it.
///
/// # Errors
/// Missing tools, files that depend on the order of archives, and programs that print something else than is expected.
pub(super) fn run(args: &[String]) -> Result<()> {
    ensure!(args.is_empty(), "usage: cargo xtask ironwall link");
    let start = Instant::now();
    let vambrace = guest::vambrace()?;
    let targets = [
        Target { name: "x86_64-linux", gcc: "x86_64-linux-gnu-gcc".into(), library: library(None)?, link: &[] },
        Target { name: "aarch64-linux", gcc: cross_gcc()?, library: library(Some(GNU))?, link: &["-static"] },
    ];
    let place = target_dir().join("ironwall-linked");
    sources(&place)?;
    let unit = |words: &str| {
        let mut command = Command::new(&vambrace);
        quiet(command.arg("unit").args(words.split(' ')).current_dir(&place))
    };
    for name in UNITS {
        unit(&format!("table {name}.json -o ."))?;
        for target in &targets {
            compile(&place, target, name)?;
        }
        unit(&format!("pack {name}-archive.json -o {name}.tgz"))?;
    }
    unit("lock words.tgz index.tgz report.tgz -o units.lock")?;
    let mut programs = Vec::new();
    for target in &targets {
        let name = target.name;
        unit(&format!("link words.tgz index.tgz report.tgz --lock units.lock --target {name} -o {name}.linked"))?;
        unit(&format!("link report.tgz ./words.tgz index.tgz --lock units.lock --target {name} -o {name}.again"))?;
        let linked = place.join(format!("{name}.linked"));
        let same = contents(&linked)? == contents(&place.join(format!("{name}.again")))?;
        ensure!(same, "the order of archives changes what is linked for {name}");
        programs.push(program(&place, target, &linked)?);
    }
    let read = |name| fs::read_to_string(place.join(name)).with_context(|| format!("cannot read {name}"));
    // The digest has the counts of what was reclaimed too, which is less at the end if it was collected before.
    let expected = [(None, read("expected")?), (Some("--zeal"), read("expected-zeal")?)];
    let [native, arm64] = &programs[..] else { unreachable!("there are two targets") };
    let run_words = [vambrace.clone(), "run".into(), "--".into()];
    hosted("x86_64, native", &[], native, &expected)?;
    hosted("ARM64, `vambrace run`", &run_words, arm64, &expected)?;
    on_bare(arm64, &expected)?;
    hosted("ARM64, QEMU user mode", &[qemu()?], arm64, &expected)?;
    say(&format!("archives were packed, locked, linked and run in {} s", start.elapsed().as_secs()));
    Ok(())
}

/// A copy of the sources in a directory of its own, with nothing of an earlier run.
fn sources(place: &Path) -> Result<()> {
    if place.exists() {
        fs::remove_dir_all(place).with_context(|| format!("cannot remove {}", place.display()))?;
    }
    fs::create_dir_all(place).with_context(|| format!("cannot make {}", place.display()))?;
    for (name, bytes) in contents(&root().join(EXAMPLE))? {
        fs::write(place.join(&name), bytes).with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}

/// The files of a directory, by name.
fn contents(dir: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let entry = entry?;
        files.insert(entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?);
    }
    Ok(files)
}

fn compiler(place: &Path, target: &Target) -> Command {
    let mut gcc = Command::new(&target.gcc);
    gcc.args(C_FLAGS).arg("-I").arg(root().join("crates/ironwall-capi/include")).current_dir(place);
    gcc
}

/// Compiles the sources of a unit, its table's and its own, each apart.
fn compile(place: &Path, target: &Target, unit: &str) -> Result<()> {
    fs::create_dir_all(place.join(target.name))?;
    for file in [unit.to_owned(), format!("{unit}_library")] {
        let object = format!("{}/{file}.o", target.name);
        quiet(compiler(place, target).args(["-c", &format!("{file}.c"), "-o", &object]))?;
    }
    Ok(())
}

/// Makes the program of what was linked and the file that has `main`.
fn program(place: &Path, target: &Target, linked: &Path) -> Result<PathBuf> {
    let program = place.join(format!("{}.program", target.name));
    let mut gcc = compiler(place, target);
    gcc.args(target.link).arg("-I").arg(linked).args(["-I", ".", "main.c"]).arg(linked.join("ironwall_units.c"));
    gcc.args(files_in(linked, "o")?).arg(&target.library).args(["-lpthread", "-ldl", "-lm", "-o"]).arg(&program);
    quiet(&mut gcc)?;
    Ok(program)
}

/// Runs the program in processes of this machine, with and without zeal.
fn hosted(machine: &str, prefix: &[PathBuf], program: &Path, expected: &Expected) -> Result<()> {
    let start = Instant::now();
    for (zeal, expected) in expected {
        let words = prefix.iter().cloned().chain([program.to_path_buf()]).chain(zeal.map(PathBuf::from));
        let log = target_dir().join("ironwall-linked.log");
        let (text, end) = guest::capture(&words.collect::<Vec<_>>(), &log, Duration::from_secs(LIMIT_S))?;
        check(&text, &end, expected).context(machine.to_owned())?;
    }
    say(&format!("{machine}: as expected, {:.1} s", start.elapsed().as_secs_f32()));
    Ok(())
}

/// Runs the program on a machine of its own.
fn on_bare(program: &Path, expected: &Expected) -> Result<()> {
    let machine = "ARM64, bare machine";
    let run = |(zeal, _): &(Option<&str>, String)| {
        let name = format!("linked{}", zeal.unwrap_or_default());
        (name, program.to_path_buf(), zeal.map(str::to_owned).into_iter().collect())
    };
    let runs = bare::capture(&expected.iter().map(run).collect::<Vec<_>>(), MEMORY_MIB, LIMIT_S)?;
    for ((text, end, _), (_, expected)) in runs.iter().zip(expected) {
        check(text, end, expected).context(machine)?;
    }
    let took: Duration = runs.iter().map(|(_, _, took)| *took).sum();
    say(&format!("{machine}: as expected, {:.1} s", took.as_secs_f32()));
    Ok(())
}

fn check(text: &str, end: &End, expected: &str) -> Result<()> {
    ensure!(*end == End::Exit(0), "the program ended with {end}:\n{text}");
    ensure!(text.trim_end() == expected.trim_end(), "the program printed:\n{text}\ninstead of:\n{expected}");
    Ok(())
}
