//! `diff -r`: directories, file by file.

use crate::adapters::{complain, diff_files};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What the flags say about trees.
pub(crate) struct Trees {
    /// The flags for single files.
    flags: Vec<OsString>,
    /// As they are shown before each pair of files.
    shown: String,
    brief: bool,
    new_files: bool,
}

/// Takes `-r` and `-N` out of groups of letters; `None` without `-r`.
pub(crate) fn take_flag(args: &mut Vec<OsString>) -> Option<Trees> {
    let is_group = |arg: &OsString| {
        let text = arg.to_str().unwrap_or_default();
        text.len() > 1 && text.starts_with('-') && !text.starts_with("--") && arg != "-U"
    };
    let has = |arg: &OsString, letter: char| {
        is_group(arg) && arg.to_str().is_some_and(|text| text.contains(letter))
    };
    let recursive = |arg: &OsString| has(arg, 'r') || arg == "--recursive";
    if !args.iter().skip(1).any(recursive) {
        return None;
    }
    let new_files = args
        .iter()
        .skip(1)
        .any(|arg| has(arg, 'N') || arg == "--new-file");
    let brief = args
        .iter()
        .skip(1)
        .any(|arg| has(arg, 'q') || arg == "--brief");
    let (mut flags, mut operands, mut shown) = (Vec::new(), Vec::new(), String::from("diff"));
    for arg in args.drain(1..) {
        if !arg.as_encoded_bytes().starts_with(b"-") || arg == "-" {
            operands.push(arg);
            continue;
        }
        shown.push(' ');
        shown.push_str(&arg.to_string_lossy());
        if arg == "--recursive" || arg == "--new-file" {
            continue;
        }
        let text = arg.to_string_lossy().into_owned();
        let rest = match is_group(&arg) {
            true => text.replace(['r', 'N'], ""),
            false => text,
        };
        if rest != "-" {
            flags.push(rest.into());
        }
    }
    args.extend(operands);
    Some(Trees {
        flags,
        shown,
        brief,
        new_files,
    })
}

/// Compares the last two of `args`; 1 if they differ, 2 after an error.
pub(crate) fn diff_trees(trees: &Trees, args: &[OsString]) -> i32 {
    let [_, from, to] = args else {
        complain("diff", "usage: diff -r [-q] [-u] [-N] DIRECTORY DIRECTORY");
        return 2;
    };
    compare(trees, Path::new(from), Path::new(to), true)
}

fn names(dir: &Path) -> io::Result<BTreeSet<OsString>> {
    fs::read_dir(dir)?
        .map(|entry| Ok(entry?.file_name()))
        .collect()
}

fn compare(trees: &Trees, from: &Path, to: &Path, is_top: bool) -> i32 {
    match (from.is_dir(), to.is_dir()) {
        (true, true) => directories(trees, from, to),
        (false, false) => files(trees, from, to, is_top),
        (is_dir, _) => {
            let kind = |is_dir| if is_dir { "directory" } else { "regular file" };
            let (one, two) = (kind(is_dir), kind(!is_dir));
            print(&format!(
                "File {} is a {one} while file {} is a {two}",
                from.display(),
                to.display()
            ))
        }
    }
}

/// Prints that something differs.
fn print(line: &str) -> i32 {
    if writeln!(io::stdout(), "{line}").is_ok() {
        1
    } else {
        2
    }
}

fn directories(trees: &Trees, from: &Path, to: &Path) -> i32 {
    let (ours, theirs) = match (names(from), names(to)) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        (Err(error), _) | (_, Err(error)) => {
            complain("diff", &format!("{}: {error}", from.display()));
            return 2;
        }
    };
    let mut status = 0;
    for name in ours.union(&theirs) {
        let missing = match (ours.contains(name), theirs.contains(name)) {
            (true, true) => None,
            (true, false) => Some(from),
            _ => Some(to),
        };
        let found = match missing {
            Some(dir) if !trees.new_files => {
                let name = Path::new(name).display();
                print(&format!("Only in {}: {name}", dir.display()))
            }
            _ => compare(trees, &from.join(name), &to.join(name), false),
        };
        status = status.max(found);
    }
    status
}

fn files(trees: &Trees, from: &Path, to: &Path, is_top: bool) -> i32 {
    // With -N a missing one counts as empty.
    let there = |path: &Path| match fs::symlink_metadata(path) {
        Err(_) if trees.new_files => PathBuf::from("/dev/null"),
        _ => path.to_owned(),
    };
    let (one, two) = (there(from), there(to));
    match (fs::read(&one), fs::read(&two)) {
        (Ok(one), Ok(two)) if one == two => return 0,
        (Err(error), _) => return failed(&one, &error),
        (_, Err(error)) => return failed(&two, &error),
        _ => {}
    }
    if !is_top && !trees.brief {
        let line = format!("{} {} {}", trees.shown, from.display(), to.display());
        print(&line);
    }
    let mut args = vec![OsString::from("diff")];
    args.extend(trees.flags.iter().cloned());
    args.extend([one.into(), two.into()]);
    diff_files(args)
}

fn failed(path: &Path, error: &io::Error) -> i32 {
    complain("diff", &format!("{}: {error}", path.display()));
    2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(args: &[&str]) -> (Option<Trees>, Vec<OsString>) {
        let mut args: Vec<OsString> = args.iter().map(OsString::from).collect();
        let trees = take_flag(&mut args);
        (trees, args)
    }

    #[test]
    fn the_flag_may_be_in_a_group() {
        let (trees, args) = taken(&["diff", "-rqN", "a", "b"]);
        let trees = trees.unwrap();
        assert!(trees.brief && trees.new_files);
        assert_eq!(trees.flags, ["-q"]);
        assert_eq!(trees.shown, "diff -rqN");
        assert_eq!(args, ["diff", "a", "b"]);
    }

    #[test]
    fn without_the_flag_nothing_changes() {
        let (trees, args) = taken(&["diff", "-u", "r", "b"]);
        assert!(trees.is_none());
        assert_eq!(args, ["diff", "-u", "r", "b"]);
    }
}
