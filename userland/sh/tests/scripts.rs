//! Runs the scripts beside this file; each has the output that POSIX asks for.

use std::path::Path;
use std::process::{Command, Stdio};

fn check(name: &str) {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let want = std::fs::read_to_string(scripts.join(format!("{name}.out"))).unwrap();
    let directory = std::env::temp_dir().join(format!("sh-test-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_sh"))
        .arg(scripts.join(format!("{name}.sh")))
        .current_dir(&directory)
        .env("HOME", "/root")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    pretty(&String::from_utf8_lossy(&output.stdout), &want, name);
}

fn pretty(got: &str, want: &str, name: &str) {
    for (number, (got, want)) in got.lines().zip(want.lines()).enumerate() {
        assert_eq!(got, want, "{name}.out line {}", number + 1);
    }
    assert_eq!(
        got.lines().count(),
        want.lines().count(),
        "{name}: number of lines"
    );
}

#[test]
fn words_expand_as_posix_says() {
    check("basics");
}

#[test]
fn control_flow_and_redirections_work() {
    check("control");
}

#[test]
fn patterns_match_file_names() {
    check("globs");
}

#[test]
fn many_processes_and_large_documents_work() {
    check("many");
}
