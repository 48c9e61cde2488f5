//! Paths, links, permissions, renames.

use linux_abi::Errno;
use linux_abi::nr;
use machine::GuestAddr;

use super::*;

#[test]
fn a_file_is_made_once_with_o_excl() {
    let files = Files::new();
    let fd = files.open("/a", O_CREAT | O_EXCL | O_RDWR).expect("it is new");
    assert_eq!(files.open("/a", O_CREAT | O_EXCL | O_RDWR), Err(Errno::EEXIST));
    assert_eq!(files.fstat(fd).st_mode, 0o100_644);
    assert_eq!(files.fstat(fd).st_nlink, 1);
}

#[test]
fn the_umask_takes_permission_away() {
    let files = Files::new();
    assert_eq!(files.call(nr::UMASK, &[0o077]), Ok(0o022));
    files.make("/a", b"");
    assert_eq!(files.stat("/a").map(|stat| stat.st_mode), Ok(0o100_600));
}

#[test]
fn dots_and_slashes_lead_where_they_should() {
    let files = Files::new();
    files.mkdir("/d").unwrap();
    files.mkdir("/d/e").unwrap();
    files.make("/d/f", b"x");
    let ino = files.stat("/d/f").unwrap().st_ino;
    for path in ["//d//f", "/d/./f", "/d/e/../f", "/../d/f", "/d/e/../../d/e/.././f"] {
        assert_eq!(files.stat(path).map(|stat| stat.st_ino), Ok(ino), "{path}");
    }
    assert_eq!(files.stat("/d/f/").err(), Some(Errno::ENOTDIR));
    assert_eq!(files.stat("/d/f/..").err(), Some(Errno::ENOTDIR));
    assert_eq!(files.stat("/d/x/..").err(), Some(Errno::ENOENT));
    assert_eq!(files.stat("").err(), Some(Errno::ENOENT));
    assert!(files.stat("/d/e/").is_ok());
}

#[test]
fn names_and_paths_have_their_longest() {
    let files = Files::new();
    let longest = alloc::format!("/{}", "n".repeat(255));
    files.make(&longest, b"");
    assert_eq!(files.open(&alloc::format!("{longest}n"), O_CREAT | O_RDWR), Err(Errno::ENAMETOOLONG));
    assert_eq!(files.stat(&alloc::format!("{longest}n")).err(), Some(Errno::ENAMETOOLONG));
    assert_eq!(files.stat(&"/".repeat(4096)).err(), Some(Errno::ENAMETOOLONG));
    assert!(files.stat(&"/".repeat(4095)).is_ok());
}

#[test]
fn symbolic_links_are_followed_forty_times() {
    let files = Files::new();
    files.make("/l0", b"end");
    for n in 1..=41 {
        files.symlink(&alloc::format!("l{}", n - 1), &alloc::format!("/l{n}")).unwrap();
    }
    assert_eq!(files.contents("/l40").as_deref(), Ok(&b"end"[..]));
    assert_eq!(files.contents("/l41"), Err(Errno::ELOOP));
    files.symlink("loop", "/loop").unwrap();
    assert_eq!(files.stat("/loop").err(), Some(Errno::ELOOP));
    assert_eq!(files.read_link("/loop").as_deref(), Ok("loop"));
}

#[test]
fn a_link_starts_at_its_directory_or_at_the_root() {
    let files = Files::new();
    files.mkdir("/d").unwrap();
    files.make("/d/f", b"in d");
    files.symlink("f", "/d/near").unwrap();
    files.symlink("/d/f", "/far").unwrap();
    files.symlink("/d", "/dir").unwrap();
    for path in ["/d/near", "/far", "/dir/near", "/dir/../far"] {
        assert_eq!(files.contents(path).as_deref(), Ok(&b"in d"[..]), "{path}");
    }
    assert_eq!(files.open("/far", O_RDONLY | O_NOFOLLOW), Err(Errno::ELOOP));
    assert_eq!(files.open("/dir", O_DIRECTORY | O_NOFOLLOW), Err(Errno::ENOTDIR));
    assert!(files.open("/dir/", O_DIRECTORY | O_NOFOLLOW).is_ok(), "the slash follows it");
    assert_eq!(files.read_link("/d/f"), Err(Errno::EINVAL));
}

#[test]
fn creating_through_a_dangling_link_makes_its_target() {
    let files = Files::new();
    files.symlink("target", "/link").unwrap();
    assert_eq!(files.open("/link", O_CREAT | O_EXCL | O_RDWR), Err(Errno::EEXIST));
    files.make("/link", b"x");
    assert_eq!(files.contents("/target").as_deref(), Ok(&b"x"[..]));
}

