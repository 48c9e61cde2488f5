//! What happens to a program whose heap is damaged: the callback hears of it, and the program aborts.

use crate::examples::{compile, describe, library};
use crate::tools::{here, run, scratch};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

/// `tests/c/fault.c`, compiled once.
fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let (sources, dir) = (here().join("tests/c"), scratch("fault"));
        describe(&sources.join("fault.json"), &dir);
        let objects = [compile(&sources.join("fault.c"), &sources, &dir)];
        // The generated source has the same name, so it has an object of its own elsewhere.
        let generated = scratch("fault/generated");
        std::fs::copy(dir.join("fault.c"), generated.join("unit.c")).expect("a copy");
        let unit = compile(&generated.join("unit.c"), &sources, &dir);
        let program = dir.join("fault");
        let system = ["-lpthread", "-ldl", "-lm"];
        run(Command::new("gcc").args(objects).args([&unit, &library()]).args(system).arg("-o").arg(&program));
        program
    })
}

fn start(args: &[&str]) -> Output {
    let output = Command::new(program()).args(args).output();
    output.expect("the program starts")
}

/// Runs the program, which must abort, and returns what its callback printed.
fn aborted(args: &[&str]) -> (String, String) {
    let output = start(args);
    assert_eq!(output.status.signal(), Some(6), "{args:?}: {output:?}");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn r6_e_the_callback_hears_of_each_fault_and_the_program_aborts() {
    for (what, head, rest) in [
        ("outside", "code 1, phase 4", "address another, referrer holder, offset 0, root 0, structure Pair"),
        ("misaligned", "code 2, phase 4", "address another, referrer holder, offset 0, root 0, structure Pair"),
        ("stale", "code 3, phase 4", "address victim, referrer holder, offset 8, root 0, structure Pair"),
        ("tag", "code 4, phase 4", "address victim, referrer holder, offset 8, root 0, structure Pair"),
        ("kind", "code 8, phase 4", "address victim, referrer holder, offset 8, root 0, structure Pair"),
        ("extent", "code 9, phase 4", "address victim, referrer holder, offset 8, root 0, structure Pair"),
        ("root", "code 1, phase 1", "address another, referrer none, offset 8, root 0, structure locals"),
        ("frame-tag", "code 7, phase 1", "address frame, referrer none, offset 0, root 0, structure none"),
        ("frame-bounds", "code 10, phase 1", "address another, referrer none, offset 0, root 1, structure locals"),
        ("frame-order", "code 11, phase 1", "address frame, referrer none, offset 0, root 1, structure locals"),
    ] {
        let (printed, errors) = aborted(&[what]);
        assert_eq!(printed, format!("{what}: size right, {head}, reserved 0\n{rest}\n"));
        assert!(errors.starts_with("ironwall: fault "), "{errors}");
    }
}

#[test]
fn r6_e_without_a_callback_the_program_says_why_and_aborts() {
    let (printed, errors) = aborted(&["tag", "alone"]);
    assert_eq!(printed, "");
    assert!(errors.starts_with("ironwall: fault Tag1Confirm while walking Mark: word 0x"), "{errors}");
    assert!(errors.trim_end().ends_with("offset 8, root 0"), "{errors}");
}

#[test]
fn a_frame_that_is_popped_out_of_order_aborts_the_program() {
    let (printed, errors) = aborted(&["pop"]);
    assert_eq!((&*printed, &*errors), ("", "ironwall: a frame is popped that is not the newest\n"));
}

#[test]
fn a_heap_that_is_whole_is_no_fault() {
    let output = start(&["nothing"]);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(output.stdout, b"the heap is whole\n");
}
