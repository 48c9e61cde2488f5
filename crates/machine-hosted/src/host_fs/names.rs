//! One name at a time: the only place that opens by name.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use linux_abi::Errno;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io;

/// Set once the host turns out to have no `openat2` (before Linux 5.6, or
/// forbidden to this process).
static NO_OPENAT2: AtomicBool = AtomicBool::new(false);

/// Refuses what is not a single name of a directory entry.
///
/// # Errors
/// `EINVAL` for `.`, `..`, the empty name and names with `/` or NUL;
/// `ENAMETOOLONG` above 255 bytes.
pub(super) fn check(name: &[u8]) -> Result<(), Errno> {
    if name.is_empty() || name == b"." || name == b".." || name.iter().any(|&byte| byte == b'/' || byte == 0) {
        return Err(Errno::EINVAL);
    }
    if name.len() > linux_abi::fcntl::NAME_MAX { Err(Errno::ENAMETOOLONG) } else { Ok(()) }
}

/// Opens the directory or file that the user named.
pub(super) fn open_root(path: &Path) -> io::Result<OwnedFd> {
    openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
}

/// Opens `name` in `dir` without following a link. The caller has checked the
/// name; `openat2` has the host check once more that the walk stays beneath.
pub(super) fn open(dir: BorrowedFd<'_>, name: &[u8], flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if !NO_OPENAT2.load(Ordering::Relaxed) {
        // A final link is opened itself, because of `O_PATH` with `O_NOFOLLOW`,
        // and `NO_SYMLINKS` does not mind.
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match openat2(dir, name, flags, mode, resolve) {
            Err(io::Errno::NOSYS | io::Errno::PERM) => {}
            // A rename elsewhere made the host unsure whether the walk stayed
            // beneath; one name cannot leave, so the plain call is as safe.
            Err(io::Errno::AGAIN) => return openat(dir, name, flags, mode),
            result => return result,
        }
        let result = openat(dir, name, flags, mode);
        if result.is_ok() {
            NO_OPENAT2.store(true, Ordering::Relaxed);
        }
        return result;
    }
    openat(dir, name, flags, mode)
}

/// Opens `name` in `dir` as a mere place: nothing happens to what it names.
pub(super) fn open_place(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<OwnedFd> {
    open(dir, name, OFlags::PATH, Mode::empty())
}

/// Opens for I/O what `place` stands for, through the process's own descriptor
/// table. Works whatever its name is by now.
pub(super) fn reopen(place: BorrowedFd<'_>, flags: OFlags) -> io::Result<OwnedFd> {
    openat(CWD, proc_path(place), flags | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK, Mode::empty())
}

/// The path under which the host knows an open descriptor.
pub(super) fn proc_path(fd: impl AsFd) -> String {
    format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_single_names_pass() {
        for name in [&b"."[..], b"..", b"", b"/", b"a/b", b"../x", b"/etc", b"a\0b", b"a/"] {
            assert_eq!(check(name), Err(Errno::EINVAL), "{name:?}");
        }
        assert_eq!(check(&[b'x'; 256]), Err(Errno::ENAMETOOLONG));
        for name in [&b"..."[..], b".hidden", b" ", b"\xff\xfe", b"-rf", b"a\nb", &[b'x'; 255]] {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
    }
}
