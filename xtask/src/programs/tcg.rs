//! QEMU's test programs for user mode on ARM64: `tests/tcg/aarch64` and
//! `tests/tcg/multiarch`, built by their own makefile.

use super::report::Tally;
use super::runner::{Runner, Tree, finish};
use crate::shell::output;
use crate::toolchain::cross_gcc;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Seconds that a program may take.
const LIMIT: &str = "120";

const SVE: &str = "SVE is not provided";
const SEMIHOSTING: &str = "calls QEMU itself by semihosting, which Linux has not";

/// Programs that are not run, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("mte-", "the memory tagging extension is not provided"),
    ("sme-", "SME is not provided"),
    ("sve-", SVE),
    ("sha512-sve", SVE),
    ("test-826", SVE),
    ("semihosting", SEMIHOSTING),
    ("semiconsole", SEMIHOSTING),
];

/// Programs whose signal handler returns with `PSTATE` 1, a mode that is not EL0:
/// Linux refuses such a frame with `SIGSEGV` (`valid_user_regs`).
/// With 0, EL0 and no `BTYPE`, they test what they are meant to.
const CORRECTED: &[&str] = &["bti-1", "bti-2", "bti-3"];
const WRONG_PSTATE: &str = "uc->uc_mcontext.pstate = 1;";
const RIGHT_PSTATE: &str = "uc->uc_mcontext.pstate = 0;";

/// Programs that end otherwise than QEMU expects: the name, what they say at
/// their end, and why that is right.
const KNOWN: &[(&str, &str, &str)] = &[(
    "sysregs",
    "Extra information leaked to user-space!",
    "asks for registers as Linux showed them before version 6.3: since then it emulates `MVFR0_EL1` and `MVFR1_EL1`, \
     and `ID_AA64MMFR0_EL1` has 1 in the three hidden fields of stage 2's granules, their safe value",
)];

/// Builds the programs, runs them, and judges them by status and output.
pub(super) fn run(vambrace: &Runner) -> Result<Tally> {
    let place = super::place("tcg");
    fs::create_dir_all(&place)?;
    let (source, build) = (place.join("source"), place.join("build"));
    if !source.is_dir() {
        let archive = super::archive(super::QEMU_SUITE, "arm64")?;
        archive.source("qemu", &source)?;
        archive.close()?;
    }
    for name in CORRECTED {
        let file = source.join(format!("tests/tcg/aarch64/{name}.c"));
        let text = fs::read_to_string(&file)?;
        if text.contains(WRONG_PSTATE) {
            fs::write(&file, text.replace(WRONG_PSTATE, RIGHT_PSTATE))?;
        }
    }
    let names = make(&source, &build)?;
    // The programs are static: they need no library, but `/tmp` and the like.
    let tree = Tree::fetch("libc", "arm64", &["libc6"])?;
    let version = fs::read_to_string(source.join("VERSION"))?;
    let mut tally = Tally { versions: vec![format!("QEMU {}", version.trim())], ..Tally::default() };
    let mut passed = 0;
    for name in &names {
        if let Some((_, why)) = LEFT_OUT.iter().find(|(start, _)| name.starts_with(start)) {
            tally.left_out.push((name.clone(), (*why).to_owned()));
            continue;
        }
        if !build.join(name).is_file() {
            tally.left_out.push((name.clone(), "the cross compiler cannot build it".to_owned()));
            continue;
        }
        // One program re-executes itself in QEMU unless it sees that it has done so.
        let variables = [("QEMU", "/mnt/none"), ("QEMU_RTSIG_MAP", "none")];
        let run = vambrace.command(&tree, Some(&build), &variables, &format!("/mnt/{name}"));
        let mut limited = Command::new("timeout");
        limited.args(["--signal", "KILL", LIMIT]).arg(run.get_program()).args(run.get_args());
        let output = finish(&mut limited)?;
        fs::write(build.join(format!("{name}.out")), &output.stdout)?;
        let known = KNOWN.iter().find(|(known, _, _)| known == name);
        match judge(&source, &build, name, &output)? {
            None if known.is_some() => {
                tally.failed.push((name.clone(), "it passes, but is listed as one that cannot".to_owned()));
            }
            None => passed += 1,
            Some(how) if known.is_some_and(|(_, last, _)| how.ends_with(last)) => {
                let why = known.map(|(_, _, why)| *why).unwrap_or_default();
                tally.left_out.push((name.clone(), why.to_owned()));
            }
            Some(how) => tally.failed.push((name.clone(), how)),
        }
    }
    tally.passed.push((passed, format!("of {} programs passed", names.len())));
    let why = "of these with `PSTATE` 0 instead of 1, which is not EL0, in their signal frames";
    tally.passed.push((CORRECTED.len(), format!("{why}: `{}`", CORRECTED.join("`, `"))));
    Ok(tally)
}

/// Builds what can be built, and returns the names of all programs.
fn make(source: &Path, build: &Path) -> Result<Vec<String>> {
    fs::create_dir_all(build)?;
    let settings = [
        "TARGET=aarch64-linux-user".to_owned(),
        "TARGET_NAME=aarch64".to_owned(),
        "BUILD_STATIC=y".to_owned(),
        format!("CC={}", cross_gcc()?.display()),
        format!("SRC_PATH={}", source.display()),
    ];
    fs::write(build.join("config-target.mak"), settings.join("\n") + "\n")?;
    // Another makefile depends on one that QEMU's `configure` writes.
    fs::write(build.join("Makefile"), "")?;
    let makefile = source.join("tests/tcg/Makefile.target");
    let make = |words: &[&str]| {
        let mut command = Command::new("make");
        command.current_dir(build).arg("-s").arg("-f").arg(&makefile).args(words);
        command
    };
    // A program that does not build is told of later, by its name.
    finish(&mut make(&["-k", "-j2", "all"]))?;
    let list = output(&mut make(&["--eval", "names: ; @echo $(TESTS)", "names"]))?;
    let last = list.lines().last().context("QEMU's makefile names no tests")?;
    let mut names: Vec<String> = last.split_whitespace().map(str::to_owned).collect();
    names.sort();
    names.dedup();
    ensure!(names.len() > 40, "QEMU's makefile names only {} tests", names.len());
    Ok(names)
}

/// What is wrong with a program's run: a status other than 0, or an output
/// that is not the one that is stored, or that another program gave.
fn judge(source: &Path, build: &Path, name: &str, output: &Output) -> Result<Option<String>> {
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default().to_owned();
        return Ok(Some(format!("{}: {last}", output.status)));
    }
    let stored = source.join(format!("tests/tcg/aarch64/{name}.ref"));
    // A loop that was vectorized must give what the plain one gave, which ran before.
    let right = match name.strip_suffix("-vector") {
        Some(plain) => build.join(format!("{plain}.out")),
        None => stored,
    };
    if !right.is_file() {
        return Ok(None);
    }
    let right = fs::read(&right)?;
    Ok((right != output.stdout).then(|| "its output is not the stored one".to_owned()))
}
