//! The examples, compiled by a C compiler, linked with the static library, and run.

use crate::tools::{here, run, scratch};
use ironwall_format::describe::Description;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The static library, which a test of the crate alone does not build.
pub(crate) fn library() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory");
    let build = ["build", "--quiet", "--locked", "--package", "ironwall-capi", "--target-dir"];
    run(Command::new(env!("CARGO")).args(build).arg(target).current_dir(here()));
    target.join("debug/libironwall_capi.a")
}

/// Writes the C files and the table of a description into `dir`.
pub(crate) fn describe(description: &Path, dir: &Path) {
    let text = std::fs::read(description).expect("a description");
    let files = Description::parse(&text).and_then(|unit| unit.c_files()).expect("C files");
    std::fs::write(dir.join(files.header.0), files.header.1).expect("a header");
    std::fs::write(dir.join(files.source.0), files.source.1).expect("a source");
    std::fs::write(dir.join(files.image.0), files.image.1).expect("an image");
}

/// Compiles a source strictly, and returns its object.
pub(crate) fn compile(source: &Path, example: &Path, dir: &Path) -> PathBuf {
    let object = dir.join(source.file_stem().expect("a name")).with_extension("o");
    let flags = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-c"];
    let mut gcc = Command::new("gcc");
    gcc.args(flags).arg("-I").arg(here().join("include")).arg("-I").arg(dir).arg("-I").arg(example);
    gcc.arg("-I").arg(here().join("../../examples/ironwall/common"));
    run(gcc.arg(source).arg("-o").arg(&object));
    object
}

#[test]
fn r3_1_r5_a_r7_1_b_two_libraries_compiled_apart_share_one_heap() {
    let (example, dir) = (here().join("examples/two-libraries"), scratch("two-libraries"));
    for unit in ["names.json", "app.json"] {
        describe(&example.join(unit), &dir);
    }
    let archive = |name: &str, sources: [&Path; 2]| {
        let archive = dir.join(name);
        // What is there of an earlier run may hold other members.
        let _ = std::fs::remove_file(&archive);
        run(Command::new("ar").arg("rc").arg(&archive).args(sources.map(|source| compile(source, &example, &dir))));
        archive
    };
    let names = archive("libnames.a", [&example.join("library.c"), &dir.join("names.c")]);
    let app = archive("libapp.a", [&example.join("main.c"), &dir.join("app.c")]);
    let program = dir.join("two-libraries");
    let system = ["-lpthread", "-ldl", "-lm"];
    run(Command::new("gcc").args([&app, &names, &library()]).args(system).arg("-o").arg(&program));
    let expected = std::fs::read_to_string(example.join("expected")).expect("what is expected");
    assert_eq!(run(&mut Command::new(program)), expected);
}
