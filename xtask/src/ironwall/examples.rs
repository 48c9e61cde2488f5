//! `cargo xtask ironwall examples`: builds the examples for x86_64 and ARM64, runs them, and compares what they print.
//!
//! A program in Rust is a package of the workspace. Each program in C is made as its page says: `vambrace unit table` writes headers and sources of its units, a C
//! compiler compiles every file apart without a warning, and the static library is linked in. The programs run on
//! this machine, in `vambrace run`, and in QEMU's user mode, as they are and in zeal mode.

use crate::guest;
use crate::shell::{cargo, root, run as run_command, say, target_dir};
use crate::tap::End;
use crate::toolchain::{MUSL, cross_gcc, need_target, qemu};

use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The static library for ARM64 is for the C library that the cross compiler has.
pub(crate) const GNU: &str = "aarch64-unknown-linux-gnu";

/// Seconds after which a program has hung.
const LIMIT: Duration = Duration::from_secs(120);

/// What the C sources have to pass.
const C_FLAGS: &[&str] = &["-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-c"];

/// One program.
pub(super) struct Example {
    name: &'static str,
    /// Where its files are, from the root of the repository.
    dir: &'static str,
    /// The package of a program in Rust; those in C have units and sources.
    package: Option<&'static str>,
    units: &'static [&'static str],
    sources: &'static [&'static str],
    runs: &'static [Run],
}

/// One run of a program.
struct Run {
    /// A word that begins with `@` is a file of the example.
    args: &'static [&'static str],
    /// The file with what it has to print.
    expected: &'static str,
    status: i32,
}

/// The status of a program that aborted, as `vambrace run` and shells have it.
const ABORTED: i32 = 128 + 6;

/// A run that has to end well.
const fn good(args: &'static [&'static str], expected: &'static str) -> Run {
    Run { args, expected, status: 0 }
}

/// A run that has to end with a status.
const fn bad(args: &'static [&'static str], expected: &'static str, status: i32) -> Run {
    Run { args, expected, status }
}

const EXAMPLES: &[Example] = &[
    Example {
        name: "list",
        dir: "examples/ironwall/list",
        package: None,
        units: &["list"],
        sources: &["main.c"],
        runs: &[
            good(&[], "expected/ten-million"),
            good(&["1000"], "expected/thousand"),
            good(&["1000", "--zeal"], "expected/thousand"),
            bad(&["0"], "expected/usage", 2),
        ],
    },
    Example {
        name: "lisp",
        dir: "examples/ironwall/lisp",
        package: None,
        units: &["lisp"],
        sources: &["main.c", "text.c"],
        runs: &[
            good(&["@basics.lisp"], "expected/basics"),
            good(&["@basics.lisp", "--zeal"], "expected/basics"),
            good(&["@held.lisp"], "expected/held"),
            good(&["@held.lisp", "--zeal"], "expected/held"),
            good(&["@loop.lisp"], "expected/loop"),
            bad(&["@errors.lisp"], "expected/errors", 1),
            bad(&["@errors.lisp", "--zeal"], "expected/errors", 1),
            // With zeal the heap is never full, and deep calls take minutes.
            bad(&["@deep.lisp"], "expected/deep", 1),
            bad(&["@exhaust.lisp"], "expected/exhaust", 1),
            bad(&["@zero.lisp"], "expected/zero", 1),
        ],
    },
    Example {
        name: "vm",
        dir: "examples/ironwall/vm",
        package: Some("ironwall-vm"),
        units: &[],
        sources: &[],
        runs: &[
            good(&["run", "@programs/closures.iva"], "expected/closures"),
            good(&["run", "@programs/closures.iva", "--zeal"], "expected/closures"),
            good(&["run", "@programs/primes.iva"], "expected/primes"),
            good(&["run", "@programs/strings.iva", "--zeal"], "expected/strings"),
            good(&["run", "@programs/garbage.iva"], "expected/garbage"),
            bad(&["run", "@programs/exhaust.iva"], "expected/exhaust", 1),
            bad(&["run", "@programs/wrong.iva"], "expected/wrong", 65),
            bad(&["run", "@programs/damaged.ivb"], "expected/damaged", 65),
        ],
    },
    Example {
        name: "coroutines",
        dir: "examples/ironwall/coroutines",
        package: None,
        units: &["coroutines"],
        sources: &["main.c"],
        runs: &[good(&[], "expected"), good(&["--zeal"], "expected")],
    },
    Example {
        name: "entry",
        dir: "examples/ironwall/entry",
        package: None,
        units: &["entry"],
        sources: &["main.c", "collect.S"],
        runs: &[good(&[], "expected")],
    },
    Example {
        name: "fault",
        dir: "crates/ironwall-capi/tests/c",
        package: None,
        units: &["fault"],
        sources: &["fault.c"],
        runs: &[
            good(&["nothing"], "expected/nothing"),
            bad(&["tag", "quiet"], "expected/tag", ABORTED),
            bad(&["stale", "quiet"], "expected/stale", ABORTED),
            bad(&["frame-order", "quiet"], "expected/frame-order", ABORTED),
        ],
    },
    Example {
        name: "two-libraries",
        dir: "crates/ironwall-capi/examples/two-libraries",
        package: None,
        units: &["names", "app"],
        sources: &["library.c", "main.c"],
        runs: &[good(&[], "expected")],
    },
];

