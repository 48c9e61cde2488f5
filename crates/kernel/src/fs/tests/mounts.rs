//! Mounts, bind mounts and changed roots.

use linux_abi::Errno;
use linux_abi::nr;

use super::*;

const MS_RDONLY: u64 = 1;
const MS_REMOUNT: u64 = 32;
const MS_BIND: u64 = 4096;
const MS_REC: u64 = 16384;

pub(super) fn mount(files: &Files, source: &str, target: &str, kind: &str, flags: u64) -> Result<u64, Errno> {
    let source = files.text(FIRST_PATH, source);
    let target = files.text(SECOND_PATH, target);
    let kind = files.text(BUFFER, kind);
    files.call(nr::MOUNT, &[source, target, kind, flags, 0])
}

pub(super) fn umount(files: &Files, target: &str, flags: u64) -> Result<u64, Errno> {
    files.call(nr::UMOUNT2, &[files.path(target), flags])
}

#[test]
fn a_mount_hides_what_is_beneath_until_it_goes() {
    let files = Files::new();
    files.mkdir("/m").unwrap();
    files.make("/m/below", b"");
    assert_eq!(mount(&files, "none", "/m", "tmpfs", 0), Ok(0));
    assert_eq!(files.stat("/m/below").err(), Some(Errno::ENOENT));
    files.make("/m/above", b"");
    assert_eq!(files.rmdir("/m"), Err(Errno::EBUSY));
    assert_eq!(files.rename("/m/above", "/above", 0), Err(Errno::EXDEV));
    let fd = files.open("/m/above", O_RDONLY).unwrap();
    assert_eq!(umount(&files, "/m", 0), Err(Errno::EBUSY), "a file is open");
    files.close(fd);
    assert_eq!(umount(&files, "/m", 0), Ok(0));
    assert!(files.stat("/m/below").is_ok());
    assert_eq!(umount(&files, "/m", 0), Err(Errno::EINVAL));
    assert_eq!(mount(&files, "none", "/m", "nofs", 0), Err(Errno::ENODEV));
}

#[test]
fn dot_dot_leaves_a_mount() {
    let files = Files::new();
    files.mkdir("/m").unwrap();
    mount(&files, "none", "/m", "tmpfs", 0).unwrap();
    files.mkdir("/m/d").unwrap();
    files.call(nr::CHDIR, &[files.path("/m/d")]).unwrap();
    assert_eq!(files.cwd().as_deref(), Ok("/m/d"));
    let root = files.stat("/").unwrap();
    assert_eq!(files.stat("../..").map(|stat| (stat.st_dev, stat.st_ino)), Ok((root.st_dev, root.st_ino)));
    assert_ne!(files.stat("..").unwrap().st_dev, root.st_dev);
}

#[test]
fn a_bind_mount_shows_a_directory_twice_and_can_be_read_only() {
    let files = Files::new();
    for dir in ["/a", "/a/sub", "/b", "/c"] {
        files.mkdir(dir).unwrap();
    }
    mount(&files, "none", "/a/sub", "tmpfs", 0).unwrap();
    files.make("/a/sub/f", b"deep");
    assert_eq!(mount(&files, "/a", "/b", "", MS_BIND), Ok(0));
    assert_eq!(mount(&files, "/a", "/c", "", MS_BIND | MS_REC), Ok(0));
    assert_eq!(files.stat("/b/sub/f").err(), Some(Errno::ENOENT), "mounts below need MS_REC");
    assert_eq!(files.contents("/c/sub/f").as_deref(), Ok(&b"deep"[..]));
    assert_eq!(mount(&files, "", "/b", "", MS_BIND | MS_REMOUNT | MS_RDONLY), Ok(0));
    assert_eq!(files.open("/b/new", O_CREAT | O_RDWR), Err(Errno::EROFS));
    files.make("/a/new", b"x");
    assert_eq!(files.contents("/b/new").as_deref(), Ok(&b"x"[..]));
    assert_eq!(files.open("/b/new", O_WRONLY), Err(Errno::EROFS));
    assert_eq!(files.unlink("/b/new"), Err(Errno::EROFS));
    assert_eq!(files.chmod("/b/new", 0o600), Err(Errno::EROFS));
    assert_eq!(files.mkdir("/b/new"), Err(Errno::EEXIST));
}

#[test]
fn names_removed_through_one_mount_are_gone_in_the_other() {
    let files = Files::new();
    files.mkdir("/a").unwrap();
    files.mkdir("/b").unwrap();
    mount(&files, "/a", "/b", "", MS_BIND).unwrap();
    files.make("/a/f", b"");
    assert!(files.stat("/b/f").is_ok());
    files.unlink("/b/f").unwrap();
    assert_eq!(files.stat("/a/f").err(), Some(Errno::ENOENT));
}

#[test]
fn a_changed_root_cannot_be_left_by_dot_dot() {
    let files = Files::new();
    files.mkdir("/jail").unwrap();
    files.mkdir("/jail/in").unwrap();
    files.make("/secret", b"");
    files.symlink("/in", "/jail/abs").unwrap();
    assert_eq!(files.call(nr::CHROOT, &[files.path("/jail")]), Ok(0));
    assert_eq!(files.call(nr::CHDIR, &[files.path("/")]), Ok(0));
    assert_eq!(files.stat("/../secret").err(), Some(Errno::ENOENT));
    assert_eq!(files.stat("../../secret").err(), Some(Errno::ENOENT));
    assert!(files.stat("/abs").is_ok(), "a link starts at the new root");
    assert_eq!(files.cwd().as_deref(), Ok("/"));
}

#[test]
fn the_working_directory_outside_the_root_is_unreachable() {
    let files = Files::new();
    files.mkdir("/jail").unwrap();
    files.mkdir("/out").unwrap();
    files.call(nr::CHDIR, &[files.path("/out")]).unwrap();
    files.call(nr::CHROOT, &[files.path("/jail")]).unwrap();
    assert_eq!(files.cwd().as_deref(), Ok("(unreachable)/out"));
}

#[test]
fn only_the_superuser_mounts_and_changes_the_root() {
    let files = Files::new();
    files.mkdir("/m").unwrap();
    let user = files.as_user(100, 1000);
    assert_eq!(mount(&user, "none", "/m", "tmpfs", 0), Err(Errno::EPERM));
    assert_eq!(user.call(nr::CHROOT, &[user.path("/m")]), Err(Errno::EPERM));
}
