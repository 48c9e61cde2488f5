//! Why a guest could not be set up or its program not be started.

use std::path::{Path, PathBuf};

use linux_abi::Errno;

/// Why a guest could not be set up or its program not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program is not there, or cannot be run.
    #[error("cannot run {program}: {}", describe(*.errno, why))]
    Program {
        /// Its name, as it was given.
        program: String,
        /// The errno of `execve`.
        errno: Errno,
        /// The reason, or nothing.
        why: &'static str,
    },
    /// No program was named.
    #[error("no program was named")]
    NoProgram,
    /// A directory of the host cannot be used.
    #[error("cannot use {}: {errno}", path.display())]
    HostPath {
        /// Which.
        path: PathBuf,
        /// What the host said.
        errno: Errno,
    },
    /// A file cannot be opened as a disk.
    #[error("cannot use {} as a disk: {source}", path.display())]
    Image {
        /// Which.
        path: PathBuf,
        /// What the host said.
        source: std::io::Error,
    },
    /// Another guest has the disk.
    #[error("cannot use {} as a disk: another guest uses it", path.display())]
    ImageInUse {
        /// Which.
        path: PathBuf,
    },
    /// A disk cannot be mounted as the root.
    #[error("cannot mount {} as the root: {}", path.display(), describe(*.errno, why))]
    Root {
        /// Which.
        path: PathBuf,
        /// The errno.
        errno: Errno,
        /// The reason, or nothing.
        why: &'static str,
    },
    /// A place in the guest cannot be mounted on, or entered.
    #[error("cannot use {path} in the guest: {}", describe(*.errno, why))]
    GuestPath {
        /// Which.
        path: String,
        /// The errno.
        errno: Errno,
        /// The reason, or nothing.
        why: &'static str,
    },
    /// The built-in userland is damaged: the build is broken.
    #[error("the built-in userland is damaged: {0}")]
    Userland(String),
    /// A disk image cannot be made, or is none.
    #[error("cannot use the image {}: {error}", path.display())]
    FileSystem {
        /// Which.
        path: PathBuf,
        /// Why.
        error: ext2::Error,
    },
    /// The socket that leads to the guest's sockets cannot be opened.
    #[error(transparent)]
    GcSocket(#[from] ironwall_host::ListenError),
    /// There is no machine to run on.
    #[error(transparent)]
    Machine(#[from] machine_hosted::Error),
    /// The kernel has no memory to start.
    #[error("the guest's memory is too small for its kernel")]
    Memory,
    /// The process's standard streams or its terminal cannot be used.
    #[error("cannot use the standard streams: {0}")]
    Streams(std::io::Error),
    /// A defect of Vambrace: one of its threads panicked.
    #[error("internal error: {0}")]
    Internal(String),
}

fn describe(errno: Errno, why: &str) -> String {
    if why.is_empty() { errno.to_string() } else { format!("{why} ({})", errno.name()) }
}

impl Error {
    /// The host refused something about `path`.
    pub(crate) fn host(path: &Path, error: &std::io::Error) -> Self {
        let errno = error.raw_os_error().and_then(Errno::from_number).unwrap_or(Errno::EIO);
        Self::HostPath { path: path.to_path_buf(), errno }
    }

    /// The status that a shell would give: 127 if the program is not there, 126
    /// if it cannot be run, 125 for everything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Program { errno: Errno::ENOENT | Errno::ENOTDIR, .. } => 127,
            Self::Program { .. } => 126,
            _ => 125,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_a_shell() {
        let program = |errno| Error::Program { program: "x".into(), errno, why: "" }.exit_code();
        assert_eq!((program(Errno::ENOENT), program(Errno::EACCES), Error::Memory.exit_code()), (127, 126, 125));
    }

    #[test]
    fn messages_name_the_file_and_the_reason() {
        let error = Error::Program { program: "/bin/x".into(), errno: Errno::ENOEXEC, why: "not an ARM64 program" };
        assert_eq!(error.to_string(), "cannot run /bin/x: not an ARM64 program (ENOEXEC)");
    }
}
