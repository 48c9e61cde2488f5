//! The walk through of `docs/ironwall/archives.md`, step by step as it is written there.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What a step is: a file to write, commands to run, lines that the commands before it printed.
enum Step<'a> {
    File(&'a str, &'a str),
    Commands(&'a str),
    Printed(&'a str),
}

/// The steps of the section. A file is the first that the paragraph before it names.
fn steps(page: &str) -> Vec<Step<'_>> {
    let section = page.split("\n## ").find(|section| section.starts_with("A walk through\n")).unwrap();
    let (mut steps, mut rest) = (Vec::new(), section);
    while let Some((before, after)) = rest.split_once("```") {
        let (kind, after) = after.split_once('\n').unwrap();
        let (block, after) = after.split_once("```\n").unwrap();
        steps.push(match kind {
            "sh" => Step::Commands(block),
            "text" => Step::Printed(block),
            _ => Step::File(before.trim_end().rsplit("\n\n").next().unwrap().split('`').nth(1).unwrap(), block),
        });
        rest = after;
    }
    steps
}

#[test]
fn the_walk_through_works_as_it_is_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let page = fs::read_to_string(root.join("docs/ironwall/archives.md")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let command = Path::new(env!("CARGO_BIN_EXE_vambrace")).parent().unwrap();
    let (mut printed, mut counts) = (String::new(), [0; 3]);
    for step in steps(&page) {
        match step {
            Step::File(name, content) => {
                counts[0] += 1;
                fs::write(dir.path().join(name), content).unwrap();
            }
            Step::Commands(commands) => {
                counts[1] += 1;
                let script = format!("set -eu\nPATH=$1:$PATH\n{commands}");
                let mut shell = Command::new("sh");
                shell.args(["-c", &script, "sh"]).arg(command).env("IRONWALL", &root).current_dir(dir.path());
                let output = shell.output().unwrap();
                printed = String::from_utf8_lossy(&output.stdout).into_owned();
                assert!(output.status.success(), "{commands}{printed}{}", String::from_utf8_lossy(&output.stderr));
            }
            Step::Printed(lines) => {
                counts[2] += 1;
                for line in lines.lines() {
                    assert!(printed.lines().any(|one| one.starts_with(line)), "{line} is missing in\n{printed}");
                }
            }
        }
    }
    assert_eq!(counts, [3, 3, 2], "files, commands and outputs");
}