#[test]
fn removed_names_are_gone_and_open_files_stay() {
    let files = Files::new();
    files.make("/a", b"still here");
    let fd = files.open("/a", O_RDONLY).unwrap();
    files.unlink("/a").unwrap();
    assert_eq!(files.stat("/a").err(), Some(Errno::ENOENT));
    assert_eq!(files.read(fd, 64).as_deref(), Ok(&b"still here"[..]));
    assert_eq!(files.fstat(fd).st_nlink, 0);
    assert_eq!(files.unlink("/a"), Err(Errno::ENOENT));
}

#[test]
fn the_wrong_way_to_remove_is_refused() {
    let files = Files::new();
    files.mkdir("/d").unwrap();
    files.make("/d/f", b"");
    assert_eq!(files.unlink("/d"), Err(Errno::EISDIR));
    assert_eq!(files.rmdir("/d/f"), Err(Errno::ENOTDIR));
    assert_eq!(files.rmdir("/d"), Err(Errno::ENOTEMPTY));
    assert_eq!(files.rmdir("/d/."), Err(Errno::EINVAL));
    assert_eq!(files.rmdir("/d/.."), Err(Errno::ENOTEMPTY));
    assert_eq!(files.rmdir("/"), Err(Errno::EBUSY));
    assert_eq!(files.unlink("/d/f/"), Err(Errno::ENOTDIR));
    files.unlink("/d/f").unwrap();
    assert_eq!(files.rmdir("/d"), Ok(0));
}

#[test]
fn nothing_is_made_in_a_removed_directory() {
    let files = Files::new();
    files.mkdir("/d").unwrap();
    files.call(nr::CHDIR, &[files.path("/d")]).unwrap();
    files.rmdir("/d").unwrap();
    assert_eq!(files.open("f", O_CREAT | O_RDWR), Err(Errno::ENOENT));
    assert_eq!(files.cwd(), Err(Errno::ENOENT));
    assert!(files.stat("..").is_ok(), "the way up stays");
}

#[test]
fn hard_links_share_everything_but_the_name() {
    let files = Files::new();
    files.make("/a", b"one");
    files.link("/a", "/b").unwrap();
    files.make("/b", b"two");
    assert_eq!(files.contents("/a").as_deref(), Ok(&b"two"[..]));
    let (a, b) = (files.stat("/a").unwrap(), files.stat("/b").unwrap());
    assert_eq!((a.st_ino, a.st_nlink), (b.st_ino, 2));
    files.mkdir("/d").unwrap();
    assert_eq!(files.link("/d", "/e"), Err(Errno::EPERM));
    assert_eq!(files.link("/a", "/b"), Err(Errno::EEXIST));
    assert_eq!(files.link("/none", "/c"), Err(Errno::ENOENT));
}

#[test]
fn rename_replaces_what_it_may() {
    let files = Files::new();
    files.make("/a", b"a");
    files.make("/b", b"b");
    files.mkdir("/d").unwrap();
    files.mkdir("/e").unwrap();
    files.make("/e/f", b"");
    assert_eq!(files.rename("/a", "/b", 1), Err(Errno::EEXIST), "RENAME_NOREPLACE");
    assert_eq!(files.rename("/a", "/b", 0), Ok(0));
    assert_eq!(files.contents("/b").as_deref(), Ok(&b"a"[..]));
    assert_eq!(files.stat("/a").err(), Some(Errno::ENOENT));
    assert_eq!(files.rename("/b", "/d", 0), Err(Errno::EISDIR));
    assert_eq!(files.rename("/d", "/b", 0), Err(Errno::ENOTDIR));
    assert_eq!(files.rename("/d", "/e", 0), Err(Errno::ENOTEMPTY));
    assert_eq!(files.rename("/e", "/d", 0), Ok(0));
    assert!(files.stat("/d/f").is_ok());
    assert_eq!(files.rename("/none", "/x", 0), Err(Errno::ENOENT));
    assert_eq!(files.rename("/b", "/x/", 0), Err(Errno::ENOTDIR));
}

#[test]
fn a_directory_moves_with_what_is_in_it_and_not_into_itself() {
    let files = Files::new();
    for dir in ["/a", "/a/b", "/a/b/c", "/x"] {
        files.mkdir(dir).unwrap();
    }
    files.call(nr::CHDIR, &[files.path("/a/b/c")]).unwrap();
    assert_eq!(files.rename("/a", "/a/b/d", 0), Err(Errno::EINVAL));
    assert_eq!(files.rename("/a/b", "/a", 0), Err(Errno::ENOTEMPTY));
    assert_eq!(files.rename("/a/b", "/x/y", 0), Ok(0));
    assert_eq!(files.cwd().as_deref(), Ok("/x/y/c"));
    assert_eq!(files.stat("/a").unwrap().st_nlink, 2);
    assert_eq!(files.stat("/x").unwrap().st_nlink, 3);
    assert_eq!(files.stat("..").unwrap().st_ino, files.stat("/x/y").unwrap().st_ino);
}

