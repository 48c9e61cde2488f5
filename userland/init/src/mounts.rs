//! The file systems that a machine has before any program looks at them.

use crate::say;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount, mount_remount};
use std::ffi::{CStr, CString};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What is mounted: type, place, flags, options. In this order, since some lie in others.
const FILE_SYSTEMS: &[(&str, &str, MountFlags, &CStr)] = &[
    ("proc", "/proc", QUIET, c""),
    ("sysfs", "/sys", QUIET, c""),
    ("devtmpfs", "/dev", MountFlags::NOSUID, c"mode=0755"),
    ("devpts", "/dev/pts", SILENT, c"gid=5,mode=620,ptmxmode=666"),
    ("tmpfs", "/dev/shm", NO_DEVICES, c"mode=1777"),
    ("tmpfs", "/run", NO_DEVICES, c"mode=0755"),
    ("tmpfs", "/tmp", NO_DEVICES, c"mode=1777"),
];
const NO_DEVICES: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV);
const SILENT: MountFlags = MountFlags::NOSUID.union(MountFlags::NOEXEC);
const QUIET: MountFlags = NO_DEVICES.union(MountFlags::NOEXEC);

/// Whether something is mounted at `path`.
fn is_mount_point(path: &str) -> bool {
    let device = |path: &Path| fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
    let parent = Path::new(path).parent().unwrap_or(Path::new("/"));
    match (device(Path::new(path)), device(parent)) {
        (Some((own, _)), Some((of_parent, _))) => own != of_parent,
        _ => false,
    }
}

/// Mounts what is not mounted yet and makes the root writable.
pub(crate) fn mount_all() {
    for (kind, path, flags, options) in FILE_SYSTEMS {
        if is_mount_point(path) {
            continue;
        }
        // A new /dev has no places for those inside it; on a root that cannot be written they exist.
        let _ = fs::create_dir(path);
        match mount(*kind, *path, *kind, *flags, *options) {
            // A kernel without one of them is one to live with.
            Ok(()) | Err(Errno::NODEV | Errno::BUSY) => {}
            Err(error) => say(&format!("cannot mount {kind} on {path}: {error}")),
        }
    }
    if let Err(error) = mount_remount("/", MountFlags::empty(), c"") {
        say(&format!("/ stays as it is: {error}"));
    }
}

/// Makes the console the standard streams, unless they are a terminal already.
pub(crate) fn open_console() {
    if rustix::termios::isatty(rustix::stdio::stdin()) {
        return;
    }
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    // Without a console the machine runs all the same, unseen.
    if let Ok(console) = rustix::fs::openat(CWD, c"/dev/console", flags, Mode::empty()) {
        let _ = rustix::stdio::dup2_stdin(&console);
        let _ = rustix::stdio::dup2_stdout(&console);
        let _ = rustix::stdio::dup2_stderr(&console);
    }
}

/// Unmounts everything but what the kernel keeps, latest first, and makes the
/// root read-only, so that every file system is whole on its disk.
pub(crate) fn unmount_all() {
    use rustix::mount::{UnmountFlags, unmount};
    let table = fs::read_to_string("/proc/mounts").unwrap_or_default();
    for place in places(&table).iter().rev() {
        let busy_matters = !place.as_bytes().starts_with(b"/dev") && place.as_bytes() != b"/proc";
        if place.as_bytes() == b"/" {
            continue;
        }
        match unmount(place.as_c_str(), UnmountFlags::empty()) {
            Err(Errno::BUSY) if busy_matters => {
                // What has to be written is written even so.
                let _ = mount_remount(place.as_c_str(), MountFlags::RDONLY, c"");
            }
            _ => {}
        }
    }
    let _ = mount_remount("/", MountFlags::RDONLY, c"");
}

/// Where file systems are mounted, by the text of `/proc/mounts`.
fn places(table: &str) -> Vec<CString> {
    let place = |line: &str| CString::new(unescape(line.split(' ').nth(1)?)).ok();
    table.lines().filter_map(place).collect()
}

/// Octal escapes, which stand for blanks and backslashes.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, others)) = rest.split_first() {
        rest = others;
        let digits = others
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) if byte == b'\\' => {
                bytes.push(code);
                rest = others.get(3..).unwrap_or_default();
            }
            _ => bytes.push(byte),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_told_by_their_device() {
        assert!(is_mount_point("/proc"));
        assert!(!is_mount_point("/etc/passwd") && !is_mount_point("/no/such/place"));
    }

    #[test]
    fn places_with_blanks_are_escaped() {
        let table = "a / ext2 rw 0 0\nb /mnt/a\\040b\\134c tmpfs rw 0 0\nbroken\n";
        let want = [c"/".to_owned(), c"/mnt/a b\\c".to_owned()];
        assert_eq!(places(table), want);
        assert_eq!(unescape("\\04"), b"\\04");
    }
}
