//! Reading files whole, with a limit, and writing them whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::exit::Failure;

/// The longest file that is read.
pub(crate) const MAX_FILE: u64 = 256 << 20;

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes));
    match read {
        Err(error) => Err(Failure::io(path, &error)),
        Ok(_) if bytes.len() as u64 > MAX_FILE => {
            Err(Failure::bad_data(path, format_args!("longer than {MAX_FILE} bytes")))
        }
        Ok(_) => Ok(bytes),
    }
}

/// The bytes of a file that another names: a regular file, or one that is linked to, as others could wait for ever.
pub(crate) fn read_regular(path: &Path) -> Result<Vec<u8>, Failure> {
    match fs::metadata(path) {
        Ok(about) if !about.is_file() && !about.is_dir() => {
            Err(Failure::io(path, &io::Error::other("not a regular file")))
        }
        // What is wrong with the rest is told by reading it.
        _ => read(path),
    }
}

/// Whether two names are of one file, which is there.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let about = |path| fs::metadata(path).map(|about| (about.dev(), about.ino()));
    matches!((about(one), about(other)), (Ok(one), Ok(other)) if one == other)
}

/// Writes a file that is there in full or not at all, in place of the regular file that had its name, or that a
/// symbolic link of its name leads to.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let path = target.as_path();
    if fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return Err(Failure::io(path, &io::Error::other("there is something else than a regular file")));
    }
    let (new, mut file) = create_beside(path).map_err(|error| Failure::io(path, &error))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    drop(file);
    written.and_then(|()| fs::rename(&new, path)).map_err(|error| {
        // What is told is the first error.
        let _ = fs::remove_file(&new);
        Failure::io(path, &error)
    })
}

/// A new file in the directory of another, with a name that nothing has.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    for i in 0..100 {
        let new = path.with_file_name(format!(".vambrace-{}-{i}.new", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&new) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => return Ok((new, file)),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "a hundred names for a new file are taken"))
}

/// Writes a file that nothing has the name of yet, readable by `mode` at most.
pub(crate) fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    let mut file =
        options.write(true).create_new(true).mode(mode).open(path).map_err(|error| Failure::io(path, &error))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| {
        // It is new, so it is ours to take away.
        let _ = fs::remove_file(path);
        Failure::io(path, &error)
    })
}