#[test]
fn an_exchange_swaps_two_names() {
    let files = Files::new();
    files.make("/a", b"a");
    files.mkdir("/d").unwrap();
    files.make("/d/f", b"");
    assert_eq!(files.rename("/a", "/none", 2), Err(Errno::ENOENT));
    assert_eq!(files.rename("/a", "/d", 2), Ok(0));
    assert_eq!(files.contents("/d").as_deref(), Ok(&b"a"[..]));
    assert!(files.stat("/a/f").is_ok());
    assert_eq!(files.rename("/a", "/d", 3), Err(Errno::EINVAL));
}

#[test]
fn the_mode_decides_for_everybody_but_the_superuser() {
    let files = Files::new();
    files.mkdir("/private").unwrap();
    files.make("/private/f", b"");
    files.make("/public", b"text");
    files.chmod("/private", 0o700).unwrap();
    files.chmod("/public", 0o604).unwrap();
    let user = files.as_user(100, 1000);
    assert_eq!(user.stat("/private/f").err(), Some(Errno::EACCES));
    assert_eq!(user.open("/public", O_WRONLY), Err(Errno::EACCES));
    assert_eq!(user.contents("/public").as_deref(), Ok(&b"text"[..]));
    assert_eq!(user.open("/mine", O_CREAT | O_RDWR), Err(Errno::EACCES));
    assert_eq!(user.chmod("/public", 0o777), Err(Errno::EPERM));
    assert_eq!(user.call(nr::FACCESSAT, &[AT_FDCWD, user.path("/public"), 2]), Err(Errno::EACCES));
    assert_eq!(user.call(nr::FACCESSAT, &[AT_FDCWD, user.path("/public"), 4]), Ok(0));
    assert_eq!(files.call(nr::FACCESSAT, &[AT_FDCWD, files.path("/public"), 1]), Err(Errno::EACCES));
}

#[test]
fn in_a_sticky_directory_only_the_owner_removes() {
    let files = Files::new();
    files.mkdir("/tmp").unwrap();
    files.chmod("/tmp", 0o1777).unwrap();
    let (one, two) = (files.as_user(100, 1000), files.as_user(101, 1001));
    one.make("/tmp/f", b"");
    assert_eq!(two.unlink("/tmp/f"), Err(Errno::EPERM));
    assert_eq!(two.rename("/tmp/f", "/tmp/g", 0), Err(Errno::EPERM));
    assert_eq!(one.unlink("/tmp/f"), Ok(0));
}

#[test]
fn an_unnamed_file_gets_a_name_by_its_descriptor() {
    let files = Files::new();
    files.mkdir("/d").unwrap();
    let fd = files.open("/d", O_TMPFILE | O_RDWR).unwrap();
    assert_eq!(files.write(fd, b"hidden"), Ok(6));
    assert_eq!(files.list("/d"), Vec::<String>::new());
    let (empty, new) = (files.path(""), files.text(SECOND_PATH, "/d/seen"));
    assert_eq!(files.call(nr::LINKAT, &[fd, empty, AT_FDCWD, new, 0x1000]), Ok(0));
    assert_eq!(files.contents("/d/seen").as_deref(), Ok(&b"hidden"[..]));
    assert_eq!(files.open("/d", O_TMPFILE), Err(Errno::EINVAL), "it must be written");
}

#[test]
fn a_descriptor_that_names_a_place_does_nothing_else() {
    let files = Files::new();
    files.make("/f", b"x");
    let fd = files.open("/f", O_PATH).unwrap();
    assert_eq!(files.read(fd, 1), Err(Errno::EBADF));
    assert_eq!(files.call(nr::FCHMOD, &[fd, 0o600]), Err(Errno::EBADF));
    assert_eq!(files.fstat(fd).st_size, 1);
    let fd = files.open("/", O_PATH).unwrap();
    let name = files.path("f");
    assert!(files.call(nr::OPENAT, &[fd, name, O_RDONLY, 0]).is_ok());
}