/// The program that is asked by its host; [`super::door`] runs it.
pub(super) const SERVED: Example = Example {
    name: "served",
    dir: "examples/ironwall/served",
    package: None,
    units: &["served"],
    sources: &["main.c"],
    runs: &[],
};

/// Compilers and libraries for one kind of processor.
pub(super) struct Target {
    name: &'static str,
    gcc: PathBuf,
    library: PathBuf,
    link: &'static [&'static str],
    is_arm64: bool,
}

/// Builds and runs all examples, or those that are named.
///
/// # Errors
/// Missing tools, warnings of the compilers, and programs that do something else than is expected.
pub(super) fn run(args: &[String]) -> Result<()> {
    if let Some(unknown) = args.iter().find(|name| !EXAMPLES.iter().any(|example| example.name == **name)) {
        bail!(
            "{unknown}: no such example; there are {}",
            EXAMPLES.iter().map(|e| e.name).collect::<Vec<_>>().join(", ")
        );
    }
    let start = Instant::now();
    let vambrace = guest::vambrace()?;
    let (native, arm64) = (Target::native()?, Target::arm64()?);
    let run_words = [vambrace.clone(), "run".into(), "--".into()];
    let machines: [(&str, &Target, &[PathBuf]); 3] = [
        ("x86_64, native", &native, &[]),
        ("ARM64, `vambrace run`", &arm64, &run_words),
        ("ARM64, QEMU user mode", &arm64, &[qemu()?]),
    ];
    let mut count = 0;
    for example in EXAMPLES.iter().filter(|example| args.is_empty() || args.iter().any(|name| name == example.name)) {
        let programs = [example.build(&vambrace, &native)?, example.build(&vambrace, &arm64)?];
        for (machine, target, prefix) in &machines {
            let began = Instant::now();
            for run in example.runs {
                example.check(run, prefix, &programs[usize::from(target.is_arm64)]).context(*machine)?;
                count += 1;
            }
            let (runs, took) = (example.runs.len(), began.elapsed().as_secs_f32());
            say(&format!("{}, {machine}: {runs} runs as expected, {took:.1} s", example.name));
        }
    }
    say(&format!("{count} runs of the examples in {} s", start.elapsed().as_secs()));
    Ok(())
}

impl Target {
    /// This machine.
    pub(super) fn native() -> Result<Self> {
        Ok(Self { name: "x86_64", gcc: "gcc".into(), library: library(None)?, link: &[], is_arm64: false })
    }

