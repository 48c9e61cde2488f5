//! Writing directories whole or not at all.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ironwall_archive::link::plan::{HEADER, PLAN, SOURCE};

use super::exit::{Failure, Status};
use super::text::escaped;

/// Writes a directory of these files, in place of one that was written so before.
///
/// All files are there in full before the directory gets its name. Anything else that has the name stays.
pub(crate) fn write(path: &Path, files: &BTreeMap<String, Cow<'_, [u8]>>) -> Result<(), Failure> {
    let name = |ending: &str| {
        let name = path.file_name().ok_or_else(|| refusal(path, "a directory to write has a name"))?;
        let mut new = name.to_owned();
        new.push(format!(".{}.{ending}", std::process::id()));
        Ok::<PathBuf, Failure>(path.with_file_name(new))
    };
    let (new, old) = (name("new")?, name("old")?);
    let is_there = check_replaceable(path)?;
    fs::create_dir(&new).map_err(|error| Failure::io(&new, &error))?;
    fill(&new, files).and_then(|()| replace(path, &new, is_there.then_some(&old))).inspect_err(|_| {
        // What is told is the first error.
        let _ = fs::remove_dir_all(&new);
    })
}

/// Whether there is a directory, which then holds nothing but what [`write`] puts into one.
fn check_replaceable(path: &Path) -> Result<bool, Failure> {
    let io = |error: io::Error| Failure::io(path, &error);
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(io(error)),
        Ok(found) if !found.is_dir() => return Err(refusal(path, "this is there, and no directory")),
        Ok(_) => {}
    }
    for entry in fs::read_dir(path).map_err(io)? {
        let name = entry.map_err(io)?.file_name();
        if !name.to_str().is_some_and(is_ours) {
            let name = escaped(name.as_encoded_bytes());
            return Err(refusal(path, &format!("{name} is in it, which vambrace unit link does not write")));
        }
    }
    Ok(true)
}

/// Whether a file can be one of a linked program's.
fn is_ours(name: &str) -> bool {
    let is_object = || {
        let number = name.split('-').next().unwrap_or_default();
        number.len() >= 3 && number.bytes().all(|byte| byte.is_ascii_digit()) && name.ends_with(".o")
    };
    [PLAN, SOURCE, HEADER].contains(&name) || is_object()
}

fn fill(directory: &Path, files: &BTreeMap<String, Cow<'_, [u8]>>) -> Result<(), Failure> {
    for (name, bytes) in files {
        let path = directory.join(name);
        let written = File::create_new(&path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
        written.map_err(|error| Failure::io(&path, &error))?;
    }
    Ok(())
}

/// Gives the new directory its name; `old` is a name for the one that has it.
fn replace(path: &Path, new: &Path, old: Option<&PathBuf>) -> Result<(), Failure> {
    let io = |error: io::Error| Failure::io(path, &error);
    let Some(old) = old else { return fs::rename(new, path).map_err(io) };
    fs::rename(path, old).map_err(io)?;
    if let Err(error) = fs::rename(new, path) {
        // The one that was there is better than none.
        let _ = fs::rename(old, path);
        return Err(io(error));
    }
    fs::remove_dir_all(old).map_err(|error| Failure::io(old, &error))
}

fn refusal(path: &Path, what: &str) -> Failure {
    Failure::new(Status::Io, format!("{}: {what}", escaped(path.as_os_str().as_encoded_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> BTreeMap<String, Cow<'_, [u8]>> {
        [(PLAN.to_owned(), text.as_bytes().into()), ("000-a-0.o".to_owned(), b"o"[..].into())].into()
    }

    #[test]
    fn a_directory_is_replaced_whole_and_no_other() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("linked");
        write(&path, &files("one")).expect("written");
        let mut two = files("two");
        two.remove("000-a-0.o");
        write(&path, &two).expect("replaced");
        let names = |path: &Path| fs::read_dir(path).expect("a directory").count();
        assert_eq!((fs::read(path.join(PLAN)).expect("a plan"), names(&path)), (b"two".to_vec(), 1));
        fs::write(path.join("main.c"), "mine").expect("a file");
        let refused = write(&path, &files("three")).expect_err("it holds something else");
        assert!(refused.to_string().contains("main.c"), "{refused}");
        assert_eq!(
            (fs::read(path.join(PLAN)).expect("a plan"), names(&path), names(dir.path())),
            (b"two".to_vec(), 2, 1)
        );
        assert!(write(&path.join("main.c"), &files("four")).is_err());
        assert!(write(Path::new(".."), &files("five")).is_err());
        assert!(write(&dir.path().join("missing/linked"), &files("six")).is_err());
    }
}
