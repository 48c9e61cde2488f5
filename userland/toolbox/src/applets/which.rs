//! `which`: where in `PATH` a command is.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn locate(name: &OsString, path: &OsString) -> Option<PathBuf> {
    if Path::new(name).components().count() > 1 {
        return Some(PathBuf::from(name)).filter(|path| is_executable(path));
    }
    std::env::split_paths(path)
        .map(|dir| dir.join(name))
        .find(|path| is_executable(path))
}

/// Succeeds if every name was found.
pub(crate) fn main(args: Vec<OsString>) -> i32 {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut out = io::stdout().lock();
    let mut status = 0;
    for name in args.iter().skip(1) {
        match locate(name, &path) {
            Some(found) => status |= i32::from(writeln!(out, "{}", found.display()).is_err()),
            None => status = 1,
        }
    }
    status
}
