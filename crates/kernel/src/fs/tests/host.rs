//! Host directories.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use linux_abi::Errno;
use linux_abi::nr;
use machine::{GuestAddr, HostKind};

use super::host_fake::FakeNode;
use super::*;
use crate::fs::{HostFs, MountFlags};

fn mounted(flags: MountFlags) -> (Files, Arc<FakeNode>) {
    let files = Files::new();
    let root = FakeNode::new(HostKind::Dir);
    let kernel = &files.guest.kernel;
    let fs = HostFs::new(kernel, root.clone()).unwrap();
    kernel.vfs().mount(kernel, fs, b"/h", flags, "host").unwrap();
    files.guest.advance(10_000_000_000);
    (files, root)
}

#[test]
fn names_are_asked_for_once_while_the_directory_stays_the_same() {
    let (files, root) = mounted(MountFlags::empty());
    root.put("f", b"one");
    for _ in 0..5 {
        assert_eq!(files.contents("/h/f").as_deref(), Ok(&b"one"[..]));
    }
    assert_eq!(root.lookups.load(Ordering::Relaxed), 1);
    root.put("f", b"another file");
    assert_eq!(files.contents("/h/f").as_deref(), Ok(&b"another file"[..]));
    root.names.lock().clear();
    root.touch();
    assert_eq!(files.stat("/h/f").err(), Some(Errno::ENOENT));
}

#[test]
fn what_the_guest_does_reaches_the_host() {
    let (files, root) = mounted(MountFlags::empty());
    files.make("/h/f", b"from the guest");
    assert_eq!(&*root.names.lock()[&b"f"[..]].bytes.lock(), b"from the guest");
    files.mkdir("/h/d").unwrap();
    files.rename("/h/f", "/h/d/g", 0).unwrap();
    files.symlink("g", "/h/d/l").unwrap();
    assert_eq!(files.contents("/h/d/l").as_deref(), Ok(&b"from the guest"[..]));
    assert_eq!(files.list("/h/d"), ["g", "l"]);
    assert_eq!(files.link("/h/d/g", "/h/x"), Ok(0));
    assert_eq!(files.link("/h/d/g", "/x"), Err(Errno::EXDEV));
    files.unlink("/h/d/g").unwrap();
    assert_eq!(files.stat("/h/d/l").err(), Some(Errno::ENOENT));
    assert_eq!(files.list("/h"), ["d", "x"]);
}

#[test]
fn mappings_reads_and_writes_agree() {
    let (files, root) = mounted(MountFlags::empty());
    let host = root.put("f", &[b'a'; 5000]);
    let fd = files.open("/h/f", O_RDWR).unwrap();
    let addr = files.call(nr::MMAP, &[0, 8192, 3, 1, fd, 0]).unwrap();
    let mm = files.guest.task.mm();
    assert_eq!(mm.read_vec(GuestAddr(addr), 2).as_deref(), Ok(&b"aa"[..]));
    assert_eq!(files.write(fd, b"bb"), Ok(2));
    assert_eq!(mm.read_vec(GuestAddr(addr), 3).as_deref(), Ok(&b"bba"[..]), "a write shows in the mapping");
    mm.write(GuestAddr(addr + 4096), b"mapped").unwrap();
    files.seek(fd, 4096, 0).unwrap();
    assert_eq!(files.read(fd, 6).as_deref(), Ok(&b"mapped"[..]), "a store shows in a read");
    assert_eq!(files.call(nr::FSYNC, &[fd]), Ok(0));
    let bytes = host.bytes.lock().clone();
    assert_eq!((bytes.len(), &bytes[..3], &bytes[4096..4103]), (5000, &b"bba"[..], &b"mappeda"[..]));
}

#[test]
fn pages_are_read_again_when_the_host_has_changed_the_file() {
    let (files, root) = mounted(MountFlags::empty());
    let host = root.put("f", b"old contents");
    let fd = files.open("/h/f", O_RDONLY).unwrap();
    let addr = files.call(nr::MMAP, &[0, 4096, 1, 2, fd, 0]).unwrap();
    let mm = files.guest.task.mm();
    assert_eq!(mm.read_vec(GuestAddr(addr), 3).as_deref(), Ok(&b"old"[..]));
    *host.bytes.lock() = b"new".to_vec();
    host.touch();
    assert_eq!(files.contents("/h/f").as_deref(), Ok(&b"new"[..]));
}

#[test]
fn a_read_only_mount_changes_nothing() {
    let (files, root) = mounted(MountFlags::READ_ONLY);
    root.put("f", b"x");
    assert_eq!(files.open("/h/f", O_RDWR), Err(Errno::EROFS));
    assert_eq!(files.open("/h/new", O_CREAT | O_RDWR), Err(Errno::EROFS));
    assert_eq!(files.open("/h/f", O_RDONLY | O_TRUNC), Err(Errno::EROFS));
    assert_eq!(files.unlink("/h/f"), Err(Errno::EROFS));
    assert_eq!(files.rename("/h/f", "/h/g", 0), Err(Errno::EROFS));
    assert_eq!(files.contents("/h/f").as_deref(), Ok(&b"x"[..]));
}

#[test]
fn a_mount_point_that_the_host_lacks_appears_without_being_made() {
    let (files, root) = mounted(MountFlags::empty());
    let kernel = &files.guest.kernel;
    kernel.vfs().mount_type(kernel, "tmpfs", b"/h/a/b", MountFlags::empty(), "").unwrap();
    files.make("/h/a/b/f", b"x");
    assert!(root.names.lock().is_empty());
    assert_eq!(files.list("/h"), ["a"]);
    assert_eq!(files.contents("/h/a/b/../b/f").as_deref(), Ok(&b"x"[..]));
    root.touch();
    assert!(files.stat("/h/a/b/f").is_ok(), "it stays when the host's directory changes");
}

#[test]
fn listing_a_host_directory_survives_removal_on_the_way() {
    let (files, root) = mounted(MountFlags::empty());
    for n in 0..50 {
        root.put(&alloc::format!("file{n}"), b"");
    }
    let fd = files.open("/h", O_DIRECTORY).unwrap();
    let names = files.list_fd(fd, 200, |piece| {
        for name in piece.iter().filter(|name| name.starts_with("file")) {
            files.unlink(&alloc::format!("/h/{name}")).unwrap();
        }
    });
    assert_eq!(names.len(), 52);
    assert!(root.names.lock().is_empty());
}