    /// ARM64 Linux.
    pub(super) fn arm64() -> Result<Self> {
        Ok(Self {
            name: "aarch64",
            gcc: cross_gcc()?,
            library: library(Some(GNU))?,
            link: &["-static"],
            is_arm64: true,
        })
    }
}

/// Builds the static library of the C interface.
pub(super) fn library(target: Option<&str>) -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--quiet", "--locked", "--release", "--package", "ironwall-capi"]);
    let mut place = target_dir();
    if let Some(target) = target {
        need_target(&root(), target)?;
        command.args(["--target", target]);
        place.push(target);
    }
    run_command(&mut command)?;
    Ok(place.join("release/libironwall_capi.a"))
}

/// Builds a program in Rust. For ARM64 it is static, and needs no compiler for C.
fn build_package(package: &str, target: &Target) -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--quiet", "--locked", "--release", "--package", package]);
    let mut place = target_dir();
    if target.is_arm64 {
        need_target(&root(), MUSL)?;
        command.args(["--target", MUSL]).env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld");
        place.push(MUSL);
    }
    run_command(&mut command)?;
    Ok(place.join("release").join(package))
}

impl Example {
    /// Builds the program for a target, in a directory of its own.
    pub(super) fn build(&self, vambrace: &Path, target: &Target) -> Result<PathBuf> {
        if let Some(package) = self.package {
            return build_package(package, target);
        }
        let (dir, root) = (root().join(self.dir), root());
        let place = target_dir().join("ironwall-examples").join(self.name).join(target.name);
        fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
        for unit in self.units {
            let description = dir.join(unit).with_extension("json");
            quiet(Command::new(vambrace).args(["unit", "table"]).arg(description).arg("--output").arg(&place))?;
        }
        let include = [root.join("crates/ironwall-capi/include"), root.join("examples/ironwall/common"), place.clone()];
        let own = self.sources.iter().map(|source| dir.join(source));
        let generated = self.units.iter().map(|unit| place.join(unit).with_extension("c"));
        let mut objects = Vec::new();
        for (i, source) in own.chain(generated).enumerate() {
            let object = place.join(format!("{i}.o"));
            let mut gcc = Command::new(&target.gcc);
            include.iter().for_each(|dir| {
                gcc.arg("-I").arg(dir);
            });
            quiet(gcc.args(C_FLAGS).arg("-I").arg(&dir).arg(source).arg("-o").arg(&object))?;
            objects.push(object);
        }
        let program = place.join(self.name);
        let mut link = Command::new(&target.gcc);
        link.args(target.link).args(&objects).arg(&target.library).args(["-lpthread", "-ldl", "-lm"]);
        quiet(link.arg("-o").arg(&program))?;
        Ok(program)
    }

    /// Runs the program and compares.
    fn check(&self, run: &Run, prefix: &[PathBuf], program: &Path) -> Result<()> {
        let dir = root().join(self.dir);
        let arg = |arg: &&str| arg.strip_prefix('@').map_or_else(|| PathBuf::from(arg), |file| dir.join(file));
        let words = prefix.iter().cloned().chain([program.to_path_buf()]).chain(run.args.iter().map(arg));
        let log = target_dir().join("ironwall-example.log");
        let (text, end) = guest::capture(&words.collect::<Vec<_>>(), &log, LIMIT)?;
        let path = dir.join(run.expected);
        let expected = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let what = format!("{} {}", self.name, run.args.join(" "));
        let is_expected =
            end == End::Exit(run.status) || matches!(end, End::Signal(number) if 128 + number == run.status);
        ensure!(is_expected, "{what} ended with {end} instead of {}:\n{text}", run.status);
        ensure!(text == expected, "{what} printed:\n{text}\ninstead of {}:\n{expected}", path.display());
        Ok(())
    }
}

/// Runs a tool whose output matters only if it fails: the static C library makes linkers talk.
pub(super) fn quiet(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed: {}\n{text}", output.status);
    Ok(())
}
