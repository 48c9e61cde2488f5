//! A listening UNIX socket in the file system that is never open to others than its owner.
//!
//! The socket is bound in a new directory that only its owner may search, gets mode 0600 there, and is then renamed to
//! its place, which does not replace anything. A socket that is there already is taken away first if it is the same
//! user's and nobody listens on it any more; everything else that is there is left alone.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Where programs open their sockets, each as `PID.sock`, if nobody says otherwise.
pub const CONVENTIONAL_DIR: &str = "/run/ironwall";
/// The variable of the environment that says otherwise.
pub const VARIABLE: &str = "IRONWALL_SOCKET";

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The path has no file name.
    #[error("{} names no file", .0.display())]
    NoName(PathBuf),
    /// Something else is there.
    #[error("{} exists and is no socket", .0.display())]
    NoSocket(PathBuf),
    /// A socket of another user is there.
    #[error("{} is another user's socket", .0.display())]
    NotOurs(PathBuf),
    /// Somebody listens there.
    #[error("another program listens on {}", .0.display())]
    InUse(PathBuf),
    /// The system refused something.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// The file of a listening socket; removed when this is dropped, if it is still the same file.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    id: (u64, u64),
}

/// A directory that is removed when this is dropped, with the two names that may be in it.
struct Private(PathBuf);

impl Drop for Private {
    fn drop(&mut self) {
        // What is not there need not be removed, and for what cannot be there is no better place to tell.
        let _ = fs::remove_file(self.0.join(NEW));
        let _ = fs::remove_file(self.0.join(OLD));
        let _ = fs::remove_dir(&self.0);
    }
}

const NEW: &str = "s";
const OLD: &str = "o";

fn failed<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> ListenError + 'a {
    move |source| ListenError::Io { what, path: path.to_owned(), source }
}

impl SocketFile {
    /// Listens on a new socket at `path`, with mode 0600.
    ///
    /// # Errors
    /// Says what is there, or what the system refused; then nothing has changed.
    pub fn listen(path: &Path) -> Result<(UnixListener, Self), ListenError> {
        if path.file_name().is_none() {
            return Err(ListenError::NoName(path.to_owned()));
        }
        let stale = check_place(path)?;
        let private = private_dir(path)?;
        let new = private.0.join(NEW);
        let listener = UnixListener::bind(&new).map_err(failed("make a socket in the directory of", path))?;
        fs::set_permissions(&new, Permissions::from_mode(0o600)).map_err(failed("protect", path))?;
        let id = id_of(&fs::symlink_metadata(&new).map_err(failed("look at", path))?);
        if let Some(stale) = stale {
            take_away(path, &private.0.join(OLD), stale)?;
        }
        match move_to(&new, path) {
            Ok(()) => Ok((listener, Self { path: path.to_owned(), id })),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(ListenError::InUse(path.to_owned())),
            Err(error) => Err(failed("put a socket at", path)(error)),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| id_of(&found) == self.id) {
            // Whoever removed it meanwhile did what was to be done.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The path that `variable` gives, or the conventional one for this process, whose directory is made if it is not
/// there.
///
/// # Errors
/// If the directory cannot be made.
pub fn conventional_path(variable: Option<&OsStr>) -> Result<PathBuf, ListenError> {
    if let Some(path) = variable.filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let dir = Path::new(CONVENTIONAL_DIR);
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed("make the directory", dir)(error)),
        _ => Ok(dir.join(format!("{}.sock", std::process::id()))),
    }
}

fn id_of(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

/// What is at `path`: nothing, or a stale socket of our own.
fn check_place(path: &Path) -> Result<Option<(u64, u64)>, ListenError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("look at", path)(error)),
    };
    if !found.file_type().is_socket() {
        return Err(ListenError::NoSocket(path.to_owned()));
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(ListenError::NotOurs(path.to_owned()));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(Some(id_of(&found))),
        // Whatever else the system says, nobody can tell that nobody listens.
        _ => Err(ListenError::InUse(path.to_owned())),
    }
}

/// Makes a directory beside `path` that only we may search. Its name is short, as names of sockets have to be.
fn private_dir(path: &Path) -> Result<Private, ListenError> {
    let mut number = std::process::id();
    for _ in 0..1000 {
        let dir = path.with_file_name(format!(".iw{number:x}"));
        match DirBuilder::new().mode(0o700).create(&dir) {
            Ok(()) => {
                let private = Private(dir);
                // A umask may have taken rights from us too.
                let mode = fs::symlink_metadata(&private.0).map(|found| found.mode() & 0o777);
                if mode.is_ok_and(|mode| mode != 0o700) {
                    let made = fs::set_permissions(&private.0, Permissions::from_mode(0o700));
                    made.map_err(failed("make a directory beside", path))?;
                }
                return Ok(private);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number = number.wrapping_add(0x1_0001),
            Err(error) => return Err(failed("make a directory beside", path)(error)),
        }
    }
    Err(failed("make a directory beside", path)(io::ErrorKind::AlreadyExists.into()))
}

/// Takes a stale socket away. Between the look and this another program may have put its own there, which is put back.
fn take_away(path: &Path, aside: &Path, stale: (u64, u64)) -> Result<(), ListenError> {
    match fs::rename(path, aside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        moved => moved.map_err(failed("replace", path))?,
    }
    let found = fs::symlink_metadata(aside).map_err(failed("look at", path))?;
    if id_of(&found) == stale {
        return Ok(());
    }
    move_to(aside, path).map_err(failed("put back", path))?;
    Err(ListenError::InUse(path.to_owned()))
}

/// Renames without replacing anything.
fn move_to(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            moved => return moved.map_err(io::Error::from),
        }
    }
    // A second name for the same socket; making it fails if the name is taken.
    fs::hard_link(from, to)?;
    fs::remove_file(from)
}
