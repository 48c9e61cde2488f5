//! The host directory as the kernel uses it, and attempts to get out of it.

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::{fs, thread};

use linux_abi::Errno;
use machine::{HostAttr, HostKind, HostNode, OpenMode};

use super::*;

/// A directory that is removed at the end of the test: `in/` is what the guest
/// gets, `out/` is what it must not reach.
struct Scene(PathBuf);

impl Scene {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("vambrace-host-fs-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(path.join("in")).unwrap();
        fs::create_dir_all(path.join("out")).unwrap();
        fs::write(path.join("out/secret"), "secret").unwrap();
        Self(path)
    }

    fn inside(&self, name: &str) -> PathBuf {
        self.0.join("in").join(name)
    }

    fn open(&self) -> Arc<dyn HostNode> {
        open_dir(&self.0.join("in"), false).unwrap()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn read_all(node: &dyn HostNode) -> Vec<u8> {
    let mut buf = vec![0; 1 << 16];
    let count = node.open(OpenMode::Read).unwrap().read_at(0, &mut buf).unwrap();
    buf.truncate(count);
    buf
}

/// Descriptors of this process that lie in the scene.
fn open_fds(scene: &Scene) -> usize {
    let links = fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    links.filter(|target| target.starts_with(&scene.0)).count()
}

#[test]
fn files_are_made_written_read_renamed_and_removed() {
    let scene = Scene::new();
    let root = scene.open();
    let dir = root.mkdir(b"dir", 0o750).unwrap();
    let node = dir.create(b"a", 0o640).unwrap();
    let file = node.open(OpenMode::ReadWrite).unwrap();
    assert_eq!(file.write_at(3, b"lo"), Ok(2));
    assert_eq!(file.write_at(0, b"hel"), Ok(3));
    file.sync(true).unwrap();
    assert_eq!(fs::read(scene.inside("dir/a")).unwrap(), b"hello");
    file.set_len(2).unwrap();
    assert_eq!(node.stat().unwrap().size, 2);
    assert_eq!(dir.create(b"a", 0o640).err(), Some(Errno::EEXIST));

    dir.rename(b"a", &*root, b"b", 0).unwrap();
    assert_eq!(dir.lookup(b"a").err(), Some(Errno::ENOENT));
    assert_eq!(node.stat().unwrap().ino, root.lookup(b"b").unwrap().stat().unwrap().ino);
    root.link(b"c", &*node).unwrap();
    assert_eq!(node.stat().unwrap().nlink, 2);
    root.unlink(b"b").unwrap();
    assert_eq!(read_all(&*root.lookup(b"c").unwrap()), b"he");

    assert_eq!(root.rmdir(b"c"), Err(Errno::ENOTDIR));
    assert_eq!(root.unlink(b"dir"), Err(Errno::EISDIR));
    root.rmdir(b"dir").unwrap();
    let names: Vec<_> = root.read_dir().unwrap().into_iter().map(|entry| (entry.name, entry.kind)).collect();
    assert_eq!(names, [(b"c".to_vec(), HostKind::File)]);
}

#[test]
fn modes_are_exact_whatever_the_umask() {
    let scene = Scene::new();
    let root = scene.open();
    root.create(b"file", 0o666).unwrap();
    root.mkdir(b"dir", 0o777).unwrap();
    root.mkfifo(b"fifo", 0o622).unwrap();
    let mode = |name| fs::symlink_metadata(scene.inside(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("file"), mode("dir"), mode("fifo")), (0o666, 0o777, 0o622));
    assert!(fs::symlink_metadata(scene.inside("fifo")).unwrap().file_type().is_fifo());
}

#[test]
fn a_file_made_read_only_can_be_written_by_its_first_open() {
    let scene = Scene::new();
    let node = scene.open().create(b"f", 0o444).unwrap();
    node.open(OpenMode::ReadWrite).unwrap().write_at(0, b"x").unwrap();
    assert_eq!(fs::read(scene.inside("f")).unwrap(), b"x");
}

#[test]
fn a_file_opened_for_reading_cannot_be_written() {
    let scene = Scene::new();
    let node = scene.open().create(b"f", 0o644).unwrap();
    let writer = node.open(OpenMode::ReadWrite).unwrap();
    let reader = node.open(OpenMode::Read).unwrap();
    assert_eq!(reader.write_at(0, b"x"), Err(Errno::EBADF));
    assert_eq!(reader.set_len(0), Err(Errno::EBADF));
    assert_eq!(writer.write_at(0, b"x"), Ok(1));
}

#[test]
fn attributes_are_set_and_links_are_not_followed() {
    let scene = Scene::new();
    fs::write(scene.inside("f"), "12345").unwrap();
    symlink("../out/secret", scene.inside("link")).unwrap();
    let root = scene.open();
    let f = root.lookup(b"f").unwrap();
    let attr = HostAttr {
        mode: Some(0o4711),
        size: Some(2),
        atime_ns: Some(1_500_000_000),
        mtime_ns: Some(-1),
        ..HostAttr::default()
    };
    f.set_attr(&attr).unwrap();
    let stat = f.stat().unwrap();
    assert_eq!((stat.mode, stat.size, stat.atime_ns, stat.mtime_ns), (0o4711, 2, 1_500_000_000, -1));

    let secret = scene.0.join("out/secret");
    let before = fs::metadata(&secret).unwrap();
    let link = root.lookup(b"link").unwrap();
    assert_eq!(link.stat().unwrap().kind, HostKind::Symlink);
    assert_eq!(link.set_attr(&HostAttr { mode: Some(0o777), ..HostAttr::default() }), Err(Errno::EOPNOTSUPP));
    assert_eq!(link.set_attr(&HostAttr { size: Some(0), ..HostAttr::default() }), Err(Errno::ELOOP));
    link.set_attr(&HostAttr { mtime_ns: Some(7), ..HostAttr::default() }).unwrap();
    assert_eq!(link.stat().unwrap().mtime_ns, 7, "the time of the link itself");
    let after = fs::metadata(&secret).unwrap();
    assert_eq!((before.mode(), before.len(), before.mtime_nsec()), (after.mode(), after.len(), after.mtime_nsec()));
}

#[test]
fn links_are_told_and_never_followed() {
    let scene = Scene::new();
    let targets = ["../out/secret", "..", "/", "/etc/passwd", ".", "/proc/self/root", "../out"];
    for (i, target) in targets.iter().enumerate() {
        symlink(target, scene.inside(&format!("l{i}"))).unwrap();
    }
    let root = scene.open();
    for (i, target) in targets.iter().enumerate() {
        let link = root.lookup(format!("l{i}").as_bytes()).unwrap();
        assert_eq!(link.stat().unwrap().kind, HostKind::Symlink);
        assert_eq!(link.read_link().unwrap(), target.as_bytes());
        assert_eq!(link.open(OpenMode::Read).err(), Some(Errno::ELOOP), "{target}");
        assert_eq!(link.open(OpenMode::ReadWrite).err(), Some(Errno::ELOOP), "{target}");
        assert_eq!(link.lookup(b"secret").err(), Some(Errno::ENOTDIR), "{target}");
        assert_eq!(link.create(b"planted", 0o644).err(), Some(Errno::ENOTDIR), "{target}");
        assert_eq!(link.read_dir().err(), Some(Errno::ENOTDIR), "{target}");
        assert_eq!(root.create(format!("l{i}").as_bytes(), 0o644).err(), Some(Errno::EEXIST), "{target}");
    }
    assert_eq!(root.read_link(), Err(Errno::EINVAL), "a directory is no link");
}

#[test]
fn hard_names_are_refused_by_every_operation() {
    let scene = Scene::new();
    let root = scene.open();
    let file = root.create(b"f", 0o644).unwrap();
    for name in [&b".."[..], b".", b"", b"/", b"../out/secret", b"/etc/passwd", b"f/..", b"f\0", b"a/b"] {
        let refused = Err(Errno::EINVAL);
        assert_eq!(root.lookup(name).map(drop), refused, "{name:?}");
        assert_eq!(root.create(name, 0o644).map(drop), refused, "{name:?}");
        assert_eq!(root.mkdir(name, 0o755).map(drop), refused, "{name:?}");
        assert_eq!(root.symlink(name, b"t").map(drop), refused, "{name:?}");
        assert_eq!(root.mkfifo(name, 0o644).map(drop), refused, "{name:?}");
        assert_eq!(root.link(name, &*file), refused, "{name:?}");
        assert_eq!(root.unlink(name), refused, "{name:?}");
        assert_eq!(root.rmdir(name), refused, "{name:?}");
        assert_eq!(root.rename(b"f", &*root, name, 0), refused, "{name:?}");
        assert_eq!(root.rename(name, &*root, b"g", 0), refused, "{name:?}");
    }
    for name in [&b"\xff\xfe"[..], b"a\nb", b"-rf", b"...", b" ", b"\\..\\"] {
        root.create(name, 0o644).unwrap();
        assert!(root.lookup(name).is_ok(), "{name:?}");
    }
}

#[test]
fn a_directory_moved_out_of_the_tree_is_no_way_out() {
    let scene = Scene::new();
    fs::create_dir_all(scene.inside("a/b")).unwrap();
    let root = scene.open();
    let b = root.lookup(b"a").unwrap().lookup(b"b").unwrap();
    fs::rename(scene.inside("a/b"), scene.0.join("out/b")).unwrap();
    // The kernel asks for single names only; there is no name for the parent.
    assert_eq!(b.lookup(b"..").err(), Some(Errno::EINVAL));
    assert_eq!(root.lookup(b"a").unwrap().lookup(b"b").err(), Some(Errno::ENOENT));
}

#[test]
fn a_name_that_flips_between_a_file_and_a_link_never_gives_the_target() {
    let scene = Scene::new();
    fs::write(scene.inside("plain"), "plain").unwrap();
    symlink(scene.0.join("out/secret"), scene.inside("link")).unwrap();
    fs::create_dir(scene.inside("dir")).unwrap();
    fs::write(scene.inside("dir/secret"), "inner").unwrap();
    symlink(scene.0.join("out"), scene.inside("dirlink")).unwrap();
    let root = scene.open();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            while !stop.load(Ordering::Relaxed) {
                for (a, b) in [("plain", "link"), ("dir", "dirlink")] {
                    renameat_with(CWD, scene.inside(a), CWD, scene.inside(b), RenameFlags::EXCHANGE).unwrap();
                }
            }
        });
        let (mut files, mut links) = (0, 0);
        for _ in 0..3000 {
            // A fresh lookup and a stale node, each of which may change under way.
            for name in [&b"plain"[..], b"link"] {
                let Ok(node) = root.lookup(name) else { continue };
                match node.open(OpenMode::Read) {
                    Ok(file) => {
                        let mut buf = [0; 16];
                        let count = file.read_at(0, &mut buf).unwrap();
                        assert_eq!(&buf[..count], b"plain");
                        files += 1;
                    }
                    Err(error) => {
                        assert!(matches!(error, Errno::ELOOP | Errno::ESTALE | Errno::ENOENT), "{error}");
                        links += 1;
                    }
                }
            }
            for name in [&b"dir"[..], b"dirlink"] {
                let found = root.lookup(name).and_then(|dir| dir.lookup(b"secret"));
                if let Ok(node) = found {
                    assert_eq!(read_all(&*node), b"inner");
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
        assert!(files > 0 && links > 0, "both sides were seen: {files} files, {links} links");
    });
}

#[test]
fn fifos_sockets_and_devices_of_the_host_are_never_opened() {
    let scene = Scene::new();
    let root = scene.open();
    root.mkfifo(b"fifo", 0o666).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(scene.inside("socket")).unwrap();
    for (name, kind) in [(&b"fifo"[..], HostKind::Fifo), (b"socket", HostKind::Socket)] {
        let node = root.lookup(name).unwrap();
        assert_eq!(node.stat().unwrap().kind, kind);
        // Opening a FIFO that nobody writes would wait for ever.
        assert_eq!(node.open(OpenMode::Read).err(), Some(Errno::ENXIO));
        assert_eq!(node.open(OpenMode::ReadWrite).err(), Some(Errno::ENXIO));
        assert_eq!(node.set_attr(&HostAttr { size: Some(0), ..HostAttr::default() }), Err(Errno::ENXIO));
    }
    let dev = open_dir(Path::new("/dev"), false).unwrap();
    let null = dev.lookup(b"null").unwrap();
    assert_eq!(null.stat().unwrap().kind, HostKind::CharDev);
    assert_eq!(null.open(OpenMode::ReadWrite).err(), Some(Errno::ENXIO));
}

#[test]
fn a_read_only_tree_refuses_every_change() {
    let scene = Scene::new();
    fs::write(scene.inside("f"), "data").unwrap();
    let root = open_dir(&scene.0.join("in"), true).unwrap();
    let f = root.lookup(b"f").unwrap();
    let refused = Err(Errno::EROFS);
    assert_eq!(root.create(b"n", 0o644).map(drop), refused);
    assert_eq!(root.mkdir(b"n", 0o755).map(drop), refused);
    assert_eq!(root.symlink(b"n", b"t").map(drop), refused);
    assert_eq!(root.mkfifo(b"n", 0o644).map(drop), refused);
    assert_eq!(root.link(b"n", &*f), refused);
    assert_eq!(root.unlink(b"f"), refused);
    assert_eq!(root.rmdir(b"f"), refused);
    assert_eq!(root.rename(b"f", &*root, b"n", 0), refused);
    assert_eq!(f.open(OpenMode::ReadWrite).map(drop), refused);
    assert_eq!(f.set_attr(&HostAttr { mode: Some(0o777), ..HostAttr::default() }), refused);
    assert_eq!(read_all(&*f), b"data");
    assert_eq!(f.open(OpenMode::Read).unwrap().write_at(0, b"x"), Err(Errno::EBADF));
}

#[test]
fn nothing_moves_between_trees() {
    let (one, two) = (Scene::new(), Scene::new());
    let (a, b) = (one.open(), two.open());
    let f = a.create(b"f", 0o644).unwrap();
    assert_eq!(b.link(b"f", &*f), Err(Errno::EXDEV));
    assert_eq!(a.rename(b"f", &*b, b"f", 0), Err(Errno::EXDEV));
}

#[test]
fn thousands_of_nodes_need_few_descriptors() {
    let scene = Scene::new();
    let root = scene.open();
    let mut nodes = Vec::new();
    for i in 0..40 {
        let dir = root.mkdir(format!("d{i}").as_bytes(), 0o755).unwrap();
        for j in 0..50 {
            nodes.push((dir.create(format!("f{j}").as_bytes(), 0o644).unwrap(), dir.clone()));
        }
    }
    assert!(open_fds(&scene) < 600, "{} descriptors", open_fds(&scene));
    for (i, (node, dir)) in nodes.iter().enumerate() {
        node.open(OpenMode::ReadWrite).unwrap().write_at(0, i.to_string().as_bytes()).unwrap();
        assert!(dir.lookup(format!("f{}", i % 50).as_bytes()).is_ok());
    }
    for (i, (node, _)) in nodes.iter().enumerate() {
        assert_eq!(read_all(&**node), i.to_string().as_bytes());
    }
    drop(nodes);
    drop(root);
    assert_eq!(open_fds(&scene), 0, "all are closed again");
}

#[test]
fn a_node_without_a_descriptor_is_found_again_after_renames() {
    let scene = Scene::new();
    let fd = names::open_root(&scene.0.join("in")).unwrap();
    let root = tree::Tree::open(fd, false, None).unwrap();
    let a = root.mkdir(b"a", 0o755).unwrap();
    let b = a.mkdir(b"b", 0o755).unwrap();
    let f = b.create(b"f", 0o644).unwrap();
    root.rename(b"a", &*root, b"z", 0).unwrap();
    let z = root.lookup(b"z").unwrap();
    z.rename(b"b", &*root, b"y", 0).unwrap();
    for node in [&a, &b, &f] {
        let node = node.as_any().downcast_ref::<node::Node>().unwrap();
        node.release();
        node.take_fresh();
    }
    f.open(OpenMode::ReadWrite).unwrap().write_at(0, b"found").unwrap();
    assert_eq!(fs::read(scene.inside("y/f")).unwrap(), b"found");
    // Replaced by the host behind our back: not the same file, so an error.
    f.as_any().downcast_ref::<node::Node>().unwrap().release();
    fs::write(scene.inside("y/new"), "other").unwrap();
    fs::rename(scene.inside("y/new"), scene.inside("y/f")).unwrap();
    assert_eq!(f.open(OpenMode::Read).err(), Some(Errno::ESTALE));
}

#[test]
fn a_removed_file_lives_on_while_its_node_does() {
    let scene = Scene::new();
    let root = scene.open();
    let f = root.create(b"f", 0o644).unwrap();
    let g = root.create(b"g", 0o644).unwrap();
    let file = f.open(OpenMode::ReadWrite).unwrap();
    file.write_at(0, b"alive").unwrap();
    root.unlink(b"f").unwrap();
    assert_eq!(f.stat().unwrap().nlink, 0);
    assert_eq!(read_all(&*f), b"alive");
    root.create(b"f", 0o644).unwrap();
    root.rename(b"f", &*root, b"g", 0).unwrap();
    assert_eq!(g.stat().unwrap().nlink, 0, "the file that was replaced");
}

#[test]
fn an_exchange_swaps_both_nodes() {
    let scene = Scene::new();
    let root = scene.open();
    let dir = root.mkdir(b"dir", 0o755).unwrap();
    let a = root.create(b"a", 0o644).unwrap();
    let b = dir.create(b"b", 0o600).unwrap();
    root.rename(b"a", &*dir, b"b", 2).unwrap();
    for node in [&a, &b] {
        node.as_any().downcast_ref::<node::Node>().unwrap().release();
    }
    assert_eq!(a.stat().unwrap().mode, 0o644);
    assert_eq!(fs::metadata(scene.inside("dir/b")).unwrap().mode() & 0o777, 0o644);
    assert_eq!(b.stat().unwrap().mode, 0o600);
    assert_eq!(root.rename(b"a", &*dir, b"b", 1), Err(Errno::EEXIST));
    assert_eq!(root.rename(b"a", &*dir, b"b", 4), Err(Errno::EINVAL));
    assert_eq!(root.rename(b"a", &*dir, b"b", 1 << 20), Err(Errno::EINVAL));
}

#[test]
fn directories_nested_deeper_than_any_stack_are_dropped() {
    let scene = Scene::new();
    let root = scene.open();
    let mut at = root.clone();
    for _ in 0..700 {
        at = at.mkdir(b"d", 0o755).unwrap();
    }
    assert!(at.create(b"f", 0o644).is_ok());
    let small = thread::Builder::new().stack_size(32 << 10);
    small.spawn(move || drop((root, at))).unwrap().join().unwrap();
}

#[test]
fn directories_that_the_host_turned_inside_out_form_no_ring() {
    let scene = Scene::new();
    fs::create_dir_all(scene.inside("a/b")).unwrap();
    let root = scene.open();
    let a = root.lookup(b"a").unwrap();
    let b = a.lookup(b"b").unwrap();
    fs::rename(scene.inside("a/b"), scene.inside("b")).unwrap();
    fs::rename(scene.inside("a"), scene.inside("b/a")).unwrap();
    let a_again = b.lookup(b"a").unwrap();
    for node in [&a, &b, &a_again] {
        node.as_any().downcast_ref::<node::Node>().unwrap().release();
    }
    assert_eq!(a_again.stat().err(), Some(Errno::ENOENT), "b itself is not where it was");
    assert!(root.lookup(b"b").unwrap().lookup(b"a").unwrap().stat().is_ok());
}

#[test]
fn the_processs_own_user_appears_as_root_to_the_guest() {
    let scene = Scene::new();
    let meta = fs::metadata(scene.inside("")).unwrap();
    let fd = names::open_root(&scene.0.join("in")).unwrap();
    let root = tree::Tree::open(fd, false, Some((meta.uid(), meta.gid()))).unwrap();
    let f = root.create(b"f", 0o644).unwrap();
    let stat = f.stat().unwrap();
    assert_eq!((stat.uid, stat.gid), (0, 0));
    f.set_attr(&HostAttr { uid: Some(0), gid: Some(0), ..HostAttr::default() }).unwrap();
    assert_eq!(fs::metadata(scene.inside("f")).unwrap().uid(), meta.uid());

    let fd = names::open_root(&scene.0.join("in")).unwrap();
    let tree = tree::Tree::open(fd, false, Some((meta.uid() + 1000, meta.gid() + 1000))).unwrap();
    let stat = tree.lookup(b"f").unwrap().stat().unwrap();
    assert_eq!((stat.uid, stat.gid), (meta.uid(), meta.gid()), "others are as they are");
}

#[test]
fn a_single_file_can_be_the_root() {
    let scene = Scene::new();
    let node = open_dir(&scene.0.join("out/secret"), true).unwrap();
    assert_eq!(node.stat().unwrap().kind, HostKind::File);
    assert_eq!(read_all(&*node), b"secret");
    assert_eq!(node.lookup(b"x").err(), Some(Errno::ENOTDIR));
    assert_eq!(open_dir(&scene.0.join("absent"), true).err(), Some(Errno::ENOENT));
}
