//! Archives on the command line: read once, compared with a lock file before anything in them is looked at, examined.

use std::path::{Path, PathBuf};

use ironwall_archive::link::{Input, check_name};
use ironwall_archive::{Limits, Lock, examine, sha256};

use super::exit::{Failure, Status};
use super::files;
use super::text::escaped;

/// The archives in these files, each called as its file is without directories.
///
/// With a lock file, they have to be the ones that are locked, and signed by the keys that are.
pub(crate) fn load(paths: &[PathBuf], lock: Option<(&Path, &Lock)>) -> Result<Vec<Input>, Failure> {
    let names = each(paths, |path| name(path))?;
    let files = each(paths, |path| files::read(path))?;
    if let Some((path, lock)) = lock {
        let digests: Vec<_> = names.iter().zip(&files).map(|(name, bytes)| (*name, sha256(bytes))).collect();
        refuse(path, &lock.check_digests(&digests))?;
    }
    let archives: Vec<(&PathBuf, &[u8])> = paths.iter().zip(files.iter().map(Vec::as_slice)).collect();
    let archives = each(&archives, |(path, bytes)| {
        let examined = examine(bytes, Limits::default());
        examined.archive.ok_or_else(|| Failure::problems(path, &examined.problems))
    })?;
    let named: Vec<_> = names.into_iter().zip(archives).collect();
    let input = |(name, archive)| Input::new(name, archive).map_err(|what| Failure::new(Status::Usage, what));
    let inputs: Vec<Input> = named.into_iter().map(input).collect::<Result<_, _>>()?;
    if let Some((path, lock)) = lock {
        refuse(path, &lock.check_keys(&inputs))?;
    }
    Ok(inputs)
}

/// Reads a lock file.
pub(crate) fn lock(path: &Path) -> Result<Lock, Failure> {
    Lock::parse(&files::read(path)?).map_err(|problems| Failure::problems(path, &problems))
}

/// Fails if there are problems with a file.
pub(crate) fn refuse(path: &Path, problems: &[ironwall_archive::Problem]) -> Result<(), Failure> {
    if problems.is_empty() { Ok(()) } else { Err(Failure::problems(path, problems)) }
}

/// The name of a file without directories.
fn name(path: &Path) -> Result<&str, Failure> {
    let name = path.file_name().and_then(|name| name.to_str()).filter(|name| check_name(name).is_ok());
    name.ok_or_else(|| {
        let path = escaped(path.as_os_str().as_encoded_bytes());
        Failure::new(Status::Usage, format!("{path}: an archive's name has 1 to 100 letters, digits and . _ + -"))
    })
}

/// All results, or all failures as one.
fn each<'a, T, R>(list: &'a [T], run: impl Fn(&'a T) -> Result<R, Failure>) -> Result<Vec<R>, Failure> {
    let (mut done, mut failures) = (Vec::with_capacity(list.len()), Vec::new());
    for one in list {
        match run(one) {
            Ok(result) => done.push(result),
            Err(failure) => failures.push(failure),
        }
    }
    Failure::all(failures).map_or(Ok(done), Err)
}
