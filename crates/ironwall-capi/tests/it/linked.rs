//! Programs of units that were compiled apart, packed into archives and linked: how their bodies run, and what becomes
//! of units that are started wrongly.

use crate::examples::{compile, describe, library};
use crate::tools::{here, run, scratch};
use ironwall_archive::link::{Input, link};
use ironwall_archive::pack::pack;
use ironwall_archive::problem::hex;
use ironwall_archive::{Description, Limits, Target};
use ironwall_capi::status::IW_OTHER_VERSION;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Links a program of these units, each in an archive of its own, and a file that holds `main`.
fn program(sources: &Path, units: &[&str], main: &str, dir: &Path) -> PathBuf {
    let inputs: Vec<Input> = units.iter().rev().map(|unit| archive(sources, unit, dir)).collect();
    let plan = link(&inputs, Target::X86_64Linux).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let mut objects = Vec::new();
    for (name, bytes) in plan.files() {
        let path = dir.join(name);
        std::fs::write(&path, bytes).expect("a file");
        if path.extension().is_some_and(|extension| extension == "o") {
            objects.push(path);
        }
    }
    let program = dir.join("program");
    let own = [compile(&dir.join("ironwall_units.c"), sources, dir), compile(&sources.join(main), sources, dir)];
    let system = ["-lpthread", "-ldl", "-lm"];
    run(Command::new("gcc").args(own).args(objects).arg(library()).args(system).arg("-o").arg(&program));
    program
}

/// Compiles a unit, and packs it.
fn archive(sources: &Path, unit: &str, dir: &Path) -> Input {
    describe(&sources.join(unit).with_extension("json"), dir);
    let library = sources.join(format!("{unit}_library.c"));
    let objects = [compile(&dir.join(unit).with_extension("c"), sources, dir), compile(&library, sources, dir)];
    let mut files = BTreeMap::new();
    for path in objects.into_iter().chain([dir.join(unit).with_extension("tbl")]) {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        files.insert(name, std::fs::read(&path).expect("a file"));
    }
    let description = format!(
        r#"{{"producer": "tests", "licence": "MIT", "units": [{{"table": "{unit}.tbl",
            "symbols": {{"metadata": "{unit}MetadataTable", "globals": "{unit}GlobalTable", "init": "{unit}RuntimeInit"}},
            "objects": {{"x86_64-linux": ["{unit}.o", "{unit}_library.o"]}}}}]}}"#
    );
    let description = Description::parse(description.as_bytes()).expect("a description");
    let packed = pack(&description, &files, None, Limits::default());
    let packed = packed.unwrap_or_else(|problems| panic!("{problems:#?}"));
    Input::new(&format!("{unit}.tgz"), packed.archive).expect("a name")
}

/// What a trial prints.
fn trial(which: &str) -> String {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        program(&here().join("tests/linked"), &["first", "second"], "trials.c", &scratch("linked-trials"))
    });
    run(Command::new(program).arg(which))
}

#[test]
fn r8_1_d_linked_bodies_run_imports_first_and_may_collect() {
    let expected = "create: 0\nbody of first\nbody of second\ninit: 0\nunit 0 of 2\ncollect: 0\n";
    // The last unit that was started is the importer, whichever place it has.
    let said = trial("rightly");
    assert_eq!(said.replace("unit 1 of 2", "unit 0 of 2"), expected);
}

#[test]
fn r8_1_d_a_unit_whose_body_was_skipped_is_refused_its_first_object() {
    let said = trial("skipped");
    let (before, after) = said.split_once("run: 0\n").expect("bodies run in the end");
    assert_eq!(before, "create: 0\nattach: 0\nfinish: 0\nmade 0, because: 12\nbody of first\nbody of second\n");
    assert_eq!(after, "made 1\ncollect: 0\n");
}

#[test]
fn r8_1_d_no_body_runs_twice() {
    let said = trial("twice");
    assert_eq!(said.matches("body of").count(), 2, "{said}");
    assert!(said.ends_with("again: 6\nstart: 13\nrun: 0\ncollect: 0\n"), "{said}");
}

#[test]
fn r8_1_d_a_body_that_calls_a_later_unit_is_told_and_damages_nothing() {
    let said = trial("later");
    assert!(said.starts_with("create: 0\nbody of first\ninit: 12\nunit "), "{said}");
    assert!(said.ends_with("collect: 0\n") && !said.contains("body of second"), "{said}");
}

#[test]
fn r8_1_d_units_of_another_version_of_the_interface_are_refused_before_they_allocate() {
    let header = std::fs::read_to_string(here().join("include/ironwall.h")).expect("the header");
    let line = "#define IW_ABI_VERSION (1 << 16)";
    assert!(header.contains(line), "the version is not where the test changes it");
    for (name, version) in [("linked-major", "(2 << 16)"), ("linked-minor", "((1 << 16) + 1)")] {
        let dir = scratch(name);
        // The headers of units include the one beside them.
        let other = header.replace(line, &format!("#define IW_ABI_VERSION {version}"));
        std::fs::write(dir.join("ironwall.h"), other).expect("a header");
        let program = program(&here().join("tests/linked"), &["first", "second"], "trials.c", &dir);
        let said = run(Command::new(program).arg("rightly"));
        assert!(said.starts_with(&format!("create: 0\ninit: {IW_OTHER_VERSION}\n")), "{said}");
        assert!(!said.contains("body of"), "{said}");
    }
}

#[test]
fn r8_b_objects_of_a_linked_program_have_the_tables_that_their_archives_name() {
    let said = trial("provenance");
    for (line, unit) in said.lines().skip_while(|line| !line.starts_with("unit ")).skip(1).zip(["first", "second"]) {
        let archive = archive(&here().join("tests/linked"), unit, &scratch("linked-provenance"));
        let uuid = archive.archive().manifest().units[0].uuid;
        assert_eq!(line, hex(&uuid.0), "{unit}");
    }
    assert_eq!(said.lines().filter(|line| line.len() == 32).count(), 2, "{said}");
}

#[test]
fn r7_1_b_r8_b_objects_of_a_linked_program_are_of_the_units_of_its_archives() {
    let example = here().join("../../examples/ironwall/linked");
    let program = program(&example, &["words", "index", "report"], "main.c", &scratch("linked-example"));
    let expected = std::fs::read_to_string(example.join("expected")).expect("what is expected");
    assert_eq!(run(&mut Command::new(program)), expected);
}