#[test]
fn openat2_keeps_within_what_it_is_told() {
    let files = Files::new();
    files.mkdir("/jail").unwrap();
    files.make("/jail/f", b"in");
    files.make("/f", b"out");
    files.symlink("/f", "/jail/abs").unwrap();
    files.symlink("../f", "/jail/up").unwrap();
    files.symlink("f", "/jail/in").unwrap();
    let dir = files.open("/jail", O_DIRECTORY).unwrap();
    let open = |path: &str, resolve: u64| {
        let how = files.guest.put(BUFFER, &[O_RDONLY, 0, resolve]);
        files.call(nr::OPENAT2, &[dir, files.path(path), how, 24])
    };
    const BENEATH: u64 = 8;
    const IN_ROOT: u64 = 0x10;
    assert!(open("in", BENEATH).is_ok());
    for path in ["abs", "up", "../f", "/f"] {
        assert_eq!(open(path, BENEATH), Err(Errno::EXDEV), "{path}");
    }
    for path in ["abs", "up", "../f", "/f", "/../f"] {
        let fd = open(path, IN_ROOT).unwrap_or_else(|errno| panic!("{path}: {errno}"));
        assert_eq!(files.read(fd, 8).as_deref(), Ok(&b"in"[..]), "{path}");
    }
    assert_eq!(open("in", 4), Err(Errno::ELOOP), "RESOLVE_NO_SYMLINKS");
    assert_eq!(open("in", 0x100), Err(Errno::EINVAL));
}

#[test]
fn listing_survives_removal_on_the_way() {
    let files = Files::new();
    files.mkdir("/d").unwrap();
    for n in 0..100 {
        files.make(&alloc::format!("/d/file{n}"), b"");
    }
    let fd = files.open("/d", O_DIRECTORY).unwrap();
    let names = files.list_fd(fd, 200, |piece| {
        for name in piece.iter().filter(|name| name.starts_with("file")) {
            files.unlink(&alloc::format!("/d/{name}")).unwrap();
        }
    });
    assert_eq!(names.len(), 102, "each name once, and the two dots");
    assert_eq!(files.rmdir("/d"), Ok(0));
}

#[test]
fn directories_deeper_than_any_stack_are_let_go() {
    let files = Files::new();
    let kernel = &files.guest.kernel;
    kernel.vfs().mount_type(kernel, "tmpfs", b"/deep", crate::fs::MountFlags::empty(), "nr_inodes=1m").unwrap();
    files.call(nr::CHDIR, &[files.path("/deep")]).unwrap();
    for _ in 0..20_000 {
        files.mkdir("d").unwrap();
        files.call(nr::CHDIR, &[files.path("d")]).unwrap();
    }
    files.call(nr::CHDIR, &[files.path("/")]).unwrap();
    drop(files);
}

#[test]
fn more_names_than_the_cache_holds_are_all_found() {
    let files = Files::new();
    let kernel = &files.guest.kernel;
    kernel.vfs().mount_type(kernel, "tmpfs", b"/m", crate::fs::MountFlags::empty(), "nr_inodes=1m").unwrap();
    for n in 0..5000 {
        files.symlink("x", &alloc::format!("/m/l{n}")).unwrap();
    }
    for n in 0..5000 {
        assert_eq!(files.read_link(&alloc::format!("/m/l{n}")).as_deref(), Ok("x"));
    }
}

#[test]
fn bad_pointers_are_efault() {
    let files = Files::new();
    let good = files.path("/f");
    files.make("/f", b"x");
    for args in [[AT_FDCWD, 8, 0, 0], [AT_FDCWD, u64::MAX, 0, 0]] {
        assert_eq!(files.call(nr::OPENAT, &args), Err(Errno::EFAULT));
    }
    assert_eq!(files.call(nr::NEWFSTATAT, &[AT_FDCWD, good, 16, 0]), Err(Errno::EFAULT));
    let fd = files.open("/f", O_RDONLY).unwrap();
    assert_eq!(files.call(nr::READ, &[fd, 16, 1]), Err(Errno::EFAULT));
    assert_eq!(files.guest.task.mm().read_vec(GuestAddr(files.guest.memory), 2).as_deref(), Ok(&b"/f"[..]));
}

#[test]
fn moving_up_and_removing_at_once_does_not_lock_up() {
    let files = Files::new();
    files.mkdir("/p").unwrap();
    let kernel = files.guest.kernel.clone();
    let run = |act: fn(&crate::fs::Vfs, &crate::fs::Caller)| {
        let kernel = kernel.clone();
        std::thread::spawn(move || {
            let caller = crate::fs::Caller::kernel(&kernel);
            for _ in 0..3000 {
                act(kernel.vfs(), &caller);
            }
        })
    };
    // Errors are expected: the other thread has been faster.
    let mover = run(|vfs, caller| {
        let at = linux_abi::fcntl::AT_FDCWD;
        let dir = crate::fs::NewKind::Directory;
        let _ = vfs.make(caller, at, b"/p/c", dir, 0o755);
        let _ = vfs.make(caller, at, b"/p/c/x", crate::fs::NewKind::Regular, 0o644);
        let _ = vfs.rename(caller, (at, b"/p/c/x"), (at, b"/p/y"), linux_abi::fcntl::RenameFlags::empty());
    });
    let remover = run(|vfs, caller| {
        let _ = vfs.rmdir(caller, linux_abi::fcntl::AT_FDCWD, b"/p/c");
    });
    mover.join().unwrap();
    remover.join().unwrap();
}
